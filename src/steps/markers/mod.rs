//! Steps on marker genes: effects lot by lot, ranking of candidates.

pub mod effects;
pub mod expression;
mod gene_major;
pub mod leave_one_out;
pub mod measurability;
pub mod panel;
pub mod ranking;
#[cfg(test)]
mod small;
pub mod wilcoxon;

pub use effects::{Division, Effects, EffectsParams, effects, effects_of_divisions};
pub use expression::{MarkerExpression, marker_expression};
pub use leave_one_out::{LeaveOneOut, LeaveOneOutParams, Pull, RunWithout, Stability, TopGene, run_without, stability};
pub use measurability::{Measurability, measurability};
pub use panel::{
    Distribution, Gate, GatedShare, HeldOut, LotCount, MissingGene, Panel, PanelParams, PanelRow, Panels, Performance,
    gated_shares, panels,
};
pub use ranking::{Candidate, RankingParams, ranking};
pub use wilcoxon::{Wilcoxon, wilcoxon, wilcoxon_of};
