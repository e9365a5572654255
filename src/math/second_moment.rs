//! Sums of products of columns, over the rows of a sparse matrix.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::sparse_rows::{Block, SparseRows};

/// Columns per tile of the products.
const TILE: usize = 256;

/// A monotone map of each column's values that leaves 0 at 0: v ↦ clamp(v · factor − shift, 0, top).
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnMap {
    /// Per column.
    pub factor: Vec<f32>,
    /// Per column; ≥ 0.
    pub shift: Vec<f32>,
    /// Per column; > 0.
    pub top: Vec<f32>,
}

impl ColumnMap {
    /// The map of one entry.
    #[inline]
    pub fn apply(&self, column: u32, value: f32) -> f32 {
        let j = column as usize;
        (value * self.factor[j] - self.shift[j]).clamp(0.0, self.top[j])
    }

    /// A block as a dense panel, row by row.
    pub fn densify(&self, block: &Block, panel: &mut [f32]) {
        let p = self.factor.len();
        panel.par_chunks_mut(p * 64).enumerate().for_each(|(chunk, rows)| {
            rows.fill(0.0);
            for (i, dense) in rows.chunks_mut(p).enumerate().take_while(|(i, _)| chunk * 64 + i < block.n_rows()) {
                let (columns, values) = block.row(chunk * 64 + i);
                for (&column, &value) in columns.iter().zip(values) {
                    dense[column as usize] = self.apply(column, value);
                }
            }
        });
    }
}

/// What rows add up to: merges by addition.
#[derive(Debug, Clone)]
pub struct SecondMoment {
    /// Number of rows.
    pub n_rows: usize,
    /// Sum of each column.
    pub sum: Vec<f64>,
    /// Sums of products of any two columns; the lower triangle is filled.
    pub products: Mat<f64>,
}

impl SecondMoment {
    /// Adds up the mapped rows.
    ///
    /// Each task owns tiles of the result and sees the blocks in order, so the result does not depend on the number of
    /// threads. Within a block of rows products are summed in f32, over blocks in f64.
    pub fn of(rows: &SparseRows, map: &ColumnMap) -> Self {
        let p = rows.n_columns();
        let starts: Vec<usize> = (0..p).step_by(TILE).collect();
        let mut tiles: Vec<Tile> = starts
            .iter()
            .flat_map(|&row| starts.iter().take_while(move |&&column| column <= row).map(move |&column| (row, column)))
            .map(|(row, column)| Tile::new(row, column, p))
            .collect();
        let mut sum = vec![0.0; p];
        let mut panel = vec![0.0_f32; super::sparse_rows::BLOCK * p];
        for block in rows.blocks() {
            for (column, value) in block.entries() {
                sum[column as usize] += f64::from(map.apply(column, value));
            }
            let n = block.n_rows();
            map.densify(block, &mut panel[..n * p]);
            let panel = MatRef::from_row_major_slice(&panel[..n * p], n, p);
            tiles.par_iter_mut().for_each(|tile| tile.add(panel));
        }
        let mut products = Mat::zeros(p, p);
        for tile in &tiles {
            tile.copy_to(&mut products);
        }
        Self { n_rows: rows.n_rows(), sum, products }
    }

    /// Covariances (divisor n − 1) of the columns; the lower triangle is filled.
    pub fn covariance(&self) -> Mat<f64> {
        let n = self.n_rows as f64;
        let p = self.sum.len();
        let mut out = Mat::zeros(p, p);
        for j in 0..p {
            for i in j..p {
                out[(i, j)] = (self.products[(i, j)] - self.sum[i] * self.sum[j] / n) / (n - 1.0);
            }
        }
        out
    }
}

/// A rectangle of the products.
struct Tile {
    row: usize,
    column: usize,
    n_rows: usize,
    n_columns: usize,
    /// Column-major.
    sums: Vec<f64>,
    /// The same of one block.
    part: Vec<f32>,
}

impl Tile {
    fn new(row: usize, column: usize, p: usize) -> Self {
        let (n_rows, n_columns) = (TILE.min(p - row), TILE.min(p - column));
        Self {
            row,
            column,
            n_rows,
            n_columns,
            sums: vec![0.0; n_rows * n_columns],
            part: vec![0.0; n_rows * n_columns],
        }
    }

    fn add(&mut self, panel: MatRef<'_, f32>) {
        let n = panel.nrows();
        let left = panel.submatrix(0, self.row, n, self.n_rows);
        let right = panel.submatrix(0, self.column, n, self.n_columns);
        let part = MatMut::from_column_major_slice_mut(&mut self.part, self.n_rows, self.n_columns);
        matmul(part, Accum::Replace, left.transpose(), right, 1.0, Par::Seq);
        for (sum, &part) in self.sums.iter_mut().zip(&self.part) {
            *sum += f64::from(part);
        }
    }

    fn copy_to(&self, products: &mut Mat<f64>) {
        for (j, column) in self.sums.chunks(self.n_rows).enumerate() {
            for (i, &value) in column.iter().enumerate() {
                products[(self.row + i, self.column + j)] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_by_hand() {
        let rows = SparseRows::from_fn(2, 2, |row, out| {
            out.push(0, [1.0, 3.0][row]);
            if row == 1 {
                out.push(1, 2.0);
            }
        });
        let map = ColumnMap { factor: vec![1.0, 2.0], shift: vec![0.0, 1.0], top: vec![2.0, 9.0] };
        // The map makes 3 → 2 (clamped) in the first column and 2 → 3 in the second.
        let moment = SecondMoment::of(&rows, &map);
        assert_eq!(moment.sum, [3.0, 3.0]);
        assert_eq!([moment.products[(0, 0)], moment.products[(1, 0)], moment.products[(1, 1)]], [5.0, 6.0, 9.0]);
        let covariance = moment.covariance();
        assert_eq!([covariance[(0, 0)], covariance[(1, 0)], covariance[(1, 1)]], [0.5, 1.5, 4.5]);
    }
}
