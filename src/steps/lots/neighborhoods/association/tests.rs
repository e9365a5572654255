use super::*;
use crate::math::correlation::pearson;
use crate::math::permutations::Orders;
use crate::math::rng::stream;
use ndarray::Array2;
use rand::RngExt;

/// Cells × lots: the first half of the cells rises with `signal` over lots, the rest has patterns of its own.
fn planted(n_cells: usize, signal: &[f64], seed: u64) -> Neighborhoods {
    let n = signal.len();
    let mut rng = stream(seed, "test", 0);
    let abundance = Array2::from_shape_fn((n_cells, n), |(cell, lot)| {
        let noise: f64 = rng.random();
        let strength = if cell < n_cells / 2 { 0.5 } else { 0.0 };
        (2.0 + strength * signal[lot] + noise) as f32
    });
    Neighborhoods { abundance, kurtosis: vec![0.0; 3] }
}

fn observed(values: &[f64]) -> Observed<'_> {
    Observed { name: "y", values, weights: None, ranks_only: false }
}

fn free(n: usize) -> Units {
    Units::free(&vec![String::new(); n])
}

fn run(neighborhoods: &Neighborhoods, values: &[f64], params: &NeighborhoodsParams) -> NeighborhoodAssociation {
    let batches: Vec<u32> = (0..values.len() as u32).collect();
    let orders = AssociationParams::default();
    neighborhood_association(neighborhoods, observed(values), &free(values.len()), &batches, params, &orders, 0)
        .unwrap()
}

fn signal(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i * 7 % n) as f64 / n as f64 * 4.0).collect()
}

#[test]
fn a_planted_region_is_found() {
    let y = signal(10);
    let found = run(&planted(400, &y, 1), &y, &NeighborhoodsParams::default());
    assert_eq!((found.n_lots, found.n_cells, found.exact, found.n_permutations), (10, 400, true, 3_628_800));
    assert_eq!(found.tried, [1, 2]);
    assert!(found.p < 1e-4 && found.p >= 1.0 / 3_628_800.0, "{}", found.p);
    let mean = |cells: std::ops::Range<usize>| {
        let n = cells.len() as f32;
        found.correlation[cells].iter().map(|r| r.abs()).sum::<f32>() / n
    };
    assert!(mean(0..200) > 0.7 && mean(200..400) < 0.4, "{} {}", mean(0..200), mean(200..400));
    let called = |cells: std::ops::Range<usize>| found.fdr[cells].iter().filter(|q| **q <= 0.05).count();
    assert!(called(0..200) > 180 && called(200..400) < 20, "{} {}", called(0..200), called(200..400));
    for (r, q) in found.correlation.iter().zip(&found.fdr) {
        assert_eq!(f64::from(r.abs()) >= found.threshold, *q <= 0.05, "{r} {q} {}", found.threshold);
    }
}

/// All orders by plain recursion.
fn orders(values: &[f64]) -> Vec<Vec<f64>> {
    if values.is_empty() {
        return vec![Vec::new()];
    }
    let mut out = Vec::new();
    for i in 0..values.len() {
        let mut rest = values.to_vec();
        let first = rest.remove(i);
        out.extend(orders(&rest).into_iter().map(|mut order| {
            order.insert(0, first);
            order
        }));
    }
    out
}

#[test]
fn p_equals_brute_force_over_all_orders_and_components() {
    // Two columns stand for the directions; the statistic of each order is computed anew by its definition.
    let y = [1.0, 4.0, 2.0, 2.0, 7.0, 5.0];
    let directions = vec![vec![1.0, 1.0, 1.0, -1.0, -1.0, -1.0], vec![1.0, -1.0, 0.0, 1.0, -1.0, 0.0]];
    let statistic = |y: &[f64]| {
        let r: Vec<f64> = directions.iter().map(|u| pearson(u, y)).collect();
        (1..=2).map(|k| tail(r[..k].iter().map(|r| r * r).sum(), k, 6)).fold(1.0, f64::min)
    };
    let observed = statistic(&y);
    let all = orders(&y);
    let expected = all.iter().filter(|order| statistic(order) <= observed * (1.0 + 1e-9)).count();
    let family = Family::new(&directions, &y);
    let limits: Vec<f64> = (1..=2).map(|k| least_r_squared(observed, k, 6) - 1e-9).collect();
    let counted = tally(&family, Orders::All, &Reaches { limits: &limits, reached: [0; LANES] }, &|_| ())[0];
    assert_eq!((counted, all.len()), (expected as u64, 720));
    assert!(counted > 1 && counted < 700, "{counted}");
}

#[test]
fn tail_of_f_and_its_inverse() {
    // F(1, 8) = 5.3177 has tail 0.05; R² = F / (F + 8).
    let r_squared = 5.317_655 / (8.0 + 5.317_655);
    assert!((tail(r_squared, 1, 10) - 0.05).abs() < 1e-6);
    assert_eq!((tail(0.0, 2, 10), tail(1.0, 2, 10)), (1.0, 0.0));
    for k in 1..=4 {
        let p = tail(0.37, k, 20);
        assert!((least_r_squared(p, k, 20) - 0.37).abs() < 1e-9, "{k}");
    }
}

#[test]
fn a_neighborhood_of_one_lot_is_left_out_and_one_that_does_not_vary_has_no_correlation() {
    let y = signal(11);
    let mut neighborhoods = planted(50, &y, 2);
    neighborhoods.abundance.row_mut(7).fill(0.0);
    neighborhoods.abundance[[7, 3]] = 9.0;
    neighborhoods.abundance.row_mut(8).fill(1.5);
    let found = run(&neighborhoods, &y, &NeighborhoodsParams::default());
    assert_eq!(found.n_cells, 49);
    assert!(found.correlation[7].is_nan() && found.fdr[7].is_nan() && found.correlation[8].is_nan());
    let params = NeighborhoodsParams { max_kurtosis: f64::INFINITY, ..Default::default() };
    assert!(!run(&neighborhoods, &y, &params).correlation[7].is_nan());
}

#[test]
fn lots_without_cells_or_value_take_no_part() {
    let mut y = signal(9);
    let mut neighborhoods = planted(60, &y, 3);
    let without: Vec<usize> = (0..9).filter(|lot| ![2, 5].contains(lot)).collect();
    let fewer =
        Neighborhoods { abundance: neighborhoods.abundance.select(ndarray::Axis(1), &without), kurtosis: vec![] };
    let expected = run(&fewer, &without.iter().map(|&lot| y[lot]).collect::<Vec<_>>(), &NeighborhoodsParams::default());
    neighborhoods.abundance.column_mut(2).fill(f32::NAN);
    y[5] = f64::NAN;
    let found = run(&neighborhoods, &y, &NeighborhoodsParams::default());
    assert_eq!((found.n_lots, found.p, found.r_squared), (7, expected.p, expected.r_squared));
    assert_eq!(found.correlation, expected.correlation);
}

#[test]
fn nothing_to_find() {
    let y = signal(5);
    let flat = Neighborhoods { abundance: Array2::from_elem((20, 5), 1.0), kurtosis: vec![] };
    let found = run(&flat, &y, &NeighborhoodsParams::default());
    assert_eq!((found.p, found.n_components, found.threshold.is_nan()), (1.0, 0, true));
    let constant = run(&planted(20, &y, 4), &[3.0; 5], &NeighborhoodsParams::default());
    assert_eq!((constant.p, constant.n_components), (1.0, 0));
    let none = Neighborhoods { abundance: Array2::zeros((0, 5)), kurtosis: vec![] };
    let orders = AssociationParams::default();
    let params = NeighborhoodsParams::default();
    assert!(neighborhood_association(&none, observed(&y), &free(5), &[0; 5], &params, &orders, 0).is_err());
    let two = planted(20, &y, 4);
    let missing = [1.0, 2.0, f64::NAN, f64::NAN, f64::NAN];
    assert!(neighborhood_association(&two, observed(&missing), &free(5), &[0; 5], &params, &orders, 0).is_err());
    assert_eq!(run(&planted(20, &signal(3), 4), &signal(3), &params).tried, [1]);
}

#[test]
fn random_orders_come_near_all_and_threads_change_nothing() {
    let y: Vec<f64> = signal(9);
    let mut noisy = y.clone();
    noisy.rotate_left(4);
    let neighborhoods = planted(3000, &y, 5);
    let run = |threads, max_exact_lots| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let orders = AssociationParams { max_exact_lots, n_permutations: 50_000, ..Default::default() };
        let params = NeighborhoodsParams::default();
        let batches: Vec<u32> = (0..9).collect();
        pool.install(|| {
            neighborhood_association(&neighborhoods, observed(&noisy), &free(9), &batches, &params, &orders, 3).unwrap()
        })
    };
    let (exact, random) = (run(1, 11), run(1, 5));
    assert!(exact.exact && !random.exact);
    assert!((exact.p - random.p).abs() < 0.01, "{} {}", exact.p, random.p);
    let other = run(2, 5);
    assert_eq!((random.p, random.threshold.to_bits()), (other.p, other.threshold.to_bits()));
    assert!(random.fdr.iter().zip(&other.fdr).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert!(random.correlation.iter().zip(&other.correlation).all(|(a, b)| a.to_bits() == b.to_bits()));
}
