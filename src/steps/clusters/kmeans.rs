//! k-means through linfa-clustering.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::steps::clusters::Clustering;

/// Parameters of [`kmeans`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KmeansParams {
    /// Starts; the best is kept.
    pub n_starts: usize,
}

impl Default for KmeansParams {
    fn default() -> Self {
        Self { n_starts: 10 }
    }
}

/// Clusters the rows of `embedding`.
pub fn kmeans(_embedding: &Array2<f32>, _n_clusters: usize, _params: &KmeansParams, _seed: u64) -> Result<Clustering> {
    todo!()
}
