//! Warnings as data: what a user must know before trusting a number.

use serde::{Deserialize, Serialize};

/// Something that does not stop the run but bears on its results.
///
/// Every variant carries its numbers; [`std::fmt::Display`] says it in words, with advice. Warnings go to the
/// terminal, into `run.json` and on top of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Warning {
    /// Lots were annotated with different gene sets.
    GeneSetsDiffer {
        /// Genes found in every lot.
        n_common: usize,
        /// Genes found in any lot.
        n_union: usize,
        /// `intersection` or `union`.
        used: String,
        /// Lot that lacks most genes of the union.
        worst_lot: String,
        /// Number of genes of the union that this lot lacks.
        n_missing: usize,
    },
    /// One gene id stands for several rows of a file; their counts were added.
    DuplicateGeneIds {
        /// The lot.
        lot: String,
        /// Number of ids that occur more than once.
        n_ids: usize,
        /// The first such id.
        example: String,
    },
    /// Several cells of a lot have one barcode; later ones were given a number.
    DuplicateBarcodes {
        /// The lot.
        lot: String,
        /// Number of cells renamed.
        n_cells: usize,
        /// The first barcode that repeats.
        example: String,
    },
    /// Gene ids of the lots did not match as written; they were joined by another name.
    GenesJoinedBy {
        /// `symbol`, or `id without version`.
        name: String,
        /// Lot whose genes are named otherwise than the first lot's.
        lot: String,
        /// A gene of the first lot.
        example_first: String,
        /// A gene of the other lot.
        example_lot: String,
    },
    /// Features that are not gene expression (antibodies, peaks, guides) were set aside.
    FeaturesSetAside {
        /// The lot.
        lot: String,
        /// Type as the file calls it.
        feature_type: String,
        /// Number of features.
        n_features: usize,
    },
    /// One barcode occurs in two lots, with the same counts: perhaps one lot was given twice.
    SharedBarcodes {
        /// First lot.
        lot_a: String,
        /// Second lot.
        lot_b: String,
        /// Barcodes they share.
        n_shared: usize,
        /// Shared barcodes whose counts are identical too.
        n_identical: usize,
    },
    /// A lot has no cells and was left out.
    EmptyLot {
        /// The lot.
        lot: String,
    },
    /// Counts were found elsewhere than in `X`.
    CountsFoundIn {
        /// The lot.
        lot: String,
        /// Where: `layers/counts`, `raw/X`.
        place: String,
    },
    /// Quality control removed more than half of a lot, or left fewer than 50 cells.
    LotLosesCells {
        /// The lot.
        lot: String,
        /// Cells before.
        n_read: usize,
        /// Cells after.
        n_kept: usize,
    },
    /// No gene of a group could be found, so a measure could not be computed.
    GenesNotFound {
        /// The group, such as `mitochondrial (MT-)`.
        group: String,
        /// What it is needed for.
        needed_for: String,
    },
    /// A lot could not take part in a step.
    LotLeftOut {
        /// The lot.
        lot: String,
        /// The step.
        step: String,
        /// Why.
        cause: String,
    },
    /// An iteration stopped before it converged.
    NotConverged {
        /// The step.
        step: String,
        /// Iterations done.
        n_iterations: usize,
    },
    /// The data have fewer principal components than were asked for.
    FewerComponents {
        /// Components asked for.
        n_asked: usize,
        /// Components with any variance.
        n_found: usize,
    },
    /// A cluster comes from few lots.
    ClusterOfFewLots {
        /// Cluster name.
        cluster: usize,
        /// Effective number of lots (inverse Simpson of lot-size-adjusted shares).
        effective_lots: f64,
        /// Number of lots.
        n_lots: usize,
    },
    /// The potent cluster proliferates, and proliferation differs between batches.
    ProliferativeCluster {
        /// Cluster name.
        cluster: usize,
        /// Share of its cells in S or G2M, 0..1.
        share_cycling: f64,
    },
    /// Lots without a value of the readout do not take part in its analysis.
    ReadoutMissing {
        /// The readout.
        readout: String,
        /// Lots without a value.
        lots: Vec<String>,
    },
    /// So few lots that significance can't be reached whatever the data.
    TooFewLotsForSignificance {
        /// The readout.
        readout: String,
        /// Lots with a value.
        n_lots: usize,
        /// Smallest attainable two-sided p-value.
        smallest_p: f64,
    },
    /// Several lots come from one donor.
    RepeatedDonor {
        /// Column of the sheet.
        column: String,
        /// Number of lots.
        n_lots: usize,
        /// Number of distinct donors.
        n_donors: usize,
        /// Lots of one donor were averaged; if not, each was counted as independent, as asked.
        averaged: bool,
    },
    /// The readout differs between lots that are taken as one.
    ReadoutVariesWithin {
        /// The readout.
        readout: String,
        /// Column that says which lots are one.
        column: String,
    },
    /// Lots have values below the limit of quantification, so that ranks are tested.
    ReadoutCensored {
        /// The readout.
        readout: String,
        /// Lots with a value.
        n_lots: usize,
        /// Lots all of whose replicates lie below the limit.
        n_below: usize,
        /// Lots some of whose replicates lie below the limit.
        n_partly: usize,
    },
    /// Weights can't be combined with covariates and were left out.
    WeightsNotUsed {
        /// The readout.
        readout: String,
    },
    /// Lots with few cases are hidden.
    OutcomesHidden {
        /// The outcome.
        outcome: String,
        /// Number of lots.
        n_lots: usize,
        /// Cases a lot needs to be shown.
        min_cases: usize,
    },
    /// Some case has an outcome for several lots.
    CasesOfSeveralLots {
        /// The file.
        file: String,
    },
    /// Rows of a file belong to lots that the sheet does not have.
    RowsOfUnknownLots {
        /// The file.
        file: String,
        /// Number of rows.
        n_rows: usize,
        /// Line of the first of them.
        first_line: u64,
    },
    /// The road was not walked without each lot.
    TooFewLotsToLeaveOneOut {
        /// Lots with cells.
        n_lots: usize,
        /// Lots needed.
        n_needed: usize,
    },
    /// The road can't be walked without a lot.
    NoRoadWithoutLot {
        /// The lot.
        lot: String,
        /// What stopped it.
        cause: String,
    },
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::GeneSetsDiffer { n_common, n_union, used, worst_lot, n_missing } => write!(
                f,
                "lots differ in their gene sets: {n_common} genes are common to all, {n_union} occur in any; used the {used}. \
                 Lot {worst_lot} lacks {n_missing} genes. Were all lots annotated with the same reference?"
            ),
            Self::DuplicateGeneIds { lot, n_ids, example } => write!(
                f,
                "lot {lot}: {n_ids} gene ids occur more than once (such as {example}); their counts were added"
            ),
            Self::DuplicateBarcodes { lot, n_cells, example } => write!(
                f,
                "lot {lot}: {n_cells} cells have a barcode that another cell has (such as {example}); they were renamed. \
                 Were several runs merged into one file?"
            ),
            Self::GenesJoinedBy { name, lot, example_first, example_lot } => write!(
                f,
                "lot {lot} names its genes otherwise ({example_lot}) than the first lot ({example_first}); lots were joined \
                 by {name}. Were all lots annotated with the same reference?"
            ),
            Self::FeaturesSetAside { lot, feature_type, n_features } => {
                write!(
                    f,
                    "lot {lot}: {n_features} features of type `{feature_type}` set aside; only gene expression is used"
                )
            }
            Self::SharedBarcodes { lot_a, lot_b, n_shared, n_identical } => write!(
                f,
                "lots {lot_a} and {lot_b} share {n_shared} barcodes, {n_identical} of them with identical counts{}",
                if *n_identical > 0 { "; is one lot given twice?" } else { "" }
            ),
            Self::EmptyLot { lot } => write!(f, "lot {lot} holds no cells and was left out"),
            Self::CountsFoundIn { lot, place } => {
                write!(
                    f,
                    "lot {lot}: X does not hold counts; they were found in {place}. Say `counts = \"{place}\"` to confirm"
                )
            }
            Self::LotLosesCells { lot, n_read, n_kept } => {
                write!(f, "lot {lot}: quality control kept {n_kept} of {n_read} cells; look at its row in qc.csv")
            }
            Self::GenesNotFound { group, needed_for } => {
                write!(f, "no {group} genes found, so {needed_for} is missing; are gene symbols given?")
            }
            Self::LotLeftOut { lot, step, cause } => write!(f, "lot {lot} does not take part in {step}: {cause}"),
            Self::NotConverged { step, n_iterations } => {
                write!(f, "{step} stopped after {n_iterations} iterations before it converged")
            }
            Self::FewerComponents { n_asked, n_found } => write!(
                f,
                "only {n_found} principal components have any variance, {n_asked} were asked for; the data hold few cells or genes"
            ),
            Self::ClusterOfFewLots { cluster, effective_lots, n_lots } => write!(
                f,
                "cluster {cluster} comes from few lots (effective number {effective_lots:.1} of {n_lots}); \
                 its share says more about those lots than about a cell state"
            ),
            Self::ProliferativeCluster { cluster, share_cycling } => write!(
                f,
                "cluster {cluster} is proliferative ({:.0} % of its cells in S or G2M): its share may follow culture conditions",
                share_cycling * 100.0
            ),
            Self::ReadoutMissing { readout, lots } => {
                write!(f, "no value of {readout} for {}; these lots do not take part", lots.join(", "))
            }
            Self::TooFewLotsForSignificance { readout, n_lots, smallest_p } => write!(
                f,
                "{n_lots} lots have a value of {readout}: the smallest p-value that can be reached is {smallest_p:.3}, so nothing can be concluded"
            ),
            Self::RepeatedDonor { column, n_lots, n_donors, averaged: true } => write!(
                f,
                "{n_lots} lots come from {n_donors} different values of `{column}`; lots of one are averaged, and n counts \
                 values of `{column}`. If each lot is independent, say so with --unit lot; to compare lots of one with each \
                 other, use --block {column}"
            ),
            Self::RepeatedDonor { column, n_lots, n_donors, averaged: false } => write!(
                f,
                "{n_lots} lots come from {n_donors} different values of `{column}`, yet each lot is counted as independent, as \
                 asked; p-values are too small if lots of one resemble each other"
            ),
            Self::ReadoutVariesWithin { readout, column } => write!(
                f,
                "{readout} differs between lots of one `{column}`; its average is used, and only those with the same number of \
                 lots change places. To compare lots within it, use --block {column}"
            ),
            Self::ReadoutCensored { readout, n_lots, n_below, n_partly } => write!(
                f,
                "{readout} lies below its limit of quantification in {n_below} of {n_lots} lots, and in some replicates of \
                 {n_partly} more; ranks are tested (Spearman), lots below sharing the lowest, and r is not to be trusted"
            ),
            Self::WeightsNotUsed { readout } => {
                write!(f, "lots with {readout} are not weighted, as weights can't be combined with covariates")
            }
            Self::OutcomesHidden { outcome, n_lots, min_cases } => write!(
                f,
                "{outcome}: {n_lots} lots have fewer than {min_cases} cases; they are hidden and take no part \
                 (outcomes.min_cases)"
            ),
            Self::CasesOfSeveralLots { file } => {
                write!(f, "{file}: some case has an outcome for several lots, so that lots are not quite independent")
            }
            Self::RowsOfUnknownLots { file, n_rows, first_line } => write!(
                f,
                "{file}: {n_rows} rows (the first on line {first_line}) belong to lots that the sheet does not have; they \
                 were left out. Are lots named alike?"
            ),
            Self::TooFewLotsToLeaveOneOut { n_lots, n_needed } => write!(
                f,
                "{n_lots} lots with cells are too few to leave one out ({n_needed} needed): nothing shows whether clusters \
                 and candidates rest on one lot"
            ),
            Self::NoRoadWithoutLot { lot, cause } => write!(
                f,
                "without lot {lot} the clusters can't be made again: {cause}. So the result rests on this lot; it is missing \
                 among the runs without one lot"
            ),
        }
    }
}
