//! Harmony: integration over lots.
//!
//! **Question.** Where would each cell lie if its lot (donor, batch) had not moved all cells of its kind?
//!
//! **Method.** Rounds of two halves. Clustering: soft spherical k-means of the components' directions, weights R(k,i) ∝
//! exp(−2(1 − cos)/σ) · ((E + 1)/(O + 1))^θ, where O is the weight of the cell's batch in the cluster and E what it would be
//! without batch effects; cells are updated in 20 blocks in random order until the objective settles. Correction: within
//! each cluster, coordinates ~ intercept + batch (ridge λ), and each cell loses its batch's terms, weighted by R. Rounds end
//! when the objective falls by less than 1 % of itself.
//!
//! **Shapes.** Cells × components and a batch per cell → cells × components.
//!
//! **Defaults of others.** θ, λ, σ and the number of clusters are those of the first R version and of `harmonypy` 0.x; the
//! limits of convergence those of the second R version and `harmonypy` 2 (on blood cells of three donors twenty times
//! as many updates changed the mixing by 0.4 %). Their λ that follows each cluster's size is not used. The start is found on
//! a sample of 50 cells per cluster, and cells keep their block.
//!
//! **References.** Korsunsky 2019, doi:10.1038/s41592-019-0619-0.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math::diverse_clusters::DiverseClusters;
use crate::warning::Warning;

/// Updates of the clusters within one round at most.
const MAX_UPDATES: usize = 4;
/// The objective of clustering has settled when its sum over this many updates ...
const WINDOW: usize = 3;
/// ... changes by less than this share.
const CLUSTER_TOLERANCE: f64 = 1e-3;
/// Rounds end when the objective falls by less than this share.
const ROUND_TOLERANCE: f64 = 1e-2;
/// Cells per soft cluster where their number is not given ...
const CELLS_PER_CLUSTER: usize = 30;
/// ... and the most clusters then.
const MAX_CLUSTERS: usize = 100;

/// Parameters of [`harmony`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HarmonyParams {
    /// Off = the components are used as they are.
    pub enabled: bool,
    /// Column of the sheet to integrate over; empty = the lot.
    pub column: String,
    /// Diversity penalty, ≥ 0. More mixes batches harder; 0 ignores them while clustering. Default 2.
    pub theta: f64,
    /// Ridge penalty of the correction, > 0, in cells: a batch with few cells in a cluster is moved less. Default 1.
    pub lambda: f64,
    /// Width of soft clusters, > 0, in squared distance of unit vectors. More makes cells belong to more clusters.
    /// Default 0.1.
    pub sigma: f64,
    /// Number of soft clusters; 0 = one per 30 cells, at most 100.
    pub n_clusters: usize,
    /// Rounds of clustering and correction, at least 1. Default 10.
    pub max_iterations: usize,
}

impl Default for HarmonyParams {
    fn default() -> Self {
        Self {
            enabled: true,
            column: String::new(),
            theta: 2.0,
            lambda: 1.0,
            sigma: 0.1,
            n_clusters: 0,
            max_iterations: 10,
        }
    }
}

/// Result of [`harmony`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Harmony {
    /// Cells × components.
    pub corrected: Array2<f32>,
    /// Objective after each round; empty if there is one batch only.
    pub objective: Vec<f64>,
    /// Whether the objective settled.
    pub converged: bool,
    /// Not converged.
    pub warnings: Vec<Warning>,
}

/// Corrects components for the batch of each cell (0..n_batches).
///
/// ```
/// use cqa::steps::cells::{HarmonyParams, harmony};
/// // One kind of cell; batch 1 lies higher by 1.
/// let scores = ndarray::Array2::from_shape_fn((80, 2), |(i, j)| if j == 0 { 9.0 } else { (i % 2) as f32 });
/// let batch: Vec<u32> = (0..80).map(|i| i % 2).collect();
/// let done = harmony(&scores, &batch, 2, &HarmonyParams::default(), 0)?;
/// assert!((done.corrected[[0, 1]] - done.corrected[[1, 1]]).abs() < 0.1);
/// # Ok::<(), cqa::Error>(())
/// ```
///
/// # Errors
/// - parameters out of range
/// - scores that are not finite numbers
pub fn harmony(
    scores: &Array2<f32>,
    batch: &[u32],
    n_batches: usize,
    params: &HarmonyParams,
    seed: u64,
) -> Result<Harmony> {
    harmony_with_weights(scores, batch, n_batches, params, seed).map(|done| done.0)
}

/// As [`harmony`], with the weight of each cell in each soft cluster (cells × clusters); `None` if there is one batch only,
/// so that nothing was corrected.
///
/// # Errors
/// As [`harmony`].
pub fn harmony_with_weights(
    scores: &Array2<f32>,
    batch: &[u32],
    n_batches: usize,
    params: &HarmonyParams,
    seed: u64,
) -> Result<(Harmony, Option<Array2<f32>>)> {
    check(params)?;
    assert_eq!(scores.nrows(), batch.len(), "one batch per cell");
    assert!(batch.iter().all(|&b| (b as usize) < n_batches), "batches below n_batches");
    if let Some((cell, _)) = scores.indexed_iter().find(|(_, x)| !x.is_finite()) {
        return Err(Error::input(
            format!("component {} of cell {} is not a finite number", cell.1, cell.0),
            "give finite components",
        ));
    }
    let one_batch = batch.iter().all(|&b| b == batch[0]);
    if one_batch || scores.ncols() == 0 {
        let corrected = scores.clone();
        return Ok((Harmony { corrected, objective: Vec::new(), converged: true, warnings: Vec::new() }, None));
    }

    let n = batch.len();
    let k = match params.n_clusters {
        0 => (n / CELLS_PER_CLUSTER).clamp(1, MAX_CLUSTERS),
        given => given.min(n),
    };
    let points = scores.as_standard_layout();
    let points = points.as_slice().expect("standard layout");
    let (mut clusters, mut last) = DiverseClusters::new(points, batch, n_batches, k, params.sigma, params.theta, seed);
    let (mut objective, mut converged) = (Vec::new(), false);
    while !converged && objective.len() < params.max_iterations {
        let now = settle(&mut clusters);
        clusters.correct(params.lambda);
        converged = last - now < ROUND_TOLERANCE * last.abs();
        objective.push(now);
        last = now;
    }
    let warnings = if converged {
        Vec::new()
    } else {
        vec![Warning::NotConverged { step: "harmony".into(), n_iterations: objective.len() }]
    };
    let corrected = Array2::from_shape_vec(scores.dim(), clusters.corrected()).expect("cells × components");
    let weights = Array2::from_shape_vec((n, k), clusters.weights()).expect("cells × clusters");
    Ok((Harmony { corrected, objective, converged, warnings }, Some(weights)))
}

/// Updates the clusters until the objective settles; gives back the last one.
fn settle(clusters: &mut DiverseClusters) -> f64 {
    let mut course: Vec<f64> = Vec::new();
    while course.len() < MAX_UPDATES {
        course.push(clusters.round());
        let n = course.len();
        if n > WINDOW {
            let before: f64 = course[n - WINDOW - 1..n - 1].iter().sum();
            let after: f64 = course[n - WINDOW..].iter().sum();
            if (before - after).abs() < CLUSTER_TOLERANCE * before.abs() {
                break;
            }
        }
    }
    course[course.len() - 1]
}

fn check(params: &HarmonyParams) -> Result<()> {
    let positive = |x: f64| x.is_finite() && x > 0.0;
    if !(params.theta.is_finite() && params.theta >= 0.0) {
        return Err(Error::param("harmony.theta", params.theta, "a number from 0 up"));
    }
    if !positive(params.lambda) {
        return Err(Error::param("harmony.lambda", params.lambda, "a number above 0"));
    }
    if !positive(params.sigma) {
        return Err(Error::param("harmony.sigma", params.sigma, "a number above 0"));
    }
    if params.max_iterations == 0 {
        return Err(Error::param("harmony.max_iterations", params.max_iterations, "at least 1"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(n: usize) -> (Array2<f32>, Vec<u32>) {
        let scores = Array2::from_shape_fn((n, 4), |(i, j)| ((i * 31 + j * 17) % 29) as f32 - 14.0 + (i % 3) as f32);
        (scores, (0..n).map(|i| (i % 3) as u32).collect())
    }

    #[test]
    fn one_batch_changes_nothing() {
        let (scores, batch) = scores(90);
        let done = harmony(&scores, &vec![1; batch.len()], 3, &HarmonyParams::default(), 0).unwrap();
        assert_eq!((done.corrected, done.converged), (scores, true));
        let none = Array2::zeros((0, 4));
        assert_eq!(harmony(&none, &[], 2, &HarmonyParams::default(), 0).unwrap().corrected, none);
    }

    #[test]
    fn a_batch_of_one_cell_an_empty_batch_and_a_zero_cell_are_no_trouble() {
        let (mut scores, mut batch) = scores(61);
        batch[7] = 4;
        scores.row_mut(8).fill(0.0);
        for n_clusters in [0, 1, 100] {
            let params = HarmonyParams { n_clusters, ..HarmonyParams::default() };
            let done = harmony(&scores, &batch, 6, &params, 0).unwrap();
            assert!(done.corrected.iter().all(|x| x.is_finite()), "{n_clusters}");
        }
        let two = harmony(&scores.slice_move(ndarray::s![..2, ..]), &[0, 1], 2, &HarmonyParams::default(), 0);
        assert!(two.unwrap().corrected.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn bad_parameters_and_scores_are_refused() {
        let (mut scores, batch) = scores(40);
        let bad = [
            HarmonyParams { theta: -1.0, ..HarmonyParams::default() },
            HarmonyParams { lambda: 0.0, ..HarmonyParams::default() },
            HarmonyParams { sigma: f64::NAN, ..HarmonyParams::default() },
            HarmonyParams { max_iterations: 0, ..HarmonyParams::default() },
        ];
        for params in bad {
            assert!(matches!(harmony(&scores, &batch, 3, &params, 0), Err(Error::Param { .. })));
        }
        scores[[3, 1]] = f32::NAN;
        assert!(matches!(harmony(&scores, &batch, 3, &HarmonyParams::default(), 0), Err(Error::Input { .. })));
    }

    #[test]
    fn stopping_early_is_told() {
        let (scores, batch) = scores(300);
        let params = HarmonyParams { max_iterations: 1, theta: 4.0, ..HarmonyParams::default() };
        let done = harmony(&scores, &batch, 3, &params, 0).unwrap();
        assert_eq!(done.objective.len(), 1);
        assert_eq!(done.warnings.is_empty(), done.converged);
    }

    #[test]
    fn one_and_two_threads_and_two_runs_agree() {
        let (scores, batch) = scores(1500);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| harmony(&scores, &batch, 3, &HarmonyParams::default(), 5).unwrap())
        };
        let first = run(1);
        assert_eq!(first, run(2));
        assert_ne!(first.corrected, scores);
    }
}
