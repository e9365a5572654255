//! Leiden communities of a weighted undirected graph.
//!
//! One iteration (Traag, Waltman & van Eck 2019, Sci Rep 9:5233, doi:10.1038/s41598-019-41695-z):
//! 1. *Moving.* A queue holds all nodes in random order. Its first node goes to the community of largest gain
//!    w(v, C) − γ k(v) K(C) / 2m, an empty one included; neighbours left outside are queued again.
//! 2. *Refinement.* Within each community all nodes start alone. A node that is alone and well connected to its
//!    community joins one of the well-connected parts, at random with probability ∝ exp(gain / θ).
//! 3. *Aggregation.* The parts become the nodes of a smaller graph, on which 1 to 3 are repeated, starting from the
//!    communities of 1, until every community is one node.
//!
//! Iterations follow until one does not raise the modularity. Gains are measured in mean weights of an edge, so that θ
//! means the same at any scale of weights.

mod level;
mod moving;
mod refining;

use rand_chacha::ChaCha8Rng;

use crate::math::graph::Graph;
use crate::math::modularity::{modularity, strengths};
use crate::math::partition::by_first_item;
use crate::math::rng::stream;
use level::{Aggregate, Level, aggregate};
use moving::move_nodes;
use refining::refine;

/// An iteration must raise the modularity by more than this to be followed by another.
const LEAST_RISE: f64 = 1e-9;
/// Iterations on a coarse graph, if they don't end before.
const MAX_COARSE_ITERATIONS: usize = 3;

/// Communities of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Communities {
    /// Community of each node, named in the order of their first node.
    pub labels: Vec<u32>,
    /// Modularity at the resolution asked for.
    pub quality: f64,
    /// Iterations done.
    pub n_iterations: usize,
    /// False if the last iteration still rose.
    pub converged: bool,
}

/// Communities from one start; `from` is the partition to start at (each node alone if `None`). Communities are always
/// connected. Deterministic in `seed`.
///
/// ```
/// use cqa::math::{graph::Graph, leiden::leiden};
/// // Two triangles, joined by the edge 2 - 3.
/// let graph = Graph {
///     starts: vec![0, 2, 4, 7, 10, 12, 14],
///     targets: vec![1, 2, 0, 2, 0, 1, 3, 2, 4, 5, 3, 5, 3, 4],
///     weights: vec![1.0; 14],
/// };
/// let found = leiden(&graph, None, 1.0, 10, 1);
/// assert_eq!(found.labels, [0, 0, 0, 1, 1, 1]);
/// assert!((found.quality - (12.0 / 14.0 - 0.5)).abs() < 1e-15);
/// ```
pub fn leiden(graph: &Graph, from: Option<&[u32]>, resolution: f64, max_iterations: usize, seed: u64) -> Communities {
    let n = graph.n_nodes();
    let strength = strengths(graph);
    let mut labels: Vec<u32> = match from {
        Some(labels) => by_first_item(labels).0,
        None => (0..n as u32).collect(),
    };
    assert_eq!(labels.len(), n, "one label per node");
    let base = Level { starts: &graph.starts, targets: &graph.targets, weights: &graph.weights, strength: &strength };
    let mut rng = stream(seed, "leiden", 0);
    let (n_iterations, converged) = climb(&base, &mut labels, resolution, max_iterations, &mut rng);
    let quality = modularity(graph, &labels, resolution);
    Communities { labels, quality, n_iterations, converged }
}

/// A graph whose nodes are small, tight groups of the nodes of a larger one. Communities of it are found in a fraction
/// of the time, so that many resolutions can be tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Coarse {
    /// Group of each node of the original graph.
    pub group_of: Vec<u32>,
    graph: Aggregate,
}

impl Coarse {
    /// Groups are the communities of one iteration at `resolution`, which must be well above those tried later: groups
    /// are never parted again.
    pub fn new(graph: &Graph, resolution: f64, seed: u64) -> Self {
        let strength = strengths(graph);
        let base =
            Level { starts: &graph.starts, targets: &graph.targets, weights: &graph.weights, strength: &strength };
        let mut labels: Vec<u32> = (0..graph.n_nodes() as u32).collect();
        climb(&base, &mut labels, resolution, 1, &mut stream(seed, "coarse", 0));
        let (group_of, sizes) = by_first_item(&labels);
        let graph = aggregate(&base, &group_of, &sizes);
        Self { group_of, graph }
    }

    /// The best of several starts at a resolution: community of each node of the original graph, named in the order of
    /// their first node.
    pub fn leiden(&self, resolution: f64, n_starts: usize, seed: u64) -> Vec<u32> {
        let level = self.graph.level();
        let mut best: Option<(f64, Vec<u32>)> = None;
        for start in 0..n_starts as u64 {
            let mut labels: Vec<u32> = (0..level.n_nodes() as u32).collect();
            climb(&level, &mut labels, resolution, MAX_COARSE_ITERATIONS, &mut stream(seed, "coarse leiden", start));
            let quality = level.modularity_without_loops(&labels, resolution);
            if best.as_ref().is_none_or(|(largest, _)| quality > *largest) {
                best = Some((quality, labels));
            }
        }
        let labels = best.map_or_else(Vec::new, |(_, labels)| labels);
        let labels: Vec<u32> = self.group_of.iter().map(|&group| labels[group as usize]).collect();
        by_first_item(&labels).0
    }
}

/// What turns weights and strengths into gains.
#[derive(Clone, Copy)]
struct Terms {
    /// γ / 2m.
    per_strength: f64,
    /// Mean weight of an edge of the original graph.
    unit: f64,
}

impl Terms {
    /// `None` for a graph without edges.
    fn new<W: Copy + Into<f64>>(level: &Level<'_, W>, resolution: f64) -> Option<Self> {
        let total: f64 = level.strength.iter().sum();
        let weights: f64 = level.weights.iter().map(|&w| w.into()).sum();
        (total > 0.0 && weights > 0.0)
            .then(|| Self { per_strength: resolution / total, unit: weights / level.weights.len() as f64 })
    }
}

/// Iterates from these labels until the modularity does not rise: number of iterations, and whether that was reached.
fn climb<W: Copy + Into<f64>>(
    base: &Level<'_, W>,
    labels: &mut Vec<u32>,
    resolution: f64,
    max_iterations: usize,
    rng: &mut ChaCha8Rng,
) -> (usize, bool) {
    let Some(terms) = Terms::new(base, resolution) else {
        *labels = (0..base.n_nodes() as u32).collect();
        return (0, true);
    };
    let mut quality = f64::NEG_INFINITY;
    let (mut n_iterations, mut converged) = (0, false);
    while n_iterations < max_iterations && !converged {
        let next = iterate(base, labels.clone(), terms, rng);
        n_iterations += 1;
        let reached = base.modularity_without_loops(&next, resolution);
        converged = reached - quality <= LEAST_RISE;
        if !converged {
            // Otherwise the labels stay: the last iteration has shown that no node gains by leaving.
            (*labels, quality) = (next, reached);
        }
    }
    // Refinement keeps parts connected, and the last level holds one part per community; only where refinement could
    // not merge what moving had merged can a community be in pieces. Splitting it never lowers the modularity.
    *labels = by_first_item(&split_unconnected(base, labels)).0;
    (n_iterations, converged)
}

/// One iteration, through all levels.
fn iterate<W: Copy + Into<f64>>(
    base: &Level<'_, W>,
    mut labels: Vec<u32>,
    terms: Terms,
    rng: &mut ChaCha8Rng,
) -> Vec<u32> {
    move_nodes(base, &mut labels, terms, rng);
    let Some((mut node_of, mut aggregate, mut upper)) = coarsen(base, &labels, terms, rng) else {
        return labels;
    };
    loop {
        let level = aggregate.level();
        move_nodes(&level, &mut upper, terms, rng);
        let Some((part_of, next, next_upper)) = coarsen(&level, &upper, terms, rng) else {
            return node_of.iter().map(|&v| upper[v as usize]).collect();
        };
        for v in &mut node_of {
            *v = part_of[*v as usize];
        }
        (aggregate, upper) = (next, next_upper);
    }
}

/// Refines and aggregates: part of each node, graph of the parts, community of each part. `None` if that would not
/// make the graph smaller.
fn coarsen<W: Copy + Into<f64>>(
    level: &Level<'_, W>,
    labels: &[u32],
    terms: Terms,
    rng: &mut ChaCha8Rng,
) -> Option<(Vec<u32>, Aggregate, Vec<u32>)> {
    let (communities, sizes) = by_first_item(labels);
    if sizes.len() == level.n_nodes() {
        return None;
    }
    let (parts, part_sizes) = by_first_item(&refine(level, &communities, terms, rng));
    if part_sizes.len() == level.n_nodes() {
        return None;
    }
    let mut upper = vec![0; part_sizes.len()];
    for (&part, &community) in parts.iter().zip(&communities) {
        upper[part as usize] = community;
    }
    let aggregate = aggregate(level, &parts, &part_sizes);
    Some((parts, aggregate, upper))
}

/// Gives each connected piece of each community a label of its own.
fn split_unconnected<W: Copy + Into<f64>>(level: &Level<'_, W>, labels: &[u32]) -> Vec<u32> {
    const UNSEEN: u32 = u32::MAX;
    let mut pieces = vec![UNSEEN; labels.len()];
    let mut stack = Vec::new();
    for start in 0..labels.len() {
        if pieces[start] != UNSEEN {
            continue;
        }
        pieces[start] = start as u32;
        stack.push(start);
        while let Some(v) = stack.pop() {
            for (u, _) in level.row(v) {
                if pieces[u] == UNSEEN && labels[u] == labels[v] {
                    pieces[u] = start as u32;
                    stack.push(u);
                }
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
