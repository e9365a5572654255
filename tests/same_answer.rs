//! Promise: the same input gives the same bytes, for 1 to 16 threads and on every run; and between processors the same tables and
//! verdicts as those kept. `CQA_BLESS=1` writes the kept ones anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cqa::data::{Column, Table};
use cqa::io::tables::read_table;
use cqa::provenance::{RECORD_FILES, hash_folder, sha256};

mod program;
use program::succeeds;

fn results(run: &Path) -> Vec<(String, String)> {
    hash_folder(run, &RECORD_FILES).unwrap().into_iter().map(|file| (file.path, file.sha256)).collect()
}

#[test]
fn one_to_sixteen_threads_and_repeated_runs_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeeds(at, &["simulate", "-o", "lots", "--lots", "5", "--cells", "90", "--genes", "2000", "--quiet"]);
    let run = |name: &str, threads: &str| {
        let args = ["run", "lots/lots.csv", "--potency", "vegf_ischemia", "--n-top-genes", "300", "--quiet"];
        succeeds(at, &[&args[..], &["-o", name, "--threads", threads]].concat());
        results(&at.join(name))
    };
    let one = run("one", "1");
    assert!(one.len() > 40, "{} files", one.len());
    for threads in ["2", "3", "5", "8", "16", "1"] {
        let name = format!("threads{threads}");
        for (a, b) in one.iter().zip(run(&name, threads)) {
            assert_eq!(*a, b, "with {threads} threads");
        }
    }
}

/// How far a number may lie from the one kept, on a processor with other vectors: measured at most 7e-7 of it (`guide::integrity`).
const TOLERANCE: f64 = 1e-5;

/// What is the same wherever the demo runs: the number of rows, a digest of all words, and the sum of squares of each column of numbers.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Kept {
    rows: usize,
    words: String,
    numbers: BTreeMap<String, f64>,
}

fn kept(table: &Table) -> Kept {
    let (mut words, mut numbers) = (String::new(), BTreeMap::new());
    for (name, column) in table.columns() {
        // For the eye only, and free to turn as it likes.
        if name.starts_with("umap") {
            continue;
        }
        let values: Option<Vec<f64>> = match column {
            Column::Float(values) => Some(values.clone()),
            Column::Float32(values) => Some(values.iter().map(|x| f64::from(*x)).collect()),
            _ => None,
        };
        match values {
            Some(values) => {
                let finite = values.iter().filter(|x| x.is_finite());
                numbers.insert(name.clone(), finite.map(|x| x * x).sum::<f64>());
            }
            None => (0..column.len()).for_each(|row| {
                column.push_text(row, &mut words);
                words.push('\n');
            }),
        }
    }
    Kept { rows: table.n_rows(), words: sha256(words.as_bytes()), numbers }
}

#[test]
fn the_demo_gives_the_tables_and_verdicts_that_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &["demo", "-o", "demo", "--cells", "150", "--quiet"]);
    let run = folder.path().join("demo");
    let is_table = |name: &String| [".csv", ".csv.gz", ".parquet"].iter().any(|ending| name.ends_with(ending));
    let names: Vec<String> = results(&run).into_iter().map(|(name, _)| name).filter(is_table).collect();
    let found: BTreeMap<String, Kept> =
        names.into_iter().map(|name| (name.clone(), kept(&read_table(&run.join(&name)).unwrap()))).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden/demo.json");
    if std::env::var_os("CQA_BLESS").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let known: BTreeMap<String, Kept> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>(), "files of the demo");
    let mut unlike = Vec::new();
    for (name, found) in &found {
        let known = &known[name];
        if (found.rows, &found.words) != (known.rows, &known.words) {
            unlike.push(format!("{name}: other rows or words"));
        }
        for (column, value) in &found.numbers {
            let wanted = known.numbers.get(column).copied().unwrap_or(f64::NAN);
            // Squares double what a number may differ by.
            if (value - wanted).abs().partial_cmp(&(2.0 * TOLERANCE * wanted.abs())).is_none_or(|o| o.is_gt()) {
                unlike.push(format!("{name}: {column} is {value}, {wanted} is kept"));
            }
        }
    }
    assert!(unlike.is_empty(), "CQA_BLESS=1 keeps what is found now\n{}", unlike.join("\n"));
}
