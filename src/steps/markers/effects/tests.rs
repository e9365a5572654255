use super::*;
use crate::steps::markers::small::dataset;

/// No scaling, so that effects can be worked by hand.
fn run(lots: &[Vec<Vec<u32>>], labels: &[u32], n_clusters: usize, min_cells: usize) -> Effects {
    let dataset = dataset(lots);
    let normalized = Normalized { scale: vec![1.0; dataset.n_cells()] };
    let params = EffectsParams { min_cells, ..Default::default() };
    effects(&dataset, &normalized, labels, n_clusters, &params).unwrap()
}

#[test]
fn worked_numbers_averaged_over_lots() {
    // Gene 0. First lot: 3, 1 against 0, 1 (pairs 1, 1, 1, ½ of 4). Second lot: 0, 0 against 4, 0 (½, 0, ½, 0 of 4).
    let first = vec![vec![3, 0], vec![1, 0], vec![0, 0], vec![1, 0]];
    let second = vec![vec![0, 0], vec![0, 0], vec![4, 0], vec![0, 0]];
    let e = run(&[first, second], &[0, 0, 1, 1, 0, 0, 1, 1], 2, 2);
    assert_eq!((e.n_lots.as_slice(), e.n_lots_up[[0, 0]], e.n_lots_up[[1, 0]]), ([2, 2].as_slice(), 1, 1));
    assert!((e.auc[[0, 0]] - (3.5 / 4.0 + 1.0 / 4.0) / 2.0).abs() < 1e-6);
    // log2(3 / 1.5) = 1 and log2(1 / 3).
    assert!((e.log2_fc[[0, 0]] - (1.0 - 3.0_f32.log2()) / 2.0).abs() < 1e-6);
    assert_eq!((e.share_in[[0, 0]], e.share_out[[0, 0]]), (0.5, 0.5));
    // Two clusters mirror each other, and a gene that nobody expresses has no effect.
    assert!((e.auc[[0, 0]] + e.auc[[1, 0]] - 1.0).abs() < 1e-6);
    assert_eq!((e.auc[[0, 1]], e.log2_fc[[0, 1]], e.share_in[[0, 1]], e.n_lots_up[[0, 1]]), (0.5, 0.0, 0.0, 0));
}

#[test]
fn lots_with_too_few_cells_take_no_part() {
    let lots = [vec![vec![3], vec![0], vec![0]], vec![vec![0], vec![9], vec![9]]];
    // Cluster 0 has one cell in each lot, cluster 1 two; cluster 2 none.
    let e = run(&lots, &[0, 1, 1, 0, 1, 1], 3, 2);
    assert_eq!(e.n_lots, [0, 0, 0]);
    assert!(e.auc.iter().chain(&e.log2_fc).chain(&e.share_in).chain(&e.share_out).all(|v| v.is_nan()));
    assert!((0..3).all(|k| e.top(k, &EffectsParams::default()).is_empty()));
    assert_eq!(run(&lots, &[0, 1, 1, 0, 1, 1], 3, 0).n_lots, [2, 2, 0]);
    // One cluster of all cells has nothing to be compared with.
    assert_eq!(run(&lots, &[0; 6], 1, 1).n_lots, [0]);
}

#[test]
fn top_genes_are_specific_and_expressed() {
    let row = |values: &[f32]| Array2::from_shape_vec((1, values.len()), values.to_vec()).unwrap();
    let e = Effects {
        auc: row(&[0.6, 0.9, 0.9, 0.9, 0.5, 0.99]),
        log2_fc: row(&[9.0, 1.0, 2.0, 1.0, 9.0, 9.0]),
        share_in: row(&[0.5, 0.5, 0.5, 0.5, 0.5, 0.01]),
        share_out: row(&[0.0; 6]),
        n_lots: vec![3],
        n_lots_up: Array2::zeros((1, 6)),
    };
    assert_eq!(e.top(0, &EffectsParams::default()), [2, 1, 3, 0]);
    assert_eq!(e.top(0, &EffectsParams { n_markers: 1, min_share: 0.0, ..Default::default() }), [5]);
}

#[test]
fn same_bytes_for_one_and_two_threads_over_several_blocks_of_genes() {
    let cell = |i: usize| (0..600).map(|gene| ((i * 31 + gene * 17 + i * gene) % 11 / 7) as u32).collect();
    let lots = [(0..9).map(cell).collect(), (9..20).map(cell).collect::<Vec<Vec<u32>>>()];
    let labels: Vec<u32> = (0..20).map(|i| i % 3).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&lots, &labels, 3, 1))
    };
    let (one, two) = (on(1), on(2));
    assert_eq!(one, two);
    // Each gene is where it belongs: its share of expressing cells, counted directly in each lot.
    for gene in [0, 255, 256, 511, 512, 599] {
        let mut share = 0.0;
        for (lot, start) in lots.iter().zip([0, 9]) {
            let inside: Vec<&Vec<u32>> = (0..lot.len()).filter(|i| labels[start + i] == 1).map(|i| &lot[i]).collect();
            share += inside.iter().filter(|cell| cell[gene] > 0).count() as f64 / inside.len() as f64 / 2.0;
        }
        assert!((f64::from(one.share_in[[1, gene]]) - share).abs() < 1e-6, "{gene}");
    }
}

#[test]
fn parameters_are_checked() {
    let dataset = dataset(&[vec![vec![1]]]);
    let normalized = Normalized { scale: vec![1.0] };
    for (params, name) in [
        (EffectsParams { min_share: -0.1, ..Default::default() }, "effects.min_share"),
        (EffectsParams { pseudocount: 0.0, ..Default::default() }, "effects.pseudocount"),
    ] {
        assert!(effects(&dataset, &normalized, &[0], 1, &params).unwrap_err().to_string().contains(name));
    }
}

#[test]
fn divisions_together_are_those_alone_and_a_lot_left_out_is_not_there() {
    let cell = |i: usize| (0..300).map(|gene| ((i * 31 + gene * 17 + i * gene) % 11 / 6) as u32).collect();
    let lots =
        [(0..30).map(cell).collect(), (30..70).map(cell).collect::<Vec<Vec<u32>>>(), (70..95).map(cell).collect()];
    let dataset = dataset(&lots);
    let normalized = Normalized { scale: (0..95).map(|i| 1.0 + f64::from(i % 7) / 3.0).collect() };
    let params = EffectsParams { min_cells: 5, ..Default::default() };
    let (three, two): (Vec<u32>, Vec<u32>) = (0..95).map(|i| (i % 3, (i / 2) % 2)).unzip();
    let mut holed = two.clone();
    holed[30..70].fill(u32::MAX);
    let divisions = [
        Division { labels: &three, n_clusters: 3, without: &[] },
        Division { labels: &holed, n_clusters: 2, without: &[1] },
    ];
    let together = effects_of_divisions(&dataset, &normalized, &divisions, &params).unwrap();
    assert_eq!(together[0], effects(&dataset, &normalized, &three, 3, &params).unwrap());
    let fewer = dataset.select_lots(&[true, false, true]).unwrap();
    let pick = |i: &usize| !(30..70).contains(i);
    let scale = Normalized { scale: (0..95).filter(pick).map(|i| normalized.scale[i]).collect() };
    let labels: Vec<u32> = (0..95).filter(pick).map(|i| two[i]).collect();
    assert_eq!(together[1], effects(&fewer, &scale, &labels, 2, &params).unwrap());
}
