//! The road from variable genes to effects, walked again without each lot, or all lots of each donor.
//!
//! What does not change is taken over from the full run: normalisation, what each lot says about the genes, and the
//! ranks within a lot. Components, integration, neighbours and clusters are made anew, from their own starts: started
//! from the clusters of the full run they would find those again too readily.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Params;
use super::road::{Road, road};
use crate::data::Dataset;
use crate::error::Result;
use crate::io::checkpoints::Checkpoints;
use crate::progress::{Progress, Silent};
use crate::steps::cells::{HvgVotes, Normalized};
use crate::steps::clusters::Clustering;
use crate::steps::lots::lots_of_units;
use crate::steps::markers::leave_one_out::MIN_LOTS;
use crate::steps::markers::{Division, LeaveOneOut, effects_of_divisions, run_without};
use crate::warning::Warning;

/// Roads walked at the same time hold together about so many cells; one of 50,000 takes some 300 MB.
const CELLS_AT_ONCE: usize = 150_000;
/// Most roads walked at the same time.
const MAX_AT_ONCE: usize = 4;

#[allow(clippy::too_many_arguments, reason = "a step of one function, taken out to be read by itself")]
/// Walks the road without each unit; `None` if that is off or there are too few lots (a warning).
pub(super) fn walk(
    dataset: &Dataset,
    normalized: &Normalized,
    votes: &HvgVotes<'_>,
    full: &Road,
    params: &Params,
    warnings: &mut Vec<Warning>,
    checkpoints: &Checkpoints,
    progress: &dyn Progress,
) -> Result<Option<LeaveOneOut>> {
    if !params.leave_one_out.enabled {
        return Ok(None);
    }
    let has_cells = |lot: &usize| dataset.lots()[*lot].counts.n_cells() > 0;
    let units = lots_of_units(dataset.sheet(), &params.association.unit)?;
    let units: Vec<Vec<usize>> = units.into_iter().filter(|lots| lots.iter().any(has_cells)).collect();
    if units.len() < MIN_LOTS {
        warnings.push(Warning::TooFewLotsToLeaveOneOut { n_lots: units.len(), n_needed: MIN_LOTS });
        return Ok(None);
    }
    // The resolution is that of the full run: a sweep of its own would ask another question.
    let mut params = params.clone();
    params.resolution.resolution = full.resolution;
    params.clusters.n_clusters = full.clustering.n_clusters;
    let at_once = (CELLS_AT_ONCE / dataset.n_cells().max(1)).clamp(1, MAX_AT_ONCE);
    progress.start("leave_one_out", units.len() as u64);
    let mut found: Vec<(&[usize], Found)> = Vec::new();
    let mut failed: Vec<Vec<usize>> = Vec::new();
    for units in units.chunks(at_once) {
        let roads: Vec<Result<(String, Found)>> = units
            .par_iter()
            .map(|lots| {
                let name = format!("leave_one_out-{}", lots[0]);
                let road = match checkpoints.get(&name) {
                    Some(kept) => Ok(kept),
                    None => clusters_without(dataset, normalized, votes, lots, &params),
                };
                progress.advance(1);
                road.map(|found| (name, found))
            })
            .collect();
        for (lots, road) in units.iter().zip(roads) {
            match road {
                Ok((name, clustering)) => {
                    checkpoints.put(&name, &clustering)?;
                    found.push((lots, clustering));
                }
                Err(error) => {
                    let names: Vec<&str> = lots.iter().map(|&lot| dataset.lots()[lot].name.as_str()).collect();
                    warnings.push(Warning::NoRoadWithoutLot { lot: names.join(", "), cause: error.to_string() });
                    failed.push(lots.clone());
                }
            }
        }
    }
    let divisions: Vec<Division<'_>> =
        found.iter().map(|(lots, c)| Division { labels: &c.labels, n_clusters: c.n_clusters, without: lots }).collect();
    let effects = effects_of_divisions(dataset, normalized, &divisions, &params.effects)?;
    let full = Division { labels: &full.clustering.labels, n_clusters: full.clustering.n_clusters, without: &[] };
    let runs = divisions.iter().zip(&effects);
    let runs = runs.map(|(run, effects)| run_without(full, *run, dataset.offsets(), effects)).collect();
    let result = LeaveOneOut { runs, failed };
    progress.finish("leave_one_out", &summary(&result, params.verdict.min_jaccard));
    Ok((!result.runs.is_empty()).then_some(result))
}

/// Labels of all cells.
#[derive(Serialize, Deserialize)]
struct Found {
    labels: Vec<u32>,
    n_clusters: usize,
}

/// Clusters of the cells of all lots but some. The labels are those of all cells; what stands at the cells of the lots left
/// out means nothing.
fn clusters_without(
    dataset: &Dataset,
    normalized: &Normalized,
    votes: &HvgVotes<'_>,
    lots: &[usize],
    params: &Params,
) -> Result<Found> {
    let keep: Vec<bool> = (0..dataset.n_lots()).map(|lot| !lots.contains(&lot)).collect();
    let kept_cells: Vec<usize> = (0..dataset.n_lots())
        .filter(|&lot| keep[lot])
        .flat_map(|lot| dataset.offsets()[lot]..dataset.offsets()[lot + 1])
        .collect();
    let fewer = dataset.select_lots(&keep)?;
    let scale = kept_cells.iter().map(|&cell| normalized.scale[cell]).collect();
    let genes = votes.choose(lots)?.genes;
    let Clustering { labels, n_clusters, .. } =
        road(&fewer, &Normalized { scale }, &genes, params, &Checkpoints::none(), &Silent)?.clustering;
    let mut of_all = vec![u32::MAX; dataset.n_cells()];
    kept_cells.iter().zip(labels).for_each(|(&cell, label)| of_all[cell] = label);
    Ok(Found { labels: of_all, n_clusters })
}

fn summary(result: &LeaveOneOut, min_jaccard: f64) -> String {
    let n_runs = result.n_asked();
    let n_always = (0..result.n_clusters()).filter(|&k| result.n_found(k, min_jaccard) == n_runs).count();
    format!("{n_always} of {} clusters found again in all {n_runs} runs", result.n_clusters())
}
