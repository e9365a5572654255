//! `hvg` against scanpy and Seurat.

use std::collections::{BTreeSet, HashSet};

use cqa::data::Dataset;
use cqa::steps::cells::{Hvg, HvgFlavor, HvgParams, NormalizeParams, hvg, normalize};

use crate::common::{column, fixture, numbers, shared_data, text};
use crate::soupx;

fn run(data: &Dataset, flavor: HvgFlavor, per_lot: bool) -> Hvg {
    let normalized = normalize(data, &NormalizeParams::default()).unwrap();
    hvg(data, &normalized, &HvgParams { flavor, per_lot, ..HvgParams::default() }).unwrap()
}

/// Genes that scanpy marks in this table.
fn marked(file: &std::path::Path, genes: &str, marks: &str) -> HashSet<String> {
    let marks = column(file, marks);
    column(file, genes)
        .into_iter()
        .zip(marks)
        .filter(|(_, mark)| mark == "True" || mark == "1")
        .map(|(g, _)| g)
        .collect()
}

fn n_shared(data: &Dataset, names: &[String], found: &Hvg, theirs: &HashSet<String>) -> usize {
    assert_eq!(names.len(), data.n_genes());
    found.genes.iter().filter(|&&gene| theirs.contains(&names[gene as usize])).count()
}

#[test]
fn seurat_selects_the_same_genes_as_scanpy() {
    let Some(data) = soupx::filtered() else { return };
    let file = shared_data("soupx").unwrap().join("ref_scanpy/hvg_seurat.csv.gz");
    let ours = run(&data, HvgFlavor::Seurat, false);
    assert_eq!(n_shared(&data, &data.genes().unique_symbols(), &ours, &marked(&file, "", "highly_variable")), 2000);
    for ((ours, theirs), gene) in ours.score.iter().zip(numbers(&file, "dispersions_norm")).zip(0..) {
        assert!(theirs.is_nan() || (ours - theirs).abs() < 1e-4 * (1.0 + theirs.abs()), "gene {gene}: {ours} {theirs}");
    }
}

#[test]
fn seurat_v3_selects_nearly_the_same_genes_as_scanpy_and_as_seurat() {
    let Some(data) = soupx::filtered() else { return };
    let folder = shared_data("soupx").unwrap();
    let file = folder.join("ref_scanpy/hvg_seurat_v3.csv.gz");
    let ours = run(&data, HvgFlavor::SeuratV3, false);
    let names = data.genes().unique_symbols();
    assert_eq!(n_shared(&data, &names, &ours, &marked(&file, "", "highly_variable")), 2000, "scanpy");
    for ((ours, theirs), gene) in ours.score.iter().zip(numbers(&file, "variances_norm")).zip(0..) {
        assert!((ours - theirs).abs() < 1e-5 * theirs.abs(), "gene {gene}: {ours} {theirs}");
    }
    // Seurat took all cells, and genes seen in at least three; it writes `_` in symbols as `-`.
    let whole = soupx::expressed(&soupx::whole().unwrap());
    let seurat: HashSet<String> =
        text(&folder.join("ref_r/seurat_vst_top2000.txt")).lines().map(str::to_string).collect();
    let names: Vec<String> = whole.genes().unique_symbols().iter().map(|name| name.replace('_', "-")).collect();
    let shared = n_shared(&whole, &names, &run(&whole, HvgFlavor::SeuratV3, false), &seurat);
    assert!(shared >= 1985, "Seurat: {shared}");
    println!("shared with Seurat: {shared}");
}

#[test]
fn lots_are_combined_as_scanpy_combines_batches() {
    let Some(folder) = shared_data("ideas_autism") else { return };
    let regions = ["BA9", "PFC", "Nova"];
    let region = |barcode: &str| regions.iter().position(|region| barcode.ends_with(&format!("_{region}")));
    let data = soupx::lots(&folder.join("mtx_Microglia"), &regions, region);
    let file = fixture("hvg/ideas_microglia.csv.gz");
    for (flavor, name) in [(HvgFlavor::SeuratV3, "seurat_v3"), (HvgFlavor::Seurat, "seurat")] {
        let shared = n_shared(&data, data.genes().ids(), &run(&data, flavor, true), &marked(&file, "gene_id", name));
        assert!(shared >= 1980, "{name}: {shared} of 2,000");
    }
}

#[test]
fn many_small_lots_all_take_part_that_have_cells_enough() {
    let Some(folder) = shared_data("ideas_autism") else { return };
    let folder = folder.join("mtx_Microglia");
    let donors: BTreeSet<String> = column(&folder.join("obs.csv"), "sample").into_iter().collect();
    let donors: Vec<&str> = donors.iter().map(String::as_str).collect();
    let data = soupx::lots(&folder, &donors, |barcode| donors.iter().position(|d| barcode.ends_with(&format!("_{d}"))));
    let small = data.lots().iter().filter(|lot| lot.barcodes.len() < 20).count();
    let ours = run(&data, HvgFlavor::SeuratV3, true);
    assert_eq!((ours.genes.len(), ours.warnings.len()), (2000, small), "{:?}", ours.warnings);
    assert!(ours.score.iter().all(|score| score.is_finite()));
}
