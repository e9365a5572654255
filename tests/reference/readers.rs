//! `readers` against others: every text matrix of the real data sets opens as scipy and pandas read it, or is refused with
//! file, place and cure.

use std::path::{Path, PathBuf};

use cqa::data::{LotSheet, LotSource};
use cqa::io::join::read_lots;
use cqa::io::lot_sheet::read_lot_sheet;
use cqa::io::{ReadLots, ReadParams};
use cqa::progress::Silent;
use cqa::{Result, Warning};

use crate::common::{rows, shared_data};

/// Reads one path as the only lot of a sheet.
fn read_one(path: PathBuf) -> Result<ReadLots> {
    let sheet = LotSheet { lots: vec![LotSource { lot: "one".into(), path, subset: None }], columns: vec![] };
    read_lots(&sheet, &ReadParams::default(), &Silent)
}

/// Cells, genes, sum, entries, and the sum of count · (gene % 1009 + 1) · (cell % 997 + 1).
fn measures(read: &ReadLots) -> (usize, usize, u64, usize, u64) {
    let data = &read.dataset;
    let (mut sum, mut entries, mut check) = (0, 0, 0);
    for cell in 0..data.n_cells() {
        data.row(cell).for_each(|gene, count| {
            sum += u64::from(count);
            entries += 1;
            check += u64::from(count) * (u64::from(gene) % 1009 + 1) * (cell as u64 % 997 + 1);
        });
    }
    (data.n_cells(), data.n_genes(), sum, entries, check)
}

/// By `scripts/reference/readers_text.py` (scipy 1.17.1, pandas 2.3.3).
#[rustfmt::skip]
const TEXT_MATRICES: [(&str, usize, usize, u64, usize, u64); 18] = [
    ("scanpy_tests/tests/_data/10x_data/1.2.0/filtered_gene_bc_matrices/hg19_chr21", 12, 343, 12, 12, 15384),
    ("scanpy_tests/tests/_data/10x_data/1.2.0/filtered_gene_bc_matrices", 12, 343, 12, 12, 15384),
    ("scanpy_tests/tests/_data/10x_data/3.0.0/filtered_feature_bc_matrix", 1107, 507, 41549, 23866, 6076912575),
    ("scanpy_tests/tests/_data/10x_data/int-ids", 5, 6, 8, 3, 105),
    ("seurat_tests/tests/testdata/cr3.0", 5, 3, 5610, 4, 24610),
    ("soupx/pbmc_mtx", 2170, 33694, 9436596, 2867135, 2373696295632),
    ("soupx/inst/extdata/toyData/filtered_gene_bc_matrices", 62, 226, 18209, 3683, 78981380),
    ("soupx/inst/extdata/toyData/raw_gene_bc_matrices/GRCh38", 1289, 226, 112078, 57957, 3846229954),
    ("muscat/mtx", 1556, 1267, 2338396, 585251, 491334649369),
    ("milode/mtx", 2889, 300, 4560890, 550291, 302730097613),
    ("sctransform/mtx", 283, 914, 352187, 82904, 18718849821),
    ("harmony/pbmc_stim_mtx", 2000, 9015, 3081827, 1129806, 708986211667),
    ("ideas_autism/mtx_AST-FB", 2332, 18041, 2405307, 1748331, 516085479011),
    ("ideas_autism/mtx_Endothelial", 1237, 18041, 2453879, 1590532, 518780478535),
    ("ideas_autism/mtx_Microglia", 2542, 18041, 2377719, 1778772, 491128301879),
    ("kb_python/tests/fixtures/counts", 29, 17, 2, 2, 26),
    ("seurat_tests/inst/extdata/pbmc_raw.txt", 80, 230, 19633, 4456, 119053229),
    ("scvi_tests/tests/test_data/Layer2_BC_count_matrix-1.tsv", 8, 14789, 19003, 11250, 45706167),
];

#[test]
fn text_matrices_open_as_scipy_and_pandas_read_them() {
    let Some(data) = shared_data("") else { return };
    for (name, n_cells, n_genes, sum, entries, check) in TEXT_MATRICES {
        let read = read_one(data.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(measures(&read), (n_cells, n_genes, sum, entries, check), "{name}");
        let aside: Vec<(String, usize)> = read
            .warnings
            .iter()
            .map(|warning| match warning {
                Warning::FeaturesSetAside { feature_type, n_features, lot } if lot == "one" => {
                    (feature_type.clone(), *n_features)
                }
                other => panic!("{name}: {other}"),
            })
            .collect();
        let antibodies = name.ends_with("cr3.0").then(|| ("Antibody Capture".to_string(), 2));
        assert_eq!(aside, Vec::from_iter(antibodies), "{name}");
    }
}

/// Path, and words of the refusal.
const REFUSED_TEXTS: [(&str, &str); 17] = [
    (
        "tenxio/inst/extdata/pbmc_3k_ff_bc_ex.mtx",
        "missing beside this matrix: barcodes.tsv; features.tsv or genes.tsv (plain or .gz)",
    ),
    ("tenxio/inst/extdata/pbmc_granulocyte_sorted_3k_ff_bc_ex_matrix.tar.gz", "an archive; unpack it"),
    (
        "tenxio/inst/extdata/pbmc_3k_atac_ex_fragments.tsv.gz",
        "line 2: column `TTTAGCAAGGTAGCTT-1`: `GCCTTTGGTTGGTTCT-1` is no number",
    ),
    (
        "tenxio/inst/extdata/pbmc_granulocyte_sorted_3k_ex_atac_peak_annotation.tsv",
        "line 2: column `gene`: `MIR1302-2HG` is no number",
    ),
    ("scvi_tests/tests/test_data/10X/pbmc_10k_protein_v3/filtered_feature_bc_matrix.tar.gz", "an archive; unpack it"),
    ("scanpy_tests/src/scanpy/datasets/10x_pbmc68k_reduced.zarr.zip", "a Zarr store; write it as .h5ad"),
    (
        "cellphonedb_test/example_data/test_data/test_counts.txt",
        "line 3: column `d-pos_AAAGATGCATTGAGCT`: `0.723769155614119` is no whole number",
    ),
    ("cellphonedb_test/example_data/test_data/test_meta.txt", "line 2: column `cell_type`: `NKcells_1` is no number"),
    ("kb_python/tests/fixtures/cellranger", "missing beside this matrix: barcodes.tsv; features.tsv or genes.tsv"),
    ("kb_python/tests/fixtures/counts/genes_duplicated.mtx", "missing beside this matrix: barcodes.tsv"),
    ("seurat_tests/tests/testdata", "genes.tsv: 240 genes, but 1 different ids (such as ENSGXXXXXX)"),
    ("scanpy_tests/tests/_data/10x_data", "several matrices here"),
    ("ideas_autism", "several matrices here"),
    ("ideas_autism/counts_by_sample.csv", "declare it: `orientation"),
    ("ideas_autism/mtx_AST-FB/obs.csv", "line 2: column `sample`: `4341_BA46` is no number"),
    ("harmony/cell_lines_pcs.csv", "line 2: column `X2`: `-0.00145029799446458` is negative"),
    ("crumblr", "no matrix here: looked for matrix.mtx"),
];

#[test]
fn what_is_no_count_matrix_is_refused_with_place_and_cure() {
    let Some(data) = shared_data("") else { return };
    for (name, words) in REFUSED_TEXTS {
        let message = match read_one(data.join(name)) {
            Err(error) => error.to_string(),
            Ok(read) => panic!("{name} opened: {:?}", measures(&read)),
        };
        let file = Path::new(name).file_name().unwrap().to_str().unwrap();
        assert!(message.contains(file) && message.contains(words), "{message}");
    }
}

/// Of the files in no list above, these open: a matrix given by itself instead of its folder, counts of genes summed up over
/// cells, and whole numbers that are something else (droplets' totals, labels), which no reader can tell from counts.
const OPENED_BESIDES: [&str; 8] = [
    "kb_python/tests/fixtures/counts/genes.mtx",
    "muscat/ref_r/pseudobulk_B_cells.csv",
    "muscat/ref_r/pseudobulk_CD14__Monocytes.csv",
    "muscat/ref_r/pseudobulk_CD4_T_cells.csv",
    "muscat/ref_r/pseudobulk_CD8_T_cells.csv",
    "muscat/ref_r/pseudobulk_FCGR3A__Monocytes.csv",
    "soupx/nDropUMIs.csv.gz",
    "graphs/pbmc_leiden_labels.csv.gz",
];

/// What can be done about a file that is refused: each refusal says one of these.
const CURES: [&str; 6] = [
    "give the raw counts",
    "declare it: `orientation",
    "put the files together",
    "expected a header and one line per row",
    "write a table with a name and a count per column",
    "write it as .h5ad",
];

/// Every file that could be taken for a matrix: those of the lists above (and the parts of the folders there) open or are
/// refused as they say; any other is refused with its name and a cure.
#[test]
fn no_matrix_or_table_is_left_out() {
    let Some(data) = shared_data("") else { return };
    let listed: Vec<PathBuf> = TEXT_MATRICES
        .iter()
        .map(|m| m.0)
        .chain(REFUSED_TEXTS.iter().map(|r| r.0))
        .map(|name| data.join(name))
        .collect();
    let parts = ["matrix.mtx", "barcodes.tsv", "features.tsv", "genes.tsv", "obs.csv"];
    let (mut folders, mut n_tried) = (vec![data.clone()], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap().to_str().unwrap().to_string();
            let plain = name.trim_end_matches(".gz");
            let ends = [".mtx", ".csv", ".tsv", ".txt", ".zip", ".tar"];
            let is_part = parts.contains(&plain) && listed.iter().any(|l| path.starts_with(l));
            if !ends.iter().any(|end| plain.ends_with(end)) || is_part || listed.contains(&path) {
                continue;
            }
            n_tried += 1;
            let relative = path.strip_prefix(&data).unwrap().to_str().unwrap();
            match read_one(path.clone()) {
                Ok(read) => assert!(OPENED_BESIDES.contains(&relative), "{relative} opens: {:?}", measures(&read)),
                Err(error) => {
                    assert!(!OPENED_BESIDES.contains(&relative), "{error}");
                    let message = error.to_string();
                    assert!(message.contains(&name) && CURES.iter().any(|cure| message.contains(cure)), "{message}");
                }
            }
        }
    }
    assert!(n_tried > 100, "{n_tried}");
}

#[test]
fn a_folder_is_cut_into_lots_by_a_column_of_its_obs_file() {
    let Some(data) = shared_data("ideas_autism") else { return };
    let (_, donors) = rows(&data.join("counts_by_sample.csv"));
    assert_eq!(donors.len(), 23);
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("lot,path,lot_column,lot_value,n\n");
    for donor in &donors {
        text += &format!("{0},{1},sample,{0},{2}\n", donor[0], data.join("mtx_Endothelial").display(), donor[2]);
    }
    let path = folder.path().join("lots.csv");
    std::fs::write(&path, &text).unwrap();
    let read = read_lots(&read_lot_sheet(&path).unwrap(), &ReadParams::default(), &Silent).unwrap();
    let n_cells: Vec<f64> = read.dataset.lots().iter().map(|lot| lot.counts.n_cells() as f64).collect();
    assert_eq!(Some(n_cells), read.dataset.sheet().column("n").unwrap().numbers());
    let (n_cells, n_genes, sum, entries, _) = measures(&read);
    assert_eq!((n_cells, n_genes, sum, entries), (1237, 18041, 2453879, 1590532));
    assert_eq!(read.warnings, []);

    std::fs::write(&path, text.replace("sample,4341_BA46", "sample,4341")).unwrap();
    let message = read_lots(&read_lot_sheet(&path).unwrap(), &ReadParams::default(), &Silent).unwrap_err().to_string();
    assert!(message.contains("mtx_Endothelial, sample: no cell has the value `4341` of lot 4341_BA46"), "{message}");
}
