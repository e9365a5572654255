//! Effects of each gene in each cluster, lot by lot.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::error::Result;
use crate::steps::cells::Normalized;

/// Parameters of [`effects`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EffectsParams {
    /// A lot takes part in a cluster's effects with at least this many cells inside and outside.
    pub min_cells: usize,
    /// A gene is listed as a marker when at least this share of the cluster's cells express it, 0..1.
    pub min_share: f64,
    /// Markers listed per cluster in `markers.csv`.
    pub n_markers: usize,
}

impl Default for EffectsParams {
    fn default() -> Self {
        Self { min_cells: 10, min_share: 0.1, n_markers: 200 }
    }
}

/// Result of [`effects`]: all clusters × genes, means over the lots that take part; NaN where none does.
#[derive(Debug, Clone, PartialEq)]
pub struct Effects {
    /// Area under the ROC curve, cell in the cluster against cell outside, 0..1.
    pub auc: Array2<f32>,
    /// log2((mean CP10k inside + 1) / (mean CP10k outside + 1))-like fold change; see the module.
    pub log2_fc: Array2<f32>,
    /// Share of cells inside with a count.
    pub share_in: Array2<f32>,
    /// Share of cells outside with a count.
    pub share_out: Array2<f32>,
    /// Per cluster: lots that take part.
    pub n_lots: Vec<u32>,
    /// Clusters × genes: lots in which the AUC is above one half.
    pub n_lots_up: Array2<u16>,
}

impl Effects {
    /// Genes of a cluster, best first: at least `min_share` of its cells express the gene, AUC above one half.
    pub fn top(&self, _cluster: usize, _params: &EffectsParams) -> Vec<u32> {
        todo!()
    }
}

/// Computes effects of all genes in all clusters.
pub fn effects(
    _dataset: &Dataset,
    _normalized: &Normalized,
    _labels: &[u32],
    _n_clusters: usize,
    _params: &EffectsParams,
) -> Result<Effects> {
    todo!()
}
