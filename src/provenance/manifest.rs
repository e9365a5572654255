//! The manifest of a locked folder: the hash of every file, and one hash of all.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{FileHash, RECORD_FILES, hash_folder, sha256};
use crate::error::{Error, Result};
use crate::io::run_dir;

/// Name of the manifest in its folder.
pub const MANIFEST: &str = "reference.json";
/// Version of the layout of the folder.
const FORMAT: u32 = 1;

/// What `reference.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the layout.
    pub format: u32,
    /// Always `cqa`.
    pub program: String,
    /// Version of the program that wrote the folder.
    pub version: String,
    /// SHA-256 of the text of this manifest with this field empty: one hash of everything.
    pub hash: String,
    /// Every parameter, defaults spelled out.
    pub params: serde_json::Value,
    /// The folder in a few numbers.
    pub summary: serde_json::Value,
    /// Every file but this one and those that hold times (`run.json`, `ro-crate-metadata.json`), sorted by path.
    pub files: Vec<FileHash>,
}

/// The manifest's own hash as it stands in its text; keys are sorted, and no earlier one bears this name.
fn own_hash(hash: &str) -> String {
    format!("\"hash\": \"{hash}\"")
}

fn skipped() -> Vec<&'static str> {
    RECORD_FILES.into_iter().chain([MANIFEST]).collect()
}

/// Hashes what lies in the folder and writes the manifest into it; gives back the hash of all.
///
/// # Errors
/// A file cannot be read or written.
pub fn seal(folder: &Path, params: serde_json::Value, summary: serde_json::Value) -> Result<String> {
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        hash: String::new(),
        params,
        summary,
        files: hash_folder(folder, &skipped())?,
    };
    let value = serde_json::to_value(&manifest).expect("a manifest is plain data");
    let text = format!("{value:#}\n");
    let hash = sha256(text.as_bytes());
    run_dir::write_text(&folder.join(MANIFEST), &text.replacen(&own_hash(""), &own_hash(&hash), 1))?;
    Ok(hash)
}

/// Holds a folder against its manifest, before anything else of it is read.
///
/// # Errors
/// - there is no manifest, or it was changed
/// - a file is changed, missing, or not of the folder; the message names it
pub fn verify(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    if !path.exists() {
        return Err(Error::format(folder, "", format!("holds no {MANIFEST}; give a folder that `cqa freeze` wrote")));
    }
    let manifest: Manifest = run_dir::read_json(&path)?;
    if manifest.format > FORMAT {
        return Err(Error::format(
            &path,
            "format",
            format!(
                "{}, but this program reads up to {FORMAT}; use cqa {} or later",
                manifest.format, manifest.version
            ),
        ));
    }
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
    if manifest.hash != sha256(text.replacen(&own_hash(&manifest.hash), &own_hash(""), 1).as_bytes()) {
        return Err(changed(&path, "changed since the reference was frozen: its hash is not that of its text"));
    }
    let found = hash_folder(folder, &skipped())?;
    let of = |files: &[FileHash], name: &str| files.iter().find(|file| file.path == name).cloned();
    for file in &manifest.files {
        match of(&found, &file.path) {
            None => return Err(changed(&folder.join(&file.path), "missing from the reference")),
            Some(now) if now.sha256 != file.sha256 => {
                return Err(changed(&folder.join(&file.path), "changed since the reference was frozen"));
            }
            Some(_) => {}
        }
    }
    match found.iter().find(|file| of(&manifest.files, &file.path).is_none()) {
        Some(extra) => Err(changed(&folder.join(&extra.path), "not of the reference; put it elsewhere")),
        None => Ok(manifest),
    }
}

fn changed(path: &Path, what: &str) -> Error {
    Error::format(
        path,
        "",
        format!("{what}. Nothing was mapped; take the reference from where it is kept safe, or freeze it again"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn sealed() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), "1\n").unwrap();
        fs::write(folder.path().join("b.csv"), "2\n").unwrap();
        fs::write(folder.path().join("run.json"), "{}").unwrap();
        let hash =
            seal(folder.path(), serde_json::json!({"x": 0.1 + 0.2, "y": 1.5}), serde_json::json!({"lots": 3})).unwrap();
        (folder, hash)
    }

    #[test]
    fn an_untouched_folder_is_verified_and_its_hash_is_of_its_content() {
        let (folder, hash) = sealed();
        let manifest = verify(folder.path()).unwrap();
        assert_eq!((manifest.hash.as_str(), manifest.files.len(), hash.len()), (hash.as_str(), 2, 64));
        assert_eq!(sealed().1, hash, "the same content has the same hash");
        // Times may differ.
        fs::write(folder.path().join("run.json"), "{\"later\": true}").unwrap();
        verify(folder.path()).unwrap();
    }

    #[test]
    fn whatever_was_touched_is_named() {
        let touch = |touch: &dyn Fn(&Path), name: &str, word: &str| {
            let (folder, _) = sealed();
            touch(folder.path());
            let message = verify(folder.path()).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(word), "{message}");
        };
        touch(&|f| fs::write(f.join("b.csv"), "3\n").unwrap(), "b.csv", "changed");
        touch(&|f| fs::remove_file(f.join("a.csv")).unwrap(), "a.csv", "missing");
        touch(&|f| fs::write(f.join("c.csv"), "").unwrap(), "c.csv", "not of the reference");
        touch(&|f| fs::remove_file(f.join(MANIFEST)).unwrap(), "holds no reference.json", "cqa freeze");
        let edit = |from: &'static str, to: &'static str| {
            move |f: &Path| {
                let text = fs::read_to_string(f.join(MANIFEST)).unwrap();
                assert!(text.contains(from), "{text}");
                fs::write(f.join(MANIFEST), text.replace(from, to)).unwrap();
            }
        };
        touch(&edit("\"y\": 1.5", "\"y\": 1.25"), MANIFEST, "changed");
        touch(&edit("\"format\": 1", "\"format\": 9"), MANIFEST, "use cqa");
    }
}
