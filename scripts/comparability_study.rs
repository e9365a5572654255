//! How often each verdict comes in simulated studies, beside the chance that `cqa compare` prints; run by
//! `scripts/comparability_study`.
//!
//! `cargo run --release --example comparability_study -- [STUDIES]` prints tab-separated lines in three parts: one attribute
//! (condition, lots, true difference in margins, rates seen and printed with their distance in standard errors), a plan of
//! three attributes, and what is printed from the pre lots of single studies.

use cqa::data::{
    Attribute, AttributeKind, AttributeTransform, Comparison, ComparisonDesign, Margin, MarginUnit, Multiplicity,
    Range, Rule, Side, WholeTests,
};
use cqa::simulate::{ChangeParams, simulate_change};
use cqa::steps::process::Outcome;
use cqa::steps::process::compare::{Groups, Overall, attribute_values, judge, mean_sd, operating, operating_at};
use rayon::prelude::*;

const ALPHA: f64 = 0.05;

fn main() {
    let n_studies: u64 = std::env::args().nth(1).map_or(4_000, |text| text.parse().expect("a number of studies"));
    println!("condition\tpre\tpost\ttrue\tcomparable\tprinted\tz\tnot_comparable\tprinted\tz");
    for (name, design, n, attribute) in conditions() {
        one_attribute(name, design, n, attribute, n_studies);
    }
    println!("\nplan of three attributes\ttrue\tcomparable\tprinted\tnot_comparable\tprinted");
    three_attributes(n_studies);
    println!(
        "\nprinted from single studies\tpre\tpost\ttrue chance\tmedian\tlower 10 %\tupper 10 %\tmedian at upper SD\tstudies where that is above the true chance"
    );
    single_studies(400);
}

fn tost(margin: f64, unit: MarginUnit, pooled: bool, side: Side) -> (Rule, Option<Margin>, Side) {
    let low = if side == Side::Upper { f64::NEG_INFINITY } else { -margin };
    let high = if side == Side::Lower { f64::INFINITY } else { margin };
    (Rule::Tost { pooled }, Some(Margin { low, high, unit }), side)
}

fn range(range: Range, share_within: f64) -> (Rule, Option<Margin>, Side) {
    (Rule::Range { range, share_within, min_pre: 5 }, None, Side::Both)
}

fn share_of_first((rule, margin, side): (Rule, Option<Margin>, Side)) -> Attribute {
    attribute(AttributeKind::ClusterShare, "0", AttributeTransform::Logit, rule, margin, side)
}

fn titer((rule, margin, side): (Rule, Option<Margin>, Side)) -> Attribute {
    attribute(AttributeKind::Readout, "titer", AttributeTransform::Log, rule, margin, side)
}

fn attribute(
    kind: AttributeKind,
    name: &str,
    transform: AttributeTransform,
    rule: Rule,
    margin: Option<Margin>,
    side: Side,
) -> Attribute {
    let potency = kind == AttributeKind::Readout;
    Attribute { kind, name: name.into(), cluster: "all".into(), potency, transform, side, rule, margin }
}

type Condition = (&'static str, ComparisonDesign, (usize, usize), Attribute);

fn conditions() -> Vec<Condition> {
    use ComparisonDesign::{History, Paired, Unpaired};
    use MarginUnit::{Absolute, Sd};
    let (both, lower) = (Side::Both, Side::Lower);
    let tolerance = Range::Tolerance { coverage: 0.95, confidence: 0.95 };
    vec![
        ("share, tost, Welch", Unpaired, (6, 6), share_of_first(tost(0.9, Absolute, false, both))),
        ("share, tost, Welch", Unpaired, (12, 8), share_of_first(tost(0.7, Absolute, false, both))),
        ("share, tost, pooled", Unpaired, (6, 6), share_of_first(tost(0.9, Absolute, true, both))),
        ("share, tost, margin 1.5 SD of the pre lots", Unpaired, (10, 10), share_of_first(tost(1.5, Sd, false, both))),
        ("share, tost, pairs", Paired, (8, 8), share_of_first(tost(0.5, Absolute, false, both))),
        ("titer, tost, ratio, must not fall", Unpaired, (8, 8), titer(tost(0.25, Absolute, false, lower))),
        ("titer, tost, pairs", Paired, (6, 6), titer(tost(0.25, Absolute, false, both))),
        ("share, quality range, k = 3", Unpaired, (10, 6), share_of_first(range(Range::Quality { k: 3.0 }, 1.0))),
        (
            "share, quality range, k = 2, 80 % within",
            Unpaired,
            (10, 10),
            share_of_first(range(Range::Quality { k: 2.0 }, 0.8)),
        ),
        ("share, tolerance 95/95, history", History, (12, 3), share_of_first(range(tolerance, 1.0))),
        ("share, smallest to largest", Unpaired, (12, 4), share_of_first(range(Range::MinMax, 1.0))),
        ("share, smallest to largest, pairs", Paired, (8, 8), share_of_first(range(Range::MinMax, 1.0))),
    ]
}

fn comparison(design: ComparisonDesign, attributes: Vec<Attribute>) -> Comparison {
    Comparison {
        title: "study".into(),
        operator: String::new(),
        reason: String::new(),
        design,
        pair: "donor".into(),
        n_post: None,
        pair_correlation: 0.6,
        alpha: ALPHA,
        multiplicity: Multiplicity::None,
        allow_missing: false,
        attributes,
        whole: WholeTests { composition: false, distribution: false, ..WholeTests::default() },
        n_simulations: 200_000,
        seed: 11,
    }
}

fn params(design: ComparisonDesign, (n_pre, n_post): (usize, usize)) -> ChangeParams {
    let paired = (design == ComparisonDesign::Paired).then_some(0.6);
    ChangeParams { n_pre, n_post, paired, ..ChangeParams::default() }
}

/// Standard deviation between lots as they are counted.
fn true_sd(attribute: &Attribute) -> f64 {
    let many = ChangeParams { n_pre: 200_000, n_post: 1, ..ChangeParams::default() };
    mean_sd(&attribute_values(&simulate_change(&many, 5).0, attribute).expect("simulated lots have it")).1
}

fn study(comparison: &Comparison, params: &ChangeParams, seed: u64) -> (Vec<Outcome>, Overall, Vec<Groups>) {
    let (pre, post) = simulate_change(params, seed);
    let values = |records, attribute| attribute_values(records, attribute).expect("simulated lots have it");
    let groups: Vec<Groups> = comparison
        .attributes
        .iter()
        .map(|a| Groups { pre: values(&pre, a), post: values(&post, a), n_missing: 0 })
        .collect();
    let (judged, overall) = judge(comparison, &groups);
    (judged.iter().map(|one| one.verdict).collect(), overall, groups)
}

/// Changes what the attribute measures by a difference on its scale.
fn changed(attribute: &Attribute, params: ChangeParams, difference: f64) -> ChangeParams {
    match attribute.kind {
        AttributeKind::Readout => ChangeParams { titer_shift: difference, ..params },
        _ => ChangeParams { shift: difference, ..params },
    }
}

fn z(seen: f64, printed: f64, error: f64, n: u64) -> f64 {
    let sampling = (printed * (1.0 - printed) / n as f64).max(1.0 / (n * n) as f64);
    (seen - printed) / (sampling + error * error).sqrt()
}

fn one_attribute(name: &str, design: ComparisonDesign, n: (usize, usize), attribute: Attribute, n_studies: u64) {
    let comparison = comparison(design, vec![attribute.clone()]);
    for row in operating_at(&comparison, &attribute, ALPHA, n, true_sd(&attribute)) {
        let params = changed(&attribute, params(design, n), row.difference);
        let verdicts: Vec<Outcome> =
            (0..n_studies).into_par_iter().map(|seed| study(&comparison, &params, seed).0[0]).collect();
        let share = |of| verdicts.iter().filter(|v| **v == of).count() as f64 / n_studies as f64;
        let (yes, no) = (share(Outcome::Comparable), share(Outcome::NotComparable));
        println!(
            "{name}\t{}\t{}\t{}\t{yes:.3}\t{:.3}\t{:+.1}\t{no:.3}\t{:.3}\t{:+.1}",
            n.0,
            n.1,
            row.shift,
            row.comparable,
            z(yes, row.comparable, row.error, n_studies),
            row.not_comparable,
            z(no, row.not_comparable, row.error, n_studies)
        );
    }
}

fn three_attributes(n_studies: u64) {
    use MarginUnit::Absolute;
    let second = Attribute { name: "1".into(), ..share_of_first(tost(0.9, Absolute, false, Side::Both)) };
    let attributes = vec![
        titer(tost(0.35, Absolute, false, Side::Both)),
        share_of_first(tost(0.9, Absolute, false, Side::Both)),
        second,
    ];
    let n = (8, 8);
    let plan = comparison(ComparisonDesign::Unpaired, attributes);
    let chances: Vec<_> = plan.attributes.iter().map(|a| operating_at(&plan, a, ALPHA, n, true_sd(a))).collect();
    for (words, shifts) in [
        ("nothing changed", [0, 0, 0]),
        ("potency off by its margin", [2, 0, 0]),
        ("cluster 0 off by its margin", [0, 2, 0]),
        ("potency and cluster 0 off by one and a half margins", [3, 3, 0]),
    ] {
        let mut params = params(ComparisonDesign::Unpaired, n);
        params.titer_shift = chances[0][shifts[0]].difference;
        params.shift = chances[1][shifts[1]].difference;
        let found: Vec<Outcome> =
            (0..n_studies).into_par_iter().map(|seed| study(&plan, &params, seed).1.verdict).collect();
        let share = |of| found.iter().filter(|v| **v == of).count() as f64 / n_studies as f64;
        let yes: f64 = chances.iter().zip(shifts).map(|(rows, shift)| rows[shift].comparable).product();
        let no =
            1.0 - chances.iter().zip(shifts).map(|(rows, shift)| 1.0 - rows[shift].not_comparable).product::<f64>();
        println!(
            "{words}\t\t{:.3}\t{yes:.3}\t{:.3}\t{no:.3}",
            share(Outcome::Comparable),
            share(Outcome::NotComparable)
        );
    }
}

/// What a user sees: chances from the standard deviation of few pre lots.
fn single_studies(n_studies: u64) {
    for (name, design, n, attribute) in conditions().into_iter().take(2) {
        let mut plan = comparison(design, vec![attribute.clone()]);
        let truth = operating_at(&plan, &attribute, ALPHA, n, true_sd(&attribute))[0].comparable;
        plan.n_simulations = 1_000;
        let printed: Vec<(f64, f64)> = (0..n_studies)
            .into_par_iter()
            .map(|seed| {
                let groups = study(&plan, &params(design, n), seed).2;
                let rows = operating(&plan, &[groups[0].pre.clone()], &[n.1]);
                (rows[0].comparable, rows[4].comparable)
            })
            .collect();
        let quantile = |of: fn(&(f64, f64)) -> f64, at: f64| {
            let mut values: Vec<f64> = printed.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[(at * (values.len() - 1) as f64).round() as usize]
        };
        let above = printed.iter().filter(|p| p.1 > truth).count() as f64 / n_studies as f64;
        println!(
            "{name}\t{}\t{}\t{truth:.3}\t{:.3}\t{:.3}\t{:.3}\t{:.3}\t{above:.3}",
            n.0,
            n.1,
            quantile(|p| p.0, 0.5),
            quantile(|p| p.0, 0.1),
            quantile(|p| p.0, 0.9),
            quantile(|p| p.1, 0.5)
        );
    }
}
