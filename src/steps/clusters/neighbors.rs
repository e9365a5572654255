//! Nearest neighbours and the weighted graph made of them.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::math::graph::Graph;

/// Parameters of [`neighbors`] and [`graph`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeighborsParams {
    /// Neighbours per cell, the cell itself not counted.
    pub n_neighbors: usize,
    /// Weights of the graph.
    pub graph: GraphKind,
}

impl Default for NeighborsParams {
    fn default() -> Self {
        Self { n_neighbors: 20, graph: GraphKind::Snn }
    }
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
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbors {
    /// Cells × k.
    pub indices: Array2<u32>,
    /// Cells × k, Euclidean.
    pub distances: Array2<f32>,
}

/// Finds the nearest neighbours of each row of `embedding` (cells × dimensions). Exact.
pub fn neighbors(_embedding: &Array2<f32>, _params: &NeighborsParams) -> Result<Neighbors> {
    todo!()
}

/// The weighted, symmetric graph.
pub fn graph(_neighbors: &Neighbors, _params: &NeighborsParams) -> Graph {
    todo!()
}
