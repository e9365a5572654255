//! Cell-cycle scores and phase.

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::error::Result;
use crate::steps::cells::Normalized;
use crate::warning::Warning;

/// Parameters of [`cell_cycle`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CellCycleParams {
    /// Expression bins for control genes.
    pub n_bins: usize,
    /// Control genes per gene of a list.
    pub n_controls: usize,
}

impl Default for CellCycleParams {
    fn default() -> Self {
        Self { n_bins: 25, n_controls: 50 }
    }
}

/// Phase of the cell cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Neither list is up.
    G1,
    /// DNA synthesis.
    S,
    /// Second gap and mitosis.
    G2M,
}

/// Result of [`cell_cycle`].
#[derive(Debug, Clone, PartialEq)]
pub struct CellCycle {
    /// Score of the S list per cell; all 0 if too few of its genes are found.
    pub s_score: Vec<f32>,
    /// Score of the G2M list per cell.
    pub g2m_score: Vec<f32>,
    /// Phase per cell.
    pub phase: Vec<Phase>,
    /// Genes not found.
    pub warnings: Vec<Warning>,
}

/// Scores every cell.
pub fn cell_cycle(
    _dataset: &Dataset,
    _normalized: &Normalized,
    _params: &CellCycleParams,
    _seed: u64,
) -> Result<CellCycle> {
    todo!()
}
