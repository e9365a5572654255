//! `neighbors` and `graph` against brute force and against scanpy's UMAP connectivities.

use cqa::steps::clusters::{GraphKind, NeighborsParams, graph, neighbors};
use ndarray::{Array2, s};

use crate::common::{rows, shared_data, text};

/// The leading columns of scanpy's principal components of the soupx cells.
fn soupx_pca(n_components: usize) -> Option<Array2<f32>> {
    let (_, rows) = rows(&shared_data("soupx/ref_scanpy/pca50.csv.gz")?);
    let values = rows.iter().flat_map(|row| row[1..=n_components].iter().map(|v| v.parse::<f32>().unwrap())).collect();
    Some(Array2::from_shape_vec((rows.len(), n_components), values).unwrap())
}

fn table<T: std::str::FromStr>(name: &str, k: usize) -> Option<Array2<T>> {
    let text = text(&shared_data(name)?);
    let values: Vec<T> = text.split([',', '\n']).filter_map(|v| v.trim().parse().ok()).collect();
    Some(Array2::from_shape_vec((values.len() / k, k), values).unwrap())
}

/// Entries (row, column, value) of a MatrixMarket file, counted from 0.
fn entries(name: &str) -> Option<Vec<(usize, u32, f64)>> {
    let text = text(&shared_data(name)?);
    let lines = text.lines().filter(|line| !line.starts_with('%')).skip(1);
    let entry = |line: &str| {
        let mut fields = line.split_whitespace();
        let mut next = || fields.next().unwrap().parse::<f64>().unwrap();
        (next() as usize - 1, next() as u32 - 1, next())
    };
    Some(lines.map(entry).collect())
}

fn params(n_neighbors: usize, graph: GraphKind) -> NeighborsParams {
    NeighborsParams { n_neighbors, graph, ..NeighborsParams::default() }
}

#[test]
fn neighbours_equal_brute_force() {
    let Some(embedding) = soupx_pca(30) else { return };
    let (Some(indices), Some(distances)) = (
        table::<u32>("graphs/pbmc_exact_knn15_idx.csv.gz", 15),
        table::<f64>("graphs/pbmc_exact_knn15_dist.csv.gz", 15),
    ) else {
        return;
    };
    let found = neighbors(&embedding, &params(16, GraphKind::Snn)).unwrap();
    // These files lack the nearest neighbour of each cell: theirs are the second to the sixteenth.
    assert_eq!(found.indices.slice(s![.., 1..]), indices);
    for (a, b) in found.distances.slice(s![.., 1..]).iter().zip(&distances) {
        assert!((f64::from(*a) / b - 1.0).abs() < 1e-6, "{a} against {b}");
    }
}

#[test]
fn neighbours_equal_scanpy() {
    let Some(embedding) = soupx_pca(30) else { return };
    let Some(entries) = entries("graphs/pbmc_knn_distances.mtx.gz") else { return };
    // scanpy's 15 neighbours are the cell itself and 14 others; below 4,096 cells they are exact.
    let found = neighbors(&embedding, &params(14, GraphKind::Umap)).unwrap();
    assert_eq!(entries.len(), found.indices.len());
    for (i, j, distance) in entries {
        let place = found.indices.row(i).iter().position(|&other| other == j);
        let ours = place.map_or(f64::NAN, |place| f64::from(found.distances[[i, place]]));
        assert!((ours - distance).abs() < 1e-5 * distance, "cells {i} {j}: {ours} against {distance}");
    }
}

#[test]
fn umap_weights_equal_scanpy() {
    let Some(embedding) = soupx_pca(30) else { return };
    let Some(entries) = entries("graphs/pbmc_connectivities.mtx.gz") else { return };
    let params = params(14, GraphKind::Umap);
    let graph = graph(&neighbors(&embedding, &params).unwrap(), &params);
    assert_eq!(graph.targets.len(), 2 * entries.len());
    for (i, j, expected) in entries {
        let ours = graph.row(i).find(|(other, _)| *other == j).map_or(0.0, |(_, w)| f64::from(w));
        assert!((ours - expected).abs() < 1e-4, "edge {i} {j}: {ours} against {expected}");
    }
}
