//! How likely a hazard cell shows its signature at the depth of a lot.

use rayon::prelude::*;

use super::ScreenParams;
use super::cells::{LotCells, Slots, lacks};
use crate::data::{Dataset, Signature};
use crate::error::{Error, Result};
use crate::math::intervals::{lower_limit, upper_limit};
use crate::math::rare_events::{at_least_of, at_most, kept_at_least};
use crate::warning::Warning;

/// Depths of a lot, evenly spaced among its cells, that a control cell is thinned to.
const N_DEPTHS: usize = 100;

/// Where the detection probability comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Detection {
    /// Nowhere: limits are for cells that show the signature.
    Unknown,
    /// Given, above 0 and at most 1.
    Given(f64),
    /// Estimated from lots of hazard cells.
    Controls(Vec<Control>),
}

/// A lot of hazard cells: the positive control.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Its name.
    pub lot: String,
    /// Which genes of the signature its annotation has.
    pub found: Vec<bool>,
    /// Counts of each cell in all, and of each gene of the signature.
    pub cells: Vec<(u32, Vec<u32>)>,
}

/// What one control lot says of one lot.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionRow {
    /// Lot that is screened.
    pub lot: String,
    /// Control lot.
    pub control: String,
    /// Cells of the control: the number that limits rest on.
    pub n_cells: u64,
    /// Chance that a control cell, thinned to the depth of the lot, meets the rule; mean over its cells.
    pub probability: f64,
    /// Lower end of its interval (two-sided, at the confidence asked).
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The same of the control as it was sequenced.
    pub unthinned: f64,
    /// Share of control cells that are deeper than half of the lot's cells, so that thinning can bring them there. Where it is
    /// low, the control is shallow and the estimate too low.
    pub share_deeper: f64,
}

/// A detection probability with its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub probability: f64,
    pub low: f64,
    pub high: f64,
    /// One-sided lower limit at the error set aside for it; what limits are divided by.
    pub at_worst: f64,
}

impl Estimate {
    const UNKNOWN: Self = Self { probability: f64::NAN, low: f64::NAN, high: f64::NAN, at_worst: f64::NAN };
}

/// The cells of one control lot.
///
/// `lot`: a data set of this lot alone, with the genes of its own annotation.
///
/// # Errors
/// Its annotation lacks too many genes, or no cell has enough counts.
pub fn control(lot: &Dataset, signature: &Signature, params: &ScreenParams) -> Result<Control> {
    assert_eq!(lot.n_lots(), 1, "one lot");
    let cells = &lot.lots()[0];
    let slots = Slots::new(lot.genes(), signature);
    slots.enough(&cells.name, signature)?;
    let seen: Vec<(u32, Vec<u32>)> = (0..lot.n_cells())
        .into_par_iter()
        .with_min_len(64)
        .map(|cell| (u32::try_from(cells.counts.total(cell)).unwrap_or(u32::MAX), slots.counts(lot.row(cell))))
        .filter(|(depth, _)| *depth >= params.min_counts)
        .collect();
    if seen.is_empty() {
        return Err(Error::TooFew {
            what: format!("cells with at least {} counts in the positive control {}", params.min_counts, cells.name),
            have: 0,
            need: 1,
            cure: "lower screen.min_counts, or give another control".into(),
        });
    }
    Ok(Control { lot: cells.name.clone(), found: slots.found, cells: seen })
}

impl Detection {
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Given(p) if !(*p > 0.0 && *p <= 1.0) => {
                Err(Error::param("detection_probability", p, "a probability above 0 and at most 1"))
            }
            Self::Controls(controls) if controls.is_empty() => Err(Error::TooFew {
                what: "lots of the positive control".into(),
                have: 0,
                need: 1,
                cure: "give at least one, or a detection probability".into(),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn warnings(&self, signature: &Signature) -> Vec<Warning> {
        match self {
            Self::Controls(controls) => controls.iter().filter_map(|c| lacks(&c.lot, signature, &c.found)).collect(),
            _ => Vec::new(),
        }
    }

    /// In a sentence.
    pub(super) fn words(&self, params: &ScreenParams) -> String {
        match self {
            Self::Unknown => {
                "No detection probability is known: limits are for cells that show the signature. Hazard cells \
                              that don't show it at this depth are not excluded."
                    .into()
            }
            Self::Given(p) => format!("A hazard cell shows the signature with probability {p}, as given."),
            Self::Controls(controls) => {
                let n: usize = controls.iter().map(|c| c.cells.len()).sum();
                let worst = match controls.len() {
                    1 => "the unit is the control cell".to_string(),
                    k => format!("the unit is the control cell, and of the {k} control lots the lowest counts"),
                };
                format!(
                    "The chance that a hazard cell shows the signature is estimated from {n} control cells with at least {} \
                     counts, thinned to the depth of each lot; {worst}.",
                    params.min_counts
                )
            }
        }
    }

    /// The probability at the depth of a lot, with the genes of its annotation; and what each control says.
    pub(super) fn at(
        &self,
        lot: &LotCells,
        signature: &Signature,
        params: &ScreenParams,
    ) -> (Estimate, Vec<DetectionRow>) {
        let controls = match self {
            Self::Unknown => return (Estimate::UNKNOWN, Vec::new()),
            Self::Given(p) => return (Estimate { probability: *p, low: *p, high: *p, at_worst: *p }, Vec::new()),
            Self::Controls(_) if lot.depths.is_empty() => return (Estimate::UNKNOWN, Vec::new()),
            Self::Controls(controls) => controls,
        };
        let rows: Vec<DetectionRow> = controls.iter().map(|c| thinned(c, lot, signature, params)).collect();
        let (_, error) = params.errors(self);
        let at_worst = |row: &DetectionRow| lower_limit(met(row), row.n_cells, 1.0 - error);
        let least = rows.iter().min_by(|a, b| at_worst(a).total_cmp(&at_worst(b))).expect("controls are not empty");
        let estimate =
            Estimate { probability: least.probability, low: least.low, high: least.high, at_worst: at_worst(least) };
        (estimate, rows)
    }
}

/// Control cells that meet the rule, in whole cells: a part of a cell proves nothing.
fn met(row: &DetectionRow) -> u64 {
    // A chance of 1 per cell must not lose a cell to rounding.
    ((row.probability * row.n_cells as f64 + 1e-9).floor() as u64).min(row.n_cells)
}

fn thinned(control: &Control, lot: &LotCells, signature: &Signature, params: &ScreenParams) -> DetectionRow {
    let n = control.cells.len();
    let chances: Vec<(f64, f64)> =
        control.cells.par_iter().with_min_len(16).map(|cell| chances(cell, lot, signature)).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| chances.iter().map(of).sum::<f64>() / n as f64;
    let median = lot.depths[(lot.depths.len() - 1) / 2];
    let deeper = control.cells.iter().filter(|(depth, _)| *depth >= median).count();
    let mut row = DetectionRow {
        lot: lot.lot.clone(),
        control: control.lot.clone(),
        n_cells: n as u64,
        probability: mean(|c| c.0),
        low: f64::NAN,
        high: f64::NAN,
        unthinned: mean(|c| c.1),
        share_deeper: deeper as f64 / n as f64,
    };
    let (n, confidence) = (row.n_cells, 0.5 + params.confidence / 2.0);
    row.low = lower_limit(met(&row), n, confidence);
    // Upwards a part of a cell counts as a whole one.
    let most = ((row.probability * n as f64 - 1e-9).ceil().max(0.0) as u64).min(n);
    row.high = upper_limit(most, n, confidence);
    row
}

/// The chance that a control cell meets the rule at the depths of a lot, and as it was sequenced.
fn chances(cell: &(u32, Vec<u32>), lot: &LotCells, signature: &Signature) -> (f64, f64) {
    let (depth, counts) = cell;
    let full = chance(counts, 1.0, lot, signature);
    let mut sum = 0.0;
    let n_depths = lot.depths.len().min(N_DEPTHS);
    for i in 0..n_depths {
        // The middle of each of so many equal parts of the lot's cells.
        let target = lot.depths[(2 * i + 1) * lot.depths.len() / (2 * n_depths)];
        sum +=
            if target >= *depth { full } else { chance(counts, f64::from(target) / f64::from(*depth), lot, signature) };
    }
    (sum / n_depths as f64, full)
}

/// The chance that a cell meets the rule if each count is kept with probability `p`. Genes are kept independently of each
/// other; those that the lot's annotation lacks are never seen there.
fn chance(counts: &[u32], p: f64, lot: &LotCells, signature: &Signature) -> f64 {
    let n = signature.genes.len();
    let seen: Vec<f64> = (0..n)
        .filter(|&gene| lot.found[gene])
        .map(|gene| kept_at_least(signature.genes[gene].min_count, counts[gene], p))
        .collect();
    let mut chance = at_least_of(signature.at_least, &seen);
    for (at, gene) in signature.absent.iter().enumerate().filter(|(at, _)| lot.found[n + at]) {
        chance *= at_most(u64::from(gene.max_count), u64::from(counts[n + at]), p);
    }
    chance
}
