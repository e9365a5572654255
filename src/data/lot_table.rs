//! Lots × named columns: shares, panels, pseudobulk and readouts alike.

use ndarray::{Array2, ArrayView1};

/// One number per lot and column; NaN = missing. One `association` serves every such table.
#[derive(Debug, Clone, PartialEq)]
pub struct LotTable {
    /// Lot names (rows).
    pub lots: Vec<String>,
    /// Column names.
    pub columns: Vec<String>,
    /// Lots × columns.
    pub values: Array2<f64>,
}

impl LotTable {
    /// A table; panics if the shape does not match the names.
    pub fn new(lots: Vec<String>, columns: Vec<String>, values: Array2<f64>) -> Self {
        assert_eq!(values.dim(), (lots.len(), columns.len()), "lots × columns");
        Self { lots, columns, values }
    }

    /// Number of lots.
    pub fn n_lots(&self) -> usize {
        self.lots.len()
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// One column.
    pub fn column(&self, index: usize) -> ArrayView1<'_, f64> {
        self.values.column(index)
    }
}
