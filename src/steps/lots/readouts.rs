//! Readouts: from replicates and cases to one value per lot.
//!
//! **Question.** What is a lot's potency, or how did its patients fare, and how surely is that known?
//!
//! **Method.** Replicates: mean, standard error, t interval. A replicate below the limit of quantification enters the mean at
//! that limit (at the lowest number known of the readout if the limit is not given); a lot all of whose replicates lie below
//! takes the lowest place of all lots, shared with its like, and the readout is tested by ranks; the number that stands for it
//! (half the lowest) enters nothing but ranks. Limits may differ: a lot that lies below a limit (the mean of its replicates')
//! above the lowest value of a measured lot can't be told from that lot, so it has no place: it is missing, with a warning.
//! Cases: an outcome of zeros and ones is an event, its value the rate with its Jeffreys interval; any other number is
//! averaged, with a t interval. Lots with fewer than `min_cases` cases are missing, and, where an outcome has two values, lots
//! with fewer cases of either, since a rate and the number of cases give that count away. No output shows them.
//! Weights of the association: number of cases; or precision, n / s̃² with s̃² the variance of a lot's replicates drawn to
//! that of all lots, as if that were known with [`PRIOR_DEGREES`] degrees of freedom (variances of two or three replicates
//! alone would let chance decide).
//!
//! **Shapes.** Replicates or cases in any order → one readout per name, a value per lot each.
//!
//! **Beside other tools.** scanpy and Seurat have no such step.
//!
//! **References.** Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286 (Jeffreys); Smyth 2004,
//! doi:10.2202/1544-6115.1027 (variances drawn together).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::data::{CaseOutcome, LotSheet, Measurement, Readout, ReadoutSource};
use crate::error::{Error, Result};
use crate::math::intervals::jeffreys;
use crate::warning::Warning;

/// Degrees of freedom that the common variance counts for when a lot's own is estimated.
pub const PRIOR_DEGREES: f64 = 4.0;

/// Level of the intervals of means and rates.
const LEVEL: f64 = 0.95;

/// Parameters of [`outcome_readouts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutcomesParams {
    /// Lots with fewer cases are hidden in every output and take no part, at least 1; so are lots with fewer events, or fewer
    /// cases without one. More protects cases better and leaves fewer lots. Default 5, by custom of registries.
    pub min_cases: usize,
    /// Show lots without any event, and lots where every case has one: a 0 tells of no single case by itself. Default off:
    /// counts below the limit are hidden, 0 included. On where events are rare and the registry allows it: else the lots that
    /// are left are those with many events.
    pub show_zero: bool,
}

impl Default for OutcomesParams {
    fn default() -> Self {
        Self { min_cases: 5, show_zero: false }
    }
}

impl OutcomesParams {
    fn check(&self) -> Result<()> {
        match self.min_cases {
            0 => Err(Error::param("outcomes.min_cases", 0, "at least 1")),
            _ => Ok(()),
        }
    }
}

/// Which weights lots have in an association.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Lots of a clinical outcome by their number of cases; other readouts without weights.
    #[default]
    Cases,
    /// As `cases`, and lots of a readout with replicates by its precision.
    Precision,
    /// None.
    None,
}

/// The readout of a column of the sheet: numbers, or two groups in words, the first of the alphabet 0 and the other 1.
///
/// # Errors
/// There is no such column, or it holds text other than two groups.
pub fn sheet_readout(sheet: &LotSheet, name: &str) -> Result<Readout> {
    let column = sheet.column(name).ok_or_else(|| {
        let names: Vec<&str> = sheet.columns.iter().map(|c| c.name.as_str()).collect();
        Error::input(
            format!("the lot sheet has no column `{name}`"),
            format!("its columns are: {}", if names.is_empty() { "none".into() } else { names.join(", ") }),
        )
    })?;
    if let Some(values) = column.numbers() {
        return Ok(Readout::new(name, ReadoutSource::Sheet, values));
    }
    let texts: Vec<&str> = column.values.iter().map(|v| v.trim()).collect();
    let mut groups: Vec<&str> = texts.iter().copied().filter(|t| !t.is_empty()).collect();
    groups.sort_unstable();
    groups.dedup();
    if let [low, high] = groups[..]
        && [low, high].iter().all(|t| t.parse::<f64>().is_err())
    {
        let code = |t: &&str| if t.is_empty() { f64::NAN } else { f64::from(u8::from(*t == high)) };
        let mut readout = Readout::new(name, ReadoutSource::Sheet, texts.iter().map(code).collect());
        readout.groups = Some([low.to_string(), high.to_string()]);
        return Ok(readout);
    }
    let bad = texts.iter().position(|t| !t.is_empty() && t.parse::<f64>().is_err());
    let place = bad.map_or(String::new(), |i| format!(" (lot {}: `{}`)", sheet.lots[i].lot, texts[i]));
    Err(Error::input(
        format!("column `{name}` of the lot sheet holds text{place}"),
        "a readout must be a number in each lot, or one of two words, or empty where it was not measured",
    ))
}

/// One readout per name, in the order of the alphabet. `lots`: names, for warnings.
pub fn measured_readouts(measurements: &[Measurement], lots: &[String]) -> (Vec<Readout>, Vec<Warning>) {
    let mut by_name: BTreeMap<&str, Vec<&Measurement>> = BTreeMap::new();
    for measurement in measurements {
        by_name.entry(&measurement.readout).or_default().push(measurement);
    }
    let mut warnings = Vec::new();
    let readouts = by_name.into_iter().map(|(name, rows)| measured(name, &rows, lots, &mut warnings)).collect();
    (readouts, warnings)
}

fn measured(name: &str, rows: &[&Measurement], lots: &[String], warnings: &mut Vec<Warning>) -> Readout {
    let n_lots = lots.len();
    let mut readout = Readout::new(name, ReadoutSource::Measured, vec![f64::NAN; n_lots]);
    readout.unit = rows.first().map_or(String::new(), |row| row.unit.clone());
    let known = |row: &&&Measurement| !row.value.is_nan();
    let lowest = rows.iter().filter(known).map(|row| row.value).fold(f64::INFINITY, f64::min);
    // Where no number at all is known, every lot is tied.
    let lowest = if lowest.is_finite() { lowest } else { 0.0 };
    for lot in 0..n_lots {
        let of_lot: Vec<&&Measurement> = rows.iter().filter(|row| row.lot == lot).collect();
        let values: Vec<f64> = of_lot.iter().map(|row| if row.value.is_nan() { lowest } else { row.value }).collect();
        readout.n[lot] = of_lot.len() as u64;
        readout.n_below_loq[lot] = of_lot.iter().filter(|row| row.below_loq).count() as u64;
        (readout.values[lot], readout.sem[lot]) = mean_and_error(&values);
        (readout.ci_low[lot], readout.ci_high[lot]) = t_interval(readout.values[lot], readout.sem[lot], values.len());
        if readout.below_loq(lot) {
            (readout.sem[lot], readout.ci_low[lot], readout.ci_high[lot]) = (f64::NAN, f64::NAN, f64::NAN);
        }
    }
    let measured = (0..n_lots).filter(|&lot| readout.n[lot] > 0 && !readout.below_loq(lot));
    let lowest_lot = measured.map(|lot| readout.values[lot]).fold(f64::INFINITY, f64::min);
    for lot in (0..n_lots).filter(|&lot| readout.below_loq(lot)).collect::<Vec<_>>() {
        // What stands there so far is the mean of its limits.
        if readout.values[lot] > lowest_lot {
            warnings.push(Warning::LotLeftOut {
                lot: lots[lot].clone(),
                step: format!("the readout {name}"),
                cause: format!(
                    "it lies below a limit of quantification ({}) above the lowest measured lot ({lowest_lot}) and can be ranked \
                     neither above nor below that lot; measure it with the lower limit, or report every lot below the highest \
                     limit as below it",
                    readout.values[lot]
                ),
            });
            readout.values[lot] = f64::NAN;
        } else {
            // The lowest place, shared: ranks need no more, and limits that differ would order them by chance.
            readout.values[lot] = if lowest > 0.0 { lowest / 2.0 } else { lowest - 1.0 };
        }
    }
    readout
}

/// One readout per outcome, in the order of the alphabet; lots with too few cases are missing.
///
/// # Errors
/// `min_cases` is 0.
pub fn outcome_readouts(
    cases: &[CaseOutcome],
    n_lots: usize,
    params: &OutcomesParams,
) -> Result<(Vec<Readout>, Vec<Warning>)> {
    params.check()?;
    let mut by_name: BTreeMap<&str, Vec<&CaseOutcome>> = BTreeMap::new();
    for case in cases {
        by_name.entry(&case.name).or_default().push(case);
    }
    let mut warnings = Vec::new();
    let readouts = by_name
        .into_iter()
        .map(|(name, cases)| {
            let readout = outcome(name, &cases, n_lots, params);
            let n_hidden = readout.hidden.iter().filter(|h| **h).count();
            if n_hidden > 0 {
                let outcome = name.to_string();
                warnings.push(Warning::OutcomesHidden { outcome, n_lots: n_hidden, min_cases: params.min_cases });
            }
            readout
        })
        .collect();
    Ok((readouts, warnings))
}

fn outcome(name: &str, cases: &[&CaseOutcome], n_lots: usize, params: &OutcomesParams) -> Readout {
    let mut readout = Readout::new(name, ReadoutSource::Outcome, vec![f64::NAN; n_lots]);
    let events = cases.iter().all(|case| case.value == 0.0 || case.value == 1.0);
    let mut distinct: Vec<f64> = cases.iter().map(|case| case.value).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    // Of two values, the mean and the number of cases tell how many have either.
    let of_two = match distinct[..] {
        _ if events => Some([0.0, 1.0]),
        [low, high] => Some([low, high]),
        _ => None,
    };
    let too_few = |n: usize| n < params.min_cases && !(n == 0 && params.show_zero);
    for lot in 0..n_lots {
        let values: Vec<f64> = cases.iter().filter(|case| case.lot == lot).map(|case| case.value).collect();
        if values.is_empty() {
            continue;
        }
        let count = |value: f64| values.iter().filter(|v| **v == value).count();
        if values.len() < params.min_cases || of_two.is_some_and(|two| two.into_iter().any(|v| too_few(count(v)))) {
            readout.hidden[lot] = true;
            continue;
        }
        readout.n[lot] = values.len() as u64;
        (readout.values[lot], readout.sem[lot]) = mean_and_error(&values);
        (readout.ci_low[lot], readout.ci_high[lot]) = if events {
            jeffreys(values.iter().sum::<f64>() as u64, values.len() as u64, LEVEL)
        } else {
            t_interval(readout.values[lot], readout.sem[lot], values.len())
        };
    }
    readout
}

/// Mean and its standard error; NaN where there is nothing to compute them from.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, if values.len() < 2 { f64::NAN } else { (squares / (n - 1.0) / n).sqrt() })
}

fn t_interval(mean: f64, error: f64, n: usize) -> (f64, f64) {
    match StudentsT::new(0.0, 1.0, n.saturating_sub(1) as f64) {
        Ok(t) if error.is_finite() => {
            let half = t.inverse_cdf(0.5 + LEVEL / 2.0) * error;
            (mean - half, mean + half)
        }
        _ => (f64::NAN, f64::NAN),
    }
}

/// The warning that some lots lie below the limit of quantification, so that only ranks can be tested; `None` if none does.
pub fn censored(readout: &Readout) -> Option<Warning> {
    let lots: Vec<usize> = (0..readout.values.len()).filter(|&lot| !readout.values[lot].is_nan()).collect();
    let n_below = lots.iter().filter(|&&lot| readout.below_loq(lot)).count();
    let n_partly = lots.iter().filter(|&&lot| readout.n_below_loq[lot] > 0).count() - n_below;
    let (readout, n_lots) = (readout.name.clone(), lots.len());
    (n_below + n_partly > 0).then_some(Warning::ReadoutCensored { readout, n_lots, n_below, n_partly })
}

/// The weights of a readout's lots, if it has any; 0 where it is missing.
pub fn weights(readout: &Readout, which: Weights) -> Option<Vec<f64>> {
    let n: Vec<f64> = readout.n.iter().map(|&n| n as f64).collect();
    match (readout.source, which) {
        (ReadoutSource::Outcome, Weights::Cases | Weights::Precision) => Some(n),
        (ReadoutSource::Measured, Weights::Precision) => Some(precisions(readout, &n)),
        _ => None,
    }
}

fn precisions(readout: &Readout, n: &[f64]) -> Vec<f64> {
    let variance = |lot: usize| readout.sem[lot].powi(2) * n[lot];
    let repeated: Vec<usize> = (0..n.len()).filter(|&lot| readout.sem[lot].is_finite()).collect();
    let degrees: f64 = repeated.iter().map(|&lot| n[lot] - 1.0).sum();
    let common = repeated.iter().map(|&lot| variance(lot) * (n[lot] - 1.0)).sum::<f64>() / degrees;
    if !(common > 0.0 && common.is_finite()) {
        // Without any spread between replicates, their number is all that is known.
        return n.to_vec();
    }
    (0..n.len())
        .map(|lot| {
            let own = if readout.sem[lot].is_finite() { n[lot] - 1.0 } else { 0.0 };
            let own_part = if own > 0.0 { own * variance(lot) } else { 0.0 };
            n[lot] * (PRIOR_DEGREES + own) / (PRIOR_DEGREES * common + own_part)
        })
        .collect()
}

#[cfg(test)]
mod tests;
