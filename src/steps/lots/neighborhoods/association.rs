//! Abundance around each cell against a readout.
//!
//! **Question.** Does any direction in which neighbourhoods vary together over lots go with the readout, and around which
//! cells?
//!
//! **Method.** Each cell's abundances are standardized over lots (cells × lots, Z). The eigenvectors u₁, u₂, … of ZᵀZ are
//! the directions in which neighbourhoods vary together, one value per lot. With R²(k) the share of the readout's variance
//! along the first k, and k in steps of d = max(1, ⌊n / 50⌋) up to min(4d, ⌊n / 5⌋), the statistic is the smallest tail
//! probability of F over k, with F = (R² / k) / ((1 − R²) / (n − 1 − k)). Its p is the share of orders of the readout over
//! lots with a statistic at least as small, so the choice of k is paid for. Per cell: the correlation of its abundances with
//! the readout, and the false discovery rate: cells expected beyond that |r| in random orders over cells found beyond it.
//! Blocks and covariates of the association are taken out of both sides, and lots of one unit are averaged.
//!
//! The lots are shuffled, never the cells: n is the number of lots in every p and rate here.
//!
//! **Shapes.** Cells × lots and a value per lot → one p, a correlation and a rate per cell.
//!
//! **References.** Reshef 2022, doi:10.1038/s41587-021-01066-4.

use faer::Mat;
use ndarray::ArrayView2;
use rayon::prelude::*;
use statrs::function::beta::beta_reg;

use super::rates::{bin, least_r, rates, shuffled};
use super::{Neighborhoods, NeighborhoodsParams};
use crate::error::{Error, Result};
use crate::math::correlation::dot;
use crate::math::design::Design;
use crate::math::eigen::largest;
use crate::math::family::{Family, Readout, Tail};
use crate::math::kurtosis::excess_kurtosis;
use crate::math::permutations::{LANES, Lanes, Orders, Tally, tally};
use crate::math::quantile::median;
use crate::math::ranks::average_ranks;
use crate::steps::lots::{AssociationParams, Observed, Units};

/// Cells per task.
const CHUNK: usize = 4096;
/// Directions with less than this share of the largest eigenvalue are rounding.
const NEGLIGIBLE: f64 = 1e-9;

/// Neighbourhoods against one readout.
#[derive(Debug, Clone, PartialEq)]
pub struct NeighborhoodAssociation {
    /// Rows with a value and cells: lots, or units where several lots are one.
    pub n_lots: usize,
    /// Neighbourhoods that took part.
    pub n_cells: usize,
    /// Numbers of directions tried.
    pub tried: Vec<usize>,
    /// Number of directions chosen; 0 if neighbourhoods or readout do not vary.
    pub n_components: usize,
    /// Share of the readout's variance along the chosen directions.
    pub r_squared: f64,
    /// Permutation p over lots; 1 if there was nothing to try.
    pub p: f64,
    /// All orders were walked (true) or random ones drawn.
    pub exact: bool,
    /// Orders looked at, the given one included.
    pub n_permutations: u64,
    /// Per cell: correlation with the readout, −1..1; NaN for a neighbourhood that was left out.
    pub correlation: Vec<f32>,
    /// Per cell: false discovery rate at its |correlation|, 0..1; NaN as above.
    pub fdr: Vec<f32>,
    /// Smallest |correlation| with a false discovery rate within `max_fdr`; NaN if there is none.
    pub threshold: f64,
}

/// Cells of a cluster, or all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalledCells {
    /// Neighbourhoods that took part.
    pub n_cells: usize,
    /// Mean of their correlations; NaN if there are none.
    pub mean: f64,
    /// Of them called at the false discovery rate, with a positive correlation.
    pub n_up: usize,
    /// The same with a negative one.
    pub n_down: usize,
}

impl NeighborhoodAssociation {
    /// The cells of a cluster (`None` = all); `labels` has the cluster of each cell.
    pub fn within(&self, labels: &[u32], cluster: Option<u32>, params: &NeighborhoodsParams) -> CalledCells {
        assert_eq!(labels.len(), self.correlation.len(), "one cluster per cell");
        let mut out = CalledCells { n_cells: 0, mean: 0.0, n_up: 0, n_down: 0 };
        let cells = self.correlation.iter().zip(&self.fdr).zip(labels);
        for ((r, rate), _) in cells.filter(|((r, _), label)| !r.is_nan() && cluster.is_none_or(|c| c == **label)) {
            out.n_cells += 1;
            out.mean += f64::from(*r);
            let called = *rate <= params.max_fdr as f32;
            out.n_up += usize::from(called && *r > 0.0);
            out.n_down += usize::from(called && *r < 0.0);
        }
        out.mean /= out.n_cells as f64;
        out
    }
}

/// Relates the neighbourhoods to a readout (one value per unit, NaN = missing; its weights are not used). `batches`: batch
/// of each lot, for the quality control of neighbourhoods. Which orders are looked at is said by `units` and `orders`, as for
/// the association of shares.
///
/// # Errors
/// - a parameter is out of range
/// - fewer than three units have a value and cells, or blocks and covariates leave fewer than three degrees of freedom
pub fn neighborhood_association(
    neighborhoods: &Neighborhoods,
    observed: Observed<'_>,
    units: &Units,
    batches: &[u32],
    params: &NeighborhoodsParams,
    orders: &AssociationParams,
    seed: u64,
) -> Result<NeighborhoodAssociation> {
    params.check()?;
    let abundance = neighborhoods.abundance.view();
    let (n_cells, n_all) = abundance.dim();
    assert_eq!(batches.len(), n_all, "one batch per lot");
    assert_eq!(observed.values.len(), units.names.len(), "one value per unit");
    let has_cells = |lot: &usize| n_cells > 0 && !abundance[[0, *lot]].is_nan();
    let with_cells: Vec<usize> = (0..n_all).filter(has_cells).collect();
    let known = |unit: &usize| {
        let covariates = units.covariate_columns.iter().all(|column| !column[*unit].is_nan());
        !observed.values[*unit].is_nan()
            && units.lots[*unit].iter().any(has_cells)
            && units.blocks[*unit].is_some()
            && covariates
    };
    let rows: Vec<usize> = (0..units.names.len()).filter(known).collect();
    let n = rows.len();
    let pick = |values: &[f64]| rows.iter().map(|&unit| values[unit]).collect::<Vec<f64>>();
    let (blocks, strata) = units.exchange(&rows);
    let covariates: Vec<Vec<f64>> = units.covariate_columns.iter().map(|column| pick(column)).collect();
    let design = Design::new(&blocks, &strata, &covariates);
    let n_left = n.saturating_sub(design.n_taken());
    if n_left < 3 {
        return Err(Error::TooFew {
            what: format!("degrees of freedom of lots with a value of {} and cells", observed.name),
            have: n_left,
            need: 3,
            cure: "give more lots, or fill in the readout in the lot sheet".into(),
        });
    }
    let seen = |values: Vec<f64>| if observed.ranks_only { average_ranks(&values) } else { values };
    let y = seen(pick(observed.values));
    let lots = rows.iter().map(|&unit| units.lots[unit].iter().copied().filter(has_cells).collect()).collect();
    let kept = keep(abundance, &with_cells, batches, params.max_kurtosis);
    let rows = Rows { abundance, lots, kept: &kept, design: &design };
    let gram = rows.gram();
    let d = (n / 50).max(1);
    let most = (4 * d).min(n / 5).max(1);
    let found = largest(gram.as_ref(), most.min(n_left - 2));
    let rank = found.values.iter().take_while(|&&v| v > NEGLIGIBLE * found.values[0] && v > 0.0).count();
    let directions: Vec<Vec<f64>> = (0..rank).map(|j| (0..n).map(|i| found.vectors[(i, j)]).collect()).collect();
    let tried: Vec<usize> = (d..=most).step_by(d).filter(|k| *k <= rank).collect();

    let readout = Readout { values: &y, weights: None };
    let family = Family::of_columns(&directions, readout, &design, Tail::Both);
    let exact = Orders::All.count(&family) as f64 <= (1..=orders.max_exact_lots).map(|i| i as f64).product();
    let which = if exact { Orders::All } else { Orders::Random { n: orders.n_permutations as u64, seed } };
    let r = family.correlations();
    let r_squared = |k: usize| r[..k].iter().map(|r| r * r).sum::<f64>().min(1.0);
    let best = tried.iter().copied().map(|k| (tail(r_squared(k), k, n_left), k)).min_by(|a, b| a.0.total_cmp(&b.0));
    let n_permutations = which.count(&family);
    let n_kept = kept.iter().filter(|k| **k).count();
    let nothing = NeighborhoodAssociation {
        n_lots: n,
        n_cells: n_kept,
        tried: tried.clone(),
        n_components: 0,
        r_squared: f64::NAN,
        p: 1.0,
        exact,
        n_permutations,
        correlation: vec![f32::NAN; n_cells],
        fdr: vec![f32::NAN; n_cells],
        threshold: f64::NAN,
    };
    let (Some((smallest, k)), Some(_)) = (best, design.adjust(&y)) else { return Ok(nothing) };

    let mut limits = vec![f64::INFINITY; rank];
    for &other in &tried {
        let limit = if other == k { r_squared(k) } else { least_r_squared(smallest, other, n_left) };
        limits[other - 1] = limit - family.tolerance();
    }
    let reached = tally(&family, which, &Reaches { limits: &limits, reached: [0; LANES] }, &|_| ())[0];

    let standardized = rows.all();
    let unit = design.adjust(&y).expect("it varies, as found above");
    let correlation = |row: &[f64]| dot(row, &unit).clamp(-1.0, 1.0) as f32;
    let own: Vec<f32> = standardized.par_chunks_exact(n).map(correlation).collect();
    let rates = rates(&own, &standardized, &shuffled(&y, &design, params.n_local, seed));
    let rate = |r: &f32| if r.is_nan() { f32::NAN } else { rates[bin(f64::from(*r))] as f32 };
    let found = own.iter().any(|r| rate(r) <= params.max_fdr as f32);
    let first = rates.iter().position(|rate| *rate as f32 <= params.max_fdr as f32);
    Ok(NeighborhoodAssociation {
        n_components: k,
        r_squared: r_squared(k),
        p: reached as f64 / n_permutations as f64,
        fdr: own.iter().map(rate).collect(),
        correlation: own,
        threshold: first.filter(|_| found).map_or(f64::NAN, least_r),
        ..nothing
    })
}

/// Tail probability of F for a share of variance along `k` directions over so many lots (less what blocks and covariates
/// take): that of a beta distribution.
fn tail(r_squared: f64, k: usize, n_left: usize) -> f64 {
    let freedom = (n_left - 1 - k) as f64;
    beta_reg(freedom / 2.0, k as f64 / 2.0, 1.0 - r_squared)
}

/// The share of variance along `k` directions from which on the tail probability is at most `p`.
fn least_r_squared(p: f64, k: usize, n_left: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if tail(middle, k, n_left) > p {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Counts the orders in which the variance along the first directions reaches the limit of any number of them.
#[derive(Clone)]
struct Reaches<'a> {
    limits: &'a [f64],
    reached: [u64; LANES],
}

impl Tally for Reaches<'_> {
    #[inline]
    fn see(&mut self, correlations: &[Lanes]) {
        let (mut sum, mut hit) = ([0.0; LANES], [false; LANES]);
        for (r, &limit) in correlations.iter().zip(self.limits) {
            for lane in 0..LANES {
                sum[lane] += r[lane] * r[lane];
                hit[lane] |= sum[lane] >= limit;
            }
        }
        self.reached.iter_mut().zip(hit).for_each(|(reached, hit)| *reached += u64::from(hit));
    }

    fn counts(&self, lanes: usize) -> Vec<u64> {
        vec![self.reached[..lanes].iter().sum()]
    }
}

/// Neighbourhoods that no single batch all but owns.
fn keep(abundance: ArrayView2<'_, f32>, lots: &[usize], batches: &[u32], max_kurtosis: f64) -> Vec<bool> {
    let mut names: Vec<u32> = lots.iter().map(|&lot| batches[lot]).collect();
    names.sort_unstable();
    names.dedup();
    let place: Vec<usize> =
        lots.iter().map(|&lot| names.binary_search(&batches[lot]).expect("the name is among them")).collect();
    let of_cell = |cell: usize| {
        let (mut sum, mut n) = (vec![0.0; names.len()], vec![0.0; names.len()]);
        for (&lot, &batch) in lots.iter().zip(&place) {
            sum[batch] += f64::from(abundance[[cell, lot]]);
            n[batch] += 1.0;
        }
        sum.iter_mut().zip(n).for_each(|(sum, n)| *sum /= n);
        excess_kurtosis(&sum)
    };
    let kurtosis: Vec<f64> = (0..abundance.nrows()).into_par_iter().map(of_cell).collect();
    let middle = median(&mut kurtosis.iter().copied().filter(|k| !k.is_nan()).collect::<Vec<_>>());
    let limit = max_kurtosis.max(2.0 * middle);
    kurtosis.into_iter().map(|k| k.is_nan() || k <= limit).collect()
}

/// Abundances of the kept cells over the lots that take part.
struct Rows<'a> {
    abundance: ArrayView2<'a, f32>,
    /// Of each row of the readout, those with cells.
    lots: Vec<Vec<usize>>,
    kept: &'a [bool],
    design: &'a Design,
}

impl Rows<'_> {
    /// Mean 0 and length 1; `None` for a cell that was left out or does not vary beyond the precision it is stored in.
    fn standardized(&self, cell: usize) -> Option<Vec<f64>> {
        if !self.kept[cell] {
            return None;
        }
        let mean = |lots: &Vec<usize>| {
            lots.iter().map(|&lot| f64::from(self.abundance[[cell, lot]])).sum::<f64>() / lots.len() as f64
        };
        let row: Vec<f64> = self.lots.iter().map(mean).collect();
        let (low, high) = row.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
        if high - low <= 8.0 * f64::from(f32::EPSILON) * high.abs() {
            return None;
        }
        self.design.adjust(&row)
    }

    /// Lots × lots sums of products over cells.
    fn gram(&self) -> Mat<f64> {
        let n = self.lots.len();
        let n_cells = self.abundance.nrows();
        let parts: Vec<Vec<f64>> = (0..n_cells.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let mut sum = vec![0.0; n * n];
                for row in
                    (chunk * CHUNK..((chunk + 1) * CHUNK).min(n_cells)).filter_map(|cell| self.standardized(cell))
                {
                    for i in 0..n {
                        for j in 0..=i {
                            sum[i * n + j] += row[i] * row[j];
                        }
                    }
                }
                sum
            })
            .collect();
        Mat::from_fn(n, n, |i, j| parts.iter().map(|part| part[i.max(j) * n + i.min(j)]).sum())
    }

    /// Cells × rows of the readout; NaN where the cell takes no part.
    fn all(&self) -> Vec<f64> {
        let of_cell = |cell| self.standardized(cell).unwrap_or_else(|| vec![f64::NAN; self.lots.len()]);
        (0..self.abundance.nrows()).into_par_iter().flat_map_iter(of_cell).collect()
    }
}

#[cfg(test)]
mod tests;
