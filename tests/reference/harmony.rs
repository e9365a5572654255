//! `harmony` against harmonypy's saved output, and on cell lines whose mixing is known.

use cqa::math::{knn::knn_within, lisi::lisi};
use cqa::steps::cells::{Harmony, HarmonyParams, harmony};
use ndarray::Array2;

use crate::common::{column, pearson, rows, shared_data};

/// All columns of a table of numbers.
fn matrix(name: &str) -> Option<Array2<f32>> {
    let (header, rows) = rows(&shared_data(name)?);
    let values: Vec<f32> = rows.iter().flat_map(|row| row.iter().map(|v| v.parse().unwrap())).collect();
    Some(Array2::from_shape_vec((rows.len(), header.len()), values).unwrap())
}

/// A column as numbers 0, 1, … in alphabetical order, with the number of values.
fn codes(name: &str, field: &str) -> Option<(Vec<u32>, usize)> {
    let values = column(&shared_data(name)?, field);
    let mut levels = values.clone();
    levels.sort();
    levels.dedup();
    Some((values.iter().map(|v| levels.binary_search(v).unwrap() as u32).collect(), levels.len()))
}

/// Index per cell at perplexity 30.
fn lisi_of(embedding: &Array2<f32>, (codes, n): &(Vec<u32>, usize)) -> Vec<f64> {
    // The original takes three times the perplexity with the cell itself.
    let found = knn_within(embedding.view(), 89);
    lisi(&found.indices, &found.distances, found.k, codes, *n, 30.0)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn run(scores: &Array2<f32>, batch: &(Vec<u32>, usize), seed: u64) -> Harmony {
    harmony(scores, &batch.0, batch.1, &HarmonyParams::default(), seed).unwrap()
}

#[test]
fn lisi_equals_the_original() {
    let Some(points) = matrix("harmonypy/data/lisi_x.tsv.gz") else { return };
    for field in ["label1", "label2"] {
        let Some(codes) = codes("harmonypy/data/lisi_metadata.tsv.gz", field) else { return };
        let Some(path) = shared_data("harmonypy/data/lisi_lisi.tsv.gz") else { return };
        let expected = crate::common::numbers(&path, field);
        let worst = lisi_of(&points, &codes).iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-3, "{field}: {worst}");
    }
}

#[test]
fn components_and_mixing_equal_harmonypy() {
    let (Some(scores), Some(expected), Some(donor)) = (
        matrix("harmonypy/data/pbmc_3500_pcs.tsv.gz"),
        matrix("harmonypy/data/pbmc_3500_pcs_harmonized.tsv.gz"),
        codes("harmonypy/data/pbmc_3500_meta.tsv.gz", "donor"),
    ) else {
        return;
    };
    let before = mean(&lisi_of(&scores, &donor));
    let theirs = mean(&lisi_of(&expected, &donor));
    for seed in 0..3 {
        let done = run(&scores, &donor, seed);
        assert!(done.converged);
        let ours = mean(&lisi_of(&done.corrected, &donor));
        let r: Vec<f64> = (0..scores.ncols())
            .map(|c| {
                let take = |m: &Array2<f32>| m.column(c).iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
                pearson(&take(&done.corrected), &take(&expected))
            })
            .collect();
        let worst = r.iter().copied().fold(1.0, f64::min);
        assert!(worst >= 0.99, "{r:?}");
        assert!((ours / theirs - 1.0).abs() < 0.02, "{before} -> {ours} against {theirs}");
    }
}

#[test]
fn cell_lines_mix_over_batches_and_never_merge() {
    for name in ["cell_lines", "cell_lines_small"] {
        let meta = format!("harmony/{name}_meta.csv");
        let (Some(scores), Some(dataset), Some(line)) =
            (matrix(&format!("harmony/{name}_pcs.csv")), codes(&meta, "dataset"), codes(&meta, "cell_type"))
        else {
            return;
        };
        let done = run(&scores, &dataset, 0);
        let (before, after) = (mean(&lisi_of(&scores, &dataset)), mean(&lisi_of(&done.corrected, &dataset)));
        let merged = mean(&lisi_of(&done.corrected, &line));
        // Each line comes in two of the three batches.
        assert!(before < 1.35 && after > 1.5, "{before} -> {after}");
        assert!(merged < 1.02, "{merged}");
    }
}
