//! Numbers: knows no gene, lot or file.

pub mod graph;
pub mod leiden;
pub mod modularity;
pub mod partition;
pub mod rng;
