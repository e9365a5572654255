//! Deviation and neighbourhoods read back.

use std::path::Path;

use ndarray::{Array2, ArrayView1};

use super::File;
use crate::error::Result;
use crate::pipeline::Params;
use crate::pipeline::tables::DISTANCES;
use crate::steps::lots::{DeviationRow, Distance, Neighborhoods};

pub(super) fn deviation(file: &File, lots: &[String]) -> Result<Vec<DeviationRow>> {
    let (names, outlying, errors) = (file.texts("lot")?, file.bools("outlying")?, file.floats("energy_error")?);
    if names != lots {
        return Err(file.complain("lot", "other lots than in lots.csv"));
    }
    let mut columns = Vec::new();
    for name in DISTANCES {
        let ranks: Vec<usize> = file.integers(&format!("{name}_rank"))?;
        let (values, z) = (file.floats(name)?, file.floats(&format!("{name}_z"))?);
        let limits = file.floats(&format!("{name}_limit"))?;
        let distance = |i: usize| Distance { value: values[i], rank: ranks[i], z: z[i], limit: limits[i] };
        columns.push((0..names.len()).map(distance).collect::<Vec<_>>());
    }
    Ok(names
        .into_iter()
        .enumerate()
        .map(|(i, lot)| DeviationRow {
            lot,
            jensen_shannon: columns[0][i],
            aitchison: columns[1][i],
            energy: columns[2][i],
            energy_error: errors[i],
            outlying: outlying[i],
        })
        .collect())
}

pub(super) fn neighborhoods(
    run: &Path,
    lots: &[String],
    n_cells: usize,
    params: &Params,
) -> Result<Option<Neighborhoods>> {
    if !params.neighborhoods.enabled {
        return Ok(None);
    }
    let (file, walk) = (File::read(run, "neighborhoods.parquet")?, File::read(run, "neighborhoods.csv")?);
    let mut abundance = Array2::zeros((n_cells, lots.len()));
    for (mut column, lot) in abundance.columns_mut().into_iter().zip(lots) {
        let values = file.floats32(lot)?;
        if values.len() != n_cells {
            return Err(file.complain(lot, "another number of cells than in cells.parquet"));
        }
        column.assign(&ArrayView1::from(&values));
    }
    Ok(Some(Neighborhoods { abundance, kurtosis: walk.floats("median_kurtosis")? }))
}
