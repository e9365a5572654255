use super::*;
use crate::data::{
    Attribute, AttributeTransform, Margin, MarginUnit, Multiplicity, Range, Rule, SheetColumn, Side, WholeTests,
};

fn plan(design: ComparisonDesign) -> Comparison {
    let attribute = |kind, name: &str, rule, margin| Attribute {
        kind,
        name: name.into(),
        cluster: "all".into(),
        potency: name == "titer",
        transform: AttributeTransform::None,
        side: Side::Both,
        rule,
        margin,
    };
    let margin = Some(Margin { low: -0.5, high: 0.5, unit: MarginUnit::Absolute });
    let range = Rule::Range { range: Range::MinMax, share_within: 1.0, min_pre: 3 };
    Comparison {
        title: "x".into(),
        operator: String::new(),
        reason: String::new(),
        design,
        pair: if design == ComparisonDesign::Paired { "donor".into() } else { String::new() },
        n_post: None,
        pair_correlation: 0.5,
        alpha: 0.05,
        multiplicity: Multiplicity::None,
        allow_missing: false,
        attributes: vec![
            attribute(AttributeKind::Readout, "titer", Rule::Tost { pooled: false }, margin),
            attribute(AttributeKind::ClusterShare, "0", range, None),
        ],
        whole: WholeTests::default(),
        n_simulations: 1_000,
        seed: 0,
    }
}

fn lots(prefix: &str, titers: &[&str], donors: &[&str], first: &[u64]) -> LotRecords {
    let column = |name: &str, values: &[&str]| SheetColumn {
        name: name.into(),
        values: values.iter().map(|v| v.to_string()).collect(),
    };
    let columns = vec![column("titer", titers), column("donor", donors)];
    let counts =
        ndarray::Array2::from_shape_fn((first.len(), 2), |(lot, k)| if k == 0 { first[lot] } else { 100 - first[lot] });
    LotRecords::of_counts(prefix, vec!["0".into(), "1".into()], counts, columns)
}

#[test]
fn unpaired_lots_from_values_to_verdict() {
    let pre = lots("a", &["1.0", "1.2", "0.9", "1.1"], &["1", "2", "3", "4"], &[20, 25, 30, 22]);
    let post = lots("b", &["1.1", "1.0", "", "1.2"], &["5", "6", "7", "8"], &[21, 24, 26, 35]);
    let found = compare(&plan(ComparisonDesign::Unpaired), &pre, &post, false).unwrap();
    // The lot without a titer may be the one that differs.
    assert_eq!((found.judged[0].n_pre, found.judged[0].n_post, found.judged[0].verdict), (4, 3, Outcome::Inconclusive));
    assert!(found.judged[0].reason.contains("1 post lot has no value"), "{}", found.judged[0].reason);
    let allowing = Comparison { allow_missing: true, ..plan(ComparisonDesign::Unpaired) };
    assert_eq!(compare(&allowing, &pre, &post, false).unwrap().judged[0].verdict, Outcome::Comparable);
    // 35 of 100 lies above the largest of the pre lots.
    assert_eq!((found.judged[1].verdict, found.judged[1].n_within), (Outcome::NotComparable, Some(3)));
    assert_eq!((found.judged[1].margin_low, found.judged[1].margin_high), (0.2, 0.3));
    assert_eq!(found.overall.verdict, Outcome::NotComparable);
    assert!(matches!(&found.warnings[0], Warning::AttributeMissing { lots, .. } if lots == &["b3"]));
    assert!(
        found.warnings.iter().any(|w| matches!(w, Warning::NoWholeTest { .. })),
        "no embedding, no test of the cells"
    );
    assert_eq!((found.whole.len(), found.whole[0].n_pre, found.whole[0].n_post), (1, 4, 4));
}

#[test]
fn pairs_meet_by_name_in_any_order() {
    let pre = lots("a", &["1.0", "2.0", "3.0", "9.0"], &["x", "y", "z", "alone"], &[20, 25, 30, 22]);
    let post = lots("b", &["3.2", "1.1", "2.1"], &["z", "x", "y"], &[21, 24, 26]);
    let found = compare(&plan(ComparisonDesign::Paired), &pre, &post, false).unwrap();
    let titer = &found.judged[0];
    assert_eq!((titer.n_pre, titer.n_post, titer.verdict), (3, 3, Outcome::Comparable));
    // Differences 0.1, 0.1, 0.2.
    assert!((titer.estimate - 0.4 / 3.0).abs() < 1e-12, "{}", titer.estimate);
    assert!(found.warnings.iter().any(|w| matches!(w, Warning::UnpairedLots { lots, .. } if lots == &["a4"])));
    // Three pairs have four different groupings: 0.25 is the smallest p, and that is said.
    let reach = found.warnings.iter().find(|w| matches!(w, Warning::WholeTestCannotReach { .. })).unwrap();
    assert!(reach.to_string().contains("0.250") && reach.to_string().contains("at least 6"), "{reach}");
}

#[test]
fn lots_of_one_donor_and_ranges_that_refuse_too_much_are_told() {
    let titers = ["1", "1.1", "0.9", "1"];
    let pre = lots("a", &titers, &["1", "2", "3", "4"], &[20, 25, 30, 22]);
    let post = lots("b", &titers, &["4", "5", "6", ""], &[21, 24, 26, 25]);
    let warnings = compare(&plan(ComparisonDesign::Unpaired), &pre, &post, false).unwrap().warnings;
    assert!(
        warnings.iter().any(|w| matches!(w, Warning::RepeatedDonor { n_lots: 7, n_donors: 6, .. })),
        "{warnings:?}"
    );
    // Four new lots all lie between the ends of four with a chance of 12 / 56.
    let refused = warnings.iter().find_map(|w| match w {
        Warning::RuleRefusesEqualLots { attribute, chance } => Some((attribute.as_str(), *chance)),
        _ => None,
    });
    let (attribute, chance) = refused.unwrap();
    assert!(attribute == "share of cluster 0" && (chance - 44.0 / 56.0).abs() < 0.06, "{chance}");
}

#[test]
fn five_pairs_cannot_reach_five_percent_and_six_can() {
    for (n, reaches) in [(5, false), (6, true)] {
        let donors: Vec<String> = (0..n).map(|i| i.to_string()).collect();
        let donors: Vec<&str> = donors.iter().map(String::as_str).collect();
        let titers = vec!["1"; n];
        let first: Vec<u64> = (0..n as u64).map(|i| 20 + i * i).collect();
        let moved: Vec<u64> = first.iter().map(|x| x + 30).collect();
        let (pre, post) = (lots("a", &titers, &donors, &first), lots("b", &titers, &donors, &moved));
        let found = compare(&plan(ComparisonDesign::Paired), &pre, &post, false).unwrap();
        assert_eq!(found.whole[0].found.smallest_p <= 0.05, reaches);
        let told = found.warnings.iter().any(|w| matches!(w, Warning::WholeTestCannotReach { .. }));
        assert_eq!(told, !reaches);
    }
}

#[test]
fn lots_clustered_apart_are_refused_and_lots_placed_otherwise_told() {
    let plan = plan(ComparisonDesign::Unpaired);
    let mapped = lots("a", &["1", "2", "3"], &["", "", ""], &[20, 30, 40]);
    let run = LotRecords { kind: RecordsKind::Run, ..mapped.clone() };
    let message = compare(&plan, &run, &run, false).unwrap_err().to_string();
    assert!(message.contains("clustered apart") && message.contains("cqa freeze"), "{message}");
    assert!(compare(&plan, &run, &run, true).is_ok());
    let found = compare(&plan, &run, &mapped, false).unwrap();
    assert!(found.warnings.contains(&Warning::PreLotsNotPlaced));
    assert!(compare(&plan, &mapped, &mapped, false).unwrap().warnings.iter().all(|w| *w != Warning::PreLotsNotPlaced));
    let placed_by = |hash: &str| LotRecords { reference: hash.into(), ..mapped.clone() };
    assert!(compare(&plan, &placed_by("a"), &placed_by("a"), false).is_ok());
    let message = compare(&plan, &placed_by("a"), &placed_by("b"), false).unwrap_err().to_string();
    assert!(message.contains("different references"), "{message}");
}

#[test]
fn pairs_that_are_no_pairs_are_refused() {
    let plan = plan(ComparisonDesign::Paired);
    let of = |donors: &[&str; 3]| lots("a", &["1", "2", "3"], donors, &[20, 30, 40]);
    let message = compare(&plan, &of(&["x", "x", "y"]), &of(&["x", "y", "z"]), false).unwrap_err().to_string();
    assert!(message.contains("a1 and a2 are both of pair `x`"), "{message}");
    let message = compare(&plan, &of(&["x", "y", "z"]), &of(&["u", "v", "w"]), false).unwrap_err().to_string();
    assert!(message.contains("share a value of `donor`"), "{message}");
}

#[test]
fn planned_characteristics_need_no_post_lots() {
    let mut plan = plan(ComparisonDesign::Unpaired);
    plan.n_post = Some(9);
    let pre = values(&plan, &lots("a", &["1.0", "1.2", "0.9", "1.1"], &["", "", "", ""], &[20, 25, 30, 22])).unwrap();
    let (rows, n) = planned(&plan, &pre);
    assert_eq!((n, rows[0].n_pre, rows[0].n_post, rows.len()), (9, 4, 9, 3 * 2 * SHIFTS.len()));
    plan.n_post = None;
    assert_eq!(planned(&plan, &pre).1, 4);
}

#[test]
fn a_post_lot_out_of_reference_forbids_comparable() {
    let pre = lots("a", &["1.0", "1.2", "0.9", "1.1"], &["1", "2", "3", "4"], &[20, 25, 30, 22]);
    let mut post = lots("b", &["1.1", "1.0", "1.05", "1.2"], &["5", "6", "7", "8"], &[21, 24, 26, 28]);
    let plan = plan(ComparisonDesign::Unpaired);
    assert_eq!(compare(&plan, &pre, &post, false).unwrap().overall.verdict, Outcome::Comparable);
    post.reasons = ["", "", "few cells", ""].map(String::from).to_vec();
    let found = compare(&plan, &pre, &post, false).unwrap();
    assert_eq!(found.overall.verdict, Outcome::Inconclusive);
    assert!(found.overall.missing.iter().any(|line| line.contains("out of reference") && line.contains("b3")));
    assert!(found.warnings.iter().any(|w| w.to_string() == "lot b3 is out of reference: few cells"));
    // One of the pre lots is told, and takes nothing away.
    let mut pre = pre;
    pre.reasons = ["x", "", "", ""].map(String::from).to_vec();
    let post = lots("b", &["1.1", "1.0", "1.05", "1.2"], &["5", "6", "7", "8"], &[21, 24, 26, 28]);
    let found = compare(&plan, &pre, &post, false).unwrap();
    assert_eq!(found.overall.verdict, Outcome::Comparable);
    assert!(found.warnings.iter().any(|w| w.to_string().contains("lot a1 is out of reference")));
}

#[test]
fn a_post_lot_without_its_pair_counts_as_missing() {
    let pre = lots("a", &["1.0", "2.0", "3.0", "2.5"], &["x", "y", "z", "w"], &[20, 25, 30, 22]);
    let post = lots("b", &["3.2", "1.1", "2.1", "9.9"], &["z", "x", "y", "nobody"], &[21, 24, 26, 29]);
    let found = compare(&plan(ComparisonDesign::Paired), &pre, &post, false).unwrap();
    assert_eq!((found.judged[0].n_post, found.judged[0].verdict), (3, Outcome::Inconclusive));
}
