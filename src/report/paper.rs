//! What every page ends with: a methods paragraph that is ready for a paper, and where the results come from.

use maud::{Markup, html};

use super::metrics;
use super::section::{Cell, Column, Section, Table};
use super::words::several;
use crate::warning::Warning;

/// Sentences, and the references they call for.
#[derive(Default)]
pub(super) struct Methods {
    text: Vec<String>,
    references: Vec<&'static str>,
}

impl Methods {
    /// Adds a sentence.
    pub(super) fn say(&mut self, sentence: impl Into<String>) {
        self.text.push(sentence.into());
    }

    /// Adds a reference; one that is called for again is listed once.
    pub(super) fn cite(&mut self, reference: &'static str) {
        self.references.push(reference);
    }

    /// The section.
    pub(super) fn section(mut self) -> Section {
        self.references.sort_unstable();
        self.references.dedup();
        Section {
            id: "methods".into(),
            title: "Methods".into(),
            question: "How was it computed?".into(),
            finding: html! {
                p.methods { (self.text.join(" ")) }
                h3 { "References" }
                ul.references { @for reference in &self.references { li { (reference) } } }
            },
            figures: Vec::new(),
            tables: Vec::new(),
            method: String::new(),
        }
    }
}

/// Warnings on the first screen.
pub(super) fn warnings(warnings: &[Warning]) -> Markup {
    html! {
        @if warnings.is_empty() {
            p { "No warnings." }
        } @else {
            section.warnings id="warnings" aria-label="Warnings" {
                h3 { (several(warnings.len(), "warning")) " to weigh first" }
                ul { @for warning in warnings { li { (warning) } } }
            }
        }
    }
}

/// How many there are, leading to them.
pub(super) fn n_warnings(n: usize) -> Markup {
    html! { div { dt { "Warnings" } dd { @if n > 0 { a href="#warnings" { (n) } } @else { "0" } } } }
}

/// Which program, seed and files a page rests on. What is empty is not told.
pub(super) fn provenance(known: &[(&str, String)], inputs: &[(String, String)]) -> Section {
    let rows = inputs.iter().map(|(path, hash)| vec![Cell::Text(path.clone()), Cell::Text(hash.clone())]);
    let table = Table {
        caption: "Files read".into(),
        columns: [&metrics::PATH, &metrics::HASH].map(Column::from).to_vec(),
        rows: rows.collect(),
        links: vec![("run.json".into(), "run.json".into())],
    };
    let version = ("Program", format!("cqa {}", env!("CARGO_PKG_VERSION")));
    let known = || std::iter::once(&version).chain(known).filter(|(_, value)| !value.is_empty());
    Section {
        id: "provenance".into(),
        title: "Provenance".into(),
        question: "Which program, parameters and files gave these results?".into(),
        finding: html! {
            dl.provenance { @for (what, value) in known() { div { dt { (what) } dd { (value) } } } }
        },
        figures: Vec::new(),
        tables: if inputs.is_empty() { Vec::new() } else { vec![table] },
        method: String::new(),
    }
}
