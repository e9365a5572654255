//! Directions that spread over a cloud of unit vectors: a start for soft clustering.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use rand::RngExt;

use super::rng::stream;

/// Rounds of Lloyd's algorithm at most.
const MAX_ROUNDS: usize = 25;

/// `k` unit vectors (row after row) found by greedy k-means++ and Lloyd's algorithm with cosines.
///
/// `points` holds unit vectors of `n_dims` numbers, row after row; there are at least `k`. Serial, for samples of some
/// thousand points.
pub fn spherical_kmeans(points: &[f32], n_dims: usize, k: usize, seed: u64) -> Vec<f32> {
    assert!(n_dims > 0 && points.len().is_multiple_of(n_dims), "points × dimensions");
    assert!(points.len() / n_dims >= k, "at least as many points as centres");
    let mut centers = spread(points, n_dims, k, seed);
    let mut labels = vec![u32::MAX; points.len() / n_dims];
    let mut cosines = Vec::new();
    for _ in 0..MAX_ROUNDS {
        products(points, &centers, n_dims, &mut cosines);
        let mut moved = false;
        let mut sums = vec![0.0_f64; centers.len()];
        for (point, label) in labels.iter_mut().enumerate() {
            let row = &cosines[point * k..(point + 1) * k];
            let nearest = (0..k).fold(0, |best, c| if row[c] > row[best] { c } else { best });
            moved |= *label != nearest as u32;
            *label = nearest as u32;
            let coordinates = &points[point * n_dims..(point + 1) * n_dims];
            for (sum, &x) in sums[nearest * n_dims..(nearest + 1) * n_dims].iter_mut().zip(coordinates) {
                *sum += f64::from(x);
            }
        }
        for (center, sum) in centers.chunks_exact_mut(n_dims).zip(sums.chunks_exact(n_dims)) {
            set_direction(center, sum);
        }
        if !moved {
            break;
        }
    }
    centers
}

/// Sets `target` to the direction of `vector`; leaves it where the vector has none.
pub fn set_direction(target: &mut [f32], vector: &[f64]) {
    let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm > 0.0 {
        for (t, x) in target.iter_mut().zip(vector) {
            *t = (x / norm) as f32;
        }
    }
}

/// Each row divided by its length; a row of zeros stays.
pub fn directions(rows: &[f32], n_dims: usize) -> Vec<f32> {
    let mut out = rows.to_vec();
    for row in out.chunks_exact_mut(n_dims) {
        let norm = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        if norm > 0.0 {
            row.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
        }
    }
    out
}

/// k-means++ that draws a few candidates per centre and keeps the one that lowers the sum of distances most.
fn spread(points: &[f32], n_dims: usize, k: usize, seed: u64) -> Vec<f32> {
    let n = points.len() / n_dims;
    let n_candidates = 2 + (k as f64).ln() as usize;
    let mut rng = stream(seed, "spherical k-means", 0);
    let first = rng.random_range(0..n);
    let mut centers = points[first * n_dims..(first + 1) * n_dims].to_vec();
    let mut cosines = Vec::new();
    products(points, &centers, n_dims, &mut cosines);
    // Half the squared distance, 1 − cosine.
    let mut distances: Vec<f64> = cosines.iter().map(|&c| (1.0 - f64::from(c)).max(0.0)).collect();
    while centers.len() < k * n_dims {
        let total: f64 = distances.iter().sum();
        let mut candidates = Vec::with_capacity(n_candidates * n_dims);
        for _ in 0..n_candidates {
            let mut left = rng.random::<f64>() * total;
            let chosen = distances.iter().position(|d| {
                left -= d;
                left < 0.0
            });
            // No distance left at all: every point coincides with a centre.
            let chosen = chosen.unwrap_or_else(|| rng.random_range(0..n));
            candidates.extend_from_slice(&points[chosen * n_dims..(chosen + 1) * n_dims]);
        }
        products(points, &candidates, n_dims, &mut cosines);
        let closer = |candidate: usize, point: usize| {
            distances[point].min((1.0 - f64::from(cosines[point * n_candidates + candidate])).max(0.0))
        };
        let sums: Vec<f64> = (0..n_candidates).map(|c| (0..n).map(|point| closer(c, point)).sum()).collect();
        let best = (0..n_candidates).fold(0, |best, c| if sums[c] < sums[best] { c } else { best });
        distances = (0..n).map(|point| closer(best, point)).collect();
        centers.extend_from_slice(&candidates[best * n_dims..(best + 1) * n_dims]);
    }
    centers
}

/// Points × centres, row after row.
fn products(points: &[f32], centers: &[f32], n_dims: usize, out: &mut Vec<f32>) {
    let (n, k) = (points.len() / n_dims, centers.len() / n_dims);
    out.resize(n * k, 0.0);
    matmul(
        MatMut::from_row_major_slice_mut(out.as_mut_slice(), n, k),
        Accum::Replace,
        MatRef::from_row_major_slice(points, n, n_dims),
        MatRef::from_row_major_slice(centers, k, n_dims).transpose(),
        1.0,
        Par::Seq,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bundle_of_directions_gets_a_center() {
        let angles = [0.0_f32, 0.1, -0.1, 2.0, 2.1, 1.9, 4.0, 4.1, 3.9];
        let points: Vec<f32> = angles.iter().flat_map(|a| [a.cos(), a.sin()]).collect();
        let centers = spherical_kmeans(&points, 2, 3, 1);
        for bundle in [0.0_f32, 2.0, 4.0] {
            let best = centers.chunks(2).map(|c| c[0] * bundle.cos() + c[1] * bundle.sin()).fold(-1.0, f32::max);
            assert!(best > 0.9999, "{bundle}: {best}");
        }
    }

    #[test]
    fn identical_points_are_no_trouble() {
        let centers = spherical_kmeans(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.0], 2, 3, 0);
        assert_eq!(centers, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    }
}
