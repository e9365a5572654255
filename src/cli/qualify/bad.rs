//! Input that must be refused: made on the spot, given to `cqa check`.

use std::fs;
use std::path::Path;

use cqa::error::{Error, Result};

const MTX: &str = "%%MatrixMarket matrix coordinate integer general\n";
/// The start of a gz file whose end is missing.
const CUT_GZ: [u8; 12] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x53, 0x55];

/// What is wrong; name and content of the files (`lots.csv` is `lot,path` and `A,lot` unless given); words that the message must have:
/// place and cure.
type Bad = (&'static str, Vec<(&'static str, Vec<u8>)>, [&'static str; 2]);

fn matrix(entry: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("lot/matrix.mtx", format!("{MTX}2 2 1\n{entry}\n").into_bytes()),
        ("lot/barcodes.tsv", b"AAAC-1\nAAAG-1\n".to_vec()),
        ("lot/genes.tsv", b"ENSG1\tA\nENSG2\tB\n".to_vec()),
    ]
}

fn sheet(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![("lots.csv", bytes.to_vec()), ("lot/readme", Vec::new())]
}

fn table(name: &'static str, bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![("lots.csv", format!("lot,path\nA,{name}\n").into_bytes()), (name, bytes.to_vec())]
}

/// The cases.
pub fn cases() -> Vec<Bad> {
    vec![
        ("a negative count", matrix("1 1 -1"), ["matrix.mtx, line 3", "raw counts"]),
        ("a fractional count", matrix("1 1 0.5"), ["matrix.mtx, line 3", "raw counts"]),
        ("a missing number", matrix("1 1 nan"), ["matrix.mtx, line 3", "raw counts"]),
        ("a count beyond 32 bits", matrix("1 1 4294967296"), ["matrix.mtx, line 3", "download it again"]),
        ("an index outside the matrix", matrix("3 1 1"), ["matrix.mtx, line 3", "write it anew"]),
        ("an index of 0", matrix("0 1 1"), ["matrix.mtx, line 3", "write it anew"]),
        ("more entries than promised", matrix("1 1 1\n2 2 1"), ["matrix.mtx, line 4", "download it again"]),
        ("fewer entries than promised", matrix(""), ["matrix.mtx", "download it again"]),
        ("two lots of one name", sheet(b"lot,path\nA,lot\nA,lot\n"), ["lots.csv, line 3", "its own name"]),
        ("a sheet without its column", sheet(b"lot,file\nA,lot\n"), ["lots.csv, line 1", "needs the columns"]),
        ("a sheet in UTF-16", sheet(b"\xff\xfel\0o\0t\0"), ["lots.csv, line 1", "save it as UTF-8"]),
        ("a path that leads nowhere", sheet(b"lot,path\nA,elsewhere\n"), ["lots.csv, line 2", "mend the path"]),
        (
            "a table of another delimiter",
            table("lot.csv", b"cell|A|B\nAAAC|1|2\n"),
            ["lot.csv, line 2", "write a table"],
        ),
        ("a table cut short", table("lot.csv", b"cell,ACTB,GAPDH\nAAAC,1,2\nAAAG,1\n"), ["lot.csv, line 3", "copy"]),
        ("a gz file cut short", table("lot.csv.gz", &CUT_GZ), ["lot.csv.gz", "copy or download it again"]),
        ("a file that is no HDF5", table("lot.h5", b"no HDF5"), ["lot.h5", "copy or download it again"]),
    ]
}

/// Writes the files of a case.
pub fn write(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    let default = ("lots.csv", b"lot,path\nA,lot\n".to_vec());
    let given = files.iter().any(|(name, _)| *name == default.0);
    for (name, bytes) in files.iter().chain((!given).then_some(&default)) {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).map_err(|e| Error::io(&path, e))?;
    }
    Ok(())
}
