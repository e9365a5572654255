//! Aggregated readouts read back.

use std::path::Path;

use super::File;
use crate::data::{Readout, ReadoutSource};
use crate::error::Result;

/// The readouts of `readouts.csv`; none if the run has no such file.
pub(super) fn read(run: &Path, lots: &[String]) -> Result<Vec<Readout>> {
    if !run.join("readouts.csv").exists() {
        return Ok(Vec::new());
    }
    let file = File::read(run, "readouts.csv")?;
    let (names, units) = (file.texts("readout")?, file.texts_or_empty("unit")?);
    let (sources, codes) = (file.texts("source")?, file.codes("lot", lots)?);
    let (values, sem) = (file.floats("value")?, file.floats("sem")?);
    let (low, high) = (file.floats("ci_low")?, file.floats("ci_high")?);
    let (n, below) = (file.floats("n")?, file.floats("n_below_loq")?);
    let hidden = file.bools("hidden")?;
    let mut readouts: Vec<Readout> = Vec::new();
    for row in 0..names.len() {
        let known = readouts.iter().position(|r| r.name == names[row]);
        let at = match known {
            Some(at) => at,
            None => {
                let source = match sources[row].as_str() {
                    "measured" => ReadoutSource::Measured,
                    "outcome" => ReadoutSource::Outcome,
                    _ => return Err(file.complain("source", "measured or outcome was expected")),
                };
                let mut readout = Readout::new(names[row].clone(), source, vec![f64::NAN; lots.len()]);
                readout.unit.clone_from(&units[row]);
                readouts.push(readout);
                readouts.len() - 1
            }
        };
        let (readout, lot) = (&mut readouts[at], codes[row] as usize);
        (readout.values[lot], readout.sem[lot], readout.hidden[lot]) = (values[row], sem[row], hidden[row]);
        (readout.ci_low[lot], readout.ci_high[lot]) = (low[row], high[row]);
        // A missing number becomes 0.
        (readout.n[lot], readout.n_below_loq[lot]) = (n[row] as u64, below[row] as u64);
    }
    Ok(readouts)
}
