//! The road from variable genes to effects, walked again without each lot.
//!
//! What does not change is taken over from the full run: normalisation, what each lot says about the genes, and the
//! ranks within a lot. Components, integration, neighbours and clusters are made anew, from their own starts: started
//! from the clusters of the full run they would find those again too readily.

use rayon::prelude::*;

use super::Params;
use super::road::{Road, road};
use crate::data::Dataset;
use crate::error::Result;
use crate::progress::{Progress, Silent};
use crate::steps::cells::{HvgVotes, Normalized};
use crate::steps::clusters::Clustering;
use crate::steps::markers::leave_one_out::MIN_LOTS;
use crate::steps::markers::{Division, LeaveOneOut, effects_of_divisions, run_without};
use crate::warning::Warning;

/// Roads walked at the same time hold together about so many cells; one of 50,000 takes some 300 MB.
const CELLS_AT_ONCE: usize = 150_000;
/// Most roads walked at the same time.
const MAX_AT_ONCE: usize = 4;

/// Walks the road without each lot; `None` if that is off or there are too few lots (a warning).
pub(super) fn walk(
    dataset: &Dataset,
    normalized: &Normalized,
    votes: &HvgVotes<'_>,
    full: &Road,
    params: &Params,
    warnings: &mut Vec<Warning>,
    progress: &dyn Progress,
) -> Result<Option<LeaveOneOut>> {
    if !params.leave_one_out.enabled {
        return Ok(None);
    }
    let lots: Vec<usize> = (0..dataset.n_lots()).filter(|&lot| dataset.lots()[lot].counts.n_cells() > 0).collect();
    if lots.len() < MIN_LOTS {
        warnings.push(Warning::TooFewLotsToLeaveOneOut { n_lots: lots.len(), n_needed: MIN_LOTS });
        return Ok(None);
    }
    // The resolution is that of the full run: a sweep of its own would ask another question.
    let mut params = params.clone();
    params.resolution.resolution = full.resolution;
    params.clusters.n_clusters = full.clustering.n_clusters;
    let at_once = (CELLS_AT_ONCE / dataset.n_cells().max(1)).clamp(1, MAX_AT_ONCE);
    progress.start("leave_one_out", lots.len() as u64);
    let mut found: Vec<(usize, Clustering)> = Vec::new();
    for lots in lots.chunks(at_once) {
        let roads: Vec<Result<Clustering>> = lots
            .par_iter()
            .map(|&lot| {
                let road = clusters_without(dataset, normalized, votes, lot, &params);
                progress.advance(1);
                road
            })
            .collect();
        for (&lot, road) in lots.iter().zip(roads) {
            match road {
                Ok(clustering) => found.push((lot, clustering)),
                Err(error) => warnings.push(Warning::NoRoadWithoutLot {
                    lot: dataset.lots()[lot].name.clone(),
                    cause: error.to_string(),
                }),
            }
        }
    }
    let divisions: Vec<Division<'_>> = found
        .iter()
        .map(|(lot, c)| Division { labels: &c.labels, n_clusters: c.n_clusters, without: Some(*lot) })
        .collect();
    let effects = effects_of_divisions(dataset, normalized, &divisions, &params.effects)?;
    let full = Division { labels: &full.clustering.labels, n_clusters: full.clustering.n_clusters, without: None };
    let runs = divisions.iter().zip(&effects);
    let runs = runs.map(|(run, effects)| run_without(full, *run, dataset.offsets(), effects)).collect();
    let result = LeaveOneOut { runs };
    progress.finish("leave_one_out", &summary(&result, params.verdict.min_jaccard));
    Ok((!result.runs.is_empty()).then_some(result))
}

/// Clusters of the cells of all lots but one. The labels are those of all cells; what stands at the cells of the lot left
/// out means nothing.
fn clusters_without(
    dataset: &Dataset,
    normalized: &Normalized,
    votes: &HvgVotes<'_>,
    lot: usize,
    params: &Params,
) -> Result<Clustering> {
    let left_out = dataset.offsets()[lot]..dataset.offsets()[lot + 1];
    let keep: Vec<bool> = (0..dataset.n_lots()).map(|other| other != lot).collect();
    let fewer = dataset.select_lots(&keep)?;
    let scale = [&normalized.scale[..left_out.start], &normalized.scale[left_out.end..]].concat();
    let genes = votes.choose(Some(lot))?.genes;
    let mut clustering = road(&fewer, &Normalized { scale }, &genes, params, &Silent)?.clustering;
    clustering.labels.splice(left_out.start..left_out.start, left_out.map(|_| u32::MAX));
    Ok(clustering)
}

fn summary(result: &LeaveOneOut, min_jaccard: f64) -> String {
    let n_runs = result.runs.len();
    let n_always = (0..result.n_clusters()).filter(|&k| result.n_found(k, min_jaccard) == n_runs).count();
    format!("{n_always} of {} clusters found again in all {n_runs} runs", result.n_clusters())
}
