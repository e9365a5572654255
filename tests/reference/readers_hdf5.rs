//! HDF5 files in the wild: each opens with the numbers that h5py finds in it, or is refused with the reason and the cure.

use std::path::{Path, PathBuf};

use cqa::io::h5ad::{lot_sheet_of_h5ad, read_h5ad, read_h5ad_groups, read_obs_column};
use cqa::io::tenx_h5::read_tenx_h5;
use cqa::io::{RawLot, ReadParams};
use cqa::{Result, Warning};

use crate::common::{self, shared_data};

fn read(path: &Path, params: &ReadParams) -> Result<RawLot> {
    if path.extension().is_some_and(|e| e == "h5") { read_tenx_h5(path, params) } else { read_h5ad(path, None, params) }
}

fn sum(lot: &RawLot) -> u64 {
    (0..lot.counts.n_cells()).map(|cell| lot.counts.total(cell)).sum()
}

fn params(counts: &str, genome: &str) -> ReadParams {
    ReadParams { counts: counts.into(), genome: genome.into(), ..ReadParams::default() }
}

/// Path; `counts` and `genome` asked for; cells, genes, sum and number of non-zero counts; kinds of warning.
type Opened = (&'static str, &'static str, &'static str, [u64; 4], &'static [&'static str]);

const OPENED: &[Opened] = &[
    ("anndata_archives/tests/data/archives/v0.7.0/adata.h5ad", "", "", [30, 20, 285, 228], &[]),
    ("anndata_archives/tests/data/archives/v0.7.0/adata.h5ad", "raw/X", "", [30, 40, 627, 480], &[]),
    ("anndata_archives/tests/data/archives/v0.7.8/adata.h5ad", "", "", [30, 20, 302, 239], &[]),
    ("anndata_archives/tests/data/archives/v0.7.8/adata.h5ad", "raw/X", "", [30, 40, 568, 453], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat.anndata-v0.10.9.h5ad", "", "", [3, 5, 15, 8], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat.anndata-v0.10.9.h5ad", "layers/transpose", "", [3, 5, 15, 8], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat.anndata-v0.10.9.h5ad", "layers/dense", "", [3, 5, 15, 8], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat.anndata-v0.6.22.h5ad", "", "", [3, 5, 15, 8], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat.anndata-v0.6.22.h5ad", "layers/transpose", "", [3, 5, 15, 8], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat.anndata-v0.7.h5ad", "", "", [3, 5, 15, 8], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat.anndata-v0.7.h5ad", "layers/transpose", "", [3, 5, 15, 8], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat_int_64.anndata-v0.12.6.h5ad", "", "", [5, 6, 1_498, 30], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat_int_64.anndata-v0.12.6.h5ad", "layers/transpose", "", [5, 6, 1_498, 30], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat_uint_16.anndata-v0.10.9.h5ad", "", "", [3, 5, 15, 8], &[]),
    ("bpcells_h5ad/r/tests/data/mini_mat_uint_16.anndata-v0.10.9.h5ad", "layers/transpose", "", [3, 5, 15, 8], &[]),
    ("cellxgene_fixtures/test/fixtures/1e4dfec4-c0b2-46ad-a04e-ff3ffb3c0a8f.h5ad", "", "", [3, 4, 12, 12], &[]),
    ("kb_python/tests/fixtures/counts/genes.h5ad", "", "", [29, 17, 2, 2], &[]),
    ("scvi_tests/tests/test_data/brainlarge_dataset_test.h5ad", "", "", [70, 720, 38_735, 15_274], &[]),
    ("scvi_tests/tests/test_data/pbmc_10k_protein_v3.h5ad", "", "", [200, 16_727, 909_531, 317_760], &[]),
    ("scvi_tests/tests/test_data/pbmc_5k_protein_v3.h5ad", "", "", [200, 16_581, 1_351_231, 387_353], &[]),
    ("zellkonverter/inst/extdata/example_anndata.h5ad", "", "", [200, 459, 610_126, 53_667], &["counts_found_in"]),
    ("zellkonverter/inst/extdata/example_anndata.h5ad", "layers/counts", "", [200, 459, 610_126, 53_667], &[]),
    // 10x
    ("liger/inst/extdata/ctrl.h5", "", "", [300, 266, 323_389, 26_441], &[]),
    ("liger/inst/extdata/stim.h5", "", "", [300, 262, 333_396, 27_175], &[]),
    ("scanpy_tests/tests/_data/10x_data/1.2.0/filtered_gene_bc_matrices_h5.h5", "", "", [12, 343, 12, 12], &[]),
    ("scanpy_tests/tests/_data/10x_data/1.2.0/multiple_genomes.h5", "", "hg19_chr21", [12, 343, 12, 12], &[]),
    ("scanpy_tests/tests/_data/10x_data/1.2.0/multiple_genomes.h5", "", "another_genome", [12, 343, 13, 12], &[]),
    (
        "scanpy_tests/tests/_data/10x_data/3.0.0/filtered_feature_bc_matrix.h5",
        "",
        "",
        [1_107, 507, 41_549, 23_866],
        &[],
    ),
    ("tenxio/inst/extdata/pbmc_granulocyte_ff_bc_ex.h5", "", "", [10, 10, 3, 2], &[]),
];

/// Path; `counts` and `genome` asked for; words that the message must have.
type Refused = (&'static str, &'static str, &'static str, &'static [&'static str]);

const REFUSED: &[Refused] = &[
    ("anndata_archives/tests/data/archives/v0.11.4/adata.h5ad", "", "", &["adata.h5ad, X", "missing"]),
    ("anndata_archives/tests/data/archives/v0.5.0/adata.h5ad", "", "", &[", X", "scaled", "raw.X", "read.counts"]),
    ("anndata_archives/tests/data/archives/v0.5.0/adata.h5ad", "raw/X", "", &["raw.X", "log-normalised"]),
    ("pbmc68k_reduced/10x_pbmc68k_reduced.h5ad", "", "", &[", X", "scaled", "28.4"]),
    ("anndata_archives/tests/data/archives/v0.7.0/adata.h5ad", "layers/none", "", &["layers/none", "layers/sparse"]),
    ("anndata_archives/tests/data/archives/v0.7.0/adata.h5ad", "layers/array", "", &["layers/array", "log-normalised"]),
    ("anndata_rs/anndata-test-utils/tests/data/sample.h5ad", "", "", &["sample.h5ad, X", "missing"]),
    ("bpcells_h5ad/r/tests/data/mini_mat_int_64_neg.anndata-v0.12.6.h5ad", "", "", &[", X", "negative", "-83"]),
    ("cellphonedb_test/example_data/test_data/test.h5ad", "", "", &[", X", "log-normalised", "layers/counts"]),
    ("cellxgene_fixtures/test/fixtures/nan.h5ad", "", "", &[", X", "NaN"]),
    ("zellkonverter/inst/extdata/example_anndata.h5ad", "X", "", &[", X", "log-normalised"]),
    ("zellkonverter/inst/extdata/krumsiek11.h5ad", "", "", &[", X", "centred"]),
    ("zellkonverter/inst/extdata/krumsiek11_augmented_v0-8.h5ad", "", "", &[", X", "centred"]),
    ("kb_python/tests/fixtures/counts/genes.loom", "", "", &["loom", "read_loom"]),
    ("loompy/test.loom", "", "", &["loom", "read_loom"]),
    ("scvi_tests/tests/test_data/brain_large.h5", "", "", &["mm10/genes", "missing"]),
    (
        "scanpy_tests/tests/_data/10x_data/1.2.0/multiple_genomes.h5",
        "",
        "",
        &["another_genome, hg19_chr21", "read.genome"],
    ),
    ("scanpy_tests/tests/_data/10x_data/1.2.0/multiple_genomes.h5", "", "mm10", &["mm10", "another_genome"]),
    (
        "scanpy_tests/tests/_data/10x_data/3.0.0/filtered_feature_bc_matrix.h5",
        "",
        "mm10",
        &["features/genome", "no genome `mm10`", "GRCh38_chr21"],
    ),
    ("tenxio/inst/extdata/10k_pbmc_ATACv2_f_bc_ex.h5", "", "", &["features/id", "only `Peaks`", "Gene Expression"]),
];

fn kind(warning: &Warning) -> String {
    serde_json::to_value(warning).unwrap()["kind"].as_str().unwrap().to_string()
}

#[test]
fn files_open_with_the_numbers_that_h5py_finds() {
    let Some(root) = shared_data("") else { return };
    for (name, counts, genome, expected, warnings) in OPENED {
        let lot = read(&root.join(name), &params(counts, genome)).unwrap_or_else(|e| panic!("{e}"));
        let found = [lot.barcodes.len(), lot.genes.len(), sum(&lot) as usize, lot.counts.n_nonzero()].map(|n| n as u64);
        assert_eq!(&found, expected, "{name} {counts}");
        assert_eq!(lot.counts.n_cells(), lot.barcodes.len(), "{name}");
        assert_eq!(lot.counts.n_genes(), lot.genes.len(), "{name}");
        assert_eq!(lot.files, [root.join(name)], "{name}");
        assert_eq!(&lot.warnings.iter().map(kind).collect::<Vec<_>>(), warnings, "{name}: {:?}", lot.warnings);
    }
}

#[test]
fn a_file_of_anndata_0_13_opens_whole() {
    let path = common::fixture("readers/anndata_0.13.h5ad");
    for counts in ["", "layers/csc", "layers/dense"] {
        let lot = read(&path, &params(counts, "")).unwrap_or_else(|e| panic!("{e}"));
        let found = [lot.barcodes.len(), lot.genes.len(), sum(&lot) as usize, lot.counts.n_nonzero()];
        assert_eq!(found, [12, 7, 81, 54], "{counts}");
        assert_eq!((lot.genes.ids()[6].as_str(), lot.barcodes[11].as_str()), ("ENSG00000000006", "cell11"));
    }
    assert!(read(&path, &params("layers/log", "")).unwrap_err().to_string().contains("layers/log"));
    for (column, first_three) in [
        ("donor", ["a", "b", "c"]),
        ("text", ["x", "", "z"]),
        ("whole", ["1", "", "3"]),
        ("flag", ["true", "", "false"]),
    ] {
        assert_eq!(read_obs_column(&path, column).unwrap()[..3], first_three, "{column}");
    }
}

/// The layout of compound data sets, which today's anndata still reads: the file of anndata's own archive holds no counts.
#[test]
fn counts_in_the_layout_of_anndata_0_5_open() {
    let path = common::fixture("readers/anndata_0.5.h5ad");
    for (counts, expected) in [("", [10, 6, 48, 38]), ("raw/X", [10, 8, 74, 54])] {
        let lot = read(&path, &params(counts, "")).unwrap_or_else(|e| panic!("{e}"));
        let found = [lot.barcodes.len(), lot.genes.len(), sum(&lot) as usize, lot.counts.n_nonzero()];
        assert_eq!(found, expected, "{counts}");
        assert_eq!(lot.warnings, [], "{counts}");
        assert_eq!((lot.genes.ids()[5].as_str(), lot.genes.symbols()[5].as_str()), ("ENSG00000000005", "GENE5"));
        assert_eq!(lot.barcodes[9], "cell9");
    }
    assert_eq!(read_obs_column(&path, "donor").unwrap()[..5], ["A1", "B2", "C3", "B2", ""]);
    let of_b2 = read_h5ad(&path, Some(("donor", "B2")), &ReadParams::default()).unwrap();
    assert_eq!(of_b2.barcodes, ["cell1", "cell3", "cell6", "cell8"]);
}

#[test]
fn files_that_hold_no_counts_are_refused_with_place_and_cure() {
    let Some(root) = shared_data("") else { return };
    for (name, counts, genome, words) in REFUSED {
        let error = match read(&root.join(name), &params(counts, genome)) {
            Ok(lot) => panic!("{name} {counts} opened with {} cells", lot.barcodes.len()),
            Err(error) => error.to_string(),
        };
        for word in words.iter().chain([&name.rsplit('/').next().unwrap()]) {
            assert!(error.contains(word), "{word:?} is not in: {error}");
        }
    }
}

/// Every HDF5 file of the folder stands in one of the lists.
#[test]
fn no_file_is_left_out() {
    let Some(root) = shared_data("") else { return };
    let mut found: Vec<PathBuf> = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| ["h5", "h5ad", "loom"].iter().any(|known| e == *known)) {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 25);
    for path in found {
        let listed = OPENED.iter().map(|o| o.0).chain(REFUSED.iter().map(|r| r.0)).any(|name| root.join(name) == path);
        assert!(listed, "{} is in no list", path.display());
    }
}

#[test]
fn names_are_taken_from_where_they_are() {
    let Some(root) = shared_data("") else { return };
    let lot = read(&root.join("kb_python/tests/fixtures/counts/genes.h5ad"), &ReadParams::default()).unwrap();
    assert_eq!(lot.genes.ids()[..2], ["ENSMUSG00000026034", "ENSMUSG00000092572"]);
    let lot = read(&root.join("scvi_tests/tests/test_data/pbmc_5k_protein_v3.h5ad"), &ReadParams::default()).unwrap();
    assert_eq!(lot.barcodes[..2], ["AAACCCAAGAGACAAG-1", "AAACCCAAGGCCTAGA-1"]);
    assert_eq!(lot.genes.symbols()[..2], ["AL627309.1", "AL669831.5"]);
    let path = root.join("scanpy_tests/tests/_data/10x_data/3.0.0/filtered_feature_bc_matrix.h5");
    let lot = read(&path, &ReadParams::default()).unwrap();
    assert!(lot.genes.ids()[0].starts_with("ENSG"), "{}", lot.genes.ids()[0]);
    assert!(!lot.genes.symbols()[0].starts_with("ENSG"), "{}", lot.genes.symbols()[0]);
}

#[test]
fn a_pooled_file_gives_its_lots() {
    let Some(root) = shared_data("") else { return };
    let default = ReadParams::default();
    // By column: an old categorical, codes in a compound, a new categorical, a nullable number, yes and no, numbers.
    let cases = [
        ("zellkonverter/inst/extdata/example_anndata.h5ad", "louvain", 6),
        ("zellkonverter/inst/extdata/krumsiek11_augmented_v0-8.h5ad", "cell_type", 5),
        ("zellkonverter/inst/extdata/krumsiek11_augmented_v0-8.h5ad", "dummy_bool", 2),
        ("anndata_archives/tests/data/archives/v0.5.0/adata.h5ad", "bulk_labels", 10),
        ("anndata_archives/tests/data/archives/v0.7.8/adata.h5ad", "obs_cat", 21),
    ];
    for (name, column, n_lots) in cases {
        let path = root.join(name);
        let sheet = lot_sheet_of_h5ad(&path, column).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(sheet.lots.len(), n_lots, "{name} {column}: {:?}", sheet.lots);
        let values = read_obs_column(&path, column).unwrap();
        for lot in &sheet.lots {
            assert_eq!(lot.subset, Some((column.to_string(), lot.lot.clone())));
            assert!(values.contains(&lot.lot), "{name} {column}");
        }
    }
    let path = root.join(cases[0].0);
    let lots = read_h5ad_groups(&path, "louvain", &default).unwrap();
    let all = read_h5ad(&path, None, &default).unwrap();
    assert_eq!(lots.iter().map(|(_, lot)| sum(lot)).sum::<u64>(), sum(&all));
    let values = read_obs_column(&path, "louvain").unwrap();
    for (value, lot) in &lots {
        let alone = read_h5ad(&path, Some(("louvain", value)), &default).unwrap();
        assert_eq!(&alone, lot);
        let keep: Vec<bool> = values.iter().map(|v| v == value).collect();
        assert_eq!(alone.counts, all.counts.select_cells(&keep));
    }
    let message = read_h5ad(&path, Some(("louvain", "none")), &default).unwrap_err().to_string();
    assert!(message.contains("obs/louvain") && message.contains("no cell has `none`"), "{message}");
    let message = lot_sheet_of_h5ad(&path, "donor").unwrap_err().to_string();
    assert!(message.contains("obs/donor") && message.contains("louvain"), "{message}");
    let missing = root.join("zellkonverter/inst/extdata/krumsiek11_augmented_v0-8.h5ad");
    let message = lot_sheet_of_h5ad(&missing, "dummy_int2").unwrap_err().to_string();
    assert!(message.contains("obs/dummy_int2") && message.contains("640 cells have no value"), "{message}");
}
