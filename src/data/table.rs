//! A table of results: named, typed columns of equal length, as written to CSV and Parquet.

use std::fmt::Write;

/// Typed column values.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Text.
    Text(Vec<String>),
    /// Text with few distinct values: code into levels per row.
    Category {
        /// One code per row, an index into `levels`.
        codes: Vec<u32>,
        /// Distinct values.
        levels: Vec<String>,
    },
    /// Whole numbers.
    Integer(Vec<i64>),
    /// Numbers in double precision; NaN = missing (empty in CSV, null in Parquet).
    Float(Vec<f64>),
    /// Numbers in single precision; NaN = missing.
    Float32(Vec<f32>),
    /// Yes or no, `true`/`false` in CSV.
    Bool(Vec<bool>),
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(v) => v.len(),
            Self::Category { codes, .. } => codes.len(),
            Self::Integer(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Float32(v) => v.len(),
            Self::Bool(v) => v.len(),
        }
    }

    /// True if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a row's value as text: a number with the fewest digits that give it back exactly, that of a `Float` column always
    /// with a point or an exponent; nothing for NaN.
    pub fn push_text(&self, row: usize, out: &mut String) {
        let written = match self {
            Self::Text(v) => out.write_str(&v[row]),
            Self::Category { codes, levels } => out.write_str(&levels[codes[row] as usize]),
            Self::Integer(v) => write!(out, "{}", v[row]),
            // `{:?}` gives the shortest digits that round-trip, with `.0` or an exponent where needed.
            Self::Float(v) if !v[row].is_nan() => write!(out, "{:?}", v[row]),
            Self::Float32(v) if !v[row].is_nan() => write!(out, "{:?}", v[row]),
            Self::Float(_) | Self::Float32(_) => Ok(()),
            Self::Bool(v) => write!(out, "{}", v[row]),
        };
        written.expect("a string takes everything");
    }
}

/// Named columns of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

impl Table {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column at the right. Panics if its length differs from the others'.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, column: Column) -> Self {
        if !self.columns.is_empty() {
            assert_eq!(column.len(), self.n_rows(), "columns of a table have one length");
        }
        self.columns.push((name.into(), column));
        self
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, c)| c.len())
    }

    /// Columns, from left to right.
    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, c)| c)
    }
}
