//! Every knob of a run, one section per step.

use serde::{Deserialize, Serialize};

use crate::io::ReadParams;
use crate::steps::cells::{
    CellCycleParams, DoubletParams, HarmonyParams, HvgParams, NormalizeParams, PcaParams, QcParams,
};
pub use crate::steps::clusters::ClusterMethod;
use crate::steps::clusters::{
    KmeansParams, LeidenParams, MixtureParams, NeighborsParams, ResolutionParams, UmapParams,
};
use crate::steps::lots::{
    AssociationParams, CompositionParams, ConfoundingParams, DeviationParams, NeighborhoodsParams, OutcomesParams,
    PseudobulkParams, SensitivityParams, VerdictParams,
};
use crate::steps::markers::{EffectsParams, LeaveOneOutParams, RankingParams};
use crate::steps::process::{MappingParams, ScreenParams};

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
    /// Distance of each lot from the others.
    pub deviation: DeviationParams,
    /// Cluster-free check.
    pub neighborhoods: NeighborhoodsParams,
    /// Confounding guard.
    pub confounding: ConfoundingParams,
    /// Pseudobulk.
    pub pseudobulk: PseudobulkParams,
    /// Clinical outcomes.
    pub outcomes: OutcomesParams,
    /// Association.
    pub association: AssociationParams,
    /// Verdicts.
    pub verdict: VerdictParams,
    /// Marker effects.
    pub effects: EffectsParams,
    /// Candidates.
    pub ranking: RankingParams,
    /// The road without each lot.
    pub leave_one_out: LeaveOneOutParams,
    /// Other choices.
    pub sensitivity: SensitivityParams,
    /// References and new lots.
    pub mapping: MappingParams,
    /// Hazard cells.
    pub screen: ScreenParams,
    /// Files that a run leaves.
    pub write: WriteParams,
}

/// Files that a run leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WriteParams {
    /// Write `pooled.h5ad`: by far the largest file, and the longest to write. Panels and references need it. Default true.
    pub pooled: bool,
}

impl Default for WriteParams {
    fn default() -> Self {
        Self { pooled: true }
    }
}

impl Params {
    /// The steps that [`cluster`](super::cluster) will tell its progress of, in order. The last two may have nothing to do.
    #[must_use]
    pub fn steps(&self) -> Vec<&'static str> {
        let steps = [
            ("qc", true),
            ("doublets", self.doublets.enabled),
            ("hvg", true),
            ("cell_cycle", true),
            ("pca", true),
            ("harmony", self.harmony.enabled),
            ("neighbors", true),
            ("graph", true),
            ("resolution", true),
            ("umap", self.umap.enabled),
            ("neighborhoods", self.neighborhoods.enabled),
            ("deviation", true),
            ("effects", true),
            ("leave_one_out", self.leave_one_out.enabled),
            ("sensitivity", self.sensitivity.enabled),
        ];
        steps.into_iter().filter(|step| step.1).map(|step| step.0).collect()
    }
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
