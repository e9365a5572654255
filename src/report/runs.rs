//! Words of which some are gene symbols, and so set in italics: on the page and in figures.

use maud::{Markup, html};

use super::draw::{Face, Run, Text};
use crate::data::comparison::ALL_CELLS;
use crate::data::{Attribute, AttributeKind};
use crate::steps::markers::Panel;

fn plain(text: impl Into<String>) -> Run {
    Run { text: text.into(), face: Face::Regular }
}

fn gene(text: impl Into<String>) -> Run {
    Run { text: text.into(), face: Face::Oblique }
}

/// The gates of a panel.
pub fn panel(panel: &Panel) -> Vec<Run> {
    let mut out = Vec::new();
    for gate in &panel.gates {
        if !out.is_empty() {
            out.push(plain("; "));
        }
        out.push(gene(&gate.gene));
        out.push(plain(gate.to_string().strip_prefix(&gate.gene).unwrap_or_default()));
    }
    out
}

/// The name of an attribute, as [`Attribute::label`] writes it.
pub fn attribute(of: &Attribute) -> Vec<Run> {
    if of.kind != AttributeKind::Gene {
        return vec![plain(of.label())];
    }
    let mut out = vec![plain("gene "), gene(&of.name)];
    if of.cluster != ALL_CELLS {
        out.push(plain(format!(" in cluster {}", of.cluster)));
    }
    out
}

/// On the page.
pub fn html(runs: &[Run]) -> Markup {
    html! {
        @for run in runs {
            @match run.face {
                Face::Regular => (run.text),
                Face::Oblique => { i { (run.text) } }
                Face::Bold => { strong { (run.text) } }
            }
        }
    }
}

/// In a figure, cut to a length where it is longer.
pub fn text(at: (f64, f64), size: f64, runs: Vec<Run>, limit: f64) -> Text {
    let mut text = Text { runs, ..Text::new(at, size, "") };
    let beyond = text.width() - limit;
    if let Some(longest) = text.runs.iter_mut().max_by_key(|run| run.text.chars().count()).filter(|_| beyond > 0.0) {
        let width = super::draw::font::width(&longest.text, longest.face, size);
        longest.text = super::draw::font::shorten(&longest.text, longest.face, size, (width - beyond).max(size));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::markers::Gate;

    #[test]
    fn symbols_are_italic_and_the_words_are_those_of_the_label() {
        let gate = |gene: &str, high| Gate { gene: gene.into(), gene_id: "E1".into(), high, threshold: 0.5 };
        let of = Panel { gates: vec![gate("CD44", true), gate("CD34", false)] };
        assert_eq!(html(&panel(&of)).into_string(), "<i>CD44</i> high 0.5; <i>CD34</i> low 0.5");
        let words: String = panel(&of).into_iter().map(|run| run.text).collect();
        assert_eq!(words, of.to_string());
    }

    #[test]
    fn long_names_are_cut_to_the_room_there_is() {
        let cut = text((0.0, 0.0), 10.0, vec![plain("gene "), gene("A".repeat(80))], 120.0);
        assert!(cut.width() <= 120.0 && cut.runs[1].text.contains('…'));
    }
}
