//! Frame: all that a locked reference places cells with.
//!
//! **Question.** Where would this cell lie among the reference's, had it been there from the start?
//!
//! **Method.** Frozen from a run, and moved by nothing: mean, standard deviation, centre and loadings of the variable genes;
//! mass and sum of Harmony's soft clusters; an index of cells to look for neighbours among, which is a sample of each lot ×
//! cluster in proportion (at most `max_index_cells`, at least five of each) drawn with a fixed seed; the summed counts of
//! each cluster; mean and spread of each cluster in the components before correction.
//!
//! **Shapes.** Cells × genes with components, weights and labels → a frame of clusters × genes and index cells × components.
//!
//! **Beside other tools.** Symphony (R) compresses a reference the same way; scanpy's `ingest` projects without correction.
//!
//! **References.** Kang 2021, doi:10.1038/s41467-021-25957-x (Symphony); Korsunsky 2019, doi:10.1038/s41592-019-0619-0.

use ndarray::{Array2, Axis, s};
use rand::seq::index::sample;
use rayon::prelude::*;

use crate::data::Dataset;
use crate::math::principal_components::PrincipalComponents;
use crate::math::rng::stream;
use crate::math::soft_clusters::SoftClusters;
use crate::steps::cells::{HarmonyParams, Pca, PcaParams};

/// Cells of a lot in a cluster that the index takes at least, where there are so many.
const MIN_OF_STRATUM: usize = 5;

/// Cells to look for neighbours among. All have one entry per cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Cells × leading components, corrected.
    pub points: Array2<f32>,
    /// Cluster.
    pub cluster: Vec<u32>,
    /// Lot of the reference.
    pub lot: Vec<u32>,
    /// Cells × 2: place on the map; NaN if there is none.
    pub umap: Array2<f32>,
}

/// What cells are placed with.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Variable genes, rising indices into the gene axis.
    pub genes: Vec<u32>,
    /// Leading components of these.
    pub components: PrincipalComponents,
    /// Soft clusters of the integration; `None` if it was off or had one batch only.
    pub soft: Option<SoftClusters>,
    /// Cells to look for neighbours among.
    pub index: Index,
    /// Clusters × genes: summed counts.
    pub profiles: Array2<u64>,
    /// Clusters × components: mean before correction.
    pub center: Array2<f64>,
    /// Clusters × components: standard deviation before correction.
    pub spread: Array2<f64>,
}

/// A run to be frozen, or a run without one of its lots. Cells are in global order.
#[derive(Clone, Copy)]
pub struct ToFreeze<'a> {
    /// Cells.
    pub dataset: &'a Dataset,
    /// Variable genes.
    pub genes: &'a [u32],
    /// Components of these.
    pub pca: &'a Pca,
    /// Parameters of the components.
    pub pca_params: &'a PcaParams,
    /// Cells × leading components, corrected; as they are without integration.
    pub embedding: &'a Array2<f32>,
    /// Weights in the soft clusters of the integration, cells × clusters.
    pub weights: Option<&'a Array2<f32>>,
    /// Parameters of the integration.
    pub harmony_params: &'a HarmonyParams,
    /// Cluster of each cell.
    pub labels: &'a [u32],
    /// Number of clusters.
    pub n_clusters: usize,
    /// Place of each cell on the map; `None` if there is none.
    pub umap: Option<&'a Array2<f32>>,
}

/// Freezes a run. `max_index_cells`: cells of the index, at most (but for the smallest strata); 0 = all.
pub fn frame(run: ToFreeze<'_>, max_index_cells: usize, seed: u64) -> Frame {
    let ToFreeze { dataset, genes, pca, pca_params, embedding, labels, n_clusters, .. } = run;
    assert_eq!(labels.len(), dataset.n_cells(), "one label per cell");
    let d = pca.n_leading;
    let components = PrincipalComponents {
        loadings: pca.loadings.slice(s![.., ..d]).to_owned(),
        variance: pca.variance.iter().take(d).copied().collect(),
        total_variance: f64::NAN,
        mean: pca.mean.clone(),
        standard_deviation: pca.standard_deviation.clone(),
        center: pca.center.clone(),
        max_value: if pca_params.scale { pca_params.max_value } else { f64::INFINITY },
    };
    let soft = run.weights.map(|weights| {
        let (points, weights_flat) = (embedding.as_standard_layout(), weights.as_standard_layout());
        let (points, flat) = (points.as_slice(), weights_flat.as_slice());
        let (points, flat) = points.zip(flat).expect("standard layout");
        let (mass, sums) = SoftClusters::sums_of(points, flat, weights.ncols(), d);
        SoftClusters::new(mass, sums, run.harmony_params.sigma, run.harmony_params.lambda)
    });
    let lot_of_cell = dataset.lot_of_cell();
    let cells = stratified(labels, n_clusters, &lot_of_cell, dataset.n_lots(), max_index_cells, seed);
    let index = Index {
        points: embedding.select(Axis(0), &cells),
        cluster: cells.iter().map(|&cell| labels[cell]).collect(),
        lot: cells.iter().map(|&cell| lot_of_cell[cell]).collect(),
        umap: match run.umap {
            Some(umap) => umap.select(Axis(0), &cells),
            None => Array2::from_elem((cells.len(), 2), f32::NAN),
        },
    };
    let (center, spread) = moments(&pca.leading(), labels, n_clusters);
    Frame {
        genes: genes.to_vec(),
        components,
        soft,
        index,
        profiles: profiles(dataset, labels, n_clusters),
        center,
        spread,
    }
}

/// Cells of every lot × cluster in proportion, in global order.
fn stratified(
    labels: &[u32],
    n_clusters: usize,
    lot_of_cell: &[u32],
    n_lots: usize,
    max_cells: usize,
    seed: u64,
) -> Vec<usize> {
    let n = labels.len();
    if max_cells == 0 || n <= max_cells {
        return (0..n).collect();
    }
    let mut strata: Vec<Vec<usize>> = vec![Vec::new(); n_lots * n_clusters];
    for (cell, (&lot, &label)) in lot_of_cell.iter().zip(labels).enumerate() {
        strata[lot as usize * n_clusters + label as usize].push(cell);
    }
    let mut out = Vec::new();
    for (stratum, cells) in strata.iter().enumerate() {
        let wanted = ((cells.len() * max_cells).div_ceil(n)).max(MIN_OF_STRATUM).min(cells.len());
        let picked = sample(&mut stream(seed, "reference index", stratum as u64), cells.len(), wanted);
        out.extend(picked.into_iter().map(|i| cells[i]));
    }
    out.sort_unstable();
    out
}

/// Clusters × genes.
fn profiles(dataset: &Dataset, labels: &[u32], n_clusters: usize) -> Array2<u64> {
    let of_lot = |lot: usize| {
        let mut sums = Array2::<u64>::zeros((n_clusters, dataset.n_genes()));
        let counts = &dataset.lots()[lot].counts;
        for (cell, &label) in labels[dataset.offsets()[lot]..dataset.offsets()[lot + 1]].iter().enumerate() {
            let mut row = sums.row_mut(label as usize);
            let sums = row.as_slice_mut().expect("rows of a new array are contiguous");
            counts.row(cell).for_each(|gene, count| sums[gene as usize] += u64::from(count));
        }
        sums
    };
    let lots: Vec<Array2<u64>> = (0..dataset.n_lots()).into_par_iter().map(of_lot).collect();
    lots.into_iter().fold(Array2::zeros((n_clusters, dataset.n_genes())), |sum, lot| sum + lot)
}

/// Mean and standard deviation (n) of the components of each cluster; 0 for a cluster without cells.
fn moments(points: &Array2<f32>, labels: &[u32], n_clusters: usize) -> (Array2<f64>, Array2<f64>) {
    let d = points.ncols();
    let mut n = vec![0.0_f64; n_clusters];
    let (mut sums, mut squares) = (Array2::<f64>::zeros((n_clusters, d)), Array2::<f64>::zeros((n_clusters, d)));
    for (point, &label) in points.rows().into_iter().zip(labels) {
        let k = label as usize;
        n[k] += 1.0;
        for (j, &x) in point.iter().enumerate() {
            sums[[k, j]] += f64::from(x);
            squares[[k, j]] += f64::from(x).powi(2);
        }
    }
    for (k, &n) in n.iter().enumerate() {
        for j in 0..d {
            let mean = sums[[k, j]] / n.max(1.0);
            sums[[k, j]] = mean;
            squares[[k, j]] = (squares[[k, j]] / n.max(1.0) - mean * mean).max(0.0).sqrt();
        }
    }
    (sums, squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_holds_every_stratum_in_proportion() {
        // Lot 0: 900 of cluster 0, 3 of cluster 1; lot 1: 97 of cluster 1.
        let labels: Vec<u32> = [vec![0; 900], vec![1; 3], vec![1; 97]].concat();
        let lots: Vec<u32> = [vec![0; 903], vec![1; 97]].concat();
        let cells = stratified(&labels, 2, &lots, 2, 100, 7);
        let count = |lot: u32, label: u32| cells.iter().filter(|&&c| lots[c] == lot && labels[c] == label).count();
        assert_eq!((count(0, 0), count(0, 1), count(1, 1), count(1, 0)), (90, 3, 10, 0));
        assert!(cells.is_sorted_by(|a, b| a < b));
        assert_eq!(stratified(&labels, 2, &lots, 2, 0, 7).len(), 1000);
    }

    #[test]
    fn moments_by_hand() {
        let points = ndarray::array![[1.0_f32], [3.0], [5.0]];
        let (center, spread) = moments(&points, &[0, 0, 2], 3);
        assert_eq!((center[[0, 0]], spread[[0, 0]]), (2.0, 1.0));
        assert_eq!((center[[1, 0]], spread[[1, 0]], center[[2, 0]], spread[[2, 0]]), (0.0, 0.0, 5.0, 0.0));
    }
}
