//! SHA-256 of files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::io::run_dir::relative_files;

/// A file with its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHash {
    /// Path as read, or relative to the run directory; always with `/`.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// Hashes files in parallel; the order stays.
///
/// # Errors
/// A file cannot be read.
pub fn hash_files(paths: &[PathBuf]) -> Result<Vec<FileHash>> {
    paths.par_iter().map(|path| hash_file(path, path)).collect()
}

/// Hashes every file below a folder, sorted by relative path, those named in `skip` left out.
///
/// # Errors
/// A file or folder cannot be read.
pub fn hash_folder(folder: &Path, skip: &[&str]) -> Result<Vec<FileHash>> {
    let mut names = relative_files(folder)?;
    let is_file = |name: &Path| folder.join(name).symlink_metadata().is_ok_and(|entry| entry.is_file());
    names.retain(|name| !skip.iter().any(|s| Path::new(s) == name) && is_file(name));
    names.par_iter().map(|name| hash_file(&folder.join(name), name)).collect()
}

/// SHA-256 of bytes, 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    digits(&Sha256::digest(bytes))
}

fn digits(digest: &[u8]) -> String {
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

pub(super) fn hash_file(path: &Path, name: &Path) -> Result<FileHash> {
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0_u8; 1 << 20];
    loop {
        let n = file.read(&mut buffer).map_err(|e| Error::io(path, e))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        bytes += n as u64;
    }
    let sha256 = digits(&hasher.finalize());
    Ok(FileHash { path: name.to_string_lossy().replace('\\', "/"), bytes, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_digest_and_relative_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        std::fs::write(folder.path().join("b/x.txt"), "abc").unwrap();
        std::fs::write(folder.path().join("a.txt"), "").unwrap();
        std::fs::write(folder.path().join("run.json"), "{}").unwrap();
        let hashes = hash_folder(folder.path(), &["run.json"]).unwrap();
        let names: Vec<&str> = hashes.iter().map(|h| h.path.as_str()).collect();
        assert_eq!(names, ["a.txt", "b/x.txt"]);
        // FIPS 180-2, example B.1.
        assert_eq!(hashes[1].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hashes[1].bytes, 3);
    }
}
