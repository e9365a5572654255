//! The nouns: counts, genes, lots, data sets, tables. Cells are rows, everywhere.

pub mod comparison;
pub mod counts;
pub mod dataset;
pub mod genes;
pub mod lot;
pub mod lot_records;
pub mod lot_table;
#[cfg(feature = "polars")]
mod polars;
pub mod readout;
pub mod signature;
pub mod table;

pub use comparison::{
    Attribute, AttributeKind, AttributeTransform, Comparison, ComparisonDesign, LotsFrom, Margin, MarginUnit,
    Multiplicity, Range, RecordsNeeded, Rule, Side, WholeTests,
};
pub use counts::{Counts, CountsBuilder, Lend, Row};
pub use dataset::Dataset;
pub use genes::{Genes, places_of_genes};
pub use lot::{Lot, LotSheet, LotSource, SheetColumn};
pub use lot_records::{CellShares, GeneSum, LotRecords, RecordsKind};
pub use lot_table::LotTable;
pub use readout::{CaseOutcome, Measurement, Readout, ReadoutSource};
pub use signature::{AbsentGene, Signature, SignatureGene, Source};
pub use table::{Column, Table};
