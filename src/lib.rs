//! `cqa` finds the hidden critical quality attribute of a cell therapy product from single-cell data of its lots.

#![warn(missing_docs)]

pub mod data;
pub mod error;
pub mod guide;
pub mod io;
pub mod math;
pub mod pipeline;
pub mod progress;
pub mod provenance;
pub mod report;
pub mod simulate;
pub mod steps;
pub mod warning;

pub use error::{Error, Result};
pub use warning::Warning;
