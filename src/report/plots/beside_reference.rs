//! A lot beside the reference lots: its shares within their range, and its predicted readout beside their measured ones.

use crate::report::draw::scene::{mark, rectangle};
use crate::report::draw::{Anchor, Axis, Face, Frame, Ink, Paint, Scene, Stroke, Text, color, font};
use crate::report::words::{MISSING, fixed, significant};
use crate::steps::process::{PotencySummary, Prediction};

const WIDTH: f64 = 704.0;
/// Where the plot ends; words follow at the right.
const RIGHT: f64 = 432.0;
/// Most room that names take at its left.
const NAMES: f64 = 200.0;
/// For the reference lots.
const OTHERS: [u8; 3] = [0x8a, 0x93, 0x9e];
/// For panels and cells that no cluster took.
const PLAIN: [u8; 3] = [0x5a, 0x64, 0x70];

/// A share of the lot's cells beside those of the reference lots.
#[derive(Debug, Clone, PartialEq)]
pub struct BesideReference {
    /// What the share is of.
    pub name: String,
    /// Its colour, if it is a cluster.
    pub cluster: Option<usize>,
    /// Share and interval of the lot, 0..1; NaN = none.
    pub share: [f64; 3],
    /// Shares of the reference lots.
    pub reference: Vec<f64>,
}

impl BesideReference {
    /// Smallest and largest share of the reference lots; `None` without any.
    pub fn range(&self) -> Option<(f64, f64)> {
        let known = || self.reference.iter().copied().filter(|share| share.is_finite());
        known().next().map(|first| known().fold((first, first), |(low, high), s| (low.min(s), high.max(s))))
    }

    /// `below`, `above`, or nothing if the share lies in the range.
    pub fn outside(&self) -> &'static str {
        match self.range() {
            Some((low, _)) if self.share[0] < low => "below",
            Some((_, high)) if self.share[0] > high => "above",
            _ => "",
        }
    }
}

/// One row per share: range and lots of the reference in grey, the lot with its interval, both in numbers at the right.
pub fn shares(rows: &[BesideReference]) -> Scene {
    // So much height that a certificate stays one page.
    let step = (240.0 / rows.len().max(1) as f64).clamp(7.6, 18.0);
    let size = (step * 0.68).clamp(6.5, 10.0);
    let widest = rows.iter().map(|row| font::width(&row.name, Face::Regular, size)).fold(50.0, f64::max);
    let left = widest.min(NAMES) + 26.0;
    let top = 20.0;
    let height = step * rows.len() as f64;
    let mut scene =
        Scene::new(WIDTH, top + height + 36.0, "Shares of the lot's cells beside those of the reference lots");
    for (x, anchor, words) in [
        (left - 18.0, Anchor::End, "Cells in"),
        (562.0, Anchor::End, "this lot, % (95 % interval)"),
        (WIDTH - 2.0, Anchor::End, "reference lots, %"),
    ] {
        scene.text(Text::new((x, 12.0), 9.0, words).anchor(anchor).ink(Ink::Muted));
    }
    let values = rows.iter().flat_map(|row| row.share.iter().chain(&row.reference));
    let most = values.copied().filter(|v| v.is_finite()).fold(0.01, f64::max);
    let frame = Frame {
        area: (left, top, RIGHT - left, height),
        x: Axis::between(0.0, (most * 1.04).min(1.0), "Share of the cells kept (%)", 6, true),
        y: Axis::bare(0.0, 1.0),
    };
    frame.draw(&mut scene);
    for (i, row) in rows.iter().enumerate() {
        let y = top + step * (i as f64 + 0.5);
        one(&mut scene, &frame, row, y, step, size);
    }
    scene
}

fn one(scene: &mut Scene, frame: &Frame, row: &BesideReference, y: f64, step: f64, size: f64) {
    let x = |share: f64| frame.point(share, 0.0).0;
    let left = frame.area.0;
    let rgb = row.cluster.map_or(PLAIN, color::cluster);
    let name = font::shorten(&row.name, Face::Regular, size, NAMES);
    scene.text(Text::new((left - 18.0, y + size * 0.36), size, name).anchor(Anchor::End));
    scene.add(rectangle(left - 13.0, y - step * 0.3, 6.0, step * 0.6, Ink::Rgb(rgb)));
    let range = row.range();
    if let Some((low, high)) = range {
        let fill = Paint { ink: Ink::Rgb(OTHERS), opacity: 0.3 };
        scene.add(rectangle(x(low), y - step * 0.27, (x(high) - x(low)).max(1.0), step * 0.54, fill));
        for share in row.reference.iter().filter(|share| share.is_finite()) {
            scene.line(
                (x(*share), y - step * 0.27),
                (x(*share), y + step * 0.27),
                Stroke::solid(Ink::Rgb(OTHERS), 1.0),
            );
        }
    }
    let [share, low, high] = row.share;
    if share.is_finite() {
        scene.line((x(low), y), (x(high), y), Stroke::solid(Ink::Text, 1.4));
        let rim = Some(Stroke::solid(Ink::Text, 0.8));
        scene.add_titled(mark(2, (x(share), y), (step * 0.24).min(4.0), Ink::Rgb(rgb), rim), row.name.clone());
    }
    let percent = |share: f64| fixed(100.0 * share, 1);
    let words = match share.is_finite() {
        true => format!("{} ({} to {})", percent(share), percent(low), percent(high)),
        false => MISSING.into(),
    };
    let words = Text::new((562.0, y + size * 0.36), size, words).anchor(Anchor::End);
    let outside = row.outside();
    scene.text(if outside.is_empty() { words } else { words.face(Face::Bold) });
    if !outside.is_empty() {
        let words = Text::new((568.0, y + size * 0.36), size, outside).face(Face::Bold);
        scene.text(words);
    }
    let words = range.map_or(MISSING.into(), |(low, high)| format!("{} to {}", percent(low), percent(high)));
    scene.text(Text::new((WIDTH - 2.0, y + size * 0.36), size, words).anchor(Anchor::End).ink(Ink::Muted));
}

/// The predicted readout with its interval, below the measured values of the reference lots.
pub fn prediction(of: &Prediction, model: Option<&PotencySummary>) -> Scene {
    const W: f64 = 340.0;
    let mut scene = Scene::new(W, 82.0, format!("{} predicted beside the reference lots", of.readout));
    let measured: Vec<f64> = model.iter().flat_map(|m| m.points.iter().map(|p| p.value)).collect();
    let label = font::shorten(&of.readout, Face::Regular, 10.5, 240.0);
    let frame = Frame {
        area: (78.0, 4.0, W - 92.0, 44.0),
        x: Axis::new(measured.iter().copied().chain([of.value, of.low, of.high]), label, 5, false),
        y: Axis::bare(0.0, 1.0),
    };
    frame.draw(&mut scene);
    for (y, words) in [(0.74, "reference lots"), (0.26, "this lot")] {
        let at = frame.point(frame.x.low, y);
        scene.text(Text::new((72.0, at.1 + 3.3), 9.0, words).anchor(Anchor::End).ink(Ink::Muted));
    }
    for value in measured.iter().filter(|value| value.is_finite()) {
        let fill = Ink::Rgb(OTHERS);
        let dot = mark(0, frame.point(*value, 0.74), 3.2, fill, Some(Stroke::solid(Ink::Paper, 0.6)));
        scene.add_titled(dot, significant(*value, 4));
    }
    if of.value.is_finite() {
        let y = 0.26;
        scene.line(frame.point(of.low, y), frame.point(of.high, y), Stroke::solid(Ink::Text, 1.6));
        for end in [of.low, of.high] {
            let (x, y) = frame.point(end, y);
            scene.line((x, y - 4.0), (x, y + 4.0), Stroke::solid(Ink::Text, 1.6));
        }
        let rim = Some(Stroke::solid(Ink::Text, 0.8));
        let fill = Ink::Rgb(color::cluster(of.cluster));
        scene.add_titled(mark(2, frame.point(of.value, y), 4.6, fill, rim), significant(of.value, 4));
    }
    scene
}
