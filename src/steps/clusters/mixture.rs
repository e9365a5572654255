//! Which cells belong together, if clusters are ellipsoids? A Gaussian mixture on the leading components.
//!
//! **Method.** Density Σ_c w(c) N(x; μ(c), Σ(c)) with full covariances, fitted by expectation-maximisation from k-means
//! starts (linfa-clustering); the start of largest likelihood is kept; each cell goes to its most probable component. A
//! share of the mean variance is added to every variance, so that a small cluster can't collapse onto its cells. Only
//! leading components are used: a covariance of d dimensions has d (d + 1) / 2 numbers to be estimated per cluster.
//!
//! **Shapes.** Cells × dimensions → labels, clusters named by falling size (ties by the first cell).
//!
//! **Differences.** As scikit-learn's `GaussianMixture`. Neither scanpy nor Seurat offers it as a step.
//!
//! **References.** Dempster, Laird & Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math;
use crate::math::kmeans::mean_variance;
use crate::steps::clusters::Clustering;
use crate::steps::clusters::kmeans::{named, points};

/// Parameters of [`mixture`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixtureParams {
    /// Starts, at least 1; the best is kept. Default 3.
    pub n_starts: usize,
    /// Leading components used, at least 1; fewer if there are fewer. Default 20.
    pub n_components: usize,
    /// Added to every variance, as a share of the mean variance of the components, 0..1. More makes clusters rounder and
    /// the fit safer. Default 0.001.
    pub regularization: f64,
    /// Iterations per start, at least 1. Default 500.
    pub max_iterations: usize,
}

impl Default for MixtureParams {
    fn default() -> Self {
        Self { n_starts: 3, n_components: 20, regularization: 0.001, max_iterations: 500 }
    }
}

impl MixtureParams {
    fn check(&self) -> Result<()> {
        if self.n_starts == 0 {
            return Err(Error::param("mixture.n_starts", self.n_starts, "at least 1"));
        }
        if self.n_components == 0 {
            return Err(Error::param("mixture.n_components", self.n_components, "at least 1"));
        }
        if !(0.0..=1.0).contains(&self.regularization) {
            return Err(Error::param("mixture.regularization", self.regularization, "a share from 0 to 1"));
        }
        if self.max_iterations == 0 {
            return Err(Error::param("mixture.max_iterations", self.max_iterations, "at least 1"));
        }
        Ok(())
    }
}

/// Clusters the rows of `embedding` (cells × dimensions).
///
/// ```
/// use cqa::steps::clusters::{MixtureParams, mixture};
/// let cells = ndarray::array![[0.0], [0.2], [0.1], [5.0], [5.1], [4.9], [5.2]];
/// let found = mixture(&cells, 2, &MixtureParams::default(), 0)?;
/// assert_eq!(found.labels, [1, 1, 1, 0, 0, 0, 0]);
/// # Ok::<(), cqa::Error>(())
/// ```
pub fn mixture(embedding: &Array2<f32>, n_clusters: usize, params: &MixtureParams, seed: u64) -> Result<Clustering> {
    params.check()?;
    let n_dims = params.n_components.min(embedding.ncols());
    let points = points(embedding, n_dims, n_clusters)?;
    let regularization = params.regularization * mean_variance(&points, n_dims);
    let found = math::mixture::mixture(
        &points,
        n_dims,
        n_clusters,
        regularization,
        params.n_starts,
        params.max_iterations,
        seed,
    )
    .map_err(|reason| {
        Error::input(
            format!("the Gaussian mixture of {n_clusters} clusters on {n_dims} components can't be fitted: {reason}"),
            "use fewer clusters, fewer components (mixture.n_components) or more mixture.regularization",
        )
    })?;
    named(&found.labels, n_clusters, found.log_likelihood, "mixture")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn parameters_out_of_range_are_refused_by_name() {
        let d = MixtureParams::default;
        for (params, name) in [
            (MixtureParams { n_starts: 0, ..d() }, "mixture.n_starts"),
            (MixtureParams { n_components: 0, ..d() }, "mixture.n_components"),
            (MixtureParams { regularization: -1.0, ..d() }, "mixture.regularization"),
            (MixtureParams { regularization: f64::NAN, ..d() }, "mixture.regularization"),
            (MixtureParams { max_iterations: 0, ..d() }, "mixture.max_iterations"),
        ] {
            let error = mixture(&array![[0.0], [1.0]], 1, &params, 0).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn a_singular_fit_is_an_error_with_a_cure() {
        let cells = Array2::from_elem((20, 2), 1.0_f32);
        let error = mixture(&cells, 2, &MixtureParams::default(), 0).unwrap_err().to_string();
        assert!(error.contains("mixture.regularization"), "{error}");
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let cells = Array2::from_shape_fn((6000, 3), |(i, j)| {
            (i % 3 * 5) as f32 + ((i * 7919 + j * 104_729) % 1009) as f32 / 300.0
        });
        let run = |n| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
            pool.install(|| mixture(&cells, 3, &MixtureParams::default(), 3).unwrap())
        };
        let (one, two) = (run(1), run(2));
        assert_eq!(one.labels, two.labels);
        assert_eq!(one.quality.to_bits(), two.quality.to_bits());
    }
}
