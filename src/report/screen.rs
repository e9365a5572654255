//! The report of a screen: the answer in words first, with what a zero excludes, then the evidence.

mod evidence;

use maud::html;

use super::plots;
use super::section::{Cell, Column, Figure, Section, Table};
use super::words::{self, count, p_value, percent, several};
use super::{page, paper};
use crate::steps::process::Screen;
use crate::steps::process::screen::ScreenRow;
use crate::warning::Warning;
use evidence::{background, lots, needed, positives, sensitivity};

/// The page, whole and offline. `inputs`: files read, with their hashes.
pub fn html(screen: &Screen, warnings: &[Warning], inputs: &[(String, String)]) -> String {
    let mut sections = vec![answer(screen, warnings), lots(screen), sensitivity(screen)];
    sections.extend(background(screen));
    sections.push(positives(screen));
    sections.push(needed(screen));
    sections.push(signature(screen));
    sections.push(methods(screen));
    let known = [
        ("Counts per cell", format!("at least {}", screen.params.min_counts)),
        ("Confidence", percent(screen.params.confidence, 1)),
    ];
    sections.push(paper::provenance(&known, inputs));
    page::render("Are there cells that must not be there?", &sections)
}

/// A fraction that may be tiny.
pub fn fraction(value: f64) -> String {
    if value == 0.0 { "0".into() } else { p_value(value) }
}

/// `1 in 3,338`: never more than the limit allows.
fn one_in(limit: f64) -> String {
    if limit > 0.0 && limit < 1.0 { format!("1 in {}", count((1.0 / limit).floor() as u64)) } else { "all".into() }
}

/// What was found and what it excludes, one sentence after the other.
pub fn sentences(screen: &Screen) -> Vec<String> {
    let (all, params) = (&screen.process, &screen.params);
    let confidence = percent(params.confidence, confidence_decimals(params.confidence));
    let lots = several(all.n_lots, "lot");
    let looked_at = format!("{} cells of {lots}", count(all.n_cells));
    let mut out = Vec::new();
    if all.n_cells == 0 {
        out.push(format!(
            "No cell of {lots} has {} counts or more: nothing was looked at, and nothing is excluded.",
            params.min_counts
        ));
        return out;
    }
    let with: Vec<String> = screen.rows.iter().filter(|row| row.n_positive > 0).map(|row| row.lot.clone()).collect();
    if all.n_positive == 0 {
        out.push(format!("No cell with the signature was found among {looked_at}."));
    } else {
        out.push(format!(
            "{} with the signature {} found among {looked_at}, in {} of them: {}. Look at each in positives.csv.",
            if all.n_positive == 1 { "One cell".into() } else { format!("{} cells", count(all.n_positive)) },
            if all.n_positive == 1 { "was" } else { "were" },
            count(with.len() as u64),
            shortened(&with)
        ));
    }
    let known = all.upper_adjusted.is_finite();
    let what = if known { "hazard cells, seen or not," } else { "cells that show the signature" };
    let limit = if known { all.upper_adjusted } else { all.upper };
    let worst = screen.rows.iter().max_by(|a, b| reckoned(a).total_cmp(&reckoned(b)));
    if limit >= 1.0 {
        out.push("Nothing is excluded: too few cells were looked at, or hazard cells would not be seen.".into());
    } else {
        let mut text = format!(
            "With {confidence} confidence {what} are at most {} of all cells ({})",
            one_in(limit),
            fraction(limit)
        );
        if let (Some(worst), true) = (worst, all.n_lots > 1) {
            text += &format!(
                ", and in lot {} at most {} ({})",
                worst.lot,
                one_in(reckoned(worst)),
                fraction(reckoned(worst))
            );
        }
        out.push(text + ".");
    }
    out.push(format!(
        "{} of {lots} {} shown to hold at most {} each.",
        match all.n_lots_below {
            0 => "None".to_string(),
            n => count(n as u64),
        },
        if all.n_lots_below == 1 { "is" } else { "are" },
        fraction(params.limit)
    ));
    if let Some(row) = screen.needed.first().filter(|_| all.n_lots_below < all.n_lots) {
        out.push(match row.n_cells {
            Some(n) => format!("A lot without any positive cell shows that with {} cells.", count(n)),
            None => "No number of cells shows that: hazard cells would not be seen.".into(),
        });
    }
    if !known {
        out.push(screen.detection.clone());
    }
    out
}

fn confidence_decimals(confidence: f64) -> usize {
    if (100.0 * confidence).fract().abs() < 1e-9 { 0 } else { 1 }
}

/// The limit that counts for a lot.
fn reckoned(row: &ScreenRow) -> f64 {
    if row.upper_adjusted.is_finite() { row.upper_adjusted } else { row.upper }
}

fn shortened(lots: &[String]) -> String {
    match lots.len() {
        0..=8 => words::list(lots),
        n => format!("{} and {} more", lots[..8].join(", "), n - 8),
    }
}

fn file(name: &str) -> (String, String) {
    (name.into(), name.into())
}

fn column(label: &str, help: &str) -> Column {
    Column { label: label.into(), unit: String::new(), help: help.into() }
}

fn number(text: impl Into<String>) -> Cell {
    Cell::Number(text.into())
}

fn answer(screen: &Screen, warnings: &[Warning]) -> Section {
    let all = &screen.process;
    let class = match (all.n_positive, all.n_lots_below == all.n_lots) {
        (0, true) => "verdict supported",
        (0, false) => "verdict suggestive",
        _ => "verdict refused",
    };
    let mut lines = sentences(screen).into_iter();
    let first = lines.next().unwrap_or_default();
    let finding = html! {
        dl.facts {
            div { dt { "Lots" } dd { (all.n_lots) } }
            div { dt { "Cells looked at" } dd { (count(all.n_cells)) } }
            div { dt { "With the signature" } dd { (count(all.n_positive)) } }
            div { dt { "Limit asked" } dd { (fraction(screen.params.limit)) } }
            (paper::n_warnings(warnings.len()))
        }
        div.verdicts { section class=(class) { h3 { (first) } @for line in lines { p { (line) } } } }
        (paper::warnings(warnings))
    };
    Section {
        id: "answer".into(),
        title: "The answer".into(),
        question: format!("Does any lot hold: {}?", lower_first(&screen.signature.description)),
        finding,
        figures: vec![Figure {
            scenes: vec![plots::screen::figure(screen)],
            flows: false,
            caption: "What each lot holds, at most.".into(),
            reading:
                "A lot in which nothing was found is excluded to the right of its stroke only. Only more cells move \
                      the stroke to the left."
                    .into(),
            links: vec![
                file("screen.csv"),
                ("SVG".into(), "plots/screen.svg".into()),
                ("PNG".into(), "plots/screen.png".into()),
            ],
        }],
        tables: Vec::new(),
        method: String::new(),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

fn signature(screen: &Screen) -> Section {
    let signature = &screen.signature;
    let genes = signature.genes.iter().map(|gene| {
        vec![
            Cell::Genes(vec![gene.symbol.clone()]),
            Cell::Word(gene.ensembl.clone()),
            number(gene.min_count.to_string()),
            Cell::Text(gene.sources.join(", ")),
        ]
    });
    let sources = signature.sources.iter().map(|source| {
        vec![Cell::Word(source.id.clone()), Cell::Text(source.citation.clone()), Cell::Text(source.doi.clone())]
    });
    let mut tables = vec![Table {
        caption: "Genes".into(),
        columns: vec![
            column("Gene", ""),
            column("Ensembl", ""),
            column("Counts", "From so many counts on it counts."),
            column("Sources", ""),
        ],
        rows: genes.collect(),
        links: vec![file("signature.toml")],
    }];
    if !signature.sources.is_empty() {
        tables.push(Table {
            caption: "Sources".into(),
            columns: vec![column("Name", ""), column("What was found", ""), column("DOI", "")],
            rows: sources.collect(),
            links: Vec::new(),
        });
    }
    Section {
        id: "signature".into(),
        title: "The signature".into(),
        question: "What was looked for?".into(),
        finding: html! {
            p { strong { (signature.name) } ": " (signature.description) ". Rule: " (signature.rule()) "." }
        },
        figures: Vec::new(),
        tables,
        method: String::new(),
    }
}

fn methods(screen: &Screen) -> Section {
    let (params, signature) = (&screen.params, &screen.signature);
    let mut methods = paper::Methods::default();
    methods.say(format!(
        "{} of {} with at least {} counts each were screened before quality control with cqa {} for the signature {} ({}).",
        several(usize::try_from(screen.process.n_cells).unwrap_or(usize::MAX), "cell"),
        several(screen.process.n_lots, "lot"),
        params.min_counts,
        env!("CARGO_PKG_VERSION"),
        signature.name,
        signature.rule()
    ));
    methods.say(format!(
        "Upper limits are one-sided and exact at {} confidence (Clopper and Pearson 1934; of a zero about 3 / N at 95 %, Hanley \
         and Lippman-Hand 1983).",
        percent(params.confidence, confidence_decimals(params.confidence))
    ));
    if !screen.controls.is_empty() {
        methods.say(
            "The chance that a hazard cell shows the signature was estimated on control cells thinned to the depth of each lot; \
             limits were divided by its lower limit.",
        );
    }
    methods.cite("Clopper CJ, Pearson ES. Biometrika 1934;26:404-413. doi:10.1093/biomet/26.4.404");
    methods.cite("Hanley JA, Lippman-Hand A. JAMA 1983;249:1743-1745. doi:10.1001/jama.1983.03330370053031");
    methods.section()
}
