//! What was planted, as tables and as a judge of results.

use std::collections::HashMap;

use serde::Serialize;

use super::SimulateParams;
use super::model::{Model, POPULATIONS, POTENT};
use super::sheet::READOUT;
use crate::data::{Column, Dataset, Table};

/// What was planted.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Population of each cell, global order; of two cells in one droplet, that of the first.
    pub population: Vec<u32>,
    /// Barcodes of each lot.
    pub barcodes: Vec<Vec<String>>,
    /// Two cells in one droplet.
    pub doublet: Vec<bool>,
    /// Damaged cell.
    pub damaged: Vec<bool>,
    /// Names of the populations.
    pub populations: Vec<String>,
    /// Planted share of each population: one row per lot. The share among the lot's cells differs by sampling.
    pub shares: Vec<Vec<f64>>,
    /// The population that drives the potency.
    pub potent: u32,
    /// Planted markers of the potent population (gene indices), strongest first.
    pub markers: Vec<u32>,
    /// log2 fold change of each marker in a cell wholly of the potent population.
    pub marker_log2_fc: Vec<f64>,
    /// Name of the readout it drives.
    pub readout: String,
    /// What was asked for.
    pub params: SimulateParams,
}

/// How well the best of all clusters matches the potent population.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterMatch {
    /// The cluster.
    pub cluster: u32,
    /// Harmonic mean of precision and recall, 0..1.
    pub f1: f64,
    /// Share of the cluster's cells that are of the population, 0..1.
    pub precision: f64,
    /// Share of the population's cells that are in the cluster, 0..1.
    pub recall: f64,
}

/// The truth file beside the table of cells.
#[derive(Serialize)]
struct Summary<'a> {
    readout: &'a str,
    potent_population: &'a str,
    parameters: &'a SimulateParams,
    markers: Vec<Marker<'a>>,
}

#[derive(Serialize)]
struct Marker<'a> {
    gene: &'a str,
    gene_id: &'a str,
    log2_fc: f64,
}

impl Truth {
    pub(super) fn new(
        model: &Model,
        params: &SimulateParams,
        population: Vec<u32>,
        barcodes: Vec<Vec<String>>,
        doublet: Vec<bool>,
        damaged: Vec<bool>,
    ) -> Self {
        let (markers, ln_fc): (Vec<u32>, Vec<f64>) = model.markers().into_iter().unzip();
        Self {
            population,
            barcodes,
            doublet,
            damaged,
            populations: POPULATIONS.iter().map(|plan| plan.name.to_string()).collect(),
            shares: model.lots.iter().map(|lot| lot.shares.clone()).collect(),
            potent: POTENT as u32,
            markers,
            marker_log2_fc: ln_fc.into_iter().map(|fc| fc / std::f64::consts::LN_2).collect(),
            readout: READOUT.into(),
            params: params.clone(),
        }
    }

    /// The cluster that matches the potent population best (highest F1, the first of equals).
    ///
    /// One lot (index), barcode and cluster per cell that was clustered, in any order; cells that quality control left
    /// out are absent. Droplets with two cells and damaged cells belong to no one population and are not judged, nor are
    /// barcodes that were not simulated. `None` if no cell of the potent population is among them.
    pub fn best_cluster(&self, lots: &[u32], barcodes: &[String], labels: &[u32]) -> Option<ClusterMatch> {
        assert!(lots.len() == barcodes.len() && lots.len() == labels.len(), "one lot, barcode and label per cell");
        let mut first = 0;
        let places: Vec<HashMap<&str, usize>> = self
            .barcodes
            .iter()
            .map(|lot| {
                let places = lot.iter().map(String::as_str).zip(first..).collect();
                first += lot.len();
                places
            })
            .collect();
        let n_clusters = labels.iter().max().map_or(0, |&max| max as usize + 1);
        let (mut in_cluster, mut hits, mut n_potent) = (vec![0_u32; n_clusters], vec![0_u32; n_clusters], 0_u32);
        for ((&lot, barcode), &label) in lots.iter().zip(barcodes).zip(labels) {
            let Some(&cell) = places.get(lot as usize).and_then(|lot| lot.get(barcode.as_str())) else { continue };
            if self.doublet[cell] || self.damaged[cell] {
                continue;
            }
            in_cluster[label as usize] += 1;
            if self.population[cell] == self.potent {
                hits[label as usize] += 1;
                n_potent += 1;
            }
        }
        let mut best: Option<ClusterMatch> = None;
        for cluster in (0..n_clusters).filter(|&c| hits[c] > 0) {
            let (hit, size, potent) = (f64::from(hits[cluster]), f64::from(in_cluster[cluster]), f64::from(n_potent));
            let f1 = 2.0 * hit / (size + potent);
            if best.is_none_or(|b| f1 > b.f1) {
                best = Some(ClusterMatch { cluster: cluster as u32, f1, precision: hit / size, recall: hit / potent });
            }
        }
        best
    }

    /// Number of planted markers among the first `k` of these genes (indices, best first).
    pub fn markers_found(&self, ranked: impl IntoIterator<Item = u32>, k: usize) -> usize {
        ranked.into_iter().take(k).filter(|gene| self.markers.contains(gene)).count()
    }

    /// One row per simulated cell: lot, barcode, population, doublet, damaged.
    pub fn cells_table(&self, dataset: &Dataset) -> Table {
        assert_eq!(dataset.n_cells(), self.population.len(), "the data set that was simulated");
        let barcodes = dataset.lots().iter().flat_map(|lot| lot.barcodes.iter().cloned()).collect();
        Table::new()
            .with("lot", Column::Category { codes: dataset.lot_of_cell(), levels: dataset.lot_names() })
            .with("barcode", Column::Text(barcodes))
            .with("population", Column::Category { codes: self.population.clone(), levels: self.populations.clone() })
            .with("doublet", Column::Bool(self.doublet.clone()))
            .with("damaged", Column::Bool(self.damaged.clone()))
    }

    /// One row per lot and population: planted share, and share among the lot's undamaged single cells.
    pub fn shares_table(&self, dataset: &Dataset) -> Table {
        let n = self.populations.len();
        let (mut lots, mut populations, mut planted, mut sampled) = (vec![], vec![], vec![], vec![]);
        for (lot, shares) in self.shares.iter().enumerate() {
            let mut counts = vec![0_u32; n];
            for cell in dataset.offsets()[lot]..dataset.offsets()[lot + 1] {
                if !self.doublet[cell] && !self.damaged[cell] {
                    counts[self.population[cell] as usize] += 1;
                }
            }
            let total: u32 = counts.iter().sum();
            for (population, (&share, &count)) in (0_u32..).zip(shares.iter().zip(&counts)) {
                lots.push(lot as u32);
                populations.push(population);
                planted.push(share);
                sampled.push(f64::from(count) / f64::from(total));
            }
        }
        Table::new()
            .with("lot", Column::Category { codes: lots, levels: dataset.lot_names() })
            .with("population", Column::Category { codes: populations, levels: self.populations.clone() })
            .with("share_planted", Column::Float(planted))
            .with("share_sampled", Column::Float(sampled))
    }

    /// Potent population, readout, markers and parameters, as TOML.
    pub fn summary_toml(&self, dataset: &Dataset) -> String {
        let genes = dataset.genes();
        let markers = self.markers.iter().zip(&self.marker_log2_fc);
        let summary = Summary {
            readout: &self.readout,
            potent_population: &self.populations[self.potent as usize],
            parameters: &self.params,
            markers: markers
                .map(|(&gene, &log2_fc)| Marker {
                    gene: &genes.symbols()[gene as usize],
                    gene_id: &genes.ids()[gene as usize],
                    log2_fc: (log2_fc * 100.0).round() / 100.0,
                })
                .collect(),
        };
        toml::to_string(&summary).expect("plain text and numbers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth() -> Truth {
        Truth {
            population: vec![3, 3, 3, 0, 0, 3, 3],
            // Barcodes repeat between lots, as they do in real ones.
            barcodes: vec![["a", "b", "c", "d"].map(String::from).to_vec(), ["a", "b", "c"].map(String::from).to_vec()],
            doublet: vec![false, false, false, false, false, true, false],
            damaged: vec![false; 7],
            populations: vec![],
            shares: vec![],
            potent: 3,
            markers: vec![7, 2, 9],
            marker_log2_fc: vec![3.0, 2.0, 1.0],
            readout: "r".into(),
            params: SimulateParams::default(),
        }
    }

    #[test]
    fn the_best_cluster_is_judged_on_single_kept_cells() {
        // Kept: all but the last, in another order. Potent: a, b, c of lot 0. Cluster 1 holds a and b, and d, which is not
        // potent; the doublet b of lot 1 and the unknown z are not judged.
        let lots = [1, 0, 0, 0, 0, 1, 1];
        let barcodes = ["a", "a", "b", "c", "d", "b", "z"].map(String::from);
        let found = truth().best_cluster(&lots, &barcodes, &[0, 1, 1, 0, 1, 2, 1]).unwrap();
        assert_eq!(found.cluster, 1);
        assert!((found.precision - 2.0 / 3.0).abs() < 1e-12 && (found.recall - 2.0 / 3.0).abs() < 1e-12);
        assert!((found.f1 - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(truth().best_cluster(&[], &[], &[]), None);
    }

    #[test]
    fn markers_are_counted_among_the_first() {
        assert_eq!(truth().markers_found([9, 1, 7, 2], 3), 2);
        assert_eq!(truth().markers_found([], 3), 0);
    }
}
