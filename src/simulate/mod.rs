//! Simulated lots with planted truth: what a test, a demo or a power study can be checked against.
//!
//! **Question.** Does the road from lots to candidate genes find what is known to be there?
//!
//! **Method.** Lots of cultured mesenchymal stromal cells (MSC) as they are measured: depth, genes per cell,
//! mitochondrial share, spread over cells and lots and unevenness of composition are those of twelve real lots (Gao 2023;
//! each default says which). A cell of lot l and population k has gene means
//! `m_g = L · e_g · exp(d_lg + w·a_kg + (1 − w)·a_k'g + t·c_g) / sum`, with `L` a lognormal library size, `e` the levels
//! of MSC, `d` the donor's effect, `a_k` the programs of the population and `a_k'` those of a related one (cells lie between
//! populations: `w` is 0.6 to 1), `c` a program that runs through all populations. Counts are negative binomial with a
//! size per gene. Some droplets hold two cells, some cells are damaged (few counts, many of them mitochondrial).
//! Composition is Dirichlet. One population carries ten planted markers, and its share drives the potency:
//! `potency = 700 + effect·(mean + rho·(share − mean) + √(1 − rho²)·SD·z)`, z standard normal.
//!
//! **Shapes.** [`SimulateParams`] → [`Simulated`]: lots × cells × genes with a filled sheet, and [`Truth`].
//!
//! **Names.** Symbols in `data/simulation_genes.csv` are real, their levels plausible; all further genes are made up and
//! say so (`GENE00001`), as do all ids (`SIM000001`).
//!
//! **References.** Gao Y et al. 2023, Nat Commun 14:4373 (12 MSC lots; summary of the deposited cell table).
//! Tirosh I et al. 2016, doi:10.1126/science.aad0501 (cell-cycle genes).
//! Miura T et al. 2023, Stem Cells Transl Med 12:379–390 (share of a cluster against VEGF under ischemia).

mod genes;
mod model;
mod sample;
mod sheet;
mod truth;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{CountsBuilder, Dataset, Lot};
use crate::error::{Error, Result};
use model::Model;
pub use truth::{ClusterMatch, Truth};

/// Parameters of [`simulate`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulateParams {
    /// Number of lots, at least 1. Default 11, as many as Miura 2023 had.
    pub n_lots: usize,
    /// Cells per lot, at least 1; the geometric mean over lots. Default 1,000: quick, and enough for eight populations.
    pub n_cells: usize,
    /// Spread of the number of cells over lots, SD of its logarithm. 0 gives every lot `n_cells`. Default 0.22 (Gao 2023).
    pub cells_spread: f64,
    /// Number of genes, 2,000 to 60,000. Default 20,000, about the protein-coding genes. All genes above the first 12,500
    /// are nearly silent, as most genes are in any one tissue.
    pub n_genes: usize,
    /// Counts per cell, 500 to 200,000; the geometric mean over lots of the median. Default 28,000 (Gao 2023).
    pub depth: f64,
    /// Spread of depth over lots, SD of its logarithm. Default 0.24: medians of 13,800 to 35,400 in 12 lots (Gao 2023).
    pub depth_lot_spread: f64,
    /// Spread of library size over the cells of a lot, SD of its logarithm. Default 0.23 (Gao 2023).
    pub depth_cell_spread: f64,
    /// Mitochondrial share of counts, 0..0.5. Default 0.024 (Gao 2023).
    pub mito_fraction: f64,
    /// Concentration of the Dirichlet distribution of composition; smaller = lots differ more. Default 20: 22 over all
    /// lots, 22 over the bone-marrow lots of Gao 2023.
    pub concentration: f64,
    /// Strength of populations: SD of the ln fold change of the genes of a program. Default 0.55: at this depth
    /// the default road separates eight populations, related ones last.
    pub population_effect: f64,
    /// Strength of donors: SD of the ln fold change of every gene in a lot. Default 0.1: without integration
    /// clusters hold cells of about four lots, with Harmony of nine of eleven. At 0.15 lots come wholly apart.
    pub donor_effect: f64,
    /// Share of droplets with two cells, 0..0.5. Default 0.04, what about 5,000 cells per 10x channel give.
    pub doublet_rate: f64,
    /// Share of damaged cells, 0..0.5. Default 0.03.
    pub damaged_rate: f64,
    /// Potency per unit of share of the potent population, pg/mL. Default 4,000: at a mean share of 0.12 and 700 pg/mL from
    /// all other cells, lots lie around 1,200 ± 280 pg/mL.
    pub potency_effect: f64,
    /// Correlation between share and potency over many lots, -1..1; the rest is noise. 0 = the potency is unrelated.
    /// Default 0.95.
    pub potency_rho: f64,
    /// Further readouts that nothing drives, 0 to 4: `ido_activity`, `t_cell_suppression`, `doubling_time`, `cd105_mfi`.
    /// Default 1.
    pub n_unrelated: usize,
    /// Seed. The same seed gives the same bytes.
    pub seed: u64,
}

impl Default for SimulateParams {
    fn default() -> Self {
        Self {
            n_lots: 11,
            n_cells: 1000,
            cells_spread: 0.22,
            n_genes: 20_000,
            depth: 28_000.0,
            depth_lot_spread: 0.24,
            depth_cell_spread: 0.23,
            mito_fraction: 0.024,
            concentration: 20.0,
            population_effect: 0.55,
            donor_effect: 0.1,
            doublet_rate: 0.04,
            damaged_rate: 0.03,
            potency_effect: 4000.0,
            potency_rho: 0.95,
            n_unrelated: 1,
            seed: 1,
        }
    }
}

impl SimulateParams {
    fn check(&self) -> Result<()> {
        let whole = [
            ("simulate.n_lots", self.n_lots, 1, 10_000),
            ("simulate.n_cells", self.n_cells, 1, 1_000_000),
            ("simulate.n_genes", self.n_genes, 2000, 60_000),
            ("simulate.n_unrelated", self.n_unrelated, 0, sheet::UNRELATED.len()),
        ];
        for (name, value, low, high) in whole {
            if value < low || value > high {
                return Err(Error::param(name, value, format!("a whole number from {low} to {high}")));
            }
        }
        let real = [
            ("simulate.cells_spread", self.cells_spread, 0.0, 2.0),
            ("simulate.depth", self.depth, 500.0, 200_000.0),
            ("simulate.depth_lot_spread", self.depth_lot_spread, 0.0, 2.0),
            ("simulate.depth_cell_spread", self.depth_cell_spread, 0.0, 2.0),
            ("simulate.mito_fraction", self.mito_fraction, 0.0, 0.5),
            ("simulate.concentration", self.concentration, 0.1, 1e6),
            ("simulate.population_effect", self.population_effect, 0.0, 2.0),
            ("simulate.donor_effect", self.donor_effect, 0.0, 2.0),
            ("simulate.doublet_rate", self.doublet_rate, 0.0, 0.5),
            ("simulate.damaged_rate", self.damaged_rate, 0.0, 0.5),
            ("simulate.potency_effect", self.potency_effect, 0.0, 1e9),
            ("simulate.potency_rho", self.potency_rho, -1.0, 1.0),
        ];
        for (name, value, low, high) in real {
            // NaN is in no range.
            if !(low..=high).contains(&value) {
                return Err(Error::param(name, value, format!("a number from {low} to {high}")));
            }
        }
        Ok(())
    }
}

/// Lots and the truth behind them.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Counts; the sheet holds the potency (`vegf_ischemia`, pg/mL), unrelated readouts and covariates.
    pub dataset: Dataset,
    /// What was planted.
    pub truth: Truth,
}

/// Simulates lots. The same parameters give the same bytes, whatever the number of threads.
///
/// ```
/// use cqa::simulate::{SimulateParams, simulate};
/// let params = SimulateParams { n_lots: 3, n_cells: 20, n_genes: 2000, ..Default::default() };
/// let simulated = simulate(&params)?;
/// assert_eq!(simulated.dataset.n_lots(), 3);
/// assert_eq!(simulated.truth.population.len(), simulated.dataset.n_cells());
/// assert!(simulated.dataset.sheet().column("vegf_ischemia").unwrap().numbers().is_some());
/// # Ok::<(), cqa::Error>(())
/// ```
///
/// # Errors
/// A parameter is out of its range.
pub fn simulate(params: &SimulateParams) -> Result<Simulated> {
    params.check()?;
    let model = Model::new(params);
    let mut lots = Vec::with_capacity(params.n_lots);
    let (mut population, mut doublet, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
    for (index, plan) in model.lots.iter().enumerate() {
        let sampler = sample::LotSampler::new(&model, index);
        let cells: Vec<sample::Cell> = (0..plan.n_cells)
            .into_par_iter()
            .map_init(Vec::new, |means, cell| sampler.cell(params.seed, cell, means))
            .collect();
        let mut counts = CountsBuilder::new(params.n_genes);
        counts.reserve(cells.iter().map(|cell| cell.genes.len()).sum());
        for cell in &cells {
            counts.push_row(&cell.genes, &cell.counts);
            population.push(cell.population);
            doublet.push(cell.doublet);
            damaged.push(cell.damaged);
        }
        lots.push(Lot {
            name: plan.name.clone(),
            barcodes: sample::barcodes(params.seed, index, plan.n_cells),
            counts: counts.finish(),
        });
    }
    let sheet = sheet::sheet(&model, params);
    let truth = Truth::new(&model, params, population, doublet, damaged);
    Ok(Simulated { dataset: Dataset::new(model.axis.genes, lots, sheet)?, truth })
}

#[cfg(test)]
mod tests;
