//! Counts per 10,000, log1p: kept as one factor per cell.

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::error::Result;

/// Parameters of [`normalize`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NormalizeParams {
    /// Counts that every cell is scaled to.
    pub target_sum: f64,
}

impl Default for NormalizeParams {
    fn default() -> Self {
        Self { target_sum: 1e4 }
    }
}

/// The log-normalised values as a view of the counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalized {
    /// `target_sum / total counts` per cell, global order; 0 for a cell without counts.
    pub scale: Vec<f32>,
}

impl Normalized {
    /// ln(1 + count · scale) of one entry.
    #[inline]
    pub fn value(&self, cell: usize, count: u32) -> f32 {
        (count as f32 * self.scale[cell]).ln_1p()
    }
}

/// Computes the factors.
pub fn normalize(_dataset: &Dataset, _params: &NormalizeParams) -> Result<Normalized> {
    todo!()
}
