//! Highly variable genes.
//!
//! **Question.** Which genes tell cells apart, beyond the noise that a gene of their abundance always has?
//!
//! **Method.** `seurat_v3`: within a lot, log10 variance of counts is fitted on log10 mean by local regression, and counts
//! standardised with the fitted variance and clipped at √n; a gene's score is their variance. `seurat`: ln(variance /
//! mean) of counts per 10,000, standardised within 20 bins of the mean. Per lot, the top genes of each lot vote: genes are
//! taken by the number of lots in which they are at the top, then by their median rank in these lots (`seurat_v3`) or by
//! their mean score (`seurat`). A lot of fewer than 20 cells, or one in which no regression is determined, has no vote (a
//! warning). Genes kept out are left out before ranking, so that `n_top_genes` remain.
//!
//! **Shapes.** Cells × genes → selected genes; one entry per gene.
//!
//! **Others.** Per lot, `seurat_v3` is scanpy's `seurat_v3_paper` with `batch_key`, and Seurat's
//! `SelectIntegrationFeatures`; scanpy's `seurat_v3` looks at the median rank first, so that a gene at the top in one lot
//! and nowhere else wins over a gene near the top in all. Over all cells at once the choice is scanpy's and Seurat's.
//!
//! **References.** Stuart et al. 2019, doi:10.1016/j.cell.2019.05.031; Satija et al. 2015, doi:10.1038/nbt.3192;
//! Cleveland & Grosse 1991, doi:10.1007/BF01890836.

mod dispersion;
mod standardized_variance;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::gene_groups::{is_mitochondrial, is_ribosomal};
use crate::data::{Dataset, Lot};
use crate::error::{Error, Result};
use crate::math::column_moments::ColumnMoments;
use crate::math::quantile::median;
use crate::steps::cells::Normalized;
use crate::warning::Warning;

/// Lots with fewer cells than this have no vote: most genes were seen in none or one of their cells.
const MIN_CELLS: usize = 20;
/// Cells per task; fixed, so that sums come out the same whatever the number of threads.
const CHUNK: usize = 2048;

/// Which method ranks the genes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HvgFlavor {
    /// Variance after a variance-stabilising transform of counts (Stuart 2019).
    SeuratV3,
    /// Normalised dispersion of log-normalised values (Satija 2015).
    Seurat,
}

/// Parameters of [`hvg`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HvgParams {
    /// Number of genes, at least 1; all genes if there are fewer. More bring in weaker programmes, and noise. Default
    /// 2,000, as in Seurat and scanpy.
    pub n_top_genes: usize,
    /// Method. Default `seurat_v3`.
    pub flavor: HvgFlavor,
    /// Rank within each lot and combine (true), or over all cells at once. Default true: genes that differ between lots
    /// but not between the cells of a lot would else come first.
    pub per_lot: bool,
    /// Share of genes in each local fit of `seurat_v3`, above 0 and up to 1. Larger is smoother. Default 0.3, as in Seurat.
    pub span: f64,
    /// Keep mitochondrial genes (`MT-…`) out. Default false.
    pub exclude_mito: bool,
    /// Keep ribosomal protein genes (`RPS…`, `RPL…`) out. Default false.
    pub exclude_ribo: bool,
    /// Symbols or ids to keep out. Default none.
    pub exclude: Vec<String>,
}

impl Default for HvgParams {
    fn default() -> Self {
        Self {
            n_top_genes: 2000,
            flavor: HvgFlavor::SeuratV3,
            per_lot: true,
            span: 0.3,
            exclude_mito: false,
            exclude_ribo: false,
            exclude: Vec::new(),
        }
    }
}

/// Result of [`hvg`].
#[derive(Debug, Clone, PartialEq)]
pub struct Hvg {
    /// Selected genes, rising indices.
    pub genes: Vec<u32>,
    /// Per gene (all), over all cells: mean of counts (`seurat_v3`), or ln(1 + mean of scaled counts) (`seurat`).
    pub mean: Vec<f64>,
    /// Per gene (all): the measure ranked by (standardised variance or dispersion; mean over voting lots if per lot).
    pub score: Vec<f64>,
    /// Per gene (all): number of lots in which it is among the top; 0 or 1 if not per lot.
    pub n_lots: Vec<u32>,
    /// Lots that could not take part; names in `exclude` that are no genes.
    pub warnings: Vec<Warning>,
}

/// Selects the most variable genes.
///
/// # Errors
/// - a parameter is out of its range
/// - no lot can take part
pub fn hvg(dataset: &Dataset, normalized: &Normalized, params: &HvgParams) -> Result<Hvg> {
    HvgVotes::new(dataset, normalized, params)?.choose(&[])
}

/// What each lot says about the genes, so that a choice without one of the lots costs next to nothing.
pub struct HvgVotes<'a> {
    dataset: &'a Dataset,
    params: HvgParams,
    /// Per gene: may it be selected?
    eligible: Vec<bool>,
    lots: Vec<Cells<'a>>,
    moments: Vec<ColumnMoments>,
    /// Per lot, if lots vote one by one: its vote, or why it has none.
    votes: Vec<std::result::Result<Vote, String>>,
    /// Names in `exclude` that are no genes.
    warnings: Vec<Warning>,
}

impl<'a> HvgVotes<'a> {
    /// Asks every lot.
    ///
    /// # Errors
    /// A parameter is out of its range.
    pub fn new(dataset: &'a Dataset, normalized: &'a Normalized, params: &HvgParams) -> Result<Self> {
        check(params)?;
        let mut warnings = Vec::new();
        let eligible = eligible(dataset, params, &mut warnings);
        let lots: Vec<Cells<'_>> = dataset
            .lots()
            .iter()
            .zip(dataset.offsets())
            .map(|(lot, &start)| Cells { lot, scale: &normalized.scale[start..start + lot.counts.n_cells()] })
            .collect();
        let moments: Vec<ColumnMoments> = lots.par_iter().map(|lot| lot.moments(params.flavor)).collect();
        let vote = |(lot, moments): (&Cells<'a>, &ColumnMoments)| {
            score(&[*lot], moments, params).map(|scores| Vote::new(scores, &eligible, params.n_top_genes))
        };
        let votes = if params.per_lot { lots.par_iter().zip(&moments).map(vote).collect() } else { Vec::new() };
        Ok(Self { dataset, params: params.clone(), eligible, lots, moments, votes, warnings })
    }

    /// The choice of all lots but some (their indices): the same as that of a data set that lacks these lots.
    ///
    /// # Errors
    /// No lot can take part.
    pub fn choose(&self, without: &[usize]) -> Result<Hvg> {
        let params = &self.params;
        let mut warnings = self.warnings.clone();
        let asked: Vec<usize> = (0..self.lots.len()).filter(|lot| !without.contains(lot)).collect();
        let mut all = ColumnMoments::new(self.dataset.n_genes());
        asked.iter().for_each(|&lot| all.merge(&self.moments[lot]));
        let mut votes: Vec<&Vote> = Vec::new();
        // All lots as one voter.
        let joint;
        if params.per_lot {
            for &lot in &asked {
                match &self.votes[lot] {
                    Ok(vote) => votes.push(vote),
                    Err(cause) => warnings.push(Warning::LotLeftOut {
                        lot: self.dataset.lots()[lot].name.clone(),
                        step: "the choice of highly variable genes".into(),
                        cause: cause.clone(),
                    }),
                }
            }
        } else {
            let lots: Vec<Cells<'_>> = asked.iter().map(|&lot| self.lots[lot]).collect();
            if let Ok(scores) = score(&lots, &all, params) {
                joint = Vote::new(scores, &self.eligible, params.n_top_genes);
                votes.push(&joint);
            }
        }
        if votes.is_empty() {
            return Err(Error::TooFew {
                what: format!("lots with {MIN_CELLS} cells and genes that vary"),
                have: 0,
                need: 1,
                cure: "if lots are small but many, set hvg.per_lot = false; else look at what quality control excluded"
                    .into(),
            });
        }
        let mean = (0..self.dataset.n_genes()).map(|gene| match params.flavor {
            HvgFlavor::SeuratV3 => all.mean(gene),
            HvgFlavor::Seurat => all.mean(gene).ln_1p(),
        });
        Ok(combine(&votes, &self.eligible, params, mean.collect(), warnings))
    }
}

fn check(params: &HvgParams) -> Result<()> {
    if params.n_top_genes == 0 {
        return Err(Error::param("hvg.n_top_genes", params.n_top_genes, "at least 1"));
    }
    if !(params.span > 0.0 && params.span <= 1.0) {
        return Err(Error::param("hvg.span", params.span, "a share above 0 and up to 1"));
    }
    Ok(())
}

/// Per gene: may it be selected?
fn eligible(dataset: &Dataset, params: &HvgParams, warnings: &mut Vec<Warning>) -> Vec<bool> {
    let genes = dataset.genes();
    let named = |gene: usize, name: &String| genes.ids()[gene] == *name || genes.symbols()[gene] == *name;
    for name in &params.exclude {
        if !(0..genes.len()).any(|gene| named(gene, name)) {
            warnings.push(Warning::GenesNotFound {
                group: name.clone(),
                needed_for: "its exclusion by hvg.exclude".into(),
            });
        }
    }
    (0..genes.len())
        .map(|gene| {
            let symbol = &genes.symbols()[gene];
            !(params.exclude_mito && is_mitochondrial(symbol)
                || params.exclude_ribo && is_ribosomal(symbol)
                || params.exclude.iter().any(|name| named(gene, name)))
        })
        .collect()
}

/// Scores of all genes by the cells of these lots; or why there are none.
fn score(lots: &[Cells<'_>], moments: &ColumnMoments, params: &HvgParams) -> std::result::Result<Vec<f64>, String> {
    if moments.n_rows() < MIN_CELLS {
        return Err(format!("{} cells, {MIN_CELLS} needed", moments.n_rows()));
    }
    match params.flavor {
        HvgFlavor::SeuratV3 => standardized_variance::scores(lots, moments, params.span),
        HvgFlavor::Seurat => dispersion::scores(moments, params.per_lot),
    }
}

/// The cells of a lot.
#[derive(Clone, Copy)]
struct Cells<'a> {
    lot: &'a Lot,
    /// Factor of each cell.
    scale: &'a [f64],
}

impl Cells<'_> {
    /// Ranges of [`CHUNK`] cells.
    fn chunks(&self) -> Vec<std::ops::Range<usize>> {
        let n = self.lot.counts.n_cells();
        (0..n).step_by(CHUNK).map(|start| start..(start + CHUNK).min(n)).collect()
    }

    /// Of counts (`seurat_v3`), or of scaled counts (`seurat`).
    fn moments(&self, flavor: HvgFlavor) -> ColumnMoments {
        let counts = &self.lot.counts;
        let parts: Vec<ColumnMoments> = self
            .chunks()
            .into_par_iter()
            .map(|cells| {
                let mut part = ColumnMoments::new(counts.n_genes());
                part.add_rows(cells.len());
                for cell in cells {
                    let factor = match flavor {
                        HvgFlavor::SeuratV3 => 1.0,
                        HvgFlavor::Seurat => self.scale[cell],
                    };
                    counts.row(cell).for_each(|gene, count| part.add(gene, f64::from(count) * factor));
                }
                part
            })
            .collect();
        let mut sum = ColumnMoments::new(counts.n_genes());
        parts.iter().for_each(|part| sum.merge(part));
        counts.release();
        sum
    }
}

/// What one voter says.
struct Vote {
    scores: Vec<f64>,
    /// The top genes, best first.
    top: Vec<u32>,
}

impl Vote {
    fn new(scores: Vec<f64>, eligible: &[bool], n_top: usize) -> Self {
        let mut top: Vec<u32> = (0..scores.len() as u32).filter(|&gene| eligible[gene as usize]).collect();
        top.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b)));
        top.truncate(n_top);
        Self { scores, top }
    }
}

/// Genes by number of votes, then rank or score, then index.
fn combine(votes: &[&Vote], eligible: &[bool], params: &HvgParams, mean: Vec<f64>, warnings: Vec<Warning>) -> Hvg {
    let n_genes = eligible.len();
    let score: Vec<f64> =
        (0..n_genes).map(|g| votes.iter().map(|v| v.scores[g]).sum::<f64>() / votes.len() as f64).collect();
    let mut ranks: Vec<Vec<f64>> = vec![Vec::new(); n_genes];
    for vote in votes {
        for (rank, &gene) in vote.top.iter().enumerate() {
            ranks[gene as usize].push(rank as f64);
        }
    }
    let n_lots: Vec<u32> = ranks.iter().map(|r| r.len() as u32).collect();
    let median_rank: Vec<f64> = ranks.iter_mut().map(|r| median(r)).collect();
    let mut order: Vec<u32> = (0..n_genes as u32).filter(|&gene| eligible[gene as usize]).collect();
    order.sort_by(|&a, &b| {
        let (i, j) = (a as usize, b as usize);
        let by_rank = match params.flavor {
            HvgFlavor::SeuratV3 => median_rank[i].total_cmp(&median_rank[j]),
            HvgFlavor::Seurat => std::cmp::Ordering::Equal,
        };
        n_lots[j].cmp(&n_lots[i]).then(by_rank).then(score[j].total_cmp(&score[i])).then(a.cmp(&b))
    });
    order.truncate(params.n_top_genes);
    order.sort_unstable();
    Hvg { genes: order, mean, score, n_lots, warnings }
}

#[cfg(test)]
mod tests;
