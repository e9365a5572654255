//! `umap` against umap-learn: its layout must keep neighbours together as well.

use cqa::math::trustworthiness::trustworthiness;
use cqa::steps::clusters::{NeighborsParams, UmapParams, neighbors, umap};
use ndarray::Array2;

use crate::common::{fixture, rows, shared_data, text};

/// Mean trustworthiness of umap-learn's layouts over its seeds.
fn theirs(set: &str, min_dist: &str) -> f64 {
    let text = text(&fixture("umap/trustworthiness.csv"));
    let values: Vec<f64> = text
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|fields| fields[0] == set && fields[1] == min_dist)
        .map(|fields| fields[3].parse().unwrap())
        .collect();
    assert_eq!(values.len(), 3, "{set} {min_dist}");
    values.iter().sum::<f64>() / 3.0
}

fn table(path: &std::path::Path, first: usize) -> Array2<f32> {
    let (header, rows) = rows(path);
    let values: Vec<f32> = rows.iter().flat_map(|row| row[first..].iter().map(|v| v.parse().unwrap())).collect();
    Array2::from_shape_vec((rows.len(), header.len() - first), values).unwrap()
}

fn compare(set: &str, data: &Array2<f32>) {
    let found = neighbors(data, &NeighborsParams { n_neighbors: 15, ..NeighborsParams::default() }).unwrap();
    let all: Vec<usize> = (0..data.nrows()).collect();
    for min_dist in ["0.1", "0.5"] {
        let params = UmapParams { min_dist: min_dist.parse().unwrap(), ..UmapParams::default() };
        let places = umap(&found, data, &params, 0).unwrap();
        let ours = trustworthiness(data.view(), places.view(), 15, &all);
        let theirs = theirs(set, min_dist);
        assert!(ours >= theirs - 0.01, "{set}, min_dist {min_dist}: {ours:.4} against {theirs:.4}");
        assert!(ours < 1.0);
    }
}

#[test]
fn digits_are_as_trustworthy_as_umap_learn() {
    // The components' start needs columns of large variance first; pixels are in no such order, which is the harder case.
    compare("digits", &table(&fixture("umap/digits.csv.gz"), 0));
}

#[test]
fn blood_cells_are_as_trustworthy_as_umap_learn() {
    let Some(path) = shared_data("soupx/ref_scanpy/pca50.csv.gz") else { return };
    compare("soupx", &table(&path, 1));
}
