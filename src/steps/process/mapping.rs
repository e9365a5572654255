//! Mapping: a new lot placed on a locked reference.
//!
//! **Question.** What is this lot made of, is it one of the kind the reference was made of, and what potency does that
//! promise?
//!
//! **Method.** Each lot is placed alone: no result depends on which lots came along, and the reference never moves. Cells are
//! measured ([`super::measure`]) and those beyond a limit of their nearest cluster stay *unassigned*
//! ([`super::calibration`]). The lot: shares of the clusters among all cells kept with Jeffreys intervals; Jensen–Shannon and
//! Aitchison distance of the composition of the assigned cells and energy distance of all cells kept from the reference lots,
//! by the formulas of [`mod@crate::steps::lots::deviation`]. The lot is out of reference if any of [`OutOfReference`] holds;
//! a lot out of reference is given no predicted potency.
//!
//! **Shapes.** Cells × genes of one lot with a reference → one [`Placed`], an entry per cell.
//!
//! **Beside other tools.** Azimuth, Symphony and `ingest` give every cell a label, and say nothing of the lot.
//!
//! **References.** Kang 2021, doi:10.1038/s41467-021-25957-x; Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::calibration::{Assigned, UNASSIGNED};
use super::placed::{Limited, Measure, OutOfReference, Placed, Share};
use super::potency::PotencyModel;
use crate::error::{Error, Result};
use crate::math::intervals::jeffreys;
use crate::steps::lots::Population;

/// Cells of a new lot that the energy distance is computed from.
pub const ENERGY_CELLS: usize = 600;
/// Cells of all reference lots together that it is computed from.
const ENERGY_CELLS_OF_REFERENCE: usize = 2_400;

/// Cells of each of `n_lots` reference lots that the energy distance is computed from.
pub fn energy_cells_of_lot(n_lots: usize) -> usize {
    ENERGY_CELLS_OF_REFERENCE.div_ceil(n_lots.max(1)).clamp(50, ENERGY_CELLS)
}

/// Parameters of references and of mapping; frozen with the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MappingParams {
    /// Neighbours that vote on a label, 1 to 1000. More make labels steadier and blur small clusters. Default 20, as in the
    /// graph of the run.
    pub n_neighbors: usize,
    /// Cells of the reference among which neighbours are looked for, at most (each lot × cluster in proportion); 0 = all.
    /// Fewer are faster. Default 10,000; with 5,000 labels were confirmed nearly as often (guide, page on references).
    pub max_index_cells: usize,
    /// Share of a reference lot's own cells beyond each of the three limits of a cluster, above 0 and below 0.5. More leaves
    /// more cells unassigned. Default 0.01.
    pub tail: f64,
    /// Share of the reference's variable genes that a lot must have, 0..1. Default 0.9: a lot annotated otherwise has far
    /// fewer.
    pub min_genes_found: f64,
    /// A lot with a larger share of unassigned cells is out of reference, 0..1. Default 0.1: three limits of 1 % cost a lot of
    /// the kind 3 % at most on average, the rest is room.
    pub max_unassigned: f64,
    /// Fewest cells that must pass quality control. Default 50, as in the warning of the run.
    pub min_cells: usize,
    /// Smallest share of a lot's cells that must pass quality control, 0..1. Default 0.5, as in the warning of the run.
    pub min_kept: f64,
    /// A lot's median mitochondrial percentage may be at most so many times the highest, its median counts at least one so
    /// many-th of the lowest of the reference lots; at least 1. Single cells have as much room beyond the limits of the
    /// run's quality control. Default 2.
    pub max_fold: f64,
    /// Level of the prediction intervals of the potency, between 0 and 1. Default 0.9: what so few lots can show.
    pub level: f64,
}

impl Default for MappingParams {
    fn default() -> Self {
        Self {
            n_neighbors: 20,
            max_index_cells: 10_000,
            tail: 0.01,
            min_genes_found: 0.9,
            max_unassigned: 0.1,
            min_cells: 50,
            min_kept: 0.5,
            max_fold: 2.0,
            level: 0.9,
        }
    }
}

impl MappingParams {
    /// Whether all are in range.
    ///
    /// # Errors
    /// One is not.
    pub fn check(&self) -> Result<()> {
        if !(1..=1000).contains(&self.n_neighbors) {
            return Err(Error::param("mapping.n_neighbors", self.n_neighbors, "from 1 to 1000"));
        }
        if !(self.tail > 0.0 && self.tail < 0.5) {
            return Err(Error::param("mapping.tail", self.tail, "above 0 and below 0.5"));
        }
        let shares = [
            ("mapping.min_genes_found", self.min_genes_found),
            ("mapping.max_unassigned", self.max_unassigned),
            ("mapping.min_kept", self.min_kept),
        ];
        for (name, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::param(name, value, "a number from 0 to 1"));
            }
        }
        if !(self.max_fold >= 1.0 && self.max_fold.is_finite()) {
            return Err(Error::param("mapping.max_fold", self.max_fold, "a number from 1 up"));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::param("mapping.level", self.level, "a number between 0 and 1"));
        }
        Ok(())
    }
}

/// What the reference lots allow a lot as a whole; NaN = nothing is asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LotLimits {
    /// Highest median mitochondrial percentage.
    pub pct_mito: f64,
    /// Lowest median counts.
    pub counts: f64,
    /// Largest Jensen–Shannon distance.
    pub jensen_shannon: f64,
    /// Largest Aitchison distance.
    pub aitchison: f64,
    /// Largest energy distance.
    pub energy: f64,
}

/// What is known of a lot before its cells are placed.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLot {
    /// Name.
    pub name: String,
    /// Cells read.
    pub n_cells_read: usize,
    /// Cells kept.
    pub n_cells: usize,
    /// Median mitochondrial percentage before quality control; NaN without cells.
    pub pct_mito: f64,
    /// Median counts before quality control; NaN without cells.
    pub counts: f64,
    /// Variable genes of the reference.
    pub n_variable: usize,
    /// Those that the lot has.
    pub n_found: usize,
    /// A gene id of the lot and one of the reference.
    pub examples: [String; 2],
}

/// Distances of a lot from the reference lots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distances {
    /// Jensen–Shannon.
    pub jensen_shannon: f64,
    /// Aitchison.
    pub aitchison: f64,
    /// Energy.
    pub energy: f64,
}

impl Distances {
    /// Where nothing could be measured.
    pub const NONE: Self = Self { jensen_shannon: f64::NAN, aitchison: f64::NAN, energy: f64::NAN };

    /// Of a lot with these cells per cluster (assigned ones), at these places (cells × components).
    pub fn of(
        population: &Population,
        n_cells: &Array1<u64>,
        embedding: ndarray::ArrayView2<'_, f32>,
        seed: u64,
    ) -> Self {
        let (jensen_shannon, aitchison) = population.composition_distances(n_cells.view());
        Self { jensen_shannon, aitchison, energy: population.energy(embedding, ENERGY_CELLS, seed) }
    }
}

/// Cells per cluster; those unassigned are left out.
pub fn cells_per_cluster(cluster: &[u32], n_clusters: usize) -> Array1<u64> {
    let mut n_cells = Array1::zeros(n_clusters);
    cluster.iter().filter(|&&k| k != UNASSIGNED).for_each(|&k| n_cells[k as usize] += 1);
    n_cells
}

/// What lots are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// Limits of the lot as a whole.
    pub limits: &'a LotLimits,
    /// Potency models.
    pub models: &'a [PotencyModel],
    /// Level of the intervals of shares, 0..1.
    pub level: f64,
    /// Parameters.
    pub params: &'a MappingParams,
}

/// Judges a lot. `assigned` has one entry per cell kept.
pub fn place(lot: NewLot, assigned: &Assigned, n_clusters: usize, distances: Distances, judge: Judge<'_>) -> Placed {
    let Judge { limits, models, level, params } = judge;
    let n_cells = cells_per_cluster(&assigned.cluster, n_clusters);
    let total = assigned.cluster.len() as u64;
    let n_assigned = n_cells.sum();
    let share = |n: u64| {
        let (ci_low, ci_high) = jeffreys(n, total, level);
        Share { n_cells: n, share: n as f64 / total as f64, ci_low, ci_high }
    };
    let unassigned = share(total - n_assigned);
    let limited = |value: f64, limit: f64| Limited { value, limit };
    let mut placed = Placed {
        n_cells_read: lot.n_cells_read,
        n_cells: lot.n_cells,
        n_unassigned: (total - n_assigned) as usize,
        share_unassigned: unassigned.share,
        composition: n_cells.iter().map(|&n| share(n)).collect(),
        unassigned,
        jensen_shannon: limited(distances.jensen_shannon, limits.jensen_shannon),
        aitchison: limited(distances.aitchison, limits.aitchison),
        energy: limited(distances.energy, limits.energy),
        pct_mito: limited(lot.pct_mito, limits.pct_mito),
        counts: limited(lot.counts, limits.counts),
        n_variable: lot.n_variable,
        n_found: lot.n_found,
        in_reference: false,
        reasons: Vec::new(),
        predictions: Vec::new(),
        lot: lot.name.clone(),
    };
    placed.reasons = reasons(&lot, &placed, params);
    placed.in_reference = placed.reasons.is_empty();
    if placed.in_reference && n_assigned > 0 {
        let of_assigned = |cluster: usize| n_cells[cluster] as f64 / n_assigned as f64;
        placed.predictions = models.iter().map(|model| model.predict(of_assigned(model.summary.cluster))).collect();
    }
    placed
}

fn reasons(lot: &NewLot, placed: &Placed, params: &MappingParams) -> Vec<OutOfReference> {
    if lot.n_cells_read == 0 {
        return vec![OutOfReference::NoCells];
    }
    let (n_read, n_cells) = (lot.n_cells_read, lot.n_cells);
    if (lot.n_found as f64) < params.min_genes_found * lot.n_variable as f64 {
        // Nothing else that could be said of such a lot would mean anything.
        let [example_lot, example_reference] = lot.examples.clone();
        let (n_variable, n_found, min_share) = (lot.n_variable, lot.n_found, params.min_genes_found);
        return vec![OutOfReference::OtherGenes { n_variable, n_found, min_share, example_lot, example_reference }];
    }
    let mut reasons = Vec::new();
    if n_cells < params.min_cells {
        reasons.push(OutOfReference::FewCells { n_read, n_cells, min_cells: params.min_cells });
    }
    if (n_cells as f64) < params.min_kept * n_read as f64 {
        reasons.push(OutOfReference::LosesCells { n_read, n_cells, min_share: params.min_kept });
    }
    if placed.pct_mito.is_above() {
        let Limited { value: median, limit } = placed.pct_mito;
        reasons.push(OutOfReference::HighMito { median, limit });
    }
    if placed.counts.is_below() {
        let Limited { value: median, limit } = placed.counts;
        reasons.push(OutOfReference::LowCounts { median, limit });
    }
    if placed.share_unassigned > params.max_unassigned {
        reasons.push(OutOfReference::Unassigned { share: placed.share_unassigned, limit: params.max_unassigned });
    }
    let measures = [
        (Measure::JensenShannon, placed.jensen_shannon),
        (Measure::Aitchison, placed.aitchison),
        (Measure::Energy, placed.energy),
    ];
    for (measure, distance) in measures {
        if distance.is_above() {
            reasons.push(OutOfReference::Deviation { measure, value: distance.value, limit: distance.limit });
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot() -> NewLot {
        NewLot {
            name: "new".into(),
            n_cells_read: 120,
            n_cells: 100,
            pct_mito: 3.0,
            counts: 20_000.0,
            n_variable: 2000,
            n_found: 2000,
            examples: ["GENE1".into(), "ENSG1".into()],
        }
    }

    const LIMITS: LotLimits =
        LotLimits { pct_mito: 6.0, counts: 9_000.0, jensen_shannon: 0.3, aitchison: f64::NAN, energy: 2.0 };

    fn placed(lot: NewLot, n_unassigned: usize, distances: Distances) -> Placed {
        let n = if lot.n_cells_read == 0 { 0 } else { lot.n_cells };
        let cluster = (0..n).map(|i| if i < n_unassigned { UNASSIGNED } else { i as u32 % 2 }).collect();
        let assigned = Assigned { cluster, score: vec![0.9; n], beyond: vec![0; n] };
        let params = MappingParams::default();
        let judge = Judge { limits: &LIMITS, models: &[], level: 0.95, params: &params };
        place(lot, &assigned, 3, distances, judge)
    }

    const NEAR: Distances = Distances { jensen_shannon: 0.1, aitchison: 99.0, energy: 1.0 };

    #[test]
    fn a_lot_of_the_kind_is_in_reference_and_its_shares_are_of_all_cells_kept() {
        let placed = placed(lot(), 4, NEAR);
        assert!(placed.in_reference, "{:?}", placed.reasons);
        assert_eq!((placed.n_unassigned, placed.composition[0].n_cells, placed.composition[2].n_cells), (4, 48, 0));
        assert_eq!((placed.share_unassigned, placed.composition[0].share), (0.04, 0.48));
        let sum: f64 = placed.composition.iter().map(|s| s.share).sum();
        assert!((sum + placed.unassigned.share - 1.0).abs() < 1e-12);
    }

    #[test]
    fn each_fault_is_told() {
        let kinds = |placed: &Placed| -> Vec<String> {
            let kind = |reason| serde_json::to_value(reason).unwrap()["kind"].as_str().unwrap().to_string();
            placed.reasons.iter().map(kind).collect()
        };
        let none = NewLot { n_cells_read: 0, n_cells: 0, pct_mito: f64::NAN, counts: f64::NAN, ..lot() };
        assert_eq!(kinds(&placed(none, 0, Distances::NONE)), ["no_cells"]);
        let nothing_kept = NewLot { n_cells: 0, ..lot() };
        assert_eq!(kinds(&placed(nothing_kept, 0, Distances::NONE)), ["few_cells", "loses_cells"]);
        let other = NewLot { n_found: 10, ..lot() };
        assert_eq!(kinds(&placed(other, 100, Distances::NONE)), ["other_genes"]);
        let dying = NewLot { pct_mito: 31.0, counts: 1_500.0, ..lot() };
        assert_eq!(kinds(&placed(dying, 0, NEAR)), ["high_mito", "low_counts"]);
        let far = Distances { jensen_shannon: 0.4, energy: 5.0, ..NEAR };
        assert_eq!(kinds(&placed(lot(), 97, far)), ["unassigned", "deviation", "deviation"]);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let bad = [
            MappingParams { n_neighbors: 0, ..MappingParams::default() },
            MappingParams { tail: 0.0, ..MappingParams::default() },
            MappingParams { max_unassigned: 1.5, ..MappingParams::default() },
            MappingParams { max_fold: 0.5, ..MappingParams::default() },
            MappingParams { level: 1.0, ..MappingParams::default() },
        ];
        assert!(bad.iter().all(|params| params.check().is_err()) && MappingParams::default().check().is_ok());
    }
}
