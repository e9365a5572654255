//! Interval estimates.

use statrs::distribution::{Beta, ContinuousCDF, Normal, StudentsT};

use super::tolerance::chi_squared_quantile;

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

/// Clopper–Pearson interval of a share: all shares that neither one-sided exact test rejects at (1 − level) / 2.
///
/// Covers at least `level` for every true share. 0 at the lower end if x = 0, 1 at the upper if x = n; (NaN, NaN) if n = 0.
/// Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.
///
/// ```
/// let (low, high) = cqa::math::intervals::clopper_pearson(7, 50, 0.95);
/// assert!((low - 0.058_191).abs() < 1e-6 && (high - 0.267_396).abs() < 1e-6);
/// ```
pub fn clopper_pearson(x: u64, n: u64, level: f64) -> (f64, f64) {
    let confidence = 0.5 + level / 2.0;
    (lower_limit(x, n, confidence), upper_limit(x, n, confidence))
}

/// Exact (Clopper–Pearson) one-sided upper limit of a share. 1 − (1 − confidence)^(1/n) if x = 0, which at 95 % is about 3/n; 1
/// if x = n; NaN if n = 0.
///
/// ```
/// let limit = cqa::math::intervals::upper_limit(0, 10_000, 0.95);
/// assert!((limit - 2.995_284e-4).abs() < 1e-9);
/// ```
pub fn upper_limit(x: u64, n: u64, confidence: f64) -> f64 {
    assert!(x <= n && confidence > 0.0 && confidence < 1.0, "x of n, confidence between 0 and 1");
    match (x, n) {
        (_, 0) => f64::NAN,
        (0, n) => -((-confidence).ln_1p() / n as f64).exp_m1(),
        (x, n) if x == n => 1.0,
        (x, n) => {
            let beta = Beta::new((x + 1) as f64, (n - x) as f64).expect("both shapes are at least one");
            beta_quantile(&beta, confidence)
        }
    }
}

/// Exact (Clopper–Pearson) one-sided lower limit of a share. 0 if x = 0; (1 − confidence)^(1/n) if x = n; NaN if n = 0.
pub fn lower_limit(x: u64, n: u64, confidence: f64) -> f64 {
    assert!(x <= n && confidence > 0.0 && confidence < 1.0, "x of n, confidence between 0 and 1");
    match (x, n) {
        (_, 0) => f64::NAN,
        (0, _) => 0.0,
        (x, n) if x == n => ((-confidence).ln_1p() / n as f64).exp(),
        (x, n) => {
            let beta = Beta::new(x as f64, (n - x + 1) as f64).expect("both shapes are at least one");
            beta_quantile(&beta, 1.0 - confidence)
        }
    }
}

/// Prediction interval that holds all of `m` future normal values, from the mean and standard deviation of `n`:
/// mean ± t · sd · √(1 + 1/n), with t at level 1 − (1 − level) / (2 m).
///
/// Exact for one value; for several by Bonferroni, thus a little wide. NaN if n < 2 or m = 0.
///
/// ```
/// let (low, high) = cqa::math::intervals::prediction(10.0, 2.0, 11, 1, 0.95);
/// assert!((low - 5.345_56).abs() < 1e-5 && (high - 14.654_44).abs() < 1e-5);
/// ```
pub fn prediction(mean: f64, sd: f64, n: usize, m: usize, level: f64) -> (f64, f64) {
    assert!(level > 0.0 && level < 1.0, "level between 0 and 1");
    if n < 2 || m == 0 {
        return (f64::NAN, f64::NAN);
    }
    let t = StudentsT::new(0.0, 1.0, (n - 1) as f64).expect("positive degrees of freedom");
    let half = t.inverse_cdf(1.0 - (1.0 - level) / (2.0 * m as f64)) * sd * (1.0 + 1.0 / n as f64).sqrt();
    (mean - half, mean + half)
}

/// One-sided upper confidence limit of the standard deviation of normal values: sd √((n − 1) / χ²), with χ² the quantile of
/// 1 − confidence. NaN if n < 2. Its counterpart below is the limit at 1 − confidence.
///
/// ```
/// // χ² of 10 degrees of freedom: 3.9403 at 0.05, 18.307 at 0.95.
/// use cqa::math::intervals::sd_limit;
/// assert!((sd_limit(1.0, 11, 0.95) - 1.593_08).abs() < 1e-4 && (sd_limit(1.0, 11, 0.05) - 0.739_08).abs() < 1e-4);
/// ```
pub fn sd_limit(sd: f64, n: usize, confidence: f64) -> f64 {
    assert!(confidence > 0.0 && confidence < 1.0, "confidence between 0 and 1");
    if n < 2 {
        return f64::NAN;
    }
    let df = (n - 1) as f64;
    sd * (df / chi_squared_quantile(df, 1.0 - confidence)).sqrt()
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
    fn exact_shares_at_the_ends() {
        assert_eq!(clopper_pearson(0, 10, 0.95).0, 0.0);
        assert_eq!(clopper_pearson(10, 10, 0.95).1, 1.0);
        assert!(upper_limit(0, 0, 0.95).is_nan() && lower_limit(0, 0, 0.95).is_nan());
        // At x = 0 the whole binomial is (1 − share)^n; at x = n it is share^n.
        assert!(((1.0 - upper_limit(0, 7, 0.9)).powi(7) - 0.1).abs() < 1e-14);
        assert!((lower_limit(7, 7, 0.9).powi(7) - 0.1).abs() < 1e-14);
        let (a, b) = (clopper_pearson(3, 4_000, 0.9), clopper_pearson(3_997, 4_000, 0.9));
        assert!((a.0 + b.1 - 1.0).abs() < 1e-13 && (a.1 + b.0 - 1.0).abs() < 1e-13);
        // The limit for x positives is the share at which x or fewer are seen with the chance that is left.
        let share: f64 = upper_limit(1, 20, 0.95);
        let chance = (1.0 - share).powi(20) + 20.0 * share * (1.0 - share).powi(19);
        assert!((chance - 0.05).abs() < 1e-12, "{chance}");
    }

    #[test]
    fn exact_limits_cover_at_least_what_they_say() {
        for share in [0.001_f64, 0.02, 0.3] {
            for n in [1_u64, 30, 200] {
                let mut chance = (1.0 - share).powi(n as i32);
                let mut covered = 0.0;
                for x in 0..=n {
                    if upper_limit(x, n, 0.95) >= share {
                        covered += chance;
                    }
                    chance *= (n - x) as f64 / (x + 1) as f64 * share / (1.0 - share);
                }
                assert!(covered >= 0.95 - 1e-12, "{share} {n}: {covered}");
            }
        }
    }

    #[test]
    fn too_few_values_have_no_limits() {
        assert!(prediction(1.0, f64::NAN, 1, 1, 0.95).0.is_nan() && sd_limit(0.0, 1, 0.95).is_nan());
        assert!(prediction(1.0, 1.0, 9, 0, 0.95).0.is_nan());
        assert!(prediction(0.0, 1.0, 9, 3, 0.95).1 > prediction(0.0, 1.0, 9, 1, 0.95).1);
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
