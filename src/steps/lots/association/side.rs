//! Columns and readout as one statistic sees them.

use super::params::Statistic;
use crate::math::design::Design;
use crate::math::family::{Family, Readout, Tail};
use crate::math::ranks::average_ranks;

/// Columns and readout as one statistic sees them.
pub(super) struct Side {
    statistic: Statistic,
    columns: Vec<Vec<f64>>,
    readout: Vec<f64>,
    weights: Option<Vec<f64>>,
    blocks: Vec<usize>,
    strata: Vec<usize>,
    covariates: Vec<Vec<f64>>,
    pub(super) design: Design,
}

impl Side {
    pub(super) fn new(
        statistic: Statistic,
        columns: &[Vec<f64>],
        readout: &[f64],
        weights: Option<&[f64]>,
        blocks: &[usize],
        strata: &[usize],
        covariates: &[Vec<f64>],
    ) -> Self {
        let seen = |values: &[f64]| match statistic {
            Statistic::Pearson => values.to_vec(),
            Statistic::Spearman => average_ranks(values),
        };
        let all = |vectors: &[Vec<f64>]| vectors.iter().map(|v| seen(v)).collect::<Vec<_>>();
        let covariates = all(covariates);
        Self {
            statistic,
            columns: all(columns),
            readout: seen(readout),
            weights: weights.map(<[f64]>::to_vec),
            blocks: blocks.to_vec(),
            strata: strata.to_vec(),
            design: Design::new(blocks, strata, &covariates),
            covariates,
        }
    }

    pub(super) fn family(&self, tail: Tail) -> Family {
        let readout = Readout { values: &self.readout, weights: self.weights.as_deref() };
        Family::of_columns(&self.columns, readout, &self.design, tail)
    }

    /// Correlation of each column; NaN where it or the readout is constant.
    pub(super) fn effects(&self) -> Vec<f64> {
        let constant = self.design.adjust(&self.readout).is_none();
        let effect = |(column, r): (&Vec<f64>, f64)| {
            if constant || self.design.adjust(column).is_none() { f64::NAN } else { r.clamp(-1.0, 1.0) }
        };
        self.columns.iter().zip(self.family(Tail::Both).correlations()).map(effect).collect()
    }

    /// Each row's part of the variation of the column or of the readout, whichever is larger, as they are tested; columns
    /// × rows, NaN where one of the two is constant.
    pub(super) fn dominance(&self) -> Vec<Vec<f64>> {
        let parts = |values: &[f64]| self.design.parts(values, self.weights.as_deref());
        let of_readout = parts(&self.readout);
        let larger = |column: &Vec<f64>| match (parts(column), &of_readout) {
            (Some(x), Some(y)) => x.iter().zip(y).map(|(x, y)| x.max(*y)).collect(),
            _ => vec![f64::NAN; self.readout.len()],
        };
        self.columns.iter().map(larger).collect()
    }

    /// Correlations without each row in turn; NaN where fewer than three degrees of freedom are left.
    pub(super) fn without_each(&self) -> Vec<Vec<f64>> {
        fn all_but<T: Copy>(values: &[T], row: usize) -> Vec<T> {
            [&values[..row], &values[row + 1..]].concat()
        }
        let without = |row: usize| {
            let each = |vectors: &[Vec<f64>]| vectors.iter().map(|v| all_but(v, row)).collect::<Vec<_>>();
            // Made anew, so that the rows that are left are ranked among themselves.
            let side = Self::new(
                self.statistic,
                &each(&self.columns),
                &all_but(&self.readout, row),
                self.weights.as_deref().map(|w| all_but(w, row)).as_deref(),
                &all_but(&self.blocks, row),
                &all_but(&self.strata, row),
                &each(&self.covariates),
            );
            // Two rows always lie on a line.
            let enough = side.readout.len() >= 3 + side.design.n_taken();
            if enough { side.effects() } else { vec![f64::NAN; self.columns.len()] }
        };
        (0..self.readout.len()).map(without).collect()
    }
}
