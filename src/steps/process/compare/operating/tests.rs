use super::*;
use crate::data::{AttributeKind, AttributeTransform, Margin, WholeTests};

fn attribute(rule: Rule, side: Side, margin: Option<Margin>) -> Attribute {
    Attribute {
        kind: AttributeKind::Readout,
        name: "x".into(),
        cluster: "all".into(),
        potency: false,
        transform: AttributeTransform::None,
        side,
        rule,
        margin,
    }
}

fn comparison(design: ComparisonDesign, attributes: Vec<Attribute>) -> Comparison {
    Comparison {
        title: "x".into(),
        operator: String::new(),
        reason: String::new(),
        design,
        pair: String::new(),
        n_post: None,
        pair_correlation: 0.6,
        alpha: 0.05,
        multiplicity: Multiplicity::None,
        allow_missing: false,
        attributes,
        whole: WholeTests::default(),
        n_simulations: 20_000,
        seed: 1,
    }
}

fn margin(size: f64, unit: MarginUnit) -> Option<Margin> {
    Some(Margin { low: -size, high: size, unit })
}

fn range(range: Range) -> Rule {
    Rule::Range { range, share_within: 1.0, min_pre: 5 }
}

fn rows(design: ComparisonDesign, attribute: Attribute, n: (usize, usize), sd: f64) -> Vec<OperatingRow> {
    operating_at(&comparison(design, vec![attribute.clone()]), &attribute, 0.05, n, sd)
}

#[test]
fn counting_agrees_with_the_formulas_of_tost() {
    use ComparisonDesign::{Paired, Unpaired};
    for (design, pooled, n) in [(Unpaired, false, (6, 9)), (Unpaired, true, (6, 9)), (Paired, false, (7, 7))] {
        let attribute = attribute(Rule::Tost { pooled }, Side::Both, margin(3.0, MarginUnit::Absolute));
        let comparison = comparison(design, vec![attribute.clone()]);
        let study = Study::new(&comparison, &attribute, 0.05, n, 2.0);
        let counted = study.counted(20_000, 1);
        for (i, &shift) in SHIFTS.iter().enumerate() {
            let (exact, seen) = (study.exact(shift).unwrap(), counted[i][0] as f64 / 20_000.0);
            let error = (exact * (1.0 - exact) / 20_000.0).sqrt().max(1e-4);
            assert!((exact - seen).abs() < 4.0 * error, "{design:?} {pooled} {shift}: {exact} {seen}");
        }
        // At the margin the level is kept; beyond it a refusal at the margin is as rare.
        assert!(study.exact(1.0).unwrap() <= 0.05 + 1e-3);
        assert!(counted[2][1] as f64 / 20_000.0 <= 0.05 + 4.0 * 0.0016);
        let row = &operating_at(&comparison, &attribute, 0.05, n, 2.0)[2];
        assert!(row.exact && (row.difference - 3.0).abs() < 1e-12);
    }
}

#[test]
fn ranges_agree_with_what_is_known() {
    let at = |rule, side, n| rows(ComparisonDesign::Unpaired, attribute(rule, side, None), n, 1.7);
    let near = |seen: f64, known: f64| {
        assert!((seen - known).abs() < 4.0 * (known * (1.0 - known) / 20_000.0).sqrt(), "{seen} {known}")
    };
    // All of m new lots between the ends of n: both ends of all n + m are among the n.
    near(at(range(Range::MinMax), Side::Both, (8, 8))[0].comparable, 8.0 * 7.0 / (16.0 * 15.0));
    // The largest of all is among the n.
    near(at(range(Range::MinMax), Side::Upper, (8, 4))[0].comparable, 8.0 / 12.0);
    // One new lot within mean ± k SD of n: Student's t with n − 1 degrees of freedom beyond k / √(1 + 1/n).
    let student = StudentsT::new(0.0, 1.0, 9.0).unwrap();
    let within = |k: f64| 2.0 * student.cdf(k / 1.1_f64.sqrt()) - 1.0;
    near(at(range(Range::Quality { k: 2.0 }), Side::Both, (10, 1))[0].comparable, within(2.0));
    let tolerance = Range::Tolerance { coverage: 0.9, confidence: 0.95 };
    near(
        at(range(tolerance), Side::Both, (10, 1))[0].comparable,
        within(crate::math::tolerance::two_sided(10, 0.9, 0.95)),
    );
    for row in at(range(tolerance), Side::Lower, (10, 6)) {
        assert!((row.comparable + row.not_comparable - 1.0).abs() < 1e-12 && !row.exact && row.difference <= 0.0);
    }
    // Too few lots for a range: never comparable.
    assert!(at(range(Range::MinMax), Side::Both, (4, 4)).iter().all(|r| r.comparable + r.not_comparable == 0.0));
}

#[test]
fn a_margin_of_the_pre_lots_own_sd_does_not_depend_on_it() {
    let of = |sd| {
        rows(
            ComparisonDesign::Unpaired,
            attribute(Rule::Tost { pooled: false }, Side::Both, margin(1.5, MarginUnit::Sd)),
            (8, 8),
            sd,
        )
    };
    let (small, large) = (of(0.1), of(10.0));
    assert!(small.iter().zip(&large).all(|(a, b)| a.comparable == b.comparable && !a.exact && a.error > 0.0));
    assert!((large[2].difference - 15.0).abs() < 1e-12);
    // The margin is itself estimated, so the level is missed by a little.
    assert!((0.03..0.12).contains(&small[2].comparable), "{}", small[2].comparable);
}

#[test]
fn all_together_is_the_product_and_threads_do_not_matter() {
    let tost = attribute(Rule::Tost { pooled: false }, Side::Both, margin(1.5, MarginUnit::Absolute));
    let other = attribute(range(Range::MinMax), Side::Both, None);
    let plan = comparison(ComparisonDesign::Unpaired, vec![tost, other]);
    let pre = vec![vec![0.1, 0.9, -1.2, 0.4, 1.1, -0.6], vec![3.0, 4.0, 5.0, 2.0, 6.0, 7.0]];
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| operating(&plan, &pre, &[6, 5]))
    };
    let rows = run(1);
    // NaN differs from itself; written out, the rows must be the same.
    assert_eq!(format!("{rows:?}"), format!("{:?}", run(2)));
    let find = |attribute, shift| {
        rows.iter().find(|r| r.attribute == attribute && r.shift == shift && r.basis == SdBasis::Pre).unwrap()
    };
    for shift in SHIFTS {
        let (a, b, all) = (find(Some(0), shift), find(Some(1), shift), find(None, shift));
        assert!((all.comparable - a.comparable * b.comparable).abs() < 1e-15);
        assert!((all.not_comparable - (1.0 - (1.0 - a.not_comparable) * (1.0 - b.not_comparable))).abs() < 1e-12);
    }
    let upper = rows.iter().find(|r| r.attribute == Some(0) && r.basis == SdBasis::Upper).unwrap();
    assert!(upper.sd > find(Some(0), 0.0).sd && upper.comparable < find(Some(0), 0.0).comparable);
}

#[test]
fn what_has_no_spread_has_no_characteristics() {
    let flat = attribute(Rule::Tost { pooled: false }, Side::Both, margin(1.0, MarginUnit::Absolute));
    let plan = comparison(ComparisonDesign::Unpaired, vec![flat]);
    for pre in [vec![2.0; 5], vec![1.0], vec![]] {
        assert!(operating(&plan, &[pre], &[4]).iter().all(|row| row.comparable.is_nan()));
    }
    // One lot after: Welch has no error to go by.
    assert!(operating(&plan, &[vec![1.0, 2.0, 3.0]], &[1]).iter().all(|row| row.comparable == 0.0));
}
