//! `marker_expression.parquet`: what the map of the report is coloured by.

use super::integer;
use crate::data::{Column, Table};
use crate::pipeline::Analysis;
use crate::steps::markers::expression::STEPS_PER_UNIT;

/// One row per cell shown: its row of `cells.parquet`, then ln(1 + x) of each gene by gene id.
pub(super) fn tables(analysis: &Analysis) -> Vec<(&'static str, Table)> {
    let shown = &analysis.marker_expression;
    if shown.genes.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new().with("cell", integer(shown.cells.iter().copied()));
    for (&gene, levels) in shown.genes.iter().zip(shown.level.rows()) {
        let values = levels.iter().map(|&level| f32::from(level) / STEPS_PER_UNIT).collect();
        table = table.with(&analysis.genes.ids()[gene as usize], Column::Float32(values));
    }
    vec![("marker_expression.parquet", table)]
}
