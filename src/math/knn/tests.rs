use super::*;
use crate::math::rng::stream;
use ndarray::Array2;
use rand::RngExt;

fn random(n: usize, dims: usize, offset: f32) -> Array2<f32> {
    let mut rng = stream(1, "knn test", n as u64);
    // Few distinct values, so that ties occur.
    Array2::from_shape_fn((n, dims), |_| offset + rng.random_range(0..9) as f32)
}

fn brute(queries: &Array2<f32>, references: &Array2<f32>, k: usize, same: bool) -> Vec<u32> {
    let mut out = Vec::new();
    for (i, q) in queries.rows().into_iter().enumerate() {
        let mut all: Vec<(f64, u32)> = (references.rows().into_iter().enumerate())
            .filter(|(j, _)| !(same && i == *j))
            .map(|(j, r)| (q.iter().zip(r).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum(), j as u32))
            .collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        out.extend(all[..k].iter().map(|x| x.1));
    }
    out
}

#[test]
fn neighbours_are_those_of_brute_force_ties_included() {
    for (n, dims) in [(2, 1), (7, 3), (513, 4), (1030, 6), (1700, 3)] {
        let points = random(n, dims, 0.0);
        let k = 9.min(n - 1);
        assert_eq!(knn_within(points.view(), k).indices, brute(&points, &points, k, true), "{n} points");
        let queries = random(n / 2 + 1, dims, 0.5);
        let between = knn_between(queries.view(), points.view(), k);
        assert_eq!(between.indices, brute(&queries, &points, k, false), "{n} references");
    }
}

#[test]
fn points_far_from_the_origin_lose_nothing() {
    // Around 5,000 a single-precision product can't tell distances of a few units apart.
    let mut points = random(700, 5, 5000.0);
    points.row_mut(0).fill(-5000.0);
    assert_eq!(knn_within(points.view(), 5).indices, brute(&points, &points, 5, true));
}

#[test]
fn identical_points_and_too_large_k() {
    let points = Array2::<f32>::ones((3, 2));
    let found = knn_within(points.view(), 10);
    assert_eq!((found.k, found.indices), (2, vec![1, 2, 0, 2, 0, 1]));
    assert_eq!(knn_within(Array2::<f32>::ones((1, 2)).view(), 3).k, 0);
    assert!(knn_between(points.view(), Array2::<f32>::ones((0, 2)).view(), 3).indices.is_empty());
}

#[test]
fn one_and_two_threads_agree() {
    let points = random(2100, 8, 0.0);
    let run = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| knn_within(points.view(), 10))
    };
    assert_eq!(run(1), run(2));
}
