//! Influence: what each lot does to an association at fixed clusters.

use crate::data::LotTable;

/// r of every column without each lot.
#[derive(Debug, Clone, PartialEq)]
pub struct Influence {
    /// Column name.
    pub column: String,
    /// Lot left out.
    pub lot: String,
    /// r with all lots.
    pub r: f64,
    /// r without this lot; NaN if undefined.
    pub r_without: f64,
}

/// Leaves out each lot in turn. One entry per column and lot that has both values.
pub fn influence(_table: &LotTable, _values: &[f64]) -> Vec<Influence> {
    todo!()
}
