//! Steps on clusters: neighbours, graph, communities, resolution, UMAP.

pub mod kmeans;
pub mod leiden;
pub mod mixture;
pub mod neighbors;
pub mod resolution;
pub mod umap;

pub use kmeans::{KmeansParams, kmeans};
pub use leiden::{LeidenParams, leiden};
pub use mixture::{MixtureParams, mixture};
pub use neighbors::{GraphKind, Neighbors, NeighborsParams, graph, neighbors};
pub use resolution::{ResolutionParams, ResolutionRow, ResolutionSweep, resolution};
pub use umap::{UmapParams, umap};

/// A partition of the cells. Clusters are named 0, 1, … by falling size.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// Cluster of each cell.
    pub labels: Vec<u32>,
    /// Number of clusters.
    pub n_clusters: usize,
    /// Modularity at this resolution for Leiden, mean within-cluster squared distance for k-means, mean log-likelihood for
    /// the mixture.
    pub quality: f64,
}
