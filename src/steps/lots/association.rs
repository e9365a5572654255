//! Association of each column of a lots × columns table with a readout.
//!
//! **Question.** Which cluster's share tracks the potency over the lots, and can that be told from chance?
//!
//! **Method.** Pearson's r (effect first) with its Fisher-z interval, Spearman's ρ, the least-squares line, the range of r
//! when each lot is left out. Two-sided p: the share of orders of the readout over the lots with |r| at least as large,
//! from all n! orders up to `max_exact_lots`, else from random ones as (b + 1) / (m + 1). Family-wise p over all columns:
//! step-down max-T on the same orders. Benjamini–Hochberg q of the p of each column alone.
//!
//! **Shapes.** Lots × columns and one value per lot → one row per column. Lots that lack the readout, or a value of any
//! column, take no part in any row, so that all rows share their lots and one family of orders.
//!
//! **Beside other tools.** scanpy and Seurat have no such step. A test on cells would count each lot thousands of times.
//!
//! **References.** Westfall & Young 1993, ISBN 978-0-471-55761-6; Phipson & Smyth 2010, doi:10.2202/1544-6115.1585;
//! Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x; Fisher 1921 (z transformation).

use serde::{Deserialize, Serialize};

use super::influence::without_each;
use crate::data::LotTable;
use crate::error::{Error, Result};
use crate::math::correlation::{line, pearson, spearman};
use crate::math::family::Family;
use crate::math::intervals::fisher_z;
use crate::math::max_t::{step_down, weighted_max};
use crate::math::multiple_testing::benjamini_hochberg;
use crate::math::permutations::Orders;
use crate::math::smallest_p::smallest_p;
use crate::warning::Warning;

/// Parameters of [`association`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssociationParams {
    /// All orders are walked up to this number of lots, at most 12. Default 11: its 39.9 million orders take less than a
    /// second, and each further lot multiplies that by the number of lots.
    pub max_exact_lots: usize,
    /// Random orders above that, at least 99. More make p steadier. Default 100,000: p near 0.05 is then good to ±0.0014.
    pub n_permutations: usize,
    /// Level of the intervals of r, between 0 and 1. Default 0.95, by custom.
    pub level: f64,
}

impl Default for AssociationParams {
    fn default() -> Self {
        Self { max_exact_lots: 11, n_permutations: 100_000, level: 0.95 }
    }
}

impl AssociationParams {
    fn check(&self) -> Result<()> {
        if self.max_exact_lots > 12 {
            return Err(Error::param(
                "association.max_exact_lots",
                self.max_exact_lots,
                "at most 12 (13 lots have 6 billion orders)",
            ));
        }
        if self.n_permutations < 99 {
            return Err(Error::param("association.n_permutations", self.n_permutations, "at least 99"));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::param("association.level", self.level, "a number between 0 and 1"));
        }
        Ok(())
    }
}

/// One column against the readout. Where the column or the readout is constant, r and what follows from it is NaN and p is 1.
#[derive(Debug, Clone, PartialEq)]
pub struct AssociationRow {
    /// Name of the column (cluster).
    pub column: String,
    /// Lots that take part; the same in all rows.
    pub n_lots: usize,
    /// Pearson correlation.
    pub r: f64,
    /// Spearman correlation.
    pub rho: f64,
    /// Two-sided permutation p of r alone.
    pub p_exact: f64,
    /// Family-wise permutation p over all columns (max-T, step-down).
    pub p_family: f64,
    /// Benjamini–Hochberg q of `p_exact`.
    pub q: f64,
    /// Lower Fisher-z limit of r.
    pub ci_low: f64,
    /// Upper Fisher-z limit of r.
    pub ci_high: f64,
    /// Smallest r when one lot is left out; NaN with fewer than four lots.
    pub loo_min: f64,
    /// Largest r when one lot is left out; NaN with fewer than four lots.
    pub loo_max: f64,
    /// Lot whose absence changes r most, one without which r is undefined first of all; empty with fewer than four lots.
    pub most_influential: String,
    /// Slope of the least-squares line readout = intercept + slope · column.
    pub slope: f64,
    /// Intercept of that line.
    pub intercept: f64,
}

/// Result of [`association`].
#[derive(Debug, Clone, PartialEq)]
pub struct Association {
    /// The readout.
    pub readout: String,
    /// Value per lot; NaN = missing.
    pub values: Vec<f64>,
    /// One row per column, in the table's order.
    pub rows: Vec<AssociationRow>,
    /// All orders were walked (true) or random ones drawn.
    pub exact: bool,
    /// Orders looked at, the given one included.
    pub n_permutations: u64,
    /// Smallest two-sided p that any column can reach with these lots, whatever the order of the readout: 1 / n! where one
    /// order is best, 2 / n! where the values are symmetric about their mean, more with ties; with m random orders not
    /// below 1 / (m + 1).
    pub smallest_p: f64,
    /// Missing values, too few lots.
    pub warnings: Vec<Warning>,
    /// The columns and the readout of the lots that take part.
    family: Family,
    /// The orders looked at.
    orders: Orders,
}

impl Association {
    /// For each score, the share of orders in which the largest `weight · |r|` over the columns (one weight each, ≥ 0)
    /// reaches it: the family-wise p of a score built as weight × |r|, on the orders of the association.
    pub fn p_of_weighted_max(&self, weights: &[f64], scores: &[f64]) -> Vec<f64> {
        weighted_max(&self.family, self.orders, weights, scores)
    }
}

/// Associates every column of `table` with a readout (one value per lot, NaN = missing).
///
/// # Errors
/// - a parameter is out of range
/// - the readout has another number of values than lots, or a value is infinite
/// - fewer than three lots have all values
pub fn association(
    table: &LotTable,
    readout: &str,
    values: &[f64],
    params: &AssociationParams,
    seed: u64,
) -> Result<Association> {
    params.check()?;
    check_values(table, readout, values)?;
    let mut warnings = Vec::new();
    let lots = complete_lots(table, readout, values, &mut warnings);
    let n_lots = lots.len();
    if n_lots < 3 {
        return Err(Error::TooFew {
            what: format!("lots with a value of {readout} and cells"),
            have: n_lots,
            need: 3,
            cure: "give more lots, or fill in the readout in the lot sheet".into(),
        });
    }
    let y: Vec<f64> = lots.iter().map(|&lot| values[lot]).collect();
    let columns: Vec<Vec<f64>> =
        (0..table.n_columns()).map(|k| lots.iter().map(|&lot| table.values[[lot, k]]).collect()).collect();

    let exact = n_lots <= params.max_exact_lots;
    let orders = if exact { Orders::All } else { Orders::Random { n: params.n_permutations as u64, seed } };
    let family = Family::new(&columns, &y);
    let p = step_down(&family, orders);
    let q = benjamini_hochberg(&p.alone);

    let n_permutations = orders.count(&family);
    let attainable = smallest_p(&family);
    let smallest_p = if exact { attainable } else { attainable.max(1.0 / n_permutations as f64) };

    let row = |(k, x): (usize, &Vec<f64>)| {
        let r = pearson(x, &y);
        let (ci_low, ci_high) = fisher_z(r, n_lots, params.level);
        let (slope, intercept) = line(x, &y);
        let without = without_each(x, &y);
        AssociationRow {
            column: table.columns[k].clone(),
            n_lots,
            r,
            rho: spearman(x, &y),
            p_exact: p.alone[k],
            p_family: p.family[k],
            q: q[k],
            ci_low,
            ci_high,
            loo_min: without.iter().copied().fold(f64::NAN, f64::min),
            loo_max: without.iter().copied().fold(f64::NAN, f64::max),
            most_influential: most_influential(r, &without).map_or(String::new(), |i| table.lots[lots[i]].clone()),
            slope,
            intercept,
        }
    };
    let rows = columns.iter().enumerate().map(row).collect();
    Ok(Association {
        readout: readout.into(),
        values: values.to_vec(),
        rows,
        exact,
        n_permutations,
        smallest_p,
        warnings,
        family,
        orders,
    })
}

fn check_values(table: &LotTable, readout: &str, values: &[f64]) -> Result<()> {
    if values.len() != table.n_lots() {
        return Err(Error::input(
            format!("{readout} has {} values for {} lots", values.len(), table.n_lots()),
            "give one value per lot, NaN where it is missing",
        ));
    }
    let infinite = (0..table.n_lots())
        .find(|&lot| values[lot].is_infinite() || table.values.row(lot).iter().any(|v| v.is_infinite()));
    match infinite {
        Some(lot) => Err(Error::input(
            format!("lot {} has an infinite value in the association with {readout}", table.lots[lot]),
            "give finite numbers, or leave the value out",
        )),
        None => Ok(()),
    }
}

/// Lots with a readout and a value in every column; the others are told of.
fn complete_lots(table: &LotTable, readout: &str, values: &[f64], warnings: &mut Vec<Warning>) -> Vec<usize> {
    let name = |lot: usize| table.lots[lot].clone();
    let missing: Vec<String> = (0..values.len()).filter(|&lot| values[lot].is_nan()).map(name).collect();
    if !missing.is_empty() {
        warnings.push(Warning::ReadoutMissing { readout: readout.into(), lots: missing });
    }
    let mut lots = Vec::new();
    for lot in (0..values.len()).filter(|&lot| !values[lot].is_nan()) {
        match table.values.row(lot).iter().position(|v| v.is_nan()) {
            None => lots.push(lot),
            Some(column) => warnings.push(Warning::LotLeftOut {
                lot: name(lot),
                step: format!("the association with {readout}"),
                cause: format!("it has no value in column {}", table.columns[column]),
            }),
        }
    }
    lots
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
