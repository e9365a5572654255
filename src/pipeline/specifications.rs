//! The cells divided by other choices than those of the run.
//!
//! Divisions do not depend on a readout, so they are made once and kept as counts of cells per lot and cluster. To be
//! cheap enough for every run, each method starts fewer times than in the run; a start differs from the best of several
//! by less than the choices do.

use ndarray::Array2;
use rayon::prelude::*;

use super::road::{Road, integrated};
use super::{ClusterMethod, Params};
use crate::data::Dataset;
use crate::error::Result;
use crate::io::checkpoints::Checkpoints;
use crate::math::graph::Graph;
use crate::progress::{Progress, Silent};
use crate::steps::cells::{Normalized, pca};
use crate::steps::clusters::{Clustering, graph, kmeans, mixture, neighbors, resolution};
use crate::steps::lots::{Choices, Specification, specification};
use crate::warning::Warning;

/// Starts of k-means; Leiden and the mixture start once.
const KMEANS_STARTS: usize = 3;

#[allow(clippy::too_many_arguments, reason = "a step of one function, taken out to be read by itself")]
/// Divides the cells by every specification, that of the run first; none if that is off.
pub(super) fn walk(
    dataset: &Dataset,
    normalized: &Normalized,
    genes: &[u32],
    run: &Road,
    params: &Params,
    warnings: &mut Vec<Warning>,
    checkpoints: &Checkpoints,
    progress: &dyn Progress,
) -> Result<Vec<Specification>> {
    params.sensitivity.check()?;
    if !params.sensitivity.enabled {
        return Ok(Vec::new());
    }
    let (lot_of_cell, n_lots) = (dataset.lot_of_cell(), dataset.n_lots());
    let of_run = (run.clustering.labels.as_slice(), run.clustering.n_clusters);
    let chosen = choices_of_run(run, params);
    let described = |choices: Choices, found: &Clustering| {
        let labels = (found.labels.as_slice(), found.n_clusters);
        specification(choices, choices_agree(&choices, &chosen), of_run, labels, &lot_of_cell, n_lots)
    };
    let spaces = spaces(run, params);
    progress.start("sensitivity", spaces.iter().map(|(_, choices)| choices.len() as u64).sum());
    let mut out = vec![described(chosen, &run.clustering)];
    let starts = with_few_starts(params);
    for (i, (place, choices)) in spaces.iter().enumerate() {
        let name = format!("sensitivity-{i}");
        if let Some(kept) = checkpoints.get::<Vec<Clustering>>(&name) {
            out.extend(choices.iter().zip(&kept).map(|(choices, found)| described(*choices, found)));
            progress.advance(choices.len() as u64);
            continue;
        }
        match divided(dataset, normalized, genes, run, *place, choices, &starts, progress) {
            Ok(found) => {
                // What failed is tried again, so that it is told again.
                if let Some(whole) = found.iter().map(|found| found.as_ref().ok()).collect::<Option<Vec<_>>>() {
                    checkpoints.put(&name, &whole)?;
                }
                for (choices, found) in choices.iter().zip(found) {
                    match found {
                        Ok(found) => out.push(described(*choices, &found)),
                        Err(error) => warnings.push(missing(choices, &error)),
                    }
                }
            }
            Err(error) => warnings.extend(choices.iter().map(|choices| missing(choices, &error))),
        }
    }
    progress.finish("sensitivity", &format!("{} divisions of the cells", out.len()));
    Ok(out)
}

fn missing(choices: &Choices, error: &crate::error::Error) -> Warning {
    Warning::NoSpecification { choices: choices.to_string(), cause: error.to_string() }
}

fn choices_of_run(run: &Road, params: &Params) -> Choices {
    Choices {
        method: params.clusters.method,
        resolution: if params.clusters.method == ClusterMethod::Leiden { run.resolution } else { f64::NAN },
        integrated: params.harmony.enabled,
        scaled: params.pca.scale,
    }
}

/// Equal but for what NaN makes of a comparison.
fn choices_agree(a: &Choices, b: &Choices) -> bool {
    let same_resolution = a.resolution == b.resolution || (a.resolution.is_nan() && b.resolution.is_nan());
    (a.method, a.integrated, a.scaled) == (b.method, b.integrated, b.scaled) && same_resolution
}

/// Where cells lie.
#[derive(Clone, Copy)]
struct Place {
    integrated: bool,
    scaled: bool,
}

/// The choices tried in each space, without those of the run: every method and resolution with and without integration;
/// the other scaling of genes with the method and the resolution of the run.
fn spaces(run: &Road, params: &Params) -> Vec<(Place, Vec<Choices>)> {
    let chosen = choices_of_run(run, params);
    let mut factors = params.sensitivity.resolutions.clone();
    factors.push(1.0);
    factors.sort_by(f64::total_cmp);
    factors.dedup();
    let mut spaces = Vec::new();
    for integrated in [params.harmony.enabled, !params.harmony.enabled] {
        let place = Place { integrated, scaled: params.pca.scale };
        let choice = |method, resolution| Choices { method, resolution, integrated, scaled: place.scaled };
        let mut choices: Vec<Choices> =
            factors.iter().map(|factor| choice(ClusterMethod::Leiden, factor * run.resolution)).collect();
        choices.extend([ClusterMethod::Kmeans, ClusterMethod::Mixture].map(|method| choice(method, f64::NAN)));
        choices.retain(|choices| !choices_agree(choices, &chosen));
        spaces.push((place, choices));
    }
    let place = Place { integrated: params.harmony.enabled, scaled: !params.pca.scale };
    spaces.push((place, vec![Choices { scaled: place.scaled, ..chosen }]));
    spaces
}

fn with_few_starts(params: &Params) -> Params {
    let mut params = params.clone();
    params.leiden.n_starts = 1;
    params.kmeans.n_starts = params.kmeans.n_starts.min(KMEANS_STARTS);
    params.mixture.n_starts = 1;
    params
}

/// The divisions of one space.
#[allow(clippy::too_many_arguments, reason = "a step of one function, taken out to be read by itself")]
fn divided(
    dataset: &Dataset,
    normalized: &Normalized,
    genes: &[u32],
    run: &Road,
    place: Place,
    choices: &[Choices],
    params: &Params,
    progress: &dyn Progress,
) -> Result<Vec<Result<Clustering>>> {
    let as_run = place.scaled == params.pca.scale;
    let leading = if as_run {
        run.leading.clone()
    } else {
        let pca_params = crate::steps::cells::PcaParams { scale: place.scaled, ..params.pca.clone() };
        pca(dataset, normalized, genes, &pca_params)?.leading()
    };
    let embedding: Array2<f32> = match (place.integrated, &run.harmony) {
        (false, _) => leading,
        (true, Some(harmony)) if as_run => harmony.corrected.clone(),
        (true, _) => integrated(dataset, &leading, params, &Checkpoints::none(), &Silent)?.corrected,
    };
    let own;
    let neighbors = if as_run && place.integrated == params.harmony.enabled {
        &run.neighbors
    } else {
        own = neighbors(&embedding, &params.neighbors)?;
        &own
    };
    let graph = graph(neighbors, &params.neighbors);
    let n_clusters = run.clustering.n_clusters;
    let divide = |choices: &Choices| {
        let found = match choices.method {
            ClusterMethod::Leiden => communities(&graph, choices.resolution, params),
            ClusterMethod::Kmeans => kmeans(&embedding, n_clusters, &params.kmeans, params.seed),
            ClusterMethod::Mixture => mixture(&embedding, n_clusters, &params.mixture, params.seed),
        };
        progress.advance(1);
        found
    };
    Ok(choices.par_iter().map(divide).collect())
}

/// Communities at a resolution, small ones joined to others as in the run.
fn communities(graph: &Graph, at: f64, params: &Params) -> Result<Clustering> {
    let params = Params {
        resolution: crate::steps::clusters::ResolutionParams { resolution: at, ..params.resolution.clone() },
        ..params.clone()
    };
    Ok(resolution(graph, &params.resolution, &params.leiden, params.seed)?.clustering)
}
