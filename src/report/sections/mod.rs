//! The sections of the report, in reading order.

mod answer;
mod association;
mod candidates;
mod clusters;
mod composition;
mod confounding;
mod deviation;
mod leave_one_out;
mod map;
mod methods;
mod neighborhoods;
mod provenance;
mod quality;
mod sensitivity;
mod verdicts;

use super::RunFacts;
use super::plots::potency::file_stem;
use super::section::Section;
use crate::pipeline::{Analysis, Ranked};

/// All sections: the answer, its evidence, how it was made.
pub fn all(analysis: &Analysis, ranked: &[Ranked], facts: &RunFacts) -> Vec<Section> {
    let mut sections = vec![answer::section(analysis, ranked)];
    for one in ranked {
        sections.push(association::section(analysis, one));
        sections.push(candidates::section(analysis, one));
    }
    sections.push(composition::section(analysis));
    sections.extend(map::section(analysis, ranked));
    sections.push(clusters::section(analysis));
    sections.push(quality::section(analysis));
    for one in ranked {
        sections.extend(leave_one_out::section(analysis, one));
        sections.extend(sensitivity::section(analysis, one));
        sections.extend(confounding::section(analysis, one));
        sections.extend(neighborhoods::section(analysis, one));
    }
    sections.push(deviation::section(analysis));
    sections.extend(clusters::resolution(analysis));
    sections.push(methods::section(analysis, ranked, facts));
    sections.push(provenance::section(analysis, facts));
    sections
}

/// Anchor of a section about one readout.
fn anchor(kind: &str, readout: &str) -> String {
    format!("{kind}-{}", file_stem(readout))
}

/// Link to a table of a readout.
fn rank_file(readout: &str, file: &str) -> (String, String) {
    (file.to_string(), format!("rank/{}/{file}", file_stem(readout)))
}

/// Link to a table of the run.
fn file(name: &str) -> (String, String) {
    (name.to_string(), name.to_string())
}

/// Links to a figure's files.
fn plot_files(name: &str) -> Vec<(String, String)> {
    ["svg", "png"].iter().map(|end| (end.to_uppercase(), format!("plots/{name}.{end}"))).collect()
}
