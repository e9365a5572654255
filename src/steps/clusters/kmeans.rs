//! Which cells belong together, if clusters are balls of similar width? k-means on the embedding.
//!
//! **Method.** Centres that minimise the sum of squared distances to the nearest centre: greedy k-means++ starts, then
//! Lloyd's iterations (linfa-clustering); the start of smallest sum is kept. A second opinion beside Leiden: it knows no
//! graph and no resolution, only a number of clusters.
//!
//! **Shapes.** Cells × dimensions → labels, clusters named by falling size (ties by the first cell).
//!
//! **Differences.** As scikit-learn's `KMeans(n_init = 10)`. Neither scanpy nor Seurat offers it as a step.
//!
//! **References.** Lloyd 1982, doi:10.1109/TIT.1982.1056489; Arthur & Vassilvitskii 2007 (k-means++).

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math::kmeans::k_means;
use crate::math::partition::by_falling_size;
use crate::steps::clusters::Clustering;

/// Parameters of [`kmeans`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KmeansParams {
    /// Starts, at least 1; the best is kept. Default 10: with fewer the optimum is missed now and then.
    pub n_starts: usize,
    /// Iterations per start, at least 1. Default 300, scikit-learn's; most starts settle within 50.
    pub max_iterations: usize,
}

impl Default for KmeansParams {
    fn default() -> Self {
        Self { n_starts: 10, max_iterations: 300 }
    }
}

impl KmeansParams {
    fn check(&self) -> Result<()> {
        if self.n_starts == 0 {
            return Err(Error::param("kmeans.n_starts", self.n_starts, "at least 1"));
        }
        if self.max_iterations == 0 {
            return Err(Error::param("kmeans.max_iterations", self.max_iterations, "at least 1"));
        }
        Ok(())
    }
}

/// Clusters the rows of `embedding` (cells × dimensions).
///
/// ```
/// use cqa::steps::clusters::{KmeansParams, kmeans};
/// let cells = ndarray::array![[0.0, 0.1], [5.0, 5.1], [0.1, 0.0], [5.0, 4.9], [5.1, 5.0]];
/// let found = kmeans(&cells, 2, &KmeansParams::default(), 0)?;
/// assert_eq!(found.labels, [1, 0, 1, 0, 0]);
/// # Ok::<(), cqa::Error>(())
/// ```
pub fn kmeans(embedding: &Array2<f32>, n_clusters: usize, params: &KmeansParams, seed: u64) -> Result<Clustering> {
    params.check()?;
    let points = points(embedding, embedding.ncols(), n_clusters)?;
    let found = k_means(&points, embedding.ncols(), n_clusters, params.n_starts, params.max_iterations, seed)
        .ok_or_else(|| Error::input("k-means can't settle on the embedding", "look for extreme values in it"))?;
    named(&found.labels, n_clusters, found.inertia / embedding.nrows() as f64, "k-means")
}

/// The first `n_dims` columns as rows of numbers, after checking that they can be clustered.
pub(super) fn points(embedding: &Array2<f32>, n_dims: usize, n_clusters: usize) -> Result<Vec<f64>> {
    if n_clusters == 0 {
        return Err(Error::param("clusters.n_clusters", n_clusters, "at least 1"));
    }
    if embedding.nrows() < n_clusters {
        return Err(Error::TooFew {
            what: "cells to cluster".to_string(),
            have: embedding.nrows(),
            need: n_clusters,
            cure: "ask for fewer clusters".to_string(),
        });
    }
    if n_dims == 0 {
        return Err(Error::input("the embedding has no dimensions", "compute at least one principal component"));
    }
    if embedding.iter().any(|x| !x.is_finite()) {
        return Err(Error::input(
            "the embedding holds values that are not finite numbers",
            "look for them in the components before clustering",
        ));
    }
    Ok(embedding.rows().into_iter().flat_map(|row| row.into_iter().take(n_dims).map(|&x| f64::from(x))).collect())
}

/// Clusters by falling size; an error if some came out empty.
pub(super) fn named(labels: &[u32], n_clusters: usize, quality: f64, method: &str) -> Result<Clustering> {
    let (labels, found) = by_falling_size(labels);
    if found < n_clusters {
        return Err(Error::TooFew {
            what: format!("clusters with cells in the {method} result"),
            have: found,
            need: n_clusters,
            cure: "ask for fewer clusters".to_string(),
        });
    }
    Ok(Clustering { labels, n_clusters, quality })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn input_out_of_range_is_refused() {
        let cells = array![[0.0_f32], [1.0]];
        let run = |n_clusters, params: &KmeansParams| kmeans(&cells, n_clusters, params, 0);
        let params = KmeansParams { n_starts: 0, ..KmeansParams::default() };
        assert!(run(1, &params).unwrap_err().to_string().contains("kmeans.n_starts"));
        assert!(run(0, &KmeansParams::default()).unwrap_err().to_string().contains("n_clusters"));
        assert!(run(3, &KmeansParams::default()).unwrap_err().to_string().contains("cells to cluster"));
        assert!(kmeans(&array![[f32::NAN]], 1, &KmeansParams::default(), 0).is_err());
        assert!(kmeans(&Array2::zeros((3, 0)), 1, &KmeansParams::default(), 0).is_err());
    }

    #[test]
    fn fewer_distinct_cells_than_clusters_is_an_error() {
        let error = kmeans(&array![[1.0_f32], [1.0], [1.0]], 2, &KmeansParams::default(), 0).unwrap_err();
        assert!(error.to_string().contains("1 found, at least 2 needed"), "{error}");
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let cells = Array2::from_shape_fn((6000, 3), |(i, j)| ((i * 7919 + j * 104_729) % 1009) as f32 / 100.0);
        let run = |n| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
            pool.install(|| kmeans(&cells, 5, &KmeansParams::default(), 3).unwrap())
        };
        let (one, two) = (run(1), run(2));
        assert_eq!(one.labels, two.labels);
        assert_eq!(one.quality.to_bits(), two.quality.to_bits());
    }
}
