//! The ledger of a workspace: one line for the start and one for the end of every run, each bound to the one before by its hash.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::sha256;
use crate::error::{Error, Result};

/// Name of the ledger in its folder.
pub const LEDGER: &str = "ledger.jsonl";

/// What a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerEvent {
    /// A command began. Without a later line about its end it was killed, or still runs.
    Started,
    /// It left its output.
    Done,
    /// It ended with an error.
    Failed,
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// 1, 2, …
    pub number: u64,
    /// SHA-256 of the entry before; empty for the first.
    pub previous: String,
    /// RFC 3339 in UTC.
    pub time: String,
    /// What happened.
    pub event: LedgerEvent,
    /// Number of the line that told of the start; of a start its own.
    pub start: u64,
    /// Version of the program.
    pub version: String,
    /// The command line.
    pub command: Vec<String>,
    /// Folder it ran in.
    pub folder: String,
    /// Who ran it.
    pub operator: String,
    /// What for.
    pub reason: String,
    /// Directory it writes.
    pub output: String,
    /// SHA-256 of the `run.json` in it, which holds those of all other files; empty unless done.
    pub output_sha256: String,
    /// What stopped it; empty unless failed.
    pub error: String,
    /// SHA-256 of the `run.json` that lay in the directory when it began; empty if there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub replaces: String,
}

/// A line as it stands in the file: the hash is that of the bytes of the entry behind it.
const HEAD: (&str, &str, &str) = ("{\"sha256\":\"", "\",\"entry\":", "}");

fn line(entry: &LedgerEntry) -> (String, String) {
    let text = serde_json::to_string(entry).expect("an entry is plain data");
    let hash = sha256(text.as_bytes());
    (format!("{}{hash}{}{text}{}\n", HEAD.0, HEAD.1, HEAD.2), hash)
}

/// Hash and entry of a line, if it is whole.
fn parts(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix(HEAD.0)?;
    let (hash, rest) = (rest.get(..64)?, rest.get(64..)?);
    Some((hash, rest.strip_prefix(HEAD.1)?.strip_suffix(HEAD.2)?))
}

/// Appends an entry, whose number, chain and (of a start) `start` are filled in; gives back its number. Other writers wait.
///
/// # Errors
/// - the file cannot be written
/// - its last whole line is not one of a ledger
pub fn append(path: &Path, mut entry: LedgerEntry) -> Result<u64> {
    let io = |e| Error::io(path, e);
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(io)?;
    lock(&file).map_err(io)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(io)?;
    // A line that a crash cut off stays as evidence; the chain goes on from the last whole one.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut out = if text.is_empty() || text.ends_with('\n') { String::new() } else { "\n".into() };
    let last = whole.lines().rev().find_map(|line| Some((parts(line)?, line)));
    (entry.number, entry.previous) = match last {
        None if whole.is_empty() => (1, String::new()),
        Some(((hash, text), _)) if hash == sha256(text.as_bytes()) => match serde_json::from_str::<LedgerEntry>(text) {
            Ok(before) => (before.number + 1, hash.to_string()),
            Err(e) => return Err(damaged(path, &e.to_string())),
        },
        _ => return Err(damaged(path, "its last line was changed")),
    };
    if entry.event == LedgerEvent::Started {
        entry.start = entry.number;
    }
    out += &line(&entry).0;
    file.write_all(out.as_bytes()).and_then(|()| file.sync_data()).map_err(io)?;
    Ok(entry.number)
}

fn damaged(path: &Path, what: &str) -> Error {
    let cure = "`cqa verify --ledger` tells more; restore it from a copy, or move it away and a new one begins";
    Error::format(path, "", format!("is not a sound ledger ({what}), so nothing is run on it; {cure}"))
}

/// Waits for other writers; where a file system knows no locks, appends are whole lines all the same.
fn lock(file: &File) -> std::io::Result<()> {
    match file.lock() {
        Err(e) if e.kind() == ErrorKind::Unsupported => Ok(()),
        done => done,
    }
}

/// What a ledger looks like.
#[derive(Debug, Clone, Default)]
pub struct LedgerChecked {
    /// Every line that is understood.
    pub entries: Vec<LedgerEntry>,
    /// Hash of the last line. The chain cannot show that lines were cut off its end: this must be kept elsewhere.
    pub head: String,
    /// Hashes of all lines.
    pub hashes: Vec<String>,
    /// What is wrong, by line of the file.
    pub differences: Vec<String>,
}

impl LedgerChecked {
    /// Results that a later command replaced when it was done: the entry of the end, and that of the command.
    pub fn replaced(&self) -> Vec<(u64, u64)> {
        let done = |start: u64| self.entries.iter().any(|e| e.event == LedgerEvent::Done && e.start == start);
        let starts = self.entries.iter().filter(|e| e.event == LedgerEvent::Started && !e.replaces.is_empty());
        let result = |of: &LedgerEntry| {
            self.entries
                .iter()
                .find(|e| e.event == LedgerEvent::Done && e.output_sha256 == of.replaces)
                .map(|e| e.number)
        };
        starts.filter(|e| done(e.start)).filter_map(|e| Some((result(e)?, e.number))).collect()
    }

    /// Starts without an end: killed, or still running.
    pub fn unfinished(&self) -> Vec<u64> {
        let ended = |number| self.entries.iter().any(|e| e.event != LedgerEvent::Started && e.start == number);
        let starts = self.entries.iter().filter(|e| e.event == LedgerEvent::Started);
        starts.map(|e| e.number).filter(|number| !ended(*number)).collect()
    }
}

/// Checks every line and that each follows from the one before.
///
/// # Errors
/// The file cannot be read. What is wrong with its lines is no error: it is in the result.
pub fn check(path: &Path) -> Result<LedgerChecked> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let mut checked = LedgerChecked::default();
    // Number and hash of the last line understood, and how many that are not have come since.
    let (mut before, mut gap) = ((0, String::new()), 0);
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        checked.differences.push("the last line is not whole: it was cut off".into());
    }
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    for (i, raw) in text.split(|b| *b == b'\n').enumerate().filter(|_| !bytes.is_empty()) {
        let at = i + 1;
        let entry = std::str::from_utf8(raw).ok().and_then(|text| {
            let (hash, entry) = parts(text)?;
            Some((hash.to_string(), sha256(entry.as_bytes()), serde_json::from_str::<LedgerEntry>(entry).ok()?))
        });
        let Some((hash, own, entry)) = entry else {
            checked.differences.push(format!("line {at}: changed; it is no line of a ledger any more"));
            gap += 1;
            continue;
        };
        if hash != own {
            checked.differences.push(format!("line {at}: changed; its hash is not that of its text"));
        }
        let expected = before.0 + 1;
        let follows = if gap == 0 { entry.previous == before.1 } else { entry.number > before.0 };
        if !follows || !(expected..=expected + gap).contains(&entry.number) {
            checked.differences.push(format!(
                "line {at}: does not follow from the line before (entry {} where {expected} was expected): a line was removed, \
                 added, moved or changed",
                entry.number
            ));
        }
        (before, gap) = ((entry.number, hash.clone()), 0);
        checked.head.clone_from(&hash);
        checked.hashes.push(hash);
        checked.entries.push(entry);
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn entry(event: LedgerEvent, start: u64) -> LedgerEntry {
        LedgerEntry {
            number: 0,
            previous: String::new(),
            time: "2026-01-02T03:04:05Z".into(),
            event,
            start,
            version: "0.1.0".into(),
            command: vec!["cqa".into(), "run\n".into()],
            folder: "/lab".into(),
            operator: "A. \"B\"".into(),
            reason: "release".into(),
            output: "run1".into(),
            output_sha256: String::new(),
            error: String::new(),
            replaces: String::new(),
        }
    }

    fn ledger() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LEDGER);
        for start in [1, 3] {
            assert_eq!(append(&path, entry(LedgerEvent::Started, 0)).unwrap(), start);
            append(&path, entry(LedgerEvent::Done, start)).unwrap();
        }
        (folder, path)
    }

    #[test]
    fn every_changed_byte_is_found_with_its_line() {
        let (_folder, path) = ledger();
        let whole = fs::read(&path).unwrap();
        let sound = check(&path).unwrap();
        assert!(sound.differences.is_empty() && sound.unfinished().is_empty(), "{sound:?}");
        assert_eq!((sound.entries.len(), sound.head.len()), (4, 64));
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            let found = check(&path).unwrap().differences;
            let line = 1 + whole[..at].iter().filter(|b| **b == b'\n').count();
            let named = found.iter().any(|words| {
                words.starts_with(&format!("line {line}:")) || (at + 1 == whole.len() && words.contains("last line"))
            });
            assert!(named, "byte {at}, line {line}: {found:?}");
        }
    }

    #[test]
    fn removed_moved_and_added_lines_are_found_and_a_cut_tail_shows_in_the_head_only() {
        let (_folder, path) = ledger();
        let whole = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.lines().collect();
        let with = |order: &[usize]| {
            let text: String = order.iter().map(|i| format!("{}\n", lines[*i])).collect();
            fs::write(&path, text).unwrap();
            check(&path).unwrap()
        };
        for order in [&[1, 2, 3][..], &[0, 2, 3], &[0, 1, 3], &[0, 2, 1, 3], &[0, 1, 2, 3, 0], &[0, 0, 1, 2, 3]] {
            assert!(!with(order).differences.is_empty(), "{order:?}");
        }
        let head = with(&[0, 1, 2, 3]).head;
        let cut = with(&[0, 1, 2]);
        assert!(cut.differences.is_empty() && cut.head != head);
        assert_eq!(cut.unfinished(), [3]);
        assert!(!cut.hashes.contains(&head), "whoever kept the head sees it");
    }

    #[test]
    fn a_line_rewritten_with_its_own_hash_breaks_the_next() {
        let (_folder, path) = ledger();
        let whole = fs::read_to_string(&path).unwrap();
        let mut forged = check(&path).unwrap().entries[1].clone();
        forged.reason = "another".into();
        let lines: Vec<&str> = whole.lines().collect();
        fs::write(&path, format!("{}\n{}{}\n{}\n", lines[0], line(&forged).0, lines[2], lines[3])).unwrap();
        let found = check(&path).unwrap().differences;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("line 3: does not follow"), "{found:?}");
    }

    #[test]
    fn a_line_cut_off_stays_as_evidence_and_the_chain_goes_on() {
        let (_folder, path) = ledger();
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 40]).unwrap();
        assert_eq!(append(&path, entry(LedgerEvent::Started, 0)).unwrap(), 4);
        let found = check(&path).unwrap();
        assert!(found.differences.iter().any(|words| words.starts_with("line 4: changed")), "{found:?}");
        fs::write(&path, whole.replace("release", "Release")).unwrap();
        let refused = append(&path, entry(LedgerEvent::Started, 0)).unwrap_err().to_string();
        assert!(refused.contains("not a sound ledger") && refused.contains("move it away"), "{refused}");
    }

    #[test]
    fn two_writers_leave_one_chain() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LEDGER);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10).for_each(|_| assert!(append(&path, entry(LedgerEvent::Started, 0)).is_ok())));
            }
        });
        let checked = check(&path).unwrap();
        assert_eq!((checked.entries.len(), checked.differences.len()), (40, 0), "{:?}", checked.differences);
    }
}
