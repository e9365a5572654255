//! Pooled Wilcoxon rank-sum test, for comparison with other tools; its p-value is descriptive.

use ndarray::Array2;

use crate::data::Dataset;
use crate::error::Result;
use crate::steps::cells::Normalized;

/// Result of [`wilcoxon`]: clusters × genes.
#[derive(Debug, Clone, PartialEq)]
pub struct Wilcoxon {
    /// z score.
    pub score: Array2<f64>,
    /// Two-sided p; descriptive, as clusters were found on the same cells.
    pub p_descriptive: Array2<f64>,
}

/// Each cluster against all other cells, all lots pooled.
pub fn wilcoxon(
    _dataset: &Dataset,
    _normalized: &Normalized,
    _labels: &[u32],
    _n_clusters: usize,
    _tie_correct: bool,
) -> Result<Wilcoxon> {
    todo!()
}
