//! A lot: one manufactured batch of cells; and the sheet that lists the lots.

use std::path::PathBuf;

use super::Counts;

/// The cells of one lot.
#[derive(Debug, Clone, PartialEq)]
pub struct Lot {
    /// Unique name.
    pub name: String,
    /// One barcode per cell, unique within the lot.
    pub barcodes: Vec<String>,
    /// Cells × genes.
    pub counts: Counts,
}

/// Where a lot's cells are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotSource {
    /// Unique name.
    pub lot: String,
    /// File or folder, resolved against the sheet's folder.
    pub path: PathBuf,
    /// Only the cells of a pooled file whose obs column (first) has this value (second).
    pub subset: Option<(String, String)>,
}

/// The lot sheet: one row per lot; further columns are readouts and covariates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LotSheet {
    /// Lots in the order of the sheet.
    pub lots: Vec<LotSource>,
    /// Further columns in the order of the sheet, each with one value per lot.
    pub columns: Vec<SheetColumn>,
}

/// One readout or covariate.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetColumn {
    /// Header.
    pub name: String,
    /// Text as written, one per lot; empty = missing.
    pub values: Vec<String>,
}

impl SheetColumn {
    /// Values as numbers, NaN where missing; `None` if any value is not a number.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        self.values
            .iter()
            .map(|v| match v.trim() {
                "" => Some(f64::NAN),
                text => text.parse().ok().filter(|x: &f64| x.is_finite()),
            })
            .collect()
    }
}

impl LotSheet {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&SheetColumn> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The rows where `keep` is true.
    pub fn select_lots(&self, keep: &[bool]) -> Self {
        let pick = |i: &usize| keep[*i];
        let index: Vec<usize> = (0..self.lots.len()).filter(pick).collect();
        Self {
            lots: index.iter().map(|&i| self.lots[i].clone()).collect(),
            columns: self
                .columns
                .iter()
                .map(|c| SheetColumn {
                    name: c.name.clone(),
                    values: index.iter().map(|&i| c.values[i].clone()).collect(),
                })
                .collect(),
        }
    }
}
