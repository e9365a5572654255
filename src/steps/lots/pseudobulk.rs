//! Pseudobulk: summed counts per lot, for all cells and per cluster.
//!
//! **Question.** How much of each gene does each lot express, as a whole and within a cluster?
//!
//! **Method.** Sums of the counts over cells, exact integers. CPM = 10⁶ · sum / total of the lot's (or the lot's
//! cluster's) sums; values are log2(CPM + 1). A lot with fewer than `min_cells` cells in a cluster is missing there.
//!
//! **Shapes.** Cells × genes with a label per cell → lots × genes, once for all cells and once per cluster.
//!
//! **Beside other tools.** Sums agree with muscat's `aggregateData(fun = "sum")` and scanpy's `get.aggregate(func = "sum")`.
//!
//! **References.** Crowell 2020, doi:10.1038/s41467-020-19894-4; Squair 2021, doi:10.1038/s41467-021-25960-2 (why the
//! lot, not the cell, is what is compared).

use ndarray::{Array2, ArrayView1, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::Dataset;

/// Parameters of [`pseudobulk`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PseudobulkParams {
    /// A lot with fewer cells in a cluster is missing there; more makes sums steadier and leaves fewer lots. Default 10,
    /// muscat's.
    pub min_cells: usize,
}

impl Default for PseudobulkParams {
    fn default() -> Self {
        Self { min_cells: 10 }
    }
}

/// Lots that are summed side by side: the more, the more memory their sums take.
const LOTS_AT_ONCE: usize = 16;

/// Result of [`pseudobulk`].
#[derive(Debug, Clone, PartialEq)]
pub struct Pseudobulk {
    /// Summed counts of all cells, lots × genes.
    pub all: Array2<u64>,
    /// Per cluster: summed counts, lots × genes (0 where the lot has no cells).
    pub clusters: Vec<Array2<u64>>,
    /// Lots × clusters: number of cells.
    pub n_cells: Array2<u64>,
    /// See [`PseudobulkParams::min_cells`].
    pub min_cells: usize,
}

impl Pseudobulk {
    /// log2(CPM + 1) of all cells, lots × genes; NaN for lots without counts.
    pub fn log2_cpm_all(&self) -> Array2<f64> {
        log2_cpm(&self.all, |_| true)
    }

    /// log2(CPM + 1) within a cluster, lots × genes; NaN where the lot has fewer than `min_cells` cells there.
    pub fn log2_cpm(&self, cluster: usize) -> Array2<f64> {
        log2_cpm(&self.clusters[cluster], |lot| self.n_cells[[lot, cluster]] >= self.min_cells as u64)
    }
}

/// log2(CPM + 1) of each row of sums; NaN where `present` is false or nothing was counted.
fn log2_cpm(sums: &Array2<u64>, present: impl Fn(usize) -> bool) -> Array2<f64> {
    let per_million = |(lot, row): (usize, ArrayView1<'_, u64>)| {
        let total: u64 = row.sum();
        if present(lot) && total > 0 { 1e6 / total as f64 } else { f64::NAN }
    };
    let factor: Vec<f64> = sums.rows().into_iter().enumerate().map(per_million).collect();
    Array2::from_shape_fn(sums.dim(), |at| (sums[at] as f64 * factor[at.0] + 1.0).log2())
}

/// Sums counts. `labels` has one entry (below `n_clusters`) per cell.
pub fn pseudobulk(dataset: &Dataset, labels: &[u32], n_clusters: usize, params: &PseudobulkParams) -> Pseudobulk {
    assert_eq!(labels.len(), dataset.n_cells(), "one label per cell");
    let (n_lots, n_genes) = (dataset.n_lots(), dataset.n_genes());
    let mut all = Array2::zeros((n_lots, n_genes));
    let mut clusters = vec![Array2::zeros((n_lots, n_genes)); n_clusters];
    let mut n_cells = Array2::zeros((n_lots, n_clusters));
    // One lot's sums, clusters × genes, and its cells per cluster.
    let of_lot = |lot: usize| {
        let counts = &dataset.lots()[lot].counts;
        let labels = &labels[dataset.offsets()[lot]..dataset.offsets()[lot + 1]];
        let mut sums = Array2::<u64>::zeros((n_clusters, n_genes));
        let mut n_cells = vec![0; n_clusters];
        for (cell, &label) in labels.iter().enumerate() {
            n_cells[label as usize] += 1;
            let mut row = sums.row_mut(label as usize);
            let sums = row.as_slice_mut().expect("rows of a new array are contiguous");
            counts.row(cell).for_each(|gene, count| sums[gene as usize] += u64::from(count));
        }
        counts.release();
        (sums, n_cells)
    };
    let lots: Vec<usize> = (0..n_lots).collect();
    for some in lots.chunks(LOTS_AT_ONCE) {
        let sums: Vec<(Array2<u64>, Vec<u64>)> = some.par_iter().map(|&lot| of_lot(lot)).collect();
        for (&lot, (sums, cells)) in some.iter().zip(sums) {
            all.row_mut(lot).assign(&sums.sum_axis(Axis(0)));
            for (cluster, sums) in sums.rows().into_iter().enumerate() {
                clusters[cluster].row_mut(lot).assign(&sums);
                n_cells[[lot, cluster]] = cells[cluster];
            }
        }
    }
    Pseudobulk { all, clusters, n_cells, min_cells: params.min_cells }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{CountsBuilder, Genes, Lot, LotSheet, LotSource};

    fn dataset(lots: &[&[&[u32]]]) -> Dataset {
        let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
        let n_genes = 3;
        let genes = Genes::new(names("g", n_genes), names("g", n_genes)).unwrap();
        let build = |(i, cells): (usize, &&[&[u32]])| {
            let mut counts = CountsBuilder::new(n_genes);
            for cell in *cells {
                counts.push_row(&[0, 1, 2], cell);
            }
            Lot { name: format!("lot{i}"), barcodes: names("c", cells.len()), counts: counts.finish() }
        };
        let lots: Vec<Lot> = lots.iter().enumerate().map(build).collect();
        let source = |l: &Lot| LotSource { lot: l.name.clone(), path: "".into(), subset: None };
        let sheet = LotSheet { lots: lots.iter().map(source).collect(), columns: Vec::new() };
        Dataset::new(genes, lots, sheet).unwrap()
    }

    #[test]
    fn sums_and_log2_cpm() {
        let dataset = dataset(&[&[&[1, 0, 2], &[3, 1, 0], &[0, 0, 1]], &[]]);
        let p = pseudobulk(&dataset, &[0, 1, 1], 2, &PseudobulkParams { min_cells: 2 });
        assert_eq!(p.all.row(0).to_vec(), [4, 1, 3]);
        assert_eq!(p.clusters[0].row(0).to_vec(), [1, 0, 2]);
        assert_eq!(p.clusters[1].row(0).to_vec(), [3, 1, 1]);
        assert_eq!(p.n_cells.row(0).to_vec(), [1, 2]);
        let all = p.log2_cpm_all();
        assert!((all[[0, 1]] - 125_001.0_f64.log2()).abs() < 1e-12);
        assert!(all.row(1).iter().all(|v| v.is_nan()), "a lot without cells is missing");
        assert!(p.log2_cpm(0).row(0).iter().all(|v| v.is_nan()), "one cell is fewer than two");
        assert!((p.log2_cpm(1)[[0, 0]] - 600_001.0_f64.log2()).abs() < 1e-12);
    }

    #[test]
    fn cells_without_counts_give_missing_values() {
        let dataset = dataset(&[&[&[0, 0, 0]]]);
        let p = pseudobulk(&dataset, &[0], 1, &PseudobulkParams { min_cells: 1 });
        assert!(p.log2_cpm(0).iter().chain(p.log2_cpm_all().iter()).all(|v| v.is_nan()));
    }
}
