//! Pseudobulk: summed counts per lot, for all cells and per cluster.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::data::Dataset;

/// Parameters of [`pseudobulk`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PseudobulkParams {
    /// A lot with fewer cells in a cluster is missing there.
    pub min_cells: usize,
}

impl Default for PseudobulkParams {
    fn default() -> Self {
        Self { min_cells: 10 }
    }
}

/// Result of [`pseudobulk`].
#[derive(Debug, Clone, PartialEq)]
pub struct Pseudobulk {
    /// Summed counts of all cells, lots × genes.
    pub all: Array2<u64>,
    /// Per cluster: summed counts, lots × genes (0 where the lot is missing).
    pub clusters: Vec<Array2<u64>>,
    /// Lots × clusters: number of cells.
    pub n_cells: Array2<u64>,
    /// See [`PseudobulkParams::min_cells`].
    pub min_cells: usize,
}

impl Pseudobulk {
    /// log2(CPM + 1) of all cells, lots × genes; NaN for lots without counts.
    pub fn log2_cpm_all(&self) -> Array2<f64> {
        todo!()
    }

    /// log2(CPM + 1) within a cluster, lots × genes; NaN where the lot has fewer than `min_cells` cells there.
    pub fn log2_cpm(&self, _cluster: usize) -> Array2<f64> {
        todo!()
    }
}

/// Sums counts.
pub fn pseudobulk(_dataset: &Dataset, _labels: &[u32], _n_clusters: usize, _params: &PseudobulkParams) -> Pseudobulk {
    todo!()
}
