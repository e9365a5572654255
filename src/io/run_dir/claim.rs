//! One writer per target: a claim that other processes see, and that ends with this one however it ends.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::io::unfinished::Unfinished;

/// Targets that this process has claimed.
static HELD: Mutex<BTreeMap<PathBuf, Held>> = Mutex::new(BTreeMap::new());

/// A claimed target.
struct Held {
    n_claims: usize,
    /// `None` where the file system knows no locks.
    lock: Option<File>,
    /// The lock's file goes when the program is interrupted.
    _unfinished: Unfinished,
}

/// The right to write a target; other processes are refused until it is dropped, or the process has ended or was killed.
///
/// It is a lock on `.NAME.lock` beside the target. Whoever has it knows that no one else writes, so that it clears away what a
/// killed process left behind.
#[derive(Debug)]
#[must_use = "the target is free again when the claim is dropped"]
pub struct Claim {
    target: PathBuf,
}

impl Claim {
    /// Claims a target. A process may claim it several times.
    ///
    /// # Errors
    /// Another process is writing it, or the folder cannot be written.
    pub fn new(target: &Path) -> Result<Self> {
        let target = std::path::absolute(real(target)).map_err(|e| Error::io(target, e))?;
        let mut held = held();
        if let Some(held) = held.get_mut(&target) {
            held.n_claims += 1;
            return Ok(Self { target });
        }
        let lock = lock(&target)?;
        let _unfinished = Unfinished::register(&hidden(&target, "lock"));
        let cleaned = if lock.is_some() { clean(&target) } else { Ok(()) };
        held.insert(target.clone(), Held { n_claims: 1, lock, _unfinished });
        drop(held);
        let claim = Self { target };
        cleaned.map(|()| claim)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = held();
        let Some(claimed) = held.get_mut(&self.target) else { return };
        claimed.n_claims -= 1;
        if claimed.n_claims == 0 {
            // The name goes before the lock, so that no one can hold a lock without a name.
            if claimed.lock.is_some() {
                let _ = fs::remove_file(hidden(&self.target, "lock"));
            }
            held.remove(&self.target);
        }
    }
}

fn held() -> MutexGuard<'static, BTreeMap<PathBuf, Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `.NAME.ending` beside a target.
pub(in crate::io) fn hidden(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{ending}"))
}

/// The directory itself where a link, or a name such as `.`, stands for it.
pub(super) fn real(target: &Path) -> PathBuf {
    let stands_for_it = target.is_symlink() || target.file_name().is_none();
    let real = if stands_for_it { fs::canonicalize(target).ok() } else { None };
    real.unwrap_or_else(|| target.into())
}

/// Where an earlier result waits while the new one takes its name.
pub(super) fn aside(target: &Path) -> PathBuf {
    hidden(target, "replaced")
}

/// Gives an earlier result its name back if a process was killed before the new one had it.
pub(super) fn restore(target: &Path) -> Result<()> {
    let aside = aside(target);
    if aside.is_dir() && target.symlink_metadata().is_err() {
        let _claim = Claim::new(target)?;
        fs::rename(&aside, target).map_err(|e| Error::io(&aside, e))?;
    }
    Ok(())
}

/// Locks the target; `None` where the file system knows no locks.
fn lock(target: &Path) -> Result<Option<File>> {
    let path = hidden(target, "lock");
    loop {
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(|e| Error::io(target, e))?;
        match file.try_lock() {
            Ok(()) if same(&file, &path) => return Ok(Some(file)),
            // Its last holder has just removed it.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::format(
                    target,
                    "",
                    "is being written by another run at this moment; wait for its end, or choose another name",
                ));
            }
            Err(TryLockError::Error(_)) => {
                let _ = fs::remove_file(&path);
                return Ok(None);
            }
        }
    }
}

/// True if the open file is still the one of this name.
#[cfg(unix)]
fn same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let of = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(of).ok() == path.metadata().map(of).ok()
}

/// Elsewhere an open file keeps its name.
#[cfg(not(unix))]
fn same(_: &File, _: &Path) -> bool {
    true
}

/// Removes what killed processes left behind.
fn clean(target: &Path) -> Result<()> {
    let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else { return Ok(()) };
    let partial = format!(".{}.partial-", name.to_string_lossy());
    for entry in fs::read_dir(parent).map_err(|e| Error::io(parent, e))? {
        let entry = entry.map_err(|e| Error::io(parent, e))?;
        let is_partial = entry.file_name().to_string_lossy().strip_prefix(&partial).is_some_and(is_number);
        if is_partial && entry.path().is_dir() {
            fs::remove_dir_all(entry.path()).map_err(|e| Error::io(entry.path(), e))?;
        }
    }
    let aside = aside(target);
    if aside.is_dir() && target.symlink_metadata().is_ok() {
        fs::remove_dir_all(&aside).map_err(|e| Error::io(&aside, e))?;
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
