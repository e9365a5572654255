//! Deviation: how far each lot lies from the population of the others.
//!
//! **Question.** Is there a lot that is unlike the others, in what it is made of or in the cells themselves?
//!
//! **Method.** Each lot is held against the others, each of which counts once, however many cells it has.
//! - Jensen–Shannon distance √((KL(p‖m) + KL(q‖m)) / 2) in base 2, m = (p + q) / 2, of the lot's shares p and the mean
//!   shares q of the others: 0 (alike) to 1 (no cluster in common);
//! - Aitchison distance ‖clr p − clr q‖ of the same with half a cell added to each cluster: ratios, so rare clusters count;
//! - energy distance √(2 E|X − Y| − E|X − X′| − E|Y − Y′|) of the cells in component space. Above `max_cells` it is
//!   estimated from as many cells drawn from each lot, without bias in the square, and its standard error is given.
//!
//! Place: the logarithm of a lot's distance against those of the other lots' distances: rank, robust z (median and MAD of
//! the others), and the limit at z = `n_mads`. A lot above a limit is named in a warning.
//!
//! **Shapes.** Lots × clusters of counts, cells × components and a lot per cell → one row per lot.
//!
//! **Beside other tools.** scanpy and Seurat have no such step.
//!
//! **References.** Lin 1991, doi:10.1109/18.61115; Aitchison 1982, doi:10.1111/j.2517-6161.1982.tb01195.x; Székely & Rizzo
//! 2013, doi:10.1016/j.jspi.2013.03.018 (energy distance); Leys 2013, doi:10.1016/j.jesp.2013.03.013 (MAD).

mod population;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
pub use population::{Population, limit_of};
use rand::seq::index::sample;
use serde::{Deserialize, Serialize};

use super::Composition;
use crate::error::{Error, Result};
use crate::math::pair_distances::distance_sums;
use crate::math::quantile::{MAD_TO_SD, median_and_mad};
use crate::math::rng::stream;
use crate::warning::Warning;

/// Parameters of [`deviation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviationParams {
    /// Cells that the energy distance is computed from, at most, an equal number of each lot; 0 = all. More make it more
    /// exact, and its time grows with the square. Default 20,000: a few seconds, and an error well below the differences
    /// between lots.
    pub max_cells: usize,
    /// A lot is outlying above the others' median by this many scaled median absolute deviations of the logarithm of their
    /// distances; above 0. Raising it names fewer lots. Default 5: among 11 alike lots (simulated, 8 clusters) some lot is
    /// then named in about one of 20 data sets.
    pub n_mads: f64,
    /// With fewer lots none is named outlying; at least 4. Default 8: the spread of fewer is too uncertain.
    pub min_lots: usize,
}

impl Default for DeviationParams {
    fn default() -> Self {
        Self { max_cells: 20_000, n_mads: 5.0, min_lots: 8 }
    }
}

impl DeviationParams {
    fn check(&self) -> Result<()> {
        if !(self.n_mads > 0.0 && self.n_mads.is_finite()) {
            return Err(Error::param("deviation.n_mads", self.n_mads, "a number above 0"));
        }
        if self.min_lots < 4 {
            return Err(Error::param("deviation.min_lots", self.min_lots, "at least 4"));
        }
        Ok(())
    }
}

/// A distance of a lot from the others, and its place among the lots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// The distance; NaN for a lot without cells, or without others.
    pub value: f64,
    /// Place among the lots: 1 is the farthest; 0 where there is no distance.
    pub rank: usize,
    /// Robust z of its logarithm among those of the other lots; NaN with fewer than three others or where they are equal.
    pub z: f64,
    /// The distance at which z would be `n_mads`.
    pub limit: f64,
}

/// One lot.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviationRow {
    /// Lot name.
    pub lot: String,
    /// Jensen–Shannon distance of its composition, 0 to 1.
    pub jensen_shannon: Distance,
    /// Aitchison distance of its composition.
    pub aitchison: Distance,
    /// Energy distance of its cells, in the units of the components.
    pub energy: Distance,
    /// Standard error of the energy distance from drawing cells; 0 if all were used.
    pub energy_error: f64,
    /// Above a limit.
    pub outlying: bool,
}

/// Result of [`deviation`].
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// One per lot.
    pub rows: Vec<DeviationRow>,
    /// Outlying lots.
    pub warnings: Vec<Warning>,
}

/// Measures each lot against the others. `embedding` is cells × components, cells lot after lot as in `lot_of_cell`.
///
/// # Errors
/// A parameter is out of range.
pub fn deviation(
    composition: &Composition,
    embedding: ArrayView2<'_, f32>,
    lot_of_cell: &[u32],
    params: &DeviationParams,
    seed: u64,
) -> Result<Deviation> {
    params.check()?;
    assert_eq!(embedding.nrows(), lot_of_cell.len(), "one lot per cell");
    assert!(lot_of_cell.is_sorted(), "cells lie lot after lot");
    let n_lots = composition.lots.len();
    let present: Vec<usize> = (0..n_lots).filter(|&lot| composition.n_total[lot] > 0).collect();
    let (shannon, aitchison) = compositions(composition, &present);
    let energy = energy_distances(embedding, lot_of_cell, n_lots, params.max_cells, seed);
    let energies: Vec<f64> = energy.iter().map(|e| e.0).collect();
    let [shannon, aitchison, energies] = [shannon, aitchison, energies].map(|values| places(&values, params));
    let may_name = present.len() >= params.min_lots;
    let rows: Vec<DeviationRow> = (0..n_lots)
        .map(|lot| {
            let above = |distance: &Distance| distance.z > params.n_mads;
            DeviationRow {
                lot: composition.lots[lot].clone(),
                jensen_shannon: shannon[lot],
                aitchison: aitchison[lot],
                energy: energies[lot],
                energy_error: energy[lot].1,
                outlying: may_name && [&shannon, &aitchison, &energies].iter().any(|d| above(&d[lot])),
            }
        })
        .collect();
    let warnings = rows.iter().filter(|row| row.outlying).map(|row| warn(row, params)).collect();
    Ok(Deviation { rows, warnings })
}

fn warn(row: &DeviationRow, params: &DeviationParams) -> Warning {
    let named = [
        ("Jensen–Shannon distance", row.jensen_shannon),
        ("Aitchison distance", row.aitchison),
        ("energy distance", row.energy),
    ];
    let above = named.into_iter().filter(|(_, distance)| distance.z > params.n_mads);
    let (measure, farthest) = above.max_by(|a, b| a.1.z.total_cmp(&b.1.z)).expect("an outlying lot is above a limit");
    Warning::OutlyingLot {
        lot: row.lot.clone(),
        measure: measure.into(),
        value: farthest.value,
        limit: farthest.limit,
        z: farthest.z,
    }
}

/// Jensen–Shannon and Aitchison distance of each lot from the mean of the other present lots.
fn compositions(composition: &Composition, present: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let n_lots = composition.lots.len();
    let mut found = (vec![f64::NAN; n_lots], vec![f64::NAN; n_lots]);
    if present.len() < 2 {
        return found;
    }
    for &lot in present {
        let others: Vec<usize> = present.iter().copied().filter(|&other| other != lot).collect();
        let mean = MeanShares::new(&composition.n_cells, &others);
        (found.0[lot], found.1[lot]) = mean.distances(composition.n_cells.row(lot));
    }
    found
}

/// What lots are made of on average, each counting once.
#[derive(Debug, Clone, PartialEq)]
struct MeanShares {
    plain: Vec<f64>,
    /// With half a cell added to each cluster.
    added: Vec<f64>,
}

impl MeanShares {
    /// Of these lots (rows of lots × clusters), which have cells.
    fn new(n_cells: &Array2<u64>, lots: &[usize]) -> Self {
        let mean = |added: f64| {
            let mut mean = vec![0.0; n_cells.ncols()];
            for &lot in lots {
                mean.iter_mut().zip(shares(n_cells.row(lot), added)).for_each(|(sum, share)| *sum += share);
            }
            mean.iter_mut().for_each(|sum| *sum /= lots.len() as f64);
            mean
        };
        Self { plain: mean(0.0), added: mean(0.5) }
    }

    /// Jensen–Shannon and Aitchison distance of a lot of so many cells per cluster.
    fn distances(&self, n_cells: ArrayView1<'_, u64>) -> (f64, f64) {
        (jensen_shannon(&shares(n_cells, 0.0), &self.plain), aitchison(&shares(n_cells, 0.5), &self.added))
    }
}

fn shares(n_cells: ArrayView1<'_, u64>, added: f64) -> Vec<f64> {
    let total = n_cells.sum() as f64 + added * n_cells.len() as f64;
    n_cells.iter().map(|&n| (n as f64 + added) / total).collect()
}

/// In base 2, so that it lies between 0 and 1.
fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    let divergence = |a: f64, b: f64| if a > 0.0 { a * (2.0 * a / (a + b)).log2() } else { 0.0 };
    let sum: f64 = p.iter().zip(q).map(|(&p, &q)| divergence(p, q) + divergence(q, p)).sum();
    (sum / 2.0).clamp(0.0, 1.0).sqrt()
}

/// Both without zeros.
fn aitchison(p: &[f64], q: &[f64]) -> f64 {
    let ratios: Vec<f64> = p.iter().zip(q).map(|(p, q)| (p / q).ln()).collect();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>().sqrt()
}

/// Energy distance of each lot's cells from those of the other lots, and its standard error from drawing cells.
fn energy_distances(
    embedding: ArrayView2<'_, f32>,
    lot_of_cell: &[u32],
    n_lots: usize,
    max_cells: usize,
    seed: u64,
) -> Vec<(f64, f64)> {
    let mut n_cells = vec![0_usize; n_lots];
    lot_of_cell.iter().for_each(|&lot| n_cells[lot as usize] += 1);
    let present: Vec<usize> = (0..n_lots).filter(|&lot| n_cells[lot] > 0).collect();
    let mut out = vec![(f64::NAN, f64::NAN); n_lots];
    if present.len() < 2 {
        return out;
    }
    // At least two cells of a lot, where it has them: one has no distance to another.
    let per_lot = if max_cells == 0 { usize::MAX } else { (max_cells / present.len()).max(2) };
    let (cells, sizes) = drawn(&n_cells, per_lot, seed);
    let sums = distance_sums(embedding.select(Axis(0), &cells).view(), &sizes);
    let distances = LotDistances::new(&sums, &sizes, &n_cells);
    for &lot in &present {
        out[lot] = distances.energy(lot, &present);
    }
    out
}

/// Up to `per_lot` cells of each lot, and their number.
fn drawn(n_cells: &[usize], per_lot: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let (mut cells, mut sizes, mut start) = (Vec::new(), Vec::new(), 0);
    for (lot, &n) in n_cells.iter().enumerate() {
        let drawn = n.min(per_lot);
        if drawn < n {
            let mut picked = sample(&mut stream(seed, "deviation", lot as u64), n, drawn).into_vec();
            picked.sort_unstable();
            cells.extend(picked.into_iter().map(|i| start + i));
        } else {
            cells.extend(start..start + n);
        }
        sizes.push(drawn);
        start += n;
    }
    (cells, sizes)
}

/// Mean distances between the cells of lots.
struct LotDistances<'a> {
    sizes: &'a [usize],
    n_cells: &'a [usize],
    /// Cells drawn × lots: mean distance of the cell to the cells of the lot, itself not counted.
    of_cell: Array2<f64>,
    /// Lots × lots: as if all cells had been used.
    of_lot: Array2<f64>,
}

impl<'a> LotDistances<'a> {
    fn new(sums: &Array2<f64>, sizes: &'a [usize], n_cells: &'a [usize]) -> Self {
        let n_lots = sizes.len();
        let mut of_cell = sums.clone();
        let mut of_lot = Array2::<f64>::zeros((n_lots, n_lots));
        let mut start = 0;
        for (lot, &size) in sizes.iter().enumerate() {
            for cell in start..start + size {
                for other in 0..n_lots {
                    let n = if other == lot { size.saturating_sub(1) } else { sizes[other] };
                    of_cell[[cell, other]] /= n.max(1) as f64;
                    of_lot[[lot, other]] += of_cell[[cell, other]] / size as f64;
                }
            }
            // The energy distance is defined with the zero distances of cells to themselves.
            of_lot[[lot, lot]] *= (n_cells[lot].saturating_sub(1)) as f64 / n_cells[lot].max(1) as f64;
            start += size;
        }
        Self { sizes, n_cells, of_cell, of_lot }
    }

    /// With weight 1 for the lot and −1 / (others) for each other, the square is −Σ weight · weight · mean distance.
    fn energy(&self, lot: usize, present: &[usize]) -> (f64, f64) {
        let mut weights = vec![0.0; self.sizes.len()];
        for &other in present {
            weights[other] = if other == lot { 1.0 } else { -1.0 / (present.len() - 1) as f64 };
        }
        let mut square = 0.0;
        for &a in present {
            for &b in present {
                square -= weights[a] * weights[b] * self.of_lot[[a, b]];
            }
        }
        // First-order error of a statistic of pairs: twice the mean of a cell's own part, drawn without replacement.
        let (mut variance, mut start) = (0.0, 0);
        for (a, &size) in self.sizes.iter().enumerate() {
            let rows = start..start + size;
            start += size;
            let left_out = 1.0 - size as f64 / self.n_cells[a].max(1) as f64;
            if size < 2 || left_out <= 0.0 {
                continue;
            }
            let parts: Vec<f64> = rows
                .map(|cell| {
                    2.0 * weights[a] * present.iter().map(|&b| weights[b] * self.of_cell[[cell, b]]).sum::<f64>()
                })
                .collect();
            let mean = parts.iter().sum::<f64>() / size as f64;
            let spread = parts.iter().map(|part| (part - mean).powi(2)).sum::<f64>() / (size - 1) as f64;
            variance += left_out * spread / size as f64;
        }
        let value = square.max(0.0).sqrt();
        // The error of a root is that of its square over twice the root, and never above the root of that error.
        let error = variance.sqrt();
        (value, if error > 0.0 { (error / (2.0 * value)).min(error.sqrt()) } else { 0.0 })
    }
}

/// Each distance among those of the other lots.
fn places(values: &[f64], params: &DeviationParams) -> Vec<Distance> {
    let place = |(lot, &value): (usize, &f64)| {
        let rank = if value.is_nan() { 0 } else { 1 + values.iter().filter(|other| **other > value).count() };
        let others = values.iter().enumerate().filter(|(other, v)| *other != lot && !v.is_nan());
        let mut logs: Vec<f64> = others.map(|(_, v)| v.ln()).collect();
        if logs.len() < 3 {
            return Distance { value, rank, z: f64::NAN, limit: f64::NAN };
        }
        let (z, limit) = match middle_and_spread(&mut logs) {
            Some((middle, spread)) => ((value.ln() - middle) / spread, (middle + params.n_mads * spread).exp()),
            None => (f64::NAN, f64::NAN),
        };
        Distance { value, rank, z, limit }
    };
    values.iter().enumerate().map(place).collect()
}

/// Median and scaled MAD of logarithms; `None` where they do not differ, or some distance is 0: then there is nothing to
/// measure by.
fn middle_and_spread(logs: &mut [f64]) -> Option<(f64, f64)> {
    let (middle, mad) = median_and_mad(logs);
    let spread = MAD_TO_SD * mad;
    (spread > 0.0 && spread.is_finite() && middle.is_finite()).then_some((middle, spread))
}

#[cfg(test)]
mod tests;
