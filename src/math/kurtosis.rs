//! How much a few values stand out from the rest.

/// Excess kurtosis m₄ / m₂² − 3 with moments over n: 0 for a normal distribution, below 0 for flatter ones, at most
/// n − 5 + 1/(n − 1) where a single one of n values differs. NaN if all values are equal or there are none.
///
/// ```
/// use cqa::math::kurtosis::excess_kurtosis;
/// assert_eq!(excess_kurtosis(&[1.0, -1.0]), -2.0);
/// assert!((excess_kurtosis(&[0.0, 0.0, 0.0, 0.0, 1.0]) - 0.25).abs() < 1e-12);
/// ```
pub fn excess_kurtosis(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let (mut second, mut fourth) = (0.0, 0.0);
    for value in values {
        let square = (value - mean) * (value - mean);
        second += square;
        fourth += square * square;
    }
    // Equal values leave nothing but the rounding of their mean.
    let varies = (second / n).sqrt() > 1e-13 * mean.abs();
    if varies { n * fourth / (second * second) - 3.0 } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_numbers_and_edges() {
        // Deviations ±1, ±2: second moment 2.5, fourth 8.5.
        assert!((excess_kurtosis(&[1.0, 2.0, 4.0, 5.0]) - (8.5 / 6.25 - 3.0)).abs() < 1e-14);
        assert!(excess_kurtosis(&[]).is_nan());
        assert!(excess_kurtosis(&[3.0]).is_nan());
        assert!(excess_kurtosis(&[0.1; 11]).is_nan());
        assert!(excess_kurtosis(&[1.0, f64::NAN]).is_nan());
        let one_of = |n: usize| excess_kurtosis(&(0..n).map(|i| f64::from(u8::from(i == 0))).collect::<Vec<_>>());
        assert!((one_of(11) - 6.1).abs() < 1e-12);
    }
}
