//! Composition: one bar per lot, cut into the shares of its clusters.

use crate::pipeline::Analysis;
use crate::report::draw::scene::{mark, rectangle};
use crate::report::draw::{Anchor, Face, Ink, Scene, Stroke, Text, color, font};
use crate::report::words;

/// Stacked bars, lots from top to bottom in the order of the sheet.
pub fn figure(analysis: &Analysis) -> Scene {
    const SIZE: f64 = 11.0;
    const BAR: f64 = 19.0;
    const STEP: f64 = 25.0;
    const WIDTH: f64 = 520.0;
    const TOP: f64 = 20.0;
    let composition = &analysis.composition;
    let (n_lots, n_clusters) = composition.share.dim();
    let names: Vec<String> =
        composition.lots.iter().map(|lot| font::shorten(lot, Face::Regular, SIZE, 230.0)).collect();
    let widest = names.iter().map(|name| font::width(name, Face::Regular, SIZE)).fold(0.0, f64::max);
    let left = widest.max(48.0) + 18.0;
    let bottom = TOP + STEP * n_lots as f64;
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
        let total = Text::new((left + WIDTH + 58.0, base), 10.0, words::count(composition.n_total[lot]));
        scene.text(total.ink(Ink::Muted).anchor(Anchor::End));
        let mut x = left;
        for k in 0..n_clusters {
            let share = composition.share[[lot, k]];
            if share.is_nan() || share <= 0.0 {
                continue;
            }
            let (width, rgb) = (WIDTH * share, color::cluster(k));
            let words = format!(
                "lot {}, cluster {k}: {:.1} % ({} of {} cells)",
                composition.lots[lot],
                100.0 * share,
                composition.n_cells[[lot, k]],
                composition.n_total[lot]
            );
            scene.add_titled(rectangle(x, y, width, BAR, Ink::Rgb(rgb)), words);
            if x > left {
                scene.line((x, y), (x, y + BAR), Stroke::solid(Ink::Paper, 1.0));
            }
            let name = k.to_string();
            if width > font::width(&name, Face::Regular, 10.0) + 6.0 {
                let ink = if color::is_light(rgb) { Ink::Rgb([0; 3]) } else { Ink::Rgb([255; 3]) };
                scene.text(Text::new((x + width / 2.0, base - 0.5), 10.0, name).ink(ink).anchor(Anchor::Middle));
            }
            x += width;
        }
    }
    let mut x = left;
    let mut y = bottom + 52.0;
    scene.text(Text::new((left - 8.0, y), SIZE, "Cluster").face(Face::Bold).anchor(Anchor::End));
    for k in 0..n_clusters {
        let name = Text::new((x + 13.0, y), SIZE, k.to_string());
        let step = 13.0 + name.width() + 16.0;
        if x + step > left + WIDTH + 58.0 {
            (x, y) = (left, y + 18.0);
        }
        scene.add(mark(1, (x + 5.0, y - 4.0), 6.0, Ink::Rgb(color::cluster(k)), None));
        scene.text(Text::new((x + 14.0, y), SIZE, k.to_string()));
        x += step;
    }
    scene.height = y + 12.0;
    scene
}
