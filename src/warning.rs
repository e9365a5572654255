//! Warnings as data: what a user must know before trusting a number.

mod clusters;
mod reference;
mod words;

pub use clusters::{FewLots, Proliferative, ResolutionUndecided, ShallowLots};
pub use reference::ReferenceWarning;

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
    ClusterOfFewLots(FewLots),
    /// A cluster that goes with the readout proliferates, and proliferation differs between batches.
    ProliferativeCluster(Proliferative),
    /// Lots have few counts per cell, so that populations may be merged.
    ShallowLots(ShallowLots),
    /// Another number of clusters is found again about as well as the chosen one.
    ResolutionUndecided(ResolutionUndecided),
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
    /// A division of the cells by other choices can't be made.
    NoSpecification {
        /// The choices.
        choices: String,
        /// What stopped it.
        cause: String,
    },
    /// The road can't be walked without a lot.
    NoRoadWithoutLot {
        /// The lot.
        lot: String,
        /// What stopped it.
        cause: String,
    },
    /// A lot is unlike the others.
    OutlyingLot {
        /// The lot.
        lot: String,
        /// The distance in which it lies farthest out.
        measure: String,
        /// That distance from the other lots.
        value: f64,
        /// The limit for it.
        limit: f64,
        /// Robust z among the other lots.
        z: f64,
    },
    /// The readout goes so closely with a covariate that the two cannot be told apart.
    ReadoutFollowsCovariate {
        /// The readout.
        readout: String,
        /// The covariate.
        covariate: String,
        /// Correlation over lots.
        r: f64,
        /// Permutation p, alone.
        p: f64,
        /// Lots with both.
        n_lots: usize,
    },
    /// Nothing is left of the association of a cluster with the readout once a covariate is allowed for.
    ClusterFollowsCovariates {
        /// The readout.
        readout: String,
        /// Cluster name.
        cluster: String,
        /// Covariates, each taken alone.
        covariates: Vec<String>,
        /// Correlation of share and readout.
        r: f64,
        /// The weakest partial correlation; `None` if the covariates are copies of share or readout.
        r_partial: Option<f64>,
    },
    /// Integration removes what differs between batches, and the readout or the process differs between them.
    IntegratedColumnCollinear {
        /// The column integrated over.
        column: String,
        /// What it cannot be told apart from: the readout, or a column.
        with: String,
        /// Share of its variance that lies between batches, 0..1.
        share: f64,
    },
    /// The post lots existed before the plan was locked.
    PostDataBeforeLock {
        /// Where they are.
        source: String,
        /// When their directory was begun; empty if not known.
        began: String,
        /// When the plan was locked.
        locked: String,
        /// Pre and post lots lie in the same directory or sheet.
        shared: bool,
    },
    /// Files of a comparison are no longer those that were read first under its plan.
    DataChangedSinceRecorded {
        /// `pre` or `post`.
        group: String,
        /// The files.
        files: Vec<String>,
        /// When they were recorded.
        recorded: String,
    },
    /// Lots of a paired comparison have no partner and take no part.
    UnpairedLots {
        /// Column that names the pair.
        column: String,
        /// The lots.
        lots: Vec<String>,
    },
    /// Another number of post lots than was planned.
    PostLotsUnlikePlan {
        /// Lots (or pairs) planned.
        n_planned: usize,
        /// Lots (or pairs) found.
        n_found: usize,
    },
    /// Shares and distances of lots that were clustered themselves are set against those of lots placed by a reference.
    PreLotsNotPlaced,
    /// Distances of pre and post lots were taken from different populations.
    DeviationsFromOtherLots,
    /// Lots without a value of an attribute take no part in it.
    AttributeMissing {
        /// The attribute.
        attribute: String,
        /// The lots.
        lots: Vec<String>,
    },
    /// A range refuses many lots of a process that did not change, so that being refused says little.
    RuleRefusesEqualLots {
        /// The attribute.
        attribute: String,
        /// Chance of *not comparable* if nothing changed.
        chance: f64,
    },
    /// A test of the whole could not be made.
    NoWholeTest {
        /// The test.
        test: String,
        /// Why.
        cause: String,
    },
    /// A test of the whole can't reach the level, whatever the data show.
    WholeTestCannotReach {
        /// The test.
        test: String,
        /// Smallest p that can be reached.
        smallest_p: f64,
        /// The level.
        alpha: f64,
    },
    /// A lot's annotation lacks genes of a signature; the rule can still be met.
    SignatureGenesMissing {
        /// The lot.
        lot: String,
        /// Symbols.
        genes: Vec<String>,
        /// Genes that count for the signature and are there.
        n_left: usize,
    },
    /// Of a reference, or of lots placed by one.
    #[serde(untagged)]
    Reference(ReferenceWarning),
}
