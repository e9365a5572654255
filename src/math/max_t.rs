//! Permutation p-values of a family of correlations: alone, family-wise, and of a weighted maximum.

use super::permutations::{Family, LANES, Lanes, Orders, Tally, tally};

/// Under an order, |r| counts as at least the observed one if it is not smaller by more than this. The order given must
/// count itself although its sum is formed in another sequence (error about 1e-13), and 1e-12 is far below the distance
/// between the correlations of orders that differ.
pub const TOLERANCE: f64 = 1e-12;

/// Two-sided p of each column of a family.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDown {
    /// Share of orders in which the column's |r| is at least the observed one.
    pub alone: Vec<f64>,
    /// Family-wise p by step-down max-T.
    pub family: Vec<f64>,
}

/// p-values of each column alone and family-wise.
///
/// Step-down max-T (Westfall & Young 1993, algorithm 4.1): columns are sorted by observed |r|; the k-th is compared with
/// the largest |r| among itself and all weaker ones, and p may not fall along the way.
pub fn step_down(family: &Family, orders: Orders) -> StepDown {
    let observed: Vec<f64> = family.correlations().iter().map(|r| r.abs()).collect();
    let mut by_strength: Vec<usize> = (0..observed.len()).collect();
    by_strength.sort_by(|&a, &b| observed[b].total_cmp(&observed[a]).then(a.cmp(&b)));
    let empty = StepDownTally {
        columns: by_strength.iter().rev().map(|&column| (column, observed[column] - TOLERANCE)).collect(),
        alone: vec![[0; LANES]; observed.len()],
        family: vec![[0; LANES]; observed.len()],
    };
    let counts = tally(family, orders, &empty);
    let n_orders = orders.count(family.n()) as f64;
    let (alone, joint) = counts.split_at(observed.len());
    let mut p = StepDown { alone: vec![f64::NAN; observed.len()], family: vec![f64::NAN; observed.len()] };
    let mut largest = 0.0_f64;
    for (rank, &column) in by_strength.iter().enumerate() {
        // The tally goes from the weakest column to the strongest.
        let place = observed.len() - 1 - rank;
        p.alone[column] = alone[place] as f64 / n_orders;
        largest = largest.max(joint[place] as f64 / n_orders);
        p.family[column] = largest;
    }
    p
}

#[derive(Clone)]
struct StepDownTally {
    /// Column and what its |r| must reach, weakest first.
    columns: Vec<(usize, f64)>,
    alone: Vec<[u64; LANES]>,
    family: Vec<[u64; LANES]>,
}

impl Tally for StepDownTally {
    #[inline]
    fn see(&mut self, correlations: &[Lanes]) {
        let mut largest = [0.0; LANES];
        let counts = self.alone.iter_mut().zip(&mut self.family);
        for (&(column, limit), (alone, family)) in self.columns.iter().zip(counts) {
            let r = &correlations[column];
            for lane in 0..LANES {
                let strength = r[lane].abs();
                largest[lane] = if strength > largest[lane] { strength } else { largest[lane] };
                alone[lane] += u64::from(strength >= limit);
                family[lane] += u64::from(largest[lane] >= limit);
            }
        }
    }

    fn counts(&self, lanes: usize) -> Vec<u64> {
        self.alone.iter().chain(&self.family).map(|counts| counts[..lanes].iter().sum()).collect()
    }
}

/// For each score, the share of orders in which the largest `weight · |r|` over the columns reaches it.
pub fn weighted_max(family: &Family, orders: Orders, weights: &[f64], scores: &[f64]) -> Vec<f64> {
    assert_eq!(weights.len(), family.n_columns(), "one weight per column");
    assert!(weights.iter().all(|w| *w >= 0.0) && scores.iter().all(|s| !s.is_nan()), "weights and scores are numbers");
    let tolerance = TOLERANCE * weights.iter().copied().fold(0.0, f64::max);
    let mut limits: Vec<f64> = scores.iter().map(|score| score - tolerance).collect();
    limits.sort_by(f64::total_cmp);
    limits.dedup();
    let empty = WeightedMaxTally { weights, limits: &limits, reached: vec![[0; LANES]; limits.len() + 1] };
    let mut counts = tally(family, orders, &empty);
    // From "reached so many limits and no more" to "reached at least so many".
    for i in (1..counts.len()).rev() {
        counts[i - 1] += counts[i];
    }
    let n_orders = orders.count(family.n()) as f64;
    let p = |score: &f64| counts[limits.partition_point(|&limit| limit <= score - tolerance)] as f64 / n_orders;
    scores.iter().map(p).collect()
}

#[derive(Clone)]
struct WeightedMaxTally<'a> {
    weights: &'a [f64],
    /// Rising.
    limits: &'a [f64],
    /// Number of orders whose maximum reaches exactly the first i limits.
    reached: Vec<[u64; LANES]>,
}

impl Tally for WeightedMaxTally<'_> {
    #[inline]
    fn see(&mut self, correlations: &[Lanes]) {
        let mut largest = [0.0; LANES];
        for (r, &weight) in correlations.iter().zip(self.weights) {
            for lane in 0..LANES {
                let score = weight * r[lane].abs();
                largest[lane] = if score > largest[lane] { score } else { largest[lane] };
            }
        }
        for (lane, &largest) in largest.iter().enumerate() {
            self.reached[self.limits.partition_point(|&limit| limit <= largest)][lane] += 1;
        }
    }

    fn counts(&self, lanes: usize) -> Vec<u64> {
        self.reached.iter().map(|counts| counts[..lanes].iter().sum()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    /// All orders by plain recursion.
    fn all_orders(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let shorter = all_orders(n - 1);
        let insert = |order: &Vec<usize>, at| {
            let mut order = order.clone();
            order.insert(at, n - 1);
            order
        };
        shorter.iter().flat_map(|order| (0..n).map(move |at| insert(order, at))).collect()
    }

    /// |r| of every column under every order, each computed from scratch.
    fn strengths(columns: &[Vec<f64>], readout: &[f64]) -> Vec<Vec<f64>> {
        let under = |order: Vec<usize>| {
            let y: Vec<f64> = order.iter().map(|&i| readout[i]).collect();
            let r = |column: &Vec<f64>| crate::math::correlation::pearson(column, &y);
            columns.iter().map(r).map(|r| if r.is_nan() { 0.0 } else { r.abs() }).collect()
        };
        all_orders(readout.len()).into_iter().map(under).collect()
    }

    fn brute_force(columns: &[Vec<f64>], readout: &[f64]) -> StepDown {
        let all = strengths(columns, readout);
        let identity: Vec<usize> = (0..readout.len()).collect();
        let given = all_orders(readout.len()).iter().position(|o| *o == identity).unwrap();
        let share = |count: usize| count as f64 / all.len() as f64;
        let alone = (0..columns.len()).map(|k| share(all.iter().filter(|s| s[k] >= all[given][k] - 1e-9).count()));
        let joint = |k: usize| {
            let weaker: Vec<usize> = (0..columns.len()).filter(|&j| all[given][j] <= all[given][k] + 1e-12).collect();
            let max = |s: &Vec<f64>| weaker.iter().map(|&j| s[j]).fold(0.0, f64::max);
            share(all.iter().filter(|s| max(s) >= all[given][k] - 1e-9).count())
        };
        let family = (0..columns.len())
            .map(|k| (0..columns.len()).filter(|&j| all[given][j] >= all[given][k]).map(joint).fold(0.0, f64::max));
        StepDown { alone: alone.collect(), family: family.collect() }
    }

    fn random_case(seed: u64, n: usize, n_columns: usize, tied: bool) -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut rng = crate::math::rng::stream(seed, "test", n as u64);
        let mut column = || -> Vec<f64> {
            let value = |x: f64| if tied { (x * 3.0).floor() } else { x };
            (0..n).map(|_| value(rng.random::<f64>())).collect()
        };
        ((0..n_columns).map(|_| column()).collect(), column())
    }

    #[test]
    fn equals_brute_force_with_and_without_ties() {
        for (seed, n) in [(1, 3), (2, 4), (3, 5), (4, 6), (5, 7), (6, 8)] {
            for tied in [false, true] {
                let (mut columns, readout) = random_case(seed, n, 4, tied);
                columns.push(vec![0.3; n]);
                let (p, expected) =
                    (step_down(&Family::new(&columns, &readout), Orders::All), brute_force(&columns, &readout));
                for k in 0..columns.len() {
                    assert!((p.alone[k] - expected.alone[k]).abs() < 1e-12, "{n} {tied} {k}: {p:?} {expected:?}");
                    assert!((p.family[k] - expected.family[k]).abs() < 1e-12, "{n} {tied} {k}: {p:?} {expected:?}");
                }
                assert_eq!((p.alone[4], p.family[4]), (1.0, 1.0), "a constant column");
            }
        }
    }

    #[test]
    fn weighted_maximum_equals_brute_force() {
        let (columns, readout) = random_case(9, 6, 3, false);
        let weights = [0.2, 1.0, 0.0];
        let all = strengths(&columns, &readout);
        let max = |s: &Vec<f64>| s.iter().zip(weights).map(|(s, w)| s * w).fold(0.0, f64::max);
        let scores = [max(&all[17]), 0.0, 0.35, 2.0, max(&all[17])];
        let p = weighted_max(&Family::new(&columns, &readout), Orders::All, &weights, &scores);
        for (p, score) in p.iter().zip(scores) {
            let expected = all.iter().filter(|s| max(s) >= score - 1e-9).count() as f64 / all.len() as f64;
            assert!((p - expected).abs() < 1e-12, "{score}: {p} {expected}");
        }
        assert_eq!(p[3], 0.0);
    }

    #[test]
    fn random_orders_come_near_all_orders() {
        let (columns, readout) = random_case(10, 8, 3, false);
        let family = Family::new(&columns, &readout);
        let exact = step_down(&family, Orders::All);
        let random = step_down(&family, Orders::Random { n: 40_000, seed: 1 });
        for k in 0..3 {
            assert!((exact.alone[k] - random.alone[k]).abs() < 0.01, "{exact:?} {random:?}");
            assert!((exact.family[k] - random.family[k]).abs() < 0.01, "{exact:?} {random:?}");
        }
    }

    #[test]
    fn a_perfect_column_reaches_the_smallest_p() {
        let readout = [0.0, 1.0, 3.0, 10.0, 11.0, 40.0];
        let column = readout.map(|v| 2.0 * v - 7.0).to_vec();
        let p = step_down(&Family::new(std::slice::from_ref(&column), &readout), Orders::All);
        assert_eq!(p.alone[0], 1.0 / 720.0);
        assert!((p.alone[0] - super::super::permutations::smallest_p(&column, &readout)).abs() < 1e-15);
        // With random orders it is (0 + 1) / (m + 1) unless one of them hits the only best order.
        let p = step_down(&Family::new(&[column], &readout), Orders::Random { n: 99, seed: 3 });
        assert!(p.alone[0] >= 0.01 && p.alone[0] <= 0.04, "{p:?}");
    }

    #[test]
    fn same_for_one_and_two_threads() {
        let (columns, readout) = random_case(11, 9, 5, false);
        let family = Family::new(&columns, &readout);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| step_down(&family, Orders::All))
        };
        assert_eq!(run(1), run(2));
    }
}
