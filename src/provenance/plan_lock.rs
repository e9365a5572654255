//! The lock of a plan: what was planned is on record, with hash and time, before any file of the post lots is opened.
//!
//! `PLAN.lock.json` beside the plan is a history that only grows. Each entry holds the hash of the one before it, so that a
//! line taken out or changed by hand is noticed; the hash of the last one, the *head*, is printed and goes into the record of
//! every comparison, so that a history cut at its end or written anew disagrees with what was printed. [`LockedPlan`] can be had in one way only, by [`LockedPlan::lock`], which
//! writes the entry; and it alone reads post lots. What the lock cannot see: post data looked at by other means, and a lock
//! file that was removed as a whole. Keep it under version control, or send its hash to a second person.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan_file::PlanFile;
use super::sha256;
use super::{Execution, FileHash, hash_files};
use crate::data::Comparison;
use crate::error::{Error, Result};
use crate::io::lot_records::ReadRecords;
use crate::io::run_dir::{read_json, write_text};
use crate::warning::Warning;

/// What happened to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockEvent {
    /// The plan was recorded for the first time.
    Locked,
    /// The plan was edited, for a reason.
    Amended,
    /// Pre lots were read.
    PreRead,
    /// Post lots are about to be opened.
    PostOpened,
    /// Post lots were read.
    PostRead,
}

impl LockEvent {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Locked => "plan locked",
            Self::Amended => "plan amended",
            Self::PreRead => "pre lots read",
            Self::PostOpened => "opening post lots",
            Self::PostRead => "post lots read",
        }
    }
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockEntry {
    /// What happened.
    pub event: LockEvent,
    /// When, RFC 3339 in UTC.
    pub time: String,
    /// Version of the program.
    pub version: String,
    /// SHA-256 of the plan as it was then.
    pub plan_sha256: String,
    /// Why the plan was amended; else empty.
    pub reason: String,
    /// The whole plan where it was locked or amended; else empty.
    pub plan: String,
    /// Files that were read.
    pub files: Vec<FileHash>,
    /// SHA-256 of the entry before; empty for the first.
    pub previous: String,
}

impl LockEntry {
    fn sha256(&self) -> String {
        sha256(serde_json::to_string(self).expect("an entry is plain data").as_bytes())
    }
}

/// The part of a directory's `run.json` that tells when it was begun.
#[derive(Deserialize)]
struct Begun {
    execution: Execution,
}

/// The lock file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct LockFile {
    history: Vec<LockEntry>,
    /// SHA-256 of the last entry, which no later one holds.
    head: String,
}

/// Shows that a plan is on record; only this module can make one.
#[derive(Debug, Clone)]
pub struct Locked(());

/// A plan that is on record. It alone can read post lots.
#[derive(Debug, Clone)]
pub struct LockedPlan {
    plan: PlanFile,
    path: PathBuf,
    lock: LockFile,
    proof: Locked,
}

/// Where the lock of a plan lies: `plan.toml` → `plan.lock.json`.
pub fn lock_path(plan: &Path) -> PathBuf {
    plan.with_extension("lock.json")
}

impl LockedPlan {
    /// Records a plan as it is, at the time `now` (RFC 3339 in UTC), or finds it recorded. `amend`: why it was edited since.
    ///
    /// # Errors
    /// - the plan was edited since it was locked, and no reason is given
    /// - a reason is given, but there is nothing to amend
    /// - the lock file was changed by hand, or can't be written
    pub fn lock(plan: PlanFile, now: &str, amend: Option<&str>) -> Result<Self> {
        let path = lock_path(plan.path());
        let lock = if path.exists() { read(&path)? } else { LockFile::default() };
        let mut locked = Self { plan, path, lock, proof: Locked(()) };
        let recorded = locked.lock.history.iter().rev().find(|entry| !entry.plan.is_empty()).cloned();
        let hash = locked.plan.sha256().to_string();
        match (recorded, amend) {
            (None, None) => locked.append(LockEvent::Locked, now, "", Vec::new())?,
            (None, Some(_)) => {
                let message = "is not locked yet, so there is nothing to amend; leave --amend out";
                return Err(Error::format(locked.plan.path(), "", message));
            }
            (Some(entry), None) if entry.plan_sha256 == hash => {}
            (Some(entry), Some(_)) if entry.plan_sha256 == hash => {
                let message = format!("is as it was recorded on {}, so there is nothing to amend", entry.time);
                return Err(Error::format(locked.plan.path(), "", message));
            }
            (Some(entry), None) => {
                let message = format!(
                    "was edited after it was locked: on {} its SHA-256 {} was recorded, now it is {hash}. Restore it (the \
                     recorded text is in {}), or record the edit with --amend \"reason\", which the report will tell first",
                    entry.time,
                    entry.plan_sha256,
                    locked.path.display()
                );
                return Err(Error::format(locked.plan.path(), "", message));
            }
            (Some(_), Some(reason)) => {
                if reason.trim().is_empty() {
                    return Err(Error::format(locked.plan.path(), "--amend", "is empty; say why the plan was edited"));
                }
                locked.append(LockEvent::Amended, now, reason.trim(), Vec::new())?;
            }
        }
        Ok(locked)
    }

    /// What is planned.
    pub fn comparison(&self) -> &Comparison {
        self.plan.comparison()
    }

    /// The plan file.
    pub fn plan(&self) -> &PlanFile {
        &self.plan
    }

    /// Everything that happened to the plan, oldest first.
    pub fn history(&self) -> &[LockEntry] {
        &self.lock.history
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When the plan was locked first.
    pub fn first_locked(&self) -> &str {
        self.lock.history.first().map_or("", |entry| &entry.time)
    }

    /// Amendments: when, why, and whether this program had read post lots before.
    pub fn amendments(&self) -> Vec<(&LockEntry, bool)> {
        let seen = |at: usize| {
            self.lock.history[..at]
                .iter()
                .any(|entry| matches!(entry.event, LockEvent::PostOpened | LockEvent::PostRead))
        };
        let entries = self.lock.history.iter().enumerate();
        entries.filter(|(_, e)| e.event == LockEvent::Amended).map(|(at, entry)| (entry, seen(at))).collect()
    }

    /// Reads the pre lots; the first time their hashes are recorded, later they are held against those.
    ///
    /// # Errors
    /// As [`crate::io::lot_records::read_records`].
    pub fn read_pre(&mut self, now: &str) -> Result<(ReadRecords, Vec<Warning>)> {
        let read = self.plan.pre_of_locked()?;
        let files = hash_files(&read.files)?;
        let warnings = self.record(LockEvent::PreRead, now, files)?;
        Ok((read, warnings))
    }

    /// Reads the post lots: that they are about to be opened is recorded first. Tells if they are older than the lock.
    /// `changed`: when the file [`Self::post_source`] was last changed (RFC 3339 in UTC), for a sheet, of which nothing else is
    /// known; of a directory its record tells.
    ///
    /// # Errors
    /// - as [`crate::io::lot_records::read_records`]
    /// - a lot is also among the pre lots
    pub fn read_post(&mut self, pre: &ReadRecords, now: &str, changed: &str) -> Result<(ReadRecords, Vec<Warning>)> {
        let opened = self.entries_of_plan().any(|entry| entry.event == LockEvent::PostOpened);
        if !opened && self.plan.post_path().exists() {
            self.append(LockEvent::PostOpened, now, "", Vec::new())?;
        }
        let read = self.plan.post_of_locked(&self.proof)?;
        let files = hash_files(&read.files)?;
        let mut warnings = self.record(LockEvent::PostRead, now, files)?;
        self.plan.refuse_overlap(pre, &read)?;
        let (source, locked) = (self.plan.post_path(), self.first_locked().to_string());
        let of_record =
            || read_json::<Begun>(&source.join("run.json")).map_or(String::new(), |run| run.execution.started);
        let began = if source.is_file() { changed.to_string() } else { of_record() };
        let shared = self.plan.shares_source();
        if shared || (!began.is_empty() && began < locked) {
            let source = source.display().to_string();
            warnings.push(Warning::PostDataBeforeLock { source, began, locked, shared });
        }
        Ok((read, warnings))
    }

    /// Directory or sheet of the post lots.
    pub fn post_source(&self) -> PathBuf {
        self.plan.post_path()
    }

    /// What happened under the present plan, oldest first.
    fn entries_of_plan(&self) -> impl Iterator<Item = &LockEntry> {
        let since = self.lock.history.iter().rposition(|entry| !entry.plan.is_empty()).unwrap_or(0);
        self.lock.history[since..].iter()
    }

    /// SHA-256 of the last entry of the history. Whoever has it can tell later whether the history was cut or rewritten.
    pub fn head(&self) -> &str {
        &self.lock.head
    }

    /// Records files that were read, unless the same were recorded last; warns where they differ from those read first
    /// under the present plan.
    fn record(&mut self, event: LockEvent, now: &str, files: Vec<FileHash>) -> Result<Vec<Warning>> {
        let earlier: Vec<&LockEntry> = self.entries_of_plan().filter(|entry| entry.event == event).collect();
        let mut warnings = Vec::new();
        if let Some(first) = earlier.first() {
            let changed: Vec<String> =
                files.iter().filter(|file| !first.files.contains(file)).map(|file| file.path.clone()).collect();
            if !changed.is_empty() {
                let group = if event == LockEvent::PreRead { "pre" } else { "post" };
                let recorded = first.time.clone();
                warnings.push(Warning::DataChangedSinceRecorded { group: group.into(), files: changed, recorded });
            }
        }
        if earlier.last().is_none_or(|last| last.files != files) {
            self.append(event, now, "", files)?;
        }
        Ok(warnings)
    }

    fn append(&mut self, event: LockEvent, now: &str, reason: &str, files: Vec<FileHash>) -> Result<()> {
        let holds_plan = matches!(event, LockEvent::Locked | LockEvent::Amended);
        self.lock.history.push(LockEntry {
            event,
            time: now.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            plan_sha256: self.plan.sha256().into(),
            reason: reason.into(),
            plan: if holds_plan { self.plan.text().into() } else { String::new() },
            files,
            previous: self.lock.history.last().map_or(String::new(), LockEntry::sha256),
        });
        self.lock.head = self.lock.history.last().map_or(String::new(), LockEntry::sha256);
        write_text(&self.path, &self.text())
    }

    /// The lock file as it is written.
    pub fn text(&self) -> String {
        format!("{}\n", serde_json::to_string_pretty(&self.lock).expect("a history is plain data"))
    }
}

/// Reads a lock and checks that each entry follows from the one before.
fn read(path: &Path) -> Result<LockFile> {
    let lock: LockFile = read_json(path)?;
    let broken = |number: usize| {
        let message = "does not follow from the entry before, so the file was changed by hand; restore it";
        Err(Error::format(path, format!("history entry {}", number + 1), message))
    };
    let mut previous = String::new();
    for (number, entry) in lock.history.iter().enumerate() {
        let holds_plan = matches!(entry.event, LockEvent::Locked | LockEvent::Amended);
        let sound = !holds_plan || sha256(entry.plan.as_bytes()) == entry.plan_sha256;
        let first = (number == 0) == (entry.event == LockEvent::Locked);
        if entry.previous != previous || !sound || !first || holds_plan == entry.plan.is_empty() {
            return broken(number);
        }
        previous = entry.sha256();
    }
    if previous != lock.head {
        let message = "is not that of the last entry, so the file was changed by hand; restore it";
        return Err(Error::format(path, "head", message));
    }
    Ok(lock)
}

#[cfg(test)]
mod tests;
