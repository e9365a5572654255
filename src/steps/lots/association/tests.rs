use ndarray::Array2;
use rand::RngExt;

use super::*;
use crate::error::Error;
use crate::math::rng::stream;

fn table(columns: &[&[f64]]) -> LotTable {
    let n = columns[0].len();
    let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect();
    LotTable::new(
        names("lot", n),
        names("", columns.len()),
        Array2::from_shape_fn((n, columns.len()), |(i, k)| columns[k][i]),
    )
}

fn run(columns: &[&[f64]], values: &[f64]) -> Association {
    association(&table(columns), "potency", values, &AssociationParams::default(), 1).unwrap()
}

#[test]
fn a_clear_association_among_noise() {
    let potent = [0.10, 0.12, 0.15, 0.21, 0.24, 0.30, 0.33, 0.40];
    let noise = [0.3, 0.1, 0.2, 0.3, 0.15, 0.2, 0.1, 0.25];
    let readout = [10.0, 13.0, 14.0, 22.0, 25.0, 29.0, 35.0, 39.0];
    let a = run(&[&potent, &noise], &readout);
    assert!(a.exact && a.n_permutations == 40_320 && a.warnings.is_empty());
    let row = &a.rows[0];
    assert!(row.r > 0.99 && row.rho > 1.0 - 1e-12, "{row:?}");
    assert!(row.p_exact <= row.p_family && row.p_exact >= a.smallest_p && row.p_family < 0.001);
    assert!(row.loo_min <= row.r && row.r <= row.loo_max && row.ci_low < row.r && row.r < row.ci_high);
}

#[test]
fn lots_with_missing_values_take_no_part() {
    let share = [0.1, 0.2, 0.3, 0.4, 0.7, f64::NAN];
    let a = run(&[&share], &[1.0, 2.0, 2.9, 4.2, f64::NAN, 3.0]);
    let b = run(&[&share[..4]], &[1.0, 2.0, 2.9, 4.2]);
    assert_eq!(a.rows, b.rows);
    assert_eq!(a.warnings[0], Warning::ReadoutMissing { readout: "potency".into(), lots: vec!["lot4".into()] });
    assert!(matches!(&a.warnings[1], Warning::LotLeftOut { lot, .. } if lot == "lot5"));
}

#[test]
fn constant_sides_give_no_correlation_and_p_one() {
    let (share, readout) = ([0.1, 0.2, 0.3, 0.5], [1.0, 2.0, 1.0, 4.0]);
    for (a, k) in [(run(&[&share, &[0.25; 4]], &readout), 1), (run(&[&share], &[2.0; 4]), 0)] {
        let row = &a.rows[k];
        assert!(row.r.is_nan() && row.rho.is_nan() && row.ci_low.is_nan() && row.loo_min.is_nan());
        assert_eq!((row.p_exact, row.p_family, row.q), (1.0, 1.0, 1.0));
        assert_eq!(row.most_influential, "");
    }
    assert_eq!(run(&[&share], &[2.0; 4]).smallest_p, 1.0);
}

#[test]
fn few_lots_are_said_to_be_few() {
    let a = run(&[&[0.1, 0.2, 0.7]], &[1.0, 2.0, 4.0]);
    assert!((a.smallest_p - 1.0 / 6.0).abs() < 1e-15);
    assert!(a.rows[0].loo_min.is_nan() && (a.rows[0].ci_low, a.rows[0].ci_high) == (-1.0, 1.0));
    let error = association(&table(&[&[0.1, 0.2]]), "vegf", &[1.0, 2.0], &AssociationParams::default(), 1);
    assert!(matches!(error, Err(Error::TooFew { have: 2, need: 3, .. })));
}

#[test]
fn bad_input_is_refused() {
    let table = table(&[&[0.1, 0.2, 0.3, 0.4]]);
    let run = |values: &[f64], params| association(&table, "vegf", values, &params, 1).unwrap_err().to_string();
    assert!(run(&[1.0, 2.0], AssociationParams::default()).contains("2 values for 4 lots"));
    let infinite = [1.0, 2.0, f64::INFINITY, 0.0];
    assert!(run(&infinite, AssociationParams::default()).contains("lot2"));
    let four = [1.0, 2.0, 5.0, 4.0];
    assert!(run(&four, AssociationParams { max_exact_lots: 14, ..Default::default() }).contains("max_exact_lots"));
    assert!(run(&four, AssociationParams { n_permutations: 9, ..Default::default() }).contains("n_permutations"));
    assert!(run(&four, AssociationParams { level: 1.0, ..Default::default() }).contains("association.level"));
}

#[test]
fn the_order_of_lots_does_not_matter() {
    let mut rng = stream(5, "test", 0);
    let mut draw = || -> Vec<f64> { (0..7).map(|_| rng.random()).collect() };
    let (a, b, y) = (draw(), draw(), draw());
    let forward = run(&[&a, &b], &y);
    let reversed = |values: &[f64]| values.iter().rev().copied().collect::<Vec<_>>();
    let backward = run(&[&reversed(&a), &reversed(&b)], &reversed(&y));
    for (x, y) in forward.rows.iter().zip(&backward.rows) {
        assert_eq!((x.p_exact, x.p_family, x.q), (y.p_exact, y.p_family, y.q));
        assert!(
            (x.r - y.r).abs() < 1e-14 && (x.loo_min - y.loo_min).abs() < 1e-14 && (x.slope - y.slope).abs() < 1e-12
        );
    }
}

#[test]
fn more_lots_are_drawn_not_walked() {
    let mut rng = stream(6, "test", 0);
    let mut draw = || -> Vec<f64> { (0..14).map(|_| rng.random()).collect() };
    let (a, y) = (draw(), draw());
    let params = AssociationParams { n_permutations: 999, ..Default::default() };
    let run = |seed| association(&table(&[&a]), "potency", &y, &params, seed).unwrap();
    assert!(!run(1).exact && run(1).n_permutations == 1_000 && run(1).smallest_p == 0.001);
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).rows[0].p_exact, run(2).rows[0].p_exact);
}

/// The readout has nothing to do with shares that sum to one: the smallest family-wise p is uniform.
#[test]
fn without_association_the_smallest_family_wise_p_is_uniform() {
    let (n_sets, n_lots, n_clusters) = (300, 8, 6);
    let mut smallest: Vec<f64> = (0..n_sets)
        .map(|set| {
            let mut rng = stream(7, "null set", set);
            let mut values = Array2::from_shape_fn((n_lots, n_clusters), |_| -rng.random::<f64>().ln());
            values.rows_mut().into_iter().for_each(|mut row| row /= row.sum());
            let readout: Vec<f64> = (0..n_lots).map(|_| rng.random::<f64>()).collect();
            let names = |n: usize| (0..n).map(|i| i.to_string()).collect();
            let table = LotTable::new(names(n_lots), names(n_clusters), values);
            let a = association(&table, "null", &readout, &AssociationParams::default(), 1).unwrap();
            a.rows.iter().map(|row| row.p_family).fold(1.0, f64::min)
        })
        .collect();
    smallest.sort_by(f64::total_cmp);
    let distance =
        (0..smallest.len()).map(|i| (smallest[i] - (i as f64 + 0.5) / n_sets as f64).abs()).fold(0.0, f64::max);
    // Kolmogorov's limit at 1 % is 1.63 / √300 = 0.094.
    assert!(distance < 0.094, "{distance}");
    let called = smallest.iter().filter(|p| **p <= 0.05).count();
    assert!((5..=26).contains(&called), "{called} of 300 at 5 %");
}

#[test]
fn ranks_are_tested_when_asked() {
    let share = [0.1, 0.2, 0.3, 0.4, 0.5, 0.9];
    let readout = [1.0, 2.0, 3.0, 5.0, 4.0, 600.0];
    let params = AssociationParams { statistic: Statistic::Spearman, ..Default::default() };
    let found = association(&table(&[&share]), "potency", &readout, &params, 1).unwrap();
    let row = &found.rows[0];
    // One swap of neighbours: ρ = 1 − 6 · 2 / (6 · 35). One order is better, five are as good, and their mirror images.
    assert!((row.rho - (1.0 - 12.0 / 210.0)).abs() < 1e-12 && row.effect == row.rho && row.ranks, "{row:?}");
    assert_eq!(row.p_exact, 12.0 / 720.0);
    assert!((row.r - run(&[&share], &readout).rows[0].r).abs() < 1e-15);
    assert!(row.loo_min > 0.8 && row.loo_max > 1.0 - 1e-12);
}

#[test]
fn one_side_halves_p_and_the_other_side_is_nothing() {
    let share = [0.1, 0.2, 0.3, 0.5, 0.4, 0.9];
    let readout = [1.0, 2.0, 3.0, 5.0, 4.0, 7.0];
    let with = |alternative| {
        let params = AssociationParams { alternative, ..Default::default() };
        association(&table(&[&share]), "potency", &readout, &params, 1).unwrap()
    };
    let (greater, less) = (with(Alternative::Greater), with(Alternative::Less));
    assert!(greater.rows[0].p_exact <= with(Alternative::TwoSided).rows[0].p_exact && less.rows[0].p_exact > 0.99);
    assert_eq!(greater.rows[0].r, less.rows[0].r);
    assert_eq!((greater.strengths()[0], less.strengths()[0]), (greater.rows[0].r, 0.0));
    assert!((greater.smallest_p - 1.0 / 720.0).abs() < 1e-15);
}

#[test]
fn weights_pull_towards_lots_known_better() {
    let share = [0.1, 0.2, 0.3, 0.4, 0.5, 0.05];
    let readout = [1.0, 2.0, 3.1, 3.9, 5.0, 6.0];
    let lots = table(&[&share]);
    let weigh = |weights: &[f64]| {
        let observed = Observed { name: "rate", values: &readout, weights: Some(weights), ranks_only: false };
        association_of(&lots, observed, &Units::free(&lots.lots), &AssociationParams::default(), 1, &Silent).unwrap()
    };
    let (even, heavy) = (weigh(&[2.0; 6]), weigh(&[30.0, 30.0, 30.0, 30.0, 30.0, 1.0]));
    assert!((even.rows[0].r - run(&[&share], &readout).rows[0].r).abs() < 1e-14);
    assert!(heavy.rows[0].r > 0.9 && heavy.rows[0].p_exact < even.rows[0].p_exact, "{heavy:?}");
    // (151)² / (5 · 30² + 1) = 5.07.
    assert_eq!((heavy.rows[0].n_units, heavy.rows[0].n_effective), (6, 5));
    let missing = weigh(&[1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    assert_eq!(missing.rows[0].n_lots, 5);
}

#[test]
fn two_values_are_gone_through_by_their_distinct_orders() {
    let mut rng = stream(8, "test", 0);
    let share: Vec<f64> = (0..16).map(|_| rng.random()).collect();
    let readout: Vec<f64> = (0..16).map(|i| f64::from(i % 2)).collect();
    let found = run(&[&share], &readout);
    assert!(found.exact && found.n_permutations == 12_870, "16 lots, but few orders that differ");
}
