//! What a run leaves behind: results as plain data.

use ndarray::Array2;

use crate::data::{Dataset, Genes, LotSheet, Readout};
use crate::pipeline::Params;
use crate::steps::cells::{CellMetrics, Harmony, Hvg, LotQc, Normalized, Pca, Phase};
use crate::steps::clusters::{Neighbors, ResolutionRow};
use crate::steps::lots::{
    Association, AssociationParams, Composition, ConfoundingRow, DeviationRow, Influence, Judgement,
    NeighborhoodAssociation, Neighborhoods, Pseudobulk, Sensitivity, Specification, TwoGroups, Units,
};
use crate::steps::markers::{Candidate, Effects, LeaveOneOut, MarkerExpression, Measurability, Stability};
use crate::warning::Warning;

/// What is known of every kept cell, in global order.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// Lot of each cell, an index into the sheet.
    pub lot: Vec<u32>,
    /// Barcode of each cell.
    pub barcode: Vec<String>,
    /// Quality measures.
    pub metrics: CellMetrics,
    /// Doublet score 0..1; NaN where there is none.
    pub doublet_score: Vec<f32>,
    /// Called a doublet.
    pub doublet: Vec<bool>,
    /// Score of the S list.
    pub s_score: Vec<f32>,
    /// Score of the G2M list.
    pub g2m_score: Vec<f32>,
    /// Phase of the cell cycle.
    pub phase: Vec<Phase>,
    /// The cell cycles: its S or G2M genes exceed what chance allows.
    pub cycling: Vec<bool>,
    /// Cluster of each cell.
    pub cluster: Vec<u32>,
    /// Cells × 2; `None` if off.
    pub umap: Option<Array2<f32>>,
}

/// One cell that quality control excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// Lot name.
    pub lot: String,
    /// Barcode.
    pub barcode: String,
    /// Reasons, joined by `+`.
    pub reason: String,
}

/// One row of `clusters.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterSummary {
    /// Number of cells.
    pub n_cells: usize,
    /// Effective number of lots.
    pub effective_lots: f64,
    /// Share of cells that cycle, 0..1.
    pub share_cycling: f64,
    /// More than half of its cells cycle.
    pub proliferative: bool,
}

/// Results of lots → clusters: all that ranking and report need, and all that a run directory holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Parameters of the run.
    pub params: Params,
    /// Lots with their readouts.
    pub sheet: LotSheet,
    /// The gene axis.
    pub genes: Genes,
    /// Kept cells.
    pub cells: Cells,
    /// One row per lot.
    pub qc: Vec<LotQc>,
    /// Cells not kept.
    pub excluded: Vec<Excluded>,
    /// The resolution sweep (one row if the resolution was given).
    pub resolution: Vec<ResolutionRow>,
    /// One row per cluster.
    pub clusters: Vec<ClusterSummary>,
    /// Lots × clusters.
    pub composition: Composition,
    /// Distance of each lot from the others.
    pub deviation: Vec<DeviationRow>,
    /// Abundance of each lot around each cell; `None` if off.
    pub neighborhoods: Option<Neighborhoods>,
    /// Lots × genes.
    pub pseudobulk: Pseudobulk,
    /// Clusters × genes.
    pub effects: Effects,
    /// Per cluster: pooled Wilcoxon score of each of its markers, in the order of [`Effects::top`]; descriptive.
    pub wilcoxon: Vec<Vec<f32>>,
    /// Each cluster's most specific genes, cell by cell; for the map of the report. Empty for a run without the file.
    pub marker_expression: MarkerExpression,
    /// The road walked again without each lot; `None` if off, or with too few lots.
    pub leave_one_out: Option<LeaveOneOut>,
    /// Readouts aggregated from files beside the sheet.
    pub readouts: Vec<Readout>,
    /// Divisions of the cells by other choices, that of the run first; empty if off.
    pub specifications: Vec<Specification>,
    /// Everything worth knowing before trusting a number.
    pub warnings: Vec<Warning>,
}

/// The cells themselves and the space they lie in; kept in memory for `pooled.h5ad` and for those who embed the crate.
#[derive(Debug, Clone)]
pub struct Space {
    /// Kept cells, all genes.
    pub dataset: Dataset,
    /// Factors of the log-normalised values.
    pub normalized: Normalized,
    /// Highly variable genes.
    pub hvg: Hvg,
    /// Principal components.
    pub pca: Pca,
    /// Integration; `None` if off.
    pub harmony: Option<Harmony>,
    /// Nearest neighbours.
    pub neighbors: Neighbors,
}

/// One readout, explained.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// How it was asked about.
    pub asked: AssociationParams,
    /// The readout, lot by lot.
    pub readout: Readout,
    /// What counts as one observation.
    pub units: Units,
    /// Cluster shares against the readout.
    pub association: Association,
    /// The two groups of a readout of two values.
    pub groups: Option<TwoGroups>,
    /// What may be said of each cluster, in the order of `association.rows`.
    pub verdicts: Vec<Judgement>,
    /// Each lot's influence at fixed clusters.
    pub influence: Vec<Influence>,
    /// How cluster and readout fare on the roads without each lot; `None` where these were not walked.
    pub stability: Option<Stability>,
    /// How cluster and readout fare under other choices; `None` where there are none.
    pub sensitivity: Option<Sensitivity>,
    /// Other properties of the lots against readout and shares.
    pub confounding: Vec<ConfoundingRow>,
    /// Neighbourhoods of cells against the readout; `None` if off.
    pub neighborhoods: Option<NeighborhoodAssociation>,
    /// Candidate genes, best first.
    pub candidates: Vec<Candidate>,
    /// How each candidate's product can be measured, in the order of `candidates`.
    pub measurability: Vec<Measurability>,
}
