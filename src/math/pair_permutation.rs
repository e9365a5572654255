//! Exact permutation p of one correlation, without walking every order.
//!
//! The sum Σ x(i) y(π(i)) is cut in two: the values of y that meet the first half of x are chosen, then each half runs
//! through its own orders. With the sums of both halves sorted, the orders whose total reaches the observed one are counted
//! by one pass over each list. Twelve values: 924 choices × two lists of 720 sums, instead of 479 million orders.

use super::correlation::{dot, standardize};
use super::family::Family;
use super::max_t::step_down;
use super::permutations::Orders;

/// How far below the observed one a correlation counts as equal to it: the order given must count itself although its sum
/// is formed in another sequence, and orders that differ lie much farther apart.
const TOLERANCE: f64 = 1e-12;

/// Most values that are treated exactly.
pub const MAX_EXACT: usize = 12;

/// Two-sided permutation p of Pearson's r: the share of all orders of `y` in which |r| is at least the observed one.
/// Exact, for at most [`MAX_EXACT`] values. 1 if either column is constant.
///
/// ```
/// let p = cqa::math::pair_permutation::exact_p(&[0.0, 1.0, 3.0, 10.0], &[1.0, 2.0, 4.0, 9.0]);
/// assert!((p - 1.0 / 24.0).abs() < 1e-15);
/// ```
pub fn exact_p(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "columns of one length");
    assert!(x.len() <= MAX_EXACT, "at most {MAX_EXACT} values");
    let (Some(x), Some(y)) = (standardize(x), standardize(y)) else { return 1.0 };
    let n = x.len();
    let reach = dot(&x, &y).abs() - TOLERANCE;
    if reach <= 0.0 {
        return 1.0;
    }
    let (first, second) = x.split_at(n / 2);
    let (mut reached, mut n_orders) = (0_u64, 0_u64);
    let (mut chosen, mut rest) = (Vec::new(), Vec::new());
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for choice in 0_u32..1 << n {
        if choice.count_ones() as usize != first.len() {
            continue;
        }
        chosen.clear();
        rest.clear();
        for (i, &value) in y.iter().enumerate() {
            if choice >> i & 1 == 1 { chosen.push(value) } else { rest.push(value) }
        }
        left.clear();
        right.clear();
        all_sums(first, &mut chosen, 0.0, &mut left);
        all_sums(second, &mut rest, 0.0, &mut right);
        left.sort_unstable_by(f64::total_cmp);
        right.sort_unstable_by(f64::total_cmp);
        n_orders += (left.len() * right.len()) as u64;
        reached += at_least(&left, &right, reach);
        // The orders that are as strong with the other sign.
        left.iter_mut().chain(&mut right).for_each(|sum| *sum = -*sum);
        left.reverse();
        right.reverse();
        reached += at_least(&left, &right, reach);
    }
    reached as f64 / n_orders as f64
}

/// As [`exact_p`] up to `max_exact` values (and [`MAX_EXACT`]); above from `n_random` random orders, the given one included.
pub fn pair_p(x: &[f64], y: &[f64], max_exact: usize, n_random: u64, seed: u64) -> f64 {
    if x.len() <= max_exact.min(MAX_EXACT) {
        return exact_p(x, y);
    }
    step_down(&Family::new(&[x.to_vec()], y), Orders::Random { n: n_random, seed }).alone[0]
}

/// Σ x(i) v(π(i)) for every order of the values.
fn all_sums(x: &[f64], values: &mut [f64], sum: f64, out: &mut Vec<f64>) {
    let Some((&first, others)) = x.split_first() else {
        out.push(sum);
        return;
    };
    for i in 0..values.len() {
        values.swap(0, i);
        let (head, tail) = values.split_at_mut(1);
        all_sums(others, tail, sum + first * head[0], out);
        values.swap(0, i);
    }
}

/// Number of pairs, one of each rising list, whose sum is at least `reach`.
fn at_least(left: &[f64], right: &[f64], reach: f64) -> u64 {
    let mut start = right.len();
    let mut pairs = 0;
    for a in left {
        while start > 0 && a + right[start - 1] >= reach {
            start -= 1;
        }
        pairs += (right.len() - start) as u64;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn equals_the_walk_over_every_order_with_and_without_ties() {
        for n in 2..=9_usize {
            for tied in [false, true] {
                let mut rng = crate::math::rng::stream(n as u64, "test", u64::from(tied));
                let mut column = || -> Vec<f64> {
                    (0..n).map(|_| rng.random::<f64>()).map(|v| if tied { (v * 3.0).floor() } else { v }).collect()
                };
                let (x, y) = (column(), column());
                let walked = step_down(&Family::new(std::slice::from_ref(&x), &y), Orders::All).alone[0];
                assert!((exact_p(&x, &y) - walked).abs() < 1e-12, "{n} {tied}: {} {walked}", exact_p(&x, &y));
            }
        }
    }

    #[test]
    fn edges() {
        assert_eq!(exact_p(&[], &[]), 1.0);
        assert_eq!(exact_p(&[1.0], &[2.0]), 1.0);
        assert_eq!(exact_p(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), 1.0);
        assert_eq!(exact_p(&[1.0, f64::NAN, 1.0], &[1.0, 2.0, 3.0]), 1.0);
        // r = 0: every order is at least as strong.
        assert_eq!(exact_p(&[1.0, -1.0, 1.0, -1.0], &[1.0, 1.0, -1.0, -1.0]), 1.0);
        assert_eq!(exact_p(&[0.0, 1.0], &[5.0, 3.0]), 1.0);
    }

    #[test]
    fn random_orders_above_the_limit_come_near() {
        let x: Vec<f64> = (0..10).map(|i| f64::from(i * i % 7)).collect();
        let y: Vec<f64> = (0..10).map(|i| f64::from(i % 5) + f64::from(i)).collect();
        let (exact, random) = (pair_p(&x, &y, 12, 10, 0), pair_p(&x, &y, 5, 40_000, 3));
        assert!((exact - random).abs() < 0.01, "{exact} {random}");
        assert_eq!(random, pair_p(&x, &y, 5, 40_000, 3));
    }
}
