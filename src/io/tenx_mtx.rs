//! 10x matrix folders: `matrix.mtx[.gz]`, `barcodes.tsv[.gz]`, `genes.tsv`/`features.tsv[.gz]`.

use std::path::Path;

use crate::error::Result;
use crate::io::{RawLot, ReadParams};

/// Reads a 10x matrix folder.
pub fn read_tenx_mtx(_folder: &Path, _params: &ReadParams) -> Result<RawLot> {
    todo!()
}
