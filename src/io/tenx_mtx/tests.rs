use super::*;
use std::io::Write;

const FEATURES: &str = "E1\tA\tGene Expression\nP1\tCD3\tAntibody Capture\nE2\tB\tGene Expression\n";
const BARCODES: &str = "AAAC-1\nAAAG-1\n";
const MATRIX: &str = "%%MatrixMarket matrix coordinate integer general\n3 2 4\n1 1 5\n2 1 9\n3 1 6\n3 2 7\n";

/// Writes files into a new folder; those named `.gz` are compressed.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = text.as_bytes().to_vec();
        if name.ends_with(".gz") {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&bytes).unwrap();
            bytes = encoder.finish().unwrap();
        }
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn read(folder: &tempfile::TempDir) -> Result<RawLot> {
    read_tenx_mtx(folder.path(), &ReadParams::default())
}

fn rows(lot: &RawLot) -> Vec<Vec<(u32, u32)>> {
    (0..lot.counts.n_cells()).map(|cell| lot.counts.row(cell).iter().collect()).collect()
}

#[test]
fn plain_gz_prefixed_and_nested_files_give_the_same_lot() {
    for names in [
        ["matrix.mtx", "barcodes.tsv", "features.tsv"],
        ["matrix.mtx.gz", "barcodes.tsv", "features.tsv.gz"],
        ["GSM1_x_matrix.mtx.gz", "GSM1_x_barcodes.tsv.gz", "GSM1_x_features.tsv.gz"],
        ["outs/filtered/matrix.mtx", "outs/filtered/barcodes.tsv.gz", "outs/filtered/genes.tsv"],
    ] {
        let folder = folder(&[(names[0], MATRIX), (names[1], BARCODES), (names[2], FEATURES)]);
        let lot = read(&folder).unwrap();
        assert_eq!(
            (lot.genes.ids(), lot.genes.symbols()),
            (&["E1", "E2"].map(String::from)[..], &["A", "B"].map(String::from)[..])
        );
        assert_eq!(lot.barcodes, ["AAAC-1", "AAAG-1"]);
        assert_eq!(rows(&lot), [vec![(0, 5), (1, 6)], vec![(1, 7)]], "{names:?}");
        let aside =
            Warning::FeaturesSetAside { lot: String::new(), feature_type: "Antibody Capture".into(), n_features: 1 };
        assert_eq!((lot.warnings, lot.files.len()), (vec![aside], 3));
        assert_eq!(rows(&read_tenx_mtx(&folder.path().join(names[0]), &ReadParams::default()).unwrap()).len(), 2);
    }
}

#[test]
fn bustools_has_cells_as_rows_even_where_the_matrix_is_square() {
    let folder = folder(&[
        ("cells_x_genes.mtx", "%%MatrixMarket matrix coordinate real general\n%\n2 2 1\n1 2 3\n"),
        ("cells_x_genes.barcodes.txt", "AAAC\nAAAG\n"),
        ("cells_x_genes.genes.txt", "E1\nE2\n"),
        ("cells_x_genes.genes.names.txt", "A\nB\n"),
    ]);
    let lot = read(&folder).unwrap();
    assert_eq!((rows(&lot), lot.genes.symbols()), (vec![vec![(1, 3)], vec![]], &["A", "B"].map(String::from)[..]));
    assert_eq!(lot.files.len(), 4);
}

#[test]
fn one_of_several_genomes_is_taken_by_name() {
    let two = folder(&[
        ("hg19/matrix.mtx", MATRIX),
        ("hg19/barcodes.tsv", BARCODES),
        ("hg19/genes.tsv", "E1\tA\nE3\tC\nE2\tB\n"),
        ("mm10/matrix.mtx", MATRIX),
        ("mm10/barcodes.tsv", BARCODES),
        ("mm10/genes.tsv", "M1\tA\nM2\tB\nM3\tC\n"),
    ]);
    assert!(read(&two).unwrap_err().to_string().contains("several matrices here"));
    let params = ReadParams { genome: "mm10".into(), ..ReadParams::default() };
    assert_eq!(read_tenx_mtx(two.path(), &params).unwrap().genes.ids(), ["M1", "M2", "M3"]);
}

#[test]
fn repeated_ids_and_barcodes_are_told() {
    let genes = "E1\tA\nE1\tA2\nE2\tB\n";
    let lot = read(&folder(&[("matrix.mtx", MATRIX), ("barcodes.tsv", "X\nX\n"), ("genes.tsv", genes)])).unwrap();
    assert_eq!(rows(&lot), [vec![(0, 14), (1, 6)], vec![(1, 7)]]);
    assert_eq!(lot.barcodes, ["X", "X_2"]);
    assert!(matches!(
        lot.warnings[..],
        [Warning::DuplicateGeneIds { n_ids: 1, .. }, Warning::DuplicateBarcodes { .. }]
    ));
}

#[test]
fn what_is_wrong_is_said() {
    let with = |barcodes: &str, features: &str| {
        read(&folder(&[("matrix.mtx", MATRIX), ("barcodes.tsv", barcodes), ("features.tsv", features)]))
            .unwrap_err()
            .to_string()
    };
    assert!(
        with("A\n", FEATURES)
            .contains("matrix.mtx, line 2: the matrix has 3 rows × 2 columns, but 3 genes and 1 barcodes")
    );
    assert!(with("A\n\nB\n", FEATURES).contains("barcodes.tsv, line 2: an empty name"));
    assert!(with(BARCODES, "E1\n\tB\nE3\n").contains("features.tsv, line 2: a feature without id"));
    let peaks = FEATURES.replace("Gene Expression", "Peaks");
    assert!(with(BARCODES, &peaks).contains("no feature of type `Gene Expression`"));
    assert!(with(BARCODES, "x\tA\nx\tB\nx\tC\n").contains("3 genes, but 1 different ids (such as x)"));
    let both = folder(&[
        ("matrix.mtx", MATRIX),
        ("matrix.mtx.gz", MATRIX),
        ("barcodes.tsv", BARCODES),
        ("genes.tsv", FEATURES),
    ]);
    let message = read(&both).unwrap_err().to_string();
    assert!(message.contains("several matrices here"), "{message}");
    let both = folder(&[
        ("matrix.mtx", MATRIX),
        ("features.tsv", FEATURES),
        ("barcodes.tsv", BARCODES),
        ("genes.tsv", FEATURES),
    ]);
    let message = read(&both).unwrap_err().to_string();
    assert!(message.contains("holds both features.tsv and genes.tsv"), "{message}");
    assert!(read(&folder(&[])).unwrap_err().to_string().contains("looked for matrix.mtx"));
}
