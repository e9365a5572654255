use super::*;

/// `n_groups` groups of `size` cells; each cell is tied to all of its group and, weakly, to the next cell.
fn groups(n_groups: usize, size: usize) -> Graph {
    let n = n_groups * size;
    let mut graph = Graph { starts: vec![0], targets: vec![], weights: vec![] };
    for i in 0..n {
        for j in (0..n).filter(|&j| j != i) {
            let next = (i + 1) % n == j || (j + 1) % n == i;
            if i / size == j / size || next {
                graph.targets.push(j as u32);
                graph.weights.push(if i / size == j / size { 1.0 } else { 0.1 });
            }
        }
        graph.starts.push(graph.targets.len());
    }
    graph
}

#[test]
fn planted_groups_are_chosen_and_the_sweep_is_whole() {
    let params = ResolutionParams::default();
    let found = resolution(&groups(7, 15), &params, &LeidenParams::default(), 1).unwrap();
    assert_eq!(found.clustering.n_clusters, 7);
    let expected: Vec<u32> = (0..105).map(|i| i / 15).collect();
    assert_eq!(found.clustering.labels, expected);
    assert_eq!(found.rows.iter().map(|r| r.resolution).collect::<Vec<_>>(), params.grid);
    let chosen: Vec<&ResolutionRow> = found.rows.iter().filter(|r| r.chosen).collect();
    assert_eq!(chosen.len(), 1);
    assert_eq!((chosen[0].resolution, chosen[0].n_stable), (found.resolution, 7));
    assert!(chosen[0].stability > 0.99);
    assert_eq!(found.undecided, None);
}

#[test]
fn a_close_call_between_numbers_of_clusters_is_told_with_its_error() {
    let row = |n_clusters: usize, worth: f64| ResolutionRow {
        resolution: n_clusters as f64 / 10.0,
        n_clusters,
        n_stable: n_clusters,
        worth,
        quality: 0.5,
        stability: 0.9,
        chosen: false,
    };
    let rows = [row(4, 0.2), row(6, 0.5), row(6, 0.49), row(8, 0.45)];
    let worths = |last: [f64; 4]| vec![vec![0.2; 4], vec![0.5, 0.4, 0.6, 0.5], vec![0.49; 4], last.to_vec()];
    // Differences 0.1, −0.1, 0.1, 0.1 less nothing: mean 0.05, standard error √(0.04 / 4 / 3 · 0.75).
    let Some(Warning::ResolutionUndecided(told)) = undecided(&rows, &worths([0.4, 0.5, 0.5, 0.4]), 1) else {
        panic!("six clusters or eight?")
    };
    assert_eq!((told.n_clusters, told.n_other, told.other), (6, 8, 0.8));
    assert!((told.lead - 0.05).abs() < 1e-12 && (told.error - 0.05).abs() < 1e-12, "{told:?}");
    // The same lead in every half-sample is no chance.
    assert_eq!(undecided(&rows, &worths([0.45, 0.35, 0.55, 0.45]), 1), None);
    // Nothing else to choose, and one half-sample alone.
    assert_eq!(undecided(&rows[1..3], &worths([0.0; 4])[1..3], 0), None);
    assert_eq!(undecided(&rows, &[vec![0.2], vec![0.5], vec![0.49], vec![0.45]], 1), None);
}

#[test]
fn a_given_resolution_is_taken() {
    let params = ResolutionParams { resolution: 1.0, ..ResolutionParams::default() };
    let found = resolution(&groups(3, 12), &params, &LeidenParams::default(), 1).unwrap();
    assert_eq!((found.rows.len(), found.resolution, found.clustering.n_clusters), (1, 1.0, 3));
    assert!(found.rows[0].chosen && found.rows[0].stability.is_nan());
}

#[test]
fn small_clusters_join_others_but_only_if_tied() {
    let params = ResolutionParams { resolution: 1.0, min_cells: 13, ..ResolutionParams::default() };
    let found = resolution(&groups(3, 12), &params, &LeidenParams::default(), 1).unwrap();
    assert!(found.clustering.n_clusters < 3);
    let loose = Graph { starts: vec![0; 21], targets: vec![], weights: vec![] };
    let found = resolution(&loose, &ResolutionParams::default(), &LeidenParams::default(), 1).unwrap();
    assert_eq!(found.clustering.n_clusters, 20);
}

#[test]
fn no_cells_or_one_are_survived() {
    for n in [0, 1, 2] {
        let graph = Graph { starts: vec![0; n + 1], targets: vec![], weights: vec![] };
        let found = resolution(&graph, &ResolutionParams::default(), &LeidenParams::default(), 1).unwrap();
        assert_eq!(found.clustering.n_clusters, n);
    }
}

#[test]
fn parameters_out_of_range_are_refused_by_name() {
    let d = ResolutionParams::default;
    for (params, name) in [
        (ResolutionParams { resolution: -1.0, ..d() }, "resolution.resolution"),
        (ResolutionParams { resolution: f64::NAN, ..d() }, "resolution.resolution"),
        (ResolutionParams { grid: vec![], ..d() }, "resolution.grid"),
        (ResolutionParams { grid: vec![0.5, 0.0], ..d() }, "resolution.grid"),
        (ResolutionParams { n_subsamples: 0, ..d() }, "resolution.n_subsamples"),
        (ResolutionParams { subsample: 1.0, ..d() }, "resolution.subsample"),
        (ResolutionParams { min_jaccard: 1.1, ..d() }, "resolution.min_jaccard"),
    ] {
        let error = resolution(&groups(2, 12), &params, &LeidenParams::default(), 1).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let graph = groups(9, 20);
    let run = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| resolution(&graph, &ResolutionParams::default(), &LeidenParams::default(), 5).unwrap())
    };
    assert_eq!(run(1), run(2));
}
