//! Mapping real cells: blood cells on a reference of simulated mesenchymal stromal cells whose genes bear the same names.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use cqa::data::{Dataset, Genes, Lot};
use cqa::io::tenx_mtx_write::{write_lots, write_tenx_mtx};
use cqa::simulate::{SimulateParams, simulate};

use crate::{common, soupx};

fn cqa(folder: &Path, args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_cqa")).current_dir(folder).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn blood_cells_are_unlike_every_cluster_of_stromal_cells() {
    let Some(pbmc) = soupx::whole() else { return };
    // Made-up genes of the simulator take the names of genes that the blood cells have, so that no name tells them apart.
    // As shallow as the blood cells, so that quality control keeps those.
    let params = SimulateParams { n_lots: 8, n_cells: 250, depth: 3_000.0, seed: 2, ..SimulateParams::default() };
    let stromal = simulate(&params).unwrap().dataset;
    let names = pbmc.genes().unique_symbols();
    let own: HashSet<&String> = stromal.genes().symbols().iter().collect();
    let mut free = names.iter().filter(|name| !own.contains(name));
    let known: HashSet<&String> = names.iter().collect();
    let rename = |name: &String| if known.contains(name) { name.clone() } else { free.next().unwrap().clone() };
    let genes: Vec<String> = stromal.genes().symbols().iter().map(rename).collect();
    let genes = Genes::new(genes.clone(), genes).unwrap();
    let stromal = Dataset::new(genes, stromal.lots().to_vec(), stromal.sheet().clone()).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_lots(at, &stromal).unwrap();
    let lot = &pbmc.lots()[0];
    let lot = Lot { name: "pbmc".into(), barcodes: lot.barcodes.clone(), counts: lot.counts.clone() };
    write_tenx_mtx(&at.join("pbmc"), &Genes::new(names.clone(), names).unwrap(), &lot).unwrap();
    std::fs::write(at.join("pbmc.csv"), "lot,path\npbmc,pbmc\n").unwrap();
    cqa(at, &["cluster", "lots.csv", "-o", "run", "--quiet", "--no-umap", "--no-leave-one-out", "--no-sensitivity"]);
    cqa(at, &["freeze", "run", "-o", "reference", "--quiet"]);
    cqa(at, &["map", "reference", "pbmc.csv", "-o", "mapped", "--quiet"]);
    let placed = at.join("mapped/placed.csv");
    let number = |name: &str| common::numbers(&placed, name)[0];
    assert_eq!(common::column(&placed, "in_reference"), ["false"]);
    assert_eq!(number("n_genes_found"), number("n_variable_genes"), "no gene is missing");
    assert!(number("n_cells") > 1_500.0, "quality control does not decide: {} cells", number("n_cells"));
    assert!(number("share_unassigned") >= 0.95, "{}", number("share_unassigned"));
    // The reference's own lots, each mapped without itself.
    let held_out = common::numbers(&at.join("reference/placed.csv"), "share_unassigned");
    assert!(held_out.iter().all(|share| *share <= 0.05), "{held_out:?}");
}
