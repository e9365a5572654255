use super::*;
use crate::data::{LotSource, SheetColumn};

fn lots(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("L{i}")).collect()
}

fn replicate(lot: usize, value: f64, below_loq: bool) -> Measurement {
    Measurement { lot, readout: "vegf".into(), value, unit: "pg/mL".into(), below_loq }
}

#[test]
fn replicates_are_averaged() {
    let rows = [replicate(0, 2.0, false), replicate(0, 4.0, false), replicate(0, 6.0, false), replicate(2, 1.0, false)];
    let (readouts, warnings) = measured_readouts(&rows, &lots(3));
    let readout = &readouts[0];
    assert!(warnings.is_empty());
    assert_eq!((readout.values[0], readout.values[2], readout.n.clone()), (4.0, 1.0, vec![3, 0, 1]));
    // Standard deviation 2, so 2 / √3; t with 2 degrees of freedom is 4.302653.
    assert!((readout.sem[0] - 2.0 / 3.0_f64.sqrt()).abs() < 1e-15);
    assert!((readout.ci_high[0] - (4.0 + 4.302_653 * readout.sem[0])).abs() < 1e-5);
    assert!(readout.values[1].is_nan() && readout.sem[2].is_nan() && readout.ci_low[2].is_nan());
}

#[test]
fn below_the_limit_is_lowest_and_tied() {
    let rows = [
        replicate(0, f64::NAN, true),
        replicate(0, 3.0, true),
        replicate(1, f64::NAN, true),
        replicate(2, 3.0, true),
        replicate(2, 9.0, false),
    ];
    let (readouts, warnings) = measured_readouts(&rows, &lots(3));
    let readout = &readouts[0];
    assert!(warnings.is_empty(), "the limit of 3 is below the 6 of the third lot");
    assert_eq!(readout.values, [1.5, 1.5, 6.0]);
    assert_eq!([0, 1, 2].map(|lot| readout.below_loq(lot)), [true, true, false]);
    assert!(readout.sem[0].is_nan() && readout.sem[2].is_finite());
}

#[test]
fn below_a_limit_above_measured_lots_is_no_place() {
    let rows = [
        replicate(0, 10.0, true),
        replicate(1, 3.0, false),
        replicate(2, 1.0, true),
        replicate(3, f64::NAN, true),
        replicate(4, 12.0, false),
    ];
    let (readouts, warnings) = measured_readouts(&rows, &lots(5));
    let readout = &readouts[0];
    assert!(readout.values[0].is_nan(), "below 10 may be above or below 3");
    assert_eq!(readout.values[1..], [3.0, 0.5, 0.5, 12.0]);
    let [Warning::LotLeftOut { lot, cause, .. }] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(lot == "L0" && cause.contains("(10)") && cause.contains("(3)"), "{cause}");
    // Where every measured lot lies above all limits, these may differ.
    let (readouts, warnings) = measured_readouts(&[&rows[..1], &rows[2..]].concat(), &lots(5));
    assert!(warnings.is_empty() && readouts[0].values[0] == readouts[0].values[2]);
}

#[test]
fn counts_of_either_outcome_are_hidden_when_few() {
    let lot = |lot: usize, n: usize, n_events: usize, values: [f64; 2]| {
        (0..n).map(move |i| CaseOutcome { lot, name: "relapse".into(), value: values[usize::from(i < n_events)] })
    };
    // Events of 30 cases: none, 4, 5, 25, 26, all.
    let counts = [0, 4, 5, 25, 26, 30];
    for values in [[0.0, 1.0], [1.0, 2.0]] {
        let cases: Vec<CaseOutcome> =
            counts.iter().enumerate().flat_map(|(i, &events)| lot(i, 30, events, values)).collect();
        let hidden = |params: OutcomesParams| outcome_readouts(&cases, 6, &params).unwrap().0[0].hidden.clone();
        assert_eq!(hidden(OutcomesParams::default()), [true, true, false, false, true, true]);
        let with_zero = OutcomesParams { show_zero: true, ..Default::default() };
        assert_eq!(hidden(with_zero), [false, true, false, false, true, false]);
        assert_eq!(hidden(OutcomesParams { min_cases: 1, show_zero: true }), [false; 6]);
    }
}

#[test]
fn outcomes_are_rates_or_means_and_few_are_hidden() {
    let case = |lot, name: &str, value| CaseOutcome { lot, name: name.into(), value };
    let mut cases: Vec<CaseOutcome> = (0..20).map(|i| case(0, "relapse", f64::from(u8::from(i < 6)))).collect();
    cases.extend((0..4).map(|_| case(1, "relapse", 1.0)));
    cases.extend((0..5).map(|i| case(1, "days", f64::from(i))));
    let (readouts, warnings) = outcome_readouts(&cases, 2, &OutcomesParams::default()).unwrap();
    let (days, relapse) = (&readouts[0], &readouts[1]);
    assert_eq!((relapse.values[0], relapse.n[0], relapse.hidden.clone()), (0.3, 20, vec![false, true]));
    assert_eq!((relapse.ci_low[0], relapse.ci_high[0]), jeffreys(6, 20, 0.95));
    assert!(relapse.values[1].is_nan() && relapse.n[1] == 0);
    assert_eq!((days.values[1], days.hidden[0]), (2.0, false));
    assert_eq!(warnings, [Warning::OutcomesHidden { outcome: "relapse".into(), n_lots: 1, min_cases: 5 }]);
    assert!(outcome_readouts(&cases, 2, &OutcomesParams { min_cases: 0, show_zero: false }).is_err());
}

#[test]
fn weights_are_cases_or_precision() {
    let rows = [
        replicate(0, 1.0, false),
        replicate(0, 3.0, false),
        replicate(1, 1.0, false),
        replicate(1, 1.0, false),
        replicate(2, 2.0, false),
    ];
    let readout = &measured_readouts(&rows, &lots(4)).0[0];
    assert_eq!(weights(readout, Weights::Cases), None);
    // Variances 2 and 0, in common 1; with four degrees from that: (4 + 2) / 5, 4 / 5 and 1.
    let w = weights(readout, Weights::Precision).unwrap();
    for (w, expected) in w.iter().zip([2.0 / 1.2, 2.0 / 0.8, 1.0, 0.0]) {
        assert!((w - expected).abs() < 1e-12, "{w} {expected}");
    }
    let mut cases = readout.clone();
    cases.source = ReadoutSource::Outcome;
    assert_eq!(weights(&cases, Weights::Cases), Some(vec![2.0, 2.0, 1.0, 0.0]));
    assert_eq!(weights(&cases, Weights::None), None);
}

#[test]
fn two_words_are_two_groups() {
    let sheet = |values: &[&str]| LotSheet {
        lots: values.iter().map(|v| LotSource { lot: format!("L{v}"), path: "".into(), subset: None }).collect(),
        columns: vec![SheetColumn { name: "arm".into(), values: values.iter().map(|v| v.to_string()).collect() }],
    };
    let readout = sheet_readout(&sheet(&["stim", "ctrl", "", "stim"]), "arm").unwrap();
    assert_eq!(readout.groups, Some(["ctrl".into(), "stim".into()]));
    assert_eq!((readout.values[0], readout.values[1], readout.values[2].is_nan()), (1.0, 0.0, true));
    assert!(sheet_readout(&sheet(&["1", "2.5"]), "arm").unwrap().groups.is_none());
    for bad in [&["a", "b", "c"][..], &["1", "x"], &["a"]] {
        assert!(sheet_readout(&sheet(bad), "arm").unwrap_err().to_string().contains("holds text"), "{bad:?}");
    }
    assert!(sheet_readout(&sheet(&["1"]), "vegf").unwrap_err().to_string().contains("no column `vegf`"));
}
