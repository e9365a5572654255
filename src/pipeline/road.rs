//! From variable genes to clusters: walked once for the run, and again whenever a lot is left out.

use ndarray::Array2;

use super::lots::batch_of_lot;
use super::{ClusterMethod, Params, kept_step, step};
use crate::data::Dataset;
use crate::error::Result;
use crate::io::checkpoints::Checkpoints;
use crate::math::graph::Graph;
use crate::progress::Progress;
use crate::steps::cells::{Harmony, Normalized, Pca, harmony, pca};
use crate::steps::clusters::{
    Clustering, Neighbors, ResolutionRow, ResolutionSweep, graph, kmeans, mixture, neighbors, resolution,
};
use crate::warning::Warning;

/// What the road passes by, and where it ends.
pub(super) struct Road {
    pub pca: Pca,
    /// Leading components, cells × components.
    pub leading: Array2<f32>,
    /// `None` if integration is off.
    pub harmony: Option<Harmony>,
    pub neighbors: Neighbors,
    pub graph: Graph,
    pub sweep: Vec<ResolutionRow>,
    /// Another number of clusters would have done as well.
    pub undecided: Option<Warning>,
    /// Chosen, or as given.
    pub resolution: f64,
    pub clustering: Clustering,
}

impl Road {
    /// Where cells lie: leading components, corrected or as they are.
    pub fn embedding(&self) -> &Array2<f32> {
        self.harmony.as_ref().map_or(&self.leading, |harmony| &harmony.corrected)
    }
}

/// Components, integration, neighbours, clusters of all cells of `dataset`.
pub(super) fn road(
    dataset: &Dataset,
    normalized: &Normalized,
    genes: &[u32],
    params: &Params,
    checkpoints: &Checkpoints,
    progress: &dyn Progress,
) -> Result<Road> {
    let pca = kept_step(
        checkpoints,
        progress,
        "pca",
        || pca(dataset, normalized, genes, &params.pca),
        |p| format!("{} of {} components are above the noise", p.n_leading, p.variance.len()),
    )?;
    let leading = pca.leading();
    let harmony =
        if params.harmony.enabled { Some(integrated(dataset, &leading, params, checkpoints, progress)?) } else { None };
    let embedding = harmony.as_ref().map_or(&leading, |h| &h.corrected);
    let neighbors = kept_step(
        checkpoints,
        progress,
        "neighbors",
        || neighbors(embedding, &params.neighbors),
        |n| match n.recall {
            1.0 => format!("{} per cell", n.indices.ncols()),
            recall => format!("{} per cell, {:.1} % of them the nearest", n.indices.ncols(), 100.0 * recall),
        },
    )?;
    let graph = step(
        progress,
        "graph",
        || Ok(graph(&neighbors, &params.neighbors)),
        |g| format!("{} edges", g.targets.len() / 2),
    )?;
    let ResolutionSweep { rows: sweep, clustering, resolution, undecided } = kept_step(
        checkpoints,
        progress,
        "resolution",
        || resolution(&graph, &params.resolution, &params.leiden, params.seed),
        |s| format!("{} clusters at resolution {}", s.clustering.n_clusters, s.resolution),
    )?;
    let n_wanted = if params.clusters.n_clusters == 0 { clustering.n_clusters } else { params.clusters.n_clusters };
    let clustering = match params.clusters.method {
        ClusterMethod::Leiden => clustering,
        ClusterMethod::Kmeans => kmeans(embedding, n_wanted, &params.kmeans, params.seed)?,
        ClusterMethod::Mixture => mixture(embedding, n_wanted, &params.mixture, params.seed)?,
    };
    Ok(Road { pca, leading, harmony, neighbors, graph, sweep, undecided, resolution, clustering })
}

/// Components corrected for the batch of each cell.
pub(super) fn integrated(
    dataset: &Dataset,
    scores: &Array2<f32>,
    params: &Params,
    checkpoints: &Checkpoints,
    progress: &dyn Progress,
) -> Result<Harmony> {
    let (of_lot, n_batches) = batch_of_lot(dataset.sheet(), &params.harmony.column, "harmony.column")?;
    let batch: Vec<u32> = dataset.lot_of_cell().into_iter().map(|lot| of_lot[lot as usize]).collect();
    kept_step(
        checkpoints,
        progress,
        "harmony",
        || harmony(scores, &batch, n_batches, &params.harmony, params.seed),
        |h| format!("{} rounds over {n_batches} batches", h.objective.len()),
    )
}
