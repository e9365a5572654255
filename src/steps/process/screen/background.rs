//! What the rule finds where there is nothing to find.

use super::ScreenParams;
use super::cells::LotCells;
use crate::error::{Error, Result};
use crate::math::intervals::{lower_limit, upper_limit};
use crate::math::rare_events::more_frequent;

/// Positives in lots that cannot hold hazard cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Background {
    /// Control lots.
    pub n_lots: usize,
    /// Their cells.
    pub n_cells: u64,
    /// Positives among these.
    pub n_positive: u64,
    /// Positives per cell.
    pub rate: f64,
    /// One-sided lower limit of the rate.
    pub lower: f64,
    /// One-sided upper limit of the rate.
    pub upper: f64,
    /// Smallest and largest rate of a control lot; far apart, the lots are not of one kind and the limits too narrow.
    pub range: (f64, f64),
}

impl Background {
    /// Of the control lots, if there are any.
    pub(super) fn of(negative: &[LotCells], params: &ScreenParams) -> Result<Option<Self>> {
        if negative.is_empty() {
            return Ok(None);
        }
        let n_cells: u64 = negative.iter().map(|lot| lot.n_cells).sum();
        let n_positive: u64 = negative.iter().map(LotCells::n_positive).sum();
        if n_cells == 0 {
            return Err(Error::TooFew {
                what: format!("cells with at least {} counts in the negative control", params.min_counts),
                have: 0,
                need: 1,
                cure: "lower screen.min_counts, or give another control".into(),
            });
        }
        let rates =
            negative.iter().filter(|lot| lot.n_cells > 0).map(|lot| lot.n_positive() as f64 / lot.n_cells as f64);
        let range = rates.fold((f64::INFINITY, 0.0_f64), |(low, high), rate| (low.min(rate), high.max(rate)));
        Ok(Some(Self {
            n_lots: negative.len(),
            n_cells,
            n_positive,
            rate: n_positive as f64 / n_cells as f64,
            lower: lower_limit(n_positive, n_cells, params.confidence),
            upper: upper_limit(n_positive, n_cells, params.confidence),
            range,
        }))
    }

    /// Positives that chance makes in so many cells: expected, and at the upper limit of the rate.
    pub(super) fn expected(&self, n_cells: u64) -> (f64, f64) {
        (self.rate * n_cells as f64, self.upper * n_cells as f64)
    }

    /// The chance of as many positives or more if the lot were like the controls (Fisher, one-sided).
    pub(super) fn p(&self, n_positive: u64, n_cells: u64) -> f64 {
        more_frequent(n_positive, n_cells, self.n_positive, self.n_cells)
    }
}
