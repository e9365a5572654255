//! UMAP coloured by how the abundance around each cell goes with a readout.

use super::potency::file_stem;
use super::umap;
use crate::pipeline::{Analysis, Ranked};
use crate::report::draw::scene::rectangle;
use crate::report::draw::{Anchor, Face, Ink, Scene, Stroke, Text, color};
use crate::report::words;
use crate::steps::lots::NeighborhoodAssociation;

/// Colours from r = −1 to r = 1.
const N_COLORS: usize = 41;
const LOW: [u8; 3] = [0x00, 0x5a, 0xa0];
const MIDDLE: [u8; 3] = [0xe2, 0xe5, 0xe8];
const HIGH: [u8; 3] = [0xc4, 0x4e, 0x00];

/// File name of a readout's figure.
pub fn name(readout: &str) -> String {
    format!("neighborhoods_{}", file_stem(readout))
}

/// `None` without a layout or without neighbourhoods.
pub fn figure(analysis: &Analysis, ranked: &Ranked) -> Option<Scene> {
    let found = ranked.neighborhoods.as_ref()?;
    let of_cell: Vec<u32> = found.correlation.iter().map(|r| place(*r)).collect();
    let mut colors: Vec<[u8; 3]> = (0..N_COLORS).map(|i| shade(i as f64 / (N_COLORS - 1) as f64)).collect();
    // A neighbourhood that took no part.
    colors.push([0xc8, 0xc8, 0xc8]);
    let title = format!("UMAP of all cells, coloured by the correlation of neighbourhoods with {}", found_name(ranked));
    let mut scene = umap::cells(analysis, &of_cell, colors, &title)?;
    umap::label_clusters(analysis, &mut scene);
    bar(&mut scene, found, analysis.params.neighborhoods.max_fdr);
    Some(scene)
}

fn found_name(ranked: &Ranked) -> &str {
    &ranked.association.readout
}

fn place(r: f32) -> u32 {
    if r.is_nan() { N_COLORS as u32 } else { ((r + 1.0) / 2.0 * (N_COLORS - 1) as f32).round() as u32 }
}

/// From 0 (r = −1) to 1 (r = 1).
fn shade(at: f64) -> [u8; 3] {
    if at < 0.5 { color::mix(LOW, MIDDLE, 2.0 * at) } else { color::mix(MIDDLE, HIGH, 2.0 * at - 1.0) }
}

/// The scale of colours at the right, with the limits of the false discovery rate.
fn bar(scene: &mut Scene, found: &NeighborhoodAssociation, max_fdr: f64) {
    const WIDTH: f64 = 16.0;
    const HEIGHT: f64 = 200.0;
    let (left, top) = (umap::right_edge() + 22.0, 62.0);
    scene.text(Text::new((left, 36.0), 11.5, "r with the readout").face(Face::Bold));
    let y = |r: f64| top + HEIGHT * (1.0 - r) / 2.0;
    let step = HEIGHT / N_COLORS as f64;
    for i in 0..N_COLORS {
        let rgb = shade((N_COLORS - 1 - i) as f64 / (N_COLORS - 1) as f64);
        // A little overlap, so that no seam shows.
        scene.add(rectangle(left, top + step * i as f64, WIDTH, step + 0.4, Ink::Rgb(rgb)));
    }
    for r in [-1.0, -0.5, 0.0, 0.5, 1.0] {
        let text = Text::new((left + WIDTH + 6.0, y(r) + 3.6), 10.0, words::fixed(r, 1)).ink(Ink::Muted);
        scene.text(text);
    }
    let words = if found.threshold.is_finite() {
        for r in [found.threshold, -found.threshold] {
            scene.line((left - 4.0, y(r)), (left + WIDTH + 4.0, y(r)), Stroke::solid(Ink::Text, 1.6));
        }
        let rate = words::percent(max_fdr, 0);
        vec!["Beyond the lines:".to_string(), "false discovery".to_string(), format!("rate within {rate}")]
    } else {
        vec!["No cell passes the".to_string(), "false discovery rate".to_string()]
    };
    for (i, line) in words.into_iter().enumerate() {
        let text = Text::new((left, top + HEIGHT + 24.0 + 14.0 * i as f64), 10.0, line).anchor(Anchor::Start);
        scene.text(text.ink(Ink::Muted));
    }
    scene.width = scene.width.max(left + 140.0);
}
