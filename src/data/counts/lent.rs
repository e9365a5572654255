//! Entries that lie elsewhere than in the memory of the process, such as in a file that is mapped into it.

use std::fmt::Debug;
use std::sync::Arc;

use super::{Counts, Entries, Row};

/// Who holds the entries of a matrix.
pub trait Lend: Debug + Send + Sync {
    /// The bytes that [`Counts::entry_bytes`] gave, one part after the other; they start at a multiple of 4.
    fn bytes(&self) -> &[u8];

    /// A pass over the entries is done: they need not be kept at hand. They stay readable.
    fn release(&self) {}
}

impl Counts {
    /// Genes and counts of all entries, as they lie in memory.
    pub fn entry_bytes(&self) -> [&[u8]; 2] {
        match self.entries.row() {
            Row::Narrow(genes, counts) => [bytemuck::cast_slice(genes), bytemuck::cast_slice(counts)],
            Row::Wide(genes, counts) => [bytemuck::cast_slice(genes), bytemuck::cast_slice(counts)],
        }
    }

    /// The same matrix with its entries in the hands of a lender, who has the bytes of [`Counts::entry_bytes`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use cqa::data::{CountsBuilder, Lend};
    /// #[derive(Debug)]
    /// struct Kept(Vec<u32>);
    /// impl Lend for Kept {
    ///     fn bytes(&self) -> &[u8] {
    ///         bytemuck::cast_slice(&self.0)
    ///     }
    /// }
    /// let mut builder = CountsBuilder::new(3);
    /// builder.push_row(&[0, 2], &[5, 1]);
    /// let counts = builder.finish();
    /// let bytes = counts.entry_bytes().concat();
    /// let kept = Kept(bytes.chunks(4).map(|b| u32::from_ne_bytes(b.try_into().unwrap())).collect());
    /// assert_eq!(counts.lend(Arc::new(kept)), counts);
    /// ```
    ///
    /// # Panics
    /// If the lender has another number of bytes.
    pub fn lend(&self, lender: Arc<dyn Lend>) -> Self {
        let (n, wide) = (self.entries.len(), matches!(self.entries.row(), Row::Wide(..)));
        assert_eq!(lender.bytes().len(), n * if wide { 8 } else { 4 }, "all entries of the matrix");
        let entries = Entries::Lent { lender, wide, n };
        Self { n_genes: self.n_genes, spans: self.spans.clone(), entries: Arc::new(entries) }
    }

    /// True if the entries lie outside the memory of the process.
    pub fn is_lent(&self) -> bool {
        matches!(&*self.entries, Entries::Lent { .. })
    }

    /// Tells a lender that a pass over the entries is done.
    pub fn release(&self) {
        if let Entries::Lent { lender, .. } = &*self.entries {
            lender.release();
        }
    }
}

/// The entries in a lender's bytes.
#[inline]
pub(super) fn entries(bytes: &[u8], wide: bool, n: usize) -> Row<'_> {
    if wide {
        let (genes, counts) = bytes.split_at(4 * n);
        Row::Wide(bytemuck::cast_slice(genes), bytemuck::cast_slice(counts))
    } else {
        let (genes, counts) = bytes.split_at(2 * n);
        Row::Narrow(bytemuck::cast_slice(genes), bytemuck::cast_slice(counts))
    }
}
