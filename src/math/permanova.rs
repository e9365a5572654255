//! Two groups of items compared by the distances between items: PERMANOVA and the energy statistic, by permutation.
//!
//! PERMANOVA (Anderson 2001, doi:10.1111/j.1442-9993.2001.01070.pp.x): with SS(all) = Σ d² / N over pairs of items and SS(within)
//! = Σ d² / n over the pairs of each group, pseudo-F = (SS(all) − SS(within)) / (SS(within) / (N − 2)). The energy statistic
//! (Székely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018) is (n m / (n + m)) (2 mean d(x, y) − mean d(x, x′) − mean d(y, y′)). Both
//! follow from three sums, within the groups and between them, so that one walk over groupings serves both.

use ndarray::ArrayView2;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::rng::stream;

/// Most groupings that are all looked at: those of two groups of 11, or of 20 pairs.
pub const MAX_EXACT: f64 = 1_048_576.0;

/// How far below the observed one a statistic counts as equal to it, relative to its size: the grouping given must count
/// itself although its sums are formed in another sequence.
const TOLERANCE: f64 = 1e-10;

/// What separates the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Anderson's pseudo-F, on squared distances.
    PseudoF,
    /// The energy statistic, on distances; 0 only if the groups are the same, above it otherwise.
    Energy,
}

/// Which groupings are as likely as the given one if groups don't matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Exchange<'a> {
    /// Any with the same sizes.
    Free,
    /// Those that exchange the two items within pairs: each pair names an item of either group.
    Pairs(&'a [[usize; 2]]),
}

/// Result of [`two_groups`]. NaN where a group is empty, where two items are all there are, or where no two items differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupTest {
    /// The statistic.
    pub statistic: f64,
    /// Share of the sum of squared distances that lies between the groups (R² of PERMANOVA), 0..1.
    pub r_squared: f64,
    /// Share of groupings with a statistic at least as large.
    pub p: f64,
    /// Smallest p that this design and this number of groupings can reach.
    pub smallest_p: f64,
    /// Groupings that are possible.
    pub n_possible: f64,
    /// Groupings looked at, the given one included.
    pub n_looked_at: u64,
    /// Whether these are all, so that p is exact.
    pub exact: bool,
}

/// Tests two groups of items on their distances (symmetric, items × items; only what lies above the diagonal is read).
///
/// `second`: whether an item is of the second group. All groupings are looked at where they are at most [`MAX_EXACT`]; else
/// `n_random` random ones, and p is (b + 1) / (m + 1) (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585).
///
/// ```
/// use cqa::math::permanova::{Exchange, Statistic, two_groups};
/// let at = [0.0_f64, 1.0, 2.0, 7.0, 9.0];
/// let distances = ndarray::Array2::from_shape_fn((5, 5), |(i, j)| (at[i] - at[j]).abs());
/// let second = [false, false, false, true, true];
/// let test = two_groups(distances.view(), &second, Exchange::Free, Statistic::PseudoF, 9_999, 1);
/// // Σ d² / 5 = 62.8 in all; 6 / 3 + 4 / 2 = 4 within.
/// assert!((test.statistic - 58.8 / (4.0 / 3.0)).abs() < 1e-12 && test.exact);
/// assert_eq!((test.p, test.smallest_p), (0.1, 0.1));
/// ```
pub fn two_groups(
    distances: ArrayView2<'_, f64>,
    second: &[bool],
    exchange: Exchange<'_>,
    statistic: Statistic,
    n_random: u64,
    seed: u64,
) -> GroupTest {
    let n = second.len();
    assert_eq!(distances.dim(), (n, n), "distances of all items");
    let n_possible = n_possible(second, exchange);
    let weights = Weights::new(distances, second, statistic);
    let observed = weights.statistic(&weights.chosen(second));
    let differ = weights.total > 0.0;
    if weights.n_chosen == 0 || weights.n_chosen == n || n < 3 || !differ || observed.is_nan() {
        let nan = f64::NAN;
        return GroupTest {
            statistic: nan,
            r_squared: nan,
            p: nan,
            smallest_p: nan,
            n_possible,
            n_looked_at: 0,
            exact: false,
        };
    }
    let slack = if observed.is_finite() { TOLERANCE * observed.abs().max(weights.scale()) } else { 0.0 };
    let reach = observed - slack;
    let exact = n_possible <= MAX_EXACT;
    // Where both groups exchange as a whole, the grouping that does so has the same statistic.
    let mirrored = match exchange {
        Exchange::Free => 2 * weights.n_chosen == n,
        Exchange::Pairs(_) => true,
    };
    let of_all = if mirrored { 2.0 } else { 1.0 } / n_possible;
    let (reached, looked_at) = if exact {
        let mut reached = 0_u64;
        every_grouping(&weights, second, exchange, |chosen| reached += u64::from(weights.statistic(chosen) >= reach));
        (reached, n_possible as u64)
    } else {
        let mut reached = 1_u64;
        random_groupings(&weights, second, exchange, n_random, seed, |chosen| {
            reached += u64::from(weights.statistic(chosen) >= reach);
        });
        (reached, n_random + 1)
    };
    GroupTest {
        statistic: observed,
        r_squared: r_squared(distances, second),
        p: reached as f64 / looked_at as f64,
        smallest_p: if exact { of_all } else { 1.0 / looked_at as f64 },
        n_possible,
        n_looked_at: looked_at,
        exact,
    }
}

/// Groupings that are as likely as the given one.
fn n_possible(second: &[bool], exchange: Exchange<'_>) -> f64 {
    let n = second.len();
    match exchange {
        Exchange::Pairs(pairs) => {
            let mut seen = vec![false; n];
            for &[a, b] in pairs {
                assert!(!seen[a] && !seen[b] && a != b && second[a] != second[b], "a pair has an item of either group");
                (seen[a], seen[b]) = (true, true);
            }
            assert!(seen.into_iter().all(|seen| seen), "every item has a pair");
            2.0_f64.powi(i32::try_from(pairs.len()).unwrap_or(i32::MAX))
        }
        Exchange::Free => {
            let k = second.iter().filter(|s| **s).count();
            let k = k.min(n - k);
            (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product::<f64>().round()
        }
    }
}

/// What the sums within and between groups are formed of.
struct Weights {
    statistic: Statistic,
    n: usize,
    /// Size of the group whose items are listed: the smaller one, or the second.
    n_chosen: usize,
    /// Whether that is the second group.
    lists_second: bool,
    /// d² or d, row after row, symmetric, 0 on the diagonal.
    pairs: Vec<f64>,
    rows: Vec<f64>,
    /// Sum over all pairs.
    total: f64,
}

impl Weights {
    fn new(distances: ArrayView2<'_, f64>, second: &[bool], statistic: Statistic) -> Self {
        let n = second.len();
        let mut pairs = vec![0.0; n * n];
        for i in 0..n {
            for j in i + 1..n {
                let d = distances[[i, j]];
                let weight = if statistic == Statistic::PseudoF { d * d } else { d };
                (pairs[i * n + j], pairs[j * n + i]) = (weight, weight);
            }
        }
        let rows: Vec<f64> = (0..n).map(|i| pairs[i * n..(i + 1) * n].iter().sum()).collect();
        let n_second = second.iter().filter(|s| **s).count();
        let lists_second = 2 * n_second <= n;
        let n_chosen = if lists_second { n_second } else { n - n_second };
        Self { statistic, n, n_chosen, lists_second, total: rows.iter().sum::<f64>() / 2.0, pairs, rows }
    }

    /// The items that are listed, of a grouping.
    fn chosen(&self, second: &[bool]) -> Vec<usize> {
        (0..self.n).filter(|&i| second[i] == self.lists_second).collect()
    }

    fn statistic(&self, chosen: &[usize]) -> f64 {
        let mut within = 0.0;
        for (at, &i) in chosen.iter().enumerate() {
            let row = &self.pairs[i * self.n..(i + 1) * self.n];
            within += chosen[at + 1..].iter().map(|&j| row[j]).sum::<f64>();
        }
        // Rows of the chosen hold pairs among them twice and pairs with the others once.
        let between = chosen.iter().map(|&i| self.rows[i]).sum::<f64>() - 2.0 * within;
        let others = self.total - within - between;
        let (k, m) = (chosen.len() as f64, (self.n - chosen.len()) as f64);
        match self.statistic {
            Statistic::PseudoF => {
                let residual = within / k + others / m;
                // Of items that coincide within their groups rounding may leave less than nothing.
                let residual = if residual > 1e-14 * self.total { residual } else { 0.0 };
                (self.total / (k + m) - residual) / (residual / (k + m - 2.0))
            }
            Statistic::Energy => {
                k * m / (k + m) * (2.0 * between / (k * m) - 2.0 * within / (k * k) - 2.0 * others / (m * m))
            }
        }
    }

    /// Size of a statistic that says nothing, against which rounding is judged.
    fn scale(&self) -> f64 {
        match self.statistic {
            Statistic::PseudoF => 1.0,
            Statistic::Energy => self.total / self.n as f64,
        }
    }
}

/// Shows the listed items of every grouping.
fn every_grouping(weights: &Weights, second: &[bool], exchange: Exchange<'_>, mut see: impl FnMut(&[usize])) {
    match exchange {
        Exchange::Free => {
            let (n, k) = (weights.n, weights.n_chosen);
            let mut chosen: Vec<usize> = (0..k).collect();
            loop {
                see(&chosen);
                // The next in lexicographic order: the last item that can move on does, those after it follow closely.
                let Some(at) = (0..k).rev().find(|&at| chosen[at] < n - k + at) else { return };
                chosen[at] += 1;
                for next in at + 1..k {
                    chosen[next] = chosen[next - 1] + 1;
                }
            }
        }
        Exchange::Pairs(pairs) => {
            let mut chosen = vec![0; pairs.len()];
            for swaps in 0_u64..1 << pairs.len() {
                for (at, pair) in pairs.iter().enumerate() {
                    chosen[at] = listed(weights, second, pair, swaps >> at & 1 == 1);
                }
                see(&chosen);
            }
        }
    }
}

/// Shows the listed items of random groupings.
fn random_groupings(
    weights: &Weights,
    second: &[bool],
    exchange: Exchange<'_>,
    n_random: u64,
    seed: u64,
    mut see: impl FnMut(&[usize]),
) {
    let mut rng = stream(seed, "groupings of items", 0);
    match exchange {
        Exchange::Free => {
            let mut items: Vec<usize> = (0..weights.n).collect();
            for _ in 0..n_random {
                let (chosen, _) = items.partial_shuffle(&mut rng, weights.n_chosen);
                see(chosen);
            }
        }
        Exchange::Pairs(pairs) => {
            let mut chosen = vec![0; pairs.len()];
            for _ in 0..n_random {
                for (place, pair) in chosen.iter_mut().zip(pairs) {
                    *place = listed(weights, second, pair, rng.random());
                }
                see(&chosen);
            }
        }
    }
}

/// The item of a pair that stands in the listed group.
fn listed(weights: &Weights, second: &[bool], pair: &[usize; 2], swapped: bool) -> usize {
    let first_is_listed = (second[pair[0]] == weights.lists_second) != swapped;
    if first_is_listed { pair[0] } else { pair[1] }
}

/// 1 − SS(within) / SS(all).
fn r_squared(distances: ArrayView2<'_, f64>, second: &[bool]) -> f64 {
    let weights = Weights::new(distances, second, Statistic::PseudoF);
    let f = weights.statistic(&weights.chosen(second));
    if f.is_infinite() { 1.0 } else { f / (f + weights.n as f64 - 2.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn line(at: &[f64]) -> Array2<f64> {
        Array2::from_shape_fn((at.len(), at.len()), |(i, j)| (at[i] - at[j]).abs())
    }

    #[test]
    fn on_a_line_pseudo_f_is_the_f_of_the_analysis_of_variance() {
        // Groups 1 2 3 4 and 3 5 7: means 2.5 and 5, squares within 5 and 8, total mean 25/7.
        let test = two_groups(
            line(&[1.0, 2.0, 3.0, 4.0, 3.0, 5.0, 7.0]).view(),
            &[false, false, false, false, true, true, true],
            Exchange::Free,
            Statistic::PseudoF,
            0,
            0,
        );
        let between = 4.0 * (2.5_f64 - 25.0 / 7.0).powi(2) + 3.0 * (5.0_f64 - 25.0 / 7.0).powi(2);
        assert!((test.statistic - between / (13.0 / 5.0)).abs() < 1e-12);
        assert!((test.r_squared - between / (between + 13.0)).abs() < 1e-12);
        assert_eq!((test.n_possible, test.n_looked_at, test.smallest_p), (35.0, 35, 1.0 / 35.0));
    }

    #[test]
    fn energy_by_its_definition_and_zero_for_equal_groups() {
        let at = [0.0, 1.0, 5.0, 4.0, 9.0];
        let second = [false, true, true, false, false];
        let test = two_groups(line(&at).view(), &second, Exchange::Free, Statistic::Energy, 0, 0);
        let mean = |a: bool, b: bool| {
            let (mut sum, mut n) = (0.0, 0.0);
            for i in 0..5 {
                for j in 0..5 {
                    if second[i] == a && second[j] == b {
                        sum += (at[i] - at[j]).abs();
                        n += 1.0;
                    }
                }
            }
            sum / n
        };
        let expected = 6.0 / 5.0 * (2.0 * mean(false, true) - mean(false, false) - mean(true, true));
        assert!((test.statistic - expected).abs() < 1e-12);
        let same = two_groups(
            line(&[1.0, 2.0, 1.0, 2.0]).view(),
            &[false, false, true, true],
            Exchange::Free,
            Statistic::Energy,
            0,
            0,
        );
        assert!(same.statistic.abs() < 1e-15 && same.p == 1.0);
    }

    #[test]
    fn pairs_swap_within_themselves_only() {
        let second: Vec<bool> = (0..12).map(|i| i >= 6).collect();
        let pairs: Vec<[usize; 2]> = (0..6).map(|i| [i, i + 6]).collect();
        let run = |at: &[f64], exchange, statistic| two_groups(line(at).view(), &second, exchange, statistic, 0, 0);
        let shifted = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 9.5, 11.5, 13.0, 14.0, 16.0];
        for statistic in [Statistic::PseudoF, Statistic::Energy] {
            let paired = run(&shifted, Exchange::Pairs(&pairs), statistic);
            assert_eq!((paired.n_possible, paired.n_looked_at, paired.p), (64.0, 64, 2.0 / 64.0));
            assert_eq!(paired.smallest_p, 2.0 / 64.0);
            assert_eq!(run(&shifted, Exchange::Free, statistic).statistic, paired.statistic);
        }
        // A small change that every pair makes, in pairs that lie far apart.
        let apart = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 1.0, 11.5, 20.5, 31.0, 42.0, 51.0];
        assert_eq!(run(&apart, Exchange::Pairs(&pairs), Statistic::PseudoF).p, 2.0 / 64.0);
        assert!(run(&apart, Exchange::Free, Statistic::PseudoF).p > 0.8);
    }

    #[test]
    fn random_groupings_come_near_the_exact_p_and_never_reach_zero() {
        let at: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 30) + if i >= 15 { 6.0 } else { 0.0 }).collect();
        let second: Vec<bool> = (0..30).map(|i| i >= 15).collect();
        let run = || two_groups(line(&at).view(), &second, Exchange::Free, Statistic::PseudoF, 20_000, 3);
        let random = run();
        // Of 155,117,520 groupings; in one dimension p is that of the t test, nearly.
        assert!(!random.exact && random.n_looked_at == 20_001 && random == run());
        let t: f64 = random.statistic.sqrt();
        use statrs::distribution::{ContinuousCDF, StudentsT};
        let p = 2.0 * StudentsT::new(0.0, 1.0, 28.0).unwrap().sf(t);
        assert!((random.p - p).abs() < 0.012, "{} {p}", random.p);
        let far: Vec<f64> = (0..30).map(|i| f64::from(i) + if i >= 15 { 1e6 } else { 0.0 }).collect();
        let test = two_groups(line(&far).view(), &second, Exchange::Free, Statistic::Energy, 99, 1);
        assert_eq!((test.p, test.smallest_p), (0.01, 0.01));
    }

    #[test]
    fn degenerate_groups() {
        let none =
            |at: &[f64], second: &[bool]| two_groups(line(at).view(), second, Exchange::Free, Statistic::PseudoF, 9, 0);
        assert!(none(&[1.0, 2.0, 3.0], &[false; 3]).p.is_nan());
        assert!(none(&[1.0, 2.0], &[false, true]).p.is_nan());
        assert!(none(&[4.0; 5], &[false, false, true, true, true]).p.is_nan(), "no two items differ");
        assert!(none(&[], &[]).p.is_nan());
        assert!(none(&[1.0, f64::NAN, 3.0], &[false, false, true]).p.is_nan());
        // Items that coincide within their groups: the statistic is endless, p is not.
        let split = none(&[1.0, 1.0, 1.0, 2.0, 2.0], &[false, false, false, true, true]);
        assert!(split.statistic.is_infinite() && split.p == 0.1 && split.r_squared == 1.0);
    }
}
