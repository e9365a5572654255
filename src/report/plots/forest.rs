//! A comparison of lots at a glance: every attribute against its margin or range, in one picture.

use crate::data::{Comparison, Rule, Side};
use crate::report::draw::scene::{mark, rectangle};
use crate::report::draw::{Anchor, Axis, Face, Ink, Paint, Scene, Stroke, Text, color};
use crate::report::{runs, words};
use crate::steps::process::compare::interval;
use crate::steps::process::{Compared, Judged, Outcome};

const SIZE: f64 = 11.0;
const STEP: f64 = 26.0;
const TOP: f64 = 40.0;
const PANEL: f64 = 430.0;
/// Farthest place shown, in margins; what lies beyond is drawn at the edge.
const REACH: f64 = 3.0;

/// Colour and mark of a verdict: told apart by form as well.
pub(super) fn sign(verdict: Outcome) -> (Ink, usize) {
    match verdict {
        Outcome::Comparable => (Ink::Rgb(color::cluster(2)), 0),
        Outcome::NotComparable => (Ink::Rgb(color::cluster(3)), 2),
        Outcome::Inconclusive => (Ink::Rgb(color::cluster(8)), 1),
    }
}

/// The same colour, dark enough for words.
pub(super) fn word_ink(verdict: Outcome) -> Ink {
    Ink::Rgb(color::for_words(sign(verdict).0.rgb()))
}

/// One line per attribute: the interval of the difference in units of the margin, or the span of the post lots in half-widths
/// of the range.
pub fn figure(comparison: &Comparison, compared: &Compared) -> Scene {
    let rows = &compared.judged;
    let names: Vec<Text> =
        rows.iter().map(|row| runs::text((0.0, 0.0), SIZE, runs::attribute(&row.attribute), 230.0)).collect();
    let widest = names.iter().map(Text::width).fold(60.0, f64::max);
    let left = widest + 22.0;
    let bottom = TOP + STEP * rows.len() as f64;
    let title = format!("{}: every attribute against its margin or range", comparison.title);
    let mut scene = Scene::new(left + PANEL + 176.0, bottom + 50.0, title);
    let axis = Axis::between(-REACH - 0.2, REACH + 0.2, "", 7, false);
    let x = |value: f64| left + PANEL * axis.place(value.clamp(-REACH, REACH));
    let inside = Paint { ink: Ink::Rgb(color::cluster(2)), opacity: 0.10 };
    scene.add(rectangle(x(-1.0), TOP - 6.0, x(1.0) - x(-1.0), bottom - TOP + 6.0, inside));
    for end in [-1.0, 1.0] {
        scene.line((x(end), TOP - 6.0), (x(end), bottom), Stroke { ink: Ink::Muted, width: 1.2, dash: Some(3.0) });
        let text = Text::new((x(end), TOP - 12.0), 10.0, if end < 0.0 { "lower end" } else { "upper end" });
        scene.text(text.anchor(Anchor::Middle).ink(Ink::Muted));
    }
    scene.line((x(0.0), TOP - 6.0), (x(0.0), bottom), Stroke::solid(Ink::Grid, 1.0));
    for (value, text) in &axis.ticks {
        let text = Text::new((x(*value), bottom + 15.0), 10.0, text.clone());
        scene.text(text.anchor(Anchor::Middle).ink(Ink::Muted));
    }
    let words = "in margins (TOST: interval of post − pre) or half-widths of the range (span of post lots)";
    scene.text(Text::new((left + PANEL / 2.0, bottom + 34.0), 10.0, words).anchor(Anchor::Middle).ink(Ink::Muted));
    for (i, row) in rows.iter().enumerate() {
        let y = TOP + STEP * (i as f64 + 0.5);
        let name = Text { at: (left - 10.0, y + 4.0), ..names[i].clone() }.anchor(Anchor::End);
        scene.text(if row.attribute.potency { name.face(Face::Bold) } else { name });
        let (ink, form) = sign(row.verdict);
        let label = Text::new((left + PANEL + 12.0, y + 4.0), SIZE, row.verdict.words());
        scene.text(label.ink(word_ink(row.verdict)).face(Face::Bold));
        let place = |value: f64| relative(row, value);
        let (low, estimate, high) = (place(row.low), place(row.estimate), place(row.high));
        if low.is_nan() || high.is_nan() {
            continue;
        }
        scene.line((x(low), y), (x(high), y), Stroke::solid(ink, 2.2));
        for end in [low, high] {
            scene.line((x(end), y - 4.0), (x(end), y + 4.0), Stroke::solid(ink, 1.6));
        }
        let words = format!(
            "{}: {} ({}), {} to be within {}",
            row.attribute.label(),
            words::fixed(row.estimate, 3),
            interval(row.low, row.high),
            row.verdict.words(),
            interval(row.margin_low, row.margin_high)
        );
        let outline = Some(Stroke::solid(Ink::Paper, 1.0));
        scene.add_titled(mark(form, (x(estimate), y), 5.0, ink, outline), words);
    }
    scene
}

/// Where a value lies between the ends: −1 at the lower, 1 at the upper; NaN where there are none. With one end only, 0 is no
/// difference, or the mean of the pre lots.
fn relative(row: &Judged, value: f64) -> f64 {
    let (low, high) = (row.margin_low, row.margin_high);
    let middle = if matches!(row.attribute.rule, Rule::Tost { .. }) { 0.0 } else { row.pre.0 };
    match row.attribute.side {
        Side::Lower => (value - middle) / (middle - low),
        Side::Upper => (value - middle) / (high - middle),
        // Ends need not lie at equal distances: each side has its own scale.
        Side::Both if value < middle => (value - middle) / (middle - low),
        Side::Both => (value - middle) / (high - middle),
    }
}
