//! How lots are arranged, and what that leaves to permute.

use statrs::function::factorial::{binomial, factorial};

/// How the lots of a study are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Design {
    /// A readout is measured in each lot; its values are permuted over lots.
    #[default]
    Measured,
    /// Two groups of equal size (passed and failed, say); which lots are in which group is permuted.
    Groups,
    /// Pairs of lots (the same donor by two processes, say); the sign of each difference is flipped.
    Pairs,
}

/// Lots of a design, their blocks, and the directions that are taken out of share and readout before they are correlated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub n_lots: usize,
    pub design: Design,
    /// Block of each lot; lots follow each other block by block.
    pub block: Vec<usize>,
    pub n_covariates: usize,
}

impl Layout {
    /// Blocks are filled in turn. A rest of one lot, which has nothing to be permuted with, joins the block before it.
    pub fn new(n_lots: usize, design: Design, block_size: usize, n_covariates: usize) -> Self {
        let size = if block_size == 0 { n_lots.max(1) } else { block_size };
        let mut block: Vec<usize> = (0..n_lots).map(|lot| lot / size).collect();
        if n_lots > size && n_lots % size == 1 {
            block[n_lots - 1] = block[n_lots - 2];
        }
        Self { n_lots, design, block, n_covariates }
    }

    fn n_blocks(&self) -> usize {
        self.block.last().map_or(0, |last| last + 1)
    }

    /// Lots of each block.
    pub fn blocks(&self) -> Vec<std::ops::Range<usize>> {
        let start = |block| self.block.partition_point(|&b| b < block);
        (0..self.n_blocks()).map(|block| start(block)..start(block + 1)).collect()
    }

    /// Of r, as t / √(t² + df); not above 0 where too few lots are left.
    pub fn degrees_of_freedom(&self) -> f64 {
        let taken = if self.design == Design::Pairs { 1 } else { 1 + self.n_blocks() + self.n_covariates };
        self.n_lots as f64 - taken as f64
    }

    /// The readout of a design that fixes it: groups in turn within each block, with mean 0 and mean square 1; 1 in every pair.
    pub fn fixed_readout(&self) -> Vec<f64> {
        if self.design == Design::Pairs {
            return vec![1.0; self.n_lots];
        }
        let first = self.blocks().into_iter().flat_map(|lots| (0..lots.len()).map(|i| i % 2 == 0)).collect::<Vec<_>>();
        let share = first.iter().filter(|f| **f).count() as f64 / self.n_lots as f64;
        let (high, low) = (((1.0 - share) / share).sqrt(), -(share / (1.0 - share)).sqrt());
        first.into_iter().map(|f| if f { high } else { low }).collect()
    }

    /// Sum of squares of the fixed readout that blocks leave.
    pub fn free_variation(&self) -> f64 {
        let readout = self.fixed_readout();
        if self.design == Design::Pairs {
            return readout.iter().map(|v| v * v).sum();
        }
        let within = |lots: std::ops::Range<usize>| {
            let values = &readout[lots];
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
        };
        // A covariate takes its part of the readout with it, on average one lot's.
        let lost = self.n_covariates as f64 / (self.n_lots - self.n_blocks()).max(1) as f64;
        self.blocks().into_iter().map(within).sum::<f64>() * (1.0 - lost).max(0.0)
    }

    /// Orders that the design admits.
    pub fn n_orders(&self) -> f64 {
        let of_block = |lots: std::ops::Range<usize>| {
            let n = lots.len() as u64;
            match self.design {
                Design::Measured => factorial(n),
                Design::Groups => binomial(n, n.div_ceil(2)),
                Design::Pairs => 2_f64.powi(n as i32),
            }
        };
        self.blocks().into_iter().map(of_block).product()
    }

    /// Smallest two-sided p: one order of all is best; where all signs can be turned round, two are.
    pub fn smallest_p(&self) -> f64 {
        let turned = match self.design {
            Design::Measured => false,
            Design::Groups => self.blocks().iter().all(|lots| lots.len().is_multiple_of(2)),
            Design::Pairs => true,
        };
        (if turned { 2.0 } else { 1.0 } / self.n_orders()).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_counted() {
        let p = |n, design, block| Layout::new(n, design, block, 0).smallest_p();
        assert_eq!(Layout::new(11, Design::Measured, 0, 0).n_orders(), 39_916_800.0);
        assert_eq!(p(5, Design::Measured, 0), 1.0 / 120.0);
        assert_eq!(p(8, Design::Measured, 4), 1.0 / 576.0);
        // 8 lots in two groups of 4: 70 ways, each with its mirror image. 5 and 4: none.
        assert_eq!(p(8, Design::Groups, 0), 2.0 / 70.0);
        assert_eq!(p(9, Design::Groups, 0), 1.0 / 126.0);
        // Pairs of a donor's lots as blocks are pairs.
        assert_eq!(p(12, Design::Groups, 2), p(6, Design::Pairs, 0));
        assert_eq!(p(6, Design::Pairs, 0), 2.0 / 64.0);
        assert!(p(5, Design::Pairs, 0) > 0.05);
    }

    #[test]
    fn a_rest_of_one_lot_joins_the_block_before_it() {
        let layout = Layout::new(9, Design::Measured, 4, 1);
        assert_eq!(layout.blocks(), [0..4, 4..9]);
        assert_eq!(layout.degrees_of_freedom(), 9.0 - 1.0 - 2.0 - 1.0);
        assert_eq!(Layout::new(11, Design::Measured, 0, 0).degrees_of_freedom(), 9.0);
        assert_eq!(Layout::new(6, Design::Pairs, 0, 0).degrees_of_freedom(), 5.0);
    }

    #[test]
    fn groups_have_mean_zero_and_mean_square_one() {
        for (n, block) in [(10, 0), (11, 0), (12, 3)] {
            let layout = Layout::new(n, Design::Groups, block, 0);
            let readout = layout.fixed_readout();
            assert!(readout.iter().sum::<f64>().abs() < 1e-12);
            assert!((readout.iter().map(|v| v * v).sum::<f64>() - n as f64).abs() < 1e-12);
            assert!(layout.free_variation() <= n as f64 + 1e-12);
        }
    }
}
