//! Joining communities too small to stand for themselves.

use crate::math::graph::Graph;

/// Joins each community of fewer than `min_size` nodes to the one it shares most edge weight with (of equal ones the
/// lowest label), the smallest community first, until none is left that has edges to others. `labels` are 0..n.
///
/// ```
/// use cqa::math::{absorb::absorb_small, graph::Graph};
/// // A path 0 - 1 - 2 - 3 whose last node stands alone, and 4 without edges.
/// let graph = Graph {
///     starts: vec![0, 1, 3, 5, 6, 6],
///     targets: vec![1, 0, 2, 1, 3, 2],
///     weights: vec![1.0; 6],
/// };
/// assert_eq!(absorb_small(&graph, &[0, 0, 0, 1, 2], 2), [0, 0, 0, 0, 2]);
/// ```
pub fn absorb_small(graph: &Graph, labels: &[u32], min_size: usize) -> Vec<u32> {
    let mut labels = labels.to_vec();
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); labels.iter().max().map_or(0, |&l| l as usize + 1)];
    for (v, &label) in labels.iter().enumerate() {
        members[label as usize].push(v as u32);
    }
    let is_small = |group: &Vec<u32>| !group.is_empty() && group.len() < min_size;
    let mut small: std::collections::BTreeSet<(usize, u32)> =
        members.iter().enumerate().filter(|(_, g)| is_small(g)).map(|(c, g)| (g.len(), c as u32)).collect();
    let mut tie = vec![0.0; members.len()];
    while let Some((_, community)) = small.pop_first() {
        let mut others = Vec::new();
        for &v in &members[community as usize] {
            for (u, w) in graph.row(v as usize) {
                let other = labels[u as usize];
                if other != community {
                    others.push(other);
                    tie[other as usize] += f64::from(w);
                }
            }
        }
        others.sort_unstable();
        others.dedup();
        let strongest = others.iter().copied().reduce(|a, b| if tie[b as usize] > tie[a as usize] { b } else { a });
        for other in others {
            tie[other as usize] = 0.0;
        }
        let Some(home) = strongest else { continue };
        let moved = std::mem::take(&mut members[community as usize]);
        for &v in &moved {
            labels[v as usize] = home;
        }
        let group = &mut members[home as usize];
        if small.remove(&(group.len(), home)) && group.len() + moved.len() < min_size {
            small.insert((group.len() + moved.len(), home));
        }
        group.extend(moved);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path of six nodes.
    fn path() -> Graph {
        let targets = vec![1, 0, 2, 1, 3, 2, 4, 3, 5, 4];
        let weights = vec![1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0];
        Graph { starts: vec![0, 1, 3, 5, 7, 9, 10], targets, weights }
    }

    #[test]
    fn the_strongest_tie_decides() {
        assert_eq!(absorb_small(&path(), &[0, 0, 2, 1, 1, 1], 2), [0, 0, 1, 1, 1, 1]);
        assert_eq!(absorb_small(&path(), &[0, 0, 2, 1, 1, 1], 1), [0, 0, 2, 1, 1, 1]);
    }

    #[test]
    fn small_ones_join_each_other_until_large_enough() {
        let joined = absorb_small(&path(), &[0, 1, 2, 3, 4, 5], 6);
        assert!(joined.iter().all(|&label| label == joined[0]), "{joined:?}");
        let none = Graph { starts: vec![0], targets: vec![], weights: vec![] };
        assert!(absorb_small(&none, &[], 5).is_empty());
    }

    #[test]
    fn a_node_without_edges_stays_alone() {
        let loose = Graph { starts: vec![0, 0, 0], targets: vec![], weights: vec![] };
        assert_eq!(absorb_small(&loose, &[0, 1], 5), [0, 1]);
    }
}
