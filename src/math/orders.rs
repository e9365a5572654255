//! Orders of values over places: which are admissible, how many there are, and how to run through them.
//!
//! All orders are walked by swaps of neighbours (Steinhaus–Johnson–Trotter; Johnson 1963,
//! doi:10.1090/S0025-5718-1963-0159764-2). Where values only exchange within groups, the walks of the groups are nested:
//! after each swap of one group, all orders of the groups before it are run through once more.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use statrs::function::factorial::ln_factorial;

/// Orders of one walk at most: 8!.
const WALKED: f64 = 40_320.0;

/// Walks that there should be at least, so that lanes and threads have something to share.
const MIN_WALKS: f64 = 56.0;

/// Which places exchange their values: those of one group, in every way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    groups: Vec<Vec<usize>>,
}

impl Exchange {
    /// Every order of `n` values.
    pub fn free(n: usize) -> Self {
        Self::within(&vec![0; n])
    }

    /// Orders within the places of one code each. Groups come in the order of their first place.
    ///
    /// ```
    /// let pairs = cqa::math::orders::Exchange::within(&[0, 1, 0, 1, 2]);
    /// assert_eq!(pairs.count(), 4.0);
    /// assert_eq!(pairs.groups(), [vec![0, 2], vec![1, 3], vec![4]]);
    /// ```
    pub fn within(codes: &[usize]) -> Self {
        let mut seen: Vec<usize> = Vec::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (place, &code) in codes.iter().enumerate() {
            match seen.iter().position(|&c| c == code) {
                Some(group) => groups[group].push(place),
                None => {
                    seen.push(code);
                    groups.push(vec![place]);
                }
            }
        }
        Self { groups }
    }

    /// Number of places.
    pub fn n(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }

    /// Places of each group.
    pub fn groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    /// Number of orders: Π (size of group)!. Exact up to 2⁵³.
    pub fn count(&self) -> f64 {
        self.groups.iter().flat_map(|group| 1..=group.len()).map(|i| i as f64).product()
    }

    /// ln of [`Exchange::count`].
    pub fn ln_count(&self) -> f64 {
        self.groups.iter().map(|group| ln_factorial(group.len() as u64)).sum()
    }

    /// Places group by group: the sequence in which walks see them.
    pub fn sequence(&self) -> Vec<usize> {
        self.groups.concat()
    }

    /// Number of orders that differ, if places of one class hold the same: Π (size)! / Π (same)!. Rounded to the nearest
    /// whole number, infinite if too large.
    pub fn count_distinct(&self, classes: &[usize]) -> f64 {
        let ln_same: f64 = self
            .groups
            .iter()
            .map(|group| {
                let mut sorted: Vec<usize> = group.iter().map(|&place| classes[place]).collect();
                sorted.sort_unstable();
                sorted.chunk_by(|a, b| a == b).map(|same| ln_factorial(same.len() as u64)).sum::<f64>()
            })
            .sum();
        (self.ln_count() - ln_same).exp().round()
    }

    /// Start of each group in the sequence, with its size.
    fn spans(&self) -> Vec<(usize, usize)> {
        let mut start = 0;
        self.groups
            .iter()
            .map(|group| {
                start += group.len();
                (start - group.len(), group.len())
            })
            .collect()
    }

    /// Moves the entries of `order` about within each group; each order is as likely as any other.
    pub fn shuffle(&self, order: &mut [usize], rng: &mut ChaCha8Rng) {
        for (start, size) in self.spans() {
            for i in (1..size).rev() {
                order.swap(start + i, start + rng.random_range(0..=i));
            }
        }
    }
}

/// All orders as walks: each begins with its own start and then makes the same swaps.
pub(super) struct Walks {
    spans: Vec<(usize, usize)>,
    /// Places of each group that stay as the start has them; the others are walked.
    held: Vec<usize>,
    /// Places, counted along the sequence, that are swapped with their right neighbour, one after the other.
    pub swaps: Vec<u16>,
    /// Number of walks.
    pub n: u64,
}

impl Walks {
    pub fn new(exchange: &Exchange) -> Self {
        let (spans, total) = (exchange.spans(), exchange.count());
        let limit = (total / MIN_WALKS).clamp(1.0, WALKED);
        let mut per_walk = 1.0;
        let mut swaps: Vec<u16> = Vec::new();
        let mut held = Vec::new();
        for &(start, size) in &spans {
            let mut walked = size.min(1);
            while walked < size && per_walk * (walked + 1) as f64 <= limit {
                walked += 1;
                per_walk *= walked as f64;
            }
            held.push(size - walked);
            let mut nested = swaps.clone();
            for swap in neighbour_swaps(walked) {
                nested.push((start + size - walked) as u16 + u16::from(swap));
                nested.extend_from_slice(&swaps);
            }
            swaps = nested;
        }
        Self { spans, held, swaps, n: (total / per_walk).round() as u64 }
    }

    /// The start of the `index`-th walk: which place of the sequence each value comes from.
    pub fn start(&self, mut index: u64) -> Vec<usize> {
        let mut order = Vec::new();
        for (&(start, size), &held) in self.spans.iter().zip(&self.held) {
            let mut rest: Vec<usize> = (start..start + size).collect();
            for _ in 0..held {
                let choices = rest.len() as u64;
                order.push(rest.remove((index % choices) as usize));
                index /= choices;
            }
            order.append(&mut rest);
        }
        order
    }
}

/// The orders that differ where places of one class hold the same, in lexicographic sequence.
pub(super) struct Distinct {
    spans: Vec<(usize, usize)>,
    /// Class of each place of the sequence, sorted within each group.
    first: Vec<usize>,
}

impl Distinct {
    /// `classes` along the sequence.
    pub fn new(exchange: &Exchange, classes: &[usize]) -> Self {
        let (spans, mut first) = (exchange.spans(), classes.to_vec());
        spans.iter().for_each(|&(start, size)| first[start..start + size].sort_unstable());
        Self { spans, first }
    }

    /// The `index`-th order, as classes.
    pub fn at(&self, mut index: u64) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.first.len());
        for &(start, size) in &self.spans {
            let mut rest = self.first[start..start + size].to_vec();
            let mut ways = multinomial(&rest);
            let mut within = index % ways;
            index /= ways;
            while !rest.is_empty() {
                let mut from = 0;
                loop {
                    let same = rest[from..].iter().take_while(|c| **c == rest[from]).count();
                    // Of the ways to order the rest, those that begin with this class.
                    let begun = ways * same as u64 / rest.len() as u64;
                    if within < begun {
                        ways = begun;
                        break;
                    }
                    within -= begun;
                    from += same;
                }
                order.push(rest.remove(from));
            }
        }
        order
    }

    /// Makes the next order out of one; after the last comes the first.
    pub fn advance(&self, order: &mut [usize]) {
        for &(start, size) in &self.spans {
            if next_permutation(&mut order[start..start + size]) {
                return;
            }
        }
    }
}

/// Number of orders of sorted classes that differ.
fn multinomial(sorted: &[usize]) -> u64 {
    let (mut ways, mut placed) = (1_u64, 0_u64);
    for same in sorted.chunk_by(|a, b| a == b) {
        for i in 1..=same.len() as u64 {
            placed += 1;
            ways = ways * placed / i;
        }
    }
    ways
}

/// The next larger order, or, from the largest, the smallest and `false`.
fn next_permutation(order: &mut [usize]) -> bool {
    let Some(left) = (1..order.len()).rev().map(|i| i - 1).find(|&i| order[i] < order[i + 1]) else {
        order.reverse();
        return false;
    };
    let right = (left + 1..order.len()).rev().find(|&i| order[i] > order[left]).unwrap_or(left + 1);
    order.swap(left, right);
    order[left + 1..].reverse();
    true
}

/// The places, from 0, whose value is swapped with its right neighbour to run through all orders of `m` values.
///
/// The last value sweeps through the orders of the others, to the left and to the right in turn; between two sweeps the
/// others move on by one swap of their own.
fn neighbour_swaps(m: usize) -> Vec<u8> {
    let mut swaps: Vec<u8> = Vec::new();
    for size in 2..=m as u8 {
        let mut all = Vec::with_capacity((swaps.len() + 1) * usize::from(size));
        for sweep in 0..=swaps.len() {
            let to_left = sweep % 2 == 0;
            if to_left {
                all.extend((0..size - 1).rev());
            } else {
                all.extend(0..size - 1);
            }
            // After a sweep to the left the sweeping value stands first, so the others start one place later.
            all.extend(swaps.get(sweep).map(|place| place + u8::from(to_left)));
        }
        swaps = all;
    }
    swaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::stream;
    use std::collections::{BTreeMap, BTreeSet};

    fn walked(exchange: &Exchange) -> (BTreeSet<Vec<usize>>, u64) {
        let walks = Walks::new(exchange);
        let (mut seen, mut n) = (BTreeSet::new(), 0);
        for index in 0..walks.n {
            let mut order = walks.start(index);
            seen.insert(order.clone());
            n += 1;
            for &swap in &walks.swaps {
                order.swap(swap.into(), usize::from(swap) + 1);
                seen.insert(order.clone());
                n += 1;
            }
        }
        (seen, n)
    }

    #[test]
    fn walks_visit_every_order_once() {
        assert_eq!(neighbour_swaps(3), [1, 0, 1, 0, 1]);
        for n in 0..=8 {
            let (seen, visits) = walked(&Exchange::free(n));
            assert_eq!((seen.len() as u64, visits), ((1..=n as u64).product(), (1..=n as u64).product()), "{n}");
        }
    }

    #[test]
    fn walks_stay_within_their_groups() {
        for (codes, orders) in [(vec![0, 0, 1, 1, 1, 2], 12), (vec![3, 0, 3, 0, 3, 0, 3], 144), (vec![0, 1, 2], 1)] {
            let exchange = Exchange::within(&codes);
            assert_eq!(exchange.count(), f64::from(orders));
            let (seen, visits) = walked(&exchange);
            assert_eq!((seen.len(), visits), (orders as usize, orders as u64));
            let group_of: Vec<usize> = exchange.sequence().iter().map(|&place| codes[place]).collect();
            assert!(
                seen.iter().all(|order| order.iter().enumerate().all(|(at, &from)| group_of[at] == group_of[from]))
            );
        }
        let pairs: Vec<usize> = (0..20).map(|i| i / 2).collect();
        assert_eq!(walked(&Exchange::within(&pairs)).0.len(), 1024);
    }

    #[test]
    fn distinct_orders_come_once_each() {
        for (codes, classes) in [
            (vec![0; 6], vec![1, 0, 1, 1, 2, 0]),
            (vec![0, 0, 0, 1, 1, 1, 1], vec![5, 5, 3, 1, 1, 2, 2]),
            (vec![0; 4], vec![7; 4]),
            (vec![], vec![]),
        ] {
            let exchange = Exchange::within(&codes);
            let along: Vec<usize> = exchange.sequence().iter().map(|&place| classes[place]).collect();
            let expected: BTreeSet<Vec<usize>> = walked(&exchange)
                .0
                .into_iter()
                .map(|order| order.into_iter().map(|from| along[from]).collect())
                .collect();
            assert_eq!(exchange.count_distinct(&classes), expected.len() as f64);
            let distinct = Distinct::new(&exchange, &along);
            let mut order = distinct.at(0);
            for index in 0..expected.len() as u64 {
                assert_eq!(order, distinct.at(index), "{index}");
                assert!(expected.contains(&order));
                distinct.advance(&mut order);
            }
            assert_eq!(order, distinct.at(0), "after the last comes the first");
        }
    }

    #[test]
    fn shuffles_are_uniform_within_groups() {
        let exchange = Exchange::within(&[0, 0, 0, 1, 1]);
        let mut seen: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
        let (mut rng, mut order) = (stream(1, "test", 0), vec![0, 1, 2, 3, 4]);
        for _ in 0..12_000 {
            exchange.shuffle(&mut order, &mut rng);
            *seen.entry(order.clone()).or_default() += 1;
        }
        assert_eq!(seen.len(), 12);
        // Each is expected 1,000 times, with a standard deviation of 30.
        assert!(seen.values().all(|n| n.abs_diff(1_000) < 130), "{seen:?}");
    }

    #[test]
    fn large_counts() {
        assert_eq!(Exchange::free(13).count(), 6_227_020_800.0);
        let two_groups: Vec<usize> = (0..24).map(|i| i % 2).collect();
        assert_eq!(Exchange::free(24).count_distinct(&two_groups), 2_704_156.0);
    }
}
