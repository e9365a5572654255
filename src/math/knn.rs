//! Exact nearest neighbours under Euclidean distance, by blocks of a matrix product.
//!
//! Squared distances of a block of points against another come from one single-precision product: with
//! `a = (x, |x|², 1)` and `b = (−2y, 1, |y|²)` the dot product is `|x − y|²`. Its rounding error is bounded by
//! `γ (|x| + |y|)²`, so a pair whose product exceeds the k-th smallest distance so far by more than the bound can't be
//! a neighbour. Every other pair is measured again from the coordinates in double precision. The answer is therefore
//! exact, and does not depend on the order of the blocks, on threads or on how the product is rounded.
//!
//! Within one set each pair of blocks is multiplied once and serves both sides.

use std::sync::Mutex;

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use ndarray::ArrayView2;
use rayon::prelude::*;

/// Points per block: two blocks and their product stay in the second-level cache.
const BLOCK: usize = 512;
/// Products compared at once before looking closer.
const STRIDE: usize = 32;

/// The k nearest reference points of each query, nearest first; ties go to the lower index.
#[derive(Debug, Clone, PartialEq)]
pub struct Knn {
    /// Neighbours per query.
    pub k: usize,
    /// Queries × k, row after row.
    pub indices: Vec<u32>,
    /// Queries × k, Euclidean.
    pub distances: Vec<f32>,
}

/// Neighbours of each point among the others; `k` is at most the number of points − 1.
///
/// Coordinates must be finite and their squares must not overflow `f32`.
///
/// ```
/// let points = ndarray::array![[0.0_f32], [1.0], [3.0]];
/// let found = cqa::math::knn::knn_within(points.view(), 2);
/// assert_eq!(found.indices, [1, 2, 0, 2, 1, 0]);
/// assert_eq!(found.distances, [1.0, 3.0, 1.0, 2.0, 2.0, 3.0]);
/// ```
pub fn knn_within(points: ArrayView2<f32>, k: usize) -> Knn {
    let n = points.nrows();
    let k = k.min(n.saturating_sub(1));
    if k == 0 {
        return Knn { k, indices: Vec::new(), distances: Vec::new() };
    }
    let points = Points::new(points, None);
    let blocks: Vec<Mutex<Block>> = blocks(&points, k);
    let n_blocks = blocks.len();
    // Round `step` pairs each block with the one `step` further on, around the circle.
    for step in 0..=n_blocks / 2 {
        let n_pairs = if step > 0 && 2 * step == n_blocks { step } else { n_blocks };
        (0..n_pairs).into_par_iter().for_each_init(Vec::new, |product, i| {
            let j = (i + step) % n_blocks;
            multiply(&points, i, &points, j, product);
            if step == 0 {
                let mut block = blocks[i].lock().expect("no panic while locked");
                scan_one(product, &mut block, &points, &points, i, true);
            } else {
                // The lower block is always locked first: no two tasks can wait for each other.
                let mut low = blocks[i.min(j)].lock().expect("no panic while locked");
                let mut high = blocks[i.max(j)].lock().expect("no panic while locked");
                let (rows, columns) = if i < j { (&mut *low, &mut *high) } else { (&mut *high, &mut *low) };
                scan_both(product, rows, columns, &points);
            }
        });
    }
    gather(blocks, k)
}

/// Neighbours of each query among the references; `k` is at most the number of references.
///
/// ```
/// let (queries, references) = (ndarray::array![[0.9_f32]], ndarray::array![[0.0_f32], [1.0], [3.0]]);
/// assert_eq!(cqa::math::knn::knn_between(queries.view(), references.view(), 2).indices, [1, 0]);
/// ```
pub fn knn_between(queries: ArrayView2<f32>, references: ArrayView2<f32>, k: usize) -> Knn {
    assert_eq!(queries.ncols(), references.ncols(), "queries and references have the same dimensions");
    let k = k.min(references.nrows());
    if k == 0 || queries.nrows() == 0 {
        return Knn { k, indices: Vec::new(), distances: Vec::new() };
    }
    let references = Points::new(references, None);
    let queries = Points::new(queries, Some(&references.center));
    let blocks = blocks(&queries, k);
    blocks.par_iter().for_each_init(Vec::new, |product, block| {
        let mut block = block.lock().expect("no panic while locked");
        for j in 0..references.n().div_ceil(BLOCK) {
            multiply(&references, j, &queries, block.start / BLOCK, product);
            scan_one(product, &mut block, &queries, &references, j, false);
        }
    });
    gather(blocks, k)
}

/// Points as both sides of the product, centred so that norms, and with them the rounding error, are small.
struct Points {
    n_dims: usize,
    center: Vec<f64>,
    /// Coordinates as given, point after point.
    given: Vec<f32>,
    /// (x, |x|², 1), point after point.
    left: Vec<f32>,
    /// (−2x, 1, |x|²), point after point.
    right: Vec<f32>,
    norms: Vec<f64>,
}

impl Points {
    fn new(points: ArrayView2<f32>, center: Option<&[f64]>) -> Self {
        let (n, n_dims) = points.dim();
        let center = center.map_or_else(
            || {
                let mut sums = vec![0.0_f64; n_dims];
                for row in points.rows() {
                    for (sum, &x) in sums.iter_mut().zip(row) {
                        *sum += f64::from(x);
                    }
                }
                sums.iter().map(|sum| sum / n as f64).collect()
            },
            <[f64]>::to_vec,
        );
        let width = n_dims + 2;
        let mut out = Self {
            n_dims,
            center,
            given: Vec::with_capacity(n * n_dims),
            left: Vec::with_capacity(n * width),
            right: Vec::with_capacity(n * width),
            norms: Vec::with_capacity(n),
        };
        for row in points.rows() {
            let mut square = 0.0;
            for (&x, center) in row.iter().zip(&out.center) {
                let centered = (f64::from(x) - center) as f32;
                square += f64::from(centered).powi(2);
                out.given.push(x);
                out.left.push(centered);
                out.right.push(-2.0 * centered);
            }
            out.left.extend([square as f32, 1.0]);
            out.right.extend([1.0, square as f32]);
            out.norms.push(square.sqrt());
        }
        out
    }

    fn n(&self) -> usize {
        self.norms.len()
    }

    fn block(&self, block: usize) -> std::ops::Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.n())
    }

    /// Columns = points of a block.
    fn matrix<'a>(&self, values: &'a [f32], block: usize) -> MatRef<'a, f32> {
        let (range, width) = (self.block(block), self.n_dims + 2);
        MatRef::from_column_major_slice(&values[range.start * width..range.end * width], width, range.len())
    }

    fn point(&self, i: usize) -> &[f32] {
        &self.given[i * self.n_dims..(i + 1) * self.n_dims]
    }

    fn largest_norm(&self, range: std::ops::Range<usize>) -> f64 {
        self.norms[range].iter().copied().fold(0.0, f64::max)
    }

    /// Bound of the error of a product, as a factor of (|x| + |y|)²: n + 2 products and sums, the rounding of the norms
    /// and of centring, each by one half of the machine epsilon; 8 covers the latter with room to spare.
    fn error_factor(&self) -> f64 {
        (self.n_dims + 2 + 8) as f64 * f64::from(f32::EPSILON) * 0.5 * 1.01
    }
}

/// Squared distance, summed in four lanes in a fixed order.
fn distance_squared(x: &[f32], y: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 4];
    let (x4, y4) = (x.chunks_exact(4), y.chunks_exact(4));
    let rest: f64 =
        x4.remainder().iter().zip(y4.remainder()).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    for (a, b) in x4.zip(y4) {
        for lane in 0..4 {
            let difference = f64::from(a[lane]) - f64::from(b[lane]);
            lanes[lane] += difference * difference;
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

/// The best k so far of a block of queries.
struct Block {
    start: usize,
    k: usize,
    /// Per query: number found so far.
    found: Vec<usize>,
    /// Queries × k: (squared distance, index), rising.
    best: Vec<(f64, u32)>,
    /// Per query: products up to here need a closer look. Valid for the block of references at hand.
    limits: Vec<f32>,
}

impl Block {
    /// Sets the limits for references up to this norm.
    fn meet(&mut self, queries: &Points, largest_norm: f64) {
        for query in 0..self.found.len() {
            self.limits[query] = self.limit(query, queries, largest_norm);
        }
    }

    fn limit(&self, query: usize, queries: &Points, largest_norm: f64) -> f32 {
        if self.found[query] < self.k {
            return f32::INFINITY;
        }
        let margin = queries.error_factor() * (queries.norms[self.start + query] + largest_norm).powi(2);
        // Rounded upwards.
        ((self.best[query * self.k + self.k - 1].0 + margin) * (1.0 + f64::from(f32::EPSILON))) as f32
    }

    fn offer(&mut self, query: usize, distance: f64, index: u32) -> bool {
        let best = &mut self.best[query * self.k..(query + 1) * self.k];
        let found = &mut self.found[query];
        let mut place = *found;
        let later = |held: &(f64, u32)| (held.0, held.1) > (distance, index);
        if *found == self.k {
            if !later(&best[self.k - 1]) {
                return false;
            }
            place -= 1;
        } else {
            *found += 1;
        }
        while place > 0 && later(&best[place - 1]) {
            best[place] = best[place - 1];
            place -= 1;
        }
        best[place] = (distance, index);
        *found == self.k
    }
}

fn blocks(queries: &Points, k: usize) -> Vec<Mutex<Block>> {
    (0..queries.n().div_ceil(BLOCK))
        .map(|i| {
            let range = queries.block(i);
            let n = range.len();
            let (found, best, limits) = (vec![0; n], vec![(f64::INFINITY, u32::MAX); n * k], vec![f32::INFINITY; n]);
            Mutex::new(Block { start: range.start, k, found, best, limits })
        })
        .collect()
}

fn gather(blocks: Vec<Mutex<Block>>, k: usize) -> Knn {
    let mut out = Knn { k, indices: Vec::new(), distances: Vec::new() };
    for block in blocks {
        for (distance, index) in block.into_inner().expect("no panic while locked").best {
            out.indices.push(index);
            out.distances.push(distance.sqrt() as f32);
        }
    }
    out
}

/// Squared distances, rows = block `i` of `rows`, columns = block `j` of `columns`; column after column.
fn multiply(rows: &Points, i: usize, columns: &Points, j: usize, product: &mut Vec<f32>) {
    let (left, right) = (rows.matrix(&rows.left, i), columns.matrix(&columns.right, j));
    product.resize(left.ncols() * right.ncols(), 0.0);
    let target = MatMut::from_column_major_slice_mut(product.as_mut_slice(), left.ncols(), right.ncols());
    matmul(target, Accum::Replace, left.transpose(), right, 1.0, Par::Seq);
}

/// Columns are queries, rows are references (block `j`).
fn scan_one(product: &[f32], columns: &mut Block, queries: &Points, references: &Points, j: usize, same: bool) {
    let rows = references.block(j);
    let largest_norm = references.largest_norm(rows.clone());
    columns.meet(queries, largest_norm);
    for (column, products) in product.chunks_exact(rows.len()).enumerate() {
        let query = columns.start + column;
        for (s, stride) in products.chunks(STRIDE).enumerate() {
            let limit = columns.limits[column];
            if !stride.iter().fold(false, |any, &x| any | (x <= limit)) {
                continue;
            }
            for (lane, &x) in stride.iter().enumerate() {
                let reference = rows.start + s * STRIDE + lane;
                if x <= columns.limits[column] && !(same && reference == query) {
                    let distance = distance_squared(queries.point(query), references.point(reference));
                    if columns.offer(column, distance, reference as u32) {
                        columns.limits[column] = columns.limit(column, queries, largest_norm);
                    }
                }
            }
        }
    }
}

/// Rows and columns are two blocks of one set, each the other's references.
fn scan_both(product: &[f32], rows: &mut Block, columns: &mut Block, points: &Points) {
    let largest = |block: &Block| points.largest_norm(block.start..block.start + block.found.len());
    let (norm_rows, norm_columns) = (largest(rows), largest(columns));
    rows.meet(points, norm_columns);
    columns.meet(points, norm_rows);
    for (column, products) in product.chunks_exact(rows.found.len()).enumerate() {
        let b = columns.start + column;
        for (s, stride) in products.chunks(STRIDE).enumerate() {
            let limit = columns.limits[column];
            let limits = &rows.limits[s * STRIDE..s * STRIDE + stride.len()];
            if !stride.iter().zip(limits).fold(false, |any, (&x, &row)| any | (x <= limit) | (x <= row)) {
                continue;
            }
            for (lane, &x) in stride.iter().enumerate() {
                let row = s * STRIDE + lane;
                let (for_row, for_column) = (x <= rows.limits[row], x <= columns.limits[column]);
                if !(for_row || for_column) {
                    continue;
                }
                let a = rows.start + row;
                let distance = distance_squared(points.point(a), points.point(b));
                if for_row && rows.offer(row, distance, b as u32) {
                    rows.limits[row] = rows.limit(row, points, norm_columns);
                }
                if for_column && columns.offer(column, distance, a as u32) {
                    columns.limits[column] = columns.limit(column, points, norm_rows);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::stream;
    use ndarray::Array2;
    use rand::RngExt;

    fn random(n: usize, dims: usize, offset: f32) -> Array2<f32> {
        let mut rng = stream(1, "knn test", n as u64);
        // Few distinct values, so that ties occur.
        Array2::from_shape_fn((n, dims), |_| offset + rng.random_range(0..9) as f32)
    }

    fn brute(queries: &Array2<f32>, references: &Array2<f32>, k: usize, same: bool) -> Vec<u32> {
        let mut out = Vec::new();
        for (i, q) in queries.rows().into_iter().enumerate() {
            let mut all: Vec<(f64, u32)> = (references.rows().into_iter().enumerate())
                .filter(|(j, _)| !(same && i == *j))
                .map(|(j, r)| (q.iter().zip(r).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum(), j as u32))
                .collect();
            all.sort_by(|a, b| a.partial_cmp(b).unwrap());
            out.extend(all[..k].iter().map(|x| x.1));
        }
        out
    }

    #[test]
    fn neighbours_are_those_of_brute_force_ties_included() {
        for (n, dims) in [(2, 1), (7, 3), (513, 4), (1030, 6), (1700, 3)] {
            let points = random(n, dims, 0.0);
            let k = 9.min(n - 1);
            assert_eq!(knn_within(points.view(), k).indices, brute(&points, &points, k, true), "{n} points");
            let queries = random(n / 2 + 1, dims, 0.5);
            let between = knn_between(queries.view(), points.view(), k);
            assert_eq!(between.indices, brute(&queries, &points, k, false), "{n} references");
        }
    }

    #[test]
    fn points_far_from_the_origin_lose_nothing() {
        // Around 5,000 a single-precision product can't tell distances of a few units apart.
        let mut points = random(700, 5, 5000.0);
        points.row_mut(0).fill(-5000.0);
        assert_eq!(knn_within(points.view(), 5).indices, brute(&points, &points, 5, true));
    }

    #[test]
    fn identical_points_and_too_large_k() {
        let points = Array2::<f32>::ones((3, 2));
        let found = knn_within(points.view(), 10);
        assert_eq!((found.k, found.indices), (2, vec![1, 2, 0, 2, 0, 1]));
        assert_eq!(knn_within(Array2::<f32>::ones((1, 2)).view(), 3).k, 0);
        assert!(knn_between(points.view(), Array2::<f32>::ones((0, 2)).view(), 3).indices.is_empty());
    }

    #[test]
    fn one_and_two_threads_agree() {
        let points = random(2100, 8, 0.0);
        let run = |n| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
            pool.install(|| knn_within(points.view(), 10))
        };
        assert_eq!(run(1), run(2));
    }
}
