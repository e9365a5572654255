//! AnnData files, read and written.

use std::path::Path;

use ndarray::ArrayView2;

use crate::data::{Dataset, LotSheet, Table};
use crate::error::Result;
use crate::io::{RawLot, ReadParams};

/// Reads the cells of an `.h5ad` (all, or those with the given value of an obs column).
pub fn read_h5ad(_path: &Path, _subset: Option<(&str, &str)>, _params: &ReadParams) -> Result<RawLot> {
    todo!()
}

/// The lot sheet of a pooled `.h5ad`: one lot per distinct value of the obs column; other obs columns that are constant
/// within lots become columns of the sheet.
pub fn lot_sheet_of_h5ad(_path: &Path, _lot_column: &str) -> Result<LotSheet> {
    todo!()
}

/// What is written beside the counts.
pub struct AnnData<'a> {
    /// Counts (to `layers/counts`) and genes.
    pub dataset: &'a Dataset,
    /// Factor per cell: X = ln(1 + count · scale).
    pub scale: &'a [f32],
    /// Columns of obs (`lot` and the barcode index are added from the data set).
    pub obs: &'a Table,
    /// Columns of var.
    pub var: &'a Table,
    /// obsm entries such as `X_pca`, cells × dimensions.
    pub obsm: &'a [(&'a str, ArrayView2<'a, f32>)],
}

/// Writes an `.h5ad` that scanpy and cellxgene open.
pub fn write_h5ad(_path: &Path, _data: &AnnData<'_>) -> Result<()> {
    todo!()
}

/// One column of obs as text, one value per cell in the order of the file; empty where missing.
pub fn read_obs_column(_path: &Path, _column: &str) -> Result<Vec<String>> {
    todo!()
}
