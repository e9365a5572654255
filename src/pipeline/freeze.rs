//! A run, locked: everything that places new lots, and how well it placed the run's own when each was left out.
//!
//! Variable genes, components and integration are computed again from the counts of the run with its own parameters, and
//! held against the coordinates that the run wrote down; labels and map are those of the run. Each lot is then mapped by a
//! reference rebuilt without it from the variable genes on, with the labels of the run for the cells left: from that come
//! the limits of cells and lots, the scores and the errors of the potency models. Where a lot is judged among them, limits
//! and scores are those of the other lots.

mod folds;
mod potency;

pub use potency::ReadoutToModel;

use ndarray::Array2;
use rayon::prelude::*;

use folds::{OfRun, Rebuilt, folds};

use super::reference::{CellLimits, Reference, sample};
use super::{Analysis, Params, step};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::steps::cells::{HvgVotes, normalize};
use crate::steps::lots::limit_of;
use crate::steps::markers::{Panel, gated_shares};
use crate::steps::process::HeldOut;
use crate::steps::process::calibration::{Assigned, Calibration, HeldOutLot, MIN_CELLS};
use crate::steps::process::mapping::{Distances, Judge, LotLimits, NewLot, cells_per_cluster, place};
use crate::steps::process::measure::Placer;
use crate::warning::{ReferenceWarning, Warning};

/// Fewest lots: without one of them three are left, the fewest that say how far a cell of a further lot may lie out.
const MIN_LOTS: usize = 4;
/// Coordinates of the run and those computed again differ by more than this share of their spread: another run.
const SAME: f32 = 1e-3;

/// A run to be locked.
pub struct RunToFreeze<'a> {
    /// The run read back.
    pub analysis: &'a Analysis,
    /// Counts of its cells.
    pub dataset: Dataset,
    /// Coordinates that the run wrote down, cells × components.
    pub embedding: Option<Array2<f32>>,
    /// Gene panels to lock with it.
    pub panels: Vec<Panel>,
}

/// What freezing leaves.
pub struct Frozen {
    /// The reference.
    pub reference: Reference,
    /// Cells of its lots, as mapped without each.
    pub cells: Vec<HeldOutCells>,
    /// Lots by genes, cluster by cluster as mapped (all cells first).
    pub pseudobulk: Vec<Array2<u64>>,
    /// What was found worth saying.
    pub warnings: Vec<Warning>,
}

/// Cells of one reference lot.
pub struct HeldOutCells {
    /// As mapped by a reference without the lot.
    pub assigned: Assigned,
    /// In the space of the whole reference, corrected as if the lot were new: cells × components.
    pub embedding: Array2<f32>,
}

/// Locks a run. `readouts`: those to model.
///
/// # Errors
/// - fewer than four lots, or a lot with fewer cells than set a limit
/// - a readout asked for has no model
/// - a panel asks for a gene that the run does not have
/// - a parameter is out of range
pub fn freeze(
    run: RunToFreeze<'_>,
    readouts: &[ReadoutToModel],
    params: &Params,
    progress: &dyn Progress,
) -> Result<Frozen> {
    params.mapping.check()?;
    let RunToFreeze { analysis, dataset, embedding: written, panels } = run;
    let n_lots = dataset.n_lots();
    let with_cells = dataset.lots().iter().filter(|lot| lot.barcodes.len() >= MIN_CELLS).count();
    if with_cells < MIN_LOTS || with_cells < n_lots {
        return Err(Error::TooFew {
            what: format!("lots with {MIN_CELLS} cells after quality control"),
            have: with_cells,
            need: n_lots.max(MIN_LOTS),
            cure: "make the run again from lots that all have so many; with fewer lots nothing says how much a further one \
                   may differ"
                .into(),
        });
    }
    let normalized = normalize(&dataset, &params.normalize)?;
    let panel_shares = gated_shares(&dataset, &normalized, &panels, params.composition.level)?;
    let votes = HvgVotes::new(&dataset, &normalized, &params.hvg)?;
    let of_run = OfRun {
        labels: &analysis.cells.cluster,
        n_clusters: analysis.clusters.len(),
        umap: analysis.cells.umap.as_ref(),
    };
    let whole = step(
        progress,
        "reference",
        || Rebuilt::new(&dataset, &normalized, &votes, None, of_run, params),
        |r| format!("{} genes, {} components", r.frame.genes.len(), r.embedding.ncols()),
    )?;
    let mut warnings: Vec<Warning> =
        written.and_then(|written| difference(&written, &whole.embedding)).into_iter().collect();
    let n_needed = params.deviation.min_lots;
    if n_lots < n_needed {
        warnings.push(ReferenceWarning::FewReferenceLots { n_lots, n_needed }.into());
    }
    let folds = folds(&dataset, &normalized, &votes, of_run, params, progress)?;
    drop(votes);

    let all_genes = vec![true; dataset.n_genes()];
    let (target_sum, n_neighbors) = (params.normalize.target_sum, params.mapping.n_neighbors);
    let placer = Placer::new(&whole.frame, &all_genes, target_sum, n_neighbors);
    let genes_of: Vec<f64> = (0..of_run.n_clusters).map(|k| placer.effective_genes(k)).collect();
    let held: Vec<HeldOutLot<'_>> = folds
        .iter()
        .enumerate()
        .map(|(lot, fold)| HeldOutLot { measured: &fold.measured, labels: &of_run.labels[cells_of(&dataset, lot)] })
        .collect();
    let calibrated = |lots: &[HeldOutLot<'_>]| Calibration::new(lots, &genes_of, n_neighbors, params.mapping.tail);
    let calibration = calibrated(&held);
    // Each lot by the limits and scores of the others.
    let assigned: Vec<Assigned> = (0..n_lots)
        .into_par_iter()
        .map(|lot| {
            let others: Vec<HeldOutLot<'_>> = (0..n_lots).filter(|&o| o != lot).map(|o| held[o]).collect();
            calibrated(&others).assign(held[lot].measured)
        })
        .collect();
    let distances: Vec<Distances> = (0..n_lots)
        .map(|lot| {
            let n_cells = cells_per_cluster(&assigned[lot].cluster, of_run.n_clusters);
            Distances::of(&folds[lot].population, &n_cells, folds[lot].measured.embedding.view(), params.seed)
        })
        .collect();
    let without = |lot: usize| (0..n_lots).filter(move |&other| other != lot);
    let limits_without =
        |lot: usize| lot_limits(analysis, &distances, &without(lot).collect::<Vec<_>>(), with_cells, params);
    let new_lot = |lot: usize| {
        let qc = &analysis.qc[lot];
        NewLot {
            name: qc.lot.clone(),
            n_cells_read: qc.n_cells_read,
            n_cells: qc.n_cells_kept,
            pct_mito: qc.median_pct_mito,
            counts: qc.median_counts,
            n_variable: whole.frame.genes.len(),
            n_found: whole.frame.genes.len(),
            examples: Default::default(),
        }
    };
    let mapped = mapped_shares(&assigned, of_run.n_clusters);
    let potency = potency::models(analysis, readouts, &mapped, &params.mapping, &mut warnings)?;
    let held_out: Vec<HeldOut> = (0..n_lots)
        .map(|lot| {
            // A model that holds the lot would not predict it: its honest prediction stands in the model's points.
            let limits = limits_without(lot);
            let judge =
                Judge { limits: &limits, models: &[], level: params.composition.level, params: &params.mapping };
            let mut placed = place(new_lot(lot), &assigned[lot], of_run.n_clusters, distances[lot], judge);
            placed.predictions = potency::held_out(&potency, &placed.lot);
            let run_shares = analysis.composition.share.row(lot);
            let gaps = mapped.row(lot).iter().zip(run_shares).map(|(a, b)| (a - b).abs()).sum::<f64>();
            HeldOut {
                label_agreement: agreement(&assigned[lot], held[lot].labels),
                composition_error: gaps / 2.0,
                placed,
            }
        })
        .collect();
    warnings.extend(held_out.iter().filter(|lot| !lot.placed.in_reference).map(|lot| {
        let (lot, reasons) = (lot.placed.lot.clone(), lot.placed.reasons_in_words());
        ReferenceWarning::LotOutOfReference { lot, reasons }.into()
    }));
    let all: Vec<usize> = (0..n_lots).collect();
    let cells: Vec<HeldOutCells> = assigned
        .iter()
        .enumerate()
        .map(|(lot, assigned)| HeldOutCells { assigned: assigned.clone(), embedding: whole.as_if_new(&dataset, lot) })
        .collect();
    let pseudobulk = pseudobulk_of(&dataset, &assigned, of_run.n_clusters);
    let reference = Reference {
        params: params.clone(),
        hash: String::new(),
        version: env!("CARGO_PKG_VERSION").into(),
        sheet: analysis.sheet.clone(),
        genes: dataset.genes().clone(),
        calibration,
        lot_limits: lot_limits(analysis, &distances, &all, with_cells, params),
        cell_limits: cell_limits(analysis, params),
        n_cells: analysis.composition.n_cells.clone(),
        sample: sample(whole.embedding.view(), &dataset.lot_of_cell(), n_lots, params.seed),
        potency,
        held_out,
        panels,
        panel_shares,
        frame: whole.frame,
    };
    Ok(Frozen { reference, cells, pseudobulk, warnings })
}

fn cells_of(dataset: &Dataset, lot: usize) -> std::ops::Range<usize> {
    dataset.offsets()[lot]..dataset.offsets()[lot + 1]
}

/// Whether the coordinates of the run are those computed again.
fn difference(written: &Array2<f32>, again: &Array2<f32>) -> Option<Warning> {
    if written.nrows() != again.nrows() || written.ncols() < again.ncols() {
        return Some(ReferenceWarning::EmbeddingDiffers { largest: None }.into());
    }
    // Without integration the run wrote all components, of which the leading ones come first.
    let written = written.slice(ndarray::s![.., ..again.ncols()]);
    let spread = again.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let largest = written.iter().zip(again).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    (largest > SAME * spread).then(|| ReferenceWarning::EmbeddingDiffers { largest: Some(f64::from(largest)) }.into())
}

/// Lots × clusters: shares among the cells assigned.
fn mapped_shares(assigned: &[Assigned], n_clusters: usize) -> Array2<f64> {
    let mut out = Array2::zeros((assigned.len(), n_clusters));
    for (mut row, assigned) in out.rows_mut().into_iter().zip(assigned) {
        let n_cells = cells_per_cluster(&assigned.cluster, n_clusters);
        let total = n_cells.sum() as f64;
        row.assign(&n_cells.mapv(|n| n as f64 / total));
    }
    out
}

/// Share of the assigned cells whose label is that of the run; NaN if there are none.
fn agreement(assigned: &Assigned, labels: &[u32]) -> f64 {
    let with_label = || assigned.cluster.iter().zip(labels).filter(|(k, _)| **k != crate::steps::process::UNASSIGNED);
    with_label().filter(|(a, b)| a == b).count() as f64 / with_label().count() as f64
}

/// What these lots allow others.
fn lot_limits(
    analysis: &Analysis,
    distances: &[Distances],
    lots: &[usize],
    n_lots: usize,
    params: &Params,
) -> LotLimits {
    let fold = params.mapping.max_fold;
    let over = |of: &dyn Fn(usize) -> f64, start: f64, pick: fn(f64, f64) -> f64| {
        lots.iter().map(|&lot| of(lot)).fold(start, pick)
    };
    let mito = over(&|lot| analysis.qc[lot].median_pct_mito, 0.0, f64::max);
    let counts = over(&|lot| analysis.qc[lot].median_counts, f64::INFINITY, f64::min);
    let distance = |of: fn(&Distances) -> f64| {
        // As in the deviation of a run: with few lots none is called outlying.
        if n_lots < params.deviation.min_lots {
            return f64::NAN;
        }
        limit_of(&lots.iter().map(|&lot| of(&distances[lot])).collect::<Vec<_>>(), params.deviation.n_mads)
    };
    LotLimits {
        // The margin that quality control leaves at least.
        pct_mito: (mito * fold).max(mito + 100.0 * params.qc.min_mito_margin * fold),
        counts: counts / fold,
        jensen_shannon: distance(|d| d.jensen_shannon),
        aitchison: distance(|d| d.aitchison),
        energy: distance(|d| d.energy),
    }
}

fn cell_limits(analysis: &Analysis, params: &Params) -> CellLimits {
    let fold = params.mapping.max_fold;
    let lowest = |of: fn(&crate::steps::cells::LotQc) -> f64| {
        (analysis.qc.iter().map(of).fold(f64::INFINITY, f64::min) / fold).floor() as u32
    };
    let mito = analysis.qc.iter().map(|lot| lot.limit_pct_mito).fold(0.0, f64::max) / 100.0;
    CellLimits {
        min_counts: lowest(|lot| lot.limit_counts).max(params.qc.min_counts),
        min_genes: lowest(|lot| lot.limit_genes).max(params.qc.min_genes),
        max_mito_fraction: (mito * fold).min(params.qc.max_mito_fraction),
    }
}

/// Summed counts, lots × genes: of all cells, then of those assigned to each cluster.
fn pseudobulk_of(dataset: &Dataset, assigned: &[Assigned], n_clusters: usize) -> Vec<Array2<u64>> {
    let mut out = vec![Array2::zeros((dataset.n_lots(), dataset.n_genes())); n_clusters + 1];
    for (lot, assigned) in assigned.iter().enumerate() {
        let sums = super::map::summed_counts(&dataset.lots()[lot].counts, &assigned.cluster, n_clusters);
        for (all, own) in out.iter_mut().zip(sums.rows()) {
            all.row_mut(lot).assign(&own);
        }
    }
    out
}
