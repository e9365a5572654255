//! The one error type: what went wrong, where, and what to do about it.

use std::path::{Path, PathBuf};

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that bad input, a bad parameter or a full disk can cause.
///
/// Variants are cut by what the reader can do about them. A bug is a panic, never an `Error`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to read or write a path.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A text file holds something that can't be understood.
    #[error("{path}, line {line}: {message}", path = path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// A file as a whole, or one key of a structured file, is not as it must be.
    #[error("{path}{}: {message}", if key.is_empty() { String::new() } else { format!(", {key}") }, path = path.display())]
    Format {
        /// The file or folder.
        path: PathBuf,
        /// Place inside the file (HDF5 path, column name); empty for the whole file.
        key: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// A parameter is out of its range.
    #[error("parameter `{name}` is {value}; expected {expected}")]
    Param {
        /// Key in the parameters file, such as `pca.n_components`.
        name: &'static str,
        /// The value given.
        value: String,
        /// The range, in words.
        expected: String,
    },
    /// There is too little data for a step.
    #[error("{what}: {have} found, at least {need} needed; {cure}")]
    TooFew {
        /// What is counted, such as `lots with a value of vegf`.
        what: String,
        /// Number found.
        have: usize,
        /// Number needed.
        need: usize,
        /// What to do.
        cure: String,
    },
    /// Pieces of the input contradict each other.
    #[error("{what}; {cure}")]
    Input {
        /// What is wrong and where.
        what: String,
        /// What to do.
        cure: String,
    },
}

impl Error {
    /// An [`Error::Io`] of this path.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// An [`Error::Parse`] at a line (from 1) of this file.
    pub fn parse(path: &Path, line: u64, message: impl Into<String>) -> Self {
        Self::Parse { path: path.into(), line, message: message.into() }
    }

    /// An [`Error::Format`] at a key of this file; an empty key means the whole file.
    pub fn format(path: &Path, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Format { path: path.into(), key: key.into(), message: message.into() }
    }

    /// An [`Error::Param`].
    pub fn param(name: &'static str, value: impl ToString, expected: impl Into<String>) -> Self {
        Self::Param { name, value: value.to_string(), expected: expected.into() }
    }

    /// An [`Error::Input`].
    pub fn input(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Input { what: what.into(), cure: cure.into() }
    }
}
