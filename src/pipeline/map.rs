//! New lots placed on a locked reference, each alone.

use ndarray::Array2;
use rayon::prelude::*;

use super::reference::Reference;
use super::select_metrics;
use crate::data::{Counts, Dataset, Genes, Lot, LotSheet, LotSource};
use crate::error::Result;
use crate::io::RawLot;
use crate::math::quantile::median;
use crate::progress::Progress;
use crate::steps::cells::{CellMetrics, LotQc, QcParams, doublets, normalize, qc};
use crate::steps::lots::Population;
use crate::steps::markers::{GatedShare, Panel, gated_shares};
use crate::steps::process::calibration::Assigned;
use crate::steps::process::mapping::{Distances, NewLot, cells_per_cluster, place};
use crate::steps::process::measure::{Measured, Placer};
use crate::steps::process::{Placed, UNASSIGNED};
use crate::warning::{ReferenceWarning, Warning};

/// A lot as it was placed, with its cells. Vectors have one entry per cell kept.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedLot {
    /// What is said of the lot.
    pub placed: Placed,
    /// Its row of quality control; `None` where its genes are others or it has no cells.
    pub qc: Option<LotQc>,
    /// Barcodes.
    pub barcodes: Vec<String>,
    /// Quality measures; empty where its genes are others.
    pub metrics: CellMetrics,
    /// Labels and scores.
    pub assigned: Assigned,
    /// Measures against the reference; `None` where nothing could be measured.
    pub measured: Option<Measured>,
    /// (All cells, then each cluster) × genes: summed counts.
    pub pseudobulk: Array2<u64>,
    /// One per panel of the reference that the lot has the genes of.
    pub panel_shares: Vec<GatedShare>,
    /// Cells that quality control excluded: barcode and reason.
    pub excluded: Vec<(String, String)>,
    /// What was found worth saying.
    pub warnings: Vec<Warning>,
}

/// Maps lots, each alone: the result of a lot does not depend on the others.
///
/// # Errors
/// The reference has no cells. Whatever is wrong with a lot is told in its row instead.
pub fn map(reference: &Reference, lots: Vec<(String, RawLot)>, progress: &dyn Progress) -> Result<Vec<MappedLot>> {
    let population = reference.population()?;
    progress.start("map", lots.len() as u64);
    let mapped: Vec<Result<MappedLot>> = lots
        .into_par_iter()
        .with_max_len(1)
        .map(|(name, lot)| {
            let mapped = map_lot(reference, &population, name, lot);
            progress.advance(1);
            mapped
        })
        .collect();
    let mapped: Vec<MappedLot> = mapped.into_iter().collect::<Result<_>>()?;
    let n_in = mapped.iter().filter(|lot| lot.placed.in_reference).count();
    progress.finish("map", &format!("{n_in} of {} lots in reference", mapped.len()));
    Ok(mapped)
}

fn map_lot(reference: &Reference, population: &Population, name: String, raw: RawLot) -> Result<MappedLot> {
    let RawLot { genes, barcodes, counts, mut warnings, .. } = raw;
    let aligned = Aligned::new(reference, &genes);
    let new = NewLot {
        name: name.clone(),
        n_cells_read: barcodes.len(),
        n_cells: barcodes.len(),
        pct_mito: f64::NAN,
        counts: f64::NAN,
        n_variable: reference.frame.genes.len(),
        n_found: aligned.n_found,
        examples: [first(&genes), first(&reference.genes)],
    };
    let enough = aligned.n_found as f64 >= reference.params.mapping.min_genes_found * new.n_variable as f64;
    if barcodes.is_empty() || !enough {
        return Ok(without_cells(reference, new, barcodes, warnings));
    }
    if aligned.n_found < new.n_variable {
        let n_missing = new.n_variable - aligned.n_found;
        let (lot, n_variable) = (name.clone(), new.n_variable);
        warnings.push(ReferenceWarning::ReferenceGenesMissing { lot, n_missing, n_variable }.into());
    }
    let mut kept = Kept::new(reference, name, barcodes, aligned.counts(counts, reference.genes.len()))?;
    let panel_shares = gated(reference, &aligned.has_gene, &mut kept)?;
    let new = NewLot { n_cells: kept.barcodes.len(), pct_mito: kept.pct_mito, counts: kept.median_counts, ..new };
    warnings.extend(kept.warnings);
    let (assigned, measured) = if kept.barcodes.is_empty() {
        (Assigned::default(), None)
    } else {
        let params = &reference.params;
        let (target_sum, n_neighbors) = (params.normalize.target_sum, params.mapping.n_neighbors);
        let placer = Placer::new(&reference.frame, &aligned.has_gene, target_sum, n_neighbors);
        let measured = placer.measure(&kept.counts);
        (reference.calibration.assign(&measured), Some(measured))
    };
    let n_clusters = reference.n_clusters();
    let distances = measured.as_ref().map_or(Distances::NONE, |measured| {
        let n_cells = cells_per_cluster(&assigned.cluster, n_clusters);
        Distances::of(population, &n_cells, measured.embedding.view(), reference.params.seed)
    });
    let placed = place(new, &assigned, n_clusters, distances, reference.judge());
    warnings.extend(out_of_reference(&placed));
    Ok(MappedLot {
        pseudobulk: summed_counts(&kept.counts, &assigned.cluster, n_clusters),
        placed,
        qc: Some(kept.qc),
        barcodes: kept.barcodes,
        metrics: kept.metrics,
        assigned,
        measured,
        panel_shares,
        excluded: kept.excluded,
        warnings,
    })
}

fn first(genes: &Genes) -> String {
    genes.ids().first().cloned().unwrap_or_default()
}

fn out_of_reference(placed: &Placed) -> Option<Warning> {
    (!placed.in_reference).then(|| {
        ReferenceWarning::LotOutOfReference { lot: placed.lot.clone(), reasons: placed.reasons_in_words() }.into()
    })
}

/// A lot none of whose cells can be measured.
fn without_cells(reference: &Reference, new: NewLot, barcodes: Vec<String>, mut warnings: Vec<Warning>) -> MappedLot {
    let n = barcodes.len();
    let assigned = Assigned { cluster: vec![UNASSIGNED; n], score: vec![0.0; n], beyond: vec![0; n] };
    let n_clusters = reference.n_clusters();
    let placed = place(new, &assigned, n_clusters, Distances::NONE, reference.judge());
    warnings.extend(out_of_reference(&placed));
    MappedLot {
        pseudobulk: Array2::zeros((n_clusters + 1, reference.genes.len())),
        placed,
        qc: None,
        barcodes,
        metrics: CellMetrics::default(),
        assigned,
        measured: None,
        panel_shares: Vec::new(),
        excluded: Vec::new(),
        warnings,
    }
}

/// The lot's cells under the panels of the reference. A panel one of whose genes the lot lacks is left out: 0 would be wrong.
fn gated(reference: &Reference, has_gene: &[bool], kept: &mut Kept) -> Result<Vec<GatedShare>> {
    let mut panels: Vec<Panel> = Vec::new();
    for panel in &reference.panels {
        let genes = panel.find(&reference.genes)?;
        match panel.gates.iter().zip(genes).find(|(_, gene)| !has_gene[*gene as usize]) {
            None => panels.push(panel.clone()),
            Some((gate, _)) => {
                let (lot, panel, gene) = (kept.qc.lot.clone(), panel.name(), gate.gene.clone());
                kept.warnings.push(ReferenceWarning::PanelGeneMissing { lot, panel, gene }.into());
            }
        }
    }
    if panels.is_empty() || kept.barcodes.is_empty() {
        return Ok(Vec::new());
    }
    let name = kept.qc.lot.clone();
    let source = LotSource { lot: name.clone(), path: Default::default(), subset: None };
    let lot = Lot { name, barcodes: kept.barcodes.clone(), counts: kept.counts.clone() };
    let sheet = LotSheet { lots: vec![source], columns: Vec::new() };
    let dataset = Dataset::new(reference.genes.clone(), vec![lot], sheet)?;
    let normalized = normalize(&dataset, &reference.params.normalize)?;
    Ok(gated_shares(&dataset, &normalized, &panels, reference.params.composition.level)?)
}

/// A lot's genes on the axis of the reference, by id and by nothing else.
struct Aligned {
    /// Per gene of the reference.
    has_gene: Vec<bool>,
    /// Variable genes found.
    n_found: usize,
    /// Per gene of the lot; `None` if the two axes are the same.
    new_index: Option<Vec<Option<u32>>>,
}

impl Aligned {
    fn new(reference: &Reference, genes: &Genes) -> Self {
        let n_variable = reference.frame.genes.len();
        if genes.ids() == reference.genes.ids() {
            return Self { has_gene: vec![true; genes.len()], n_found: n_variable, new_index: None };
        }
        let index = reference.genes.index_by_id();
        let new_index: Vec<Option<u32>> = genes.ids().iter().map(|id| index.get(id.as_str()).copied()).collect();
        let mut has_gene = vec![false; reference.genes.len()];
        new_index.iter().flatten().for_each(|&gene| has_gene[gene as usize] = true);
        let n_found = reference.frame.genes.iter().filter(|&&gene| has_gene[gene as usize]).count();
        Self { has_gene, n_found, new_index: Some(new_index) }
    }

    fn counts(&self, counts: Counts, n_genes: usize) -> Counts {
        match &self.new_index {
            Some(new_index) => counts.map_genes(new_index, n_genes),
            None => counts,
        }
    }
}

/// Cells that quality control keeps.
struct Kept {
    barcodes: Vec<String>,
    counts: Counts,
    metrics: CellMetrics,
    qc: LotQc,
    /// Medians of all cells with counts, before quality control.
    pct_mito: f64,
    median_counts: f64,
    excluded: Vec<(String, String)>,
    warnings: Vec<Warning>,
}

impl Kept {
    /// By the rules of the run, and never beyond the loosest limits of the reference lots.
    fn new(reference: &Reference, name: String, barcodes: Vec<String>, counts: Counts) -> Result<Self> {
        let limits = &reference.cell_limits;
        let params = QcParams {
            min_counts: limits.min_counts,
            min_genes: limits.min_genes,
            max_mito_fraction: limits.max_mito_fraction,
            ..reference.params.qc.clone()
        };
        let source = LotSource { lot: name.clone(), path: Default::default(), subset: None };
        let sheet = LotSheet { lots: vec![source], columns: Vec::new() };
        let all = Dataset::new(reference.genes.clone(), vec![Lot { name, barcodes, counts }], sheet)?;
        let mut found = qc(&all, &params)?;
        let of_cells = |value: &dyn Fn(usize) -> f64| {
            let with_counts = (0..all.n_cells()).filter(|&cell| found.metrics.n_counts[cell] > 0);
            median(&mut with_counts.map(value).collect::<Vec<_>>())
        };
        let pct_mito = of_cells(&|cell| f64::from(found.metrics.pct_mito[cell]));
        let median_counts = of_cells(&|cell| f64::from(found.metrics.n_counts[cell]));
        let names = &all.lots()[0].barcodes;
        let mut excluded: Vec<(usize, String)> = found.excluded.into_iter().map(|e| (e.cell, e.reason)).collect();
        if reference.params.doublets.enabled && reference.params.doublets.drop && found.keep.contains(&true) {
            let passed = all.select_cells(&found.keep);
            let scored = doublets(&passed, &reference.params.doublets, reference.params.seed)?;
            found.warnings.extend(scored.warnings);
            let cells: Vec<usize> = (0..all.n_cells()).filter(|&cell| found.keep[cell]).collect();
            for (&cell, _) in cells.iter().zip(&scored.called).filter(|(_, called)| **called) {
                found.keep[cell] = false;
                excluded.push((cell, "doublet".into()));
                found.lots[0].n_doublets += 1;
            }
            excluded.sort_unstable();
        }
        let kept: Vec<usize> = (0..all.n_cells()).filter(|&cell| found.keep[cell]).collect();
        let mut row = found.lots.swap_remove(0);
        row.n_cells_kept = kept.len();
        Ok(Self {
            excluded: excluded.into_iter().map(|(cell, reason)| (names[cell].clone(), reason)).collect(),
            barcodes: kept.iter().map(|&cell| names[cell].clone()).collect(),
            // Cells are copied only where some are left out.
            counts: match kept.len() == all.n_cells() {
                true => all.lots()[0].counts.clone(),
                false => all.lots()[0].counts.select_cells(&found.keep),
            },
            metrics: select_metrics(&found.metrics, &kept),
            qc: row,
            pct_mito,
            median_counts,
            warnings: found.warnings,
        })
    }
}

/// (All cells, then each cluster) × genes.
pub(super) fn summed_counts(counts: &Counts, cluster: &[u32], n_clusters: usize) -> Array2<u64> {
    let mut sums = Array2::<u64>::zeros((n_clusters + 2, counts.n_genes()));
    for (cell, &k) in cluster.iter().enumerate() {
        // The last row takes the cells unassigned.
        let row = if k == UNASSIGNED { n_clusters + 1 } else { k as usize + 1 };
        let mut row = sums.row_mut(row);
        let row = row.as_slice_mut().expect("rows of a new array are contiguous");
        counts.row(cell).for_each(|gene, count| row[gene as usize] += u64::from(count));
    }
    let all = sums.sum_axis(ndarray::Axis(0));
    sums.row_mut(0).assign(&all);
    sums.slice_move(ndarray::s![..=n_clusters, ..])
}
