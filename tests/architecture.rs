//! Promise: the house keeps its shape. Reads the imports and holds the rules of who may know whom.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines.
const MAX_LINES: usize = 400;

/// Room → rooms it may use. `error`, `warning` and `progress` may be used by all.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("math", &[]),
    ("data", &[]),
    ("io", &["data", "math"]),
    ("steps", &["data", "math"]),
    ("simulate", &["data", "math"]),
    ("provenance", &["io", "data"]),
    ("pipeline", &["steps", "data", "io", "math"]),
    ("report", &["pipeline", "steps", "data", "math"]),
    ("output", &["report", "pipeline", "provenance", "steps", "data", "io"]),
    ("error", &[]),
    ("warning", &[]),
    ("progress", &[]),
];

/// What every room may use.
const COMMON: [&str; 5] = ["error", "warning", "progress", "Error", "Warning"];

/// Floors of `steps`; each may use those before it.
const FLOORS: [&str; 5] = ["cells", "clusters", "lots", "markers", "process"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Every source file: path relative to `src` with `/`, and its text.
fn all_files() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    files(&source(), &mut paths);
    assert!(paths.len() > 30, "the sources are found");
    paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(source()).unwrap().to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Code without comments, doc comments and unit tests (at the foot, or in a file of their own).
fn code(name: &str, text: &str) -> String {
    if name.ends_with("/tests.rs") {
        return String::new();
    }
    let body = text.split("#[cfg(test)]").next().unwrap_or("");
    body.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The first two path segments after every `crate::`, imports in braces taken apart.
fn crate_paths(code: &str) -> BTreeSet<(String, String)> {
    let mut out = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // `ro_crate::` is another word.
        if code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let part = &code[at + "crate::".len()..];
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(group) = part.strip_prefix('{') {
            for item in group.split('}').next().unwrap_or("").split(',') {
                let first = word(item.trim());
                out.insert((first, String::new()));
            }
            continue;
        }
        let first = word(part);
        let rest = part[first.len()..].strip_prefix("::").unwrap_or("");
        out.insert((first, word(rest)));
    }
    out
}

fn room(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap()
}

#[test]
fn rooms_know_only_those_they_may() {
    for (name, text) in all_files() {
        let room = room(&name);
        if matches!(room, "lib" | "main" | "cli" | "guide") {
            continue;
        }
        let (_, allowed) = MAY_USE.iter().find(|(r, _)| *r == room).unwrap_or_else(|| panic!("no rule for {name}"));
        for (used, _) in crate_paths(&code(&name, &text)) {
            assert!(
                used == room || COMMON.contains(&used.as_str()) || allowed.contains(&used.as_str()),
                "src/{name} uses crate::{used}; {room} may use {allowed:?}"
            );
        }
    }
}

#[test]
fn floors_never_look_back() {
    for (name, text) in all_files().iter().filter(|(name, _)| name.starts_with("steps/")) {
        let floor = name.split('/').nth(1).unwrap();
        let Some(level) = FLOORS.iter().position(|f| *f == floor) else { continue };
        for (first, second) in crate_paths(&code(name, text)) {
            if first == "steps" {
                let used = FLOORS.iter().position(|f| *f == second);
                assert!(used.is_some_and(|used| used <= level), "src/{name} uses steps::{second}");
            }
        }
    }
}

#[test]
fn the_program_uses_the_public_library_only() {
    for (name, text) in all_files().iter().filter(|(name, _)| name.starts_with("cli/") || name == "main.rs") {
        assert!(!code(name, text).contains("crate::"), "src/{name} reaches into the crate; use cqa:: or super::");
    }
}

#[test]
fn disk_printing_clock_and_environment_stay_in_their_rooms() {
    let rules: [(&[&str], &[&str]); 3] = [
        (&["std::fs", "fs::", "File::open", "File::create"], &["io", "provenance", "cli"]),
        (&["println!", "eprintln!", "print!(", "eprint!("], &["cli", "main"]),
        (&["SystemTime", "Instant::now", "std::env", "num_threads", "available_parallelism"], &["cli"]),
    ];
    for (name, text) in all_files() {
        let code = code(&name, &text);
        for (words, rooms) in rules {
            for word in words {
                // `fs::` alone also ends longer names, such as `knfs::`.
                let used = code
                    .match_indices(word)
                    .any(|(at, _)| !code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_'));
                assert!(!used || rooms.contains(&room(&name)), "src/{name} uses {word}; only {rooms:?} may");
            }
        }
    }
}

#[test]
fn files_are_short_enough_to_have_one_subject() {
    for (name, text) in all_files() {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "src/{name} has {lines} lines; split it by subject (at most {MAX_LINES})");
    }
}

#[test]
fn nothing_is_left_unfinished() {
    for (name, text) in all_files() {
        for word in ["todo!", "unimplemented!", "FIXME", "XXX", "dbg!"] {
            assert!(!text.contains(word), "src/{name} holds {word}");
        }
    }
}
