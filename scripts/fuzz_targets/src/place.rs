//! A place for the file that a reader is given.

use std::path::PathBuf;
use std::sync::OnceLock;

/// Writes the bytes to a file of this name in a folder of this process, and gives back its path.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("the temporary folder can be written");
    path
}
