//! Results of whole steps, kept beside a target that is not whole yet, so that a later run goes on from them.
//!
//! They lie in `.NAME.steps` beside the target, each file bound by its key to the inputs, parameters and program that it was made
//! with, and by a digest to its content: what does not fit, or was cut off, is made anew. The folder goes when the target is whole.

use std::fs;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::run_dir::{hidden, write_with};
use crate::error::{Error, Result};

/// Bytes of a SHA-256.
const HASH: usize = 32;

/// Where whole steps are kept.
#[derive(Debug, Default)]
pub struct Checkpoints {
    /// `None`: nothing is kept.
    folder: Option<PathBuf>,
    key: [u8; HASH],
    reused: Mutex<Vec<String>>,
}

impl Checkpoints {
    /// Keeps nothing and knows nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Keeps the steps of a run that will be `target`. The text `made_of` tells inputs, parameters and program apart. Unless they are to
    /// be gone on from (`resume`), those of an earlier run at this target are dropped.
    ///
    /// # Errors
    /// What was kept earlier cannot be removed.
    pub fn beside(target: &Path, made_of: &str, resume: bool) -> Result<Self> {
        let folder = hidden(target, "steps");
        if !resume && folder.is_dir() {
            fs::remove_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        }
        Ok(Self { folder: Some(folder), key: Sha256::digest(made_of).into(), reused: Mutex::default() })
    }

    /// The result of a step, if it is kept, whole, and made of the same.
    pub fn get<T: DeserializeOwned>(&self, step: &str) -> Option<T> {
        let bytes = fs::read(self.folder.as_ref()?.join(step)).ok()?;
        let (key, rest) = bytes.split_at_checked(HASH)?;
        let (digest, content) = rest.split_at_checked(HASH)?;
        if key != self.key || digest != Sha256::digest(content).as_slice() {
            return None;
        }
        let result = ciborium::from_reader(content).ok()?;
        self.names().push(step.into());
        Some(result)
    }

    /// Keeps the result of a step.
    ///
    /// # Errors
    /// The disk is full or refuses.
    pub fn put<T: Serialize>(&self, step: &str, result: &T) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        write_with(&folder.join(step), |file| {
            file.write_all(&self.key)?;
            file.write_all(&[0; HASH])?;
            // Never whole in memory: where cells are many it is what is short.
            let mut content = BufWriter::new(Hashed { file, digest: Sha256::new() });
            ciborium::into_writer(result, &mut content).map_err(|error| match error {
                ciborium::ser::Error::Io(error) => error,
                ciborium::ser::Error::Value(why) => unreachable!("results of steps are plain data: {why}"),
            })?;
            let Hashed { file, digest } = content.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(HASH as u64))?;
            file.write_all(&digest.finalize())
        })
    }

    /// Steps that were not made anew, in the order they were asked for.
    pub fn reused(&self) -> Vec<String> {
        self.names().clone()
    }

    /// Drops what was kept: the target is whole.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn clear(&self) -> Result<()> {
        match &self.folder {
            Some(folder) if folder.is_dir() => fs::remove_dir_all(folder).map_err(|e| Error::io(folder, e)),
            _ => Ok(()),
        }
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.reused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Digests what it hands on.
struct Hashed<W> {
    file: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.digest.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    type Result3 = (Array2<f32>, Vec<f64>, Option<String>);

    fn result() -> Result3 {
        (array![[1.0, f32::MIN_POSITIVE], [-0.0, 0.1]], vec![0.1 + 0.2, f64::INFINITY, 5e-324], None)
    }

    #[test]
    fn what_is_kept_comes_back_bit_for_bit_and_goes_with_the_target() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("run");
        let kept = Checkpoints::beside(&target, "a", false).unwrap();
        assert!(kept.get::<Result3>("pca").is_none() && !folder.path().join(".run.steps").exists());
        kept.put("pca", &result()).unwrap();
        kept.put("nan", &vec![f32::NAN]).unwrap();
        let again = Checkpoints::beside(&target, "a", true).unwrap();
        let (matrix, numbers, nothing) = again.get::<Result3>("pca").unwrap();
        let bits = |m: &Array2<f32>| m.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!((bits(&matrix), numbers, nothing), (bits(&result().0), result().1, None));
        assert!(again.get::<Vec<f32>>("nan").unwrap()[0].is_nan());
        assert_eq!(again.reused(), ["pca", "nan"]);
        again.clear().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_stale_cut_or_changed_is_never_used() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("run");
        let kept = Checkpoints::beside(&target, "a", false).unwrap();
        kept.put("pca", &result()).unwrap();
        assert!(Checkpoints::beside(&target, "b", true).unwrap().get::<Result3>("pca").is_none(), "of other inputs");
        let path = folder.path().join(".run.steps/pca");
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert!(kept.get::<Result3>("pca").is_none(), "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(kept.get::<Result3>("pca").is_none(), "cut at {at}");
        }
        fs::write(&path, &whole).unwrap();
        assert!(kept.get::<Result3>("pca").is_some());
        Checkpoints::beside(&target, "a", false).unwrap();
        assert!(!path.exists(), "dropped unless it is asked to go on");
        assert!(Checkpoints::none().put("pca", &result()).is_ok());
        assert!(Checkpoints::none().get::<Result3>("pca").is_none());
    }
}
