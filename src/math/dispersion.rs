//! Columns that vary more than others of the same mean.

/// Columns of similar mean compared with each other.
const WINDOW: usize = 200;

/// Indices, rising, of the `n_top` columns whose ratio of variance to mean exceeds most, in logarithm, the median of
/// its window of 200 columns by rank of the mean. Columns without mean or variance are left out; ties go to the lower index.
///
/// ```
/// let mean = [1.0, 1.1, 1.2, 1.3, 0.0];
/// let chosen = cqa::math::dispersion::most_dispersed(&mean, &[1.0, 5.0, 1.2, 1.3, 0.0], 1);
/// assert_eq!(chosen, [1]);
/// ```
pub fn most_dispersed(mean: &[f64], variance: &[f64], n_top: usize) -> Vec<u32> {
    assert_eq!(mean.len(), variance.len(), "one variance per mean");
    let mut order: Vec<usize> = (0..mean.len()).filter(|&i| mean[i] > 0.0 && variance[i] > 0.0).collect();
    order.sort_by(|&a, &b| mean[a].total_cmp(&mean[b]).then(a.cmp(&b)));
    let mut scored: Vec<(f64, usize)> = Vec::with_capacity(order.len());
    // The last window takes what is left over, so that no window is tiny.
    let n_windows = (order.len() / WINDOW).max(1);
    for w in 0..n_windows {
        let end = if w + 1 == n_windows { order.len() } else { (w + 1) * WINDOW };
        let window = &order[w * WINDOW..end];
        let log: Vec<f64> = window.iter().map(|&i| (variance[i] / mean[i]).ln()).collect();
        let mut sorted = log.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(median) = sorted.get(sorted.len() / 2) else { continue };
        scored.extend(log.iter().zip(window).map(|(log, &i)| (log - median, i)));
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut chosen: Vec<u32> = scored.iter().take(n_top).map(|&(_, i)| i as u32).collect();
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excess_counts_and_level_does_not() {
        // Variance grows with the mean; every 50th column has four times its due.
        let mean: Vec<f64> = (1..=1000).map(f64::from).collect();
        let variance: Vec<f64> =
            (1..=1000).map(|i| f64::from(i).powi(2) * if i % 50 == 0 { 4.0 } else { 1.0 }).collect();
        let chosen = most_dispersed(&mean, &variance, 20);
        assert_eq!(chosen.len(), 20);
        assert!(chosen.iter().filter(|&&i| (i + 1) % 50 == 0).count() >= 18, "{chosen:?}");
    }

    #[test]
    fn nothing_to_choose_from() {
        assert!(most_dispersed(&[], &[], 5).is_empty());
        assert!(most_dispersed(&[0.0, 1.0], &[0.0, 0.0], 5).is_empty());
    }
}
