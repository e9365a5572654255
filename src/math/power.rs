//! What a correlation of n pairs can show.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The |r| that n pairs must exceed for a two-sided p below `alpha` (t distribution); NaN with fewer than three pairs.
pub fn critical_r(n: usize, alpha: f64) -> f64 {
    if n < 3 || !(alpha > 0.0 && alpha < 1.0) {
        return f64::NAN;
    }
    let df = (n - 2) as f64;
    let t = StudentsT::new(0.0, 1.0, df).expect("positive degrees of freedom").inverse_cdf(1.0 - alpha / 2.0);
    t / (t * t + df).sqrt()
}

/// The chance that n pairs of a true correlation `rho` give a two-sided p below `alpha`, by Fisher's z; NaN with fewer than
/// four pairs.
pub fn power(n: usize, rho: f64, alpha: f64) -> f64 {
    if n < 4 || !(alpha > 0.0 && alpha < 1.0) {
        return f64::NAN;
    }
    let normal = Normal::standard();
    let (shift, limit) = (rho.abs().atanh() * ((n - 3) as f64).sqrt(), normal.inverse_cdf(1.0 - alpha / 2.0));
    normal.cdf(shift - limit) + normal.cdf(-shift - limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_values_are_those_of_the_tables() {
        // Pearson and Hartley, table 13: 9 and 3 degrees of freedom.
        assert!((critical_r(11, 0.05) - 0.6021).abs() < 5e-5);
        assert!((critical_r(5, 0.05) - 0.8783).abs() < 5e-5);
        assert!(critical_r(2, 0.05).is_nan());
    }

    #[test]
    fn power_at_eleven_lots_and_eight_clusters() {
        assert!((power(11, 0.7, 0.05 / 8.0) - 0.39).abs() < 0.005);
        assert!((power(11, 0.0, 0.05) - 0.05).abs() < 1e-9);
        assert!(power(3, 0.7, 0.05).is_nan());
    }
}
