//! Confounding: what else goes with the readout, and with the clusters' shares.
//!
//! **Question.** Could depth, cell quality, dividing cells or a condition of manufacture pose as potency?
//!
//! **Method.** Each covariate (one number per lot: quality measures, numeric columns of the sheet, text columns of two
//! values as 0 and 1) is correlated with the readout and with each cluster's share (Pearson, exact permutation p over lots
//! up to 12, random orders above). A text column of more values is a division into groups: its correlation ratio η is the root
//! of the share of the variance that lies between them (η²), and its p the share of orders of the groups over lots in which η is
//! as large. Columns that name each lot can't be told from the lot and are left out. The partial correlation of share and
//! readout given the covariate is that of what it leaves of both; for one number
//! `(r − r_sc r_yc) / √((1 − r_sc²)(1 − r_yc²))`, with the p of Student's t on n − 3 degrees of freedom, one less for each
//! further group. All is done as in the association: units, within blocks, freed from its covariates, and on ranks where
//! ranks are tested.
//!
//! Two warnings. The readout cannot be told apart from a covariate: |r| of the two is at least `collinear` with p ≤ α. A
//! cluster cannot be told apart: its share goes with the readout (p ≤ α), both go with the covariate (p ≤ α each), and
//! given the covariate nothing is left (p > α, or undefined since one is a copy of the other). These p are alone, not
//! family-wise: a guard should rather speak too often.
//!
//! **Shapes.** Lots × covariates, lots × clusters, one value per lot → one row per covariate and cluster. Each row has the
//! lots that have all three.
//!
//! **Beside other tools.** scanpy and Seurat have no such step.
//!
//! **References.** Fisher 1924 (partial correlation), Metron 3:329-332; Pearl 2009, doi:10.1017/CBO9780511803161.

mod covariate;

pub use covariate::{Covariate, CovariateValues};

use covariate::Rows;
use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{AssociationParams, Observed, Statistic, Units};
use crate::data::{LotSheet, LotTable, SheetColumn};
use crate::error::{Error, Result};
use crate::math::partial_correlation::partial_p;
use crate::warning::Warning;

/// A batch column explains too much of a readout from this adjusted share of its variance on.
const EXPLAINED: f64 = 0.8;
/// Column of the sheet that names a change of process.
const PROCESS: &str = "process";

/// Parameters of [`confounding`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfoundingParams {
    /// Level of the p-values of the warnings, each taken alone, between 0 and 1. Raising it warns more often. Default 0.05.
    pub alpha: f64,
    /// |r| between a covariate and the readout from which on the two cannot be told apart, between 0 and 1. Default 0.8:
    /// the covariate then explains two thirds of the readout.
    pub collinear: f64,
}

impl Default for ConfoundingParams {
    fn default() -> Self {
        Self { alpha: 0.05, collinear: 0.8 }
    }
}

impl ConfoundingParams {
    fn check(&self) -> Result<()> {
        for (name, value) in [("confounding.alpha", self.alpha), ("confounding.collinear", self.collinear)] {
            if !(value > 0.0 && value < 1.0) {
                return Err(Error::param(name, value, "a number between 0 and 1"));
            }
        }
        Ok(())
    }
}

/// One covariate with the readout and one cluster; the correlations of a division into groups are η. NaN where a side is constant or lots are too few; then p is 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfoundingRow {
    /// Name of the covariate.
    pub covariate: String,
    /// Name of the cluster.
    pub cluster: String,
    /// Lots that have all three.
    pub n_lots: usize,
    /// Correlation of covariate and readout.
    pub r_readout: f64,
    /// Its permutation p, alone.
    pub p_readout: f64,
    /// Correlation of covariate and share.
    pub r_share: f64,
    /// Its permutation p, alone.
    pub p_share: f64,
    /// Correlation of share and readout over the same lots.
    pub r: f64,
    /// The same given the covariate; NaN where the covariate is a copy of either.
    pub r_partial: f64,
    /// Its p by Student's t.
    pub p_partial: f64,
    /// Groups of a division; 0 for a number.
    pub n_groups: usize,
}

/// Result of [`confounding`].
#[derive(Debug, Clone, PartialEq)]
pub struct Confounding {
    /// Covariate by covariate, clusters within.
    pub rows: Vec<ConfoundingRow>,
    /// What potency cannot be told apart from.
    pub warnings: Vec<Warning>,
}

/// Numeric columns of the sheet, and text columns of two values as `name (value that is 1)`; those that do not vary, and
/// the readout itself, are left out.
pub fn sheet_covariates(sheet: &LotSheet, readout: &str) -> Vec<(String, Vec<f64>)> {
    let varies = |values: &[f64]| {
        let mut known = values.iter().filter(|v| !v.is_nan());
        let first = known.next();
        known.any(|v| Some(v) != first)
    };
    let columns = sheet.columns.iter().filter(|column| column.name != readout);
    columns.filter_map(coded).filter(|(_, values)| varies(values)).collect()
}

fn coded(column: &SheetColumn) -> Option<(String, Vec<f64>)> {
    if let Some(numbers) = column.numbers() {
        return Some((column.name.clone(), numbers));
    }
    let texts: Vec<&str> = column.values.iter().map(|v| v.trim()).collect();
    let mut levels: Vec<&str> = texts.iter().copied().filter(|t| !t.is_empty()).collect();
    levels.sort_unstable();
    levels.dedup();
    let &[_, one] = levels.as_slice() else { return None };
    let code = |text: &&str| if text.is_empty() { f64::NAN } else { f64::from(u8::from(*text == one)) };
    Some((format!("{} ({one})", column.name), texts.iter().map(code).collect()))
}

/// Text columns of three values or more, as codes; those of which each lot has a value of its own, such as a name, and the
/// readout itself, are left out.
pub fn sheet_groups(sheet: &LotSheet, readout: &str) -> Vec<(String, Vec<Option<usize>>)> {
    let grouped = |column: &SheetColumn| {
        let texts: Vec<&str> = column.values.iter().map(|v| v.trim()).collect();
        let mut levels: Vec<&str> = texts.iter().copied().filter(|t| !t.is_empty()).collect();
        let n_known = levels.len();
        levels.sort_unstable();
        levels.dedup();
        let tells = column.numbers().is_none() && levels.len() > 2 && levels.len() < n_known;
        tells.then(|| (column.name.clone(), texts.iter().map(|text| levels.binary_search(text).ok()).collect()))
    };
    sheet.columns.iter().filter(|column| column.name != readout).filter_map(grouped).collect()
}

/// Holds each covariate against the readout and against each share, as `units` and `orders` say for the association: one entry
/// per unit, within blocks, freed from its covariates, by ranks where ranks are tested (weights are not used).
///
/// # Errors
/// A parameter is out of range.
pub fn confounding(
    covariates: &[Covariate],
    shares: &LotTable,
    observed: Observed<'_>,
    units: &Units,
    params: &ConfoundingParams,
    orders: &AssociationParams,
    seed: u64,
) -> Result<Confounding> {
    params.check()?;
    let values = observed.values;
    assert_eq!((units.names.len(), shares.n_lots()), (values.len(), values.len()), "one value per unit");
    let ranks = observed.ranks_only || orders.statistic == Statistic::Spearman;
    let rows_of = |c: usize, k: usize| -> Rows {
        let known = |row: &usize| {
            let present = !values[*row].is_nan() && !shares.values[[*row, k]].is_nan();
            let taken = units.blocks[*row].is_some() && units.covariate_columns.iter().all(|c| !c[*row].is_nan());
            present && taken && covariates[c].is_known(*row)
        };
        Rows::new((0..values.len()).filter(known).collect(), units, ranks)
    };
    let n_clusters = shares.n_columns();
    // Shares are missing for the same lots in every cluster: those without cells.
    let told: Vec<usize> =
        (0..covariates.len()).filter(|&c| n_clusters > 0 && !rows_of(c, 0).seen(&covariates[c]).is_name()).collect();
    let readout_p: Vec<f64> = told
        .par_iter()
        .map(|&c| {
            let rows = rows_of(c, 0);
            rows.seen(&covariates[c]).p(&rows.pick(values), orders, seed)
        })
        .collect();
    let pairs: Vec<(usize, usize)> = (0..told.len()).flat_map(|i| (0..n_clusters).map(move |k| (i, k))).collect();
    let rows: Vec<(ConfoundingRow, f64)> = pairs
        .into_par_iter()
        .map(|(i, k)| {
            let covariate = &covariates[told[i]];
            let rows = rows_of(told[i], k);
            let seen = rows.seen(covariate);
            let (share, y) = (rows.pick(&shares.column(k).to_vec()), rows.pick(values));
            let r_partial = seen.partial(&share, &y);
            let row = ConfoundingRow {
                covariate: covariate.name.clone(),
                cluster: shares.columns[k].clone(),
                n_lots: rows.n(),
                r_readout: seen.correlation(&y),
                p_readout: readout_p[i],
                r_share: seen.correlation(&share),
                p_share: seen.p(&share, orders, seed),
                r: rows.correlation(&share, &y),
                r_partial,
                // One covariate takes one degree of freedom of those that its p counts with.
                p_partial: partial_p(r_partial, (rows.n() + 1).saturating_sub(seen.given.n_taken().max(1))),
                n_groups: seen.n_groups,
            };
            let explains = params.alpha >= row.p_share.max(row.p_readout);
            let p_alone = if explains { rows.p_of_pair(&share, &y, orders, seed) } else { f64::NAN };
            (row, p_alone)
        })
        .collect();
    let warnings = warnings(&rows, observed.name, params);
    Ok(Confounding { rows: rows.into_iter().map(|(row, _)| row).collect(), warnings })
}

fn pick(values: Vec<f64>, lots: &[usize]) -> Vec<f64> {
    lots.iter().map(|&lot| values[lot]).collect()
}

/// `rows` with the p of share and readout alone, where it matters.
fn warnings(rows: &[(ConfoundingRow, f64)], readout: &str, params: &ConfoundingParams) -> Vec<Warning> {
    let mut out = Vec::new();
    let mut last = "";
    for (row, _) in rows {
        let first = row.covariate != last;
        last = &row.covariate;
        if first && row.r_readout.abs() >= params.collinear && row.p_readout <= params.alpha {
            out.push(Warning::ReadoutFollowsCovariate {
                readout: readout.into(),
                covariate: row.covariate.clone(),
                r: row.r_readout,
                p: row.p_readout,
                n_lots: row.n_lots,
            });
        }
    }
    let mut clusters: BTreeMap<usize, (&str, Vec<&ConfoundingRow>)> = BTreeMap::new();
    let place: BTreeMap<&str, usize> =
        rows.iter().rev().enumerate().map(|(i, r)| (&*r.0.cluster, rows.len() - i)).collect();
    for (row, p_alone) in rows {
        let alpha = params.alpha;
        // Where the partial correlation is undefined, nothing is left either.
        let explained = row.p_partial.is_nan() || row.p_partial > alpha;
        if *p_alone <= alpha && row.p_share <= alpha && row.p_readout <= alpha && explained {
            clusters.entry(place[&*row.cluster]).or_insert((&row.cluster, Vec::new())).1.push(row);
        }
    }
    for (cluster, found) in clusters.into_values() {
        let smallest =
            found.iter().map(|row| row.r_partial).filter(|r| !r.is_nan()).min_by(|a, b| a.abs().total_cmp(&b.abs()));
        out.push(Warning::ClusterFollowsCovariates {
            readout: readout.into(),
            cluster: cluster.into(),
            covariates: found.iter().map(|row| row.covariate.clone()).collect(),
            r: found[0].r,
            r_partial: smallest,
        });
    }
    out
}

/// Whether integration over `column` of the sheet takes away what the readout, or a change of process, would show: all lots
/// of a batch share the process, or the batches explain most of the readout. Nothing is said of integration over lots
/// (empty `column`, or one lot per batch).
pub fn integrated_column(sheet: &LotSheet, column: &str, readout: &str, values: &[f64]) -> Vec<Warning> {
    let Some(batches) = sheet.column(column) else { return Vec::new() };
    let mut out = Vec::new();
    let warn =
        |with: &str, share| Warning::IntegratedColumnCollinear { column: column.into(), with: with.into(), share };
    if let Some(process) = sheet.column(PROCESS)
        && within(&batches.values, &process.values)
    {
        out.push(warn(PROCESS, 1.0));
    }
    let lots: Vec<usize> = (0..values.len()).filter(|&lot| !values[lot].is_nan()).collect();
    let batch: Vec<&str> = lots.iter().map(|&lot| batches.values[lot].trim()).collect();
    let share = explained(&batch, &pick(values.to_vec(), &lots));
    if share >= EXPLAINED {
        out.push(warn(readout, share));
    }
    out
}

/// Several values of `fine`, each with one value of `coarse`, which has several too; and some value of `fine` repeats.
fn within(fine: &[String], coarse: &[String]) -> bool {
    let mut met: BTreeMap<&str, &str> = BTreeMap::new();
    let pairs: Vec<(&str, &str)> =
        fine.iter().zip(coarse).map(|(f, c)| (f.trim(), c.trim())).filter(|(_, c)| !c.is_empty()).collect();
    let alike = pairs.iter().all(|&(f, c)| *met.entry(f).or_insert(c) == c);
    let several = pairs.iter().any(|pair| pair.1 != pairs[0].1);
    alike && several && met.len() < pairs.len()
}

/// Share of the variance of `values` between groups, adjusted for their number (1 − (1 − η²)(n − 1)/(n − g)); NaN where
/// each value is its own group, or all are one.
fn explained(groups: &[&str], values: &[f64]) -> f64 {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    for (&group, value) in groups.iter().zip(values) {
        let entry = sums.entry(group).or_default();
        *entry = (entry.0 + value, entry.1 + 1.0);
    }
    let total: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let inside: f64 = groups.iter().zip(values).map(|(g, v)| (v - sums[g].0 / sums[g].1).powi(2)).sum();
    let n_groups = sums.len() as f64;
    if sums.len() < 2 || n_groups >= n || total <= 0.0 {
        return f64::NAN;
    }
    1.0 - inside / total * (n - 1.0) / (n - n_groups)
}

#[cfg(test)]
mod tests;
