//! The first screen: the verdict in words, what stands in the way, and every attribute.

use maud::html;

use super::{PlanFacts, capital, file, number, plain};
use crate::data::{Attribute, Comparison, Rule};
use crate::report::draw::{Face, Run};
use crate::report::plots::forest;
use crate::report::section::{Cell, Figure, Section, Table};
use crate::report::words::{self, percent};
use crate::report::{paper, runs};
use crate::steps::process::compare::interval;
use crate::steps::process::{Compared, Judged, OperatingRow, Outcome, SdBasis};

/// What the amendments mean, for the first lines of page and terminal.
pub fn amended(facts: &PlanFacts) -> Vec<String> {
    let words = |amendment: &super::Amendment| {
        let seen = if amendment.post_read {
            "after this program had read the post lots"
        } else {
            "before this program read the post lots, which does not show that nobody had seen them"
        };
        format!("The plan was amended on {}, {seen}. Reason given: {}", amendment.time, amendment.reason)
    };
    facts.amendments.iter().map(words).collect()
}

/// The verdict in one sentence.
pub fn sentence(compared: &Compared) -> String {
    let n = compared.judged.len();
    match compared.overall.verdict {
        Outcome::Comparable => {
            format!("Comparable: all {} meet their rules, potency among them.", words::several(n, "attribute"))
        }
        Outcome::NotComparable => {
            let refused = compared.judged.iter().filter(|one| one.verdict == Outcome::NotComparable);
            let shown = refused.map(|one| one.attribute.rule).any(|rule| matches!(rule, Rule::Tost { .. }));
            if shown {
                "Not comparable: a difference that matters was shown.".into()
            } else {
                "Not comparable: lots after the change left the range of the lots before.".into()
            }
        }
        Outcome::Inconclusive => "Inconclusive: neither comparability nor a difference that matters was shown.".into(),
    }
}

fn verdict_class(verdict: Outcome) -> &'static str {
    match verdict {
        Outcome::Comparable => "verdict supported",
        Outcome::NotComparable => "verdict refused",
        Outcome::Inconclusive => "verdict suggestive",
    }
}

/// An attribute by its name.
fn label(of: &Attribute) -> Cell {
    let mut words = runs::attribute(of);
    if of.potency {
        words.push(Run { text: " (potency)".into(), face: Face::Regular });
    }
    Cell::Runs(words)
}

pub(super) fn section(
    comparison: &Comparison,
    compared: &Compared,
    planned: &[OperatingRow],
    facts: &PlanFacts,
) -> Section {
    let overall = &compared.overall;
    let all = |shift: f64| {
        planned
            .iter()
            .find(|r| r.attribute.is_none() && r.basis == SdBasis::Pre && r.shift == shift)
            .map(|r| r.comparable)
    };
    let finding = html! {
        @if !facts.amendments.is_empty() {
            section.warnings aria-label="Amendments" {
                h3 { "The plan was amended after post data could have been seen" }
                ul { @for line in amended(facts) { li { (line) } } }
            }
        }
        dl.facts {
            div { dt { "Lots before" } dd { (compared.pre.lots.len()) } }
            div { dt { "Lots after" } dd { (compared.post.lots.len()) } }
            div { dt { "Attributes" } dd { (compared.judged.len()) } }
            (paper::n_warnings(compared.warnings.len()))
            div { dt { "Plan locked" } dd { small { (facts.locked) } } }
        }
        div.verdicts {
            section class=(verdict_class(overall.verdict)) {
                h3 { (sentence(compared)) }
                @for line in &overall.missing { p { (capital(line)) "." } }
                @if let (Some(equal), Some(margin)) = (all(0.0), all(1.0)) {
                    p {
                        "With these lots the plan was to say “comparable” in " (percent(equal, 0)) " of changes that change "
                        "nothing, and in " (percent(margin, 1)) " of those that move every attribute by its margin."
                    }
                }
            }
        }
        @if !comparison.reason.is_empty() { p { "Reason of the change: " (comparison.reason) } }
        (paper::warnings(&compared.warnings))
    };
    let columns = [
        plain("Attribute", ""),
        plain("Rule", ""),
        plain("Before", "Lots (or pairs) before the change with a value."),
        plain("After", "Lots (or pairs) after the change with a value."),
        plain("Estimate", "TOST: difference of means, after − before. Ranges: mean of the lots after."),
        plain("Interval", "TOST: 1 − 2α interval of the difference. Ranges: smallest and largest lot after."),
        plain("Must lie within", "TOST: the margin. Ranges: the range of the lots before."),
        plain("Verdict", ""),
    ];
    let row = |one: &Judged| {
        vec![
            label(&one.attribute),
            Cell::Word(one.attribute.rule.word().into()),
            Cell::Number(one.n_pre.to_string()),
            Cell::Number(one.n_post.to_string()),
            number(one.estimate),
            Cell::Word(words::with_minus_signs(&interval(one.low, one.high))),
            Cell::Word(words::with_minus_signs(&interval(one.margin_low, one.margin_high))),
            match one.verdict {
                Outcome::Comparable => Cell::Word(one.verdict.words().into()),
                _ => Cell::Flag(one.verdict.words().into()),
            },
        ]
    };
    Section {
        id: "answer".into(),
        title: "The answer".into(),
        question: format!("{}: are the lots after the change comparable to those before?", comparison.title),
        finding,
        figures: vec![Figure {
            scenes: vec![forest::figure(comparison, compared)],
            flows: false,
            caption: "Every attribute against what the plan allows.".into(),
            reading: "By TOST the whole interval must lie within; by a range the lots after must.".into(),
            links: std::iter::once(file("verdicts.csv"))
                .chain(["svg", "png"].map(|end| (end.to_uppercase(), format!("plots/forest.{end}"))))
                .collect(),
        }],
        tables: vec![Table {
            caption: "Attributes and verdicts".into(),
            columns: columns.to_vec(),
            rows: compared.judged.iter().map(row).collect(),
            links: vec![file("verdicts.csv"), file("values.csv")],
        }],
        method: String::new(),
    }
}
