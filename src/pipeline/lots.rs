//! Lots beside the clusters: their quality as covariates, and what else goes with a readout.

use ndarray::Array2;

use crate::data::{LotSheet, LotTable};
use crate::error::{Error, Result};
use crate::pipeline::Analysis;
use crate::steps::lots::{
    AssociationParams, Confounding, NeighborhoodAssociation, Observed, Units, confounding, integrated_column,
    neighborhood_association, sheet_covariates,
};

/// What is known of the cells of each lot, as covariates.
fn lot_qualities(analysis: &Analysis) -> LotTable {
    let lots = &analysis.composition.lots;
    let mut cycling = vec![0_u64; lots.len()];
    for (&lot, &cycles) in analysis.cells.lot.iter().zip(&analysis.cells.cycling) {
        cycling[lot as usize] += u64::from(cycles);
    }
    let columns = ["median_counts", "median_genes", "n_cells", "median_pct_mito", "share_cycling", "share_doublets"];
    let values = Array2::from_shape_fn((lots.len(), columns.len()), |(lot, column)| {
        let row = &analysis.qc[lot];
        // Doublets that were dropped are no longer among the cells kept.
        let dropped = if analysis.params.doublets.drop { row.n_doublets } else { 0 };
        let n_scored = row.n_cells_kept + dropped;
        match column {
            0 => row.median_counts,
            1 => row.median_genes,
            2 => row.n_cells_kept as f64,
            3 => row.median_pct_mito,
            4 => cycling[lot] as f64 / row.n_cells_kept as f64,
            _ if !analysis.params.doublets.enabled => f64::NAN,
            _ => row.n_doublets as f64 / n_scored as f64,
        }
    });
    LotTable::new(lots.clone(), columns.map(String::from).to_vec(), values)
}

/// Quality measures and columns of the sheet against the readout and the shares, both with one row per unit.
pub(super) fn confounders(
    analysis: &Analysis,
    shares: &LotTable,
    observed: Observed<'_>,
    units: &Units,
    asked: &AssociationParams,
) -> Result<Confounding> {
    let params = &analysis.params;
    let quality = lot_qualities(analysis);
    let declared = sheet_covariates(&analysis.sheet, observed.name);
    let n_quality = quality.n_columns();
    let table = Array2::from_shape_fn((quality.n_lots(), n_quality + declared.len()), |(lot, column)| {
        if column < n_quality { quality.values[[lot, column]] } else { declared[column - n_quality].1[lot] }
    });
    let names = quality.columns.into_iter().chain(declared.iter().map(|c| c.0.clone())).collect();
    let covariates = units.table(&LotTable::new(quality.lots, names, table));
    let Observed { name, values, .. } = observed;
    confounding(&covariates, shares, name, values, &params.confounding, asked, params.seed)
}

/// What integration over a column of the sheet may have taken away. `values` has one entry per lot.
pub(super) fn integrated(analysis: &Analysis, readout: &str, values: &[f64]) -> Vec<crate::warning::Warning> {
    let params = &analysis.params.harmony;
    if !params.enabled {
        return Vec::new();
    }
    integrated_column(&analysis.sheet, &params.column, readout, values)
}

/// Neighbourhoods against the readout; `None` if there are none.
pub(super) fn neighborhoods_against(
    analysis: &Analysis,
    observed: Observed<'_>,
    units: &Units,
    asked: &AssociationParams,
) -> Result<Option<NeighborhoodAssociation>> {
    let params = &analysis.params;
    let Some(neighborhoods) = analysis.neighborhoods.as_ref().filter(|_| params.neighborhoods.enabled) else {
        return Ok(None);
    };
    let (batches, _) = batch_of_lot(&analysis.sheet, &params.neighborhoods.batch, "neighborhoods.batch")?;
    let (params, orders) = (&params.neighborhoods, asked);
    neighborhood_association(neighborhoods, observed, units, &batches, params, orders, analysis.params.seed).map(Some)
}

/// The batch of each lot and the number of batches: the lot, or the values of a column of the sheet in order of appearance.
/// `param`: the parameter that names the column.
pub(super) fn batch_of_lot(sheet: &LotSheet, column: &str, param: &'static str) -> Result<(Vec<u32>, usize)> {
    let n_lots = sheet.lots.len();
    if column.is_empty() {
        return Ok(((0..n_lots as u32).collect(), n_lots));
    }
    let values = &sheet
        .column(column)
        .ok_or_else(|| Error::param(param, column, "a column of the lot sheet, or empty for the lot"))?
        .values;
    let mut names: Vec<&str> = Vec::new();
    let mut batch = Vec::with_capacity(n_lots);
    for value in values {
        let index = names.iter().position(|name| name == value).unwrap_or_else(|| {
            names.push(value);
            names.len() - 1
        });
        batch.push(index as u32);
    }
    Ok((batch, names.len()))
}
