//! `seurat_v3`: variance of counts standardised by the variance that genes of the same mean have.

use rayon::prelude::*;

use super::Cells;
use crate::math::column_moments::ColumnMoments;
use crate::math::loess::loess;

/// Scores of all genes by the cells of `lots`, whose moments these are; 0 for genes that do not vary.
pub(super) fn scores(lots: &[Cells<'_>], moments: &ColumnMoments, span: f64) -> Result<Vec<f64>, String> {
    let n = moments.n_rows() as f64;
    let varying: Vec<usize> = (0..moments.n_columns()).filter(|&gene| moments.variance(gene) > 0.0).collect();
    let log_mean: Vec<f64> = varying.iter().map(|&gene| moments.mean(gene).log10()).collect();
    let log_variance: Vec<f64> = varying.iter().map(|&gene| moments.variance(gene).log10()).collect();
    let fitted = loess(&log_mean, &log_variance, span)
        .ok_or_else(|| "too few genes vary to relate variance to mean".to_string())?;
    let mut fitted_variance = vec![f64::NAN; moments.n_columns()];
    for (&gene, log_variance) in varying.iter().zip(&fitted) {
        fitted_variance[gene] = 10_f64.powf(*log_variance);
    }
    // Counts above this are clipped to it; where a gene does not vary none is.
    let clip: Vec<f64> =
        (0..moments.n_columns()).map(|gene| moments.mean(gene) + (n * fitted_variance[gene]).sqrt()).collect();
    let clipped = excess(lots, &clip);
    let mut scores = vec![0.0; moments.n_columns()];
    for gene in varying {
        let (mean, [over, over_squares]) = (moments.mean(gene), clipped[gene]);
        let (sum, squares) = (moments.sum(gene) - over, moments.sum_of_squares(gene) - over_squares);
        let score = (n * mean * mean + squares - 2.0 * mean * sum) / ((n - 1.0) * fitted_variance[gene]);
        // A fit gone astray must not put a gene at the top.
        scores[gene] = if score.is_finite() { score.max(0.0) } else { 0.0 };
    }
    Ok(scores)
}

/// What clipping takes off each gene's sum and sum of squares.
fn excess(lots: &[Cells<'_>], clip: &[f64]) -> Vec<[f64; 2]> {
    // A count is above the limit if it is above its whole part. NaN becomes the largest integer.
    let whole: Vec<u32> = clip.iter().map(|c| if c.is_nan() { u32::MAX } else { *c as u32 }).collect();
    let tasks: Vec<(&Cells<'_>, std::ops::Range<usize>)> =
        lots.iter().flat_map(|lot| lot.chunks().into_iter().map(move |cells| (lot, cells))).collect();
    // Hardly any count is clipped, so list them rather than keep sums for every chunk.
    let above: Vec<Vec<(u32, u32)>> = tasks
        .into_par_iter()
        .map(|(lot, cells)| {
            let mut above = Vec::new();
            for cell in cells {
                lot.lot.counts.row(cell).for_each(|gene, count| {
                    if count > whole[gene as usize] {
                        above.push((gene, count));
                    }
                });
            }
            above
        })
        .collect();
    lots.iter().for_each(|lot| lot.lot.counts.release());
    let mut excess = vec![[0.0; 2]; clip.len()];
    for &(gene, count) in above.iter().flatten() {
        let (limit, count) = (clip[gene as usize], f64::from(count));
        let sums: &mut [f64; 2] = &mut excess[gene as usize];
        sums[0] += count - limit;
        sums[1] += count * count - limit * limit;
    }
    excess
}
