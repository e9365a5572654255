//! Result tables as CSV (plain or gz) and Parquet.
//!
//! The same table gives the same bytes on every run: no time stamp, no name of a program version.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

use super::parquet::{read_parquet, write_parquet};
use crate::data::{Column, Table};
use crate::error::{Error, Result};

/// Writes a table; the format follows the name: `.csv`, `.csv.gz`, `.parquet`.
///
/// In CSV a number is written with the fewest digits that give it back exactly, NaN is empty, and numbers of a
/// `Float` column always bear a point or an exponent, so that they come back as such. Text that a spreadsheet would take for a
/// formula gets a `'` in front ([`guarded`]). In Parquet (snappy) NaN is null
/// and a `Category` is a dictionary column, which pandas shows as categorical.
///
/// # Errors
/// The name has another ending, or the file can't be written.
pub fn write_table(path: &Path, table: &Table) -> Result<()> {
    let format = Format::of(path)?;
    let file = BufWriter::new(File::create(path).map_err(|e| Error::io(path, e))?);
    match format {
        Format::Csv => write_csv(file, table),
        Format::CsvGz => {
            let mut gz = GzBuilder::new().mtime(0).write(file, Compression::default());
            write_csv(&mut gz, table).and_then(|()| gz.finish()?.flush())
        }
        Format::Parquet => return write_parquet(path, file, table),
    }
    .map_err(|e| Error::io(path, e))
}

/// Reads a table that [`write_table`] wrote.
///
/// Columns of a CSV get the narrowest type that keeps every value as written: whole numbers, `true`/`false`, numbers
/// (empty = NaN), otherwise text. A number with leading zeros is a name, so its column stays text. Levels of a
/// `Category` come back from Parquet in the order of their first use, and from CSV as text.
///
/// # Errors
/// The name has another ending, the file can't be read, or a line (CSV) or column (Parquet) can't be understood.
pub fn read_table(path: &Path) -> Result<Table> {
    let format = Format::of(path)?;
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    match format {
        Format::Csv => read_csv(path, BufReader::new(file)),
        Format::CsvGz => read_csv(path, MultiGzDecoder::new(BufReader::new(file))),
        Format::Parquet => read_parquet(path, file),
    }
}

enum Format {
    Csv,
    CsvGz,
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        if name.ends_with(".csv") {
            Ok(Self::Csv)
        } else if name.ends_with(".csv.gz") {
            Ok(Self::CsvGz)
        } else if name.ends_with(".parquet") {
            Ok(Self::Parquet)
        } else {
            Err(Error::format(path, "", "not a table; name it .csv, .csv.gz or .parquet"))
        }
    }
}

fn write_csv(out: impl Write, table: &Table) -> std::io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(table.columns().iter().map(|(name, _)| guarded(name).into_owned())).map_err(unwrapped)?;
    let mut text = String::new();
    for row in 0..table.n_rows() {
        for (_, column) in table.columns() {
            text.clear();
            column.push_text(row, &mut text);
            match column {
                Column::Text(_) | Column::Category { .. } => {
                    csv.write_field(guarded(&text).as_bytes()).map_err(unwrapped)?
                }
                _ => csv.write_field(&text).map_err(unwrapped)?,
            }
        }
        csv.write_record(None::<&[u8]>).map_err(unwrapped)?;
    }
    csv.flush()
}

/// What the operating system said, so that a full disk is told as one.
fn unwrapped(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

/// Text as a cell of a CSV: a `'` goes before what a spreadsheet would compute (`=`, `+`, `-`, `@`, tab or carriage return at the
/// start, apart from plain numbers and a lone sign), and before what would be taken for text with such a mark.
pub fn guarded(text: &str) -> Cow<'_, str> {
    let inside = text.trim_start_matches('\'');
    let computes = inside.starts_with(['=', '+', '-', '@', '\t', '\r']) && inside.len() > 1;
    if computes && text.parse::<f64>().is_err() { format!("'{text}").into() } else { text.into() }
}

/// Takes back what [`guarded`] put in front.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if guarded(text).len() > text.len() => text,
        _ => cell,
    }
}

fn read_csv(path: &Path, input: impl Read) -> Result<Table> {
    let mut csv = csv::Reader::from_reader(input);
    let header = csv.headers().map_err(|e| csv_error(path, e))?.clone();
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); header.len()];
    let mut record = csv::StringRecord::new();
    while csv.read_record(&mut record).map_err(|e| csv_error(path, e))? {
        for (column, value) in columns.iter_mut().zip(&record) {
            column.push(unguarded(value).to_string());
        }
    }
    Ok(header
        .iter()
        .zip(columns)
        .fold(Table::new(), |table, (name, values)| table.with(unguarded(name), typed(values))))
}

fn csv_error(path: &Path, error: csv::Error) -> Error {
    let line = error.position().map_or(0, csv::Position::line);
    let message = match error.into_kind() {
        csv::ErrorKind::Io(source) => return Error::io(path, source),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields where the header has {expected_len}; write the file anew")
        }
        csv::ErrorKind::Utf8 { err, .. } => format!("not UTF-8 text ({err}); write the file anew"),
        other => format!("{other:?}"),
    };
    Error::parse(path, line, message)
}

/// The narrowest column that gives every value back as it was written.
fn typed(values: Vec<String>) -> Column {
    fn all<T>(values: &[String], parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        values.iter().map(|v| parse(v)).collect()
    }
    let integer = |v: &str| v.parse::<i64>().ok().filter(|_| looks_numeric(v));
    let float = |v: &str| if v.is_empty() { Some(f64::NAN) } else { v.parse().ok().filter(|_| looks_numeric(v)) };
    if values.is_empty() {
        Column::Text(values)
    } else if let Some(v) = all(&values, integer) {
        Column::Integer(v)
    } else if let Some(v) = all(&values, |v| v.parse().ok()) {
        Column::Bool(v)
    } else if let Some(v) = all(&values, float) {
        Column::Float(v)
    } else {
        Column::Text(values)
    }
}

/// True for `12`, `-0.5`, `1e-9`, `inf`; false for `007`, `+1`, `infinity`, `nan`, which are names rather than numbers.
fn looks_numeric(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    match digits {
        b"inf" => true,
        [b'0', next, ..] => !next.is_ascii_digit(),
        [first, ..] => first.is_ascii_digit(),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new()
            .with("lot", Column::Category { codes: vec![0, 1, 0], levels: vec!["c".into(), "a, \"b\"".into()] })
            .with("note", Column::Text(vec!["007".into(), "µ".into(), String::new()]))
            .with("n", Column::Integer(vec![-3, 0, i64::MAX]))
            .with("share", Column::Float(vec![0.1 + 0.2, f64::NAN, 1e-300]))
            .with("whole", Column::Float(vec![1.0, -0.0, f64::INFINITY]))
            .with("x", Column::Float32(vec![0.1, f32::NAN, 16_777_216.0]))
            .with("kept", Column::Bool(vec![true, false, true]))
    }

    fn written(name: &str, table: &Table) -> (Vec<u8>, Table) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        write_table(&path, table).unwrap();
        (std::fs::read(&path).unwrap(), read_table(&path).unwrap())
    }

    /// Equality where NaN equals NaN and -0 differs from 0.
    fn same(a: &Table, b: &Table) -> bool {
        format!("{a:?}") == format!("{b:?}")
    }

    #[test]
    fn csv_is_written_as_people_expect_it() {
        let (bytes, _) = written("t.csv", &table());
        let expected = "lot,note,n,share,whole,x,kept\n\
                        c,007,-3,0.30000000000000004,1.0,0.1,true\n\
                        \"a, \"\"b\"\"\",µ,0,,-0.0,,false\n\
                        c,,9223372036854775807,1e-300,inf,16777216.0,true\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn formulas_are_disarmed_and_come_back_as_they_were() {
        let names =
            ["=cmd|' /C calc'!A0", "+x", "-x", "@SUM(A1)", "\tx", "'=x", "''=x", "'", "-1.5", "+2", "-", "a=b", "'x"];
        let table = Table::new().with("=1+1", Column::Text(names.iter().map(|s| s.to_string()).collect()));
        let (bytes, back) = written("t.csv", &table);
        assert!(same(&back, &table), "{back:?}");
        let text = String::from_utf8(bytes).unwrap();
        for (line, name) in text.lines().skip(1).zip(names) {
            let cell = line.trim_start_matches('"');
            assert!(
                !cell.starts_with(['=', '@', '\t'])
                    && cell.starts_with('\'') == (name != "-1.5" && name != "+2" && name != "-" && name != "a=b"),
                "{line}"
            );
        }
        assert!(text.starts_with("'=1+1\n"), "{text}");
    }

    #[test]
    fn csv_comes_back_with_its_types() {
        let expected = Table::new()
            .with("lot", Column::Text(vec!["c".into(), "a, \"b\"".into(), "c".into()]))
            .with("note", Column::Text(vec!["007".into(), "µ".into(), String::new()]))
            .with("n", Column::Integer(vec![-3, 0, i64::MAX]))
            .with("share", Column::Float(vec![0.1 + 0.2, f64::NAN, 1e-300]))
            .with("whole", Column::Float(vec![1.0, -0.0, f64::INFINITY]))
            .with("x", Column::Float(vec![0.1, f64::NAN, 16_777_216.0]))
            .with("kept", Column::Bool(vec![true, false, true]));
        for name in ["t.csv", "t.csv.gz"] {
            assert!(same(&written(name, &table()).1, &expected), "{name}");
        }
    }

    #[test]
    fn parquet_gives_the_very_same_table_back() {
        assert!(same(&written("t.parquet", &table()).1, &table()));
        let none = Table::new().with("a", Column::Float(vec![])).with("b", Column::Text(vec![]));
        assert!(same(&written("t.parquet", &none).1, &none));
    }

    #[test]
    fn bytes_are_the_same_on_every_run() {
        for name in ["t.csv", "t.csv.gz", "t.parquet"] {
            assert_eq!(written(name, &table()).0, written(name, &table()).0, "{name}");
        }
    }

    #[test]
    fn numbers_are_told_from_names() {
        let column = |values: &[&str]| typed(values.iter().map(|s| s.to_string()).collect());
        assert_eq!(column(&["1", "-2"]), Column::Integer(vec![1, -2]));
        assert_eq!(column(&["1", "2.5"]), Column::Float(vec![1.0, 2.5]));
        assert!(matches!(column(&["1", ""]), Column::Float(v) if v[0] == 1.0 && v[1].is_nan()));
        for names in [["01", "2"], ["nan", "1"], ["+1", "2"], ["1", "x"], ["infinity", "1"]] {
            assert!(matches!(column(&names), Column::Text(_)), "{names:?}");
        }
    }

    #[test]
    fn errors_name_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.csv");
        std::fs::write(&path, "a,b\n1,2\n3\n").unwrap();
        let message = read_table(&path).unwrap_err().to_string();
        assert!(message.contains("short.csv, line 3") && message.contains("1 fields"), "{message}");
        let message = write_table(&folder.path().join("t.xlsx"), &table()).unwrap_err().to_string();
        assert!(message.contains("t.xlsx") && message.contains(".parquet"), "{message}");
        std::fs::write(folder.path().join("bad.parquet"), "no").unwrap();
        let message = read_table(&folder.path().join("bad.parquet")).unwrap_err().to_string();
        assert!(message.contains("bad.parquet"), "{message}");
        assert!(read_table(&folder.path().join("absent.csv")).unwrap_err().to_string().contains("absent.csv"));
    }
}
