//! Effects of each gene in each cluster, lot by lot.
//!
//! **Question.** Which genes set a cluster's cells apart, in every lot and not just in one?
//!
//! **Method.** Within each lot with at least `min_cells` cells inside and outside the cluster: AUC, the chance that a
//! random cell inside has more of the gene than one outside (Mann–Whitney; ties count half; counts per target sum, whose
//! logarithm has the same ranks); log2((mean inside + pseudocount) / (mean outside + pseudocount)) of counts per target
//! sum; shares of cells with a count. Each is averaged over these lots, every lot counting once.
//!
//! **Shapes.** Cells × genes with a cluster per cell → clusters × genes.
//!
//! **Beside other tools.** scanpy and Seurat pool the cells, so that a large lot decides, and report p-values of tests on
//! the cells that the clusters were found on. No p-value is given here: lots are what replicates, and `n_lots_up` counts
//! them. The fold change is Seurat 4's (pseudocount 1), taken per lot; scanpy exponentiates means of logarithms instead.
//!
//! **References.** Mann & Whitney 1947, doi:10.1214/aoms/1177730491; Squair 2021, doi:10.1038/s41467-021-25960-2.

use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::gene_major::{Block, CutRows, cluster_sizes, gene_range, n_blocks};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::math::rank_sums::RankSums;
use crate::steps::cells::Normalized;

/// Parameters of [`effects`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EffectsParams {
    /// A lot takes part in a cluster's effects with at least this many cells inside and outside; more makes each lot's
    /// effect steadier and leaves fewer lots. Default 10, as for pseudobulk.
    pub min_cells: usize,
    /// A gene is listed as a marker when at least this share of the cluster's cells express it, 0..1. Default 0.1,
    /// Seurat 4's `min.pct`.
    pub min_share: f64,
    /// Markers listed per cluster in `markers.csv`. Default 200.
    pub n_markers: usize,
    /// Added to both means (counts per target sum) of a fold change, above 0; more draws the fold changes of scarce genes
    /// to 0. Default 1, Seurat 4's.
    pub pseudocount: f64,
}

impl Default for EffectsParams {
    fn default() -> Self {
        Self { min_cells: 10, min_share: 0.1, n_markers: 200, pseudocount: 1.0 }
    }
}

impl EffectsParams {
    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.min_share) {
            return Err(Error::param("effects.min_share", self.min_share, "a share from 0 to 1"));
        }
        if !(self.pseudocount > 0.0 && self.pseudocount.is_finite()) {
            return Err(Error::param("effects.pseudocount", self.pseudocount, "a number above 0"));
        }
        Ok(())
    }
}

/// Result of [`effects`]: all clusters × genes, means over the lots that take part; NaN where none does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// Area under the ROC curve, cell in the cluster against cell outside, 0..1.
    pub auc: Array2<f32>,
    /// log2((mean inside + pseudocount) / (mean outside + pseudocount)), means of counts per target sum.
    pub log2_fc: Array2<f32>,
    /// Share of cells inside with a count, 0..1.
    pub share_in: Array2<f32>,
    /// Share of cells outside with a count, 0..1.
    pub share_out: Array2<f32>,
    /// Per cluster: lots that take part.
    pub n_lots: Vec<u32>,
    /// Clusters × genes: lots in which the AUC is above one half.
    pub n_lots_up: Array2<u16>,
}

impl Effects {
    /// The first `n_markers` genes of a cluster, best first (AUC, then fold change, then gene): at least `min_share` of
    /// its cells express the gene, AUC above one half.
    pub fn top(&self, cluster: usize, params: &EffectsParams) -> Vec<u32> {
        let (auc, log2_fc) = (self.auc.row(cluster), self.log2_fc.row(cluster));
        let listed = |gene: &usize| auc[*gene] > 0.5 && f64::from(self.share_in[[cluster, *gene]]) >= params.min_share;
        let mut genes: Vec<usize> = (0..auc.len()).filter(listed).collect();
        genes.sort_by(|&a, &b| auc[b].total_cmp(&auc[a]).then(log2_fc[b].total_cmp(&log2_fc[a])).then(a.cmp(&b)));
        genes.truncate(params.n_markers);
        genes.into_iter().map(|gene| gene as u32).collect()
    }
}

/// Sums over lots for one gene and cluster.
#[derive(Clone, Copy, Default)]
struct Sums {
    auc: f64,
    log2_fc: f64,
    share_in: f64,
    share_out: f64,
    n_up: u16,
}

/// A way to divide the cells, and lots that take no part.
#[derive(Debug, Clone, Copy)]
pub struct Division<'a> {
    /// One entry (below `n_clusters`) per cell; those of lots left out are not looked at.
    pub labels: &'a [u32],
    /// Number of clusters.
    pub n_clusters: usize,
    /// Lots that take no part.
    pub without: &'a [usize],
}

/// Computes effects of all genes in all clusters. `labels` has one entry (below `n_clusters`) per cell.
///
/// # Errors
/// A parameter is out of range.
pub fn effects(
    dataset: &Dataset,
    normalized: &Normalized,
    labels: &[u32],
    n_clusters: usize,
    params: &EffectsParams,
) -> Result<Effects> {
    let division = Division { labels, n_clusters, without: &[] };
    let mut effects = effects_of_divisions(dataset, normalized, &[division], params)?;
    Ok(effects.pop().expect("one division gives one result"))
}

/// Effects of several divisions of the same cells: the values of a gene are ranked once for all of them, which is most
/// of the work.
///
/// # Errors
/// A parameter is out of range.
pub fn effects_of_divisions(
    dataset: &Dataset,
    normalized: &Normalized,
    divisions: &[Division<'_>],
    params: &EffectsParams,
) -> Result<Vec<Effects>> {
    params.check()?;
    let plans: Vec<Plan<'_>> = divisions.iter().map(|division| Plan::new(dataset, *division, params)).collect();
    let n_genes = dataset.n_genes();
    // Per block of genes and division: sums over lots, genes × clusters.
    let mut sums: Vec<Vec<Vec<Sums>>> = (0..n_blocks(n_genes))
        .map(|block| {
            let n_genes = gene_range(block, n_genes).len();
            plans.iter().map(|plan| vec![Sums::default(); n_genes * plan.n_lots.len()]).collect()
        })
        .collect();
    // Lots in order, so that sums are the same for any number of threads; one lot's counts are needed at a time.
    for lot in (0..dataset.n_lots()).filter(|&lot| plans.iter().any(|plan| plan.takes_part(lot))) {
        let rows = [CutRows::new(dataset, normalized, lot)];
        let buffers = || {
            let ranks = plans.iter().map(|plan| RankSums::new(plan.n_lots.len())).collect::<Vec<_>>();
            (Block::default(), ranks)
        };
        sums.par_iter_mut().enumerate().for_each_init(buffers, |(columns, ranks), (block, sums)| {
            columns.gather(&rows, block, |_, cell| cell as u32);
            for index in 0..gene_range(block, n_genes).len() {
                let nonzeros = columns.gene(index);
                for ((plan, ranks), sums) in plans.iter().zip(&mut *ranks).zip(&mut *sums) {
                    if plan.takes_part(lot) {
                        ranks.compute_sorted(nonzeros, &plan.sizes[lot], |cell| plan.labels[lot][cell as usize]);
                        let n_clusters = plan.n_lots.len();
                        let sums = &mut sums[index * n_clusters..(index + 1) * n_clusters];
                        add_lot(sums, ranks, &plan.sizes[lot], &plan.clusters[lot], params.pseudocount);
                    }
                }
            }
        });
        dataset.lots()[lot].counts.release();
    }
    // Block by block, division by division.
    let parts: Vec<Vec<Effects>> = sums
        .into_iter()
        .enumerate()
        .map(|(block, sums)| {
            let n_genes = gene_range(block, n_genes).len();
            plans.iter().zip(sums).map(|(plan, sums)| plan.means(&sums, n_genes)).collect()
        })
        .collect();
    let mut by_division: Vec<Vec<Effects>> = plans.iter().map(|_| Vec::with_capacity(parts.len())).collect();
    for part in parts {
        by_division.iter_mut().zip(part).for_each(|(all, part)| all.push(part));
    }
    Ok(by_division.into_iter().map(joined).collect())
}

/// Who takes part in the effects of a division.
struct Plan<'a> {
    /// Per lot: label of each of its cells.
    labels: Vec<&'a [u32]>,
    /// Lots × clusters: number of cells.
    sizes: Vec<Vec<u64>>,
    /// Per lot: the clusters in whose effects it takes part.
    clusters: Vec<Vec<usize>>,
    /// Per cluster: lots that take part.
    n_lots: Vec<u32>,
}

impl<'a> Plan<'a> {
    fn new(dataset: &Dataset, division: Division<'a>, params: &EffectsParams) -> Self {
        let Division { labels, n_clusters, without } = division;
        assert_eq!(labels.len(), dataset.n_cells(), "one label per cell");
        let labels: Vec<&[u32]> = dataset.offsets().windows(2).map(|lot| &labels[lot[0]..lot[1]]).collect();
        let size = |(lot, labels): (usize, &&[u32])| {
            if without.contains(&lot) { vec![0; n_clusters] } else { cluster_sizes(labels, n_clusters) }
        };
        let sizes: Vec<Vec<u64>> = labels.iter().enumerate().map(size).collect();
        let min_cells = params.min_cells.max(1) as u64;
        let taking_part = |sizes: &Vec<u64>| -> Vec<usize> {
            let n: u64 = sizes.iter().sum();
            (0..n_clusters).filter(|&k| sizes[k] >= min_cells && n - sizes[k] >= min_cells).collect()
        };
        let clusters: Vec<Vec<usize>> = sizes.iter().map(taking_part).collect();
        let mut n_lots = vec![0; n_clusters];
        clusters.iter().flatten().for_each(|&k| n_lots[k] += 1);
        Self { labels, sizes, clusters, n_lots }
    }

    fn takes_part(&self, lot: usize) -> bool {
        !self.clusters[lot].is_empty()
    }

    /// Means over lots; `sums` is genes × clusters.
    fn means(&self, sums: &[Sums], n_genes: usize) -> Effects {
        let n_clusters = self.n_lots.len();
        let shape = (n_clusters, n_genes);
        let at = |(k, gene): (usize, usize)| &sums[gene * n_clusters + k];
        // 0 / 0 = NaN where no lot takes part.
        let mean = |of: fn(&Sums) -> f64| {
            Array2::from_shape_fn(shape, |place| (of(at(place)) / f64::from(self.n_lots[place.0])) as f32)
        };
        Effects {
            auc: mean(|s| s.auc),
            log2_fc: mean(|s| s.log2_fc),
            share_in: mean(|s| s.share_in),
            share_out: mean(|s| s.share_out),
            n_lots_up: Array2::from_shape_fn(shape, |place| at(place).n_up),
            n_lots: self.n_lots.clone(),
        }
    }
}

/// Puts blocks of genes side by side.
fn joined(blocks: Vec<Effects>) -> Effects {
    fn side_by_side<T: Clone>(blocks: &[Effects], of: fn(&Effects) -> &Array2<T>) -> Array2<T> {
        let views: Vec<_> = blocks.iter().map(|block| of(block).view()).collect();
        ndarray::concatenate(ndarray::Axis(1), &views)
            .expect("blocks have the same clusters")
            .as_standard_layout()
            .into_owned()
    }
    Effects {
        auc: side_by_side(&blocks, |e| &e.auc),
        log2_fc: side_by_side(&blocks, |e| &e.log2_fc),
        share_in: side_by_side(&blocks, |e| &e.share_in),
        share_out: side_by_side(&blocks, |e| &e.share_out),
        n_lots_up: side_by_side(&blocks, |e| &e.n_lots_up),
        n_lots: blocks.into_iter().next().map_or_else(Vec::new, |e| e.n_lots),
    }
}

/// Adds one lot's effects of one gene.
fn add_lot(sums: &mut [Sums], ranks: &RankSums, sizes: &[u64], clusters: &[usize], pseudocount: f64) {
    let n: u64 = sizes.iter().sum();
    let total: f64 = ranks.sum.iter().sum();
    let n_nonzero: u64 = ranks.n_nonzero.iter().sum();
    for &k in clusters {
        let (inside, outside) = (sizes[k] as f64, (n - sizes[k]) as f64);
        let auc = ranks.auc(k, sizes[k], n);
        let mean_in = ranks.sum[k] / inside;
        let mean_out = (total - ranks.sum[k]).max(0.0) / outside;
        sums[k].auc += auc;
        sums[k].log2_fc += ((mean_in + pseudocount) / (mean_out + pseudocount)).log2();
        sums[k].share_in += ranks.n_nonzero[k] as f64 / inside;
        sums[k].share_out += (n_nonzero - ranks.n_nonzero[k]) as f64 / outside;
        sums[k].n_up += u16::from(auc > 0.5);
    }
}

#[cfg(test)]
mod tests;
