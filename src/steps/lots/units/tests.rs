use super::*;
use crate::data::{LotSource, ReadoutSource};
use crate::progress::Silent;
use crate::steps::lots::{Association, Observed, association, association_of};

const SHARES: [f64; 8] = [0.10, 0.14, 0.22, 0.18, 0.30, 0.26, 0.40, 0.44];

fn sheet(columns: &[(&str, [&str; 8])]) -> LotSheet {
    LotSheet {
        lots: (0..8).map(|i| LotSource { lot: format!("L{i}"), path: "".into(), subset: None }).collect(),
        columns: columns
            .iter()
            .map(|(name, values)| SheetColumn { name: name.to_string(), values: values.map(String::from).to_vec() })
            .collect(),
    }
}

fn table() -> LotTable {
    let lots = (0..8).map(|i| format!("L{i}")).collect();
    LotTable::new(lots, vec!["0".into()], Array2::from_shape_vec((8, 1), SHARES.to_vec()).unwrap())
}

fn readout(values: [f64; 8]) -> Readout {
    Readout::new("potency", ReadoutSource::Sheet, values.to_vec())
}

fn run(sheet: &LotSheet, values: [f64; 8], params: &AssociationParams) -> Result<(Units, Association)> {
    let readout = readout(values);
    let units = units(sheet, &table(), &readout, params)?;
    let values = units.average(&readout.values);
    let observed = Observed { name: "potency", values: &values, weights: None, ranks_only: false };
    let association = association_of(&units.table(&table()), observed, &units, params, 1, &Silent)?;
    Ok((units, association))
}

const DONORS: [&str; 8] = ["A", "A", "B", "B", "C", "C", "D", "E"];

#[test]
fn lots_of_one_donor_are_one() {
    let values = [1.0, 1.0, 3.0, 3.0, 2.0, 2.0, 5.0, 4.0];
    let (units, found) = run(&sheet(&[("donor", DONORS)]), values, &AssociationParams::default()).unwrap();
    assert_eq!((units.names.len(), units.column.as_str()), (5, "donor"));
    assert_eq!(
        units.warnings,
        [Warning::RepeatedDonor { column: "donor".into(), n_lots: 8, n_donors: 5, averaged: true }]
    );
    let row = &found.rows[0];
    assert_eq!((row.n_lots, row.n_units, row.n_effective, found.n_permutations), (8, 5, 5, 120));
    // As if the averages had been given.
    let lots = ["A", "B", "C", "D", "E"].map(String::from).to_vec();
    let averages = LotTable::new(lots, vec!["0".into()], ndarray::array![[0.12], [0.20], [0.28], [0.40], [0.44]]);
    let expected =
        association(&averages, "potency", &[1.0, 3.0, 2.0, 5.0, 4.0], &AssociationParams::default(), 1).unwrap();
    assert!((row.r - expected.rows[0].r).abs() < 1e-12 && row.p_exact == expected.rows[0].p_exact);
    // Unless each lot is said to be independent.
    let each = AssociationParams { unit: "lot".into(), ..Default::default() };
    let (units, found) = run(&sheet(&[("donor", DONORS)]), values, &each).unwrap();
    assert_eq!((units.names.len(), found.rows[0].n_units), (8, 8));
    assert!(matches!(units.warnings[..], [Warning::RepeatedDonor { averaged: false, .. }]));
}

#[test]
fn donors_that_do_not_repeat_change_nothing() {
    let donors = ["A", "B", "C", "D", "E", "F", "", ""];
    let (units, found) = run(&sheet(&[("donor", donors)]), SHARES, &AssociationParams::default()).unwrap();
    assert_eq!(units, Units::free(&units.names));
    assert_eq!(found, association(&table(), "potency", &SHARES, &AssociationParams::default(), 1).unwrap());
}

#[test]
fn where_the_readout_differs_within_donors_only_their_like_exchange() {
    let values = [1.0, 1.5, 3.0, 3.5, 2.0, 2.5, 5.0, 4.0];
    let (units, found) = run(&sheet(&[("donor", DONORS)]), values, &AssociationParams::default()).unwrap();
    assert!(units.warnings.iter().any(|w| matches!(w, Warning::ReadoutVariesWithin { .. })));
    // Three donors of two lots and two of one: 3! · 2!.
    assert_eq!((found.design.n_orders, found.n_permutations), (12.0, 12));
}

#[test]
fn a_lot_without_a_readout_leaves_its_donor() {
    let values = [1.0, f64::NAN, 3.0, 3.0, 2.0, 2.0, 5.0, f64::NAN];
    let (units, found) = run(&sheet(&[("donor", DONORS)]), values, &AssociationParams::default()).unwrap();
    assert_eq!(units.lots[0], [0], "the share of the other lot is not averaged in");
    assert_eq!((units.names.len(), found.rows[0].n_lots, found.rows[0].n_units), (4, 6, 4));
    assert!(units.warnings.iter().any(|w| matches!(w, Warning::ReadoutMissing { lots, .. } if *lots == ["L1", "L7"])));
}

#[test]
fn paired_lots_are_compared_within_their_donor() {
    let donors = ["A", "A", "B", "B", "C", "C", "D", "D"];
    let arm = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
    let params = AssociationParams { block: "donor".into(), ..Default::default() };
    let (units, found) = run(&sheet(&[("donor", donors)]), arm, &params).unwrap();
    assert_eq!((units.names.len(), units.warnings.len()), (8, 0));
    let row = &found.rows[0];
    // Every difference is 0.04, so that one of 16 sign flips, and its mirror image, is as extreme.
    assert_eq!((row.n_lots, row.n_units, row.n_effective, row.p_exact), (8, 4, 5, 2.0 / 16.0));
    assert!((row.r - 1.0).abs() < 1e-12 && found.smallest_p == 2.0 / 16.0);
    assert_eq!(found.design.n_orders, 16.0);
    let words = found.design.words();
    assert!(words.contains("the unit is the donor (n = 4), compared and permuted within 4 blocks of donor"), "{words}");
}

#[test]
fn covariates_are_numbers_or_words() {
    let columns =
        [("age", ["30", "40", "35", "50", "45", "60", "55", "70"]), ("site", ["x", "y", "x", "z", "y", "z", "x", "y"])];
    let params = AssociationParams { covariates: vec!["age".into(), "site".into()], ..Default::default() };
    let values = [2.0, 1.0, 5.0, 3.0, 6.0, 4.0, 8.0, 7.0];
    let (units, found) = run(&sheet(&columns), values, &params).unwrap();
    assert_eq!(units.covariate_columns.len(), 3);
    assert_eq!(units.covariate_columns[2], [0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!((found.rows[0].n_units, found.rows[0].n_effective), (8, 5));
    let mut gap = columns;
    gap[1].1[0] = "";
    let (_, found) = run(&sheet(&gap), values, &params).unwrap();
    assert!(found.rows[0].n_lots == 7 && found.warnings.iter().any(|w| matches!(w, Warning::LotLeftOut { .. })));
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let sheet = sheet(&[("donor", DONORS), ("site", ["x", "y", "x", "x", "y", "y", "x", "y"])]);
    let values = [1.0, 1.0, 3.0, 3.0, 2.0, 2.0, 5.0, 4.0];
    let told = |params: AssociationParams| run(&sheet, values, &params).unwrap_err().to_string();
    let text = told(AssociationParams { block: "site".into(), ..Default::default() });
    assert!(text.contains("lots of donor `A` differ in column `site`"), "{text}");
    let text = told(AssociationParams { covariates: vec!["site".into()], ..Default::default() });
    assert!(text.contains("differ in column `site`"), "{text}");
    let text = told(AssociationParams { unit: "patient".into(), ..Default::default() });
    assert!(text.contains("association.unit") && text.contains("donor, site"), "{text}");
    let each = || AssociationParams { unit: "lot".into(), ..Default::default() };
    let text = told(AssociationParams { block: "batch".into(), ..each() });
    assert!(text.contains("association.block"), "{text}");
}
