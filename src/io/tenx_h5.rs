//! 10x HDF5 files.

use std::path::Path;

use crate::error::Result;
use crate::io::{RawLot, ReadParams};

/// Reads a 10x `.h5` of Cell Ranger 1 to 9.
pub fn read_tenx_h5(_path: &Path, _params: &ReadParams) -> Result<RawLot> {
    todo!()
}
