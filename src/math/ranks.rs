//! Ranks with ties averaged.

/// Rank of each value from 1; equal values share the mean of their ranks. Panics on NaN.
///
/// ```
/// assert_eq!(cqa::math::ranks::average_ranks(&[5.0, 1.0, 5.0, 9.0]), [2.5, 1.0, 2.5, 4.0]);
/// ```
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].partial_cmp(&values[b]).expect("ranks need values that are not NaN"));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let end = start + order[start..].iter().take_while(|&&i| values[i] == value).count();
        for &i in &order[start..end] {
            ranks[i] = (start + 1 + end) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        assert!(average_ranks(&[]).is_empty());
        assert_eq!(average_ranks(&[3.0]), [1.0]);
        assert_eq!(average_ranks(&[2.0, 2.0, 2.0]), [2.0, 2.0, 2.0]);
        assert_eq!(average_ranks(&[0.0, -0.0, -1.0]), [2.5, 2.5, 1.0]);
        assert_eq!(average_ranks(&[f64::INFINITY, 0.0, f64::NEG_INFINITY]), [3.0, 2.0, 1.0]);
    }
}
