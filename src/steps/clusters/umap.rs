//! UMAP, for the eye only.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::steps::clusters::Neighbors;

/// Parameters of [`umap`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UmapParams {
    /// Off = no layout.
    pub enabled: bool,
    /// Smallest distance between neighbours in the layout.
    pub min_dist: f64,
    /// Scale of the layout.
    pub spread: f64,
    /// Rounds; 0 = 500 up to 10,000 cells, 200 above.
    pub n_epochs: usize,
    /// Repulsive samples per attractive step.
    pub negative_sample_rate: usize,
}

impl Default for UmapParams {
    fn default() -> Self {
        Self { enabled: true, min_dist: 0.5, spread: 1.0, n_epochs: 0, negative_sample_rate: 5 }
    }
}

/// Lays out the cells in two dimensions: cells × 2. `embedding` (cells × dimensions) gives the start.
pub fn umap(_neighbors: &Neighbors, _embedding: &Array2<f32>, _params: &UmapParams, _seed: u64) -> Result<Array2<f32>> {
    todo!()
}
