//! The smallest p that a design can reach, whatever the data show.

use statrs::function::factorial::ln_factorial;

use super::correlation::dot;
use super::family::{Family, Tail};

/// Smallest permutation p that any pair of the family can reach when all admissible orders are looked at.
///
/// With Σ over groups that exchange, a correlation is largest where both sides rise together within every group, and
/// lowest where one falls as the other rises. With either tail the stronger of the two counts, and if both are equal (one
/// side symmetric about its mean, such as ranks, or pairs) the orders of both: 1 / orders or 2 / orders. Ties give more, as
/// orders that only exchange equal values are the same. With covariates or weights, where the strongest order can't be
/// named, it is the share of a single order that differs from all others. 1 where every pair has a constant side.
pub fn smallest_p(family: &Family) -> f64 {
    let of_one = (-family.n_distinct().ln()).exp();
    let of_pair = |pair: usize| match family.sides(pair) {
        None => 1.0,
        Some(None) => of_one,
        Some(Some((column, readout))) => strongest_share(family, column, readout),
    };
    (0..family.n_columns()).map(of_pair).fold(1.0, f64::min)
}

/// The share of orders with the strongest sum of products. Both sides along the sequence.
fn strongest_share(family: &Family, column: &[f64], readout: &[f64]) -> f64 {
    let (mut up, mut down, mut ln_up, mut ln_down) = (0.0, 0.0, 0.0, 0.0);
    let mut start = 0;
    for group in family.exchange().groups() {
        let sorted = |values: &[f64]| {
            let mut values = values[start..start + group.len()].to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        let (x, rising) = (sorted(column), sorted(readout));
        let falling: Vec<f64> = rising.iter().rev().copied().collect();
        up += dot(&x, &rising);
        down -= dot(&x, &falling);
        ln_up += ln_same_sum(&x, &rising);
        ln_down += ln_same_sum(&x, &falling);
        start += group.len();
    }
    let share = |ln: f64| (ln - family.exchange().ln_count()).exp();
    let p = match family.tail() {
        Tail::Upper | Tail::Lower => share(ln_up),
        Tail::Both if (up - down).abs() < family.tolerance() => share(ln_up) + share(ln_down),
        Tail::Both if up > down => share(ln_up),
        Tail::Both => share(ln_down),
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
    use crate::math::design::Design;
    use crate::math::family::Readout;

    fn alone(column: &[f64], readout: &[f64]) -> f64 {
        smallest_p(&Family::new(&[column.to_vec()], readout))
    }

    #[test]
    fn symmetry_and_ties_are_known() {
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
        let skewed = [0.0, 1.0, 3.0, 10.0];
        near(alone(&skewed, &[1.0, 2.0, 4.0, 9.0]), 1.0 / 24.0);
        near(alone(&skewed, &[4.0, 3.0, 1.0, 2.0]), 2.0 / 24.0);
        // Three equal values leave four orders that differ; one of them is best.
        near(alone(&skewed, &[5.0, 5.0, 0.0, 5.0]), 6.0 / 24.0);
        near(alone(&[1.0, 1.0, 0.0, 0.0], &[3.0, 3.0, 1.0, 1.0]), 8.0 / 24.0);
        assert_eq!(alone(&skewed, &[1.0; 4]), 1.0);
    }

    #[test]
    fn designs_reach_less() {
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
        let column = [0.0, 1.0, 3.0, 10.0, 4.0, 2.5];
        let readout = Readout { values: &[1.0, 2.0, 4.0, 9.0, 0.0, 5.0], weights: None };
        let p = |design: &Design, tail| smallest_p(&Family::of_columns(&[column.to_vec()], readout, design, tail));
        let pairs = Design::new(&[0, 0, 1, 1, 2, 2], &[0; 6], &[]);
        near(p(&pairs, Tail::Both), 2.0 / 8.0);
        near(p(&pairs, Tail::Lower), 1.0 / 8.0);
        near(p(&Design::free(6), Tail::Upper), 1.0 / 720.0);
        let covariate = Design::new(&[0; 6], &[0; 6], &[vec![1.0, 0.0, 1.0, 0.0, 1.0, 1.0]]);
        near(p(&covariate, Tail::Both), 1.0 / 720.0);
    }
}
