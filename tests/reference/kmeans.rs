//! `kmeans` and `mixture` against scikit-learn, on the points of `scripts/reference/kmeans.py`.

use cqa::steps::clusters::{KmeansParams, MixtureParams, kmeans, mixture};
use ndarray::Array2;

use crate::common;

fn points() -> Array2<f32> {
    let (header, rows) = common::rows(&common::fixture("kmeans/points.csv"));
    Array2::from_shape_fn((rows.len(), header.len()), |(i, j)| rows[i][j].parse().unwrap())
}

fn results() -> Vec<(usize, f64, f64)> {
    let file = common::fixture("kmeans/results.csv");
    let column = |name| common::numbers(&file, name);
    let (k, inertia, likelihood) = (column("k"), column("inertia"), column("log_likelihood"));
    (0..k.len()).map(|i| (k[i] as usize, inertia[i], likelihood[i])).collect()
}

#[test]
fn inertia_is_within_two_thousandths_of_the_best_of_a_hundred_starts_of_scikit_learn() {
    let points = points();
    for (k, expected, _) in results() {
        for seed in 0..3 {
            let found = kmeans(&points, k, &KmeansParams::default(), seed).unwrap();
            let inertia = found.quality * points.nrows() as f64;
            assert!(inertia < expected * 1.002, "k {k}, seed {seed}: {inertia} against {expected}");
            assert!(inertia > expected * 0.9999, "k {k}: {inertia} can't be below the optimum {expected}");
        }
    }
}

#[test]
fn mixture_is_as_likely_as_that_of_scikit_learn() {
    let points = points();
    for (k, _, expected) in results() {
        let params = MixtureParams { n_starts: 10, ..MixtureParams::default() };
        let found = mixture(&points, k, &params, 1).unwrap();
        println!("k {k}: {} against {expected}", found.quality);
        assert!(found.quality > expected - 0.02, "k {k}: {} against {expected}", found.quality);
    }
}
