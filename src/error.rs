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
    #[error("{path}: {source}; {cure}", path = path.display(), cure = cure(source))]
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

/// What to do about what the operating system said.
fn cure(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound => "mend the path, or put the file there",
        Kind::PermissionDenied => "ask its owner for the right, or choose another place",
        Kind::ReadOnlyFilesystem => "nothing can be written there; choose another place",
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
            "make room, or choose another disk; what was there before is as it was"
        }
        Kind::IsADirectory => "this is a folder; give the file in it",
        Kind::NotADirectory => "a file stands where a folder is needed; choose another path",
        Kind::UnexpectedEof | Kind::InvalidData => "the file is damaged; copy or download it again",
        // Of Linux and of macOS; the kind has no name yet.
        _ if matches!(error.raw_os_error(), Some(40 | 62)) => "links lead round in a circle; put the file itself there",
        _ => "look whether disk and network are sound, then try again",
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error as Io, ErrorKind};

    #[test]
    fn what_the_system_says_comes_with_a_cure() {
        for (kind, words) in [
            (ErrorKind::NotFound, "mend the path"),
            (ErrorKind::PermissionDenied, "the right"),
            (ErrorKind::StorageFull, "make room"),
            (ErrorKind::ReadOnlyFilesystem, "another place"),
            (ErrorKind::Other, "try again"),
        ] {
            let message = Error::io("lots.csv", Io::from(kind)).to_string();
            assert!(message.starts_with("lots.csv: ") && message.contains(words), "{message}");
        }
    }
}
