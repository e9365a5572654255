//! Leiden communities at one resolution.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::math::graph::Graph;
use crate::steps::clusters::Clustering;

/// Parameters of [`leiden`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeidenParams {
    /// Starts with different seeds; the best quality is kept.
    pub n_starts: usize,
    /// Iterations per start; stops earlier when nothing moves.
    pub max_iterations: usize,
}

impl Default for LeidenParams {
    fn default() -> Self {
        Self { n_starts: 3, max_iterations: 10 }
    }
}

/// Communities of the graph at a resolution.
pub fn leiden(_graph: &Graph, _resolution: f64, _params: &LeidenParams, _seed: u64) -> Result<Clustering> {
    todo!()
}
