//! The default road one step at a time, with the embedding in your own hands. Its clusters are those that
//! `pipeline::cluster` finds with default parameters (which also scores doublets, and keeps them); each step stands where
//! scanpy has a `pp` or `tl` call of the same or a similar name.
//!
//! ```text
//! cargo run --release --example step_by_step
//! ```

use cqa::simulate::{SimulateParams, simulate};
use cqa::steps::{cells, clusters, lots, markers};

fn main() -> cqa::Result<()> {
    let seed = 0;
    let dataset = simulate(&SimulateParams { n_cells: 300, ..SimulateParams::default() })?.dataset;

    let qc = cells::qc(&dataset, &cells::QcParams::default())?;
    let dataset = dataset.select_cells(&qc.keep);
    let normalized = cells::normalize(&dataset, &cells::NormalizeParams::default())?;
    let hvg = cells::hvg(&dataset, &normalized, &cells::HvgParams::default())?;
    let pca = cells::pca(&dataset, &normalized, &hvg.genes, &cells::PcaParams::default())?;
    let leading = pca.leading();
    let lot_of_cell = dataset.lot_of_cell();
    let harmony = cells::harmony(&leading, &lot_of_cell, dataset.n_lots(), &cells::HarmonyParams::default(), seed)?;

    let neighbors_params = clusters::NeighborsParams::default();
    let neighbors = clusters::neighbors(&harmony.corrected, &neighbors_params)?;
    let graph = clusters::graph(&neighbors, &neighbors_params);
    let clusters::ResolutionSweep { clustering, resolution, .. } =
        clusters::resolution(&graph, &clusters::ResolutionParams::default(), &clusters::LeidenParams::default(), seed)?;
    println!(
        "{} cells, {} of {} components, {} clusters at resolution {resolution}",
        dataset.n_cells(),
        pca.n_leading,
        pca.variance.len(),
        clustering.n_clusters
    );

    let composition = lots::composition(
        &clustering.labels,
        clustering.n_clusters,
        &lot_of_cell,
        &dataset.lot_names(),
        &lots::CompositionParams::default(),
    )?;
    for (lot, shares) in composition.lots.iter().zip(composition.share.rows()) {
        let shares: Vec<String> = shares.iter().map(|share| format!("{share:.2}")).collect();
        println!("{lot}: {}", shares.join(" "));
    }

    let params = markers::EffectsParams::default();
    let effects = markers::effects(&dataset, &normalized, &clustering.labels, clustering.n_clusters, &params)?;
    for cluster in 0..clustering.n_clusters {
        let top = effects.top(cluster, &params);
        let genes: Vec<&str> = top.iter().take(5).map(|&g| dataset.genes().symbols()[g as usize].as_str()).collect();
        println!("cluster {cluster}: {}", genes.join(", "));
    }
    Ok(())
}
