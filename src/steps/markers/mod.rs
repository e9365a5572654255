//! Steps on marker genes: effects lot by lot, ranking of candidates.

pub mod effects;
mod gene_major;
pub mod ranking;
#[cfg(test)]
mod small;
pub mod wilcoxon;

pub use effects::{Effects, EffectsParams, effects};
pub use ranking::{Candidate, RankingParams, ranking};
pub use wilcoxon::{Wilcoxon, wilcoxon};
