//! Orders of a readout, and what the correlations of a family of columns become under each of them.
//!
//! With columns and readout of mean 0 and length 1, a correlation is a dot product. All n! orders of the readout are
//! walked by swaps of neighbours (Steinhaus–Johnson–Trotter; Johnson 1963, doi:10.1090/S0025-5718-1963-0159764-2), so that
//! one multiplication and one addition renew a correlation. The first places are held fixed per walk: walks are
//! independent tasks, and as every walk makes the same swaps, [`LANES`] of them advance together in one register.

use rand::RngExt;
use rayon::prelude::*;
use statrs::function::factorial::ln_factorial;

use super::correlation::{dot, standardize};
use super::rng::stream;

/// Orders that are looked at together.
pub const LANES: usize = 8;

/// One number per order looked at.
pub type Lanes = [f64; LANES];

/// Places that one walk permutes: 8! = 40,320 orders per walk and lane.
const WALKED: usize = 8;

/// Sums are computed anew after so many swaps. Rounding moves a correlation by about 1e-16 per swap, so the drift stays
/// below 1e-13, far from the tolerance of comparisons.
const RENEWED_AFTER: usize = 512;

/// Random orders per task.
const RANDOM_PER_TASK: u64 = 1024;

/// Columns and one readout, standardized. A constant column has correlation 0 with everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    columns: Vec<Vec<f64>>,
    readout: Vec<f64>,
}

impl Family {
    /// Columns of the readout's length.
    pub fn new(columns: &[Vec<f64>], readout: &[f64]) -> Self {
        assert!(columns.iter().all(|c| c.len() == readout.len()), "columns as long as the readout");
        let unit = |values: &[f64]| standardize(values).unwrap_or_else(|| vec![0.0; values.len()]);
        Self { columns: columns.iter().map(|c| unit(c)).collect(), readout: unit(readout) }
    }

    /// Length of the readout.
    pub fn n(&self) -> usize {
        self.readout.len()
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// Correlation of each column with the readout in the order given.
    pub fn correlations(&self) -> Vec<f64> {
        self.columns.iter().map(|column| dot(column, &self.readout)).collect()
    }
}

/// Which orders are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orders {
    /// All n!.
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
    /// Number of orders of `n` values, the given one included.
    pub fn count(&self, n: usize) -> u64 {
        match self {
            Self::All => (1..=n as u64).product(),
            Self::Random { n, .. } => n + 1,
        }
    }
}

/// Counts something about the correlations under each order.
pub trait Tally: Clone + Sync {
    /// The correlations of all columns (one [`Lanes`] each) under [`LANES`] orders.
    fn see(&mut self, correlations: &[Lanes]);
    /// What was counted in the first `lanes` lanes; the others repeat them and do not count.
    fn counts(&self, lanes: usize) -> Vec<u64>;
}

/// Shows every order to a copy of `empty` and adds up the counts.
pub fn tally<T: Tally>(family: &Family, orders: Orders, empty: &T) -> Vec<u64> {
    let add = |mut a: Vec<u64>, b: Vec<u64>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    let nothing = || vec![0; empty.counts(0).len()];
    let n = family.n();
    match orders {
        Orders::All => {
            // A few walks even where one would do, so that lanes and threads have something to share.
            let n_held = n.saturating_sub(WALKED).max(n.saturating_sub(1).min(2));
            let n_walks: usize = (n - n_held + 1..=n).product();
            let swaps = neighbour_swaps(n - n_held);
            (0..n_walks.div_ceil(LANES))
                .into_par_iter()
                .map(|batch| {
                    let first = batch * LANES;
                    let lanes = LANES.min(n_walks - first);
                    let mut walk = Walk::new(family);
                    for lane in 0..LANES {
                        walk.fill(lane, &held_first(&family.readout, n_held, first + lane.min(lanes - 1)));
                    }
                    let mut counter = empty.clone();
                    walk.run(n_held, &swaps, &mut counter);
                    counter.counts(lanes)
                })
                .reduce(nothing, add)
        }
        Orders::Random { n: n_random, seed } => {
            let given = {
                let mut walk = Walk::new(family);
                (0..LANES).for_each(|lane| walk.fill(lane, &family.readout));
                let mut counter = empty.clone();
                walk.run(0, &[], &mut counter);
                counter.counts(1)
            };
            let random = (0..n_random.div_ceil(RANDOM_PER_TASK))
                .into_par_iter()
                .map(|task| {
                    let mut rng = stream(seed, "permutations", task);
                    let mut left = RANDOM_PER_TASK.min(n_random - task * RANDOM_PER_TASK) as usize;
                    let (mut walk, mut sum) = (Walk::new(family), nothing());
                    let mut order = family.readout.clone();
                    while left > 0 {
                        for lane in 0..LANES {
                            for i in (1..n).rev() {
                                order.swap(i, rng.random_range(0..=i));
                            }
                            walk.fill(lane, &order);
                        }
                        let mut counter = empty.clone();
                        walk.run(0, &[], &mut counter);
                        sum = add(sum, counter.counts(LANES.min(left)));
                        left -= LANES.min(left);
                    }
                    sum
                })
                .reduce(nothing, add);
            add(given, random)
        }
    }
}

/// [`LANES`] orders of the readout and the correlations under them.
struct Walk<'a> {
    family: &'a Family,
    /// Place by place, one value per lane.
    readout: Vec<Lanes>,
    /// Column by column, one correlation per lane.
    correlations: Vec<Lanes>,
    /// For each pair of neighbouring places, column by column: value at the left minus value at the right.
    steps: Vec<Vec<f64>>,
}

impl<'a> Walk<'a> {
    fn new(family: &'a Family) -> Self {
        let steps = (1..family.n()).map(|right| family.columns.iter().map(|c| c[right - 1] - c[right]).collect());
        Self {
            family,
            readout: vec![[0.0; LANES]; family.n()],
            correlations: vec![[0.0; LANES]; family.n_columns()],
            steps: steps.collect(),
        }
    }

    fn fill(&mut self, lane: usize, order: &[f64]) {
        for (place, &value) in self.readout.iter_mut().zip(order) {
            place[lane] = value;
        }
    }

    /// Shows the order filled in, and that after each of the swaps, which count places from `offset`.
    fn run(&mut self, offset: usize, swaps: &[u8], tally: &mut impl Tally) {
        self.renew();
        tally.see(&self.correlations);
        for swaps in swaps.chunks(RENEWED_AFTER) {
            for &swap in swaps {
                let left = offset + usize::from(swap);
                let (a, b) = (self.readout[left], self.readout[left + 1]);
                (self.readout[left], self.readout[left + 1]) = (b, a);
                let mut rise = [0.0; LANES];
                for lane in 0..LANES {
                    rise[lane] = b[lane] - a[lane];
                }
                for (correlation, &step) in self.correlations.iter_mut().zip(&self.steps[left]) {
                    for lane in 0..LANES {
                        correlation[lane] += step * rise[lane];
                    }
                }
                tally.see(&self.correlations);
            }
            self.renew();
        }
    }

    fn renew(&mut self) {
        for (correlation, column) in self.correlations.iter_mut().zip(&self.family.columns) {
            *correlation = [0.0; LANES];
            for (place, &value) in self.readout.iter().zip(column) {
                for lane in 0..LANES {
                    correlation[lane] += place[lane] * value;
                }
            }
        }
    }
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

/// The `index`-th way to put `n_held` of the values first, the others following in their order.
fn held_first(values: &[f64], n_held: usize, mut index: usize) -> Vec<f64> {
    let mut rest = values.to_vec();
    let mut order = Vec::with_capacity(values.len());
    for _ in 0..n_held {
        order.push(rest.remove(index % rest.len()));
        index /= rest.len() + 1;
    }
    order.append(&mut rest);
    order
}

/// Smallest two-sided permutation p that `column` can reach against the values of `readout`, whatever their order.
///
/// |r| is largest where both rise together, or where one falls as the other rises. In general one of the two is larger
/// and a single order attains it: 1 / n!. Where both are equal (one side symmetric about its mean, such as ranks) it is
/// 2 / n!. Ties give more: orders that only exchange equal values are the same to r. 1 if either is constant.
pub fn smallest_p(column: &[f64], readout: &[f64]) -> f64 {
    assert_eq!(column.len(), readout.len(), "column as long as the readout");
    let (Some(x), Some(y)) = (standardize(column), standardize(readout)) else { return 1.0 };
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (x, rising) = (sorted(&x), sorted(&y));
    let falling: Vec<f64> = rising.iter().rev().copied().collect();
    let (up, down) = (dot(&x, &rising), -dot(&x, &falling));
    let tied = (up - down).abs() < super::max_t::TOLERANCE;
    let ln_orders = ln_factorial(x.len() as u64);
    let share = |y: &[f64]| (ln_same_sum(&x, y) - ln_orders).exp();
    let p = if tied {
        share(&rising) + share(&falling)
    } else if up > down {
        share(&rising)
    } else {
        share(&falling)
    };
    p.min(1.0)
}

/// ln of the number of orders of `y` that keep it sorted against the sorted `x`: Π a! · Π b! / Π c!, with a and b the
/// sizes of groups of equal values in x and in y, and c those of equal pairs.
fn ln_same_sum(x: &[f64], y: &[f64]) -> f64 {
    let ln_groups = |same: &dyn Fn(usize) -> bool| {
        let (mut sum, mut size) = (0.0, 1);
        for i in 1..=x.len() {
            if i < x.len() && same(i) {
                size += 1;
            } else {
                sum += ln_factorial(size);
                size = 1;
            }
        }
        sum
    };
    ln_groups(&|i| x[i] == x[i - 1]) + ln_groups(&|i| y[i] == y[i - 1])
        - ln_groups(&|i| x[i] == x[i - 1] && y[i] == y[i - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn swaps_visit_every_order_once() {
        assert_eq!(neighbour_swaps(3), [1, 0, 1, 0, 1]);
        for m in 0..=7_u8 {
            let mut order: Vec<u8> = (0..m).collect();
            let mut seen = BTreeSet::from([order.clone()]);
            for swap in neighbour_swaps(usize::from(m)) {
                order.swap(usize::from(swap), usize::from(swap) + 1);
                seen.insert(order.clone());
            }
            assert_eq!(seen.len() as u64, Orders::All.count(usize::from(m)), "{m}");
        }
    }

    #[test]
    fn every_way_to_hold_values_first_occurs_once() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        let seen: BTreeSet<Vec<u64>> =
            (0..20).map(|i| held_first(&values, 2, i).iter().map(|v| *v as u64).collect()).collect();
        assert_eq!(seen.len(), 20);
        assert!(seen.iter().all(|order| order[2..].is_sorted()));
    }

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
            let sums = tally(&family, Orders::All, &Moments(vec![[0; LANES]; 2]));
            let mean = sums[0] as f64 / 1e9 / Orders::All.count(n) as f64;
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
            pool.install(|| tally(&family, Orders::Random { n: 5_003, seed }, &Moments(vec![[0; LANES]; 1])))
        };
        assert_eq!(run(1, 1), run(1, 2));
        assert_ne!(run(1, 1), run(2, 1));
        let mean = run(1, 2)[0] as f64 / 1e9 / 5_004.0;
        assert!((mean - 1.0 / 19.0).abs() < 0.005, "{mean}");
    }

    #[test]
    fn smallest_p_knows_symmetry_and_ties() {
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
        let skewed = [0.0, 1.0, 3.0, 10.0];
        near(smallest_p(&skewed, &[1.0, 2.0, 4.0, 9.0]), 1.0 / 24.0);
        near(smallest_p(&skewed, &[4.0, 3.0, 1.0, 2.0]), 2.0 / 24.0);
        // Three equal values leave four orders that differ; one of them is best.
        near(smallest_p(&skewed, &[5.0, 5.0, 0.0, 5.0]), 6.0 / 24.0);
        near(smallest_p(&[1.0, 1.0, 0.0, 0.0], &[3.0, 3.0, 1.0, 1.0]), 8.0 / 24.0);
        assert_eq!(smallest_p(&skewed, &[1.0; 4]), 1.0);
    }
}
