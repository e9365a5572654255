//! Points laid out for products of blocks, and the bound of what rounding does to them.

use std::ops::Range;

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use ndarray::ArrayView2;

/// Points per block: two blocks and their product stay in the second-level cache.
pub(super) const BLOCK: usize = 512;

/// Points as both sides of the product, centred so that norms, and with them the rounding error, are small.
pub(super) struct Points {
    n_dims: usize,
    pub(super) center: Vec<f64>,
    /// Coordinates as given, point after point.
    given: Vec<f32>,
    /// (x, |x|², 1), point after point.
    left: Vec<f32>,
    /// (−2x, 1, |x|²), point after point.
    right: Vec<f32>,
    norms: Vec<f64>,
    /// The largest of `norms`.
    pub(super) largest_norm: f64,
}

impl Points {
    pub(super) fn new(points: ArrayView2<f32>, center: Option<&[f64]>) -> Self {
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
            largest_norm: 0.0,
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
            out.largest_norm = out.largest_norm.max(square.sqrt());
        }
        out
    }

    pub(super) fn n(&self) -> usize {
        self.norms.len()
    }

    pub(super) fn block(&self, block: usize) -> Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.n())
    }

    /// Columns = points of a range.
    fn matrix<'a>(&self, values: &'a [f32], range: Range<usize>) -> MatRef<'a, f32> {
        let width = self.n_dims + 2;
        MatRef::from_column_major_slice(&values[range.start * width..range.end * width], width, range.len())
    }

    pub(super) fn point(&self, i: usize) -> &[f32] {
        &self.given[i * self.n_dims..(i + 1) * self.n_dims]
    }

    /// Bound of the error of any product of a query with references of a norm up to this. As a factor of (|x| + |y|)²: n + 2
    /// products and sums, the rounding of the norms and of centring, each by one half of the machine epsilon; 8 covers the
    /// latter with room to spare.
    pub(super) fn error(&self, query: usize, largest_norm: f64) -> f32 {
        let factor = (self.n_dims + 2 + 8) as f64 * f64::from(f32::EPSILON) * 0.5 * 1.01;
        (factor * (self.norms[query] + largest_norm).powi(2)) as f32
    }
}

/// Squared distance, summed in four lanes in a fixed order.
pub(super) fn distance_squared(x: &[f32], y: &[f32]) -> f64 {
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

/// Squared distances, rows = a range of `rows`, columns = a range of `columns`; column after column.
pub(super) fn multiply(
    rows: &Points,
    of_rows: Range<usize>,
    columns: &Points,
    of_columns: Range<usize>,
    product: &mut Vec<f32>,
) {
    let (left, right) = (rows.matrix(&rows.left, of_rows), columns.matrix(&columns.right, of_columns));
    product.resize(left.ncols() * right.ncols(), 0.0);
    let target = MatMut::from_column_major_slice_mut(product.as_mut_slice(), left.ncols(), right.ncols());
    matmul(target, Accum::Replace, left.transpose(), right, 1.0, Par::Seq);
}
