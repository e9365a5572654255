//! Readouts of a run: columns of the sheet, and values aggregated from files beside it.

use std::path::Path;

use crate::data::{LotSheet, Readout};
use crate::error::{Error, Result};
use crate::io::long_tables::{read_measurements, read_outcomes};
use crate::pipeline::{Analysis, Params};
use crate::steps::lots::{measured_readouts, outcome_readouts, sheet_readout};
use crate::warning::Warning;

/// Reads files of measurements and of clinical outcomes for the lots of a sheet, and aggregates them per lot. Nothing of a
/// single case is kept.
///
/// # Errors
/// - a file cannot be understood; the message names the line, never a case
/// - two readouts have one name, or one has that of a column of the sheet
pub fn read_readouts(
    sheet: &LotSheet,
    measurements: Option<&Path>,
    outcomes: Option<&Path>,
    params: &Params,
) -> Result<(Vec<Readout>, Vec<Warning>)> {
    let lots: Vec<String> = sheet.lots.iter().map(|lot| lot.lot.clone()).collect();
    let (mut readouts, mut warnings) = (Vec::new(), Vec::new());
    let mut add = |path: &Path, new: Vec<Readout>, told: Vec<Warning>| {
        for readout in new {
            if sheet.column(&readout.name).is_some() || readouts.iter().any(|r: &Readout| r.name == readout.name) {
                return Err(Error::format(
                    path,
                    format!("readout {}", readout.name),
                    "the lot sheet or the other file has this name already; rename one",
                ));
            }
            readouts.push(readout);
        }
        warnings.extend(told);
        Ok(())
    };
    if let Some(path) = measurements {
        let (rows, told) = read_measurements(path, &lots)?;
        let (new, not_comparable) = measured_readouts(&rows, &lots);
        add(path, new, told.into_iter().chain(not_comparable).collect())?;
    }
    if let Some(path) = outcomes {
        let (cases, mut told) = read_outcomes(path, &lots)?;
        let (new, hidden) = outcome_readouts(&cases, lots.len(), &params.outcomes)?;
        told.extend(hidden);
        // How many cases belong to unknown lots is a count of cases like any other.
        for warning in &mut told {
            if let Warning::RowsOfUnknownLots { n_rows, first_line, .. } = warning
                && *n_rows < params.outcomes.min_cases
            {
                (*n_rows, *first_line) = (0, 0);
            }
        }
        add(path, new, told)?;
    }
    Ok((readouts, warnings))
}

/// The readout of this name, aggregated or a column of the sheet.
///
/// # Errors
/// There is none, or the column holds text other than two groups.
pub fn find_readout(sheet: &LotSheet, readouts: &[Readout], name: &str) -> Result<Readout> {
    if let Some(readout) = readouts.iter().find(|r| r.name == name) {
        return Ok(readout.clone());
    }
    if sheet.column(name).is_none() && !readouts.is_empty() {
        let names = |names: Vec<&str>| names.join(", ");
        return Err(Error::input(
            format!("neither the lot sheet nor the files of readouts have `{name}`"),
            format!(
                "the sheet has: {}; the files have: {}",
                names(sheet.columns.iter().map(|c| c.name.as_str()).collect()),
                names(readouts.iter().map(|r| r.name.as_str()).collect())
            ),
        ));
    }
    sheet_readout(sheet, name)
}

impl Analysis {
    /// Adds readouts; those of the same name are replaced.
    pub fn add_readouts(&mut self, readouts: Vec<Readout>, warnings: Vec<Warning>) {
        self.readouts.retain(|known| !readouts.iter().any(|new| new.name == known.name));
        self.readouts.extend(readouts);
        for warning in warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }
}
