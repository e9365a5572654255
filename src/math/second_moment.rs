//! Sums of products of columns, over the rows of a sparse matrix.

use faer::Mat;
use multiversion::multiversion;
use rayon::prelude::*;

use super::sparse_rows::{Block, Blocks};

/// Columns of a tile: a row of it is a few vectors wide, so that sums stay in registers.
const WIDTH: usize = 64;
/// Rows multiplied together: a tile of them fits the smallest cache, and a row's place a byte.
const ROWS: usize = 128;
/// Blocks of rows whose columns are at hand together.
const GROUP: usize = 8;

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
    /// Adds up the mapped rows. `n_nonzero` of each column decides the order of work, not the result beyond rounding.
    ///
    /// Of two columns the one with fewer non-zeros is gone through, the other is laid out densely: columns are ranked by their
    /// non-zeros, and a rank is multiplied with those before it. Each task owns a tile of the result and sees the rows in
    /// order, in lanes of fixed number and without fused products, so the result depends neither on the number of threads nor on
    /// the processor's vectors. Products of 128 rows are summed in f32, those sums in f64.
    pub fn of(rows: &impl Blocks, n_nonzero: &[usize], map: &ColumnMap) -> Self {
        let p = rows.n_columns();
        let ranking = Ranking::of(n_nonzero);
        let mut tiles: Vec<Tile> = (0..p).step_by(WIDTH).map(|first| Tile::new(first, p)).collect();
        rows.visit(&mut |_, blocks| {
            for group in blocks.chunks(GROUP) {
                let slices: Vec<(&Block, usize)> = group
                    .iter()
                    .flat_map(|block| (0..block.n_rows()).step_by(ROWS).map(move |first| (block, first)))
                    .collect();
                let columns: Vec<Columns> =
                    slices.par_iter().map(|&(block, first)| Columns::new(block, first, map, &ranking)).collect();
                tiles.par_iter_mut().for_each_init(
                    || vec![0.0_f32; ROWS * WIDTH],
                    |dense, tile| columns.iter().for_each(|columns| tile.add(columns, dense)),
                );
            }
        });
        let mut products = Mat::zeros(p, p);
        let mut sum = vec![0.0; p];
        for tile in &tiles {
            let of_tile = &ranking.columns[tile.first..(tile.first + WIDTH).min(p)];
            of_tile.iter().zip(&tile.sum).for_each(|(&column, value)| sum[column as usize] = *value);
            for (row, values) in ranking.columns[tile.first..].iter().zip(tile.products.chunks_exact(WIDTH)) {
                for (column, value) in of_tile.iter().zip(values) {
                    products[((*row).max(*column) as usize, (*row).min(*column) as usize)] = *value;
                }
            }
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

/// Columns by falling number of non-zeros.
struct Ranking {
    columns: Vec<u32>,
    rank: Vec<u32>,
}

impl Ranking {
    fn of(n_nonzero: &[usize]) -> Self {
        let p = n_nonzero.len();
        let mut columns: Vec<u32> = (0..p as u32).collect();
        columns.sort_by_key(|&column| std::cmp::Reverse(n_nonzero[column as usize]));
        let mut rank = vec![0; p];
        columns.iter().enumerate().for_each(|(r, &column)| rank[column as usize] = r as u32);
        Self { columns, rank }
    }
}

/// Up to [`ROWS`] rows by columns, in the order of their ranks, values mapped.
struct Columns {
    /// Start of each rank; one more than ranks.
    starts: Vec<u32>,
    rows: Vec<u8>,
    values: Vec<f32>,
}

impl Columns {
    fn new(block: &Block, first: usize, map: &ColumnMap, ranking: &Ranking) -> Self {
        let p = ranking.rank.len();
        let range = first..(first + ROWS).min(block.n_rows());
        let mut ends = vec![0_u32; p + 1];
        for row in range.clone() {
            block.row(row).0.iter().for_each(|&column| ends[ranking.rank[column as usize] as usize + 1] += 1);
        }
        for rank in 0..p {
            ends[rank + 1] += ends[rank];
        }
        let starts = ends.clone();
        let n = starts[p] as usize;
        let (mut rows, mut values) = (vec![0; n], vec![0.0; n]);
        for row in range {
            let (columns, entries) = block.row(row);
            for (&column, &value) in columns.iter().zip(entries) {
                let at = &mut ends[ranking.rank[column as usize] as usize];
                rows[*at as usize] = (row - first) as u8;
                values[*at as usize] = value;
                *at += 1;
            }
        }
        for (&column, range) in ranking.columns.iter().zip(starts.windows(2)) {
            values[range[0] as usize..range[1] as usize]
                .iter_mut()
                .for_each(|value| *value = map.apply(column, *value));
        }
        Self { starts, rows, values }
    }

    fn of_rank(&self, rank: usize) -> (&[u8], &[f32]) {
        let range = self.starts[rank] as usize..self.starts[rank + 1] as usize;
        (&self.rows[range.clone()], &self.values[range])
    }
}

/// The products of some ranks with themselves and all after them.
struct Tile {
    first: usize,
    /// Ranks from the first on × [`WIDTH`].
    products: Vec<f64>,
    /// Of the tile's own ranks.
    sum: [f64; WIDTH],
}

impl Tile {
    fn new(first: usize, p: usize) -> Self {
        Self { first, products: vec![0.0; (p - first) * WIDTH], sum: [0.0; WIDTH] }
    }

    /// Adds up to [`ROWS`] rows; `dense` is room for them.
    fn add(&mut self, columns: &Columns, dense: &mut [f32]) {
        let p = columns.starts.len() - 1;
        dense.fill(0.0);
        for (lane, rank) in (self.first..(self.first + WIDTH).min(p)).enumerate() {
            let (rows, values) = columns.of_rank(rank);
            rows.iter().zip(values).for_each(|(&row, &value)| dense[usize::from(row) * WIDTH + lane] = value);
            self.sum[lane] += values.iter().map(|&value| f64::from(value)).sum::<f64>();
        }
        add_products(columns, self.first, dense, &mut self.products);
    }
}

/// For each rank from `first` on: the products of its non-zeros with the dense rows, added up.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn add_products(columns: &Columns, first: usize, dense: &[f32], products: &mut [f64]) {
    let (dense, _) = dense.as_chunks::<WIDTH>();
    let (products, _) = products.as_chunks_mut::<WIDTH>();
    for (rank, products) in (first..).zip(products) {
        let (rows, values) = columns.of_rank(rank);
        let mut sums = [0.0_f32; WIDTH];
        for (&row, &value) in rows.iter().zip(values) {
            let dense = &dense[usize::from(row)];
            for lane in 0..WIDTH {
                sums[lane] += value * dense[lane];
            }
        }
        for lane in 0..WIDTH {
            products[lane] += f64::from(sums[lane]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::sparse_rows::SparseRows;

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
        let moment = SecondMoment::of(&rows, &[2, 1], &map);
        assert_eq!(moment.sum, [3.0, 3.0]);
        assert_eq!([moment.products[(0, 0)], moment.products[(1, 0)], moment.products[(1, 1)]], [5.0, 6.0, 9.0]);
        let covariance = moment.covariance();
        assert_eq!([covariance[(0, 0)], covariance[(1, 0)], covariance[(1, 1)]], [0.5, 1.5, 4.5]);
    }
}
