//! A readout: what was measured of each lot beside its cells.

use serde::{Deserialize, Serialize};

/// Where a readout comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadoutSource {
    /// A column of the lot sheet.
    Sheet,
    /// A file of measurements with replicates.
    Measured,
    /// A file of clinical outcomes, one row per case.
    Outcome,
}

impl std::fmt::Display for ReadoutSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sheet => "sheet",
            Self::Measured => "measured",
            Self::Outcome => "outcome",
        })
    }
}

/// One value per lot, with what is known of its precision. All vectors have one entry per lot.
#[derive(Debug, Clone, PartialEq)]
pub struct Readout {
    /// Name.
    pub name: String,
    /// Where it comes from.
    pub source: ReadoutSource,
    /// Value, mean or rate; NaN = missing.
    pub values: Vec<f64>,
    /// Standard error of the mean; NaN where it is not known.
    pub sem: Vec<f64>,
    /// Replicates or cases; 0 where there are none or they are hidden.
    pub n: Vec<u64>,
    /// Lower limit of the mean or rate; NaN where it is not known.
    pub ci_low: Vec<f64>,
    /// Upper limit.
    pub ci_high: Vec<f64>,
    /// Unit of measurement; may be empty.
    pub unit: String,
    /// Replicates below the limit of quantification.
    pub n_below_loq: Vec<u64>,
    /// Too few cases to be shown; the value is missing.
    pub hidden: Vec<bool>,
    /// What 0 and 1 stand for, if the sheet names two groups in words.
    pub groups: Option<[String; 2]>,
}

impl Readout {
    /// Values of which nothing else is known.
    pub fn new(name: impl Into<String>, source: ReadoutSource, values: Vec<f64>) -> Self {
        let n = values.len();
        Self {
            name: name.into(),
            source,
            values,
            sem: vec![f64::NAN; n],
            n: vec![0; n],
            ci_low: vec![f64::NAN; n],
            ci_high: vec![f64::NAN; n],
            unit: String::new(),
            n_below_loq: vec![0; n],
            hidden: vec![false; n],
            groups: None,
        }
    }

    /// Whether every replicate of a lot lies below the limit of quantification, so that only its rank is known.
    pub fn below_loq(&self, lot: usize) -> bool {
        self.n[lot] > 0 && self.n_below_loq[lot] == self.n[lot]
    }

    /// The two values, low and high, if there are exactly two.
    pub fn two_values(&self) -> Option<[f64; 2]> {
        let mut distinct: Vec<f64> = self.values.iter().copied().filter(|v| !v.is_nan()).collect();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        <[f64; 2]>::try_from(distinct).ok()
    }
}

/// One replicate of a measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Lot, an index into the sheet.
    pub lot: usize,
    /// Name of the readout.
    pub readout: String,
    /// Value; for one below the limit of quantification the limit, NaN if it is not given.
    pub value: f64,
    /// Unit; may be empty.
    pub unit: String,
    /// Below the limit of quantification.
    pub below_loq: bool,
}

/// The outcome of one case, without its name.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseOutcome {
    /// Lot, an index into the sheet.
    pub lot: usize,
    /// Name of the outcome.
    pub name: String,
    /// Event (1) or none (0), or a number.
    pub value: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_are_two_values() {
        let two = |values: &[f64]| Readout::new("x", ReadoutSource::Sheet, values.to_vec()).two_values();
        assert_eq!(two(&[1.0, f64::NAN, 0.0, 1.0]), Some([0.0, 1.0]));
        assert_eq!((two(&[1.0, 1.0]), two(&[1.0, 2.0, 3.0])), (None, None));
    }
}
