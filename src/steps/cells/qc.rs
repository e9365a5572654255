//! Quality control per lot with adaptive limits.
//!
//! **Question.** Which barcodes hold an intact cell, by the standard of their own lot?
//!
//! **Method.** Per cell: counts, genes, percentage of counts in mitochondrial genes (symbol `MT-…`), in ribosomal protein
//! genes (`RPS…`, `RPL…`) and in the cell's 50 most abundant genes. Per lot, with m = median and s = 1.4826 · median
//! absolute deviation over its cells: a cell is excluded if ln(1 + counts) or ln(1 + genes) lies below m − `n_mads`·s, or
//! its mitochondrial percentage lies above m + max(`n_mads`·s, 100·`min_mito_margin`). Fixed limits act besides. A cell
//! without counts is always excluded (`empty`) and takes no part in medians. There is no adaptive limit where there is
//! nothing to adapt to: in a lot of fewer than 20 cells with counts (a warning), and for counts or genes where s = 0.
//!
//! **Shapes.** Cells × genes → one entry per cell, one row per lot, one entry per excluded cell.
//!
//! **Others.** The measures equal scanpy's `calculate_qc_metrics`. scanpy and Seurat leave limits to the user; the
//! adaptive ones are those of scran's `perCellQCFilters`, but within each lot, and with a margin for mitochondrial
//! percentage, since a lot with hardly any spread would else lose healthy cells.
//!
//! **References.** Lun, McCarthy & Marioni 2016, doi:10.12688/f1000research.9501.2; Germain, Sonrel & Robinson 2020,
//! doi:10.1186/s13059-020-02136-7.

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::gene_groups::{is_mitochondrial, is_ribosomal};
use crate::data::{Dataset, Lot, Row};
use crate::error::{Error, Result};
use crate::math::quantile::{MAD_TO_SD, median, median_and_mad};
use crate::warning::Warning;

/// Fewer cells than this say too little about a lot's spread for adaptive limits.
const MIN_CELLS_TO_ADAPT: usize = 20;
/// A lot that keeps fewer cells than this is a warning.
const MIN_CELLS_KEPT: usize = 50;
/// Size of the group of most abundant genes.
const N_TOP: usize = 50;

/// Parameters of [`qc`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QcParams {
    /// Adaptive limits (true), or only the fixed ones below. Default true.
    pub adaptive: bool,
    /// Distance of the adaptive limits from the lot's median, in scaled median absolute deviations; above 0. Raising it
    /// keeps more cells. Default 3: excludes about 1 in 740 cells of a normal distribution on each side.
    pub n_mads: f64,
    /// Smallest distance of the adaptive mitochondrial limit from the median, as a fraction 0..1 of counts. Default 0.005
    /// (half a percentage point): below it, differences between cells are counting noise.
    pub min_mito_margin: f64,
    /// Fixed lower limit of counts per cell; 0 = none (default). Where adaptive limits are on, the stricter one acts.
    pub min_counts: u32,
    /// Fixed lower limit of genes per cell; 0 = none (default).
    pub min_genes: u32,
    /// Fixed upper limit of the mitochondrial fraction, 0..1; 1 = none (default).
    pub max_mito_fraction: f64,
}

impl Default for QcParams {
    fn default() -> Self {
        Self {
            adaptive: true,
            n_mads: 3.0,
            min_mito_margin: 0.005,
            min_counts: 0,
            min_genes: 0,
            max_mito_fraction: 1.0,
        }
    }
}

/// Quality measures, one entry per cell in global order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CellMetrics {
    /// Sum of counts (at most `u32::MAX`).
    pub n_counts: Vec<u32>,
    /// Genes with at least one count.
    pub n_genes: Vec<u32>,
    /// Mitochondrial percentage, 0..100.
    pub pct_mito: Vec<f32>,
    /// Ribosomal percentage, 0..100.
    pub pct_ribo: Vec<f32>,
    /// Percentage of counts in the 50 most abundant genes of the cell, 0..100.
    pub pct_top_50: Vec<f32>,
}

/// One excluded cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// Global index among the cells read.
    pub cell: usize,
    /// `empty`, `low_counts`, `low_genes`, `high_mito`, `doublet`; several joined by `+`.
    pub reason: String,
}

/// One row of `qc.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct LotQc {
    /// Lot name.
    pub lot: String,
    /// Cells before.
    pub n_cells_read: usize,
    /// Cells after.
    pub n_cells_kept: usize,
    /// Cells called doublets among those that passed the limits (0 before doublets are scored).
    pub n_doublets: usize,
    /// Median over kept cells; NaN if there are none.
    pub median_counts: f64,
    /// Median over kept cells; NaN if there are none.
    pub median_genes: f64,
    /// Median over kept cells, 0..100.
    pub median_pct_mito: f64,
    /// Lower limit applied to counts; 0 = none.
    pub limit_counts: f64,
    /// Lower limit applied to genes; 0 = none.
    pub limit_genes: f64,
    /// Upper limit applied to the mitochondrial percentage, 0..100; 100 = none.
    pub limit_pct_mito: f64,
}

/// Result of [`qc`].
#[derive(Debug, Clone, PartialEq)]
pub struct Qc {
    /// Of every cell read.
    pub metrics: CellMetrics,
    /// One flag per cell read.
    pub keep: Vec<bool>,
    /// Cells not kept, in global order.
    pub excluded: Vec<Exclusion>,
    /// One row per lot.
    pub lots: Vec<LotQc>,
    /// Lots that lose too much; genes not found.
    pub warnings: Vec<Warning>,
}

/// Measures every cell and decides which to keep.
///
/// # Errors
/// A parameter is out of its range.
pub fn qc(dataset: &Dataset, params: &QcParams) -> Result<Qc> {
    check(params)?;
    let mut warnings = Vec::new();
    let metrics = measure(dataset, &mut warnings);
    let mut keep = vec![true; dataset.n_cells()];
    let mut excluded = Vec::new();
    let mut lots = Vec::with_capacity(dataset.n_lots());
    for (i, lot) in dataset.lots().iter().enumerate() {
        let cells = dataset.offsets()[i]..dataset.offsets()[i + 1];
        let limits = Limits::of_lot(&metrics, cells.clone(), params);
        if params.adaptive && limits.n_measured < MIN_CELLS_TO_ADAPT && !cells.is_empty() {
            warnings.push(Warning::LotLeftOut {
                lot: lot.name.clone(),
                step: "adaptive quality limits".into(),
                cause: format!("{} cells with counts, {MIN_CELLS_TO_ADAPT} needed", limits.n_measured),
            });
        }
        for cell in cells.clone() {
            if let Some(reason) = limits.reason(&metrics, cell) {
                keep[cell] = false;
                excluded.push(Exclusion { cell, reason });
            }
        }
        lots.push(LotQc::of(&lot.name, &metrics, &keep, cells, &limits));
    }
    warnings.extend(losses(&lots));
    Ok(Qc { metrics, keep, excluded, lots, warnings })
}

impl Qc {
    /// Excludes further cells (kept ones, rising), such as doublets, and tells of each lot what is left: cells, medians,
    /// and whether it loses too many. `offsets` are those of the data set read.
    pub fn exclude(&mut self, cells: &[usize], reason: &str, offsets: &[usize]) {
        for &cell in cells {
            self.keep[cell] = false;
            self.excluded.push(Exclusion { cell, reason: reason.into() });
        }
        self.excluded.sort_by_key(|exclusion| exclusion.cell);
        for (lot, row) in self.lots.iter_mut().enumerate() {
            row.describe(&self.metrics, &self.keep, offsets[lot]..offsets[lot + 1]);
        }
        self.warnings.retain(|warning| !matches!(warning, Warning::LotLosesCells { .. }));
        self.warnings.extend(losses(&self.lots));
    }
}

/// Lots that keep few of their cells.
fn losses(lots: &[LotQc]) -> impl Iterator<Item = Warning> {
    let loses = |row: &&LotQc| row.n_cells_kept < MIN_CELLS_KEPT || 2 * row.n_cells_kept < row.n_cells_read;
    lots.iter().filter(loses).map(|row| Warning::LotLosesCells {
        lot: row.lot.clone(),
        n_read: row.n_cells_read,
        n_kept: row.n_cells_kept,
    })
}

fn check(params: &QcParams) -> Result<()> {
    if !(params.n_mads > 0.0 && params.n_mads.is_finite()) {
        return Err(Error::param("qc.n_mads", params.n_mads, "a number above 0"));
    }
    if !(0.0..=1.0).contains(&params.min_mito_margin) {
        return Err(Error::param("qc.min_mito_margin", params.min_mito_margin, "a fraction from 0 to 1"));
    }
    if !(0.0..=1.0).contains(&params.max_mito_fraction) {
        return Err(Error::param("qc.max_mito_fraction", params.max_mito_fraction, "a fraction from 0 to 1"));
    }
    Ok(())
}

/// Measures of one cell; percentages as scanpy has them, 0 where there are no counts.
struct Measures {
    n_counts: u32,
    n_genes: u32,
    pct_mito: f32,
    pct_ribo: f32,
    pct_top_50: f32,
}

fn measure(dataset: &Dataset, warnings: &mut Vec<Warning>) -> CellMetrics {
    let symbols = dataset.genes().symbols();
    let groups: Vec<u8> =
        symbols.iter().map(|s| u8::from(is_mitochondrial(s)) + 2 * u8::from(is_ribosomal(s))).collect();
    for (flag, group, needed_for) in
        [(1, "mitochondrial (MT-)", "the mitochondrial limit"), (2, "ribosomal (RPS, RPL)", "the ribosomal percentage")]
    {
        if !groups.contains(&flag) {
            warnings.push(Warning::GenesNotFound { group: group.into(), needed_for: needed_for.into() });
        }
    }
    let measure_lot = |lot: &Lot| -> Vec<Measures> {
        let cells = (0..lot.counts.n_cells()).into_par_iter().with_min_len(64);
        cells.map_init(Vec::new, |top, cell| measure_cell(lot.counts.row(cell), &groups, top)).collect()
    };
    let cells: Vec<Measures> = dataset.lot_by_lot(|lot, _| measure_lot(lot)).into_iter().flatten().collect();
    CellMetrics {
        n_counts: cells.iter().map(|c| c.n_counts).collect(),
        n_genes: cells.iter().map(|c| c.n_genes).collect(),
        pct_mito: cells.iter().map(|c| c.pct_mito).collect(),
        pct_ribo: cells.iter().map(|c| c.pct_ribo).collect(),
        pct_top_50: cells.iter().map(|c| c.pct_top_50).collect(),
    }
}

/// `top` is a buffer for the most abundant genes.
fn measure_cell(row: Row<'_>, groups: &[u8], top: &mut Vec<u32>) -> Measures {
    let (mut total, mut mito, mut ribo, mut lowest) = (0_u64, 0_u64, 0_u64, 0);
    top.clear();
    row.for_each(|gene, count| {
        total += u64::from(count);
        match groups[gene as usize] {
            0 => {}
            1 => mito += u64::from(count),
            _ => ribo += u64::from(count),
        }
        // A threshold that rises soon keeps nearly all of a cell's small counts out of the sorting.
        if count > lowest {
            top.push(count);
            if top.len() == 4 * N_TOP {
                lowest = keep_largest(top);
            }
        }
    });
    keep_largest(top);
    let in_top: u64 = top.iter().map(|&c| u64::from(c)).sum();
    let percent = |part: u64| if total == 0 { 0.0 } else { (part as f64 / total as f64 * 100.0) as f32 };
    Measures {
        n_counts: u32::try_from(total).unwrap_or(u32::MAX),
        n_genes: row.len() as u32,
        pct_mito: percent(mito),
        pct_ribo: percent(ribo),
        pct_top_50: percent(in_top),
    }
}

/// Cuts down to the largest 50 and returns the smallest of these; 0 while there are fewer.
fn keep_largest(top: &mut Vec<u32>) -> u32 {
    if top.len() < N_TOP {
        return 0;
    }
    let (_, &mut smallest, _) = top.select_nth_unstable_by(N_TOP - 1, |a, b| b.cmp(a));
    top.truncate(N_TOP);
    smallest
}

/// What a cell of one lot must reach.
struct Limits {
    /// Cells with counts.
    n_measured: usize,
    counts: f64,
    genes: f64,
    pct_mito: f64,
}

impl Limits {
    fn of_lot(metrics: &CellMetrics, cells: Range<usize>, params: &QcParams) -> Self {
        let measured: Vec<usize> = cells.filter(|&cell| metrics.n_counts[cell] > 0).collect();
        let mut limits = Self {
            n_measured: measured.len(),
            counts: f64::from(params.min_counts),
            genes: f64::from(params.min_genes),
            pct_mito: params.max_mito_fraction * 100.0,
        };
        if !params.adaptive || measured.len() < MIN_CELLS_TO_ADAPT {
            return limits;
        }
        let lower = |values: &[u32], fixed: f64| {
            let mut logs: Vec<f64> = measured.iter().map(|&cell| f64::from(values[cell]).ln_1p()).collect();
            let (middle, mad) = median_and_mad(&mut logs);
            if mad == 0.0 { fixed } else { fixed.max((middle - params.n_mads * MAD_TO_SD * mad).exp_m1()) }
        };
        limits.counts = lower(&metrics.n_counts, limits.counts);
        limits.genes = lower(&metrics.n_genes, limits.genes);
        let mut pct_mito: Vec<f64> = measured.iter().map(|&cell| f64::from(metrics.pct_mito[cell])).collect();
        let (middle, mad) = median_and_mad(&mut pct_mito);
        let margin = (params.n_mads * MAD_TO_SD * mad).max(100.0 * params.min_mito_margin);
        limits.pct_mito = limits.pct_mito.min(middle + margin);
        limits
    }

    /// Why the cell is excluded; `None` if it is kept.
    fn reason(&self, metrics: &CellMetrics, cell: usize) -> Option<String> {
        if metrics.n_counts[cell] == 0 {
            return Some("empty".into());
        }
        let reasons: Vec<&str> = [
            (f64::from(metrics.n_counts[cell]) < self.counts, "low_counts"),
            (f64::from(metrics.n_genes[cell]) < self.genes, "low_genes"),
            (f64::from(metrics.pct_mito[cell]) > self.pct_mito, "high_mito"),
        ]
        .into_iter()
        .filter_map(|(fails, reason)| fails.then_some(reason))
        .collect();
        (!reasons.is_empty()).then(|| reasons.join("+"))
    }
}

impl LotQc {
    fn of(lot: &str, metrics: &CellMetrics, keep: &[bool], cells: Range<usize>, limits: &Limits) -> Self {
        let mut row = Self {
            lot: lot.to_string(),
            n_cells_read: cells.len(),
            n_cells_kept: 0,
            n_doublets: 0,
            median_counts: f64::NAN,
            median_genes: f64::NAN,
            median_pct_mito: f64::NAN,
            limit_counts: limits.counts,
            limit_genes: limits.genes,
            limit_pct_mito: limits.pct_mito,
        };
        row.describe(metrics, keep, cells);
        row
    }

    /// Number and medians of the cells of this lot that are kept.
    fn describe(&mut self, metrics: &CellMetrics, keep: &[bool], cells: Range<usize>) {
        let kept: Vec<usize> = cells.filter(|&cell| keep[cell]).collect();
        let median_of =
            |value: &dyn Fn(usize) -> f64| median(&mut kept.iter().map(|&cell| value(cell)).collect::<Vec<_>>());
        self.n_cells_kept = kept.len();
        self.median_counts = median_of(&|cell| f64::from(metrics.n_counts[cell]));
        self.median_genes = median_of(&|cell| f64::from(metrics.n_genes[cell]));
        self.median_pct_mito = median_of(&|cell| f64::from(metrics.pct_mito[cell]));
    }
}

#[cfg(test)]
mod tests;
