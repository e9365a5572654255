//! Soft spherical k-means that prefers clusters in which every batch is present, and the linear correction that follows
//! from it (Korsunsky 2019).
//!
//! Each cell i of batch b belongs to cluster k with weight R(k,i) ∝ exp(−2(1 − Y(k)·z(i))/σ) · ((E(k,b) + 1)/(O(k,b) +
//! 1))^θ, where z is the cell's direction, Y a centre's, O(k,b) the weight of batch b in cluster k and E(k,b) what it would
//! be if batches were spread evenly. Cells are updated in blocks: each block sees the O of all others.
//!
//! Weights stay logarithms until the end, so that the objective falls out of their norm.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::approximate;
use super::rng::stream;
use super::spherical_kmeans::{directions, set_direction, spherical_kmeans};

/// Blocks that cells are updated in: 5 % of the cells each.
const N_BLOCKS: usize = 20;
/// Cells per task; all of one block and batch.
const CHUNK: usize = 256;
/// Cells per cluster that the start is found on.
const START_CELLS: usize = 50;

/// Cells of one block and batch, with everything known about them.
#[derive(Debug, Clone)]
struct Chunk {
    batch: usize,
    /// Places in the caller's order.
    cells: Vec<usize>,
    /// Coordinates as given; cells × dimensions.
    given: Vec<f32>,
    /// Coordinates after the last correction; cells × dimensions.
    corrected: Vec<f32>,
    /// Directions of the corrected coordinates; cells × dimensions.
    directions: Vec<f32>,
    /// Cells × clusters.
    weights: Vec<f32>,
    /// Sum of weights per cluster.
    mass: Vec<f64>,
}

/// What one pass over a chunk gives back.
struct Pass {
    /// Clusters × dimensions: weighted sum of directions.
    sums: Vec<f32>,
    /// Part of the objective, in units of σ.
    energy: f64,
}

/// The state of the clustering.
#[derive(Debug, Clone)]
pub struct DiverseClusters {
    n_dims: usize,
    k: usize,
    sigma: f64,
    theta: f64,
    /// Share of the cells per batch.
    batch_share: Vec<f64>,
    blocks: Vec<Vec<Chunk>>,
    /// Batches × clusters: O.
    mass: Vec<f64>,
    /// Clusters × dimensions: the directions summed with the weights as they are now.
    sums: Vec<f64>,
    /// Clusters × dimensions: unit vectors.
    centers: Vec<f32>,
    seed: u64,
    n_rounds: u64,
}

impl DiverseClusters {
    /// Assigns `points` (cells × dimensions, row after row) to `k` clusters, without regard to batches yet.
    /// `batch` holds one number below `n_batches` per cell; there are at least `k` cells. Gives back the objective too.
    pub fn new(
        points: &[f32],
        batch: &[u32],
        n_batches: usize,
        k: usize,
        sigma: f64,
        theta: f64,
        seed: u64,
    ) -> (Self, f64) {
        let n = batch.len();
        assert!(n > 0 && k > 0 && points.len().is_multiple_of(n), "cells × dimensions");
        let n_dims = points.len() / n;
        let mut batch_share = vec![0.0; n_batches];
        for &b in batch {
            batch_share[b as usize] += 1.0 / n as f64;
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut stream(seed, "blocks of cells", 0));
        let centers = start(points, n_dims, &order, k, seed);
        let blocks = order
            .chunks(n.div_ceil(N_BLOCKS))
            .map(|cells| {
                let mut cells = cells.to_vec();
                cells.sort_unstable_by_key(|&cell| (batch[cell], cell));
                let same_batch = cells.chunk_by(|&a, &b| batch[a] == batch[b]);
                same_batch
                    .flat_map(|cells| cells.chunks(CHUNK))
                    .map(|cells| Chunk::new(cells, batch[cells[0]] as usize, points, n_dims, k))
                    .collect()
            })
            .collect();
        let mut out = Self {
            n_dims,
            k,
            sigma,
            theta,
            batch_share,
            blocks,
            mass: vec![0.0; n_batches * k],
            sums: vec![0.0; k * n_dims],
            centers,
            seed,
            n_rounds: 0,
        };
        let objective = out.pass((0..out.blocks.len()).collect(), 0.0);
        (out, objective)
    }

    /// Moves the centres to their cells, then updates every cell, the blocks in random order; gives back the objective.
    pub fn round(&mut self) -> f64 {
        for (center, sum) in self.centers.chunks_exact_mut(self.n_dims).zip(self.sums.chunks_exact(self.n_dims)) {
            set_direction(center, sum);
        }
        let mut order: Vec<usize> = (0..self.blocks.len()).collect();
        self.n_rounds += 1;
        order.shuffle(&mut stream(self.seed, "order of blocks", self.n_rounds));
        self.pass(order, self.theta)
    }

    /// Σ R d + σ Σ R ln R + σ Σ R θ ln((O + 1)/(E + 1)), with d the squared distance of directions.
    fn pass(&mut self, order: Vec<usize>, theta: f64) -> f64 {
        let (k, sigma) = (self.k, self.sigma);
        self.sums.fill(0.0);
        let mut energy = 0.0;
        for b in order {
            for chunk in &self.blocks[b] {
                add(&mut self.mass[chunk.batch * k..][..k], &chunk.mass, -1.0);
            }
            let preferences: Vec<f64> =
                log_ratio(&self.mass, &self.batch_share, k).iter().map(|x| -theta * x).collect();
            let (centers, n_dims) = (&self.centers, self.n_dims);
            let passes: Vec<Pass> = self.blocks[b]
                .par_iter_mut()
                .map(|chunk| chunk.update(centers, n_dims, &preferences[chunk.batch * k..][..k], sigma))
                .collect();
            for (chunk, pass) in self.blocks[b].iter().zip(passes) {
                add(&mut self.mass[chunk.batch * k..][..k], &chunk.mass, 1.0);
                self.sums.iter_mut().zip(&pass.sums).for_each(|(sum, &x)| *sum += f64::from(x));
                energy += pass.energy;
            }
        }
        let log_ratio = log_ratio(&self.mass, &self.batch_share, k);
        let diversity: f64 = self.mass.iter().zip(log_ratio).map(|(mass, log)| mass * log).sum();
        sigma * (energy + self.theta * diversity)
    }

    /// Takes from each cell what its batch adds to its clusters: within each cluster a linear model with an intercept and
    /// one ridge-penalised (`lambda`) term per batch is fitted to the coordinates as given, and the batch's term, times the
    /// cell's weight, is subtracted.
    pub fn correct(&mut self, lambda: f64) {
        let (k, n_dims) = (self.k, self.n_dims);
        let mut batch_sums = vec![0.0_f64; self.batch_share.len() * k * n_dims];
        let chunks: Vec<&Chunk> = self.blocks.iter().flatten().collect();
        // In groups: few partial sums are held at once.
        for group in chunks.chunks(CHUNK) {
            let sums: Vec<Vec<f32>> = group.par_iter().map(|chunk| chunk.weighted_sums(&chunk.given, k)).collect();
            for (chunk, sums) in group.iter().zip(sums) {
                let target = &mut batch_sums[chunk.batch * k * n_dims..][..k * n_dims];
                target.iter_mut().zip(&sums).for_each(|(sum, &x)| *sum += f64::from(x));
            }
        }
        let shifts = self.shifts(&batch_sums, lambda);
        self.sums.fill(0.0);
        for block in &mut self.blocks {
            let shift = |chunk: &mut Chunk| chunk.shift(&shifts[chunk.batch * k * n_dims..][..k * n_dims], k);
            let sums: Vec<Vec<f32>> = block.par_iter_mut().map(shift).collect();
            for part in sums {
                self.sums.iter_mut().zip(&part).for_each(|(sum, &x)| *sum += f64::from(x));
            }
        }
    }

    /// Coefficients of the batches; batches × clusters × dimensions.
    ///
    /// The normal equations of one cluster, with N the sum of O(b): N w₀ + Σ O(b) w(b) = Σ S(b) and
    /// O(b) w₀ + (O(b) + λ) w(b) = S(b). Each w(b) follows from w₀, and w₀ from their sum.
    fn shifts(&self, batch_sums: &[f64], lambda: f64) -> Vec<f32> {
        let (k, n_dims, n_batches) = (self.k, self.n_dims, self.batch_share.len());
        let mut shifts = vec![0.0_f32; batch_sums.len()];
        for cluster in 0..k {
            let mass = |b: usize| self.mass[b * k + cluster].max(0.0);
            let freedom: f64 = (0..n_batches).map(|b| mass(b) * lambda / (mass(b) + lambda)).sum();
            if freedom <= 0.0 {
                continue;
            }
            for dim in 0..n_dims {
                let at = |b: usize| (b * k + cluster) * n_dims + dim;
                let intercept =
                    (0..n_batches).map(|b| batch_sums[at(b)] * lambda / (mass(b) + lambda)).sum::<f64>() / freedom;
                for b in 0..n_batches {
                    shifts[at(b)] = ((batch_sums[at(b)] - mass(b) * intercept) / (mass(b) + lambda)) as f32;
                }
            }
        }
        shifts
    }

    /// Weight of each cell in each cluster; cells × clusters in the caller's order.
    pub fn weights(&self) -> Vec<f32> {
        let n: usize = self.blocks.iter().flatten().map(|chunk| chunk.cells.len()).sum();
        let mut out = vec![0.0; n * self.k];
        for chunk in self.blocks.iter().flatten() {
            for (&cell, row) in chunk.cells.iter().zip(chunk.weights.chunks_exact(self.k)) {
                out[cell * self.k..(cell + 1) * self.k].copy_from_slice(row);
            }
        }
        out
    }

    /// Coordinates after the last correction; cells × dimensions in the caller's order.
    pub fn corrected(&self) -> Vec<f32> {
        let n: usize = self.blocks.iter().flatten().map(|chunk| chunk.cells.len()).sum();
        let mut out = vec![0.0; n * self.n_dims];
        for chunk in self.blocks.iter().flatten() {
            for (&cell, row) in chunk.cells.iter().zip(chunk.corrected.chunks_exact(self.n_dims)) {
                out[cell * self.n_dims..(cell + 1) * self.n_dims].copy_from_slice(row);
            }
        }
        out
    }
}

impl Chunk {
    fn new(cells: &[usize], batch: usize, points: &[f32], n_dims: usize, k: usize) -> Self {
        let rows = |&cell: &usize| points[cell * n_dims..(cell + 1) * n_dims].iter().copied();
        let given: Vec<f32> = cells.iter().flat_map(rows).collect();
        Self {
            batch,
            cells: cells.to_vec(),
            directions: directions(&given, n_dims),
            corrected: given.clone(),
            given,
            weights: vec![0.0; cells.len() * k],
            mass: vec![0.0; k],
        }
    }

    /// New weights for these centres; `preferences` is ln of the factor of each cluster for this batch.
    fn update(&mut self, centers: &[f32], n_dims: usize, preferences: &[f64], sigma: f64) -> Pass {
        let (n, k) = (self.cells.len(), preferences.len());
        let cosines = MatMut::from_row_major_slice_mut(self.weights.as_mut_slice(), n, k);
        let points = MatRef::from_row_major_slice(self.directions.as_slice(), n, n_dims);
        let centers = MatRef::from_row_major_slice(centers, k, n_dims);
        matmul(cosines, Accum::Replace, points, centers.transpose(), (2.0 / sigma) as f32, Par::Seq);

        let offsets: Vec<f32> = preferences.iter().map(|&p| p as f32).collect();
        self.mass.fill(0.0);
        let mut energy = 0.0;
        for row in self.weights.chunks_exact_mut(k) {
            let mut largest = f32::MIN;
            for (x, offset) in row.iter_mut().zip(&offsets) {
                *x += offset;
                largest = if *x > largest { *x } else { largest };
            }
            row.iter_mut().for_each(|x| *x = approximate::exp(*x - largest));
            let norm = sum(row);
            let factor = 1.0 / norm;
            for (x, mass) in row.iter_mut().zip(&mut self.mass) {
                *x *= factor;
                *mass += f64::from(*x);
            }
            energy -= f64::from(largest) + f64::from(norm).ln() - 2.0 / sigma;
        }
        energy += self.mass.iter().zip(preferences).map(|(mass, p)| mass * p).sum::<f64>();
        Pass { sums: self.weighted_sums(&self.directions, k), energy }
    }

    /// Clusters × dimensions: sum of `values` (cells × dimensions) with the weights of each cluster.
    fn weighted_sums(&self, values: &[f32], k: usize) -> Vec<f32> {
        let (n, n_dims) = (self.cells.len(), values.len() / self.cells.len());
        let mut out = vec![0.0; k * n_dims];
        let weights = MatRef::from_row_major_slice(self.weights.as_slice(), n, k);
        let values = MatRef::from_row_major_slice(values, n, n_dims);
        let sums = MatMut::from_row_major_slice_mut(out.as_mut_slice(), k, n_dims);
        matmul(sums, Accum::Replace, weights.transpose(), values, 1.0, Par::Seq);
        out
    }

    /// Subtracts the batch's coefficients (clusters × dimensions) and gives back the sums of the new directions.
    fn shift(&mut self, coefficients: &[f32], k: usize) -> Vec<f32> {
        let (n, n_dims) = (self.cells.len(), coefficients.len() / k);
        self.corrected.copy_from_slice(&self.given);
        let corrected = MatMut::from_row_major_slice_mut(self.corrected.as_mut_slice(), n, n_dims);
        let weights = MatRef::from_row_major_slice(self.weights.as_slice(), n, k);
        let coefficients = MatRef::from_row_major_slice(coefficients, k, n_dims);
        matmul(corrected, Accum::Add, weights, coefficients, -1.0, Par::Seq);
        self.directions = directions(&self.corrected, n_dims);
        self.weighted_sums(&self.directions, k)
    }
}

/// Centres found on a sample of the cells: the first of a random order.
fn start(points: &[f32], n_dims: usize, order: &[usize], k: usize, seed: u64) -> Vec<f32> {
    assert!(order.len() >= k, "at least as many cells as clusters");
    let sample = &order[..order.len().min(k * START_CELLS)];
    let rows: Vec<f32> = sample.iter().flat_map(|&cell| &points[cell * n_dims..(cell + 1) * n_dims]).copied().collect();
    spherical_kmeans(&directions(&rows, n_dims), n_dims, k, seed)
}

/// ln((O + 1)/(E + 1)); batches × clusters.
fn log_ratio(mass: &[f64], batch_share: &[f64], k: usize) -> Vec<f64> {
    let mut total = vec![0.0; k];
    mass.chunks_exact(k).for_each(|row| add(&mut total, row, 1.0));
    let row = |(row, share): (&[f64], &f64)| -> Vec<f64> {
        row.iter().zip(&total).map(|(o, total)| ((o.max(0.0) + 1.0) / (total.max(0.0) * share + 1.0)).ln()).collect()
    };
    mass.chunks_exact(k).zip(batch_share).flat_map(row).collect()
}

fn add(target: &mut [f64], values: &[f64], factor: f64) {
    target.iter_mut().zip(values).for_each(|(t, v)| *t += factor * v);
}

/// Sum in eight lanes.
fn sum(values: &[f32]) -> f32 {
    let chunks = values.chunks_exact(8);
    let rest: f32 = chunks.remainder().iter().sum();
    let mut lanes = [0.0_f32; 8];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += x);
    }
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests;
