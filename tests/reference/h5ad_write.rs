//! Written AnnData files: read back whole, the same bytes every time, and opened by anndata and scanpy
//! (`scripts/reference/check_h5ad.py`).

use std::path::Path;

use cqa::data::{Column, CountsBuilder, Dataset, Genes, Lot, LotSheet, LotSource, Table};
use cqa::io::ReadParams;
use cqa::io::h5ad::{AnnData, lot_sheet_of_h5ad, read_h5ad, read_h5ad_groups, read_obs_column, write_h5ad};
use ndarray::Array2;

/// Two lots that share barcodes; genes that share a symbol; counts of one and of four bytes.
fn dataset() -> Dataset {
    let n_genes = 40;
    let lots: Vec<Lot> = ["A", "B"]
        .iter()
        .enumerate()
        .map(|(l, name)| {
            let mut builder = CountsBuilder::new(n_genes);
            let n_cells = 60 + 20 * l;
            for cell in 0..n_cells {
                let genes: Vec<u32> =
                    (0..n_genes as u32).filter(|g| (g * 7 + cell as u32 + l as u32).is_multiple_of(3)).collect();
                let counts: Vec<u32> = genes
                    .iter()
                    .map(|g| if cell == 5 && *g == genes[0] { 70_000 } else { 1 + (g + cell as u32) % 9 })
                    .collect();
                // The last cell of a lot is empty.
                if cell + 1 == n_cells { builder.push_row(&[], &[]) } else { builder.push_row(&genes, &counts) }
            }
            Lot {
                name: name.to_string(),
                barcodes: (0..n_cells).map(|c| format!("C{c}")).collect(),
                counts: builder.finish(),
            }
        })
        .collect();
    let ids = (0..n_genes).map(|g| format!("ENSG{g:011}")).collect();
    let symbols = (0..n_genes).map(|g| if g < 2 { "TWIN".into() } else { format!("GENE{g}") }).collect();
    let source = |lot: &Lot| LotSource { lot: lot.name.clone(), path: "none".into(), subset: None };
    let sheet = LotSheet { lots: lots.iter().map(source).collect(), columns: Vec::new() };
    Dataset::new(Genes::new(ids, symbols).unwrap(), lots, sheet).unwrap()
}

fn write(path: &Path, dataset: &Dataset) {
    let n = dataset.n_cells();
    let scale: Vec<f64> = (0..n).map(|cell| 1.0 + cell as f64 / 10.0).collect();
    let obs = Table::new()
        .with(
            "cluster",
            Column::Category {
                codes: (0..n as u32).map(|c| c % 3).collect(),
                levels: vec!["0".into(), "1".into(), "2".into()],
            },
        )
        .with("n_counts", Column::Integer((0..n as i64).collect()))
        .with(
            "doublet_score",
            Column::Float32((0..n).map(|c| if c == 1 { f32::NAN } else { c as f32 / 8.0 }).collect()),
        )
        .with("pct_mito", Column::Float((0..n).map(|c| c as f64 / 7.0).collect()))
        .with("kept", Column::Bool((0..n).map(|c| c % 2 == 0).collect()))
        .with("note", Column::Text((0..n).map(|c| format!("µ{c}")).collect()));
    let var = Table::new().with("highly_variable", Column::Bool((0..dataset.n_genes()).map(|g| g < 30).collect()));
    let pca = Array2::from_shape_fn((n, 5), |(i, j)| (i * 5 + j) as f32);
    let umap = Array2::from_shape_fn((n, 2), |(i, j)| (i as f32 * 0.7).sin() + j as f32);
    let obsm = [("X_pca", pca.view()), ("X_umap", umap.view())];
    write_h5ad(path, &AnnData { dataset, scale: &scale, obs: &obs, var: &var, obsm: &obsm }).unwrap();
}

#[test]
fn a_written_file_reads_back_whole() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), dataset());
    let path = folder.path().join("pooled.h5ad");
    write(&path, &dataset);
    let params = ReadParams::default();
    let all = read_h5ad(&path, None, &params).unwrap();
    assert_eq!(all.genes.ids(), dataset.genes().ids());
    assert_eq!(all.genes.symbols(), dataset.genes().unique_symbols());
    assert_eq!((all.barcodes[0].as_str(), all.barcodes[60].as_str()), ("A_C0", "B_C0"));
    assert_eq!(serde_json::to_value(&all.warnings).unwrap()[0]["place"], "layers/counts");
    let lots = read_h5ad_groups(&path, "lot", &params).unwrap();
    for ((value, found), lot) in lots.iter().zip(dataset.lots()) {
        assert_eq!(value, &lot.name);
        assert_eq!(found.counts, lot.counts);
    }
    let x = read_h5ad(&path, None, &ReadParams { counts: "X".into(), ..params }).unwrap_err().to_string();
    assert!(x.contains("log-normalised"), "{x}");
    assert_eq!(read_obs_column(&path, "kept").unwrap()[..2], ["true", "false"]);
    assert_eq!(read_obs_column(&path, "note").unwrap()[3], "µ3");
    assert_eq!(read_obs_column(&path, "doublet_score").unwrap()[..3], ["0", "", "0.25"]);
    let sheet = lot_sheet_of_h5ad(&path, "cluster").unwrap();
    assert_eq!(sheet.lots.iter().map(|l| l.lot.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
}

#[test]
fn the_same_data_gives_the_same_bytes() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), dataset());
    let paths = ["a.h5ad", "b.h5ad"].map(|name| folder.path().join(name));
    paths.iter().for_each(|path| write(path, &dataset));
    assert!(std::fs::read(&paths[0]).unwrap() == std::fs::read(&paths[1]).unwrap());
    // For a look by `scripts/reference/check_h5ad.py`.
    if let Some(copy) = std::env::var_os("CQA_KEEP_H5AD") {
        std::fs::copy(&paths[0], copy).unwrap();
    }
}

#[test]
fn names_that_a_file_cannot_hold_are_refused() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), dataset());
    let scale = vec![1.0; dataset.n_cells()];
    let obs = Table::new().with("a/b", Column::Integer(vec![0; dataset.n_cells()]));
    let data = AnnData { dataset: &dataset, scale: &scale, obs: &obs, var: &Table::new(), obsm: &[] };
    let message = write_h5ad(&folder.path().join("x.h5ad"), &data).unwrap_err().to_string();
    assert!(message.contains("obs/a/b") && message.contains("rename"), "{message}");
    let data = AnnData { obs: &Table::new(), ..data };
    let message = write_h5ad(&folder.path().join("no/such/folder.h5ad"), &data).unwrap_err().to_string();
    assert!(message.contains("folder.h5ad"), "{message}");
}

/// Any damage ends in an error, or goes unseen; it never ends the program.
#[test]
fn a_damaged_file_is_no_panic() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), dataset());
    let path = folder.path().join("whole.h5ad");
    write(&path, &dataset);
    let whole = std::fs::read(&path).unwrap();
    let damaged = folder.path().join("damaged.h5ad");
    let mut n_refused = 0;
    for i in 0..600 {
        let mut bytes = whole.clone();
        let at = (i * 7_919 + 13) % whole.len();
        if i % 6 == 0 {
            bytes.truncate(at);
        } else {
            // Metadata stand at the begin and at the end.
            let at = if i % 3 == 0 { at } else { at % 6_000 };
            bytes[at] = bytes[at].wrapping_add([1, 0x80, 0xff][i % 3]);
        }
        std::fs::write(&damaged, bytes).unwrap();
        for counts in ["layers/counts", ""] {
            n_refused += usize::from(
                read_h5ad(&damaged, None, &ReadParams { counts: counts.into(), ..ReadParams::default() }).is_err(),
            );
        }
        let _ = lot_sheet_of_h5ad(&damaged, "lot");
    }
    assert!(n_refused > 100, "{n_refused} of 1200 refused");
}
