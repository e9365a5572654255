//! Steps on lots: composition, pseudobulk, association with a readout.

pub mod association;
pub mod composition;
pub mod confounding;
pub mod deviation;
pub mod influence;
pub mod neighborhoods;
pub mod pseudobulk;
pub mod readouts;
pub mod sensitivity;
pub mod two_groups;
pub mod units;
pub mod verdict;

pub use association::{
    Alternative, Association, AssociationParams, AssociationRow, Observed, Statistic, association, association_of,
    effects_of,
};
pub use composition::{Composition, CompositionParams, Transform, composition, transformed_counts, transformed_table};
pub use confounding::{
    Confounding, ConfoundingParams, ConfoundingRow, Covariate, CovariateValues, confounding, integrated_column,
    sheet_covariates, sheet_groups,
};
pub use deviation::{Deviation, DeviationParams, DeviationRow, Distance, Population, deviation, limit_of};
pub use influence::{Influence, influence};
pub use neighborhoods::{
    CalledCells, NeighborhoodAssociation, Neighborhoods, NeighborhoodsParams, neighborhood_association, neighborhoods,
};
pub use pseudobulk::{Pseudobulk, PseudobulkParams, pseudobulk};
pub use readouts::{OutcomesParams, Weights, censored, measured_readouts, outcome_readouts, sheet_readout, weights};
pub use sensitivity::{Choices, Sensitivity, SensitivityParams, Specification, sensitivity, specification};
pub use two_groups::{TwoGroups, TwoGroupsRow, two_groups};
pub use units::{Units, lots_of_units, units};
pub use verdict::{FoundAgain, Judgement, Reason, Verdict, VerdictParams, verdicts};
