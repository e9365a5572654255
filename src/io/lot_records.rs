//! Records of lots read back: from a directory that `cqa cluster`, `cqa freeze` or `cqa map` wrote, or from a lot sheet with
//! readouts only.

mod sheet;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis, concatenate};

use crate::data::{CellShares, GeneSum, LotRecords, LotSheet, LotTable, LotsFrom, RecordsKind, RecordsNeeded};
use crate::error::{Error, Result};
use crate::io::table_file::TableFile;

pub use sheet::read_readout_sheet;

/// Distances that `deviation.csv` and `placed.csv` hold.
const DISTANCES: [&str; 3] = ["jensen_shannon", "aitchison", "energy"];

/// Panels of the lots of a directory.
const PANEL_SHARES: &str = "panel_shares.csv";

const CURE: &str = "make the directory again with `cqa cluster`, `cqa freeze` or `cqa map`";

/// Records, and the files they came from.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadRecords {
    /// The lots that were asked for.
    pub records: LotRecords,
    /// Files opened.
    pub files: Vec<PathBuf>,
}

/// Reads what is needed of the lots that are asked for. `folder`: what their path is relative to.
///
/// # Errors
/// - neither a directory with `lots.csv` nor a sheet with a column `lot`
/// - a file that is needed is missing, or holds other lots than the sheet
/// - no lot is left, or one that is named is not there
pub fn read_records(from: &LotsFrom, folder: &Path, needed: &RecordsNeeded) -> Result<ReadRecords> {
    let path = folder.join(&from.path);
    if !path.exists() {
        return Err(Error::format(&path, "", "does not exist; a source of the plan is relative to the plan's folder"));
    }
    let (all, files) = if path.is_dir() {
        Directory { path: &path, files: Vec::new() }.read(needed)?
    } else {
        (LotRecords::of_sheet(read_readout_sheet(&path)?), vec![path.clone()])
    };
    let keep = chosen(&all.sheet, from, &path)?;
    Ok(ReadRecords { records: all.select(&keep), files })
}

/// Which lots of the sheet are asked for.
fn chosen(sheet: &LotSheet, from: &LotsFrom, path: &Path) -> Result<Vec<bool>> {
    let names: Vec<&str> = sheet.lots.iter().map(|source| source.lot.as_str()).collect();
    if let Some(absent) = from.lots.iter().find(|lot| !names.contains(&lot.as_str())) {
        return Err(Error::format(path, "", format!("has no lot `{absent}`; its lots are {}", names.join(", "))));
    }
    let mut keep: Vec<bool> =
        names.iter().map(|name| from.lots.is_empty() || from.lots.iter().any(|l| l == name)).collect();
    if !from.column.is_empty() {
        let column = sheet.column(&from.column).ok_or_else(|| {
            let columns: Vec<&str> = sheet.columns.iter().map(|c| c.name.as_str()).collect();
            let message = format!("not found; the columns are: {}", columns.join(", "));
            Error::format(path, format!("column {}", from.column), message)
        })?;
        keep.iter_mut().zip(&column.values).for_each(|(keep, value)| *keep &= value.trim() == from.value);
    }
    if !keep.contains(&true) {
        return Err(Error::TooFew {
            what: format!("lots chosen from {}", path.display()),
            have: 0,
            need: 1,
            cure: format!(
                "look at `column`, `value` and `lots` of the source; no lot has {} = {}",
                from.column, from.value
            ),
        });
    }
    Ok(keep)
}

struct Directory<'a> {
    path: &'a Path,
    files: Vec<PathBuf>,
}

impl Directory<'_> {
    fn read(mut self, needed: &RecordsNeeded) -> Result<(LotRecords, Vec<PathBuf>)> {
        let sheet_path = self.path.join("lots.csv");
        if !sheet_path.is_file() {
            return Err(Error::format(self.path, "lots.csv", format!("not found, so this holds no lots; {CURE}")));
        }
        let sheet = read_readout_sheet(&sheet_path)?;
        self.files.push(sheet_path);
        let lots: Vec<String> = sheet.lots.iter().map(|source| source.lot.clone()).collect();
        let mapped = self.path.join("placed.csv").is_file();
        let mut records = LotRecords::of_sheet(sheet);
        records.kind = if mapped { RecordsKind::Mapped } else { RecordsKind::Run };
        if let Some(file) = self.table("composition.csv", needed.composition)? {
            records.clusters = Some(shares(&file, &lots, "cluster", "n_cells", "n_total")?);
        }
        if mapped && let Some(file) = self.table("placed.csv", true)? {
            records.reasons = reasons(&file, &lots)?;
            records.deviation = if needed.deviation { Some(distances(&file, &lots)?) } else { None };
        }
        if needed.panels {
            records.panels = Some(self.panels(&lots)?);
        }
        if needed.deviation
            && !mapped
            && let Some(file) = self.table("deviation.csv", true)?
        {
            records.deviation = Some(distances(&file, &lots)?);
        }
        if !needed.genes.is_empty()
            && let Some(file) = self.table("pseudobulk.parquet", true)?
        {
            records.genes = gene_sums(&file, &lots, &needed.genes)?;
        }
        if needed.cells
            && let Some(file) = self.table("embedding.parquet", false)?
        {
            let (cells, n_cells) = embedding(&file, &lots)?;
            (records.cells, records.n_cells) = (Some(cells), n_cells);
        }
        Ok((records, self.files))
    }

    /// Panels of the directory itself, or those that `cqa panel` put below it, one folder per cluster. A panel whose name
    /// occurs in several folders is called `folder/panel`.
    fn panels(&mut self, lots: &[String]) -> Result<CellShares> {
        let mut found: Vec<(String, CellShares)> = Vec::new();
        let below = self.path.join("panel");
        if !self.path.join(PANEL_SHARES).is_file() && below.is_dir() {
            let entries = std::fs::read_dir(&below).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
            let mut names: Vec<String> = entries
                .map_err(|e| Error::io(&below, e))?
                .into_iter()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            for name in names {
                if let Some(file) = self.table(&format!("panel/{name}/{PANEL_SHARES}"), false)? {
                    found.push((name, shares(&file, lots, "panel", "n_gated", "n_cells")?));
                }
            }
        }
        if found.is_empty()
            && let Some(file) = self.table(PANEL_SHARES, true)?
        {
            found.push((String::new(), shares(&file, lots, "panel", "n_gated", "n_cells")?));
        }
        let all: Vec<String> = found.iter().flat_map(|(_, panels)| panels.names.iter().cloned()).collect();
        let several = |name: &String| all.iter().filter(|n| *n == name).count() > 1;
        let names = found.iter().flat_map(|(folder, panels)| {
            panels.names.iter().map(move |name| if several(name) { format!("{folder}/{name}") } else { name.clone() })
        });
        let joined = |of: fn(&CellShares) -> &Array2<u64>| {
            let views: Vec<_> = found.iter().map(|(_, panels)| of(panels).view()).collect();
            concatenate(Axis(1), &views).expect("all have one row per lot")
        };
        Ok(CellShares { names: names.collect(), n_in: joined(|p| &p.n_in), n_total: joined(|p| &p.n_total) })
    }

    /// A table of the directory; where it is absent an error if it is needed.
    fn table(&mut self, name: &str, needed: bool) -> Result<Option<TableFile>> {
        let path = self.path.join(name);
        if !path.is_file() {
            let missing = format!("not found, but the plan compares what it holds; {CURE}");
            return if needed { Err(Error::format(self.path, name, missing)) } else { Ok(None) };
        }
        let file = TableFile::open(&path, CURE)?;
        self.files.push(path);
        Ok(Some(file))
    }
}

/// Counts per lot and name; what a lot has no row for is 0 of the lot's total.
fn shares(file: &TableFile, lots: &[String], by: &str, n_in: &str, n_total: &str) -> Result<CellShares> {
    let rows = file.codes("lot", lots)?;
    let of_row = file.texts(by)?;
    let (counts, totals): (Vec<u64>, Vec<u64>) = (file.integers(n_in)?, file.integers(n_total)?);
    let mut names: Vec<String> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::new();
    for name in &of_row {
        if !index.contains_key(name.as_str()) {
            index.insert(name, names.len());
            names.push(name.clone());
        }
    }
    let shape = (lots.len(), names.len());
    let (mut cells, mut all) = (Array2::zeros(shape), Array2::zeros(shape));
    let mut seen = Array2::from_elem(shape, false);
    for (row, &lot) in rows.iter().enumerate() {
        let at = (lot as usize, index[of_row[row].as_str()]);
        if seen[at] {
            return Err(file.complain(by, &format!("`{}` is there twice for lot {}", of_row[row], lots[at.0])));
        }
        if counts[row] > totals[row] {
            return Err(file.complain(n_in, &format!("more cells than lot {} has", lots[at.0])));
        }
        (seen[at], cells[at], all[at]) = (true, counts[row], totals[row]);
    }
    for (lot, mut row) in all.rows_mut().into_iter().enumerate() {
        let total = row.iter().copied().max().unwrap_or(0);
        row.iter_mut().enumerate().filter(|(name, _)| !seen[[lot, *name]]).for_each(|(_, n)| *n = total);
    }
    Ok(CellShares { names, n_in: cells, n_total: all })
}

/// Why each lot is out of reference; empty if it is not.
fn reasons(file: &TableFile, lots: &[String]) -> Result<Vec<String>> {
    let (rows, within, words) =
        (file.codes("lot", lots)?, file.bools("in_reference")?, file.texts_or_empty("reasons")?);
    let mut out = vec![String::new(); lots.len()];
    for ((&lot, within), words) in rows.iter().zip(within).zip(words) {
        out[lot as usize] = match (within, words.is_empty()) {
            (true, _) => String::new(),
            (false, true) => "no reason on record".into(),
            (false, false) => words,
        };
    }
    Ok(out)
}

fn distances(file: &TableFile, lots: &[String]) -> Result<LotTable> {
    let rows = file.codes("lot", lots)?;
    let mut values = Array2::from_elem((lots.len(), DISTANCES.len()), f64::NAN);
    for (column, name) in DISTANCES.iter().enumerate() {
        for (&lot, value) in rows.iter().zip(file.floats(name)?) {
            values[[lot as usize, column]] = value;
        }
    }
    Ok(LotTable::new(lots.to_vec(), DISTANCES.map(String::from).to_vec(), values))
}

/// Counts of the genes asked for, by id or by symbol.
fn gene_sums(file: &TableFile, lots: &[String], asked: &[(String, String)]) -> Result<Vec<GeneSum>> {
    let rows = file.codes("lot", lots)?;
    let (clusters, ids) = (file.texts("cluster")?, file.texts("gene_id")?);
    let symbols = if file.table.column("gene").is_some() { file.texts("gene")? } else { ids.clone() };
    let counts: Vec<u64> = file.integers("count")?;
    let mut found = Vec::new();
    for (gene, cluster) in asked {
        let by_id = ids.iter().any(|id| id == gene);
        let of_gene = |row: usize| if by_id { ids[row] == *gene } else { symbols[row] == *gene };
        let Some(first) = (0..ids.len()).find(|&row| of_gene(row)) else {
            let message = format!("no counts of gene `{gene}`, neither by id nor by symbol");
            return Err(Error::format(&file.path, "column gene_id", message));
        };
        if let Some(other) = (first..ids.len()).find(|&row| of_gene(row) && ids[row] != ids[first]) {
            let message = format!("`{gene}` is the symbol of {} and of {}; give the id", ids[first], ids[other]);
            return Err(Error::format(&file.path, "column gene", message));
        }
        if !clusters.contains(cluster) {
            return Err(Error::format(&file.path, "column cluster", format!("has no cluster `{cluster}`")));
        }
        let mut sum = GeneSum {
            gene: gene.clone(),
            cluster: cluster.clone(),
            counts: vec![0; lots.len()],
            totals: vec![0; lots.len()],
        };
        for row in (0..ids.len()).filter(|&row| clusters[row] == *cluster) {
            let lot = rows[row] as usize;
            sum.totals[lot] += counts[row];
            if of_gene(row) {
                sum.counts[lot] += counts[row];
            }
        }
        found.push(sum);
    }
    Ok(found)
}

/// Cells × components, lot after lot in the order of the sheet, and the cells of each lot.
fn embedding(file: &TableFile, lots: &[String]) -> Result<(Array2<f32>, Vec<usize>)> {
    let rows = file.codes("lot", lots)?;
    let mut components = Vec::new();
    while file.table.column(&format!("pc_{}", components.len() + 1)).is_some() {
        components.push(file.floats32(&format!("pc_{}", components.len() + 1))?);
    }
    if components.is_empty() {
        return Err(file.complain("pc_1", "this column is missing"));
    }
    // Cells that could not be placed in the space, such as those of a lot with other genes, have no components.
    let placed = |row: &usize| components.iter().all(|values| values[*row].is_finite());
    let mut order: Vec<usize> = (0..rows.len()).filter(placed).collect();
    order.sort_by_key(|&row| rows[row]);
    let cells = Array2::from_shape_fn((order.len(), components.len()), |(cell, c)| components[c][order[cell]]);
    let mut n_cells = vec![0; lots.len()];
    order.iter().for_each(|&row| n_cells[rows[row] as usize] += 1);
    Ok((cells, n_cells))
}

#[cfg(test)]
mod tests;
