//! Units: what counts as one observation, and with what it may change places.
//!
//! **Question.** Are lots of one donor several observations? What else do lots share that must not be taken for potency?
//!
//! **Method.** *Unit* (`association.unit`; by itself the sheet's column `donor` where a donor has several lots): lots of one
//! unit are averaged, shares and readout alike, over the lots that have both, and n counts units. Where the readout is the
//! same for all lots of each unit, every order of the units is admissible. Where it is not, the average of more lots varies
//! less, so only units with the same number of lots exchange. *Block* (`association.block`): lots are compared with the mean
//! of their block, and the readout is permuted within blocks. If the block is the unit (paired lots of a donor), lots are not
//! averaged; blocks are what is counted. *Covariates* (`association.covariates`): numbers as they are, words as one indicator
//! per further word; see [`crate::math::design`].
//!
//! **Shapes.** The sheet and which lots take part → one row per unit, codes of blocks and strata, covariates.
//!
//! **Beside other tools.** limma has `duplicateCorrelation`, which estimates from the data how alike lots of one donor are;
//! with few donors that estimate is poor, and averaging needs none.
//!
//! **References.** Freedman & Lane 1983, doi:10.1080/07350015.1983.10509354; Winkler 2014,
//! doi:10.1016/j.neuroimage.2014.01.060 (what is exchangeable); Winkler 2015, doi:10.1016/j.neuroimage.2015.05.092 (units).

use ndarray::Array2;

use super::association::AssociationParams;
use crate::data::{LotSheet, LotTable, Readout, SheetColumn};
use crate::error::{Error, Result};
use crate::warning::Warning;

/// Column that is the unit by itself where it repeats.
pub const DONOR: &str = "donor";

/// As `association.unit`: every lot is a unit, also where a donor has several.
pub const EACH_LOT: &str = "lot";

/// Rows of an association and how they may change places. All vectors have one entry per row.
#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    /// Column that says which lots are one; empty if every lot is a row of its own.
    pub column: String,
    /// Name of each row.
    pub names: Vec<String>,
    /// Lots of each row, indices into the sheet.
    pub lots: Vec<Vec<usize>>,
    /// Column of the blocks; empty if there are none.
    pub block: String,
    /// Block of each row; `None` = not known, the row takes no part.
    pub blocks: Vec<Option<usize>>,
    /// Rows exchange within their stratum only.
    pub strata: Vec<usize>,
    /// Names of the covariates.
    pub covariates: Vec<String>,
    /// Columns of the covariates; NaN = not known, the row takes no part.
    pub covariate_columns: Vec<Vec<f64>>,
    /// What was done to repeated donors.
    pub warnings: Vec<Warning>,
}

impl Units {
    /// Block and stratum of each of these rows, which are in a block.
    pub(super) fn exchange(&self, rows: &[usize]) -> (Vec<usize>, Vec<usize>) {
        rows.iter().map(|&row| (self.blocks[row].unwrap_or(0), self.strata[row])).unzip()
    }

    /// Every row of a table for itself, free to change places with any other.
    pub fn free(names: &[String]) -> Self {
        Self {
            column: String::new(),
            names: names.to_vec(),
            lots: (0..names.len()).map(|lot| vec![lot]).collect(),
            block: String::new(),
            blocks: vec![Some(0); names.len()],
            strata: vec![0; names.len()],
            covariates: Vec::new(),
            covariate_columns: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Average over the lots of each row that have a value; NaN if none has.
    pub fn average(&self, of_lots: &[f64]) -> Vec<f64> {
        let mean = |lots: &Vec<usize>| {
            let known: Vec<f64> = lots.iter().map(|&lot| of_lots[lot]).filter(|v| !v.is_nan()).collect();
            match known[..] {
                [one] => one,
                _ => known.iter().sum::<f64>() / known.len() as f64,
            }
        };
        self.lots.iter().map(mean).collect()
    }

    /// The table with one row per unit.
    pub fn table(&self, table: &LotTable) -> LotTable {
        LotTable::new(self.names.clone(), table.columns.clone(), self.rows(&table.values))
    }

    /// A matrix with one row per lot as one with one row per unit.
    pub fn rows(&self, of_lots: &Array2<f64>) -> Array2<f64> {
        let mut rows = Array2::zeros((self.names.len(), of_lots.ncols()));
        for (mut to, from) in rows.columns_mut().into_iter().zip(of_lots.columns()) {
            to.assign(&ndarray::Array1::from(self.average(&from.to_vec())));
        }
        rows
    }

    /// Sum over the lots of each row.
    pub fn sum(&self, of_lots: &[f64]) -> Vec<f64> {
        self.lots.iter().map(|lots| lots.iter().map(|&lot| of_lots[lot]).sum()).collect()
    }
}

/// Finds the rows of an association. `table` and `readout` have one row per lot of the sheet; they say which lots take part.
///
/// # Errors
/// - a column named in the parameters is not in the sheet
/// - lots of one unit lie in several blocks, or differ in a covariate that is a word
/// - the readout differs within units, and its averages are all the same
pub fn units(sheet: &LotSheet, table: &LotTable, readout: &Readout, params: &AssociationParams) -> Result<Units> {
    let names: Vec<String> = sheet.lots.iter().map(|lot| lot.lot.clone()).collect();
    let mut units = Units::free(&names);
    let takes_part: Vec<bool> = (0..names.len())
        .map(|lot| !readout.values[lot].is_nan() && !table.values.row(lot).iter().any(|v| v.is_nan()))
        .collect();
    if let Some(column) = unit_column(sheet, &params.unit)? {
        let codes = codes(&column.values, &takes_part);
        let n_units = codes.iter().flatten().max().map_or(0, |last| last + 1);
        let n_lots = codes.iter().flatten().count();
        let told =
            |averaged| Warning::RepeatedDonor { column: column.name.clone(), n_lots, n_donors: n_units, averaged };
        if params.block == column.name {
            // Lots are compared within the unit, so that units, here blocks, are what is counted.
            units.column.clone_from(&column.name);
        } else if params.unit == EACH_LOT {
            units.warnings.extend((n_units < n_lots).then(|| told(false)));
        } else if n_units < n_lots {
            merge(&mut units, column, &codes, n_units, readout);
            refuse_averaged_away(&units, readout)?;
            units.warnings.push(told(true));
        }
    }
    if !params.block.is_empty() {
        let column = find(sheet, "association.block", &params.block)?;
        let codes = codes(&column.values, &vec![true; names.len()]);
        units.block.clone_from(&column.name);
        units.blocks =
            of_units(&units, &column.name, |lot| if column.values[lot].trim().is_empty() { None } else { codes[lot] })?;
    }
    for name in &params.covariates {
        let column = find(sheet, "association.covariates", name)?;
        let columns = covariate(&units, column)?;
        units.covariates.push(name.clone());
        units.covariate_columns.extend(columns);
    }
    Ok(units)
}

/// Lots that are left out together when a road is walked without each unit, in the order of the sheet: those of one value of
/// the unit's column (`unit` as in [`AssociationParams`]), else each for itself.
///
/// # Errors
/// The column is not in the sheet.
pub fn lots_of_units(sheet: &LotSheet, unit: &str) -> Result<Vec<Vec<usize>>> {
    let n_lots = sheet.lots.len();
    let column = if unit == EACH_LOT { None } else { unit_column(sheet, unit)? };
    let Some(column) = column else { return Ok((0..n_lots).map(|lot| vec![lot]).collect()) };
    let codes = codes(&column.values, &vec![true; n_lots]);
    let n_units = codes.iter().flatten().max().map_or(0, |last| last + 1);
    Ok((0..n_units).map(|unit| (0..n_lots).filter(|&lot| codes[lot] == Some(unit)).collect()).collect())
}

fn unit_column<'a>(sheet: &'a LotSheet, unit: &str) -> Result<Option<&'a SheetColumn>> {
    match unit {
        "" | EACH_LOT => Ok(sheet.column(DONOR)),
        name => find(sheet, "association.unit", name).map(Some),
    }
}

fn find<'a>(sheet: &'a LotSheet, key: &'static str, name: &str) -> Result<&'a SheetColumn> {
    sheet.column(name).ok_or_else(|| {
        let names: Vec<&str> = sheet.columns.iter().map(|c| c.name.as_str()).collect();
        Error::param(key, name, format!("a column of the lot sheet ({})", names.join(", ")))
    })
}

/// A code per value in the order of appearance; an empty value is one of its own. `None` where `takes_part` is false.
fn codes(values: &[String], takes_part: &[bool]) -> Vec<Option<usize>> {
    let mut known: Vec<&str> = Vec::new();
    values
        .iter()
        .zip(takes_part)
        .map(|(value, takes_part)| {
            takes_part.then(|| {
                let value = value.trim();
                let found = known.iter().position(|k| *k == value && !value.is_empty());
                found.unwrap_or_else(|| {
                    known.push(value);
                    known.len() - 1
                })
            })
        })
        .collect()
}

/// Makes one row of the lots of each unit that take part.
fn merge(units: &mut Units, column: &SheetColumn, codes: &[Option<usize>], n_units: usize, readout: &Readout) {
    let lots: Vec<Vec<usize>> =
        (0..n_units).map(|unit| (0..codes.len()).filter(|&lot| codes[lot] == Some(unit)).collect()).collect();
    let missing: Vec<String> =
        (0..codes.len()).filter(|&lot| readout.values[lot].is_nan()).map(|lot| units.names[lot].clone()).collect();
    if !missing.is_empty() {
        units.warnings.push(Warning::ReadoutMissing { readout: readout.name.clone(), lots: missing });
    }
    let varies = lots.iter().any(|lots| lots.iter().any(|&lot| readout.values[lot] != readout.values[lots[0]]));
    if varies {
        let (readout, column) = (readout.name.clone(), column.name.clone());
        units.warnings.push(Warning::ReadoutVariesWithin { readout, column });
    }
    let name = |lots: &Vec<usize>| match column.values[lots[0]].trim() {
        "" => units.names[lots[0]].clone(),
        name => name.to_string(),
    };
    let names = lots.iter().map(name).collect();
    let strata = lots.iter().map(|lots| if varies { lots.len() } else { 0 }).collect();
    let warnings = std::mem::take(&mut units.warnings);
    *units = Units { column: column.name.clone(), names, strata, ..Units::free(&vec![String::new(); n_units]) };
    (units.lots, units.warnings) = (lots, warnings);
}

/// A readout that differs within every unit and no more between them, such as two arms of each donor, is gone once averaged.
fn refuse_averaged_away(units: &Units, readout: &Readout) -> Result<()> {
    let differ = |values: &[f64]| {
        let mut known = values.iter().filter(|v| !v.is_nan());
        let first = known.next().copied();
        known.any(|v| first.is_some_and(|f| (v - f).abs() > 1e-12 * f.abs().max(v.abs())))
    };
    if !differ(&readout.values) || differ(&units.average(&readout.values)) {
        return Ok(());
    }
    let (name, column) = (&readout.name, &units.column);
    Err(Error::input(
        format!(
            "{name} has the same average in every value of `{column}`, whose lots are averaged, so nothing is left to explain"
        ),
        format!(
            "compare the lots within `{column}` with --block {column} (`block = \"{column}\"` in `[association]`), or, if lots of one \
             `{column}` are independent, say --unit lot"
        ),
    ))
}

/// What all lots of each unit have in common.
fn of_units<T: PartialEq + Copy>(units: &Units, column: &str, of_lot: impl Fn(usize) -> T) -> Result<Vec<T>> {
    let common = |(name, lots): (&String, &Vec<usize>)| {
        let first = of_lot(lots[0]);
        if lots.iter().any(|&lot| of_lot(lot) != first) {
            return Err(Error::input(
                format!("lots of {} `{name}` differ in column `{column}`, so they can't be taken as one", units.column),
                format!(
                    "name `{}` as the block to compare lots within it, leave `{column}` out, or say `unit = \"lot\"` if the \
                     lots are independent",
                    units.column
                ),
            ));
        }
        Ok(first)
    };
    units.names.iter().zip(&units.lots).map(common).collect()
}

/// Numbers as they are, averaged over the lots of a unit; words as one indicator for each but the first.
fn covariate(units: &Units, column: &SheetColumn) -> Result<Vec<Vec<f64>>> {
    if let Some(values) = column.numbers() {
        return Ok(vec![units.average(&values)]);
    }
    let mut words: Vec<&str> = column.values.iter().map(|v| v.trim()).filter(|v| !v.is_empty()).collect();
    words.sort_unstable();
    words.dedup();
    let word_of = |lot: usize| words.binary_search(&column.values[lot].trim()).ok();
    let of_unit = of_units(units, &column.name, word_of)?;
    let indicator = |word: usize| {
        let value = |found: &Option<usize>| found.map_or(f64::NAN, |w| f64::from(u8::from(w == word)));
        of_unit.iter().map(value).collect::<Vec<f64>>()
    };
    Ok((1..words.len()).map(indicator).collect())
}

#[cfg(test)]
mod tests;
