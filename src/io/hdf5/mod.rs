//! HDF5 files as this crate reads them: access by key, conversion of numbers and text, errors that name file and key.
//!
//! `hdf5-reader` does the decoding; it converts no number by itself and lacks the LZF filter, both of which are added here.

mod frame;
mod lzf;
mod matrix;
#[cfg(test)]
mod matrix_tests;
mod numbers;

use std::path::{Path, PathBuf};

use hdf5_reader::{Attribute, Dataset, Datatype, FilterRegistry, Hdf5File, OpenOptions};

pub(super) use frame::Frame;
pub(super) use matrix::{Matrix, NotCounts, Rows};
use numbers::Numbers;

use crate::error::{Error, Result};
use crate::io::ReadParams;

/// Largest piece that is read at once; a file that claims more is damaged.
const MAX_READ_BYTES: usize = 1 << 33;

/// Bytes of a data set that a file may claim whatever its size; beyond, [`ReadParams::max_expansion`] says
/// how many times its size.
const MODEST_BYTES: u64 = if cfg!(test) { 1 << 16 } else { 64 << 20 };

/// An open file.
pub(super) struct H5 {
    path: PathBuf,
    size: u64,
    /// Bytes of a data set that the file may claim.
    most: u64,
    file: Hdf5File,
}

impl H5 {
    /// Opens a file; refuses what is not HDF5.
    pub(super) fn open(path: &Path, params: &ReadParams) -> Result<Self> {
        // The library reports a missing file and a damaged one alike; the operating system knows better.
        let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?.len();
        let claimed = MODEST_BYTES.max(size.saturating_mul(params.max_expansion));
        let most = usize::try_from(claimed).unwrap_or(usize::MAX);
        let mut filters = FilterRegistry::new();
        filters.register(
            lzf::FILTER_LZF,
            Box::new(|filter, data, _| lzf::decode(data, filter.client_data.get(2).copied())),
        );
        let options = OpenOptions::default()
            .with_filter_registry(filters)
            .with_max_chunk_bytes(most.min(hdf5_reader::HDF5_MAX_CHUNK_BYTES))
            .with_max_read_bytes(most.min(MAX_READ_BYTES))
            // Matrices are streamed in whole chunks, each read once.
            .with_chunk_cache_bytes(8 << 20);
        let file = Hdf5File::open_with_options(path, options).map_err(|e| match e {
            hdf5_reader::error::Error::Io(source) => Error::io(path, source),
            hdf5_reader::error::Error::InvalidMagic => {
                Error::format(path, "", "not an HDF5 file; was it cut off, or is it another format by a wrong name?")
            }
            other => Error::format(path, "", format!("can't be opened as HDF5 ({other}; {size} bytes); copy it anew")),
        })?;
        let file = Self { path: path.to_path_buf(), size, most: claimed, file };
        if file.has("row_attrs") && file.has("col_attrs") {
            return Err(file.error(
                "row_attrs",
                "a loom file, which is not read; convert it: anndata.io.read_loom(FILE).write_h5ad(\"lot.h5ad\")",
            ));
        }
        Ok(file)
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// An error at a key of this file.
    pub(super) fn error(&self, key: &str, message: impl Into<String>) -> Error {
        Error::format(&self.path, key, message)
    }

    /// What the library reported, in words of the user.
    fn failed(&self, key: &str, error: hdf5_reader::error::Error) -> Error {
        use hdf5_reader::error::Error as E;
        match error {
            E::Context { source, .. } => self.failed(key, *source),
            E::Io(source) => Error::io(&self.path, source),
            E::GroupNotFound(_) | E::DatasetNotFound(_) => {
                self.error(key, "missing; was the file written to its end? Copy or make it again")
            }
            E::UnsupportedFilter(filter) => self.error(
                key,
                format!(
                    "compressed in a way that is not read ({filter}); write the file anew with gzip or lzf compression"
                ),
            ),
            other => {
                self.error(key, format!("can't be read ({other}); the file is damaged; copy or download it again"))
            }
        }
    }

    /// True if there is a group or a data set of this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.is_group(key) || self.file.dataset(key).is_ok()
    }

    /// True if there is a group of this key.
    pub(super) fn is_group(&self, key: &str) -> bool {
        self.file.group(key).is_ok()
    }

    /// Names of the groups in a group, and of the data sets in it, each sorted. Empty if there is no such group.
    pub(super) fn names(&self, key: &str) -> Result<(Vec<String>, Vec<String>)> {
        let Ok(group) = self.file.group(key) else { return Ok(Default::default()) };
        let (mut groups, mut datasets) = group.member_names().map_err(|e| self.failed(key, e))?;
        groups.sort_unstable();
        datasets.sort_unstable();
        Ok((groups, datasets))
    }

    /// The data set of this key, which must not claim more values than a file of this size can hold.
    pub(super) fn dataset(&self, key: &str) -> Result<Dataset> {
        let dataset = self.file.dataset(key).map_err(|e| self.failed(key, e))?;
        let width = dataset.raw_element_size().map_err(|e| self.failed(key, e))?.max(1) as u64;
        let n_bytes = dataset.shape().iter().try_fold(width, |n, side| n.checked_mul(*side));
        match n_bytes {
            Some(n) if n <= self.most => Ok(dataset),
            _ => Err(self.error(
                key,
                format!(
                    "claims {} values, more than a file of {} bytes is believed to hold; copy it anew, or raise \
                     `read.max_expansion` in the parameters if it is sound",
                    dataset.shape().iter().map(u64::to_string).collect::<Vec<_>>().join(" × "),
                    self.size
                ),
            )),
        }
    }

    /// All strings of a data set of text.
    pub(super) fn strings(&self, key: &str) -> Result<Vec<String>> {
        let dataset = self.dataset(key)?;
        if !is_text(dataset.dtype()) {
            return Err(self.error(key, "holds no text; the names of cells and features must be text"));
        }
        if dataset.shape().contains(&0) {
            return Ok(Vec::new());
        }
        dataset.read_strings().map_err(|e| self.failed(key, e))
    }

    /// All numbers of a data set, which must be whole and not negative.
    pub(super) fn unsigned(&self, key: &str) -> Result<Vec<u64>> {
        let numbers = Numbers::read(self, key)?;
        numbers.to_u64().map_err(|value| self.error(key, format!("holds {value} where a number from 0 is needed")))
    }

    /// Shape and numbers of a dense array of reals.
    pub(super) fn reals(&self, key: &str) -> Result<(Vec<u64>, Vec<f32>)> {
        let shape = self.dataset(key)?.shape().to_vec();
        let mut values = Vec::new();
        Numbers::read(self, key)?.for_each(|value| values.push(value as f32));
        Ok((shape, values))
    }

    fn attribute(&self, key: &str, name: &str) -> Option<Attribute> {
        match self.file.group(key) {
            Ok(group) => group.attribute(name).ok(),
            Err(_) => self.file.dataset(key).ok()?.attribute(name).ok(),
        }
    }

    /// An attribute of one text.
    pub(super) fn text_attribute(&self, key: &str, name: &str) -> Option<String> {
        self.attribute(key, name)?.read_string().ok()
    }

    /// An attribute of several texts; empty if there is none.
    pub(super) fn text_attributes(&self, key: &str, name: &str) -> Vec<String> {
        self.attribute(key, name).and_then(|a| a.read_strings().ok()).unwrap_or_default()
    }

    /// An attribute of whole numbers from 0.
    pub(super) fn unsigned_attribute(&self, key: &str, name: &str) -> Option<Vec<u64>> {
        let attribute = self.attribute(key, name)?;
        Numbers::decode(&attribute.datatype, &attribute.raw_data)?.to_u64().ok()
    }
}

/// True if elements of this type are text.
fn is_text(dtype: &Datatype) -> bool {
    match dtype {
        Datatype::String { .. } => true,
        Datatype::VarLen { base, .. } => base.is_vlen_string_base(),
        _ => false,
    }
}
