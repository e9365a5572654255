//! `cqa verify RUN`: every file against its hash, the ledger against its chain, and the run made again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use cqa::error::{Error, Result};
use cqa::provenance::integrity::unlike;
use cqa::provenance::ledger::{self, LedgerChecked};
use cqa::provenance::{Checked, EarlierCommand, LedgerEvent, RunRecord, check_run, read_record, sha256};

use super::recorded::{ledger_beside, name_in};
use super::sign::wrong_signature;
use super::{Common, Outcome, Terminal};

const LONG_HELP: &str = "\
Found and named are: a changed byte of any input, of any output, and of the records themselves; missing
and added files; with --ledger FILE a changed, removed, added or moved line. Exit code 1 if there is any.

Not found: files and record changed together by someone who computes all hashes anew. Against that the
ledger holds the hash of run.json, and against a ledger rewritten, or cut at its end, stands only its head
hash, written down elsewhere: --head HASH says whether the ledger still holds it.

--rerun runs the recorded command lines again in the recorded folder, with the recorded parameters and seed,
writes to a temporary directory (TMPDIR) and compares every output by its hash.";

/// Arguments of `cqa verify`.
#[derive(Args)]
#[command(after_long_help = LONG_HELP)]
pub struct VerifyArgs {
    /// Directory that `cqa cluster`, `run`, `freeze`, `map`, `compare`, `panel`, `screen` or `demo` wrote
    #[arg(value_name = "RUN", required_unless_present = "ledger")]
    run: Option<PathBuf>,
    /// Compute it again and compare
    #[arg(long, requires = "run")]
    rerun: bool,
    /// Public key of minisign (a file, or the key itself): the record must bear its signature
    #[arg(long, value_name = "KEY", requires = "run")]
    public_key: Option<String>,
    /// A head hash of the ledger that was kept elsewhere: the ledger must still hold that line
    #[arg(long, value_name = "SHA256", requires = "ledger")]
    head: Option<String>,
}

/// Holds files against their hashes.
pub fn verify(args: &VerifyArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let mut n = 0;
    if let Some(path) = &common.ledger {
        n += of_ledger(path, args.head.as_deref())?;
    }
    if let Some(run) = &args.run {
        let checked = check_run(run, Path::new("."))?;
        n += print(&checked);
        if let Some(key) = &args.public_key
            && let Some(words) = wrong_signature(run, key)?
        {
            println!("{words}");
            n += 1;
        }
        let beside = common.ledger.clone().unwrap_or_else(|| ledger_beside(run));
        if beside.exists() {
            n += told_by_ledger(&beside, run)?;
        }
        if args.rerun {
            match checked.n_differences() {
                0 => n += rerun(run, &read_record(run)?, terminal)?,
                _ => println!("Not run again: what is there is not what was recorded"),
            }
        }
    }
    match n {
        0 => Ok(Vec::new()),
        n => Err(Error::input(
            format!("{n} {} from what is on record", if n == 1 { "thing differs" } else { "things differ" }),
            "take the files from where they are kept safe, or make the run again",
        )),
    }
}

fn print(checked: &Checked) -> usize {
    for words in &checked.differences {
        println!("{words}");
    }
    let state = if checked.differences.is_empty() { "as recorded" } else { "NOT as recorded" };
    println!(
        "{}: {state}; {} outputs and {} inputs have their hashes",
        checked.folder.display(),
        checked.n_outputs,
        checked.n_inputs
    );
    checked.differences.len() + checked.inside.iter().map(print).sum::<usize>()
}

/// What the ledger beside a run knows of its record.
fn told_by_ledger(path: &Path, run: &Path) -> Result<usize> {
    let entries = ledger::check(path)?.entries;
    let record = run.join("run.json");
    let hash = sha256(&std::fs::read(&record).map_err(|e| Error::io(&record, e))?);
    let done = || entries.iter().filter(|entry| entry.event == LedgerEvent::Done);
    if let Some(entry) = done().rfind(|entry| entry.output_sha256 == hash) {
        println!("{}: entry {} of {} is of this record", run.display(), entry.number, path.display());
        return Ok(0);
    }
    let name = name_in(path, run);
    if let Some(entry) = done().rfind(|entry| entry.output == name) {
        println!("record run.json: not the one that entry {} of {} tells of", entry.number, path.display());
        return Ok(1);
    }
    println!("{}: no entry of {} tells of it", run.display(), path.display());
    Ok(0)
}

fn of_ledger(path: &Path, head: Option<&str>) -> Result<usize> {
    let checked: LedgerChecked = ledger::check(path)?;
    for words in &checked.differences {
        println!("{words}");
    }
    let count = |event| checked.entries.iter().filter(|entry| entry.event == event).count();
    println!(
        "{}: {} entries; {} runs began, {} done, {} failed",
        path.display(),
        checked.entries.len(),
        count(LedgerEvent::Started),
        count(LedgerEvent::Done),
        count(LedgerEvent::Failed)
    );
    for number in checked.unfinished() {
        println!("Entry {number} began and never ended: killed, or still running");
    }
    for (entry, by) in checked.replaced() {
        println!("The result of entry {entry} was replaced: entry {by} began on top of it");
    }
    for entry in checked.entries.iter().filter(|entry| entry.event == LedgerEvent::Done) {
        let folder = path.parent().unwrap_or(Path::new("")).join(&entry.output);
        let last = checked.entries.iter().rfind(|later| later.output == entry.output);
        if !folder.exists() && last.is_some_and(|last| last.number == entry.number) {
            println!("The result of entry {} is no longer at {}: discarded, or moved", entry.number, entry.output);
        }
    }
    println!("Head: SHA-256 {}. A chain cannot show that its end was cut off: keep this elsewhere.", checked.head);
    let mut n = checked.differences.len();
    if let Some(head) = head
        && !checked.hashes.iter().any(|hash| hash.eq_ignore_ascii_case(head.trim()))
    {
        println!("No entry has the hash given with --head: the ledger was cut or rewritten");
        n += 1;
    }
    Ok(n)
}

/// Runs the recorded commands again; gives back how many outputs are not the same.
fn rerun(run: &Path, record: &RunRecord, terminal: &Terminal) -> Result<usize> {
    let temporary = tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let again = temporary.path().join("run");
    let program = std::env::current_exe().map_err(|e| Error::io("cqa", e))?;
    let params = std::path::absolute(run.join("params.toml")).map_err(|e| Error::io(run, e))?;
    let execution = &record.execution;
    let last = EarlierCommand { folder: execution.folder.clone(), command: execution.command.clone() };
    if record.version != env!("CARGO_PKG_VERSION") {
        println!(
            "Made by version {}, run again by {}: differences may come from there",
            record.version,
            env!("CARGO_PKG_VERSION")
        );
    }
    for (i, EarlierCommand { folder, command }) in execution.before.iter().chain([&last]).enumerate() {
        let mut child = Command::new(&program);
        child.arg("--rerun-in").arg(&again);
        // A params.toml has all that a first command was given; a later one adds to it.
        if i == 0 && params.exists() {
            child.arg("--rerun-params").arg(&params);
        }
        child.args(command.iter().skip(1)).stdin(Stdio::null()).stdout(Stdio::null());
        if !folder.is_empty() {
            child.current_dir(folder);
        }
        let done = child.output().map_err(|e| Error::io(folder, e))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let last =
                said.lines().rev().find(|line| line.starts_with("error")).unwrap_or("it said nothing").to_string();
            return Err(Error::input(
                format!("`{}` could not be run again: {last}", command.join(" ")),
                format!("it needs the folder {folder} as it was"),
            ));
        }
    }
    terminal.done();
    let found = unlike(&record.outputs, &read_record(&again)?.outputs);
    for words in &found {
        println!("{words}");
    }
    println!(
        "Run again: {} of {} outputs are the same",
        record.outputs.len().saturating_sub(found.len()),
        record.outputs.len()
    );
    Ok(found.len())
}
