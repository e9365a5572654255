//! Where the reference data are, and how the tests read them.
#![allow(dead_code, reason = "each helper serves some of the modules")]

use std::io::Read;
use std::path::PathBuf;

/// A folder of the real data sets. Where it is absent: `None` with a plain word on the terminal, or, with
/// `CQA_REQUIRE_DATA=1`, a panic, so that a machine that ought to have the data cannot pass without them.
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CQA_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let folder = root.join(name);
    if folder.exists() {
        return Some(folder);
    }
    let absent = format!("{} is absent (set CQA_TEST_DATA to the folder of real data sets)", folder.display());
    assert!(std::env::var_os("CQA_REQUIRE_DATA").is_none_or(|required| required != "1"), "{absent}");
    eprintln!("skipped: {absent}");
    None
}

/// A frozen file of this repository.
pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference").join(name)
}

/// Whole text of a file, decompressed if it is gz.
pub fn text(path: &std::path::Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut out = String::new();
    if path.extension().is_some_and(|e| e == "gz") {
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut out).unwrap();
    } else {
        out = String::from_utf8(bytes).unwrap();
    }
    out
}

/// Header and rows of a delimited file (comma or tab, by the first line), decompressed if it is gz.
pub fn rows(path: &std::path::Path) -> (Vec<String>, Vec<Vec<String>>) {
    let text = text(path);
    let tab = text.lines().next().is_some_and(|line| line.contains('\t'));
    let mut reader =
        csv::ReaderBuilder::new().delimiter(if tab { b'\t' } else { b',' }).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().unwrap().iter().map(str::to_string).collect();
    let rows = reader.records().map(|r| r.unwrap().iter().map(str::to_string).collect()).collect();
    (header, rows)
}

/// One column as text.
pub fn column(path: &std::path::Path, name: &str) -> Vec<String> {
    let (header, rows) = rows(path);
    let index = header.iter().position(|h| h == name).unwrap_or_else(|| panic!("{}: no column {name}", path.display()));
    rows.into_iter().map(|mut row| row.swap_remove(index)).collect()
}

/// One column as numbers; NaN where it is empty or says so.
pub fn numbers(path: &std::path::Path, name: &str) -> Vec<f64> {
    column(path, name).iter().map(|v| v.parse().unwrap_or(f64::NAN)).collect()
}

/// Pearson correlation.
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut sxy, mut sxx, mut syy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        sxy += (a - mx) * (b - my);
        sxx += (a - mx).powi(2);
        syy += (b - my).powi(2);
    }
    sxy / (sxx * syy).sqrt()
}
