use super::*;
use crate::data::LotTable;
use crate::math::correlation::pearson;
use crate::math::rng::stream;
use crate::steps::lots::{AssociationParams, Transform, Units, association, transformed_counts};
use crate::steps::markers::{RankingParams, ranking};
use rand::RngExt;

const OFFSETS: [usize; 4] = [0, 4, 8, 12];

fn no_effects(n_clusters: usize) -> Effects {
    let none = Array2::from_elem((n_clusters, 1), f32::NAN);
    Effects {
        auc: none.clone(),
        log2_fc: none.clone(),
        share_in: none.clone(),
        share_out: none,
        n_lots: vec![0; n_clusters],
        n_lots_up: Array2::zeros((n_clusters, 1)),
    }
}

#[test]
fn clusters_are_matched_on_the_cells_of_both() {
    let full = [0, 0, 1, 2, 0, 0, 1, 1, 2, 2, 2, 2];
    // Without the last lot, whose labels mean nothing; cluster 2 of the full run has one cell left, alone in its cluster.
    let run = [1, 1, 0, 2, 1, 0, 0, 0, 9, 9, 9, 9];
    let full = Division { labels: &full, n_clusters: 3, without: &[] };
    let run = Division { labels: &run, n_clusters: 3, without: &[2] };
    let found = run_without(full, run, &OFFSETS, &no_effects(3));
    assert_eq!(
        (found.lots.as_slice(), found.matches.as_slice()),
        ([2].as_slice(), [Some(1), Some(0), Some(2)].as_slice())
    );
    assert_eq!(found.jaccard, [0.75, 0.75, 1.0]);
    assert_eq!(found.n_cells, ndarray::array![[1, 2, 1], [3, 1, 0], [0, 0, 0]]);
    assert!(found.is_found(0, 0.75) && !found.is_found(0, 0.76));
}

#[test]
fn lots_are_left_out_together() {
    let full = [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1];
    // Without the first and the last lot.
    let run = [9, 9, 9, 9, 1, 1, 0, 0, 9, 9, 9, 9];
    let full = Division { labels: &full, n_clusters: 2, without: &[] };
    let run = Division { labels: &run, n_clusters: 2, without: &[0, 2] };
    let found = run_without(full, run, &OFFSETS, &no_effects(2));
    assert_eq!((found.matches.as_slice(), found.jaccard.as_slice()), (&[Some(1), Some(0)][..], &[1.0, 1.0][..]));
    assert_eq!(found.n_cells, ndarray::array![[0, 0], [2, 2], [0, 0]]);
    let result = LeaveOneOut { runs: vec![found], failed: vec![] };
    let mut units = Units::free(&["a", "b", "c"].map(String::from));
    assert!(!result.covers(&units), "no run lacks the second lot");
    units.lots = vec![vec![0, 2]];
    units.names.truncate(1);
    units.blocks.truncate(1);
    assert!(result.covers(&units));
    units.lots = vec![vec![0, 1]];
    assert!(!result.covers(&units));
}

#[test]
fn a_cluster_of_one_lot_is_not_found_without_it() {
    let full = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
    let run = [0, 0, 0, 0, 1, 1, 1, 1, 7, 7, 7, 7];
    let full = Division { labels: &full, n_clusters: 2, without: &[] };
    let run = Division { labels: &run, n_clusters: 2, without: &[2] };
    let found = run_without(full, run, &OFFSETS, &no_effects(2));
    assert_eq!(found.matches[1], None);
    assert!(found.jaccard[1].is_nan() && !found.is_found(1, 0.0));
    let result = LeaveOneOut { runs: vec![found], failed: vec![] };
    assert_eq!((result.n_found(0, 0.5), result.n_found(1, 0.0)), (1, 0));
}

/// Of the shares of the lots left that have a value.
fn correlations(n_cells: &Array2<u64>, left_out: usize, values: &[f64]) -> Vec<f64> {
    let lots: Vec<usize> = (0..values.len()).filter(|&lot| lot != left_out && !values[lot].is_nan()).collect();
    let readout: Vec<f64> = lots.iter().map(|&lot| values[lot]).collect();
    let share = transformed_counts(n_cells, Transform::Share);
    let r = |column| pearson(&lots.iter().map(|&lot| share[[lot, column]]).collect::<Vec<f64>>(), &readout);
    (0..n_cells.ncols()).map(r).collect()
}

#[test]
fn pulls_are_correlations_of_the_matched_cluster() {
    let run = |lot: usize, matches: [Option<usize>; 2], n_cells: [[u64; 2]; 5]| {
        let mut n_cells = ndarray::arr2(&n_cells);
        n_cells.row_mut(lot).fill(0);
        let jaccard = matches.iter().map(|m| if m.is_some() { 0.9 } else { 0.0 }).collect();
        RunWithout { lots: vec![lot], matches: matches.to_vec(), jaccard, n_cells, genes: vec![Vec::new(); 2] }
    };
    let counts = [[10, 90], [20, 80], [30, 70], [40, 60], [90, 10]];
    let runs = vec![run(0, [Some(1), Some(0)], counts), run(4, [Some(0), None], counts)];
    let values = [1.0, 2.0, 3.0, 4.0, f64::NAN];
    let effects = |n_cells: &Array2<u64>, lots: &[usize]| correlations(n_cells, lots[0], &values);
    let found =
        stability(&LeaveOneOut { runs, failed: vec![vec![1]] }, &effects, &f64::abs, &[0.9, f64::NAN], 0.1, 0.5);
    let r: Vec<f64> = found.pulls.iter().map(|p| p.r).collect();
    assert!((r[0] + 1.0).abs() < 1e-12 && (r[1] - 1.0).abs() < 1e-12 && (r[2] - 1.0).abs() < 1e-12 && r[3].is_nan());
    let first = &found.clusters[0];
    assert_eq!(
        (first.n_runs, first.n_found, first.same_sign),
        (3, 2, false),
        "a run that failed counts as one without it"
    );
    assert!((first.r_min + 1.0).abs() < 1e-12 && (first.r_max - 1.0).abs() < 1e-12);
    let second = &found.clusters[1];
    assert_eq!((second.n_found, second.same_sign), (1, false), "no sign without an r of the full run");
    assert!(found.top.iter().all(Vec::is_empty) && found.n_top(0) == 0);
}

/// Effects with many ties, in AUC and in share.
fn random_effects(n_clusters: usize, n_genes: usize, seed: u64) -> Effects {
    let mut rng = stream(seed, "leave one out test", 0);
    let mut matrix = |steps: f32| {
        Array2::from_shape_simple_fn((n_clusters, n_genes), || (rng.random::<f32>() * steps).round() / steps)
    };
    Effects {
        auc: matrix(200.0),
        log2_fc: matrix(40.0),
        share_in: matrix(30.0),
        share_out: matrix(30.0),
        n_lots: vec![5; n_clusters],
        n_lots_up: Array2::zeros((n_clusters, n_genes)),
    }
}

#[test]
fn the_best_genes_of_a_run_are_those_of_a_direct_ranking_for_any_smallest_share() {
    let (n_lots, n_clusters, n_genes) = (7, 4, 900);
    for seed in 0..12 {
        let effects = random_effects(n_clusters, n_genes, seed);
        let mut rng = stream(seed, "leave one out counts", 0);
        let n_cells = Array2::from_shape_simple_fn((n_lots, n_clusters), || rng.random_range(1..400_u64));
        let values: Vec<f64> = (0..n_lots).map(|_| rng.random()).collect();
        let genes: Vec<Vec<TopGene>> = (0..n_clusters).map(|k| possible_top(&effects, k)).collect();
        assert!(genes.iter().all(|g| g.len() < n_genes / 2), "few genes are kept");
        let run = RunWithout {
            lots: vec![0],
            matches: vec![None; 4],
            jaccard: vec![0.0; 4],
            n_cells: n_cells.clone(),
            genes,
        };
        let runs = LeaveOneOut { runs: vec![run], failed: vec![] };
        for min_share in [0.0, 0.1, 0.5, 0.8, 0.97] {
            let params = RankingParams { min_share, ..Default::default() };
            let lots = (0..n_lots).map(|l| format!("L{l}")).collect();
            let columns = (0..n_clusters).map(|k| k.to_string()).collect();
            let table = LotTable::new(lots, columns, transformed_counts(&n_cells, Transform::Logit));
            let association = association(&table, "y", &values, &AssociationParams::default(), 0).unwrap();
            let pseudobulk = Array2::zeros((n_lots, n_genes));
            let direct = ranking(&association, &effects, pseudobulk.view(), &[false; 4], &params).unwrap();
            let direct: Vec<u32> = direct.iter().take(N_TOP).map(|c| c.gene).collect();
            let effects = |_: &Array2<u64>, _: &[usize]| association.rows.iter().map(|row| row.effect).collect();
            let found = stability(&runs, &effects, &f64::abs, &[0.5; 4], min_share, 0.5);
            assert_eq!(found.top[0], direct, "seed {seed}, min_share {min_share}");
        }
    }
}
