//! Provenance: what went in, what came out, with which program and parameters.

mod crates;
pub mod difference;
pub mod hash;
pub mod integrity;
pub mod ledger;
pub mod manifest;
mod overlap;
pub mod plan_file;
pub mod plan_lock;
pub mod ro_crate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::io::run_dir;
use crate::warning::Warning;

pub use crates::{crate_versions, lock_sha256};
pub use difference::{Differences, differences};
pub use hash::{FileHash, hash_files, hash_folder, sha256};
pub use integrity::{Checked, check_run};
pub use ledger::{LEDGER, LedgerEntry, LedgerEvent};
pub use manifest::{MANIFEST, Manifest, seal, verify};
pub use plan_file::PlanFile;
pub use plan_lock::{LockEntry, LockEvent, LockedPlan};
pub use ro_crate::ro_crate;

/// Files that hold hashes of the others and so cannot hold their own.
pub const RECORD_FILES: [&str; 3] = ["run.json", "ro-crate-metadata.json", SIGNATURE];

/// Signature of `run.json`, if it was signed.
pub const SIGNATURE: &str = "run.json.minisig";

/// The record of a run (`run.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Always `cqa`.
    pub program: String,
    /// Version of the program.
    pub version: String,
    /// Seed of every random step.
    pub seed: u64,
    /// Every parameter, defaults spelled out.
    pub params: serde_json::Value,
    /// Readouts that have been ranked.
    pub potency: Vec<String>,
    /// Everything worth knowing before trusting a number.
    pub warnings: Vec<Warning>,
    /// Warnings of each ranking.
    pub ranking_warnings: Vec<RankingWarnings>,
    /// Files read.
    pub inputs: Vec<FileHash>,
    /// Files written, relative to the run directory.
    pub outputs: Vec<FileHash>,
    /// How and when it ran; all that may differ between two runs with the same result.
    pub execution: Execution,
}

impl RunRecord {
    /// The record of what this program makes of the inputs; warnings and readouts are still to be added.
    pub fn new(seed: u64, params: serde_json::Value, inputs: Vec<FileHash>, execution: Execution) -> Self {
        Self {
            program: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            seed,
            params,
            potency: Vec::new(),
            warnings: Vec::new(),
            ranking_warnings: Vec::new(),
            inputs,
            outputs: Vec::new(),
            execution,
        }
    }
}

/// Warnings of the ranking against one readout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingWarnings {
    /// The readout.
    pub readout: String,
    /// What bears on its ranking.
    pub warnings: Vec<Warning>,
}

/// How and when a run was made; no result depends on it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Execution {
    /// The command line.
    pub command: Vec<String>,
    /// What made the directory before this command added to it, in its order.
    #[serde(default)]
    pub before: Vec<EarlierCommand>,
    /// Folder that the command ran in; relative paths start there.
    #[serde(default)]
    pub folder: String,
    /// Who ran it (`--operator`).
    #[serde(default)]
    pub operator: String,
    /// What for (`--reason`).
    #[serde(default)]
    pub reason: String,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// End, RFC 3339 in UTC.
    pub ended: String,
    /// Threads used.
    pub threads: usize,
    /// Wall-clock seconds of each step, in order.
    pub seconds: Vec<(String, f64)>,
    /// Steps that were kept from a run that was stopped, and not made again (`--resume`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<String>,
    /// Processor and operating system the program was built for, and the widest vectors of the processor it ran on.
    pub target: String,
    /// Versions of the crates that the program was built from.
    #[serde(default)]
    pub crates: BTreeMap<String, String>,
    /// SHA-256 of the `Cargo.lock` that it was built from, which has the digests of all of them.
    #[serde(default)]
    pub cargo_lock_sha256: String,
    /// SHA-256 of `ro-crate-metadata.json`.
    #[serde(default)]
    pub ro_crate_sha256: String,
    /// SHA-256 of the text of `run.json` with this field empty.
    #[serde(default)]
    pub record_sha256: String,
}

/// A command that made a directory, which a later one added to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EarlierCommand {
    /// Folder that it ran in.
    pub folder: String,
    /// The command line.
    pub command: Vec<String>,
}

/// Hashes what lies in the run directory, then writes `run.json` and `ro-crate-metadata.json` into it. What other commands put
/// into folders of their own below it, each with a `run.json`, is on record there.
///
/// # Errors
/// A file cannot be read or written.
pub fn write_record(run: &Path, mut record: RunRecord) -> Result<()> {
    record.outputs = integrity::own_files(run)?;
    record.execution.crates = crate_versions();
    record.execution.cargo_lock_sha256 = lock_sha256();
    let json = |value: &serde_json::Value| format!("{value:#}\n");
    let metadata = json(&ro_crate(&record));
    record.execution.ro_crate_sha256 = sha256(metadata.as_bytes());
    record.execution.record_sha256 = String::new();
    let value = serde_json::to_value(&record).expect("a record is plain data");
    let text = json(&value);
    let sealed = text.replacen(&own_hash(""), &own_hash(&sha256(text.as_bytes())), 1);
    run_dir::write_text(&run.join("ro-crate-metadata.json"), &metadata)?;
    run_dir::write_text(&run.join("run.json"), &sealed)
}

/// The record's own hash as it stands in its text. Quotes inside a text are escaped, so that no value can look like it.
fn own_hash(hash: &str) -> String {
    format!("\"record_sha256\": \"{hash}\"")
}

/// Holds files of a run against the digests of its record; gives back the files that the run was made from, then these.
///
/// # Errors
/// A file is missing from the run or its record, or was changed since the run was made.
pub fn verify_run(run: &Path, files: &[&str]) -> Result<Vec<FileHash>> {
    let record = read_record(run)?;
    let paths: Vec<PathBuf> = files.iter().map(|name| run.join(name)).collect();
    let found = hash_files(&paths)?;
    for ((name, path), now) in files.iter().zip(&paths).zip(&found) {
        let cure = "give a directory that `cqa cluster` or `cqa run` wrote; make it again, or take it from where it is kept safe";
        match record.outputs.iter().find(|file| file.path == *name) {
            None => return Err(Error::format(path, "", format!("is not on record in run.json; {cure}"))),
            Some(then) if then.sha256 != now.sha256 => {
                return Err(Error::format(path, "", format!("was changed since the run was made; {cure}")));
            }
            Some(_) => {}
        }
    }
    Ok([record.inputs, found].concat())
}

/// Reads `run.json`.
///
/// # Errors
/// The file is missing or was changed by hand.
pub fn read_record(run: &Path) -> Result<RunRecord> {
    run_dir::read_json(&run.join("run.json"))
}
