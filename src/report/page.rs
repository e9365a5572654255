//! Sections → HTML.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::draw::{Mode, base64, color, svg};
use super::runs;
use super::section::{Cell, Figure, Section, Table};

const STYLE: &str = include_str!("style.css");
/// Sorts tables and moves the map; the page is whole without it.
const SCRIPT: &str = concat!(include_str!("script/tables.js"), include_str!("script/map.js"));

/// The whole page under a title. The first section is the answer; the others follow as evidence.
pub fn render(title: &str, sections: &[Section]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy"
                    content=(policy());
                title { (title) " – cqa report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the answer" }
                header {
                    p.brand { "cqa" }
                    h1 { (title) }
                    nav aria-label="Sections" {
                        ol { @for section in sections { li { a href={ "#" (section.id) } { (section.title) } } } }
                    }
                }
                main id="main" { @for section in sections { (one(section)) } }
                footer { p { "Links lead to files of the run directory; they work while this page lies in it." } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// What the page may do: show itself and run the one script it was written with, which is named by its digest. Whatever a name from
/// outside might smuggle in would not run.
fn policy() -> String {
    let digest = base64::encode(&Sha256::digest(SCRIPT));
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
}

/// Rows from which on a table scrolls within its frame, and prints no more than these.
const LONG: usize = 50;

fn one(section: &Section) -> Markup {
    let heading = format!("{}-title", section.id);
    html! {
        section.part id=(section.id) aria-labelledby=(heading) {
            h2 id=(heading) { (section.title) }
            p.question { (section.question) }
            (section.finding)
            @for item in &section.figures { (figure(item)) }
            @for (i, item) in section.tables.iter().enumerate() { (table(item, &format!("{}-table-{}", section.id, i + 1))) }
            @if !section.method.is_empty() { p.method { strong { "How: " } (section.method) } }
        }
    }
}

fn figure(figure: &Figure) -> Markup {
    html! {
        figure {
            @if figure.flows {
                div.flow { @for scene in &figure.scenes { div { (PreEscaped(svg::svg(scene, Mode::Inline))) } } }
            } @else {
                @for scene in &figure.scenes {
                    div.scroll tabindex="0" role="group" aria-label=(scene.title) {
                        div style=(format!("max-width:{:.0}px;min-width:{:.0}px", scene.width * 1.15, scene.width * 0.72)) {
                            (PreEscaped(svg::svg(scene, Mode::Inline)))
                        }
                    }
                }
            }
            figcaption {
                strong { (figure.caption) }
                @if !figure.reading.is_empty() { " " (figure.reading) }
                (links(&figure.links))
            }
        }
    }
}

fn links(links: &[(String, String)]) -> Markup {
    html! {
        @if !links.is_empty() {
            span.links { @for (words, path) in links { a href=(address(path)) { (words) } " " } }
        }
    }
}

/// A path as a relative address: everything but plain letters becomes `%XX`.
fn address(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

/// `id` of its caption, which stands above the frame so that it stays in sight while the table moves.
fn table(table: &Table, id: &str) -> Markup {
    let class = if table.rows.len() > LONG { "scroll long" } else { "scroll" };
    let helped: Vec<_> = table.columns.iter().filter(|c| !c.help.is_empty()).collect();
    html! {
        div.table {
            p.caption id=(id) { (table.caption) }
            div class=(class) tabindex="0" role="group" aria-labelledby=(id) {
                table aria-labelledby=(id) {
                    thead {
                        tr {
                            @for (i, column) in table.columns.iter().enumerate() {
                                th scope="col" class=[numeric(table, i).then_some("number")] title=[help(&column.help)] {
                                    (column.label)
                                    @if !column.unit.is_empty() { " " span.unit { (column.unit) } }
                                }
                            }
                        }
                    }
                    tbody { @for row in &table.rows { tr { @for (i, cell) in row.iter().enumerate() { (value(cell, i == 0)) } } } }
                }
            }
            (links(&table.links))
            @if !helped.is_empty() {
                details.help {
                    summary { "What the columns mean" }
                    dl { @for column in helped { div { dt { (column.label) } dd { (column.help) } } } }
                }
            }
        }
    }
}

fn help(text: &str) -> Option<&str> {
    Some(text).filter(|t| !t.is_empty())
}

fn numeric(table: &Table, column: usize) -> bool {
    matches!(table.rows.first().and_then(|row| row.get(column)), Some(Cell::Number(_)))
}

/// Letters from which on words need room of their own where the window is narrow.
const WORDY: usize = 40;

fn value(cell: &Cell, first: bool) -> Markup {
    let class = match cell {
        Cell::Number(_) => Some("number"),
        Cell::Text(text) if text.chars().count() > WORDY => Some("wordy"),
        _ => None,
    };
    html! {
        @if first {
            th scope="row" class=[class] { (content(cell)) }
        } @else {
            td class=[class] { (content(cell)) }
        }
    }
}

fn content(cell: &Cell) -> Markup {
    html! {
        @match cell {
            Cell::Number(text) | Cell::Text(text) => (text),
            Cell::Word(text) => { span.plain { (text) } }
            Cell::Genes(genes) => {
                @for (i, gene) in genes.iter().enumerate() { @if i > 0 { ", " } i { (gene) } }
            }
            Cell::Runs(words) => (runs::html(words)),
            Cell::Link(words, path) => { a href=(address(path)) { (words) } }
            Cell::Lot(index, name) => { (swatch(color::lot(*index))) (name) }
            Cell::Cluster(index) => { (swatch(color::cluster(*index))) (index) }
            Cell::Flag(text) => { @if !text.is_empty() { span.flag { (text) } } }
        }
    }
}

fn swatch(rgb: [u8; 3]) -> Markup {
    let style = format!("background:#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
    html! { span.swatch style=(style) aria-hidden="true" {} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_odd_readouts_stay_relative_paths() {
        assert_eq!(address("rank/VEGF__pg_mL_/a.csv"), "rank/VEGF__pg_mL_/a.csv");
        assert_eq!(address("javascript:x/\"é"), "javascript%3Ax/%22%C3%A9");
    }
}
