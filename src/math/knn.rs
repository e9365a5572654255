//! Nearest neighbours under Euclidean distance, by blocks of a matrix product.
//!
//! Squared distances of a block of points against another come from one single-precision product: with
//! `a = (x, |x|², 1)` and `b = (−2y, 1, |y|²)` the dot product is `|x − y|²`. Its rounding error is bounded by
//! `γ (|x| + |y|)²`, so a pair whose product exceeds the k-th smallest product so far by more than twice the bound can't be a
//! neighbour. Every other pair is measured again from the coordinates in double precision. The answer of [`knn_within`] and
//! [`knn_between`] is therefore exact, and does not depend on the order of the blocks, on threads or on how the product is
//! rounded.
//!
//! Within one set each pair of blocks is multiplied once and serves both sides. Time grows with the square of the number of
//! points; [`knn_probed`] looks only where neighbours are likely, and tells how many of them it finds.

mod candidates;
mod points;
mod probed;

use std::sync::Mutex;

use multiversion::multiversion;
use ndarray::ArrayView2;
use rayon::prelude::*;

use candidates::Candidates;
use points::{BLOCK, Points, multiply};
pub use probed::{Probed, knn_probed};

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
    let blocks = blocks(&points, k);
    let n_blocks = blocks.len();
    // Round `step` pairs each block with the one `step` further on, around the circle.
    for step in 0..=n_blocks / 2 {
        let n_pairs = if step > 0 && 2 * step == n_blocks { step } else { n_blocks };
        (0..n_pairs).into_par_iter().for_each_init(Vec::new, |product, i| {
            let j = (i + step) % n_blocks;
            multiply(&points, points.block(i), &points, points.block(j), product);
            if step == 0 {
                let mut block = blocks[i].lock().expect("no panic while locked");
                scan_one(product, &mut block, &points, &points, points.block(i), true);
            } else {
                // The lower block is always locked first: no two tasks can wait for each other.
                let mut low = blocks[i.min(j)].lock().expect("no panic while locked");
                let mut high = blocks[i.max(j)].lock().expect("no panic while locked");
                let (rows, columns) = if i < j { (&mut *low, &mut *high) } else { (&mut *high, &mut *low) };
                scan_both(product, rows, columns, &points);
            }
        });
    }
    gather(blocks, k, &points, &points)
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
        let of_block = block.start..block.start + block.n();
        for j in 0..references.n().div_ceil(BLOCK) {
            multiply(&references, references.block(j), &queries, of_block.clone(), product);
            scan_one(product, &mut block, &queries, &references, references.block(j), false);
        }
    });
    gather(blocks, k, &queries, &references)
}

fn blocks(queries: &Points, k: usize) -> Vec<Mutex<Candidates>> {
    (0..queries.n().div_ceil(BLOCK)).map(|i| Mutex::new(Candidates::new(queries.block(i), k))).collect()
}

fn gather(blocks: Vec<Mutex<Candidates>>, k: usize, queries: &Points, references: &Points) -> Knn {
    let parts: Vec<Vec<(f64, u32)>> = blocks
        .into_par_iter()
        .map(|block| {
            let block = block.into_inner().expect("no panic while locked");
            let mut out = Vec::with_capacity(block.n() * k);
            block.measure(queries, references, |_, nearest| out.extend_from_slice(nearest));
            out
        })
        .collect();
    let all = || parts.iter().flatten();
    Knn { k, indices: all().map(|near| near.1).collect(), distances: all().map(|near| near.0.sqrt() as f32).collect() }
}

/// Columns are queries, rows the references `rows`; `same` if both are of one set, where none is its own neighbour.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn scan_one(
    product: &[f32],
    columns: &mut Candidates,
    queries: &Points,
    references: &Points,
    rows: std::ops::Range<usize>,
    same: bool,
) {
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
                    columns.push(column, x, reference as u32, queries, references);
                }
            }
        }
    }
}

/// Rows and columns are two blocks of one set, each the other's references.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn scan_both(product: &[f32], rows: &mut Candidates, columns: &mut Candidates, points: &Points) {
    for (column, products) in product.chunks_exact(rows.n()).enumerate() {
        let b = (columns.start + column) as u32;
        for (s, stride) in products.chunks(STRIDE).enumerate() {
            let limit = columns.limits[column];
            let limits = &rows.limits[s * STRIDE..s * STRIDE + stride.len()];
            if !stride.iter().zip(limits).fold(false, |any, (&x, &row)| any | (x <= limit) | (x <= row)) {
                continue;
            }
            for (lane, &x) in stride.iter().enumerate() {
                let row = s * STRIDE + lane;
                if x <= rows.limits[row] {
                    rows.push(row, x, b, points, points);
                }
                if x <= columns.limits[column] {
                    columns.push(column, x, (rows.start + row) as u32, points, points);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
