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

use super::gene_major::{Block, blocks, cells_of_lot, cluster_sizes};
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
#[derive(Debug, Clone, PartialEq)]
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
    params.check()?;
    assert_eq!(labels.len(), dataset.n_cells(), "one label per cell");
    let offsets = dataset.offsets();
    let sizes: Vec<Vec<u64>> =
        offsets.windows(2).map(|lot| cluster_sizes(&labels[lot[0]..lot[1]], n_clusters)).collect();
    // Per lot: the clusters in whose effects it takes part.
    let min_cells = params.min_cells.max(1) as u64;
    let taking_part = |sizes: &Vec<u64>| -> Vec<usize> {
        let n: u64 = sizes.iter().sum();
        (0..n_clusters).filter(|&k| sizes[k] >= min_cells && n - sizes[k] >= min_cells).collect()
    };
    let clusters: Vec<Vec<usize>> = sizes.iter().map(taking_part).collect();
    let mut n_lots = vec![0; n_clusters];
    clusters.iter().flatten().for_each(|&k| n_lots[k] += 1);

    let blocks = blocks(dataset.n_genes());
    let sums: Vec<Vec<Sums>> = blocks
        .par_iter()
        .map_init(
            || (Block::default(), RankSums::new(n_clusters)),
            |(block, ranks), genes| {
                let mut sums = vec![Sums::default(); genes.len() * n_clusters];
                // Lots in order, so that sums are the same for any number of threads.
                for lot in (0..dataset.n_lots()).filter(|&lot| !clusters[lot].is_empty()) {
                    block.gather(cells_of_lot(dataset, normalized, labels, lot), genes.clone());
                    for (index, sums) in sums.chunks_exact_mut(n_clusters).enumerate() {
                        ranks.compute(block.gene(index), &sizes[lot]);
                        add_lot(sums, ranks, &sizes[lot], &clusters[lot], params.pseudocount);
                    }
                }
                sums
            },
        )
        .collect();

    let at = |(k, gene): (usize, usize)| {
        let block = gene / super::gene_major::GENES_PER_TASK;
        &sums[block][(gene - blocks[block].start) * n_clusters + k]
    };
    let shape = (n_clusters, dataset.n_genes());
    let mean = |of: fn(&Sums) -> f64| {
        Array2::from_shape_fn(shape, |place| {
            // 0 / 0 = NaN where no lot takes part.
            (of(at(place)) / f64::from(n_lots[place.0])) as f32
        })
    };
    Ok(Effects {
        auc: mean(|s| s.auc),
        log2_fc: mean(|s| s.log2_fc),
        share_in: mean(|s| s.share_in),
        share_out: mean(|s| s.share_out),
        n_lots_up: Array2::from_shape_fn(shape, |place| at(place).n_up),
        n_lots,
    })
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
mod tests {
    use super::*;
    use crate::steps::markers::small::dataset;

    /// No scaling, so that effects can be worked by hand.
    fn run(lots: &[Vec<Vec<u32>>], labels: &[u32], n_clusters: usize, min_cells: usize) -> Effects {
        let dataset = dataset(lots);
        let normalized = Normalized { scale: vec![1.0; dataset.n_cells()] };
        let params = EffectsParams { min_cells, ..Default::default() };
        effects(&dataset, &normalized, labels, n_clusters, &params).unwrap()
    }

    #[test]
    fn worked_numbers_averaged_over_lots() {
        // Gene 0. First lot: 3, 1 against 0, 1 (pairs 1, 1, 1, ½ of 4). Second lot: 0, 0 against 4, 0 (½, 0, ½, 0 of 4).
        let first = vec![vec![3, 0], vec![1, 0], vec![0, 0], vec![1, 0]];
        let second = vec![vec![0, 0], vec![0, 0], vec![4, 0], vec![0, 0]];
        let e = run(&[first, second], &[0, 0, 1, 1, 0, 0, 1, 1], 2, 2);
        assert_eq!((e.n_lots.as_slice(), e.n_lots_up[[0, 0]], e.n_lots_up[[1, 0]]), ([2, 2].as_slice(), 1, 1));
        assert!((e.auc[[0, 0]] - (3.5 / 4.0 + 1.0 / 4.0) / 2.0).abs() < 1e-6);
        // log2(3 / 1.5) = 1 and log2(1 / 3).
        assert!((e.log2_fc[[0, 0]] - (1.0 - 3.0_f32.log2()) / 2.0).abs() < 1e-6);
        assert_eq!((e.share_in[[0, 0]], e.share_out[[0, 0]]), (0.5, 0.5));
        // Two clusters mirror each other, and a gene that nobody expresses has no effect.
        assert!((e.auc[[0, 0]] + e.auc[[1, 0]] - 1.0).abs() < 1e-6);
        assert_eq!((e.auc[[0, 1]], e.log2_fc[[0, 1]], e.share_in[[0, 1]], e.n_lots_up[[0, 1]]), (0.5, 0.0, 0.0, 0));
    }

    #[test]
    fn lots_with_too_few_cells_take_no_part() {
        let lots = [vec![vec![3], vec![0], vec![0]], vec![vec![0], vec![9], vec![9]]];
        // Cluster 0 has one cell in each lot, cluster 1 two; cluster 2 none.
        let e = run(&lots, &[0, 1, 1, 0, 1, 1], 3, 2);
        assert_eq!(e.n_lots, [0, 0, 0]);
        assert!(e.auc.iter().chain(&e.log2_fc).chain(&e.share_in).chain(&e.share_out).all(|v| v.is_nan()));
        assert!((0..3).all(|k| e.top(k, &EffectsParams::default()).is_empty()));
        assert_eq!(run(&lots, &[0, 1, 1, 0, 1, 1], 3, 0).n_lots, [2, 2, 0]);
        // One cluster of all cells has nothing to be compared with.
        assert_eq!(run(&lots, &[0; 6], 1, 1).n_lots, [0]);
    }

    #[test]
    fn top_genes_are_specific_and_expressed() {
        let row = |values: &[f32]| Array2::from_shape_vec((1, values.len()), values.to_vec()).unwrap();
        let e = Effects {
            auc: row(&[0.6, 0.9, 0.9, 0.9, 0.5, 0.99]),
            log2_fc: row(&[9.0, 1.0, 2.0, 1.0, 9.0, 9.0]),
            share_in: row(&[0.5, 0.5, 0.5, 0.5, 0.5, 0.01]),
            share_out: row(&[0.0; 6]),
            n_lots: vec![3],
            n_lots_up: Array2::zeros((1, 6)),
        };
        assert_eq!(e.top(0, &EffectsParams::default()), [2, 1, 3, 0]);
        assert_eq!(e.top(0, &EffectsParams { n_markers: 1, min_share: 0.0, ..Default::default() }), [5]);
    }

    #[test]
    fn same_bytes_for_one_and_two_threads_over_several_blocks_of_genes() {
        let cell = |i: usize| (0..600).map(|gene| ((i * 31 + gene * 17 + i * gene) % 11 / 7) as u32).collect();
        let lots = [(0..9).map(cell).collect(), (9..20).map(cell).collect::<Vec<Vec<u32>>>()];
        let labels: Vec<u32> = (0..20).map(|i| i % 3).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(&lots, &labels, 3, 1))
        };
        let (one, two) = (on(1), on(2));
        assert_eq!(one, two);
        // Each gene is where it belongs: its share of expressing cells, counted directly in each lot.
        for gene in [0, 255, 256, 511, 512, 599] {
            let mut share = 0.0;
            for (lot, start) in lots.iter().zip([0, 9]) {
                let inside: Vec<&Vec<u32>> =
                    (0..lot.len()).filter(|i| labels[start + i] == 1).map(|i| &lot[i]).collect();
                share += inside.iter().filter(|cell| cell[gene] > 0).count() as f64 / inside.len() as f64 / 2.0;
            }
            assert!((f64::from(one.share_in[[1, gene]]) - share).abs() < 1e-6, "{gene}");
        }
    }

    #[test]
    fn parameters_are_checked() {
        let dataset = dataset(&[vec![vec![1]]]);
        let normalized = Normalized { scale: vec![1.0] };
        for (params, name) in [
            (EffectsParams { min_share: -0.1, ..Default::default() }, "effects.min_share"),
            (EffectsParams { pseudocount: 0.0, ..Default::default() }, "effects.pseudocount"),
        ] {
            assert!(effects(&dataset, &normalized, &[0], 1, &params).unwrap_err().to_string().contains(name));
        }
    }
}
