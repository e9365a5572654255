//! What a correlation of n pairs, or a mean difference, can show: critical values and exact power.
//!
//! References: Hotelling 1953, doi:10.1111/j.2517-6161.1953.tb00135.x (distribution of r); Johnson & Welch 1940,
//! doi:10.1093/biomet/31.3-4.362 (non-central t).

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::gamma::ln_gamma;

/// Positive nodes and weights of the eight-point Gauss–Legendre rule on (−1, 1) (Abramowitz & Stegun, table 25.4).
const NODES: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_2, 0.101_228_536_290_376_26),
];

/// Panels of an integral. The integrands here are smooth and a few panels wide at their narrowest (n in the thousands).
const PANELS: usize = 160;

/// The |r| that n pairs must exceed for a two-sided p below `alpha` (t distribution); NaN with fewer than three pairs.
pub fn critical_r(n: usize, alpha: f64) -> f64 {
    if n < 3 { f64::NAN } else { critical_r_of_df((n - 2) as f64, alpha) }
}

/// As [`critical_r`], for a statistic t / √(t² + df) with `df` degrees of freedom.
pub fn critical_r_of_df(df: f64, alpha: f64) -> f64 {
    if !(df > 0.0 && alpha > 0.0 && alpha < 1.0) {
        return f64::NAN;
    }
    let t = StudentsT::new(0.0, 1.0, df).expect("positive degrees of freedom").inverse_cdf(1.0 - alpha / 2.0);
    t / (t * t + df).sqrt()
}

/// The chance that n pairs of a bivariate normal of correlation `rho` give a two-sided p below `alpha`; NaN with fewer than
/// three pairs.
///
/// ```
/// // One cluster in eleven lots.
/// assert!((cqa::math::power::power(11, 0.7, 0.05) - 0.7329).abs() < 1e-4);
/// ```
pub fn power(n: usize, rho: f64, alpha: f64) -> f64 {
    power_beyond(critical_r(n, alpha), n, rho)
}

/// The chance that |r| of n pairs of a bivariate normal of correlation `rho` exceeds `limit`.
pub fn power_beyond(limit: f64, n: usize, rho: f64) -> f64 {
    correlation_above(limit, n, rho) + correlation_above(limit, n, -rho)
}

/// The chance that r of n pairs of a bivariate normal of correlation `rho` exceeds `r`. NaN with fewer than three pairs.
///
/// Hotelling's density integrated over the angle whose sine is r, in which it is smooth down to three pairs.
pub fn correlation_above(r: f64, n: usize, rho: f64) -> f64 {
    if n < 3 || r.is_nan() || rho.is_nan() {
        return f64::NAN;
    }
    if r >= 1.0 || r <= -1.0 {
        return f64::from(r <= -1.0);
    }
    if rho.abs() >= 1.0 {
        return f64::from(rho > 0.0);
    }
    let size = n as f64;
    let ln_front = (size - 2.0).ln() + ln_gamma(size - 1.0) + 0.5 * (size - 1.0) * (-rho * rho).ln_1p()
        - 0.5 * std::f64::consts::TAU.ln()
        - ln_gamma(size - 0.5);
    let density = |angle: f64| {
        let (r, cosine) = angle.sin_cos();
        let ln = ln_front + (size - 3.0) * cosine.ln() - (size - 1.5) * (-rho * r).ln_1p();
        ln.exp() * half_half(size - 0.5, 0.5 * (1.0 + rho * r))
    };
    let quarter = std::f64::consts::FRAC_PI_2;
    // The shorter tail is integrated, so that a small chance keeps its digits.
    if r >= rho {
        integral(r.asin(), quarter, density).clamp(0.0, 1.0)
    } else {
        (1.0 - integral(-quarter, r.asin(), density)).clamp(0.0, 1.0)
    }
}

/// ₂F₁(½, ½; c; z) for c ≥ 2½ and 0 ≤ z < 1, by its series.
fn half_half(c: f64, z: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 0..100_000 {
        let k = f64::from(k);
        term *= (k + 0.5) * (k + 0.5) / ((c + k) * (k + 1.0)) * z;
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    sum
}

/// The chance that a non-central t of `df` degrees of freedom and non-centrality `shift` exceeds `t`.
///
/// The normal tail averaged over s, the ratio of the estimated standard deviation to the true one.
pub fn noncentral_t_above(t: f64, df: f64, shift: f64) -> f64 {
    if t.is_nan() || shift.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    let normal = Normal::standard();
    let ln_front = std::f64::consts::LN_2 + 0.5 * df * (0.5 * df).ln() - ln_gamma(0.5 * df);
    let density = |s: f64| (ln_front + (df - 1.0) * s.ln() - 0.5 * df * s * s).exp() * normal.cdf(shift - t * s);
    // s has standard deviation of about 1 / √(2 df); ten of them leave out less than 1e-20.
    let reach = 10.0 / (2.0 * df).sqrt();
    let (from, mut to) = ((1.0 - reach).max(0.0), 1.0 + reach);
    // Of a large t only small s reach it: nodes beyond would be wasted where few degrees of freedom make s run far.
    if t > 0.0 {
        to = to.min((shift + 10.0) / t);
    }
    if to > from { integral(from, to, density).clamp(0.0, 1.0) } else { 0.0 }
}

pub(super) fn integral(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    integral_in(PANELS, from, to, f)
}

/// Places and weights of the same rule, for an integrand whose dear part is to be computed once.
pub(super) fn nodes(n_panels: usize, from: f64, to: f64) -> impl Iterator<Item = (f64, f64)> {
    let half = 0.5 * (to - from) / n_panels as f64;
    (0..n_panels).flat_map(move |i| {
        let middle = from + half * (2 * i + 1) as f64;
        NODES.iter().flat_map(move |(x, w)| [(middle - half * x, half * w), (middle + half * x, half * w)])
    })
}

/// The integral of a smooth function by eight-point Gauss–Legendre rules on equal panels.
pub(super) fn integral_in(n_panels: usize, from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    let half = 0.5 * (to - from) / n_panels as f64;
    let panel = |i: usize| {
        let middle = from + half * (2 * i + 1) as f64;
        let pairs = NODES.iter().map(|(x, weight)| weight * (f(middle - half * x) + f(middle + half * x)));
        pairs.sum::<f64>() * half
    };
    (0..n_panels).map(panel).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_values_are_those_of_the_tables() {
        // Pearson and Hartley, table 13: 9 and 3 degrees of freedom.
        assert!((critical_r(11, 0.05) - 0.6021).abs() < 5e-5);
        assert!((critical_r(5, 0.05) - 0.8783).abs() < 5e-5);
        assert!(critical_r(2, 0.05).is_nan() && critical_r_of_df(9.0, 1.5).is_nan());
    }

    #[test]
    fn without_correlation_r_is_students() {
        for n in [3, 4, 5, 11, 60, 3_000] {
            for alpha in [0.5, 0.05, 1e-4] {
                let above = correlation_above(critical_r(n, alpha), n, 0.0);
                assert!((above / (alpha / 2.0) - 1.0).abs() < 1e-7, "{n} {alpha}: {above}");
                assert!((power(n, 0.0, alpha) / alpha - 1.0).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn a_distribution_runs_from_one_to_zero() {
        for (n, rho) in [(3, 0.99), (4, -0.7), (11, 0.7), (200, 0.3), (2_000, 0.95)] {
            assert_eq!((correlation_above(-1.0, n, rho), correlation_above(1.0, n, rho)), (1.0, 0.0));
            // Either side of ρ is integrated from its own end; both must meet.
            let (left, right) = (correlation_above(rho - 1e-12, n, rho), correlation_above(rho, n, rho));
            assert!((left - right).abs() < 1e-8, "{n} {rho}: {left} {right}");
            assert!((correlation_above(0.4, n, rho) + correlation_above(-0.4, n, -rho) - 1.0).abs() < 1e-9);
        }
        assert!(correlation_above(0.5, 2, 0.1).is_nan() && power(11, f64::NAN, 0.05).is_nan());
        assert_eq!((correlation_above(0.5, 9, 1.0), correlation_above(0.5, 9, -1.0)), (1.0, 0.0));
    }

    #[test]
    fn without_shift_non_central_t_is_students() {
        for df in [1.0, 2.0, 9.0, 400.0] {
            let t = StudentsT::new(0.0, 1.0, df).unwrap().inverse_cdf(0.975);
            assert!((noncentral_t_above(t, df, 0.0) - 0.025).abs() < 1e-9, "{df}");
        }
        assert!(noncentral_t_above(0.0, 0.0, 1.0).is_nan());
    }
}
