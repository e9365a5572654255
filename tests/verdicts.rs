//! Promise: verdicts say what was planted, and one lot alone never makes an association *supported*.

use cqa::simulate::{ShareParams, simulate_shares};
use cqa::steps::lots::{
    Association, AssociationParams, Judgement, Reason, Verdict, VerdictParams, association, influence, verdicts,
};

const N_STUDIES: u64 = 200;

/// Associations and verdicts of a simulated study; fewer random orders than by default, for time.
fn study(params: &ShareParams, seed: u64) -> (Association, Vec<Judgement>) {
    let (table, readout) = simulate_shares(params, seed);
    let test = AssociationParams { max_exact_lots: 6, n_permutations: 1_999, ..Default::default() };
    let associate = |values: &[f64]| association(&table, "potency", values, &test, seed);
    let result = associate(&readout).unwrap();
    let without = influence(&table, &result, associate);
    let judged = verdicts(&result, &without, None, &VerdictParams::default()).unwrap();
    (result, judged)
}

/// Share of studies whose potent cluster (the first) is judged so.
fn share(params: &ShareParams, verdict: Verdict) -> f64 {
    let judged = (0..N_STUDIES).filter(|&seed| study(params, seed).1[0].verdict == verdict).count();
    judged as f64 / N_STUDIES as f64
}

#[test]
fn a_strong_association_is_supported() {
    let strong = ShareParams { rho: 0.97, ..Default::default() };
    let supported = share(&strong, Verdict::Supported);
    assert!(supported >= 0.9, "{supported}");
}

#[test]
fn a_weak_association_cannot_be_concluded() {
    let weak = ShareParams { rho: 0.1, ..Default::default() };
    let open = share(&weak, Verdict::CannotConclude);
    assert!(open >= 0.9, "{open}");
    assert_eq!(share(&weak, Verdict::NoAssociation), 0.0, "eleven lots exclude nothing");
}

#[test]
fn without_association_few_studies_support_any_cluster() {
    let null = ShareParams { rho: 0.0, ..Default::default() };
    let any = (0..N_STUDIES).filter(|&seed| study(&null, seed).1.iter().any(|j| j.verdict == Verdict::Supported));
    // Binomial limit of 200 studies at 5 %, at odds of 1 in 100.
    let any = any.count();
    assert!(any <= 18, "{any}");
}

#[test]
fn one_lot_alone_never_makes_support() {
    for outlier in [5.0, 8.0, 15.0] {
        let params = ShareParams { rho: 0.0, outlier, ..Default::default() };
        let (mut n_supported, mut n_within_level, mut n_named) = (0, 0, 0);
        for seed in 0..N_STUDIES {
            let (result, judged) = study(&params, seed);
            n_within_level += u64::from(result.rows[0].p_family <= 0.05);
            let names_it = |reason: &Reason| match reason {
                Reason::RestsOnDominantLot { lot, .. } | Reason::RestsOnOneLot { lot, .. } => lot == "L0",
                _ => false,
            };
            n_named += u64::from(result.rows[0].p_family <= 0.05 && judged[0].why.iter().any(names_it));
            if judged[0].verdict == Verdict::Supported {
                // Then the other ten lots show it by themselves, as one null study in 160 does.
                n_supported += 1;
                let (table, mut readout) = simulate_shares(&params, seed);
                readout[0] = f64::NAN;
                let others = association(&table, "potency", &readout, &AssociationParams::default(), seed).unwrap();
                assert!(others.rows[0].p_family <= 0.055, "{:?}", others.rows[0]);
            }
        }
        assert!(n_within_level >= N_STUDIES / 10, "the outlier deceives the test alone: {n_within_level}");
        assert!(n_supported <= N_STUDIES / 50, "{n_supported} at {outlier}");
        assert!(n_named + n_supported >= n_within_level, "the lot is named: {n_named} of {n_within_level}");
    }
}

#[test]
fn enough_lots_exclude_an_association() {
    let null = ShareParams { n_lots: 60, rho: 0.0, ..Default::default() };
    let absent = (0..40).filter(|&seed| study(&null, seed).1[0].verdict == Verdict::NoAssociation).count();
    assert!(absent >= 34, "{absent} of 40");
    // At the smallest correlation that matters it is said in one study of twenty.
    let matters = ShareParams { n_lots: 60, rho: 0.5, n_cells: 100_000, ..Default::default() };
    let wrong = (0..100).filter(|&seed| study(&matters, seed).1[0].verdict == Verdict::NoAssociation).count();
    assert!(wrong <= 10, "{wrong} of 100");
}
