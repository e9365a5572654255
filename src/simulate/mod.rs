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

mod change;
mod genes;
mod model;
mod sample;
mod shares;
mod sheet;
mod truth;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{CountsBuilder, Dataset, Lot};
use crate::error::{Error, Result};
pub use change::{ChangeParams, simulate_change};
use model::Model;
pub use shares::{ShareParams, simulate_shares};
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
    let barcodes = lots.iter().map(|lot| lot.barcodes.clone()).collect();
    let sheet = sheet::sheet(&model, params);
    let truth = Truth::new(&model, params, population, barcodes, doublet, damaged);
    Ok(Simulated { dataset: Dataset::new(model.axis.genes, lots, sheet)?, truth })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Row;

    fn small() -> SimulateParams {
        SimulateParams { n_lots: 4, n_cells: 120, ..Default::default() }
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    /// Counts, genes and mitochondrial percentage of a cell.
    fn measures(row: Row<'_>) -> (f64, f64, f64) {
        let (mut total, mut mito) = (0.0, 0.0);
        row.for_each(|gene, count| {
            total += f64::from(count);
            if gene < 13 {
                mito += f64::from(count);
            }
        });
        (total, row.len() as f64, 100.0 * mito / total)
    }

    #[test]
    fn lots_look_like_real_msc() {
        // Twelve lots of Gao 2023: medians of 13,793 to 35,443 counts, 3,171 to 5,142 genes, 1.2 to 3.0 % mitochondrial.
        let params = SimulateParams { n_lots: 12, n_cells: 150, ..Default::default() };
        let Simulated { dataset, truth } = simulate(&params).unwrap();
        let lots = dataset.lot_of_cell();
        let sound: Vec<usize> = (0..dataset.n_cells()).filter(|&c| !truth.doublet[c] && !truth.damaged[c]).collect();
        let all: Vec<(f64, f64, f64)> = sound.iter().map(|&cell| measures(dataset.row(cell))).collect();
        let of_lot = |lot: u32, f: fn(&(f64, f64, f64)) -> f64| {
            median(sound.iter().zip(&all).filter(|(c, _)| lots[**c] == lot).map(|(_, m)| f(m)).collect())
        };
        let counts: Vec<f64> = (0..12).map(|lot| of_lot(lot, |m| m.0)).collect();
        let genes: Vec<f64> = (0..12).map(|lot| of_lot(lot, |m| m.1)).collect();
        let mito: Vec<f64> = (0..12).map(|lot| of_lot(lot, |m| m.2)).collect();
        let summary = format!(
            "counts {:.0}, genes {:.0}, mito {:.2}: {counts:.0?} {genes:.0?} {mito:.2?}",
            median(counts.clone()),
            median(genes.clone()),
            median(mito.clone())
        );
        assert!((24_000.0..33_000.0).contains(&median(counts.clone())), "{summary}");
        assert!((3900.0..4900.0).contains(&median(genes.clone())), "{summary}");
        assert!((2.0..4.0).contains(&median(mito.clone())), "{summary}");
        assert!(counts.iter().all(|c| (11_000.0..60_000.0).contains(c)), "{summary}");
        // Lots differ: the real ratio of the deepest to the shallowest of 12 is 2.6.
        let ratio = counts.iter().copied().fold(0.0, f64::max) / counts.iter().copied().fold(f64::INFINITY, f64::min);
        assert!((1.5..4.5).contains(&ratio), "{summary}");
        // Damaged cells are what quality control looks for: few counts, many of them mitochondrial.
        let damaged: Vec<_> =
            (0..dataset.n_cells()).filter(|&c| truth.damaged[c]).map(|c| measures(dataset.row(c))).collect();
        assert!(damaged.len() > 20);
        assert!(median(damaged.iter().map(|m| m.0).collect()) < 0.35 * median(counts));
        assert!(median(damaged.iter().map(|m| m.2).collect()) > 3.0 * median(mito));
        let doublets = truth.doublet.iter().filter(|d| **d).count() as f64 / dataset.n_cells() as f64;
        assert!((0.02..0.06).contains(&doublets), "{doublets}");
    }

    #[test]
    fn counts_have_negative_binomial_mean_and_variance() {
        // Without any other spread, a gene's variance over cells of one lot is mean + mean²/size.
        let params = SimulateParams {
            n_lots: 1,
            n_cells: 3000,
            n_genes: 2000,
            cells_spread: 0.0,
            depth_lot_spread: 0.0,
            depth_cell_spread: 0.0,
            doublet_rate: 0.0,
            damaged_rate: 0.0,
            ..Default::default()
        };
        let model = Model::new(&params);
        let sampler = sample::LotSampler::new(&model, 0);
        for (mean, size) in [(0.02, 3), (0.7, 5), (6.0, 8), (40.0, 4)] {
            let n = 40_000;
            let mut rng = crate::math::rng::stream(9, "test", size.into());
            let draws: Vec<f64> = (0..n).map(|_| f64::from(sampler.count(mean, size, &mut rng))).collect();
            let (m, v): (f64, f64) = {
                let m = draws.iter().sum::<f64>() / f64::from(n);
                (m, draws.iter().map(|x| (x - m).powi(2)).sum::<f64>() / f64::from(n - 1))
            };
            let expected = mean + mean * mean / f64::from(size);
            // Five standard errors of the mean; the variance of a variance is larger, 10 % is about four of its errors.
            assert!((m - mean).abs() < 5.0 * (expected / f64::from(n)).sqrt(), "{mean}: {m}");
            assert!((v / expected - 1.0).abs() < 0.1, "{mean}: {v} against {expected}");
            let zeros = draws.iter().filter(|x| **x == 0.0).count() as f64 / f64::from(n);
            let p0 = (1.0 + mean / f64::from(size)).powi(-(size as i32));
            assert!((zeros - p0).abs() < 5.0 * (p0 * (1.0 - p0) / f64::from(n)).sqrt() + 1e-9, "{mean}: {zeros} {p0}");
        }
    }

    #[test]
    fn the_potent_population_expresses_its_markers_and_drives_the_potency() {
        let params = SimulateParams { n_lots: 400, n_cells: 1, n_genes: 2000, ..Default::default() };
        let Simulated { dataset, truth } = simulate(&params).unwrap();
        let potency = dataset.sheet().column(&truth.readout).unwrap().numbers().unwrap();
        let share: Vec<f64> = truth.shares.iter().map(|s| s[truth.potent as usize]).collect();
        let r = pearson(&share, &potency);
        // 0.95 ± 4 standard errors of Fisher's z at n = 400.
        assert!((0.925..0.968).contains(&r), "{r}");
        let ido = dataset.sheet().column("ido_activity").unwrap().numbers().unwrap();
        assert!(pearson(&share, &ido).abs() < 0.2);

        let Simulated { dataset, truth } = simulate(&small()).unwrap();
        assert_eq!(truth.markers.len(), 10);
        assert_eq!(dataset.genes().symbols()[truth.markers[0] as usize], "LRRC75A");
        for &marker in &truth.markers {
            let mean = |potent: bool| {
                let cells: Vec<usize> = (0..dataset.n_cells())
                    .filter(|&c| {
                        (truth.population[c] == truth.potent) == potent && !truth.doublet[c] && !truth.damaged[c]
                    })
                    .collect();
                let sum: u32 =
                    cells.iter().map(|&c| dataset.row(c).iter().find(|e| e.0 == marker).map_or(0, |e| e.1)).sum();
                f64::from(sum) / cells.len() as f64
            };
            let fold = (mean(true) / mean(false)).log2();
            assert!((1.2..3.5).contains(&fold), "{marker}: {fold}");
        }
    }

    fn pearson(x: &[f64], y: &[f64]) -> f64 {
        let n = x.len() as f64;
        let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
        let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(a, b)| f(a - mx, b - my)).sum::<f64>();
        sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
    }

    #[test]
    fn bytes_depend_on_the_seed_and_not_on_threads() {
        let run = |threads: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| simulate(&SimulateParams { n_genes: 3000, seed, ..small() }).unwrap())
        };
        let one = run(1, 1);
        assert_eq!(one, run(2, 1));
        assert_ne!(one.dataset.lots()[0].counts, run(1, 2).dataset.lots()[0].counts);
    }

    #[test]
    fn tables_name_every_cell_and_the_summary_every_parameter() {
        let Simulated { dataset, truth } = simulate(&SimulateParams { n_genes: 2000, ..small() }).unwrap();
        assert_eq!(truth.cells_table(&dataset).n_rows(), dataset.n_cells());
        let shares = truth.shares_table(&dataset);
        assert_eq!(shares.n_rows(), 4 * 8);
        let summary: toml::Table = truth.summary_toml(&dataset).parse().unwrap();
        assert_eq!(summary["potent_population"].as_str(), Some("secretory"));
        assert_eq!(summary["markers"].as_array().unwrap().len(), 10);
        let parameters: SimulateParams = summary["parameters"].clone().try_into().unwrap();
        assert_eq!(parameters, truth.params);
    }

    #[test]
    fn degenerate_sizes_work_and_bad_parameters_are_named() {
        let tiny = SimulateParams { n_lots: 1, n_cells: 1, n_genes: 2000, n_unrelated: 0, ..Default::default() };
        assert_eq!(simulate(&tiny).unwrap().dataset.n_lots(), 1);
        for (bad, name) in [
            (SimulateParams { n_lots: 0, ..small() }, "simulate.n_lots"),
            (SimulateParams { n_genes: 100, ..small() }, "simulate.n_genes"),
            (SimulateParams { depth: f64::NAN, ..small() }, "simulate.depth"),
            (SimulateParams { potency_rho: 1.5, ..small() }, "simulate.potency_rho"),
            (SimulateParams { n_unrelated: 9, ..small() }, "simulate.n_unrelated"),
        ] {
            assert!(simulate(&bad).unwrap_err().to_string().contains(name));
        }
    }
}
