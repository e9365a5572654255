//! Sparse integer counts, cells × genes, kept compact.

use std::sync::Arc;

/// Counts of one lot: a CSR matrix, cells × genes, of positive integers.
///
/// Within a row gene indices rise strictly and zeros are not stored. Where genes and counts fit (nearly always) an entry
/// takes 4 bytes, otherwise 8; readers of the matrix see no difference. A clone shares the entries, so that a data set
/// without one of its lots costs next to nothing.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    n_genes: usize,
    /// Start of each row in the entries; one more than cells.
    starts: Arc<Vec<usize>>,
    entries: Arc<Entries>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// One cell's non-zero counts.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// 16-bit storage.
    Narrow(&'a [u16], &'a [u16]),
    /// 32-bit storage.
    Wide(&'a [u32], &'a [u32]),
}

impl<'a> Row<'a> {
    /// Number of genes seen in the cell.
    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(genes, _) => genes.len(),
            Self::Wide(genes, _) => genes.len(),
        }
    }

    /// True if the cell has no counts at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `f(gene, count)` for each non-zero, genes rising. The fast way: the storage is told apart once per row.
    #[inline]
    pub fn for_each(&self, mut f: impl FnMut(u32, u32)) {
        match self {
            Self::Narrow(genes, counts) => {
                for (&gene, &count) in genes.iter().zip(*counts) {
                    f(u32::from(gene), u32::from(count));
                }
            }
            Self::Wide(genes, counts) => {
                for (&gene, &count) in genes.iter().zip(*counts) {
                    f(gene, count);
                }
            }
        }
    }

    /// Iterates over (gene, count), genes rising.
    pub fn iter(self) -> impl Iterator<Item = (u32, u32)> + 'a {
        (0..self.len()).map(move |i| match self {
            Self::Narrow(genes, counts) => (u32::from(genes[i]), u32::from(counts[i])),
            Self::Wide(genes, counts) => (genes[i], counts[i]),
        })
    }
}

impl Counts {
    /// Number of rows.
    pub fn n_cells(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of columns.
    pub fn n_genes(&self) -> usize {
        self.n_genes
    }

    /// Number of stored entries.
    pub fn n_nonzero(&self) -> usize {
        *self.starts.last().expect("starts is never empty")
    }

    /// The non-zero counts of one cell. Panics if `cell` is out of range.
    #[inline]
    pub fn row(&self, cell: usize) -> Row<'_> {
        let range = self.starts[cell]..self.starts[cell + 1];
        match &*self.entries {
            Entries::Narrow { genes, counts } => Row::Narrow(&genes[range.clone()], &counts[range]),
            Entries::Wide { genes, counts } => Row::Wide(&genes[range.clone()], &counts[range]),
        }
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
        let mut starts = vec![0];
        let mut end = 0;
        for cell in (0..self.n_cells()).filter(|&cell| keep[cell]) {
            end += self.row(cell).len();
            starts.push(end);
        }
        fn pick<T: Copy>(values: &[T], starts: &[usize], keep: &[bool], n: usize) -> Vec<T> {
            let mut out = Vec::with_capacity(n);
            for cell in (0..keep.len()).filter(|&cell| keep[cell]) {
                out.extend_from_slice(&values[starts[cell]..starts[cell + 1]]);
            }
            out
        }
        let entries = match &*self.entries {
            Entries::Narrow { genes, counts } => Entries::Narrow {
                genes: pick(genes, &self.starts, keep, end),
                counts: pick(counts, &self.starts, keep, end),
            },
            Entries::Wide { genes, counts } => Entries::Wide {
                genes: pick(genes, &self.starts, keep, end),
                counts: pick(counts, &self.starts, keep, end),
            },
        };
        Self { n_genes: self.n_genes, starts: Arc::new(starts), entries: Arc::new(entries) }
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

/// Builds [`Counts`] row by row. Starts narrow and widens by itself when a count needs it.
#[derive(Debug, Clone)]
pub struct CountsBuilder {
    n_genes: usize,
    starts: Vec<usize>,
    entries: Entries,
}

impl CountsBuilder {
    /// An empty matrix with this many genes.
    pub fn new(n_genes: usize) -> Self {
        let entries = if n_genes <= 1 << 16 {
            Entries::Narrow { genes: Vec::new(), counts: Vec::new() }
        } else {
            Entries::Wide { genes: Vec::new(), counts: Vec::new() }
        };
        Self { n_genes, starts: vec![0], entries }
    }

    /// Reserves room for `n` more entries.
    pub fn reserve(&mut self, n: usize) {
        match &mut self.entries {
            Entries::Narrow { genes, counts } => {
                genes.reserve_exact(n);
                counts.reserve_exact(n);
            }
            Entries::Wide { genes, counts } => {
                genes.reserve_exact(n);
                counts.reserve_exact(n);
            }
        }
    }

    /// Appends a cell. Genes must rise strictly and lie below the number of genes; zero counts are skipped.
    pub fn push_row(&mut self, genes: &[u32], counts: &[u32]) {
        assert_eq!(genes.len(), counts.len(), "one count per gene");
        assert!(
            genes.is_sorted_by(|a, b| a < b) && genes.last().is_none_or(|&last| (last as usize) < self.n_genes),
            "genes of a row rise and are in range"
        );
        match &mut self.entries {
            // The usual row goes in as a whole.
            Entries::Narrow { genes: stored_genes, counts: stored_counts }
                if counts.iter().all(|&count| count.wrapping_sub(1) < u32::from(u16::MAX)) =>
            {
                stored_genes.extend(genes.iter().map(|&gene| gene as u16));
                stored_counts.extend(counts.iter().map(|&count| count as u16));
            }
            _ => {
                for (&gene, &count) in genes.iter().zip(counts) {
                    self.push(gene, count);
                }
            }
        }
        self.end_row();
    }

    /// Appends a cell from entries in any order; entries of one gene are added (saturating at `u32::MAX`). Drains `entries`.
    pub fn push_unsorted(&mut self, entries: &mut Vec<(u32, u32)>) {
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            entries.sort_unstable_by_key(|e| e.0);
            entries.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    kept.1 = kept.1.saturating_add(next.1);
                }
                same
            });
        }
        if let Some(last) = entries.last() {
            assert!((last.0 as usize) < self.n_genes, "gene in range");
        }
        for &(gene, count) in entries.iter() {
            self.push(gene, count);
        }
        entries.clear();
        self.end_row();
    }

    fn push(&mut self, gene: u32, count: u32) {
        if count == 0 {
            return;
        }
        if count > u32::from(u16::MAX) {
            self.widen();
        }
        match &mut self.entries {
            Entries::Narrow { genes, counts } => {
                genes.push(gene as u16);
                counts.push(count as u16);
            }
            Entries::Wide { genes, counts } => {
                genes.push(gene);
                counts.push(count);
            }
        }
    }

    fn end_row(&mut self) {
        let n = match &self.entries {
            Entries::Narrow { genes, .. } => genes.len(),
            Entries::Wide { genes, .. } => genes.len(),
        };
        self.starts.push(n);
    }

    fn widen(&mut self) {
        if let Entries::Narrow { genes, counts } = &self.entries {
            self.entries = Entries::Wide {
                genes: genes.iter().map(|&g| u32::from(g)).collect(),
                counts: counts.iter().map(|&c| u32::from(c)).collect(),
            };
        }
    }

    /// The matrix.
    pub fn finish(self) -> Counts {
        Counts { n_genes: self.n_genes, starts: Arc::new(self.starts), entries: Arc::new(self.entries) }
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
