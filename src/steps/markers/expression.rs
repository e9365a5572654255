//! What the cells express of each cluster's most specific genes, as fine as an eye tells apart.
//!
//! **Question.** Where among the cells is a candidate gene on? The report's map is coloured by it, also when a readout is ranked
//! later and the counts are no longer in memory.
//!
//! **Method.** ln(1 + scaled count) in steps of 0.05, of the [`PER_CLUSTER`] most specific genes of each cluster. These hold the
//! first [`PER_CLUSTER`] candidates of any readout: a candidate's score is |r| of its cluster × its specificity, so every gene more
//! specific for that cluster scores at least as high. Of very many cells an even selection is kept.
//!
//! **Shapes.** Cells × genes, their labels' effects → genes × cells shown.

use ndarray::Array2;
use rayon::prelude::*;

use crate::data::{Dataset, places_of_genes};
use crate::steps::cells::Normalized;
use crate::steps::markers::{Effects, EffectsParams};

/// Genes kept of each cluster, and shown of a ranking.
pub const PER_CLUSTER: usize = 12;
/// Steps in which one unit of ln(1 + x) is kept.
pub const STEPS_PER_UNIT: f32 = 20.0;
/// Most cells kept.
const MAX_CELLS: usize = 150_000;

/// Levels of genes in cells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MarkerExpression {
    /// Cells, rising; all of them up to a number that a page can hold.
    pub cells: Vec<u32>,
    /// Genes, rising.
    pub genes: Vec<u32>,
    /// Genes × cells: ln(1 + x) in steps of 1 / [`STEPS_PER_UNIT`]; 0 = no count.
    pub level: Array2<u8>,
}

impl MarkerExpression {
    /// Row of a gene.
    pub fn row_of(&self, gene: u32) -> Option<usize> {
        self.genes.binary_search(&gene).ok()
    }
}

/// An even selection of cells, all of them if they are few. Cells lie lot by lot, so each lot keeps its share.
pub fn cells_shown(n_cells: usize) -> Vec<u32> {
    let shown = n_cells.min(MAX_CELLS);
    (0..shown).map(|i| (i as u64 * n_cells as u64 / shown as u64) as u32).collect()
}

/// The level of a value; a cell with a count never looks like one without.
fn level(value: f32) -> u8 {
    (value * STEPS_PER_UNIT).round().clamp(1.0, 255.0) as u8
}

/// Levels of the most specific genes of every cluster that at least `min_share` of its cells express.
pub fn marker_expression(
    dataset: &Dataset,
    normalized: &Normalized,
    effects: &Effects,
    min_share: f64,
) -> MarkerExpression {
    let listed = EffectsParams { n_markers: PER_CLUSTER, min_share, ..EffectsParams::default() };
    let mut genes: Vec<u32> = (0..effects.auc.nrows()).flat_map(|k| effects.top(k, &listed)).collect();
    genes.sort_unstable();
    genes.dedup();
    // The name of the column that says which cell a row is.
    genes.retain(|&gene| dataset.genes().ids()[gene as usize] != "cell");
    let cells = cells_shown(dataset.n_cells());
    let column_of_gene = places_of_genes(&genes, dataset.n_genes());
    let of_lots = dataset.lot_by_lot(|lot, first| {
        let range = |end: usize| cells.partition_point(|&cell| (cell as usize) < end);
        let own = &cells[range(first)..range(first + lot.barcodes.len())];
        let rows: Vec<Vec<u8>> = own
            .par_iter()
            .map(|&cell| {
                let mut row = vec![0; genes.len()];
                let counts = lot.counts.row(cell as usize - first);
                normalized.for_each_of(cell as usize, counts, &column_of_gene, |column, value| {
                    row[column as usize] = level(value);
                });
                row
            })
            .collect();
        rows
    });
    let rows: Vec<Vec<u8>> = of_lots.into_iter().flatten().collect();
    let level = Array2::from_shape_fn((genes.len(), cells.len()), |(gene, cell)| rows[cell][gene]);
    MarkerExpression { cells, genes, level }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_cells_are_all_shown_and_many_evenly() {
        assert_eq!(cells_shown(0), Vec::<u32>::new());
        assert_eq!(cells_shown(5), [0, 1, 2, 3, 4]);
        let many = cells_shown(1_000_003);
        assert_eq!((many.len(), many[0]), (MAX_CELLS, 0));
        assert!(many.windows(2).all(|w| matches!(w[1] - w[0], 6 | 7)));
    }

    #[test]
    fn levels_tell_a_count_from_none_and_end_at_255() {
        assert_eq!([0.001, 0.05, 1.0, 100.0].map(level), [1, 1, 20, 255]);
    }
}
