//! Nearest neighbours among points of the most promising lists only: time in proportion to the number of points.
//!
//! Points are divided into lists around centres (k-means). The neighbours of a list's points are looked for in the lists whose
//! centres are nearest to its own, exactly as in [`super::knn_within`] otherwise. How many lists that takes is measured, not
//! assumed: for a random sample of points all neighbours are found by looking everywhere, and as many lists are probed as hold
//! the wanted share of them.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis};
use rand::seq::index::sample;
use rayon::prelude::*;

use super::candidates::Candidates;
use super::points::{BLOCK, Points, distance_squared, multiply};
use super::{Knn, knn_between, scan_one};
use crate::math::rng::stream;

/// Points per list, on average: short enough that few needless points are looked at, long enough for products of blocks.
const LIST: usize = 400;
/// Points per list that the centres are found from.
const SAMPLE_PER_LIST: usize = 40;
/// Rounds of Lloyd's algorithm.
const ROUNDS: usize = 8;
/// Points whose neighbours are looked for everywhere, to measure the recall.
const SAMPLE: usize = 2000;

/// Neighbours, and the share of the true ones among them.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// The neighbours found.
    pub knn: Knn,
    /// Share of the true neighbours of a random sample of points that lie in the lists probed, 0..1.
    pub recall: f64,
    /// Lists that the points are divided into.
    pub n_lists: usize,
    /// Lists that each point was compared with.
    pub n_probed: usize,
}

/// As [`super::knn_within`], but looks only into as many lists of points as hold `min_recall` (0..1) of the neighbours of a
/// random sample. Time is nearly in proportion to the number of points. Depends on `seed`, not on the number of threads.
///
/// ```
/// let points = ndarray::Array2::from_shape_fn((3000, 2), |(i, j)| ((i * (7 + 4 * j)) % 1009) as f32);
/// let found = cqa::math::knn::knn_probed(points.view(), 10, 0.99, 1);
/// assert!(found.recall >= 0.99 && found.knn.indices.len() == 30_000);
/// ```
pub fn knn_probed(points: ArrayView2<f32>, k: usize, min_recall: f64, seed: u64) -> Probed {
    let n = points.nrows();
    let k = k.min(n.saturating_sub(1));
    let n_lists = (n / LIST).max(1);
    if k == 0 || n_lists < 3 {
        return Probed { knn: super::knn_within(points, k), recall: 1.0, n_lists: 1, n_probed: 1 };
    }
    let centers = centers(points, n_lists, seed);
    let list_of = knn_between(points, centers.view(), 1).indices;
    let lists = Lists::new(&list_of, n_lists);
    let order = near_lists(&centers);
    let (n_probed, recall) = lists_needed(points, k, min_recall, &list_of, &order, seed);

    // The points of a list side by side.
    let sorted = Points::new(points.select(Axis(0), &lists.members).view(), None);
    let parts: Vec<Vec<(f64, u32)>> = lists
        .chunks()
        .into_par_iter()
        .map_init(Vec::new, |product, (list, queries)| {
            let mut block = Candidates::new(queries.clone(), k);
            // More lists than wanted where those hold too few points.
            let (mut seen, mut probed) = (0, 0);
            for &other in &order[list * n_lists..(list + 1) * n_lists] {
                if probed >= n_probed && seen > k {
                    break;
                }
                for references in cut(lists.range(other as usize)) {
                    multiply(&sorted, references.clone(), &sorted, queries.clone(), product);
                    scan_one(product, &mut block, &sorted, &sorted, references, true);
                }
                (seen, probed) = (seen + lists.range(other as usize).len(), probed + 1);
            }
            let mut out = Vec::with_capacity(queries.len() * k);
            block.measure(&sorted, &sorted, |_, nearest| {
                let first = out.len();
                out.extend(nearest.iter().map(|&(square, place)| (square, lists.members[place as usize] as u32)));
                out[first..].sort_unstable_by(|a, b| a.partial_cmp(b).expect("distances are numbers"));
            });
            out
        })
        .collect();
    let mut knn = Knn { k, indices: vec![0; n * k], distances: vec![0.0; n * k] };
    for (nearest, &point) in parts.iter().flat_map(|part| part.chunks_exact(k)).zip(&lists.members) {
        for (i, &(square, other)) in nearest.iter().enumerate() {
            knn.indices[point * k + i] = other;
            knn.distances[point * k + i] = square.sqrt() as f32;
        }
    }
    Probed { knn, recall, n_lists, n_probed }
}

/// Members of each list, side by side.
struct Lists {
    starts: Vec<usize>,
    members: Vec<usize>,
}

impl Lists {
    fn new(list_of: &[u32], n_lists: usize) -> Self {
        let mut starts = vec![0; n_lists + 1];
        list_of.iter().for_each(|&list| starts[list as usize + 1] += 1);
        (0..n_lists).for_each(|list| starts[list + 1] += starts[list]);
        let mut next = starts.clone();
        let mut members = vec![0; list_of.len()];
        for (point, &list) in list_of.iter().enumerate() {
            members[next[list as usize]] = point;
            next[list as usize] += 1;
        }
        Self { starts, members }
    }

    fn range(&self, list: usize) -> Range<usize> {
        self.starts[list]..self.starts[list + 1]
    }

    /// Lists in pieces of at most one block, in order.
    fn chunks(&self) -> Vec<(usize, Range<usize>)> {
        (0..self.starts.len() - 1).flat_map(|list| cut(self.range(list)).map(move |piece| (list, piece))).collect()
    }
}

fn cut(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(BLOCK).map(move |start| start..end.min(start + BLOCK))
}

/// Centres of lists, by Lloyd's algorithm on a random sample.
fn centers(points: ArrayView2<f32>, n_lists: usize, seed: u64) -> Array2<f32> {
    let n = points.nrows();
    let mut rng = stream(seed, "knn lists", 0);
    let chosen = sample(&mut rng, n, n.min(n_lists * SAMPLE_PER_LIST)).into_vec();
    let sampled = points.select(Axis(0), &chosen);
    // The sample is in random order, so its first points are random ones.
    let mut centers = sampled.slice(ndarray::s![..n_lists, ..]).to_owned();
    for _ in 0..ROUNDS {
        let nearest = knn_between(sampled.view(), centers.view(), 1).indices;
        let mut sums = Array2::<f64>::zeros(centers.dim());
        let mut sizes = vec![0_u32; n_lists];
        for (point, &list) in sampled.rows().into_iter().zip(&nearest) {
            sizes[list as usize] += 1;
            sums.row_mut(list as usize).iter_mut().zip(point).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        for (list, &size) in sizes.iter().enumerate().filter(|list| *list.1 > 0) {
            centers
                .row_mut(list)
                .iter_mut()
                .zip(sums.row(list))
                .for_each(|(c, sum)| *c = (sum / f64::from(size)) as f32);
        }
    }
    centers
}

/// Per list: all lists by the distance of their centres, itself first.
fn near_lists(centers: &Array2<f32>) -> Vec<u32> {
    let n = centers.nrows();
    let centers = centers.as_standard_layout();
    let orders: Vec<Vec<u32>> = (0..n)
        .into_par_iter()
        .map(|list| {
            let row = |i: usize| centers.row(i).to_slice().expect("standard layout");
            let mut others: Vec<(f64, u32)> = (0..n)
                .map(|other| {
                    let square = if other == list { -1.0 } else { distance_squared(row(list), row(other)) };
                    (square, other as u32)
                })
                .collect();
            others.sort_unstable_by(|a, b| a.partial_cmp(b).expect("distances are numbers"));
            others.into_iter().map(|other| other.1).collect()
        })
        .collect();
    orders.concat()
}

/// As few lists as hold `min_recall` of the true neighbours of a random sample, and the share that they hold.
fn lists_needed(
    points: ArrayView2<f32>,
    k: usize,
    min_recall: f64,
    list_of: &[u32],
    order: &[u32],
    seed: u64,
) -> (usize, f64) {
    let (n, n_lists) = (points.nrows(), order.len().isqrt());
    let mut queries = sample(&mut stream(seed, "knn recall", 0), n, SAMPLE.min(n)).into_vec();
    queries.sort_unstable();
    // One more than wanted, as each finds itself.
    let found = knn_between(points.select(Axis(0), &queries).view(), points, k + 1);
    // Rank of each list among the lists near to another.
    let mut rank = vec![0_u32; order.len()];
    for list in 0..n_lists {
        for (place, &other) in order[list * n_lists..(list + 1) * n_lists].iter().enumerate() {
            rank[list * n_lists + other as usize] = place as u32;
        }
    }
    let mut at_rank = vec![0_u64; n_lists];
    for (&query, near) in queries.iter().zip(found.indices.chunks_exact(found.k)) {
        for &other in near.iter().filter(|other| **other as usize != query).take(k) {
            at_rank[rank[list_of[query] as usize * n_lists + list_of[other as usize] as usize] as usize] += 1;
        }
    }
    let all: u64 = at_rank.iter().sum();
    let mut held = 0;
    for (place, count) in at_rank.iter().enumerate() {
        held += count;
        let recall = held as f64 / all as f64;
        if recall >= min_recall {
            return (place + 1, recall);
        }
    }
    (n_lists, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::knn::knn_within;
    use rand::RngExt;

    /// Points around some places in eight dimensions.
    fn clouds(n: usize) -> Array2<f32> {
        let mut rng = stream(3, "probed test", 0);
        let places = Array2::from_shape_fn((12, 8), |_| 6.0 * rng.random::<f32>());
        Array2::from_shape_fn((n, 8), |(i, j)| places[[i % 12, j]] + rng.random::<f32>() + rng.random::<f32>())
    }

    #[test]
    fn the_recall_is_what_it_says() {
        let points = clouds(6000);
        let exact = knn_within(points.view(), 15);
        let found = knn_probed(points.view(), 15, 0.97, 1);
        assert!(found.n_probed < found.n_lists, "{} of {}", found.n_probed, found.n_lists);
        let same: usize = (0..6000)
            .map(|i| {
                let truth = &exact.indices[i * 15..(i + 1) * 15];
                found.knn.indices[i * 15..(i + 1) * 15].iter().filter(|&j| truth.contains(j)).count()
            })
            .sum();
        let recall = same as f64 / (6000.0 * 15.0);
        assert!(recall > 0.96 && (recall - found.recall).abs() < 0.01, "{recall}, told {}", found.recall);
    }

    #[test]
    fn everything_is_found_where_everything_is_probed() {
        let points = clouds(2000);
        let found = knn_probed(points.view(), 9, 1.0, 1);
        let exact = knn_within(points.view(), 9);
        let missed = found.knn.indices.iter().zip(&exact.indices).filter(|(a, b)| a != b).count();
        assert!(found.recall == 1.0 && missed < 40, "{missed} of 18,000");
    }

    #[test]
    fn few_identical_points_and_threads_are_no_trouble() {
        assert_eq!(knn_probed(clouds(5).view(), 9, 0.99, 1).knn, knn_within(clouds(5).view(), 9));
        let same = knn_probed(Array2::<f32>::ones((1500, 3)).view(), 4, 0.99, 1);
        assert!(same.knn.distances.iter().all(|d| *d == 0.0));
        let points = clouds(3000);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| knn_probed(points.view(), 7, 0.99, 1))
        };
        assert_eq!(run(1), run(2));
    }
}
