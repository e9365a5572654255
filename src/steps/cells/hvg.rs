//! Highly variable genes.

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::error::Result;
use crate::steps::cells::Normalized;
use crate::warning::Warning;

/// Which method ranks the genes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HvgFlavor {
    /// Variance after a variance-stabilising transform of counts (Stuart 2019).
    SeuratV3,
    /// Normalised dispersion of log-normalised values (Satija 2015).
    Seurat,
}

/// Parameters of [`hvg`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HvgParams {
    /// Number of genes.
    pub n_top_genes: usize,
    /// Method.
    pub flavor: HvgFlavor,
    /// Rank within each lot and combine (true), or over all cells at once.
    pub per_lot: bool,
    /// Share of genes in each local fit of `seurat_v3`, 0..1.
    pub span: f64,
    /// Keep mitochondrial genes out.
    pub exclude_mito: bool,
    /// Keep ribosomal genes out.
    pub exclude_ribo: bool,
    /// Symbols or ids to keep out.
    pub exclude: Vec<String>,
}

impl Default for HvgParams {
    fn default() -> Self {
        Self {
            n_top_genes: 2000,
            flavor: HvgFlavor::SeuratV3,
            per_lot: true,
            span: 0.3,
            exclude_mito: false,
            exclude_ribo: false,
            exclude: Vec::new(),
        }
    }
}

/// Result of [`hvg`].
#[derive(Debug, Clone, PartialEq)]
pub struct Hvg {
    /// Selected genes, rising indices.
    pub genes: Vec<u32>,
    /// Per gene (all): mean (of counts for `seurat_v3`, of log-normalised values for `seurat`).
    pub mean: Vec<f64>,
    /// Per gene (all): the measure ranked by (normalised variance or dispersion; mean over lots if per lot).
    pub score: Vec<f64>,
    /// Per gene (all): number of lots in which it is among the top.
    pub n_lots: Vec<u32>,
    /// Lots that could not take part.
    pub warnings: Vec<Warning>,
}

/// Selects the most variable genes.
pub fn hvg(_dataset: &Dataset, _normalized: &Normalized, _params: &HvgParams) -> Result<Hvg> {
    todo!()
}
