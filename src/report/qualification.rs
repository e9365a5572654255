//! The report of a qualification: what was checked on this machine, requirement by requirement, and what it does not show.

use maud::html;

use super::page;
use super::section::{Cell, Column, Section, Table};
use super::words::several;

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Name of the check: `IQ` of the installation, `OQ` of the operation.
    pub id: String,
    /// What must hold.
    pub requirement: String,
    /// How that was tried.
    pub test: String,
    /// What had to come out.
    pub expected: String,
    /// What came out.
    pub found: String,
    /// Whether it did.
    pub passed: bool,
}

/// What no check on one machine can show.
pub const LIMITS: [&str; 6] = [
    "These are checks of installation and operation on the reference data that the program carries. Whether its methods suit a \
     product, its assay and its question is for the laboratory to show with its own lots (performance qualification).",
    "The reference lots are simulated. They show that the numbers are those of the developers' machine, not that real lots behave so.",
    "A processor with other vector units may change the last digits of a number. Tolerances are stated with each check.",
    "Hashes and the ledger show what was changed. They don't keep anybody from changing it, nor from rewriting all of it: head \
     hashes and signatures kept elsewhere do.",
    "Who may run the program, and that operators are who they say, is a matter of the system around it. `--operator` is a statement.",
    "This is a record of checks, not a statement of compliance with any regulation or standard.",
];

/// The page, whole and offline. `facts`: what is known of program and machine.
pub fn html(checks: &[Check], facts: &[(String, String)]) -> String {
    page::render("Does the program work here as it should?", &[answer(checks), table(checks), limits(), made(facts)])
}

fn section(id: &str, title: &str, question: &str) -> Section {
    Section {
        id: id.into(),
        title: title.into(),
        question: question.into(),
        finding: html! {},
        figures: Vec::new(),
        tables: Vec::new(),
        method: String::new(),
    }
}

/// The answer in one sentence.
pub fn sentence(checks: &[Check]) -> String {
    let failed: Vec<&str> = checks.iter().filter(|check| !check.passed).map(|check| check.id.as_str()).collect();
    let all = several(checks.len(), "check");
    match failed.len() {
        0 => format!("All of {all} passed on this machine."),
        n => format!("{n} of {all} did NOT pass on this machine: {}.", failed.join(", ")),
    }
}

fn answer(checks: &[Check]) -> Section {
    let finding = html! { p { strong { (sentence(checks)) } } };
    Section { finding, ..section("answer", "The answer", "Did every check of installation and operation pass?") }
}

fn table(checks: &[Check]) -> Section {
    let column = |label: &str, help: &str| Column { label: label.into(), unit: String::new(), help: help.into() };
    let row = |check: &Check| {
        let passed = if check.passed { Cell::Word("passed".into()) } else { Cell::Flag("NOT passed".into()) };
        let texts = [&check.requirement, &check.test, &check.expected, &check.found];
        let mut cells = vec![Cell::Word(check.id.clone())];
        cells.extend(texts.map(|text| Cell::Text(text.clone())));
        cells.push(passed);
        cells
    };
    let table = Table {
        caption: "Requirement, test and outcome".into(),
        columns: vec![
            column("Check", "IQ: installation; OQ: operation"),
            column("Requirement", "What must hold"),
            column("Test", "How it was tried"),
            column("Expected", ""),
            column("Found", ""),
            column("Outcome", ""),
        ],
        rows: checks.iter().map(row).collect(),
        links: vec![("qualification.csv".into(), "qualification.csv".into())],
    };
    let method = "The program ran itself, as its users do, in a folder of its own that is removed at the end.".into();
    let question = "Which test stands for which requirement, and what came out?";
    Section { tables: vec![table], method, ..section("checks", "Requirements and tests", question) }
}

fn limits() -> Section {
    let finding = html! { ul { @for limit in LIMITS { li { (limit) } } } };
    Section { finding, ..section("limits", "Known limits", "What do these checks not show?") }
}

fn made(facts: &[(String, String)]) -> Section {
    let finding = html! {
        dl.provenance { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
    };
    Section { finding, ..section("made", "Program and machine", "What was checked, where, by whom?") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_names_what_failed_and_names_from_outside_stay_text() {
        let check = |id: &str, passed| Check {
            id: id.into(),
            requirement: "numbers".into(),
            test: "run".into(),
            expected: "1".into(),
            found: "<script>2".into(),
            passed,
        };
        assert_eq!(sentence(&[check("OQ-1", true)]), "All of 1 check passed on this machine.");
        let checks = [check("OQ-1", true), check("OQ-2", false)];
        assert!(sentence(&checks).contains("1 of 2 checks did NOT pass") && sentence(&checks).ends_with("OQ-2."));
        let page = html(&checks, &[("Operator".into(), "<b>".into())]);
        assert!(
            page.contains("&lt;script&gt;2")
                && !page.contains("<script>2")
                && page.contains("not a statement of compliance")
        );
    }
}
