use super::*;
use crate::data::LotSource;
use ndarray::Array2;

fn lots(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("L{i}")).collect()
}

fn table(columns: &[(&str, Vec<f64>)]) -> LotTable {
    let n = columns[0].1.len();
    let values = Array2::from_shape_fn((n, columns.len()), |(i, j)| columns[j].1[i]);
    LotTable::new(lots(n), columns.iter().map(|c| c.0.to_string()).collect(), values)
}

fn run(covariates: &[(&str, Vec<f64>)], shares: &[(&str, Vec<f64>)], values: &[f64]) -> Confounding {
    let orders = AssociationParams::default();
    let params = ConfoundingParams::default();
    let shares = table(shares);
    let observed = Observed { name: "potency", values, weights: None, ranks_only: false };
    confounding(&numbers(covariates), &shares, observed, &Units::free(&shares.lots), &params, &orders, 0).unwrap()
}

fn numbers(covariates: &[(&str, Vec<f64>)]) -> Vec<Covariate> {
    let of = |(name, values): &(&str, Vec<f64>)| Covariate {
        name: name.to_string(),
        values: CovariateValues::Numbers(values.clone()),
    };
    covariates.iter().map(of).collect()
}

fn sheet(columns: &[(&str, &[&str])]) -> LotSheet {
    let n = columns[0].1.len();
    LotSheet {
        lots: (0..n).map(|i| LotSource { lot: format!("L{i}"), path: "x".into(), subset: None }).collect(),
        columns: columns
            .iter()
            .map(|(name, values)| SheetColumn {
                name: name.to_string(),
                values: values.iter().map(|v| v.to_string()).collect(),
            })
            .collect(),
    }
}

/// Depth drives both share and potency; each has a little of its own.
fn driven() -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let depth: Vec<f64> = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let a = [0.3, -0.3, -0.3, 0.3, 0.3, -0.3, -0.3, 0.3];
    let b = [0.4, 0.4, -0.4, -0.4, -0.4, -0.4, 0.4, 0.4];
    let share = depth.iter().zip(a).map(|(d, a)| 0.05 * (d + a)).collect();
    let potency = depth.iter().zip(b).map(|(d, b)| 10.0 * (d + b)).collect();
    (depth, share, potency)
}

#[test]
fn a_common_cause_is_named() {
    let (depth, share, potency) = driven();
    let other = vec![0.2, 0.1, 0.3, 0.1, 0.2, 0.3, 0.1, 0.2];
    let found = run(&[("depth", depth)], &[("0", other), ("1", share)], &potency);
    assert_eq!(found.rows.len(), 2);
    let row = &found.rows[1];
    assert_eq!((row.covariate.as_str(), row.cluster.as_str(), row.n_lots), ("depth", "1", 8));
    assert!(row.r > 0.97 && row.r_partial.abs() < 0.3 && row.p_partial > 0.5, "{row:?}");
    assert!(row.p_readout < 0.001 && row.p_share < 0.001);
    let [
        Warning::ReadoutFollowsCovariate { covariate, .. },
        Warning::ClusterFollowsCovariates { cluster, covariates, .. },
    ] = &found.warnings[..]
    else {
        panic!("{:?}", found.warnings)
    };
    assert_eq!((covariate.as_str(), cluster.as_str(), covariates.len()), ("depth", "1", 1));
    assert!(found.warnings[1].to_string().contains("both go with depth, and given that r is"));
}

#[test]
fn an_unrelated_covariate_takes_nothing_away() {
    let (depth, share, _) = driven();
    let potency: Vec<f64> = share.iter().map(|s| s * 3.0 + 1.0).collect();
    let unrelated = vec![1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0];
    let noisy: Vec<f64> = potency.iter().zip(&depth).map(|(p, d)| p + 0.02 * (d * 5.0 % 3.0)).collect();
    let found = run(&[("viability", unrelated)], &[("0", share)], &noisy);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert!(found.rows[0].r_partial > 0.95 && found.rows[0].p_readout > 0.3);
}

#[test]
fn a_covariate_that_is_the_share_leaves_nothing() {
    let (_, share, potency) = driven();
    let copy: Vec<f64> = share.iter().map(|s| 7.0 * s + 1.0).collect();
    let found = run(&[("copy", copy)], &[("0", share)], &potency);
    assert!(found.rows[0].r_partial.is_nan() && found.rows[0].p_partial.is_nan());
    assert!(matches!(found.warnings[1], Warning::ClusterFollowsCovariates { r_partial: None, .. }));
}

#[test]
fn missing_values_take_lots_out_row_by_row() {
    let (mut depth, mut share, mut potency) = driven();
    let full = depth.clone();
    (depth[0], share[1], potency[2]) = (f64::NAN, f64::NAN, f64::NAN);
    let found = run(&[("depth", depth), ("full", full)], &[("0", share)], &potency);
    assert_eq!((found.rows[0].n_lots, found.rows[1].n_lots), (5, 6));
    let nothing = run(&[("x", vec![f64::NAN; 3])], &[("0", vec![0.1, 0.2, 0.3])], &[1.0, 2.0, 3.0]);
    let row = &nothing.rows[0];
    assert!(row.r.is_nan() && row.r_readout.is_nan() && row.p_readout == 1.0 && nothing.warnings.is_empty());
}

#[test]
fn columns_of_the_sheet() {
    let sheet = sheet(&[
        ("passage", &["3", "", "5"]),
        ("sex", &["M", "F", " M "]),
        ("donor", &["a", "b", "c"]),
        ("tissue", &["BM", "BM", "BM"]),
        ("dose", &["2", "2", "2"]),
        ("vegf", &["1", "2", "3"]),
        ("note", &["", "", ""]),
    ]);
    let found = sheet_covariates(&sheet, "vegf");
    let names: Vec<&str> = found.iter().map(|c| c.0.as_str()).collect();
    assert_eq!(names, ["passage", "sex (M)"]);
    assert!(found[0].1[1].is_nan());
    assert_eq!(found[1].1, [1.0, 0.0, 1.0]);
}

#[test]
fn groups_of_the_sheet() {
    let sheet = sheet(&[
        ("site", &["a", "b", "c", "a", "", "b"]),
        ("donor", &["1a", "2a", "3a", "4a", "5a", "6a"]),
        ("sex", &["M", "F", "M", "F", "M", "F"]),
        ("dose", &["1", "2", "3", "1", "2", "3"]),
    ]);
    let found = sheet_groups(&sheet, "vegf");
    assert_eq!(found, [("site".to_string(), vec![Some(0), Some(1), Some(2), Some(0), None, Some(1)])]);
}

/// Six rows in three sites: the share of variance between them and its p by going through all divisions.
#[test]
fn groups_explain_a_share_of_the_variance() {
    let y = [1.0, 2.0, 5.0, 6.0, 9.0, 10.0];
    let site = [0, 0, 1, 1, 2, 2].map(Some).to_vec();
    let share = vec![0.5, 0.1, 0.3, 0.4, 0.2, 0.6];
    let shares = table(&[("0", share.clone())]);
    let (params, orders) = (ConfoundingParams::default(), AssociationParams::default());
    let covariate = Covariate { name: "site".into(), values: CovariateValues::Groups(site.clone()) };
    let observed = Observed { name: "y", values: &y, weights: None, ranks_only: false };
    let run = |units: &Units, observed| {
        confounding(std::slice::from_ref(&covariate), &shares, observed, units, &params, &orders, 0).unwrap()
    };
    let found = run(&Units::free(&shares.lots), observed);
    let row = &found.rows[0];
    // Within 3 · 0.5, total 65.5; of the 90 divisions in three pairs, the 6 that name the sites anew are as good.
    assert!((row.r_readout - (1.0_f64 - 1.5 / 65.5).sqrt()).abs() < 1e-12 && row.n_groups == 3, "{row:?}");
    assert!((row.p_readout - 6.0 / 90.0).abs() < 1e-12, "{row:?}");
    // Deviations from the sites' means: ±0.2, ±0.05, ±0.2 and ±0.5 each; r = (−0.2 + 0.05 + 0.2)·2·0.5 / √(0.165 · 1.5).
    let left = (0.05_f64 * 2.0 * 0.5) / (2.0 * (0.04 + 0.0025 + 0.04) * 1.5_f64).sqrt();
    assert!((row.r_partial - left).abs() < 1e-12, "{} {left}", row.r_partial);
    // Two degrees of freedom are left: six less three sites less one.
    assert!((row.p_partial - partial_p(left, 5)).abs() < 1e-12);
    // With the site as the block it is out already, and nothing is said of it.
    let blocks = Units { blocks: site.clone(), block: "site".into(), ..Units::free(&shares.lots) };
    let within = &run(&blocks, observed).rows[0];
    assert!(within.r_readout.is_nan() && within.p_readout == 1.0 && (within.r - left).abs() < 1e-12, "{within:?}");
    // Ranks where only these are known: no far value shows.
    let far = [1.0, 2.0, 5.0, 6.0, 9.0, 1e6];
    let ranked = run(&Units::free(&shares.lots), Observed { values: &far, ranks_only: true, ..observed });
    let by_rank = run(
        &Units::free(&shares.lots),
        Observed { values: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], ranks_only: true, ..observed },
    );
    assert_eq!(ranked.rows, by_rank.rows);
}

#[test]
fn a_group_behind_share_and_readout_is_named() {
    let site: Vec<Option<usize>> = (0..9).map(|i| Some(i / 3)).collect();
    let y = [1.0, 1.4, 1.2, 5.0, 5.3, 5.1, 9.3, 9.0, 9.1];
    let shares = table(&[("0", vec![0.11, 0.12, 0.13, 0.33, 0.31, 0.32, 0.51, 0.53, 0.52])]);
    let (params, orders) = (ConfoundingParams::default(), AssociationParams::default());
    let covariate = Covariate { name: "site".into(), values: CovariateValues::Groups(site) };
    let observed = Observed { name: "y", values: &y, weights: None, ranks_only: false };
    let found = confounding(&[covariate], &shares, observed, &Units::free(&shares.lots), &params, &orders, 0).unwrap();
    assert_eq!(found.warnings.len(), 2, "{:?}", found.warnings);
    // Three times three of one kind: 1680 divisions, 6 of them the same.
    assert!((found.rows[0].p_readout - 6.0 / 1680.0).abs() < 1e-12);
    // Each row a group of its own says nothing.
    let names = Covariate { name: "lot".into(), values: CovariateValues::Groups((0..9).map(Some).collect()) };
    let units = Units::free(&shares.lots);
    assert!(confounding(&[names], &shares, observed, &units, &params, &orders, 0).unwrap().rows.is_empty());
}

#[test]
fn integration_over_what_matters_is_named() {
    let sheet = sheet(&[
        ("batch", &["a", "a", "b", "b", "c", "c"]),
        ("process", &["old", "old", "old", "old", "new", "new"]),
        ("donor", &["1", "2", "3", "4", "5", "6"]),
        ("mixed", &["x", "y", "x", "y", "x", "y"]),
    ]);
    let tracked = [1.0, 1.1, 5.0, 5.1, 9.0, 9.1];
    let named = |column: &str, values: &[f64]| -> Vec<String> {
        integrated_column(&sheet, column, "potency", values)
            .into_iter()
            .map(|warning| match warning {
                Warning::IntegratedColumnCollinear { with, .. } => with,
                other => panic!("{other:?}"),
            })
            .collect()
    };
    assert_eq!(named("batch", &tracked), ["process", "potency"]);
    assert_eq!(named("batch", &[1.0, 9.0, 5.0, 2.0, 8.0, 3.0]), ["process"]);
    assert_eq!(named("process", &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]), ["process"]);
    // One lot per batch is integration over lots; and a column that is not there is none.
    for column in ["donor", "mixed", "", "nonsense"] {
        assert!(named(column, &tracked).is_empty(), "{column}");
    }
}

#[test]
fn share_explained_by_hand() {
    // Between 8, total 10, three groups of two: 1 − 0.2 · 5 / 4... with n = 4, g = 2: 1 − (2/10)(3/2).
    let values = [0.0, 1.0, 2.0, 3.0];
    let (total, inside) = (5.0, 1.0);
    let expected = 1.0 - inside / total * 3.0 / 2.0;
    assert!((explained(&["a", "a", "b", "b"], &values) - expected).abs() < 1e-15);
    assert!(explained(&["a", "b", "c", "d"], &values).is_nan() && explained(&["a"; 4], &values).is_nan());
    assert!(explained(&[], &[]).is_nan());
}

#[test]
fn same_for_one_and_two_threads_and_parameters_are_checked() {
    let (depth, share, potency) = driven();
    let pair = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            run(&[("a", depth.clone()), ("b", potency.clone())], &[("0", share.clone())], &potency).rows[0].clone()
        })
    };
    assert_eq!(pair(1), pair(2));
    for params in [
        ConfoundingParams { alpha: 0.0, ..Default::default() },
        ConfoundingParams { collinear: 1.0, ..Default::default() },
    ] {
        let (covariates, shares) = (numbers(&[("depth", depth.clone())]), table(&[("0", share.clone())]));
        let orders = AssociationParams::default();
        let observed = Observed { name: "y", values: &potency, weights: None, ranks_only: false };
        let units = Units::free(&shares.lots);
        let error = confounding(&covariates, &shares, observed, &units, &params, &orders, 0).unwrap_err();
        assert!(error.to_string().contains("confounding."));
    }
}
