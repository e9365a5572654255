//! Soft clusters of reference points, and the linear correction of a new batch towards them (Kang 2021,
//! doi:10.1038/s41467-021-25957-x).
//!
//! Of the reference only two things are needed per cluster k: its mass N(k) = Σ R(k,i) and the sum C(k) = Σ R(k,i) x(i) of
//! its corrected points, with R the weights of its points. Centres Y(k) are the directions of C(k). A new point i gets
//! weights R(k,i) ∝ exp(−2(1 − Y(k)·z(i))/σ), z its direction. Within each cluster coordinates ~ w₀ + w₁ · [new batch], ridge
//! λ on w₁; reference points enter the intercept only, being corrected already. With n the mass of the new points and S
//! their weighted sum:
//!
//! w₀ = (C + S λ/(n + λ)) / (N + n λ/(n + λ)), w₁ = (S − n w₀)/(n + λ); each new point loses Σ R(k,i) w₁(k).

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use rayon::prelude::*;

use super::approximate;
use super::spherical_kmeans::{directions, set_direction};

/// Points per task; fixed, so that sums come out the same whatever the number of threads.
const CHUNK: usize = 512;

/// What is kept of a reference.
#[derive(Debug, Clone, PartialEq)]
pub struct SoftClusters {
    n_dims: usize,
    sigma: f64,
    lambda: f64,
    /// Per cluster: N.
    mass: Vec<f64>,
    /// Clusters × dimensions: C.
    sums: Vec<f64>,
    /// Clusters × dimensions: Y.
    centers: Vec<f32>,
}

impl SoftClusters {
    /// From masses and sums (clusters × dimensions).
    pub fn new(mass: Vec<f64>, sums: Vec<f64>, sigma: f64, lambda: f64) -> Self {
        assert!(!mass.is_empty() && sums.len().is_multiple_of(mass.len()), "clusters × dimensions");
        let n_dims = sums.len() / mass.len();
        let mut centers = vec![0.0; sums.len()];
        for (center, sum) in centers.chunks_exact_mut(n_dims.max(1)).zip(sums.chunks_exact(n_dims.max(1))) {
            set_direction(center, sum);
        }
        Self { n_dims, sigma, lambda, mass, sums, centers }
    }

    /// Masses and sums of points (points × dimensions) with their weights (points × clusters).
    pub fn sums_of(points: &[f32], weights: &[f32], n_clusters: usize, n_dims: usize) -> (Vec<f64>, Vec<f64>) {
        let (mut mass, mut sums) = (vec![0.0; n_clusters], vec![0.0; n_clusters * n_dims]);
        let parts: Vec<(Vec<f64>, Vec<f32>)> = points
            .par_chunks(CHUNK * n_dims)
            .zip(weights.par_chunks(CHUNK * n_clusters))
            .map(|(points, weights)| weighted(points, weights, n_clusters, n_dims))
            .collect();
        for (part_mass, part_sums) in parts {
            mass.iter_mut().zip(part_mass).for_each(|(a, b)| *a += b);
            sums.iter_mut().zip(part_sums).for_each(|(a, b)| *a += f64::from(b));
        }
        (mass, sums)
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.mass.len()
    }

    /// Number of dimensions.
    pub fn n_dims(&self) -> usize {
        self.n_dims
    }

    /// Per cluster: N.
    pub fn mass(&self) -> &[f64] {
        &self.mass
    }

    /// Clusters × dimensions: C.
    pub fn sums(&self) -> &[f64] {
        &self.sums
    }

    /// The same clusters as if some of the reference points had not been there; their centres stay.
    pub fn without(&self, mass: &[f64], sums: &[f64]) -> Self {
        let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let mass: Vec<f64> = self.mass.iter().zip(mass).map(|(a, b)| (a - b).max(0.0)).collect();
        Self { mass, sums: less(&self.sums, sums), ..self.clone() }
    }

    /// Corrects the points of one new batch (points × dimensions).
    pub fn correct(&self, points: &[f32]) -> Vec<f32> {
        let (k, n_dims) = (self.mass.len(), self.n_dims);
        if n_dims == 0 {
            return points.to_vec();
        }
        assert!(points.len().is_multiple_of(n_dims), "points × dimensions");
        let weights: Vec<f32> = points.par_chunks(CHUNK * n_dims).flat_map_iter(|chunk| self.weights(chunk)).collect();
        let (mass, sums) = Self::sums_of(points, &weights, k, n_dims);
        let shifts = self.shifts(&mass, &sums);
        let mut out = points.to_vec();
        out.par_chunks_mut(CHUNK * n_dims).zip(weights.par_chunks(CHUNK * k)).for_each(|(points, weights)| {
            let n = points.len() / n_dims;
            let weights = MatRef::from_row_major_slice(weights, n, k);
            let shifts = MatRef::from_row_major_slice(shifts.as_slice(), k, n_dims);
            let points = MatMut::from_row_major_slice_mut(points, n, n_dims);
            matmul(points, Accum::Add, weights, shifts, -1.0, Par::Seq);
        });
        out
    }

    /// Points × clusters.
    fn weights(&self, points: &[f32]) -> Vec<f32> {
        let (n, k) = (points.len() / self.n_dims, self.mass.len());
        let directions = directions(points, self.n_dims);
        let mut out = vec![0.0; n * k];
        let left = MatRef::from_row_major_slice(directions.as_slice(), n, self.n_dims);
        let right = MatRef::from_row_major_slice(self.centers.as_slice(), k, self.n_dims);
        let target = MatMut::from_row_major_slice_mut(out.as_mut_slice(), n, k);
        matmul(target, Accum::Replace, left, right.transpose(), (2.0 / self.sigma) as f32, Par::Seq);
        for row in out.chunks_exact_mut(k) {
            let largest = row.iter().copied().fold(f32::MIN, f32::max);
            row.iter_mut().for_each(|x| *x = approximate::exp(*x - largest));
            let norm = 1.0 / row.iter().sum::<f32>();
            row.iter_mut().for_each(|x| *x *= norm);
        }
        out
    }

    /// w₁, clusters × dimensions.
    fn shifts(&self, mass: &[f64], sums: &[f64]) -> Vec<f32> {
        let mut out = vec![0.0; sums.len()];
        for (cluster, (&n, &reference)) in mass.iter().zip(&self.mass).enumerate() {
            let shrunk = self.lambda / (n + self.lambda);
            let freedom = reference + n * shrunk;
            if freedom <= 0.0 {
                continue;
            }
            for dim in cluster * self.n_dims..(cluster + 1) * self.n_dims {
                let intercept = (self.sums[dim] + sums[dim] * shrunk) / freedom;
                out[dim] = ((sums[dim] - n * intercept) / (n + self.lambda)) as f32;
            }
        }
        out
    }
}

/// Mass per cluster, and clusters × dimensions of weighted sums.
fn weighted(points: &[f32], weights: &[f32], k: usize, n_dims: usize) -> (Vec<f64>, Vec<f32>) {
    let n = weights.len() / k;
    let (mut mass, mut sums) = (vec![0.0; k], vec![0.0; k * n_dims]);
    for row in weights.chunks_exact(k) {
        mass.iter_mut().zip(row).for_each(|(sum, &w)| *sum += f64::from(w));
    }
    let left = MatRef::from_row_major_slice(weights, n, k);
    let right = MatRef::from_row_major_slice(points, n, n_dims);
    let target = MatMut::from_row_major_slice_mut(sums.as_mut_slice(), k, n_dims);
    matmul(target, Accum::Replace, left.transpose(), right, 1.0, Par::Seq);
    (mass, sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::stream;
    use rand::RngExt;

    /// Two kinds of points around (4, 0, 0) and (0, 4, 0), the third coordinate moved.
    fn points(n: usize, moved: f32, item: u64) -> Vec<f32> {
        let mut rng = stream(1, "soft clusters", item);
        (0..n)
            .flat_map(|i| {
                let mut noise = || rng.random::<f32>() * 0.2 - 0.1;
                let kind = (i % 2) as f32;
                [4.0 * (1.0 - kind) + noise(), 4.0 * kind + noise(), moved + noise()]
            })
            .collect()
    }

    fn reference() -> SoftClusters {
        let points = points(200, 0.0, 0);
        let weights: Vec<f32> = (0..200).flat_map(|i| if i % 2 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
        let (mass, sums) = SoftClusters::sums_of(&points, &weights, 2, 3);
        assert_eq!(mass, [100.0, 100.0]);
        SoftClusters::new(mass, sums, 0.1, 1.0)
    }

    #[test]
    fn a_new_batch_comes_to_the_reference() {
        let corrected = reference().correct(&points(400, 1.0, 1));
        let mean = corrected.iter().skip(2).step_by(3).sum::<f32>() / 400.0;
        assert!(mean.abs() < 0.02, "{mean}");
        assert!(corrected[0] > 3.8 && corrected[4] > 3.8, "kinds stay");
    }

    #[test]
    fn a_single_point_is_held_back_by_the_ridge() {
        // n = 1, w₀ = (0 + 1/2)/(100 + 1/2), w₁ = (1 − w₀)/2.
        let soft = SoftClusters::new(vec![100.0], vec![400.0, 0.0], 0.1, 1.0);
        let corrected = soft.correct(&[4.0, 1.0]);
        let intercept = 0.5 / 100.5;
        assert!((f64::from(corrected[1]) - (1.0 - (1.0 - intercept) / 2.0)).abs() < 1e-6);
    }

    #[test]
    fn taking_all_away_or_nothing_new() {
        let soft = reference();
        assert!(soft.correct(&[]).is_empty());
        let (mass, sums) = (soft.mass().to_vec(), soft.sums().to_vec());
        let nothing = soft.without(&mass, &sums);
        assert!(nothing.correct(&points(10, 1.0, 2)).iter().all(|x| x.is_finite()));
        assert!(soft.correct(&[0.0, 0.0, 0.0]).iter().all(|x| x.is_finite()), "a point without direction");
    }

    #[test]
    fn one_and_two_threads_agree() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| reference().correct(&points(3000, 0.7, 3)))
        };
        assert_eq!(run(1), run(2));
    }
}
