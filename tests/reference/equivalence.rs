//! Equivalence tests, exact limits, tolerance factors and permutation tests on distances against scipy, statsmodels and
//! scikit-bio, and published tables.

use cqa::math::equivalence::{Variances, paired, power_one_sample, power_unpaired, unpaired};
use cqa::math::intervals::{clopper_pearson, prediction, sd_limit, upper_limit};
use cqa::math::permanova::{Exchange, Statistic, two_groups};
use cqa::math::tolerance::{howe, one_sided, two_sided};
use ndarray::Array2;

use crate::common;

/// Rows of a frozen file, checked to be so many.
fn frozen(name: &str, n_rows: usize) -> Vec<Vec<String>> {
    let (_, rows) = common::rows(&common::fixture(name));
    assert_eq!(rows.len(), n_rows, "{name}");
    rows
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

fn list(text: &str) -> Vec<f64> {
    text.split(' ').map(number).collect()
}

#[track_caller]
fn near(ours: f64, expected: f64, tolerance: f64, of: &[String]) {
    assert!((ours - expected).abs() <= tolerance * expected.abs().max(1e-12), "{ours} {expected} of {of:?}");
}

#[test]
fn two_one_sided_tests_equal_statsmodels() {
    for row in frozen("equivalence/tests.csv", 36) {
        let (x, y, margin) = (list(&row[1]), list(&row[2]), number(&row[3]));
        let tost = match row[0].as_str() {
            "paired" => paired(&x, &y, (-margin, margin), 0.05),
            "pooled" => unpaired(&x, &y, (-margin, margin), 0.05, Variances::Pooled),
            _ => unpaired(&x, &y, (-margin, margin), 0.05, Variances::Welch),
        };
        let ours = [tost.p_lower, tost.p_upper, tost.p, tost.df, tost.low, tost.high];
        for (ours, expected) in ours.into_iter().zip(&row[4..]) {
            near(ours, number(expected), 1e-8, &row);
        }
    }
}

#[test]
fn power_of_equivalence_equals_integrals_of_scipy_and_simulations() {
    for row in frozen("equivalence/power.csv", 95) {
        let n = (row[1].parse().unwrap(), row[2].parse().unwrap());
        let (sds, difference, margin) = ((number(&row[3]), number(&row[4])), number(&row[5]), number(&row[6]));
        let margins = (-margin, margin);
        let ours = match row[0].as_str() {
            "one" => power_one_sample(difference, sds.0, n.0, margins, 0.05),
            "pooled" => power_unpaired(difference, sds, n, margins, 0.05, Variances::Pooled),
            _ => power_unpaired(difference, sds, n, margins, 0.05, Variances::Welch),
        };
        // The double integral has corners where no estimate is good enough, which a fixed rule rounds.
        let tolerance = if row[0] == "welch" { 2e-5 } else { 1e-7 };
        assert!((ours - number(&row[7])).abs() < tolerance, "{ours} of {row:?}");
        // Two million studies: a standard error of at most 0.00035.
        if row[0] != "one" {
            assert!((ours - number(&row[8])).abs() < 0.0015, "{ours} of {row:?}");
        }
    }
}

#[test]
fn limits_of_shares_equal_statsmodels() {
    for row in frozen("intervals/clopper_pearson.csv", 31) {
        let (x, n) = (row[0].parse().unwrap(), row[1].parse().unwrap());
        let (low, high) = clopper_pearson(x, n, 0.95);
        for (ours, expected) in [(low, &row[2]), (high, &row[3]), (upper_limit(x, n, 0.95), &row[4])] {
            near(ours, number(expected), 1e-8, &row);
        }
    }
}

#[test]
fn prediction_intervals_and_limits_of_a_deviation_equal_scipy() {
    for row in frozen("intervals/normal.csv", 15) {
        let (n, level) = (row[0].parse().unwrap(), number(&row[1]));
        near(prediction(0.0, 1.0, n, 1, level).1, number(&row[2]), 1e-8, &row);
        near(prediction(0.0, 1.0, n, 5, level).1, number(&row[3]), 1e-8, &row);
        near(sd_limit(1.0, n, level), number(&row[4]), 1e-8, &row);
    }
}

#[test]
fn tolerance_factors_equal_scipy_and_published_tables() {
    for row in frozen("tolerance/factors.csv", 40) {
        let (n, content, confidence) = (row[0].parse().unwrap(), number(&row[1]), number(&row[2]));
        near(howe(n, content, confidence), number(&row[3]), 1e-9, &row);
        near(two_sided(n, content, confidence), number(&row[4]), 1e-6, &row);
        near(one_sided(n, content, confidence), number(&row[5]), 1e-6, &row);
    }
    // Published tables (ISO 16269-6): content 0.95, confidence 0.95.
    for (n, one, two) in [(5, 4.203, 5.077), (10, 2.911, 3.394), (20, 2.397, 2.760), (50, 2.065, 2.382)] {
        assert!((one_sided(n, 0.95, 0.95) - one).abs() < 2e-3, "{n}");
        assert!((two_sided(n, 0.95, 0.95) - two).abs() < 3e-3, "{n}");
    }
}

#[test]
fn tests_on_distances_equal_scikit_bio() {
    for row in frozen("permanova/groups.csv", 4) {
        let (n, n_second): (usize, usize) = (row[0].parse().unwrap(), row[1].parse().unwrap());
        let points = Array2::from_shape_vec((n, 3), list(&row[2])).unwrap();
        let distances =
            Array2::from_shape_fn((n, n), |(i, j)| (&points.row(i) - &points.row(j)).mapv(|x| x * x).sum().sqrt());
        let second: Vec<bool> = (0..n).map(|i| i < n_second).collect();
        let run = |statistic| two_groups(distances.view(), &second, Exchange::Free, statistic, 0, 0);
        let (f, energy) = (run(Statistic::PseudoF), run(Statistic::Energy));
        near(f.statistic, number(&row[3]), 1e-9, &row);
        // Theirs is of 99,999 random groupings.
        let p = number(&row[4]);
        assert!((f.p - p).abs() < 4.5 * (p * (1.0 - p) / 1e5).sqrt() + 1e-5, "{} {p}", f.p);
        near(energy.statistic, number(&row[5]), 1e-9, &row);
        near(energy.p, number(&row[6]), 1e-9, &row);
    }
}
