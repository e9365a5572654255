//! A lot sheet of which only lots and readouts count.

use std::path::Path;

use crate::data::{LotSheet, LotSource, SheetColumn};
use crate::error::{Error, Result};
use crate::io::bytes;
use crate::io::lot_sheet::reader;

/// Reads lots and columns of a sheet; a column `path` may be there or not, and what it names is not looked for.
///
/// # Errors
/// No column `lot`, a column or lot twice, or rows of different length.
pub fn read_readout_sheet(path: &Path) -> Result<LotSheet> {
    let all = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let text = bytes::utf8(all.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&all), path, 1)?;
    let mut reader = reader(text);
    let mut records = reader.records();
    let broken = |e: csv::Error| {
        let line = e.position().map_or(1, csv::Position::line);
        Error::parse(path, line, format!("cannot be split into fields ({e}); check the quotes"))
    };
    let header: Vec<String> = match records.next() {
        Some(header) => header.map_err(broken)?.iter().map(str::to_string).collect(),
        None => return Err(Error::parse(path, 1, "the sheet is empty; its first line must name the column lot")),
    };
    if let Some(twice) = header.iter().enumerate().find(|(i, name)| header[..*i].contains(name)) {
        return Err(Error::parse(path, 1, format!("column `{}` is there twice; rename one", twice.1)));
    }
    let Some(lot) = header.iter().position(|name| name == "lot") else {
        let found = header.join("`, `");
        return Err(Error::parse(path, 1, format!("no column `lot`; found `{found}`; one row per lot is needed")));
    };
    let file = header.iter().position(|name| name == "path");
    let further: Vec<usize> = (0..header.len()).filter(|&i| i != lot && Some(i) != file).collect();
    let mut sheet = LotSheet {
        lots: Vec::new(),
        columns: further.iter().map(|&i| SheetColumn { name: header[i].clone(), values: Vec::new() }).collect(),
    };
    for record in records {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.len() != header.len() {
            let message = format!("{} fields, but the header names {} columns", record.len(), header.len());
            return Err(Error::parse(path, line, message));
        }
        let name = record[lot].to_string();
        if name.is_empty() || sheet.lots.iter().any(|source| source.lot == name) {
            return Err(Error::parse(path, line, format!("lot `{name}`: give each lot a name of its own")));
        }
        let of_lot = file.map_or("", |i| &record[i]);
        sheet.lots.push(LotSource { lot: name, path: of_lot.into(), subset: None });
        for (column, &i) in sheet.columns.iter_mut().zip(&further) {
            column.values.push(record[i].to_string());
        }
    }
    Ok(sheet)
}
