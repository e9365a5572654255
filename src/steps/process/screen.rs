//! Screen: are there cells in a lot that must not be there?
//!
//! **Question.** How many cells of each lot show the signature of a hazard cell, and which fraction can the lot hold at most,
//! given that so many were looked at and that some would be missed?
//!
//! **Method.** A cell is positive if at least k of the n genes of the signature reach their counts. All cells with at least
//! `min_counts` counts are looked at, whether or not they pass quality control: a residual cell differs from the product in
//! size and mitochondria, so that limits adapted to the product may take it away. With x positives of N, the fraction of cells
//! that show the signature has the exact upper limit U(x, N) (Clopper–Pearson; 1 − (1 − c)^(1/N) ≈ 3/N at x = 0). A hazard cell
//! shows it with probability d, so that the limit for hazard cells is U / d. If d is estimated from m control cells, it is
//! replaced by its own lower limit, and the error 1 − c is divided: four fifths for U, one fifth for d. The control's counts are
//! thinned to the depth of the lot: a cell of T counts seen at depth D keeps each count with probability min(1, D / T); the
//! chance that it still meets the rule is computed exactly and averaged over the depths of the lot. Cells needed: the smallest N
//! with U(x, N) ≤ limit · d.
//!
//! **Shapes.** Lot by lot cells × genes → one row per lot, one per positive cell, one for the process, and a plan.
//!
//! **Beside other tools.** scanpy and Seurat score gene lists against random ones; such a score has no count of cells and no
//! limit. Here a zero always comes with what it excludes.
//!
//! **References.** Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404; Hanley & Lippman-Hand 1983,
//! doi:10.1001/jama.1983.03330370053031 (3/N).

mod background;
mod cells;
mod detection;
mod limits;
mod needed;

pub use background::Background;
pub use cells::{LotCells, PositiveCell, count_positives};
pub use detection::{Control, Detection, DetectionRow, control};
pub use limits::{ProcessRow, ScreenRow};
pub use needed::NeededRow;

use serde::{Deserialize, Serialize};

use crate::data::Signature;
use crate::error::{Error, Result};
use crate::warning::Warning;

/// Parameters of [`screen`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScreenParams {
    /// Cells with fewer counts are not looked at: nothing could be seen in them. More leaves fewer cells, each with a better
    /// chance. Default 500, where empty droplets end in most 10x data.
    pub min_counts: u32,
    /// Confidence of every one-sided limit, above 0.5 and below 1. Default 0.95.
    pub confidence: f64,
    /// Fraction of hazard cells that is to be excluded, above 0 and below 1. Default 1e-4. The cells needed follow from it;
    /// how much a patient can bear is not a question of statistics.
    pub limit: f64,
}

impl Default for ScreenParams {
    fn default() -> Self {
        Self { min_counts: 500, confidence: 0.95, limit: 1e-4 }
    }
}

impl ScreenParams {
    /// Whether every parameter is within its range.
    ///
    /// # Errors
    /// A parameter is not.
    pub fn check(&self) -> Result<()> {
        if self.min_counts == 0 {
            return Err(Error::param("screen.min_counts", self.min_counts, "at least 1: an empty cell shows nothing"));
        }
        if !(self.confidence > 0.5 && self.confidence < 1.0) {
            return Err(Error::param("screen.confidence", self.confidence, "above 0.5 and below 1"));
        }
        if !(self.limit > 0.0 && self.limit < 1.0) {
            return Err(Error::param("screen.limit", self.limit, "a fraction above 0 and below 1"));
        }
        Ok(())
    }

    /// Error of the upper limit of the fraction, and of the lower limit of the detection probability: what may be wrong in all,
    /// divided where both are estimated.
    fn errors(&self, detection: &Detection) -> (f64, f64) {
        let error = 1.0 - self.confidence;
        match detection {
            Detection::Controls(_) => (0.8 * error, 0.2 * error),
            Detection::Given(_) | Detection::Unknown => (error, error),
        }
    }
}

/// Result of [`screen`].
#[derive(Debug, Clone, PartialEq)]
pub struct Screen {
    /// What was looked for.
    pub signature: Signature,
    /// How.
    pub params: ScreenParams,
    /// Where the detection probability comes from, in a sentence.
    pub detection: String,
    /// One per lot.
    pub rows: Vec<ScreenRow>,
    /// All lots together.
    pub process: ProcessRow,
    /// Cells needed.
    pub needed: Vec<NeededRow>,
    /// Every positive cell, lot by lot.
    pub positives: Vec<PositiveCell>,
    /// Each control lot at the depth of each lot; empty without controls.
    pub controls: Vec<DetectionRow>,
    /// What else was found in lots that cannot hold hazard cells.
    pub background: Option<Background>,
    /// Genes that annotations lack; lots without cells.
    pub warnings: Vec<Warning>,
}

/// Limits of every lot, of the process, and a plan.
///
/// `negative`: lots that cannot hold hazard cells.
///
/// # Errors
/// - a parameter out of its range, among them a detection probability
/// - no lots, or a control without cells
pub fn screen(
    signature: &Signature,
    lots: Vec<LotCells>,
    detection: &Detection,
    negative: &[LotCells],
    params: &ScreenParams,
) -> Result<Screen> {
    params.check()?;
    detection.check()?;
    if lots.is_empty() {
        return Err(Error::TooFew {
            what: "lots to screen".into(),
            have: 0,
            need: 1,
            cure: "give at least one lot".into(),
        });
    }
    let background = Background::of(negative, params)?;
    let mut warnings: Vec<Warning> = lots.iter().chain(negative).filter_map(|lot| lot.warning(signature)).collect();
    warnings.extend(detection.warnings(signature));
    for lot in lots.iter().filter(|lot| lot.n_cells == 0) {
        let cause =
            format!("no cell has {} counts or more, so nothing is excluded (screen.min_counts)", params.min_counts);
        warnings.push(Warning::LotLeftOut { lot: lot.lot.clone(), step: "the screen".into(), cause });
    }
    let (mut rows, mut controls) = (Vec::with_capacity(lots.len()), Vec::new());
    for lot in &lots {
        let (estimate, of_lot) = detection.at(lot, signature, params);
        controls.extend(of_lot);
        rows.push(ScreenRow::new(lot, estimate, background.as_ref(), detection, params));
    }
    let process = ProcessRow::new(&rows, background.as_ref(), detection, params);
    let needed = needed::table(&rows, detection, params);
    Ok(Screen {
        signature: signature.clone(),
        params: params.clone(),
        detection: detection.words(params),
        rows,
        process,
        needed,
        positives: lots.into_iter().flat_map(|lot| lot.positives).collect(),
        controls,
        background,
        warnings,
    })
}

#[cfg(test)]
mod tests;
