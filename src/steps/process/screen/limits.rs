//! What each lot, and all lots together, can hold at most.

use super::ScreenParams;
use super::background::Background;
use super::cells::LotCells;
use super::detection::{Detection, Estimate};
use crate::math::intervals::{lower_limit, upper_limit};

/// One lot. Missing where nothing is known: NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct ScreenRow {
    /// Lot name.
    pub lot: String,
    /// Cells in the file.
    pub n_read: u64,
    /// Cells that were looked at.
    pub n_cells: u64,
    /// Positives among them.
    pub n_positive: u64,
    /// Their fraction.
    pub fraction: f64,
    /// One-sided lower limit of the fraction of cells that show the signature.
    pub lower: f64,
    /// One-sided upper limit of the same.
    pub upper: f64,
    /// Fraction of hazard cells of which at least one would have been seen, with the confidence asked. With an unknown detection
    /// probability: of cells that show the signature.
    pub detection_limit: f64,
    /// Chance that a hazard cell shows the signature at the depth of this lot.
    pub detection_probability: f64,
    /// Lower end of its interval.
    pub detection_low: f64,
    /// Upper end.
    pub detection_high: f64,
    /// Its one-sided lower limit that the limits are divided by.
    pub(super) detection_at_worst: f64,
    /// One-sided upper limit of the fraction of hazard cells, shown or not.
    pub upper_adjusted: f64,
    /// Whether it (or `upper`, if no detection probability is known) is at most the limit asked.
    pub below_limit: bool,
    /// Cells that pass quality control, of those looked at.
    pub n_cells_kept: u64,
    /// Positives among them.
    pub n_positive_kept: u64,
    /// Median counts of the cells looked at.
    pub median_counts: f64,
    /// Genes of the signature that the lot's annotation lacks.
    pub n_genes_missing: usize,
    /// Positives that chance makes, at the rate of the negative control.
    pub expected_background: f64,
    /// The same at the upper limit of that rate.
    pub expected_background_upper: f64,
    /// The chance of as many positives or more if the lot were like the negative control.
    pub p_background: f64,
}

impl ScreenRow {
    pub(super) fn new(
        lot: &LotCells,
        estimate: Estimate,
        background: Option<&Background>,
        detection: &Detection,
        params: &ScreenParams,
    ) -> Self {
        let (n, x) = (lot.n_cells, lot.n_positive());
        let upper = upper(x, n, params.confidence);
        let Adjusted { upper: upper_adjusted, detection_limit } = adjusted(x, n, estimate.at_worst, detection, params);
        let (expected_background, expected_background_upper) =
            background.map_or((f64::NAN, f64::NAN), |background| background.expected(n));
        Self {
            lot: lot.lot.clone(),
            n_read: lot.n_read,
            n_cells: n,
            n_positive: x,
            fraction: x as f64 / n as f64,
            lower: lower(x, n, params.confidence),
            upper,
            detection_limit,
            detection_probability: estimate.probability,
            detection_low: estimate.low,
            detection_high: estimate.high,
            detection_at_worst: estimate.at_worst,
            upper_adjusted,
            below_limit: best(upper, upper_adjusted, detection) <= params.limit,
            n_cells_kept: lot.n_cells_kept,
            n_positive_kept: lot.n_positive_kept(),
            median_counts: lot.depths.get(lot.depths.len().saturating_sub(1) / 2).map_or(f64::NAN, |d| f64::from(*d)),
            n_genes_missing: lot.found.iter().filter(|found| !**found).count(),
            expected_background,
            expected_background_upper,
            p_background: background.map_or(f64::NAN, |background| background.p(x, n)),
        }
    }
}

/// All lots together, as if they held hazard cells in one proportion.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessRow {
    /// Lots.
    pub n_lots: usize,
    /// Cells that were looked at.
    pub n_cells: u64,
    /// Positives among them.
    pub n_positive: u64,
    /// Their fraction.
    pub fraction: f64,
    /// One-sided lower limit of the fraction of cells that show the signature.
    pub lower: f64,
    /// One-sided upper limit of the same.
    pub upper: f64,
    /// Fraction of hazard cells of which at least one would have been seen.
    pub detection_limit: f64,
    /// One-sided upper limit of the fraction of hazard cells.
    pub upper_adjusted: f64,
    /// Lots with a positive cell.
    pub n_lots_positive: usize,
    /// One-sided upper limit of the share of the process's lots in which as much would be seen.
    pub lots_positive_upper: f64,
    /// Lots that are shown to be below the limit asked, each by itself.
    pub n_lots_below: usize,
    /// The chance of as many positives or more if the lots were like the negative control.
    pub p_background: f64,
}

impl ProcessRow {
    pub(super) fn new(
        rows: &[ScreenRow],
        background: Option<&Background>,
        detection: &Detection,
        params: &ScreenParams,
    ) -> Self {
        let n_cells: u64 = rows.iter().map(|row| row.n_cells).sum();
        let n_positive: u64 = rows.iter().map(|row| row.n_positive).sum();
        let n_lots_positive = rows.iter().filter(|row| row.n_positive > 0).count();
        // Each cell of each lot has the chance of its own lot. A lot without cells has none, and no weight.
        let counted = rows.iter().filter(|row| row.n_cells > 0);
        let at_worst = counted.map(|row| row.detection_at_worst * row.n_cells as f64).sum::<f64>() / n_cells as f64;
        let Adjusted { upper: upper_adjusted, detection_limit } =
            adjusted(n_positive, n_cells, at_worst, detection, params);
        Self {
            n_lots: rows.len(),
            n_cells,
            n_positive,
            fraction: n_positive as f64 / n_cells as f64,
            lower: lower(n_positive, n_cells, params.confidence),
            upper: upper(n_positive, n_cells, params.confidence),
            detection_limit,
            upper_adjusted,
            n_lots_positive,
            lots_positive_upper: upper(n_lots_positive as u64, rows.len() as u64, params.confidence),
            n_lots_below: rows.iter().filter(|row| row.below_limit).count(),
            p_background: background.map_or(f64::NAN, |background| background.p(n_positive, n_cells)),
        }
    }
}

/// Exact upper limit; of no cells, all could be positive.
fn upper(x: u64, n: u64, confidence: f64) -> f64 {
    if n == 0 { 1.0 } else { upper_limit(x, n, confidence) }
}

/// Exact lower limit; of no cells, none need be positive.
fn lower(x: u64, n: u64, confidence: f64) -> f64 {
    if n == 0 { 0.0 } else { lower_limit(x, n, confidence) }
}

/// The limit that counts: for hazard cells if their chance to be seen is known, else for cells that show the signature.
fn best(upper: f64, upper_adjusted: f64, detection: &Detection) -> f64 {
    if *detection == Detection::Unknown { upper } else { upper_adjusted }
}

struct Adjusted {
    upper: f64,
    detection_limit: f64,
}

/// Limits for hazard cells: those for cells that show the signature, divided by the least chance to be seen.
fn adjusted(x: u64, n: u64, at_worst: f64, detection: &Detection, params: &ScreenParams) -> Adjusted {
    let (error, _) = params.errors(detection);
    let seen = (upper(x, n, 1.0 - error), upper(0, n, 1.0 - error));
    if *detection == Detection::Unknown {
        return Adjusted { upper: f64::NAN, detection_limit: seen.1 };
    }
    // Where no cell could be seen, or no cell was looked at, nothing is excluded.
    let of_all = |limit: f64| if at_worst > 0.0 { (limit / at_worst).min(1.0) } else { 1.0 };
    Adjusted { upper: of_all(seen.0), detection_limit: of_all(seen.1) }
}
