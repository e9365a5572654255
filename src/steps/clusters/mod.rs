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
pub use neighbors::{GraphKind, Neighbors, NeighborsParams, Search, graph, neighbors};
pub use resolution::{ResolutionParams, ResolutionRow, ResolutionSweep, resolution};
pub use umap::{UmapParams, umap};

use serde::{Deserialize, Serialize};

/// Clustering methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterMethod {
    /// Leiden communities of the neighbour graph.
    #[default]
    Leiden,
    /// k-means on the embedding.
    Kmeans,
    /// Gaussian mixture on the embedding.
    Mixture,
}

impl std::fmt::Display for ClusterMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Leiden => "leiden",
            Self::Kmeans => "kmeans",
            Self::Mixture => "mixture",
        })
    }
}

/// A partition of the cells. Clusters are named 0, 1, … by falling size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clustering {
    /// Cluster of each cell.
    pub labels: Vec<u32>,
    /// Number of clusters.
    pub n_clusters: usize,
    /// Modularity at this resolution for Leiden, mean within-cluster squared distance for k-means, mean log-likelihood for
    /// the mixture.
    pub quality: f64,
}
