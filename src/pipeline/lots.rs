//! Lots beside the clusters: their quality as covariates, and what else goes with a readout.

use ndarray::Array2;

use crate::data::{LotSheet, LotTable, Readout};
use crate::error::{Error, Result};
use crate::math::ranks::average_ranks;
use crate::pipeline::Analysis;
use crate::steps::lots::{
    AssociationParams, Confounding, Covariate, CovariateValues, NeighborhoodAssociation, Observed, Units, confounding,
    integrated_column, neighborhood_association, sheet_covariates, sheet_groups,
};
use crate::warning::Warning;

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
    let of_quality = (0..n_quality).map(|k| (quality.columns[k].clone(), quality.column(k).to_vec()));
    let mut covariates: Vec<Covariate> = of_quality
        .chain(declared)
        .map(|(name, values)| Covariate { name, values: CovariateValues::Numbers(units.average(&values)) })
        .collect();
    let mut not_checked = Vec::new();
    for (name, of_lots) in sheet_groups(&analysis.sheet, observed.name) {
        let one = |lots: &Vec<usize>| lots.iter().all(|&lot| of_lots[lot] == of_lots[lots[0]]);
        if name == units.column {
            continue;
        }
        if units.lots.iter().all(one) {
            let of_units = units.lots.iter().map(|lots| of_lots[lots[0]]).collect();
            covariates.push(Covariate { name, values: CovariateValues::Groups(of_units) });
        } else {
            not_checked.push(Warning::NoWholeTest {
                test: format!("whether {} goes with {name}", observed.name),
                cause: format!("lots of one `{}` differ in it", units.column),
            });
        }
    }
    let mut found = confounding(&covariates, shares, observed, units, &params.confounding, asked, params.seed)?;
    found.warnings.extend(not_checked);
    Ok(found)
}

/// What integration over a column of the sheet may have taken away; by ranks where only these are known.
pub(super) fn integrated(analysis: &Analysis, readout: &Readout, ranks_only: bool) -> Vec<Warning> {
    let params = &analysis.params.harmony;
    if !params.enabled {
        return Vec::new();
    }
    let mut values = readout.values.clone();
    if ranks_only {
        let known: Vec<usize> = (0..values.len()).filter(|&lot| !values[lot].is_nan()).collect();
        let ranks = average_ranks(&known.iter().map(|&lot| values[lot]).collect::<Vec<f64>>());
        known.iter().zip(ranks).for_each(|(&lot, rank)| values[lot] = rank);
    }
    integrated_column(&analysis.sheet, &params.column, &readout.name, &values)
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
