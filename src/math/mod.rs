//! Numbers: knows no gene, lot or file.

pub mod graph;
pub mod kmeans;
pub mod leiden;
mod linfa_adapter;
pub mod mixture;
pub mod modularity;
pub mod partition;
pub mod rng;
