//! Writes lots as 10x matrix folders (version 3: `matrix.mtx.gz`, `features.tsv.gz`, `barcodes.tsv.gz`) with their sheet.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;

use crate::data::{Counts, Dataset, Genes, Lot, LotSheet};
use crate::error::{Error, Result};

/// Text is handed to the compressor in pieces of about this many bytes.
const PIECE: usize = 1 << 18;
/// Low: at this level compression keeps up with two cores, and count matrices gain little from more.
const LEVEL: u32 = 3;

/// Writes `DIR/<lot>/` for every lot and `DIR/lots.csv`, whose paths are those folders.
///
/// Bytes depend on the data alone: gz headers carry no time and no name.
///
/// # Errors
/// A folder or file can't be made or written; a lot's name is no folder name.
pub fn write_lots(dir: &Path, dataset: &Dataset) -> Result<()> {
    for lot in dataset.lots() {
        if lot.name.is_empty() || lot.name == "." || lot.name == ".." || lot.name.contains(['/', '\\']) {
            return Err(Error::input(
                format!("lot name {:?} can't be the name of a folder", lot.name),
                "rename the lot without / and \\",
            ));
        }
    }
    std::fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
    dataset.lots().par_iter().try_for_each(|lot| write_tenx_mtx(&dir.join(&lot.name), dataset.genes(), lot))?;
    write_sheet(&dir.join("lots.csv"), dataset.sheet())
}

/// Writes one lot as a 10x folder, made if it is absent.
///
/// # Errors
/// The folder or a file can't be made or written.
pub fn write_tenx_mtx(dir: &Path, genes: &Genes, lot: &Lot) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
    gz(&dir.join("features.tsv.gz"), |out| {
        for (id, symbol) in genes.ids().iter().zip(genes.symbols()) {
            writeln!(out, "{id}\t{symbol}\tGene Expression")?;
        }
        Ok(())
    })?;
    gz(&dir.join("barcodes.tsv.gz"), |out| lot.barcodes.iter().try_for_each(|barcode| writeln!(out, "{barcode}")))?;
    gz(&dir.join("matrix.mtx.gz"), |out| write_matrix(out, &lot.counts))
}

/// Genes × cells, one line `gene cell count` per entry, both numbered from 1.
fn write_matrix(out: &mut impl Write, counts: &Counts) -> std::io::Result<()> {
    writeln!(out, "%%MatrixMarket matrix coordinate integer general")?;
    writeln!(out, "{} {} {}", counts.n_genes(), counts.n_cells(), counts.n_nonzero())?;
    let mut text = Vec::with_capacity(2 * PIECE);
    for cell in 0..counts.n_cells() {
        let middle = format!(" {} ", cell + 1).into_bytes();
        counts.row(cell).for_each(|gene, count| {
            push_number(&mut text, gene + 1);
            text.extend_from_slice(&middle);
            push_number(&mut text, count);
            text.push(b'\n');
        });
        if text.len() >= PIECE {
            out.write_all(&text)?;
            text.clear();
        }
    }
    out.write_all(&text)
}

/// Decimal digits; the standard formatter takes most of the time of the writer otherwise.
fn push_number(text: &mut Vec<u8>, mut value: u32) {
    let mut digits = [0_u8; 10];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[start..]);
}

fn gz(path: &Path, write: impl FnOnce(&mut GzEncoder<BufWriter<File>>) -> std::io::Result<()>) -> Result<()> {
    let work = || {
        let mut out = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::new(LEVEL));
        write(&mut out)?;
        out.finish()?.flush()
    };
    work().map_err(|e| Error::io(path, e))
}

/// `lot,path` and every further column as it is; each lot's path is its folder beside the sheet.
fn write_sheet(path: &Path, sheet: &LotSheet) -> Result<()> {
    let file = File::create(path).map_err(|e| Error::io(path, e))?;
    let mut out = csv::Writer::from_writer(file);
    let work = |out: &mut csv::Writer<File>| -> std::result::Result<(), csv::Error> {
        out.write_record(["lot", "path"].into_iter().chain(sheet.columns.iter().map(|c| c.name.as_str())))?;
        for (i, source) in sheet.lots.iter().enumerate() {
            let fixed = [source.lot.as_str(), source.lot.as_str()];
            out.write_record(fixed.into_iter().chain(sheet.columns.iter().map(|c| c.values[i].as_str())))?;
        }
        Ok(out.flush()?)
    };
    work(&mut out).map_err(|e| Error::io(path, std::io::Error::from(e)))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::data::{CountsBuilder, LotSource, SheetColumn};

    fn text(path: &Path) -> String {
        let mut out = String::new();
        flate2::read::GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut out).unwrap();
        out
    }

    fn dataset(name: &str) -> Dataset {
        let genes = Genes::new(vec!["G1".into(), "G2".into()], vec!["A".into(), "B".into()]).unwrap();
        let mut counts = CountsBuilder::new(2);
        counts.push_row(&[0, 1], &[5, 70_000]);
        counts.push_row(&[], &[]);
        counts.push_row(&[1], &[10]);
        let barcodes = ["AA-1", "CC-1", "GG-1"].map(String::from).to_vec();
        let lot = Lot { name: name.into(), barcodes, counts: counts.finish() };
        let sheet = LotSheet {
            lots: vec![LotSource { lot: name.into(), path: "elsewhere".into(), subset: None }],
            columns: vec![SheetColumn { name: "note".into(), values: vec!["a, b".into()] }],
        };
        Dataset::new(genes, vec![lot], sheet).unwrap()
    }

    #[test]
    fn files_hold_what_the_format_asks_for() {
        let dir = tempfile::tempdir().unwrap();
        write_lots(dir.path(), &dataset("one")).unwrap();
        let lot = dir.path().join("one");
        assert_eq!(
            text(&lot.join("matrix.mtx.gz")),
            "%%MatrixMarket matrix coordinate integer general\n2 3 3\n1 1 5\n2 1 70000\n2 3 10\n"
        );
        assert_eq!(text(&lot.join("features.tsv.gz")), "G1\tA\tGene Expression\nG2\tB\tGene Expression\n");
        assert_eq!(text(&lot.join("barcodes.tsv.gz")), "AA-1\nCC-1\nGG-1\n");
        let sheet = std::fs::read_to_string(dir.path().join("lots.csv")).unwrap();
        assert_eq!(sheet, "lot,path,note\none,one,\"a, b\"\n");
    }

    #[test]
    fn gz_headers_carry_no_time_so_bytes_repeat() {
        let dir = tempfile::tempdir().unwrap();
        write_lots(dir.path(), &dataset("one")).unwrap();
        let bytes = std::fs::read(dir.path().join("one/matrix.mtx.gz")).unwrap();
        assert_eq!(bytes[4..8], [0; 4]);
    }

    #[test]
    fn a_lot_name_that_leaves_the_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(write_lots(dir.path(), &dataset("../two")).unwrap_err().to_string().contains("two"));
    }
}
