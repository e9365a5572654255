//! Composition: which share of each lot's cells lies in each cluster.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::data::LotTable;

/// How shares are transformed before they meet a readout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// n / N.
    Share,
    /// asin √(n / N).
    AsinSqrt,
    /// ln((n + ½) / (N − n + ½)).
    Logit,
    /// Centred log ratio of n + ½.
    Clr,
}

/// Parameters of [`composition`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompositionParams {
    /// Transform used for the association.
    pub transform: Transform,
    /// Level of the intervals of the shares, 0..1.
    pub level: f64,
}

impl Default for CompositionParams {
    fn default() -> Self {
        Self { transform: Transform::Share, level: 0.95 }
    }
}

/// Result of [`composition`].
#[derive(Debug, Clone, PartialEq)]
pub struct Composition {
    /// Lot names.
    pub lots: Vec<String>,
    /// Lots × clusters: number of cells.
    pub n_cells: Array2<u64>,
    /// Per lot: cells in all clusters.
    pub n_total: Vec<u64>,
    /// Lots × clusters: share; NaN for a lot without cells.
    pub share: Array2<f64>,
    /// Lots × clusters: lower Jeffreys limit.
    pub ci_low: Array2<f64>,
    /// Lots × clusters: upper Jeffreys limit.
    pub ci_high: Array2<f64>,
    /// Per cluster: effective number of lots (inverse Simpson index of the lots' shares in the cluster).
    pub effective_lots: Vec<f64>,
}

impl Composition {
    /// Lots × clusters after a transform; columns are named by cluster. NaN for a lot without cells.
    pub fn transformed(&self, _transform: Transform) -> LotTable {
        todo!()
    }
}

/// Counts cells per lot and cluster.
pub fn composition(
    _labels: &[u32],
    _n_clusters: usize,
    _lot_of_cell: &[u32],
    _lots: &[String],
    _params: &CompositionParams,
) -> Composition {
    todo!()
}
