//! Promise: verdicts say what was planted, and one lot alone never makes an association *supported*.

use cqa::data::{Dataset, SheetColumn};
use cqa::io::ReadLots;
use cqa::pipeline::{self, Analysis, Params};
use cqa::progress::Silent;
use cqa::simulate::{ShareParams, SimulateParams, Simulated, Truth, simulate, simulate_shares};
use cqa::steps::lots::{
    Association, AssociationParams, FoundAgain, Judgement, Reason, Verdict, VerdictParams, association, influence,
    verdicts,
};

const N_STUDIES: u64 = 200;

/// Associations and verdicts of a simulated study; fewer random orders than by default, for time.
fn study(params: &ShareParams, seed: u64) -> (Association, Vec<Judgement>) {
    let (table, readout) = simulate_shares(params, seed);
    let test = AssociationParams { max_exact_lots: 6, n_permutations: 1_999, ..Default::default() };
    let associate = |values: &[f64]| association(&table, "potency", values, &test, seed);
    let result = associate(&readout).unwrap();
    let without = influence(&table, &result, associate);
    // The clusters are given, so they are there without any lot.
    let again: Vec<FoundAgain> = result.rows.iter().map(FoundAgain::given).collect();
    let judged = verdicts(&result, &without, Some(&again), &VerdictParams::default()).unwrap();
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

/// The rates of the guide's table on far lots, with the most that 200 studies may have at odds of 1 in 1,000.
#[test]
fn far_lots_are_supported_as_rarely_as_the_guide_says() {
    for (outlier, rate, most) in [(2.0, 0.007, 6), (3.0, 0.015, 10), (4.0, 0.003, 4)] {
        let params = ShareParams { rho: 0.0, outlier, ..Default::default() };
        let n = (0..N_STUDIES).filter(|&seed| study(&params, seed).1[0].verdict == Verdict::Supported).count();
        assert!(n <= most, "{n} of {N_STUDIES} at {outlier} standard deviations, where {rate} was told");
    }
}

/// The whole road with cells, from lots to verdicts.
#[test]
fn planted_truth_is_judged_right_on_the_whole_road() {
    let planted = SimulateParams {
        n_cells: 300,
        n_genes: 2500,
        depth: 12_000.0,
        population_effect: 0.9,
        potency_rho: 0.97,
        ..Default::default()
    };
    let Simulated { dataset, truth } = simulate(&planted).unwrap();
    let (analysis, potent) = clustered(dataset.clone(), &truth);
    let judged = |readout: &str| {
        let ranked = pipeline::rank_by(&analysis, readout, &quick(), &Silent).unwrap();
        (ranked.verdicts[potent].clone(), ranked.association.rows[potent].clone())
    };
    assert_eq!(analysis.leave_one_out.as_ref().unwrap().runs.len(), 11);
    let (verdict, row) = judged(&truth.readout);
    assert!(verdict.verdict == Verdict::Supported && row.effect > 0.8, "{verdict:?} {row:?}");
    let (verdict, row) = judged("ido_activity");
    assert!(verdict.verdict == Verdict::CannotConclude, "{verdict:?} {row:?}");
}

/// The first lot holds little but potent cells and has a readout far from the others', which are noise: over many such
/// readouts the test alone is deceived, the verdict is not.
#[test]
fn a_lot_far_out_in_cells_and_readout_is_never_supported() {
    let planted =
        SimulateParams { n_cells: 300, n_genes: 2500, depth: 12_000.0, population_effect: 0.9, ..Default::default() };
    let Simulated { dataset, truth } = simulate(&planted).unwrap();
    let mut n_others = 0;
    let keep: Vec<bool> = (0..dataset.n_cells())
        .map(|cell| {
            let other = cell < dataset.offsets()[1] && truth.population[cell] != truth.potent;
            n_others += usize::from(other);
            !(other && n_others % 12 > 0)
        })
        .collect();
    let (mut analysis, potent) = clustered(dataset.select_cells(&keep), &truth);
    let shares = analysis.composition.share.column(potent).to_vec();
    assert!(shares[1..].iter().all(|share| shares[0] > 1.7 * share), "{shares:?}");
    let noise = |draw: usize, lot: usize| ((draw * 31 + lot * 17 + draw * lot * 7) % 23) as f64 / 23.0;
    let (mut n_deceived, mut n_named) = (0, 0);
    for draw in 0..20 {
        let value = |lot: usize| if lot == 0 { 4.0 } else { noise(draw, lot) };
        let values = (0..11).map(|lot| format!("{}", value(lot))).collect();
        analysis.sheet.columns.retain(|column| column.name != "deceiving");
        analysis.sheet.columns.push(SheetColumn { name: "deceiving".into(), values });
        let ranked = pipeline::rank_by(&analysis, "deceiving", &quick(), &Silent).unwrap();
        let judged = &ranked.verdicts[potent];
        assert_ne!(judged.verdict, Verdict::Supported, "{judged:?}");
        if ranked.association.rows[potent].p_family <= 0.05 {
            n_deceived += 1;
            let named = |why: &Reason| matches!(why, Reason::RestsOnDominantLot { lot, .. } if *lot == analysis.sheet.lots[0].lot);
            n_named += usize::from(judged.why.iter().any(named));
        }
    }
    assert!(n_deceived > 0 && n_named == n_deceived, "{n_named} of {n_deceived}");
}

/// The road without what has no bearing on the verdicts, and the cluster of the potent cells.
fn clustered(dataset: Dataset, truth: &Truth) -> (Analysis, usize) {
    let mut params = Params::default();
    params.umap.enabled = false;
    params.doublets.enabled = false;
    params.sensitivity.enabled = false;
    params.neighborhoods.enabled = false;
    params.resolution.resolution = 0.8;
    (params.leiden.n_starts, params.hvg.n_top_genes, params.pca.n_components) = (1, 500, 20);
    let read = ReadLots { dataset, files: Vec::new(), warnings: Vec::new() };
    let (analysis, _) = pipeline::cluster(read, &params, &Silent).unwrap();
    let cells = &analysis.cells;
    let best = truth.best_cluster(&cells.lot, &cells.barcode, &cells.cluster).unwrap();
    assert!(best.f1 > 0.8, "{best:?}");
    (analysis, best.cluster as usize)
}

/// Few random orders, for time.
fn quick() -> AssociationParams {
    AssociationParams { max_exact_lots: 6, n_permutations: 1_999, ..Default::default() }
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
