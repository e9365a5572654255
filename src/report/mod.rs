//! Analysis → page: figures as files, and one self-contained report.

pub mod draw;
pub mod plots;
pub mod words;
