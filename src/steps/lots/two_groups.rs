//! Two groups: what the shares of a cluster do between the two values of a readout.
//!
//! **Question.** The readout has two values only (released or not, control or treated): how much of the cluster is there in
//! each group, and can the difference be told from chance?
//!
//! **Method.** Difference of mean share; Mann–Whitney's U and the rank-biserial correlation 2U / (n₁n₂) − 1. Where each block
//! is a pair of one lot of either group: mean difference within pairs and Wilcoxon's signed-rank test. p: exact, the share of
//! admissible orders of the groups that give a rank statistic as extreme, alone and family-wise (max-T); beside it the normal
//! curve with correction for ties and continuity. With other blocks U stays descriptive, and p is that of the ranks permuted
//! within blocks. With covariates there are no rank tests.
//!
//! **Shapes.** Rows × columns and two groups of rows → one row per column.
//!
//! **Beside other tools.** U, W and the normal p agree with scipy's `mannwhitneyu` and `wilcoxon`; scipy's exact p do not
//! allow for ties.
//!
//! **References.** Mann & Whitney 1947, doi:10.1214/aoms/1177730491; Wilcoxon 1945, doi:10.2307/3001968; Kerby 2014,
//! doi:10.2466/11.IT.3.1 (rank-biserial).

use super::association::AssociationParams;
use super::units::Units;
use crate::data::LotTable;
use crate::math::design::Design;
use crate::math::family::{Family, Readout};
use crate::math::max_t::step_down;
use crate::math::permutations::Orders;
use crate::math::ranks::average_ranks;
use crate::math::two_samples::{RankTest, mann_whitney, signed_rank, signed_ranks};

/// One column between the groups.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoGroupsRow {
    /// Name of the column (cluster).
    pub column: String,
    /// Mean in the group of the lower value.
    pub mean_low: f64,
    /// Mean in the group of the higher value.
    pub mean_high: f64,
    /// Higher less lower; within pairs, the mean of their differences.
    pub difference: f64,
    /// Statistic and p by the normal curve.
    pub test: RankTest,
    /// Exact p of the rank statistic alone; NaN with covariates.
    pub p_rank: f64,
    /// Exact p family-wise.
    pub p_rank_family: f64,
}

/// Result of [`two_groups`].
#[derive(Debug, Clone, PartialEq)]
pub struct TwoGroups {
    /// The two values, low and high, or the words they stand for.
    pub groups: [String; 2],
    /// Rows in each.
    pub n: [usize; 2],
    /// Pairs are compared (signed ranks); else groups (Mann–Whitney).
    pub paired: bool,
    /// One per column.
    pub rows: Vec<TwoGroupsRow>,
}

/// Compares two groups; `None` if the values over the rows that take part are not two.
pub fn two_groups(
    table: &LotTable,
    values: &[f64],
    names: Option<&[String; 2]>,
    units: &Units,
    params: &AssociationParams,
    seed: u64,
) -> Option<TwoGroups> {
    let known = |row: &usize| {
        !values[*row].is_nan()
            && !table.values.row(*row).iter().any(|v| v.is_nan())
            && units.blocks[*row].is_some()
            && !units.covariate_columns.iter().any(|c| c[*row].is_nan())
    };
    let kept: Vec<usize> = (0..values.len()).filter(known).collect();
    let y: Vec<f64> = kept.iter().map(|&row| values[row]).collect();
    let (low, high) = (y.iter().copied().reduce(f64::min)?, y.iter().copied().reduce(f64::max)?);
    if low == high || y.iter().any(|v| *v != low && *v != high) {
        return None;
    }
    let (blocks, strata) = units.exchange(&kept);
    let pairs = pairs(&blocks, &y, low);
    let tail = params.alternative.tail();
    let columns: Vec<Vec<f64>> =
        (0..table.n_columns()).map(|k| kept.iter().map(|&row| table.values[[row, k]]).collect()).collect();
    let group = |x: &[f64], value: f64| -> Vec<f64> {
        x.iter().zip(&y).filter(|(_, y)| **y == value).map(|(x, _)| *x).collect()
    };
    let differences =
        |x: &[f64]| -> Option<Vec<f64>> { Some(pairs.as_ref()?.iter().map(|&(low, high)| x[high] - x[low]).collect()) };
    // What is permuted against the groups: ranks, or within a pair the signed rank of its difference.
    let ranked = |x: &Vec<f64>| match (&pairs, differences(x)) {
        (Some(pairs), Some(differences)) => {
            let mut placed = vec![0.0; x.len()];
            pairs.iter().zip(signed_ranks(&differences)).for_each(|(&(_, high), signed)| placed[high] = signed);
            placed
        }
        _ => average_ranks(x),
    };
    let p = units.covariates.is_empty().then(|| {
        let ranks: Vec<Vec<f64>> = columns.iter().map(ranked).collect();
        let design = Design::new(&blocks, &strata, &[]);
        let family = Family::of_columns(&ranks, Readout { values: &y, weights: None }, &design, tail);
        let walked: f64 = (1..=params.max_exact_lots).map(|i| i as f64).product();
        let exact = Orders::All.count(&family) as f64 <= walked;
        step_down(&family, if exact { Orders::All } else { Orders::Random { n: params.n_permutations as u64, seed } })
    });
    let row = |(k, x): (usize, &Vec<f64>)| {
        let (in_low, in_high) = (group(x, low), group(x, high));
        let (mean_low, mean_high) = (mean(&in_low), mean(&in_high));
        let differences = differences(x);
        let test = match &differences {
            Some(differences) => signed_rank(differences, tail),
            None => mann_whitney(&in_low, &in_high, tail),
        };
        TwoGroupsRow {
            column: table.columns[k].clone(),
            mean_low,
            mean_high,
            difference: differences.as_deref().map_or(mean_high - mean_low, mean),
            test: if p.is_some() { test } else { RankTest { p_normal: f64::NAN, ..test } },
            p_rank: p.as_ref().map_or(f64::NAN, |p| p.alone[k]),
            p_rank_family: p.as_ref().map_or(f64::NAN, |p| p.family[k]),
        }
    };
    Some(TwoGroups {
        groups: names.cloned().unwrap_or_else(|| [low.to_string(), high.to_string()]),
        n: [low, high].map(|value| y.iter().filter(|v| **v == value).count()),
        paired: pairs.is_some(),
        rows: columns.iter().enumerate().map(row).collect(),
    })
}

/// Low and high row of each block, if there are blocks and every one is such a pair.
fn pairs(blocks: &[usize], y: &[f64], low: f64) -> Option<Vec<(usize, usize)>> {
    let design = Design::new(blocks, &vec![0; blocks.len()], &[]);
    let exchange = design.exchange();
    let pair = |places: &Vec<usize>| match places[..] {
        [a, b] if y[a] == low && y[b] != low => Some((a, b)),
        [a, b] if y[b] == low && y[a] != low => Some((b, a)),
        _ => None,
    };
    if exchange.groups().len() < 2 {
        return None;
    }
    exchange.groups().iter().map(pair).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn table(columns: &[&[f64]]) -> LotTable {
        let n = columns[0].len();
        let names = |n: usize| (0..n).map(|i| i.to_string()).collect();
        LotTable::new(names(n), names(columns.len()), Array2::from_shape_fn((n, columns.len()), |(i, k)| columns[k][i]))
    }

    fn run(columns: &[&[f64]], values: &[f64], blocks: &[usize]) -> Option<TwoGroups> {
        let table = table(columns);
        let mut units = Units::free(&table.lots);
        if !blocks.is_empty() {
            units.blocks = blocks.iter().map(|&b| Some(b)).collect();
        }
        two_groups(&table, values, None, &units, &AssociationParams::default(), 1)
    }

    #[test]
    fn apart_in_every_lot() {
        let found = run(&[&[0.1, 0.2, 0.3, 0.6, 0.7, 0.9]], &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0], &[]).unwrap();
        let row = &found.rows[0];
        assert_eq!((found.n, found.paired, row.test.statistic, row.test.rank_biserial), ([3, 3], false, 9.0, 1.0));
        assert!((row.difference - (2.2 / 3.0 - 0.2)).abs() < 1e-15);
        // Two of the 20 ways to choose three lots of six.
        assert_eq!((row.p_rank, row.p_rank_family), (0.1, 0.1));
    }

    #[test]
    fn pairs_are_compared_within() {
        let x = [0.1, 0.2, 0.5, 0.9, 0.3, 0.35, 0.8, 0.95, 0.4, 0.39];
        let found =
            run(&[&x], &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0], &[0, 0, 1, 1, 2, 2, 3, 3, 4, 4]).unwrap();
        let row = &found.rows[0];
        assert!(found.paired && row.test.statistic == 14.0, "{row:?}");
        // Of the 32 sign flips, two on either side reach 14.
        assert_eq!(row.p_rank, 4.0 / 32.0);
        assert!((row.difference - 0.138).abs() < 1e-12);
    }

    #[test]
    fn other_readouts_are_not_two_groups() {
        assert!(run(&[&[0.1, 0.2, 0.3]], &[1.0, 2.0, 3.0], &[]).is_none());
        assert!(run(&[&[0.1, 0.2, 0.3]], &[1.0, 1.0, f64::NAN], &[]).is_none());
        assert!(run(&[&[]], &[], &[]).is_none());
    }
}
