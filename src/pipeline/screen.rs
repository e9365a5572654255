//! Lots → quality control and positives of each → limits.

use rayon::prelude::*;

use super::{Params, step};
use crate::data::{Dataset, LotSheet, Signature};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::steps::cells::qc;
use crate::steps::process::{self, Detection, LotCells, Screen};
use crate::warning::Warning;

/// What is screened, and what it is held against. Each data set holds one lot, with the genes of its own file.
#[derive(Debug, Clone, Copy)]
pub struct ToScreen<'a> {
    /// Lists every lot, also those without a cell.
    pub sheet: &'a LotSheet,
    /// Lots with cells.
    pub lots: &'a [Dataset],
    /// Lots of hazard cells; may be empty.
    pub positive: &'a [Dataset],
    /// Chance that a hazard cell shows the signature, if it is known otherwise.
    pub detection_probability: Option<f64>,
    /// Lots that cannot hold hazard cells; may be empty.
    pub negative: &'a [Dataset],
}

/// Screens the lots of a sheet.
///
/// # Errors
/// - a parameter out of its range, or a detection probability beside a positive control
/// - so many genes of the signature are missing from a lot's annotation that no cell could be positive
/// - a control without cells
pub fn screen(signature: &Signature, given: ToScreen<'_>, params: &Params, progress: &dyn Progress) -> Result<Screen> {
    params.screen.check()?;
    let ToScreen { sheet, lots, positive, detection_probability, negative } = given;
    let detection = match (detection_probability, positive) {
        (Some(_), [_, ..]) => {
            return Err(Error::input(
                "a detection probability and a positive control are both given",
                "give one: the control estimates what the number states",
            ));
        }
        (Some(probability), []) => Detection::Given(probability),
        (None, []) => Detection::Unknown,
        (None, controls) => {
            let controls = controls.par_iter().map(|lot| process::control(lot, signature, &params.screen));
            Detection::Controls(controls.collect::<Result<_>>()?)
        }
    };
    let screen = step(
        progress,
        "screen",
        || {
            let (seen, mut warnings) = counted(lots, signature, params)?;
            let (negative, of_negative) = counted(negative, signature, params)?;
            warnings.extend(of_negative);
            // A lot without any cell is no lot that passed: it keeps its row.
            let mut seen = seen.into_iter().peekable();
            let every = sheet.lots.iter().map(|source| {
                let here = seen.next_if(|lot| lot.lot == source.lot);
                here.unwrap_or_else(|| LotCells::without_cells(&source.lot, signature))
            });
            let mut screen = process::screen(signature, every.collect(), &detection, &negative, &params.screen)?;
            warnings.append(&mut screen.warnings);
            screen.warnings = warnings;
            Ok(screen)
        },
        |s| format!("{} positive of {} cells", s.process.n_positive, s.process.n_cells),
    )?;
    Ok(screen)
}

/// Positives of each lot; warnings of quality control, each once.
fn counted(lots: &[Dataset], signature: &Signature, params: &Params) -> Result<(Vec<LotCells>, Vec<Warning>)> {
    let seen: Vec<Result<(LotCells, Vec<Warning>)>> = lots
        .par_iter()
        .with_max_len(1)
        .map(|lot| {
            let quality = qc(lot, &params.qc)?;
            let cells = process::count_positives(lot, &quality, signature, &params.screen)?;
            Ok((cells, quality.warnings))
        })
        .collect();
    let (mut cells, mut warnings) = (Vec::with_capacity(lots.len()), Vec::new());
    for lot in seen {
        let (lot, of_lot) = lot?;
        cells.push(lot);
        warnings.extend(of_lot);
    }
    // Genes that quality control misses are missed in every lot alike.
    let mut once: Vec<Warning> = Vec::new();
    for warning in warnings {
        if !once.contains(&warning) {
            once.push(warning);
        }
    }
    Ok((cells, once))
}
