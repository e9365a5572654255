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
pub struct RowWriter {
    block: Block,
    /// Room for the counts of the row that is picked from.
    counts: Vec<u32>,
}

impl RowWriter {
    /// Appends an entry.
    #[inline]
    pub fn push(&mut self, column: u32, value: f32) {
        self.block.columns.push(column);
        self.block.values.push(value);
    }

    /// Appends, of at most `n` pairs (column, count), those whose column is not `u32::MAX`, with `value(count)`. The fast way to pick
    /// few columns of many: nothing depends on a branch that can't be foretold.
    #[inline]
    pub fn pick(&mut self, n: usize, pairs: impl Iterator<Item = (u32, u32)>, value: impl Fn(u32) -> f32) {
        let first = self.block.columns.len();
        self.block.columns.resize(first + n, 0);
        self.counts.resize(n, 0);
        let mut end = 0;
        for ((column, count), _) in pairs.zip(0..n) {
            self.block.columns[first + end] = column;
            self.counts[end] = count;
            end += usize::from(column != u32::MAX);
        }
        self.block.columns.truncate(first + end);
        self.block.values.extend(self.counts[..end].iter().map(|&count| value(count)));
    }
}

impl SparseRows {
    /// Builds the rows in parallel. `fill(row, out)` pushes each non-zero of the row, columns rising.
    pub fn from_fn(n_rows: usize, n_columns: usize, fill: impl Fn(usize, &mut RowWriter) + Sync) -> Self {
        Self::of_parts(&RowParts { ends: &[n_rows], n_columns, fill: &fill, done: &|_| {} })
    }

    /// All rows of the parts.
    pub fn of_parts(parts: &RowParts) -> Self {
        let mut blocks = Vec::with_capacity(parts.n_rows().div_ceil(BLOCK));
        parts.build(|_, built| blocks.extend(built));
        Self { n_rows: parts.n_rows(), n_columns: parts.n_columns, blocks }
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

/// Rows that are visited block by block, as often as need be.
pub trait Blocks: Sync {
    /// Number of rows.
    fn n_rows(&self) -> usize;
    /// Number of columns.
    fn n_columns(&self) -> usize;
    /// Calls `f` with the number of a first block and some blocks from there on, until all were visited in order.
    fn visit(&self, f: &mut dyn FnMut(usize, &[Block]));
}

impl Blocks for SparseRows {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn visit(&self, f: &mut dyn FnMut(usize, &[Block])) {
        f(0, &self.blocks);
    }
}

/// Rows that are built anew for each visit, a part at a time: many rows in little memory.
#[derive(Clone, Copy)]
pub struct RowParts<'a> {
    /// Ends of the parts, rising; the last is the number of rows.
    pub ends: &'a [usize],
    /// Number of columns.
    pub n_columns: usize,
    /// Pushes each non-zero of a row, columns rising.
    pub fill: &'a (dyn Fn(usize, &mut RowWriter) + Sync),
    /// Called when nearly all rows of a part are built; the last few may be asked for again with the next.
    pub done: &'a (dyn Fn(usize) + Sync),
}

impl RowParts<'_> {
    /// Builds the blocks of each part in parallel; calls `f` with the number of the first and the blocks.
    fn build(&self, mut f: impl FnMut(usize, Vec<Block>)) {
        let n_rows = self.n_rows();
        let build = |b: usize| {
            let mut out = RowWriter { block: Block { starts: vec![0], ..Block::default() }, counts: Vec::new() };
            for row in b * BLOCK..((b + 1) * BLOCK).min(n_rows) {
                let first = out.block.columns.len();
                (self.fill)(row, &mut out);
                let columns = &out.block.columns[first..];
                assert!(columns.is_sorted_by(|a, b| a < b), "columns of a row rise");
                assert!(columns.last().is_none_or(|&c| (c as usize) < self.n_columns), "column in range");
                out.block.starts.push(out.block.columns.len());
            }
            out.block
        };
        let mut built = 0;
        for (part, &end) in self.ends.iter().enumerate() {
            let upto = if end == n_rows { n_rows.div_ceil(BLOCK) } else { end / BLOCK };
            let blocks: Vec<Block> = (built..upto).into_par_iter().map(build).collect();
            f(built, blocks);
            built = upto.max(built);
            (self.done)(part);
        }
    }
}

impl Blocks for RowParts<'_> {
    fn n_rows(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn visit(&self, f: &mut dyn FnMut(usize, &[Block])) {
        self.build(|first, blocks| f(first, &blocks));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_visited_as_often_as_need_be() {
        let fill = |row: usize, out: &mut RowWriter| out.push(row as u32 % 7, row as f32);
        let whole = SparseRows::from_fn(5000, 7, fill);
        let parts = RowParts { ends: &[0, 1030, 1040, 4096, 5000], n_columns: 7, fill: &fill, done: &|_| {} };
        for _ in 0..2 {
            let mut seen: Vec<Block> = Vec::new();
            parts.visit(&mut |first, blocks| {
                assert_eq!(first, seen.len());
                seen.extend_from_slice(blocks);
            });
            assert_eq!(seen, whole.blocks);
        }
    }

    #[test]
    fn picking_leaves_out_what_has_no_column() {
        let rows = SparseRows::from_fn(1, 9, |_, out| {
            let pairs = [(u32::MAX, 4), (2, 5), (u32::MAX, 6), (8, 1)];
            out.pick(4, pairs.into_iter(), |count| count as f32 / 2.0);
        });
        assert_eq!(rows.row(0), (&[2, 8][..], &[2.5, 0.5][..]));
    }
}
