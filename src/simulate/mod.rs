//! Simulated lots with planted truth.

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::error::Result;

/// What to simulate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulateParams {
    /// Number of lots.
    pub n_lots: usize,
    /// Mean number of cells per lot.
    pub n_cells: usize,
    /// Number of genes.
    pub n_genes: usize,
    /// Seed.
    pub seed: u64,
}

impl Default for SimulateParams {
    fn default() -> Self {
        Self { n_lots: 11, n_cells: 1000, n_genes: 20_000, seed: 1 }
    }
}

/// Lots and the truth behind them.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Counts; the sheet holds the potency and other readouts.
    pub dataset: Dataset,
    /// What was planted.
    pub truth: Truth,
}

/// What was planted.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Population of each cell, global order.
    pub population: Vec<u32>,
    /// Two cells in one droplet.
    pub doublet: Vec<bool>,
    /// Damaged cell.
    pub damaged: Vec<bool>,
    /// Names of the populations.
    pub populations: Vec<String>,
    /// The population that drives the potency.
    pub potent: u32,
    /// Planted markers of the potent population (gene indices), strongest first.
    pub markers: Vec<u32>,
    /// Name of the readout it drives.
    pub readout: String,
}

/// Simulates lots.
pub fn simulate(_params: &SimulateParams) -> Result<Simulated> {
    todo!()
}
