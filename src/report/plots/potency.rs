//! Share of each cluster against a readout: one small panel per cluster, best first, every lot labelled.

use crate::pipeline::{Analysis, Ranked};
use crate::report::draw::scene::mark;
use crate::report::draw::{Anchor, Axis, Face, Frame, Ink, Scene, Stroke, Text, color, font, labels};
use crate::report::words;
use crate::steps::lots::{AssociationRow, Transform, Verdict};

const WIDTH: f64 = 316.0;
const HEIGHT: f64 = 268.0;
const LABEL: f64 = 9.0;

/// File name of a readout's figure.
pub fn name(readout: &str) -> String {
    format!("potency_{}", file_stem(readout))
}

/// A readout's name as part of a file name: letters, digits, `-`, `_` and `.` stay, everything else becomes `_`, and a name
/// of dots alone gets a `_` in front.
pub fn file_stem(readout: &str) -> String {
    let stem: String =
        readout.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' }).collect();
    if stem.trim_matches('.').is_empty() { format!("_{stem}") } else { stem }
}

/// All panels in one figure, three to a row.
pub fn figure(analysis: &Analysis, ranked: &Ranked) -> Scene {
    let readout = &ranked.association.readout;
    let panels = panels(analysis, ranked);
    let n_columns = panels.len().clamp(1, 3);
    let n_rows = panels.len().div_ceil(n_columns);
    let title = format!("Share of each cluster against {readout}, one point per lot");
    let mut scene = Scene::new(WIDTH * n_columns as f64, HEIGHT * n_rows as f64 + 8.0, title);
    for (i, panel) in panels.into_iter().enumerate() {
        scene.place(panel, WIDTH * (i % n_columns) as f64, HEIGHT * (i / n_columns) as f64);
    }
    if let Some(key) = key(analysis, scene.width) {
        let top = scene.height;
        scene.height += key.height;
        scene.place(key, 0.0, top);
    }
    scene
}

/// Rows of an association, best first: smallest family-wise p, then largest |r|.
pub fn best_first(rows: &[AssociationRow]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let rank = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
    order.sort_by(|&a, &b| {
        let (a, b) = (&rows[a], &rows[b]);
        rank(a.p_family).total_cmp(&rank(b.p_family)).then(rank(-a.effect.abs()).total_cmp(&rank(-b.effect.abs())))
    });
    order
}

/// One panel per cluster, best first.
pub fn panels(analysis: &Analysis, ranked: &Ranked) -> Vec<Scene> {
    let transform = analysis.params.composition.transform;
    let transformed = (transform != Transform::Share).then(|| analysis.composition.transformed(transform).values);
    let x = transformed.as_ref().unwrap_or(&analysis.composition.share);
    let association = &ranked.association;
    best_first(&association.rows)
        .into_iter()
        .filter(|&k| k < x.ncols())
        .map(|k| panel(analysis, ranked, k, &x.column(k).to_vec(), transform))
        .collect()
}

fn panel(analysis: &Analysis, ranked: &Ranked, cluster: usize, x: &[f64], transform: Transform) -> Scene {
    let association = &ranked.association;
    let row = &association.rows[cluster];
    let values = &ranked.readout.values;
    let lots = &analysis.composition.lots;
    let shown: Vec<usize> = (0..lots.len()).filter(|&l| x[l].is_finite() && values[l].is_finite()).collect();
    let summary = format!(
        "{} = {} [{}, {}] · {}",
        if row.ranks { "ρ" } else { "r" },
        words::fixed(row.effect, 2),
        words::fixed(row.ci_low, 2),
        words::fixed(row.ci_high, 2),
        words::p_equals(row.p_family)
    );
    let title =
        format!("Share of cluster {} against {}: {summary}, {} lots", row.column, association.readout, row.n_lots);
    let mut scene = Scene::new(WIDTH, HEIGHT, title);
    let (label, percent) = axis_label(transform, &row.column);
    let composition = &analysis.composition;
    let interval = |l: usize| match transform {
        Transform::Share => (composition.ci_low[[l, cluster]], composition.ci_high[[l, cluster]]),
        _ => (f64::NAN, f64::NAN),
    };
    let y = Axis::new(shown.iter().map(|&l| values[l]), "", 5, false);
    let left = (y.widest_tick() + 30.0).max(56.0);
    let area = (left, 42.0, WIDTH - left - 14.0, HEIGHT - 42.0 - 40.0);
    let room = font::shorten(&association.readout, Face::Regular, 10.5, area.3 + 20.0);
    let frame = Frame {
        area,
        x: Axis::new(shown.iter().flat_map(|&l| [x[l], interval(l).0, interval(l).1]), label, 5, percent),
        y: Axis { label: room, ..y },
    };
    scene.text(Text::new((area.0, 16.0), 12.0, format!("Cluster {}", row.column)).face(Face::Bold));
    let verdict = Text::new((WIDTH - 14.0, 16.0), 10.0, ranked.verdicts[cluster].verdict.words()).anchor(Anchor::End);
    scene.text(verdict.ink(Ink::Muted));
    scene.text(Text::new((area.0, 31.0), 10.0, summary));
    frame.draw(&mut scene);
    let mut ground = fitted_line(&mut scene, &frame, row, ranked.verdicts[cluster].verdict);
    for &l in &shown {
        let (low, high) = interval(l);
        if low.is_finite() && high.is_finite() {
            let pale = color::mix(color::lot(l), [128; 3], 0.4);
            let (from, to) = (frame.point(low, values[l]), frame.point(high, values[l]));
            scene.line(from, to, Stroke::solid(Ink::Rgb(pale), 0.8));
            ground.extend(labels::line(from, to));
        }
    }
    let points: Vec<(f64, f64)> = shown.iter().map(|&l| frame.point(x[l], values[l])).collect();
    let short = short_names(analysis);
    let sizes: Vec<(f64, f64)> =
        shown.iter().map(|&l| (font::width(&short[l], Face::Regular, LABEL), LABEL * 0.85)).collect();
    let places = labels::place(&points, &sizes, 4.0, &ground, area);
    for (place, point) in places.iter().zip(&points) {
        if place.far {
            let (ax, ay, aw, ah) = place.area;
            let near = (point.0.clamp(ax, ax + aw), point.1.clamp(ay, ay + ah));
            scene.line(*point, near, Stroke::solid(Ink::Muted, 0.6));
        }
    }
    for (i, &l) in shown.iter().enumerate() {
        let words = format!(
            "lot {}: {} {}, {} {}",
            lots[l],
            if percent { words::percent(x[l], 1) } else { words::fixed(x[l], 3) },
            if percent { "of cells" } else { "transformed share" },
            association.readout,
            values[l]
        );
        let rim = Some(Stroke::solid(Ink::Paper, 0.8));
        scene.add_titled(mark(color::lot_mark(l), points[i], 4.2, Ink::Rgb(color::lot(l)), rim), words);
    }
    for (i, &l) in shown.iter().enumerate() {
        let (x, y, _, h) = places[i].area;
        scene.text(Text::new((x, y + h - 0.5), LABEL, short[l].clone()).halo());
    }
    scene
}

/// Label of the x axis, and whether fractions are written as percentages.
fn axis_label(transform: Transform, cluster: &str) -> (String, bool) {
    match transform {
        Transform::Share => (format!("Share of cells in cluster {cluster} (%)"), true),
        Transform::AsinSqrt => ("arcsine √share".to_string(), false),
        Transform::Logit => ("logit of share".to_string(), false),
        Transform::Clr => ("centred log ratio of share".to_string(), false),
    }
}

/// The least-squares line, cut to the frame. Returns the ground it covers.
fn fitted_line(scene: &mut Scene, frame: &Frame, row: &AssociationRow, verdict: Verdict) -> Vec<labels::Area> {
    if !row.slope.is_finite() || !row.intercept.is_finite() {
        return Vec::new();
    }
    let (mut low, mut high) = (frame.x.low, frame.x.high);
    if row.slope != 0.0 {
        let at = |y: f64| (y - row.intercept) / row.slope;
        let (a, b) = (at(frame.y.low), at(frame.y.high));
        low = low.max(a.min(b));
        high = high.min(a.max(b));
    }
    if low >= high {
        return Vec::new();
    }
    let value = |x: f64| row.intercept + row.slope * x;
    let (from, to) = (frame.point(low, value(low)), frame.point(high, value(high)));
    let dash = (verdict != Verdict::Supported).then_some(5.0);
    scene.line(from, to, Stroke { ink: Ink::Text, width: 1.4, dash });
    labels::line(from, to)
}

/// Whether lots are named in the panels; otherwise they are numbered and a key names them.
fn named(analysis: &Analysis) -> bool {
    let lots = &analysis.composition.lots;
    lots.len() <= 14 && lots.iter().all(|lot| font::width(lot, Face::Regular, LABEL) <= 56.0)
}

/// What stands beside each lot's point.
fn short_names(analysis: &Analysis) -> Vec<String> {
    let lots = &analysis.composition.lots;
    if named(analysis) { lots.clone() } else { (1..=lots.len()).map(|i| i.to_string()).collect() }
}

/// The key to numbered lots; `None` where lots are named in the panels.
pub fn key(analysis: &Analysis, width: f64) -> Option<Scene> {
    const SIZE: f64 = 10.5;
    const STEP: f64 = 17.0;
    if named(analysis) {
        return None;
    }
    let lots = &analysis.composition.lots;
    let limit = (width - 60.0).max(80.0);
    let names: Vec<String> = lots.iter().map(|lot| font::shorten(lot, Face::Regular, SIZE, limit)).collect();
    let widest = names.iter().map(|name| font::width(name, Face::Regular, SIZE)).fold(0.0, f64::max);
    let column = widest + 58.0;
    let n_columns = (((width - 20.0) / column) as usize).clamp(1, lots.len().max(1));
    let n_rows = lots.len().div_ceil(n_columns);
    let mut scene = Scene::new(width, STEP * n_rows as f64 + 30.0, "Key to the numbers of the lots");
    scene.text(Text::new((14.0, 14.0), SIZE, "Lots").face(Face::Bold));
    for (i, name) in names.iter().enumerate() {
        let (x, y) = (14.0 + column * (i / n_rows) as f64, 34.0 + STEP * (i % n_rows) as f64);
        scene.add(mark(color::lot_mark(i), (x + 5.0, y - 4.0), 4.2, Ink::Rgb(color::lot(i)), None));
        scene.text(Text::new((x + 32.0, y), SIZE, (i + 1).to_string()).anchor(Anchor::End));
        scene.text(Text::new((x + 38.0, y), SIZE, name.clone()));
    }
    Some(scene)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_harmless() {
        assert_eq!(name("vegf_ischemia"), "potency_vegf_ischemia");
        assert_eq!(name("../../etc/x y (ng/ml)"), "potency_.._.._etc_x_y__ng_ml_");
        assert_eq!([file_stem(""), file_stem("..")], ["_", "_.."]);
    }
}
