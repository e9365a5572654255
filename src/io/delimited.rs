//! Delimited text of counts: one row per gene and one column per cell, or the other way round.
//!
//! Delimiter (tab, comma, semicolon, space) and orientation are found from the file. The header may lack the field above
//! the row names, as R's `write.table` leaves it out. The file is read line by line and only what is not 0 is kept.

use std::path::Path;

use crate::data::{Counts, CountsBuilder};
use crate::error::{Error, Result};
use crate::io::bytes::{self, Blocks};
use crate::io::matrix_market::count;
use crate::io::names::{GeneColumns, unique_barcodes};
use crate::io::{Orientation, RawLot, ReadParams};

/// Reads a `.csv`/`.tsv`/`.txt[.gz]` of counts.
///
/// # Errors
/// - no delimiter splits the lines, or a line has another number of fields than the first
/// - a value is no count
/// - the names do not tell genes from cells, and `orientation` is not declared
pub fn read_delimited(path: &Path, params: &ReadParams) -> Result<RawLot> {
    let table = read_table(path)?;
    let orientation = match params.orientation {
        Orientation::Auto => orientation(&table.rows, &table.columns).ok_or_else(|| {
            Error::format(
                path,
                "",
                format!(
                    "the names do not tell which are genes and which are cells (rows {}, …; columns {}, …); declare it: \
                     `orientation = \"cells_by_genes\"` or `\"genes_by_cells\"`",
                    table.rows.first().map_or("", String::as_str),
                    table.columns.first().map_or("", String::as_str)
                ),
            )
        })?,
        declared => declared,
    };
    let (counts, genes, mut barcodes) = match orientation {
        Orientation::GenesByCells => (transpose(&table.counts), table.rows, table.columns),
        _ => (table.counts, table.columns, table.rows),
    };
    let columns = GeneColumns::new(genes.into_iter().map(|name| Some((name.clone(), name))).collect());
    let counts = columns.apply(counts);
    let mut warnings = columns.warnings;
    warnings.extend(unique_barcodes(&mut barcodes));
    Ok(RawLot { genes: columns.genes, barcodes, counts, files: vec![path.into()], warnings })
}

/// The file as it is.
struct TextTable {
    rows: Vec<String>,
    columns: Vec<String>,
    /// Rows × columns.
    counts: Counts,
}

fn read_table(path: &Path) -> Result<TextTable> {
    let mut lines = Blocks::new(bytes::open(path)?, path);
    let header = match lines.next_line()? {
        Some(line) => bytes::utf8(line, path, 1)?.to_string(),
        None => return Err(Error::parse(path, 1, "the file is empty; its first line must hold names")),
    };
    let mut line = match lines.next_line()? {
        Some(line) => line.to_vec(),
        None => return Err(Error::parse(path, 1, "there is only one line; expected a header and one line per row")),
    };
    let first = bytes::utf8(&line, path, 2)?;
    let Some(delimiter) = delimiter(&header, first) else {
        return Err(Error::parse(
            path,
            2,
            "no tab, comma, semicolon or space splits the header and this line alike; write a table with a name and a count \
             per column",
        ));
    };
    let n_fields = split(first, delimiter).len();
    let mut columns = split(&header, delimiter);
    if columns.len() == n_fields {
        columns.remove(0);
    }
    if let Some(i) = columns.iter().position(String::is_empty) {
        return Err(Error::parse(path, 1, format!("column {} has no name; each gene or cell needs one", i + 2)));
    }
    let mut builder = CountsBuilder::new(columns.len());
    let mut rows = Vec::new();
    let (mut places, mut counts) = (Vec::new(), Vec::new());
    loop {
        let number = lines.line_number();
        if !line.iter().all(u8::is_ascii_whitespace) {
            places.clear();
            counts.clear();
            let row = Line { path, number, columns: &columns, delimiter };
            rows.push(row.parse(&line, &mut places, &mut counts)?);
            builder.push_row(&places, &counts);
        }
        match lines.next_line()? {
            Some(next) => {
                line.clear();
                line.extend_from_slice(next);
            }
            None => return Ok(TextTable { rows, columns, counts: builder.finish() }),
        }
    }
}

/// The delimiter that splits both lines into most fields; the header may have one fewer.
fn delimiter(header: &str, first: &str) -> Option<u8> {
    let n_fields = |&delimiter: &u8| {
        let (n_header, n) = (split(header, delimiter).len(), split(first, delimiter).len());
        if n >= 2 && (n_header == n || n_header + 1 == n) { n } else { 0 }
    };
    // `max_by_key` takes the last of equals.
    [b' ', b';', b',', b'\t'].into_iter().max_by_key(n_fields).filter(|d| n_fields(d) > 0)
}

/// Fields of a line without their quotes. Spaces in a row count as one.
fn split(line: &str, delimiter: u8) -> Vec<String> {
    let mut fields = Vec::new();
    let mut rest = line.as_bytes();
    loop {
        let (field, after) = next_field(rest, delimiter);
        if !(delimiter == b' ' && field.is_empty()) {
            fields.push(unquoted(field));
        }
        match after {
            Some(after) => rest = after,
            None => return fields,
        }
    }
}

/// The first field, and what follows its delimiter (`None` at the end of the line).
fn next_field(line: &[u8], delimiter: u8) -> (&[u8], Option<&[u8]>) {
    let from = match line.first() {
        // A doubled quote inside closes and opens again, which leaves the end where it is.
        Some(b'"') => {
            let mut inside = false;
            line.iter()
                .position(|&b| {
                    inside ^= b == b'"';
                    !inside && b == delimiter
                })
                .unwrap_or(line.len())
        }
        _ => bytes::memchr(delimiter, line).unwrap_or(line.len()),
    };
    (&line[..from], line.get(from + 1..))
}

fn unquoted(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field.trim_ascii());
    match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => text.into_owned(),
    }
}

/// Where a line stands, for its messages.
struct Line<'a> {
    path: &'a Path,
    number: u64,
    columns: &'a [String],
    delimiter: u8,
}

impl Line<'_> {
    /// The row's name; appends what is not 0.
    fn parse(&self, line: &[u8], places: &mut Vec<u32>, counts: &mut Vec<u32>) -> Result<String> {
        let spaces = self.delimiter == b' ';
        let line = if spaces { line.trim_ascii() } else { line };
        let (name, mut rest) = next_field(line, self.delimiter);
        let name = bytes::utf8(name, self.path, self.number).map(|name| unquoted(name.as_bytes()))?;
        if name.is_empty() {
            return Err(Error::parse(self.path, self.number, "the row has no name; each gene or cell needs one"));
        }
        let mut n = 0;
        while let Some(text) = rest {
            // Nearly all fields are a lone 0.
            if let [b'0', after, ..] = text
                && *after == self.delimiter
            {
                n += 1;
                rest = Some(&text[2..]);
                continue;
            }
            let (field, after) = next_field(text, self.delimiter);
            rest = after;
            if spaces && field.is_empty() {
                continue;
            }
            if n < self.columns.len() {
                let value = self.value(field, n)?;
                if value > 0 {
                    places.push(n as u32);
                    counts.push(value);
                }
            }
            n += 1;
        }
        if n != self.columns.len() {
            return Err(Error::parse(
                self.path,
                self.number,
                format!(
                    "{n} values after the name, but the header names {}; the file is cut or damaged: copy or download it again",
                    self.columns.len()
                ),
            ));
        }
        Ok(name)
    }

    fn value(&self, field: &[u8], column: usize) -> Result<u32> {
        let mut field = field.trim_ascii();
        if let [b'"', inner @ .., b'"'] = field {
            field = inner;
        }
        let wrong =
            |why: String| Error::parse(self.path, self.number, format!("column `{}`: {why}", self.columns[column]));
        if field.is_empty() {
            return Err(wrong("an empty value; write 0 where nothing was counted".into()));
        }
        count(field).map_err(wrong)
    }
}

/// Rows become columns.
fn transpose(counts: &Counts) -> Counts {
    let (n_rows, n_columns) = (counts.n_cells(), counts.n_genes());
    let mut next = vec![0usize; n_columns + 1];
    for row in 0..n_rows {
        counts.row(row).for_each(|column, _| next[column as usize + 1] += 1);
    }
    for column in 0..n_columns {
        next[column + 1] += next[column];
    }
    let starts = next.clone();
    let (mut places, mut values) = (vec![0u32; counts.n_nonzero()], vec![0u32; counts.n_nonzero()]);
    for row in 0..n_rows {
        counts.row(row).for_each(|column, count| {
            let at = &mut next[column as usize];
            places[*at] = row as u32;
            values[*at] = count;
            *at += 1;
        });
    }
    let mut builder = CountsBuilder::new(n_rows);
    builder.reserve(counts.n_nonzero());
    for column in 0..n_columns {
        let range = starts[column]..starts[column + 1];
        builder.push_row(&places[range.clone()], &values[range]);
    }
    builder.finish()
}

/// Genes that nearly every human or mouse count table has.
const COMMON_GENES: [&str; 12] =
    ["ACTB", "GAPDH", "B2M", "MALAT1", "VIM", "EEF1A1", "TMSB4X", "FTL", "FTH1", "TUBA1B", "PTPRC", "LGALS1"];

/// What the names of rows and columns say; `None` if nothing, or both ways.
fn orientation(rows: &[String], columns: &[String]) -> Option<Orientation> {
    let cells_by_genes = are_cells(rows) || are_genes(columns);
    let genes_by_cells = are_cells(columns) || are_genes(rows);
    match (cells_by_genes, genes_by_cells) {
        (true, false) => Some(Orientation::CellsByGenes),
        (false, true) => Some(Orientation::GenesByCells),
        _ => None,
    }
}

/// At least half of the names hold a barcode: 12 or more letters of DNA in a row.
fn are_cells(names: &[String]) -> bool {
    let barcode = |name: &&String| name.as_bytes().split(|b| !b"ACGTN".contains(b)).any(|letters| letters.len() >= 12);
    !names.is_empty() && names.iter().filter(barcode).count() * 2 >= names.len()
}

/// A tenth of the names, or three well-known ones, are names of genes.
fn are_genes(names: &[String]) -> bool {
    let known = names.iter().filter(|name| COMMON_GENES.iter().any(|gene| name.eq_ignore_ascii_case(gene))).count();
    let systematic = |name: &&String| {
        let upper = name.to_ascii_uppercase();
        let ensembl = upper.starts_with("ENS") && upper.bytes().filter(u8::is_ascii_digit).count() >= 11;
        let ribosomal = (upper.starts_with("RPL") || upper.starts_with("RPS"))
            && upper.as_bytes().get(3).is_some_and(u8::is_ascii_digit);
        ensembl || ribosomal || upper.starts_with("MT-")
    };
    !names.is_empty() && (known >= 3 || names.iter().filter(systematic).count() * 10 >= names.len())
}

#[cfg(test)]
mod tests;
