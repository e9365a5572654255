//! The resolution: given, or chosen by stability.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::math::graph::Graph;
use crate::steps::clusters::{Clustering, LeidenParams};

/// Parameters of [`resolution`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResolutionParams {
    /// 0 = choose by stability; otherwise this one.
    pub resolution: f64,
    /// Resolutions tried.
    pub grid: Vec<f64>,
    /// Subsamples per resolution.
    pub n_subsamples: usize,
    /// Share of cells in a subsample, 0..1.
    pub subsample: f64,
}

impl Default for ResolutionParams {
    fn default() -> Self {
        Self {
            resolution: 0.0,
            grid: vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0],
            n_subsamples: 5,
            subsample: 0.8,
        }
    }
}

/// One resolution of the sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolutionRow {
    /// Resolution.
    pub resolution: f64,
    /// Clusters found.
    pub n_clusters: usize,
    /// Modularity at this resolution.
    pub quality: f64,
    /// Mean adjusted Rand index between the whole and the subsamples, −1..1.
    pub stability: f64,
    /// The chosen one.
    pub chosen: bool,
}

/// Result of [`resolution`].
#[derive(Debug, Clone, PartialEq)]
pub struct ResolutionSweep {
    /// One row per resolution tried; a single row if it was given.
    pub rows: Vec<ResolutionRow>,
    /// The chosen resolution.
    pub resolution: f64,
    /// The partition at that resolution.
    pub clustering: Clustering,
}

/// Clusters at the given resolution, or sweeps and chooses.
pub fn resolution(
    _graph: &Graph,
    _params: &ResolutionParams,
    _leiden: &LeidenParams,
    _seed: u64,
) -> Result<ResolutionSweep> {
    todo!()
}
