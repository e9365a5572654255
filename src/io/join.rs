//! Lots read in parallel and joined on one gene axis.

use std::path::Path;

use rayon::prelude::*;

use crate::data::{Dataset, Lot, LotSheet};
use crate::error::{Error, Result};
use crate::io::lot_store::LotStore;
use crate::io::{RawLot, ReadLots, ReadParams, gene_axis, lot_file, shared_barcodes};
use crate::progress::Progress;
use crate::warning::Warning;

/// Reads every lot of the sheet and joins them by gene id.
///
/// Lots are read in parallel; a path that several rows of the sheet name is read once. Lots without cells are left out
/// with a warning.
///
/// # Errors
/// - a path cannot be read
/// - `lot_column` has no cell with the given `lot_value`
/// - no lot has cells
/// - lots have too few genes in common
pub fn read_lots(sheet: &LotSheet, params: &ReadParams, progress: &dyn Progress) -> Result<ReadLots> {
    read_lots_into(sheet, params, &LotStore::in_memory(), progress)
}

/// Cells that the files of a sheet promise in their headers, each file once; those of plain text are not counted.
///
/// # Errors
/// A header cannot be read.
pub fn promised_cells(sheet: &LotSheet, params: &ReadParams) -> Result<u64> {
    let mut paths: Vec<&Path> = sheet.lots.iter().map(|lot| lot.path.as_path()).collect();
    paths.sort_unstable();
    paths.dedup();
    let promised = paths.par_iter().map(|path| lot_file::promised_cells(path, params));
    promised.collect::<Result<Vec<_>>>().map(|cells| cells.into_iter().flatten().sum())
}

/// As [`read_lots`], with a say in where the counts are kept.
///
/// # Errors
/// As [`read_lots`], and where the store's disk is full.
pub fn read_lots_into(
    sheet: &LotSheet,
    params: &ReadParams,
    store: &LotStore,
    progress: &dyn Progress,
) -> Result<ReadLots> {
    let Found { keep, names, lots, files, mut warnings } = read_rows(sheet, params, store, progress)?;
    let axis = gene_axis::join(&names, &lots.iter().map(|lot| &lot.genes).collect::<Vec<_>>(), params.genes)?;
    warnings.extend(axis.warnings);
    let n_genes = axis.genes.len();
    let lots = lots
        .into_par_iter()
        .with_max_len(1)
        .zip(names)
        .zip(axis.columns)
        .map(|((lot, name), columns)| {
            let counts = match columns {
                Some(columns) => store.keep(lot.counts.map_genes(&columns, n_genes))?,
                None => lot.counts,
            };
            Ok(Lot { name, barcodes: lot.barcodes, counts })
        })
        .collect::<Result<Vec<Lot>>>()?;
    warnings.extend(shared_barcodes::find(&lots));
    let dataset = Dataset::new(axis.genes, lots, sheet.select_lots(&keep))?;
    progress.finish(
        "read",
        &format!("{} cells in {} lots, {} genes", dataset.n_cells(), dataset.n_lots(), dataset.n_genes()),
    );
    Ok(ReadLots { dataset, files, warnings })
}

/// Lots that were read one by one, each with the genes of its own file.
#[derive(Debug, Clone, PartialEq)]
pub struct LotsApart {
    /// One data set per lot with cells, in the order of the sheet.
    pub lots: Vec<Dataset>,
    /// Files that were opened, for hashing, sorted.
    pub files: Vec<std::path::PathBuf>,
    /// What was found worth saying.
    pub warnings: Vec<Warning>,
}

/// Reads every lot of the sheet as [`read_lots`] does, but leaves each with the genes of its own file, so that a gene without
/// counts can be told from one that the annotation lacks.
///
/// # Errors
/// As [`read_lots`], but lots need no genes in common.
pub fn read_lots_apart(sheet: &LotSheet, params: &ReadParams, progress: &dyn Progress) -> Result<LotsApart> {
    let Found { keep, names, lots: raw, files, mut warnings } =
        read_rows(sheet, params, &LotStore::in_memory(), progress)?;
    let sheet = sheet.select_lots(&keep);
    let mut lots = Vec::with_capacity(raw.len());
    let mut all = Vec::with_capacity(raw.len());
    for (row, (lot, name)) in raw.into_iter().zip(names).enumerate() {
        let this: Vec<bool> = (0..sheet.lots.len()).map(|i| i == row).collect();
        let cells = Lot { name, barcodes: lot.barcodes, counts: lot.counts };
        all.push(cells.clone());
        lots.push(Dataset::new(lot.genes, vec![cells], sheet.select_lots(&this))?);
    }
    warnings.extend(shared_barcodes::find(&all));
    let n_cells: usize = lots.iter().map(Dataset::n_cells).sum();
    progress.finish("read", &format!("{n_cells} cells in {} lots", lots.len()));
    Ok(LotsApart { lots, files, warnings })
}

/// The rows of a sheet that have cells.
struct Found {
    /// One flag per row of the sheet.
    keep: Vec<bool>,
    names: Vec<String>,
    lots: Vec<RawLot>,
    files: Vec<std::path::PathBuf>,
    warnings: Vec<Warning>,
}

/// Rows of a sheet as they were read, each on its own genes.
#[derive(Debug, Clone, PartialEq)]
pub struct EachLot {
    /// One per row of the sheet; a lot may be without cells.
    pub lots: Vec<RawLot>,
    /// Files that were opened, for hashing, sorted.
    pub files: Vec<std::path::PathBuf>,
    /// What the readers found worth saying.
    pub warnings: Vec<Warning>,
}

/// Reads every lot of the sheet and leaves it as it is, also where it has no cells. Lots are read in parallel; a path that
/// several rows of the sheet name is read once.
///
/// # Errors
/// - a path cannot be read
/// - `lot_column` has no cell with the given `lot_value`
pub fn read_each_lot(sheet: &LotSheet, params: &ReadParams, progress: &dyn Progress) -> Result<EachLot> {
    each_lot(sheet, params, &LotStore::in_memory(), progress)
}

fn each_lot(sheet: &LotSheet, params: &ReadParams, store: &LotStore, progress: &dyn Progress) -> Result<EachLot> {
    progress.start("read", sheet.lots.len() as u64);
    let mut jobs: Vec<(&Path, Vec<usize>)> = Vec::new();
    for (row, source) in sheet.lots.iter().enumerate() {
        match jobs.iter_mut().find(|(path, _)| *path == source.path) {
            Some((_, rows)) => rows.push(row),
            None => jobs.push((&source.path, vec![row])),
        }
    }
    let read: Vec<Result<Job>> = jobs
        .par_iter()
        .with_max_len(1)
        .map(|(path, rows)| {
            let job = read_path(path, rows, sheet, params, store);
            progress.advance(rows.len() as u64);
            job
        })
        .collect();
    let mut slots: Vec<Option<RawLot>> = sheet.lots.iter().map(|_| None).collect();
    let (mut files, mut warnings) = (Vec::new(), Vec::new());
    for job in read {
        let job = job?;
        files.extend(job.files);
        warnings.extend(job.warnings);
        for (row, lot) in job.lots {
            slots[row] = Some(lot);
        }
    }
    files.sort_unstable();
    files.dedup();
    let lots = slots.into_iter().map(|lot| lot.expect("every row belongs to one job")).collect();
    Ok(EachLot { lots, files, warnings })
}

/// Lots with cells.
fn read_rows(sheet: &LotSheet, params: &ReadParams, store: &LotStore, progress: &dyn Progress) -> Result<Found> {
    let EachLot { lots: read, files, mut warnings } = each_lot(sheet, params, store, progress)?;
    let mut keep = vec![false; read.len()];
    let (mut names, mut lots) = (Vec::new(), Vec::new());
    for (row, lot) in read.into_iter().enumerate() {
        let name = sheet.lots[row].lot.clone();
        if lot.barcodes.is_empty() {
            warnings.push(Warning::EmptyLot { lot: name });
        } else {
            keep[row] = true;
            names.push(name);
            lots.push(lot);
        }
    }
    if lots.is_empty() {
        return Err(Error::input("no lot has any cells", "look at the files that the sheet names"));
    }
    Ok(Found { keep, names, lots, files, warnings })
}

/// The lots of one path, by row of the sheet.
struct Job {
    lots: Vec<(usize, RawLot)>,
    files: Vec<std::path::PathBuf>,
    warnings: Vec<Warning>,
}

/// Reads a path once and gives each row of the sheet its cells.
fn read_path(path: &Path, rows: &[usize], sheet: &LotSheet, params: &ReadParams, store: &LotStore) -> Result<Job> {
    let mut lot = lot_file::read(path, params)?;
    lot.counts = store.keep(lot.counts)?;
    let files = std::mem::take(&mut lot.files);
    let mut warnings = std::mem::take(&mut lot.warnings);
    // A pooled file stands for many lots: its warnings carry its own name.
    let name = match rows {
        [row] => sheet.lots[*row].lot.clone(),
        _ => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
    };
    for warning in &mut warnings {
        name_lot(warning, &name);
    }
    if let [row] = rows
        && sheet.lots[*row].subset.is_none()
    {
        return Ok(Job { lots: vec![(*row, lot)], files, warnings });
    }
    let mut columns: Vec<(&str, Vec<String>)> = Vec::new();
    let mut lots = Vec::new();
    for &row in rows {
        let source = &sheet.lots[row];
        let Some((column, value)) = &source.subset else {
            return Err(Error::input(
                format!("lot {} takes all cells of {}, and other lots take some of them", source.lot, path.display()),
                "give `lot_column` and `lot_value` for each lot of the file",
            ));
        };
        if !columns.iter().any(|(name, _)| name == column) {
            columns.push((column, lot_file::cell_column(path, column, &lot)?));
        }
        let (_, values) = columns.iter().find(|(name, _)| name == column).expect("it was read above");
        let keep: Vec<bool> = values.iter().map(|v| v == value).collect();
        if !keep.contains(&true) {
            return Err(no_such_value(path, &source.lot, column, value, values));
        }
        lots.push((row, select(&lot, &keep)));
    }
    Ok(Job { lots, files, warnings })
}

fn select(lot: &RawLot, keep: &[bool]) -> RawLot {
    RawLot {
        genes: lot.genes.clone(),
        barcodes: lot.barcodes.iter().zip(keep).filter(|(_, keep)| **keep).map(|(b, _)| b.clone()).collect(),
        counts: lot.counts.select_cells(keep),
        files: Vec::new(),
        warnings: Vec::new(),
    }
}

fn no_such_value(path: &Path, lot: &str, column: &str, value: &str, values: &[String]) -> Error {
    let mut found: Vec<&str> = values.iter().map(String::as_str).filter(|v| !v.is_empty()).collect();
    found.sort_unstable();
    found.dedup();
    let more = found.len().saturating_sub(20);
    found.truncate(20);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Error::format(
        path,
        column,
        format!("no cell has the value `{value}` of lot {lot}; found {}{more}", found.join(", ")),
    )
}

/// Writes the lot's name into a warning of its reader.
fn name_lot(warning: &mut Warning, name: &str) {
    match warning {
        Warning::DuplicateGeneIds { lot, .. }
        | Warning::DuplicateBarcodes { lot, .. }
        | Warning::FeaturesSetAside { lot, .. }
        | Warning::CountsFoundIn { lot, .. }
            if lot.is_empty() =>
        {
            *lot = name.to_string();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
