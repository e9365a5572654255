//! Correlation of two columns of numbers.

use super::ranks::average_ranks;

/// A column moved to mean 0 and scaled to length 1, so that a correlation is a dot product.
///
/// `None` if the column is constant: if its spread is no more than the rounding of its mean.
///
/// ```
/// use cqa::math::correlation::standardize;
/// let unit = standardize(&[1.0, 2.0, 3.0]).unwrap();
/// assert!((unit[0] + 0.5_f64.sqrt()).abs() < 1e-15 && unit[1].abs() < 1e-15);
/// assert_eq!(standardize(&[0.1, 0.1, 0.1]), None);
/// ```
pub fn standardize(values: &[f64]) -> Option<Vec<f64>> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let centred: Vec<f64> = values.iter().map(|v| v - mean).collect();
    let length = centred.iter().map(|v| v * v).sum::<f64>().sqrt();
    // Rounding alone leaves deviations of about 1e-16 of the mean. Written so that NaN is constant too.
    let varies = length > 1e-13 * mean.abs() && length.is_finite();
    varies.then(|| centred.iter().map(|v| v / length).collect())
}

/// Pearson correlation; NaN if either column is constant or holds NaN. Panics if the lengths differ.
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "columns of one length");
    match (standardize(x), standardize(y)) {
        (Some(x), Some(y)) => dot(&x, &y).clamp(-1.0, 1.0),
        _ => f64::NAN,
    }
}

/// Spearman correlation: Pearson's of the ranks, ties averaged. NaN as for [`pearson`].
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    if x.iter().chain(y).any(|v| v.is_nan()) {
        return f64::NAN;
    }
    pearson(&average_ranks(x), &average_ranks(y))
}

/// Least-squares line `y = intercept + slope · x` as (slope, intercept); NaN if `x` is constant.
pub fn line(x: &[f64], y: &[f64]) -> (f64, f64) {
    assert_eq!(x.len(), y.len(), "columns of one length");
    if standardize(x).is_none() {
        return (f64::NAN, f64::NAN);
    }
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let sxx: f64 = x.iter().map(|v| (v - mean_x).powi(2)).sum();
    let sxy: f64 = x.iter().zip(y).map(|(a, b)| (a - mean_x) * (b - mean_y)).sum();
    let slope = sxy / sxx;
    (slope, mean_y - slope * mean_x)
}

/// Sum of products.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_numbers() {
        // Deviations −1.5, −0.5, 0.5, 1.5 and −1.75, −0.75, 0.25, 2.25: 6.5 / √(5 · 8.75).
        let (x, y) = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0]);
        assert!((pearson(&x, &y) - 6.5 / (5.0_f64 * 8.75).sqrt()).abs() < 1e-15);
        assert!((spearman(&x, &[1.0, 10.0, 100.0, 1e6]) - 1.0).abs() < 1e-15);
        let (slope, intercept) = line(&x, &y);
        assert!((slope - 1.3).abs() < 1e-14 && (intercept + 0.5).abs() < 1e-14);
    }

    #[test]
    fn constant_empty_and_missing_give_nan() {
        assert!(pearson(&[2.0, 2.0], &[1.0, 3.0]).is_nan());
        assert!(pearson(&[0.1; 7], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).is_nan());
        assert!(pearson(&[], &[]).is_nan());
        assert!(pearson(&[1.0, f64::NAN, 2.0], &[1.0, 3.0, 4.0]).is_nan());
        assert!(spearman(&[1.0, f64::NAN, 2.0], &[1.0, 3.0, 4.0]).is_nan());
        assert!(line(&[2.0, 2.0], &[1.0, 3.0]).0.is_nan());
    }

    #[test]
    fn far_from_zero_nothing_is_lost() {
        let x: Vec<f64> = (0..6).map(|i| 1e9 + f64::from(i)).collect();
        let y: Vec<f64> = (0..6).map(|i| -2.0 * f64::from(i)).collect();
        assert!((pearson(&x, &y) + 1.0).abs() < 1e-15);
    }
}
