//! Association of each column of a lots × columns table with a readout.
//!
//! **Question.** Which cluster's share tracks the potency over the lots, and can that be told from chance?
//!
//! **Method.** Pearson's r and Spearman's ρ; the one that is tested (`statistic`) with its interval (Fisher z; Bonett & Wright
//! for ρ) and its range when each lot is left out; the least-squares line. p: the share of admissible orders of the readout
//! in which the correlation is at least as large, from all orders where there are no more than `max_exact_lots` lots have,
//! else from random ones as (b + 1) / (m + 1). Family-wise p over all columns: step-down max-T on the same orders.
//! Benjamini–Hochberg q of the p of each column alone. Blocks and covariates are taken out of both sides, so that
//! correlations are partial ones, and residuals are permuted within blocks ([`crate::math::design`]).
//! What may be said of it all is [`mod@super::verdict`].
//!
//! **Shapes.** Lots × columns and one value per lot → one row per column. Lots that lack the readout, or a value of any
//! column, take no part in any row, so that all rows share their lots and one family of orders.
//!
//! **Beside other tools.** scanpy and Seurat have no such step. A test on cells would count each lot thousands of times.
//!
//! **References.** Westfall & Young 1993, ISBN 978-0-471-55761-6; Phipson & Smyth 2010, doi:10.2202/1544-6115.1585;
//! Freedman & Lane 1983, doi:10.1080/07350015.1983.10509354; Benjamini & Hochberg 1995,
//! doi:10.1111/j.2517-6161.1995.tb02031.x; Fisher 1921 (z transformation); Bonett & Wright 2000, doi:10.1007/BF02294183.

mod params;
mod rows;
mod side;
mod summary;
mod together;

pub use params::{Alternative, AssociationParams, Statistic};
pub use summary::DesignSummary;
pub use together::{Asked, p_over_readouts};

use rows::{check_values, complete_rows, too_few};
use side::Side;

use super::units::Units;
use crate::data::LotTable;
use crate::error::Result;
use crate::math::correlation::line;
use crate::math::family::Family;
use crate::math::intervals::{bonett_wright, fisher_z};
use crate::math::max_t::{step_down_watched, weighted_max};
use crate::math::multiple_testing::benjamini_hochberg;
use crate::math::permutations::Orders;
use crate::math::smallest_p::smallest_p;
use crate::progress::{Progress, Silent};
use crate::warning::Warning;

/// One column against the readout. Where the column or the readout is constant, r and what follows from it is NaN and p is 1.
#[derive(Debug, Clone, PartialEq)]
pub struct AssociationRow {
    /// Name of the column (cluster).
    pub column: String,
    /// Lots that take part; the same in all rows.
    pub n_lots: usize,
    /// Independent units among them (donors, where donors repeat); the same in all rows.
    pub n_units: usize,
    /// Pearson correlation; partial if there are blocks or covariates, weighted if there are weights. NaN where only the ranks
    /// of the readout are known; so are slope and intercept.
    pub r: f64,
    /// Spearman correlation; likewise.
    pub rho: f64,
    /// The one of the two that is tested.
    pub effect: f64,
    /// Permutation p of that alone.
    pub p_exact: f64,
    /// Family-wise permutation p over all columns (max-T, step-down).
    pub p_family: f64,
    /// Family-wise p over all columns and all readouts that were ranked together ([`p_over_readouts`]); `p_family` where this
    /// is the only one.
    pub p_family_all: f64,
    /// Benjamini–Hochberg q of `p_exact`.
    pub q: f64,
    /// Lower limit of the effect.
    pub ci_low: f64,
    /// Upper limit of the effect.
    pub ci_high: f64,
    /// Smallest effect when one lot is left out; NaN with fewer than four lots.
    pub loo_min: f64,
    /// Largest effect when one lot is left out; NaN with fewer than four lots.
    pub loo_max: f64,
    /// Lot whose absence changes the effect most, one without which it is undefined first of all; empty with fewer than four
    /// lots.
    pub most_influential: String,
    /// Slope of the least-squares line readout = intercept + slope · column.
    pub slope: f64,
    /// Intercept of that line.
    pub intercept: f64,
    /// Units less the degrees of freedom that blocks and covariates take: what an interval counts.
    pub n_effective: usize,
    /// The effect is Spearman's.
    pub ranks: bool,
}

impl AssociationRow {
    /// Interval of the effect at a level between 0 and 1.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        if self.ranks {
            bonett_wright(self.effect, self.n_effective, level)
        } else {
            fisher_z(self.effect, self.n_effective, level)
        }
    }
}

/// Result of [`association`].
#[derive(Debug, Clone, PartialEq)]
pub struct Association {
    /// The readout.
    pub readout: String,
    /// Value per row of the table; NaN = missing.
    pub values: Vec<f64>,
    /// One row per column, in the table's order.
    pub rows: Vec<AssociationRow>,
    /// All admissible orders were looked at (true) or random ones drawn.
    pub exact: bool,
    /// Orders looked at, the given one included. Where the readout has ties, orders that differ.
    pub n_permutations: u64,
    /// Smallest p that any column can reach with these lots and this design, whatever the order of the readout: 1 over the
    /// number of orders where one order is best, 2 over it where the values are symmetric about their mean, more with ties;
    /// with m random orders not below 1 / (m + 1).
    pub smallest_p: f64,
    /// What was compared, and how.
    pub design: DesignSummary,
    /// Columns × rows of the table: a row's part of the variation of the column or of the readout, whichever is larger, on
    /// the scale that is tested (ranks, weights, blocks and covariates taken out); NaN where a row takes no part or a side
    /// is constant.
    pub dominance: Vec<Vec<f64>>,
    /// Missing values, too few lots.
    pub warnings: Vec<Warning>,
    /// The columns and the readout of the lots that take part.
    family: Family,
    /// The orders looked at.
    orders: Orders,
}

impl Association {
    /// For each score, the share of orders in which the largest `weight · strength` over the columns (one weight each, ≥ 0)
    /// reaches it: the family-wise p of a score built as weight × strength, on the orders of the association.
    pub fn p_of_weighted_max(&self, weights: &[f64], scores: &[f64]) -> Vec<f64> {
        weighted_max(&self.family, self.orders, weights, scores)
    }

    /// Strength of each column on the side that is asked about, 0 and above: |effect| if either side counts.
    pub fn strengths(&self) -> Vec<f64> {
        self.rows.iter().map(|row| self.design.alternative.strength(row.effect)).collect()
    }
}

/// A readout as it is associated: one entry per row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Name.
    pub name: &'a str,
    /// Values; NaN = missing.
    pub values: &'a [f64],
    /// Weights, ≥ 0; `None` = all the same.
    pub weights: Option<&'a [f64]>,
    /// Only the ranks are known, so Spearman's correlation is tested whatever the parameters say.
    pub ranks_only: bool,
}

/// Associates every column of `table` with a readout (one value per lot, NaN = missing), every lot being a unit.
///
/// # Errors
/// As [`association_of`].
pub fn association(
    table: &LotTable,
    readout: &str,
    values: &[f64],
    params: &AssociationParams,
    seed: u64,
) -> Result<Association> {
    let observed = Observed { name: readout, values, weights: None, ranks_only: false };
    association_of(table, observed, &Units::free(&table.lots), params, seed, &Silent)
}

/// Associates every column of `table`, one row per unit, with a readout.
///
/// # Errors
/// - a parameter is out of range
/// - the readout has another number of values than rows, or a value is infinite
/// - fewer than three rows have all values, or blocks and covariates leave fewer than three degrees of freedom
pub fn association_of(
    table: &LotTable,
    observed: Observed<'_>,
    units: &Units,
    params: &AssociationParams,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Association> {
    params.check()?;
    let Observed { name: readout, values, .. } = observed;
    check_values(table, readout, values)?;
    assert_eq!(units.names.len(), table.n_lots(), "one row per unit");
    let mut warnings = Vec::new();
    let Prepared { kept, columns, y, weights, statistic, plain, ranked } =
        Prepared::new(table, observed, units, params, &mut warnings);
    let tested = if statistic == Statistic::Pearson { &plain } else { &ranked };
    let design = &tested.design;
    let (n_rows, n_left) = (kept.len(), kept.len().saturating_sub(design.n_taken()));
    if n_left < 3 {
        return Err(too_few(readout, n_rows, n_left, units));
    }

    let tail = params.alternative.tail();
    let family = tested.family(tail);
    let exact = Orders::All.count(&family) as f64 <= (1..=params.max_exact_lots).map(|i| i as f64).product();
    let orders = if exact { Orders::All } else { Orders::Random { n: params.n_permutations as u64, seed } };
    let n_permutations = orders.count(&family);
    progress.start("association", n_permutations);
    let p = step_down_watched(&family, orders, &|seen| progress.advance(seen));
    progress.finish("association", &format!("{} orders", n_permutations));
    let q = benjamini_hochberg(&p.alone);
    let attainable = smallest_p(&family);
    let smallest_p = if exact { attainable } else { attainable.max(1.0 / n_permutations as f64) };

    let (mut r, rho, effects) = (plain.effects(), ranked.effects(), tested.effects());
    if observed.ranks_only {
        r.fill(f64::NAN);
    }
    let without = tested.without_each();
    let on_all_rows = |of_kept: Vec<f64>| {
        let mut all = vec![f64::NAN; table.n_lots()];
        kept.iter().zip(of_kept).for_each(|(&row, part)| all[row] = part);
        all
    };
    let dominance = tested.dominance().into_iter().map(on_all_rows).collect();
    let n_lots = kept.iter().map(|&row| units.lots[row].len()).sum();
    let paired = !units.block.is_empty() && units.block == units.column;
    let n_effective = weights.as_deref().map_or(n_rows, kish).saturating_sub(design.n_taken());
    let row = |(k, x): (usize, &Vec<f64>)| {
        let (slope, intercept) = if observed.ranks_only { (f64::NAN, f64::NAN) } else { line(x, &y) };
        let without: Vec<f64> = without.iter().map(|effects| effects[k]).collect();
        let mut row = AssociationRow {
            column: table.columns[k].clone(),
            n_lots,
            n_units: if paired { design.n_blocks() } else { n_rows },
            r: r[k],
            rho: rho[k],
            effect: effects[k],
            p_exact: p.alone[k],
            p_family: p.family[k],
            p_family_all: p.family[k],
            q: q[k],
            ci_low: f64::NAN,
            ci_high: f64::NAN,
            loo_min: without.iter().copied().fold(f64::NAN, f64::min),
            loo_max: without.iter().copied().fold(f64::NAN, f64::max),
            most_influential: most_influential(effects[k], &without)
                .map_or(String::new(), |i| table.lots[kept[i]].clone()),
            slope,
            intercept,
            n_effective,
            ranks: statistic == Statistic::Spearman,
        };
        (row.ci_low, row.ci_high) = row.interval(params.level);
        row
    };
    Ok(Association {
        readout: readout.into(),
        values: values.to_vec(),
        rows: columns.iter().enumerate().map(row).collect(),
        exact,
        n_permutations,
        smallest_p,
        design: DesignSummary {
            statistic,
            alternative: params.alternative,
            unit: units.column.clone(),
            n_units: if paired { design.n_blocks() } else { n_rows },
            block: units.block.clone(),
            n_blocks: design.n_blocks(),
            covariates: units.covariates.clone(),
            weighted: weights.is_some(),
            n_orders: family.exchange().count(),
        },
        dominance,
        warnings,
        family,
        orders,
    })
}

/// The correlation that would be tested, of every column of `table`, without its test; NaN where it is not defined or too
/// few rows are left.
pub fn effects_of(table: &LotTable, observed: Observed<'_>, units: &Units, params: &AssociationParams) -> Vec<f64> {
    assert_eq!((units.names.len(), observed.values.len()), (table.n_lots(), table.n_lots()), "one row per unit");
    let prepared = Prepared::new(table, observed, units, params, &mut Vec::new());
    let tested = if prepared.statistic == Statistic::Pearson { prepared.plain } else { prepared.ranked };
    let enough = prepared.kept.len() >= 3 + tested.design.n_taken();
    if enough { tested.effects() } else { vec![f64::NAN; table.n_columns()] }
}

/// What takes part, as either statistic sees it.
struct Prepared {
    kept: Vec<usize>,
    columns: Vec<Vec<f64>>,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    statistic: Statistic,
    plain: Side,
    ranked: Side,
}

impl Prepared {
    fn new(
        table: &LotTable,
        observed: Observed<'_>,
        units: &Units,
        params: &AssociationParams,
        warnings: &mut Vec<Warning>,
    ) -> Self {
        let kept = complete_rows(table, observed, units, warnings);
        let statistic = if observed.ranks_only { Statistic::Spearman } else { params.statistic };
        let pick = |values: &[f64]| kept.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let y = pick(observed.values);
        let columns: Vec<Vec<f64>> = table.values.columns().into_iter().map(|c| pick(&c.to_vec())).collect();
        let covariates: Vec<Vec<f64>> = units.covariate_columns.iter().map(|c| pick(c)).collect();
        let (blocks, strata) = units.exchange(&kept);
        let mut weights = observed.weights.map(pick);
        if weights.is_some() && !covariates.is_empty() {
            weights = None;
            warnings.push(Warning::WeightsNotUsed { readout: observed.name.into() });
        }
        let side = |statistic| Side::new(statistic, &columns, &y, weights.as_deref(), &blocks, &strata, &covariates);
        let (plain, ranked) = (side(Statistic::Pearson), side(Statistic::Spearman));
        Self { kept, columns, y, weights, statistic, plain, ranked }
    }
}

/// As many equally weighted observations are as precise as these (Kish 1965), rounded down.
fn kish(weights: &[f64]) -> usize {
    let (sum, squares) = weights.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
    (sum * sum / squares + 1e-9) as usize
}

/// The first lot without which r is undefined, else the first whose absence changes it most.
fn most_influential(r: f64, without: &[f64]) -> Option<usize> {
    if r.is_nan() || without.iter().all(|w| w.is_nan()) {
        return None;
    }
    let change = |i: usize| if without[i].is_nan() { f64::INFINITY } else { (without[i] - r).abs() };
    (0..without.len()).reduce(|best, i| if change(i) > change(best) { i } else { best })
}

#[cfg(test)]
mod tests;
