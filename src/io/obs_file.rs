//! `obs.csv` beside a 10x matrix: columns that describe its cells.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::io::bytes;

/// Names looked for, in this order.
const NAMES: [&str; 4] = ["obs.csv", "obs.csv.gz", "obs.tsv", "obs.tsv.gz"];

/// The file that describes the cells of this folder.
pub(crate) fn find(folder: &Path) -> Option<PathBuf> {
    NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// A column of the folder's `obs.csv`, one value per barcode; empty for cells that the file leaves out.
///
/// Rows are matched by barcode: the first column (or one named `barcode`) holds it, in any order.
pub(crate) fn column_of_folder(folder: &Path, column: &str, barcodes: &[String]) -> Result<Vec<String>> {
    let Some(path) = find(folder) else {
        return Err(Error::format(
            folder,
            "",
            format!(
                "`lot_column` is `{column}`, but there is no obs.csv; write one with the columns barcode and {column}"
            ),
        ));
    };
    let mut text = Vec::new();
    bytes::open(&path)?.read_to_end(&mut text).map_err(|e| Error::io(&path, e))?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let tab = text.split(|&b| b == b'\n').next().is_some_and(|header| header.contains(&b'\t'));
    let mut reader =
        csv::ReaderBuilder::new().delimiter(if tab { b'\t' } else { b',' }).trim(csv::Trim::All).from_reader(text);
    let csv_error = |e: csv::Error| {
        let line = e.position().map_or(1, csv::Position::line);
        Error::parse(&path, line, format!("cannot be split into fields ({e}); check quotes and number of fields"))
    };
    let header = reader.headers().map_err(csv_error)?.clone();
    let Some(wanted) = header.iter().position(|h| h == column) else {
        let found: Vec<String> = header.iter().filter(|h| !h.is_empty()).map(|h| format!("`{h}`")).collect();
        return Err(Error::parse(&path, 1, format!("no column `{column}`; found {}", found.join(", "))));
    };
    let records: Vec<csv::StringRecord> = reader.records().collect::<std::result::Result<_, _>>().map_err(csv_error)?;
    let row_of_barcode: HashMap<&str, usize> = barcodes.iter().enumerate().map(|(i, b)| (b.as_str(), i)).collect();
    // The first of these columns that holds any barcode of the matrix.
    let keys = [Some(0), header.iter().position(|h| h.eq_ignore_ascii_case("barcode"))];
    let key = keys.into_iter().flatten().find(|&key| records.iter().any(|r| row_of_barcode.contains_key(&r[key])));
    let Some(key) = key else {
        return Err(Error::parse(
            &path,
            2,
            "no barcode of the matrix in the first column or in a column `barcode`; write one row per cell with its barcode",
        ));
    };
    let mut values = vec![String::new(); barcodes.len()];
    let mut filled = vec![false; barcodes.len()];
    for record in &records {
        if let Some(&row) = row_of_barcode.get(&record[key]) {
            if std::mem::replace(&mut filled[row], true) {
                let line = record.position().map_or(0, csv::Position::line);
                return Err(Error::parse(
                    &path,
                    line,
                    format!("barcode {} is there twice; keep one row", &record[key]),
                ));
            }
            values[row] = record[wanted].to_string();
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(text: &str, name: &str) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("obs.csv"), text).unwrap();
        column_of_folder(folder.path(), name, &["A-1", "B-1", "C-1"].map(String::from))
    }

    #[test]
    fn rows_are_matched_by_barcode() {
        assert_eq!(column("\"\",\"donor\"\n\"C-1\",\"x\"\n\"A-1\",7\n", "donor").unwrap(), ["7", "", "x"]);
        assert_eq!(column("cell,Barcode,donor\n1,B-1,y\n2,Z-1,z\n", "donor").unwrap(), ["", "y", ""]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let message = |text, name| column(text, name).unwrap_err().to_string();
        assert!(message("barcode,donor\nA-1,x\n", "lot").contains("no column `lot`; found `barcode`, `donor`"));
        assert!(message("barcode,donor\nQ-1,x\n", "donor").contains("no barcode of the matrix"));
        assert!(message("barcode,donor\nA-1,x\nA-1,x\n", "donor").contains("line 3: barcode A-1 is there twice"));
        let folder = tempfile::tempdir().unwrap();
        assert!(column_of_folder(folder.path(), "donor", &[]).unwrap_err().to_string().contains("no obs.csv"));
    }
}
