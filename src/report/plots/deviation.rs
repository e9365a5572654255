//! Deviation: how far each lot lies from the others, in three distances, with its limit.

use crate::pipeline::Analysis;
use crate::report::draw::scene::mark;
use crate::report::draw::{Anchor, Axis, Face, Ink, Scene, Stroke, Text, color, font};
use crate::report::words;
use crate::steps::lots::{DeviationRow, Distance};

const SIZE: f64 = 11.0;
const STEP: f64 = 21.0;
const PANEL: f64 = 208.0;
const GAP: f64 = 26.0;
const TOP: f64 = 32.0;

/// Which distance of a lot.
type Of = fn(&DeviationRow) -> &Distance;

/// One panel per distance, one line per lot in the order of the sheet.
pub fn figure(analysis: &Analysis) -> Scene {
    let rows = &analysis.deviation;
    let names: Vec<String> = rows.iter().map(|row| font::shorten(&row.lot, Face::Regular, SIZE, 200.0)).collect();
    let widest = names.iter().map(|name| font::width(name, Face::Regular, SIZE)).fold(0.0, f64::max);
    let left = widest.max(40.0) + 16.0;
    let bottom = TOP + STEP * rows.len() as f64;
    let width = left + 3.0 * PANEL + 2.0 * GAP + 12.0;
    let mut scene = Scene::new(width, bottom + 44.0, "Distance of each lot from the others, with its limit");
    for (i, name) in names.into_iter().enumerate() {
        let text = Text::new((left - 8.0, base(i) + 4.0), SIZE, name).anchor(Anchor::End);
        scene.text(if rows[i].outlying { text.face(Face::Bold) } else { text });
    }
    let panels: [(&str, Of); 3] = [
        ("Jensen–Shannon distance", |row| &row.jensen_shannon),
        ("Aitchison distance", |row| &row.aitchison),
        ("Energy distance", |row| &row.energy),
    ];
    for (i, (title, of)) in panels.into_iter().enumerate() {
        panel(&mut scene, rows, left + i as f64 * (PANEL + GAP), bottom, title, of);
    }
    scene
}

/// The line of a lot.
fn base(lot: usize) -> f64 {
    TOP + STEP * (lot as f64 + 0.5)
}

fn panel(scene: &mut Scene, rows: &[DeviationRow], left: f64, bottom: f64, title: &str, of: Of) {
    let numbers = rows.iter().flat_map(|row| [of(row).value, of(row).limit]).chain([0.0]);
    let high = numbers.filter(|v| v.is_finite()).fold(0.0, f64::max);
    let axis = Axis::between(0.0, if high > 0.0 { 1.06 * high } else { 1.0 }, "", 4, false);
    let x = |value: f64| left + PANEL * axis.place(value);
    scene.text(Text::new((left + PANEL / 2.0, TOP - 12.0), 11.0, title).anchor(Anchor::Middle).face(Face::Bold));
    for (value, text) in &axis.ticks {
        scene.line((x(*value), TOP - 2.0), (x(*value), bottom), Stroke::solid(Ink::Grid, 0.7));
        let text = Text::new((x(*value), bottom + 14.0), 10.0, text.clone());
        scene.text(text.anchor(Anchor::Middle).ink(Ink::Muted));
    }
    scene.line((left, TOP - 2.0), (left, bottom), Stroke::solid(Ink::Muted, 1.0));
    for (lot, row) in rows.iter().enumerate() {
        let distance = of(row);
        if !distance.value.is_finite() {
            continue;
        }
        let y = base(lot);
        let above = distance.value > distance.limit;
        let ink = Ink::Rgb(color::cluster(if above { 3 } else { 0 }));
        scene.line((left, y), (x(distance.value), y), Stroke::solid(ink, 1.2));
        if distance.limit.is_finite() {
            let limit = x(distance.limit);
            scene.line((limit, y - 7.0), (limit, y + 7.0), Stroke::solid(Ink::Text, 1.4));
        }
        let words = format!(
            "lot {}: {}, limit {}, {} of {}",
            row.lot,
            words::fixed(distance.value, 3),
            words::fixed(distance.limit, 3),
            distance.rank,
            rows.len()
        );
        let outline = Some(Stroke::solid(Ink::Paper, 1.0));
        scene.add_titled(mark(if above { 2 } else { 0 }, (x(distance.value), y), 5.0, ink, outline), words);
    }
    let text = Text::new((left + PANEL / 2.0, bottom + 31.0), 10.0, "dot: distance · stroke: limit");
    scene.text(text.anchor(Anchor::Middle).ink(Ink::Muted));
}
