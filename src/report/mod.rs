//! Analysis → page: figures as files, and one self-contained report.
//!
//! Three layers: [`metrics`] says once what each number means, [`sections`] turns results into questions, findings, figures
//! and tables, [`page`] writes them as HTML. All of it is pure: the same results give the same bytes.

pub mod certificate;
pub mod compare;
pub mod draw;
pub mod mapped;
pub mod metrics;
pub mod multiqc;
pub mod page;
pub mod panel;
mod paper;
pub mod plan;
pub mod plots;
pub mod qualification;
pub mod runs;
pub mod screen;
pub mod section;
pub mod sections;
pub mod words;

use crate::pipeline::{Analysis, Ranked};

/// How a run was made; told at the end of the report. Nothing in the results depends on it. What is empty is not told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunFacts {
    /// Version of the program; that of this one where empty.
    pub version: String,
    /// The command line.
    pub command: String,
    /// When the run began.
    pub started: String,
    /// How long it took.
    pub seconds: Option<f64>,
    /// Threads used.
    pub n_threads: Option<usize>,
    /// Files read: path and SHA-256.
    pub inputs: Vec<(String, String)>,
}

impl RunFacts {
    /// The version of the program that made the run; that of this program where it is not told.
    pub fn version_or_own(&self) -> &str {
        if self.version.is_empty() { env!("CARGO_PKG_VERSION") } else { &self.version }
    }
}

/// The report: one HTML page that needs nothing beside it. Links to tables and figures are relative to the run directory.
pub fn html(analysis: &Analysis, ranked: &[Ranked], facts: &RunFacts) -> String {
    let title = if ranked.is_empty() { "What the lots consist of" } else { "Which cells go with the potency?" };
    page::render(title, &sections::all(analysis, ranked, facts))
}
