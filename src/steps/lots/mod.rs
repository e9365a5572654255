//! Steps on lots: composition, pseudobulk, association with a readout.

pub mod association;
pub mod composition;
pub mod influence;
pub mod pseudobulk;
pub mod verdict;

pub use association::{Association, AssociationParams, AssociationRow, association};
pub use composition::{Composition, CompositionParams, Transform, composition, transformed_counts};
pub use influence::{Influence, influence};
pub use pseudobulk::{Pseudobulk, PseudobulkParams, pseudobulk};
pub use verdict::{FoundAgain, Judgement, Reason, Verdict, VerdictParams, verdicts};
