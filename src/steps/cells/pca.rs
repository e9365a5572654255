//! Exact principal components of the highly variable genes.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::error::Result;
use crate::steps::cells::Normalized;

/// Parameters of [`pca`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PcaParams {
    /// Number of components.
    pub n_components: usize,
    /// Genes scaled to unit variance.
    pub scale: bool,
    /// Scaled values are clipped here (upper side).
    pub max_value: f64,
}

impl Default for PcaParams {
    fn default() -> Self {
        Self { n_components: 50, scale: true, max_value: 10.0 }
    }
}

/// Result of [`pca`].
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Cells × components.
    pub scores: Array2<f32>,
    /// Selected genes × components; in each column the entry of largest magnitude is positive.
    pub loadings: Array2<f64>,
    /// Variance of each component.
    pub variance: Array1<f64>,
    /// Share of the total variance, 0..1.
    pub variance_ratio: Array1<f64>,
    /// Per selected gene: mean of log-normalised values.
    pub mean: Vec<f64>,
    /// Per selected gene: standard deviation (n − 1); all 1 if not scaled.
    pub standard_deviation: Vec<f64>,
}

/// Principal components of the log-normalised values of `genes` (rising indices).
pub fn pca(_dataset: &Dataset, _normalized: &Normalized, _genes: &[u32], _params: &PcaParams) -> Result<Pca> {
    todo!()
}
