//! Plan: what so many lots can show.
//!
//! **Question.** How likely is a true association to be found with n lots, and how many lots are needed?
//!
//! **Method.** One cluster of K has a true share that explains ρ² of the readout. Counting m cells blurs the share: with mean s
//! and standard deviation σ between lots its reliability is λ = σ² / (σ² + (s(1 − s) − σ²) / m), and ρ becomes ρ√λ. Power of the
//! cluster alone, and after Bonferroni over the family, is exact for normal values: by Hotelling's distribution of r where both
//! sides are measured, by the non-central t where the lots form two groups or pairs. A block or covariate costs a degree of
//! freedom. Family-wise (max-T) power, and power of the verdict *supported* at fixed clusters, come from simulated lots: normal
//! shares that sum to one, so that any two correlate by −1 / (K − 1), and the limits of |r| from the same lots without
//! association. Where a design admits at most 5,040 orders, so that p goes in visible steps, simulated lots undergo the
//! permutation test itself, and power counts how often it finds. The smallest attainable p counts the orders that the design admits.
//!
//! **Shapes.** Parameters → one row per number of lots.
//!
//! **Beside other tools.** scanpy and Seurat have no such step. Power tables for cells (scPower and its kin) plan the finding of
//! expressed genes, not an association over lots.
//!
//! **References.** Hotelling 1953, doi:10.1111/j.2517-6161.1953.tb00135.x; Spearman 1904, doi:10.2307/1412159 (attenuation);
//! Westfall & Young 1993, ISBN 978-0-471-55761-6.

mod design;
mod permuted;
mod simulation;

use crate::data::{Column, Table};
use crate::error::{Error, Result};
use crate::math::power::{critical_r_of_df, noncentral_t_above, power_beyond};
use crate::steps::lots::VerdictParams;

pub use design::Design;
use design::Layout;
use permuted::{is_coarse, permuted};
use simulation::{Model, Simulated, simulated};

/// The largest study that is planned.
const MOST_LOTS: usize = 150;

/// Parameters of [`plan`].
#[derive(Debug, Clone, PartialEq)]
pub struct PlanParams {
    /// Lots of the planned study (pairs of lots with [`Design::Pairs`]), 4 to 150. Default 11.
    pub n_lots: usize,
    /// Power is computed from 4 lots to this number, at most 150. More finds how many lots a weak association needs, and takes
    /// time. Default 40.
    pub max_lots: usize,
    /// Clusters looked at, at least 1. More ask for stronger associations. Default 8.
    pub n_clusters: usize,
    /// Readouts that each cluster is set against, at least 1. Default 1.
    pub n_readouts: usize,
    /// True correlation between the share in the whole lot and the readout as measured, between 0 and 1. With two groups or
    /// pairs, the same in kind: its square is the part of the variance of the share that the difference explains. Default 0.7.
    pub rho: f64,
    /// Cells per lot that are clustered; 0 = so many that the share is exact. Default 1,000.
    pub n_cells: usize,
    /// Mean share of the cluster, 0..1; 0 = 1 / `n_clusters` (0.5 of a single one). Default 0.
    pub share: f64,
    /// Standard deviation of the true share between lots; 0 = half of the mean share. More makes counting matter less.
    /// Default 0.
    pub share_sd: f64,
    /// How lots are arranged. Default: a readout measured in each lot.
    pub design: Design,
    /// Lots per block (site, campaign), within which the readout is permuted; 0 = no blocks. Default 0.
    pub block_size: usize,
    /// Covariates held constant (Freedman–Lane). Default 0.
    pub n_covariates: usize,
    /// Power that the number of lots needed is given for, between 0 and 1. Default 0.8, by custom.
    pub power: f64,
    /// Simulated studies per number of lots, at least 100. More make curves smoother and take time. Default 10,000: power is
    /// then good to ±0.01.
    pub n_simulations: usize,
}

impl Default for PlanParams {
    fn default() -> Self {
        Self {
            n_lots: 11,
            max_lots: 40,
            n_clusters: 8,
            n_readouts: 1,
            rho: 0.7,
            n_cells: 1_000,
            share: 0.0,
            share_sd: 0.0,
            design: Design::Measured,
            block_size: 0,
            n_covariates: 0,
            power: 0.8,
            n_simulations: 10_000,
        }
    }
}

impl PlanParams {
    fn check(&self) -> Result<()> {
        let bad = |name: &'static str, value: &dyn std::fmt::Display, expected: &'static str| {
            Err(Error::param(name, value, expected))
        };
        if !(4..=MOST_LOTS).contains(&self.n_lots) {
            return bad("plan.n_lots", &self.n_lots, "from 4 to 150");
        }
        if !(4..=MOST_LOTS).contains(&self.max_lots) {
            return bad("plan.max_lots", &self.max_lots, "from 4 to 150");
        }
        if !(1..=1_000).contains(&self.n_clusters) {
            return bad("plan.n_clusters", &self.n_clusters, "from 1 to 1000");
        }
        if !(1..=100).contains(&self.n_readouts) {
            return bad("plan.n_readouts", &self.n_readouts, "from 1 to 100");
        }
        for (name, value) in [("plan.rho", self.rho), ("plan.power", self.power)] {
            if !(value > 0.0 && value < 1.0) {
                return bad(name, &value, "a number between 0 and 1");
            }
        }
        if !(0.0..1.0).contains(&self.share) {
            return bad("plan.share", &self.share, "a number from 0 (even shares) to below 1");
        }
        let (share, sd) = (self.mean_share(), self.sd_of_share());
        if !(sd > 0.0 && sd * sd < share * (1.0 - share)) {
            return bad(
                "plan.share_sd",
                &self.share_sd,
                "0 (half of the share), or above 0 and below √(share · (1 − share))",
            );
        }
        if self.block_size == 1 {
            return bad(
                "plan.block_size",
                &self.block_size,
                "0 (no blocks) or at least 2: a single lot can't be permuted",
            );
        }
        if self.n_covariates > 20 {
            return bad("plan.n_covariates", &self.n_covariates, "at most 20");
        }
        if self.design == Design::Pairs && (self.block_size > 0 || self.n_covariates > 0 || self.n_readouts > 1) {
            return Err(Error::param(
                "plan.design",
                "pairs",
                "no blocks, no covariates and one readout: a pair is a block of two, and its readout is which of the two it is",
            ));
        }
        if !(100..=1_000_000).contains(&self.n_simulations) {
            return bad("plan.n_simulations", &self.n_simulations, "from 100 to 1000000");
        }
        Ok(())
    }

    /// Mean share of the cluster, the default filled in.
    pub fn mean_share(&self) -> f64 {
        let even = if self.n_clusters == 1 { 0.5 } else { 1.0 / self.n_clusters as f64 };
        if self.share == 0.0 { even } else { self.share }
    }

    /// Standard deviation of the true share between lots, the default filled in.
    pub fn sd_of_share(&self) -> f64 {
        if self.share_sd == 0.0 { 0.5 * self.mean_share() } else { self.share_sd }
    }

    /// Part of the variance of the counted share that is of the true one, 0..1.
    pub fn reliability(&self) -> f64 {
        if self.n_cells == 0 { 1.0 } else { 1.0 / (1.0 + self.noise_of_one_cell() / self.n_cells as f64) }
    }

    /// Cells per lot at which the correlation loses a twentieth to counting.
    pub fn enough_cells(&self) -> usize {
        let reliability: f64 = 0.95 * 0.95;
        (self.noise_of_one_cell() * reliability / (1.0 - reliability)).ceil() as usize
    }

    /// Variance of the share counted on one cell, in units of the variance between lots.
    fn noise_of_one_cell(&self) -> f64 {
        let (share, variance) = (self.mean_share(), self.sd_of_share().powi(2));
        (share * (1.0 - share) - variance) / variance
    }
}

/// What a number of lots can show. Where a design leaves too few lots, |r| is NaN and power 0.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRow {
    /// Lots, or pairs of lots.
    pub n_lots: usize,
    /// Orders (or assignments, or signs) that the design admits.
    pub n_orders: f64,
    /// Smallest attainable p, of a cluster alone and family-wise.
    pub smallest_p: f64,
    /// |r| needed by a cluster looked at alone.
    pub r_alone: f64,
    /// |r| needed after Bonferroni.
    pub r_bonferroni: f64,
    /// |r| needed by max-T over the family; simulated.
    pub r_family: f64,
    /// Powers come from the permutation test of simulated lots (few orders), not from formulas and limits of |r|.
    pub permuted: bool,
    /// Power of the cluster looked at alone; exact for normal values unless `permuted`.
    pub power_alone: f64,
    /// Power after Bonferroni; exact for normal values unless `permuted`.
    pub power_bonferroni: f64,
    /// Power of max-T over the family; simulated.
    pub power_family: f64,
    /// Power of the verdict *supported* at fixed clusters; simulated.
    pub power_supported: f64,
}

/// Smallest numbers of lots from which on the power is reached; `None` if more than the largest computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// For a cluster looked at alone.
    pub alone: Option<usize>,
    /// After Bonferroni.
    pub bonferroni: Option<usize>,
    /// For max-T over the family.
    pub family: Option<usize>,
    /// For the verdict *supported*.
    pub supported: Option<usize>,
}

/// Result of [`plan`].
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What was asked.
    pub params: PlanParams,
    /// Error level.
    pub alpha: f64,
    /// Correlation of the counted share with the readout.
    pub rho_counted: f64,
    /// One row per number of lots, rising from 4.
    pub rows: Vec<PlanRow>,
    /// The row of the planned study.
    pub planned: PlanRow,
    /// Lots needed.
    pub needed: Needed,
    /// For the planned number of lots: true ρ, power of a cluster alone, and family-wise.
    pub by_rho: Vec<(f64, f64, f64)>,
}

impl Plan {
    /// One row per number of lots (`power.csv`).
    pub fn table(&self) -> Table {
        let column = |value: fn(&PlanRow) -> f64| Column::Float(self.rows.iter().map(value).collect());
        Table::new()
            .with("n_lots", Column::Integer(self.rows.iter().map(|row| row.n_lots as i64).collect()))
            .with("n_orders", column(|row| row.n_orders))
            .with("smallest_p", column(|row| row.smallest_p))
            .with("r_alone", column(|row| row.r_alone))
            .with("r_bonferroni", column(|row| row.r_bonferroni))
            .with("r_family", column(|row| row.r_family))
            .with("power_alone", column(|row| row.power_alone))
            .with("power_bonferroni", column(|row| row.power_bonferroni))
            .with("power_family", column(|row| row.power_family))
            .with("power_supported", column(|row| row.power_supported))
            .with("permuted", Column::Bool(self.rows.iter().map(|row| row.permuted).collect()))
    }
}

/// Power for every number of lots from 4 to `max_lots` (or `n_lots`, if that is more).
///
/// # Errors
/// A parameter is out of range, or parameters contradict each other.
pub fn plan(params: &PlanParams, verdict: &VerdictParams, seed: u64) -> Result<Plan> {
    params.check()?;
    verdict.check()?;
    let rho_counted = params.rho * params.reliability().sqrt();
    let layout = |n_lots| Layout::new(n_lots, params.design, params.block_size, params.n_covariates);
    let model = Model {
        n_clusters: params.n_clusters,
        n_readouts: params.n_readouts,
        rho: rho_counted,
        max_dominance: verdict.max_dominance,
        n_simulations: params.n_simulations,
        seed,
    };
    let most = params.max_lots.max(params.n_lots);
    // Without a lot of the smallest study, three are left.
    let mut before: Option<Simulated> = Some(simulated(&layout(3), &model));
    let mut rows = Vec::new();
    for n_lots in 4..=most {
        let layout = layout(n_lots);
        let now = simulated(&layout, &model);
        rows.push(row(&layout, &model, verdict.alpha, &now, before.as_ref()));
        before = Some(now);
    }
    let planned = rows[params.n_lots - 4].clone();
    let reached = |power: fn(&PlanRow) -> f64| {
        // Chance may lift a row over the line before its time: all later ones must be there too.
        let below = rows.iter().rposition(|row| power(row) < params.power);
        rows.get(below.map_or(0, |i| i + 1)).map(|row| row.n_lots)
    };
    let needed = Needed {
        alone: reached(|row| row.power_alone),
        bonferroni: reached(|row| row.power_bonferroni),
        family: reached(|row| row.power_family),
        supported: reached(|row| row.power_supported),
    };
    let layout = layout(params.n_lots);
    let by_rho = (3..=9).map(|tenth| {
        let rho = f64::from(tenth) / 10.0;
        let counted = rho * params.reliability().sqrt();
        if planned.permuted {
            let power = permuted(&layout, &Model { rho: counted, ..model.clone() }, verdict.alpha);
            return (rho, power.alone, power.family);
        }
        let at = |limit| exact_power(&layout, counted, limit, planned.smallest_p, verdict.alpha);
        (rho, at(planned.r_alone), at(planned.r_family))
    });
    let by_rho = by_rho.collect();
    Ok(Plan { params: params.clone(), alpha: verdict.alpha, rho_counted, rows, planned, needed, by_rho })
}

fn row(layout: &Layout, model: &Model, alpha: f64, now: &Simulated, before: Option<&Simulated>) -> PlanRow {
    let smallest_p = layout.smallest_p();
    let df = layout.degrees_of_freedom();
    let n_tests = (model.n_clusters * model.n_readouts) as f64;
    let r_alone = critical_r_of_df(df, alpha);
    let r_bonferroni = critical_r_of_df(df, alpha / n_tests);
    let r_family = now.critical(alpha);
    let (mut power_family, mut power_supported) = (0.0, 0.0);
    if smallest_p <= alpha && r_family.is_finite() {
        power_family = now.share_of_studies(|study| study.r.abs() >= r_family);
        let alone_without = critical_r_of_df(df - 1.0, alpha);
        let family_without = before.map_or(f64::NAN, |b| b.critical(alpha));
        power_supported = now.share_of_studies(|study| {
            study.r.abs() >= r_family
                && study.weakest_without >= alone_without
                && (study.weakest_without_dominant.is_infinite() || study.weakest_without_dominant >= family_without)
        });
    }
    let row = PlanRow {
        n_lots: layout.n_lots,
        n_orders: layout.n_orders(),
        smallest_p,
        r_alone,
        r_bonferroni,
        r_family,
        permuted: false,
        power_alone: exact_power(layout, model.rho, r_alone, smallest_p, alpha),
        power_bonferroni: exact_power(layout, model.rho, r_bonferroni, smallest_p, alpha),
        power_family,
        power_supported,
    };
    if !is_coarse(layout, model) {
        return row;
    }
    let power = permuted(layout, model, alpha);
    PlanRow {
        permuted: true,
        power_alone: power.alone,
        power_bonferroni: power.bonferroni,
        power_family: power.family,
        power_supported: power.supported,
        ..row
    }
}

/// The chance that |r| exceeds `limit`, for normal values; 0 where no order can reach the level.
fn exact_power(layout: &Layout, rho: f64, limit: f64, smallest_p: f64, alpha: f64) -> f64 {
    let df = layout.degrees_of_freedom();
    if smallest_p > alpha || !limit.is_finite() {
        return 0.0;
    }
    if layout.design == Design::Measured {
        // A degree of freedom lost is a lot lost (Fisher 1924).
        return power_beyond(limit, df as usize + 2, rho);
    }
    let t = limit * (df / (1.0 - limit * limit)).sqrt();
    let shift = rho / (1.0 - rho * rho).sqrt() * layout.free_variation().sqrt();
    noncentral_t_above(t, df, shift) + noncentral_t_above(t, df, -shift)
}

#[cfg(test)]
mod tests;
