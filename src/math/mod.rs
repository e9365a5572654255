//! Numbers: knows no gene, lot or file.

pub mod column_moments;
pub mod correlation;
pub mod eigen;
pub mod fuzzy;
pub mod graph;
pub mod intervals;
pub mod kmeans;
pub mod knn;
pub mod leiden;
mod linfa_adapter;
pub mod loess;
pub mod max_t;
pub mod mixture;
pub mod modularity;
pub mod multiple_testing;
pub mod partition;
pub mod permutations;
pub mod power;
pub mod principal_components;
pub mod quantile;
pub mod ranks;
pub mod rng;
pub mod second_moment;
pub mod snn;
pub mod sparse_rows;
