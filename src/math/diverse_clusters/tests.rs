//! Tests of [`super`].

use super::*;
use rand::RngExt;

/// Two kinds of cells in two batches; the second batch lies 1 further along the third axis.
fn shifted() -> (Vec<f32>, Vec<u32>) {
    let mut rng = stream(3, "shifted", 0);
    let (mut points, mut batch) = (Vec::new(), Vec::new());
    for cell in 0..600 {
        let (kind, b) = (cell % 2, u32::from(cell % 3 == 0));
        let mut noise = || rng.random::<f32>() * 0.2 - 0.1;
        points.extend([4.0 * (1 - kind) as f32 + noise(), 4.0 * kind as f32 + noise(), b as f32 + noise()]);
        batch.push(b);
    }
    (points, batch)
}

#[test]
fn a_shift_between_batches_is_taken_away_and_kinds_stay_apart() {
    let (points, batch) = shifted();
    let (mut clusters, _) = DiverseClusters::new(&points, &batch, 2, 4, 0.1, 2.0, 1);
    for _ in 0..5 {
        for _ in 0..10 {
            clusters.round();
        }
        clusters.correct(1.0);
    }
    let corrected = clusters.corrected();
    let mean = |b: u32, kind: usize, dim: usize| {
        let cells: Vec<usize> = (0..600).filter(|&c| batch[c] == b && c % 2 == kind).collect();
        cells.iter().map(|&c| f64::from(corrected[c * 3 + dim])).sum::<f64>() / cells.len() as f64
    };
    for kind in 0..2 {
        assert!((mean(0, kind, 2) - mean(1, kind, 2)).abs() < 0.05, "batches meet");
        assert!(mean(0, kind, kind) > 3.9 || mean(0, kind, 1 - kind) > 3.9, "kinds stay");
    }
}

#[test]
fn weights_sum_to_one_and_mass_follows_them() {
    let (points, batch) = shifted();
    let (mut clusters, _) = DiverseClusters::new(&points, &batch, 2, 5, 0.1, 2.0, 1);
    clusters.round();
    let mut mass = [0.0; 10];
    for chunk in clusters.blocks.iter().flatten() {
        for row in chunk.weights.chunks(5) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            row.iter().enumerate().for_each(|(c, &w)| mass[chunk.batch * 5 + c] += f64::from(w));
        }
    }
    assert!(mass.iter().zip(&clusters.mass).all(|(a, b)| (a - b).abs() < 1e-6 * 600.0));
}

#[test]
fn the_objective_is_that_of_the_definition() {
    let (points, batch) = shifted();
    let (mut clusters, _) = DiverseClusters::new(&points, &batch, 2, 3, 0.1, 2.0, 1);
    let got = clusters.round();
    let ratio = log_ratio(&clusters.mass, &clusters.batch_share, 3);
    let mut expected = 0.0;
    for chunk in clusters.blocks.iter().flatten() {
        for (row, z) in chunk.weights.chunks(3).zip(chunk.directions.chunks(3)) {
            for (k, &w) in row.iter().enumerate() {
                let (w, y) = (f64::from(w), &clusters.centers[k * 3..k * 3 + 3]);
                let cosine: f64 = z.iter().zip(y).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                let entropy = if w > 0.0 { w * w.ln() } else { 0.0 };
                expected += w * 2.0 * (1.0 - cosine) + 0.1 * entropy + 0.1 * w * 2.0 * ratio[chunk.batch * 3 + k];
            }
        }
    }
    assert!((got - expected).abs() < 1e-4 * expected.abs(), "{got} {expected}");
}
