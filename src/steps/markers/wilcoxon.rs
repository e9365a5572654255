//! Pooled Wilcoxon rank-sum test, for comparison with other tools; its p-value is descriptive.
//!
//! **Question.** What would the usual marker test say?
//!
//! **Method.** Each cluster against all other cells, all lots pooled, on log-normalised values: rank sum of the cluster
//! less its mean n₁(n + 1) / 2, over its standard deviation √(n₁ (n − n₁)(n + 1) / 12); with `tie_correct` the variance is
//! multiplied by 1 − Σ(t³ − t) / (n³ − n). Two-sided p from the normal distribution, without continuity correction.
//!
//! **Shapes.** Cells × genes with a cluster per cell → clusters × genes.
//!
//! **Beside other tools.** Equals scanpy's `rank_genes_groups(method = "wilcoxon")`, save that equal values are always tied
//! here, while scanpy's single-precision rounding parts some of them. The clusters were found on the same
//! cells and cells of one lot are not replicates, so the p-value describes and does not test. `markers.csv` has the
//! score alone, with ties corrected as in Seurat's test (scanpy's default is not to).
//!
//! **References.** Wilcoxon 1945, doi:10.2307/3001968; Mann & Whitney 1947, doi:10.1214/aoms/1177730491.

use ndarray::Array2;
use rayon::prelude::*;
use statrs::function::erf::erfc;

use super::gene_major::{Block, CutRows, cluster_sizes, gene_range, n_blocks};
use crate::data::Dataset;
use crate::math::rank_sums::RankSums;
use crate::steps::cells::Normalized;

/// Result of [`wilcoxon`]: clusters × genes.
#[derive(Debug, Clone, PartialEq)]
pub struct Wilcoxon {
    /// z score; 0 where the variance is 0 (an empty cluster, a cluster of all cells, or all values tied).
    pub score: Array2<f64>,
    /// Two-sided p; descriptive, as clusters were found on the same cells.
    pub p_descriptive: Array2<f64>,
}

/// Each cluster against all other cells, all lots pooled. `labels` has one entry (below `n_clusters`) per cell.
pub fn wilcoxon(
    dataset: &Dataset,
    normalized: &Normalized,
    labels: &[u32],
    n_clusters: usize,
    tie_correct: bool,
) -> Wilcoxon {
    assert_eq!(labels.len(), dataset.n_cells(), "one label per cell");
    let sizes = cluster_sizes(labels, n_clusters);
    let lots: Vec<CutRows<'_>> = (0..dataset.n_lots()).map(|lot| CutRows::new(dataset, normalized, lot)).collect();
    let scores: Vec<Vec<f64>> = (0..n_blocks(dataset.n_genes()))
        .into_par_iter()
        .map_init(
            || (Block::default(), RankSums::new(n_clusters)),
            |(columns, ranks), block| {
                columns.gather(&lots, block, |lot, cell| labels[dataset.offsets()[lot] + cell]);
                let genes = gene_range(block, dataset.n_genes());
                let mut scores = Vec::with_capacity(genes.len() * n_clusters);
                for index in 0..genes.len() {
                    ranks.compute_sorted(columns.gene(index), &sizes, |group| group);
                    scores.extend((0..n_clusters).map(|k| z_score(ranks, k, &sizes, tie_correct)));
                }
                scores
            },
        )
        .collect();
    let by_gene = Array2::from_shape_vec((dataset.n_genes(), n_clusters), scores.concat());
    let score = by_gene.expect("one score per gene and cluster").reversed_axes().as_standard_layout().into_owned();
    let p_descriptive = score.mapv(|z| erfc(z.abs() / std::f64::consts::SQRT_2));
    Wilcoxon { score, p_descriptive }
}

/// As [`wilcoxon`], of these genes alone, rising: clusters × as many columns.
pub fn wilcoxon_of(
    dataset: &Dataset,
    normalized: &Normalized,
    labels: &[u32],
    n_clusters: usize,
    genes: &[u32],
    tie_correct: bool,
) -> Wilcoxon {
    if genes.is_empty() {
        return Wilcoxon { score: Array2::zeros((n_clusters, 0)), p_descriptive: Array2::zeros((n_clusters, 0)) };
    }
    wilcoxon(&dataset.select_genes(genes), normalized, labels, n_clusters, tie_correct)
}

fn z_score(ranks: &RankSums, cluster: usize, sizes: &[u64], tie_correct: bool) -> f64 {
    let (inside, n) = (sizes[cluster] as f64, sizes.iter().sum::<u64>() as f64);
    let untied = if tie_correct { 1.0 - ranks.ties / (n * n * n - n) } else { 1.0 };
    let variance = untied * inside * (n - inside) * (n + 1.0) / 12.0;
    if variance > 0.0 {
        (ranks.doubled[cluster] as f64 / 2.0 - inside * (n + 1.0) / 2.0) / variance.sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::markers::small::dataset;

    #[test]
    fn worked_scores_pool_the_lots() {
        // Gene 0: 0, 2 | 1, 2, 3 with ranks 1, 3.5 | 2, 3.5, 5; the cells of both clusters lie in both lots.
        let dataset = dataset(&[vec![vec![0, 0], vec![1, 0]], vec![vec![2, 0], vec![2, 0], vec![3, 0]]]);
        let normalized = Normalized { scale: vec![1.0; 5] };
        let labels = [0, 1, 0, 1, 1];
        let plain = wilcoxon(&dataset, &normalized, &labels, 3, false);
        // (4.5 − 2 · 6 / 2) / √(2 · 3 · 6 / 12).
        let expected = -1.5 / 3.0_f64.sqrt();
        assert!((plain.score[[0, 0]] - expected).abs() < 1e-15 && (plain.score[[1, 0]] + expected).abs() < 1e-15);
        // One pair of equal values: 1 − 6 / 120.
        let corrected = wilcoxon(&dataset, &normalized, &labels, 3, true);
        assert!((corrected.score[[0, 0]] - expected / 0.95_f64.sqrt()).abs() < 1e-15);
        assert!((plain.p_descriptive[[0, 0]] - 0.386_476_230_771_473).abs() < 1e-10);
        // Of one gene alone, the same; of none, nothing.
        let first = wilcoxon_of(&dataset, &normalized, &labels, 3, &[0], true);
        assert_eq!(first.score.column(0), corrected.score.column(0));
        assert_eq!(wilcoxon_of(&dataset, &normalized, &labels, 3, &[], true).score.dim(), (3, 0));
        // A gene that nobody expresses and a cluster without cells say nothing.
        for w in [&plain, &corrected] {
            assert_eq!((w.score[[0, 1]], w.p_descriptive[[0, 1]]), (0.0, 1.0));
            assert_eq!((w.score[[2, 0]], w.p_descriptive[[2, 0]]), (0.0, 1.0));
        }
    }
}
