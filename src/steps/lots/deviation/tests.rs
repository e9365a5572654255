use super::*;
use crate::steps::lots::{CompositionParams, composition};
use ndarray::array;
use rand::RngExt;

fn lots(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("L{i}")).collect()
}

/// Lots of these counts per cluster.
fn composed(counts: &[Vec<usize>]) -> (Composition, Vec<u32>) {
    let (mut labels, mut lot_of_cell) = (Vec::new(), Vec::new());
    for (lot, row) in counts.iter().enumerate() {
        for (cluster, &n) in row.iter().enumerate() {
            labels.extend(std::iter::repeat_n(cluster as u32, n));
            lot_of_cell.extend(std::iter::repeat_n(lot as u32, n));
        }
    }
    let n_clusters = counts.iter().map(Vec::len).max().unwrap_or(0);
    let found = composition(&labels, n_clusters, &lot_of_cell, &lots(counts.len()), &CompositionParams::default());
    (found.unwrap(), lot_of_cell)
}

fn run(counts: &[Vec<usize>], params: &DeviationParams) -> Result<Deviation> {
    let (composition, lot_of_cell) = composed(counts);
    let embedding = Array2::from_shape_fn((lot_of_cell.len(), 2), |(i, j)| ((i * 7 + j * 3) % 11) as f32);
    deviation(&composition, embedding.view(), &lot_of_cell, params, 1)
}

#[test]
fn compositions_by_hand() {
    // One lot all in cluster 0, the others half and half: m = (¾, ¼).
    let half = 0.5 * ((4.0_f64 / 3.0).log2() + 0.5 * (2.0_f64 / 3.0).log2() + 0.5 * 2.0_f64.log2());
    assert!((jensen_shannon(&[1.0, 0.0], &[0.5, 0.5]) - half.sqrt()).abs() < 1e-15);
    assert_eq!((jensen_shannon(&[1.0, 0.0], &[0.0, 1.0]), jensen_shannon(&[0.3, 0.7], &[0.3, 0.7])), (1.0, 0.0));
    // Log ratios ln 2 and −ln 2 about their mean 0.
    assert!((aitchison(&[2.0 / 3.0, 1.0 / 3.0], &[0.5, 0.5]) - 2.0_f64.ln() / 2.0_f64.sqrt()).abs() < 1e-15);
    assert_eq!(aitchison(&[1.0], &[1.0]), 0.0);
    // A large lot among the others does not count more than a small one.
    let (few, _) = composed(&[vec![5, 5], vec![10, 0], vec![0, 10]]);
    let (many, _) = composed(&[vec![5, 5], vec![1000, 0], vec![0, 10]]);
    assert_eq!(compositions(&few, &[0, 1, 2]).0[0], 0.0);
    assert_eq!(compositions(&many, &[0, 1, 2]).0[0], 0.0);
}

#[test]
fn energy_by_hand() {
    // Lot 0 at 0 and 2, lot 1 at 10: 2 · 9 − 1 − 0 (two of four pairs at distance 2).
    let points = array![[0.0_f32], [2.0], [10.0]];
    let found = energy_distances(points.view(), &[0, 0, 1], 2, 0, 0);
    assert!((found[0].0 - 17.0_f64.sqrt()).abs() < 1e-7, "{found:?}");
    assert!((found[1].0 - found[0].0).abs() < 1e-7 && found[0].1 == 0.0);
    // Equal lots have none.
    let found = energy_distances(array![[1.0_f32], [4.0], [1.0], [4.0]].view(), &[0, 0, 1, 1], 2, 0, 0);
    assert!(found.iter().all(|e| e.0 < 1e-6), "{found:?}");
}

#[test]
fn drawing_cells_is_unbiased_and_its_error_is_as_stated() {
    let n_cells = 600;
    let mut rng = stream(3, "test", 0);
    let lot_of_cell: Vec<u32> = (0..3 * n_cells).map(|i| (i / n_cells) as u32).collect();
    let embedding = Array2::from_shape_fn((3 * n_cells, 4), |(i, j)| {
        rng.random::<f32>() + if j == 0 { 0.3 * (i / n_cells) as f32 } else { 0.0 }
    });
    let full = energy_distances(embedding.view(), &lot_of_cell, 3, 0, 0);
    let n_draws = 200;
    // The middle lot lies so near that its square is cut at 0 now and then.
    for (lot, &(exact, _)) in full.iter().enumerate().filter(|(lot, _)| *lot != 1) {
        let draws: Vec<(f64, f64)> =
            (0..n_draws).map(|seed| energy_distances(embedding.view(), &lot_of_cell, 3, 300, seed)[lot]).collect();
        let square = draws.iter().map(|d| d.0 * d.0).sum::<f64>() / n_draws as f64;
        let mean = draws.iter().map(|d| d.0).sum::<f64>() / n_draws as f64;
        let sd = (draws.iter().map(|d| (d.0 - mean).powi(2)).sum::<f64>() / (n_draws - 1) as f64).sqrt();
        let stated = (draws.iter().map(|d| d.1 * d.1).sum::<f64>() / n_draws as f64).sqrt();
        assert!((square / exact.powi(2) - 1.0).abs() < 0.05, "lot {lot}: {square} {}", exact.powi(2));
        assert!((stated / sd - 1.0).abs() < 0.35, "lot {lot}: stated {stated}, seen {sd}");
    }
}

#[test]
fn an_outlying_lot_is_named() {
    let mut counts: Vec<Vec<usize>> = (0..10).map(|i| vec![40 + i, 60 - i, 20 + (i * i) % 7]).collect();
    counts.push(vec![5, 5, 110]);
    let found = run(&counts, &DeviationParams::default()).unwrap();
    let outlying: Vec<usize> = (0..11).filter(|&lot| found.rows[lot].outlying).collect();
    assert_eq!(outlying, [10]);
    let row = &found.rows[10];
    assert_eq!((row.jensen_shannon.rank, row.aitchison.rank), (1, 1));
    assert!(row.jensen_shannon.value > row.jensen_shannon.limit);
    assert!(matches!(&found.warnings[..], [Warning::OutlyingLot { lot, z, .. }] if lot == "L10" && *z > 5.0));
    // The same lot among too few others is not.
    let few = run(&counts[5..], &DeviationParams::default()).unwrap();
    assert!(few.warnings.is_empty() && few.rows.iter().all(|row| !row.outlying));
}

#[test]
fn places_by_hand() {
    // Logs of the others 0, 1, 2, 3: median 1.5, MAD 1.
    let values: Vec<f64> = [0.0_f64, 1.0, 2.0, 3.0, 10.0].iter().map(|v| v.exp()).collect();
    let place = places(&values, &DeviationParams::default())[4];
    assert_eq!(place.rank, 1);
    assert!((place.z - 8.5 / MAD_TO_SD).abs() < 1e-12 && (place.limit.ln() - (1.5 + 5.0 * MAD_TO_SD)).abs() < 1e-12);
}

#[test]
fn little_to_compare_with() {
    for counts in
        [vec![], vec![vec![3, 4]], vec![vec![3, 4], vec![]], vec![vec![3], vec![3], vec![3], vec![3], vec![3]]]
    {
        let found = run(&counts, &DeviationParams { min_lots: 4, ..Default::default() }).unwrap();
        assert_eq!(found.rows.len(), counts.len());
        assert!(found.rows.iter().all(|row| row.jensen_shannon.z.is_nan() && !row.outlying), "{found:?}");
    }
    // A lot without cells stays out of the others.
    let found = run(&[vec![3, 4], vec![], vec![4, 3]], &DeviationParams::default()).unwrap();
    assert!(found.rows[1].energy.value.is_nan() && found.rows[1].energy.rank == 0);
    assert!(found.rows[0].energy.value.is_finite());
}

#[test]
fn parameters_are_checked() {
    for params in [
        DeviationParams { n_mads: 0.0, ..Default::default() },
        DeviationParams { n_mads: f64::NAN, ..Default::default() },
        DeviationParams { min_lots: 3, ..Default::default() },
    ] {
        assert!(run(&[vec![1], vec![1]], &params).unwrap_err().to_string().contains("deviation."));
    }
}
