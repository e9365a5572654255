//! Modularity with resolution, of a partition of a weighted graph.
//!
//! Q = Σ_c [ w(c) / 2m − γ (K(c) / 2m)² ], where w(c) counts each edge inside c twice, K(c) is the sum of the
//! strengths (weighted degrees) of its nodes, 2m that of all nodes, γ the resolution (Newman & Girvan 2004, Phys Rev E
//! 69:026113, doi:10.1103/PhysRevE.69.026113; γ: Reichardt & Bornholdt 2006, doi:10.1103/PhysRevE.74.016110).

use crate::math::graph::Graph;

/// Sum of the weights of the edges at each node.
pub fn strengths(graph: &Graph) -> Vec<f64> {
    (0..graph.n_nodes()).map(|i| graph.row(i).map(|(_, w)| f64::from(w)).sum()).collect()
}

/// Modularity of `labels` at this resolution; 0 for a graph without edges. Panics unless there is one label per node.
///
/// ```
/// use cqa::math::{graph::Graph, modularity::modularity};
/// // Two pairs: {0, 1} and {2, 3}.
/// let graph = Graph { starts: vec![0, 1, 2, 3, 4], targets: vec![1, 0, 3, 2], weights: vec![1.0; 4] };
/// assert_eq!(modularity(&graph, &[0, 0, 1, 1], 1.0), 0.5);
/// ```
pub fn modularity(graph: &Graph, labels: &[u32], resolution: f64) -> f64 {
    assert_eq!(labels.len(), graph.n_nodes(), "one label per node");
    let mut inside = 0.0;
    let mut community = vec![0.0; labels.iter().max().map_or(0, |&l| l as usize + 1)];
    for (i, &label) in labels.iter().enumerate() {
        for (j, w) in graph.row(i) {
            let w = f64::from(w);
            community[label as usize] += w;
            if labels[j as usize] == label {
                inside += w;
            }
        }
    }
    let total: f64 = community.iter().sum();
    if total == 0.0 {
        return 0.0;
    }
    inside / total - resolution * community.iter().map(|k| (k / total).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modularity_has_known_values() {
        // A path 0 - 1 - 2 - 3: 2m = 6, the halves hold 2 of 3 edges and 3 of 6 strengths each.
        let graph = Graph { starts: vec![0, 1, 3, 5, 6], targets: vec![1, 0, 2, 1, 3, 2], weights: vec![1.0; 6] };
        assert!((modularity(&graph, &[0, 0, 1, 1], 1.0) - (4.0 / 6.0 - 0.5)).abs() < 1e-15);
        assert!((modularity(&graph, &[0, 0, 1, 1], 2.0) - (4.0 / 6.0 - 1.0)).abs() < 1e-15);
        assert_eq!(modularity(&graph, &[0, 0, 0, 0], 1.0), 0.0);
        assert_eq!(strengths(&graph), [1.0, 2.0, 2.0, 1.0]);
        let empty = Graph { starts: vec![0, 0], targets: vec![], weights: vec![] };
        assert_eq!(modularity(&empty, &[0], 1.0), 0.0);
    }
}
