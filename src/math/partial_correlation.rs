//! Correlation of two columns given a third.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::correlation::pearson;

/// Below this 1 − r² a column is a copy of another, up to rounding.
const COLLINEAR: f64 = 1e-9;

/// Partial correlation of `x` and `y` given `z`: the correlation of what a straight line on `z` leaves of both. NaN if any
/// is constant, or if `x` or `y` is a multiple of `z`.
///
/// ```
/// use cqa::math::partial_correlation::partial_correlation;
/// let (x, y, z) = ([1.0, 2.0, 3.0, 5.0], [1.0, 3.0, 2.0, 6.0], [1.0, 1.0, 2.0, 2.0]);
/// // What is left: (−½, ½, −1, 1) and (−1, 1, −2, 2).
/// assert!((partial_correlation(&x, &y, &z) - 1.0).abs() < 1e-12);
/// ```
pub fn partial_correlation(x: &[f64], y: &[f64], z: &[f64]) -> f64 {
    let (xy, xz, yz) = (pearson(x, y), pearson(x, z), pearson(y, z));
    let (left_x, left_y) = (1.0 - xz * xz, 1.0 - yz * yz);
    // Written so that NaN gives NaN.
    if !(left_x > COLLINEAR && left_y > COLLINEAR) {
        return f64::NAN;
    }
    ((xy - xz * yz) / (left_x * left_y).sqrt()).clamp(-1.0, 1.0)
}

/// Two-sided p of a partial correlation over `n` triples given one column, under normal errors: Student's t with n − 3
/// degrees of freedom. NaN with fewer than four triples or if `r` is NaN.
pub fn partial_p(r: f64, n: usize) -> f64 {
    if n < 4 || r.is_nan() {
        return f64::NAN;
    }
    let freedom = (n - 3) as f64;
    let t = r.abs() * (freedom / (1.0 - r * r)).sqrt();
    if t.is_infinite() {
        return 0.0;
    }
    let student = StudentsT::new(0.0, 1.0, freedom).expect("degrees of freedom are above 0");
    2.0 * student.sf(t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        let x = [1.0, 2.0, 3.0, 5.0, 4.0];
        assert!(partial_correlation(&x, &[2.0, 1.0, 4.0, 3.0, 9.0], &x).is_nan(), "given itself");
        assert!(partial_correlation(&x, &[1.0; 5], &[2.0, 1.0, 4.0, 3.0, 9.0]).is_nan(), "a constant");
        assert!(partial_p(f64::NAN, 9).is_nan() && partial_p(0.3, 3).is_nan());
        assert_eq!((partial_p(1.0, 9), partial_p(0.0, 9)), (0.0, 1.0));
    }

    #[test]
    fn a_common_cause_explains_the_rest_away() {
        // Both sides are z plus deviations that are orthogonal to z and to each other.
        let z = [1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0];
        let a = [1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0];
        let b = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        let x: Vec<f64> = z.iter().zip(a).map(|(z, a)| 10.0 * z + a).collect();
        let y: Vec<f64> = z.iter().zip(b).map(|(z, b)| -10.0 * z + b).collect();
        assert!(pearson(&x, &y) < -0.98 && partial_correlation(&x, &y, &z).abs() < 1e-9);
    }
}
