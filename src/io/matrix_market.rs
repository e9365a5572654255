//! MatrixMarket coordinate files of counts, parsed at the speed of decompression.
//!
//! An entry is one line, `row column count`. 10x writes the entries of one cell together, cells rising: such a file
//! streams straight into [`CountsBuilder`]. Others are collected and brought into order by a counting sort. Nothing is
//! allocated for what the header promises, only for what is there.

mod collector;

use std::io::Read;
use std::path::Path;

use crate::data::{Counts, CountsBuilder};
use crate::error::{Error, Result};
use crate::io::bytes::Blocks;
use collector::Collector;

/// What the rows of the matrix are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Genes, as 10x writes it.
    Genes,
    /// Cells, as bustools writes it.
    Cells,
}

/// A MatrixMarket file whose header has been read.
pub struct MatrixMarket<'p, R> {
    blocks: Blocks<'p, R>,
    /// Number of rows.
    pub n_rows: usize,
    /// Number of columns.
    pub n_columns: usize,
    /// Number of entries promised.
    pub n_entries: u64,
}

impl<'p, R: Read> MatrixMarket<'p, R> {
    /// Reads the header; `path` is for messages only.
    ///
    /// # Errors
    /// The file is not a general integer or real coordinate matrix.
    pub fn open(reader: R, path: &'p Path) -> Result<Self> {
        let mut blocks = Blocks::new(reader, path);
        let banner = match blocks.next_line()? {
            Some(line) => String::from_utf8_lossy(&line[..line.len().min(200)]).to_lowercase(),
            None => String::new(),
        };
        let words: Vec<&str> = banner.split_whitespace().collect();
        let wrong = |message: String| Err(Error::parse(path, 1, message));
        match words[..] {
            ["%%matrixmarket", "matrix", "coordinate", "integer" | "real", "general"] => {}
            ["%%matrixmarket", "matrix", "array", ..] => {
                return wrong("a dense (`array`) matrix; write it as `coordinate`".into());
            }
            ["%%matrixmarket", "matrix", "coordinate", field, "general"] => {
                return wrong(format!(
                    "the values are `{field}`; counts must be `integer` (or `real` with whole numbers)"
                ));
            }
            ["%%matrixmarket", "matrix", "coordinate", _, symmetry] => {
                return wrong(format!("the matrix is `{symmetry}`; a matrix of genes and cells is `general`"));
            }
            _ => {
                return wrong(
                    "not a MatrixMarket file: line 1 should read `%%MatrixMarket matrix coordinate integer general`"
                        .into(),
                );
            }
        }
        while let Some(line) = blocks.next_line()? {
            if line.first() == Some(&b'%') || line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let sizes = fields(line).map(|[a, b, c]| [a, b, c].map(parse::<u64>));
            let number = blocks.line_number();
            let Some([Some(n_rows), Some(n_columns), Some(n_entries)]) = sizes else {
                return Err(Error::parse(path, number, "expected three whole numbers: rows, columns, entries"));
            };
            let limit = u64::from(u32::MAX);
            if n_rows > limit || n_columns > limit || u128::from(n_entries) > u128::from(n_rows) * u128::from(n_columns)
            {
                return Err(Error::parse(
                    path,
                    number,
                    format!(
                        "{n_entries} entries in {n_rows} rows × {n_columns} columns cannot be; the file is damaged: copy or download it again"
                    ),
                ));
            }
            return Ok(Self { blocks, n_rows: n_rows as usize, n_columns: n_columns as usize, n_entries });
        }
        Err(Error::parse(
            path,
            blocks.line_number(),
            "the file ends before the line of sizes; copy or download it again",
        ))
    }

    /// Rows and columns that the header promises.
    pub fn shape(&self) -> (usize, usize) {
        (self.n_rows, self.n_columns)
    }

    /// Reads the entries as counts, cells × genes.
    ///
    /// `n_genes` and `n_cells` are what the files of names list. A matrix that fits the other way round only is read that
    /// way; `rows` decides where both fit. `reserve` is the number of entries to make room for at first (no more than
    /// promised); more are taken as they come.
    ///
    /// # Errors
    /// - the matrix does not have as many genes and cells as there are names
    /// - an entry is not three numbers, lies outside the matrix, is no count, or is there twice
    /// - there are more or fewer entries than the header promises
    pub fn into_counts(self, n_genes: usize, n_cells: usize, rows: Rows, reserve: usize) -> Result<Counts> {
        let Self { mut blocks, n_rows, n_columns, n_entries } = self;
        let path = blocks.path();
        let fits = |rows| match rows {
            Rows::Genes => (n_rows, n_columns) == (n_genes, n_cells),
            Rows::Cells => (n_rows, n_columns) == (n_cells, n_genes),
        };
        let Some(rows) = [rows, Rows::Genes, Rows::Cells].into_iter().find(|&rows| fits(rows)) else {
            return Err(Error::parse(
                path,
                blocks.line_number(),
                format!(
                    "the matrix has {n_rows} rows × {n_columns} columns, but {n_genes} genes and {n_cells} barcodes are listed; \
                     matrix and lists must come from one run"
                ),
            ));
        };
        let mut builder = CountsBuilder::new(n_genes);
        builder.reserve(reserve.min(usize::try_from(n_entries).unwrap_or(usize::MAX)));
        let mut collector = Collector::new(path, builder);
        let mut parser = Parser { path, line: blocks.line_number(), n_rows, n_columns, n_entries, seen: 0 };
        while let Some(block) = blocks.next_block(parser.line)? {
            match rows {
                Rows::Genes => parser.block::<false>(block, &mut collector)?,
                Rows::Cells => parser.block::<true>(block, &mut collector)?,
            }
        }
        if parser.seen != n_entries {
            return Err(Error::parse(
                path,
                parser.line,
                format!("the file ends after {} of {n_entries} entries; copy or download it again", parser.seen),
            ));
        }
        collector.finish(n_genes, n_cells)
    }
}

struct Parser<'p> {
    path: &'p Path,
    /// Lines done.
    line: u64,
    n_rows: usize,
    n_columns: usize,
    n_entries: u64,
    seen: u64,
}

impl Parser<'_> {
    /// Parses whole lines. `CELL_FIRST`: the first number of an entry is the cell.
    ///
    /// The plain form `1 1 1\n` is read by hand; any other line goes to [`Self::slow_line`].
    fn block<const CELL_FIRST: bool>(&mut self, block: &[u8], collector: &mut Collector<'_>) -> Result<()> {
        let mut at = 0;
        while at < block.len() {
            self.line += 1;
            let mut end = at;
            let first = digits(block, &mut end, b' ');
            let second = digits(block, &mut end, b' ');
            let third = digits(block, &mut end, b'\n');
            let (row, column, count) = match (first, second, third) {
                (Some(row), Some(column), Some(count)) => (row, column, count),
                _ => {
                    end =
                        at + block[at..].iter().position(|&b| b == b'\n').expect("a block ends with its last line") + 1;
                    match self.slow_line(&block[at..end])? {
                        Some(entry) => entry,
                        None => {
                            at = end;
                            continue;
                        }
                    }
                }
            };
            at = end;
            // Numbers are at least 0, so 0 − 1 wraps to beyond any limit.
            let (row, column) = (row.wrapping_sub(1), column.wrapping_sub(1));
            if row as usize >= self.n_rows || column as usize >= self.n_columns {
                return Err(self.outside(row.wrapping_add(1), column.wrapping_add(1)));
            }
            self.seen += 1;
            let (cell, gene) = if CELL_FIRST { (row, column) } else { (column, row) };
            collector.push(cell, gene, count)?;
        }
        if self.seen > self.n_entries {
            return Err(Error::parse(
                self.path,
                self.line,
                format!(
                    "more entries than the {} that the header promises; the file is damaged: copy or download it again",
                    self.n_entries
                ),
            ));
        }
        Ok(())
    }

    /// Any other way to write an entry: more spaces, tabs, `3.0`; `None` for an empty line or a comment.
    #[cold]
    fn slow_line(&self, line: &[u8]) -> Result<Option<(u32, u32, u32)>> {
        if line.iter().all(u8::is_ascii_whitespace) || line.first() == Some(&b'%') {
            return Ok(None);
        }
        let shown = || String::from_utf8_lossy(&line[..line.len().min(60)]).trim_end().to_string();
        let Some([row, column, value]) = fields(line) else {
            return Err(Error::parse(self.path, self.line, format!("`{}`: expected row, column, count", shown())));
        };
        let (Some(row), Some(column)) = (parse::<u32>(row), parse::<u32>(column)) else {
            return Err(Error::parse(
                self.path,
                self.line,
                format!("`{}`: row and column must be whole numbers from 1", shown()),
            ));
        };
        match count(value) {
            Ok(count) => Ok(Some((row, column, count))),
            Err(why) => Err(Error::parse(self.path, self.line, why)),
        }
    }

    #[cold]
    fn outside(&self, row: u32, column: u32) -> Error {
        Error::parse(
            self.path,
            self.line,
            format!(
                "entry at row {row}, column {column} lies outside the {} rows × {} columns of the header (both count from 1); \
                 the file is damaged or was written with indices from 0: write it anew",
                self.n_rows, self.n_columns
            ),
        )
    }
}

/// Digits up to `stop`, at most nine; moves `at` behind `stop`. `None` if anything else is there.
#[inline(always)]
fn digits(block: &[u8], at: &mut usize, stop: u8) -> Option<u32> {
    let start = *at;
    let mut value = 0u32;
    let mut i = start;
    while let Some(&byte) = block.get(i) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            *at = i + 1;
            return (byte == stop && i > start && i - start <= 9).then_some(value);
        }
        value = value.wrapping_mul(10).wrapping_add(u32::from(digit));
        i += 1;
    }
    *at = i;
    None
}

/// Three fields between white space, no more.
fn fields(line: &[u8]) -> Option<[&[u8]; 3]> {
    let mut fields = line.split(u8::is_ascii_whitespace).filter(|f| !f.is_empty());
    let found = [fields.next()?, fields.next()?, fields.next()?];
    fields.next().is_none().then_some(found)
}

fn parse<T: std::str::FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// A count from text: a whole number from 0 to 2^32 − 1, perhaps written as `3.0` or `3e0`. The error says why not.
pub(crate) fn count(field: &[u8]) -> std::result::Result<u32, String> {
    if let Some(count) = parse::<u32>(field) {
        return Ok(count);
    }
    let shown = String::from_utf8_lossy(&field[..field.len().min(40)]);
    match parse::<f64>(field) {
        Some(x) if x >= 0.0 && x.fract() == 0.0 && x <= f64::from(u32::MAX) => Ok(x as u32),
        Some(x) if x < 0.0 => Err(format!("`{shown}` is negative, so these are no counts; give the raw counts")),
        Some(x) if x.is_nan() => Err(format!("`{shown}` is missing; give the raw counts")),
        Some(x) if x.fract() != 0.0 => Err(format!(
            "`{shown}` is no whole number, so these are no counts (normalised or corrected?); give the raw counts"
        )),
        Some(_) => Err(format!("`{shown}` is too large for a count; the file is damaged: copy or download it again")),
        None => Err(format!("`{shown}` is no number; give the raw counts")),
    }
}

#[cfg(test)]
mod tests;
