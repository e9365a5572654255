//! `seurat`: variance over mean, compared with genes of similar mean.

use crate::math::column_moments::ColumnMoments;

/// Bins of equal width of the logarithmic mean.
const N_BINS: usize = 20;
/// Stands in for a mean of 0.
const NO_MEAN: f64 = 1e-12;

/// Scores of all genes; 0 for genes that do not vary. `only_expressed` leaves genes without counts out of the bins.
pub(super) fn scores(moments: &ColumnMoments, only_expressed: bool) -> Result<Vec<f64>, String> {
    let genes: Vec<usize> =
        (0..moments.n_columns()).filter(|&gene| !only_expressed || moments.sum(gene) > 0.0).collect();
    let mean = |gene: usize| {
        let mean = moments.mean(gene);
        if mean == 0.0 { NO_MEAN } else { mean }
    };
    let log_mean: Vec<f64> = genes.iter().map(|&gene| mean(gene).ln_1p()).collect();
    // Not a number where a gene does not vary.
    let dispersion: Vec<Option<f64>> =
        genes.iter().map(|&gene| Some(moments.variance(gene) / mean(gene)).filter(|d| *d > 0.0).map(f64::ln)).collect();
    if dispersion.iter().flatten().count() < 2 {
        return Err("fewer than two genes vary".into());
    }
    let bins = bins(&log_mean);
    let mut sums = [(0.0, 0.0); N_BINS];
    for (&bin, value) in bins.iter().zip(&dispersion).filter_map(|(b, d)| d.as_ref().map(|d| (b, d))) {
        sums[bin].0 += 1.0;
        sums[bin].1 += value;
    }
    let mut squares = [0.0; N_BINS];
    for (&bin, value) in bins.iter().zip(&dispersion).filter_map(|(b, d)| d.as_ref().map(|d| (b, d))) {
        squares[bin] += (value - sums[bin].1 / sums[bin].0).powi(2);
    }
    let mut scores = vec![0.0; moments.n_columns()];
    for ((&gene, &bin), value) in genes.iter().zip(&bins).zip(&dispersion) {
        let (n, sum) = sums[bin];
        if let Some(value) = value {
            scores[gene] = match n {
                // The only gene of its bin has nothing to be compared with.
                1.0 => 1.0,
                _ if squares[bin] == 0.0 => 0.0,
                _ => (value - sum / n) / (squares[bin] / (n - 1.0)).sqrt(),
            };
        }
    }
    Ok(scores)
}

/// The bin of each value: equal widths from the smallest to the largest, each open to the left.
fn bins(values: &[f64]) -> Vec<usize> {
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    let step = (high - low) / N_BINS as f64;
    let edges: Vec<f64> = (1..N_BINS).map(|i| low + step * i as f64).collect();
    values.iter().map(|x| edges.partition_point(|edge| edge < x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_open_to_the_left() {
        assert_eq!(bins(&[0.0, 1.0, 1.1, 10.0, 19.0, 20.0]), [0, 0, 1, 9, 18, 19]);
        assert_eq!(bins(&[3.0, 3.0]), [0, 0]);
    }
}
