//! A layout of a weighted graph in the plane by attraction along edges and sampled repulsion (McInnes 2018, section 4).
//!
//! Every vertex gathers its own moves from the positions of the round before, so the layout is the same whatever
//! the number of threads and whatever vectors the processor has: sums are taken in fixed lanes, without fused products. Moving all vertices at once would overshoot where many edges pull: attraction is therefore taken
//! semi-implicitly, y ← (y + α Σ c y′ + α r)/(1 + α Σ c), with stiffness c of each edge and repulsion r. Its fixed points are
//! those of the plain step, and it never moves a vertex past the mean of what pulls it.

use multiversion::multiversion;
use rayon::prelude::*;

use super::approximate::pow;
use super::graph::Graph;

/// Vertices per task.
const CHUNK: usize = 512;
/// Moves computed together, for the compiler to make vectors of: as many on every processor, so that sums are the same.
const LANES: usize = 16;
/// One repulsive sample moves a vertex by no more than this along each axis.
const LARGEST_MOVE: f32 = 4.0;
/// Added to squared distances, so that repulsion stays finite.
const SOFTENING: f32 = 1e-3;
/// Fixed-point unit of the firing rates.
const ONE: u32 = 1 << 16;

/// Similarity in the plane, 1/(1 + a d^(2b)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    /// Steepness.
    pub a: f64,
    /// Half the power of the distance.
    pub b: f64,
}

impl Curve {
    /// The curve nearest, by least squares over 0..3 `spread`, to one that is 1 up to `min_dist` and then falls as
    /// exp(−(d − min_dist)/spread).
    ///
    /// ```
    /// let curve = cqa::math::layout::Curve::fit(0.5, 1.0);
    /// assert!((curve.a - 0.583).abs() < 1e-3 && (curve.b - 1.334).abs() < 1e-3);
    /// ```
    pub fn fit(min_dist: f64, spread: f64) -> Self {
        const N: usize = 300;
        let points: Vec<(f64, f64)> = (0..N)
            .map(|i| {
                let d = 3.0 * spread * i as f64 / (N - 1) as f64;
                (d, if d < min_dist { 1.0 } else { (-(d - min_dist) / spread).exp() })
            })
            .collect();
        let loss = |a: f64, b: f64| points.iter().map(|&(d, y)| (1.0 / (1.0 + a * d.powf(2.0 * b)) - y).powi(2)).sum();
        // Levenberg–Marquardt in the logarithms of a and b, which keeps both positive.
        let (mut log_a, mut log_b, mut damping): (f64, f64, f64) = (0.0, 0.0, 1e-3);
        let mut best: f64 = loss(1.0, 1.0);
        for _ in 0..500 {
            let (a, b) = (log_a.exp(), log_b.exp());
            let (mut aa, mut ab, mut bb, mut ga, mut gb) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for &(d, y) in points.iter().filter(|point| point.0 > 0.0) {
                let power = a * d.powf(2.0 * b);
                let f = 1.0 / (1.0 + power);
                let (da, db) = (-f * f * power, -f * f * power * 2.0 * b * d.ln());
                aa += da * da;
                ab += da * db;
                bb += db * db;
                ga += da * (f - y);
                gb += db * (f - y);
            }
            let (aa, bb) = (aa * (1.0 + damping), bb * (1.0 + damping));
            let determinant = aa * bb - ab * ab;
            let (step_a, step_b) = ((ab * gb - bb * ga) / determinant, (ab * ga - aa * gb) / determinant);
            let now: f64 = loss((log_a + step_a).exp(), (log_b + step_b).exp());
            if now < best {
                (log_a, log_b, best, damping) = (log_a + step_a, log_b + step_b, now, damping * 0.3);
                if step_a.abs().max(step_b.abs()) < 1e-10 {
                    break;
                }
            } else {
                damping *= 4.0;
                if damping > 1e12 {
                    break;
                }
            }
        }
        Self { a: log_a.exp(), b: log_b.exp() }
    }
}

/// Moves the vertices of `graph` from `start` over `n_epochs` rounds, the step falling from 1 to 0.
///
/// In each round an edge pulls with probability proportional to its weight, and each pull is accompanied by
/// `n_negative` random vertices that push.
pub fn layout(
    graph: &Graph,
    start: Vec<[f32; 2]>,
    curve: Curve,
    n_epochs: usize,
    n_negative: usize,
    seed: u64,
) -> Vec<[f32; 2]> {
    assert_eq!(graph.n_nodes(), start.len(), "one position per vertex");
    let largest = graph.weights.iter().copied().fold(0.0_f32, f32::max);
    if largest <= 0.0 {
        return start;
    }
    let rates: Vec<u32> = graph.weights.iter().map(|&w| (w / largest * ONE as f32).round() as u32).collect();
    let field = Field { graph, rates, a: curve.a as f32, b: curve.b as f32, n_negative, seed };
    let (mut now, mut next) = (start.clone(), start);
    for epoch in 0..n_epochs {
        let alpha = 1.0 - epoch as f32 / n_epochs as f32;
        next.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, next)| {
            let mut others = Vec::new();
            for (i, place) in next.iter_mut().enumerate() {
                *place = field.step(chunk * CHUNK + i, epoch as u32, alpha, &now, &mut others);
            }
        });
        std::mem::swap(&mut now, &mut next);
    }
    now
}

struct Field<'a> {
    graph: &'a Graph,
    /// Per edge: pulls per round, in units of 1/[`ONE`].
    rates: Vec<u32>,
    a: f32,
    b: f32,
    n_negative: usize,
    seed: u64,
}

impl Field<'_> {
    /// The new place of a vertex.
    fn step(&self, vertex: usize, epoch: u32, alpha: f32, now: &[[f32; 2]], others: &mut Vec<u32>) -> [f32; 2] {
        others.clear();
        for edge in self.graph.starts[vertex]..self.graph.starts[vertex + 1] {
            let rate = self.rates[edge];
            // The edge has its own phase, so that not all pull in the same round.
            let phase = (edge as u32).wrapping_mul(0x9e37_79b9) >> 16;
            if (phase + (epoch.wrapping_mul(rate) & (ONE - 1))) & (ONE - 1) < rate {
                others.push(self.graph.targets[edge]);
            }
        }
        let n_pulls = others.len();
        let [x, y] = now[vertex];
        let [stiffness, pull_x, pull_y] = pull([x, y], filled(others, vertex), now, [self.a, self.b]);
        self.draw(vertex, epoch, n_pulls * self.n_negative, now.len() as u64, others);
        let [push_x, push_y] = push([x, y], filled(others, vertex), now, [self.a, self.b]);
        let damping = alpha / (1.0 + alpha * stiffness);
        [x + damping * (pull_x + push_x), y + damping * (pull_y + push_y)]
    }

    /// `n` random vertices.
    fn draw(&self, vertex: usize, epoch: u32, n: usize, n_vertices: u64, out: &mut Vec<u32>) {
        out.clear();
        let stream = mix(self.seed ^ mix((vertex as u64) << 32 | u64::from(epoch)));
        for draw in 0..n.div_ceil(2) as u64 {
            let bits = mix(stream.wrapping_add(draw.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            out.push((((bits >> 32) * n_vertices) >> 32) as u32);
            out.push((((bits & 0xffff_ffff) * n_vertices) >> 32) as u32);
        }
        out.resize(n, 0);
    }
}

/// Whole lanes: a vertex neither pulls nor pushes itself, which fills the last ones.
fn filled(others: &mut Vec<u32>, vertex: usize) -> &[u32] {
    others.resize(others.len().next_multiple_of(LANES), vertex as u32);
    others
}

/// From a place to those of some others, along both axes.
#[inline(always)]
fn ways(place: [f32; 2], others: &[u32], now: &[[f32; 2]]) -> [[f32; LANES]; 2] {
    let mut ways = [[0.0; LANES]; 2];
    for lane in 0..LANES {
        let other = now[others[lane] as usize];
        (ways[0][lane], ways[1][lane]) = (other[0] - place[0], other[1] - place[1]);
    }
    ways
}

/// Sums of the stiffnesses c of the edges to `others`, and of the moves c · distance along both axes.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn pull(place: [f32; 2], others: &[u32], now: &[[f32; 2]], [a, b]: [f32; 2]) -> [f32; 3] {
    let mut sums = [[0.0_f32; LANES]; 3];
    for lanes in others.chunks_exact(LANES) {
        let [dx, dy] = ways(place, lanes, now);
        for lane in 0..LANES {
            let square = dx[lane] * dx[lane] + dy[lane] * dy[lane];
            let floor = square.max(1e-30);
            let power = pow(floor, b);
            // Both ends of an edge are pulled when either fires, hence twice the gradient.
            let c = 4.0 * a * b * power / (floor * (1.0 + a * power));
            let c = if square > 1e-30 { c } else { 0.0 };
            sums[0][lane] += c;
            sums[1][lane] += c * dx[lane];
            sums[2][lane] += c * dy[lane];
        }
    }
    sums.map(|lanes| lanes.iter().sum())
}

/// Sum of the moves away from `others`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn push(place: [f32; 2], others: &[u32], now: &[[f32; 2]], [a, b]: [f32; 2]) -> [f32; 2] {
    let mut sums = [[0.0_f32; LANES]; 2];
    for lanes in others.chunks_exact(LANES) {
        let [dx, dy] = ways(place, lanes, now);
        for lane in 0..LANES {
            let square = dx[lane] * dx[lane] + dy[lane] * dy[lane];
            let power = pow(square.max(1e-30), b);
            let c = 2.0 * b / ((SOFTENING + square) * (1.0 + a * power));
            sums[0][lane] -= (c * dx[lane]).clamp(-LARGEST_MOVE, LARGEST_MOVE);
            sums[1][lane] -= (c * dy[lane]).clamp(-LARGEST_MOVE, LARGEST_MOVE);
        }
    }
    sums.map(|lanes| lanes.iter().sum())
}

/// SplitMix64: a number from a counter.
fn mix(counter: u64) -> u64 {
    let z = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_that_of_the_paper() {
        // The values umap-learn finds for its own default and for scanpy's.
        for (min_dist, a, b) in [(0.1, 1.5769, 0.8951), (0.5, 0.5830, 1.3342)] {
            let curve = Curve::fit(min_dist, 1.0);
            assert!((curve.a - a).abs() < 2e-4 && (curve.b - b).abs() < 2e-4, "{curve:?}");
        }
    }

    #[test]
    fn two_cliques_part_and_stay_finite() {
        let (mut graph, n) = (Graph { starts: vec![0], targets: Vec::new(), weights: Vec::new() }, 40);
        for i in 0..n {
            let mates = (0..n).filter(|&j| j != i && j % 2 == i % 2);
            graph.targets.extend(mates.map(|j| j as u32));
            graph.weights.resize(graph.targets.len(), 1.0);
            graph.starts.push(graph.targets.len());
        }
        let start: Vec<[f32; 2]> = (0..n).map(|i| [(i * 7 % 11) as f32, (i * 5 % 13) as f32]).collect();
        let places = layout(&graph, start, Curve::fit(0.5, 1.0), 200, 5, 1);
        let distance = |i: usize, j: usize| (places[i][0] - places[j][0]).hypot(places[i][1] - places[j][1]);
        let within = (2..n).step_by(2).map(|j| distance(0, j)).fold(0.0, f32::max);
        let between = (1..n).step_by(2).map(|j| distance(0, j)).fold(f32::MAX, f32::min);
        assert!(within < between, "{within} {between}");
    }

    #[test]
    fn a_graph_without_edges_and_identical_places_are_no_trouble() {
        let none = Graph { starts: vec![0; 4], targets: Vec::new(), weights: Vec::new() };
        let start = vec![[1.0, 2.0]; 3];
        assert_eq!(layout(&none, start.clone(), Curve::fit(0.1, 1.0), 10, 5, 0), start);
        let pair = Graph { starts: vec![0, 1, 2, 2], targets: vec![1, 0], weights: vec![1.0; 2] };
        let places = layout(&pair, start, Curve::fit(0.1, 1.0), 10, 5, 0);
        assert!(places.iter().flatten().all(|x| x.is_finite()));
    }
}
