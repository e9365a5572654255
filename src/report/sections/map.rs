//! The map of the cells: as figures that stay, and as one that is moved about and coloured anew where scripts run.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

use super::{file, plot_files};
use crate::pipeline::{Analysis, Ranked};
use crate::report::draw::{Scene, base64, color};
use crate::report::plots::umap::{self, MARGIN, SIDE};
use crate::report::section::{Figure, Section};
use crate::steps::cells::Phase;
use crate::steps::markers::expression::{PER_CLUSTER, STEPS_PER_UNIT, cells_shown};

/// Colours of the phases G1, S, G2M.
const PHASES: [(Phase, &str, [u8; 3]); 3] = [
    (Phase::G1, "G1", [0xa3, 0xab, 0xb4]),
    (Phase::S, "S", [0x00, 0x72, 0xb2]),
    (Phase::G2M, "G2M", [0xd5, 0x5e, 0x00]),
];
/// Steps of the scale of colours of a gene.
const N_SHADES: usize = 32;
/// Where on the scale of colours a cell without a count lies.
const PALEST: f64 = 0.12;

/// UMAP by cluster and by lot; `None` without a layout.
pub(super) fn section(analysis: &Analysis, ranked: &[Ranked]) -> Option<Section> {
    let figure = |scene: Scene, name: &str, caption: &str, reading: &str| {
        let mut links = vec![file("cells.parquet")];
        links.extend(plot_files(name));
        Figure { scenes: vec![scene], flows: false, caption: caption.into(), reading: reading.into(), links }
    };
    let by_cluster = figure(
        umap::by_cluster(analysis)?,
        "umap_cluster",
        "All kept cells, coloured by cluster.",
        "Each dot is a cell; near cells are alike. Distances between far groups, their sizes and forms mean little.",
    );
    let by_lot = figure(
        umap::by_lot(analysis)?,
        "umap_lot",
        "The same cells, coloured by lot.",
        "Colours should mix within each cluster. A group of one colour is private to a lot.",
    );
    Some(Section {
        id: "map".into(),
        title: "Map of the cells".into(),
        question: "How do clusters and lots lie among the cells?".into(),
        finding: html! {
            p { "The map is for the eye only; nothing is computed from it." }
            (PreEscaped(format!("<script type=\"application/json\" id=\"map-data\">{}</script>", data(analysis, ranked)?)))
            (interactive(analysis))
        },
        figures: vec![by_cluster, by_lot],
        tables: Vec::new(),
        method: String::new(),
    })
}

/// What the script fills; hidden where none runs.
fn interactive(analysis: &Analysis) -> Markup {
    let n_cells = analysis.cells.cluster.len();
    let n_shown = cells_shown(n_cells).len();
    html! {
        div.explore id="explore" hidden {
            div.tools {
                label { "Colour by " select id="map-by" {} }
                button type="button" id="map-in" aria-label="Zoom in" { "+" }
                button type="button" id="map-out" aria-label="Zoom out" { "−" }
                button type="button" id="map-all" { "Whole map" }
            }
            div.stage {
                canvas id="map-canvas" tabindex="0" role="img" aria-label="Map of the cells" {}
                div.legend id="map-legend" {}
            }
            p.hint id="map-status" aria-live="polite" {}
            p.hint {
                "Drag to move; two fingers, + and − keys, double click, or the wheel after a click zoom; 0 shows all. Click names of the legend to see those cells alone. "
                @if n_shown < n_cells { "An even selection of the cells is shown. " }
                "Genes are the first candidates (most specific genes where nothing was ranked), as ln(1 + scaled count)."
                span.links {
                    a href="cells.parquet" { "cells.parquet" } " "
                    @if !analysis.marker_expression.genes.is_empty() {
                        a href="marker_expression.parquet" { "marker_expression.parquet" } " "
                    }
                    @for name in ["umap_cluster", "umap_lot"] {
                        @for end in ["svg", "png"] { a href={ "plots/" (name) "." (end) } { (name) "." (end) } " " }
                    }
                }
            }
        }
    }
}

/// Cells and colours as JSON that is safe inside a page; numbers of cells as base64 of deflated little-endian bytes.
fn data(analysis: &Analysis, ranked: &[Ranked]) -> Option<String> {
    let (positions, _) = umap::positions(analysis.cells.umap.as_ref()?.view())?;
    let shown = &analysis.marker_expression;
    let cells = if shown.genes.is_empty() { cells_shown(positions.len()) } else { shown.cells.clone() };
    // Place among the shown cells and cell, in a fixed shuffle, so that the last lot does not cover the others.
    let mut order: Vec<(usize, usize)> = cells.iter().map(|&cell| cell as usize).enumerate().collect();
    order.retain(|&(_, cell)| positions[cell].0.is_finite() && positions[cell].1.is_finite());
    order.sort_by_key(|&(_, cell)| (umap::scatter(cell as u32), cell));
    let place = |pick: fn(&(f32, f32)) -> f32| {
        let unit = |v: f32| ((f64::from(v) - MARGIN) / SIDE * 65535.0).round().clamp(0.0, 65535.0) as u16;
        bytes16(order.iter().map(|&(_, cell)| unit(pick(&positions[cell]))))
    };
    let of_cells = |value: &dyn Fn(usize) -> u32| bytes16(order.iter().map(|&(_, cell)| value(cell) as u16));
    let group = |label: &str, names: Vec<String>, color: &dyn Fn(usize) -> [u8; 3], value: &dyn Fn(usize) -> u32| {
        let colors: Vec<String> = (0..names.len()).map(|i| hex(color(i))).collect();
        json!({ "label": label, "names": names, "colors": colors, "at": of_cells(value) })
    };
    let own = &analysis.cells;
    let clusters = (0..analysis.clusters.len()).map(|k| k.to_string()).collect();
    let phases = PHASES.iter().map(|phase| phase.1.to_string()).collect();
    let phase_of = |cell: usize| PHASES.iter().position(|phase| phase.0 == own.phase[cell]).unwrap_or(0) as u32;
    let mut by = vec![
        group("Cluster", clusters, &color::cluster, &|cell| own.cluster[cell]),
        group("Lot", analysis.composition.lots.clone(), &color::lot, &|cell| own.lot[cell]),
        group("Phase", phases, &|i| PHASES[i].2, &phase_of),
    ];
    for gene in genes(analysis, ranked) {
        let row = shown.row_of(gene)?;
        let levels: Vec<u8> = order.iter().map(|&(place, _)| shown.level[[row, place]]).collect();
        let mut present: Vec<u8> = levels.iter().copied().filter(|&level| level > 0).collect();
        present.sort_unstable();
        // The strongest hundredth shares one colour, so that a single cell does not pale the others.
        let top = present.get(present.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(1);
        // A cell with a count never has the shade of one without.
        let shade =
            |level: u8| (usize::from(level) * (N_SHADES - 1)).div_ceil(usize::from(top)).min(N_SHADES - 1) as u8;
        let shades: Vec<u8> = levels.into_iter().map(shade).collect();
        by.push(json!({
            "label": analysis.genes.symbols()[gene as usize], "gene": true, "top": top, "at": packed(&shades),
        }));
    }
    // Cells without a count stay in sight on any ground.
    let shade = |i: usize| color::scale(PALEST + (1.0 - PALEST) * i as f64 / (N_SHADES - 1) as f64);
    let shades: Vec<String> = (0..N_SHADES).map(|i| hex(shade(i))).collect();
    let data: Value = json!({
        "n": order.len(), "x": place(|p| p.0), "y": place(|p| p.1), "by": by, "shades": shades, "per_unit": STEPS_PER_UNIT,
    });
    // Names from outside stay inert: neither an end of the block nor a comment can be written.
    Some(data.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

/// Genes to colour by: the first candidates of the readouts in turn; without a ranking the first markers of the clusters in turn.
fn genes(analysis: &Analysis, ranked: &[Ranked]) -> Vec<u32> {
    let lists: Vec<Vec<u32>> = if ranked.is_empty() {
        (0..analysis.clusters.len()).map(|k| analysis.effects.top(k, &analysis.params.effects)).collect()
    } else {
        ranked.iter().map(|one| one.candidates.iter().map(|c| c.gene).collect()).collect()
    };
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0).min(PER_CLUSTER);
    let mut chosen: Vec<u32> = Vec::new();
    for gene in (0..longest).flat_map(|i| lists.iter().filter_map(move |list| list.get(i))) {
        let known = analysis.marker_expression.row_of(*gene).is_some();
        if known && !chosen.contains(gene) && chosen.len() < PER_CLUSTER {
            chosen.push(*gene);
        }
    }
    chosen
}

fn bytes16(values: impl Iterator<Item = u16>) -> String {
    packed(&values.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

/// Bytes made small, as base64.
fn packed(bytes: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let small = encoder.write_all(bytes).and_then(|()| encoder.finish());
    base64::encode(&small.expect("bytes can be written to memory"))
}

fn hex(rgb: [u8; 3]) -> String {
    format!("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2])
}
