//! Maximum-overlap matching of clusters against `scipy.optimize.linear_sum_assignment`.

use cqa::math::partition::Overlap;

use crate::common::{fixture, text};

#[test]
fn the_largest_overlap_is_scipys() {
    let cases: serde_json::Value = serde_json::from_str(&text(&fixture("assignment/matrices.json"))).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() > 90);
    for case in cases {
        let shared: Vec<Vec<usize>> = serde_json::from_value(case["shared"].clone()).unwrap();
        let sizes_a = shared.iter().map(|row| row.iter().sum()).collect();
        let sizes_b = (0..shared[0].len()).map(|j| shared.iter().map(|row| row[j]).sum()).collect();
        let matched = Overlap { shared: shared.clone(), sizes_a, sizes_b }.assignment();
        let total: usize = matched.iter().enumerate().filter_map(|(i, j)| j.map(|j| shared[i][j])).sum();
        assert_eq!(total as u64, case["total"].as_u64().unwrap(), "{shared:?}");
        let mut used: Vec<usize> = matched.iter().flatten().copied().collect();
        used.sort_unstable();
        assert!(used.windows(2).all(|w| w[0] != w[1]), "one to one");
        assert!(matched.iter().enumerate().all(|(i, j)| j.is_none_or(|j| shared[i][j] > 0)), "matches share cells");
    }
}
