//! The whole default road, from counts to clusters, against the clusters of Seurat and scanpy on the same cells.

use std::cmp::Ordering;

use cqa::data::{Dataset, Lot, LotSheet, LotSource};
use cqa::io::ReadParams;
use cqa::io::tenx_mtx::read_tenx_mtx;
use cqa::math::graph::Graph;
use cqa::math::partition::adjusted_rand;
use cqa::steps::cells::{HvgParams, NormalizeParams, PcaParams, hvg, normalize, pca};
use cqa::steps::clusters::{Clustering, LeidenParams, NeighborsParams, graph, leiden, neighbors};

use crate::common;

fn coded(names: &[String]) -> Vec<u32> {
    let mut levels: Vec<&String> = names.iter().collect();
    levels.sort();
    levels.dedup();
    names.iter().map(|name| levels.binary_search(&name).unwrap() as u32).collect()
}

/// The clusters at a resolution that gives so many, found by halving; over a few seeds, as some numbers are rare.
fn of_number(graph: &Graph, n_clusters: usize) -> Clustering {
    for seed in 0..5 {
        let (mut low, mut high) = (0.05, 3.0);
        for _ in 0..12 {
            let middle = f64::midpoint(low, high);
            let found = leiden(graph, middle, &LeidenParams::default(), seed).unwrap();
            match found.n_clusters.cmp(&n_clusters) {
                Ordering::Equal => return found,
                Ordering::Less => low = middle,
                Ordering::Greater => high = middle,
            }
        }
    }
    panic!("no resolution gives {n_clusters} clusters")
}

#[test]
fn clusters_agree_with_those_of_seurat_and_scanpy_at_an_equal_number() {
    let Some(folder) = common::shared_data("soupx") else { return };
    let scanpy = folder.join("ref_scanpy/clusters.csv.gz");
    let seurat = folder.join("ref_r/seurat_clusters_phase.csv.gz");
    // The cells that the references kept.
    let cells = common::column(&scanpy, "");
    let raw = read_tenx_mtx(&folder.join("pbmc_mtx"), &ReadParams::default()).unwrap();
    let keep: Vec<bool> = raw.barcodes.iter().map(|barcode| cells.contains(barcode)).collect();
    let barcodes: Vec<String> = raw.barcodes.iter().zip(&keep).filter(|(_, k)| **k).map(|(b, _)| b.clone()).collect();
    let lot = Lot { name: "pbmc".into(), barcodes: barcodes.clone(), counts: raw.counts.select_cells(&keep) };
    let source = LotSource { lot: "pbmc".into(), path: "pbmc".into(), subset: None };
    let dataset = Dataset::new(raw.genes, vec![lot], LotSheet { lots: vec![source], columns: vec![] }).unwrap();

    let normalized = normalize(&dataset, &NormalizeParams::default()).unwrap();
    let genes = hvg(&dataset, &normalized, &HvgParams::default()).unwrap().genes;
    let scores = pca(&dataset, &normalized, &genes, &PcaParams::default()).unwrap().leading();
    let params = NeighborsParams::default();
    let graph = graph(&neighbors(&scores, &params).unwrap(), &params);

    for (who, file, column) in [
        ("Seurat", &seurat, "seurat_clusters"),
        ("scanpy, resolution 0.5", &scanpy, "leiden_0.5"),
        ("scanpy, resolution 1", &scanpy, "leiden_1.0"),
    ] {
        let (names, labels) = (common::column(file, ""), coded(&common::column(file, column)));
        let theirs: Vec<u32> = barcodes
            .iter()
            .map(|barcode| labels[names.iter().position(|name| name == barcode).expect("same cells")])
            .collect();
        let n_clusters = *theirs.iter().max().unwrap() as usize + 1;
        let ours = of_number(&graph, n_clusters);
        let ari = adjusted_rand(&ours.labels, &theirs);
        println!("{who}: {n_clusters} clusters, ARI {ari:.3}");
        assert!(ari >= 0.85, "{who}: {n_clusters} clusters, ARI {ari:.3}");
    }
}
