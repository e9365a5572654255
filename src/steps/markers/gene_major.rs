//! Counts seen gene by gene: the non-zeros of a block of genes, ready to be ranked.
//!
//! Cells are stored row by row, ranks need columns. A whole transposed copy would double the memory, so each task
//! gathers the columns of a few hundred genes of one lot, whose places in memory then fit a cache. Rows are sorted by gene;
//! where each block begins in each row is found once per lot, while the row is at hand.

use std::ops::Range;

use rayon::prelude::*;

use crate::data::{Counts, Dataset, Row};
use crate::math::log_scaled::scaled;
use crate::math::rank_sums::key;
use crate::steps::cells::Normalized;

/// Genes gathered by one task.
pub(super) const GENES_PER_TASK: usize = 256;

/// Counts of a gene that are kept apart: 1, 2, 3, and those above. Most are 1.
const RUNS: usize = 4;

/// The rows of one lot, cut at the blocks of genes.
pub(super) struct CutRows<'a> {
    counts: &'a Counts,
    /// Per cell.
    scale: &'a [f64],
    /// Cells by rising factor.
    order: Vec<u32>,
    n_blocks: usize,
    /// Cells × (blocks + 1): where each block begins in the cell's row.
    cuts: Vec<u32>,
}

impl<'a> CutRows<'a> {
    pub(super) fn new(dataset: &'a Dataset, normalized: &'a Normalized, lot: usize) -> Self {
        let counts = &dataset.lots()[lot].counts;
        let n_blocks = n_blocks(dataset.n_genes());
        let mut cuts = vec![0; counts.n_cells() * (n_blocks + 1)];
        cuts.par_chunks_mut(n_blocks + 1).enumerate().with_min_len(64).for_each(|(cell, cuts)| {
            let row = counts.row(cell);
            let mut at = 0;
            for (block, cut) in cuts.iter_mut().enumerate() {
                at += row.part(at..row.len()).n_below(block * GENES_PER_TASK);
                *cut = at as u32;
            }
        });
        let cells = dataset.offsets()[lot]..dataset.offsets()[lot + 1];
        let scale = &normalized.scale[cells];
        let mut order: Vec<u32> = (0..counts.n_cells() as u32).collect();
        order.sort_by(|&a, &b| scale[a as usize].total_cmp(&scale[b as usize]));
        Self { counts, scale, order, n_blocks, cuts }
    }

    /// The cells with a count in a block of genes, by rising factor: the place of each in the lot, that part of its row, and
    /// its factor.
    fn block(&self, block: usize) -> impl Iterator<Item = (usize, Row<'a>, f64)> + Clone + '_ {
        self.order.iter().map(|&cell| cell as usize).filter_map(move |cell| {
            let cuts = &self.cuts[cell * (self.n_blocks + 1) + block..][..2];
            let part = cuts[0] as usize..cuts[1] as usize;
            (!part.is_empty()).then(|| (cell, self.counts.row(cell).part(part), self.scale[cell]))
        })
    }
}

/// Sortable non-zeros of a block of genes.
#[derive(Default)]
pub(super) struct Block {
    /// Start of each gene in `keys`; one more than genes.
    starts: Vec<usize>,
    keys: Vec<u64>,
}

impl Block {
    /// Gathers a block of genes from these lots; `label(lot, cell)` is what a cell's keys carry. Ranked are scaled counts, as the
    /// logarithm keeps their order.
    pub(super) fn gather(&mut self, lots: &[CutRows<'_>], block: usize, label: impl Fn(usize, usize) -> u32) {
        let n_genes = lots.first().map_or(0, |lot| lot.counts.n_genes());
        let genes = gene_range(block, n_genes);
        // Cells come by rising factor, so that equal counts of a gene come in order: kept side by side they are runs, which
        // a sort has only to merge.
        let place = |gene: u32, count: u32| (gene as usize - genes.start) * RUNS + (count as usize).min(RUNS) - 1;
        // Counting sort: how many of each gene and count, where they start, then every key to its place.
        let mut next = vec![0_usize; genes.len() * RUNS];
        for (_, row, _) in lots.iter().flat_map(|lot| lot.block(block)) {
            row.for_each(|gene, count| next[place(gene, count)] += 1);
        }
        self.starts.clear();
        let mut end = 0;
        for runs in next.chunks_exact_mut(RUNS) {
            self.starts.push(end);
            for count in runs {
                end += std::mem::replace(count, end);
            }
        }
        self.starts.push(end);
        self.keys.clear();
        self.keys.resize(end, 0);
        for (index, lot) in lots.iter().enumerate() {
            for (cell, row, scale) in lot.block(block) {
                let label = label(index, cell);
                row.for_each(|gene, count| {
                    let at = &mut next[place(gene, count)];
                    self.keys[*at] = key(scaled(count, scale), label);
                    *at += 1;
                });
            }
        }
    }

    /// The non-zeros of the `index`-th gene of the block, sorted.
    pub(super) fn gene(&mut self, index: usize) -> &[u64] {
        let keys = &mut self.keys[self.starts[index]..self.starts[index + 1]];
        // The stable sort, as it merges runs.
        keys.sort();
        keys
    }
}

/// Number of blocks.
pub(super) fn n_blocks(n_genes: usize) -> usize {
    n_genes.div_ceil(GENES_PER_TASK)
}

/// The genes of a block.
pub(super) fn gene_range(block: usize, n_genes: usize) -> Range<usize> {
    block * GENES_PER_TASK..n_genes.min((block + 1) * GENES_PER_TASK)
}

/// Number of cells per cluster.
pub(super) fn cluster_sizes(labels: &[u32], n_clusters: usize) -> Vec<u64> {
    let mut sizes = vec![0; n_clusters];
    for &label in labels {
        sizes[label as usize] += 1;
    }
    sizes
}
