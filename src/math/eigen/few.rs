//! A few eigenvectors of many: the matrix is made tridiagonal, and only theirs are found and turned back.
//!
//! Half the time of a full decomposition goes into eigenvectors that nobody asked for.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::tridiag::{tridiag_in_place, tridiag_in_place_scratch};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd_scratch, tridiagonal_self_adjoint_evd};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch as apply_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj as apply,
};
use faer::linalg::qr::no_pivoting::factor::recommended_block_size;
use faer::{Conj, Mat, MatRef, Par};
use rand::RngExt;

use super::Eigenpairs;
use crate::math::rng::stream;

/// Parts that the work is cut into: as many whatever the number of threads, since what each part sums up is then the same.
const PARTS: usize = 4;
/// Fewer of all are "a few".
const FEW: usize = 4;
/// Smaller matrices are quick whole.
const SMALL: usize = 128;
/// Rounds of inverse iteration. The second is nearly always the last that changes a digit.
const ROUNDS: usize = 3;
/// |T x − λ x| allowed, as a share of n ε |T|.
const ROUNDING: f64 = 10.0;

/// The `k` largest eigenvalues; none if they are not few, or if their vectors were not found to rounding.
pub(super) fn largest(matrix: MatRef<'_, f64>, k: usize) -> Option<Eigenpairs> {
    let n = matrix.nrows();
    if n < SMALL || k == 0 || k * FEW > n {
        return None;
    }
    let mut reduced = Mat::<f64>::zeros(n, n);
    reduced.copy_from_triangular_lower(matrix);
    let block = recommended_block_size::<f64>(n, n);
    let mut reflections = Mat::<f64>::zeros(block, n - 1);
    let scratch = tridiag_in_place_scratch::<f64>(n, Par::rayon(PARTS), Default::default());
    let mut buffer = MemBuffer::new(scratch);
    tridiag_in_place(reduced.as_mut(), reflections.as_mut(), Par::Seq, MemStack::new(&mut buffer), Default::default());
    let tridiagonal = Tridiagonal {
        diagonal: (0..n).map(|i| reduced[(i, i)]).collect(),
        beside: (1..n).map(|i| reduced[(i, i - 1)]).collect(),
    };
    let values = tridiagonal.largest_values(k)?;
    let mut vectors = tridiagonal.vectors(&values)?;
    let mut buffer = MemBuffer::new(apply_scratch::<f64>(n - 1, block, k));
    apply(
        reduced.submatrix(1, 0, n - 1, n - 1),
        reflections.as_ref(),
        Conj::No,
        vectors.as_mut().subrows_mut(1, n - 1),
        Par::Seq,
        MemStack::new(&mut buffer),
    );
    Some(Eigenpairs { values, vectors })
}

struct Tridiagonal {
    diagonal: Vec<f64>,
    /// One shorter than the diagonal.
    beside: Vec<f64>,
}

impl Tridiagonal {
    /// Falling.
    fn largest_values(&self, k: usize) -> Option<Vec<f64>> {
        let n = self.diagonal.len();
        let mut diagonal = Diag::<f64>::zeros(n);
        let mut beside = Diag::<f64>::zeros(n);
        diagonal.column_vector_mut().iter_mut().zip(&self.diagonal).for_each(|(to, from)| *to = *from);
        beside.column_vector_mut().iter_mut().zip(&self.beside).for_each(|(to, from)| *to = *from);
        let mut values = Diag::<f64>::zeros(n);
        let scratch = self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::No, Par::Seq, Default::default());
        let mut buffer = MemBuffer::new(scratch);
        let stack = MemStack::new(&mut buffer);
        let (diagonal, beside) = (diagonal.as_ref(), beside.as_ref());
        tridiagonal_self_adjoint_evd(diagonal, beside, values.as_mut(), None, Par::Seq, stack, Default::default())
            .ok()?;
        let mut values: Vec<f64> = values.column_vector().iter().copied().collect();
        values.sort_by(|a, b| b.total_cmp(a));
        values.truncate(k);
        Some(values)
    }

    /// Unit eigenvectors by inverse iteration (Wilkinson 1965), each orthogonal to those before it, so that near-equal values
    /// get vectors of their own. None if one is not found to rounding.
    fn vectors(&self, values: &[f64]) -> Option<Mat<f64>> {
        let n = self.diagonal.len();
        let size = self.norm();
        let mut rng = stream(0, "inverse iteration", 0);
        let mut out = Mat::<f64>::zeros(n, values.len());
        for (j, &value) in values.iter().enumerate() {
            let factors = Factors::of(self, value, f64::EPSILON * size);
            let mut x: Vec<f64> = (0..n).map(|_| rng.random::<f64>() - 0.5).collect();
            for _ in 0..ROUNDS {
                factors.solve(&mut x);
                let largest = x.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
                x.iter_mut().for_each(|x| *x /= largest);
                for earlier in 0..j {
                    let earlier = out.col_as_slice(earlier);
                    let along: f64 = x.iter().zip(earlier).map(|(x, e)| x * e).sum();
                    x.iter_mut().zip(earlier).for_each(|(x, e)| *x -= along * e);
                }
                let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
                x.iter_mut().for_each(|x| *x /= length);
            }
            let left_over = self.left_over(&x, value);
            if left_over.is_nan() || left_over > ROUNDING * n as f64 * f64::EPSILON * size {
                return None;
            }
            out.col_as_slice_mut(j).copy_from_slice(&x);
        }
        Some(out)
    }

    /// Largest sum of magnitudes in a row.
    fn norm(&self) -> f64 {
        let beside = |i: usize| self.beside.get(i).map_or(0.0, |b| b.abs());
        (0..self.diagonal.len())
            .map(|i| self.diagonal[i].abs() + beside(i) + if i > 0 { beside(i - 1) } else { 0.0 })
            .fold(0.0, f64::max)
    }

    /// |T x − λ x|.
    fn left_over(&self, x: &[f64], value: f64) -> f64 {
        let n = x.len();
        let of_row = |i: usize| {
            let before = if i > 0 { self.beside[i - 1] * x[i - 1] } else { 0.0 };
            let after = if i + 1 < n { self.beside[i] * x[i + 1] } else { 0.0 };
            before + (self.diagonal[i] - value) * x[i] + after
        };
        (0..n).map(|i| of_row(i).powi(2)).sum::<f64>().sqrt()
    }
}

/// T − λ = P L U, rows exchanged where that keeps the multipliers at most 1.
struct Factors {
    /// Rows of U: the diagonal and the two entries after it.
    upper: Vec<[f64; 3]>,
    /// Of each step: the multiplier, and whether the rows were exchanged.
    steps: Vec<(f64, bool)>,
}

impl Factors {
    /// Pivots are kept off 0 by `tiny`: T − λ has no inverse, but for rounding.
    fn of(matrix: &Tridiagonal, value: f64, tiny: f64) -> Self {
        let n = matrix.diagonal.len();
        let beside = |i: usize| matrix.beside.get(i).copied().unwrap_or(0.0);
        let mut upper = Vec::with_capacity(n);
        let mut steps = Vec::with_capacity(n);
        let mut row = [matrix.diagonal[0] - value, beside(0), 0.0];
        for i in 1..n {
            let next = [beside(i - 1), matrix.diagonal[i] - value, beside(i)];
            let exchange = next[0].abs() > row[0].abs();
            let (mut pivot, other) = if exchange { (next, [row[0], row[1], 0.0]) } else { (row, next) };
            if pivot[0].abs() < tiny {
                pivot[0] = tiny;
            }
            let multiplier = other[0] / pivot[0];
            row = [other[1] - multiplier * pivot[1], other[2] - multiplier * pivot[2], 0.0];
            upper.push(pivot);
            steps.push((multiplier, exchange));
        }
        if row[0].abs() < tiny {
            row[0] = tiny;
        }
        upper.push(row);
        Self { upper, steps }
    }

    fn solve(&self, x: &mut [f64]) {
        let n = x.len();
        for (i, &(multiplier, exchange)) in self.steps.iter().enumerate() {
            if exchange {
                x.swap(i, i + 1);
            }
            x[i + 1] -= multiplier * x[i];
        }
        for i in (0..n).rev() {
            let after = |d: usize| if i + d < n { self.upper[i][d] * x[i + d] } else { 0.0 };
            x[i] = (x[i] - after(1) - after(2)) / self.upper[i][0];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::full;
    use super::*;

    /// A Gram matrix with a few large, some equal, and some zero eigenvalues.
    fn matrix(n: usize, equal: usize, zero: usize) -> Mat<f64> {
        let mut rng = stream(3, "few eigenvectors", 0);
        let random = Mat::from_fn(n, n, |_, _| rng.random::<f64>() - 0.5);
        let q = random.qr().compute_thin_Q();
        let value = |i: usize| match i {
            i if i < 3 => 100.0 / (i + 1) as f64,
            i if i < 3 + equal => 5.0,
            i if i >= n - zero => 0.0,
            i => 1.0 + 1.0 / i as f64,
        };
        let scaled = Mat::from_fn(n, n, |i, j| q[(i, j)] * value(j));
        scaled * q.transpose()
    }

    #[test]
    fn few_vectors_are_those_of_the_full_decomposition() {
        for (n, equal, zero, k) in [(160, 0, 0, 20), (300, 4, 10, 40), (200, 2, 190, 20)] {
            let matrix = matrix(n, equal, zero);
            let few = largest(matrix.as_ref(), k).expect("found");
            let (values, _) = full(matrix.as_ref());
            for j in 0..k {
                assert!((few.values[j] - values[n - 1 - j]).abs() < 1e-11, "{n}: {j}");
            }
            let left = &matrix * &few.vectors - Mat::from_fn(n, k, |i, j| few.vectors[(i, j)] * few.values[j]);
            assert!(left.norm_max() < 1e-11, "{n}: {}", left.norm_max());
            let gram = few.vectors.transpose() * &few.vectors - Mat::<f64>::identity(k, k);
            assert!(gram.norm_max() < 1e-12, "{n}: {}", gram.norm_max());
        }
    }

    #[test]
    fn what_is_small_or_not_few_is_left_to_the_full_decomposition() {
        let matrix = matrix(160, 0, 0);
        assert!(largest(matrix.as_ref(), 41).is_none());
        assert!(largest(matrix.as_ref(), 0).is_none());
        assert!(largest(matrix.as_ref().submatrix(0, 0, 100, 100), 5).is_none());
    }
}
