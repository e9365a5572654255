//! Shares of clusters alone, without cells and genes: what thousands of studies of the inference are made of.

use ndarray::Array2;
use rand_distr::{Binomial, Distribution, Gamma, StandardNormal};

use crate::data::LotTable;
use crate::math::rng::stream;

/// Parameters of [`simulate_shares`].
#[derive(Debug, Clone, PartialEq)]
pub struct ShareParams {
    /// Lots, at least 1. Default 11.
    pub n_lots: usize,
    /// Clusters, at least 2; on average of equal share. Default 8.
    pub n_clusters: usize,
    /// Cells counted per lot, at least 1. Default 1,000.
    pub n_cells: u64,
    /// Standard deviation of a true share between lots, as a part of its mean, above 0. Default 0.5.
    pub spread: f64,
    /// Correlation of the first cluster's true share with the readout, −1..1. Default 0.7.
    pub rho: f64,
    /// If above 0, the first lot lies this many standard deviations above the mean in both the first cluster's share and the
    /// readout. Default 0.
    pub outlier: f64,
}

impl Default for ShareParams {
    fn default() -> Self {
        Self { n_lots: 11, n_clusters: 8, n_cells: 1_000, spread: 0.5, rho: 0.7, outlier: 0.0 }
    }
}

/// Counted shares (lots × clusters) and a readout, one value per lot.
///
/// True shares are Dirichlet; `readout = rho · z + √(1 − rho²) · e`, with z the first cluster's true share in standard
/// deviations from its mean and e standard normal; cells are counted by multinomial draws.
pub fn simulate_shares(params: &ShareParams, seed: u64) -> (LotTable, Vec<f64>) {
    assert!(params.n_clusters >= 2 && params.n_lots >= 1 && params.n_cells >= 1, "lots, clusters and cells");
    let mut rng = stream(seed, "shares", 0);
    let k = params.n_clusters as f64;
    let (mean, sd) = (1.0 / k, params.spread / k);
    // Var = mean (1 − mean) / (total + 1).
    let total = mean * (1.0 - mean) / (sd * sd) - 1.0;
    let gamma = Gamma::new(total * mean, 1.0).expect("a spread that shares can have");
    let mut shares = Array2::zeros((params.n_lots, params.n_clusters));
    let mut readout = Vec::with_capacity(params.n_lots);
    for lot in 0..params.n_lots {
        let mut share: Vec<f64> = (0..params.n_clusters).map(|_| gamma.sample(&mut rng)).collect();
        let sum: f64 = share.iter().sum();
        share.iter_mut().for_each(|s| *s /= sum);
        let noise: f64 = StandardNormal.sample(&mut rng);
        let z = (share[0] - mean) / sd;
        let mut value = params.rho * z + (1.0 - params.rho * params.rho).sqrt() * noise;
        if params.outlier > 0.0 && lot == 0 {
            let far = (mean + params.outlier * sd).min(0.95);
            let others = (1.0 - far) / (1.0 - share[0]);
            share.iter_mut().for_each(|s| *s *= others);
            share[0] = far;
            value = params.outlier;
        }
        readout.push(value);
        let (mut left, mut rest) = (params.n_cells, 1.0);
        for (cluster, &s) in share.iter().enumerate() {
            let chance = if cluster + 1 == share.len() { 1.0 } else { (s / rest).clamp(0.0, 1.0) };
            let n = Binomial::new(left, chance).expect("a chance").sample(&mut rng);
            shares[[lot, cluster]] = n as f64 / params.n_cells as f64;
            left -= n;
            rest -= s;
        }
    }
    let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect();
    (LotTable::new(names("L", params.n_lots), names("", params.n_clusters), shares), readout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::correlation::pearson;

    #[test]
    fn shares_have_the_mean_the_spread_and_the_correlation_asked_for() {
        let params = ShareParams { n_lots: 20_000, n_cells: 100_000, ..Default::default() };
        let (table, readout) = simulate_shares(&params, 1);
        let first = table.column(0);
        let mean = first.iter().sum::<f64>() / 20_000.0;
        let sd = (first.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 20_000.0).sqrt();
        assert!((mean - 0.125).abs() < 0.002 && (sd - 0.0625).abs() < 0.002, "{mean} {sd}");
        assert!((pearson(&first.to_vec(), &readout) - 0.7).abs() < 0.015);
        assert!((0..20_000).all(|lot| (table.values.row(lot).sum() - 1.0).abs() < 1e-9));
        assert_eq!(simulate_shares(&params, 1).1, readout);
    }

    #[test]
    fn few_cells_blur_the_share() {
        // A variance of one cell of 27 times that between lots: with 27 cells half of the variance is noise.
        let params = ShareParams { n_lots: 20_000, n_cells: 27, ..Default::default() };
        let (table, readout) = simulate_shares(&params, 2);
        assert!((pearson(&table.column(0).to_vec(), &readout) - 0.7 * 0.5_f64.sqrt()).abs() < 0.02);
    }

    #[test]
    fn an_outlier_is_far_in_both() {
        let params = ShareParams { outlier: 6.0, rho: 0.0, n_cells: 100_000, ..Default::default() };
        let (table, readout) = simulate_shares(&params, 3);
        assert!((table.values[[0, 0]] - 0.5).abs() < 0.01 && readout[0] == 6.0);
        let far = ShareParams { outlier: 100.0, ..params };
        assert!((simulate_shares(&far, 3).0.values[[0, 0]] - 0.95).abs() < 0.01);
    }
}
