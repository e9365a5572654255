//! Harmony: integration over lots.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::warning::Warning;

/// Parameters of [`harmony`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HarmonyParams {
    /// Off = the components are used as they are.
    pub enabled: bool,
    /// Column of the sheet to integrate over; empty = the lot.
    pub column: String,
    /// Diversity penalty.
    pub theta: f64,
    /// Ridge penalty of the correction.
    pub lambda: f64,
    /// Width of soft clusters.
    pub sigma: f64,
    /// Number of soft clusters; 0 = min(100, cells / 30).
    pub n_clusters: usize,
    /// Rounds of clustering and correction.
    pub max_iterations: usize,
}

impl Default for HarmonyParams {
    fn default() -> Self {
        Self {
            enabled: true,
            column: String::new(),
            theta: 2.0,
            lambda: 1.0,
            sigma: 0.1,
            n_clusters: 0,
            max_iterations: 10,
        }
    }
}

/// Result of [`harmony`].
#[derive(Debug, Clone, PartialEq)]
pub struct Harmony {
    /// Cells × components.
    pub corrected: Array2<f32>,
    /// Objective after each round.
    pub objective: Vec<f64>,
    /// Whether the objective settled.
    pub converged: bool,
    /// Not converged.
    pub warnings: Vec<Warning>,
}

/// Corrects components for the batch of each cell (0..n_batches).
pub fn harmony(
    _scores: &Array2<f32>,
    _batch: &[u32],
    _n_batches: usize,
    _params: &HarmonyParams,
    _seed: u64,
) -> Result<Harmony> {
    todo!()
}
