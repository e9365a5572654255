//! Slopes of limma on real counts, and simple regressions of statsmodels and scipy, against our correlations.
//!
//! A slope and its t follow from a (partial) correlation r with d degrees of freedom: slope = r · spread of shares / spread of
//! the readout, t = r √(d / (1 − r²)). limma's own t is moderated over cell types and is not compared.

use cqa::data::LotTable;
use cqa::math::design::Design;
use cqa::progress::Silent;
use cqa::steps::lots::{
    AssociationParams, AssociationRow, Observed, Transform, Units, association_of, transformed_counts,
};
use ndarray::Array2;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::common;

fn near(ours: f64, theirs: f64, what: &str) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{what}: {ours} {theirs}");
}

/// Real counts: samples × groups, the fields before the counts, and the groups' names.
fn counts(name: &str, n_fields: usize) -> (Array2<u64>, Vec<Vec<String>>, Vec<String>) {
    let (header, rows) = common::rows(&common::fixture(&format!("designs/{name}.csv")));
    let samples: Vec<Vec<String>> = rows.into_iter().filter(|row| !row[1].is_empty()).collect();
    let n = Array2::from_shape_fn((samples.len(), header.len() - n_fields), |(i, k)| {
        samples[i][k + n_fields].parse().unwrap()
    });
    (n, samples, header[n_fields..].to_vec())
}

/// As limma's fits took them: log odds of shares of counts + ½, whose total has ½ for every group.
fn log_odds(n: &Array2<u64>) -> Array2<f64> {
    Array2::from_shape_fn(n.dim(), |(i, k)| {
        let total = n.row(i).iter().map(|&n| n as f64 + 0.5).sum::<f64>();
        let own = n[[i, k]] as f64 + 0.5;
        (own / (total - own)).ln()
    })
}

/// Rows of the association and the length of each column over that of the readout, both as they are tested.
fn run(values: Array2<f64>, readout: &[f64], units: &Units) -> (Vec<AssociationRow>, Vec<f64>) {
    let names = (0..values.ncols()).map(|k| k.to_string()).collect();
    let table = LotTable::new(units.names.clone(), names, values);
    let observed = Observed { name: "readout", values: readout, weights: None, ranks_only: false };
    let params = AssociationParams { max_exact_lots: 6, n_permutations: 99, ..Default::default() };
    let rows = association_of(&table, observed, units, &params, 1, &Silent).unwrap().rows;
    let blocks: Vec<usize> = units.blocks.iter().map(|b| b.unwrap()).collect();
    let design = Design::new(&blocks, &units.strata, &units.covariate_columns);
    // Adjusted values have length 1, so their slope on the values is one over the length.
    let length =
        |values: &[f64]| design.adjust(values).map_or(0.0, |unit| unit.iter().zip(values).map(|(u, v)| u * v).sum());
    let lengths = (0..table.n_columns()).map(|k| length(&table.column(k).to_vec()) / length(readout)).collect();
    (rows, lengths)
}

fn free(n: usize) -> Units {
    Units::free(&(0..n).map(|i| i.to_string()).collect::<Vec<String>>())
}

fn is(samples: &[Vec<String>], field: usize, word: &str) -> Vec<f64> {
    samples.iter().map(|sample| f64::from(u8::from(sample[field] == word))).collect()
}

#[test]
fn slopes_equal_limmas() {
    let (_, theirs) = common::rows(&common::fixture("designs/limma.csv"));
    let mut n_compared = 0;
    for name in ["kang", "sccomp", "heart"] {
        let (n, samples, groups) = counts(name, if name == "sccomp" { 2 } else { 3 });
        for (transform, design) in
            [("asin", "unpaired"), ("logit", "unpaired"), ("asin", "paired"), ("logit", "paired")]
        {
            let mut units = free(samples.len());
            let readout = match name {
                "kang" => is(&samples, 2, "stim"),
                "sccomp" => is(&samples, 1, "cancer"),
                _ => samples.iter().map(|sample| sample[1].parse().unwrap()).collect(),
            };
            if design == "paired" {
                let donors: Vec<&str> = samples.iter().map(|sample| sample[1].as_str()).collect();
                units.block = "donor".into();
                units.blocks = donors.iter().map(|d| donors.iter().position(|other| other == d)).collect();
            }
            if name == "heart" {
                units.covariates = vec!["sex".into()];
                units.covariate_columns = vec![is(&samples, 2, "m")];
            }
            let values = if transform == "asin" { transformed_counts(&n, Transform::AsinSqrt) } else { log_odds(&n) };
            let (rows, lengths) = run(values, &readout, &units);
            for row in theirs.iter().filter(|row| row[..3] == [name, transform, design]) {
                let k = groups.iter().position(|group| *group == row[3]).unwrap_or_else(|| panic!("{}", row[3]));
                near(rows[k].r * lengths[k], row[4].parse().unwrap(), &row.join(" "));
                n_compared += 1;
            }
        }
    }
    assert_eq!(n_compared, theirs.len());
    assert_eq!(n_compared, 2 * 2 * 8 + 2 * 36 + 2 * 8);
}

#[test]
fn simple_regressions_equal_statsmodels_and_scipys() {
    for (name, has_covariate) in [("pbmc", true), ("haber", false)] {
        let (header, rows) = common::rows(&common::fixture(&format!("designs/{name}.csv")));
        let n_groups = header.len() - 3;
        let numbers = |row: &Vec<String>| row[1..].iter().filter_map(|text| text.parse().ok()).collect::<Vec<f64>>();
        let values: Vec<Vec<f64>> = rows.iter().filter(|row| row[0] == "value").map(numbers).collect();
        let result = |kind: &str| rows.iter().find(|row| row[0] == kind).map(numbers);
        let shares = Array2::from_shape_fn((values.len(), n_groups), |(i, k)| values[i][k]);
        let column = |k: usize| values.iter().map(|row| row[k]).collect::<Vec<f64>>();
        let readout = column(n_groups);
        let mut units = free(values.len());
        if has_covariate {
            units.covariates = vec!["sex".into()];
            units.covariate_columns = vec![column(n_groups + 1)];
        }
        let (found, lengths) = run(shares.clone(), &readout, &units);
        for (k, row) in found.iter().enumerate() {
            let freedom = (row.n_effective - 2) as f64;
            let t = row.r * (freedom / (1.0 - row.r * row.r)).sqrt();
            near(t, result("t").unwrap()[k], &format!("{name}, t of {}", header[k + 1]));
            near(row.r * lengths[k], result("slope").unwrap()[k], "slope");
            let p = 2.0 * StudentsT::new(0.0, 1.0, freedom).unwrap().sf(t.abs());
            near(p, result("p").unwrap()[k], "p of t");
            if let (Some(r), Some(p_pearson), Some(rho)) = (result("r"), result("p_pearson"), result("rho")) {
                near(row.r, r[k], "r");
                near(row.rho, rho[k], "rho");
                near(p, p_pearson[k], "p of r");
            }
            if let (Some(old), Some(young)) = (result("mean_old"), result("mean_young")) {
                let mean = |of: f64| {
                    let own: Vec<f64> =
                        (0..readout.len()).filter(|&i| readout[i] == of).map(|i| shares[[i, k]]).collect();
                    own.iter().sum::<f64>() / own.len() as f64
                };
                near(mean(1.0), old[k], "mean share of the old");
                near(mean(0.0), young[k], "mean share of the young");
            }
        }
    }
}
