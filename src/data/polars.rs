//! Result tables as polars DataFrames.

use ::polars::prelude::{Column as Series, DataFrame};

use super::{Column, Table};

impl Table {
    /// The table as a [`DataFrame`]; NaN becomes null, a category its text.
    ///
    /// ```
    /// use cqa::data::{Column, Table};
    /// let table = Table::new()
    ///     .with("cluster", Column::Integer(vec![0, 1]))
    ///     .with("r", Column::Float(vec![0.9, f64::NAN]));
    /// let frame = table.to_polars();
    /// assert_eq!(frame.shape(), (2, 2));
    /// assert_eq!(frame.column("r").unwrap().null_count(), 1);
    /// ```
    pub fn to_polars(&self) -> DataFrame {
        let columns = self.columns().iter().map(|(name, column)| series(name, column)).collect();
        DataFrame::new(self.n_rows(), columns).expect("columns of a table have one length and different names")
    }
}

fn series(name: &str, column: &Column) -> Series {
    let name = name.into();
    match column {
        Column::Text(values) => Series::new(name, values.clone()),
        Column::Category { codes, levels } => {
            Series::new(name, codes.iter().map(|&code| levels[code as usize].as_str()).collect::<Vec<_>>())
        }
        Column::Integer(values) => Series::new(name, values.clone()),
        Column::Float(values) => {
            Series::new(name, values.iter().map(|v| (!v.is_nan()).then_some(*v)).collect::<Vec<_>>())
        }
        Column::Float32(values) => {
            Series::new(name, values.iter().map(|v| (!v.is_nan()).then_some(*v)).collect::<Vec<_>>())
        }
        Column::Bool(values) => Series::new(name, values.clone()),
    }
}
