//! Steps on cells: quality control to an integrated embedding.

pub mod cell_cycle;
pub mod doublets;
mod gene_groups;
pub mod harmony;
pub mod hvg;
pub mod normalize;
pub mod pca;
pub mod qc;
#[cfg(test)]
mod tests_common;

pub use cell_cycle::{CellCycle, CellCycleParams, Phase, cell_cycle};
pub use doublets::{DoubletParams, Doublets, doublets};
pub use harmony::{Harmony, HarmonyParams, harmony, harmony_with_weights};
pub use hvg::{Hvg, HvgFlavor, HvgParams, HvgVotes, hvg};
pub use normalize::{NormalizeParams, Normalized, normalize};
pub use pca::{Pca, PcaParams, pca};
pub use qc::{CellMetrics, Exclusion, LotQc, Qc, QcParams, qc};
