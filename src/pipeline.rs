//! The story: lots in, clusters, composition, association and candidates out, in a dozen step calls.

mod clusters;
pub mod freeze;
mod leave_one_out;
mod load;
mod lots;
pub mod map;
mod panel;
mod params;
mod readouts;
pub mod reference;
mod results;
mod road;
mod screen;
mod specifications;
mod tables;

pub use load::{load_cells, load_reference, load_run, load_to_freeze};
pub use panel::{PanelAnalysis, PanelGenes, PanelLots, PanelQuestion, PanelReadout, panel};
pub use params::{ClusterMethod, ClustersParams, Params};
pub use readouts::{find_readout, read_readouts};
pub use results::{Analysis, Cells, ClusterSummary, Excluded, Ranked, Space};
use road::Road;
pub use screen::{ToScreen, screen};
pub use tables::{
    Calibrated, LockedPanels, PANEL_SHARES, PANELS, analysis_tables, cell_columns, frozen_tables, gene_columns,
    mapped_tables, marker_table, ranked_tables, readout_tables, reference_tables, shares_table,
};

use ndarray::Array2;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::io::ReadLots;
use crate::progress::{Progress, Silent};
use crate::steps::cells::{CellMetrics, Doublets, HvgVotes, cell_cycle, doublets, normalize, qc};
use crate::steps::clusters::{Clustering, umap};
use crate::steps::lots::sensitivity::{Reference, sensitivity};
use crate::steps::lots::verdict::too_few_lots;
use crate::steps::lots::{
    AssociationParams, Observed, association_of, censored, composition, deviation, effects_of, influence,
    neighborhoods, pseudobulk, transformed_table, two_groups, units, verdicts, weights,
};
use crate::steps::markers::{effects, measurability, ranking, stability};

/// Lots → QC, normalisation, HVG, PCA, integration, clusters, UMAP, composition, markers.
///
/// # Errors
/// - a parameter out of range
/// - no cells left after quality control
/// - `harmony.column` is not a column of the sheet
pub fn cluster(read: ReadLots, params: &Params, progress: &dyn Progress) -> Result<(Analysis, Space)> {
    let ReadLots { dataset: all_cells, mut warnings, .. } = read;
    let seed = params.seed;

    let qc = step(
        progress,
        "qc",
        || qc(&all_cells, &params.qc),
        |qc| format!("{} of {} cells kept", qc.keep.iter().filter(|k| **k).count(), qc.keep.len()),
    )?;
    warnings.extend(qc.warnings.iter().cloned());
    let passed = all_cells.select_cells(&qc.keep);
    if passed.n_cells() == 0 {
        return Err(Error::TooFew {
            what: "cells that pass quality control".into(),
            have: 0,
            need: 1,
            cure: "look at the limits in `[qc]` of the parameters; does the data hold cells at all?".into(),
        });
    }
    let mut excluded: Vec<(usize, String)> = qc.excluded.iter().map(|e| (e.cell, e.reason.clone())).collect();

    let scored = if params.doublets.enabled {
        let scored = step(
            progress,
            "doublets",
            || doublets(&passed, &params.doublets, seed),
            |d| format!("{} cells called", d.called.iter().filter(|c| **c).count()),
        )?;
        warnings.extend(scored.warnings.iter().cloned());
        scored
    } else {
        let n = passed.n_cells();
        Doublets { score: vec![f32::NAN; n], called: vec![false; n], threshold: Vec::new(), warnings: Vec::new() }
    };
    let mut qc_lots = qc.lots;
    for (lot, row) in qc_lots.iter_mut().enumerate() {
        let range = passed.offsets()[lot]..passed.offsets()[lot + 1];
        row.n_doublets = scored.called[range].iter().filter(|c| **c).count();
    }
    let keep: Vec<bool> = scored.called.iter().map(|called| !(params.doublets.drop && *called)).collect();
    let dropping = keep.contains(&false);
    let cells_read: Vec<usize> = (0..all_cells.n_cells()).filter(|&cell| qc.keep[cell]).collect();
    if dropping {
        excluded.extend(cells_read.iter().zip(&keep).filter(|(_, k)| !**k).map(|(&cell, _)| (cell, "doublet".into())));
        excluded.sort_unstable();
    }
    let kept_read: Vec<usize> = cells_read.iter().zip(&keep).filter(|(_, k)| **k).map(|(&cell, _)| cell).collect();
    let excluded = name_excluded(&all_cells, &excluded);
    let metrics = select_metrics(&qc.metrics, &kept_read);
    drop(all_cells);
    let dataset = if dropping { passed.select_cells(&keep) } else { passed };
    for (lot, row) in qc_lots.iter_mut().enumerate() {
        row.n_cells_kept = dataset.lots()[lot].barcodes.len();
    }

    let normalized = normalize(&dataset, &params.normalize)?;
    let (votes, hvg) = step(
        progress,
        "hvg",
        || {
            let votes = HvgVotes::new(&dataset, &normalized, &params.hvg)?;
            votes.choose(None).map(|hvg| (votes, hvg))
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
    let road = road::road(&dataset, &normalized, &hvg.genes, params, progress)?;
    warnings.extend(road.pca.warnings.iter().chain(road.harmony.iter().flat_map(|h| &h.warnings)).cloned());
    warnings.extend(road.undecided.clone());
    let Clustering { labels, n_clusters, .. } = &road.clustering;
    let (labels, n_clusters) = (labels, *n_clusters);
    let umap = if params.umap.enabled {
        Some(step(progress, "umap", || umap(&road.neighbors, road.embedding(), &params.umap, seed), |_| String::new())?)
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
    let effects = step(
        progress,
        "effects",
        || effects(&dataset, &normalized, labels, n_clusters, &params.effects),
        |_| format!("{n_clusters} clusters × {} genes", dataset.n_genes()),
    )?;
    let pseudobulk = pseudobulk(&dataset, labels, n_clusters, &params.pseudobulk);
    let wilcoxon = clusters::marker_scores(&dataset, &normalized, labels, &effects, &params.effects);
    let summaries = clusters::summaries(labels, n_clusters, &cycle.cycling, &composition);
    warnings.extend(clusters::warnings(&summaries, &qc_lots));
    warnings.extend(deviation.warnings.iter().cloned());
    let leave_one_out = leave_one_out::walk(&dataset, &normalized, &votes, &road, params, &mut warnings, progress)?;
    drop(votes);
    let specifications =
        specifications::walk(&dataset, &normalized, &hvg.genes, &road, params, &mut warnings, progress)?;

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
        qc: qc_lots,
        excluded,
        resolution: sweep,
        clusters: summaries,
        composition,
        deviation: deviation.rows,
        neighborhoods: lot_neighborhoods,
        pseudobulk,
        effects,
        wilcoxon,
        leave_one_out,
        readouts: Vec::new(),
        specifications,
        warnings,
    };
    Ok((analysis, Space { dataset, normalized, hvg, pca, harmony, neighbors }))
}

/// Composition × readout → associations → ranked candidate genes.
///
/// # Errors
/// - the readout is not a column of the sheet, or holds text
/// - fewer lots have a value than a correlation needs
pub fn rank(analysis: &Analysis, readout: &str) -> Result<Ranked> {
    rank_by(analysis, readout, &analysis.params.association, &Silent)
}

/// As [`rank`], with other parameters of the association than those of the run, telling how far the permutations are.
///
/// # Errors
/// As [`rank`].
pub fn rank_by(
    analysis: &Analysis,
    readout: &str,
    asked: &AssociationParams,
    progress: &dyn Progress,
) -> Result<Ranked> {
    let params = &analysis.params;
    let readout = find_readout(&analysis.sheet, &analysis.readouts, readout)?;
    let of_lots = analysis.composition.transformed(params.composition.transform);
    let units = units(&analysis.sheet, &of_lots, &readout, asked)?;
    let table = units.table(&of_lots);
    let values = units.average(&readout.values);
    let lot_weights = weights(&readout, asked.weights);
    let weights = lot_weights.as_ref().map(|of_lots| units.sum(of_lots));
    let censored = censored(&readout);
    let ranks_only = censored.is_some();
    let associate = |values: &[f64], progress: &dyn Progress| {
        let observed = Observed { name: &readout.name, values, weights: weights.as_deref(), ranks_only };
        association_of(&table, observed, &units, asked, params.seed, progress)
    };
    let mut association = associate(&values, progress)?;
    association.warnings.extend(units.warnings.iter().cloned().chain(censored.clone()));
    let influence = influence(&table, &association, |values| associate(values, &Silent));
    let groups = two_groups(&table, &values, readout.groups.as_ref(), &units, asked, params.seed);
    let proliferative: Vec<bool> = analysis.clusters.iter().map(|c| c.proliferative).collect();
    let r: Vec<f64> = association.rows.iter().map(|row| row.effect).collect();
    let stability = analysis.leave_one_out.as_ref().map(|runs| {
        // The question of the run, asked of other clusters of fewer lots.
        let effects = |n_cells: &Array2<u64>, left_out: usize| {
            let gone = |mut of_lots: Vec<f64>, as_if: f64| {
                of_lots[left_out] = as_if;
                of_lots
            };
            let of_lots = transformed_table(&analysis.composition.lots, n_cells, params.composition.transform);
            let weights = lot_weights.clone().map(|of_lots| units.sum(&gone(of_lots, 0.0)));
            let values = units.average(&gone(readout.values.clone(), f64::NAN));
            let observed = Observed { name: &readout.name, values: &values, weights: weights.as_deref(), ranks_only };
            effects_of(&units.table(&of_lots), observed, &units, asked)
        };
        let strength = |effect| asked.alternative.strength(effect);
        stability(runs, &effects, &strength, &r, params.ranking.min_share, params.verdict.min_jaccard)
    });
    let found_again = stability.as_ref().map(|s| s.clusters.as_slice());
    let verdicts = verdicts(&association, &influence, found_again, &params.verdict)?;
    association.warnings.extend(too_few_lots(&association, &params.verdict));
    association.warnings.extend(clusters::potent_and_proliferative(analysis, &verdicts));
    let mut candidates = ranking(
        &association,
        &analysis.effects,
        units.rows(&analysis.pseudobulk.log2_cpm_all()).view(),
        &proliferative,
        &params.ranking,
    )?;
    if let Some(stability) = &stability {
        candidates.iter_mut().for_each(|candidate| candidate.loo_top20 = Some(stability.n_top(candidate.gene)));
    }
    let weighted = Observed { name: &readout.name, values: &values, weights: weights.as_deref(), ranks_only };
    let run = Reference {
        effects: &r,
        statistic: association.design.statistic,
        alternative: asked.alternative,
        transform: params.composition.transform,
        alpha: params.verdict.alpha,
        min_jaccard: params.verdict.min_jaccard,
    };
    let sensitivity = sensitivity(&analysis.specifications, weighted, &units, run, &params.sensitivity, params.seed)?;
    let observed = Observed { name: &readout.name, values: &values, weights: None, ranks_only };
    let confounding = lots::confounders(analysis, &table, observed, &units, asked)?;
    association.warnings.extend(confounding.warnings);
    association.warnings.extend(lots::integrated(analysis, &readout.name, &readout.values));
    let neighborhoods = lots::neighborhoods_against(analysis, observed, &units, asked)?;
    let of_gene = measurability(&analysis.genes);
    let measurability = candidates.iter().map(|c| of_gene[c.gene as usize].clone()).collect();
    Ok(Ranked {
        asked: asked.clone(),
        readout,
        units,
        association,
        groups,
        verdicts,
        influence,
        stability,
        sensitivity,
        confounding: confounding.rows,
        neighborhoods,
        candidates,
        measurability,
    })
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

fn name_excluded(dataset: &Dataset, excluded: &[(usize, String)]) -> Vec<Excluded> {
    let offsets = dataset.offsets();
    excluded
        .iter()
        .map(|(cell, reason)| {
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
