//! Counts seen gene by gene: the non-zeros of a block of genes, ready to be ranked.
//!
//! Cells are stored row by row, ranks need columns. A whole transposed copy would double the memory, so each task
//! gathers the columns of a few hundred genes, whose places in memory then fit a cache. Rows are sorted by gene, hence
//! a task finds its stretch of each row by bisection.

use std::ops::Range;

use crate::data::{Dataset, Row};
use crate::math::log_scaled::scaled;
use crate::math::rank_sums::key;
use crate::steps::cells::Normalized;

/// Genes gathered by one task.
pub(super) const GENES_PER_TASK: usize = 256;

/// One cell's counts, their factor and the cell's cluster.
pub(super) struct Cell<'a> {
    row: Row<'a>,
    scale: f64,
    label: u32,
}

/// The cells of one lot, each labelled by its place in the lot.
pub(super) fn places_in_lot<'a>(
    dataset: &'a Dataset,
    normalized: &'a Normalized,
    lot: usize,
) -> impl Iterator<Item = Cell<'a>> {
    labelled(dataset, normalized, lot, |cell| cell as u32)
}

/// The cells of one lot, each labelled by its cluster.
pub(super) fn cells_of_lot<'a>(
    dataset: &'a Dataset,
    normalized: &'a Normalized,
    labels: &'a [u32],
    lot: usize,
) -> impl Iterator<Item = Cell<'a>> {
    let start = dataset.offsets()[lot];
    labelled(dataset, normalized, lot, move |cell| labels[start + cell])
}

fn labelled<'a>(
    dataset: &'a Dataset,
    normalized: &'a Normalized,
    lot: usize,
    label: impl Fn(usize) -> u32,
) -> impl Iterator<Item = Cell<'a>> {
    let (counts, start) = (&dataset.lots()[lot].counts, dataset.offsets()[lot]);
    (0..counts.n_cells()).map(move |cell| Cell {
        row: counts.row(cell),
        scale: normalized.scale[start + cell],
        label: label(cell),
    })
}

/// Sortable non-zeros of a block of genes.
#[derive(Default)]
pub(super) struct Block {
    /// Start of each gene in `keys`; one more than genes.
    starts: Vec<usize>,
    keys: Vec<u64>,
}

impl Block {
    /// Gathers a block of genes from these cells. Ranked are scaled counts, as the logarithm keeps their order.
    pub(super) fn gather<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>, genes: Range<usize>) {
        let cells: Vec<Cell<'a>> =
            cells.map(|cell| Cell { row: stretch(cell.row, &genes), ..cell }).filter(|c| !c.row.is_empty()).collect();
        let place = |gene: u32| gene as usize - genes.start;
        // Counting sort: how many of each gene, where each gene starts, then every key to its place.
        let mut next = vec![0_usize; genes.len()];
        for cell in &cells {
            cell.row.for_each(|gene, _| next[place(gene)] += 1);
        }
        self.starts.clear();
        let mut end = 0;
        for count in &mut next {
            self.starts.push(end);
            end += std::mem::replace(count, end);
        }
        self.starts.push(end);
        self.keys.clear();
        self.keys.resize(end, 0);
        for cell in &cells {
            cell.row.for_each(|gene, count| {
                let at = &mut next[place(gene)];
                self.keys[*at] = key(scaled(count, cell.scale), cell.label);
                *at += 1;
            });
        }
    }

    /// The non-zeros of the `index`-th gene of the block, in the order of the cells.
    pub(super) fn gene(&mut self, index: usize) -> &mut [u64] {
        &mut self.keys[self.starts[index]..self.starts[index + 1]]
    }
}

/// The part of a row that lies in a range of genes.
fn stretch<'a>(row: Row<'a>, range: &Range<usize>) -> Row<'a> {
    fn within<G: Copy + Into<u32>>(genes: &[G], range: &Range<usize>) -> Range<usize> {
        let before = |limit: usize| genes.partition_point(|&gene| (gene.into() as usize) < limit);
        before(range.start)..before(range.end)
    }
    match row {
        Row::Narrow(genes, counts) => {
            let at = within(genes, range);
            Row::Narrow(&genes[at.clone()], &counts[at])
        }
        Row::Wide(genes, counts) => {
            let at = within(genes, range);
            Row::Wide(&genes[at.clone()], &counts[at])
        }
    }
}

/// Blocks of genes, in order.
pub(super) fn blocks(n_genes: usize) -> Vec<Range<usize>> {
    (0..n_genes).step_by(GENES_PER_TASK).map(|start| start..n_genes.min(start + GENES_PER_TASK)).collect()
}

/// Number of cells per cluster.
pub(super) fn cluster_sizes(labels: &[u32], n_clusters: usize) -> Vec<u64> {
    let mut sizes = vec![0; n_clusters];
    for &label in labels {
        sizes[label as usize] += 1;
    }
    sizes
}
