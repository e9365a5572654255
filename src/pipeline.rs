//! The story: parameters in, analysis out.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::io::ReadParams;
use crate::steps::cells::*;
use crate::steps::clusters::*;
use crate::steps::lots::*;
use crate::steps::markers::*;
use crate::warning::Warning;

/// Every knob; one section per step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Seed of every random step.
    pub seed: u64,
    /// Reading.
    pub read: ReadParams,
    /// Quality control.
    pub qc: QcParams,
    /// Doublets.
    pub doublets: DoubletParams,
    /// Normalisation.
    pub normalize: NormalizeParams,
    /// Highly variable genes.
    pub hvg: HvgParams,
    /// Principal components.
    pub pca: PcaParams,
    /// Integration.
    pub harmony: HarmonyParams,
    /// Cell cycle.
    pub cell_cycle: CellCycleParams,
    /// Neighbours and graph.
    pub neighbors: NeighborsParams,
    /// Communities.
    pub leiden: LeidenParams,
    /// k-means.
    pub kmeans: KmeansParams,
    /// Gaussian mixture.
    pub mixture: MixtureParams,
    /// Resolution.
    pub resolution: ResolutionParams,
    /// Which method names the clusters.
    pub clusters: ClustersParams,
    /// UMAP.
    pub umap: UmapParams,
    /// Composition.
    pub composition: CompositionParams,
    /// Pseudobulk.
    pub pseudobulk: PseudobulkParams,
    /// Association.
    pub association: AssociationParams,
    /// Marker effects.
    pub effects: EffectsParams,
    /// Candidates.
    pub ranking: RankingParams,
}

/// Which method names the clusters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClustersParams {
    /// Method.
    pub method: ClusterMethod,
    /// Number of clusters for k-means and the mixture; 0 = as many as Leiden finds.
    pub n_clusters: usize,
}

/// Clustering methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterMethod {
    /// Leiden communities of the neighbour graph.
    #[default]
    Leiden,
    /// k-means on the embedding.
    Kmeans,
    /// Gaussian mixture on the embedding.
    Mixture,
}

/// Everything that lots → clusters computes. Cells are those that quality control kept.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Parameters of the run.
    pub params: Params,
    /// Kept cells, all genes.
    pub dataset: Dataset,
    /// Quality control, of every cell read.
    pub qc: Qc,
    /// Barcode and lot of every cell read that was excluded: (lot, barcode, reason).
    pub excluded: Vec<(String, String, String)>,
    /// Measures of the kept cells.
    pub metrics: CellMetrics,
    /// Doublet scores of the kept cells; `None` if off.
    pub doublets: Option<Doublets>,
    /// Called doublets per lot.
    pub n_doublets: Vec<usize>,
    /// Factors of the log-normalised values.
    pub normalized: Normalized,
    /// Highly variable genes.
    pub hvg: Hvg,
    /// Principal components.
    pub pca: Pca,
    /// Integration; `None` if off.
    pub harmony: Option<Harmony>,
    /// Cell cycle.
    pub cell_cycle: CellCycle,
    /// Nearest neighbours.
    pub neighbors: Neighbors,
    /// Resolution sweep and Leiden partition.
    pub resolution: ResolutionSweep,
    /// The partition that everything below uses.
    pub clustering: Clustering,
    /// Cells × 2; `None` if off.
    pub umap: Option<Array2<f32>>,
    /// Lots × clusters.
    pub composition: Composition,
    /// Lots × genes.
    pub pseudobulk: Pseudobulk,
    /// Clusters × genes.
    pub effects: Effects,
    /// Share of each cluster's cells in S or G2M, 0..1.
    pub share_cycling: Vec<f64>,
    /// Cluster is proliferative.
    pub proliferative: Vec<bool>,
    /// Everything worth knowing before trusting a number.
    pub warnings: Vec<Warning>,
}

/// One readout, explained.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// Cluster shares against the readout.
    pub association: Association,
    /// Each lot's influence at fixed clusters.
    pub influence: Vec<Influence>,
    /// Candidate genes, best first.
    pub candidates: Vec<Candidate>,
}
