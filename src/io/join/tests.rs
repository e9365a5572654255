use super::*;
use crate::data::LotSource;
use crate::io::GeneSets;
use crate::progress::Silent;

/// A folder of text lots (cells × genes) and the sheet that lists them.
fn lots(files: &[&str]) -> (tempfile::TempDir, LotSheet) {
    let folder = tempfile::tempdir().unwrap();
    let mut sheet = LotSheet::default();
    for (i, text) in files.iter().enumerate() {
        let path = folder.path().join(format!("{i}.csv"));
        std::fs::write(&path, text).unwrap();
        sheet.lots.push(LotSource { lot: format!("L{i}"), path, subset: None });
    }
    (folder, sheet)
}

fn params(genes: GeneSets) -> ReadParams {
    ReadParams { genes, ..ReadParams::default() }
}

#[test]
fn lots_come_in_sheet_order_on_one_gene_axis_whatever_the_threads() {
    let (_folder, sheet) = lots(&[
        ",ACTB,GAPDH,B2M\nAAACCTGAGCAGGTCA,1,2,3\n",
        ",B2M,VIM,ACTB\nAAACCTGGTACCGAGA,4,5,6\nAAACCTGTCGCCATAA,0,0,7\n",
    ]);
    let read = |threads, genes| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| read_lots(&sheet, &params(genes), &Silent).unwrap())
    };
    let one = read(1, GeneSets::Intersection);
    assert_eq!(one, read(2, GeneSets::Intersection));
    let data = &one.dataset;
    assert_eq!(
        (data.genes().ids(), data.lot_names()),
        (&["ACTB", "B2M"].map(String::from)[..], vec!["L0".into(), "L1".into()])
    );
    let rows: Vec<Vec<(u32, u32)>> = (0..3).map(|cell| data.row(cell).iter().collect()).collect();
    assert_eq!(rows, [vec![(0, 1), (1, 3)], vec![(0, 6), (1, 4)], vec![(0, 7)]]);
    assert!(matches!(one.warnings[..], [Warning::GeneSetsDiffer { n_common: 2, n_union: 4, n_missing: 1, .. }]));
    let union = read(2, GeneSets::Union).dataset;
    assert_eq!(union.genes().ids(), ["ACTB", "GAPDH", "B2M", "VIM"]);
    assert_eq!(union.row(1).iter().collect::<Vec<_>>(), [(0, 6), (2, 4), (3, 5)]);
}

#[test]
fn a_lot_given_twice_is_told_and_its_counts_come_as_they_are() {
    let text = ",ACTB,GAPDH,B2M\nAAACCTGAGCAGGTCA,1,2,3\nAAACCTGAGCAGGTCA,1,2,4\n";
    let (_folder, sheet) = lots(&[text, text]);
    let read = read_lots(&sheet, &ReadParams::default(), &Silent).unwrap();
    let name =
        |lot: &str| Warning::DuplicateBarcodes { lot: lot.into(), n_cells: 1, example: "AAACCTGAGCAGGTCA".into() };
    let shared = Warning::SharedBarcodes { lot_a: "L0".into(), lot_b: "L1".into(), n_shared: 2, n_identical: 2 };
    assert_eq!(read.warnings, [name("L0"), name("L1"), shared]);
    assert_eq!(read.files.len(), 2);
}

#[test]
fn empty_lots_are_left_out_and_all_empty_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut sheet = LotSheet::default();
    for (lot, barcodes, sizes) in [("none", "", "1 0 0\n"), ("some", "AAAC\n", "1 1 1\n1 1 2\n")] {
        let path = folder.path().join(lot);
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("matrix.mtx"), format!("%%MatrixMarket matrix coordinate integer general\n{sizes}"))
            .unwrap();
        std::fs::write(path.join("barcodes.tsv"), barcodes).unwrap();
        std::fs::write(path.join("genes.tsv"), "E1\tA\n").unwrap();
        sheet.lots.push(LotSource { lot: lot.into(), path, subset: None });
    }
    let read = read_lots(&sheet, &ReadParams::default(), &Silent).unwrap();
    assert_eq!((read.dataset.lot_names(), read.dataset.sheet().lots.len()), (vec!["some".to_string()], 1));
    assert_eq!(read.warnings, [Warning::EmptyLot { lot: "none".into() }]);
    sheet.lots.truncate(1);
    assert!(
        read_lots(&sheet, &ReadParams::default(), &Silent).unwrap_err().to_string().contains("no lot has any cells")
    );
}

#[test]
fn the_first_broken_lot_of_the_sheet_is_named() {
    let (_folder, sheet) = lots(&[",ACTB,GAPDH,B2M\nAAACCTGAGCAGGTCA,1,2,3\n", "a,b\nc,x\n", "a\n"]);
    let message = read_lots(&sheet, &params(GeneSets::Union), &Silent).unwrap_err().to_string();
    assert!(message.contains("1.csv, line 2"), "{message}");
    let (_folder, mut sheet) = lots(&[",ACTB,GAPDH,B2M\nAAACCTGAGCAGGTCA,1,2,3\n"]);
    sheet.lots[0].subset = Some(("donor".into(), "x".into()));
    let message = read_lots(&sheet, &ReadParams::default(), &Silent).unwrap_err().to_string();
    assert!(message.contains("0.csv: has no column `donor` of cells"), "{message}");
}
