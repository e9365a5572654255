//! The confounding guard against scipy and statsmodels.

use cqa::data::LotTable;
use cqa::steps::lots::{
    AssociationParams, ConfoundingParams, Covariate, CovariateValues, Observed, Units, confounding,
};
use ndarray::Array2;

use crate::common;

#[test]
fn correlations_and_p_equal_scipys_and_statsmodels() {
    let (_, rows) = common::rows(&common::fixture("confounding/eight_lots.csv"));
    let numbers = |row: &Vec<String>| -> Vec<f64> { row[3].split(' ').map(|v| v.parse().unwrap()).collect() };
    let of_kind = |kind: &str, name: usize| -> (Vec<String>, Vec<Vec<f64>>) {
        rows.iter().filter(|row| row[2] == kind).map(|row| (row[name].clone(), numbers(row))).unzip()
    };
    let table = |(names, columns): (Vec<String>, Vec<Vec<f64>>)| {
        let n = columns[0].len();
        let values = Array2::from_shape_fn((n, names.len()), |(i, j)| columns[j][i]);
        LotTable::new((0..n).map(|i| i.to_string()).collect(), names, values)
    };
    let (names, columns) = of_kind("covariate", 0);
    let covariate = |(name, values)| Covariate { name, values: CovariateValues::Numbers(values) };
    let covariates: Vec<Covariate> = names.into_iter().zip(columns).map(covariate).collect();
    let shares = table(of_kind("share", 1));
    let readout = of_kind("readout", 0).1.remove(0);
    let (params, orders) = (ConfoundingParams::default(), AssociationParams::default());
    let ours = {
        let observed = Observed { name: "readout", values: &readout, weights: None, ranks_only: false };
        confounding(&covariates, &shares, observed, &Units::free(&shares.lots), &params, &orders, 0).unwrap()
    };
    let mut n_compared = 0;
    for row in &ours.rows {
        let theirs = |kind: &str| {
            let found = rows.iter().find(|r| r[0] == row.covariate && r[1] == row.cluster && r[2] == kind);
            numbers(found.unwrap())[0]
        };
        for (kind, ours) in [
            ("r_readout", row.r_readout),
            ("p_readout", row.p_readout),
            ("r_share", row.r_share),
            ("p_share", row.p_share),
            ("r", row.r),
            ("r_partial", row.r_partial),
            ("p_partial", row.p_partial),
        ] {
            assert!(
                (ours - theirs(kind)).abs() < 1e-10,
                "{} {} {kind}: {ours} {}",
                row.covariate,
                row.cluster,
                theirs(kind)
            );
            n_compared += 1;
        }
    }
    assert_eq!(n_compared, 42);
}
