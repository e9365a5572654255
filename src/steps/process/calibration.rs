//! Calibration: what the reference's own lots say of a new cell's measures, each mapped by a reference built without it.
//!
//! **Question.** How far may a cell be from a cluster and still be one of its own, and how often is a label right?
//!
//! **Method.** *Limits*, per cluster and measure: in each lot the quantile 1 − `tail` of its cells there (20 at least); over
//! the n lots mean + t(n − 1; 0.99) · SD · √(1 + 1/n), below which the quantile of a further lot lies with 99 % confidence.
//! So lots, not cells, set how much cells may differ. Where fewer than three lots have so many cells, the limits are those of
//! all clusters together. The misfit U is judged as z = (U − m)/√(s² + 4m/N + 2G/N²): m and s from the median and MAD of the
//! cluster's cells, G its effective number of genes, N the cell's counts, so that a shallow cell may differ more, by as much
//! as counting adds. *Score*: among cells with as many votes for the cluster, the share whose label is that of the run, a
//! cluster's few cells drawn to all clusters' (worth 50 cells) and made to rise with the votes.
//!
//! **Shapes.** Measures of each lot's cells with their labels in the run → limits per cluster, scores clusters × votes.
//!
//! **Beside other tools.** Azimuth and Symphony give scores that are not tied to an error rate, and no limit.
//!
//! **References.** Whitmore 1986, doi:10.1080/00031305.1986.10475361 (prediction limits for a further observation);
//! Zadrozny & Elkan 2002, doi:10.1145/775047.775151 (isotonic calibration).

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::measure::Measured;
use crate::math::isotonic::rising;
use crate::math::quantile::{MAD_TO_SD, median_and_mad};

/// The cluster of a cell that is unlike all of them.
pub const UNASSIGNED: u32 = u32::MAX;
/// A lot with fewer cells in a cluster says nothing about its limits.
pub const MIN_CELLS: usize = 20;
/// Fewer lots set no limits of a cluster's own.
const MIN_LOTS: usize = 3;
/// Confidence with which a further lot's quantile lies below the limit.
const CONFIDENCE: f64 = 0.99;
/// Cells that the curve of all clusters counts for in the curve of one.
const PRIOR_CELLS: f64 = 50.0;

/// What a cell of a cluster may measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClusterLimits {
    /// Largest mean distance to neighbours.
    pub distance: f64,
    /// Largest displacement.
    pub displacement: f64,
    /// Largest z of the misfit.
    pub misfit: f64,
    /// Median misfit: m.
    pub misfit_center: f64,
    /// Spread of the misfit between cells beyond counting: s.
    pub misfit_spread: f64,
    /// Effective number of genes: G.
    pub effective_genes: f64,
}

/// Limits and scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// One per cluster.
    pub limits: Vec<ClusterLimits>,
    /// Clusters × votes (0 to `n_neighbors`): chance that the label is right.
    pub scores: Array2<f64>,
}

/// What becomes of the cells of a lot; all have one entry per cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assigned {
    /// Cluster, or [`UNASSIGNED`].
    pub cluster: Vec<u32>,
    /// Chance that the label is right, 0..1; 0 for a cell unassigned.
    pub score: Vec<f32>,
    /// Measures beyond their limit: bits 1 distance, 2 displacement, 4 misfit.
    pub beyond: Vec<u8>,
}

/// A lot mapped by a reference built without it.
#[derive(Clone, Copy)]
pub struct HeldOutLot<'a> {
    /// Its measures.
    pub measured: &'a Measured,
    /// Labels of the run.
    pub labels: &'a [u32],
}

impl ClusterLimits {
    fn misfit_z(&self, misfit: f64, n_counts: f64) -> f64 {
        let counting = counting_variance(self.misfit_center, self.effective_genes, n_counts);
        (misfit - self.misfit_center) / (self.misfit_spread.powi(2) + counting).sqrt()
    }
}

/// Variance that counting adds to the misfit of a cell.
fn counting_variance(center: f64, effective_genes: f64, n_counts: f64) -> f64 {
    4.0 * center.max(0.0) / n_counts + 2.0 * effective_genes / (n_counts * n_counts)
}

impl Calibration {
    /// From lots mapped without themselves. `effective_genes` has one entry per cluster; `tail` is the share of a lot's own
    /// cells beyond each limit.
    pub fn new(lots: &[HeldOutLot<'_>], effective_genes: &[f64], n_neighbors: usize, tail: f64) -> Self {
        Self { limits: limits(lots, effective_genes, tail), scores: scores(lots, effective_genes.len(), n_neighbors) }
    }

    /// Labels, scores and what is beyond a limit.
    pub fn assign(&self, measured: &Measured) -> Assigned {
        let mut out = Assigned::default();
        for cell in 0..measured.nearest.len() {
            let cluster = measured.nearest[cell] as usize;
            let limits = &self.limits[cluster];
            let z = limits.misfit_z(f64::from(measured.misfit[cell]), f64::from(measured.n_counts[cell]));
            // Written so that what is not a number is beyond.
            let within = |value: f64, limit: f64| value <= limit;
            let beyond = u8::from(!within(f64::from(measured.distance[cell]), limits.distance))
                + 2 * u8::from(!within(f64::from(measured.displacement[cell]), limits.displacement))
                + 4 * u8::from(!within(z, limits.misfit));
            let inside = beyond == 0;
            out.cluster.push(if inside { cluster as u32 } else { UNASSIGNED });
            out.score.push(if inside { self.scores[[cluster, measured.votes[cell] as usize]] as f32 } else { 0.0 });
            out.beyond.push(beyond);
        }
        out
    }
}

fn limits(lots: &[HeldOutLot<'_>], effective_genes: &[f64], tail: f64) -> Vec<ClusterLimits> {
    let n_clusters = effective_genes.len();
    let bases: Vec<ClusterLimits> = (0..n_clusters).map(|k| misfit_base(lots, k, effective_genes[k])).collect();
    // Where a cluster has too few cells of its own to say what is usual, all clusters say it.
    let known: Vec<&ClusterLimits> = bases.iter().filter(|b| b.misfit_center.is_finite()).collect();
    let mean = |of: &dyn Fn(&ClusterLimits) -> f64| known.iter().map(|b| of(b)).sum::<f64>() / known.len() as f64;
    let (center, spread) = (mean(&|b| b.misfit_center), mean(&|b| b.misfit_spread));
    let bases: Vec<ClusterLimits> = bases
        .into_iter()
        .map(|base| match base.misfit_center.is_finite() {
            true => base,
            false => ClusterLimits { misfit_center: center, misfit_spread: spread, ..base },
        })
        .collect();
    let measures = |of: &dyn Fn(&Measured, usize) -> f64| -> Vec<f64> {
        let all = limit(lots, of, tail, |_| true);
        (0..n_clusters)
            .map(|k| limit(lots, of, tail, |nearest| nearest as usize == k).or(all).unwrap_or(f64::INFINITY))
            .collect()
    };
    let distance = measures(&|m, cell| f64::from(m.distance[cell]));
    let displacement = measures(&|m, cell| f64::from(m.displacement[cell]));
    let misfit = measures(&|m, cell| {
        bases[m.nearest[cell] as usize].misfit_z(f64::from(m.misfit[cell]), f64::from(m.n_counts[cell]))
    });
    let with_limits = |(k, base): (usize, ClusterLimits)| ClusterLimits {
        distance: distance[k],
        displacement: displacement[k],
        misfit: misfit[k],
        ..base
    };
    bases.into_iter().enumerate().map(with_limits).collect()
}

/// What misfit is usual in a cluster; NaN with few cells.
fn misfit_base(lots: &[HeldOutLot<'_>], cluster: usize, effective_genes: f64) -> ClusterLimits {
    let (mut values, mut inverse, mut square) = (Vec::new(), 0.0, 0.0);
    for HeldOutLot { measured, .. } in lots {
        for cell in (0..measured.nearest.len()).filter(|&cell| measured.nearest[cell] as usize == cluster) {
            let n_counts = f64::from(measured.n_counts[cell]);
            values.push(f64::from(measured.misfit[cell]));
            inverse += 1.0 / n_counts;
            square += 1.0 / (n_counts * n_counts);
        }
    }
    let n = values.len() as f64;
    let (mut center, mut spread) = (f64::NAN, f64::NAN);
    if values.len() >= MIN_CELLS {
        let mad;
        (center, mad) = median_and_mad(&mut values);
        let counting = 4.0 * center.max(0.0) * inverse / n + 2.0 * effective_genes * square / n;
        let total = (MAD_TO_SD * mad).powi(2);
        // Counting explains at most three quarters: cells of a cluster are never all alike.
        spread = (total - counting).max(0.25 * total).sqrt();
    }
    let none = f64::INFINITY;
    ClusterLimits {
        distance: none,
        displacement: none,
        misfit: none,
        misfit_center: center,
        misfit_spread: spread,
        effective_genes,
    }
}

/// The limit of a measure over the cells whose nearest cluster is wanted; `None` with too few lots.
fn limit(
    lots: &[HeldOutLot<'_>],
    of: &dyn Fn(&Measured, usize) -> f64,
    tail: f64,
    wanted: impl Fn(u32) -> bool,
) -> Option<f64> {
    let quantiles: Vec<f64> = lots
        .iter()
        .filter_map(|lot| {
            let measured = lot.measured;
            let mut values: Vec<f64> = (0..measured.nearest.len())
                .filter(|&cell| wanted(measured.nearest[cell]))
                .map(|cell| of(measured, cell))
                .collect();
            values.sort_by(f64::total_cmp);
            let place = ((1.0 - tail) * values.len() as f64).ceil() as usize;
            (values.len() >= MIN_CELLS).then(|| values[place.clamp(1, values.len()) - 1])
        })
        .collect();
    further(&quantiles)
}

/// The value below which a further one lies with [`CONFIDENCE`], for normal values; `None` with too few.
fn further(values: &[f64]) -> Option<f64> {
    if values.len() < MIN_LOTS {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = StudentsT::new(0.0, 1.0, n - 1.0).expect("degrees of freedom are positive").inverse_cdf(CONFIDENCE);
    Some(mean + t * (variance * (1.0 + 1.0 / n)).sqrt())
}

/// Clusters × votes.
fn scores(lots: &[HeldOutLot<'_>], n_clusters: usize, n_neighbors: usize) -> Array2<f64> {
    let shape = (n_clusters, n_neighbors + 1);
    let (mut right, mut all) = (Array2::<f64>::zeros(shape), Array2::<f64>::zeros(shape));
    for HeldOutLot { measured, labels } in lots {
        for (cell, label) in labels.iter().enumerate() {
            let at = (measured.nearest[cell] as usize, measured.votes[cell] as usize);
            all[at] += 1.0;
            right[at] += f64::from(u8::from(measured.nearest[cell] == *label));
        }
    }
    let column = |table: &Array2<f64>, votes: usize| table.column(votes).sum();
    // One cell for and one against the share of votes itself, so that votes that were never seen have a score.
    let prior = |votes: usize| votes as f64 / n_neighbors.max(1) as f64;
    let shares: Vec<f64> = (0..shape.1).map(|v| (column(&right, v) + prior(v)) / (column(&all, v) + 1.0)).collect();
    let weights: Vec<f64> = (0..shape.1).map(|v| column(&all, v) + 1.0).collect();
    let common = rising(&shares, &weights);
    let mut out = Array2::zeros(shape);
    for k in 0..n_clusters {
        let weights: Vec<f64> = (0..shape.1).map(|v| all[[k, v]] + PRIOR_CELLS).collect();
        let shares: Vec<f64> = (0..shape.1).map(|v| (right[[k, v]] + PRIOR_CELLS * common[v]) / weights[v]).collect();
        for (v, score) in rising(&shares, &weights).into_iter().enumerate() {
            out[[k, v]] = score;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `n` cells near cluster 0, measures rising from 1 to 2.
    fn lot(n: usize, votes: u16, scale: f32) -> Measured {
        let rising: Vec<f32> = (0..n).map(|i| scale * (1.0 + i as f32 / n as f32)).collect();
        Measured {
            nearest: vec![0; n],
            votes: vec![votes; n],
            distance: rising.clone(),
            displacement: rising.clone(),
            misfit: rising,
            n_counts: vec![10_000.0; n],
            embedding: Array2::zeros((n, 1)),
            umap: Array2::zeros((n, 2)),
        }
    }

    #[test]
    fn a_limit_is_where_a_further_lot_would_be() {
        // Mean 2, SD 1, n = 3: 2 + 6.9646 · √(4/3).
        assert!((further(&[1.0, 2.0, 3.0]).unwrap() - (2.0 + 6.964_557 * (4.0_f64 / 3.0).sqrt())).abs() < 1e-5);
        assert_eq!(further(&[1.0, 2.0]), None);
        assert_eq!(further(&[2.0, 2.0, 2.0]), Some(2.0));
    }

    #[test]
    fn cells_beyond_any_limit_are_unassigned() {
        let measured: Vec<Measured> = (0..4).map(|i| lot(100, 10, 1.0 + 0.01 * i as f32)).collect();
        let labels = vec![0; 100];
        let lots: Vec<HeldOutLot<'_>> =
            measured.iter().map(|measured| HeldOutLot { measured, labels: &labels }).collect();
        // The second cluster has no cells and takes the limits of all.
        let calibration = Calibration::new(&lots, &[100.0, 100.0], 10, 0.05);
        assert_eq!(calibration.limits[0].distance, calibration.limits[1].distance);
        let assigned = calibration.assign(&measured[1]);
        let n_out = assigned.cluster.iter().filter(|&&c| c == UNASSIGNED).count();
        assert!(n_out <= 5, "{n_out}");
        let far = lot(20, 10, 9.0);
        let assigned = calibration.assign(&far);
        assert!(assigned.cluster.iter().all(|&c| c == UNASSIGNED) && assigned.beyond.iter().all(|&b| b == 7));
        let mut not_a_number = lot(1, 10, 1.0);
        not_a_number.misfit[0] = f32::NAN;
        assert_eq!(calibration.assign(&not_a_number).beyond, [4]);
    }

    #[test]
    fn scores_are_shares_of_right_labels_and_rise() {
        let (sure, unsure) = (lot(1000, 10, 1.0), lot(1000, 5, 1.0));
        let labels: Vec<u32> = (0..1000).map(|i| u32::from(i % 4 == 0)).collect();
        let right = vec![0; 1000];
        let lots = [HeldOutLot { measured: &sure, labels: &right }, HeldOutLot { measured: &unsure, labels: &labels }];
        let scores = scores(&lots, 2, 10);
        assert!((scores[[0, 5]] - 0.75).abs() < 0.01 && (scores[[0, 10]] - 1.0).abs() < 0.01, "{scores}");
        assert!(scores.rows().into_iter().all(|row| row.to_vec().is_sorted()));
    }

    #[test]
    fn a_shallow_cell_may_misfit_more() {
        let limits = ClusterLimits {
            distance: 1.0,
            displacement: 1.0,
            misfit: 3.0,
            misfit_center: 0.14,
            misfit_spread: 0.02,
            effective_genes: 1000.0,
        };
        assert!(limits.misfit_z(0.24, 1_000.0) < 2.0 && limits.misfit_z(0.24, 100_000.0) > 4.5);
    }
}
