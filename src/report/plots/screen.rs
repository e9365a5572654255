//! Screen: the fraction of positive cells of each lot with its limits, on a scale of powers of ten.

use crate::report::draw::scene::mark;
use crate::report::draw::{Anchor, Axis, Face, Ink, Scene, Stroke, Text, color, font};
use crate::report::words;
use crate::steps::process::Screen;

const SIZE: f64 = 11.0;
const STEP: f64 = 24.0;
const TOP: f64 = 34.0;
const PANEL: f64 = 460.0;

/// One line per lot, and one for all together: the lower to the upper limit of what shows the signature, and the upper limit
/// of hazard cells where the chance to see one is known.
pub fn figure(screen: &Screen) -> Scene {
    let of_lots = screen.rows.iter().map(|row| Line {
        name: row.lot.clone(),
        x: row.n_positive,
        n: row.n_cells,
        fraction: row.fraction,
        lower: row.lower,
        upper: row.upper,
        adjusted: row.upper_adjusted,
    });
    let all = &screen.process;
    let together = Line {
        name: "all lots".into(),
        x: all.n_positive,
        n: all.n_cells,
        fraction: all.fraction,
        lower: all.lower,
        upper: all.upper,
        adjusted: all.upper_adjusted,
    };
    let mut lines: Vec<Line> = of_lots.collect();
    if lines.len() > 1 {
        lines.push(together);
    }
    let names: Vec<String> = lines.iter().map(|line| font::shorten(&line.name, Face::Regular, SIZE, 200.0)).collect();
    let widest = names.iter().map(|name| font::width(name, Face::Regular, SIZE)).fold(50.0, f64::max);
    let (left, bottom) = (widest + 18.0, TOP + STEP * lines.len() as f64);
    let mut scene =
        Scene::new(left + PANEL + 118.0, bottom + 78.0, "Fraction of cells with the signature, with its upper limit");
    let axis = axis(&lines, screen.params.limit);
    let x = |fraction: f64| left + PANEL * axis.place(fraction.log10().clamp(axis.low, axis.high));
    for (value, text) in &axis.ticks {
        let at = left + PANEL * axis.place(*value);
        scene.line((at, TOP - 4.0), (at, bottom), Stroke::solid(Ink::Grid, 0.7));
        scene.text(Text::new((at, bottom + 15.0), 10.0, text.clone()).anchor(Anchor::Middle).ink(Ink::Muted));
    }
    let limit = x(screen.params.limit);
    let red = Ink::Rgb(color::cluster(3));
    scene.line((limit, TOP - 8.0), (limit, bottom), Stroke { ink: red, width: 1.2, dash: Some(4.0) });
    let words = format!("limit asked {}", words::p_value(screen.params.limit));
    scene.text(
        Text::new((limit, TOP - 13.0), 10.0, words)
            .anchor(Anchor::Middle)
            .ink(Ink::Rgb(color::for_words(color::cluster(3)))),
    );
    for (i, line) in lines.iter().enumerate() {
        let y = TOP + STEP * (i as f64 + 0.5);
        let name = Text::new((left - 8.0, y + 4.0), SIZE, names[i].clone()).anchor(Anchor::End);
        scene.text(if i == screen.rows.len() { name.face(Face::Bold) } else { name });
        let cells = format!("{} of {}", words::count(line.x), words::count(line.n));
        scene.text(Text::new((left + PANEL + 10.0, y + 4.0), 10.0, cells).ink(Ink::Muted));
        line.draw(&mut scene, y, left, &x);
    }
    let label = Text::new((left + PANEL / 2.0, bottom + 31.0), 10.5, "Fraction of cells");
    scene.text(label.anchor(Anchor::Middle));
    for (row, words) in [
        "dot: fraction seen · line to the stroke: up to the upper limit of cells that show the signature",
        "diamond: upper limit of hazard cells, seen or not · line from the left edge: none was seen",
    ]
    .into_iter()
    .enumerate()
    {
        let at = (left + PANEL / 2.0, bottom + 50.0 + 14.0 * row as f64);
        scene.text(Text::new(at, 10.0, words).anchor(Anchor::Middle).ink(Ink::Muted));
    }
    scene
}

struct Line {
    name: String,
    x: u64,
    n: u64,
    fraction: f64,
    lower: f64,
    upper: f64,
    adjusted: f64,
}

impl Line {
    fn draw(&self, scene: &mut Scene, y: f64, left: f64, x: &dyn Fn(f64) -> f64) {
        let ink = Ink::Rgb(color::cluster(if self.x > 0 { 3 } else { 0 }));
        let from = if self.x == 0 || self.lower.is_nan() || self.lower <= 0.0 { left } else { x(self.lower) };
        let upper = x(self.upper);
        scene.line((from, y), (upper, y), Stroke::solid(ink, 1.6));
        scene.line((upper, y - 7.0), (upper, y + 7.0), Stroke::solid(ink, 2.0));
        let outline = Some(Stroke::solid(Ink::Paper, 1.0));
        let words = format!(
            "{}: {} of {} cells; upper limit {}; for hazard cells {}",
            self.name,
            words::count(self.x),
            words::count(self.n),
            words::p_value(self.upper),
            words::p_value(self.adjusted)
        );
        if self.adjusted.is_finite() {
            let far = x(self.adjusted);
            scene.line((upper, y), (far, y), Stroke { ink, width: 1.2, dash: Some(3.0) });
            scene.add_titled(mark(2, (far, y), 4.5, ink, outline), words.clone());
        }
        if self.x > 0 {
            scene.add_titled(mark(0, (x(self.fraction), y), 4.5, ink, outline), words);
        }
    }
}

/// Whole powers of ten that hold every limit.
fn axis(lines: &[Line], limit: f64) -> Axis {
    let values = lines.iter().flat_map(|line| [line.fraction, line.lower, line.upper, line.adjusted]).chain([limit]);
    let logs = values.filter(|v| *v > 0.0 && v.is_finite()).map(f64::log10);
    let (low, high) = logs.fold((0.0_f64, -30.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    let (low, high) = ((low - 0.15).floor(), high.ceil().clamp(low.floor() + 1.0, 0.0));
    let ticks = (low as i32..=high as i32).map(|power| (f64::from(power), words::power_of_ten(power)));
    Axis { ticks: ticks.collect(), ..Axis::bare(low, high + 0.05) }
}
