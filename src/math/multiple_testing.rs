//! Corrections for looking at many columns.

/// Benjamini–Hochberg q-values: the smallest false discovery rate at which each p would be called.
///
/// Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x
///
/// ```
/// let q = cqa::math::multiple_testing::benjamini_hochberg(&[0.01, 0.5, 0.03]);
/// assert!((q[0] - 0.03).abs() < 1e-15 && (q[1] - 0.5).abs() < 1e-15 && (q[2] - 0.045).abs() < 1e-15);
/// ```
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut q = vec![f64::NAN; p.len()];
    let mut smallest = 1.0_f64;
    for (rank, &i) in order.iter().enumerate().rev() {
        smallest = smallest.min(p[i] * p.len() as f64 / (rank + 1) as f64);
        q[i] = smallest;
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        assert!(benjamini_hochberg(&[]).is_empty());
        assert_eq!(benjamini_hochberg(&[0.2]), [0.2]);
        assert_eq!(benjamini_hochberg(&[1.0, 1.0]), [1.0, 1.0]);
    }

    #[test]
    fn q_rises_with_p() {
        // 0.04 alone would have q 0.053; the larger 0.041 pulls it down.
        let q = benjamini_hochberg(&[0.01, 0.04, 0.041, 0.2]);
        assert!((q[1] - q[2]).abs() < 1e-15 && (q[2] - 0.041 * 4.0 / 3.0).abs() < 1e-15, "{q:?}");
    }
}
