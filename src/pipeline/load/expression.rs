//! `marker_expression.parquet` read back.

use std::path::Path;

use ndarray::Array2;

use crate::data::Genes;
use crate::error::Result;
use crate::io::table_file::TableFile as File;
use crate::steps::markers::MarkerExpression;
use crate::steps::markers::expression::STEPS_PER_UNIT;

/// Empty where the run has no such file, as those written before it was made.
pub(super) fn read(run: &Path, genes: &Genes, n_cells: usize) -> Result<MarkerExpression> {
    const NAME: &str = "marker_expression.parquet";
    if !run.join(NAME).exists() {
        return Ok(MarkerExpression::default());
    }
    let file = File::read(run, NAME)?;
    let cells: Vec<u32> = file.integers("cell")?;
    if !cells.is_sorted() || cells.last().is_some_and(|&last| last as usize >= n_cells) {
        return Err(file.complain("cell", "rows of cells.parquet were expected, rising"));
    }
    let index = genes.index_by_id();
    let mut rows: Vec<(u32, Vec<f32>)> = Vec::new();
    for (name, _) in file.table.columns().iter().filter(|(name, _)| name != "cell") {
        let gene = index.get(name.as_str()).ok_or_else(|| file.complain(name, "a gene that the run lacks"))?;
        rows.push((*gene, file.floats32(name)?));
    }
    rows.sort_by_key(|row| row.0);
    let level = |(gene, cell): (usize, usize)| (rows[gene].1[cell] * STEPS_PER_UNIT).round() as u8;
    Ok(MarkerExpression {
        level: Array2::from_shape_fn((rows.len(), cells.len()), level),
        genes: rows.iter().map(|row| row.0).collect(),
        cells,
    })
}
