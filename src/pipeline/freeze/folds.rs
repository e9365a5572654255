//! References rebuilt from the variable genes on: from all lots, and from all but one.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::cells_of;
use crate::data::Dataset;
use crate::error::Result;
use crate::math::soft_clusters::SoftClusters;
use crate::pipeline::Params;
use crate::pipeline::lots::batch_of_lot;
use crate::pipeline::reference::{population, sample};
use crate::progress::Progress;
use crate::steps::cells::{HvgVotes, Normalized, harmony_with_weights, pca};
use crate::steps::lots::Population;
use crate::steps::process::frame::{Frame, ToFreeze, frame};
use crate::steps::process::measure::{Measured, Placer};

/// References rebuilt at the same time hold together about so many cells.
const CELLS_AT_ONCE: usize = 150_000;
/// Most references rebuilt at the same time.
const MAX_AT_ONCE: usize = 4;

/// Labels and places of the run, kept for the cells of every reference.
#[derive(Clone, Copy)]
pub(super) struct OfRun<'a> {
    pub labels: &'a [u32],
    pub n_clusters: usize,
    pub umap: Option<&'a Array2<f32>>,
}

/// A reference built from all lots, or from all but one.
pub(super) struct Rebuilt {
    pub frame: Frame,
    /// Cells × components, corrected.
    pub embedding: Array2<f32>,
    /// Cells × components before correction.
    leading: Array2<f32>,
    weights: Option<Array2<f32>>,
}

impl Rebuilt {
    pub fn new(
        dataset: &Dataset,
        normalized: &Normalized,
        votes: &HvgVotes<'_>,
        without: Option<usize>,
        of_run: OfRun<'_>,
        params: &Params,
    ) -> Result<Self> {
        let genes = votes.choose(without.as_slice())?.genes;
        let pca = pca(dataset, normalized, &genes, &params.pca)?;
        let leading = pca.leading();
        let (embedding, weights) = if params.harmony.enabled {
            let (of_lot, n_batches) = batch_of_lot(dataset.sheet(), &params.harmony.column, "harmony.column")?;
            let batch: Vec<u32> = dataset.lot_of_cell().into_iter().map(|lot| of_lot[lot as usize]).collect();
            let (harmony, weights) = harmony_with_weights(&leading, &batch, n_batches, &params.harmony, params.seed)?;
            (harmony.corrected, weights)
        } else {
            (leading.clone(), None)
        };
        let run = ToFreeze {
            dataset,
            genes: &genes,
            pca: &pca,
            pca_params: &params.pca,
            embedding: &embedding,
            weights: weights.as_ref(),
            harmony_params: &params.harmony,
            labels: of_run.labels,
            n_clusters: of_run.n_clusters,
            umap: of_run.umap,
        };
        let frame = frame(run, params.mapping.max_index_cells, params.seed);
        Ok(Self { frame, embedding, leading, weights })
    }

    /// Where the cells of a lot lie if it is corrected as a new one: towards the soft clusters without its own cells.
    pub fn as_if_new(&self, dataset: &Dataset, lot: usize) -> Array2<f32> {
        let cells = cells_of(dataset, lot);
        let rows = |all: &Array2<f32>| all.slice(ndarray::s![cells.clone(), ..]).to_owned();
        let before = rows(&self.leading);
        let Some((soft, weights)) = self.frame.soft.as_ref().zip(self.weights.as_ref()) else { return before };
        let (own, weights) = (rows(&self.embedding), rows(weights));
        let flat = |of: &Array2<f32>| of.iter().copied().collect::<Vec<f32>>();
        let (mass, sums) = SoftClusters::sums_of(&flat(&own), &flat(&weights), weights.ncols(), own.ncols());
        let corrected = soft.without(&mass, &sums).correct(&flat(&before));
        Array2::from_shape_vec(before.dim(), corrected).expect("cells × components")
    }
}

/// One lot measured by the reference without it.
pub(super) struct Fold {
    pub measured: Measured,
    pub population: Population,
}

/// Each lot measured by the reference without it.
pub(super) fn folds(
    dataset: &Dataset,
    normalized: &Normalized,
    votes: &HvgVotes<'_>,
    of_run: OfRun<'_>,
    params: &Params,
    progress: &dyn Progress,
) -> Result<Vec<Fold>> {
    let lots: Vec<usize> = (0..dataset.n_lots()).collect();
    let at_once = (CELLS_AT_ONCE / dataset.n_cells().max(1)).clamp(1, MAX_AT_ONCE);
    progress.start("held_out", lots.len() as u64);
    let mut folds = Vec::new();
    for lots in lots.chunks(at_once) {
        let found: Vec<Result<Fold>> = lots
            .par_iter()
            .map(|&lot| {
                let fold = fold(dataset, normalized, votes, lot, of_run, params);
                progress.advance(1);
                fold
            })
            .collect();
        for fold in found {
            folds.push(fold?);
        }
    }
    progress.finish("held_out", &format!("{} lots, each mapped by a reference without it", folds.len()));
    Ok(folds)
}

fn fold(
    dataset: &Dataset,
    normalized: &Normalized,
    votes: &HvgVotes<'_>,
    lot: usize,
    of_run: OfRun<'_>,
    params: &Params,
) -> Result<Fold> {
    let left_out = cells_of(dataset, lot);
    let keep: Vec<bool> = (0..dataset.n_lots()).map(|other| other != lot).collect();
    let fewer = dataset.select_lots(&keep)?;
    let scale = [&normalized.scale[..left_out.start], &normalized.scale[left_out.end..]].concat();
    let labels = [&of_run.labels[..left_out.start], &of_run.labels[left_out.end..]].concat();
    let cells: Vec<usize> = (0..dataset.n_cells()).filter(|cell| !left_out.contains(cell)).collect();
    let umap = of_run.umap.map(|umap| umap.select(Axis(0), &cells));
    let of_fewer = OfRun { labels: &labels, n_clusters: of_run.n_clusters, umap: umap.as_ref() };
    let rebuilt = Rebuilt::new(&fewer, &Normalized { scale }, votes, Some(lot), of_fewer, params)?;
    let all_genes = vec![true; dataset.n_genes()];
    let placer = Placer::new(&rebuilt.frame, &all_genes, params.normalize.target_sum, params.mapping.n_neighbors);
    let measured = placer.measure(&dataset.lots()[lot].counts);
    let lot_of_cell = fewer.lot_of_cell();
    let mut n_cells = Array2::<u64>::zeros((fewer.n_lots(), of_run.n_clusters));
    lot_of_cell.iter().zip(&labels).for_each(|(&lot, &k)| n_cells[[lot as usize, k as usize]] += 1);
    let sample = sample(rebuilt.embedding.view(), &lot_of_cell, fewer.n_lots(), params.seed);
    Ok(Fold { measured, population: population(&n_cells, &sample)? })
}
