//! Conditions, conjunctions, and the best of them found so far.

/// A level above a threshold, or not above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// The feature.
    pub feature: u32,
    /// Level > threshold (true), or ≤ threshold.
    pub above: bool,
    /// The threshold.
    pub level: u8,
}

impl Condition {
    /// Whether a level meets the condition.
    #[inline]
    pub fn holds(self, level: u8) -> bool {
        (level > self.level) == self.above
    }
}

/// Conditions that an item must all meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Conjunction {
    /// The conditions, by feature.
    pub conditions: Vec<Condition>,
    /// Weight of the group's items that meet them.
    pub inside: u64,
    /// Weight of the other items that meet them.
    pub outside: u64,
    /// Harmonic mean of purity and yield, 0..1.
    pub f1: f64,
}

impl Conjunction {
    fn features(&self) -> impl Iterator<Item = u32> {
        self.conditions.iter().map(|c| c.feature)
    }
}

/// 2 · inside / (inside + outside + group): the harmonic mean of purity and yield; 0 where both are 0 or undefined.
pub fn f1(inside: u64, outside: u64, group: u64) -> f64 {
    let both = inside + outside + group;
    if both == 0 { 0.0 } else { 2.0 * inside as f64 / both as f64 }
}

/// The best found so far, no two of the same features.
#[derive(Debug, Clone)]
pub(super) struct Best {
    pub list: Vec<Conjunction>,
    n: usize,
}

impl Best {
    pub fn new(n: usize) -> Self {
        Self { list: Vec::with_capacity(n + 1), n: n.max(1) }
    }

    /// F1 that a conjunction must exceed to be among the best.
    pub fn limit(&self) -> f64 {
        if self.list.len() < self.n { 0.0 } else { self.list[self.n - 1].f1 }
    }

    /// Takes in `chosen` and one more condition if it is among the best.
    pub fn offer(&mut self, chosen: &[Condition], last: Condition, (inside, outside): (u64, u64), f1: f64) {
        if f1 > self.limit() {
            let mut conditions = chosen.to_vec();
            conditions.push(last);
            conditions.sort_unstable();
            self.take(Conjunction { conditions, inside, outside, f1 });
        }
    }

    /// Takes in what another search found.
    pub fn merge(&mut self, other: Self) {
        for conjunction in other.list {
            if conjunction.f1 > self.limit() {
                self.take(conjunction);
            }
        }
    }

    fn take(&mut self, new: Conjunction) {
        if let Some(same) = self.list.iter().position(|old| old.features().eq(new.features())) {
            if self.list[same].f1 >= new.f1 {
                return;
            }
            self.list.remove(same);
        }
        let place = self.list.partition_point(|old| old.f1 >= new.f1);
        self.list.insert(place, new);
        self.list.truncate(self.n);
    }
}
