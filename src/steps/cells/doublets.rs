//! Doublet scores by simulated doublets, lot by lot.
//!
//! **Question.** Which barcodes hold two cells?
//!
//! **Method.** Within each lot, doublets are simulated by adding the counts of two random cells. Cells and simulated doublets
//! are log-normalised, scaled and projected on the components of the cells' most dispersed genes; q is the share of
//! simulated doublets, (s + 1)/(k + 2), among the k nearest of both kinds, k = ½ √cells · (1 + r). With r simulated doublets
//! per cell and the expected rate ρ, the score is the posterior probability of a doublet,
//! (q ρ / r) / (1 − ρ − q (1 − ρ − ρ/r)). A cell is called where its score exceeds the lot's threshold, the valley between
//! the two modes of the simulated doublets' scores.
//!
//! Doublets of two cells of one kind can't be seen. In a lot of one kind only, the simulated scores have one mode: the
//! threshold is then NaN and nothing is called, because any number called would be an assumption, not a finding. The same
//! where the valley would call more than three times the expected share, or where fewer than a tenth of the simulated doublets
//! lie above it: lots of kinds that are alike, as of one product, where a sum of two cells looks like a third. On such lots
//! half of the cells called were single (the guide's benchmarks). The scores rank doublets all the same, and no call is
//! not to say that there are none.
//!
//! **Shapes.** Lots of cells × genes → one score and one call per cell, one threshold per lot.
//!
//! **Defaults of others.** Scrublet: the same ratio, rate 0.1 and counts without logarithm. scanpy: rate 0.05.
//!
//! **References.** Wolock 2019, doi:10.1016/j.cels.2018.11.005.

use ndarray::Array2;
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{Counts, Dataset, places_of_genes};
use crate::error::{Error, Result};
use crate::math::dispersion::most_dispersed;
use crate::math::knn::knn_within;
use crate::math::principal_components::PrincipalComponents;
use crate::math::rng::stream;
use crate::math::sparse_rows::SparseRows;
use crate::math::valley::valley;
use crate::warning::Warning;

/// Lots with fewer cells are not scored: their neighbourhoods would hold a handful of cells.
const MIN_CELLS: usize = 50;
/// Counts that every cell is scaled to.
const TARGET_SUM: f64 = 1e4;
/// Scaled values are clipped here.
const MAX_VALUE: f64 = 10.0;
/// A threshold that calls more than this times the expected share of cells is given up.
const MAX_CALLED: f64 = 3.0;
/// A threshold that fewer than this share of the simulated doublets exceed is given up.
const MIN_DETECTABLE: f64 = 0.1;
/// Bins of the histogram of scores in which modes are looked for.
const N_BINS: usize = 256;
/// A gene seen in fewer cells is not considered.
const MIN_CELLS_PER_GENE: u32 = 3;

/// Parameters of [`doublets`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DoubletParams {
    /// Off = no scores.
    pub enabled: bool,
    /// Drop called doublets. Default: only flag them.
    pub drop: bool,
    /// Simulated doublets per cell, above 0. More steady the scores and cost time. Default 2, as in Scrublet.
    pub simulated_ratio: f64,
    /// Expected share of doublets, above 0 and below 1. It sets the scale of the scores, not their order or who is called.
    /// Default 0.06, about what a 10x lane loaded for 8,000 cells holds.
    pub expected_rate: f64,
    /// Components of each lot's own PCA, at least 1. Default 30, as in Scrublet.
    pub n_components: usize,
    /// Most dispersed genes of each lot that its PCA is made of, at least 1. Default 1,000: enough to tell kinds of cells
    /// apart, at a fraction of the time of 2,000.
    pub n_top_genes: usize,
}

impl Default for DoubletParams {
    fn default() -> Self {
        Self {
            enabled: true,
            drop: false,
            simulated_ratio: 2.0,
            expected_rate: 0.06,
            n_components: 30,
            n_top_genes: 1000,
        }
    }
}

/// Result of [`doublets`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Doublets {
    /// Score 0..1 per cell, global order; NaN where the lot was left out.
    pub score: Vec<f32>,
    /// Called a doublet.
    pub called: Vec<bool>,
    /// Threshold per lot; NaN where none was found.
    pub threshold: Vec<f64>,
    /// Lots left out.
    pub warnings: Vec<Warning>,
}

/// Scores every cell. A lot of fewer than 50 cells, or without genes that vary, is left out with a warning.
///
/// # Errors
/// - a parameter is out of its range
pub fn doublets(dataset: &Dataset, params: &DoubletParams, seed: u64) -> Result<Doublets> {
    check(params)?;
    let lots: Vec<std::result::Result<LotScores, &str>> = (0..dataset.n_lots())
        .into_par_iter()
        .map(|lot| {
            let counts = &dataset.lots()[lot].counts;
            let scores = score_lot(counts, params, seed, lot as u64);
            counts.release();
            scores
        })
        .collect();
    let n = dataset.n_cells();
    let mut out =
        Doublets { score: Vec::with_capacity(n), called: Vec::with_capacity(n), threshold: vec![], warnings: vec![] };
    for (lot, result) in dataset.lots().iter().zip(lots) {
        let scores = result.unwrap_or_else(|cause| {
            // A lot without any cell has been told of when it was read.
            if lot.counts.n_cells() > 0 {
                let (lot, step, cause) = (lot.name.clone(), "doublets".into(), cause.into());
                out.warnings.push(Warning::LotLeftOut { lot, step, cause });
            }
            LotScores { score: vec![f32::NAN; lot.counts.n_cells()], threshold: f64::NAN }
        });
        // NaN exceeds nothing.
        out.called.extend(scores.score.iter().map(|&score| f64::from(score) > scores.threshold));
        out.score.extend(scores.score);
        out.threshold.push(scores.threshold);
    }
    Ok(out)
}

struct LotScores {
    score: Vec<f32>,
    threshold: f64,
}

fn score_lot(
    counts: &Counts,
    params: &DoubletParams,
    seed: u64,
    lot: u64,
) -> std::result::Result<LotScores, &'static str> {
    let n = counts.n_cells();
    if n < MIN_CELLS {
        return Err("it has fewer than 50 cells");
    }
    let genes = dispersed_genes(counts, params.n_top_genes);
    if genes.is_empty() {
        return Err("no gene varies between its cells");
    }
    let n_simulated = ((n as f64 * params.simulated_ratio).round() as usize).max(1);
    let rows = cells_and_doublets(counts, &genes, n_simulated, seed, lot);
    let cells = SparseRows::from_fn(n, genes.len(), |cell, out| {
        let (columns, values) = rows.row(cell);
        columns.iter().zip(values).for_each(|(&column, &value)| out.push(column, value));
    });
    let fit = PrincipalComponents::fit(&cells, params.n_components, Some(MAX_VALUE));
    if fit.n_components() == 0 {
        return Err("no gene varies between its cells");
    }
    let (n_near, k) = simulated_neighbors(&fit.project(&rows), n);

    let ratio = n_simulated as f64 / n as f64;
    let score = |near: usize| posterior(near, k, ratio, params.expected_rate);
    let simulated: Vec<f64> = n_near[n..].iter().map(|&near| score(near)).collect();
    let n_detectable = |threshold: f64| simulated.iter().filter(|&&s| s > threshold).count() as f64;
    let threshold = between_modes(&simulated);
    let score: Vec<f32> = n_near[..n].iter().map(|&near| score(near) as f32).collect();
    let n_above = score.iter().filter(|&&s| f64::from(s) > threshold).count();
    // A valley below much of the cells does not part doublets from cells, whatever lies between.
    let parts = n_above as f64 <= MAX_CALLED * params.expected_rate * n as f64
        && n_detectable(threshold) >= MIN_DETECTABLE * n_simulated as f64;
    Ok(LotScores { score, threshold: if parts { threshold } else { f64::NAN } })
}

/// The valley between the two modes of the scores; NaN if they have not two.
fn between_modes(scores: &[f64]) -> f64 {
    let (low, high) = scores.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &s| (low.min(s), high.max(s)));
    if high <= low {
        return f64::NAN;
    }
    let width = (high - low) / N_BINS as f64;
    let mut histogram = vec![0.0; N_BINS];
    scores.iter().for_each(|score| histogram[(((score - low) / width) as usize).min(N_BINS - 1)] += 1.0);
    valley(&histogram).map_or(f64::NAN, |bin| low + (bin as f64 + 0.5) * width)
}

/// Genes whose variance exceeds most that of genes with the same mean, counts scaled to the same total per cell.
fn dispersed_genes(counts: &Counts, n_top: usize) -> Vec<u32> {
    let (n, n_genes) = (counts.n_cells(), counts.n_genes());
    let (mut sum, mut squares, mut seen) = (vec![0.0; n_genes], vec![0.0; n_genes], vec![0_u32; n_genes]);
    for cell in 0..n {
        let scale = TARGET_SUM / counts.total(cell).max(1) as f64;
        counts.row(cell).for_each(|gene, count| {
            let (gene, value) = (gene as usize, f64::from(count) * scale);
            sum[gene] += value;
            squares[gene] += value * value;
            seen[gene] += 1;
        });
    }
    let mean: Vec<f64> =
        sum.iter().zip(&seen).map(|(s, &seen)| if seen < MIN_CELLS_PER_GENE { 0.0 } else { s / n as f64 }).collect();
    let variance: Vec<f64> = mean.iter().zip(&squares).map(|(mean, s)| (s / n as f64 - mean * mean).max(0.0)).collect();
    most_dispersed(&mean, &variance, n_top)
}

/// Log-normalised values of the chosen genes: first the cells, then sums of two random ones.
fn cells_and_doublets(counts: &Counts, genes: &[u32], n_simulated: usize, seed: u64, lot: u64) -> SparseRows {
    let n = counts.n_cells();
    let column_of_gene = places_of_genes(genes, counts.n_genes());
    let chosen = SparseRows::from_fn(n, genes.len(), |cell, out| {
        counts.row(cell).for_each(|gene, count| {
            if column_of_gene[gene as usize] != u32::MAX {
                out.push(column_of_gene[gene as usize], count as f32);
            }
        });
    });
    let totals: Vec<u64> = (0..n).map(|cell| counts.total(cell)).collect();
    let mut rng = stream(seed, "simulated doublets", lot);
    let pairs: Vec<[usize; 2]> = (0..n_simulated).map(|_| [rng.random_range(0..n), rng.random_range(0..n)]).collect();
    SparseRows::from_fn(n + n_simulated, genes.len(), |row, out| {
        let parts: &[usize] = if row < n { &[row] } else { &pairs[row - n] };
        let total: u64 = parts.iter().map(|&cell| totals[cell]).sum();
        let scale = if total == 0 { 0.0 } else { (TARGET_SUM / total as f64) as f32 };
        if let [cell] = *parts {
            let (columns, values) = chosen.row(cell);
            columns.iter().zip(values).for_each(|(&column, &count)| out.push(column, (count * scale).ln_1p()));
            return;
        }
        let mut sum = vec![0.0_f32; genes.len()];
        for &cell in parts {
            let (columns, values) = chosen.row(cell);
            columns.iter().zip(values).for_each(|(&column, &count)| sum[column as usize] += count);
        }
        for (column, &count) in sum.iter().enumerate().filter(|entry| *entry.1 > 0.0) {
            out.push(column as u32, (count * scale).ln_1p());
        }
    })
}

/// How many of each row's k nearest rows are simulated (from row `n` on), and k.
fn simulated_neighbors(scores: &Array2<f32>, n: usize) -> (Vec<usize>, usize) {
    let k = (0.5 * (n as f64).sqrt()).round() * scores.nrows() as f64 / n as f64;
    let found = knn_within(scores.view(), k.round() as usize);
    let count = |near: &[u32]| near.iter().filter(|&&other| other as usize >= n).count();
    (found.indices.chunks_exact(found.k).map(count).collect(), found.k)
}

/// Probability of a doublet with `near` simulated ones among k neighbours (Wolock 2019).
fn posterior(near: usize, k: usize, ratio: f64, rate: f64) -> f64 {
    let q = (near + 1) as f64 / (k + 2) as f64;
    (q * rate / ratio) / (1.0 - rate - q * (1.0 - rate - rate / ratio))
}

fn check(params: &DoubletParams) -> Result<()> {
    if !(params.simulated_ratio.is_finite() && params.simulated_ratio > 0.0) {
        return Err(Error::param("doublets.simulated_ratio", params.simulated_ratio, "a number above 0"));
    }
    if !(params.expected_rate > 0.0 && params.expected_rate < 1.0) {
        return Err(Error::param("doublets.expected_rate", params.expected_rate, "above 0 and below 1"));
    }
    if params.n_components == 0 {
        return Err(Error::param("doublets.n_components", params.n_components, "at least 1"));
    }
    if params.n_top_genes == 0 {
        return Err(Error::param("doublets.n_top_genes", params.n_top_genes, "at least 1"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::cells::tests_common::from_vectors;

    const SYMBOLS: [&str; 20] =
        ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T"];

    /// Two kinds of cells by turns, each with ten genes of its own; the last `n_doublets` are sums.
    fn cells(n: usize, n_doublets: usize, seed: u64) -> Vec<Vec<u32>> {
        let mut rng = stream(seed, "doublet test", 0);
        let mut cells: Vec<Vec<u32>> = (0..n - n_doublets)
            .map(|cell| (0..20).map(|gene| rng.random_range(0..if gene % 2 == cell % 2 { 30 } else { 3 })).collect())
            .collect();
        for i in 0..n_doublets {
            let sum = cells[2 * i].iter().zip(&cells[2 * i + 1]).map(|(a, b)| a + b).collect();
            cells.push(sum);
        }
        cells
    }

    #[test]
    fn planted_doublets_score_above_cells() {
        let done = doublets(&from_vectors(&[cells(420, 20, 1)], &SYMBOLS), &DoubletParams::default(), 0).unwrap();
        let (single, planted) = done.score.split_at(400);
        let above: usize = planted.iter().map(|p| single.iter().filter(|s| p > s).count()).sum();
        assert!(above as f64 > 0.9 * (400.0 * 20.0), "{above}");
        assert!(done.score.iter().all(|s| (0.0..=1.0).contains(s)));
    }

    #[test]
    fn a_lot_of_one_kind_has_no_threshold_or_few_calls() {
        let one_kind: Vec<Vec<u32>> = cells(800, 0, 2).into_iter().step_by(2).collect();
        let done = doublets(&from_vectors(&[one_kind], &SYMBOLS), &DoubletParams::default(), 0).unwrap();
        assert!(done.threshold[0].is_nan() || done.called.iter().filter(|&&c| c).count() < 60, "{:?}", done.threshold);
    }

    #[test]
    fn small_constant_and_empty_lots_are_left_out() {
        let lots = [cells(49, 0, 3), vec![vec![1; 20]; 60], vec![vec![0; 20]; 60], vec![], cells(60, 0, 4)];
        let done = doublets(&from_vectors(&lots, &SYMBOLS), &DoubletParams::default(), 0).unwrap();
        assert_eq!(done.warnings.len(), 3);
        assert!(done.score[..169].iter().all(|s| s.is_nan()) && done.score[169..].iter().all(|s| s.is_finite()));
        assert!(!done.called[..169].contains(&true));
        assert_eq!((done.score.len(), done.called.len(), done.threshold.len()), (229, 229, 5));
    }

    #[test]
    fn posterior_by_hand() {
        // q = 1/2, two simulated per cell, rate 1/10: (0.05 / 2) / (0.9 − 0.5 · (0.9 − 0.05)) = 0.025 / 0.475.
        assert!((posterior(4, 8, 2.0, 0.1) - 0.025 / 0.475).abs() < 1e-12);
        assert!(posterior(8, 8, 2.0, 0.1) < 1.0);
    }

    #[test]
    fn one_and_two_threads_agree() {
        let data = from_vectors(&[cells(120, 5, 5), cells(90, 5, 6)], &SYMBOLS);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| doublets(&data, &DoubletParams::default(), 1).unwrap())
        };
        let first = run(1);
        assert_eq!(first.score, run(2).score);
        // As bits, because a threshold may be NaN.
        let bits = |done: &Doublets| done.threshold.iter().map(|t| t.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&first), bits(&run(2)));
    }

    #[test]
    fn bad_parameters_are_refused() {
        let data = from_vectors(&[cells(60, 0, 1)], &SYMBOLS);
        for params in [
            DoubletParams { simulated_ratio: 0.0, ..DoubletParams::default() },
            DoubletParams { expected_rate: 1.0, ..DoubletParams::default() },
            DoubletParams { n_components: 0, ..DoubletParams::default() },
            DoubletParams { n_top_genes: 0, ..DoubletParams::default() },
        ] {
            assert!(matches!(doublets(&data, &params, 0), Err(Error::Param { .. })));
        }
    }
}
