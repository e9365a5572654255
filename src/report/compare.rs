//! The report of a comparison: the answer in words first, then what the plan could show, then the evidence.

mod answer;
mod methods;

use maud::{Markup, html};

use super::plots::attribute_lots;
use super::section::{Cell, Column, Figure, Section, Table};
use super::words::{self, fixed, percent};
use super::{page, paper, runs};
use crate::data::{Comparison, ComparisonDesign, Multiplicity, Rule};
use crate::steps::process::compare::{SD_CONFIDENCE, short};
use crate::steps::process::{Compared, OperatingRow, SdBasis};

pub use answer::{amended, sentence};

/// An edit of the plan after it was locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// When.
    pub time: String,
    /// Why.
    pub reason: String,
    /// This program had read post lots before.
    pub post_read: bool,
}

/// The history of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanFacts {
    /// SHA-256 of the plan.
    pub sha256: String,
    /// When it was locked first.
    pub locked: String,
    /// Later edits.
    pub amendments: Vec<Amendment>,
    /// Time, event, SHA-256 of the plan then, and reason.
    pub history: Vec<(String, String, String, String)>,
    /// Files read: path and SHA-256.
    pub inputs: Vec<(String, String)>,
}

/// The page, whole and offline.
pub fn html(comparison: &Comparison, compared: &Compared, planned: &[OperatingRow], facts: &PlanFacts) -> String {
    let sections = [
        answer::section(comparison, compared, planned, facts),
        operating(comparison, planned, &compared.operating),
        attributes(comparison, compared),
        whole(comparison, compared),
        history(facts),
        methods::section(comparison, compared),
        paper::provenance(
            &[
                ("Operator", comparison.operator.clone()),
                ("SHA-256 of the plan", facts.sha256.clone()),
                ("Seed", comparison.seed.to_string()),
            ],
            &facts.inputs,
        ),
    ];
    page::render(&comparison.title, &sections)
}

fn file(name: &str) -> (String, String) {
    (name.to_string(), name.to_string())
}

fn plain(label: &str, help: &str) -> Column {
    Column { label: label.into(), unit: String::new(), help: help.into() }
}

fn number(value: f64) -> Cell {
    Cell::Number(if value.is_nan() { words::MISSING.into() } else { words::with_minus_signs(&short(value)) })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn operating(comparison: &Comparison, planned: &[OperatingRow], found: &[OperatingRow]) -> Section {
    let columns = |basis: &str| {
        vec![
            plain("Attribute", ""),
            plain("Before", "Lots (or pairs) before."),
            plain("After", "Lots (or pairs) after."),
            plain("SD", &format!("What is taken for the true deviation between lots: {basis}.")),
            plain("Equal", "Chance of “comparable” if nothing changed."),
            plain("½ margin", "Chance of “comparable” if the truth is off by half of the margin."),
            plain("1 margin", "… by the margin."),
            plain("1½ margins", "… by one and a half margins."),
            plain("Refused if equal", "Chance of “not comparable” if nothing changed."),
            plain("Refused at 1½", "Chance of “not comparable” if the truth is off by one and a half margins."),
        ]
    };
    let table = |rows: &[OperatingRow], basis: SdBasis, lots: &str| {
        let words = match basis {
            SdBasis::Pre => "the standard deviation of the lots before".to_string(),
            SdBasis::Upper => format!("the upper {} confidence limit of that deviation", percent(SD_CONFIDENCE, 0)),
        };
        let of_basis: Vec<&OperatingRow> = rows.iter().filter(|row| row.basis == basis).collect();
        let lines = of_basis.chunk_by(|a, b| a.attribute == b.attribute).map(|rows| {
            let label = rows[0]
                .attribute
                .map_or(Cell::Word("all together".into()), |i| Cell::Runs(runs::attribute(&comparison.attributes[i])));
            let mut cells = vec![
                label,
                Cell::Number(rows[0].n_pre.to_string()),
                Cell::Number(rows[0].n_post.to_string()),
                number(rows[0].sd),
            ];
            cells.extend(rows.iter().map(|row| Cell::Number(percent(row.comparable, 1))));
            let refused =
                |shift: f64| rows.iter().find(|row| row.shift == shift).map_or(f64::NAN, |r| r.not_comparable);
            cells.extend([0.0, 1.5].map(|shift| Cell::Number(percent(refused(shift), 1))));
            cells
        });
        Table {
            caption: format!("Chance of each verdict with the lots {lots}, at {words}"),
            columns: columns(&words),
            rows: lines.collect(),
            links: vec![file("operating.csv")],
        }
    };
    let mut tables = vec![table(planned, SdBasis::Pre, "planned"), table(planned, SdBasis::Upper, "planned")];
    let n = |rows: &[OperatingRow]| rows.iter().map(|r| (r.n_pre, r.n_post)).collect::<Vec<_>>();
    if n(planned) != n(found) {
        tables.push(table(found, SdBasis::Pre, "found"));
    }
    let multiplicity = match comparison.multiplicity {
        Multiplicity::None => {
            "Each attribute is tested at α. All must pass, and the chance that all pass although one lies at its margin is at \
             most α: the claim about all of them needs no correction (intersection–union)."
        }
        Multiplicity::Bonferroni => "Each attribute tested by TOST is tested at α divided by their number.",
        Multiplicity::Holm => {
            "Attributes tested by TOST share α by Holm's steps; the chances here are those of the first step, and a little low."
        }
    };
    let paired = if comparison.design == ComparisonDesign::Paired {
        format!(
            " Lots of a pair are taken to correlate by {}; a lower correlation means fewer “comparable”.",
            comparison.pair_correlation
        )
    } else {
        String::new()
    };
    Section {
        id: "operating".into(),
        title: "What the plan can show".into(),
        question:
            "How often does this plan, with so many lots, say “comparable”, if nothing changed and if something did?"
                .into(),
        finding: html! {
            p { (multiplicity) }
            p {
                "Where the chance under “Equal” is low, “inconclusive” is what to expect, and more lots are needed. "
                "The range rules have no level: what they let pass at one margin is the price of their ease."
            }
        },
        figures: Vec::new(),
        tables,
        method: format!(
            "Normal values between lots on the scale of comparison, one standard deviation before and after, a shift of the \
             mean. The chance of “comparable” by TOST is exact where the margin is fixed; the rest comes from {} simulated \
             studies. All together: the product, as if attributes were independent.{paired}",
            words::count(comparison.n_simulations as u64)
        ),
    }
}

fn attributes(comparison: &Comparison, compared: &Compared) -> Section {
    let finding = html! {
        ul { @for one in &compared.judged {
            li { span.name { (runs::html(&runs::attribute(&one.attribute))) } ": " (one.verdict.words()) ", as " (words::with_minus_signs(&one.reason)) "." }
        } }
    };
    Section {
        id: "attributes".into(),
        title: "Lot by lot".into(),
        question: "Where does each lot lie, and what did the rule ask of it?".into(),
        finding,
        figures: vec![Figure {
            scenes: (0..compared.judged.len()).map(|i| attribute_lots::figure(comparison, compared, i)).collect(),
            flows: true,
            caption: "Each lot before (discs) and after (diamonds) the change; strokes are means.".into(),
            reading: "Shaded: for ranges, where lots after must lie; for TOST, where their true mean may lie beside the mean \
                      before. The error of both means is in the interval, not here."
                .into(),
            links: vec![file("values.csv")],
        }],
        tables: Vec::new(),
        method: methods(comparison),
    }
}

fn methods(comparison: &Comparison) -> String {
    let any = |range: bool| comparison.attributes.iter().any(|a| matches!(a.rule, Rule::Range { .. }) == range);
    let mut out = String::new();
    if any(false) {
        out += "TOST (Schuirmann 1987): comparable if the 1 − 2α interval of the difference of means lies within the margin, not \
                comparable if it lies wholly beyond an end of it, else inconclusive. ";
    }
    if any(true) {
        out += "Ranges: comparable if enough lots after lie within the range of the lots before, else not comparable; \
                inconclusive with too few lots before.";
    }
    out.trim_end().to_string()
}

fn whole(comparison: &Comparison, compared: &Compared) -> Section {
    let name = |test: &str| match test {
        "composition" => "composition: PERMANOVA on Aitchison distances of lots",
        _ => "cells: energy statistic on distances between lots' cells",
    };
    let row = |one: &crate::steps::process::WholeTest| {
        vec![
            Cell::Text(name(one.test).into()),
            Cell::Number(one.n_pre.to_string()),
            Cell::Number(one.n_post.to_string()),
            Cell::Number(fixed(one.found.statistic, 3)),
            Cell::Number(percent(one.found.r_squared, 0)),
            Cell::Number(words::p_value(one.found.p)),
            Cell::Number(words::p_value(one.found.smallest_p)),
            Cell::Number(words::count(one.found.n_looked_at)),
        ]
    };
    let shown: Vec<&str> =
        compared.whole.iter().filter(|one| one.found.p <= comparison.alpha).map(|one| one.test).collect();
    let finding: Markup = html! {
        @if compared.whole.is_empty() {
            p { "No test of the whole was made." }
        } @else if shown.is_empty() {
            p { "No difference of the whole was shown. " strong { "This is not evidence of sameness" } ": with few lots a large difference goes unseen." }
        } @else {
            p { "A difference was shown in " (words::list(&shown.iter().map(|s| s.to_string()).collect::<Vec<_>>())) ". Whether it matters, the attributes say." }
        }
        p { "These tests describe and enter no verdict. They also react to lots that merely became more uneven." }
    };
    let columns = [
        plain("Test", ""),
        plain("Before", ""),
        plain("After", ""),
        plain("Statistic", "Pseudo-F, or energy statistic."),
        plain("R²", "Share of the squared distances that lies between the groups."),
        plain("p", "Share of groupings of lots with a statistic at least as large."),
        plain("Smallest p", "What this number of lots can reach at best."),
        plain("Groupings", "Groupings looked at."),
    ];
    let table = Table {
        caption: "Tests of the whole".into(),
        columns: columns.to_vec(),
        rows: compared.whole.iter().map(row).collect(),
        links: vec![file("whole.csv")],
    };
    Section {
        id: "whole".into(),
        title: "The lots as a whole".into(),
        question: "Do compositions, or the cells themselves, differ between the groups of lots?".into(),
        finding,
        figures: Vec::new(),
        tables: if compared.whole.is_empty() { Vec::new() } else { vec![table] },
        method: "Lots are permuted, within pairs where there are pairs; all groupings where they are few. From each lot the same \
                 number of cells is drawn."
            .into(),
    }
}

fn history(facts: &PlanFacts) -> Section {
    let row = |(time, event, sha256, reason): &(String, String, String, String)| {
        vec![
            Cell::Word(time.clone()),
            Cell::Text(event.clone()),
            Cell::Text(reason.clone()),
            Cell::Text(sha256.clone()),
        ]
    };
    let events = Table {
        caption: "What happened to the plan".into(),
        columns: [plain("Time", ""), plain("Event", ""), plain("Reason", ""), plain("SHA-256 of the plan", "")]
            .to_vec(),
        rows: facts.history.iter().map(row).collect(),
        links: vec![file("plan.toml"), file("plan.lock.json")],
    };
    Section {
        id: "plan".into(),
        title: "The plan and its history".into(),
        question: "What was planned, when, and was it changed?".into(),
        finding: html! {
            p {
                "The plan was recorded before any file of the post lots was opened. The record can't see data that were looked at "
                "by other means."
            }
        },
        figures: Vec::new(),
        tables: vec![events],
        method: String::new(),
    }
}
