//! The only place that knows linfa-clustering and the ndarray it speaks. Points are rows of a flat slice in, plain
//! vectors out.
//!
//! What linfa 0.8 does not do is done by the callers: its k-means|| start depends on the number of threads, so starts
//! are made by us and given in; its mixture repeats no start (`n_runs` continues the same one) and takes logarithms of
//! sums that underflow for far points, so starts are repeated, and points scored and assigned, by us.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::{GaussianMixtureModel, KMeans, KMeansInit};
use ndarray_016::{Array2, ArrayView2};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;

/// Lloyd's iterations from these centres; returns the centres reached. `None` if linfa refuses (not finite).
pub(super) fn k_means(
    points: &[f64],
    n_dims: usize,
    start: Vec<f64>,
    tolerance: f64,
    max_iterations: usize,
) -> Option<Vec<f64>> {
    let records = ArrayView2::from_shape((points.len() / n_dims, n_dims), points).ok()?;
    let n_clusters = start.len() / n_dims;
    let start = Array2::from_shape_vec((n_clusters, n_dims), start).ok()?;
    // The generator is asked for but never drawn from: the start is given.
    let found = KMeans::params_with_rng(n_clusters, Xoshiro256Plus::seed_from_u64(0))
        .init_method(KMeansInit::Precomputed(start))
        .n_runs(1)
        .tolerance(tolerance)
        .max_n_iterations(max_iterations as u64)
        .fit(&DatasetBase::from(records))
        .ok()?;
    Some(found.centroids().iter().copied().collect())
}

/// Parameters of a Gaussian mixture: per component a weight, a mean and a full covariance (row by row).
#[derive(Debug, Clone)]
pub(super) struct Gaussians {
    pub weights: Vec<f64>,
    pub means: Vec<f64>,
    pub covariances: Vec<f64>,
}

/// Expectation-maximisation from a k-means start; the text of an error is linfa's.
pub(super) fn mixture(
    points: &[f64],
    n_dims: usize,
    n_clusters: usize,
    regularization: f64,
    max_iterations: usize,
    seed: u64,
) -> Result<Gaussians, String> {
    let records = ArrayView2::from_shape((points.len() / n_dims, n_dims), points).map_err(|error| error.to_string())?;
    let found = GaussianMixtureModel::params_with_rng(n_clusters, Xoshiro256Plus::seed_from_u64(seed))
        .n_runs(1)
        .reg_covariance(regularization)
        .max_n_iterations(max_iterations as u64)
        .fit(&DatasetBase::from(records))
        .map_err(|error| error.to_string())?;
    Ok(Gaussians {
        weights: found.weights().to_vec(),
        means: found.means().iter().copied().collect(),
        covariances: found.covariances().iter().copied().collect(),
    })
}
