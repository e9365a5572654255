//! Counts that do not fit into memory: kept in unnamed files on disk and mapped into the process.
//!
//! A lot's entries are written once, right after the lot is read, and from then on paged in by the operating system as the steps
//! pass over them, lot by lot ([`Counts::release`]). The numbers are the same as in memory. The files have no name, so nothing
//! is left behind however the process ends.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::{Mmap, MmapOptions};

use crate::data::{Counts, Lend};
use crate::error::{Error, Result};

/// Where counts are kept.
#[derive(Debug)]
pub struct LotStore {
    /// Bytes of counts that stay in memory; the rest goes to disk.
    max_bytes: u64,
    folder: PathBuf,
    in_memory: AtomicU64,
}

impl LotStore {
    /// Everything stays in memory.
    pub fn in_memory() -> Self {
        Self::new(u64::MAX, Path::new("."))
    }

    /// Up to `max_bytes` of counts stay in memory, what comes after that goes to unnamed files in `folder`.
    pub fn new(max_bytes: u64, folder: &Path) -> Self {
        Self { max_bytes, folder: folder.into(), in_memory: AtomicU64::new(0) }
    }

    /// Keeps a matrix: the same numbers, perhaps elsewhere.
    ///
    /// # Errors
    /// The disk is full or refuses.
    pub fn keep(&self, counts: Counts) -> Result<Counts> {
        let bytes: u64 = counts.entry_bytes().iter().map(|part| part.len() as u64).sum();
        let before = self.in_memory.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.max_bytes || bytes == 0 {
            return Ok(counts);
        }
        self.in_memory.fetch_sub(bytes, Ordering::Relaxed);
        let on_disk = Mapped::write(counts.entry_bytes(), &self.folder).map_err(|e| Error::io(&self.folder, e))?;
        Ok(counts.lend(Arc::new(on_disk)))
    }
}

/// An unnamed file, mapped.
#[derive(Debug)]
struct Mapped(Mmap);

impl Mapped {
    fn write(parts: [&[u8]; 2], folder: &Path) -> std::io::Result<Self> {
        let mut file: File = tempfile::tempfile_in(folder)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        // SAFETY: a mapping is undefined if its file changes under it. This file has no name and its only handle is dropped here,
        // so nobody can change it.
        Ok(Self(unsafe { MmapOptions::new().map(&file)? }))
    }
}

impl Lend for Mapped {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn release(&self) {
        // SAFETY: pages of a shared mapping of a file that are dropped are read from the file again; no value changes.
        // That advice is refused is no fault: the pages then only stay longer.
        #[cfg(unix)]
        let _ = unsafe { self.0.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CountsBuilder;

    fn counts(largest: u32) -> Counts {
        let mut builder = CountsBuilder::new(300);
        for cell in 0..200_u32 {
            let genes: Vec<u32> = (0..300).filter(|gene| (gene * 7 + cell) % 11 == 0).collect();
            let values: Vec<u32> = genes.iter().map(|gene| 1 + (gene + cell) % largest).collect();
            builder.push_row(&genes, &values);
        }
        builder.finish()
    }

    #[test]
    fn counts_on_disk_are_those_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = counts(5).entry_bytes().concat().len() as u64;
        for largest in [5, 100_000] {
            let store = LotStore::new(bytes, folder.path());
            let in_memory = store.keep(counts(5)).unwrap();
            let on_disk = store.keep(counts(largest)).unwrap();
            assert_eq!((&in_memory, &on_disk), (&counts(5), &counts(largest)));
            let keep: Vec<bool> = (0..200).map(|cell| cell % 3 == 0).collect();
            let selected = on_disk.select_cells(&keep);
            on_disk.release();
            assert_eq!(selected, counts(largest).select_cells(&keep));
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file has a name");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let store = LotStore::new(0, Path::new("/no/such/folder"));
        assert!(store.keep(counts(5)).unwrap_err().to_string().contains("/no/such/folder"));
    }
}
