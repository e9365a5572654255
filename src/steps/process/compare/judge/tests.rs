use super::*;
use crate::data::{AttributeKind, AttributeTransform, Margin, MarginUnit, Range, Side, WholeTests};

fn attribute(name: &str, rule: Rule, margin: f64) -> Attribute {
    Attribute {
        kind: AttributeKind::Readout,
        name: name.into(),
        cluster: "all".into(),
        potency: name == "titer",
        transform: AttributeTransform::None,
        side: Side::Both,
        rule,
        margin: (margin > 0.0).then_some(Margin { low: -margin, high: margin, unit: MarginUnit::Absolute }),
    }
}

fn comparison(multiplicity: Multiplicity, attributes: Vec<Attribute>) -> Comparison {
    Comparison {
        title: "x".into(),
        operator: String::new(),
        reason: String::new(),
        design: ComparisonDesign::Unpaired,
        pair: String::new(),
        n_post: None,
        pair_correlation: 0.5,
        alpha: 0.05,
        multiplicity,
        allow_missing: false,
        attributes,
        whole: WholeTests::default(),
        n_simulations: 1_000,
        seed: 0,
    }
}

const TOST: Rule = Rule::Tost { pooled: false };

/// Five lots around 0 and around a shift, standard deviation 1.
fn shifted(shift: f64) -> Groups {
    let base = [-1.2649, -0.6325, 0.0, 0.6325, 1.2649];
    Groups { pre: base.to_vec(), post: base.map(|x| x + shift).to_vec(), n_missing: 0 }
}

fn verdicts(multiplicity: Multiplicity, margins: &[f64], shifts: &[f64]) -> (Vec<Outcome>, Overall) {
    let attributes = margins.iter().enumerate().map(|(i, &m)| attribute(if i == 0 { "titer" } else { "x" }, TOST, m));
    let groups: Vec<Groups> = shifts.iter().map(|&s| shifted(s)).collect();
    let (judged, overall) = judge(&comparison(multiplicity, attributes.collect()), &groups);
    (judged.iter().map(|one| one.verdict).collect(), overall)
}

#[test]
fn an_interval_within_beyond_and_across_the_margin() {
    // Half of the 90 % interval: 1.8595 · √(2 / 5) = 1.176.
    use Outcome::{Comparable, Inconclusive, NotComparable};
    let one = |margin, shift| verdicts(Multiplicity::None, &[margin], &[shift]).0[0];
    assert_eq!(one(1.2, 0.0), Comparable);
    assert_eq!(one(1.15, 0.0), Inconclusive);
    assert_eq!(one(1.2, 0.05), Inconclusive);
    assert_eq!(one(0.5, 1.65), Inconclusive);
    assert_eq!(one(0.5, 1.70), NotComparable);
    assert_eq!(one(0.5, -1.70), NotComparable);
    assert_eq!(one(0.5, 1.0), Inconclusive);
}

#[test]
fn one_sided_margins_let_the_other_side_go() {
    let mut lower = attribute("titer", TOST, 1.2);
    lower.side = Side::Lower;
    lower.margin = Some(Margin { low: -1.2, high: f64::INFINITY, unit: MarginUnit::Absolute });
    let of = |shift: f64| judge(&comparison(Multiplicity::None, vec![lower.clone()]), &[shifted(shift)]).0[0].clone();
    assert_eq!(of(40.0).verdict, Outcome::Comparable);
    assert!(of(40.0).reason.contains("from -1.2 up"), "{}", of(40.0).reason);
    assert_eq!(of(-40.0).verdict, Outcome::NotComparable);
}

#[test]
fn corrections_ask_for_more() {
    use Outcome::{Comparable, Inconclusive};
    // p of the two attributes: about 0.019 (margin 1.6) and 0.038 (margin 1.3).
    let both = |multiplicity| verdicts(multiplicity, &[1.6, 1.3], &[0.0, 0.0]).0;
    assert_eq!(both(Multiplicity::None), [Comparable, Comparable]);
    assert_eq!(both(Multiplicity::Bonferroni), [Comparable, Inconclusive]);
    // By Holm the smaller p passes at 0.025, the other one then at 0.05.
    assert_eq!(both(Multiplicity::Holm), [Comparable, Comparable]);
    assert_eq!(verdicts(Multiplicity::Holm, &[1.3, 1.3], &[0.0, 0.0]).0, [Inconclusive, Inconclusive]);
    let groups = [shifted(0.0), shifted(0.0)];
    let attributes = vec![attribute("titer", TOST, 1.6), attribute("x", TOST, 1.3)];
    let (judged, _) = judge(&comparison(Multiplicity::Holm, attributes), &groups);
    assert_eq!((judged[0].alpha, judged[1].alpha), (0.025, 0.05));
}

#[test]
fn ranges_count_lots() {
    let range = |min_pre, share_within| Rule::Range { range: Range::MinMax, share_within, min_pre };
    let of = |rule, groups: Groups| {
        judge(&comparison(Multiplicity::None, vec![attribute("titer", rule, 0.0)]), &[groups]).0[0].clone()
    };
    assert_eq!(of(range(5, 1.0), shifted(0.0)).verdict, Outcome::Comparable);
    // One lot of five leaves the range.
    let one_out = of(range(5, 1.0), shifted(0.5));
    assert_eq!((one_out.verdict, one_out.n_within), (Outcome::NotComparable, Some(4)));
    assert!(one_out.reason.contains("4 of 5") && one_out.reason.contains("5 are needed"), "{}", one_out.reason);
    assert_eq!(of(range(5, 0.8), shifted(0.5)).verdict, Outcome::Comparable);
    let few = of(range(6, 1.0), shifted(0.0));
    assert_eq!((few.verdict, few.n_within), (Outcome::Inconclusive, None));
    let flat = Groups { pre: vec![1.0; 5], post: vec![1.0; 5], n_missing: 0 };
    assert_eq!(of(range(5, 1.0), flat).verdict, Outcome::Inconclusive);
    assert_eq!(of(range(5, 1.0), Groups { post: Vec::new(), ..shifted(0.0) }).verdict, Outcome::Inconclusive);
}

#[test]
fn nothing_to_compare_is_inconclusive_and_never_panics() {
    for (pre, post) in
        [(vec![], vec![]), (vec![1.0], vec![2.0]), (vec![1.0, 1.0], vec![1.0, 1.0]), (vec![1.0, 2.0], vec![])]
    {
        let groups = Groups { pre, post, n_missing: 0 };
        let (judged, overall) = judge(&comparison(Multiplicity::Holm, vec![attribute("titer", TOST, 1.0)]), &[groups]);
        assert_eq!((judged[0].verdict, overall.verdict), (Outcome::Inconclusive, Outcome::Inconclusive));
        assert!(!judged[0].reason.is_empty());
    }
}

#[test]
fn the_whole_needs_every_attribute_and_potency() {
    let all = |shifts: &[f64]| verdicts(Multiplicity::None, &vec![1.3; shifts.len()], shifts).1;
    assert_eq!(all(&[0.0, 0.0]).verdict, Outcome::Comparable);
    assert_eq!(all(&[0.0, 1.0]).verdict, Outcome::Inconclusive);
    let refused = all(&[1.0, 5.0]);
    assert_eq!(refused.verdict, Outcome::NotComparable);
    assert!(refused.missing[0].contains('x') && refused.missing[1].contains("titer"));
    // Without potency everything may agree, and still nothing is claimed.
    let (judged, overall) = judge(&comparison(Multiplicity::None, vec![attribute("x", TOST, 1.3)]), &[shifted(0.0)]);
    assert_eq!(
        (judged[0].verdict, overall.verdict, overall.potency_tested),
        (Outcome::Comparable, Outcome::Inconclusive, false)
    );
    assert!(overall.missing[0].contains("potency was not tested"));
}

#[test]
fn ranges_count_a_missing_lot_as_not_within_or_say_that_it_decides() {
    let verdict = |within: usize, beyond: usize, n_missing: usize, share_within: f64| {
        let post = [vec![3.0; within], vec![99.0; beyond]].concat();
        let groups = Groups { pre: vec![1.0, 2.0, 3.0, 4.0, 5.0], post, n_missing };
        let rule = Rule::Range { range: Range::MinMax, share_within, min_pre: 5 };
        judge(&comparison(Multiplicity::None, vec![attribute("titer", rule, 0.0)]), &[groups]).0[0].verdict
    };
    assert_eq!(verdict(5, 0, 0, 1.0), Outcome::Comparable);
    assert_eq!(verdict(5, 0, 1, 1.0), Outcome::Inconclusive);
    // Enough lie within whatever the missing one is; too few do whatever it is.
    assert_eq!(verdict(9, 0, 1, 0.9), Outcome::Comparable);
    assert_eq!(verdict(4, 1, 1, 1.0), Outcome::NotComparable);
}
