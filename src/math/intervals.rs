//! Interval estimates.

use statrs::distribution::{Beta, ContinuousCDF, Normal};

/// Jeffreys interval of a share: equal-tailed quantiles of Beta(x + ½, n − x + ½).
///
/// By convention the lower limit is 0 at x = 0 and the upper limit is 1 at x = n, so that coverage does not collapse at
/// the ends (Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286). (NaN, NaN) if n = 0.
///
/// ```
/// let (low, high) = cqa::math::intervals::jeffreys(7, 50, 0.95);
/// assert!((low - 0.064_872).abs() < 1e-6 && (high - 0.255_325).abs() < 1e-6);
/// ```
pub fn jeffreys(x: u64, n: u64, level: f64) -> (f64, f64) {
    assert!(x <= n && level > 0.0 && level < 1.0, "x of n, level between 0 and 1");
    if n == 0 {
        return (f64::NAN, f64::NAN);
    }
    let beta = Beta::new(x as f64 + 0.5, (n - x) as f64 + 0.5).expect("both shapes are at least one half");
    let tail = (1.0 - level) / 2.0;
    let low = if x == 0 { 0.0 } else { beta_quantile(&beta, tail) };
    let high = if x == n { 1.0 } else { beta_quantile(&beta, 1.0 - tail) };
    (low, high)
}

/// Bisection on the distribution function: simple, and it can't stop early. 60 halvings bring the bracket
/// below the spacing of doubles near the answer for shares above 1e-3.
fn beta_quantile(beta: &Beta, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if beta.cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Fisher-z interval of a Pearson correlation of `n` pairs: tanh(atanh r ± z / √(n − 3)).
///
/// (−1, 1) if n ≤ 3, where the correlation says nothing about its own error; NaN if r is.
///
/// ```
/// let (low, high) = cqa::math::intervals::fisher_z(0.8, 11, 0.95);
/// assert!((low - 0.384_8).abs() < 1e-4 && (high - 0.945_9).abs() < 1e-4);
/// ```
pub fn fisher_z(r: f64, n: usize, level: f64) -> (f64, f64) {
    assert!(level > 0.0 && level < 1.0, "level between 0 and 1");
    if r.is_nan() {
        return (f64::NAN, f64::NAN);
    }
    if n <= 3 {
        return (-1.0, 1.0);
    }
    let half = Normal::standard().inverse_cdf(0.5 + level / 2.0) / ((n - 3) as f64).sqrt();
    let z = r.atanh();
    ((z - half).tanh(), (z + half).tanh())
}

/// Interval of a Spearman correlation of `n` pairs: as [`fisher_z`], with variance (1 + ρ² / 2) / (n − 3).
///
/// Bonett & Wright 2000, doi:10.1007/BF02294183. (−1, 1) if n ≤ 3; NaN if ρ is.
pub fn bonett_wright(rho: f64, n: usize, level: f64) -> (f64, f64) {
    if rho.is_nan() || n <= 3 {
        return fisher_z(rho, n, level);
    }
    assert!(level > 0.0 && level < 1.0, "level between 0 and 1");
    let error = ((1.0 + rho * rho / 2.0) / (n - 3) as f64).sqrt();
    let half = Normal::standard().inverse_cdf(0.5 + level / 2.0) * error;
    let z = rho.atanh();
    ((z - half).tanh(), (z + half).tanh())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_at_the_ends() {
        assert_eq!(jeffreys(0, 10, 0.95).0, 0.0);
        assert_eq!(jeffreys(10, 10, 0.95).1, 1.0);
        assert!(jeffreys(0, 0, 0.95).0.is_nan());
        // x and n − x mirror each other.
        let (a, b) = (jeffreys(3, 4_000, 0.9), jeffreys(3_997, 4_000, 0.9));
        assert!((a.0 + b.1 - 1.0).abs() < 1e-13 && (a.1 + b.0 - 1.0).abs() < 1e-13);
        // One cell in a million: neither limit is lost.
        let (low, high) = jeffreys(1, 1_000_000, 0.95);
        assert!(low > 1e-8 && low < 1e-6 && high > 1e-6 && high < 1e-5, "{low} {high}");
    }

    #[test]
    fn ranks_have_wider_intervals() {
        // atanh 0.6 ± 1.959964 · √(1.18 / 17).
        let (low, high) = bonett_wright(0.6, 20, 0.95);
        assert!((low - 0.174_954).abs() < 1e-5 && (high - 0.836_536).abs() < 1e-5, "{low} {high}");
        assert_eq!((bonett_wright(1.0, 9, 0.9), bonett_wright(0.2, 3, 0.9)), ((1.0, 1.0), (-1.0, 1.0)));
    }

    #[test]
    fn correlations_at_the_ends() {
        assert_eq!(fisher_z(1.0, 10, 0.95), (1.0, 1.0));
        assert_eq!(fisher_z(-1.0, 10, 0.95), (-1.0, -1.0));
        assert_eq!(fisher_z(0.4, 3, 0.95), (-1.0, 1.0));
        assert!(fisher_z(f64::NAN, 10, 0.95).0.is_nan());
        assert_eq!(fisher_z(0.0, 4, 0.95).0, -fisher_z(0.0, 4, 0.95).1);
    }
}
