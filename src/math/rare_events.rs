//! Events that are rare in many trials: how many trials show that they are rarer than a limit, and what chance makes.

use statrs::distribution::{Beta, ContinuousCDF, DiscreteCDF, Hypergeometric};

use super::intervals::upper_limit;

/// The chance of at most `x` events in `n` trials of probability `p`.
///
/// ```
/// let chance = cqa::math::rare_events::at_most(1, 3, 0.5);
/// assert!((chance - 0.5).abs() < 1e-12);
/// ```
pub fn at_most(x: u64, n: u64, p: f64) -> f64 {
    if p.is_nan() {
        return f64::NAN;
    }
    if x >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    Beta::new((x + 1) as f64, (n - x) as f64).expect("both shapes are at least one").sf(p)
}

/// Smallest number of trials in which `x` events show, by their exact upper limit, that the probability is at most `limit`.
/// `None` if more than 10¹² are needed.
///
/// ```
/// // ln 0.05 / ln(1 − 10⁻⁴).
/// assert_eq!(cqa::math::rare_events::trials_needed(0, 1e-4, 0.95), Some(29_956));
/// ```
pub fn trials_needed(x: u64, limit: f64, confidence: f64) -> Option<u64> {
    const MOST: u64 = 1_000_000_000_000;
    assert!(confidence > 0.0 && confidence < 1.0, "confidence between 0 and 1");
    if limit.is_nan() || limit <= 0.0 {
        return None;
    }
    let enough = |n: u64| upper_limit(x, n, confidence) <= limit;
    let (mut below, mut above) = (x, x.max(1));
    while !enough(above) {
        if above >= MOST {
            return None;
        }
        (below, above) = (above, above * 2);
    }
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if enough(middle) { above = middle } else { below = middle }
    }
    Some(above)
}

/// The chance that at least `k` of independent events happen, each with its own probability.
pub fn at_least_of(k: usize, probabilities: &[f64]) -> f64 {
    // Chance of exactly 0, 1, … k − 1 so far, and of k or more.
    let mut exactly = vec![0.0; k + 1];
    exactly[0] = 1.0;
    for &p in probabilities {
        exactly[k] += if k > 0 { exactly[k - 1] * p } else { 0.0 };
        for i in (0..k).rev() {
            let before = if i > 0 { exactly[i - 1] * p } else { 0.0 };
            exactly[i] = exactly[i] * (1.0 - p) + before;
        }
    }
    exactly[k]
}

/// The chance that at least `at_least` of `n` counts are kept if each is with probability `p`.
pub fn kept_at_least(at_least: u32, n: u32, p: f64) -> f64 {
    if at_least > n {
        return 0.0;
    }
    if p >= 1.0 || at_least == 0 {
        return 1.0;
    }
    if p <= 0.0 {
        return 0.0;
    }
    1.0 - at_most(u64::from(at_least) - 1, u64::from(n), p)
}

/// One-sided exact p (Fisher) that `x` events in `n` trials are no more frequent than `b` in `m`: the chance of x or more of
/// the x + b events in the first trials, if all n + m are alike. 1 if there are no events or no trials on either side.
///
/// ```
/// // All of 3 events among 10, none among 10: 10·9·8 / (20·19·18).
/// let p = cqa::math::rare_events::more_frequent(3, 10, 0, 10);
/// assert!((p - 720.0 / 6840.0).abs() < 1e-12);
/// ```
pub fn more_frequent(x: u64, n: u64, b: u64, m: u64) -> f64 {
    assert!(x <= n && b <= m, "events are among the trials");
    if x == 0 || n == 0 || m == 0 {
        return 1.0;
    }
    let drawn = Hypergeometric::new(n + m, x + b, n).expect("events and draws are among the trials");
    drawn.sf(x - 1).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_needed_is_the_smallest_that_is_enough() {
        for x in [0, 1, 2, 7] {
            for limit in [0.2, 1e-3, 1e-6] {
                let n = trials_needed(x, limit, 0.95).unwrap();
                assert!(upper_limit(x, n, 0.95) <= limit && upper_limit(x, n - 1, 0.95) > limit, "{x} {limit} {n}");
                // The other way round: at the limit, so few events have a chance of at most what is left.
                assert!(at_most(x, n, limit) <= 0.05 + 1e-9, "{x} {limit}");
            }
        }
        assert_eq!((trials_needed(0, 0.0, 0.95), trials_needed(0, 1e-14, 0.95)), (None, None));
        assert_eq!(trials_needed(0, 1.0, 0.95), Some(1));
        assert_eq!(trials_needed(3, 1.0, 0.95), Some(3));
    }

    #[test]
    fn chances_of_several_events_equal_the_binomial() {
        let alike = at_least_of(3, &[0.3; 8]);
        assert!((alike - (1.0 - at_most(2, 8, 0.3))).abs() < 1e-12);
        assert!((at_least_of(1, &[0.5, 0.1]) - 0.55).abs() < 1e-15);
        assert_eq!((at_least_of(0, &[]), at_least_of(1, &[]), at_least_of(2, &[1.0, 1.0])), (1.0, 0.0, 1.0));
    }

    #[test]
    fn thinning_keeps_by_the_binomial() {
        assert!((kept_at_least(1, 3, 0.5) - 0.875).abs() < 1e-12);
        assert!((kept_at_least(2, 3, 0.5) - 0.5).abs() < 1e-12);
        assert_eq!((kept_at_least(2, 1, 1.0), kept_at_least(1, 1, 1.0), kept_at_least(1, 9, 0.0)), (0.0, 1.0, 0.0));
        assert_eq!(kept_at_least(0, 0, 0.3), 1.0);
    }

    #[test]
    fn frequencies_compared() {
        assert_eq!((more_frequent(0, 9, 5, 9), more_frequent(2, 9, 0, 0)), (1.0, 1.0));
        assert!(more_frequent(5, 10_000, 0, 50_000) < 2e-4);
        assert!(more_frequent(1, 1_000, 100, 100_000) > 0.6);
        assert_eq!((at_most(3, 3, 0.9), at_most(0, 5, 0.0), at_most(0, 5, 1.0)), (1.0, 1.0, 0.0));
    }
}
