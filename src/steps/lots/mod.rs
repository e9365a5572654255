//! Steps on lots: composition, pseudobulk, association with a readout.

pub mod association;
pub mod composition;
pub mod influence;
pub mod pseudobulk;

pub use association::{Association, AssociationParams, AssociationRow, Verdict, association};
pub use composition::{Composition, CompositionParams, Transform, composition};
pub use influence::{Influence, influence};
pub use pseudobulk::{Pseudobulk, PseudobulkParams, pseudobulk};
