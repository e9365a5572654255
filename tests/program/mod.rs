//! The program as its users call it, and the tables it leaves.

// Each test that has this module uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;
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
