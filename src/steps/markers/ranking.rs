//! Candidate critical quality attributes: genes that mark clusters whose share tracks the potency.
//!
//! **Question.** Which genes stand, cell by cell, for the composition that goes with the potency?
//!
//! **Method.** A gene's score is the largest `|r| × specificity` over the clusters, with r the correlation of the cluster's
//! share with the readout and specificity the positive part of 2·AUC − 1, averaged over lots. Only genes that at least
//! `min_share` of the cluster's cells express are looked at. Family-wise p: the orders of the association are carried
//! through the whole ranking. Under an order the best score of any gene is the largest `|r*| × (highest specificity in the
//! cluster)` over the clusters, because specificity does not depend on the readout; p is the share of orders in which
//! this reaches the gene's score. It accounts for every gene and every cluster having been looked at.
//!
//! **Shapes.** One association, clusters × genes of effects, lots × genes of pseudobulk → candidates, best first.
//!
//! **Beside other tools.** scanpy and Seurat have no such step. r may be negative: then the cluster's share falls with the
//! potency, and its markers are candidates for what must be low.
//!
//! **References.** Miura 2023, Stem Cells Transl Med 12:379-390 (the question); Westfall & Young 1993 (max-T).

use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math::correlation::{pearson, spearman};
use crate::steps::lots::{Association, Statistic};
use crate::steps::markers::Effects;

/// Parameters of [`ranking`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RankingParams {
    /// Candidates listed, at least 1. Default 200.
    pub n_candidates: usize,
    /// At least this share of the cluster's cells express a candidate, 0..1. Default 0.1: a rarer gene is hard to measure.
    pub min_share: f64,
}

impl Default for RankingParams {
    fn default() -> Self {
        Self { n_candidates: 200, min_share: 0.1 }
    }
}

/// One candidate gene.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Gene index.
    pub gene: u32,
    /// Its best cluster.
    pub cluster: usize,
    /// |r| × specificity.
    pub score: f64,
    /// Correlation of the cluster's share with the readout that is tested and scored: Pearson's, or Spearman's.
    pub r: f64,
    /// 2·AUC − 1, lot-averaged, positive part.
    pub specificity: f64,
    /// Lot-averaged.
    pub log2_fc: f64,
    /// Share of the cluster's cells with a count.
    pub share_in: f64,
    /// Share of other cells with a count.
    pub share_out: f64,
    /// Lots that take part.
    pub n_lots: u32,
    /// Lots in which the gene is up.
    pub n_lots_up: u32,
    /// Correlation of the gene's pseudobulk (all cells) with the readout, Pearson's or Spearman's as for the cluster.
    pub r_gene: f64,
    /// In how many of the roads without one lot the gene is among the 20 best; `None` where these were not walked.
    pub loo_top20: Option<u32>,
    /// Family-wise p over all genes (the permutations of the association carried through the ranking).
    pub p_family: f64,
    /// The cluster is proliferative.
    pub proliferative: bool,
}

impl RankingParams {
    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.min_share) {
            return Err(Error::param("ranking.min_share", self.min_share, "a share from 0 to 1"));
        }
        if self.n_candidates == 0 {
            return Err(Error::param("ranking.n_candidates", self.n_candidates, "at least 1"));
        }
        Ok(())
    }
}

/// Ranks genes, best first (score, then fold change, then gene). `pseudobulk` is log2 CPM of all cells, lots × genes;
/// `proliferative` has one flag per cluster. Genes without a positive score are not listed.
///
/// # Errors
/// A parameter is out of range.
pub fn ranking(
    association: &Association,
    effects: &Effects,
    pseudobulk: ArrayView2<'_, f64>,
    proliferative: &[bool],
    params: &RankingParams,
) -> Result<Vec<Candidate>> {
    params.check()?;
    let (n_clusters, n_genes) = effects.auc.dim();
    assert_eq!((association.rows.len(), proliferative.len()), (n_clusters, n_clusters), "one row per cluster");
    assert_eq!(pseudobulk.dim(), (association.values.len(), n_genes), "lots × genes");
    let strength = association.strengths();
    let specificity = |cluster: usize, gene: usize| {
        let auc = f64::from(effects.auc[[cluster, gene]]);
        let expressed = f64::from(effects.share_in[[cluster, gene]]) >= params.min_share;
        // Written so that the NaN of a cluster without effects gives 0.
        if expressed && auc > 0.5 { 2.0 * auc - 1.0 } else { 0.0 }
    };

    let mut highest = vec![0.0_f64; n_clusters];
    let mut best: Vec<(f64, usize, usize)> = Vec::new();
    for gene in 0..n_genes {
        let mut top = (0.0, 0);
        for (cluster, highest) in highest.iter_mut().enumerate() {
            let specificity = specificity(cluster, gene);
            *highest = highest.max(specificity);
            let score = strength[cluster] * specificity;
            if score > top.0 {
                top = (score, cluster);
            }
        }
        if top.0 > 0.0 {
            best.push((top.0, top.1, gene));
        }
    }
    let log2_fc = |&(_, cluster, gene): &(f64, usize, usize)| effects.log2_fc[[cluster, gene]];
    best.sort_by(|a, b| b.0.total_cmp(&a.0).then(log2_fc(b).total_cmp(&log2_fc(a))).then(a.2.cmp(&b.2)));
    best.truncate(params.n_candidates);

    let scores: Vec<f64> = best.iter().map(|b| b.0).collect();
    let p_family = association.p_of_weighted_max(&highest, &scores);
    Ok(best
        .into_iter()
        .zip(p_family)
        .map(|((score, cluster, gene), p_family)| Candidate {
            gene: gene as u32,
            cluster,
            score,
            r: association.rows[cluster].effect,
            specificity: specificity(cluster, gene),
            log2_fc: f64::from(effects.log2_fc[[cluster, gene]]),
            share_in: f64::from(effects.share_in[[cluster, gene]]),
            share_out: f64::from(effects.share_out[[cluster, gene]]),
            n_lots: effects.n_lots[cluster],
            n_lots_up: u32::from(effects.n_lots_up[[cluster, gene]]),
            r_gene: over_lots(pseudobulk.column(gene), &association.values, association.design.statistic),
            loo_top20: None,
            p_family,
            proliferative: proliferative[cluster],
        })
        .collect())
}

/// Correlation over the lots with both values.
fn over_lots(gene: ArrayView1<'_, f64>, readout: &[f64], statistic: Statistic) -> f64 {
    let both = gene.iter().zip(readout).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let (x, y): (Vec<f64>, Vec<f64>) = both.map(|(&x, &y)| (x, y)).unzip();
    match statistic {
        Statistic::Pearson => pearson(&x, &y),
        Statistic::Spearman => spearman(&x, &y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::LotTable;
    use crate::steps::lots::{AssociationParams, association};
    use ndarray::{Array2, array};

    fn effects() -> Effects {
        let auc = array![[0.9_f32, 0.6, 0.5, 0.2, 0.95], [0.3, 0.7, 0.5, 0.99, f32::NAN]];
        Effects {
            log2_fc: auc.mapv(|a| 4.0 * (a - 0.5)),
            share_in: array![[0.9_f32, 0.9, 0.9, 0.9, 0.05], [0.9, 0.9, 0.9, 0.9, 0.9]],
            share_out: auc.mapv(|_| 0.1),
            n_lots: vec![6, 5],
            n_lots_up: auc.mapv(|a| if a > 0.5 { 5 } else { 0 }),
            auc,
        }
    }

    fn tracked() -> Association {
        let shares = array![[0.1, 0.30], [0.2, 0.10], [0.3, 0.25], [0.4, 0.20], [0.5, 0.28], [0.6, 0.22]];
        let lots = (1..=6).map(|l| format!("L{l}")).collect();
        let table = LotTable::new(lots, vec!["0".into(), "1".into()], shares);
        let values = [1.0, 2.1, 2.9, 4.2, 5.1, 5.8];
        association(&table, "potency", &values, &AssociationParams::default(), 0).unwrap()
    }

    #[test]
    fn genes_of_the_tracking_cluster_come_first() {
        let association = tracked();
        let pseudobulk = Array2::from_shape_fn((6, 5), |(lot, gene)| if gene == 0 { lot as f64 } else { 1.0 });
        let found = ranking(&association, &effects(), pseudobulk.view(), &[true, false], &RankingParams::default());
        let found = found.unwrap();
        let genes: Vec<u32> = found.iter().map(|c| c.gene).collect();
        // Gene 2 is specific to no cluster, gene 4 too rarely expressed in one and unknown in the other.
        assert_eq!(genes[..2], [0, 1]);
        assert!(!genes.contains(&2) && !genes.contains(&4));
        let first = &found[0];
        assert_eq!((first.cluster, first.n_lots, first.n_lots_up, first.proliferative), (0, 6, 5, true));
        assert!((first.specificity - 0.8).abs() < 1e-6 && (first.score - 0.8 * first.r.abs()).abs() < 1e-6);
        assert!(first.r_gene > 0.99 && found[1].r_gene.is_nan());
        // Nearly the best of 720 orders, but the other cluster has a gene of specificity 0.98 and so beats it at times.
        assert!(first.p_family > 1.0 / 720.0 && first.p_family < 0.3, "{}", first.p_family);
        assert!(found.windows(2).all(|w| w[0].score >= w[1].score && w[0].p_family <= w[1].p_family));
    }

    #[test]
    fn parameters_are_checked() {
        let pseudobulk = Array2::zeros((6, 5));
        let run = |params| ranking(&tracked(), &effects(), pseudobulk.view(), &[false; 2], &params);
        assert!(run(RankingParams { min_share: 1.5, ..Default::default() }).is_err());
        assert!(run(RankingParams { n_candidates: 0, ..Default::default() }).is_err());
        assert_eq!(run(RankingParams { n_candidates: 1, ..Default::default() }).unwrap().len(), 1);
    }
}
