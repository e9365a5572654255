//! Tolerance factors of normal values: mean ± k · SD holds a share of the population with a confidence.
//!
//! Howe 1969, doi:10.1080/01621459.1969.10500999, for two sides; the exact two-sided factor by the integral of Wald &
//! Wolfowitz 1946, doi:10.1214/aoms/1177730981, over the mean; one side by the non-central t.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use super::power::{nodes, noncentral_t_above};

/// Panels of the integral over the mean, whose integrand is smooth and as wide as the range.
const PANELS: usize = 16;

/// Howe's two-sided factor for `n` values: z √((n − 1)(1 + 1/n) / χ²), with z the normal quantile of (1 + content) / 2 and χ² the
/// quantile of 1 − confidence with n − 1 degrees of freedom. NaN with fewer than two values.
///
/// For content 0.99 and confidence 0.95 it lies above the exact factor ([`two_sided`]) by 7 % at n = 2, 4 % at n = 3, 1.5 % at n = 5
/// and 0.1 % at n = 11. For less content or more confidence it can lie below, which is the wrong side: by 0.4 % at n = 11 for
/// 0.95 with 0.95, and by 1.1 % at n = 8 for 0.90 with 0.99.
///
/// ```
/// use cqa::math::tolerance::howe;
/// assert!((howe(11, 0.99, 0.95) - 4.29).abs() < 0.005 && (howe(3, 0.99, 0.95) - 13.1).abs() < 0.05);
/// ```
pub fn howe(n: usize, content: f64, confidence: f64) -> f64 {
    assert_shares(content, confidence);
    if n < 2 {
        return f64::NAN;
    }
    let (size, df) = (n as f64, (n - 1) as f64);
    let z = Normal::standard().inverse_cdf(0.5 + content / 2.0);
    z * (df * (1.0 + 1.0 / size) / chi_squared_quantile(df, 1.0 - confidence)).sqrt()
}

/// The exact two-sided factor for `n` values. NaN with fewer than two values.
///
/// With the mean off by x (in standard deviations), the half-width must be r(x), where Φ(x + r) − Φ(x − r) is the content;
/// k is such that the chance of (n − 1) r² / k² or more by χ² with n − 1 degrees of freedom, averaged over x ~ N(0, 1/n), is
/// the confidence.
///
/// ```
/// assert!((cqa::math::tolerance::two_sided(10, 0.95, 0.95) - 3.3934).abs() < 1e-4);
/// ```
pub fn two_sided(n: usize, content: f64, confidence: f64) -> f64 {
    assert_shares(content, confidence);
    if n < 2 {
        return f64::NAN;
    }
    let (size, df) = (n as f64, (n - 1) as f64);
    let chi_squared = ChiSquared::new(df).expect("positive degrees of freedom");
    let normal = Normal::standard();
    let end = 9.0 / size.sqrt();
    // Weight of each place of the mean, and the smallest (n − 1) s² there for k = 1. The mean may be off to either side.
    let places: Vec<(f64, f64)> = nodes(PANELS, 0.0, end)
        .map(|(x, weight)| {
            let density = (2.0 * size / std::f64::consts::PI).sqrt() * (-0.5 * size * x * x).exp();
            (weight * density, df * half_width(&normal, x, content).powi(2))
        })
        .collect();
    let reached = |k: f64| places.iter().map(|(weight, least)| weight * chi_squared.sf(least / (k * k))).sum::<f64>();
    // Howe's factor is at most a fifth off.
    let start = howe(n, content, confidence);
    root(0.3 * start, 2.0 * start, |k| reached(k) - confidence)
}

/// The one-sided factor for `n` values: mean + k · SD lies above a share `content` of the population with this confidence. NaN
/// with fewer than two values.
///
/// ```
/// assert!((cqa::math::tolerance::one_sided(10, 0.95, 0.95) - 2.911).abs() < 5e-4);
/// ```
pub fn one_sided(n: usize, content: f64, confidence: f64) -> f64 {
    assert_shares(content, confidence);
    if n < 2 {
        return f64::NAN;
    }
    let (size, df) = (n as f64, (n - 1) as f64);
    let shift = Normal::standard().inverse_cdf(content) * size.sqrt();
    // t above the shift by what a standard deviation that comes out far too low gives.
    let end = (shift.abs() + 9.0) / (chi_squared_quantile(df, 0.5 * (1.0 - confidence)) / df).sqrt() + 9.0;
    root(-end, end, |t| (1.0 - confidence) - noncentral_t_above(t, df, shift)) / size.sqrt()
}

/// r with Φ(x + r) − Φ(x − r) = content.
fn half_width(normal: &Normal, x: f64, content: f64) -> f64 {
    let missing = |r: f64| normal.sf(r + x) + normal.sf(r - x) - (1.0 - content);
    root(0.0, x.abs() + normal.inverse_cdf(0.5 + content / 2.0), |r| -missing(r))
}

/// χ² below which a share p lies, by bisection.
pub(super) fn chi_squared_quantile(df: f64, p: f64) -> f64 {
    let chi_squared = ChiSquared::new(df).expect("positive degrees of freedom");
    let mut end = df + 10.0;
    while chi_squared.cdf(end) < p {
        end *= 2.0;
    }
    // In logarithms, as a low quantile of few degrees of freedom lies many powers of ten below the mean.
    root(-700.0, end.ln(), |ln| chi_squared.cdf(ln.exp()) - p).exp()
}

/// Where a rising function crosses 0, by halving the bracket until no number lies between its ends.
fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high || (high - low) < 1e-14 * middle.abs() {
            return middle;
        }
        if f(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

fn assert_shares(content: f64, confidence: f64) {
    assert!(content > 0.0 && content < 1.0 && confidence > 0.0 && confidence < 1.0, "shares between 0 and 1");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_values_say_nothing() {
        for n in [0, 1] {
            assert!(howe(n, 0.9, 0.9).is_nan() && two_sided(n, 0.9, 0.9).is_nan() && one_sided(n, 0.9, 0.9).is_nan());
        }
    }

    #[test]
    fn many_values_leave_the_normal_quantile() {
        assert!((howe(10_000_000, 0.95, 0.5) - 1.959_964).abs() < 1e-5);
        assert!((two_sided(100_000, 0.95, 0.5) - 1.959_964).abs() < 1e-4);
        assert!((one_sided(100_000, 0.95, 0.5) - 1.644_854).abs() < 1e-4);
    }

    #[test]
    fn a_share_below_one_half_has_a_factor_below_zero() {
        // By symmetry, k of (1 − content, 1 − confidence) is −k.
        assert!((one_sided(8, 0.1, 0.05) + one_sided(8, 0.9, 0.95)).abs() < 1e-9);
    }
}
