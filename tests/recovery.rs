//! Promise: what was planted in simulated lots is found, and where nothing was planted nothing is claimed.
//!
//! `scripts/recovery_study` runs the same judgement over many seeds and settings and prints the table of the guide.

use std::collections::HashMap;

use cqa::io::ReadLots;
use cqa::pipeline::{self, Analysis, Params};
use cqa::progress::Silent;
use cqa::simulate::{SimulateParams, Simulated, Truth, simulate};
use cqa::steps::cells::{DoubletParams, QcParams, doublets, qc};
use cqa::steps::lots::{AssociationParams, CompositionParams, Transform, association, composition};
use rand::seq::SliceRandom;

/// Markers are looked for among this many candidates.
const N_TOP: usize = 20;

/// What the default road finds of what was planted.
#[derive(Debug)]
struct Found {
    n_clusters: usize,
    f1: f64,
    /// r of the share of the best-matching cluster.
    r: f64,
    p_family: f64,
    /// Place of that cluster by |r|, 1 = strongest.
    place: usize,
    markers: usize,
    /// The clusters flagged proliferative are those whose cells are mostly of the two proliferating populations.
    proliferating_told: bool,
}

fn recover(planted: &SimulateParams, params: &Params) -> Found {
    let Simulated { dataset, truth } = simulate(planted).unwrap();
    let read = ReadLots { dataset, files: Vec::new(), warnings: Vec::new() };
    let (analysis, _) = pipeline::cluster(read, params, &Silent).unwrap();
    let ranked = pipeline::rank(&analysis, &truth.readout).unwrap();
    let cells = &analysis.cells;
    let best = truth.best_cluster(&cells.lot, &cells.barcode, &cells.cluster).expect("potent cells are kept");
    let rows = &ranked.association.rows;
    let row = &rows[best.cluster as usize];
    Found {
        n_clusters: rows.len(),
        f1: best.f1,
        r: row.r,
        p_family: row.p_family,
        place: 1 + rows.iter().filter(|other| other.r.abs() > row.r.abs()).count(),
        markers: truth.markers_found(ranked.candidates.iter().map(|c| c.gene), N_TOP),
        proliferating_told: analysis.clusters.iter().map(|c| c.proliferative).eq(proliferating(&truth, &analysis)),
    }
}

/// Per cluster: most of its cells were simulated as proliferating.
fn proliferating(truth: &Truth, analysis: &Analysis) -> Vec<bool> {
    let of_barcode: HashMap<(u32, &str), u32> = (0..)
        .zip(&truth.barcodes)
        .flat_map(|(lot, barcodes)| barcodes.iter().map(move |barcode| (lot, barcode.as_str())))
        .zip(truth.population.iter().copied())
        .collect();
    let names = &truth.populations;
    let mut votes = vec![0_i64; analysis.clusters.len()];
    let cells = &analysis.cells;
    for ((lot, barcode), &cluster) in cells.lot.iter().zip(&cells.barcode).zip(&cells.cluster) {
        let name = names[of_barcode[&(*lot, barcode.as_str())] as usize].as_str();
        votes[cluster as usize] += if ["s_phase", "g2m_phase"].contains(&name) { 1 } else { -1 };
    }
    votes.into_iter().map(|votes| votes > 0).collect()
}

/// Default parameters without the map for the eye, without doublet scores (by default doublets are scored and kept) and
/// without the roads that are walked again: none of these changes a cluster or a candidate.
fn road() -> Params {
    let mut params = Params::default();
    params.umap.enabled = false;
    params.doublets.enabled = false;
    params.leave_one_out.enabled = false;
    params.sensitivity.enabled = false;
    params
}

fn the_truth_is_found(seed: u64) {
    let found = recover(&SimulateParams { seed, ..Default::default() }, &road());
    assert!(found.f1 >= 0.9, "{found:?}");
    assert_eq!(found.place, 1, "{found:?}");
    assert!(found.markers >= 8, "{found:?}");
    assert!(found.proliferating_told, "{found:?}");
}

#[test]
fn the_potent_population_and_its_markers_are_found() {
    the_truth_is_found(1);
}

#[test]
fn they_are_found_with_another_seed() {
    the_truth_is_found(2);
}

#[test]
fn doublets_of_cells_that_are_alike_are_ranked_but_not_called_at_random() {
    for (doublet_rate, seed) in [(0.04, 1), (0.0, 2)] {
        let planted = SimulateParams { n_lots: 3, doublet_rate, seed, ..Default::default() };
        let Simulated { dataset, truth } = simulate(&planted).unwrap();
        let keep = qc(&dataset, &QcParams::default()).unwrap().keep;
        let is_doublet: Vec<bool> = truth.doublet.iter().zip(&keep).filter(|(_, k)| **k).map(|(d, _)| *d).collect();
        let found = doublets(&dataset.select_cells(&keep), &DoubletParams::default(), 0).unwrap();
        let of = |wanted: bool| (0..keep.len()).zip(&is_doublet).filter(move |(_, d)| **d == wanted).map(|(i, _)| i);
        let called = found.called.iter().filter(|c| **c).count();
        let right = of(true).filter(|&i| found.called[i]).count();
        println!("rate {doublet_rate}: {called} called, {right} of {} doublets", of(true).count());
        // Single cells are not called, or hardly.
        assert!((called - right) as f64 <= 0.01 * is_doublet.len() as f64, "{called} called, {right} right");
        if doublet_rate > 0.0 {
            let mut above = 0.0;
            for d in of(true) {
                above += of(false).filter(|&i| found.score[i] < found.score[d]).count() as f64;
                above += 0.5 * of(false).filter(|&i| found.score[i] == found.score[d]).count() as f64;
            }
            let auc = above / (of(true).count() * of(false).count()) as f64;
            println!("AUC {auc:.3}");
            // One doublet in seven is of two cells of one population, which no score can tell.
            assert!(auc >= 0.8, "AUC {auc}");
        }
    }
}

#[test]
fn they_are_found_with_a_third_seed() {
    the_truth_is_found(3);
}

/// Smallest family-wise p of each shuffle of the potency over lots whose composition stays as it is.
fn shuffled_p(planted: &SimulateParams, params: &AssociationParams, n_shuffles: usize) -> (f64, Vec<f64>) {
    let Simulated { dataset, truth } = simulate(planted).unwrap();
    let lots = dataset.lot_of_cell();
    let shares = composition(
        &truth.population,
        truth.populations.len(),
        &lots,
        &dataset.lot_names(),
        &CompositionParams::default(),
    )
    .unwrap()
    .transformed(Transform::Share);
    let mut values = dataset.sheet().column(&truth.readout).unwrap().numbers().unwrap();
    let smallest = |values: &[f64], seed: u64| {
        let rows = association(&shares, &truth.readout, values, params, seed).unwrap().rows;
        rows.iter().map(|row| row.p_family).fold(1.0, f64::min)
    };
    let unshuffled = smallest(&values, 0);
    let mut rng = cqa::math::rng::stream(planted.seed, "recovery.shuffle", 0);
    let p = (0..n_shuffles)
        .map(|i| {
            values.shuffle(&mut rng);
            smallest(&values, i as u64)
        })
        .collect();
    (unshuffled, p)
}

/// Largest distance between the distribution of `p` and the uniform one (Kolmogorov–Smirnov).
fn distance_from_uniform(mut p: Vec<f64>) -> f64 {
    p.sort_by(f64::total_cmp);
    let n = p.len() as f64;
    p.iter()
        .enumerate()
        .map(|(i, &p)| ((i as f64 + 1.0) / n - p).abs().max((p - i as f64 / n).abs()))
        .fold(0.0, f64::max)
}

/// Shuffles of the potency, and the most of them that may have p ≤ 0.05. Of a rate of 5 % more come up once in 1,000 seeds;
/// a rate of 8 % would pass once in 120 (binomial tails).
const N_SHUFFLES: usize = 2000;
const MOST_HITS: usize = 131;

fn family_wise_p_is_uniform(planted: &SimulateParams, params: &AssociationParams) {
    let (unshuffled, p) = shuffled_p(planted, params, N_SHUFFLES);
    // The planted association is there to be lost by shuffling.
    assert!(unshuffled < 0.05, "{unshuffled}");
    let hits = p.iter().filter(|p| **p <= 0.05).count();
    assert!(hits <= MOST_HITS, "{hits} of {N_SHUFFLES} at or below 0.05");
    // 1.63 / √n is the 1 % limit of the Kolmogorov–Smirnov distance.
    let distance = distance_from_uniform(p);
    assert!(distance < 1.63 / (N_SHUFFLES as f64).sqrt(), "{distance}");
}

#[test]
fn with_shuffled_potency_the_exact_family_wise_p_is_uniform() {
    // Eight lots: 40,320 orders each time.
    let planted = SimulateParams { n_lots: 8, n_cells: 300, n_genes: 2000, seed: 3, ..Default::default() };
    family_wise_p_is_uniform(&planted, &AssociationParams::default());
}

#[test]
fn with_shuffled_potency_the_drawn_family_wise_p_is_uniform() {
    let planted = SimulateParams { n_cells: 300, n_genes: 2000, seed: 4, ..Default::default() };
    let params = AssociationParams { max_exact_lots: 0, n_permutations: 1999, ..Default::default() };
    family_wise_p_is_uniform(&planted, &params);
}

#[test]
#[ignore = "a study of minutes; scripts/recovery_study runs it"]
fn study() {
    let seeds: u64 = std::env::var("RECOVERY_SEEDS").map_or(5, |n| n.parse().expect("RECOVERY_SEEDS is a number"));
    let base = SimulateParams::default();
    let settings = [
        ("11 × 1,000, defaults", base.clone(), true, true),
        ("11 × 300", SimulateParams { n_cells: 300, ..base.clone() }, true, true),
        ("depth 8,500", SimulateParams { depth: 8500.0, ..base.clone() }, true, false),
        ("rho 0.8", SimulateParams { potency_rho: 0.8, ..base.clone() }, true, false),
        ("populations weaker (0.4)", SimulateParams { population_effect: 0.4, ..base.clone() }, true, true),
        ("donors stronger (0.15)", SimulateParams { donor_effect: 0.15, ..base.clone() }, true, true),
        ("without Harmony", base, false, false),
    ];
    println!("| setting | seed | clusters | F1 | r | family-wise p | place | markers in top {N_TOP} |");
    println!("|---|---|---|---|---|---|---|---|");
    for (name, planted, integrated, promised) in settings {
        for seed in 1..=seeds {
            let mut params = road();
            params.harmony.enabled = integrated;
            let f = recover(&SimulateParams { seed, ..planted.clone() }, &params);
            // Shallow lots, a weak association and lots that are not integrated carry no promise.
            if promised {
                assert!(f.f1 >= 0.9 && f.place == 1 && f.markers >= 8 && f.proliferating_told, "seed {seed}: {f:?}");
            }
            println!(
                "| {name} | {seed} | {} | {:.3} | {:.2} | {:.2e} | {} | {} |",
                f.n_clusters, f.f1, f.r, f.p_family, f.place, f.markers
            );
        }
    }
}
