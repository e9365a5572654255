//! Shared nearest neighbours: the Jaccard index of two neighbourhoods.

use rayon::prelude::*;

use super::graph::Graph;

/// Nodes per task.
const CHUNK: usize = 1024;
/// Edges that a node has at least, if it has as many neighbours.
const MIN_EDGES: usize = 10;

/// Graph in which two nodes are joined by the Jaccard index of their neighbourhoods, if it is at least `min_weight`. A
/// node that this leaves with fewer than ten edges is joined to its nearest neighbours until it has ten: the more nodes there
/// are, the fewer neighbours any two share by chance, and a limit alone would tear the graph to pieces.
///
/// `neighbors` is nodes × k, row after row, without the node itself; a neighbourhood is the node with its k neighbours.
///
/// ```
/// // 0 and 1 name each other, 2 names 1: {0, 1}, {0, 1}, {1, 2}.
/// let graph = cqa::math::snn::jaccard_graph(&[1, 0, 1], 1, 0.0);
/// assert_eq!(graph.row(0).collect::<Vec<_>>(), [(1, 1.0), (2, 1.0 / 3.0)]);
/// ```
pub fn jaccard_graph(neighbors: &[u32], k: usize, min_weight: f64) -> Graph {
    assert!(k > 0 && neighbors.len().is_multiple_of(k), "nodes × k neighbours");
    let n = neighbors.len() / k;
    assert!(k < usize::from(u16::MAX), "a neighbourhood's size fits 16 bits");
    let weight = |shared: usize| shared as f64 / (2 * (k + 1) - shared) as f64;
    let least = (1..=k + 1).find(|&shared| weight(shared) >= min_weight).unwrap_or(k + 2) as u16;
    let chunks = pairs_that_share(neighbors, k, least);

    let for_each = |f: &mut dyn FnMut(usize, usize, u16)| {
        let mut node = 0;
        for (sizes, others, shared) in &chunks {
            let mut pairs = others.iter().zip(shared);
            for &size in sizes {
                pairs.by_ref().take(size as usize).for_each(|(&other, &shared)| f(node, other as usize, shared));
                node += 1;
            }
        }
    };
    let mut starts = vec![0; n + 1];
    for_each(&mut |node, other, _| {
        starts[node + 1] += 1;
        starts[other + 1] += 1;
    });
    for node in 0..n {
        starts[node + 1] += starts[node];
    }
    let (mut targets, mut weights) = (vec![0; starts[n]], vec![0.0; starts[n]]);
    let mut next = starts.clone();
    // Nodes rise and so do the others of a node: each row gets those before it first, then those after it, in order.
    for_each(&mut |node, other, shared| {
        let weight = weight(usize::from(shared)) as f32;
        for (row, target) in [(other, node), (node, other)] {
            let at = &mut next[row];
            (targets[*at], weights[*at]) = (target as u32, weight);
            *at += 1;
        }
    });
    tie_sparse(Graph { starts, targets, weights }, neighbors, k, weight)
}

/// Of a chunk of nodes: how many later nodes each shares enough neighbours with, these nodes, rising, and the numbers shared.
type Shared = (Vec<u32>, Vec<u32>, Vec<u16>);

/// All pairs of nodes whose neighbourhoods share at least so many nodes, by the first of the two.
fn pairs_that_share(neighbors: &[u32], k: usize, least: u16) -> Vec<Shared> {
    let n = neighbors.len() / k;
    let holders = Holders::new(neighbors, k);
    let members = |node: usize| std::iter::once(node as u32).chain(neighbors[node * k..(node + 1) * k].iter().copied());
    (0..n.div_ceil(CHUNK))
        .into_par_iter()
        .map_init(
            || (vec![0_u16; n], Vec::new()),
            |(shared, met), chunk| {
                let (mut sizes, mut others, mut numbers) = Shared::default();
                for node in chunk * CHUNK..((chunk + 1) * CHUNK).min(n) {
                    let mut n_met = 0;
                    let mut meet = |other: u32, met: &mut Vec<u32>| {
                        // Written in any case, kept if new: whether it is new can't be foretold.
                        if n_met == met.len() {
                            met.resize(2 * n_met + 64, 0);
                        }
                        met[n_met] = other;
                        let shared = &mut shared[other as usize];
                        n_met += usize::from(*shared == 0);
                        *shared += 1;
                    };
                    for member in members(node) {
                        if member as usize > node {
                            meet(member, met);
                        }
                        let of_member = holders.of(member);
                        let later = of_member.partition_point(|&other| other as usize <= node);
                        of_member[later..].iter().for_each(|&other| meet(other, met));
                    }
                    let first = others.len();
                    others.extend(met[..n_met].iter().filter(|&&other| shared[other as usize] >= least));
                    others[first..].sort_unstable();
                    numbers.extend(others[first..].iter().map(|&other| shared[other as usize]));
                    met[..n_met].iter().for_each(|&other| shared[other as usize] = 0);
                    sizes.push((others.len() - first) as u32);
                }
                (sizes, others, numbers)
            },
        )
        .collect()
}

/// The graph in which each node with fewer than [`MIN_EDGES`] edges is joined to its nearest neighbours too, until it has
/// as many.
fn tie_sparse(graph: Graph, neighbors: &[u32], k: usize, weight: impl Fn(usize) -> f64 + Sync) -> Graph {
    let n = graph.n_nodes();
    let of = |node: usize| &neighbors[node * k..(node + 1) * k];
    let joined = |node: usize| &graph.targets[graph.starts[node]..graph.starts[node + 1]];
    let mut ties: Vec<(u32, u32)> = (0..n)
        .into_par_iter()
        .with_min_len(CHUNK)
        .flat_map_iter(|node| {
            let missing = MIN_EDGES.min(k).saturating_sub(joined(node).len());
            let nearest = of(node).iter().filter(move |other| joined(node).binary_search(other).is_err());
            nearest.take(missing).flat_map(move |&other| [(node as u32, other), (other, node as u32)])
        })
        .collect();
    if ties.is_empty() {
        return graph;
    }
    ties.par_sort_unstable();
    ties.dedup();
    let shared = |a: usize, b: usize| {
        let with = |node: usize, other: u32| other as usize == node || of(node).contains(&other);
        usize::from(with(b, a as u32)) + of(a).iter().filter(|&&other| with(b, other)).count()
    };
    let weights: Vec<f32> = ties.par_iter().map(|&(a, b)| weight(shared(a as usize, b as usize)) as f32).collect();
    let mut tied = Graph { starts: vec![0], targets: Vec::new(), weights: Vec::new() };
    let mut next = ties.into_iter().zip(weights).peekable();
    for node in 0..n {
        let mut row: Vec<(u32, f32)> = graph.row(node).collect();
        while let Some(((_, target), weight)) = next.next_if(|tie| tie.0.0 as usize == node) {
            row.push((target, weight));
        }
        row.sort_unstable_by_key(|entry| entry.0);
        tied.targets.extend(row.iter().map(|entry| entry.0));
        tied.weights.extend(row.iter().map(|entry| entry.1));
        tied.starts.push(tied.targets.len());
    }
    tied
}

/// Who names a node as neighbour: the transpose of the neighbour lists.
pub(super) struct Holders {
    starts: Vec<usize>,
    /// Rising within a node.
    holders: Vec<u32>,
}

impl Holders {
    pub(super) fn new(neighbors: &[u32], k: usize) -> Self {
        let mut starts = vec![0; neighbors.len() / k + 1];
        for &node in neighbors {
            starts[node as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut holders = vec![0; neighbors.len()];
        for (entry, &node) in neighbors.iter().enumerate() {
            holders[next[node as usize]] = (entry / k) as u32;
            next[node as usize] += 1;
        }
        Self { starts, holders }
    }

    pub(super) fn of(&self, node: u32) -> &[u32] {
        &self.holders[self.starts[node as usize]..self.starts[node as usize + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_jaccard_and_symmetric() {
        // Neighbourhoods {0,1,2} {0,1,2} {1,2,3} {2,3,4} {2,3,4}.
        let graph = jaccard_graph(&[1, 2, 0, 2, 1, 3, 2, 4, 2, 3], 2, 0.0);
        let row = |node| graph.row(node).collect::<Vec<_>>();
        assert_eq!(row(0), [(1, 1.0), (2, 0.5), (3, 0.2), (4, 0.2)]);
        assert_eq!(row(2), [(0, 0.5), (1, 0.5), (3, 0.5), (4, 0.5)]);
        assert_eq!(row(4), [(0, 0.2), (1, 0.2), (2, 0.5), (3, 1.0)]);
    }

    #[test]
    fn weak_edges_are_pruned_at_the_limit_itself_kept() {
        let neighbors = [1, 2, 0, 2, 1, 3, 2, 4, 2, 3];
        assert_eq!(jaccard_graph(&neighbors, 2, 0.5).row(0).collect::<Vec<_>>(), [(1, 1.0), (2, 0.5)]);
    }

    #[test]
    fn no_node_is_alone() {
        // Nothing reaches the limit: all neighbours are joined, by what they share.
        let neighbors = [1, 2, 0, 2, 1, 3, 2, 4, 2, 3];
        let graph = jaccard_graph(&neighbors, 2, 1.1);
        let row = |node| graph.row(node).collect::<Vec<_>>();
        assert_eq!(row(0), [(1, 1.0), (2, 0.5)]);
        assert_eq!(row(2), [(0, 0.5), (1, 0.5), (3, 0.5), (4, 0.5)]);
        assert_eq!(row(4), [(2, 0.5), (3, 1.0)]);
    }
}
