//! Nodes of the search: the items that meet the conditions so far, and what further conditions can do to them.

use super::best::{Best, Condition, f1};
use super::{Items, MAX_LEVELS, Search};

/// The items that meet the conditions so far.
#[derive(Debug, Clone)]
pub(super) struct Node {
    items: Vec<u32>,
    /// End of each segment in `items`.
    ends: Vec<usize>,
    inside: u64,
    outside: u64,
}

impl Node {
    /// All items that have weight.
    pub fn root(items: &Items<'_>) -> Self {
        let (mut all, mut ends) = (Vec::new(), Vec::new());
        let (mut start, mut inside, mut outside) = (0, 0, 0);
        for segment in &items.segments {
            if segment.weight > 0 {
                all.extend((start..segment.end).map(|item| item as u32));
            }
            let weight = segment.weight * (segment.end - start) as u64;
            *(if segment.inside { &mut inside } else { &mut outside }) += weight;
            start = segment.end;
            ends.push(all.len());
        }
        Self { items: all, ends, inside, outside }
    }

    /// The items that meet a further condition.
    pub fn with(&self, items: &Items<'_>, condition: Condition) -> Self {
        let column = &items.columns[condition.feature as usize];
        let (mut kept, mut ends) = (Vec::with_capacity(self.items.len()), Vec::with_capacity(self.ends.len()));
        let (mut start, mut inside, mut outside) = (0, 0, 0);
        for (&end, segment) in self.ends.iter().zip(&items.segments) {
            let before = kept.len();
            kept.extend(self.items[start..end].iter().filter(|&&item| condition.holds(column[item as usize])));
            let weight = segment.weight * (kept.len() - before) as u64;
            *(if segment.inside { &mut inside } else { &mut outside }) += weight;
            start = end;
            ends.push(kept.len());
        }
        Self { items: kept, ends, inside, outside }
    }
}

/// What is left of a node's weight under one more condition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    pub condition: Condition,
    pub inside: u64,
    pub outside: u64,
}

/// A condition to go on with, and the best F1 that can come of it with those that follow in the list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    tally: Tally,
    pub bound: f64,
}

/// Thresholds of one feature that may still be used, one bit per level.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    feature: u32,
    above: u64,
    not_above: u64,
}

/// What is searched.
pub(super) struct Space<'a> {
    items: &'a Items<'a>,
    search: Search<'a>,
    /// Weight of the whole group.
    group: u64,
    /// Per feature: lowest and highest level; thresholds from the one to below the other divide the items.
    ranges: Vec<(u8, u8)>,
}

impl<'a> Space<'a> {
    pub fn new(items: &'a Items<'a>, root: &Node, search: Search<'a>) -> Self {
        let mut ranges = vec![(0, 0); items.columns.len()];
        for &feature in search.features {
            let column = &items.columns[feature as usize];
            let levels = root.items.iter().map(|&item| column[item as usize]);
            ranges[feature as usize] = levels.fold((u8::MAX, 0), |(low, high), l| (low.min(l), high.max(l)));
        }
        Self { items, search, group: root.inside, ranges }
    }

    fn f1(&self, inside: u64, outside: u64) -> f64 {
        f1(inside, outside, self.group)
    }

    /// Counts the items of a node under every condition on a feature. Returns the levels looked at.
    pub fn tally(&self, node: &Node, feature: u32, mut each: impl FnMut(Tally)) -> u64 {
        let column = &self.items.columns[feature as usize];
        // Weight at each level, outside and inside.
        let mut weights = [[0_u64; MAX_LEVELS]; 2];
        let mut start = 0;
        for (&end, segment) in node.ends.iter().zip(&self.items.segments) {
            // Neighbours often have one level; two counters keep them from waiting for each other.
            let mut counts = [[0_u32; MAX_LEVELS]; 2];
            let mut pairs = node.items[start..end].chunks_exact(2);
            for pair in &mut pairs {
                counts[0][usize::from(column[pair[0] as usize]) % MAX_LEVELS] += 1;
                counts[1][usize::from(column[pair[1] as usize]) % MAX_LEVELS] += 1;
            }
            for &item in pairs.remainder() {
                counts[0][usize::from(column[item as usize]) % MAX_LEVELS] += 1;
            }
            let weights = &mut weights[usize::from(segment.inside)];
            for level in 0..self.items.n_levels {
                weights[level] += segment.weight * u64::from(counts[0][level] + counts[1][level]);
            }
            start = end;
        }
        let (low, high) = self.ranges[feature as usize];
        let [mut outside, mut inside] = [0, 0];
        for level in low..high {
            outside += weights[0][usize::from(level)];
            inside += weights[1][usize::from(level)];
            let above = Condition { feature, above: true, level };
            each(Tally { condition: above, inside: node.inside - inside, outside: node.outside - outside });
            if self.search.not_above {
                each(Tally { condition: Condition { above: false, ..above }, inside, outside });
            }
        }
        node.items.len() as u64
    }

    /// Offers the best condition on a feature, added to those `chosen` that led to the node.
    pub fn offer_best_of(&self, node: &Node, feature: u32, chosen: &[Condition], best: &mut Best) -> u64 {
        let mut found: Option<(f64, Tally)> = None;
        let work = self.tally(node, feature, |tally| {
            let f1 = self.f1(tally.inside, tally.outside);
            if found.is_none_or(|(before, _)| f1 > before) {
                found = Some((f1, tally));
            }
        });
        if let Some((f1, tally)) = found {
            best.offer(chosen, tally.condition, (tally.inside, tally.outside), f1);
        }
        work
    }

    /// Conditions of which `n_more` can be added to a node so that the result may be among the best, those that take most of
    /// the outside away first, each with its bound.
    pub fn branches(&self, node: &Node, mut tallies: Vec<Tally>, n_more: usize, best: &Best) -> Vec<Branch> {
        tallies.retain(|tally| self.f1(tally.inside, 0) > best.limit());
        tallies.sort_unstable_by_key(|tally| (tally.outside, std::cmp::Reverse(tally.inside), tally.condition));
        // Where more may be lost, more can be taken away: (inside lost, most outside taken), both rising.
        let mut by_loss: Vec<(u64, u64)> =
            tallies.iter().map(|t| (node.inside - t.inside, node.outside - t.outside)).collect();
        by_loss.sort_unstable_by_key(|&(lost, taken)| (lost, std::cmp::Reverse(taken)));
        let mut front: Vec<(u64, u64)> = Vec::new();
        for (lost, taken) in by_loss {
            if front.last().is_none_or(|last| taken > last.1) {
                front.push((lost, taken));
            }
        }
        let n_others = n_more as u64 - 1;
        let bound = |tally: &Tally| {
            let (lost, taken) = (node.inside - tally.inside, node.outside - tally.outside);
            let with = |lost: u64, others: u64| {
                let outside = node.outside.saturating_sub(taken + n_others * others.min(taken));
                self.f1(node.inside - lost, outside)
            };
            let after = front.partition_point(|entry| entry.0 <= lost);
            let mut bound = with(lost, front[..after].last().map_or(0, |entry| entry.1));
            for (i, &(more_lost, others)) in front.iter().enumerate().skip(after) {
                if i > 0 && front[i - 1].1 >= taken {
                    break;
                }
                bound = bound.max(with(more_lost, others));
            }
            bound
        };
        tallies.iter().map(|tally| Branch { tally: *tally, bound: bound(tally) }).collect()
    }

    /// Goes on with the `i`-th branch of a node and all that may follow it. Returns the levels looked at.
    pub fn descend(
        &self,
        node: &Node,
        branches: &[Branch],
        i: usize,
        chosen: &mut Vec<Condition>,
        best: &mut Best,
    ) -> u64 {
        let Branch { tally, bound } = branches[i];
        if bound <= best.limit() {
            return 0;
        }
        let n_more = self.search.n_conditions - chosen.len() - 1;
        let mut work = (branches.len() - i) as u64;
        let allowed = self.followers(node, branches, i, n_more as u64, best.limit());
        if allowed.is_empty() {
            return work;
        }
        let child = node.with(self.items, tally.condition);
        work += node.items.len() as u64;
        chosen.push(tally.condition);
        if n_more == 1 {
            for entry in &allowed {
                work += self.offer_best_of(&child, entry.feature, chosen, best);
            }
        } else {
            let mut tallies = Vec::new();
            for entry in &allowed {
                work += self.tally(&child, entry.feature, |tally| {
                    let mask = if tally.condition.above { entry.above } else { entry.not_above };
                    if mask >> tally.condition.level & 1 == 1 {
                        tallies.push(tally);
                    }
                });
            }
            let next = self.branches(&child, tallies, n_more, best);
            for k in 0..next.len() {
                work += self.descend(&child, &next, k, chosen, best);
            }
        }
        chosen.pop();
        work
    }

    /// Conditions after the `i`-th that may be among the `n_more` to come, from what each does to the node alone.
    fn followers(&self, node: &Node, branches: &[Branch], i: usize, n_more: u64, limit: f64) -> Vec<Allowed> {
        let taken = |tally: &Tally| node.outside - tally.outside;
        let chosen = branches[i].tally;
        let most = branches.get(i + 1).map_or(0, |next| taken(&next.tally));
        let mut allowed: Vec<Allowed> = Vec::new();
        for Branch { tally, .. } in &branches[i + 1..] {
            let Condition { feature, above, level } = tally.condition;
            if feature == chosen.condition.feature {
                continue;
            }
            let outside = chosen.outside.saturating_sub(taken(tally) + (n_more - 1) * most);
            if self.f1(chosen.inside.min(tally.inside), outside) > limit {
                let bit = 1_u64 << level;
                let (above, not_above) = if above { (bit, 0) } else { (0, bit) };
                allowed.push(Allowed { feature, above, not_above });
            }
        }
        allowed.sort_unstable_by_key(|entry| entry.feature);
        allowed.dedup_by(|next, kept| {
            let same = next.feature == kept.feature;
            if same {
                kept.above |= next.above;
                kept.not_above |= next.not_above;
            }
            same
        });
        allowed
    }
}
