//! UMAP, for the eye only: nothing is computed from it.
//!
//! **Question.** How do the cells lie, in two dimensions, such that neighbours stay together?
//!
//! **Method.** Neighbours → fuzzy simplicial set (see [`neighbors`](crate::steps::clusters::neighbors()) ); similarity in the
//! plane 1/(1 + a d^2b) with a, b fitted to `min_dist` and `spread`; then rounds in which edges pull in proportion to their
//! weight and random cells push, with a step that falls to 0. The start is the first two components, scaled, with a tiny
//! noise so that equal cells can part: it keeps the large-scale arrangement, needs no eigenvectors of the graph and is
//! defined for graphs in several pieces. All cells move at once, each by its own sum, so that the layout is the same for any
//! number of threads.
//!
//! **Shapes.** Cells × k neighbours and cells × dimensions → cells × 2.
//!
//! **Defaults of others.** `min_dist` 0.5 and `spread` 1 are scanpy's (Seurat: 0.3). Both start from eigenvectors of the graph
//! and update cells one after the other.
//!
//! **References.** McInnes 2018, doi:10.48550/arXiv.1802.03426; Kobak & Linderman 2021, doi:10.1038/s41587-020-00809-z (start).

use ndarray::Array2;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math::layout::{Curve, layout};
use crate::math::rng::stream;
use crate::steps::clusters::{GraphKind, Neighbors, NeighborsParams, graph};

/// Rounds for few cells, ...
const EPOCHS_SMALL: usize = 500;
/// ... for many, ...
const EPOCHS_LARGE: usize = 200;
/// ... and where many begin.
const LARGE: usize = 10_000;
/// The start fits into a box of ± this.
const START_SIZE: f64 = 10.0;
/// Noise added to the start, at most.
const START_NOISE: f64 = 1e-3;

/// Parameters of [`umap`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UmapParams {
    /// Off = no layout.
    pub enabled: bool,
    /// Nearest neighbours of each cell that the layout holds together, at least 1; never more than `neighbors.n_neighbors`. More show
    /// the large and blur the small. Default 15, as in scanpy and umap-learn.
    pub n_neighbors: usize,
    /// Smallest distance between neighbours in the layout, ≥ 0 and at most three times `spread`. More spreads clusters out.
    /// Default 0.5, as in scanpy.
    pub min_dist: f64,
    /// Scale of the layout, > 0. Default 1.
    pub spread: f64,
    /// Rounds; 0 = 500 up to 10,000 cells, 200 above, as in umap-learn.
    pub n_epochs: usize,
    /// Repulsive samples per attractive step. More gives more room between clusters. Default 5.
    pub negative_sample_rate: usize,
}

impl Default for UmapParams {
    fn default() -> Self {
        Self { enabled: true, n_neighbors: 15, min_dist: 0.5, spread: 1.0, n_epochs: 0, negative_sample_rate: 5 }
    }
}

impl UmapParams {
    /// Rounds for so many cells.
    pub fn rounds(&self, n_cells: usize) -> usize {
        match self.n_epochs {
            0 if n_cells <= LARGE => EPOCHS_SMALL,
            0 => EPOCHS_LARGE,
            given => given,
        }
    }
}

/// Lays out the cells in two dimensions: cells × 2. `embedding` (cells × dimensions) gives the start.
///
/// # Errors
/// - `n_neighbors`, `min_dist` or `spread` out of range
pub fn umap(neighbors: &Neighbors, embedding: &Array2<f32>, params: &UmapParams, seed: u64) -> Result<Array2<f32>> {
    check(params)?;
    let n = embedding.nrows();
    assert_eq!(neighbors.indices.nrows(), n, "neighbours of each cell");
    let nearest = neighbors.nearest(params.n_neighbors);
    let edges = graph(&nearest, &NeighborsParams { graph: GraphKind::Umap, ..NeighborsParams::default() });
    let curve = Curve::fit(params.min_dist, params.spread);
    let places = layout(&edges, start(embedding, seed), curve, params.rounds(n), params.negative_sample_rate, seed);
    Ok(Array2::from_shape_vec((n, 2), places.into_flattened()).expect("cells × 2"))
}

/// The first two components, centred and scaled to the box together, with noise.
fn start(embedding: &Array2<f32>, seed: u64) -> Vec<[f32; 2]> {
    let (n, n_dims) = embedding.dim();
    let value = |cell: usize, dim: usize| if dim < n_dims { f64::from(embedding[[cell, dim]]) } else { 0.0 };
    let mean = [0, 1].map(|dim| (0..n).map(|cell| value(cell, dim)).sum::<f64>() / n.max(1) as f64);
    let largest = (0..n).flat_map(|cell| [0, 1].map(|dim| (value(cell, dim) - mean[dim]).abs())).fold(0.0, f64::max);
    let scale = if largest > 0.0 { START_SIZE / largest } else { 0.0 };
    let mut rng = stream(seed, "umap start", 0);
    (0..n)
        .map(|cell| {
            let mut noise = || START_NOISE * (2.0 * rng.random::<f64>() - 1.0);
            [0, 1].map(|dim| ((value(cell, dim) - mean[dim]) * scale + noise()) as f32)
        })
        .collect()
}

fn check(params: &UmapParams) -> Result<()> {
    if params.n_neighbors == 0 {
        return Err(Error::param("umap.n_neighbors", params.n_neighbors, "at least 1"));
    }
    if !(params.spread.is_finite() && params.spread > 0.0) {
        return Err(Error::param("umap.spread", params.spread, "a number above 0"));
    }
    if !(0.0..=3.0 * params.spread).contains(&params.min_dist) {
        return Err(Error::param("umap.min_dist", params.min_dist, "0 to three times umap.spread"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::clusters::neighbors;

    fn groups(n: usize) -> (Array2<f32>, Neighbors) {
        let embedding = Array2::from_shape_fn((n, 3), |(i, j)| {
            (if i % 3 == j { 20.0 } else { 0.0 }) + ((i * 31 + j * 7) % 17) as f32 * 0.1
        });
        let found = neighbors(&embedding, &NeighborsParams { n_neighbors: 10, ..NeighborsParams::default() }).unwrap();
        (embedding, found)
    }

    #[test]
    fn groups_stay_groups() {
        let (embedding, found) = groups(240);
        let places = umap(&found, &embedding, &UmapParams::default(), 0).unwrap();
        for (i, place) in places.rows().into_iter().enumerate() {
            let nearest = (0..240).filter(|&j| j != i).min_by(|&a, &b| {
                let d = |j: usize| (place[0] - places[[j, 0]]).hypot(place[1] - places[[j, 1]]);
                d(a).total_cmp(&d(b))
            });
            assert_eq!(nearest.unwrap() % 3, i % 3);
        }
    }

    #[test]
    fn one_and_two_threads_and_two_runs_agree() {
        let (embedding, found) = groups(1200);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| umap(&found, &embedding, &UmapParams { n_epochs: 30, ..UmapParams::default() }, 7).unwrap())
        };
        assert_eq!(run(1), run(2));
    }

    #[test]
    fn identical_cells_one_dimension_and_no_cells_are_no_trouble() {
        for embedding in [Array2::<f32>::ones((30, 4)), Array2::from_shape_fn((30, 1), |(i, _)| i as f32)] {
            let found =
                neighbors(&embedding, &NeighborsParams { n_neighbors: 5, ..NeighborsParams::default() }).unwrap();
            let places = umap(&found, &embedding, &UmapParams::default(), 0).unwrap();
            assert!(places.iter().all(|x| x.is_finite()));
        }
        let none = Neighbors { indices: Array2::zeros((0, 5)), distances: Array2::zeros((0, 5)), recall: 1.0 };
        assert_eq!(umap(&none, &Array2::zeros((0, 3)), &UmapParams::default(), 0).unwrap().nrows(), 0);
    }

    #[test]
    fn bad_parameters_are_refused() {
        let (embedding, found) = groups(30);
        for (min_dist, spread) in [(-0.1, 1.0), (4.0, 1.0), (f64::NAN, 1.0), (0.1, 0.0)] {
            let params = UmapParams { min_dist, spread, ..UmapParams::default() };
            assert!(matches!(umap(&found, &embedding, &params, 0), Err(Error::Param { .. })));
        }
    }
}
