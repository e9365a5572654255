//! The certificate of a lot: one page, first of all whether it lies in the reference and why not.
//!
//! It prints to one A4 page, needs nothing beside it and no script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::draw::{Mode, svg};
use super::plots::beside_reference::{self, BesideReference};
use super::words::{count, fixed, list, percent, several, significant};
use crate::steps::markers::GatedShare;
use crate::steps::process::{HeldOut, Limited, Placed, PotencySummary, Prediction, ReferenceSummary, Share};

const STYLE: &str = include_str!("certificate.css");

/// Most clusters that are shown, the largest first.
const MAX_CLUSTERS: usize = 20;
/// Most predictions that are shown.
const MAX_PREDICTIONS: usize = 2;
/// Most reasons that are told.
const MAX_REASONS: usize = 5;
/// Most panels that are shown.
const MAX_PANELS: usize = 4;
/// Most files that are named.
const MAX_FILES: usize = 3;

/// What a certificate tells beside the lot and the reference.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CertificateFacts {
    /// Version of the program that placed the lot; that of this one where empty.
    pub version: String,
    /// Files of the lot: path and SHA-256.
    pub files: Vec<(String, String)>,
    /// Panels locked into the reference: the lot's share, and those of the reference lots.
    pub panels: Vec<(GatedShare, Vec<f64>)>,
}

/// The page of one lot.
pub fn html(lot: &Placed, reference: &ReferenceSummary, facts: &CertificateFacts) -> String {
    let title = format!("Lot certificate {}", lot.lot);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(lot))
                main {
                    (statement(lot, reference))
                    (composition(lot, reference, facts))
                    div.two {
                        section { (potency(lot, reference)) }
                        section { (distances(lot, reference)) (quality(lot, reference)) }
                    }
                    (provenance(lot, reference, facts))
                }
            }
        }
    };
    page.into_string()
}

fn head(lot: &Placed) -> Markup {
    html! {
        header {
            div {
                p.kind { "Lot certificate" }
                h1 class=[(lot.lot.chars().count() > 30).then_some("long")] { (lot.lot) }
            }
            @if lot.in_reference {
                p class="badge in" { "In reference" }
            } @else {
                p class="badge out" { "Out of reference" }
            }
        }
    }
}

fn statement(lot: &Placed, reference: &ReferenceSummary) -> Markup {
    let n = reference.lots.len();
    if lot.in_reference {
        return html! {
            p.statement {
                (count(lot.n_cells as u64)) " cells were placed on a reference of " (several(n, "lot")) "; "
                (percent(lot.share_unassigned, 1)) " are unlike every cluster. " (limits_in_words(lot))
            }
        };
    }
    html! {
        ul.statement {
            @for reason in lot.reasons.iter().take(MAX_REASONS) { li { (reason) "." } }
            @if lot.reasons.len() > MAX_REASONS { li { (lot.reasons.len() - MAX_REASONS) " more in placed.csv." } }
        }
        p.note { "What follows is for information: it must not be read as if the lot were one of the reference's kind." }
    }
}

/// What lies within limits, and what no limit was set for.
fn limits_in_words(lot: &Placed) -> String {
    let there = |of: &[Limited]| of.iter().any(|of| of.limit.is_finite() && of.value.is_finite());
    let all = [
        ("quality", there(&[lot.counts, lot.pct_mito])),
        ("composition", there(&[lot.jensen_shannon, lot.aitchison])),
        ("distance", there(&[lot.energy])),
    ];
    let named =
        |wanted: bool| -> Vec<String> { all.iter().filter(|of| of.1 == wanted).map(|of| of.0.to_string()).collect() };
    let (within, without) = (named(true), named(false));
    let mut words = Vec::new();
    if !within.is_empty() {
        words.push(format!("Within the limits that the reference lots set: {}.", list(&within)));
    }
    if !without.is_empty() {
        let what = list(&without);
        words.push(format!(
            "No limit was set for {what}: the reference has too few lots to say how far others may lie."
        ));
    }
    words.join(" ")
}

/// The lot's shares beside those of the reference lots, each mapped by a reference built without it.
fn composition(lot: &Placed, reference: &ReferenceSummary, facts: &CertificateFacts) -> Markup {
    let held = &reference.held_out;
    let numbers = |share: &Share| [share.share, share.ci_low, share.ci_high];
    let clusters = lot.composition.iter().zip(&reference.clusters).enumerate().take(MAX_CLUSTERS);
    let mut rows: Vec<BesideReference> = clusters
        .map(|(k, (share, name))| BesideReference {
            name: format!("cluster {name}"),
            cluster: Some(k),
            share: numbers(share),
            reference: if held.is_empty() {
                reference.shares.column(k).to_vec()
            } else {
                held.iter().filter_map(|lot| lot.placed.composition.get(k)).map(|share| share.share).collect()
            },
        })
        .collect();
    rows.push(BesideReference {
        name: "unassigned".into(),
        cluster: None,
        share: numbers(&lot.unassigned),
        reference: held.iter().map(|lot| lot.placed.share_unassigned).collect(),
    });
    rows.extend(facts.panels.iter().take(MAX_PANELS).map(|(gated, others)| BesideReference {
        name: gated.panel.clone(),
        cluster: None,
        share: [gated.share, gated.ci_low, gated.ci_high],
        reference: others.clone(),
    }));
    let outside = rows.iter().any(|row| !row.outside().is_empty());
    // One more lot of n + 1 alike is the smallest or the largest.
    let by_chance = percent(2.0 / (reference.lots.len() + 1) as f64, 0);
    html! {
        h2 { "Composition" }
        div.chart tabindex="0" role="group" aria-label="Composition" {
            (PreEscaped(svg::svg(&beside_reference::shares(&rows), Mode::Inline)))
        }
        p.note {
            "Grey: each of the " (several(reference.lots.len(), "reference lot")) ", and their range. Diamond: this lot with the \
             interval that counting so many cells leaves. "
            @if outside { "Below or above the range is no limit: of a lot like the others " (by_chance) " of the shares lie there. " }
            @if lot.composition.len() > MAX_CLUSTERS {
                "The " (MAX_CLUSTERS) " largest clusters are shown, and " (lot.composition.len() - MAX_CLUSTERS)
                " more are in composition.csv. "
            }
            @if facts.panels.len() > MAX_PANELS { (facts.panels.len() - MAX_PANELS) " more panels are in panel_shares.csv." }
        }
    }
}

fn potency(lot: &Placed, reference: &ReferenceSummary) -> Markup {
    html! {
        h2 { "Predicted potency" }
        @if lot.predictions.is_empty() {
            p {
                @if !lot.in_reference {
                    "None: a lot out of reference has no predicted potency."
                } @else {
                    "None: the reference holds no potency model."
                }
            }
        }
        @for of in lot.predictions.iter().take(MAX_PREDICTIONS) {
            (one_potency(of, reference.potency.iter().find(|model| model.readout == of.readout)))
        }
        @if lot.predictions.len() > MAX_PREDICTIONS {
            p.note { (lot.predictions.len() - MAX_PREDICTIONS) " more in placed.csv." }
        }
    }
}

fn one_potency(of: &Prediction, model: Option<&PotencySummary>) -> Markup {
    let number = |value: f64| significant(value, 4);
    html! {
        p {
            (of.readout) " " strong { (number(of.value)) } ", " (percent(of.level, 0)) " prediction interval "
            strong { (number(of.low)) " to " (number(of.high)) } ", from the share of cluster " (of.cluster) "."
        }
        (PreEscaped(svg::svg(&beside_reference::prediction(of, model), Mode::Inline)))
        p.note {
            @if of.supported {
                "The association behind it is supported by the reference lots"
            } @else {
                strong { "Not supported: " } "the association behind it may be there by chance"
            }
            @if let Some(model) = model {
                " (r\u{a0}=\u{a0}" (fixed(model.r, 2)) " over " (several(model.points.len(), "lot"))
                @if !of.supported && !model.verdict.is_empty() { "; " (model.verdict) }
                "). Of these lots " (percent(model.coverage, 0)) " had their measured value in the interval predicted without them."
            } @else {
                "."
            }
            @if !of.inside { " " strong { "The share lies outside those of the reference lots: this is an extrapolation." } }
            " A prediction does not replace the potency assay."
        }
    }
}

/// Smallest and largest of the reference lots.
fn range(held: &[HeldOut], of: impl Fn(&Placed) -> f64, decimals: usize) -> String {
    let values = held.iter().map(|lot| of(&lot.placed)).filter(|value| value.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high { String::new() } else { format!("{} to {}", number(low, decimals), number(high, decimals)) }
}

/// With commas at thousands where there are no decimals.
fn number(value: f64, decimals: usize) -> String {
    if decimals == 0 && value >= 0.0 { count(value.round() as u64) } else { fixed(value, decimals) }
}

fn limits_head(first: &str) -> Markup {
    html! {
        thead {
            tr {
                th scope="col" { (first) }
                th.number scope="col" { "this lot" }
                th.number scope="col" { "limit" }
                th.number scope="col" { "reference lots" }
            }
        }
    }
}

fn limited(name: &str, of: Limited, sign: &str, beyond: bool, decimals: usize, others: &str) -> Markup {
    let limit = if of.limit.is_nan() { fixed(f64::NAN, 0) } else { format!("{sign} {}", number(of.limit, decimals)) };
    html! {
        tr {
            th scope="row" { (name) }
            td class=(if beyond { "number beyond" } else { "number" }) {
                (number(of.value, decimals)) @if beyond { " beyond" }
            }
            td.number { (limit) }
            td.number { (others) }
        }
    }
}

fn distances(lot: &Placed, reference: &ReferenceSummary) -> Markup {
    let held = &reference.held_out;
    let row = |name: &str, of: fn(&Placed) -> Limited| {
        let at = of(lot);
        limited(name, at, "≤", at.is_above(), 3, &range(held, |placed| of(placed).value, 3))
    };
    html! {
        h2 { "Distance from the reference lots" }
        table {
            (limits_head(""))
            tbody {
                (row("Jensen–Shannon", |lot| lot.jensen_shannon))
                (row("Aitchison", |lot| lot.aitchison))
                (row("energy", |lot| lot.energy))
            }
        }
    }
}

fn quality(lot: &Placed, reference: &ReferenceSummary) -> Markup {
    let held = &reference.held_out;
    let counted = |value: usize| html! { td.number { (count(value as u64)) } };
    html! {
        h2 { "Quality of the cells (medians)" }
        table {
            (limits_head(""))
            tbody {
                tr {
                    th scope="row" { "cells kept" }
                    td.number { (count(lot.n_cells as u64)) " of " (count(lot.n_cells_read as u64)) }
                    td.number {}
                    td.number { (range(held, |lot| lot.n_cells as f64, 0)) }
                }
                (limited("counts per cell", lot.counts, "≥", lot.counts.is_below(), 0, &range(held, |lot| lot.counts.value, 0)))
                (limited("% mitochondrial", lot.pct_mito, "≤", lot.pct_mito.is_above(), 1,
                    &range(held, |lot| lot.pct_mito.value, 1)))
                tr {
                    th scope="row" { "variable genes" }
                    (counted(lot.n_found))
                    td.number { "of " (count(lot.n_variable as u64)) }
                    td.number {}
                }
            }
        }
    }
}

fn provenance(lot: &Placed, reference: &ReferenceSummary, facts: &CertificateFacts) -> Markup {
    let version = if facts.version.is_empty() { env!("CARGO_PKG_VERSION") } else { &facts.version };
    let total: u64 = reference.n_cells.iter().sum();
    html! {
        h2 { "Reference and program" }
        dl {
            dt { "Reference SHA-256" } dd.hash { (reference.hash) }
            dt { "Reference" }
            dd {
                (several(reference.lots.len(), "lot")) ", " (count(total)) " cells, "
                (several(reference.clusters.len(), "cluster")) "; frozen by cqa " (reference.version)
            }
            dt { "Lot placed by" } dd { "cqa " (version) }
            @for (path, hash) in facts.files.iter().take(MAX_FILES) {
                dt { "File read" } dd { (file_name(path)) " " span.hash { (hash) } }
            }
            @if facts.files.len() > MAX_FILES {
                dt {} dd { (facts.files.len() - MAX_FILES) " more in run.json" }
            }
        }
        div.sign {
            @for who in ["Prepared", "Reviewed"] { p { (who) " for lot " (lot.lot) ": name, date, signature" } }
        }
    }
}

/// The end of a path, which tells files apart.
fn file_name(path: &str) -> String {
    const MOST: usize = 30;
    let n = path.chars().count();
    if n <= MOST { path.into() } else { format!("…{}", path.chars().skip(n - MOST).collect::<String>()) }
}

#[cfg(test)]
mod tests;
