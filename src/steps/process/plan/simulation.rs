//! Simulated studies: what the strongest of a family of correlations is without association, and what becomes of a true one.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::design::{Design, Layout};
use crate::math::correlation::dot;
use crate::math::rng::stream;

/// Studies per task.
const PER_TASK: usize = 100;

/// Readouts without association per study; they cost little beside the shares, and steady the limit of |r|.
const NULLS: usize = 4;

/// What is simulated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    pub n_clusters: usize,
    pub n_readouts: usize,
    /// Correlation of the counted share with the readout.
    pub rho: f64,
    pub max_dominance: f64,
    pub n_simulations: usize,
    pub seed: u64,
}

/// One study with a true association.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Study {
    /// r of the potent cluster.
    pub r: f64,
    /// Smallest r without one lot, taken in the direction of `r`: negative where the sign turns.
    pub weakest_without: f64,
    /// The same over dominant lots; infinite if there is none.
    pub weakest_without_dominant: f64,
}

/// Studies of one number of lots.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Simulated {
    /// Largest |r| of the family without association, rising.
    largest: Vec<f64>,
    studies: Vec<Study>,
}

impl Simulated {
    /// The |r| that the strongest of the family reaches with a chance of `alpha`; NaN where lots are too few for any r.
    pub fn critical(&self, alpha: f64) -> f64 {
        let reached = ((1.0 - alpha) * (self.largest.len() + 1) as f64).ceil() as usize;
        self.largest.get(reached.max(1) - 1).copied().unwrap_or(f64::NAN)
    }

    pub fn share_of_studies(&self, found: impl Fn(&Study) -> bool) -> f64 {
        self.studies.iter().filter(|study| found(study)).count() as f64 / self.studies.len().max(1) as f64
    }
}

/// Simulates studies of a layout; nothing where it leaves no degree of freedom.
pub(super) fn simulated(layout: &Layout, model: &Model) -> Simulated {
    if layout.degrees_of_freedom() < 1.0 {
        return Simulated { largest: Vec::new(), studies: Vec::new() };
    }
    let without_covariates: Vec<Basis> = std::iter::once(None)
        .chain((0..layout.n_lots).map(Some))
        .map(|left_out| basis(layout, &[], left_out))
        .collect();
    let parts: Vec<(Vec<f64>, Vec<Study>)> = (0..model.n_simulations.div_ceil(PER_TASK))
        .into_par_iter()
        .map(|task| {
            let mut rng = stream(model.seed, "plan", (layout.n_lots * 1_000_000 + task) as u64);
            let n = PER_TASK.min(model.n_simulations - task * PER_TASK);
            let mut largest = Vec::with_capacity(n * NULLS);
            let studies = (0..n).map(|_| study(layout, model, &without_covariates, &mut largest, &mut rng)).collect();
            (largest, studies)
        })
        .collect();
    let (mut largest, mut studies) = (Vec::new(), Vec::new());
    for (l, s) in parts {
        largest.extend(l);
        studies.extend(s);
    }
    largest.sort_by(f64::total_cmp);
    Simulated { largest, studies }
}

/// One study: adds what its family reaches without association to `largest`.
fn study(
    layout: &Layout,
    model: &Model,
    without_covariates: &[Basis],
    largest: &mut Vec<f64>,
    rng: &mut ChaCha8Rng,
) -> Study {
    let n = layout.n_lots;
    let covariates: Vec<Vec<f64>> = (0..layout.n_covariates).map(|_| normals(n, rng)).collect();
    let with_covariates = (layout.n_covariates > 0).then(|| basis(layout, &covariates, None));
    let full = with_covariates.as_ref().unwrap_or(&without_covariates[0]);

    let potent = normals(n, rng);
    let mut shares = others(n, model.n_clusters, rng).against(&potent);
    shares.push(potent.clone());
    let shares: Vec<Vec<f64>> = shares.iter().map(|x| unit(x, full, None)).collect();
    for _ in 0..NULLS {
        let mut most = 0.0_f64;
        for _ in 0..model.n_readouts {
            let readout = unit(&null_readout(layout, rng), full, None);
            most = shares.iter().map(|x| dot(x, &readout).abs()).fold(most, f64::max);
        }
        largest.push(most);
    }

    let (share, readout) = associated(layout, potent, model.rho, rng);
    let (x, y) = (unit(&share, full, None), unit(&readout, full, None));
    let r = dot(&x, &y);
    let mut study = Study { r, weakest_without: f64::INFINITY, weakest_without_dominant: f64::INFINITY };
    for lot in 0..n {
        let anew = (layout.n_covariates > 0).then(|| basis(layout, &covariates, Some(lot)));
        let left = anew.as_ref().unwrap_or(&without_covariates[lot + 1]);
        let without = dot(&unit(&share, left, Some(lot)), &unit(&readout, left, Some(lot))) * r.signum();
        study.weakest_without = study.weakest_without.min(without);
        if x[lot].powi(2).max(y[lot].powi(2)) > model.max_dominance {
            study.weakest_without_dominant = study.weakest_without_dominant.min(without);
        }
    }
    study
}

/// What the shares of the other clusters do beside going against the potent one.
pub(super) struct Others(Vec<Vec<f64>>);

/// Draws it for one study.
pub(super) fn others(n_lots: usize, n_clusters: usize, rng: &mut ChaCha8Rng) -> Others {
    let m = (n_clusters - 1) as f64;
    let mut rest: Vec<Vec<f64>> = (1..n_clusters).map(|_| normals(n_lots, rng)).collect();
    // Of the variance 1 of each, 1 / m² goes against the potent cluster; this is the rest, and sums to 0.
    let scale = if n_clusters > 2 { ((1.0 - 1.0 / (m * m)) * m / (m - 1.0)).sqrt() } else { 0.0 };
    for lot in 0..n_lots {
        let mean = rest.iter().map(|x| x[lot]).sum::<f64>() / m;
        rest.iter_mut().for_each(|x| x[lot] = (x[lot] - mean) * scale);
    }
    Others(rest)
}

impl Others {
    /// The shares, where the potent cluster's are `potent`: all clusters sum to 0, and any two vary alike.
    pub fn against(&self, potent: &[f64]) -> Vec<Vec<f64>> {
        let m = self.0.len() as f64;
        self.0.iter().map(|rest| rest.iter().zip(potent).map(|(r, p)| r - p / m).collect()).collect()
    }
}

/// A readout that has nothing to do with any share.
fn null_readout(layout: &Layout, rng: &mut ChaCha8Rng) -> Vec<f64> {
    match layout.design {
        Design::Measured => normals(layout.n_lots, rng),
        Design::Groups => {
            let mut readout = layout.fixed_readout();
            for lots in layout.blocks() {
                readout[lots].shuffle(rng);
            }
            readout
        }
        Design::Pairs => (0..layout.n_lots).map(|_| if rng.random() { 1.0 } else { -1.0 }).collect(),
    }
}

/// The potent share and its readout.
pub(super) fn associated(layout: &Layout, potent: Vec<f64>, rho: f64, rng: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
    let rest = (1.0 - rho * rho).sqrt();
    let mix = |signal: &[f64], noise: &[f64]| signal.iter().zip(noise).map(|(s, e)| rho * s + rest * e).collect();
    if layout.design == Design::Measured {
        let readout = mix(&potent, &normals(layout.n_lots, rng));
        (potent, readout)
    } else {
        let readout = layout.fixed_readout();
        (mix(&readout, &potent), readout)
    }
}

pub(super) fn normals(n: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    (0..n).map(|_| StandardNormal.sample(rng)).collect()
}

/// Directions taken out of share and readout: orthonormal, 0 at the lot left out.
pub(super) type Basis = Vec<Vec<f64>>;

/// The mean of each block, and covariates; nothing for pairs, whose differences are looked at as they are.
pub(super) fn basis(layout: &Layout, covariates: &[Vec<f64>], left_out: Option<usize>) -> Basis {
    let mut out = Basis::new();
    if layout.design == Design::Pairs {
        return out;
    }
    let indicator =
        |lots: std::ops::Range<usize>| (0..layout.n_lots).map(|lot| f64::from(lots.contains(&lot))).collect();
    let directions: Vec<Vec<f64>> =
        layout.blocks().into_iter().map(indicator).chain(covariates.iter().cloned()).collect();
    for direction in directions {
        let direction = unit(&direction, &out, left_out);
        if direction.iter().any(|v| *v != 0.0) {
            out.push(direction);
        }
    }
    out
}

/// What the basis leaves of a column, at length 1; 0 if nothing is left.
pub(super) fn unit(column: &[f64], basis: &Basis, left_out: Option<usize>) -> Vec<f64> {
    let mut rest = column.to_vec();
    if let Some(lot) = left_out {
        rest[lot] = 0.0;
    }
    let before = dot(&rest, &rest).sqrt();
    for direction in basis {
        let along = dot(&rest, direction);
        rest.iter_mut().zip(direction).for_each(|(v, d)| *v -= along * d);
    }
    let length = dot(&rest, &rest).sqrt();
    let scale = if length > 1e-10 * before { 1.0 / length } else { 0.0 };
    rest.iter_mut().for_each(|v| *v *= scale);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_one_and_correlate_alike() {
        let mut rng = stream(1, "test", 0);
        for n_clusters in [2, 3, 8] {
            let potent = normals(20_000, &mut rng);
            let mut shares = others(20_000, n_clusters, &mut rng).against(&potent);
            shares.push(potent);
            let expected = -1.0 / (n_clusters as f64 - 1.0);
            for (i, x) in shares.iter().enumerate() {
                assert!((dot(x, x) / 20_000.0 - 1.0).abs() < 0.05);
                for y in &shares[..i] {
                    assert!((dot(x, y) / 20_000.0 - expected).abs() < 0.03, "{n_clusters}");
                }
            }
            assert!((0..20_000).all(|lot| shares.iter().map(|x| x[lot]).sum::<f64>().abs() < 1e-9));
        }
        assert!(others(1, 1, &mut rng).against(&[1.0]).is_empty());
    }

    #[test]
    fn what_is_taken_out_is_gone() {
        let layout = Layout::new(9, Design::Measured, 4, 1);
        let covariate: Vec<f64> = (0..9).map(|i| f64::from(i * i % 7)).collect();
        for left_out in [None, Some(0), Some(8)] {
            let basis = basis(&layout, std::slice::from_ref(&covariate), left_out);
            assert_eq!(basis.len(), 3);
            let x = unit(&[1.0, 5.0, 2.0, 0.0, 3.0, 1.0, 1.0, 9.0, 4.0], &basis, left_out);
            assert!((dot(&x, &x) - 1.0).abs() < 1e-12 && dot(&x, &covariate).abs() < 1e-9);
            assert!(x[..4].iter().sum::<f64>().abs() < 1e-9 && x[4..].iter().sum::<f64>().abs() < 1e-9);
            assert!(left_out.is_none_or(|lot| x[lot] == 0.0));
            assert!(unit(&[2.0; 9], &basis, left_out).iter().all(|v| *v == 0.0), "a constant column");
        }
    }
}
