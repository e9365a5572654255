//! Nearest neighbours and the weighted graph made of them.
//!
//! **Question.** Which cells are alike, and how strongly are two cells joined?
//!
//! **Method.** The k nearest cells by Euclidean distance in the embedding, ties to the lower index; exact up to 100,000 cells, among
//! the most promising lists of cells above, as many lists as a random sample of cells needs for the recall asked for. Edges then are
//! - `snn`: |A ∩ B| / |A ∪ B| of the neighbourhoods A, B of two cells (each cell counts to its own); edges below 1/15 are
//!   left out, and a cell left with fewer than ten is joined to its nearest until it has ten;
//! - `umap`: the fuzzy simplicial set of UMAP. Per cell, membership exp(−(d − ρ)/σ) with ρ the nearest distance and σ such
//!   that memberships sum to log₂(k + 1); the two directions joined by a + b − ab.
//!
//! **Shapes.** Cells × dimensions → cells × k → symmetric graph of cells.
//!
//! **Defaults of others.** Seurat: 20 neighbours *with* the cell itself, approximate (Annoy), Jaccard pruned below 1/15.
//! scanpy: 15 with the cell itself, approximate above 4,096 cells, UMAP weights. Here k never counts the cell itself.
//!
//! **References.** Jarvis & Patrick 1973, doi:10.1109/T-C.1973.223640 (shared neighbours); Levine 2015,
//! doi:10.1016/j.cell.2015.05.047 (Jaccard weights); McInnes 2018, doi:10.48550/arXiv.1802.03426 (fuzzy set).

use ndarray::{Array2, s};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math::fuzzy::fuzzy_graph;
use crate::math::graph::Graph;
use crate::math::knn::{knn_probed, knn_within};
use crate::math::snn::jaccard_graph;

/// Edges whose Jaccard index is below this are left out of the `snn` graph: chance overlaps of large neighbourhoods.
const MIN_JACCARD: f64 = 1.0 / 15.0;

/// Parameters of [`neighbors`] and [`graph`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeighborsParams {
    /// Neighbours per cell, the cell itself not counted; at least 1. More make clusters coarser and steadier. Default 30:
    /// clusters are found again more surely than with Seurat's 20, on known groups at least as well.
    pub n_neighbors: usize,
    /// Where neighbours are looked for. Default `auto`: exactly up to 100,000 cells.
    pub search: Search,
    /// Share of the true neighbours that is enough where they are not looked for everywhere, 0..1. More takes longer. Default 0.995.
    pub min_recall: f64,
    /// Weights of the graph. Default `snn`: it joins two cells by what they share, so that a chance neighbour weighs little.
    pub graph: GraphKind,
}

impl Default for NeighborsParams {
    fn default() -> Self {
        Self { n_neighbors: 30, search: Search::Auto, min_recall: 0.995, graph: GraphKind::Snn }
    }
}

/// With more cells than this `auto` looks into lists: measured on generated lots, exact search takes longer from here on.
const EXACT_CELLS: usize = 100_000;

/// Where neighbours are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// `exact` up to 100,000 cells, `lists` above.
    Auto,
    /// Among all cells; time grows with the square of their number.
    Exact,
    /// Among the cells of the nearest lists, as many as `min_recall` needs; time grows in proportion to the number of cells.
    Lists,
}

/// How edges are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphKind {
    /// Jaccard index of neighbourhoods (shared nearest neighbours).
    Snn,
    /// Fuzzy simplicial set of UMAP.
    Umap,
}

/// The k nearest neighbours of each cell, nearest first, without the cell itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbors {
    /// Cells × k.
    pub indices: Array2<u32>,
    /// Cells × k, Euclidean.
    pub distances: Array2<f32>,
    /// Share of the true neighbours that were found: 1 if exact, else measured on a random sample of cells.
    pub recall: f64,
}

impl Neighbors {
    /// The first `k` neighbours of each cell, or all if there are fewer.
    pub fn nearest(&self, k: usize) -> Self {
        let k = k.min(self.indices.ncols());
        let (indices, distances) = (self.indices.slice(s![.., ..k]), self.distances.slice(s![.., ..k]));
        Self { indices: indices.to_owned(), distances: distances.to_owned(), recall: self.recall }
    }
}

/// Finds the nearest neighbours of each row of `embedding` (cells × dimensions).
///
/// ```
/// use cqa::steps::clusters::{NeighborsParams, neighbors};
/// let params = NeighborsParams { n_neighbors: 1, ..NeighborsParams::default() };
/// let found = neighbors(&ndarray::array![[0.0], [1.0], [5.0]], &params)?;
/// assert_eq!(found.indices, ndarray::array![[1], [0], [1]]);
/// assert_eq!(found.distances, ndarray::array![[1.0], [1.0], [4.0]]);
/// # Ok::<(), cqa::Error>(())
/// ```
///
/// # Errors
/// - `n_neighbors` is 0, or `min_recall` no share
/// - no more cells than `n_neighbors`
/// - coordinates that are not finite numbers
pub fn neighbors(embedding: &Array2<f32>, params: &NeighborsParams) -> Result<Neighbors> {
    check(params)?;
    let (n, k) = (embedding.nrows(), params.n_neighbors);
    if n <= k {
        return Err(Error::TooFew {
            what: "cells to find neighbours among".into(),
            have: n,
            need: k + 1,
            cure: "give more cells or lower neighbors.n_neighbors".into(),
        });
    }
    check_embedding(embedding)?;
    let lists = match params.search {
        Search::Auto => n > EXACT_CELLS,
        Search::Exact => false,
        Search::Lists => true,
    };
    let (found, recall) = if lists {
        // Where it is looked does not depend on the run's seed: the same cells have the same neighbours.
        let found = knn_probed(embedding.view(), k, params.min_recall, 0);
        (found.knn, found.recall)
    } else {
        (knn_within(embedding.view(), k), 1.0)
    };
    Ok(Neighbors {
        recall,
        indices: Array2::from_shape_vec((n, k), found.indices).expect("cells × k"),
        distances: Array2::from_shape_vec((n, k), found.distances).expect("cells × k"),
    })
}

/// The weighted, symmetric graph.
///
/// ```
/// use cqa::steps::clusters::{NeighborsParams, graph, neighbors};
/// let params = NeighborsParams { n_neighbors: 1, ..NeighborsParams::default() };
/// let found = neighbors(&ndarray::array![[0.0], [1.0], [5.0]], &params)?;
/// // Neighbourhoods {0, 1}, {0, 1}, {1, 2}.
/// let edges: Vec<_> = graph(&found, &params).row(2).collect();
/// assert_eq!(edges, [(0, 1.0 / 3.0), (1, 1.0 / 3.0)]);
/// # Ok::<(), cqa::Error>(())
/// ```
pub fn graph(neighbors: &Neighbors, params: &NeighborsParams) -> Graph {
    let (n, k) = neighbors.indices.dim();
    if k == 0 {
        return Graph { starts: vec![0; n + 1], targets: Vec::new(), weights: Vec::new() };
    }
    let indices = neighbors.indices.as_standard_layout();
    let indices = indices.as_slice().expect("standard layout");
    match params.graph {
        GraphKind::Snn => jaccard_graph(indices, k, MIN_JACCARD),
        GraphKind::Umap => {
            let distances = neighbors.distances.as_standard_layout();
            fuzzy_graph(indices, distances.as_slice().expect("standard layout"), k)
        }
    }
}

fn check(params: &NeighborsParams) -> Result<()> {
    if !(1..usize::from(u16::MAX)).contains(&params.n_neighbors) {
        return Err(Error::param("neighbors.n_neighbors", params.n_neighbors, "1 to 65,534"));
    }
    if !(0.0..=1.0).contains(&params.min_recall) {
        return Err(Error::param("neighbors.min_recall", params.min_recall, "a share from 0 to 1"));
    }
    Ok(())
}

/// Distances are only defined, and squares only representable, for ordinary numbers.
fn check_embedding(embedding: &Array2<f32>) -> Result<()> {
    const LARGEST: f32 = 1e15;
    for ((cell, component), x) in embedding.indexed_iter() {
        if x.is_nan() || x.abs() > LARGEST {
            return Err(Error::input(
                format!("the embedding of cell {cell} is {x} in component {component}"),
                "give finite coordinates of ordinary size",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn params(n_neighbors: usize, graph: GraphKind) -> NeighborsParams {
        NeighborsParams { n_neighbors, graph, ..NeighborsParams::default() }
    }

    #[test]
    fn too_few_cells_and_bad_coordinates_are_errors() {
        let line = array![[0.0_f32], [1.0], [2.0]];
        assert!(matches!(neighbors(&line, &params(0, GraphKind::Snn)), Err(Error::Param { .. })));
        assert!(matches!(neighbors(&line, &params(3, GraphKind::Snn)), Err(Error::TooFew { have: 3, need: 4, .. })));
        assert!(matches!(neighbors(&array![[0.0], [f32::NAN]], &params(1, GraphKind::Snn)), Err(Error::Input { .. })));
        assert!(neighbors(&line, &params(2, GraphKind::Snn)).is_ok());
    }

    #[test]
    fn both_graphs_are_symmetric_without_loops_and_rise() {
        let points = Array2::from_shape_fn((60, 2), |(i, j)| ((i * 37 + j * 11) % 23) as f32);
        for kind in [GraphKind::Snn, GraphKind::Umap] {
            let params = params(5, kind);
            let graph = graph(&neighbors(&points, &params).unwrap(), &params);
            assert_eq!(graph.n_nodes(), 60);
            for i in 0..60 {
                let row: Vec<(u32, f32)> = graph.row(i).collect();
                assert!(row.is_sorted_by(|a, b| a.0 < b.0) && !row.is_empty());
                for (j, w) in row {
                    assert!(j as usize != i && w > 0.0 && w <= 1.0);
                    assert!(graph.row(j as usize).any(|entry| entry == (i as u32, w)));
                }
            }
        }
    }
}
