//! Isotonic regression: the rising sequence nearest to given values.

/// The non-decreasing sequence with the least weighted squared distance from `values` (pool adjacent violators). Weights are
/// positive.
///
/// ```
/// assert_eq!(cqa::math::isotonic::rising(&[1.0, 3.0, 2.0, 4.0], &[1.0, 1.0, 1.0, 1.0]), [1.0, 2.5, 2.5, 4.0]);
/// ```
pub fn rising(values: &[f64], weights: &[f64]) -> Vec<f64> {
    assert_eq!(values.len(), weights.len(), "one weight per value");
    // Pools of (mean, weight, length).
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (&value, &weight) in values.iter().zip(weights) {
        pools.push((value, weight, 1));
        while let [.., before, last] = pools[..]
            && before.0 > last.0
        {
            pools.truncate(pools.len() - 2);
            let weight = before.1 + last.1;
            pools.push(((before.0 * before.1 + last.0 * last.1) / weight, weight, before.2 + last.2));
        }
    }
    pools.into_iter().flat_map(|(mean, _, n)| std::iter::repeat_n(mean, n)).collect()
}

#[cfg(test)]
mod tests {
    use super::rising;

    #[test]
    fn pools_are_weighted_and_reach_back() {
        assert_eq!(rising(&[], &[]), [0.0; 0]);
        assert_eq!(rising(&[3.0, 0.0], &[1.0, 2.0]), [1.0, 1.0]);
        assert_eq!(rising(&[1.0, 2.0, 3.0, 0.0], &[1.0, 1.0, 1.0, 3.0]), [1.0, 1.0, 1.0, 1.0]);
    }
}
