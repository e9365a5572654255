//! A directory held against its record: what was changed, is missing, or was added.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::hash::hash_file;
use super::{FileHash, MANIFEST, RECORD_FILES, RunRecord, hash_folder, manifest, own_hash, sha256};
use crate::error::{Error, Result};
use crate::io::run_dir::relative_files;

/// What a directory looks like beside its record.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The directory.
    pub folder: PathBuf,
    /// Inputs that are as they were.
    pub n_inputs: usize,
    /// Outputs that are as they were.
    pub n_outputs: usize,
    /// What is not: file and what is wrong with it, records first, then outputs, then inputs.
    pub differences: Vec<String>,
    /// The record, if it can be read.
    pub record: Option<RunRecord>,
    /// Directories inside with records of their own.
    pub inside: Vec<Checked>,
}

impl Checked {
    /// What differs here and inside.
    pub fn n_differences(&self) -> usize {
        self.differences.len() + self.inside.iter().map(Checked::n_differences).sum::<usize>()
    }
}

/// Folders of these files that have a record of their own; what is below those is theirs.
fn nested(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = Vec::new();
    for file in files {
        let Some(parent) = file.parent().filter(|parent| !parent.as_os_str().is_empty()) else { continue };
        if file.file_name().is_some_and(|name| name == "run.json") && !out.iter().any(|known| parent.starts_with(known))
        {
            out.retain(|known| !known.starts_with(parent));
            out.push(parent.to_path_buf());
        }
    }
    out.sort();
    out
}

/// Files of a run directory that its record tells of: all but the record itself and what has a record of its own.
pub(super) fn own_files(run: &Path) -> Result<Vec<FileHash>> {
    let nested = nested(&relative_files(run)?);
    let mut files = hash_folder(run, &RECORD_FILES)?;
    files.retain(|file| !nested.iter().any(|folder| Path::new(&file.path).starts_with(folder)));
    Ok(files)
}

/// Holds every input and output of a run, a reference or another command's directory against its record.
///
/// Inputs with a relative path are looked for in the folders that the commands ran in, then in `here`.
///
/// # Errors
/// There is no record, or a folder cannot be read. What differs is no error: it is in the result.
pub fn check_run(run: &Path, here: &Path) -> Result<Checked> {
    let path = run.join("run.json");
    let bytes = std::fs::read(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            Error::format(run, "", "holds no run.json; give a directory that this program wrote")
        }
        _ => Error::io(&path, e),
    })?;
    let mut checked = Checked { folder: run.into(), ..Checked::default() };
    let files = relative_files(run)?;
    for folder in nested(&files) {
        checked.inside.push(check_run(&run.join(folder), here)?);
    }
    let record: RunRecord = match serde_json::from_slice(&bytes) {
        Ok(record) => record,
        Err(e) => {
            checked.differences.push(format!("record run.json: changed; it is not understood any more ({e})"));
            return Ok(checked);
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let hash = &record.execution.record_sha256;
    if hash.is_empty() {
        checked
            .differences
            .push("record run.json: bears no hash of itself, so it was changed or is of an old version".into());
    } else if *hash != sha256(text.replacen(&own_hash(hash), &own_hash(""), 1).as_bytes()) {
        checked.differences.push("record run.json: changed; its hash is not that of its text".into());
    }
    let crate_file =
        FileHash { path: RECORD_FILES[1].into(), bytes: 0, sha256: record.execution.ro_crate_sha256.clone() };
    if let Some(words) = held_against(&run.join(&crate_file.path), &crate_file) {
        checked.differences.push(format!("record {}: {words}", crate_file.path));
    }
    if run.join(MANIFEST).exists()
        && let Err(error) = manifest::verify(run)
    {
        checked.differences.push(format!("record {MANIFEST}: {error}"));
    }
    outputs(run, &files, &record, &mut checked);
    let found: Vec<Option<String>> = record.inputs.par_iter().map(|file| input(file, &record, here)).collect();
    checked.n_inputs = found.iter().filter(|found| found.is_none()).count();
    checked.differences.extend(found.into_iter().flatten());
    checked.record = Some(record);
    Ok(checked)
}

fn outputs(run: &Path, files: &[PathBuf], record: &RunRecord, checked: &mut Checked) {
    let words: Vec<Option<String>> =
        record.outputs.par_iter().map(|file| held_against(&run.join(&file.path), file)).collect();
    let known: BTreeSet<&str> = record.outputs.iter().map(|file| file.path.as_str()).collect();
    for (file, words) in record.outputs.iter().zip(words) {
        match words {
            Some(words) => checked.differences.push(format!("output {}: {words}", file.path)),
            None => checked.n_outputs += 1,
        }
    }
    let inside: Vec<PathBuf> = checked.inside.iter().map(|inside| inside.folder.clone()).collect();
    for file in files {
        let name = file.to_string_lossy().replace('\\', "/");
        let of_others = inside.iter().any(|folder| run.join(file).starts_with(folder));
        if !of_others && !RECORD_FILES.contains(&name.as_str()) && !known.contains(name.as_str()) {
            checked.differences.push(format!("output {name}: added; it is not on record"));
        }
    }
}

/// What is wrong with an input; `None` if it is as it was.
fn input(file: &FileHash, record: &RunRecord, here: &Path) -> Option<String> {
    // Each command that made the directory had its folder. Joined to an absolute path, a folder has no say.
    let folders = record.execution.before.iter().map(|earlier| &earlier.folder).chain([&record.execution.folder]);
    let mut places: Vec<PathBuf> = folders.map(|folder| Path::new(folder).join(&file.path)).collect();
    let first = places[0].clone();
    places.push(here.join(&file.path));
    places.retain(|place| place.exists());
    let wrong: Vec<String> = places.iter().map_while(|place| held_against(place, file)).collect();
    match (places.first(), wrong.first()) {
        (None, _) => Some(format!("input {}: no longer there (looked for {})", file.path, first.display())),
        (Some(place), Some(words)) if wrong.len() == places.len() => {
            Some(format!("input {}: {words} ({})", file.path, place.display()))
        }
        _ => None,
    }
}

/// How a file differs from what is on record of it.
fn held_against(path: &Path, then: &FileHash) -> Option<String> {
    if path.symlink_metadata().is_err() {
        return Some("missing".into());
    }
    match hash_file(path, path) {
        Err(error) => Some(format!("cannot be read ({error})")),
        Ok(now) if now.sha256 != then.sha256 => Some("changed".into()),
        Ok(_) => None,
    }
}

/// Files of two sets of outputs that are not the same, by name.
pub fn unlike(recorded: &[FileHash], again: &[FileHash]) -> Vec<String> {
    let of = |files: &[FileHash]| -> BTreeMap<String, String> {
        files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect()
    };
    let (recorded, again) = (of(recorded), of(again));
    let mut out = Vec::new();
    for (name, hash) in &recorded {
        match again.get(name) {
            None => out.push(format!("output {name}: not made again")),
            Some(now) if now != hash => out.push(format!("output {name}: made again with other bytes")),
            Some(_) => {}
        }
    }
    let new = again.keys().filter(|name| !recorded.contains_key(*name));
    out.extend(new.map(|name| format!("output {name}: made now, but not on record")));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::{Execution, hash_files, write_record};
    use std::fs;

    fn run() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("in.csv"), "lot,path\n").unwrap();
        let run = folder.path().join("run");
        fs::create_dir_all(run.join("rank/x")).unwrap();
        fs::write(run.join("a.csv"), "1\n").unwrap();
        fs::write(run.join("rank/x/b.csv"), "2\n").unwrap();
        let mut inputs = hash_files(&[folder.path().join("in.csv")]).unwrap();
        inputs[0].path = "in.csv".into();
        let record = RunRecord {
            program: "cqa".into(),
            version: "0".into(),
            seed: 1,
            params: serde_json::json!({"x": 1.5}),
            potency: vec!["\"record_sha256\": \"\"".into()],
            warnings: Vec::new(),
            ranking_warnings: Vec::new(),
            inputs,
            outputs: Vec::new(),
            execution: Execution { folder: folder.path().to_string_lossy().into(), ..Execution::default() },
        };
        write_record(&run, record).unwrap();
        (folder, run)
    }

    fn differences(run: &Path) -> Vec<String> {
        check_run(run, Path::new("/")).unwrap().differences
    }

    #[test]
    fn every_changed_byte_of_any_file_is_found_and_named() {
        let (folder, run) = run();
        let checked = check_run(&run, Path::new("/")).unwrap();
        assert_eq!((checked.n_differences(), checked.n_outputs, checked.n_inputs), (0, 2, 1), "{checked:?}");
        let files = ["run/run.json", "run/ro-crate-metadata.json", "run/a.csv", "run/rank/x/b.csv", "in.csv"];
        for name in files {
            let path = folder.path().join(name);
            let whole = fs::read(&path).unwrap();
            for at in 0..whole.len() {
                let mut bytes = whole.clone();
                bytes[at] ^= 1;
                fs::write(&path, bytes).unwrap();
                let found = differences(&run);
                let short = name.strip_prefix("run/").unwrap_or(name);
                assert!(found.iter().any(|line| line.contains(short)), "byte {at} of {name}: {found:?}");
                if name != "run/run.json" {
                    assert_eq!(found.len(), 1, "{found:?}");
                }
            }
            fs::write(&path, whole).unwrap();
        }
        assert!(differences(&run).is_empty());
    }

    #[test]
    fn what_is_missing_or_added_is_named_and_a_folder_with_its_own_record_is_held_against_that() {
        let (folder, run) = run();
        fs::create_dir_all(run.join("panel/2")).unwrap();
        fs::write(run.join("panel/2/panels.csv"), "rank\n").unwrap();
        let record = check_run(&run, Path::new("/")).unwrap().record.unwrap();
        write_record(&run.join("panel/2"), record).unwrap();
        let checked = check_run(&run, Path::new("/")).unwrap();
        assert_eq!((checked.n_differences(), checked.inside.len()), (0, 1), "{checked:?}");
        fs::write(run.join("panel/2/panels.csv"), "RANK\n").unwrap();
        let checked = check_run(&run, Path::new("/")).unwrap();
        assert_eq!((checked.differences.len(), checked.n_differences()), (0, 1));
        fs::write(run.join("new.csv"), "").unwrap();
        fs::remove_file(run.join("a.csv")).unwrap();
        fs::remove_file(folder.path().join("in.csv")).unwrap();
        let found = differences(&run).join("\n");
        for words in ["new.csv: added", "a.csv: missing", "in.csv: no longer there"] {
            assert!(found.contains(words), "{found}");
        }
        assert!(check_run(folder.path(), Path::new("/")).unwrap_err().to_string().contains("no run.json"));
    }

    #[test]
    fn outputs_made_again_are_compared_by_name() {
        let file = |path: &str, sha256: &str| FileHash { path: path.into(), bytes: 1, sha256: sha256.into() };
        let (then, now) =
            ([file("a", "1"), file("b", "2"), file("c", "3")], [file("a", "1"), file("b", "9"), file("d", "4")]);
        let lines = unlike(&then, &now);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(
            lines[0].contains("b: made again with other")
                && lines[1].contains("c: not made")
                && lines[2].contains("d:")
        );
    }
}
