//! Quality control per lot with adaptive limits.

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::error::Result;
use crate::warning::Warning;

/// Parameters of [`qc`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QcParams {
    /// Limits in median absolute deviations.
    pub n_mads: f64,
    /// Smallest distance of the mitochondrial limit from the median, fraction 0..1.
    pub min_mito_margin: f64,
    /// Fixed lower limit of counts; 0 = none.
    pub min_counts: u32,
    /// Fixed lower limit of genes; 0 = none.
    pub min_genes: u32,
    /// Fixed upper limit of the mitochondrial fraction, 0..1; 1 = none.
    pub max_mito_fraction: f64,
    /// Adaptive limits on (true) or only the fixed ones.
    pub adaptive: bool,
}

impl Default for QcParams {
    fn default() -> Self {
        Self {
            n_mads: 3.0,
            min_mito_margin: 0.005,
            min_counts: 0,
            min_genes: 0,
            max_mito_fraction: 1.0,
            adaptive: true,
        }
    }
}

/// Quality measures, one entry per cell in global order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CellMetrics {
    /// Sum of counts.
    pub n_counts: Vec<u32>,
    /// Genes with at least one count.
    pub n_genes: Vec<u32>,
    /// Mitochondrial percentage, 0..100.
    pub pct_mito: Vec<f32>,
    /// Ribosomal percentage, 0..100.
    pub pct_ribo: Vec<f32>,
    /// Percentage of counts in the 50 most abundant genes of the cell, 0..100.
    pub pct_top_50: Vec<f32>,
}

/// One excluded cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// Global index among the cells read.
    pub cell: usize,
    /// `low_counts`, `low_genes`, `high_mito`, `doublet`; several joined by `+`.
    pub reason: String,
}

/// One row of `qc.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct LotQc {
    /// Lot name.
    pub lot: String,
    /// Cells before.
    pub n_cells_read: usize,
    /// Cells after.
    pub n_cells_kept: usize,
    /// Cells called doublets among those that passed the limits (0 before doublets are scored).
    pub n_doublets: usize,
    /// Median over kept cells.
    pub median_counts: f64,
    /// Median over kept cells.
    pub median_genes: f64,
    /// Median over kept cells, 0..100.
    pub median_pct_mito: f64,
    /// Lower limit applied to counts.
    pub limit_counts: f64,
    /// Lower limit applied to genes.
    pub limit_genes: f64,
    /// Upper limit applied to the mitochondrial percentage, 0..100.
    pub limit_pct_mito: f64,
}

/// Result of [`qc`].
#[derive(Debug, Clone, PartialEq)]
pub struct Qc {
    /// Of every cell read.
    pub metrics: CellMetrics,
    /// One flag per cell read.
    pub keep: Vec<bool>,
    /// Cells not kept, in global order.
    pub excluded: Vec<Exclusion>,
    /// One row per lot.
    pub lots: Vec<LotQc>,
    /// Lots that lose too much; genes not found.
    pub warnings: Vec<Warning>,
}

/// Measures every cell and decides which to keep.
pub fn qc(_dataset: &Dataset, _params: &QcParams) -> Result<Qc> {
    todo!()
}
