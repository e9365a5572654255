//! Sparse integer counts, cells × genes, kept compact.

mod builder;
mod lent;
mod row;

use std::sync::Arc;

pub use builder::CountsBuilder;
pub use lent::Lend;
pub use row::Row;

/// Counts of one lot: a CSR matrix, cells × genes, of positive integers.
///
/// Within a row gene indices rise strictly and zeros are not stored. Where genes and counts fit (nearly always) an entry
/// takes 4 bytes, otherwise 8; readers of the matrix see no difference. A clone and a selection of cells share the entries, so
/// that a data set without one of its lots, or without the cells that fail quality control, costs next to nothing. Entries may
/// also lie outside the memory of the process ([`Counts::lend`]).
///
/// ```
/// use cqa::data::CountsBuilder;
/// let mut builder = CountsBuilder::new(3);
/// builder.push_row(&[0, 2], &[5, 1]);
/// builder.push_row(&[], &[]);
/// let counts = builder.finish();
/// assert_eq!((counts.n_cells(), counts.n_genes(), counts.n_nonzero()), (2, 3, 2));
/// assert_eq!(counts.row(0).iter().collect::<Vec<_>>(), [(0, 5), (2, 1)]);
/// assert_eq!(counts.total(0), 6);
/// ```
#[derive(Debug, Clone)]
pub struct Counts {
    n_genes: usize,
    /// First and last (exclusive) entry of each row.
    spans: Arc<Vec<[usize; 2]>>,
    entries: Arc<Entries>,
}

impl PartialEq for Counts {
    /// Equal matrices, wherever their entries lie.
    fn eq(&self, other: &Self) -> bool {
        let rows = |counts: &Self, cell| counts.row(cell).iter().collect::<Vec<_>>();
        self.n_genes == other.n_genes
            && self.n_cells() == other.n_cells()
            && (0..self.n_cells()).all(|cell| rows(self, cell) == rows(other, cell))
    }
}

impl Eq for Counts {}

#[derive(Debug, Clone)]
enum Entries {
    /// Fewer than 2^16 genes, counts below 2^16.
    Narrow {
        genes: Vec<u16>,
        counts: Vec<u16>,
    },
    Wide {
        genes: Vec<u32>,
        counts: Vec<u32>,
    },
    /// Genes, then counts, of `n` entries, in the bytes of a lender.
    Lent {
        lender: Arc<dyn Lend>,
        wide: bool,
        n: usize,
    },
}

impl Entries {
    fn len(&self) -> usize {
        match self {
            Self::Narrow { genes, .. } => genes.len(),
            Self::Wide { genes, .. } => genes.len(),
            Self::Lent { n, .. } => *n,
        }
    }

    /// All of them.
    #[inline]
    fn row(&self) -> Row<'_> {
        match self {
            Self::Narrow { genes, counts } => Row::Narrow(genes, counts),
            Self::Wide { genes, counts } => Row::Wide(genes, counts),
            Self::Lent { lender, wide, n } => lent::entries(lender.bytes(), *wide, *n),
        }
    }
}

impl Counts {
    /// Number of rows.
    pub fn n_cells(&self) -> usize {
        self.spans.len()
    }

    /// Number of columns.
    pub fn n_genes(&self) -> usize {
        self.n_genes
    }

    /// Number of stored entries.
    pub fn n_nonzero(&self) -> usize {
        self.spans.iter().map(|span| span[1] - span[0]).sum()
    }

    /// The non-zero counts of one cell. Panics if `cell` is out of range.
    #[inline]
    pub fn row(&self, cell: usize) -> Row<'_> {
        let [start, end] = self.spans[cell];
        self.entries.row().part(start..end)
    }

    /// Sum of one cell's counts.
    pub fn total(&self, cell: usize) -> u64 {
        match self.row(cell) {
            Row::Narrow(_, counts) => counts.iter().map(|&c| u64::from(c)).sum(),
            Row::Wide(_, counts) => counts.iter().map(|&c| u64::from(c)).sum(),
        }
    }

    /// The rows where `keep` is true, in order. `keep` has one entry per cell.
    pub fn select_cells(&self, keep: &[bool]) -> Self {
        assert_eq!(keep.len(), self.n_cells(), "one flag per cell");
        let spans = self.spans.iter().zip(keep).filter(|(_, keep)| **keep).map(|(span, _)| *span).collect();
        Self { n_genes: self.n_genes, spans: Arc::new(spans), entries: self.entries.clone() }
    }

    /// Columns renamed: gene `g` becomes `new_index[g]`, or is dropped where `None`. Genes that meet in one column are added.
    pub fn map_genes(&self, new_index: &[Option<u32>], n_genes: usize) -> Self {
        assert_eq!(new_index.len(), self.n_genes, "one new index per gene");
        let mut builder = CountsBuilder::new(n_genes);
        let mut entries: Vec<(u32, u32)> = Vec::new();
        for cell in 0..self.n_cells() {
            entries.clear();
            self.row(cell).for_each(|gene, count| {
                if let Some(new) = new_index[gene as usize] {
                    entries.push((new, count));
                }
            });
            builder.push_unsorted(&mut entries);
        }
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(counts: &Counts) -> Vec<Vec<(u32, u32)>> {
        (0..counts.n_cells()).map(|cell| counts.row(cell).iter().collect()).collect()
    }

    #[test]
    fn a_large_count_widens_and_keeps_earlier_rows() {
        let mut builder = CountsBuilder::new(4);
        builder.push_row(&[1, 3], &[2, 7]);
        builder.push_row(&[0], &[70_000]);
        assert_eq!(rows(&builder.finish()), [vec![(1, 2), (3, 7)], vec![(0, 70_000)]]);
    }

    #[test]
    fn unsorted_and_repeated_genes_are_sorted_and_added() {
        let mut builder = CountsBuilder::new(5);
        builder.push_unsorted(&mut vec![(4, 1), (0, 2), (4, 3), (2, 0)]);
        assert_eq!(rows(&builder.finish()), [vec![(0, 2), (4, 4)]]);
    }

    #[test]
    fn cells_and_genes_can_be_selected() {
        let mut builder = CountsBuilder::new(3);
        builder.push_row(&[0, 1], &[1, 2]);
        builder.push_row(&[2], &[3]);
        builder.push_row(&[0, 2], &[4, 5]);
        let counts = builder.finish();
        assert_eq!(rows(&counts.select_cells(&[true, false, true])), [vec![(0, 1), (1, 2)], vec![(0, 4), (2, 5)]]);
        let merged = counts.map_genes(&[Some(1), None, Some(1)], 2);
        assert_eq!(rows(&merged), [vec![(1, 1)], vec![(1, 3)], vec![(1, 9)]]);
    }
}
