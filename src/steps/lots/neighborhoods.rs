//! Neighbourhoods: how much of each lot lies around each cell, without clusters; and whether a readout goes with it.
//!
//! **Question.** Do lots of high potency have more cells in some region of the map, wherever clusters were cut?
//!
//! **Method.** Covarying neighbourhood analysis. Each cell is the anchor of a neighbourhood. The cells of each lot walk on
//! the graph of neighbours (an edge by its weight, staying with weight 1); what arrives at a cell, over the lot's cells, is
//! the lot's abundance there. The walk ends at the first step, from the third on, at which the median over cells of the
//! excess kurtosis over lots has fallen by less than 3. Association with a readout: [`neighborhood_association`].
//!
//! **Shapes.** Graph of cells and a lot per cell → cells × lots → one p per readout, one correlation per cell.
//!
//! **Beside other tools.** scanpy and Seurat have no such step; the authors have a Python package. There orders are always
//! drawn at random; here all orders are looked at where lots are few, and the draws are fixed by the seed elsewhere.
//!
//! **References.** Reshef 2022, doi:10.1038/s41587-021-01066-4.

pub mod association;
mod rates;

pub use association::{CalledCells, NeighborhoodAssociation, neighborhood_association};

use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math::graph::Graph;
use crate::math::kurtosis::excess_kurtosis;
use crate::math::quantile::median;
use crate::math::random_walk::Walk;

/// The walk has at least so many steps.
const MIN_STEPS: usize = 3;
/// The walk ends when the median kurtosis falls by less than this.
const MIN_FALL: f64 = 3.0;

/// Parameters of [`neighborhoods`] and [`neighborhood_association`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeighborhoodsParams {
    /// Off = no neighbourhoods.
    pub enabled: bool,
    /// Steps of the walk at most, at least 1; more make neighbourhoods wider. Default 15, the authors'. With few lots the
    /// walk ends after 3.
    pub max_steps: usize,
    /// Column of the sheet that names batches; empty (default) = each lot is one. A neighbourhood that one batch all but
    /// owns says nothing of the readout and is left out.
    pub batch: String,
    /// A neighbourhood is left out when the excess kurtosis of its mean abundance over batches is above this, and above
    /// twice the median of all neighbourhoods; `inf` leaves none out. Default 6, the authors'; one batch alone has 6.1 of 11.
    pub max_kurtosis: f64,
    /// Random orders that the false discovery rate of single cells is computed from, at least 99. Default 1,000.
    pub n_local: usize,
    /// False discovery rate at which a cell is called, between 0 and 1. Default 0.05, by custom.
    pub max_fdr: f64,
}

impl Default for NeighborhoodsParams {
    fn default() -> Self {
        Self { enabled: true, max_steps: 15, batch: String::new(), max_kurtosis: 6.0, n_local: 1000, max_fdr: 0.05 }
    }
}

impl NeighborhoodsParams {
    fn check(&self) -> Result<()> {
        if self.max_steps == 0 {
            return Err(Error::param("neighborhoods.max_steps", self.max_steps, "at least 1"));
        }
        if self.max_kurtosis.is_nan() {
            return Err(Error::param("neighborhoods.max_kurtosis", self.max_kurtosis, "a number, or inf"));
        }
        if self.n_local < 99 {
            return Err(Error::param("neighborhoods.n_local", self.n_local, "at least 99"));
        }
        if !(self.max_fdr > 0.0 && self.max_fdr < 1.0) {
            return Err(Error::param("neighborhoods.max_fdr", self.max_fdr, "a number between 0 and 1"));
        }
        Ok(())
    }
}

/// Result of [`neighborhoods`].
#[derive(Debug, Clone, PartialEq)]
pub struct Neighborhoods {
    /// Cells × lots: abundance of the lot around the cell, 1 = as much as on average over all cells; NaN for a lot without
    /// cells.
    pub abundance: Array2<f32>,
    /// After each step of the walk, the median over cells of the excess kurtosis over lots.
    pub kurtosis: Vec<f64>,
}

/// Lets the cells of each lot walk on the graph.
///
/// # Errors
/// A parameter is out of range.
pub fn neighborhoods(
    graph: &Graph,
    lot_of_cell: &[u32],
    n_lots: usize,
    params: &NeighborhoodsParams,
) -> Result<Neighborhoods> {
    params.check()?;
    let n_cells = lot_of_cell.len();
    assert_eq!(graph.n_nodes(), n_cells, "one node per cell");
    let mut size = vec![0_u64; n_lots];
    lot_of_cell.iter().for_each(|&lot| size[lot as usize] += 1);
    // Each lot starts with the mass of all cells, evenly on its own.
    let mut mass = vec![0.0_f32; n_cells * n_lots];
    for (cell, &lot) in lot_of_cell.iter().enumerate() {
        mass[cell * n_lots + lot as usize] = (n_cells as f64 / size[lot as usize] as f64) as f32;
    }
    let walk = Walk::new(graph);
    let mut kurtosis = Vec::new();
    let mut before = f64::INFINITY;
    for step in 1..=params.max_steps {
        mass = walk.step(&mass, n_lots);
        let now = median_kurtosis(&mass, n_lots, &size);
        kurtosis.push(now);
        // Where no cell differs over lots there is nothing to wait for: NaN ends the walk too.
        let falls = before - now >= MIN_FALL;
        if step >= MIN_STEPS && !falls {
            break;
        }
        before = now;
    }
    let mut abundance = Array2::from_shape_vec((n_cells, n_lots), mass).expect("cells × lots");
    for (lot, _) in size.iter().enumerate().filter(|(_, n)| **n == 0) {
        abundance.column_mut(lot).fill(f32::NAN);
    }
    Ok(Neighborhoods { abundance, kurtosis })
}

/// Over the lots that have cells; cells that do not differ over lots have no kurtosis.
fn median_kurtosis(mass: &[f32], n_lots: usize, size: &[u64]) -> f64 {
    if n_lots == 0 {
        return f64::NAN;
    }
    let of_cell = |row: &[f32]| {
        let present: Vec<f64> = row.iter().zip(size).filter(|(_, n)| **n > 0).map(|(v, _)| f64::from(*v)).collect();
        excess_kurtosis(&present)
    };
    let all: Vec<f64> = mass.par_chunks_exact(n_lots).map(of_cell).collect();
    median(&mut all.into_iter().filter(|k| !k.is_nan()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pairs of cells, each pair joined by weight 1.
    fn pairs() -> Graph {
        Graph { starts: vec![0, 1, 2, 3, 4], targets: vec![1, 0, 3, 2], weights: vec![1.0; 4] }
    }

    #[test]
    fn abundance_by_hand() {
        let found = neighborhoods(&pairs(), &[0, 0, 0, 1], 3, &NeighborhoodsParams::default()).unwrap();
        // Lot 0 has three cells of four, lot 1 one: a pair is mixed evenly after each step.
        let expected = [[4.0 / 3.0, 0.0], [4.0 / 3.0, 0.0], [2.0 / 3.0, 2.0], [2.0 / 3.0, 2.0]];
        for (row, expected) in found.abundance.rows().into_iter().zip(expected) {
            assert!((f64::from(row[0]) - expected[0]).abs() < 1e-6 && (f64::from(row[1]) - expected[1]).abs() < 1e-6);
            assert!(row[2].is_nan(), "a lot without cells");
        }
        assert_eq!(found.kurtosis.len(), 3, "the walk ends at the third step");
        // Two values always have the kurtosis −2.
        assert!(found.kurtosis.iter().all(|k| (k + 2.0).abs() < 1e-12));
    }

    #[test]
    fn the_walk_goes_on_while_kurtosis_falls() {
        // A ring of lots: each cell's neighbours belong to the next lots, so that abundance widens step by step.
        let n = 60_u32;
        let mut graph = Graph { starts: vec![0], targets: Vec::new(), weights: Vec::new() };
        for i in 0..n {
            let mut ends = [(i + 1) % n, (i + n - 1) % n];
            ends.sort_unstable();
            graph.targets.extend(ends);
            graph.weights.extend([1.0; 2]);
            graph.starts.push(graph.targets.len());
        }
        let lots: Vec<u32> = (0..n).collect();
        let found = neighborhoods(&graph, &lots, 60, &NeighborhoodsParams::default()).unwrap();
        let falls: Vec<f64> = found.kurtosis.windows(2).map(|w| w[0] - w[1]).collect();
        let n_steps = found.kurtosis.len();
        assert!(n_steps > 3 && n_steps < 15, "{:?}", found.kurtosis);
        assert!(falls[1..n_steps - 2].iter().all(|f| *f >= 3.0) && falls[n_steps - 2] < 3.0, "{falls:?}");
        let short = NeighborhoodsParams { max_steps: 2, ..Default::default() };
        assert_eq!(neighborhoods(&graph, &lots, 60, &short).unwrap().kurtosis, found.kurtosis[..2]);
    }

    #[test]
    fn one_lot_and_no_cells() {
        let one = neighborhoods(&pairs(), &[0; 4], 1, &NeighborhoodsParams::default()).unwrap();
        assert!(one.abundance.iter().all(|v| (v - 1.0).abs() < 1e-6) && one.kurtosis[0].is_nan());
        let empty = Graph { starts: vec![0], targets: Vec::new(), weights: Vec::new() };
        assert_eq!(neighborhoods(&empty, &[], 2, &NeighborhoodsParams::default()).unwrap().abundance.dim(), (0, 2));
    }

    #[test]
    fn same_for_one_and_two_threads() {
        let n = 5000_u32;
        let mut graph = Graph { starts: vec![0], targets: Vec::new(), weights: Vec::new() };
        for i in 0..n {
            let mut ends = vec![(i + 1) % n, (i + n - 1) % n, (i + n / 2) % n];
            ends.sort_unstable();
            graph.targets.extend(&ends);
            graph.weights.extend(ends.iter().map(|&j| 1.0 / (1 + (i + j) % 7) as f32));
            graph.starts.push(graph.targets.len());
        }
        let lots: Vec<u32> = (0..n).map(|i| i * i % 11).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| neighborhoods(&graph, &lots, 11, &NeighborhoodsParams::default()).unwrap())
        };
        let (one, two) = (run(1), run(2));
        assert!(one.abundance.iter().zip(&two.abundance).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert_eq!(one.kurtosis, two.kurtosis);
    }

    #[test]
    fn parameters_are_checked() {
        let base = NeighborhoodsParams::default();
        for params in [
            NeighborhoodsParams { max_steps: 0, ..base.clone() },
            NeighborhoodsParams { max_kurtosis: f64::NAN, ..base.clone() },
            NeighborhoodsParams { n_local: 10, ..base.clone() },
            NeighborhoodsParams { max_fdr: 1.0, ..base },
        ] {
            let error = neighborhoods(&pairs(), &[0; 4], 1, &params).unwrap_err();
            assert!(error.to_string().contains("neighborhoods."), "{error}");
        }
    }
}
