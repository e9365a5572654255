//! Composition: one bar per lot, cut into the shares of its clusters.

use crate::pipeline::Analysis;
use crate::report::draw::scene::{mark, rectangle};
use crate::report::draw::{Anchor, Face, Ink, Scene, Stroke, Text, color, font};
use crate::report::words;

/// Stacked bars, lots from top to bottom in the order of the sheet.
pub fn figure(analysis: &Analysis) -> Scene {
    let composition = &analysis.composition;
    let kinds: Vec<(String, [u8; 3])> =
        (0..composition.share.ncols()).map(|k| (k.to_string(), color::cluster(k))).collect();
    bars(&composition.lots, &composition.n_total, &kinds, |lot, k| composition.n_cells[[lot, k]])
}

const SIZE: f64 = 11.0;
const BAR: f64 = 19.0;
const STEP: f64 = 25.0;
const WIDTH: f64 = 520.0;
const TOP: f64 = 20.0;

/// One bar per lot. `kinds`: names and colours of what it is cut into; `n_cells` of a lot and kind.
pub fn bars(
    lots: &[String],
    n_total: &[u64],
    kinds: &[(String, [u8; 3])],
    n_cells: impl Fn(usize, usize) -> u64,
) -> Scene {
    let names: Vec<String> = lots.iter().map(|lot| font::shorten(lot, Face::Regular, SIZE, 230.0)).collect();
    let widest = names.iter().map(|name| font::width(name, Face::Regular, SIZE)).fold(0.0, f64::max);
    let left = widest.max(48.0) + 18.0;
    let bottom = TOP + STEP * lots.len() as f64;
    let mut scene =
        Scene::new(left + WIDTH + 68.0, bottom + 60.0, "Share of each cluster in each lot, as stacked bars");
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let x = left + WIDTH * share;
        scene.line((x, TOP - 4.0), (x, bottom + 2.0), Stroke::solid(Ink::Grid, 0.7));
        let text = Text::new((x, bottom + 15.0), 10.0, format!("{:.0}", 100.0 * share)).ink(Ink::Muted);
        scene.text(text.anchor(Anchor::Middle));
    }
    scene.text(Text::new((left + WIDTH / 2.0, bottom + 31.0), 10.5, "Share of cells (%)").anchor(Anchor::Middle));
    scene.text(Text::new((left + WIDTH + 58.0, TOP - 6.0), 10.0, "cells").ink(Ink::Muted).anchor(Anchor::End));
    for (lot, name) in names.iter().enumerate() {
        let y = TOP + STEP * lot as f64 + (STEP - BAR) / 2.0;
        let base = y + BAR / 2.0 + 4.0;
        scene.text(Text::new((left - 8.0, base), SIZE, name.clone()).anchor(Anchor::End));
        let total = Text::new((left + WIDTH + 58.0, base), 10.0, words::count(n_total[lot]));
        scene.text(total.ink(Ink::Muted).anchor(Anchor::End));
        let mut x = left;
        for (k, (kind, rgb)) in kinds.iter().enumerate() {
            let n = n_cells(lot, k);
            if n == 0 || n_total[lot] == 0 {
                continue;
            }
            let share = n as f64 / n_total[lot] as f64;
            let width = WIDTH * share;
            let words =
                format!("lot {}, cluster {kind}: {:.1} % ({n} of {} cells)", lots[lot], 100.0 * share, n_total[lot]);
            scene.add_titled(rectangle(x, y, width, BAR, Ink::Rgb(*rgb)), words);
            if x > left {
                scene.line((x, y), (x, y + BAR), Stroke::solid(Ink::Paper, 1.0));
            }
            if width > font::width(kind, Face::Regular, 10.0) + 6.0 {
                let ink = if color::is_light(*rgb) { Ink::Rgb([0; 3]) } else { Ink::Rgb([255; 3]) };
                scene
                    .text(Text::new((x + width / 2.0, base - 0.5), 10.0, kind.clone()).ink(ink).anchor(Anchor::Middle));
            }
            x += width;
        }
    }
    key(&mut scene, left, bottom + 52.0, kinds);
    scene
}

/// Which colour is which.
fn key(scene: &mut Scene, left: f64, top: f64, kinds: &[(String, [u8; 3])]) {
    let (mut x, mut y) = (left, top);
    scene.text(Text::new((left - 8.0, y), SIZE, "Cluster").face(Face::Bold).anchor(Anchor::End));
    for (kind, rgb) in kinds {
        let name = Text::new((0.0, 0.0), SIZE, kind.clone());
        let step = 13.0 + name.width() + 16.0;
        if x + step > left + WIDTH + 58.0 {
            (x, y) = (left, y + 18.0);
        }
        scene.add(mark(1, (x + 5.0, y - 4.0), 6.0, Ink::Rgb(*rgb), None));
        scene.text(Text { at: (x + 14.0, y), ..name });
        x += step;
    }
    scene.height = y + 12.0;
}
