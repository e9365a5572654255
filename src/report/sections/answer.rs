//! The first screen: what was asked, what can be said, what cannot, and why.

use maud::{Markup, html};

use super::{anchor, verdicts};
use crate::pipeline::{Analysis, Ranked};
use crate::report::section::Section;
use crate::report::words;
use crate::steps::lots::Verdict;
use crate::warning::Warning;

/// Candidates named on the first screen.
const N_NAMED: usize = 8;

pub(super) fn section(analysis: &Analysis, ranked: &[Ranked]) -> Section {
    let readouts: Vec<String> = ranked.iter().map(|r| r.association.readout.clone()).collect();
    let asked = if readouts.is_empty() {
        "Which kinds of cells do the lots consist of?".to_string()
    } else {
        format!("In which cluster does the share of cells go with {}?", words::list(&readouts))
    };
    let warnings = warnings(analysis, ranked);
    let finding = html! {
        (extent(analysis, warnings.len()))
        @if ranked.is_empty() {
            p { "No readout was asked about. " code { "cqa rank RUN --potency COLUMN" } " relates the clusters to one." }
        }
        @for one in ranked { (readout(analysis, one)) }
        (warning_list(&warnings))
    };
    Section {
        id: "answer".into(),
        title: "The answer".into(),
        question: asked,
        finding,
        figures: Vec::new(),
        tables: Vec::new(),
        method: String::new(),
    }
}

fn extent(analysis: &Analysis, n_warnings: usize) -> Markup {
    let n_kept: usize = analysis.qc.iter().map(|lot| lot.n_cells_kept).sum();
    let n_read: usize = analysis.qc.iter().map(|lot| lot.n_cells_read).sum();
    html! {
        dl.facts {
            div { dt { "Lots" } dd { (analysis.composition.lots.len()) } }
            div { dt { "Cells kept" } dd { (words::count(n_kept as u64)) small { " of " (words::count(n_read as u64)) } } }
            div { dt { "Genes" } dd { (words::count(analysis.genes.len() as u64)) } }
            div { dt { "Clusters" } dd { (analysis.clusters.len()) } }
            div { dt { "Warnings" } dd { @if n_warnings > 0 { a href="#warnings" { (n_warnings) } } @else { "0" } } }
        }
    }
}

fn readout(analysis: &Analysis, ranked: &Ranked) -> Markup {
    let association = &ranked.association;
    let n_lots = association.rows.first().map_or(0, |row| row.n_lots);
    html! {
        h3 { "Readout " span.name { (association.readout) } }
        p {
            "Asked: does the share of any of " (words::several(association.rows.len(), "cluster")) " go with "
            span.name { (association.readout) } " over " (words::several(n_lots, "lot")) "?"
        }
        (verdicts::blocks(analysis, ranked))
        (verdicts::can_show(analysis, ranked))
        (leading(analysis, ranked))
    }
}

fn leading(analysis: &Analysis, ranked: &Ranked) -> Markup {
    let symbols = analysis.genes.symbols();
    let supported = ranked.verdicts.iter().any(|judged| judged.verdict == Verdict::Supported);
    let named: Vec<_> = ranked.candidates.iter().take(N_NAMED).collect();
    html! {
        @if !named.is_empty() {
            p {
                "Leading candidate genes: "
                @for (i, candidate) in named.iter().enumerate() {
                    @if i > 0 { ", " }
                    i { (symbols.get(candidate.gene as usize).map_or("", String::as_str)) }
                    " (cluster " (candidate.cluster) ")"
                }
                ". "
                a href={ "#" (anchor("candidates", &ranked.association.readout)) } { "All candidates" } ". "
                @if supported {
                    "A candidate is a gene to test next, by perturbation or in new lots: an association is not yet a cause."
                } @else {
                    "No association is supported, so these are leads at most."
                }
            }
        }
    }
}

/// Warnings of the run and of its rankings, each once.
fn warnings<'a>(analysis: &'a Analysis, ranked: &'a [Ranked]) -> Vec<&'a Warning> {
    let mut out: Vec<&Warning> = Vec::new();
    for warning in analysis.warnings.iter().chain(ranked.iter().flat_map(|r| &r.association.warnings)) {
        if !out.contains(&warning) {
            out.push(warning);
        }
    }
    out
}

fn warning_list(warnings: &[&Warning]) -> Markup {
    html! {
        @if warnings.is_empty() {
            p { "No warnings." }
        } @else {
            section.warnings id="warnings" aria-label="Warnings" {
                h3 { (words::several(warnings.len(), "warning")) " to weigh first" }
                ul { @for warning in warnings { li { (warning) } } }
            }
        }
    }
}
