//! Intervals of shares against scipy's quantiles of the beta distribution.

use cqa::math::intervals::jeffreys;

use crate::common;

#[test]
fn jeffreys_intervals_equal_scipys() {
    let (_, rows) = common::rows(&common::fixture("composition/jeffreys.csv"));
    assert!(rows.len() > 100);
    for row in rows {
        let [level, low, high] = [2, 3, 4].map(|i| row[i].parse::<f64>().unwrap());
        let (ours_low, ours_high) = jeffreys(row[0].parse().unwrap(), row[1].parse().unwrap(), level);
        for (ours, theirs) in [(ours_low, low), (ours_high, high)] {
            assert!((ours - theirs).abs() <= 1e-8 * theirs, "{row:?}: {ours}");
        }
    }
}
