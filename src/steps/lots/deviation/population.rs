//! A lot held against lots that do not change.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rand::seq::index::sample;

use super::{LotDistances, MeanShares, drawn, middle_and_spread};
use crate::math::pair_distances::{distance_sums, distance_sums_between};
use crate::math::rng::stream;

/// Lots that others are held against, each of which counts once.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    shares: MeanShares,
    /// Cells drawn, lot after lot.
    cells: Array2<f32>,
    /// Cells drawn of each lot that has any.
    sizes: Vec<usize>,
    /// Mean distance between two cells of the lots.
    within: f64,
}

impl Population {
    /// From lots × clusters of counts, and the cells in component space with the lot of each (lot after lot). Up to `per_lot`
    /// cells are drawn of each lot. `None` if no lot has cells.
    pub fn new(
        n_cells: &Array2<u64>,
        embedding: ArrayView2<'_, f32>,
        lot_of_cell: &[u32],
        per_lot: usize,
        seed: u64,
    ) -> Option<Self> {
        assert_eq!(embedding.nrows(), lot_of_cell.len(), "one lot per cell");
        assert!(lot_of_cell.is_sorted(), "cells lie lot after lot");
        let mut of_lot = vec![0_usize; n_cells.nrows()];
        lot_of_cell.iter().for_each(|&lot| of_lot[lot as usize] += 1);
        let present: Vec<usize> = (0..of_lot.len()).filter(|&lot| n_cells.row(lot).sum() > 0).collect();
        if present.is_empty() {
            return None;
        }
        let (cells, sizes) = drawn(&of_lot, per_lot, seed);
        let cells = embedding.select(Axis(0), &cells);
        let sums = distance_sums(cells.view(), &sizes);
        let distances = LotDistances::new(&sums, &sizes, &of_lot);
        let with_cells: Vec<usize> = (0..sizes.len()).filter(|&lot| sizes[lot] > 0).collect();
        let pairs = with_cells.iter().flat_map(|&a| with_cells.iter().map(move |&b| (a, b)));
        let within = pairs.map(|(a, b)| distances.of_lot[[a, b]]).sum::<f64>() / (with_cells.len() as f64).powi(2);
        let sizes = sizes.into_iter().filter(|&size| size > 0).collect();
        Some(Self { shares: MeanShares::new(n_cells, &present), cells, sizes, within })
    }

    /// Jensen–Shannon and Aitchison distance of a lot of so many cells per cluster; NaN without cells.
    pub fn composition_distances(&self, n_cells: ArrayView1<'_, u64>) -> (f64, f64) {
        if n_cells.sum() == 0 { (f64::NAN, f64::NAN) } else { self.shares.distances(n_cells) }
    }

    /// Energy distance of the cells of a lot, up to `max_cells` of them drawn; NaN without cells.
    pub fn energy(&self, cells: ArrayView2<'_, f32>, max_cells: usize, seed: u64) -> f64 {
        let n = cells.nrows();
        if n == 0 {
            return f64::NAN;
        }
        let mut picked: Vec<usize> = (0..n).collect();
        if max_cells < n {
            picked = sample(&mut stream(seed, "energy of a new lot", 0), n, max_cells).into_vec();
            picked.sort_unstable();
        }
        let drawn = cells.select(Axis(0), &picked);
        let size = picked.len() as f64;
        let sums = distance_sums_between(drawn.view(), self.cells.view(), &self.sizes);
        let across: f64 = sums
            .columns()
            .into_iter()
            .zip(&self.sizes)
            .map(|(sums, &of_lot)| sums.sum() / (size * of_lot as f64))
            .sum::<f64>()
            / self.sizes.len() as f64;
        let own = distance_sums(drawn.view(), &[picked.len()]).sum();
        // As if all cells had been used: pairs of different cells, and the zero distances of cells to themselves.
        let within = own / (size * (size - 1.0).max(1.0)) * (n - 1) as f64 / n as f64;
        (2.0 * across - within - self.within).max(0.0).sqrt()
    }
}

/// The limit that distances of alike lots set for a further one: the median of their logarithms and `n_mads` scaled median
/// absolute deviations above it. NaN with fewer than three, or where they do not differ.
pub fn limit_of(distances: &[f64], n_mads: f64) -> f64 {
    let mut logs: Vec<f64> = distances.iter().filter(|d| !d.is_nan()).map(|d| d.ln()).collect();
    if logs.len() < 3 {
        return f64::NAN;
    }
    middle_and_spread(&mut logs).map_or(f64::NAN, |(middle, spread)| (middle + n_mads * spread).exp())
}

#[cfg(test)]
mod tests {
    use super::super::{DeviationParams, compositions, deviation, energy_distances};
    use super::*;
    use crate::steps::lots::{CompositionParams, composition};

    #[test]
    fn a_lot_is_as_far_as_in_the_deviation_of_all() {
        let lot_of_cell: Vec<u32> = [vec![0; 30], vec![1; 50], vec![2; 20]].concat();
        let labels: Vec<u32> = (0..100).map(|i| (i * i % 7 % 3) as u32).collect();
        let cells = Array2::from_shape_fn((100, 2), |(i, j)| ((i * 37 + j * 11) % 23) as f32);
        let names = ["a", "b", "c"].map(String::from);
        let c = composition(&labels, 3, &lot_of_cell, &names, &CompositionParams::default()).unwrap();
        // The last lot against the first two.
        let others = c.n_cells.slice(ndarray::s![..2, ..]).to_owned();
        let population =
            Population::new(&others, cells.slice(ndarray::s![..80, ..]), &lot_of_cell[..80], 1000, 0).unwrap();
        let (shannon, aitchison) = compositions(&c, &[0, 1, 2]);
        let found = population.composition_distances(c.n_cells.row(2));
        assert!((found.0 - shannon[2]).abs() < 1e-14 && (found.1 - aitchison[2]).abs() < 1e-14);
        let energy = energy_distances(cells.view(), &lot_of_cell, 3, 0, 0)[2].0;
        let own = cells.slice(ndarray::s![80.., ..]);
        assert!((population.energy(own, 1000, 0) - energy).abs() < 1e-6);
        assert!(population.energy(own.slice(ndarray::s![..0, ..]), 10, 0).is_nan());
        assert!(Population::new(&Array2::zeros((2, 3)), own.slice(ndarray::s![..0, ..]), &[], 10, 0).is_none());
    }

    #[test]
    fn the_limit_is_that_of_the_deviation() {
        let lot_of_cell: Vec<u32> = (0..9).flat_map(|lot| vec![lot; 40]).collect();
        let labels: Vec<u32> = (0..360).map(|i: u32| (i * i + i / 40 * 3) % 11 % 4).collect();
        let cells = Array2::from_shape_fn((360, 2), |(i, j)| ((i * 7 + j * 3) % 11) as f32 + (i / 40) as f32);
        let names: Vec<String> = (0..9).map(|i| i.to_string()).collect();
        let c = composition(&labels, 4, &lot_of_cell, &names, &CompositionParams::default()).unwrap();
        let all = deviation(&c, cells.view(), &lot_of_cell, &DeviationParams::default(), 0).unwrap();
        let others: Vec<f64> = all.rows[1..].iter().map(|row| row.aitchison.value).collect();
        assert_eq!(limit_of(&others, 5.0), all.rows[0].aitchison.limit);
        assert!(limit_of(&[1.0, 2.0], 5.0).is_nan() && limit_of(&[1.0, 1.0, 1.0], 5.0).is_nan());
    }
}
