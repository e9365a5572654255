//! A locked reference in memory: everything that places new lots, and nothing that moves.

use ndarray::{Array2, ArrayView2, Axis};

use crate::data::{Genes, LotSheet};
use crate::error::{Error, Result};
use crate::pipeline::Params;
use crate::steps::lots::Population;
use crate::steps::markers::{GatedShare, Panel};
use crate::steps::process::mapping::energy_cells_of_lot;
use crate::steps::process::{
    Calibration, Frame, HeldOut, Judge, LotLimits, Placed, PotencyModel, PotencySummary, ReferenceSummary,
};

/// Cells that the energy distance of a new lot is measured from, some of each reference lot.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Cells × components, lot after lot.
    pub points: Array2<f32>,
    /// Lot of each cell.
    pub lot: Vec<u32>,
}

/// A locked reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Parameters of the run, and of mapping.
    pub params: Params,
    /// SHA-256 of the whole reference; empty until it lies on disk.
    pub hash: String,
    /// Version of the program that froze it.
    pub version: String,
    /// Lots with their readouts.
    pub sheet: LotSheet,
    /// The gene axis.
    pub genes: Genes,
    /// What cells are placed with.
    pub frame: Frame,
    /// Limits and scores of cells.
    pub calibration: Calibration,
    /// Limits of lots.
    pub lot_limits: LotLimits,
    /// Loosest limits of the run's quality control, which no cell of a new lot may pass.
    pub cell_limits: CellLimits,
    /// Lots × clusters: cells in the run.
    pub n_cells: Array2<u64>,
    /// Cells for the energy distance.
    pub sample: Sample,
    /// Potency models.
    pub potency: Vec<PotencyModel>,
    /// Each lot mapped by a reference built without it.
    pub held_out: Vec<HeldOut>,
    /// Gene panels that new lots are counted by.
    pub panels: Vec<Panel>,
    /// The reference's own lots under them, lot by lot.
    pub panel_shares: Vec<GatedShare>,
}

/// Fixed limits of cells.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CellLimits {
    /// Fewest counts.
    pub min_counts: u32,
    /// Fewest genes.
    pub min_genes: u32,
    /// Largest mitochondrial fraction, 0..1.
    pub max_mito_fraction: f64,
}

impl Reference {
    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.n_cells.ncols()
    }

    /// Names of the lots.
    pub fn lots(&self) -> Vec<String> {
        self.sheet.lots.iter().map(|lot| lot.lot.clone()).collect()
    }

    /// The lots that new ones are held against.
    ///
    /// # Errors
    /// No lot has cells.
    pub fn population(&self) -> Result<Population> {
        population(&self.n_cells, &self.sample)
    }

    /// What lots are judged by.
    pub fn judge(&self) -> Judge<'_> {
        Judge {
            limits: &self.lot_limits,
            models: &self.potency,
            level: self.params.composition.level,
            params: &self.params.mapping,
        }
    }

    /// What a certificate tells of the reference.
    pub fn summary(&self) -> ReferenceSummary {
        let total = |row: ndarray::ArrayView1<'_, u64>| row.sum();
        let n_cells: Vec<u64> = self.n_cells.rows().into_iter().map(total).collect();
        ReferenceSummary {
            hash: self.hash.clone(),
            version: self.version.clone(),
            lots: self.lots(),
            clusters: (0..self.n_clusters()).map(|k| k.to_string()).collect(),
            shares: Array2::from_shape_fn(self.n_cells.dim(), |at| self.n_cells[at] as f64 / n_cells[at.0] as f64),
            n_cells,
            held_out: self.held_out.clone(),
            potency: self.potency.iter().map(|model| model.summary.clone()).collect::<Vec<PotencySummary>>(),
        }
    }

    /// The lots of the reference as placed by references without them.
    pub fn placed(&self) -> Vec<&Placed> {
        self.held_out.iter().map(|lot| &lot.placed).collect()
    }
}

/// Some of each lot's cells, drawn at random.
pub(super) fn sample(embedding: ArrayView2<'_, f32>, lot_of_cell: &[u32], n_lots: usize, seed: u64) -> Sample {
    let mut cells = Vec::new();
    let (mut start, per_lot) = (0, energy_cells_of_lot(n_lots));
    for lot in 0..n_lots {
        let n = lot_of_cell.iter().filter(|&&l| l as usize == lot).count();
        let mut rng = crate::math::rng::stream(seed, "reference sample", lot as u64);
        let mut picked = rand::seq::index::sample(&mut rng, n, n.min(per_lot)).into_vec();
        picked.sort_unstable();
        cells.extend(picked.into_iter().map(|i| start + i));
        start += n;
    }
    Sample { points: embedding.select(Axis(0), &cells), lot: cells.iter().map(|&cell| lot_of_cell[cell]).collect() }
}

pub(super) fn population(n_cells: &Array2<u64>, sample: &Sample) -> Result<Population> {
    Population::new(n_cells, sample.points.view(), &sample.lot, usize::MAX, 0)
        .ok_or_else(|| Error::input("no lot of the reference has cells", "freeze a run whose lots have cells"))
}
