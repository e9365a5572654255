//! Association of each column of a lots × columns table with a readout.

use serde::{Deserialize, Serialize};

use crate::data::LotTable;
use crate::error::Result;
use crate::warning::Warning;

/// Parameters of [`association`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssociationParams {
    /// All orders are walked up to this number of lots.
    pub max_exact_lots: usize,
    /// Random orders above that.
    pub n_permutations: usize,
    /// Level of the intervals of r, 0..1.
    pub level: f64,
    /// Family-wise error level of the verdict, 0..1.
    pub alpha: f64,
}

impl Default for AssociationParams {
    fn default() -> Self {
        Self { max_exact_lots: 8, n_permutations: 100_000, level: 0.95, alpha: 0.05 }
    }
}

/// One column against the readout.
#[derive(Debug, Clone, PartialEq)]
pub struct AssociationRow {
    /// Name of the column (cluster).
    pub column: String,
    /// Lots with both values.
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
    /// Fisher-z interval of r.
    pub ci_low: f64,
    /// Fisher-z interval of r.
    pub ci_high: f64,
    /// Smallest r when one lot is left out.
    pub loo_min: f64,
    /// Largest r when one lot is left out.
    pub loo_max: f64,
    /// Lot whose absence changes r most.
    pub most_influential: String,
    /// Slope of the least-squares line readout = intercept + slope · column.
    pub slope: f64,
    /// Intercept of that line.
    pub intercept: f64,
    /// `supported`, `suggestive`, `cannot_conclude`.
    pub verdict: String,
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
    /// Orders looked at.
    pub n_permutations: u64,
    /// Smallest two-sided p that this number of lots can reach.
    pub smallest_p: f64,
    /// Missing values, too few lots.
    pub warnings: Vec<Warning>,
}

/// Associates every column of `table` with a readout (one value per lot, NaN = missing).
pub fn association(
    _table: &LotTable,
    _readout: &str,
    _values: &[f64],
    _params: &AssociationParams,
    _seed: u64,
) -> Result<Association> {
    todo!()
}
