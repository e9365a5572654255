//! Delimited text of counts.

use std::path::Path;

use crate::error::Result;
use crate::io::{RawLot, ReadParams};

/// Reads a `.csv`/`.tsv`/`.txt[.gz]` of counts.
pub fn read_delimited(_path: &Path, _params: &ReadParams) -> Result<RawLot> {
    todo!()
}
