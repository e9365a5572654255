//! Gaussian mixture through linfa-clustering.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::steps::clusters::Clustering;

/// Parameters of [`mixture`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixtureParams {
    /// Starts; the best is kept.
    pub n_starts: usize,
    /// Leading components used.
    pub n_components: usize,
}

impl Default for MixtureParams {
    fn default() -> Self {
        Self { n_starts: 3, n_components: 20 }
    }
}

/// Clusters the rows of `embedding`.
pub fn mixture(
    _embedding: &Array2<f32>,
    _n_clusters: usize,
    _params: &MixtureParams,
    _seed: u64,
) -> Result<Clustering> {
    todo!()
}
