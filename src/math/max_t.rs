//! Permutation p-values of a family of correlations: alone, family-wise, and of a weighted maximum.

use super::family::{Family, Tail};
use super::permutations::{LANES, Lanes, Orders, Tally, tally};

/// p of each pair of a family.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDown {
    /// Share of orders in which the pair's statistic is at least the observed one.
    pub alone: Vec<f64>,
    /// Family-wise p by step-down max-T.
    pub family: Vec<f64>,
}

/// p-values of each pair alone and family-wise. The statistic is |r|, or r (−r) for the upper (lower) tail.
///
/// Step-down max-T (Westfall & Young 1993, algorithm 4.1): pairs are sorted by observed statistic; the k-th is compared
/// with the largest among itself and all weaker ones, and p may not fall along the way.
///
/// ```
/// use cqa::math::{family::Family, max_t::step_down, permutations::Orders};
/// // Of the 24 orders, only the one given and its mirror image reach |r| = 1.
/// let family = Family::new(&[vec![1.0, 2.0, 3.0, 4.0]], &[2.0, 4.0, 6.0, 8.0]);
/// assert_eq!(step_down(&family, Orders::All).family, [2.0 / 24.0]);
/// ```
pub fn step_down(family: &Family, orders: Orders) -> StepDown {
    step_down_watched(family, orders, &|_| ())
}

/// As [`step_down`]; `seen` is told how many more orders have been looked at.
pub fn step_down_watched(family: &Family, orders: Orders, seen: &(dyn Fn(u64) + Sync)) -> StepDown {
    match family.tail() {
        Tail::Both => step_down_by::<true>(family, orders, seen),
        Tail::Upper | Tail::Lower => step_down_by::<false>(family, orders, seen),
    }
}

fn step_down_by<const BOTH: bool>(family: &Family, orders: Orders, seen: &(dyn Fn(u64) + Sync)) -> StepDown {
    let observed: Vec<f64> = family.turned_correlations().into_iter().map(strength::<BOTH>).collect();
    let mut by_strength: Vec<usize> = (0..observed.len()).collect();
    by_strength.sort_by(|&a, &b| observed[b].total_cmp(&observed[a]).then(a.cmp(&b)));
    let empty = StepDownTally::<BOTH> {
        columns: by_strength.iter().rev().map(|&column| (column, observed[column] - family.tolerance())).collect(),
        alone: vec![[0; LANES]; observed.len()],
        family: vec![[0; LANES]; observed.len()],
    };
    let counts = tally(family, orders, &empty, seen);
    let n_orders = orders.count(family) as f64;
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

/// Where every statistic is at least this.
const fn least(both: bool) -> f64 {
    if both { 0.0 } else { f64::NEG_INFINITY }
}

#[inline(always)]
fn strength<const BOTH: bool>(r: f64) -> f64 {
    if BOTH { r.abs() } else { r }
}

#[derive(Clone)]
struct StepDownTally<const BOTH: bool> {
    /// Column and what its statistic must reach, weakest first.
    columns: Vec<(usize, f64)>,
    alone: Vec<[u64; LANES]>,
    family: Vec<[u64; LANES]>,
}

impl<const BOTH: bool> Tally for StepDownTally<BOTH> {
    #[inline(always)]
    fn see(&mut self, correlations: &[Lanes]) {
        let mut largest = [least(BOTH); LANES];
        let counts = self.alone.iter_mut().zip(&mut self.family);
        for (&(column, limit), (alone, family)) in self.columns.iter().zip(counts) {
            let r = &correlations[column];
            for lane in 0..LANES {
                let strength = strength::<BOTH>(r[lane]);
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

/// For each score, the share of orders in which the largest `weight · statistic` over the pairs reaches it; statistics as
/// for [`step_down`], those below 0 counted as 0.
pub fn weighted_max(family: &Family, orders: Orders, weights: &[f64], scores: &[f64]) -> Vec<f64> {
    assert_eq!(weights.len(), family.n_columns(), "one weight per column");
    assert!(weights.iter().all(|w| *w >= 0.0) && scores.iter().all(|s| !s.is_nan()), "weights and scores are numbers");
    let tolerance = family.tolerance() * weights.iter().copied().fold(0.0, f64::max);
    let mut limits: Vec<f64> = scores.iter().map(|score| score - tolerance).collect();
    limits.sort_by(f64::total_cmp);
    limits.dedup();
    let both = family.tail() == Tail::Both;
    let empty = WeightedMaxTally { weights, both, limits: &limits, reached: vec![[0; LANES]; limits.len() + 1] };
    let mut counts = tally(family, orders, &empty, &|_| ());
    // From "reached so many limits and no more" to "reached at least so many".
    for i in (1..counts.len()).rev() {
        counts[i - 1] += counts[i];
    }
    let n_orders = orders.count(family) as f64;
    let p = |score: &f64| counts[limits.partition_point(|&limit| limit <= score - tolerance)] as f64 / n_orders;
    scores.iter().map(p).collect()
}

#[derive(Clone)]
struct WeightedMaxTally<'a> {
    weights: &'a [f64],
    both: bool,
    /// Rising.
    limits: &'a [f64],
    /// Number of orders whose maximum reaches exactly the first i limits.
    reached: Vec<[u64; LANES]>,
}

impl Tally for WeightedMaxTally<'_> {
    #[inline(always)]
    fn see(&mut self, correlations: &[Lanes]) {
        let mut largest = [0.0; LANES];
        for (r, &weight) in correlations.iter().zip(self.weights) {
            for lane in 0..LANES {
                let score = weight * if self.both { r[lane].abs() } else { r[lane] };
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
mod tests;
