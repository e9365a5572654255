//! Gaussian mixture with full covariances.

use rayon::prelude::*;

use crate::math::linfa_adapter::{self, Gaussians};

/// Points are scored in blocks of this many, so that sums don't depend on the number of threads.
const BLOCK: usize = 4096;

/// The best of several starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// Most probable component of each point.
    pub labels: Vec<u32>,
    /// Share of the points in each component, 0..1.
    pub weights: Vec<f64>,
    /// Mean log-density of the points (natural logarithm).
    pub log_likelihood: f64,
}

/// Fits `n_clusters` Gaussians to the rows of `points` (`n_dims` long) from several k-means starts; the start of largest
/// likelihood is kept, the first of equal ones. `regularization` is added to every variance. If no start succeeds, the
/// reason of the first.
pub fn mixture(
    points: &[f64],
    n_dims: usize,
    n_clusters: usize,
    regularization: f64,
    n_starts: usize,
    max_iterations: usize,
    seed: u64,
) -> Result<Mixture, String> {
    let starts: Vec<Result<Mixture, String>> = (0..n_starts as u64)
        .into_par_iter()
        .map(|start| {
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(start);
            let gaussians = linfa_adapter::mixture(points, n_dims, n_clusters, regularization, max_iterations, seed)?;
            score(points, n_dims, &gaussians)
        })
        .collect();
    let mut best: Result<Mixture, String> = Err("no start".to_string());
    for (i, start) in starts.into_iter().enumerate() {
        let better = match (&best, &start) {
            (Ok(best), Ok(start)) => start.log_likelihood > best.log_likelihood,
            (Err(_), Ok(_)) => true,
            (_, Err(_)) => i == 0,
        };
        if better {
            best = start;
        }
    }
    best
}

/// Assigns each point and sums the log-densities, safe against underflow for points far from every mean.
fn score(points: &[f64], n_dims: usize, gaussians: &Gaussians) -> Result<Mixture, String> {
    let constant = 0.5 * n_dims as f64 * (2.0 * std::f64::consts::PI).ln();
    let mut components = Vec::with_capacity(gaussians.weights.len());
    for (c, &weight) in gaussians.weights.iter().enumerate() {
        let size = n_dims * n_dims;
        let factor = cholesky(&gaussians.covariances[c * size..(c + 1) * size], n_dims)
            .ok_or_else(|| format!("the covariance of component {c} is singular"))?;
        let half_log_det: f64 = (0..n_dims).map(|i| factor[i * n_dims + i].ln()).sum();
        let mean = &gaussians.means[c * n_dims..(c + 1) * n_dims];
        components.push((weight.ln() - constant - half_log_det, mean, factor));
    }
    let blocks: Vec<(Vec<u32>, f64)> = points
        .par_chunks(BLOCK * n_dims)
        .map(|block| {
            let (mut labels, mut sum) = (Vec::with_capacity(BLOCK), 0.0);
            let (mut solved, mut terms) = (vec![0.0; n_dims], vec![0.0; components.len()]);
            for point in block.chunks_exact(n_dims) {
                for (term, (scale, mean, factor)) in terms.iter_mut().zip(&components) {
                    *term = scale - 0.5 * squared_mahalanobis(point, mean, factor, &mut solved);
                }
                let (mut label, mut largest) = (0, f64::NEG_INFINITY);
                for (c, &term) in terms.iter().enumerate() {
                    if term > largest {
                        (label, largest) = (c as u32, term);
                    }
                }
                labels.push(label);
                sum += largest + terms.iter().map(|t| (t - largest).exp()).sum::<f64>().ln();
            }
            (labels, sum)
        })
        .collect();
    let log_likelihood = blocks.iter().map(|b| b.1).sum::<f64>() / (points.len() / n_dims) as f64;
    if !log_likelihood.is_finite() {
        return Err("the likelihood is not a number".to_string());
    }
    let labels = blocks.into_iter().flat_map(|b| b.0).collect();
    Ok(Mixture { labels, weights: gaussians.weights.clone(), log_likelihood })
}

/// Squared length of L⁻¹ (point − mean), by forward substitution into `solved`.
fn squared_mahalanobis(point: &[f64], mean: &[f64], factor: &[f64], solved: &mut [f64]) -> f64 {
    let n = point.len();
    let mut sum = 0.0;
    for i in 0..n {
        let row = &factor[i * n..=i * n + i];
        let known: f64 = row.iter().zip(&solved[..i]).map(|(l, s)| l * s).sum();
        solved[i] = (point[i] - mean[i] - known) / row[i];
        sum += solved[i] * solved[i];
    }
    sum
}

/// Lower triangle L with L Lᵀ = `matrix`; `None` if it is not positive definite.
fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
            let rest = matrix[i * n + j] - known;
            factor[i * n + j] = if i == j {
                if !(rest > 0.0 && rest.is_finite()) {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / factor[j * n + j]
            };
        }
    }
    Some(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_component_has_the_likelihood_of_its_gaussian() {
        // Mean 0, variance 1: mean log-density = −(ln 2π + 1) / 2.
        let found = mixture(&[-1.0, 1.0, -1.0, 1.0], 1, 1, 0.0, 1, 100, 1).unwrap();
        assert!((found.log_likelihood + 0.5 * ((2.0 * std::f64::consts::PI).ln() + 1.0)).abs() < 1e-12);
        assert_eq!(found.labels, [0; 4]);
    }

    #[test]
    fn cholesky_of_a_known_matrix() {
        assert_eq!(cholesky(&[4.0, 2.0, 2.0, 5.0], 2), Some(vec![2.0, 0.0, 1.0, 2.0]));
        assert_eq!(cholesky(&[1.0, 1.0, 1.0, 1.0], 2), None);
    }

    #[test]
    fn far_points_are_scored_and_assigned() {
        let gaussians = Gaussians { weights: vec![0.5; 2], means: vec![0.0, 100.0], covariances: vec![1.0; 2] };
        let found = score(&[0.0, 1e4], 1, &gaussians).unwrap();
        assert_eq!(found.labels, [0, 1]);
        assert!(found.log_likelihood < -1e7);
    }

    #[test]
    fn points_without_spread_are_refused_with_a_reason() {
        assert!(mixture(&[1.0; 20], 2, 2, 0.0, 2, 100, 1).is_err());
    }
}
