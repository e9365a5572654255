//! Median and median absolute deviation.

/// Factor that turns a median absolute deviation into an estimate of the standard deviation of a normal distribution:
/// 1 / Φ⁻¹(3/4).
pub const MAD_TO_SD: f64 = 1.482_602_218_505_602;

/// Median; the mean of the two middle values if their number is even. NaN if there are none. Reorders `values`.
///
/// ```
/// use cqa::math::quantile::median;
/// assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
/// assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
/// ```
pub fn median(values: &mut [f64]) -> f64 {
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    if n % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    f64::midpoint(lower, upper)
}

/// Median and median absolute deviation from it (not scaled). NaN if there are no values. Overwrites `values`.
///
/// ```
/// use cqa::math::quantile::median_and_mad;
/// assert_eq!(median_and_mad(&mut [1.0, 2.0, 4.0, 8.0, 100.0]), (4.0, 3.0));
/// ```
pub fn median_and_mad(values: &mut [f64]) -> (f64, f64) {
    let middle = median(values);
    for value in values.iter_mut() {
        *value = (*value - middle).abs();
    }
    (middle, median(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values() {
        assert!(median(&mut []).is_nan());
        assert_eq!(median(&mut [7.0]), 7.0);
        assert_eq!(median_and_mad(&mut [7.0]), (7.0, 0.0));
        assert_eq!(median_and_mad(&mut [1.0, 3.0]), (2.0, 1.0));
    }
}
