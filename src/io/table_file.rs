//! A table of a results directory with its path: columns by type, complaints that name file and column.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::tables::read_table;
use crate::data::{Column, Table};
use crate::error::{Error, Result};

/// A table with its path, so that every complaint can name both file and column.
pub struct TableFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub table: Table,
    /// What to do if it is not as expected; ends every complaint.
    cure: &'static str,
}

impl TableFile {
    /// Reads a table of a run directory.
    ///
    /// # Errors
    /// As [`read_table`].
    pub fn read(run: &Path, name: &str) -> Result<Self> {
        Self::open(&run.join(name), "make the run again with `cqa cluster`")
    }

    /// Reads any table; `cure` says what to do if it is not as expected.
    ///
    /// # Errors
    /// As [`read_table`].
    pub fn open(path: &Path, cure: &'static str) -> Result<Self> {
        Ok(Self { table: read_table(path)?, path: path.to_path_buf(), cure })
    }

    /// A column.
    ///
    /// # Errors
    /// It is missing.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.table.column(name).ok_or_else(|| self.complain(name, "this column is missing"))
    }

    /// What is wrong with a column of this file.
    pub fn complain(&self, column: &str, message: &str) -> Error {
        Error::format(&self.path, format!("column {column}"), format!("{message}; {}", self.cure))
    }

    /// Numbers; NaN where empty.
    ///
    /// # Errors
    /// The column is missing or holds something else.
    pub fn floats(&self, name: &str) -> Result<Vec<f64>> {
        match self.column(name)? {
            Column::Float(values) => Ok(values.clone()),
            Column::Float32(values) => Ok(values.iter().map(|&v| f64::from(v)).collect()),
            Column::Integer(values) => Ok(values.iter().map(|&v| v as f64).collect()),
            // A column without a single value has no type of its own in CSV.
            Column::Text(values) if values.iter().all(String::is_empty) => Ok(vec![f64::NAN; values.len()]),
            _ => Err(self.complain(name, "numbers were expected")),
        }
    }

    /// As [`TableFile::floats`], in single precision.
    ///
    /// # Errors
    /// The column is missing or holds something else.
    pub fn floats32(&self, name: &str) -> Result<Vec<f32>> {
        match self.column(name)? {
            Column::Float32(values) => Ok(values.clone()),
            _ => Ok(self.floats(name)?.into_iter().map(|v| v as f32).collect()),
        }
    }

    /// Whole numbers.
    ///
    /// # Errors
    /// The column is missing or holds something else.
    pub fn integers<T: TryFrom<i64>>(&self, name: &str) -> Result<Vec<T>> {
        match self.column(name)? {
            Column::Integer(values) => values.iter().map(|&v| T::try_from(v).ok()).collect::<Option<Vec<T>>>(),
            _ => None,
        }
        .ok_or_else(|| self.complain(name, "whole numbers were expected"))
    }

    /// Yes or no.
    ///
    /// # Errors
    /// The column is missing or holds something else.
    pub fn bools(&self, name: &str) -> Result<Vec<bool>> {
        match self.column(name)? {
            Column::Bool(values) => Ok(values.clone()),
            _ if self.table.n_rows() == 0 => Ok(Vec::new()),
            _ => Err(self.complain(name, "true or false was expected")),
        }
    }

    /// Text; numbers as they are written.
    ///
    /// # Errors
    /// The column is missing or holds something else.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        Ok(match self.column(name)? {
            Column::Text(values) => values.clone(),
            Column::Category { codes, levels } => codes.iter().map(|&c| levels[c as usize].clone()).collect(),
            Column::Integer(values) => values.iter().map(i64::to_string).collect(),
            Column::Float(values) => values.iter().map(f64::to_string).collect(),
            _ => return Err(self.complain(name, "text was expected")),
        })
    }

    /// As [`TableFile::texts`], of a column that may hold nothing at all.
    ///
    /// # Errors
    /// The column is missing or holds something else.
    pub fn texts_or_empty(&self, name: &str) -> Result<Vec<String>> {
        match self.column(name)? {
            Column::Float(values) if values.iter().all(|v| v.is_nan()) => Ok(vec![String::new(); values.len()]),
            _ => self.texts(name),
        }
    }

    /// Index of each row's text in `names`.
    ///
    /// # Errors
    /// The column is missing, or a text is not among the names.
    pub fn codes(&self, name: &str, names: &[String]) -> Result<Vec<u32>> {
        let index: HashMap<&str, u32> = names.iter().enumerate().map(|(i, n)| (n.as_str(), i as u32)).collect();
        let find = |text: &String| {
            let unknown = || self.complain(name, &format!("`{text}` is not known from the other files of the run"));
            index.get(text.as_str()).copied().ok_or_else(unknown)
        };
        if let Column::Category { codes, levels } = self.column(name)? {
            let of_level: Vec<Result<u32>> = levels.iter().map(find).collect();
            return codes
                .iter()
                .map(|&c| of_level[c as usize].as_ref().copied().map_err(|_| find(&levels[c as usize]).unwrap_err()))
                .collect();
        }
        self.texts(name)?.iter().map(find).collect()
    }
}
