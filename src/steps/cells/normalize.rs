//! Counts per 10,000, log1p: kept as one factor per cell.
//!
//! **Question.** How much of a gene does a cell express, whatever depth it was sequenced to?
//!
//! **Method.** value = ln(1 + count · target_sum / total counts of the cell).
//!
//! **Shapes.** Cells × genes counts → one factor per cell. The values are computed where they are needed and never
//! stored: a logarithm costs less than reading four more bytes per entry from memory.
//!
//! **Others.** The same as scanpy's `normalize_total(target_sum=1e4)` + `log1p` and Seurat's `LogNormalize`. scanpy
//! without `target_sum` scales to the median depth, which changes with the cells at hand; a fixed sum does not.
//!
//! **References.** Ahlmann-Eltze & Huber 2023, doi:10.1038/s41592-023-01814-1 (comparison of transformations).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Lot, Row};
use crate::error::{Error, Result};
use crate::math::log_scaled::{LogTable, log_scaled};
use crate::math::sparse_rows::RowWriter;

/// Parameters of [`normalize`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NormalizeParams {
    /// Counts that every cell is scaled to; above 0. Larger values spread small counts further apart from zero. Default
    /// 10,000, by convention, so that values can be compared with published ones.
    pub target_sum: f64,
}

impl Default for NormalizeParams {
    fn default() -> Self {
        Self { target_sum: 1e4 }
    }
}

/// The log-normalised values as a view of the counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalized {
    /// `target_sum / total counts` per cell, global order; 0 for a cell without counts.
    pub scale: Vec<f64>,
}

impl Normalized {
    /// ln(1 + count · scale) of one entry.
    #[inline]
    pub fn value(&self, cell: usize, count: u32) -> f32 {
        log_scaled(count, self.scale[cell])
    }

    /// Calls `f(gene, value)` for each non-zero of a cell, genes rising. The values are those of [`Normalized::value`], bit for bit.
    #[inline]
    pub fn for_each(&self, cell: usize, row: Row<'_>, mut f: impl FnMut(u32, f32)) {
        let table = LogTable::new(self.scale[cell]);
        row.for_each(|gene, count| f(gene, table.value(count)));
    }

    /// As [`Normalized::for_each`], of those genes alone that `column_of_gene` gives a column (others are `u32::MAX`): calls
    /// `f(column, value)`.
    #[inline]
    pub fn for_each_of(&self, cell: usize, row: Row<'_>, column_of_gene: &[u32], mut f: impl FnMut(u32, f32)) {
        let table = LogTable::new(self.scale[cell]);
        row.for_each(|gene, count| {
            let column = column_of_gene[gene as usize];
            if column != u32::MAX {
                f(column, table.value(count));
            }
        });
    }
}

/// Appends the log-normalised values of those genes that `column_of_gene` gives a column (others are `u32::MAX`).
#[inline]
pub(crate) fn pick_log_scaled(row: Row<'_>, scale: f64, column_of_gene: &[u32], out: &mut RowWriter) {
    let table = LogTable::new(scale);
    let column = |gene: usize| column_of_gene[gene];
    match row {
        Row::Narrow(genes, counts) => {
            let pairs = genes.iter().zip(counts).map(|(&gene, &count)| (column(usize::from(gene)), u32::from(count)));
            out.pick(genes.len(), pairs, |count| table.value(count));
        }
        Row::Wide(genes, counts) => {
            let pairs = genes.iter().zip(counts).map(|(&gene, &count)| (column(gene as usize), count));
            out.pick(genes.len(), pairs, |count| table.value(count));
        }
    }
}

/// Computes the factors.
///
/// # Errors
/// `target_sum` is not a positive number.
pub fn normalize(dataset: &Dataset, params: &NormalizeParams) -> Result<Normalized> {
    check(params)?;
    let of_lot = |lot: &Lot| -> Vec<f64> {
        let cells = (0..lot.counts.n_cells()).into_par_iter().with_min_len(256);
        cells
            .map(|cell| match lot.counts.total(cell) {
                0 => 0.0,
                total => params.target_sum / total as f64,
            })
            .collect()
    };
    Ok(Normalized { scale: dataset.lot_by_lot(|lot, _| of_lot(lot)).concat() })
}

fn check(params: &NormalizeParams) -> Result<()> {
    if !(params.target_sum > 0.0 && params.target_sum.is_finite()) {
        return Err(Error::param("normalize.target_sum", params.target_sum, "a number above 0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::cells::tests_common::dataset;

    #[test]
    fn values_by_hand() {
        let data = dataset(&[&[&[1, 3, 0], &[0, 0, 0], &[0, 0, 40]]], &["A", "B", "C"]);
        let normalized = normalize(&data, &NormalizeParams { target_sum: 8.0 }).unwrap();
        assert_eq!(normalized.scale, [2.0, 0.0, 0.2]);
        assert_eq!(normalized.value(0, 3), 7_f32.ln());
        for cell in 0..3 {
            normalized.for_each(cell, data.row(cell), |gene, value| {
                let count = data.row(cell).iter().find(|e| e.0 == gene).unwrap().1;
                assert_eq!(value.to_bits(), normalized.value(cell, count).to_bits());
            });
        }
    }

    #[test]
    fn a_sum_that_is_no_sum_is_refused() {
        let data = dataset(&[&[&[1]]], &["A"]);
        for target_sum in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(normalize(&data, &NormalizeParams { target_sum }).is_err());
        }
    }
}
