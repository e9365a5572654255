#![doc = include_str!("../README.md")]
//! # The house
//!
//! ```text
//!  main.rs + cli ─► public API of the library only
//!  output ─► report ─► pipeline ─► steps ─► data ◄─ io          provenance: io, data
//!                         └────────► math ◄─┘                   simulate:   data, math
//!  inside steps:  cells ◄─ clusters ◄─ lots ◄─ markers           (never back)
//! ```
//!
//! [`pipeline`] tells the story; [`steps`] are its verbs, [`data`] its nouns, [`math`] its numbers; [`io`] touches the disk.

#![warn(missing_docs)]

pub mod data;
pub mod error;
pub mod guide;
pub mod io;
pub mod math;
pub mod output;
pub mod pipeline;
pub mod progress;
pub mod provenance;
pub mod report;
pub mod simulate;
pub mod steps;
pub mod warning;

pub use error::{Error, Result};
pub use warning::Warning;
