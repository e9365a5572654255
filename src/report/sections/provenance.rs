//! Where the results come from.

use maud::html;

use super::file;
use crate::pipeline::Analysis;
use crate::report::RunFacts;
use crate::report::metrics;
use crate::report::section::{Cell, Column, Section, Table};
use crate::report::words;

pub(super) fn section(analysis: &Analysis, facts: &RunFacts) -> Section {
    let version = facts.version_or_own();
    let mut known: Vec<(&str, String)> =
        vec![("Program", format!("cqa {version}")), ("Seed", analysis.params.seed.to_string())];
    let mut tell = |what: &'static str, value: String| {
        if !value.is_empty() {
            known.push((what, value));
        }
    };
    tell("Command", facts.command.clone());
    tell("Started", facts.started.clone());
    tell("Took", facts.seconds.map_or(String::new(), |s| format!("{} s", words::fixed(s, 1))));
    tell("Threads", facts.n_threads.map_or(String::new(), |n| n.to_string()));
    // Parameters are plain data; a value that TOML cannot hold would be left out here and is whole in params.toml.
    let parameters = toml::to_string_pretty(&analysis.params).unwrap_or_default();
    let inputs = facts.inputs.iter().map(|(path, hash)| vec![Cell::Text(path.clone()), Cell::Text(hash.clone())]);
    let table = Table {
        caption: "Files read".into(),
        columns: [&metrics::PATH, &metrics::HASH].map(Column::from).to_vec(),
        rows: inputs.collect(),
        links: vec![file("run.json")],
    };
    Section {
        id: "provenance".into(),
        title: "Provenance".into(),
        question: "Which program, parameters and files gave these results?".into(),
        finding: html! {
            dl.provenance { @for (what, value) in &known { div { dt { (what) } dd { (value) } } } }
            p {
                a href="run.json" { "run.json" } " holds versions, times and the hashes of every file read and written. "
                "The same files, parameters and seed give the same results, whatever the number of threads."
            }
            details { summary { "Every parameter" } pre tabindex="0" { code { (parameters) } } }
        },
        figures: Vec::new(),
        tables: if facts.inputs.is_empty() { Vec::new() } else { vec![table] },
        method: String::new(),
    }
}
