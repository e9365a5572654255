//! Doublet scores by simulated doublets, lot by lot.

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::error::Result;
use crate::warning::Warning;

/// Parameters of [`doublets`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DoubletParams {
    /// Off = no scores.
    pub enabled: bool,
    /// Drop called doublets (default: only flag them).
    pub drop: bool,
    /// Simulated doublets per cell.
    pub simulated_ratio: f64,
    /// Expected share of doublets, 0..1.
    pub expected_rate: f64,
    /// Components of each lot's own PCA.
    pub n_components: usize,
}

impl Default for DoubletParams {
    fn default() -> Self {
        Self { enabled: true, drop: false, simulated_ratio: 2.0, expected_rate: 0.06, n_components: 30 }
    }
}

/// Result of [`doublets`].
#[derive(Debug, Clone, PartialEq)]
pub struct Doublets {
    /// Score 0..1 per cell, global order; NaN where the lot is too small.
    pub score: Vec<f32>,
    /// Called a doublet.
    pub called: Vec<bool>,
    /// Threshold per lot; NaN where none was found.
    pub threshold: Vec<f64>,
    /// Lots too small.
    pub warnings: Vec<Warning>,
}

/// Scores every cell.
pub fn doublets(_dataset: &Dataset, _params: &DoubletParams, _seed: u64) -> Result<Doublets> {
    todo!()
}
