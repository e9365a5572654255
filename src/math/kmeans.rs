//! k-means: centres that leave the smallest sum of squared distances.

use rand::RngExt;
use rayon::prelude::*;

use crate::math::linfa_adapter;
use crate::math::rng::stream;

/// Points are assigned in blocks of this many, so that sums don't depend on the number of threads.
const BLOCK: usize = 4096;

/// The best of several starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Centers {
    /// Nearest centre of each point.
    pub labels: Vec<u32>,
    /// Centres, row by row.
    pub centers: Vec<f64>,
    /// Sum of the squared distances to the nearest centre.
    pub inertia: f64,
}

/// k-means of the rows of `points` (`n_dims` long) from greedy k-means++ starts (Arthur & Vassilvitskii 2007); the start
/// of smallest inertia is kept, the first of equal ones. `None` if values are not finite. Panics if there are fewer points than clusters.
pub fn k_means(
    points: &[f64],
    n_dims: usize,
    n_clusters: usize,
    n_starts: usize,
    max_iterations: usize,
    seed: u64,
) -> Option<Centers> {
    assert!(n_clusters >= 1 && n_dims >= 1 && points.len() >= n_clusters * n_dims, "fewer points than clusters");
    let tolerance = 1e-6 * mean_variance(points, n_dims).sqrt().max(f64::MIN_POSITIVE);
    let starts: Vec<Option<Centers>> = (0..n_starts as u64)
        .into_par_iter()
        .map(|start| {
            let centers = plus_plus(points, n_dims, n_clusters, seed, start)?;
            let centers = linfa_adapter::k_means(points, n_dims, centers, tolerance, max_iterations)?;
            let (labels, inertia) = nearest(points, n_dims, &centers);
            Some(Centers { labels, centers, inertia })
        })
        .collect();
    starts.into_iter().flatten().reduce(|best, other| if other.inertia < best.inertia { other } else { best })
}

/// Mean over the dimensions of the variance (n) of the points.
pub fn mean_variance(points: &[f64], n_dims: usize) -> f64 {
    let n = (points.len() / n_dims) as f64;
    let (mut mean, mut variance) = (vec![0.0; n_dims], 0.0);
    for point in points.chunks_exact(n_dims) {
        mean.iter_mut().zip(point).for_each(|(m, x)| *m += x / n);
    }
    for point in points.chunks_exact(n_dims) {
        variance += squared_distance(point, &mean);
    }
    variance / (n * n_dims as f64)
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Start centres: each next one is the best of 2 + ln k points drawn in proportion to their squared distance from the
/// centres so far. `None` if distances are not finite.
fn plus_plus(points: &[f64], n_dims: usize, n_clusters: usize, seed: u64, start: u64) -> Option<Vec<f64>> {
    let mut rng = stream(seed, "k-means++", start);
    let n = points.len() / n_dims;
    let point = |i: usize| &points[i * n_dims..(i + 1) * n_dims];
    let n_trials = 2 + (n_clusters as f64).ln() as usize;
    let first = rng.random_range(0..n);
    let mut centers = point(first).to_vec();
    let mut distances: Vec<f64> = (0..n).map(|i| squared_distance(point(i), point(first))).collect();
    while centers.len() < n_clusters * n_dims {
        let mut sum = 0.0;
        let cumulated: Vec<f64> = distances
            .iter()
            .map(|d| {
                sum += d;
                sum
            })
            .collect();
        if !sum.is_finite() {
            return None;
        }
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..n_trials {
            let drawn = rng.random::<f64>() * sum;
            let candidate = cumulated.partition_point(|&c| c <= drawn).min(n - 1);
            let closer: Vec<f64> =
                (0..n).map(|i| distances[i].min(squared_distance(point(i), point(candidate)))).collect();
            let left = closer.iter().sum();
            if best.as_ref().is_none_or(|(least, ..)| left < *least) {
                best = Some((left, candidate, closer));
            }
        }
        let (_, chosen, closer) = best?;
        centers.extend_from_slice(point(chosen));
        distances = closer;
    }
    Some(centers)
}

/// Nearest centre of each point, and the sum of the squared distances to it.
fn nearest(points: &[f64], n_dims: usize, centers: &[f64]) -> (Vec<u32>, f64) {
    let blocks: Vec<(Vec<u32>, f64)> = points
        .par_chunks(BLOCK * n_dims)
        .map(|block| {
            let mut inertia = 0.0;
            let labels = block
                .chunks_exact(n_dims)
                .map(|point| {
                    let (mut label, mut least) = (0, f64::INFINITY);
                    for (c, center) in centers.chunks_exact(n_dims).enumerate() {
                        let distance = squared_distance(point, center);
                        if distance < least {
                            (label, least) = (c as u32, distance);
                        }
                    }
                    inertia += least;
                    label
                })
                .collect();
            (labels, inertia)
        })
        .collect();
    let inertia = blocks.iter().map(|b| b.1).sum();
    (blocks.into_iter().flat_map(|b| b.0).collect(), inertia)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_apart_are_found_with_their_inertia() {
        let points = [0.0, 1.0, 2.0, 10.0, 12.0, 30.0];
        let found = k_means(&points, 1, 3, 10, 300, 1).unwrap();
        let (labels, sizes) = crate::math::partition::by_first_item(&found.labels);
        assert_eq!((labels, sizes), (vec![0, 0, 0, 1, 1, 2], vec![3, 2, 1]));
        assert!((found.inertia - 4.0).abs() < 1e-6);
    }

    #[test]
    fn equal_points_and_values_that_are_not_numbers_are_survived() {
        assert_eq!(k_means(&[1.0; 8], 2, 2, 3, 10, 1).unwrap().inertia, 0.0);
        assert_eq!(k_means(&[1.0, f64::NAN, 3.0], 1, 2, 3, 10, 1), None);
    }

    #[test]
    fn mean_variance_is_that_of_all_dimensions() {
        assert_eq!(mean_variance(&[0.0, 1.0, 2.0, 5.0], 2), 2.5);
    }
}
