//! What is checked, stage by stage.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use cqa::data::{Column, Table};
use cqa::error::{Error, Result};
use cqa::io::run_dir::{Claim, PendingDir};
use cqa::io::tables::read_table;
use cqa::math::{intervals, tolerance};
use cqa::provenance::{FileHash, RECORD_FILES, hash_folder, read_record, sha256};
use cqa::report::qualification::Check;
use serde::Deserialize;
use tempfile::TempDir;

use super::super::clock::Clock;
use super::bad;

/// What had to come out, on the machine where it was written down.
const EXPECTED: &str = include_str!("../../../data/qualification.toml");
/// Relative difference of a number that another processor may make.
const TOLERANCE: f64 = 1e-6;
/// The reference lots: made by the program from a seed.
const LOTS: [&str; 11] = ["simulate", "-o", "lots", "--lots", "6", "--cells", "120", "--genes", "2000", "--seed", "1"];
/// The reference run of them.
const RUN: [&str; 6] = ["run", "lots/lots.csv", "--potency", "vegf_ischemia", "--n-top-genes", "500"];

#[derive(Deserialize)]
struct Expected {
    /// SHA-256 over those of all files of the lots.
    lots: String,
    numbers: BTreeMap<String, f64>,
    words: BTreeMap<String, String>,
}

/// A folder to work in, and what was found so far.
pub struct Bench {
    folder: TempDir,
    program: PathBuf,
    pub checks: Vec<Check>,
}

impl Bench {
    /// A folder beside the output, on the same disk; it is removed at the end.
    pub fn new(output: &Path, program: PathBuf) -> Result<Self> {
        let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = tempfile::Builder::new().prefix(".cqa-qualify-").tempdir_in(parent);
        Ok(Self { folder: folder.map_err(|e| Error::io(parent, e))?, program, checks: Vec::new() })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.folder.path()).args(args).arg("--quiet").stdin(Stdio::null());
        command
    }

    fn call(&self, args: &[&str]) -> Result<Output> {
        self.command(args).output().map_err(|e| Error::io(&self.program, e))
    }

    fn add(&mut self, id: &str, requirement: &str, test: &str, expected: impl Into<String>, found: Found) {
        self.checks.push(Check {
            id: id.into(),
            requirement: requirement.into(),
            test: test.into(),
            expected: expected.into(),
            found: found.words,
            passed: found.passed,
        });
    }
}

/// What came out.
struct Found {
    words: String,
    passed: bool,
}

fn found(passed: bool, words: impl Into<String>) -> Found {
    Found { words: words.into(), passed }
}

/// Exit code and the last line said.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rev().find(|line| !line.is_empty()).unwrap_or("nothing said").to_string();
    format!("exit code {}: {last}", output.status.code().map_or("none".into(), |code| code.to_string()))
}

pub fn installation(bench: &mut Bench, program: &str, expected: Option<&str>) {
    let same = expected.is_none_or(|expected| expected.trim().eq_ignore_ascii_case(program));
    bench.add(
        "IQ-1",
        "The program is the one that was handed over",
        "SHA-256 of its file",
        expected.unwrap_or("on record (give --expect to hold it against one)"),
        found(same, program),
    );
    let known = cfg!(any(target_os = "linux", target_os = "macos", target_os = "windows"));
    let words = format!("{}, {} threads", Clock::machine(), rayon::current_num_threads());
    bench.add(
        "IQ-2",
        "The machine is of a kind that is supported",
        "System and processor",
        "64 bits",
        found(known && usize::BITS == 64, words),
    );
}

/// Whole directories appear at once, and one writer at a time.
pub fn disk(bench: &mut Bench) -> Result<()> {
    let target = bench.at("target");
    let write = |text: &str| -> Result<()> {
        let pending = PendingDir::create(&target, true)?;
        fs::write(pending.path().join("run.json"), text).map_err(|e| Error::io(pending.path(), e))?;
        pending.finish()
    };
    let replaced = write("one").and_then(|()| write("two")).map(|()| fs::read_to_string(target.join("run.json")));
    let passed = matches!(&replaced, Ok(Ok(text)) if text == "two");
    let words = match replaced {
        Ok(_) => "written and replaced".to_string(),
        Err(error) => error.to_string(),
    };
    bench.add(
        "IQ-3",
        "A directory appears whole, and is replaced as a whole",
        "One written, then another at its name",
        "the second one",
        found(passed, words),
    );
    let claim = Claim::new(&bench.at("claimed"))?;
    let output = bench.call(&["simulate", "-o", "claimed", "--lots", "2", "--cells", "50"])?;
    drop(claim);
    let words = said(&output);
    bench.add(
        "IQ-4",
        "Two runs never write at one name",
        "A second one at a name that is being written",
        "refused",
        found(words.contains("being written by another run"), words),
    );
    Ok(())
}

/// Numbers and words of the reference run against those on record.
pub fn reference(bench: &mut Bench) -> Result<()> {
    let expected: Expected = toml::from_str(EXPECTED).expect("what is expected is part of the program");
    let made = bench.call(&LOTS)?;
    let lots = digest(&bench.at("lots"))?;
    let words = if made.status.success() { lots.clone() } else { said(&made) };
    bench.add(
        "OQ-1",
        "The reference lots are those on record",
        "Made from their seed; one hash of all files",
        &expected.lots,
        found(lots == expected.lots, words),
    );
    let output = bench.call(&[&RUN[..], &["-o", "run", "--threads", "2"]].concat())?;
    bench.add(
        "OQ-2",
        "The whole road runs",
        "`cqa run` on the reference lots",
        "exit code 0",
        found(output.status.success(), said(&output)),
    );
    if !output.status.success() {
        return Ok(());
    }
    let run = bench.at("run");
    for (i, (name, value)) in numbers(&run)?.into_iter().enumerate() {
        let wanted = expected.numbers.get(name).copied().unwrap_or(f64::NAN);
        let near = (value - wanted).abs() <= TOLERANCE * wanted.abs().max(1e-300);
        let id = format!("OQ-3.{}", i + 1);
        bench.add(
            &id,
            "Numbers are those on record",
            name,
            format!("{wanted} ± {TOLERANCE:e} of it"),
            found(near, value.to_string()),
        );
    }
    for (i, (name, value)) in words_of(&run)?.into_iter().enumerate() {
        let wanted = expected.words.get(name).cloned().unwrap_or_default();
        let id = format!("OQ-4.{}", i + 1);
        bench.add(&id, "Verdicts and names are those on record", name, &wanted, found(value == wanted, &value));
    }
    let published = [
        ("95 % limit of 0 in 3,000 (rule of three)", intervals::upper_limit(0, 3000, 0.95), 0.000_998_08, 1e-8),
        ("Clopper–Pearson 95 % interval of 5 in 10, low end", intervals::clopper_pearson(5, 10, 0.95).0, 0.1871, 5e-5),
        ("Howe's k, 11 lots, 99 % of lots with 95 % confidence", tolerance::howe(11, 0.99, 0.95), 4.29, 0.01),
    ];
    for (i, (name, value, wanted, margin)) in published.into_iter().enumerate() {
        let near = (value - wanted).abs() <= margin;
        let id = format!("OQ-5.{}", i + 1);
        bench.add(
            &id,
            "Statistics agree with published values",
            name,
            format!("{wanted} ± {margin:e}"),
            found(near, value.to_string()),
        );
    }
    Ok(())
}

/// One hash of all files of a folder, and their names.
fn digest(folder: &Path) -> Result<String> {
    let files = if folder.exists() { hash_folder(folder, &[])? } else { Vec::new() };
    let lines: String = files.iter().map(|file| format!("{} {}\n", file.sha256, file.path)).collect();
    Ok(sha256(lines.as_bytes()))
}

fn floats(table: &Table, name: &str) -> Vec<f64> {
    match table.column(name) {
        Some(Column::Float(values)) => values.clone(),
        Some(Column::Float32(values)) => values.iter().map(|x| f64::from(*x)).collect(),
        Some(Column::Integer(values)) => values.iter().map(|x| *x as f64).collect(),
        _ => Vec::new(),
    }
}

fn texts(table: &Table, name: &str) -> Vec<String> {
    let Some(column) = table.column(name) else { return Vec::new() };
    let text = |row| {
        let mut out = String::new();
        column.push_text(row, &mut out);
        out
    };
    (0..column.len()).map(text).collect()
}

const RANKED: &str = "rank/vegf_ischemia";

/// Numbers from every part of the road.
fn numbers(run: &Path) -> Result<Vec<(&'static str, f64)>> {
    let read = |name: &str| read_table(&run.join(name));
    let (cells, composition, clusters) = (read("cells.parquet")?, read("composition.csv")?, read("clusters.csv")?);
    let (associations, candidates) =
        (read(&format!("{RANKED}/associations.csv"))?, read(&format!("{RANKED}/candidates.csv"))?);
    let sum = |values: Vec<f64>| values.iter().sum::<f64>();
    let squares = |values: Vec<f64>| values.iter().map(|x| x * x).sum::<f64>();
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let least = |values: Vec<f64>| values.into_iter().fold(f64::INFINITY, f64::min);
    Ok(vec![
        ("cells kept", cells.n_rows() as f64),
        ("mean doublet score", mean(floats(&cells, "doublet_score"))),
        ("clusters", clusters.n_rows() as f64),
        ("sum of squared shares", squares(floats(&composition, "share"))),
        ("sum of squared correlations", squares(floats(&associations, "r"))),
        ("smallest family-wise p", least(floats(&associations, "p_family"))),
        ("sum of the scores of candidates", sum(floats(&candidates, "score"))),
        ("sum of their log2 fold changes", sum(floats(&candidates, "log2_fc"))),
    ])
}

fn words_of(run: &Path) -> Result<Vec<(&'static str, String)>> {
    let associations = read_table(&run.join(RANKED).join("associations.csv"))?;
    let candidates = read_table(&run.join(RANKED).join("candidates.csv"))?;
    let mut genes = texts(&candidates, "gene");
    genes.truncate(5);
    Ok(vec![
        ("verdicts of the clusters", texts(&associations, "verdict").join(", ")),
        ("first five candidates", genes.join(", ")),
    ])
}

fn results(run: &Path) -> Result<Vec<FileHash>> {
    hash_folder(run, &RECORD_FILES)
}

/// The same bytes for another number of threads, and when the record is run again.
pub fn same_answer(bench: &mut Bench) -> Result<()> {
    bench.call(&[&RUN[..], &["-o", "three", "--threads", "3"]].concat())?;
    let (two, three) = (results(&bench.at("run"))?, bench.at("three"));
    let same = three.exists() && results(&three)? == two;
    bench.add(
        "OQ-6",
        "The same bytes for any number of threads",
        "2 threads and 3; hashes of all results",
        format!("{} files alike", two.len()),
        found(same, if same { "alike" } else { "they differ" }),
    );
    let output = bench.call(&["verify", "run", "--rerun"])?;
    bench.add(
        "OQ-7",
        "A run can be made again from its record",
        "`cqa verify --rerun`",
        "exit code 0",
        found(output.status.success(), said(&output)),
    );
    Ok(())
}

/// A changed byte is found, wherever it is.
pub fn provenance(bench: &mut Bench) -> Result<()> {
    let of_run = ["verify", "run"];
    let of_ledger = ["verify", "--ledger", "ledger.jsonl"];
    let cases: [(&str, &str, &[&str]); 4] = [
        ("of an output", "run/cells.parquet", &of_run),
        ("of an input", "lots/lots.csv", &of_run),
        ("of the record", "run/run.json", &of_run),
        ("of the ledger", "ledger.jsonl", &of_ledger),
    ];
    for (i, (what, file, command)) in cases.into_iter().enumerate() {
        let path = bench.at(file);
        let whole = fs::read(&path).map_err(|e| Error::io(&path, e))?;
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        let put = |bytes: &[u8]| fs::write(&path, bytes).map_err(|e| Error::io(&path, e));
        let sound = bench.call(command)?.status.success();
        put(&changed)?;
        let told = bench.call(command)?.status.code() == Some(1);
        put(&whole)?;
        let words = format!(
            "before: {}; after: {}",
            if sound { "sound" } else { "NOT sound" },
            if told { "told" } else { "NOT told" }
        );
        bench.add(
            &format!("OQ-8.{}", i + 1),
            &format!("A changed byte {what} is found"),
            "`cqa verify` before and after",
            "before: sound; after: told",
            found(sound && told, words),
        );
    }
    Ok(())
}

/// What is killed leaves the earlier result, and is gone on from.
pub fn faults(bench: &mut Bench) -> Result<()> {
    let run = bench.at("run");
    let earlier = hash_folder(&run, &[])?;
    let again = [&RUN[..], &["-o", "run", "--force", "--seed", "9", "--threads", "2"]].concat();
    let mut child = bench.command(&again).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.as_mut().map_err(|e| Error::io(&bench.program, std::io::Error::from(e.kind())))?;
    let (steps, clock) = (bench.at(".run.steps/resolution"), Instant::now());
    while !steps.exists() && clock.elapsed() < Duration::from_secs(120) && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    let same = hash_folder(&run, &[])? == earlier;
    bench.add(
        "OQ-9",
        "A run that is killed leaves the earlier result as it was",
        "Killed in the middle; hashes of all files",
        format!("{} files alike", earlier.len()),
        found(same, if same { "alike" } else { "they differ" }),
    );
    let output = bench.call(&[&again[..], &["--resume"]].concat())?;
    let resumed = read_record(&run)?.execution.resumed;
    let undisturbed = [&RUN[..], &["-o", "nine", "--seed", "9", "--threads", "2"]].concat();
    bench.call(&undisturbed)?;
    let same = output.status.success() && results(&run)? == results(&bench.at("nine"))?;
    let words = format!("{}, {} steps not made again", if same { "alike" } else { "they differ" }, resumed.len());
    bench.add(
        "OQ-10",
        "A run that was killed is gone on from to the same result",
        "`--resume`, beside a run that nothing stopped",
        "alike",
        found(same && !resumed.is_empty(), words),
    );
    Ok(())
}

/// What can't be right is refused, with its place and what to do.
pub fn bad_input(bench: &mut Bench) -> Result<()> {
    for (i, (what, files, wanted)) in bad::cases().into_iter().enumerate() {
        let name = format!("bad{i}");
        bad::write(&bench.at(&name), &files)?;
        let output = bench.call(&["check", &format!("{name}/lots.csv")])?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let passed = output.status.code() == Some(1) && wanted.iter().all(|word| told.contains(word));
        let test = format!("`cqa check` of {what}");
        let expected = format!("refused with `{}` and `{}`", wanted[0], wanted[1]);
        bench.add(
            &format!("OQ-11.{}", i + 1),
            "Bad input is refused with place and cure",
            &test,
            expected,
            found(passed, said(&output)),
        );
    }
    Ok(())
}
