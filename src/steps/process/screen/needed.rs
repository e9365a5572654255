//! How many cells and lots show that hazard cells are rarer than a limit.

use super::ScreenParams;
use super::detection::Detection;
use super::limits::ScreenRow;
use crate::math::intervals::upper_limit;
use crate::math::rare_events::{at_most, trials_needed};

/// Positives that may be found and still show the limit.
const ALLOWED: [u64; 4] = [0, 1, 2, 5];

/// Lots that share the cells of a process.
const LOTS: [usize; 6] = [1, 3, 5, 10, 20, 59];

/// Cells needed for one number of lots and of positives. `None`: more than 10¹².
#[derive(Debug, Clone, PartialEq)]
pub struct NeededRow {
    /// Lots among which the cells are divided; 1: each lot is to show it by itself.
    pub n_lots: usize,
    /// Positives that may be found in all.
    pub n_positive: u64,
    /// Fraction to be excluded.
    pub limit: f64,
    /// Confidence.
    pub confidence: f64,
    /// Chance that a hazard cell shows the signature, as reckoned with: the lowest over lots, at its lower limit. 1 if unknown.
    pub detection_probability: f64,
    /// Cells in all.
    pub n_cells: Option<u64>,
    /// Cells per lot.
    pub n_cells_per_lot: Option<u64>,
    /// The chance to show it if the true fraction is a tenth of the limit.
    pub chance_at_tenth: f64,
    /// If each of so many lots shows it by itself: the largest share of the process's lots that may still lie beyond.
    pub share_of_lots_beyond: f64,
}

pub(super) fn table(rows: &[ScreenRow], detection: &Detection, params: &ScreenParams) -> Vec<NeededRow> {
    let (error, _) = params.errors(detection);
    let worst = rows.iter().map(|row| row.detection_at_worst).filter(|d| !d.is_nan()).fold(f64::INFINITY, f64::min);
    let probability = if worst.is_finite() { worst } else { 1.0 };
    let mut lots = LOTS.to_vec();
    lots.push(rows.len());
    lots.sort_unstable();
    lots.dedup();
    let mut table = Vec::new();
    for n_positive in ALLOWED {
        let n_cells = trials_needed(n_positive, params.limit * probability, 1.0 - error);
        let chance_at_tenth = n_cells.map_or(f64::NAN, |n| at_most(n_positive, n, 0.1 * params.limit * probability));
        table.extend(lots.iter().map(|&n_lots| NeededRow {
            n_lots,
            n_positive,
            limit: params.limit,
            confidence: params.confidence,
            detection_probability: probability,
            n_cells,
            n_cells_per_lot: n_cells.map(|n| n.div_ceil(n_lots as u64)),
            chance_at_tenth,
            share_of_lots_beyond: upper_limit(0, n_lots as u64, params.confidence),
        }));
    }
    table
}
