//! Two groups, pairs, blocks and covariates against scipy, statsmodels, R and brute force.

use cqa::data::{LotSheet, LotSource, LotTable, SheetColumn};
use cqa::math::family::Tail;
use cqa::math::two_samples::{mann_whitney, signed_rank};
use cqa::progress::Silent;
use cqa::steps::lots::{
    Alternative, Association, AssociationParams, Composition, CompositionParams, Observed, Transform, TwoGroups, Units,
    association_of, composition, sheet_readout, two_groups, units,
};
use ndarray::Array2;

use crate::common;

/// Frozen rows whose first field is `value`, and the others by their first field.
struct Frozen {
    values: Vec<Vec<f64>>,
    results: Vec<(String, Vec<f64>)>,
}

impl Frozen {
    fn read(name: &str) -> Self {
        let (_, rows) = common::rows(&common::fixture(&format!("designs/{name}.csv")));
        let (values, results): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row[0] == "value");
        let numbers = |row: &Vec<String>| row[1..].iter().filter_map(|text| text.parse().ok()).collect::<Vec<f64>>();
        Self {
            values: values.iter().map(numbers).collect(),
            results: results.iter().map(|row| (row[0].clone(), numbers(row))).collect(),
        }
    }

    fn column(&self, k: usize) -> Vec<f64> {
        self.values.iter().map(|row| row[k]).collect()
    }

    fn result(&self, name: &str) -> &[f64] {
        &self.results.iter().find(|r| r.0 == name).unwrap_or_else(|| panic!("{name} is frozen")).1
    }
}

fn table(columns: &[Vec<f64>]) -> LotTable {
    let names = |n: usize| (0..n).map(|i| i.to_string()).collect();
    let n = columns[0].len();
    LotTable::new(names(n), names(columns.len()), Array2::from_shape_fn((n, columns.len()), |(i, k)| columns[k][i]))
}

fn near(ours: f64, theirs: f64, what: &str) {
    assert!((ours - theirs).abs() < 1e-10, "{what}: {ours} {theirs}");
}

const SIDES: [(&str, Alternative); 3] =
    [("two-sided", Alternative::TwoSided), ("greater", Alternative::Greater), ("less", Alternative::Less)];

#[test]
fn two_groups_equal_scipys() {
    for name in ["groups", "groups_with_ties"] {
        let frozen = Frozen::read(name);
        let columns: Vec<Vec<f64>> = (0..4).map(|k| frozen.column(k)).collect();
        let (table, group) = (table(&columns), frozen.column(4));
        let found = |alternative| {
            let params = AssociationParams { alternative, ..Default::default() };
            two_groups(&table, &group, None, &Units::free(&table.lots), &params, 1).unwrap()
        };
        for k in 0..4 {
            let row = &found(Alternative::TwoSided).rows[k];
            near(row.test.statistic, frozen.result("u")[k], "U");
            near(row.p_rank, frozen.result("exact")[k], "exact p");
            for (side, alternative) in SIDES {
                let ours = found(alternative).rows[k].test.p_normal;
                near(ours, frozen.result(&format!("normal_{side}"))[k], &format!("{name}, {side}"));
            }
        }
    }
}

#[test]
fn pairs_equal_scipys() {
    let frozen = Frozen::read("pairs");
    let columns: Vec<Vec<f64>> = (0..3).map(|k| frozen.column(k)).collect();
    let table = table(&columns);
    let mut units = Units::free(&table.lots);
    units.blocks = frozen.column(4).iter().map(|&pair| Some(pair as usize)).collect();
    for (side, alternative) in SIDES {
        let params = AssociationParams { alternative, ..Default::default() };
        let found = two_groups(&table, &frozen.column(3), None, &units, &params, 1).unwrap();
        assert!(found.paired && found.n == [9, 9]);
        for (k, row) in found.rows.iter().enumerate() {
            near(row.test.p_normal, frozen.result(&format!("normal_{side}"))[k], side);
            near(row.test.statistic, frozen.result("statistic")[k], "W");
            if side == "two-sided" {
                near(row.p_rank, frozen.result("exact")[k], "exact p");
            }
        }
    }
}

/// Partial correlations and every p by going through all orders, residuals by statsmodels.
#[test]
fn blocks_and_covariates_equal_brute_force() {
    let frozen = Frozen::read("adjusted");
    let table = table(&[frozen.column(0), frozen.column(1)]);
    let readout = frozen.column(2);
    for (name, block, covariate) in [("covariate", false, true), ("block", true, false), ("both", true, true)] {
        let mut units = Units::free(&table.lots);
        if block {
            units.blocks = frozen.column(4).iter().map(|&b| Some(b as usize)).collect();
        }
        if covariate {
            units.covariate_columns = vec![frozen.column(3)];
            units.covariates = vec!["covariate".into()];
        }
        let ours = associate(&table, &readout, &units);
        for (k, row) in ours.rows.iter().enumerate() {
            near(row.r, frozen.result(&format!("{name}_r"))[k], "r");
            near(row.p_exact, frozen.result(&format!("{name}_p"))[k], "p");
            near(row.p_family, frozen.result(&format!("{name}_family"))[k], "family-wise p");
        }
        assert_eq!(ours.design.n_orders, if block { 144.0 } else { 5040.0 });
    }
}

fn associate(table: &LotTable, readout: &[f64], units: &Units) -> Association {
    let observed = Observed { name: "readout", values: readout, weights: None, ranks_only: false };
    association_of(table, observed, units, &AssociationParams::default(), 1, &Silent).unwrap()
}

/// Counts of samples × groups as a composition, and the fields of each sample before the counts.
fn counted(name: &str, n_fields: usize) -> (Composition, Vec<Vec<String>>, Frozen) {
    let (header, rows) = common::rows(&common::fixture(&format!("designs/{name}.csv")));
    let n_groups = header.len() - n_fields;
    let (samples, _): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| !row[1].is_empty());
    let (mut labels, mut lots) = (Vec::new(), Vec::new());
    for (lot, row) in samples.iter().enumerate() {
        for (group, count) in row[n_fields..].iter().enumerate() {
            let count: usize = count.parse().unwrap();
            labels.extend(vec![group as u32; count]);
            lots.extend(vec![lot as u32; count]);
        }
    }
    let names: Vec<String> = samples.iter().map(|row| row[0].clone()).collect();
    let composition = composition(&labels, n_groups, &lots, &names, &CompositionParams::default()).unwrap();
    (composition, samples.iter().map(|row| row[..n_fields].to_vec()).collect(), Frozen::read(name))
}

fn codes(words: &[&str]) -> Vec<Option<usize>> {
    words.iter().map(|word| words.iter().position(|w| w == word)).collect()
}

/// Eight donors, control and interferon: within donors two cell types move in seven of eight donors and least where they do
/// not (p = 4 / 256), between donors none can be told.
#[test]
fn kang_is_found_in_pairs_and_not_between_groups() {
    let (composition, samples, theirs) = counted("kang", 3);
    let table = composition.transformed(Transform::Share);
    let arm: Vec<f64> = samples.iter().map(|s| f64::from(u8::from(s[2] == "stim"))).collect();
    let mut units = Units::free(&table.lots);
    let run = |units: &Units| -> (Association, TwoGroups) {
        let groups = two_groups(&table, &arm, None, units, &AssociationParams::default(), 1).unwrap();
        (associate(&table, &arm, units), groups)
    };
    let (between, groups) = run(&units);
    for (k, row) in groups.rows.iter().enumerate() {
        near(row.p_rank, theirs.result("wilcox")[k], "unpaired Wilcoxon");
        assert!(between.rows[k].p_exact > 0.05 && between.rows[k].p_family > 0.05);
    }
    units.block = "donor".into();
    units.blocks = codes(&samples.iter().map(|s| s[1].as_str()).collect::<Vec<_>>());
    let (within, groups) = run(&units);
    assert_eq!(within.design.n_orders, 256.0);
    near(within.smallest_p, 2.0 / 256.0, "smallest p");
    let mut found = Vec::new();
    for (k, row) in groups.rows.iter().enumerate() {
        near(row.p_rank, theirs.result("wilcox_paired")[k], "paired Wilcoxon");
        if within.rows[k].p_exact <= 0.05 {
            assert_eq!(within.rows[k].p_exact, 4.0 / 256.0, "that of the correlation is the same");
            found.push(k);
        }
    }
    // CD8 T cells and FCGR3A+ monocytes.
    assert_eq!(found, [3, 5]);
}

/// The same from a lot sheet: the donor is the unit by itself, but averaging its two arms leaves nothing to explain, which is
/// refused with the cure; as the block it compares the arms within donors.
#[test]
fn kang_by_its_sheet() {
    let (composition, samples, theirs) = counted("kang", 3);
    let table = composition.transformed(Transform::Share);
    let column = |name: &str, k: usize| SheetColumn {
        name: name.into(),
        values: samples.iter().map(|sample| sample[k].clone()).collect(),
    };
    let source = |sample: &Vec<String>| LotSource { lot: sample[0].clone(), path: "".into(), subset: None };
    let sheet =
        LotSheet { lots: samples.iter().map(source).collect(), columns: vec![column("donor", 1), column("arm", 2)] };
    let arm = sheet_readout(&sheet, "arm").unwrap();
    let refused = units(&sheet, &table, &arm, &AssociationParams::default()).unwrap_err().to_string();
    assert!(
        refused.contains("the same average in every value of `donor`") && refused.contains("--block donor"),
        "{refused}"
    );
    let params = AssociationParams { block: "donor".into(), ..Default::default() };
    let paired = units(&sheet, &table, &arm, &params).unwrap();
    let observed = Observed { name: "arm", values: &arm.values, weights: None, ranks_only: false };
    let within = association_of(&table, observed, &paired, &params, 1, &Silent).unwrap();
    assert_eq!((within.design.n_orders, within.design.n_units, within.rows[0].n_units), (256.0, 8, 8));
    let found: Vec<usize> = (0..8).filter(|&k| within.rows[k].p_exact <= 0.05).collect();
    assert_eq!(found, [3, 5]);
    let groups = two_groups(&table, &arm.values, arm.groups.as_ref(), &paired, &params, 1).unwrap();
    assert!(groups.paired && groups.groups == ["ctrl", "stim"]);
    for (row, theirs) in groups.rows.iter().zip(theirs.result("wilcox_paired")) {
        near(row.p_rank, *theirs, "paired Wilcoxon");
    }
    // Each sample for itself, as asked: nothing can be told.
    let params = AssociationParams { unit: "lot".into(), ..Default::default() };
    let each = units(&sheet, &table, &arm, &params).unwrap();
    let between = association_of(&table, observed, &each, &params, 1, &Silent).unwrap();
    assert!(between.rows.iter().all(|row| row.n_units == 16 && row.p_exact > 0.05));
}

/// The slope of limma's fit on stage and sex follows from the partial correlation.
#[test]
fn heart_stages_equal_limmas() {
    let (composition, samples, theirs) = counted("heart", 3);
    let table = composition.transformed(Transform::AsinSqrt);
    let stage: Vec<f64> = samples.iter().map(|s| s[1].parse().unwrap()).collect();
    let mut units = Units::free(&table.lots);
    let sex: Vec<f64> = samples.iter().map(|s| f64::from(u8::from(s[2] == "m"))).collect();
    units.covariates = vec!["sex".into()];
    units.covariate_columns = vec![sex.clone()];
    let ours = associate(&table, &stage, &units);
    let spread = |values: &[f64]| {
        let mean = |of: &dyn Fn(usize) -> bool| {
            let kept: Vec<f64> = (0..9).filter(|&i| of(i)).map(|i| values[i]).collect();
            kept.iter().sum::<f64>() / kept.len() as f64
        };
        let (male, female) = (mean(&|i| sex[i] == 1.0), mean(&|i| sex[i] == 0.0));
        (0..9).map(|i| (values[i] - if sex[i] == 1.0 { male } else { female }).powi(2)).sum::<f64>().sqrt()
    };
    for (k, row) in ours.rows.iter().enumerate() {
        let slope = row.r * spread(&table.column(k).to_vec()) / spread(&stage);
        near(slope, theirs.result("slope")[k], "slope");
        assert_eq!((row.n_units, row.n_effective), (9, 8));
    }
}

/// Thirty-six groups of cells in benign and cancer samples; where shares are tied, R gives the normal p.
#[test]
fn sccomps_samples_equal_rs_wilcoxon() {
    let (composition, samples, theirs) = counted("sccomp", 2);
    let table = composition.transformed(Transform::Share);
    let cancer: Vec<f64> = samples.iter().map(|s| f64::from(u8::from(s[1] == "cancer"))).collect();
    let found = two_groups(&table, &cancer, None, &Units::free(&table.lots), &AssociationParams::default(), 1).unwrap();
    let (mut exact, mut tied) = (0, 0);
    for (k, row) in found.rows.iter().enumerate() {
        near(row.mean_high, theirs.result("mean_cancer")[k], "mean share");
        near(row.mean_low, theirs.result("mean_benign")[k], "mean share");
        let mut shares = table.column(k).to_vec();
        shares.sort_by(f64::total_cmp);
        if shares.windows(2).any(|w| w[0] == w[1]) {
            near(row.test.p_normal, theirs.result("wilcox")[k], "normal p");
            tied += 1;
        } else {
            near(row.p_rank, theirs.result("wilcox")[k], "exact p");
            exact += 1;
        }
        assert!(row.p_rank <= row.p_rank_family);
    }
    assert!(exact > 20 && exact + tied == 36, "{exact} {tied}");
}

/// The test functions themselves, where nothing is tied: a shift of every value by one step turns no p.
#[test]
fn ranks_ignore_monotone_changes() {
    let (low, high) = ([1.0, 4.0, 2.0], [3.0, 5.0, 7.0, 6.0]);
    let changed = |values: &[f64]| values.iter().map(|v: &f64| v.exp()).collect::<Vec<f64>>();
    assert_eq!(mann_whitney(&low, &high, Tail::Both), mann_whitney(&changed(&low), &changed(&high), Tail::Both));
    let differences = [1.0, -2.0, 3.0, 4.0];
    let cubed: Vec<f64> = differences.iter().map(|d: &f64| d.powi(3)).collect();
    assert_eq!(signed_rank(&differences, Tail::Upper), signed_rank(&cubed, Tail::Upper));
}
