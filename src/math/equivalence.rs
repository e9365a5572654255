//! Equivalence of means: two one-sided t tests (TOST), and their power.
//!
//! Equivalence within (lower, upper) is shown at level α if both H: δ ≤ lower and H: δ ≥ upper are rejected, each at α; the
//! same as a 1 − 2α interval of δ that lies within the margins. Schuirmann 1987, doi:10.1007/BF01068419.
//!
//! Power is exact for normal values: given the standard deviations, the estimate must fall between two limits, and this
//! normal chance is averaged over the distribution of the deviations. With a common variance, and for pairs, this is the
//! integral of Owen 1965, doi:10.1093/biomet/52.3-4.437; with Welch's degrees of freedom it runs over both deviations.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::gamma::ln_gamma;

use super::power::{integral, integral_in};

/// Panels per dimension of a double integral.
const PANELS: usize = 40;

/// How two groups share their variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variances {
    /// Each group has its own (Welch 1947, doi:10.1093/biomet/34.1-2.28).
    Welch,
    /// One for both.
    Pooled,
}

/// Result of two one-sided tests.
///
/// NaN where there is nothing to tell: every field but `estimate` with too few values, and interval and p where the values
/// don't vary, as their error can't be known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tost {
    /// Difference of means (first minus second), or mean.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error.
    pub df: f64,
    /// Lower end of the 1 − 2α interval.
    pub low: f64,
    /// Upper end of the 1 − 2α interval.
    pub high: f64,
    /// p of H: δ ≤ lower margin.
    pub p_lower: f64,
    /// p of H: δ ≥ upper margin.
    pub p_upper: f64,
    /// The larger of both: equivalent at α if p ≤ α.
    pub p: f64,
}

/// Whether mean(x) − mean(y) of independent groups lies within the margins.
///
/// ```
/// use cqa::math::equivalence::{Variances, unpaired};
/// let (x, y) = ([10.1, 9.8, 10.4, 10.0], [10.0, 9.9, 10.3, 10.2, 9.6]);
/// let tost = unpaired(&x, &y, (-1.0, 1.0), 0.05, Variances::Pooled);
/// assert!((tost.estimate - 0.075).abs() < 1e-12 && tost.df == 7.0 && tost.p < 0.01);
/// ```
pub fn unpaired(x: &[f64], y: &[f64], margins: (f64, f64), alpha: f64, variances: Variances) -> Tost {
    let ((mean_x, var_x), (mean_y, var_y)) = (mean_and_variance(x), mean_and_variance(y));
    let (n_x, n_y) = (x.len() as f64, y.len() as f64);
    let (standard_error, df) = match variances {
        Variances::Pooled => {
            let df = n_x + n_y - 2.0;
            // A group of one says nothing of the variance, and adds nothing to it.
            let part = |variance: f64, n: f64| if n == 1.0 { 0.0 } else { variance * (n - 1.0) };
            let variance = (part(var_x, n_x) + part(var_y, n_y)) / df;
            ((variance * (1.0 / n_x + 1.0 / n_y)).sqrt(), df)
        }
        Variances::Welch => {
            let (part_x, part_y) = (var_x / n_x, var_y / n_y);
            let df = (part_x + part_y).powi(2) / (part_x.powi(2) / (n_x - 1.0) + part_y.powi(2) / (n_y - 1.0));
            ((part_x + part_y).sqrt(), df)
        }
    };
    judged(mean_x - mean_y, standard_error, df, margins, alpha)
}

/// Whether the mean of x(i) − y(i) lies within the margins.
pub fn paired(x: &[f64], y: &[f64], margins: (f64, f64), alpha: f64) -> Tost {
    assert_eq!(x.len(), y.len(), "pairs have two values");
    let differences: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
    one_sample(&differences, margins, alpha)
}

/// Whether the mean lies within the margins.
pub fn one_sample(x: &[f64], margins: (f64, f64), alpha: f64) -> Tost {
    let (mean, variance) = mean_and_variance(x);
    let n = x.len() as f64;
    judged(mean, (variance / n).sqrt(), n - 1.0, margins, alpha)
}

/// The two tests of an estimate whose standard error has `df` degrees of freedom.
pub fn judged(estimate: f64, standard_error: f64, df: f64, margins: (f64, f64), alpha: f64) -> Tost {
    assert!(alpha > 0.0 && alpha < 0.5, "level between 0 and one half");
    let nan = f64::NAN;
    let nothing = Tost { estimate, standard_error, df, low: nan, high: nan, p_lower: nan, p_upper: nan, p: nan };
    if !(standard_error > 0.0 && standard_error.is_finite() && df > 0.0) || estimate.is_nan() {
        let known = standard_error.is_finite() && df > 0.0;
        return Tost {
            standard_error: if known { standard_error } else { nan },
            df: if known { df } else { nan },
            ..nothing
        };
    }
    let student = StudentsT::new(0.0, 1.0, df).expect("positive degrees of freedom");
    let half = student.inverse_cdf(1.0 - alpha) * standard_error;
    // A margin that is missing makes its test, and so the whole, missing: `max` alone would hide it.
    let above = |t: f64| if t.is_nan() { nan } else { student.sf(t) };
    let p_lower = above((estimate - margins.0) / standard_error);
    let p_upper = above((margins.1 - estimate) / standard_error);
    let p = if p_lower.is_nan() || p_upper.is_nan() { nan } else { p_lower.max(p_upper) };
    Tost { low: estimate - half, high: estimate + half, p_lower, p_upper, p, ..nothing }
}

/// The chance that [`unpaired`] shows equivalence if the means differ by `difference`: exact for normal values with standard
/// deviations `sds` in groups of sizes `n`. With [`Variances::Pooled`] both deviations must be equal. NaN with too few values.
///
/// ```
/// use cqa::math::equivalence::{Variances, power_unpaired};
/// let power = power_unpaired(0.0, (1.0, 1.0), (12, 12), (-1.5, 1.5), 0.05, Variances::Pooled);
/// assert!((power - 0.9443).abs() < 1e-4);
/// ```
pub fn power_unpaired(
    difference: f64,
    sds: (f64, f64),
    n: (usize, usize),
    margins: (f64, f64),
    alpha: f64,
    variances: Variances,
) -> f64 {
    let (n_x, n_y) = (n.0 as f64, n.1 as f64);
    match variances {
        Variances::Pooled => {
            assert!(sds.0 == sds.1 || sds.0.is_nan() || sds.1.is_nan(), "a pooled variance is one for both groups");
            if n.0 == 0 || n.1 == 0 {
                return f64::NAN;
            }
            power_of(difference, sds.0 * (1.0 / n_x + 1.0 / n_y).sqrt(), n_x + n_y - 2.0, margins, alpha)
        }
        Variances::Welch if n.0 < 2 || n.1 < 2 => f64::NAN,
        Variances::Welch => {
            power_welch(difference, [sds.0.powi(2) / n_x, sds.1.powi(2) / n_y], [n_x - 1.0, n_y - 1.0], margins, alpha)
        }
    }
}

/// The chance that [`paired`] (with the standard deviation of the differences) or [`one_sample`] shows equivalence if the true
/// mean is `difference`. NaN with fewer than two values.
pub fn power_one_sample(difference: f64, sd: f64, n: usize, margins: (f64, f64), alpha: f64) -> f64 {
    if n < 2 {
        return f64::NAN;
    }
    power_of(difference, sd / (n as f64).sqrt(), n as f64 - 1.0, margins, alpha)
}

/// Owen's integral: `error` is the true standard deviation of the estimate, estimated with `df` degrees of freedom.
fn power_of(difference: f64, error: f64, df: f64, margins: (f64, f64), alpha: f64) -> f64 {
    assert!(alpha > 0.0 && alpha < 0.5, "level between 0 and one half");
    if !(df > 0.0 && error >= 0.0 && error.is_finite()) || difference.is_nan() || (margins.1 - margins.0).is_nan() {
        return f64::NAN;
    }
    if error == 0.0 {
        return f64::from(margins.0 < difference && difference < margins.1);
    }
    let normal = Normal::standard();
    let t = StudentsT::new(0.0, 1.0, df).expect("positive degrees of freedom").inverse_cdf(1.0 - alpha);
    let (low, high) = ((margins.0 - difference) / error, (margins.1 - difference) / error);
    // Density of s, the ratio of the estimated standard deviation to the true one.
    let ln_front = std::f64::consts::LN_2 + 0.5 * df * (0.5 * df).ln() - ln_gamma(0.5 * df);
    let density = |s: f64| {
        (ln_front + (df - 1.0) * s.ln() - 0.5 * df * s * s).exp() * between(&normal, low + t * s, high - t * s)
    };
    // s has a standard deviation of about 1 / √(2 df); ten of them leave out less than 1e-20. Where t · s exceeds half of the
    // distance of the margins, no estimate is good enough.
    let reach = 10.0 / (2.0 * df).sqrt();
    let (from, to) = ((1.0 - reach).max(0.0), (1.0 + reach).min((high - low) / (2.0 * t)));
    if to > from { integral(from, to, density).clamp(0.0, 1.0) } else { 0.0 }
}

/// As [`power_of`], over the squared errors x and y of both means, which are gamma distributed around `parts`. In u and θ with
/// x = u² sin² θ and y = u² cos² θ, Welch's degrees of freedom depend on θ alone.
fn power_welch(difference: f64, parts: [f64; 2], df: [f64; 2], margins: (f64, f64), alpha: f64) -> f64 {
    assert!(alpha > 0.0 && alpha < 0.5, "level between 0 and one half");
    if !(parts[0] >= 0.0 && parts[1] >= 0.0 && parts[0] + parts[1] < f64::INFINITY)
        || difference.is_nan()
        || (margins.1 - margins.0).is_nan()
    {
        return f64::NAN;
    }
    // A group that doesn't vary leaves the error, and the degrees of freedom, to the other one.
    if parts[0] == 0.0 || parts[1] == 0.0 {
        let varies = usize::from(parts[0] == 0.0);
        return power_of(difference, parts[varies].sqrt(), df[varies], margins, alpha);
    }
    let normal = Normal::standard();
    let error = (parts[0] + parts[1]).sqrt();
    let (low, high) = ((margins.0 - difference) / error, (margins.1 - difference) / error);
    // In units of the true error: shape and rate of both gamma distributions.
    let shape = df.map(|df| 0.5 * df);
    let rate = [0, 1].map(|i| shape[i] * error * error / parts[i]);
    let ln_front = 4.0_f64.ln() + (0..2).map(|i| shape[i] * rate[i].ln() - ln_gamma(shape[i])).sum::<f64>();
    let power_in_u = df[0] + df[1] - 1.0;
    let over_u = |angle: f64| {
        let (sine, cosine) = angle.sin_cos();
        let (x, y) = (sine * sine, cosine * cosine);
        let welch = 1.0 / (x * x / df[0] + y * y / df[1]);
        let t = StudentsT::new(0.0, 1.0, welch).expect("positive degrees of freedom").inverse_cdf(1.0 - alpha);
        let decay = rate[0] * x + rate[1] * y;
        let ln_angle = ln_front + (df[0] - 1.0) * sine.ln() + (df[1] - 1.0) * cosine.ln();
        let density = |u: f64| {
            (ln_angle + power_in_u * u.ln() - decay * u * u).exp() * between(&normal, low + t * u, high - t * u)
        };
        // Around its peak u is narrower than a normal of variance 1 / (2 decay).
        let (peak, reach) = ((power_in_u / (2.0 * decay)).sqrt(), 10.0 / (2.0 * decay).sqrt());
        let (from, to) = ((peak - reach).max(0.0), (peak + reach).min((high - low) / (2.0 * t)));
        if to > from { integral_in(PANELS, from, to, density) } else { 0.0 }
    };
    integral_in(PANELS, 0.0, std::f64::consts::FRAC_PI_2, over_u).clamp(0.0, 1.0)
}

/// Chance of a standard normal value between two limits; 0 where they cross.
fn between(normal: &Normal, low: f64, high: f64) -> f64 {
    if low >= high {
        0.0
    } else if low > 0.0 {
        normal.cdf(-low) - normal.cdf(-high)
    } else {
        normal.cdf(high) - normal.cdf(low)
    }
}

/// Mean, and variance with n − 1; NaN where there are too few values.
fn mean_and_variance(x: &[f64]) -> (f64, f64) {
    let n = x.len() as f64;
    // The first value is taken off, so that a constant has no variance at all and a large offset costs no digits.
    let Some(&first) = x.first() else { return (f64::NAN, f64::NAN) };
    let mean = x.iter().map(|x| x - first).sum::<f64>() / n;
    let squares = x.iter().map(|x| (x - first - mean).powi(2)).sum::<f64>();
    (first + mean, if x.len() < 2 { f64::NAN } else { squares / (n - 1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: (f64, f64) = (-1.0, 1.0);

    #[test]
    fn p_is_at_most_alpha_exactly_where_the_interval_lies_within_the_margins() {
        let y = [0.3, -0.2, 0.6, 0.1, -0.5, 0.9];
        for shift in 0..40 {
            let x: Vec<f64> =
                y.iter().enumerate().map(|(i, v)| v * 1.3 + 0.05 * f64::from(shift) + i as f64 * 0.01).collect();
            for tost in [
                unpaired(&x, &y, M, 0.05, Variances::Welch),
                unpaired(&x, &y, M, 0.05, Variances::Pooled),
                paired(&x, &y, M, 0.05),
                one_sample(&x, M, 0.05),
            ] {
                assert_eq!(tost.p <= 0.05, tost.low >= M.0 && tost.high <= M.1, "{tost:?}");
                assert_eq!(tost.p, tost.p_lower.max(tost.p_upper));
            }
        }
    }

    #[test]
    fn nothing_is_said_of_too_few_or_constant_values() {
        let one = unpaired(&[1.0], &[2.0, 3.0], M, 0.05, Variances::Welch);
        assert!(one.estimate == -1.5 && one.standard_error.is_nan() && one.df.is_nan() && one.p.is_nan());
        // A pooled variance can come from the other group alone.
        let pooled = unpaired(&[1.0], &[2.0, 3.0], M, 0.05, Variances::Pooled);
        assert!(pooled.df == 1.0 && pooled.p > 0.05);
        let constant = one_sample(&[0.1; 5], M, 0.05);
        assert!(
            constant.estimate == 0.1 && constant.standard_error == 0.0 && constant.p.is_nan() && constant.low.is_nan()
        );
        assert!(one_sample(&[], M, 0.05).estimate.is_nan());
        // One group that doesn't vary leaves all to the other.
        let half = unpaired(&[1.0, 1.0, 1.0], &[1.0, 2.0, 0.0], M, 0.05, Variances::Welch);
        assert!(half.df == 2.0 && half.p.is_finite());
        assert!(one_sample(&[1.0, 2.0, 4.0], (f64::NAN, 1.0), 0.05).p.is_nan());
    }

    #[test]
    fn welch_with_equal_groups_comes_near_the_pooled_power_and_is_symmetric() {
        for n in [2, 3, 6, 40, 400] {
            let margin = 3.0 / (n as f64).sqrt();
            let power = |d: f64, v| power_unpaired(d, (1.0, 1.0), (n, n), (-margin, margin), 0.05, v);
            let (welch, pooled) = (power(0.1 * margin, Variances::Welch), power(0.1 * margin, Variances::Pooled));
            // Few values per group leave Welch fewer degrees of freedom.
            assert!(
                welch <= pooled + 1e-9 && pooled - welch < if n <= 3 { 0.1 } else { 0.04 },
                "{n}: {welch} {pooled}"
            );
            assert!((power(0.2 * margin, Variances::Welch) - power(-0.2 * margin, Variances::Welch)).abs() < 1e-10);
            assert!(power(margin, Variances::Pooled) <= 0.05 + 1e-9 && power(margin, Variances::Welch) <= 0.055);
        }
    }

    #[test]
    fn power_at_the_margin_reaches_alpha_where_the_other_margin_is_far() {
        let at = power_one_sample(1.0, 0.5, 12, (-50.0, 1.0), 0.05);
        assert!((at - 0.05).abs() < 1e-9, "{at}");
        let welch = power_unpaired(1.0, (1.0, 1.0), (30, 30), (-50.0, 1.0), 0.05, Variances::Welch);
        assert!((welch - 0.05).abs() < 2e-4, "{welch}");
    }

    #[test]
    fn power_at_the_ends() {
        assert_eq!(power_one_sample(0.0, 0.0, 5, M, 0.05), 1.0);
        assert_eq!(power_one_sample(1.0, 0.0, 5, M, 0.05), 0.0);
        assert!(power_one_sample(0.0, 1.0, 1, M, 0.05).is_nan());
        assert!(power_unpaired(0.0, (1.0, 1.0), (1, 9), M, 0.05, Variances::Welch).is_nan());
        assert!(power_unpaired(f64::NAN, (1.0, 1.0), (9, 9), M, 0.05, Variances::Welch).is_nan());
        assert_eq!(power_one_sample(0.0, 1.0, 9, (1.0, -1.0), 0.05), 0.0);
        // A group that doesn't vary is the one-sample case.
        let one = power_unpaired(0.1, (0.0, 1.0), (5, 9), M, 0.05, Variances::Welch);
        assert!((one - power_one_sample(0.1, 1.0, 9, M, 0.05)).abs() < 1e-12);
    }
}
