//! Lots before and after a change of the process, by composition and potency alone: what thousands of studies of a
//! comparison are made of.

use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, StandardNormal};

use crate::data::{LotRecords, SheetColumn};
use crate::math::rng::stream;

/// Parameters of [`simulate_change`].
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeParams {
    /// Lots before, at least 1. Default 8.
    pub n_pre: usize,
    /// Lots after, at least 1. Default 8.
    pub n_post: usize,
    /// Clusters, at least 2, each smaller than the one before. Default 6.
    pub n_clusters: usize,
    /// Cells counted per lot, at least 1. Default 2,000.
    pub n_cells: u64,
    /// Standard deviation between lots of the logarithm of each cluster's abundance. Default 0.4.
    pub spread: f64,
    /// What the change adds to the logit of the first cluster's true share. Default 0.
    pub shift: f64,
    /// Standard deviation between lots of the logarithm of the readout `titer`. Default 0.2.
    pub titer_spread: f64,
    /// What the change adds to the logarithm of the readout. Default 0.
    pub titer_shift: f64,
    /// Correlation within pairs of lots, 0..1; `None`: no pairs. Default `None`.
    pub paired: Option<f64>,
}

impl Default for ChangeParams {
    fn default() -> Self {
        Self {
            n_pre: 8,
            n_post: 8,
            n_clusters: 6,
            n_cells: 2_000,
            spread: 0.4,
            shift: 0.0,
            titer_spread: 0.2,
            titer_shift: 0.0,
            paired: None,
        }
    }
}

/// What lies behind a lot: standard normal values of each cluster and of the readout.
type Hidden = Vec<f64>;

/// Records before and after: cells per cluster, named 0, 1, …, the readout `titer`, and the column `donor` that names pairs.
///
/// A cluster's abundance is log-normal around 1, ½, ¼, …, its true share that abundance by the sum over clusters; cells are
/// counted by multinomial draws. A shift of the first cluster's logarithm is a shift of its share's logit.
pub fn simulate_change(params: &ChangeParams, seed: u64) -> (LotRecords, LotRecords) {
    let n_lots = params.n_pre.min(params.n_post);
    assert!(params.n_clusters >= 2 && n_lots >= 1 && params.n_cells >= 1, "lots, clusters and cells");
    let mut rng = stream(seed, "change of the process", 0);
    let draw =
        |rng: &mut ChaCha8Rng| -> Hidden { (0..=params.n_clusters).map(|_| StandardNormal.sample(rng)).collect() };
    let before: Vec<Hidden> = (0..params.n_pre).map(|_| draw(&mut rng)).collect();
    let mut after: Vec<Hidden> = (0..params.n_post).map(|_| draw(&mut rng)).collect();
    if let Some(r) = params.paired {
        let rest = (1.0 - r * r).sqrt();
        for (after, before) in after.iter_mut().zip(&before) {
            after.iter_mut().zip(before).for_each(|(x, shared)| *x = r * shared + rest * *x);
        }
    }
    let pre = records(params, "pre", &before, (0.0, 0.0), &mut rng);
    let post = records(params, "post", &after, (params.shift, params.titer_shift), &mut rng);
    (pre, post)
}

fn records(
    params: &ChangeParams,
    prefix: &str,
    hidden: &[Hidden],
    (shift, titer_shift): (f64, f64),
    rng: &mut ChaCha8Rng,
) -> LotRecords {
    let mut counts = Array2::zeros((hidden.len(), params.n_clusters));
    let (mut titers, mut donors) = (Vec::new(), Vec::new());
    for (lot, values) in hidden.iter().enumerate() {
        let abundance: Vec<f64> = (0..params.n_clusters)
            .map(|k| (params.spread * values[k] + if k == 0 { shift } else { 0.0 }).exp() * 0.5_f64.powi(k as i32))
            .collect();
        let (mut left, mut rest) = (params.n_cells, abundance.iter().sum::<f64>());
        for (cluster, &part) in abundance.iter().enumerate() {
            let chance = if cluster + 1 == abundance.len() { 1.0 } else { (part / rest).clamp(0.0, 1.0) };
            let n = Binomial::new(left, chance).expect("a chance").sample(rng);
            counts[[lot, cluster]] = n;
            left -= n;
            rest -= part;
        }
        titers.push((params.titer_spread * values[params.n_clusters] + titer_shift).exp().to_string());
        donors.push(format!("donor{}", lot + 1));
    }
    let columns = vec![
        SheetColumn { name: "titer".into(), values: titers },
        SheetColumn { name: "donor".into(), values: donors },
    ];
    LotRecords::of_counts(prefix, (0..params.n_clusters).map(|k| k.to_string()).collect(), counts, columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::correlation::pearson;

    fn logits(records: &LotRecords) -> Vec<f64> {
        let shares = records.clusters.as_ref().unwrap();
        let logit = |(&n, &total): (&u64, &u64)| ((n as f64 + 0.5) / ((total - n) as f64 + 0.5)).ln();
        shares.n_in.column(0).iter().zip(shares.n_total.column(0)).map(logit).collect()
    }

    fn titers(records: &LotRecords) -> Vec<f64> {
        records.sheet.column("titer").unwrap().numbers().unwrap().iter().map(|x| x.ln()).collect()
    }

    #[test]
    fn shifts_spread_and_pairs_are_those_asked_for() {
        let params = ChangeParams {
            n_pre: 5_000,
            n_post: 5_000,
            n_cells: 100_000,
            shift: 0.7,
            titer_shift: -0.3,
            paired: Some(0.6),
            ..Default::default()
        };
        let (pre, post) = simulate_change(&params, 1);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (a, b) = (logits(&pre), logits(&post));
        // The standard error of each difference is about 0.008.
        assert!((mean(&b) - mean(&a) - 0.7).abs() < 0.03 && (pearson(&a, &b) - 0.6).abs() < 0.04);
        let (a, b) = (titers(&pre), titers(&post));
        let sd = (a.iter().map(|x| (x - mean(&a)).powi(2)).sum::<f64>() / 5_000.0).sqrt();
        assert!((sd - 0.2).abs() < 0.01 && (mean(&b) - mean(&a) + 0.3).abs() < 0.015);
        assert!((pearson(&a, &b) - 0.6).abs() < 0.04);
        assert_eq!(simulate_change(&params, 1).1, post);
        assert!(post.clusters.unwrap().n_in.rows().into_iter().all(|row| row.sum() == 100_000));
    }
}
