use super::*;

fn row(r: f64, p_exact: f64, p_family: f64, loo: (f64, f64), n_lots: usize) -> AssociationRow {
    AssociationRow {
        column: "3".into(),
        n_lots,
        n_units: n_lots,
        r,
        rho: r,
        effect: r,
        p_exact,
        p_family,
        p_family_all: p_family,
        q: p_exact,
        ci_low: f64::NAN,
        ci_high: f64::NAN,
        loo_min: loo.0,
        loo_max: loo.1,
        most_influential: "L07".into(),
        slope: 1.0,
        intercept: 0.0,
        n_effective: n_lots,
        ranks: false,
    }
}

/// Without one lot: r, p alone, family-wise p and the lot's dominance.
fn lot(r: f64, p: f64, p_family: f64, dominance: f64) -> Influence {
    Influence {
        column: "3".into(),
        lot: "L07".into(),
        row: 6,
        r: 0.9,
        r_without: r,
        p_without: p,
        p_family_without: p_family,
        dominance,
    }
}

fn with(row: &AssociationRow, without: &[Influence], again: Option<&FoundAgain>) -> Judgement {
    judge(row, &without.iter().collect::<Vec<_>>(), again, &VerdictParams::default())
}

fn of(row: &AssociationRow, again: Option<&FoundAgain>) -> Judgement {
    with(row, &[], again)
}

const AGAIN: FoundAgain = FoundAgain { n_runs: 11, n_found: 11, r_min: 0.7, r_max: 0.9, same_sign: true };

#[test]
fn each_criterion_can_stand_in_the_way_of_support() {
    let clear = row(0.9, 0.001, 0.004, (0.8, 0.95), 11);
    assert_eq!(of(&clear, Some(&AGAIN)), Judgement { verdict: Verdict::Supported, why: vec![] });
    assert_eq!(of(&clear, Some(&AGAIN)).verdict, Verdict::Supported);

    let family = of(&row(0.7, 0.02, 0.08, (0.6, 0.8), 11), Some(&AGAIN));
    assert_eq!(family.verdict, Verdict::Suggestive);
    assert_eq!(family.why, [Reason::FamilyAbove { p: 0.08, alpha: 0.05 }]);
    assert_eq!(family.words(), "family-wise p is 0.080, above 0.05");

    let turns = of(&row(0.9, 0.001, 0.004, (-0.1, 0.95), 11), Some(&AGAIN));
    assert_eq!(turns.verdict, Verdict::CannotConclude);
    assert!(matches!(&turns.why[0], Reason::SignTurns { lot, .. } if lot == "L07"));

    let lost = of(&clear, Some(&FoundAgain { n_found: 8, ..AGAIN }));
    assert_eq!(lost.why, [Reason::NotFoundAgain { n_found: 8, n_runs: 11 }]);
    assert_eq!(
        (lost.verdict, of(&clear, Some(&FoundAgain { n_found: 9, ..AGAIN })).why.len()),
        (Verdict::Suggestive, 0)
    );

    let unknown = of(&clear, None);
    assert_eq!(unknown, Judgement { verdict: Verdict::Suggestive, why: vec![Reason::NotRepeated] });

    let others = of(&AssociationRow { p_family_all: 0.06, ..clear.clone() }, Some(&AGAIN));
    assert_eq!(others.why, [Reason::AllReadoutsAbove { p: 0.06, alpha: 0.05 }]);
    assert_eq!(others.verdict, Verdict::Suggestive);

    let anew = of(&clear, Some(&FoundAgain { r_min: -0.2, same_sign: false, ..AGAIN }));
    assert_eq!((anew.verdict, &anew.why[0]), (Verdict::Suggestive, &Reason::SignTurnsAnew { low: -0.2, high: 0.9 }));
}

#[test]
fn one_lot_makes_no_support() {
    let clear = row(0.9, 0.001, 0.004, (0.5, 0.95), 11);
    assert_eq!(with(&clear, &[lot(0.8, 0.02, 0.2, 0.4)], Some(&AGAIN)).verdict, Verdict::Supported);
    let rests = with(&clear, &[lot(0.8, 0.02, 0.2, 0.4), lot(0.5, 0.11, 0.6, 0.4)], Some(&AGAIN));
    assert_eq!(rests.why, [Reason::RestsOnOneLot { lot: "L07".into(), r: 0.5, p: 0.11, alpha: 0.05 }]);
    assert_eq!(rests.verdict, Verdict::Suggestive);
    // A dominant lot: without it the family-wise p must hold for support, p alone for a suggestion.
    assert_eq!(with(&clear, &[lot(0.8, 0.002, 0.02, 0.8)], Some(&AGAIN)).verdict, Verdict::Supported);
    let dominated = with(&clear, &[lot(0.7, 0.02, 0.2, 0.8)], Some(&AGAIN));
    assert_eq!((dominated.verdict, dominated.why.len()), (Verdict::Suggestive, 1));
    assert!(matches!(dominated.why[0], Reason::RestsOnDominantLot { p: 0.2, dominance: 0.8, .. }));
    assert_eq!(with(&clear, &[lot(0.3, 0.4, 0.9, 0.8)], Some(&AGAIN)).verdict, Verdict::CannotConclude);
    // What can't be tested is not shown.
    assert_eq!(with(&clear, &[lot(0.9, f64::NAN, f64::NAN, 0.2)], Some(&AGAIN)).verdict, Verdict::Suggestive);
    assert_eq!(with(&clear, &[lot(0.9, f64::NAN, f64::NAN, 0.9)], Some(&AGAIN)).verdict, Verdict::CannotConclude);
}

#[test]
fn absence_needs_lots() {
    // Around r = 0 the 90 % interval is ±0.52 with 11 lots and ±0.38 with 20.
    let eleven = of(&row(0.0, 0.99, 1.0, (-0.1, 0.1), 11), Some(&AGAIN));
    assert_eq!(eleven.verdict, Verdict::CannotConclude);
    assert!(matches!(eleven.why.last(), Some(Reason::NotExcluded { high, .. }) if (high - 0.5237).abs() < 1e-3));
    assert_eq!(of(&row(0.05, 0.9, 1.0, (-0.1, 0.2), 20), Some(&AGAIN)).verdict, Verdict::NoAssociation);
    assert_eq!(of(&row(0.2, 0.4, 0.9, (0.1, 0.3), 20), Some(&AGAIN)).verdict, Verdict::CannotConclude);
    // One lot that hides an association excludes nothing.
    assert_eq!(of(&row(0.05, 0.9, 1.0, (-0.1, 0.6), 20), Some(&AGAIN)).verdict, Verdict::CannotConclude);
}

#[test]
fn without_a_correlation_nothing_is_said() {
    let none = of(&row(f64::NAN, 1.0, 1.0, (f64::NAN, f64::NAN), 11), Some(&AGAIN));
    assert_eq!(none, Judgement { verdict: Verdict::CannotConclude, why: vec![Reason::NoCorrelation] });
    // Three lots: nothing is left when one is taken out.
    assert_eq!(of(&row(1.0, 0.01, 0.01, (f64::NAN, f64::NAN), 3), Some(&AGAIN)).verdict, Verdict::CannotConclude);
}

#[test]
fn parameters_are_checked() {
    for bad in [
        VerdictParams { alpha: 0.5, ..Default::default() },
        VerdictParams { alpha: f64::NAN, ..Default::default() },
        VerdictParams { delta: 1.0, ..Default::default() },
        VerdictParams { max_dominance: 1.5, ..Default::default() },
        VerdictParams { min_jaccard: -0.1, ..Default::default() },
        VerdictParams { min_found: 1.1, ..Default::default() },
    ] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
}
