//! Writing AnnData files.

use std::path::Path;

use ndarray::ArrayView2;

use crate::data::{Dataset, Table};
use crate::error::Result;

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
