//! Local inverse Simpson's index: how many categories a point's neighbourhood effectively holds (Korsunsky 2019).

use rayon::prelude::*;

/// Halvings of the interval of the kernel's width.
const MAX_HALVINGS: usize = 50;
/// The entropy of the neighbourhood is met to within this.
const TOLERANCE: f64 = 1e-5;

/// Index per point: 1 if its neighbours are all of one category, up to the number of categories if they are even.
///
/// `neighbors` and `distances` are points × k, nearest first, without the point itself; `category` has one entry per
/// point. Neighbours weigh exp(−β d), with β such that their effective number is `perplexity`; k should be about three
/// times that.
///
/// ```
/// let lisi = cqa::math::lisi::lisi(&[1, 2, 0, 2, 0, 1], &[1.0; 6], 2, &[0, 1, 1], 2, 2.0);
/// assert_eq!(lisi, [1.0, 2.0, 2.0]);
/// ```
pub fn lisi(
    neighbors: &[u32],
    distances: &[f32],
    k: usize,
    category: &[u32],
    n_categories: usize,
    perplexity: f64,
) -> Vec<f64> {
    assert_eq!((neighbors.len(), distances.len()), (category.len() * k, category.len() * k), "points × k");
    let rows = neighbors.par_chunks_exact(k).zip(distances.par_chunks_exact(k));
    rows.map(|(neighbors, distances)| {
        let weights = kernel(distances, perplexity);
        let mut shares = vec![0.0; n_categories];
        for (&neighbor, weight) in neighbors.iter().zip(&weights) {
            shares[category[neighbor as usize] as usize] += weight;
        }
        1.0 / shares.iter().map(|share| share * share).sum::<f64>()
    })
    .collect()
}

/// Weights, summing to 1, whose entropy is ln(perplexity), or as near as the distances allow.
fn kernel(distances: &[f32], perplexity: f64) -> Vec<f64> {
    let nearest = distances.first().map_or(0.0, |&d| f64::from(d));
    let (mut low, mut high, mut beta) = (0.0, f64::INFINITY, 1.0);
    let mut weights = Vec::new();
    for _ in 0..MAX_HALVINGS {
        weights = distances.iter().map(|&d| (-beta * (f64::from(d) - nearest)).exp()).collect::<Vec<f64>>();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= sum);
        let entropy: f64 = weights.iter().filter(|w| **w > 0.0).map(|w| -w * w.ln()).sum();
        let excess = entropy - perplexity.ln();
        if excess.abs() < TOLERANCE {
            break;
        }
        if excess > 0.0 {
            low = beta;
            beta = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * beta };
        } else {
            high = beta;
            beta = 0.5 * (low + high);
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_the_perplexity_asked_for() {
        let distances: Vec<f32> = (0..90).map(|i| 1.0 + i as f32 * 0.1).collect();
        let entropy: f64 = kernel(&distances, 30.0).iter().map(|w| -w * w.ln()).sum();
        assert!((entropy.exp() - 30.0).abs() < 1e-2);
    }

    #[test]
    fn equal_distances_stay_finite() {
        assert!(kernel(&[0.0; 9], 3.0).iter().all(|w| (w - 1.0 / 9.0).abs() < 1e-12));
    }
}
