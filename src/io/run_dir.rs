//! The run directory: written beside its final name and renamed when whole.

mod claim;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::unfinished::Unfinished;
use crate::data::{LotSheet, LotSource, SheetColumn};
use crate::error::{Error, Result};
use crate::io::tables::unguarded;
use crate::warning::Warning;

pub use claim::Claim;
pub(super) use claim::hidden;

/// A directory that carries its final name only once it is whole.
///
/// Files go into `.NAME.partial-PID` beside the final name. [`PendingDir::finish`] renames it; dropping it without that
/// removes it, so that an error leaves nothing behind. What a killed process left is removed by the next one.
#[derive(Debug)]
pub struct PendingDir {
    partial: PathBuf,
    target: PathBuf,
    replace: bool,
    done: bool,
    unfinished: Unfinished,
    _claim: Claim,
}

impl PendingDir {
    /// Starts a directory that will be `target`. An existing `target` is refused unless `replace` is set; it stays as it is
    /// until [`PendingDir::finish`].
    ///
    /// # Errors
    /// `target` exists and may not be replaced, or the folder above it cannot be written.
    pub fn create(target: &Path, replace: bool) -> Result<Self> {
        let target = &claim::real(target);
        claim::restore(target)?;
        if target.symlink_metadata().is_ok() && !replace {
            return Err(Error::format(target, "", "exists already; choose another name, or replace it with --force"));
        }
        if replace && target.is_dir() && !is_ours(target) {
            return Err(Error::format(
                target,
                "",
                "holds no run.json, so it was not written by this program and is not replaced; choose another name",
            ));
        }
        let name = target.file_name().ok_or_else(|| {
            Error::format(target, "", "is not the name of a directory to write; give a name such as `run1`")
        })?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
        let claim = Claim::new(target)?;
        let partial = parent.join(format!(".{}.partial-{}", name.to_string_lossy(), std::process::id()));
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(|e| Error::io(&partial, e))?;
        }
        let unfinished = Unfinished::register(&partial);
        fs::create_dir(&partial).map_err(|e| Error::io(&partial, e))?;
        Ok(Self { partial, target: target.into(), replace, done: false, unfinished, _claim: claim })
    }

    /// The folder to write into for now.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// Takes over from `earlier` every file that was not written anew, but for those that `drop` names by their paths within it.
    /// No bytes are copied where the file system has links.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn take_over(&self, earlier: &Path, drop: impl Fn(&Path) -> bool) -> Result<()> {
        for name in relative_files(earlier)? {
            let (from, to) = (earlier.join(&name), self.partial.join(&name));
            if drop(&name) || to.exists() {
                continue;
            }
            if let Some(folder) = to.parent() {
                create_folder(folder)?;
            }
            if fs::hard_link(&from, &to).is_err() {
                fs::copy(&from, &to).map_err(|e| Error::io(&from, e))?;
            }
        }
        Ok(())
    }

    /// Gives the directory its final name, after all of it has reached the disk.
    ///
    /// # Errors
    /// The disk is full, or the operating system refuses to rename.
    pub fn finish(mut self) -> Result<()> {
        for name in relative_files(&self.partial)? {
            let path = self.partial.join(name);
            if path.is_symlink() {
                continue;
            }
            File::open(&path).and_then(|file| file.sync_all()).map_err(|e| Error::io(&path, e))?;
        }
        // An interruption waits until the names are as they should be.
        let _uninterrupted = self.unfinished.settle();
        if self.replace && self.target.symlink_metadata().is_ok() {
            let aside = claim::aside(&self.target);
            if swap(&self.partial, &self.target) {
                self.done = true;
                fs::rename(&self.partial, &aside).map_err(|e| Error::io(&self.target, e))?;
                return fs::remove_dir_all(&aside).map_err(|e| Error::io(&aside, e));
            }
            // The earlier result steps aside and goes only after the new one stands in its place.
            fs::rename(&self.target, &aside).map_err(|e| Error::io(&self.target, e))?;
            if let Err(error) = fs::rename(&self.partial, &self.target) {
                let _ = fs::rename(&aside, &self.target);
                return Err(Error::io(&self.target, error));
            }
            self.done = true;
            return fs::remove_dir_all(&aside).map_err(|e| Error::io(&aside, e));
        }
        fs::rename(&self.partial, &self.target).map_err(|e| Error::io(&self.target, e))?;
        self.done = true;
        Ok(())
    }
}

impl Drop for PendingDir {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

/// Two directories change names in one act, so that at no moment the name is nobody's; `false` where the system can't.
#[cfg(target_os = "linux")]
fn swap(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn swap(_: &Path, _: &Path) -> bool {
    false
}

/// Everything below a folder but folders, links included, by sorted relative path.
///
/// # Errors
/// A folder cannot be listed.
pub fn relative_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut out, mut ahead) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(next) = ahead.pop() {
        for entry in fs::read_dir(&next).map_err(|e| Error::io(&next, e))? {
            let entry = entry.map_err(|e| Error::io(&next, e))?;
            let kind = entry.file_type().map_err(|e| Error::io(entry.path(), e))?;
            if kind.is_dir() {
                ahead.push(entry.path());
            } else {
                out.push(entry.path().strip_prefix(folder).expect("listed below the folder").to_path_buf());
            }
        }
    }
    out.sort();
    Ok(out)
}

fn is_ours(target: &Path) -> bool {
    target.join("run.json").exists()
        || target.join("truth.toml").exists()
        || target.join("associations.csv").exists()
        || target.join("power.csv").exists()
        || target.join("reference.json").exists()
        || fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none())
}

/// Writes text to a file by way of a temporary name, so that a reader sees the old or the new text, never a part.
///
/// # Errors
/// The operating system refuses.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    write_bytes(path, text.as_bytes())
}

/// As [`write_text`], for bytes.
///
/// # Errors
/// The operating system refuses.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// As [`write_bytes`], the content written bit by bit.
pub(super) fn write_with(path: &Path, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let _unfinished = Unfinished::register(&partial);
    File::create(&partial).and_then(|mut file| write(&mut file)).map_err(|e| Error::io(&partial, e))?;
    fs::rename(&partial, path).map_err(|e| Error::io(path, e))
}

/// Makes a folder and those above it.
///
/// # Errors
/// The operating system refuses.
pub fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| Error::io(path, e))
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            Error::format(path, "", "not found; give a directory that `cqa cluster` or `cqa run` wrote")
        }
        _ => Error::io(path, e),
    })
}

/// A TOML file as a value; errors name the line.
///
/// # Errors
/// The file cannot be read, or is not as the type wants it.
pub fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    toml::from_str(&text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start].matches('\n').count() as u64 + 1);
        Error::parse(path, line, format!("{}; `cqa params` prints every key with its default", e.message()))
    })
}

/// The parameters of a run directory.
///
/// # Errors
/// As [`read_toml`].
pub fn read_params<T: DeserializeOwned>(run: &Path) -> Result<T> {
    let path = run.join("params.toml");
    read_text(&path)?;
    read_toml(&path)
}

/// What later commands need of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Everything worth knowing before trusting a number.
    pub warnings: Vec<Warning>,
    /// Readouts that have been ranked.
    #[serde(default)]
    pub potency: Vec<String>,
}

/// The record of a run directory.
///
/// # Errors
/// `run.json` is missing or was changed by hand.
pub fn read_record(run: &Path) -> Result<Record> {
    read_json(&run.join("run.json"))
}

/// A JSON file as a value; errors name the line.
///
/// # Errors
/// The file cannot be read, or is not as the type wants it.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|e| Error::parse(path, e.line() as u64, e.to_string()))
}

/// The lot sheet of a run directory, every value as the text it is.
///
/// # Errors
/// `lots.csv` is missing or has lost its columns.
pub fn read_sheet(run: &Path) -> Result<LotSheet> {
    let path = run.join("lots.csv");
    let text = read_text(&path)?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let bad = |e: csv::Error| Error::parse(&path, e.position().map_or(1, csv::Position::line), e.to_string());
    let plain = |record: &csv::StringRecord| record.iter().map(|cell| unguarded(cell).to_string()).collect::<Vec<_>>();
    let header = plain(reader.headers().map_err(bad)?);
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.map(|row| plain(&row))).collect::<std::result::Result<_, _>>().map_err(bad)?;
    let find = |name: &str| header.iter().position(|h| h == name);
    let (Some(lot), Some(file)) = (find("lot"), find("path")) else {
        return Err(Error::format(&path, "", "needs the columns `lot` and `path`"));
    };
    let subset = find("lot_column").zip(find("lot_value"));
    let known = [Some(lot), Some(file), subset.map(|s| s.0), subset.map(|s| s.1)];
    Ok(LotSheet {
        lots: rows
            .iter()
            .map(|row| LotSource {
                lot: row[lot].clone(),
                path: row[file].as_str().into(),
                subset: subset.map(|(c, v)| (row[c].clone(), row[v].clone())).filter(|s| !s.0.is_empty()),
            })
            .collect(),
        columns: (0..header.len())
            .filter(|i| !known.contains(&Some(*i)))
            .map(|i| SheetColumn { name: header[i].clone(), values: rows.iter().map(|r| r[i].clone()).collect() })
            .collect(),
    })
}

#[cfg(test)]
mod tests;
