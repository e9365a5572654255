//! Numbers: knows no gene, lot or file.

pub mod graph;
pub mod rng;
