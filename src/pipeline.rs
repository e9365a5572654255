//! The story: lots in, clusters, composition, association and candidates out, in a dozen step calls.

mod clusters;
pub mod freeze;
mod leave_one_out;
mod load;
mod lots;
pub mod map;
mod panel;
mod params;
mod rank;
mod readouts;
pub mod reference;
mod results;
mod road;
mod screen;
mod specifications;
mod tables;

pub use load::{load_cells, load_reference, load_run, load_to_freeze};
pub use panel::{PanelAnalysis, PanelGenes, PanelLots, PanelQuestion, PanelReadout, panel};
pub use params::{ClusterMethod, ClustersParams, Params, WriteParams};
pub use rank::{rank, rank_all, rank_by};
pub use readouts::{find_readout, read_readouts};
pub use results::{Analysis, Cells, ClusterSummary, Excluded, Ranked, Space};
use road::Road;
pub use screen::{ToScreen, screen};
pub use tables::{
    Calibrated, LockedPanels, PANEL_SHARES, PANELS, analysis_tables, cell_columns, frozen_tables, gene_columns,
    mapped_tables, marker_table, ranked_tables, readout_tables, reference_tables, shares_table,
};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::io::ReadLots;
use crate::io::checkpoints::Checkpoints;
use crate::progress::Progress;
use crate::steps::cells::{CellMetrics, Doublets, Exclusion, HvgVotes, cell_cycle, doublets, normalize, qc};
use crate::steps::clusters::{Clustering, umap};
use crate::steps::lots::{composition, deviation, lots_of_units, neighborhoods, pseudobulk};
use crate::steps::markers::{effects, marker_expression};

/// Lots → QC, normalisation, HVG, PCA, integration, clusters, UMAP, composition, markers.
///
/// # Errors
/// - a parameter out of range
/// - no cells left after quality control
/// - `harmony.column` is not a column of the sheet
pub fn cluster(read: ReadLots, params: &Params, progress: &dyn Progress) -> Result<(Analysis, Space)> {
    cluster_resumable(read, params, &Checkpoints::none(), progress)
}

/// As [`cluster`]; the steps that take long are kept, and those that were kept before are not made again.
///
/// # Errors
/// As [`cluster`], and what is kept cannot be written.
pub fn cluster_resumable(
    read: ReadLots,
    params: &Params,
    checkpoints: &Checkpoints,
    progress: &dyn Progress,
) -> Result<(Analysis, Space)> {
    let ReadLots { dataset: all_cells, mut warnings, .. } = read;
    let seed = params.seed;
    // A unit that is misspelt is told before hours of work.
    lots_of_units(all_cells.sheet(), &params.association.unit)?;

    let mut qc = step(
        progress,
        "qc",
        || qc(&all_cells, &params.qc),
        |qc| format!("{} of {} cells kept", qc.keep.iter().filter(|k| **k).count(), qc.keep.len()),
    )?;
    let passed = all_cells.select_cells(&qc.keep);
    if passed.n_cells() == 0 {
        return Err(Error::TooFew {
            what: "cells that pass quality control".into(),
            have: 0,
            need: 1,
            cure: "look at the limits in `[qc]` of the parameters; does the data hold cells at all?".into(),
        });
    }

    let scored = if params.doublets.enabled {
        kept_step(
            checkpoints,
            progress,
            "doublets",
            || doublets(&passed, &params.doublets, seed),
            |d| format!("{} cells called", d.called.iter().filter(|c| **c).count()),
        )?
    } else {
        let n = passed.n_cells();
        Doublets { score: vec![f32::NAN; n], called: vec![false; n], threshold: Vec::new(), warnings: Vec::new() }
    };
    for (lot, row) in qc.lots.iter_mut().enumerate() {
        let range = passed.offsets()[lot]..passed.offsets()[lot + 1];
        row.n_doublets = scored.called[range].iter().filter(|c| **c).count();
    }
    let keep: Vec<bool> = scored.called.iter().map(|called| !(params.doublets.drop && *called)).collect();
    let dropping = keep.contains(&false);
    if dropping {
        let passed_read = (0..all_cells.n_cells()).filter(|&cell| qc.keep[cell]);
        let called: Vec<usize> = passed_read.zip(&keep).filter(|(_, keep)| !**keep).map(|(cell, _)| cell).collect();
        qc.exclude(&called, "doublet", all_cells.offsets());
    }
    warnings.extend(qc.warnings.iter().chain(&scored.warnings).cloned());
    let kept_read: Vec<usize> = (0..all_cells.n_cells()).filter(|&cell| qc.keep[cell]).collect();
    let excluded = name_excluded(&all_cells, &qc.excluded);
    let metrics = select_metrics(&qc.metrics, &kept_read);
    drop(all_cells);
    let dataset = if dropping { passed.select_cells(&keep) } else { passed };

    let normalized = normalize(&dataset, &params.normalize)?;
    let (votes, hvg) = step(
        progress,
        "hvg",
        || {
            let votes = HvgVotes::new(&dataset, &normalized, &params.hvg)?;
            votes.choose(&[]).map(|hvg| (votes, hvg))
        },
        |(_, h)| format!("{} genes", h.genes.len()),
    )?;
    warnings.extend(hvg.warnings.iter().cloned());
    let cycle = step(
        progress,
        "cell_cycle",
        || cell_cycle(&dataset, &normalized, &params.cell_cycle),
        |c| {
            let cycling = c.cycling.iter().filter(|cycling| **cycling).count();
            format!("{:.0} % of cells cycle", 100.0 * cycling as f64 / c.cycling.len() as f64)
        },
    )?;
    warnings.extend(cycle.warnings.iter().cloned());
    let road = road::road(&dataset, &normalized, &hvg.genes, params, checkpoints, progress)?;
    warnings.extend(road.pca.warnings.iter().chain(road.harmony.iter().flat_map(|h| &h.warnings)).cloned());
    warnings.extend(road.undecided.clone());
    let Clustering { labels, n_clusters, .. } = &road.clustering;
    let (labels, n_clusters) = (labels, *n_clusters);
    let umap = if params.umap.enabled {
        let layout = || umap(&road.neighbors, road.embedding(), &params.umap, seed);
        Some(kept_step(checkpoints, progress, "umap", layout, |_| String::new())?)
    } else {
        None
    };

    let lot_of_cell = dataset.lot_of_cell();
    let composition = composition(labels, n_clusters, &lot_of_cell, &dataset.lot_names(), &params.composition)?;
    let lot_neighborhoods = if params.neighborhoods.enabled {
        let found = step(
            progress,
            "neighborhoods",
            || neighborhoods(&road.graph, &lot_of_cell, dataset.n_lots(), &params.neighborhoods),
            |n| format!("{} steps", n.kurtosis.len()),
        )?;
        Some(found)
    } else {
        None
    };
    let deviation = step(
        progress,
        "deviation",
        || deviation(&composition, road.embedding().view(), &lot_of_cell, &params.deviation, seed),
        |d| format!("{} lots outlying", d.warnings.len()),
    )?;
    let effects = kept_step(
        checkpoints,
        progress,
        "effects",
        || effects(&dataset, &normalized, labels, n_clusters, &params.effects),
        |_| format!("{n_clusters} clusters × {} genes", dataset.n_genes()),
    )?;
    let pseudobulk = pseudobulk(&dataset, labels, n_clusters, &params.pseudobulk);
    let wilcoxon = clusters::marker_scores(&dataset, &normalized, labels, &effects, &params.effects);
    let marker_expression = marker_expression(&dataset, &normalized, &effects, params.ranking.min_share);
    let summaries = clusters::summaries(labels, n_clusters, &cycle.cycling, &composition);
    warnings.extend(clusters::warnings(&summaries, &qc.lots));
    warnings.extend(deviation.warnings.iter().cloned());
    let leave_one_out =
        leave_one_out::walk(&dataset, &normalized, &votes, &road, params, &mut warnings, checkpoints, progress)?;
    drop(votes);
    let specifications =
        specifications::walk(&dataset, &normalized, &hvg.genes, &road, params, &mut warnings, checkpoints, progress)?;

    let Road { pca, harmony, neighbors, sweep, clustering, .. } = road;
    let pick = |values: &[f32]| keep_where(values, &keep);
    let cells = Cells {
        lot: lot_of_cell,
        barcode: dataset.lots().iter().flat_map(|lot| lot.barcodes.iter().cloned()).collect(),
        metrics,
        doublet_score: pick(&scored.score),
        doublet: keep_where(&scored.called, &keep),
        s_score: cycle.s_score,
        g2m_score: cycle.g2m_score,
        phase: cycle.phase,
        cycling: cycle.cycling,
        cluster: clustering.labels,
        umap,
    };
    let analysis = Analysis {
        params: params.clone(),
        sheet: dataset.sheet().clone(),
        genes: dataset.genes().clone(),
        cells,
        qc: qc.lots,
        excluded,
        resolution: sweep,
        clusters: summaries,
        composition,
        deviation: deviation.rows,
        neighborhoods: lot_neighborhoods,
        pseudobulk,
        effects,
        wilcoxon,
        marker_expression,
        leave_one_out,
        readouts: Vec::new(),
        specifications,
        warnings,
    };
    Ok((analysis, Space { dataset, normalized, hvg, pca, harmony, neighbors }))
}

/// Runs one step between a start and a finish of the progress.
fn step<T>(
    progress: &dyn Progress,
    name: &str,
    work: impl FnOnce() -> Result<T>,
    summary: impl FnOnce(&T) -> String,
) -> Result<T> {
    progress.start(name, 0);
    let result = work()?;
    progress.finish(name, &summary(&result));
    Ok(result)
}

/// As [`step`], unless its result was kept before.
fn kept_step<T: Serialize + DeserializeOwned>(
    checkpoints: &Checkpoints,
    progress: &dyn Progress,
    name: &str,
    work: impl FnOnce() -> Result<T>,
    summary: impl FnOnce(&T) -> String,
) -> Result<T> {
    if let Some(result) = checkpoints.get(name) {
        progress.start(name, 0);
        progress.finish(name, &format!("{} (kept from before)", summary(&result)));
        return Ok(result);
    }
    let result = step(progress, name, work, summary)?;
    checkpoints.put(name, &result)?;
    Ok(result)
}

fn keep_where<T: Copy>(values: &[T], keep: &[bool]) -> Vec<T> {
    values.iter().zip(keep).filter(|(_, k)| **k).map(|(v, _)| *v).collect()
}

fn select_metrics(all: &CellMetrics, cells: &[usize]) -> CellMetrics {
    fn pick<T: Copy>(values: &[T], cells: &[usize]) -> Vec<T> {
        cells.iter().map(|&cell| values[cell]).collect()
    }
    CellMetrics {
        n_counts: pick(&all.n_counts, cells),
        n_genes: pick(&all.n_genes, cells),
        pct_mito: pick(&all.pct_mito, cells),
        pct_ribo: pick(&all.pct_ribo, cells),
        pct_top_50: pick(&all.pct_top_50, cells),
    }
}

fn name_excluded(dataset: &Dataset, excluded: &[Exclusion]) -> Vec<Excluded> {
    let offsets = dataset.offsets();
    excluded
        .iter()
        .map(|Exclusion { cell, reason }| {
            let lot = offsets.partition_point(|start| start <= cell) - 1;
            let lot_data = &dataset.lots()[lot];
            Excluded {
                lot: lot_data.name.clone(),
                barcode: lot_data.barcodes[cell - offsets[lot]].clone(),
                reason: reason.clone(),
            }
        })
        .collect()
}
