//! Composition: which share of each lot's cells lies in each cluster.
//!
//! **Question.** What is each lot made of, and how sure is that with so many cells?
//!
//! **Method.** n(l,k) cells of lot l in cluster k, N(l) in all, share p = n / N with its Jeffreys interval (quantiles of
//! Beta(n + ½, N − n + ½); lower limit 0 at n = 0, upper limit 1 at n = N). The interval holds the sampling of cells from
//! one lot only, never the spread between lots. Effective number of lots of a cluster: 1 / Σ q² with q = p(l,k) / Σ p(l,k),
//! the inverse Simpson index. Shares are used, not counts, so that a lot with many cells does not count as many lots.
//!
//! **Shapes.** A label and a lot per cell → lots × clusters.
//!
//! **Beside other tools.** scanpy and Seurat have no such step; there one counts by hand.
//!
//! **References.** Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286 (Jeffreys interval); Simpson 1949,
//! doi:10.1038/163688a0; Aitchison 1982, doi:10.1111/j.2517-6161.1982.tb01195.x (log ratios).

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::data::LotTable;
use crate::error::{Error, Result};
use crate::math::intervals::jeffreys;

/// How shares are transformed before they meet a readout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// n / N.
    Share,
    /// asin √(n / N): about the same variance at every share.
    AsinSqrt,
    /// ln((n + ½) / (N − n + ½)).
    Logit,
    /// Centred log ratio of n + ½: against the geometric mean of the lot's clusters.
    Clr,
}

impl Transform {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Share, Self::AsinSqrt, Self::Logit, Self::Clr];
}

impl std::fmt::Display for Transform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Share => "share",
            Self::AsinSqrt => "asin_sqrt",
            Self::Logit => "logit",
            Self::Clr => "clr",
        })
    }
}

/// Parameters of [`composition`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompositionParams {
    /// Transform used for the association. Default `share`: it is what is plotted, and an effect on it reads as cells.
    pub transform: Transform,
    /// Level of the intervals of the shares, between 0 and 1; a higher level widens them. Default 0.95, by custom.
    pub level: f64,
}

impl Default for CompositionParams {
    fn default() -> Self {
        Self { transform: Transform::Share, level: 0.95 }
    }
}

impl CompositionParams {
    fn check(&self) -> Result<()> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::param("composition.level", self.level, "a number between 0 and 1, such as 0.95"));
        }
        Ok(())
    }
}

/// Result of [`composition`].
#[derive(Debug, Clone, PartialEq)]
pub struct Composition {
    /// Lot names.
    pub lots: Vec<String>,
    /// Lots × clusters: number of cells.
    pub n_cells: Array2<u64>,
    /// Per lot: cells in all clusters.
    pub n_total: Vec<u64>,
    /// Lots × clusters: share; NaN for a lot without cells.
    pub share: Array2<f64>,
    /// Lots × clusters: lower Jeffreys limit; NaN for a lot without cells.
    pub ci_low: Array2<f64>,
    /// Lots × clusters: upper Jeffreys limit; NaN for a lot without cells.
    pub ci_high: Array2<f64>,
    /// Per cluster: effective number of lots, 1 to lots (inverse Simpson index of the lots' shares in the cluster, each
    /// lot's share taken within the lot first); 0 for a cluster without cells.
    pub effective_lots: Vec<f64>,
}

impl Composition {
    /// Lots × clusters after a transform; columns are named by cluster. NaN for a lot without cells.
    pub fn transformed(&self, transform: Transform) -> LotTable {
        transformed_table(&self.lots, &self.n_cells, transform)
    }
}

/// [`transformed_counts`] as a table whose columns are named by cluster.
pub fn transformed_table(lots: &[String], n_cells: &Array2<u64>, transform: Transform) -> LotTable {
    let columns = (0..n_cells.ncols()).map(|cluster| cluster.to_string()).collect();
    LotTable::new(lots.to_vec(), columns, transformed_counts(n_cells, transform))
}

/// Numbers of cells, lots × clusters, after a transform; NaN for a lot without cells.
pub fn transformed_counts(n_cells: &Array2<u64>, transform: Transform) -> Array2<f64> {
    let n_clusters = n_cells.ncols();
    let totals: Vec<u64> = n_cells.rows().into_iter().map(|row| row.sum()).collect();
    Array2::from_shape_fn(n_cells.dim(), |(lot, cluster)| {
        let (n, total) = (n_cells[[lot, cluster]] as f64, totals[lot] as f64);
        if total == 0.0 {
            return f64::NAN;
        }
        match transform {
            Transform::Share => n / total,
            Transform::AsinSqrt => (n / total).sqrt().asin(),
            Transform::Logit => ((n + 0.5) / (total - n + 0.5)).ln(),
            Transform::Clr => {
                let logs = n_cells.row(lot).iter().map(|&n| (n as f64 + 0.5).ln()).sum::<f64>();
                (n + 0.5).ln() - logs / n_clusters as f64
            }
        }
    })
}

/// Counts cells per lot and cluster. `labels` (below `n_clusters`) and `lot_of_cell` have one entry per cell.
///
/// # Errors
/// A parameter is out of range.
pub fn composition(
    labels: &[u32],
    n_clusters: usize,
    lot_of_cell: &[u32],
    lots: &[String],
    params: &CompositionParams,
) -> Result<Composition> {
    params.check()?;
    assert_eq!(labels.len(), lot_of_cell.len(), "one label and one lot per cell");
    let mut n_cells = Array2::<u64>::zeros((lots.len(), n_clusters));
    for (&label, &lot) in labels.iter().zip(lot_of_cell) {
        n_cells[[lot as usize, label as usize]] += 1;
    }
    let n_total: Vec<u64> = n_cells.rows().into_iter().map(|row| row.sum()).collect();
    let share = Array2::from_shape_fn(n_cells.dim(), |at| n_cells[at] as f64 / n_total[at.0] as f64);
    let limits = Array2::from_shape_fn(n_cells.dim(), |at| jeffreys(n_cells[at], n_total[at.0], params.level));
    let effective_lots = share.columns().into_iter().map(|column| inverse_simpson(column.iter().copied())).collect();
    Ok(Composition {
        lots: lots.to_vec(),
        n_cells,
        n_total,
        share,
        ci_low: limits.mapv(|(low, _)| low),
        ci_high: limits.mapv(|(_, high)| high),
        effective_lots,
    })
}

/// 1 / Σ q² of weights scaled to sum 1; NaN weights are left out, 0 if nothing is left.
fn inverse_simpson(weights: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut squares) = (0.0, 0.0);
    for weight in weights.filter(|w| !w.is_nan()) {
        sum += weight;
        squares += weight * weight;
    }
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lot a: 2, 2, 0 cells; lot b: 30, 0, 0; lot c: none.
    fn example() -> Composition {
        let mut labels = vec![0, 0, 1, 1];
        labels.extend([0; 30]);
        let mut lot_of_cell = vec![0; 4];
        lot_of_cell.extend([1; 30]);
        let lots = ["a", "b", "c"].map(String::from);
        composition(&labels, 3, &lot_of_cell, &lots, &CompositionParams::default()).unwrap()
    }

    #[test]
    fn counts_shares_and_limits() {
        let c = example();
        assert_eq!(c.n_total, [4, 30, 0]);
        assert_eq!((c.share[[0, 0]], c.share[[1, 0]], c.share[[1, 1]]), (0.5, 1.0, 0.0));
        assert_eq!((c.ci_high[[1, 0]], c.ci_low[[1, 1]]), (1.0, 0.0));
        assert!(c.ci_low[[0, 0]] < 0.5 && c.ci_high[[0, 0]] > 0.5);
        assert!(c.share[[2, 0]].is_nan() && c.ci_low[[2, 0]].is_nan() && c.ci_high[[2, 0]].is_nan());
    }

    #[test]
    fn a_large_lot_does_not_count_as_many() {
        let c = example();
        // Shares ½ and 1, though the cells are 2 and 30: (3/2)² / (5/4).
        assert!((c.effective_lots[0] - 1.8).abs() < 1e-15);
        assert_eq!((c.effective_lots[1], c.effective_lots[2]), (1.0, 0.0));
    }

    #[test]
    fn transforms() {
        let c = example();
        let at = |t| c.transformed(t).values[[0, 0]];
        assert_eq!(at(Transform::Share), 0.5);
        assert!((at(Transform::AsinSqrt) - std::f64::consts::FRAC_PI_4).abs() < 1e-15);
        assert_eq!(at(Transform::Logit), 0.0);
        assert!((at(Transform::Clr) - (5.0_f64.ln() / 3.0)).abs() < 1e-15, "2.5 / (2.5 · 2.5 · 0.5)^⅓ = 5^⅓");
        for transform in [Transform::Share, Transform::AsinSqrt, Transform::Logit, Transform::Clr] {
            let table = c.transformed(transform);
            assert!(table.values.row(2).iter().all(|v| v.is_nan()), "a lot without cells is missing");
            assert!(table.values.row(1).iter().all(|v| v.is_finite()), "zeros stay finite");
        }
        assert_eq!(c.transformed(Transform::Clr).columns, ["0", "1", "2"]);
    }

    #[test]
    fn nothing_at_all() {
        let c = composition(&[], 0, &[], &[], &CompositionParams::default()).unwrap();
        assert_eq!(c.share.dim(), (0, 0));
        assert_eq!(c.transformed(Transform::Clr).n_columns(), 0);
    }

    #[test]
    fn a_level_out_of_range_is_refused() {
        for level in [0.0, 1.0, f64::NAN] {
            let params = CompositionParams { level, ..Default::default() };
            let error = composition(&[], 1, &[], &[], &params).unwrap_err();
            assert!(error.to_string().contains("composition.level"));
        }
    }

    proptest::proptest! {
        #[test]
        fn shares_sum_to_one_and_cell_order_does_not_matter(
            cells in proptest::collection::vec((0_u32..4, 0_u32..3), 1..60),
        ) {
            let lots = ["a", "b", "c"].map(String::from);
            let run = |cells: &[(u32, u32)]| {
                let (labels, lot_of_cell): (Vec<u32>, Vec<u32>) = cells.iter().copied().unzip();
                composition(&labels, 4, &lot_of_cell, &lots, &CompositionParams::default()).unwrap()
            };
            let forward = run(&cells);
            for (lot, row) in forward.share.rows().into_iter().enumerate() {
                if forward.n_total[lot] > 0 {
                    proptest::prop_assert!((row.sum() - 1.0).abs() < 1e-12);
                }
            }
            let mut reversed = cells.clone();
            reversed.reverse();
            proptest::prop_assert_eq!(&run(&reversed).n_cells, &forward.n_cells);
            proptest::prop_assert_eq!(&run(&reversed).effective_lots, &forward.effective_lots);
        }
    }
}
