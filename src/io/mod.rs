//! Disk ⇄ nouns: every file format that is read or written.

mod bytes;
pub mod checkpoints;
pub mod delimited;
mod gene_axis;
pub mod h5ad;
mod h5ad_columns;
mod h5ad_genes;
mod h5ad_write;
mod hdf5;
pub mod join;
pub mod long_tables;
mod lot_file;
pub mod lot_records;
pub mod lot_sheet;
pub mod lot_store;
pub mod matrix_market;
mod names;
mod obs_file;
mod parquet;
pub mod run_dir;
mod shared_barcodes;
pub mod signature;
pub mod table_file;
pub mod tables;
pub mod tenx_h5;
pub mod tenx_mtx;
pub mod tenx_mtx_write;
mod unfinished;

pub use unfinished::remove_unfinished;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::data::{Counts, Dataset, Genes};
use crate::warning::Warning;

/// How lots are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadParams {
    /// Gene set of lots that differ: `intersection` (default) or `union`.
    pub genes: GeneSets,
    /// Where an `.h5ad` holds its counts: `X`, `raw/X`, `layers/NAME`; empty (default) = look for them.
    pub counts: String,
    /// Genome of a multi-genome 10x file; empty (default) = the only one.
    pub genome: String,
    /// Orientation of delimited text; default found by itself.
    pub orientation: Orientation,
    /// Bytes that a data set of an HDF5 file may claim for each byte of the file, once it claims more than 64 MiB; what claims more is
    /// refused before anything is allocated. Default 1100: deflate packs at most 1,032 bytes into one.
    pub max_expansion: u64,
}

impl Default for ReadParams {
    fn default() -> Self {
        Self {
            genes: GeneSets::Intersection,
            counts: String::new(),
            genome: String::new(),
            orientation: Orientation::Auto,
            max_expansion: 1100,
        }
    }
}

/// Which genes are used where lots differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GeneSets {
    /// Genes that every lot has.
    Intersection,
    /// Genes that any lot has; absent ones count as 0.
    Union,
}

/// What the rows of a delimited text file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// Found from the names.
    Auto,
    /// One row per cell.
    CellsByGenes,
    /// One row per gene.
    GenesByCells,
}

/// What one file or folder holds, before it is joined with others.
#[derive(Debug, Clone, PartialEq)]
pub struct RawLot {
    /// Genes of this file, ids unique (repeated ids already added up).
    pub genes: Genes,
    /// One per cell, unique.
    pub barcodes: Vec<String>,
    /// Cells × genes.
    pub counts: Counts,
    /// Files that were opened, for hashing.
    pub files: Vec<PathBuf>,
    /// What the reader found worth saying; lot names are filled in by the caller.
    pub warnings: Vec<Warning>,
}

/// All lots, joined.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadLots {
    /// Lots on one gene axis.
    pub dataset: Dataset,
    /// Files that were opened, for hashing, sorted.
    pub files: Vec<PathBuf>,
    /// What was found worth saying.
    pub warnings: Vec<Warning>,
}
