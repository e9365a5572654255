//! What is taken out of columns and readout before they meet, and which orders of the readout are admissible.
//!
//! Within blocks, values are compared with their block's mean and exchange only with each other, so the effect of the
//! block is gone from both sides. Covariates are taken out by least squares; what is permuted then are the residuals of
//! the readout (Freedman & Lane 1983, doi:10.1080/07350015.1983.10509354), and each order is judged by the partial
//! correlation it gives, for which its residuals are freed from the covariates once more.

use super::correlation::dot;
use super::orders::Exchange;

/// Part of a column's length below which what the covariates leave of it is rounding.
const NOTHING_LEFT: f64 = 1e-9;

/// Blocks, strata and covariates over `n` places.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    blocks: Vec<usize>,
    strata: Vec<usize>,
    /// Orthonormal span of the covariates within blocks.
    basis: Vec<Vec<f64>>,
}

impl Design {
    /// Every order is admissible and nothing but the mean is taken out.
    pub fn free(n: usize) -> Self {
        Self::new(&vec![0; n], &vec![0; n], &[])
    }

    /// Codes of blocks (exchange within, means taken out), codes of strata (exchange within, nothing taken out) and
    /// covariates. A covariate that blocks and earlier covariates explain adds nothing.
    pub fn new(blocks: &[usize], strata: &[usize], covariates: &[Vec<f64>]) -> Self {
        let n = blocks.len();
        assert!(strata.len() == n && covariates.iter().all(|c| c.len() == n), "one entry per place");
        let mut design = Self { blocks: blocks.to_vec(), strata: strata.to_vec(), basis: Vec::new() };
        for covariate in covariates {
            let left = design.adjust(covariate);
            design.basis.extend(left);
        }
        design
    }

    /// Number of places.
    pub fn n(&self) -> usize {
        self.blocks.len()
    }

    /// The orders that are admissible.
    pub fn exchange(&self) -> Exchange {
        let code =
            |place: usize| self.blocks[place] * (self.strata.iter().max().unwrap_or(&0) + 1) + self.strata[place];
        Exchange::within(&(0..self.n()).map(code).collect::<Vec<_>>())
    }

    /// Number of blocks.
    pub fn n_blocks(&self) -> usize {
        self.places_of_blocks().len()
    }

    /// Degrees of freedom that blocks and covariates take, beyond that of the mean.
    pub fn n_taken(&self) -> usize {
        self.n_blocks().saturating_sub(1) + self.basis.len()
    }

    /// Directions of the covariates within blocks, orthonormal.
    pub fn basis(&self) -> &[Vec<f64>] {
        &self.basis
    }

    /// Places of each block.
    pub(super) fn places_of_blocks(&self) -> Vec<Vec<usize>> {
        Exchange::within(&self.blocks).groups().to_vec()
    }

    /// Values less their block's mean and what the covariates explain, scaled to length 1. `None` if no more than
    /// rounding is left.
    pub fn adjust(&self, values: &[f64]) -> Option<Vec<f64>> {
        assert_eq!(values.len(), self.n(), "one value per place");
        let mut left = values.to_vec();
        let mut largest_mean = 0.0_f64;
        for places in self.places_of_blocks() {
            let mean = places.iter().map(|&place| values[place]).sum::<f64>() / places.len() as f64;
            largest_mean = largest_mean.max(mean.abs());
            places.iter().for_each(|&place| left[place] -= mean);
        }
        let length = dot(&left, &left).sqrt();
        // Rounding alone leaves deviations of about 1e-16 of the mean. Written so that NaN is constant too.
        if !(length > 1e-13 * largest_mean && length.is_finite()) {
            return None;
        }
        left.iter_mut().for_each(|v| *v /= length);
        if self.basis.is_empty() {
            return Some(left);
        }
        // Twice, as the first time leaves rounding along the basis.
        for _ in 0..2 {
            for direction in &self.basis {
                let along = dot(&left, direction);
                left.iter_mut().zip(direction).for_each(|(v, d)| *v -= along * d);
            }
        }
        let length = dot(&left, &left).sqrt();
        (length > NOTHING_LEFT).then(|| left.iter().map(|v| v / length).collect())
    }

    /// Each place's part of the sum of squares that [`Design::adjust`] leaves, 0..1; under weights (≥ 0, without covariates)
    /// of the weighted one about the weighted mean of each block. `None` if no more than rounding is left.
    pub fn parts(&self, values: &[f64], weights: Option<&[f64]>) -> Option<Vec<f64>> {
        let Some(weights) = weights else {
            return Some(self.adjust(values)?.iter().map(|v| v * v).collect());
        };
        assert!(self.basis.is_empty(), "weights go without covariates");
        let mut parts = vec![0.0; self.n()];
        let mut largest_mean = 0.0_f64;
        for places in self.places_of_blocks() {
            let total: f64 = places.iter().map(|&place| weights[place]).sum();
            let mean = places.iter().map(|&place| weights[place] * values[place]).sum::<f64>() / total;
            if total > 0.0 {
                largest_mean = largest_mean.max(total.sqrt() * mean.abs());
                places.iter().for_each(|&place| parts[place] = weights[place] * (values[place] - mean).powi(2));
            }
        }
        let sum: f64 = parts.iter().sum();
        (sum.sqrt() > 1e-13 * largest_mean && sum.is_finite()).then(|| parts.iter().map(|part| part / sum).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::correlation::{pearson, standardize};

    #[test]
    fn the_free_design_standardizes() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0];
        let design = Design::free(5);
        assert_eq!(design.adjust(&values), standardize(&values));
        assert_eq!((design.n_taken(), design.n_blocks(), design.exchange().count()), (0, 1, 120.0));
        assert_eq!(design.adjust(&[0.1; 5]), None);
        assert_eq!(design.adjust(&[f64::NAN, 1.0, 2.0, 3.0, 4.0]), None);
    }

    #[test]
    fn one_covariate_gives_the_textbook_partial_correlation() {
        let (x, y, z) =
            ([1.0, 2.0, 4.0, 3.0, 7.0, 5.0], [2.0, 1.0, 5.0, 2.0, 6.0, 9.0], [0.5, 0.1, 0.9, 0.7, 1.5, 1.0]);
        let design = Design::new(&[0; 6], &[0; 6], &[z.to_vec()]);
        let ours = dot(&design.adjust(&x).unwrap(), &design.adjust(&y).unwrap());
        let (xy, xz, yz) = (pearson(&x, &y), pearson(&x, &z), pearson(&y, &z));
        let textbook = (xy - xz * yz) / ((1.0 - xz * xz) * (1.0 - yz * yz)).sqrt();
        assert!((ours - textbook).abs() < 1e-14, "{ours} {textbook}");
        assert_eq!(design.adjust(&z.map(|v| 3.0 - 2.0 * v)), None, "explained by the covariate");
    }

    #[test]
    fn parts_are_of_what_is_left() {
        let free = Design::free(4);
        // Deviations −1.5, −2.5, −1.5, 5.5.
        let parts = free.parts(&[2.0, 1.0, 2.0, 9.0], None).unwrap();
        assert!((parts[3] - 30.25 / 41.0).abs() < 1e-15);
        assert!((free.parts(&[2.0, 1.0, 2.0, 9.0], Some(&[3.0; 4])).unwrap()[3] - 30.25 / 41.0).abs() < 1e-15);
        // Weighted mean 2: squares 0, 1, 0 and 49, times the weights 7, 7, 7 and 1.
        let parts = free.parts(&[2.0, 1.0, 2.0, 9.0], Some(&[7.0, 7.0, 7.0, 1.0])).unwrap();
        assert!((parts[3] - 49.0 / 56.0).abs() < 1e-15 && (parts[1] - 7.0 / 56.0).abs() < 1e-15, "{parts:?}");
        // What lies far out with its block is not far from it.
        let blocks = Design::new(&[0, 0, 1, 1], &[0; 4], &[]);
        let parts = blocks.parts(&[1.0, 2.0, 100.0, 101.0], None).unwrap();
        assert!(parts.iter().all(|part| (part - 0.25).abs() < 1e-12), "{parts:?}");
        let weighted = blocks.parts(&[1.0, 2.0, 100.0, 101.0], Some(&[1.0, 1.0, 2.0, 2.0])).unwrap();
        assert!((weighted[0] - 1.0 / 6.0).abs() < 1e-12 && (weighted[3] - 1.0 / 3.0).abs() < 1e-12, "{weighted:?}");
        assert_eq!(free.parts(&[0.1; 4], Some(&[1.0, 2.0, 3.0, 4.0])), None);
    }

    #[test]
    fn blocks_are_compared_within() {
        let design = Design::new(&[0, 0, 1, 1, 2], &[0, 0, 0, 1, 0], &[vec![1.0, 1.0, 5.0, 5.0, 2.0]]);
        assert_eq!((design.n_blocks(), design.n_taken()), (3, 2), "the covariate is constant within blocks");
        assert_eq!(design.exchange().groups(), [vec![0, 1], vec![2], vec![3], vec![4]]);
        let left = design.adjust(&[1.0, 3.0, 10.0, 14.0, 7.0]).unwrap();
        let unit = 10.0_f64.sqrt().recip();
        for (left, expected) in left.iter().zip([-1.0, 1.0, -2.0, 2.0, 0.0]) {
            assert!((left - expected * unit).abs() < 1e-15);
        }
    }
}
