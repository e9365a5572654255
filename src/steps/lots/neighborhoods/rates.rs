//! False discovery rates of single cells, by random orders of the readout over lots.

use ndarray::Array2;
use rayon::prelude::*;

use crate::math::correlation::dot;
use crate::math::design::Design;
use crate::math::rng::stream;

/// Cells per task.
const CHUNK: usize = 4096;
/// Steps of |r| in which cells are counted.
const BINS: usize = 500;

/// Correlations of each direction with the readout in random admissible orders (orders × directions).
pub(super) fn shuffled(directions: &[Vec<f64>], y: &[f64], design: &Design, n_orders: usize, seed: u64) -> Array2<f64> {
    let residuals = design.adjust(y).expect("the readout varies");
    let exchange = design.exchange();
    let mut order: Vec<usize> = (0..y.len()).collect();
    let mut rng = stream(seed, "neighborhoods", 0);
    let mut out = Array2::zeros((n_orders, directions.len()));
    for mut row in out.rows_mut() {
        exchange.shuffle(&mut order, &mut rng);
        let shuffled: Vec<f64> = order.iter().map(|&place| residuals[place]).collect();
        // Covariates are taken out of the shuffled residuals once more; nothing may be left.
        let Some(unit) = design.adjust(&shuffled) else { continue };
        row.iter_mut().zip(directions).for_each(|(r, u)| *r = dot(u, &unit));
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
/// found there; it never rises with |r|. `loadings`: cells × k, NaN where a cell takes no part.
pub(super) fn rates(own: &[f32], loadings: &[f64], null: &Array2<f64>, k: usize) -> Vec<f64> {
    let mut found = vec![0_u64; BINS + 1];
    own.iter().filter(|r| !r.is_nan()).for_each(|r| found[bin(f64::from(*r))] += 1);
    let by_chance = loadings
        .par_chunks(CHUNK * k)
        .map(|cells| {
            let mut counts = vec![0_u64; BINS + 1];
            for loading in cells.chunks_exact(k).filter(|loading| !loading[0].is_nan()) {
                for r in null.rows() {
                    let r: f64 = loading.iter().zip(r).map(|(a, b)| a * b).sum();
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
        // Two cells at |r| = 0.8 and 0.3; in two orders the directions have r 0.5 and −0.9.
        let loadings = [1.0, 0.5];
        let found = rates(&[0.8, 0.3], &loadings, &array![[0.5], [-0.9]], 1);
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
        // Within blocks of two only the signs change.
        let design = Design::new(&[0, 0, 1, 1], &[0; 4], &[]);
        let half = 0.5_f64.sqrt();
        let direction = vec![half, -half, 0.0, 0.0];
        let r = shuffled(&[direction], &[1.0, 3.0, 10.0, 14.0], &design, 50, 1);
        let expected = 1.0 / 5.0_f64.sqrt();
        assert!(r.iter().all(|r| (r.abs() - expected).abs() < 1e-12), "{r}");
        assert!(r.iter().any(|r| *r > 0.0) && r.iter().any(|r| *r < 0.0));
    }
}
