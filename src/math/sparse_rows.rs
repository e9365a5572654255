//! Rows with few non-zeros, stored in blocks of fixed size.

use rayon::prelude::*;

/// Rows per block. Fixed, so that work split by block adds up in the same order whatever the number of threads.
pub const BLOCK: usize = 1024;

/// A sparse matrix by rows (f32), cut into blocks of [`BLOCK`] rows.
///
/// ```
/// use cqa::math::sparse_rows::SparseRows;
/// let dense = [[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]];
/// let rows = SparseRows::from_fn(3, 2, |row, out| {
///     for (column, value) in dense[row].iter().enumerate().filter(|e| *e.1 != 0.0) {
///         out.push(column as u32, *value);
///     }
/// });
/// assert_eq!((rows.n_rows(), rows.n_columns(), rows.n_nonzero()), (3, 2, 2));
/// assert_eq!(rows.row(1), (&[0][..], &[3.0][..]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRows {
    n_rows: usize,
    n_columns: usize,
    blocks: Vec<Block>,
}

/// Up to [`BLOCK`] successive rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// Start of each row; one more than rows.
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Block {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Columns (rising) and values of a row, counted from the block's first.
    #[inline]
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.starts[row]..self.starts[row + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// All entries, whatever their row.
    pub fn entries(&self) -> impl Iterator<Item = (u32, f32)> + '_ {
        self.columns.iter().copied().zip(self.values.iter().copied())
    }
}

/// Takes the entries of a row that is being built.
#[derive(Debug)]
pub struct RowWriter(Block);

impl RowWriter {
    /// Appends an entry.
    #[inline]
    pub fn push(&mut self, column: u32, value: f32) {
        self.0.columns.push(column);
        self.0.values.push(value);
    }
}

impl SparseRows {
    /// Builds the rows in parallel. `fill(row, out)` pushes each non-zero of the row, columns rising.
    pub fn from_fn(n_rows: usize, n_columns: usize, fill: impl Fn(usize, &mut RowWriter) + Sync) -> Self {
        Self::in_parts(&[n_rows], n_columns, fill, |_| {})
    }

    /// As [`SparseRows::from_fn`], one part of the rows after the other; `ends` are the parts' ends, rising, the last the number of
    /// rows. `done(part)` is called when nearly all rows of a part are built; the last few may be asked for again with the next.
    pub fn in_parts(
        ends: &[usize],
        n_columns: usize,
        fill: impl Fn(usize, &mut RowWriter) + Sync,
        mut done: impl FnMut(usize),
    ) -> Self {
        let n_rows = ends.last().copied().unwrap_or(0);
        let build = |b: usize| {
            let mut out = RowWriter(Block { starts: vec![0], ..Block::default() });
            for row in b * BLOCK..((b + 1) * BLOCK).min(n_rows) {
                let first = out.0.columns.len();
                fill(row, &mut out);
                let columns = &out.0.columns[first..];
                assert!(columns.is_sorted_by(|a, b| a < b), "columns of a row rise");
                assert!(columns.last().is_none_or(|&c| (c as usize) < n_columns), "column in range");
                out.0.starts.push(out.0.columns.len());
            }
            out.0
        };
        let mut blocks: Vec<Block> = Vec::with_capacity(n_rows.div_ceil(BLOCK));
        for (part, &end) in ends.iter().enumerate() {
            let upto = if end == n_rows { n_rows.div_ceil(BLOCK) } else { end / BLOCK };
            blocks.par_extend((blocks.len()..upto).into_par_iter().map(build));
            done(part);
        }
        Self { n_rows, n_columns, blocks }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Number of stored entries.
    pub fn n_nonzero(&self) -> usize {
        self.blocks.iter().map(|b| b.columns.len()).sum()
    }

    /// Blocks of [`BLOCK`] rows, the last perhaps shorter.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Columns (rising) and values of a row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        self.blocks[row / BLOCK].row(row % BLOCK)
    }
}
