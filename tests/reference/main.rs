//! Promise: results equal those of implementations that no one here wrote.
//!
//! Frozen values are in `tests/data/reference/<step>/`, made by `scripts/reference/<step>.py`. Tests on real data look in
//! `../shared/data` or `$CQA_TEST_DATA` and say plainly that they were skipped where it is absent; with `CQA_REQUIRE_DATA=1`
//! they fail there.

mod common;

mod assignment;
mod association;
mod cell_cycle;
mod compare;
mod composition;
mod confounding;
mod designs;
mod designs_limma;
mod deviation;
mod doublets;
mod effects;
mod equivalence;
mod h5ad_write;
mod harmony;
mod hvg;
mod ideas_autism;
mod kmeans;
mod leiden;
mod map;
mod neighborhoods;
mod neighbors;
mod pca;
mod plan;
mod potency;
mod pseudobulk;
mod qc;
mod readers;
mod readers_hdf5;
mod road;
mod soupx;
mod umap;
mod wilcoxon;
