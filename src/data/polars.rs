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

#[cfg(test)]
mod tests {
    use super::*;
    use ::polars::prelude::DataType;

    #[test]
    fn every_kind_of_column_keeps_its_values_and_type() {
        let table = Table::new()
            .with("text", Column::Text(vec!["a".into(), String::new(), "c".into()]))
            .with("category", Column::Category { codes: vec![1, 0, 1], levels: vec!["G1".into(), "S".into()] })
            .with("integer", Column::Integer(vec![-1, 0, i64::MAX]))
            .with("float", Column::Float(vec![0.1, f64::NAN, f64::INFINITY]))
            .with("float32", Column::Float32(vec![f32::NAN, 0.5, 3.0]))
            .with("bool", Column::Bool(vec![true, false, true]));
        let frame = table.to_polars();
        let names: Vec<&str> = frame.columns().iter().map(|column| column.name().as_str()).collect();
        assert_eq!(names, ["text", "category", "integer", "float", "float32", "bool"]);
        let types: Vec<&DataType> = frame.columns().iter().map(|column| column.dtype()).collect();
        let text = &DataType::String;
        assert_eq!(types, [text, text, &DataType::Int64, &DataType::Float64, &DataType::Float32, &DataType::Boolean]);
        let column = |name: &str| frame.column(name).unwrap();
        let texts = |name: &str| column(name).str().unwrap().iter().map(|v| v.unwrap().to_string()).collect::<Vec<_>>();
        assert_eq!(texts("text"), ["a", "", "c"]);
        assert_eq!(texts("category"), ["S", "G1", "S"]);
        assert_eq!(column("integer").i64().unwrap().iter().collect::<Vec<_>>(), [Some(-1), Some(0), Some(i64::MAX)]);
        let floats: Vec<Option<f64>> = column("float").f64().unwrap().iter().collect();
        assert_eq!(floats, [Some(0.1), None, Some(f64::INFINITY)], "NaN is null");
        assert_eq!(column("float32").f32().unwrap().iter().collect::<Vec<_>>(), [None, Some(0.5), Some(3.0)]);
        assert_eq!(column("bool").bool().unwrap().iter().collect::<Vec<_>>(), [Some(true), Some(false), Some(true)]);
        assert_eq!(Table::new().to_polars().shape(), (0, 0));
    }
}
