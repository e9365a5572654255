//! Correlations, intervals, permutation p-values and q-values against scipy and statsmodels.

use cqa::data::LotTable;
use cqa::steps::lots::{Association, AssociationParams, association};
use ndarray::Array2;

use crate::common;

/// Our result and the frozen rows of other kinds than values.
fn run(name: &str) -> (Association, Vec<(String, Vec<f64>)>) {
    let (header, rows) = common::rows(&common::fixture(&format!("association/{name}.csv")));
    let n_columns = header.len() - 2;
    let number = |text: &String| text.parse::<f64>().unwrap();
    let (values, results): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row[0] == "value");
    let lots = (0..values.len()).map(|i| i.to_string()).collect();
    let shares = Array2::from_shape_fn((values.len(), n_columns), |(i, k)| number(&values[i][k + 1]));
    let readout: Vec<f64> = values.iter().map(|row| number(&row[n_columns + 1])).collect();
    let table = LotTable::new(lots, header[1..=n_columns].to_vec(), shares);
    let ours = association(&table, "readout", &readout, &AssociationParams::default(), 0).unwrap();
    let theirs = results.into_iter().map(|row| (row[0].clone(), row[1..=n_columns].iter().map(number).collect()));
    (ours, theirs.collect())
}

#[test]
fn rows_equal_scipys_and_statsmodels() {
    let mut compared = std::collections::BTreeMap::new();
    for name in ["seven_lots", "eight_lots_with_ties", "eleven_lots"] {
        let (ours, theirs) = run(name);
        assert!(ours.exact);
        for (kind, values) in theirs {
            for (row, theirs) in ours.rows.iter().zip(values) {
                let ours = match kind.as_str() {
                    "r" => row.r,
                    "rho" => row.rho,
                    "ci_low" => row.ci_low,
                    "ci_high" => row.ci_high,
                    "slope" => row.slope,
                    "intercept" => row.intercept,
                    "p" => row.p_exact,
                    "q" => row.q,
                    other => panic!("unknown kind {other}"),
                };
                assert!((ours - theirs).abs() < 1e-10, "{name}, {kind} of column {}: {ours} {theirs}", row.column);
                *compared.entry(kind.clone()).or_insert(0) += 1;
            }
        }
    }
    assert_eq!((compared["r"], compared["p"], compared["q"]), (17, 9, 9));
}

/// All 39.9 million orders of eleven lots are counted, none drawn.
#[test]
fn eleven_lots_are_walked_in_full() {
    let (ours, _) = run("eleven_lots");
    assert_eq!((ours.exact, ours.n_permutations), (true, 39_916_800));
    // Every p is a whole number of orders.
    for row in &ours.rows {
        for p in [row.p_exact, row.p_family] {
            assert!((p * 39_916_800.0 - (p * 39_916_800.0).round()).abs() < 1e-6);
        }
        assert!(row.p_exact <= row.p_family);
    }
    let total: f64 = ours.rows.iter().map(|row| row.p_exact).sum();
    assert!(total > 0.0 && total < ours.rows.len() as f64);
}
