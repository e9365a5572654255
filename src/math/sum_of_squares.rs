//! Permutation p of the share of variance that several directions explain together.

use super::family::Family;
use super::permutations::{LANES, Lanes, Orders, Tally, tally};

/// The share of orders in which the sum of the squared correlations of the family is at least the observed one.
///
/// ```
/// use cqa::math::{family::Family, permutations::Orders, sum_of_squares::p_of_sum_of_squares};
/// let family = Family::new(&[vec![1.0, 2.0, 3.0, 4.0]], &[2.0, 4.0, 6.0, 8.0]);
/// assert_eq!(p_of_sum_of_squares(&family, Orders::All), 2.0 / 24.0);
/// ```
pub fn p_of_sum_of_squares(family: &Family, orders: Orders) -> f64 {
    let observed: f64 = family.correlations().iter().map(|r| r * r).sum();
    let empty = Reaches { limit: observed - family.tolerance(), reached: [0; LANES] };
    tally(family, orders, &empty, &|_| ())[0] as f64 / orders.count(family) as f64
}

#[derive(Clone)]
struct Reaches {
    limit: f64,
    reached: [u64; LANES],
}

impl Tally for Reaches {
    #[inline]
    fn see(&mut self, correlations: &[Lanes]) {
        let mut sum = [0.0; LANES];
        for r in correlations {
            for lane in 0..LANES {
                sum[lane] += r[lane] * r[lane];
            }
        }
        self.reached.iter_mut().zip(sum).for_each(|(reached, sum)| *reached += u64::from(sum >= self.limit));
    }

    fn counts(&self, lanes: usize) -> Vec<u64> {
        vec![self.reached[..lanes].iter().sum()]
    }
}
