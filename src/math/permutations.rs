//! What a family of correlations becomes under each admissible order of its readouts.
//!
//! Along a walk of swaps of neighbours ([`super::orders`]) one multiplication and one addition renew a correlation. Walks
//! are independent tasks, and as every walk makes the same swaps, [`LANES`] of them advance together in one register. Where
//! ties leave few orders that differ, those are gone through one by one instead.

use rayon::prelude::*;

use super::family::Family;
use super::orders::{Distinct, Walks};
use super::rng::stream;

/// Orders that are looked at together.
pub const LANES: usize = 8;

/// One number per order looked at.
pub type Lanes = [f64; LANES];

/// Sums are computed anew after so many swaps. Rounding moves a sum by about 1e-16 per swap, so the drift stays below
/// 1e-13, far from the tolerance of comparisons.
const RENEWED_AFTER: usize = 512;

/// Random or distinct orders per task.
const PER_TASK: u64 = 1024;

/// Which orders are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orders {
    /// All that are admissible.
    All,
    /// The given order and so many random ones.
    Random {
        /// Random orders.
        n: u64,
        /// Seed.
        seed: u64,
    },
}

impl Orders {
    /// Orders looked at, the given one included. Where ties leave few orders that differ, only those are.
    pub fn count(&self, family: &Family) -> u64 {
        match self {
            Self::All if family.by_distinct() => family.n_distinct() as u64,
            Self::All => family.exchange().count() as u64,
            Self::Random { n, .. } => n + 1,
        }
    }
}

/// Counts something about the correlations under each order.
pub trait Tally: Clone + Sync {
    /// The correlations of all pairs (one [`Lanes`] each) under [`LANES`] orders, their sign turned for the lower tail.
    fn see(&mut self, correlations: &[Lanes]);
    /// What was counted in the first `lanes` lanes; the others repeat them and do not count.
    fn counts(&self, lanes: usize) -> Vec<u64>;
}

/// Shows every order to a copy of `empty` and adds up the counts; `seen` is told of every some thousand orders done.
pub fn tally<T: Tally>(family: &Family, orders: Orders, empty: &T, seen: &(dyn Fn(u64) + Sync)) -> Vec<u64> {
    let nothing = || vec![0; empty.counts(0).len()];
    let identity: Vec<usize> = (0..family.n()).collect();
    match orders {
        Orders::All if family.by_distinct() => {
            let classes = family.classes();
            let distinct = Distinct::new(family.exchange(), &classes);
            let n = orders.count(family);
            let task = |task: u64| {
                let start = task * PER_TASK;
                let mut order = distinct.at(start);
                // A class is named by a place that holds what all of it hold.
                one_by_one(family, empty, PER_TASK.min(n - start), |place| {
                    place.copy_from_slice(&order);
                    distinct.advance(&mut order);
                })
            };
            (0..n.div_ceil(PER_TASK)).into_par_iter().map(task).inspect(|_| seen(PER_TASK)).reduce(nothing, add)
        }
        Orders::All => {
            let walks = Walks::new(family.exchange());
            (0..walks.n.div_ceil(LANES as u64))
                .into_par_iter()
                .map(|batch| {
                    let first = batch * LANES as u64;
                    let lanes = (walks.n - first).min(LANES as u64) as usize;
                    let mut walk = Walk::new(family);
                    for lane in 0..LANES {
                        walk.fill(lane, &walks.start(first + lane.min(lanes - 1) as u64));
                    }
                    let mut counter = empty.clone();
                    walk.run(&walks.swaps, &mut counter);
                    seen(lanes as u64 * (walks.swaps.len() as u64 + 1));
                    counter.counts(lanes)
                })
                .reduce(nothing, add)
        }
        Orders::Random { n: n_random, seed } => {
            let given = one_by_one(family, empty, 1, |place| place.copy_from_slice(&identity));
            let random = (0..n_random.div_ceil(PER_TASK))
                .into_par_iter()
                .map(|task| {
                    let mut rng = stream(seed, "permutations", task);
                    let mut order = identity.clone();
                    one_by_one(family, empty, PER_TASK.min(n_random - task * PER_TASK), |place| {
                        family.exchange().shuffle(&mut order, &mut rng);
                        place.copy_from_slice(&order);
                    })
                })
                .inspect(|_| seen(PER_TASK))
                .reduce(nothing, add);
            add(given, random)
        }
    }
}

fn add(mut a: Vec<u64>, b: Vec<u64>) -> Vec<u64> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

/// Shows `n` orders, each written by `next`.
fn one_by_one<T: Tally>(family: &Family, empty: &T, n: u64, mut next: impl FnMut(&mut [usize])) -> Vec<u64> {
    let (mut walk, mut counter) = (Walk::new(family), empty.clone());
    let mut order = vec![0; family.n()];
    for _ in 0..n / LANES as u64 {
        for lane in 0..LANES {
            next(&mut order);
            walk.fill(lane, &order);
        }
        walk.run(&[], &mut counter);
    }
    let left = (n % LANES as u64) as usize;
    let mut rest = empty.clone();
    for lane in 0..left {
        next(&mut order);
        (lane..LANES).for_each(|lane| walk.fill(lane, &order));
    }
    if left > 0 {
        walk.run(&[], &mut rest);
    }
    add(counter.counts(LANES), rest.counts(left))
}

/// [`LANES`] orders of the moved vectors and the sums under them.
struct Walk<'a> {
    family: &'a Family,
    /// For each moved vector, place by place: one value per lane.
    moved: Vec<Vec<Lanes>>,
    /// One sum per lane.
    sums: Vec<Lanes>,
    /// What the sums become, where that takes more than the sums themselves.
    finished: Vec<Lanes>,
    /// For each pair of neighbouring places, sum by sum: fixed value at the left minus that at the right.
    steps: Vec<Vec<f64>>,
}

impl<'a> Walk<'a> {
    fn new(family: &'a Family) -> Self {
        let steps = (1..family.n()).map(|right| family.fixed.iter().map(|f| f[right - 1] - f[right]).collect());
        Self {
            family,
            moved: vec![vec![[0.0; LANES]; family.n()]; family.moved.len()],
            sums: vec![[0.0; LANES]; family.fixed.len()],
            finished: vec![[0.0; LANES]; if family.plain { 0 } else { family.n_columns() }],
            steps: steps.collect(),
        }
    }

    /// Puts what stood at place `order[i]` at place i.
    fn fill(&mut self, lane: usize, order: &[usize]) {
        for (moved, values) in self.moved.iter_mut().zip(&self.family.moved) {
            for (place, &from) in moved.iter_mut().zip(order) {
                place[lane] = values[from];
            }
        }
    }

    /// Shows the order filled in, and that after each of the swaps.
    fn run(&mut self, swaps: &[u16], tally: &mut impl Tally) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has these instructions, as was just asked.
            return unsafe { self.run_wide(swaps, tally) };
        }
        self.run_by_swaps(swaps, tally);
    }

    /// The same in registers twice as wide. Sums are formed in the same way (no fused multiply-add), so they are the same bit
    /// for bit.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_wide(&mut self, swaps: &[u16], tally: &mut impl Tally) {
        self.run_by_swaps(swaps, tally);
    }

    #[inline(always)]
    fn run_by_swaps(&mut self, swaps: &[u16], tally: &mut impl Tally) {
        self.renew();
        self.show(tally);
        for swaps in swaps.chunks(RENEWED_AFTER) {
            for &swap in swaps {
                self.swap(swap.into());
                self.show(tally);
            }
            self.renew();
        }
    }

    #[inline(always)]
    fn swap(&mut self, left: usize) {
        let steps = &self.steps[left];
        for (moved, range) in self.moved.iter_mut().zip(&self.family.sums_of) {
            let (a, b) = (moved[left], moved[left + 1]);
            (moved[left], moved[left + 1]) = (b, a);
            let mut rise = [0.0; LANES];
            for lane in 0..LANES {
                rise[lane] = b[lane] - a[lane];
            }
            for (sum, &step) in self.sums[range.clone()].iter_mut().zip(&steps[range.clone()]) {
                for lane in 0..LANES {
                    sum[lane] += step * rise[lane];
                }
            }
        }
    }

    #[inline(always)]
    fn show(&mut self, tally: &mut impl Tally) {
        if self.family.plain {
            tally.see(&self.sums);
        } else {
            self.family.finish(&self.sums, &mut self.finished);
            tally.see(&self.finished);
        }
    }

    fn renew(&mut self) {
        for (moved, range) in self.moved.iter().zip(&self.family.sums_of) {
            for (sum, fixed) in self.sums[range.clone()].iter_mut().zip(&self.family.fixed[range.clone()]) {
                *sum = [0.0; LANES];
                for (place, &value) in moved.iter().zip(fixed) {
                    for lane in 0..LANES {
                        sum[lane] += place[lane] * value;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::correlation::dot;
    use crate::math::design::Design;
    use crate::math::family::{Readout, Tail};

    const UNSEEN: &(dyn Fn(u64) + Sync) = &|_| ();

    /// Sums of powers of the correlations, as whole numbers.
    #[derive(Clone)]
    struct Moments(Vec<[u64; LANES]>);

    impl Tally for Moments {
        fn see(&mut self, correlations: &[Lanes]) {
            for (sum, r) in self.0.iter_mut().zip(correlations) {
                for lane in 0..LANES {
                    sum[lane] += (r[lane] * r[lane] * 1e9).round() as u64;
                }
            }
        }
        fn counts(&self, lanes: usize) -> Vec<u64> {
            self.0.iter().map(|sum| sum[..lanes].iter().sum()).collect()
        }
    }

    #[test]
    fn mean_of_r_squared_over_all_orders_is_one_over_n_minus_one() {
        for n in 2..=9_usize {
            let column: Vec<f64> = (0..n).map(|i| (i as f64).powi(3) - 2.0 * i as f64).collect();
            let readout: Vec<f64> = (0..n).map(|i| (i * i % 7) as f64 + i as f64).collect();
            let family = Family::new(&[column, vec![1.0; n]], &readout);
            let sums = tally(&family, Orders::All, &Moments(vec![[0; LANES]; 2]), UNSEEN);
            let mean = sums[0] as f64 / 1e9 / Orders::All.count(&family) as f64;
            assert!((mean - 1.0 / (n - 1) as f64).abs() < 1e-8, "{n}: {mean}");
            assert_eq!(sums[1], 0, "a constant column stays at 0");
        }
    }

    #[test]
    fn random_orders_depend_on_the_seed_only() {
        let readout: Vec<f64> = (0..20).map(|i| f64::from(i % 6)).collect();
        let family = Family::new(&[(0..20).map(f64::from).collect()], &readout);
        let run = |seed, threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| tally(&family, Orders::Random { n: 5_003, seed }, &Moments(vec![[0; LANES]; 1]), UNSEEN))
        };
        assert_eq!(run(1, 1), run(1, 2));
        assert_ne!(run(1, 1), run(2, 1));
        let mean = run(1, 2)[0] as f64 / 1e9 / 5_004.0;
        assert!((mean - 1.0 / 19.0).abs() < 0.005, "{mean}");
    }

    /// Wider registers change no bit.
    #[test]
    fn wide_and_narrow_walks_are_the_same() {
        let n = 9;
        let columns: Vec<Vec<f64>> =
            (0..7).map(|k| (0..n).map(|i| (f64::from(k) + 0.9 * f64::from(i)).cos()).collect()).collect();
        let family = Family::new(&columns, &(0..n).map(|i| (1.7 * f64::from(i)).sin()).collect::<Vec<f64>>());
        let walks = Walks::new(family.exchange());
        let run = |wide: bool| {
            let (mut walk, mut seen) = (Walk::new(&family), Moments(vec![[0; LANES]; 7]));
            (0..LANES).for_each(|lane| walk.fill(lane, &walks.start(lane as u64)));
            if wide {
                walk.run(&walks.swaps, &mut seen)
            } else {
                walk.run_by_swaps(&walks.swaps, &mut seen)
            }
            (seen.0, walk.sums.iter().flatten().map(|sum| sum.to_bits()).collect::<Vec<u64>>())
        };
        assert_eq!(run(true), run(false));
    }

    /// Four times the swaps between two renewals still leave a correlation what it is when computed afresh.
    #[test]
    fn walked_correlations_equal_direct_ones() {
        let n = 11;
        let readout: Vec<f64> = (0..n).map(|i| (1.7 * i as f64).sin() + 1e3).collect();
        let columns: Vec<Vec<f64>> =
            (0..5).map(|k| (0..n).map(|i| (f64::from(k) + 0.9 * i as f64).cos()).collect()).collect();
        let family =
            Family::of_columns(&columns, Readout { values: &readout, weights: None }, &Design::free(n), Tail::Both);
        let walks = Walks::new(family.exchange());
        let mut largest = 0.0_f64;
        for index in [0, 17, 501] {
            let mut walk = Walk::new(&family);
            let mut order = walks.start(index);
            (0..LANES).for_each(|lane| walk.fill(lane, &order));
            walk.renew();
            for &swap in walks.swaps.iter().take(4 * RENEWED_AFTER) {
                walk.swap(swap.into());
                order.swap(swap.into(), usize::from(swap) + 1);
                let y: Vec<f64> = order.iter().map(|&from| family.moved[0][from]).collect();
                for (sum, fixed) in walk.sums.iter().zip(&family.fixed) {
                    largest = largest.max((sum[3] - dot(fixed, &y)).abs());
                }
            }
        }
        assert!(largest > 0.0 && largest < 1e-12, "{largest}");
    }

    #[test]
    fn every_order_is_told_of() {
        let seen = std::sync::atomic::AtomicU64::new(0);
        let readout: Vec<f64> = (0..9).map(f64::from).collect();
        let family = Family::new(std::slice::from_ref(&readout), &readout);
        let told = |n| {
            seen.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
        };
        tally(&family, Orders::All, &Moments(vec![[0; LANES]; 1]), &told);
        assert_eq!(seen.into_inner(), 362_880);
    }
}
