//! The program as its users call it, and the tables it leaves.

#![allow(dead_code, reason = "each test that has this module uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn cqa(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cqa")).current_dir(folder).args(args).output().expect("the program starts")
}

/// What a command prints that must succeed.
pub fn succeeds(folder: &Path, args: &[&str]) -> String {
    let output = cqa(folder, args);
    assert!(output.status.success(), "cqa {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The message of a command that must end with an error.
pub fn fails(folder: &Path, args: &[&str]) -> String {
    let output = cqa(folder, args);
    assert_eq!(output.status.code(), Some(1), "cqa {}", args.join(" "));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Column → value of each row of a CSV file.
pub fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| header.iter().zip(row.iter()).map(|(a, b)| (a.into(), b.into())).collect();
    reader.records().map(|r| row(r.unwrap())).collect()
}

pub fn number(row: &BTreeMap<String, String>, name: &str) -> f64 {
    row[name].parse().unwrap_or(f64::NAN)
}

/// A copy of a folder and of all below it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, target).map(drop).unwrap() }
    }
}

/// Every file below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(files(&path)) } else { out.push(path) }
    }
    out.sort();
    out
}

/// Every file below a folder by its relative path, with its bytes.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let relative = |path: &Path| path.strip_prefix(folder).unwrap().to_path_buf();
    files(folder).into_iter().map(|path| (relative(&path), fs::read(&path).unwrap())).collect()
}
