//! The lot sheet (`lots.csv`): one row per lot.
//!
//! Columns `lot` (unique name) and `path` (relative to the sheet) are needed. `lot_column` and `lot_value` together mean:
//! of this path only the cells whose column `lot_column` has the value `lot_value`; the path may then repeat. It is an
//! `.h5ad`, or a 10x matrix folder with an `obs.csv` whose first column is the barcode. Every further column of the sheet
//! is a readout or covariate and kept as text.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::data::{LotSheet, LotSource, SheetColumn};
use crate::error::{Error, Result};
use crate::io::bytes;

/// Reads `lots.csv`: comma, semicolon or tab between the fields (found from the header), quotes, BOM and CRLF allowed.
///
/// # Errors
/// - no column `lot` or `path`, or a column twice
/// - a row with too few or too many fields, an empty or repeated lot name, a path that does not exist
/// - `lot_column` without `lot_value`, or the other way round
/// - one path in two rows, of which one takes all its cells
pub fn read_lot_sheet(path: &Path) -> Result<LotSheet> {
    let mut bytes = Vec::new();
    bytes::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::format(path, "", "is larger than 64 MiB; give the list of lots, not their counts"));
    }
    let text = bytes::utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes), path, 1)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(text, path, folder)
}

/// Largest sheet, unpacked.
const MAX_BYTES: u64 = 64 << 20;

/// The delimiter that splits the header into most fields.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |d: &u8| header.bytes().filter(|b| b == d).count();
    // `max_by_key` takes the last of equals: a comma.
    [b';', b'\t', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// Splits a small table typed by people: delimiter found, blanks around fields dropped, rows of any length.
pub(super) fn reader(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .trim(csv::Trim::All)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes())
}

fn parse(text: &str, path: &Path, folder: &Path) -> Result<LotSheet> {
    let mut reader = reader(text);
    let mut records = reader.records();
    let csv_error = |e: csv::Error| {
        let line = e.position().map_or(1, csv::Position::line);
        Error::parse(path, line, format!("cannot be split into fields ({e}); check the quotes"))
    };
    let header = match records.next() {
        Some(header) => header.map_err(csv_error)?,
        None => {
            return Err(Error::parse(path, 1, "the sheet is empty; its first line must name the columns lot and path"));
        }
    };
    let columns = Columns::find(&header, path)?;
    let mut sheet = LotSheet::default();
    sheet
        .columns
        .extend(columns.further.iter().map(|&i| SheetColumn { name: header[i].to_string(), values: Vec::new() }));
    let mut lines: HashMap<String, u64> = HashMap::new();
    // The rows of each path: line, and which of its cells.
    let mut places: HashMap<PathBuf, Vec<Place>> = HashMap::new();
    for record in records {
        let record = record.map_err(csv_error)?;
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |message: String| Err(Error::parse(path, line, message));
        if record.iter().all(str::is_empty) {
            continue;
        }
        if let Some(field) = record.iter().find(|field| field.contains(char::is_control)) {
            return wrong(format!("`{}` holds a control character; remove it", field.escape_debug()));
        }
        if record.len() != header.len() {
            return wrong(format!(
                "{} fields, but the header names {} columns; quote fields that hold the delimiter",
                record.len(),
                header.len()
            ));
        }
        let lot = &record[columns.lot];
        if lot.is_empty() {
            return wrong("column `lot` is empty; give the lot a name".into());
        }
        if let Some(first) = lines.insert(lot.to_string(), line) {
            return wrong(format!("lot `{lot}` is there already, on line {first}; give each lot its own name"));
        }
        let source = &record[columns.path];
        if source.is_empty() {
            return wrong(format!("column `path` is empty for lot `{lot}`; give its file or folder"));
        }
        let source = folder.join(source);
        if !source.exists() {
            let outside = if is_outside(&record[columns.path]) { ", which this one leaves" } else { "" };
            return wrong(format!(
                "{} does not exist (column `path`; paths are relative to the sheet's folder{outside}); mend the path or put the \
                 file there",
                source.display()
            ));
        }
        let subset = columns.subset.map(|(column, value)| (record[column].to_string(), record[value].to_string()));
        let subset = match subset {
            Some((column, value)) if column.is_empty() && value.is_empty() => None,
            Some((column, value)) if column.is_empty() || value.is_empty() => {
                return wrong(format!("lot `{lot}` has only one of `lot_column` and `lot_value`; give both or none"));
            }
            given => given,
        };
        for earlier in places.get(&source).into_iter().flatten() {
            if earlier.1.is_none() || subset.is_none() || earlier.1 == subset {
                return wrong(format!(
                    "the cells of {} are those of line {} already; a path may repeat only if `lot_column` and `lot_value` \
                     say which of its cells belong to which lot",
                    source.display(),
                    earlier.0
                ));
            }
        }
        places.entry(source.clone()).or_default().push((line, subset.clone()));
        sheet.lots.push(LotSource { lot: lot.to_string(), path: source, subset });
        for (column, &i) in sheet.columns.iter_mut().zip(&columns.further) {
            column.values.push(record[i].to_string());
        }
    }
    if sheet.lots.is_empty() {
        return Err(Error::parse(path, 1, "the sheet lists no lots; give one row per lot"));
    }
    Ok(sheet)
}

/// True if a path as written leads out of the sheet's folder. Such are read: data often lie elsewhere.
fn is_outside(path: &str) -> bool {
    let mut depth = 0_i32;
    Path::new(path).components().any(|part| {
        depth += match part {
            Component::Normal(_) => 1,
            Component::ParentDir => -1,
            Component::CurDir => 0,
            Component::RootDir | Component::Prefix(_) => return true,
        };
        depth < 0
    })
}

/// Line of a row, and which cells of its path it takes (`None`: all).
type Place = (u64, Option<(String, String)>);

/// Where the columns are.
struct Columns {
    lot: usize,
    path: usize,
    subset: Option<(usize, usize)>,
    further: Vec<usize>,
}

impl Columns {
    fn find(header: &csv::StringRecord, path: &Path) -> Result<Self> {
        let wrong = |message: String| Err(Error::parse(path, 1, message));
        let index = |name: &str| header.iter().position(|h| h == name);
        let found = || header.iter().map(|h| format!("`{h}`")).collect::<Vec<_>>().join(", ");
        for (i, name) in header.iter().enumerate() {
            if name.contains(char::is_control) {
                return wrong(format!("column `{}` holds a control character; remove it", name.escape_debug()));
            }
            if name.is_empty() {
                return wrong(format!("column {} has no name; name it or remove it", i + 1));
            }
            if index(name) != Some(i) {
                return wrong(format!("column `{name}` is there twice; rename one"));
            }
        }
        let need = |name: &str| match index(name) {
            Some(i) => Ok(i),
            None => Err(Error::parse(
                path,
                1,
                format!(
                    "no column `{name}`; found {}. The sheet needs the columns `lot` and `path`, with commas, semicolons or tabs between",
                    found()
                ),
            )),
        };
        let (lot, file) = (need("lot")?, need("path")?);
        let subset = match (index("lot_column"), index("lot_value")) {
            (Some(column), Some(value)) => Some((column, value)),
            (None, None) => None,
            _ => return wrong(format!("`lot_column` and `lot_value` belong together; found {}", found())),
        };
        let special = |i: usize| i == lot || i == file || subset.is_some_and(|(c, v)| i == c || i == v);
        let further = (0..header.len()).filter(|&i| !special(i)).collect();
        Ok(Self { lot, path: file, subset, further })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(text: &str) -> Result<LotSheet> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("pool.h5ad"), b"").unwrap();
        std::fs::write(folder.path().join("lots.csv"), text).unwrap();
        read_lot_sheet(&folder.path().join("lots.csv"))
    }

    #[test]
    fn commas_tabs_semicolons_bom_crlf_and_quotes_are_read_alike() {
        let comma = sheet("lot,path,vegf,note\nL1,a,1.5,\"x, y\"\nL2,pool.h5ad,,\n").unwrap();
        assert_eq!(comma.lots[0].lot, "L1");
        assert!(comma.lots[0].path.ends_with("a") && comma.lots[0].subset.is_none());
        assert_eq!(comma.column("vegf").unwrap().values, ["1.5", ""]);
        assert_eq!(comma.column("note").unwrap().values, ["x, y", ""]);
        assert_eq!(comma.columns.len(), 2);
        let tab = sheet("\u{feff}vegf\tlot\tpath\r\n1.5\tL1\ta\r\n\r\n").unwrap();
        assert_eq!((tab.lots.len(), tab.columns[0].name.as_str()), (1, "vegf"));
        assert_eq!(sheet("lot;path;vegf\nL1;a;1,5\n").unwrap().columns[0].values, ["1,5"]);
    }

    #[test]
    fn a_pooled_path_may_repeat_with_different_values() {
        let pooled =
            sheet("lot,path,lot_column,lot_value\nL1,pool.h5ad,donor,x\nL2,pool.h5ad,donor,y\nL3,a,,\n").unwrap();
        assert_eq!(pooled.lots[1].subset, Some(("donor".into(), "y".into())));
        assert_eq!((pooled.lots[2].subset.clone(), pooled.columns.len()), (None, 0));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, words) in [
            ("", "line 1: the sheet is empty"),
            ("lot,path\n", "lists no lots"),
            ("name,path\nL1,a\n", "line 1: no column `lot`; found `name`, `path`"),
            ("lot,path,x,x\nL1,a,1,2\n", "column `x` is there twice"),
            ("lot,path,lot_column\nL1,a,x\n", "`lot_column` and `lot_value` belong together"),
            ("lot,path\nL1,a\nL1,pool.h5ad\n", "line 3: lot `L1` is there already, on line 2"),
            ("lot,path\n,a\n", "line 2: column `lot` is empty"),
            ("lot,path\nL1,\n", "line 2: column `path` is empty for lot `L1`"),
            ("lot,path\nL1,b\n", "b does not exist"),
            ("lot,path\nL1\u{1b}[2J,a\n", "line 2: `L1\\u{1b}[2J` holds a control character"),
            ("lot,path,x\u{7}\nL1,a,1\n", "column `x\\u{7}` holds a control character"),
            ("lot,path\nL1,a,7\n", "line 2: 3 fields, but the header names 2 columns"),
            ("lot,path\nL1,a\nL2,a\n", "are those of line 2 already"),
            ("lot,path,lot_column,lot_value\nL1,pool.h5ad,d,x\nL2,pool.h5ad,d,x\n", "are those of line 2 already"),
            ("lot,path,lot_column,lot_value\nL1,pool.h5ad,d,\n", "only one of `lot_column` and `lot_value`"),
        ] {
            let message = sheet(text).unwrap_err().to_string();
            assert!(message.contains("lots.csv, line ") && message.contains(words), "{text:?}: {message}");
        }
    }
}
