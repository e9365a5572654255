//! AnnData files: counts of all cells, of the cells of one lot, or of every lot of a pooled file in one reading.
//!
//! Every version since AnnData 0.5 is read. Counts may lie in `X`, in a layer or in `raw/X`, compressed by cell or by gene,
//! or dense, as integers or as whole numbers with a point.

use std::path::Path;

use ndarray::Array2;

pub use super::h5ad_write::{AnnData, write_h5ad};
use crate::data::{LotSheet, LotSource, SheetColumn};
use crate::error::{Error, Result};
use crate::io::h5ad_genes::genes_of;
use crate::io::hdf5::{Frame, H5, Matrix, NotCounts, Rows};
use crate::io::names::unique_barcodes;
use crate::io::{RawLot, ReadParams};
use crate::warning::Warning;

/// Layers that hold a part of the counts only, by convention of RNA velocity; used when asked for by name.
const PARTIAL_LAYERS: [&str; 5] = ["ambiguous", "mature", "nascent", "spliced", "unspliced"];

/// Reads the cells of an `.h5ad` (all, or those with the given value of an obs column).
///
/// Counts are taken from where [`ReadParams::counts`] says. If it says nothing, the first place of `X`, `layers/counts`,
/// the other layers and `raw/X` that holds whole numbers from 0 throughout is used, and a warning tells which it was
/// unless it is `X`. Ids of genes come from the column `gene_ids` or one of its like, otherwise from the index of var.
///
/// # Errors
/// - not HDF5, not AnnData, or damaged
/// - no place holds counts; the message says what `X` looks like
/// - the obs column is missing, or has no such value
pub fn read_h5ad(path: &Path, subset: Option<(&str, &str)>, params: &ReadParams) -> Result<RawLot> {
    let h5 = H5::open(path, params)?;
    let obs = Frame::open(&h5, "obs")?;
    let barcodes = obs.index()?;
    let group_of_cell = match subset {
        None => vec![Some(0); barcodes.len()],
        Some((column, value)) => {
            let (codes, levels) = column_of(&h5, &obs, column, barcodes.len())?;
            let Some(wanted) = levels.iter().position(|level| level == value) else {
                return Err(h5.error(&format!("obs/{column}"), format!("no cell has `{value}`; {}", some_of(&levels))));
            };
            codes.into_iter().map(|code| (code == Some(wanted as u32)).then_some(0)).collect()
        }
    };
    let lots = read_groups(&h5, barcodes, &group_of_cell, 1, params)?;
    Ok(lots.into_iter().next().expect("one lot was asked for"))
}

/// Cells of an `.h5ad`.
pub(super) fn promised_cells(path: &Path, params: &ReadParams) -> Result<u64> {
    let h5 = H5::open(path, params)?;
    Ok(Frame::open(&h5, "obs")?.index()?.len() as u64)
}

/// Reads every lot of a pooled `.h5ad`, in one pass through the file: one lot per value of the obs column, in the order
/// of [`lot_sheet_of_h5ad`]. Cells without a value are an error.
///
/// # Errors
/// Those of [`read_h5ad`].
pub fn read_h5ad_groups(path: &Path, column: &str, params: &ReadParams) -> Result<Vec<(String, RawLot)>> {
    let h5 = H5::open(path, params)?;
    let obs = Frame::open(&h5, "obs")?;
    let barcodes = obs.index()?;
    let (lot_of_cell, lots) = lots_of(&h5, &obs, column, barcodes.len())?;
    let group_of_cell: Vec<Option<u32>> = lot_of_cell.into_iter().map(Some).collect();
    Ok(lots.iter().cloned().zip(read_groups(&h5, barcodes, &group_of_cell, lots.len(), params)?).collect())
}

/// One column of obs as text, one value per cell in the order of the file; empty where missing.
///
/// # Errors
/// The file or the column is missing or damaged.
pub fn read_obs_column(path: &Path, column: &str) -> Result<Vec<String>> {
    let h5 = H5::open(path, &ReadParams::default())?;
    let obs = Frame::open(&h5, "obs")?;
    let (codes, levels) = column_of(&h5, &obs, column, obs.index()?.len())?;
    Ok(codes.into_iter().map(|code| code.map_or_else(String::new, |c| levels[c as usize].clone())).collect())
}

/// An embedding of obsm, cells × dimensions in the order of the file; `None` if there is none of this name.
///
/// # Errors
/// The file is damaged, or the entry is no matrix of numbers.
pub fn read_embedding(path: &Path, name: &str) -> Result<Option<Array2<f32>>> {
    let h5 = H5::open(path, &ReadParams::default())?;
    let key = format!("obsm/{name}");
    if !h5.has(&key) {
        return Ok(None);
    }
    let (shape, values) = h5.reals(&key)?;
    let matrix = match shape[..] {
        [n_cells, n_dims] => Array2::from_shape_vec((n_cells as usize, n_dims as usize), values).ok(),
        _ => None,
    };
    matrix.map(Some).ok_or_else(|| h5.error(&key, format!("shape {shape:?}, where cells × dimensions is needed")))
}

/// The lot sheet of a pooled `.h5ad`: one lot per distinct value of the obs column, in the order of its categories (of
/// first use, if it is no categorical); other obs columns that are constant within lots become columns of the sheet.
///
/// # Errors
/// The file or the column is missing or damaged, or a cell has no value in the column.
pub fn lot_sheet_of_h5ad(path: &Path, lot_column: &str) -> Result<LotSheet> {
    let h5 = H5::open(path, &ReadParams::default())?;
    let obs = Frame::open(&h5, "obs")?;
    let n_cells = obs.index()?.len();
    let (lot_of_cell, lots) = lots_of(&h5, &obs, lot_column, n_cells)?;
    let mut columns = Vec::new();
    for name in obs.columns()?.into_iter().filter(|name| name != lot_column) {
        let (codes, levels) = column_of(&h5, &obs, &name, n_cells)?;
        let mut value_of_lot: Vec<Option<Option<u32>>> = vec![None; lots.len()];
        let constant =
            lot_of_cell.iter().zip(&codes).all(|(&lot, code)| value_of_lot[lot as usize].get_or_insert(*code) == code);
        if constant {
            let text =
                |code: Option<Option<u32>>| code.flatten().map_or_else(String::new, |c| levels[c as usize].clone());
            columns.push(SheetColumn { name, values: value_of_lot.into_iter().map(text).collect() });
        }
    }
    let source = |lot: String| {
        let subset = Some((lot_column.to_string(), lot.clone()));
        LotSource { lot, path: path.to_path_buf(), subset }
    };
    Ok(LotSheet { lots: lots.into_iter().map(source).collect(), columns })
}

/// A column of obs as codes and levels.
fn column_of(h5: &H5, obs: &Frame<'_>, name: &str, n_cells: usize) -> Result<(Vec<Option<u32>>, Vec<String>)> {
    let Some(values) = obs.column(name)? else {
        return Err(h5.error(&format!("obs/{name}"), format!("no such column; {}", some_of(&obs.columns()?))));
    };
    let (codes, levels) = values.into_category();
    if codes.len() != n_cells {
        let message =
            format!("{} values for {n_cells} cells; the file is damaged; copy or download it again", codes.len());
        return Err(h5.error(&format!("obs/{name}"), message));
    }
    Ok((codes, levels))
}

/// The lot of every cell, and the names of the lots that have cells.
fn lots_of(h5: &H5, obs: &Frame<'_>, column: &str, n_cells: usize) -> Result<(Vec<u32>, Vec<String>)> {
    let (codes, levels) = column_of(h5, obs, column, n_cells)?;
    let n_missing = codes.iter().filter(|code| code.is_none()).count();
    if n_missing > 0 {
        return Err(h5.error(
            &format!("obs/{column}"),
            format!("{n_missing} of {n_cells} cells have no value, so their lot is unknown; fill the column or leave them out"),
        ));
    }
    let mut new_code = vec![None; levels.len()];
    for code in codes.iter().flatten() {
        new_code[*code as usize] = Some(0);
    }
    let mut lots = Vec::new();
    for (level, new) in levels.into_iter().zip(&mut new_code).filter(|(_, new)| new.is_some()) {
        *new = Some(lots.len() as u32);
        lots.push(level);
    }
    Ok((codes.into_iter().flatten().filter_map(|code| new_code[code as usize]).collect(), lots))
}

/// The first names of a list, for a message.
fn some_of(names: &[String]) -> String {
    match names.len() {
        0 => "there is none at all".into(),
        1..=20 => format!("there are: {}", names.join(", ")),
        n => format!("there are {n}: {}, …", names[..20].join(", ")),
    }
}

/// Reads the counts of each group of cells.
fn read_groups(
    h5: &H5,
    barcodes: Vec<String>,
    group_of_cell: &[Option<u32>],
    n_groups: usize,
    params: &ReadParams,
) -> Result<Vec<RawLot>> {
    let places = places(h5, params)?;
    let found_by_us = params.counts.is_empty();
    let mut refused: Option<(String, NotCounts)> = None;
    let mut unreadable = None;
    for place in &places {
        let var_key = if let Some(raw) = place.strip_suffix('X').filter(|raw| !raw.is_empty() && raw.starts_with("raw"))
        {
            format!("{raw}var")
        } else {
            "var".to_string()
        };
        let (genes, n_features) = genes_of(h5, &var_key)?;
        let rows = Rows { group_of_cell, n_groups, column_of_feature: &genes.columns, n_genes: genes.genes.len() };
        let read = Matrix::open(h5, place, (barcodes.len(), n_features)).and_then(|matrix| matrix.read(&rows));
        let counts = match read {
            Ok(Ok(counts)) => counts,
            Ok(Err(not_counts)) => {
                refused.get_or_insert_with(|| (place.clone(), not_counts));
                continue;
            }
            // A layer of another kind is no reason to give up the search.
            Err(error @ Error::Format { .. }) if found_by_us && place != "X" => {
                unreadable.get_or_insert(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut warnings = genes.warnings;
        if found_by_us && place != "X" {
            warnings.push(Warning::CountsFoundIn { lot: String::new(), place: place.replace("raw.X", "raw/X") });
        }
        let mut names: Vec<Vec<String>> = vec![Vec::new(); n_groups];
        for (barcode, group) in barcodes.into_iter().zip(group_of_cell) {
            if let Some(group) = group {
                names[*group as usize].push(barcode);
            }
        }
        let lot = |(mut barcodes, counts): (Vec<String>, _)| {
            let mut warnings = warnings.clone();
            warnings.extend(unique_barcodes(&mut barcodes));
            RawLot { genes: genes.genes.clone(), barcodes, counts, files: vec![h5.path().to_path_buf()], warnings }
        };
        return Ok(names.into_iter().zip(counts).map(lot).collect());
    }
    Err(match (refused, unreadable) {
        (Some((place, not)), _) => {
            let others: Vec<&str> = places.iter().map(String::as_str).filter(|p| *p != place).collect();
            let also = if others.is_empty() { String::new() } else { format!("; neither does {}", others.join(", ")) };
            h5.error(
                &place,
                format!(
                    "holds no counts but {}{also}. Put the counts into layers/counts, or say where they are: \
                     read.counts = \"layers/NAME\"",
                    looks_like(&not)
                ),
            )
        }
        (None, Some(error)) => error,
        (None, None) => {
            h5.error("X", "missing, and so are layers and raw; write the raw counts into X or layers/counts")
        }
    })
}

/// Where to look for counts, in this order.
fn places(h5: &H5, params: &ReadParams) -> Result<Vec<String>> {
    let (groups, datasets) = h5.names("layers")?;
    let mut layers = [groups, datasets].concat();
    layers.sort_unstable();
    // AnnData 0.5 wrote `raw.X` at the top.
    let raw = ["raw/X", "raw.X"].into_iter().find(|key| h5.has(key));
    if !params.counts.is_empty() {
        let asked = params.counts.trim_matches('/');
        let key = if matches!(asked, "raw" | "raw/X" | "raw.X") { raw.unwrap_or("raw/X") } else { asked };
        let known = (key == "X" && h5.has("X"))
            || raw == Some(key)
            || key.strip_prefix("layers/").is_some_and(|name| layers.iter().any(|layer| layer == name));
        if known {
            return Ok(vec![key.to_string()]);
        }
        let there = h5.has("X").then(|| "X".to_string());
        let all: Vec<String> = there
            .into_iter()
            .chain(layers.iter().map(|l| format!("layers/{l}")))
            .chain(raw.map(String::from))
            .collect();
        return Err(h5.error(key, format!("asked for as counts, but missing; {}", some_of(&all))));
    }
    let mut places = Vec::new();
    places.extend(h5.has("X").then(|| "X".to_string()));
    places.extend(layers.iter().any(|layer| layer == "counts").then(|| "layers/counts".to_string()));
    let others = layers.iter().filter(|layer| *layer != "counts" && !PARTIAL_LAYERS.contains(&layer.as_str()));
    places.extend(others.map(|layer| format!("layers/{layer}")));
    places.extend(raw.map(String::from));
    Ok(places)
}

/// What a matrix that holds no counts looks like, in words.
fn looks_like(not: &NotCounts) -> String {
    let NotCounts { example, min, max, any_nan } = *not;
    let kind = if any_nan {
        "missing values (NaN) among numbers"
    } else if min < 0.0 && example.fract() == 0.0 {
        "negative numbers"
    } else if min < 0.0 {
        "scaled or centred values"
    } else if max < 20.0 {
        "log-normalised values"
    } else {
        "normalised or corrected values that are not whole"
    };
    format!("{kind} (from {min} to {max}; for instance {example})")
}
