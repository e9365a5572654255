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

/// Code without comments, text and characters in quotes, and what is compiled for tests only.
fn code(name: &str, text: &str) -> String {
    if name.ends_with("/tests.rs") { String::new() } else { without_tests(&without_words(text)) }
}

/// Code with comments, strings and characters blanked out, so that what is left in braces is code.
fn without_words(text: &str) -> String {
    let at = |i: usize| text[i..].chars().next();
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while let Some(c) = at(i) {
        let rest = &text[i..];
        let raw = rest.trim_start_matches('b').strip_prefix('r').filter(|_| !is_word(out.chars().next_back()));
        let hashes = raw.map(|r| r.chars().take_while(|c| *c == '#').count());
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let (Some(raw), Some(n)) = (raw, hashes)
            && raw[n..].starts_with('"')
        {
            let close = format!("\"{}", "#".repeat(n));
            let start = rest.len() - raw.len() + n + 1;
            rest[start..].find(&close).map_or(rest.len(), |end| start + end + close.len())
        } else if c == '"' {
            1 + end_of_quote(&rest[1..], '"')
        } else if rest.starts_with("'\\") || (c == '\'' && rest.chars().nth(2) == Some('\'')) {
            1 + end_of_quote(&rest[1..], '\'')
        } else {
            out.push(c);
            i += c.len_utf8();
            continue;
        };
        out.push(' ');
        i += skip;
    }
    out
}

/// Just behind the quote that ends a text, past those that are escaped.
fn end_of_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return i + 1,
            _ => {}
        }
    }
    text.len()
}

/// Cuts every item marked `#[cfg(test)]`: up to its closing brace, or to its semicolon.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::new();
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let item = &rest[at + MARK.len()..];
        let mut depth = 0;
        let end = item.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth == 0 && matches!(c, '}' | ';')
        });
        rest = end.map_or("", |(end, _)| &item[end + 1..]);
    }
    out + rest
}

/// Where a file stands among the modules.
fn module(name: &str) -> Vec<String> {
    let name = name.strip_suffix(".rs").unwrap();
    let name = name.strip_suffix("/mod").unwrap_or(name);
    if matches!(name, "lib" | "main") { Vec::new() } else { name.split('/').map(String::from).collect() }
}

/// Every path from the root of the crate that the code names by `crate::` or `super::`, groups taken apart.
fn crate_paths(name: &str, code: &str) -> BTreeSet<Vec<String>> {
    let mut out = BTreeSet::new();
    for (at, start) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        // `ro_crate::` is another word; a `super::` behind another one is read with it.
        if code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
            continue;
        }
        let (mut base, mut rest) = (Vec::new(), &code[at..]);
        if start == "super::" {
            base = module(name);
            while let Some(above) = rest.strip_prefix("super::") {
                base.pop();
                rest = above;
            }
        } else {
            rest = &rest[start.len()..];
        }
        take_apart(&base, rest, &mut out);
    }
    out
}

/// Adds every path of a tree such as `a::{self, b::{c, d}, e::*}`, which may go on behind it.
fn take_apart(base: &[String], tree: &str, out: &mut BTreeSet<Vec<String>>) {
    let tree = tree.trim_start();
    if let Some(group) = tree.strip_prefix('{') {
        let (mut depth, mut from) = (0, 0);
        for (i, c) in group.char_indices() {
            match c {
                ',' | '}' if depth == 0 => {
                    take_apart(base, &group[from..i], out);
                    from = i + 1;
                    if c == '}' {
                        return;
                    }
                }
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
        }
        return;
    }
    let word: String = tree.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '*')).collect();
    let mut path = base.to_vec();
    if !matches!(word.as_str(), "self" | "") {
        path.push(word.clone());
    }
    match tree[word.len()..].strip_prefix("::") {
        Some(rest) if rest.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '{' | '*')) => {
            take_apart(&path, rest, out);
        }
        _ if word.is_empty() => {}
        _ => {
            out.insert(path);
        }
    }
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
        for path in crate_paths(&name, &code(&name, &text)) {
            let Some(used) = path.first() else { continue };
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
        for path in
            crate_paths(name, &code(name, text)).iter().filter(|path| path.first().is_some_and(|room| room == "steps"))
        {
            let used = path.get(1).and_then(|used| FLOORS.iter().position(|floor| floor == used));
            assert!(used.is_some_and(|used| used <= level), "src/{name} uses {}", path.join("::"));
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
        (&["println!", "eprintln!", "print!(", "eprint!(", "stdout()", "stderr()"], &["cli", "main"]),
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

/// What the rules above see is only as good as what is read out of the code.
#[test]
fn paths_are_read_out_of_code_and_not_out_of_words() {
    let text = r###"
//! crate::comment
#[cfg(test)]
use crate::only_in_tests::{a, b};
use crate::{math::{knn, self, ranks::*}, data, io::{h5ad::{read, write}, tables}};
/* crate::also_comment { */
fn f<'a>(x: &'a str) -> char { super::super::up::g("crate::text { \" //", r#"crate::raw " {"#, '{', '\''); '"' }
#[cfg(test)]
mod tests { use crate::in_tests; fn g() { if true {} } }
fn h() { super::near(crate::error::Error::new::<u8>(ro_crate::x)); crate::last() }
"###;
    let paths = crate_paths("steps/lots/file.rs", &code("steps/lots/file.rs", text));
    let found: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
    let expected = [
        "data",
        "error::Error::new",
        "io::h5ad::read",
        "io::h5ad::write",
        "io::tables",
        "last",
        "math",
        "math::knn",
        "math::ranks::*",
        "steps::lots::near",
        "steps::up::g",
    ];
    assert_eq!(found, expected);
    assert_eq!(module("steps/lots/mod.rs"), ["steps", "lots"]);
    assert_eq!(module("pipeline.rs"), ["pipeline"]);
}
