//! Sensitivity: how much an association owes to choices that could have been made otherwise.
//!
//! **Question.** Would another analyst, with choices as defensible, see the same association?
//!
//! **Method.** A specification is one way to divide the cells: Leiden at resolutions around the chosen one, k-means and a
//! Gaussian mixture with as many clusters, with integration and without, genes scaled and not. Each cluster of the run is
//! followed to the cluster of the specification with the largest Jaccard index. Its transformed share meets the readout by
//! Pearson's and Spearman's correlation, with the units, blocks, covariates and weights of the run: one row per cluster, specification, transform and statistic (a specification
//! curve). p alone and family-wise come from one set of orders of the readout (step-down max-T). The family holds *every*
//! cluster of every specification, also those that no cluster of the run is followed to, under every transform and
//! statistic. So the smallest family-wise p of a cluster is what remains after looking at all of these and choosing the best;
//! choices that were never tried, and other readouts, are not in it.
//!
//! **Shapes.** Lots × clusters of each specification, one value per lot → one row per cluster, specification, transform
//! and statistic; one summary per cluster.
//!
//! **Beside other tools.** scanpy and Seurat have no such step; one tries resolutions by hand and reports one.
//!
//! **References.** Simonsohn, Simmons & Nelson 2020, doi:10.1038/s41562-020-0912-z (specification curve); Steegen et al.
//! 2016, doi:10.1177/1745691616658637 (multiverse); Westfall & Young 1993 (max-T).

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math::design::Design;
use crate::math::family::{Family, Readout, Tail};
use crate::math::max_t::step_down;
use crate::math::partition::Overlap;
use crate::math::permutations::Orders;
use crate::math::quantile::median;
use crate::math::ranks::average_ranks;
use crate::steps::clusters::ClusterMethod;
use crate::steps::lots::{Alternative, Observed, Statistic, Transform, Units, transformed_counts};

/// All orders are looked at where they and the statistics of the family make no more correlations than this: below a second.
const CORRELATIONS: f64 = 2e8;

/// Parameters of the sensitivity analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SensitivityParams {
    /// Off = not done. Default on.
    pub enabled: bool,
    /// Resolutions tried, as multiples of the chosen one, above 0; 1 is always among them. More ask more of an association.
    /// Default a half to two: about half to twice as many clusters.
    pub resolutions: Vec<f64>,
    /// Random orders behind the p-values, at least 99; all orders where there are no more, or few enough to take less
    /// than a second. More make p steadier. Default 20,000: p near 0.05 is then good to ±0.003.
    pub n_permutations: usize,
}

impl Default for SensitivityParams {
    fn default() -> Self {
        Self { enabled: true, resolutions: vec![0.5, 0.7, 1.4, 2.0], n_permutations: 20_000 }
    }
}

impl SensitivityParams {
    /// Refuses values out of range.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.resolutions.iter().all(|&r| r > 0.0 && r.is_finite()) {
            let given = format!("{:?}", self.resolutions);
            return Err(Error::param("sensitivity.resolutions", given, "numbers above 0"));
        }
        if self.n_permutations < 99 {
            return Err(Error::param("sensitivity.n_permutations", self.n_permutations, "at least 99"));
        }
        Ok(())
    }
}

/// The choices behind a division of the cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choices {
    /// Clustering method.
    pub method: ClusterMethod,
    /// Resolution; NaN for methods without one.
    pub resolution: f64,
    /// Integrated over lots (or the column of the parameters).
    pub integrated: bool,
    /// Genes scaled to unit variance before the components.
    pub scaled: bool,
}

impl std::fmt::Display for Choices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.method)?;
        if !self.resolution.is_nan() {
            write!(f, " at resolution {:.3}", self.resolution)?;
        }
        f.write_str(if self.integrated { ", integrated" } else { ", not integrated" })?;
        f.write_str(if self.scaled { ", genes scaled" } else { ", genes not scaled" })
    }
}

/// A division of the cells and where the clusters of the run are in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Specification {
    /// The choices.
    pub choices: Choices,
    /// The run itself.
    pub chosen: bool,
    /// Lots × clusters of this division: number of cells.
    pub n_cells: Array2<u64>,
    /// Per cluster of the run: the cluster of this division with the largest Jaccard index, of equal ones the first.
    pub matches: Vec<usize>,
    /// Per cluster of the run: that Jaccard index, 0..1.
    pub jaccard: Vec<f64>,
}

/// Describes a division. `run` and `labels`: a label per cell and the number of clusters, of the run and of the division.
pub fn specification(
    choices: Choices,
    chosen: bool,
    run: (&[u32], usize),
    labels: (&[u32], usize),
    lot_of_cell: &[u32],
    n_lots: usize,
) -> Specification {
    let mut n_cells = Array2::zeros((n_lots, labels.1));
    for (&label, &lot) in labels.0.iter().zip(lot_of_cell) {
        n_cells[[lot as usize, label as usize]] += 1;
    }
    let overlap = Overlap::new(run.0, run.1, labels.0, labels.1);
    let best = |k: usize| {
        let jaccard = |m: usize| {
            let both = overlap.shared[k][m];
            both as f64 / (overlap.sizes_a[k] + overlap.sizes_b[m] - both).max(1) as f64
        };
        (0..labels.1).map(|m| (m, jaccard(m))).fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best })
    };
    let (matches, jaccard) = (0..run.1).map(best).unzip();
    Specification { choices, chosen, n_cells, matches, jaccard }
}

/// One cluster of the run under one set of choices.
#[derive(Debug, Clone, PartialEq)]
pub struct SensitivityRow {
    /// Cluster of the run.
    pub cluster: usize,
    /// Index of the specification.
    pub specification: usize,
    /// Transform of the share.
    pub transform: Transform,
    /// Correlation.
    pub statistic: Statistic,
    /// The cluster is there: its Jaccard index reaches the limit.
    pub found: bool,
    /// Correlation; NaN where it is undefined.
    pub r: f64,
    /// Permutation p of this row alone.
    pub p_alone: f64,
    /// Family-wise p over every cluster of every specification, transform and statistic.
    pub p_family: f64,
    /// The choices of the run.
    pub chosen: bool,
}

/// A cluster over all choices under which it is found.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterSensitivity {
    /// Rows.
    pub n_rows: usize,
    /// Rows in which the cluster is found.
    pub n_found: usize,
    /// Share of these with the sign of the run, 0..1; NaN without any.
    pub share_same_sign: f64,
    /// Share of these with p alone ≤ α, 0..1; NaN without any.
    pub share_significant: f64,
    /// Smallest r of these.
    pub r_min: f64,
    /// Median r of these.
    pub r_median: f64,
    /// Largest r of these.
    pub r_max: f64,
    /// Smallest family-wise p of these: that of the best choice, after looking at all of all clusters.
    pub p_family_min: f64,
}

/// Result of [`sensitivity`].
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitivity {
    /// Units (lots, or donors where lots share one) that take part.
    pub n_units: usize,
    /// Cluster by cluster, specification by specification.
    pub rows: Vec<SensitivityRow>,
    /// One per cluster of the run.
    pub clusters: Vec<ClusterSensitivity>,
    /// All orders were looked at.
    pub exact: bool,
    /// Orders looked at, the given one included.
    pub n_permutations: u64,
}

/// What must be known of the run to compare other choices with it.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// Effect of each cluster.
    pub effects: &'a [f64],
    /// The statistic it is.
    pub statistic: Statistic,
    /// Which associations are asked about.
    pub alternative: Alternative,
    /// Its transform of shares.
    pub transform: Transform,
    /// Level of p.
    pub alpha: f64,
    /// Jaccard index from which a cluster is found.
    pub min_jaccard: f64,
}

/// Meets a readout (one value per unit, NaN = missing) with every specification. `None` where blocks and covariates leave
/// fewer than three degrees of freedom of the units that have a value and cells.
///
/// # Errors
/// A parameter is out of range.
pub fn sensitivity(
    specifications: &[Specification],
    observed: Observed<'_>,
    units: &Units,
    run: Reference<'_>,
    params: &SensitivityParams,
    seed: u64,
) -> Result<Option<Sensitivity>> {
    params.check()?;
    // Per specification and transform: units × clusters.
    let tables: Vec<Vec<Array2<f64>>> = specifications
        .iter()
        .map(|s| Transform::ALL.iter().map(|&t| units.rows(&transformed_counts(&s.n_cells, t))).collect())
        .collect();
    let takes_part = |row: &usize| {
        !observed.values[*row].is_nan()
            && units.blocks[*row].is_some()
            && units.covariate_columns.iter().all(|c| !c[*row].is_nan())
            && observed.weights.is_none_or(|w| w[*row] > 0.0)
            && tables.iter().flatten().all(|table| table.row(*row).iter().all(|v| !v.is_nan()))
    };
    let kept: Vec<usize> = (0..observed.values.len()).filter(takes_part).collect();
    let pick = |values: &[f64]| kept.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let (blocks, strata) = units.exchange(&kept);
    let covariates: Vec<Vec<f64>> = units.covariate_columns.iter().map(|c| pick(c)).collect();
    let design = Design::new(&blocks, &strata, &covariates);
    if kept.len() < 3 + design.n_taken() || specifications.is_empty() {
        return Ok(None);
    }
    // Each column as ranks, then as values.
    let mut columns: Vec<Vec<f64>> = Vec::new();
    let mut first_column: Vec<Vec<usize>> = Vec::new();
    for tables in &tables {
        let mut first = Vec::new();
        for table in tables {
            first.push(columns.len());
            for column in table.columns() {
                let column = pick(&column.to_vec());
                columns.push(average_ranks(&column));
                columns.push(column);
            }
        }
        first_column.push(first);
    }
    let values = pick(observed.values);
    let readouts = [average_ranks(&values), values];
    let statistics: &[Statistic] =
        if observed.ranks_only { &[Statistic::Spearman] } else { &[Statistic::Pearson, Statistic::Spearman] };
    let (mut rows, mut pairs) = (Vec::new(), Vec::new());
    for cluster in 0..run.effects.len() {
        for (index, specification) in specifications.iter().enumerate() {
            for (transform, first) in Transform::ALL.into_iter().zip(&first_column[index]) {
                for &statistic in statistics {
                    let as_values = usize::from(statistic == Statistic::Pearson);
                    pairs.push((first + 2 * specification.matches[cluster] + as_values, as_values));
                    rows.push(SensitivityRow {
                        cluster,
                        specification: index,
                        transform,
                        statistic,
                        found: specification.jaccard[cluster] >= run.min_jaccard,
                        r: f64::NAN,
                        p_alone: f64::NAN,
                        p_family: f64::NAN,
                        chosen: specification.chosen && transform == run.transform && statistic == run.statistic,
                    });
                }
            }
        }
    }
    // Clusters that none of the run is followed to were looked at too.
    let statistics_of = |first: usize| statistics.iter().map(move |s| (first, usize::from(*s == Statistic::Pearson)));
    for (specification, firsts) in specifications.iter().zip(&first_column) {
        let others = (0..specification.n_cells.ncols()).filter(|k| !specification.matches.contains(k));
        for (k, first) in others.flat_map(|k| firsts.iter().map(move |first| (k, first))) {
            pairs.extend(statistics_of(first + 2 * k).map(|(column, as_values)| (column + as_values, as_values)));
        }
    }
    let weights = observed.weights.filter(|_| covariates.is_empty()).map(pick);
    let seen = readouts.each_ref().map(|values| Readout { values, weights: weights.as_deref() });
    let varies = |values: &Vec<f64>| design.adjust(values).is_some();
    let (column_varies, readout_varies): (Vec<bool>, Vec<bool>) =
        (columns.iter().map(varies).collect(), readouts.iter().map(varies).collect());
    let r = Family::of_pairs(&columns, &seen, &pairs, &design, Tail::Both).correlations();
    let family = Family::of_pairs(&columns, &seen, &pairs, &design, run.alternative.tail());
    let n_orders = Orders::All.count(&family) as f64;
    let exact = n_orders <= params.n_permutations as f64 || n_orders * family.n_columns() as f64 <= CORRELATIONS;
    let orders = if exact { Orders::All } else { Orders::Random { n: params.n_permutations as u64, seed } };
    let p = step_down(&family, orders);
    for (i, (row, (column, readout))) in rows.iter_mut().zip(pairs).enumerate() {
        if column_varies[column] && readout_varies[readout] {
            row.r = r[i].clamp(-1.0, 1.0);
        }
        (row.p_alone, row.p_family) = (p.alone[i], p.family[i]);
    }
    let per_cluster = rows.len() / run.effects.len().max(1);
    let clusters = rows.chunks(per_cluster.max(1)).zip(run.effects).map(|(rows, r)| summary(rows, *r, run.alpha));
    Ok(Some(Sensitivity {
        n_units: kept.len(),
        clusters: clusters.collect(),
        rows,
        exact,
        n_permutations: orders.count(&family),
    }))
}

fn summary(rows: &[SensitivityRow], r: f64, alpha: f64) -> ClusterSensitivity {
    let found: Vec<&SensitivityRow> = rows.iter().filter(|row| row.found).collect();
    let share =
        |of: &dyn Fn(&SensitivityRow) -> bool| found.iter().filter(|row| of(row)).count() as f64 / found.len() as f64;
    let mut values: Vec<f64> = found.iter().map(|row| row.r).filter(|r| !r.is_nan()).collect();
    ClusterSensitivity {
        n_rows: rows.len(),
        n_found: found.len(),
        // Written so that an r that is missing has no sign.
        share_same_sign: share(&|row| row.r * r > 0.0),
        share_significant: share(&|row| row.p_alone <= alpha),
        r_min: values.iter().copied().fold(f64::NAN, f64::min),
        r_max: values.iter().copied().fold(f64::NAN, f64::max),
        r_median: median(&mut values),
        p_family_min: found.iter().map(|row| row.p_family).fold(f64::NAN, f64::min),
    }
}

#[cfg(test)]
mod tests;
