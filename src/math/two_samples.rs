//! Rank tests of two samples, by the normal curve; exact p-values come from permutations.

use statrs::distribution::{ContinuousCDF, Normal};

use super::family::Tail;
use super::ranks::average_ranks;

/// A rank statistic and its place on the normal curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// Mann–Whitney's U of the second sample, or the sum of the ranks of positive differences.
    pub statistic: f64,
    /// Rank-biserial correlation, −1..1: how much oftener the second is larger than smaller. NaN if a sample is empty or
    /// every difference is 0.
    pub rank_biserial: f64,
    /// p by the normal curve with correction for continuity and ties; NaN where the statistic can't vary.
    pub p_normal: f64,
}

/// Mann–Whitney (Wilcoxon rank sum) of `second` against `first`: U counts pairs in which the second is larger, ties half.
///
/// ```
/// use cqa::math::{family::Tail, two_samples::mann_whitney};
/// let test = mann_whitney(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], Tail::Both);
/// assert_eq!((test.statistic, test.rank_biserial), (9.0, 1.0));
/// ```
pub fn mann_whitney(first: &[f64], second: &[f64], tail: Tail) -> RankTest {
    let (n1, n2) = (first.len() as f64, second.len() as f64);
    let n = n1 + n2;
    let ranks = average_ranks(&[first, second].concat());
    let u = ranks[first.len()..].iter().sum::<f64>() - n2 * (n2 + 1.0) / 2.0;
    let variance = n1 * n2 / 12.0 * (n + 1.0 - ties(&ranks) / (n * (n - 1.0)));
    RankTest {
        statistic: u,
        rank_biserial: 2.0 * u / (n1 * n2) - 1.0,
        p_normal: p_normal(u - n1 * n2 / 2.0, variance, tail),
    }
}

/// Wilcoxon's signed-rank test of differences; differences of 0 are left out.
///
/// ```
/// use cqa::math::{family::Tail, two_samples::signed_rank};
/// assert_eq!(signed_rank(&[3.0, -1.0, 2.0, 0.0], Tail::Both).statistic, 5.0);
/// ```
pub fn signed_rank(differences: &[f64], tail: Tail) -> RankTest {
    let signed = signed_ranks(differences);
    let n = signed.iter().filter(|s| **s != 0.0).count() as f64;
    let ranks: Vec<f64> = signed.iter().filter(|s| **s != 0.0).map(|s| s.abs()).collect();
    let up: f64 = signed.iter().filter(|s| **s > 0.0).sum();
    let total = n * (n + 1.0) / 2.0;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties(&ranks) / 48.0;
    RankTest {
        statistic: up,
        rank_biserial: (2.0 * up - total) / total,
        p_normal: p_normal(up - total / 2.0, variance, tail),
    }
}

/// Rank of each difference by size, with its sign; 0 where there is none.
pub fn signed_ranks(differences: &[f64]) -> Vec<f64> {
    let sizes: Vec<f64> = differences.iter().filter(|d| **d != 0.0).map(|d| d.abs()).collect();
    let mut ranks = average_ranks(&sizes).into_iter();
    differences.iter().map(|d| if *d == 0.0 { 0.0 } else { d.signum() * ranks.next().unwrap_or(0.0) }).collect()
}

/// Σ t³ − t over groups of equal ranks.
fn ties(ranks: &[f64]) -> f64 {
    let mut sorted = ranks.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(|same| (same.len() as f64).powi(3) - same.len() as f64).sum()
}

/// p of a deviation from the mean, moved half a step towards it.
fn p_normal(deviation: f64, variance: f64, tail: Tail) -> f64 {
    if variance.is_nan() || variance <= 0.0 {
        return f64::NAN;
    }
    let above = |deviation: f64| Normal::standard().sf((deviation - 0.5) / variance.sqrt());
    match tail {
        Tail::Both => (2.0 * above(deviation.abs())).min(1.0),
        Tail::Upper => above(deviation),
        Tail::Lower => above(-deviation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        assert!(mann_whitney(&[], &[1.0], Tail::Both).p_normal.is_nan());
        assert!(mann_whitney(&[2.0, 2.0], &[2.0], Tail::Both).p_normal.is_nan(), "all tied");
        assert!(signed_rank(&[0.0, 0.0], Tail::Both).rank_biserial.is_nan());
        assert_eq!(signed_ranks(&[-2.0, 0.0, 1.0, 2.0]), [-2.5, 0.0, 1.0, 2.5]);
        assert_eq!(mann_whitney(&[1.0, 2.0], &[1.0, 2.0], Tail::Both).p_normal, 1.0);
    }

    #[test]
    fn tails_mirror_each_other() {
        let (a, b) = ([1.0, 4.0, 2.5, 3.0], [2.0, 6.0, 7.0, 3.0, 5.0]);
        let (up, down) = (mann_whitney(&a, &b, Tail::Upper), mann_whitney(&b, &a, Tail::Lower));
        assert!((up.p_normal - down.p_normal).abs() < 1e-15 && (up.rank_biserial + down.rank_biserial).abs() < 1e-15);
    }
}
