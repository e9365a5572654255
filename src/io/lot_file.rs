//! One path of the lot sheet: which format it is, and its cells.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::io::{RawLot, ReadParams, delimited, h5ad, obs_file, tenx_h5, tenx_mtx};

/// What a path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    MatrixFolder,
    MatrixFile,
    AnnData,
    TenxH5,
    Text,
}

/// Reads all cells of a path.
pub(crate) fn read(path: &Path, params: &ReadParams) -> Result<RawLot> {
    match format_of(path)? {
        Format::MatrixFolder | Format::MatrixFile => tenx_mtx::read_tenx_mtx(path, params),
        Format::AnnData => h5ad::read_h5ad(path, None, params),
        Format::TenxH5 => tenx_h5::read_tenx_h5(path, params),
        Format::Text => delimited::read_delimited(path, params),
    }
}

/// Cells that a path promises, found from its header without reading its counts; `None` where only reading can tell.
pub(crate) fn promised_cells(path: &Path, params: &ReadParams) -> Result<Option<u64>> {
    Ok(match format_of(path)? {
        Format::MatrixFolder | Format::MatrixFile => Some(tenx_mtx::promised_cells(path, params)?),
        Format::AnnData => Some(h5ad::promised_cells(path, params)?),
        Format::TenxH5 => Some(tenx_h5::promised_cells(path, params)?),
        Format::Text => None,
    })
}

/// One column that describes the cells of a path, one value per cell.
pub(crate) fn cell_column(path: &Path, column: &str, lot: &RawLot) -> Result<Vec<String>> {
    match format_of(path)? {
        Format::AnnData => h5ad::read_obs_column(path, column),
        Format::MatrixFolder => obs_file::column_of_folder(path, column, &lot.barcodes),
        _ => Err(Error::format(
            path,
            "",
            format!(
                "has no column `{column}` of cells: `lot_column` works with an .h5ad, or a 10x matrix folder with an obs.csv"
            ),
        )),
    }
}

/// Tells the format from the name, and from the content where names mislead.
pub(crate) fn format_of(path: &Path) -> Result<Format> {
    if path.is_dir() {
        if ["zarr.json", ".zgroup"].iter().any(|name| path.join(name).exists()) {
            return Err(Error::format(path, "", "a Zarr store; write it as .h5ad (anndata: `adata.write_h5ad(..)`)"));
        }
        return Ok(Format::MatrixFolder);
    }
    let mut start = [0u8; 8];
    let mut file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let n = file.read(&mut start).map_err(|e| Error::io(path, e))?;
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let refuse = |message: &str| Err(Error::format(path, "", message));
    if ends(&[".zarr.zip"]) {
        return refuse("a Zarr store; write it as .h5ad (anndata: `adata.write_h5ad(..)`)");
    }
    if ends(&[".tar", ".tar.gz", ".tgz", ".tar.bz2", ".zip", ".7z"]) {
        return refuse("an archive; unpack it and give the folder or file inside");
    }
    if start[..n] == *b"\x89HDF\r\n\x1a\n" {
        if ends(&[".loom"]) {
            return refuse("a loom file; write it as .h5ad (scanpy: `sc.read_loom(..).write_h5ad(..)`)");
        }
        return hdf5_format(path, ends(&[".h5ad"]));
    }
    if ends(&[".h5ad", ".h5", ".hdf5", ".loom"]) {
        return refuse("not an HDF5 file, though named like one; copy or download it again");
    }
    if ends(&[".rds", ".rdata", ".rda", ".qs"]) {
        return refuse(
            "an R object; write its counts as a 10x folder (DropletUtils: `write10xCounts(..)`) or as .h5ad",
        );
    }
    if ends(&[".xlsx", ".xls", ".ods"]) {
        return refuse("a spreadsheet; save it as CSV");
    }
    if ends(&[".mtx", ".mtx.gz"]) {
        return Ok(Format::MatrixFile);
    }
    if ends(&[".csv", ".tsv", ".txt", ".tab", ".csv.gz", ".tsv.gz", ".txt.gz", ".tab.gz"]) {
        return Ok(Format::Text);
    }
    refuse(
        "unknown kind of file; a lot is a 10x matrix folder, a 10x .h5, an .h5ad, or a .csv, .tsv or .txt (perhaps .gz) of counts",
    )
}

/// AnnData or 10x, by what is inside: both are found under `.h5`. The name decides of a file that is neither as a whole.
fn hdf5_format(path: &Path, named_anndata: bool) -> Result<Format> {
    let broken = |e: hdf5_reader::error::Error| {
        Error::format(path, "", format!("cannot be opened as HDF5 ({e}); copy or download it again"))
    };
    let file = hdf5_reader::Hdf5File::open(path).map_err(broken)?;
    let root = file.root_group().map_err(broken)?;
    let (groups, datasets) = root.members().map_err(broken)?;
    let has = |name: &str| groups.iter().any(|g| g.name() == name) || datasets.iter().any(|d| d.name() == name);
    let is_anndata = (has("obs") && has("var")) || (named_anndata && !has("matrix"));
    Ok(if is_anndata { Format::AnnData } else { Format::TenxH5 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_read_say_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        for (name, word) in [
            ("a.tar.gz", "unpack"),
            ("a.rds", "10x folder"),
            ("a.h5ad", "not an HDF5"),
            ("a.bin", "unknown kind"),
            ("a.xlsx", "CSV"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, b"text").unwrap();
            let message = format_of(&path).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(word), "{message}");
        }
        let path = folder.path().join("a.TSV.gz");
        std::fs::write(&path, b"text").unwrap();
        assert_eq!(format_of(&path).unwrap(), Format::Text);
    }
}
