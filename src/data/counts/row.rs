//! One row of counts.

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

    /// Entries of the row in a range of places, 0 to [`Row::len`].
    #[inline]
    pub fn part(&self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::Narrow(genes, counts) => Self::Narrow(&genes[range.clone()], &counts[range]),
            Self::Wide(genes, counts) => Self::Wide(&genes[range.clone()], &counts[range]),
        }
    }

    /// Number of entries of genes below `limit`.
    #[inline]
    pub fn n_below(&self, limit: usize) -> usize {
        match self {
            Self::Narrow(genes, _) => genes.partition_point(|&gene| usize::from(gene) < limit),
            Self::Wide(genes, _) => genes.partition_point(|&gene| (gene as usize) < limit),
        }
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
