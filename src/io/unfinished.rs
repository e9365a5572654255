//! What is being written at this moment, so that an interruption can take it away.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

static PATHS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn paths() -> MutexGuard<'static, Vec<PathBuf>> {
    PATHS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path that is on its way; dropped when it is whole or gone.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// Announces a file or directory that is about to be made.
    pub(super) fn register(path: &Path) -> Self {
        paths().push(path.into());
        Self(path.into())
    }

    /// From here on the path is no longer on its way; an interruption waits until the guard is dropped.
    pub(super) fn settle(&self) -> MutexGuard<'static, Vec<PathBuf>> {
        let mut all = paths();
        all.retain(|path| *path != self.0);
        all
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        paths().retain(|path| *path != self.0);
    }
}

/// Removes every file and directory that is not whole yet. For a program that is about to end: what is written by other threads
/// fails from now on.
pub fn remove_unfinished() {
    let all = paths();
    for path in all.iter() {
        // A file may be made within a directory while it is taken away.
        for _ in 0..100 {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            if !path.exists() {
                break;
            }
            sleep(Duration::from_millis(10));
        }
    }
    // Nothing new begins: the lock is kept until the program ends.
    std::mem::forget(all);
}
