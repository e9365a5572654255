//! Which cells belong together? Communities of the neighbour graph, by the Leiden method.
//!
//! **Method.** The partition of largest modularity with resolution γ, Q = Σ_c [ w(c) / 2m − γ (K(c) / 2m)² ], sought by
//! moving, refining and aggregating nodes until nothing moves ([`crate::math::leiden`]). Several starts with seeds of
//! their own run in parallel; the best quality is kept (of equal ones the first start), so that one unlucky start can't
//! decide. Communities are connected.
//!
//! **Shapes.** Graph of n cells → n labels, clusters named by falling size (ties by the first cell).
//!
//! **Differences.** scanpy runs one start of two iterations, at resolution 1; Seurat runs Louvain from 10 starts, at
//! resolution 0.8. Here the starts run until nothing moves, and the resolution is chosen by
//! [`resolution`](mod@crate::steps::clusters::resolution).
//!
//! **References.** Traag, Waltman & van Eck 2019, doi:10.1038/s41598-019-41695-z; Reichardt & Bornholdt 2006,
//! doi:10.1103/PhysRevE.74.016110.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math;
use crate::math::graph::Graph;
use crate::math::partition::by_falling_size;
use crate::steps::clusters::Clustering;

/// Parameters of [`leiden`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeidenParams {
    /// Starts with different seeds, at least 1; the best quality is kept. More find a slightly better partition and
    /// take proportionally longer. Default 3: on neighbour graphs the qualities of single starts differ by about
    /// 0.1 %, and the best of three is rarely the worst.
    pub n_starts: usize,
    /// Iterations per start, at least 1; a start stops earlier when nothing moves. Default 10: most stop before.
    pub max_iterations: usize,
}

impl Default for LeidenParams {
    fn default() -> Self {
        Self { n_starts: 3, max_iterations: 10 }
    }
}

impl LeidenParams {
    /// Refuses values out of range.
    pub(crate) fn check(&self) -> Result<()> {
        if self.n_starts == 0 {
            return Err(Error::param("leiden.n_starts", self.n_starts, "at least 1"));
        }
        if self.max_iterations == 0 {
            return Err(Error::param("leiden.max_iterations", self.max_iterations, "at least 1"));
        }
        Ok(())
    }
}

/// Communities of the graph at a resolution (> 0; higher gives more and smaller clusters).
///
/// ```
/// use cqa::math::graph::Graph;
/// use cqa::steps::clusters::{LeidenParams, leiden};
/// // A pair and a triangle, not joined.
/// let graph = Graph {
///     starts: vec![0, 1, 2, 4, 6, 8],
///     targets: vec![1, 0, 3, 4, 2, 4, 2, 3],
///     weights: vec![1.0; 8],
/// };
/// let found = leiden(&graph, 1.0, &LeidenParams::default(), 0)?;
/// assert_eq!(found.labels, [1, 1, 0, 0, 0]);
/// # Ok::<(), cqa::Error>(())
/// ```
pub fn leiden(graph: &Graph, resolution: f64, params: &LeidenParams, seed: u64) -> Result<Clustering> {
    params.check()?;
    check_resolution(resolution)?;
    Ok(best_of_starts(graph, resolution, params, seed))
}

/// Refuses a resolution that is not a positive number.
pub(crate) fn check_resolution(resolution: f64) -> Result<()> {
    if resolution > 0.0 && resolution.is_finite() {
        return Ok(());
    }
    Err(Error::param("resolution.resolution", resolution, "a number above 0, such as 0.8"))
}

/// The best of several starts.
pub(crate) fn best_of_starts(graph: &Graph, resolution: f64, params: &LeidenParams, seed: u64) -> Clustering {
    let starts: Vec<_> = (0..params.n_starts as u64)
        .into_par_iter()
        .map(|start| {
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(start);
            math::leiden::leiden(graph, None, resolution, params.max_iterations, seed)
        })
        .collect();
    // The first of the best, whichever finished first.
    let best = starts.into_iter().reduce(|best, other| if other.quality > best.quality { other } else { best });
    let (labels, quality) = best.map_or_else(Default::default, |found| (found.labels, found.quality));
    let (labels, n_clusters) = by_falling_size(&labels);
    Clustering { labels, n_clusters, quality }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_pairs() -> Graph {
        Graph { starts: vec![0, 1, 2, 3, 4], targets: vec![1, 0, 3, 2], weights: vec![1.0; 4] }
    }

    #[test]
    fn parameters_out_of_range_are_refused_by_name() {
        let params = LeidenParams { n_starts: 0, ..LeidenParams::default() };
        assert!(leiden(&two_pairs(), 1.0, &params, 0).unwrap_err().to_string().contains("leiden.n_starts"));
        let params = LeidenParams { max_iterations: 0, ..LeidenParams::default() };
        assert!(leiden(&two_pairs(), 1.0, &params, 0).unwrap_err().to_string().contains("leiden.max_iterations"));
        for resolution in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(leiden(&two_pairs(), resolution, &LeidenParams::default(), 0).is_err());
        }
    }

    #[test]
    fn graphs_without_cells_or_edges_are_survived() {
        let none = Graph { starts: vec![0], targets: vec![], weights: vec![] };
        assert_eq!(leiden(&none, 1.0, &LeidenParams::default(), 0).unwrap().n_clusters, 0);
        let loose = Graph { starts: vec![0, 0, 0], targets: vec![], weights: vec![] };
        assert_eq!(leiden(&loose, 1.0, &LeidenParams::default(), 0).unwrap().labels, [0, 1]);
    }
}
