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
//! Iterations follow until one does not raise the modularity. Gains are measured in units of the mean strength of a
//! node, so that θ means the same on any graph and any scale of weights.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::math::graph::Graph;
use crate::math::modularity::{modularity, strengths};
use crate::math::partition::by_first_item;
use crate::math::rng::stream;

/// Randomness θ of the refinement, in mean strengths of a node; the value of Traag 2019.
const THETA: f64 = 0.01;
/// A move must gain more than this, in mean strengths of a node, so that rounding can't make nodes go to and fro.
const LEAST_GAIN: f64 = 1e-10;
/// An iteration must raise the modularity by more than this to be followed by another.
const LEAST_RISE: f64 = 1e-9;

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
    let mut rng = stream(seed, "leiden", 0);
    let strength = strengths(graph);
    let total: f64 = strength.iter().sum();
    let mut labels: Vec<u32> = match from {
        Some(labels) => by_first_item(labels).0,
        None => (0..n as u32).collect(),
    };
    assert_eq!(labels.len(), n, "one label per node");
    if total == 0.0 {
        return Communities { labels: (0..n as u32).collect(), quality: 0.0, n_iterations: 0, converged: true };
    }
    let terms = Terms { per_strength: resolution / total, unit: total / n as f64 };
    let base = Level { starts: &graph.starts, targets: &graph.targets, weights: &graph.weights, strength: &strength };
    let mut quality = f64::NEG_INFINITY;
    let (mut n_iterations, mut converged) = (0, false);
    while n_iterations < max_iterations && !converged {
        let next = iterate(&base, labels.clone(), terms, &mut rng);
        n_iterations += 1;
        let reached = modularity(graph, &next, resolution);
        converged = reached - quality <= LEAST_RISE;
        if !converged {
            // Otherwise the labels stay: the last iteration has shown that no node gains by leaving.
            (labels, quality) = (next, reached);
        }
    }
    // Refinement keeps parts connected, and the last level holds one part per community; only where refinement could
    // not merge what moving had merged can a community be in pieces. Splitting it never lowers the modularity.
    let labels = by_first_item(&split_unconnected(graph, &labels)).0;
    let quality = modularity(graph, &labels, resolution);
    Communities { labels, quality, n_iterations, converged }
}

/// What turns weights and strengths into gains.
#[derive(Clone, Copy)]
struct Terms {
    /// γ / 2m.
    per_strength: f64,
    /// Mean strength of a node of the original graph.
    unit: f64,
}

/// A graph of one level: rows of (target, weight) without loops, and the strength of each node, loops included.
struct Level<'a, W> {
    starts: &'a [usize],
    targets: &'a [u32],
    weights: &'a [W],
    strength: &'a [f64],
}

impl<W: Copy + Into<f64>> Level<'_, W> {
    fn n_nodes(&self) -> usize {
        self.strength.len()
    }

    fn row(&self, node: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.starts[node]..self.starts[node + 1];
        self.targets[range.clone()].iter().zip(&self.weights[range]).map(|(&t, &w)| (t as usize, w.into()))
    }
}

/// The graph of the parts.
struct Aggregate {
    starts: Vec<usize>,
    targets: Vec<u32>,
    weights: Vec<f64>,
    strength: Vec<f64>,
}

impl Aggregate {
    fn level(&self) -> Level<'_, f64> {
        Level { starts: &self.starts, targets: &self.targets, weights: &self.weights, strength: &self.strength }
    }
}

/// One iteration, through all levels.
fn iterate(base: &Level<'_, f32>, mut labels: Vec<u32>, terms: Terms, rng: &mut ChaCha8Rng) -> Vec<u32> {
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

/// Sums of the weights from one node to each group; cleared in the time it took to fill.
struct Tally {
    weight: Vec<f64>,
    groups: Vec<u32>,
}

impl Tally {
    fn new(n_groups: usize) -> Self {
        Self { weight: vec![0.0; n_groups], groups: Vec::new() }
    }

    #[inline]
    fn add(&mut self, group: u32, weight: f64) {
        let sum = &mut self.weight[group as usize];
        if *sum == 0.0 {
            self.groups.push(group);
        }
        *sum += weight;
    }

    fn clear(&mut self) {
        for &group in &self.groups {
            self.weight[group as usize] = 0.0;
        }
        self.groups.clear();
    }
}

/// Moves nodes until none gains by moving.
fn move_nodes<W: Copy + Into<f64>>(level: &Level<'_, W>, labels: &mut [u32], terms: Terms, rng: &mut ChaCha8Rng) {
    let n = level.n_nodes();
    let (mut sizes, mut sums) = (vec![0_u32; n], vec![0.0; n]);
    for (v, &c) in labels.iter().enumerate() {
        sizes[c as usize] += 1;
        sums[c as usize] += level.strength[v];
    }
    let mut empty: Vec<u32> = (0..n as u32).rev().filter(|&c| sizes[c as usize] == 0).collect();
    let mut queue: Vec<u32> = (0..n as u32).collect();
    queue.shuffle(rng);
    let (mut first, mut length) = (0, n);
    let mut queued = vec![true; n];
    let mut tally = Tally::new(n);
    let least = LEAST_GAIN * terms.unit;
    while length > 0 {
        let v = queue[first] as usize;
        first = if first + 1 == n { 0 } else { first + 1 };
        length -= 1;
        queued[v] = false;

        let own = labels[v];
        for (u, w) in level.row(v) {
            tally.add(labels[u], w);
        }
        let k = level.strength[v];
        let price = terms.per_strength * k;
        let stay = tally.weight[own as usize] - price * (sums[own as usize] - k);
        let (mut best, mut best_gain) = (own, stay + least);
        for &c in &tally.groups {
            let gain = tally.weight[c as usize] - price * sums[c as usize];
            if gain > best_gain && c != own {
                (best, best_gain) = (c, gain);
            }
        }
        tally.clear();
        if best_gain < 0.0 && sizes[own as usize] > 1 {
            // Better alone. An empty name exists, since this community has two nodes.
            if let Some(c) = empty.pop() {
                best = c;
            }
        } else if best != own && sizes[own as usize] == 1 {
            empty.push(own);
        }
        if best == own {
            continue;
        }
        labels[v] = best;
        sizes[own as usize] -= 1;
        sums[own as usize] -= k;
        sizes[best as usize] += 1;
        sums[best as usize] += k;
        for (u, _) in level.row(v) {
            if !queued[u] && labels[u] != best {
                queued[u] = true;
                let end = first + length;
                queue[if end >= n { end - n } else { end }] = u as u32;
                length += 1;
            }
        }
    }
}

/// Splits each community into well-connected parts: a part per node, named by one of its nodes.
fn refine<W: Copy + Into<f64>>(
    level: &Level<'_, W>,
    communities: &[u32],
    terms: Terms,
    rng: &mut ChaCha8Rng,
) -> Vec<u32> {
    let n = level.n_nodes();
    let mut community_sums = vec![0.0; n];
    // Of each part: weight to the rest of its community, strength; and whether it is a node alone.
    let (mut outward, mut sums, mut alone) = (vec![0.0; n], level.strength.to_vec(), vec![true; n]);
    for v in 0..n {
        let c = communities[v];
        community_sums[c as usize] += level.strength[v];
        outward[v] = level.row(v).filter(|&(u, _)| communities[u] == c).map(|(_, w)| w).sum();
    }
    let mut parts: Vec<u32> = (0..n as u32).collect();
    let mut order = parts.clone();
    order.shuffle(rng);
    let mut tally = Tally::new(n);
    let mut choices: Vec<(u32, f64)> = Vec::new();
    for v in order.into_iter().map(|v| v as usize) {
        let rest = |sum: f64| community_sums[communities[v] as usize] - sum;
        let k = level.strength[v];
        if !alone[v] || outward[v] < terms.per_strength * k * rest(k) {
            continue;
        }
        let own_outward = outward[v];
        for (u, w) in level.row(v) {
            if communities[u] == communities[v] {
                tally.add(parts[u], w);
            }
        }
        // Staying alone gains nothing and is one of the choices.
        choices.clear();
        choices.push((v as u32, 0.0));
        for &p in &tally.groups {
            let sum = sums[p as usize];
            let gain = tally.weight[p as usize] - terms.per_strength * k * sum;
            if gain >= 0.0 && outward[p as usize] >= terms.per_strength * sum * rest(sum) {
                choices.push((p, gain));
            }
        }
        let chosen = choose(&mut choices, terms.unit * THETA, rng);
        if chosen as usize != v {
            parts[v] = chosen;
            let p = chosen as usize;
            sums[p] += k;
            outward[p] += own_outward - 2.0 * tally.weight[p];
            alone[p] = false;
        }
        tally.clear();
    }
    parts
}

/// Draws one of the choices (name, gain) with probability ∝ exp(gain / θ).
fn choose(choices: &mut [(u32, f64)], theta: f64, rng: &mut ChaCha8Rng) -> u32 {
    if choices.len() == 1 {
        return choices[0].0;
    }
    let largest = choices.iter().map(|c| c.1).fold(0.0, f64::max);
    let mut sum = 0.0;
    for (_, value) in choices.iter_mut() {
        sum += ((*value - largest) / theta).exp();
        *value = sum;
    }
    let drawn = rng.random::<f64>() * sum;
    let at = choices.partition_point(|c| c.1 <= drawn).min(choices.len() - 1);
    choices[at].0
}

/// The graph whose nodes are the parts (0..`sizes.len()`).
fn aggregate<W: Copy + Into<f64>>(level: &Level<'_, W>, parts: &[u32], sizes: &[usize]) -> Aggregate {
    let n_parts = sizes.len();
    let mut place = Vec::with_capacity(n_parts);
    let mut end = 0;
    for size in sizes {
        place.push(end);
        end += size;
    }
    let mut members = vec![0_u32; end];
    for (v, &p) in parts.iter().enumerate() {
        members[place[p as usize]] = v as u32;
        place[p as usize] += 1;
    }
    let mut out =
        Aggregate { starts: vec![0], targets: Vec::new(), weights: Vec::new(), strength: Vec::with_capacity(n_parts) };
    let mut tally = Tally::new(n_parts);
    let mut first = 0;
    for (p, &size) in sizes.iter().enumerate() {
        let mut strength = 0.0;
        for &v in &members[first..first + size] {
            strength += level.strength[v as usize];
            for (u, w) in level.row(v as usize) {
                if parts[u] as usize != p {
                    tally.add(parts[u], w);
                }
            }
        }
        first += size;
        out.targets.extend(&tally.groups);
        out.weights.extend(tally.groups.iter().map(|&q| tally.weight[q as usize]));
        out.starts.push(out.targets.len());
        out.strength.push(strength);
        tally.clear();
    }
    out
}

/// Gives each connected piece of each community a label of its own.
fn split_unconnected(graph: &Graph, labels: &[u32]) -> Vec<u32> {
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
            for (u, _) in graph.row(v) {
                let u = u as usize;
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
