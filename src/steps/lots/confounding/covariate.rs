//! A covariate beside one column of numbers: how much of it it explains, and whether by more than chance.

use crate::math::correlation::dot;
use crate::math::design::Design;
use crate::math::family::{Family, Readout, Tail};
use crate::math::pair_permutation::pair_p;
use crate::math::permutations::Orders;
use crate::math::ranks::average_ranks;
use crate::math::sum_of_squares::p_of_sum_of_squares;
use crate::steps::lots::{AssociationParams, Units};

/// All orders are looked at where they and the directions make no more correlations than this: a tenth of a second.
const CORRELATIONS: f64 = 5e7;

/// What is known of each row beside readout and shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariate {
    /// Name.
    pub name: String,
    /// One entry per row.
    pub values: CovariateValues,
}

/// Numbers or groups.
#[derive(Debug, Clone, PartialEq)]
pub enum CovariateValues {
    /// NaN = missing.
    Numbers(Vec<f64>),
    /// Code of each row's group; `None` = missing.
    Groups(Vec<Option<usize>>),
}

impl Covariate {
    pub(super) fn is_known(&self, row: usize) -> bool {
        match &self.values {
            CovariateValues::Numbers(values) => !values[row].is_nan(),
            CovariateValues::Groups(codes) => codes[row].is_some(),
        }
    }
}

/// Rows that have all values, and what is taken out of them.
pub(super) struct Rows {
    rows: Vec<usize>,
    ranks: bool,
    blocks: Vec<usize>,
    strata: Vec<usize>,
    /// Covariates of the association, out of everything already.
    taken: Vec<Vec<f64>>,
    pub design: Design,
}

impl Rows {
    pub fn new(rows: Vec<usize>, units: &Units, ranks: bool) -> Self {
        let (blocks, strata) = units.exchange(&rows);
        let mut out = Self { rows, ranks, blocks, strata, taken: Vec::new(), design: Design::free(0) };
        out.taken = units.covariate_columns.iter().map(|column| out.pick(column)).collect();
        out.design = Design::new(&out.blocks, &out.strata, &out.taken);
        out
    }

    pub fn n(&self) -> usize {
        self.rows.len()
    }

    /// The values of these rows, as ranks if ranks are tested.
    pub fn pick(&self, values: &[f64]) -> Vec<f64> {
        let picked: Vec<f64> = self.rows.iter().map(|&row| values[row]).collect();
        if self.ranks { average_ranks(&picked) } else { picked }
    }

    /// The covariate among these rows.
    pub fn seen<'a>(&'a self, covariate: &Covariate) -> Seen<'a> {
        let (own, n_groups) = match &covariate.values {
            CovariateValues::Numbers(values) => (vec![self.pick(values)], 0),
            CovariateValues::Groups(codes) => {
                let of_rows: Vec<Option<usize>> = self.rows.iter().map(|&row| codes[row]).collect();
                let mut levels: Vec<usize> = of_rows.iter().flatten().copied().collect();
                levels.sort_unstable();
                levels.dedup();
                let indicator =
                    |level: &usize| of_rows.iter().map(|code| f64::from(u8::from(*code == Some(*level)))).collect();
                (levels.iter().skip(1).map(indicator).collect(), levels.len())
            }
        };
        let given = Design::new(&self.blocks, &self.strata, &[self.taken.clone(), own.clone()].concat());
        let directions = given.basis()[self.design.basis().len()..].to_vec();
        Seen { rows: self, own, n_groups, given, directions }
    }

    /// Permutation p of a correlation within blocks, freed from covariates.
    pub fn p_of_pair(&self, x: &[f64], y: &[f64], orders: &AssociationParams, seed: u64) -> f64 {
        if self.is_free() {
            return pair_p(x, y, orders.max_exact_lots, orders.n_permutations as u64, seed);
        }
        p_of(&[x.to_vec()], &[y.to_vec()], &self.design, orders, seed)
    }

    fn is_free(&self) -> bool {
        self.design.basis().is_empty() && self.design.exchange().groups().len() <= 1
    }

    /// Correlation of two columns; NaN where one is constant.
    pub fn correlation(&self, x: &[f64], y: &[f64]) -> f64 {
        correlation(&self.design, x, y)
    }
}

fn correlation(design: &Design, x: &[f64], y: &[f64]) -> f64 {
    match (design.adjust(x), design.adjust(y)) {
        (Some(x), Some(y)) => dot(&x, &y).clamp(-1.0, 1.0),
        _ => f64::NAN,
    }
}

/// A covariate as it stands to some rows.
pub(super) struct Seen<'a> {
    rows: &'a Rows,
    own: Vec<Vec<f64>>,
    /// Groups among these rows; 0 for numbers.
    pub n_groups: usize,
    /// The design with the covariate taken out as well.
    pub given: Design,
    /// Its orthonormal directions within blocks, freed from the covariates of the association.
    directions: Vec<Vec<f64>>,
}

impl Seen<'_> {
    /// Each row is a group of its own: it explains everything and tells nothing.
    pub fn is_name(&self) -> bool {
        self.n_groups > 0 && self.n_groups == self.rows.n()
    }

    /// Correlation with a column; for groups the correlation ratio η, at least 0. NaN where one of the two is constant.
    pub fn correlation(&self, values: &[f64]) -> f64 {
        if self.directions.is_empty() {
            return f64::NAN;
        }
        if self.n_groups == 0 {
            return self.rows.correlation(&self.own[0], values);
        }
        let Some(values) = self.rows.design.adjust(values) else { return f64::NAN };
        self.directions.iter().map(|d| dot(d, &values).powi(2)).sum::<f64>().sqrt().min(1.0)
    }

    /// Permutation p of that, the rows being shuffled; 1 where it is not defined.
    pub fn p(&self, values: &[f64], orders: &AssociationParams, seed: u64) -> f64 {
        if self.directions.is_empty() || self.rows.design.adjust(values).is_none() {
            return 1.0;
        }
        if self.n_groups == 0 {
            return self.rows.p_of_pair(&self.own[0], values, orders, seed);
        }
        // Groups leave far fewer orders that differ than values do, but only residuals of values may be permuted where
        // there are covariates.
        let values = [values.to_vec()];
        if self.rows.design.basis().is_empty() {
            p_of(&values, &self.directions, &self.rows.design, orders, seed)
        } else {
            p_of(&self.directions, &values, &self.rows.design, orders, seed)
        }
    }

    /// Correlation of two columns given the covariate; NaN where it explains one of them.
    pub fn partial(&self, x: &[f64], y: &[f64]) -> f64 {
        correlation(&self.given, x, y)
    }
}

/// Permutation p of the sum of squared correlations of every column with every readout.
fn p_of(columns: &[Vec<f64>], readouts: &[Vec<f64>], design: &Design, orders: &AssociationParams, seed: u64) -> f64 {
    let readouts: Vec<Readout<'_>> = readouts.iter().map(|values| Readout { values, weights: None }).collect();
    let pairs: Vec<(usize, usize)> =
        (0..columns.len()).flat_map(|k| (0..readouts.len()).map(move |r| (k, r))).collect();
    let family = Family::of_pairs(columns, &readouts, &pairs, design, Tail::Both);
    let exact = Orders::All.count(&family) as f64 * pairs.len() as f64 <= CORRELATIONS;
    let random = Orders::Random { n: orders.n_permutations as u64, seed };
    p_of_sum_of_squares(&family, if exact { Orders::All } else { random })
}
