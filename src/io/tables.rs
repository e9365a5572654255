//! Result tables as CSV (plain or gz) and Parquet.

use std::path::Path;

use crate::data::Table;
use crate::error::Result;

/// Writes a table; the format follows the name: `.csv`, `.csv.gz`, `.parquet`.
pub fn write_table(_path: &Path, _table: &Table) -> Result<()> {
    todo!()
}

/// Reads a table that [`write_table`] wrote. CSV columns that hold only numbers come back as numbers.
pub fn read_table(_path: &Path) -> Result<Table> {
    todo!()
}
