//! Eigen-decomposition of symmetric matrices: the one seam to a linear algebra backend.

#[cfg(not(feature = "lapack"))]
mod few;

use faer::{Mat, MatRef};

/// Eigenvalues, falling, and their unit eigenvectors.
#[derive(Debug, Clone)]
pub struct Eigenpairs {
    /// Falling.
    pub values: Vec<f64>,
    /// One column per value.
    pub vectors: Mat<f64>,
}

/// The `k` largest eigenvalues of a symmetric matrix, of which the lower triangle is read.
pub fn largest(matrix: MatRef<'_, f64>, k: usize) -> Eigenpairs {
    #[cfg(not(feature = "lapack"))]
    if let Some(pairs) = few::largest(matrix, k) {
        return pairs;
    }
    let (values, vectors) = full(matrix);
    let n = values.len();
    let k = k.min(n);
    Eigenpairs {
        values: values.iter().rev().take(k).copied().collect(),
        vectors: Mat::from_fn(n, k, |i, j| vectors[(i, n - 1 - j)]),
    }
}

/// All eigenvalues, rising, and their eigenvectors as columns, by the system's LAPACK.
#[cfg(feature = "lapack")]
fn full(matrix: MatRef<'_, f64>) -> (Vec<f64>, Mat<f64>) {
    use ndarray_linalg::{Eigh, UPLO};
    let n = matrix.nrows();
    // LAPACK is handed a symmetric matrix, so that its row or column order does not matter.
    let whole = ndarray::Array2::from_shape_fn((n, n), |(i, j)| matrix[(i.max(j), i.min(j))]);
    let (values, vectors) =
        whole.eigh(UPLO::Lower).expect("a symmetric matrix of finite numbers has its eigenvalues found");
    (values.to_vec(), Mat::from_fn(n, n, |i, j| vectors[(i, j)]))
}

/// All eigenvalues, rising, and their eigenvectors as columns.
#[cfg(not(feature = "lapack"))]
fn full(matrix: MatRef<'_, f64>) -> (Vec<f64>, Mat<f64>) {
    use faer::Par;
    use faer::diag::Diag;
    use faer::dyn_stack::{MemBuffer, MemStack};
    use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
    let n = matrix.nrows();
    let mut values = Diag::<f64>::zeros(n);
    let mut vectors = Mat::<f64>::zeros(n, n);
    let scratch = self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    self_adjoint_evd(
        matrix,
        values.as_mut(),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .expect("a symmetric matrix of finite numbers has its eigenvalues found");
    (values.column_vector().iter().copied().collect(), vectors)
}
