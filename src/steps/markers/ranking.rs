//! Candidate critical quality attributes: genes of clusters whose share tracks the potency.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::data::Genes;
use crate::steps::lots::Association;
use crate::steps::markers::Effects;

/// Parameters of [`ranking`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RankingParams {
    /// Candidates listed.
    pub n_candidates: usize,
    /// At least this share of the cluster's cells express a candidate, 0..1.
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
    /// r of the cluster's share with the readout.
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
    /// Pearson correlation of the gene's pseudobulk (all cells) with the readout.
    pub r_gene: f64,
    /// Family-wise p over all genes (the permutations of the association carried through the ranking).
    pub p_family: f64,
    /// The cluster is proliferative.
    pub proliferative: bool,
}

/// Ranks genes, best first. `pseudobulk` is log2 CPM, lots × genes; `proliferative` has one flag per cluster.
pub fn ranking(
    _genes: &Genes,
    _association: &Association,
    _effects: &Effects,
    _pseudobulk: ArrayView2<'_, f64>,
    _proliferative: &[bool],
    _params: &RankingParams,
) -> Vec<Candidate> {
    todo!()
}
