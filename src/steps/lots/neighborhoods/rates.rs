//! False discovery rates of single cells, by random orders of the readout over lots.

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use crate::math::design::Design;
use crate::math::rng::stream;

/// Cells per task.
const CHUNK: usize = 4096;
/// Steps of |r| in which cells are counted.
const BINS: usize = 500;

/// The readout in random admissible orders (orders × lots), each freed from blocks and covariates and of length 1.
pub(super) fn shuffled(y: &[f64], design: &Design, n_orders: usize, seed: u64) -> Array2<f64> {
    let residuals = design.adjust(y).expect("the readout varies");
    let exchange = design.exchange();
    // Values move along the sequence of the exchange, group by group, and then go to the places of that sequence.
    let sequence = exchange.sequence();
    let mut order = sequence.clone();
    let mut rng = stream(seed, "neighborhoods", 0);
    let mut out = Array2::zeros((n_orders, y.len()));
    for mut row in out.rows_mut() {
        exchange.shuffle(&mut order, &mut rng);
        let mut shuffled = vec![0.0; y.len()];
        sequence.iter().zip(&order).for_each(|(&place, &from)| shuffled[place] = residuals[from]);
        // Covariates are taken out of the shuffled residuals once more; nothing may be left.
        if let Some(unit) = design.adjust(&shuffled) {
            row.assign(&ArrayView1::from(&unit));
        }
    }
    out
}

/// The step of |r| that a correlation lies in.
pub(super) fn bin(r: f64) -> usize {
    ((r.abs() * BINS as f64) as usize).min(BINS)
}

/// The smallest |r| of a step.
pub(super) fn least_r(bin: usize) -> f64 {
    bin as f64 / BINS as f64
}

/// False discovery rate of cells at and above each step of |r|: cells there by chance, averaged over the orders, over cells
/// found there; it never rises with |r|. `standardized`: cells × lots, NaN where a cell takes no part.
pub(super) fn rates(own: &[f32], standardized: &[f64], null: &Array2<f64>) -> Vec<f64> {
    let n = null.ncols();
    let mut found = vec![0_u64; BINS + 1];
    own.iter().filter(|r| !r.is_nan()).for_each(|r| found[bin(f64::from(*r))] += 1);
    let by_chance = standardized
        .par_chunks(CHUNK * n)
        .map(|cells| {
            let mut counts = vec![0_u64; BINS + 1];
            for cell in cells.chunks_exact(n).filter(|cell| !cell[0].is_nan()) {
                for order in null.rows() {
                    let r: f64 = cell.iter().zip(order).map(|(a, b)| a * b).sum();
                    counts[bin(r)] += 1;
                }
            }
            counts
        })
        .reduce(
            || vec![0; BINS + 1],
            |mut a, b| {
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                a
            },
        );
    let above = |counts: Vec<u64>| {
        let mut sums = counts;
        (0..BINS).rev().for_each(|i| sums[i] += sums[i + 1]);
        sums
    };
    let (found, by_chance) = (above(found), above(by_chance));
    let mut smallest = 1.0_f64;
    found
        .into_iter()
        .zip(by_chance)
        .map(|(found, chance)| {
            if found > 0 {
                smallest = smallest.min(chance as f64 / null.nrows() as f64 / found as f64);
            }
            smallest
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rates_by_hand() {
        // Two cells at |r| = 0.8 and 0.3; two orders of one value, whatever a length of 1 would be.
        let found = rates(&[0.8, 0.3], &[1.0, 0.5], &array![[0.5], [-0.9]]);
        // By chance: 0.5 and 0.9 of the first cell, 0.25 and 0.45 of the second.
        assert_eq!(found[bin(0.0)], 1.0, "four of two orders over two cells");
        assert_eq!(found[bin(0.3)], 3.0 / 2.0 / 2.0);
        assert_eq!(found[bin(0.8)], 1.0 / 2.0);
        assert_eq!(found[bin(0.91)], 1.0 / 2.0, "nothing is found there, so the rate stays");
    }

    #[test]
    fn steps_of_r() {
        assert_eq!((bin(0.0), bin(-1.0), bin(1.0), bin(-0.4101)), (0, 500, 500, 205));
        assert_eq!(least_r(205), 0.41);
    }

    #[test]
    fn shuffled_directions_keep_to_blocks() {
        // Within blocks of two only the signs change: deviations ±1, ±2 over √10.
        let design = Design::new(&[0, 0, 1, 1], &[0; 4], &[]);
        let orders = shuffled(&[1.0, 3.0, 10.0, 14.0], &design, 50, 1);
        for order in orders.rows() {
            for (value, size) in order.iter().zip([1.0, 1.0, 2.0, 2.0]) {
                assert!((value.abs() - size / 10.0_f64.sqrt()).abs() < 1e-12, "{order}");
            }
            assert!((order[0] + order[1]).abs() < 1e-12 && (order[2] + order[3]).abs() < 1e-12);
        }
        assert!(orders.column(0).iter().any(|v| *v > 0.0) && orders.column(0).iter().any(|v| *v < 0.0));
    }

    #[test]
    fn blocks_need_not_stand_side_by_side() {
        // Deviations from the block means: −1, −2, 1, 2 over √10.
        let design = Design::new(&[0, 1, 0, 1], &[0; 4], &[]);
        let orders = shuffled(&[1.0, 10.0, 3.0, 14.0], &design, 50, 1);
        for order in orders.rows() {
            for (value, size) in order.iter().zip([1.0, 2.0, 1.0, 2.0]) {
                assert!((value.abs() - size / 10.0_f64.sqrt()).abs() < 1e-12, "{order}");
            }
            assert!((order[0] + order[2]).abs() < 1e-12 && (order[1] + order[3]).abs() < 1e-12);
        }
        assert!([0, 1].iter().all(|&k| orders.column(k).iter().any(|v| *v > 0.0)), "values change places");
    }
}
