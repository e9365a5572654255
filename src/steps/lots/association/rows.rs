//! Which rows of the table take part in an association.

use super::Observed;
use crate::data::LotTable;
use crate::error::{Error, Result};
use crate::steps::lots::units::Units;
use crate::warning::Warning;

pub(super) fn too_few(readout: &str, n_rows: usize, n_left: usize, units: &Units) -> Error {
    let of = if units.column.is_empty() { "lots".into() } else { format!("values of `{}`", units.column) };
    if n_left == n_rows {
        return Error::TooFew {
            what: format!("{of} with a value of {readout} and cells"),
            have: n_rows,
            need: 3,
            cure: "give more lots, or fill in the readout in the lot sheet".into(),
        };
    }
    Error::TooFew {
        what: format!("degrees of freedom that blocks and covariates leave of {n_rows} {of} with {readout}"),
        have: n_left,
        need: 3,
        cure: "name fewer covariates or larger blocks, or give more lots".into(),
    }
}

pub(super) fn check_values(table: &LotTable, readout: &str, values: &[f64]) -> Result<()> {
    if values.len() != table.n_lots() {
        return Err(Error::input(
            format!("{readout} has {} values for {} lots", values.len(), table.n_lots()),
            "give one value per lot, NaN where it is missing",
        ));
    }
    let infinite = (0..table.n_lots())
        .find(|&lot| values[lot].is_infinite() || table.values.row(lot).iter().any(|v| v.is_infinite()));
    match infinite {
        Some(lot) => Err(Error::input(
            format!("lot {} has an infinite value in the association with {readout}", table.lots[lot]),
            "give finite numbers, or leave the value out",
        )),
        None => Ok(()),
    }
}

/// Rows with a readout, a value in every column, and a known block and covariates; the others are told of.
pub(super) fn complete_rows(
    table: &LotTable,
    observed: Observed<'_>,
    units: &Units,
    warnings: &mut Vec<Warning>,
) -> Vec<usize> {
    let name = |row: usize| table.lots[row].clone();
    let Observed { name: readout, values, .. } = observed;
    let missing: Vec<String> = (0..values.len()).filter(|&row| values[row].is_nan()).map(name).collect();
    if !missing.is_empty() {
        warnings.push(Warning::ReadoutMissing { readout: readout.into(), lots: missing });
    }
    let mut rows = Vec::new();
    for row in (0..values.len()).filter(|&row| !values[row].is_nan()) {
        let no_value = table.values.row(row).iter().position(|v| v.is_nan());
        let cause = match no_value {
            Some(column) => Some(format!("it has no value in column {}", table.columns[column])),
            None if units.blocks[row].is_none() => Some(format!("it has no value of the block {}", units.block)),
            None if units.covariate_columns.iter().any(|c| c[row].is_nan()) => {
                Some(format!("it lacks a value of {}", units.covariates.join(" or ")))
            }
            None if observed.weights.is_some_and(|w| w[row] <= 0.0) => Some("its weight is 0".into()),
            None => None,
        };
        match cause {
            None => rows.push(row),
            Some(cause) => {
                let step = format!("the association with {readout}");
                warnings.push(Warning::LotLeftOut { lot: name(row), step, cause });
            }
        }
    }
    rows
}
