//! The best conjunction of threshold conditions: which `a > s and b ≤ t` singles out a group of items best.
//!
//! Every item has a level (a small whole number) of each feature. A *condition* asks for a level above, or not above, a
//! threshold; a *conjunction* joins conditions on different features by AND. With weights, `inside` the weight of the group's
//! items that meet all conditions, `outside` that of the others that do, and `group` the weight of the whole group,
//! F1 = 2 · inside / (inside + outside + group).
//!
//! The search is a branch and bound. At a node (the items that meet the conditions so far; r more are to come) let a
//! condition lose `a` of the inside weight and take `R` of the outside weight away. Conditions are added in falling order of
//! R. Of all further conditions none can bring back what another lost, and together they take away no more than the sum of
//! what each takes away alone. So with `h` the next and P(a) the largest R among conditions that lose at most `a`,
//! F1 ≤ max over a ≥ a_h of the F1 of (inside − a, max(0, outside − R_h − (r − 1) · min(R_h, P(a)))). What cannot exceed the
//! best found is not looked at. The optimum is proven when nothing is left; a limit on the work ends the search earlier, and
//! then the bound of what is left says how much better the optimum could be.
//!
//! Weights are whole numbers, so sums are exact and the same in any order; branches are searched in batches of fixed size, so
//! that the result is the same for any number of threads.
//!
//! Land & Doig 1960, doi:10.2307/1910129 (branch and bound).

mod best;
mod node;

use rayon::prelude::*;

use best::Best;
pub use best::{Condition, Conjunction, f1};
use node::{Node, Space};

/// Most levels a feature may have.
pub const MAX_LEVELS: usize = 64;

/// Branches searched between two exchanges of the best found.
const BATCH: usize = 16;

/// Items of one weight, all inside or all outside the group, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// End of its items; they start where those of the segment before end.
    pub end: usize,
    /// Weight of each item; 0 = takes no part. Weights of all items together lie below 2⁵².
    pub weight: u64,
    /// Whether its items belong to the group.
    pub inside: bool,
}

/// Items with their levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Items<'a> {
    /// Per feature: level of each item, below `n_levels`.
    pub columns: &'a [Vec<u8>],
    /// Levels are 0 .. `n_levels`, at most [`MAX_LEVELS`].
    pub n_levels: usize,
    /// Parts of the items, in order.
    pub segments: Vec<Segment>,
}

/// What to search for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search<'a> {
    /// Features that may be used.
    pub features: &'a [u32],
    /// Number of conditions, each on another feature, at least 1.
    pub n_conditions: usize,
    /// Number of conjunctions wanted; no two use the same features.
    pub n_best: usize,
    /// Conditions `level ≤ threshold` may be used too.
    pub not_above: bool,
    /// Levels looked at before the search gives up (checked between batches).
    pub max_work: u64,
}

/// Result of [`best_conjunctions`].
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The best, best first.
    pub best: Vec<Conjunction>,
    /// Largest F1 that a conjunction not looked at can have; 0 if the search went to its end. A conjunction of `best` whose F1
    /// is no smaller is proven to be at its place.
    pub left: f64,
    /// Levels looked at.
    pub work: u64,
}

impl Outcome {
    /// Whether the `i`-th best is proven to be at its place.
    pub fn proven(&self, i: usize) -> bool {
        self.best[i].f1 >= self.left
    }
}

/// Finds the best conjunctions. `start`: conjunctions of one condition fewer, whose extensions are looked at first; they make
/// the search faster and change nothing (but for ties).
pub fn best_conjunctions(items: &Items<'_>, search: Search<'_>, start: &[Conjunction]) -> Outcome {
    assert!(search.n_conditions >= 1 && items.n_levels <= MAX_LEVELS, "at least one condition, few levels");
    let root = Node::root(items);
    let space = Space::new(items, &root, search);
    let mut best = Best::new(search.n_best);
    let mut work = 0;
    for conjunction in start.iter().filter(|c| c.conditions.len() + 1 == search.n_conditions) {
        let node = conjunction.conditions.iter().fold(root.clone(), |node, &c| node.with(items, c));
        for &feature in search.features.iter().filter(|f| conjunction.conditions.iter().all(|c| c.feature != **f)) {
            work += space.offer_best_of(&node, feature, &conjunction.conditions, &mut best);
        }
    }
    if search.n_conditions == 1 {
        for &feature in search.features {
            work += space.offer_best_of(&root, feature, &[], &mut best);
        }
        return Outcome { best: best.list, left: 0.0, work };
    }
    let mut tallies = Vec::new();
    for &feature in search.features {
        work += space.tally(&root, feature, |tally| tallies.push(tally));
    }
    let branches = space.branches(&root, tallies, search.n_conditions, &best);
    let mut at = 0;
    while at < branches.len() && work < search.max_work {
        let end = branches.len().min(at + BATCH);
        let found: Vec<(Best, u64)> = (at..end)
            .into_par_iter()
            .map(|i| {
                let mut best = best.clone();
                let work = space.descend(&root, &branches, i, &mut Vec::new(), &mut best);
                (best, work)
            })
            .collect();
        for (other, done) in found {
            best.merge(other);
            work += done;
        }
        at = end;
    }
    let left =
        branches[at..].iter().map(|branch| branch.bound).filter(|bound| *bound > best.limit()).fold(0.0, f64::max);
    Outcome { best: best.list, left, work }
}

#[cfg(test)]
mod tests;
