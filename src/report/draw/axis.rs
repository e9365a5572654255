//! Axes: which numbers are ticked, where they lie, how they are written.

use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;

use super::font::{self, Face};
use super::scene::{Anchor, Ink, Scene, Shape, Stroke, Text};

/// Size of the texts at ticks.
const TICK_SIZE: f64 = 10.0;

/// A linear axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Smallest value shown.
    pub low: f64,
    /// Largest value shown.
    pub high: f64,
    /// Words beside it, with the unit.
    pub label: String,
    /// Round numbers between, each with its text.
    pub ticks: Vec<(f64, String)>,
    /// Face of the words: that of gene symbols where they are one.
    pub face: Face,
}

impl Axis {
    /// An axis that holds all finite `values` with a little room, and about `n_ticks` ticks. `percent`: fractions written
    /// as percentages.
    pub fn new(values: impl IntoIterator<Item = f64>, label: impl Into<String>, n_ticks: usize, percent: bool) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|v| v.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if high - low <= 1e-12 * high.abs().max(low.abs()) {
            let room = if high == 0.0 { 1.0 } else { 0.1 * high.abs() };
            (low, high) = (low - room, high + room);
        }
        let room = 0.08 * (high - low);
        Self::between(low - room, high + room, label, n_ticks, percent)
    }

    /// An axis with these ends.
    pub fn between(low: f64, high: f64, label: impl Into<String>, n_ticks: usize, percent: bool) -> Self {
        let factor = if percent { 100.0 } else { 1.0 };
        let ticks: Vec<f64> = RangedCoordf64::from(low * factor..high * factor).key_points(n_ticks);
        let step = ticks.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
        let decimals = if step.is_finite() { (-step.log10() + 0.001).ceil().clamp(0.0, 9.0) as usize } else { 2 };
        let large = ticks.iter().any(|t| t.abs() >= 1e6);
        let text = |value: f64| {
            let value = if value.abs() < step.min(1.0) * 1e-6 { 0.0 } else { value };
            let text = if large { format!("{value:.1e}") } else { format!("{value:.decimals$}") };
            text.replace('-', "−")
        };
        Self {
            low,
            high,
            label: label.into(),
            ticks: ticks.into_iter().map(|t| (t / factor, text(t))).collect(),
            face: Face::Regular,
        }
    }

    /// An axis without ticks or words.
    pub fn bare(low: f64, high: f64) -> Self {
        Self { low, high, label: String::new(), ticks: Vec::new(), face: Face::Regular }
    }

    /// Width of the longest text at a tick.
    pub fn widest_tick(&self) -> f64 {
        self.ticks.iter().map(|(_, text)| font::width(text, Face::Regular, TICK_SIZE)).fold(0.0, f64::max)
    }

    /// Place of a value, 0 at the low end and 1 at the high end.
    pub fn place(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// The rectangle that two axes span.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Left, top, width, height.
    pub area: (f64, f64, f64, f64),
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
}

impl Frame {
    /// The point of a pair of values.
    pub fn point(&self, x: f64, y: f64) -> (f64, f64) {
        let (left, top, width, height) = self.area;
        (left + width * self.x.place(x), top + height * (1.0 - self.y.place(y)))
    }

    /// Draws grid, ticks and labels; data is drawn over it.
    pub fn draw(&self, scene: &mut Scene) {
        let (left, top, width, height) = self.area;
        const SIZE: f64 = TICK_SIZE;
        let grid = Stroke::solid(Ink::Grid, 0.7);
        for (value, text) in &self.x.ticks {
            let x = self.point(*value, 0.0).0;
            scene.line((x, top), (x, top + height), grid);
            let text = Text::new((x, top + height + 14.0), SIZE, text.clone());
            scene.text(text.anchor(Anchor::Middle).ink(Ink::Muted));
        }
        let widest = self.y.widest_tick();
        for (value, text) in &self.y.ticks {
            let y = self.point(0.0, *value).1;
            scene.line((left, y), (left + width, y), grid);
            let text = Text::new((left - 5.0, y + 3.6), SIZE, text.clone()).anchor(Anchor::End).ink(Ink::Muted);
            scene.text(text);
        }
        scene.add(Shape::Path {
            points: vec![(left, top), (left, top + height), (left + width, top + height)],
            closed: false,
            fill: None,
            stroke: Some(Stroke::solid(Ink::Muted, 1.0)),
        });
        let label = Text::new((left + width / 2.0, top + height + 29.0), 10.5, self.x.label.clone()).face(self.x.face);
        scene.text(label.anchor(Anchor::Middle));
        let label = Text::new((left - widest - 13.0, top + height / 2.0), 10.5, self.y.label.clone()).face(self.y.face);
        scene.text(label.anchor(Anchor::Middle).upwards());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_within_the_axis() {
        let axis = Axis::between(0.03, 0.28, "share", 5, true);
        let texts: Vec<&str> = axis.ticks.iter().map(|t| t.1.as_str()).collect();
        assert!(texts.contains(&"10") && texts.contains(&"20"), "{texts:?}");
        assert!(axis.ticks.iter().all(|t| t.0 >= 0.03 && t.0 <= 0.28));
    }

    #[test]
    fn constant_missing_and_infinite_values_still_give_an_axis() {
        for values in [vec![3.0, 3.0], vec![], vec![f64::NAN], vec![f64::INFINITY, 0.0], vec![0.0], vec![-1e-9, -1e-9]]
        {
            let axis = Axis::new(values, "x", 5, false);
            assert!(axis.low < axis.high && axis.low.is_finite() && axis.high.is_finite(), "{axis:?}");
        }
    }
}
