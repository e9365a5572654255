//! The gates of a panel: each gene in the cluster and in all other cells, and two genes at a time.

use crate::report::draw::scene::rectangle;
use crate::report::draw::{Anchor, Axis, Face, Frame, Ink, Paint, Scene, Shape, Stroke, Text, color, font};
use crate::report::words::percent;
use crate::steps::markers::{Distribution, Gate, Panels};

const WIDTH: f64 = 330.0;
const HEIGHT: f64 = 250.0;
/// For cells that are not of the cluster.
const OTHERS: [u8; 3] = [0x8a, 0x93, 0x9e];

/// One small figure per gene of the first panel, then one per two of its genes. `cluster` gives the colour.
pub fn figures(panels: &Panels, cluster: usize) -> Vec<Scene> {
    let Some(row) = panels.rows.first() else { return Vec::new() };
    let gate = |gene: &u32| row.genes.iter().position(|g| g == gene).map(|i| &row.panel.gates[i]);
    let scene = |of: &Distribution| match of.genes[..] {
        [gene] => gate(&gene).map(|gate| alone(of, gate, &panels.thresholds, cluster)),
        [a, b] => gate(&a).zip(gate(&b)).map(|gates| pair(of, gates, &panels.thresholds, cluster)),
        _ => None,
    };
    panels.distributions.iter().filter_map(scene).collect()
}

/// All of them in one figure, three to a row.
pub fn figure(panels: &Panels, cluster: usize) -> Scene {
    let scenes = figures(panels, cluster);
    let n_columns = scenes.len().clamp(1, 3);
    let n_rows = scenes.len().div_ceil(n_columns);
    let title = format!("Gates for cluster {cluster}");
    let mut all = Scene::new(WIDTH * n_columns as f64, HEIGHT * n_rows as f64, title);
    for (i, scene) in scenes.into_iter().enumerate() {
        all.place(scene, WIDTH * (i % n_columns) as f64, HEIGHT * (i / n_columns) as f64);
    }
    all
}

/// Words at the axis of a gene.
const UNIT: &str = "ln(1 + counts per 10,000)";

/// Levels up to the last that more than a few cells reach; at least to the threshold.
fn shown(bins: &[f64], other: &[f64], gates: &[&Gate], step: f64) -> usize {
    let far = (0..bins.len()).rev().find(|&i| bins[i] > 1e-3 || other[i] > 1e-3).unwrap_or(0);
    let least = gates.iter().map(|gate| (gate.threshold / step) as usize + 3).max().unwrap_or(3);
    (far + 2).max(least).min(bins.len())
}

/// Where a level is drawn: not detected stands apart at the left, the others over the values they hold.
fn place(level: usize, step: f64) -> (f64, f64) {
    if level == 0 { (-step, 0.0) } else { ((level - 1) as f64 * step, level as f64 * step) }
}

fn step_of(thresholds: &[f64]) -> f64 {
    if thresholds.len() > 1 { thresholds[1] - thresholds[0] } else { 1.0 }
}

/// An axis whose first bin, left of 0, is of cells without the gene.
fn axis(n_levels: usize, step: f64, label: String) -> Axis {
    let mut axis = Axis::between(-step, (n_levels - 1) as f64 * step, label, 6, false);
    // The words below that bin stand where 0 would be written.
    axis.ticks.retain(|tick| tick.0 > step / 2.0);
    axis
}

fn alone(of: &Distribution, gate: &Gate, thresholds: &[f64], cluster: usize) -> Scene {
    let step = step_of(thresholds);
    let n = shown(&of.inside, &of.outside, &[gate], step);
    let title = format!("{gate}: values in cluster {cluster} and in all other cells");
    let mut scene = Scene::new(WIDTH, HEIGHT, title);
    let (inside, outside) = (&of.inside[..n], &of.outside[..n]);
    let high = inside.iter().chain(outside).copied().fold(0.0, f64::max);
    let frame = Frame {
        area: (54.0, 44.0, WIDTH - 70.0, HEIGHT - 88.0),
        x: axis(n, step, UNIT.into()),
        y: Axis::between(0.0, high * 1.08, "Share of cells (%)", 4, true),
    };
    head(&mut scene, &[gate], cluster);
    band(&mut scene, &frame, gate, true);
    frame.draw(&mut scene);
    let ink = color::cluster(cluster);
    for (bins, rgb, who) in [(outside, OTHERS, "other cells"), (inside, ink, "cells of the cluster")] {
        for (level, &share) in bins.iter().enumerate().filter(|bin| *bin.1 > 0.0) {
            let (from, to) = place(level, step);
            let (left, top) = frame.point(from, share);
            let (right, bottom) = frame.point(to, 0.0);
            let fill = Paint { ink: Ink::Rgb(rgb), opacity: 0.55 };
            let bar = rectangle(left + 0.5, top, (right - left - 1.0).max(0.5), bottom - top, fill);
            let range = if level == 0 { "not detected".to_string() } else { format!("{from} to {to}") };
            scene.add_titled(bar, format!("{range}: {} of {who}", percent(share, 1)));
        }
    }
    let (x, foot) = frame.point(gate.threshold, 0.0);
    scene.line((x, foot), (x, frame.area.1), Stroke { ink: Ink::Text, width: 1.6, dash: Some(4.0) });
    let none = frame.point(-step / 2.0, 0.0).0;
    scene.text(Text::new((none, foot + 14.0), 9.0, "none").anchor(Anchor::Middle).ink(Ink::Muted));
    scene
}

/// Gene and side in words, and which colour is which.
fn head(scene: &mut Scene, gates: &[&Gate], cluster: usize) {
    let mut text = Text::new((14.0, 16.0), 12.0, "");
    for (i, gate) in gates.iter().enumerate() {
        let name = font::shorten(&gate.gene, Face::Oblique, 12.0, 90.0);
        let side = if gate.high { '>' } else { '≤' };
        text = text.then(if i > 0 { " and " } else { "" }, Face::Regular).then(name, Face::Oblique);
        text = text.then(format!(" {side} {}", gate.threshold), Face::Bold);
    }
    scene.text(text);
    let mut x = 14.0;
    for (rgb, words) in [(color::cluster(cluster), format!("cluster {cluster}")), (OTHERS, "other cells".into())] {
        scene.add(rectangle(x, 25.0, 9.0, 9.0, Ink::Rgb(rgb)));
        let text = Text::new((x + 13.0, 33.0), 9.5, words).ink(Ink::Muted);
        x += 26.0 + text.width();
        scene.text(text);
    }
}

/// Tints the side of the threshold that the gate takes.
fn band(scene: &mut Scene, frame: &Frame, gate: &Gate, along_x: bool) {
    let (left, top, width, height) = frame.area;
    let at = frame.point(gate.threshold, gate.threshold);
    let fill = Paint { ink: Ink::Grid, opacity: 0.45 };
    let area = match (along_x, gate.high) {
        (true, true) => (at.0, top, left + width - at.0, height),
        (true, false) => (left, top, at.0 - left, height),
        (false, true) => (left, top, width, at.1 - top),
        (false, false) => (left, at.1, width, top + height - at.1),
    };
    scene.add(rectangle(area.0, area.1, area.2, area.3, fill));
}

fn pair(of: &Distribution, (a, b): (&Gate, &Gate), thresholds: &[f64], cluster: usize) -> Scene {
    let step = step_of(thresholds);
    let n_levels = thresholds.len() + 1;
    let over = |bins: &[f64], first: bool| -> Vec<f64> {
        let share = |level: usize| {
            (0..n_levels).map(|k| bins[if first { level * n_levels + k } else { k * n_levels + level }]).sum()
        };
        (0..n_levels).map(share).collect()
    };
    let n = |first: bool, gate: &Gate| shown(&over(&of.inside, first), &over(&of.outside, first), &[gate], step);
    let (nx, ny) = (n(true, a), n(false, b));
    let title = format!("{} against {}: where cells of cluster {cluster} and other cells lie", a.gene, b.gene);
    let mut scene = Scene::new(WIDTH, HEIGHT, title);
    let of_gene = |gate: &Gate, n_levels: usize| Axis {
        face: Face::Oblique,
        ..axis(n_levels, step, font::shorten(&gate.gene, Face::Oblique, 10.5, 140.0))
    };
    let frame = Frame { area: (54.0, 44.0, WIDTH - 70.0, HEIGHT - 88.0), x: of_gene(a, nx), y: of_gene(b, ny) };
    head(&mut scene, &[a, b], cluster);
    frame.draw(&mut scene);
    // Size tells how many cells of all lie there, colour what part of them is of the cluster.
    let total = |bin: usize| of.inside[bin] + of.outside[bin];
    let most = (0..of.inside.len()).map(total).fold(0.0, f64::max);
    let (width, height) = (frame.area.2 / nx as f64, frame.area.3 / ny as f64);
    for x in 0..nx {
        for y in 0..ny {
            let bin = x * n_levels + y;
            let share = total(bin);
            if share < most * 1e-3 {
                continue;
            }
            let side = (share / most).powf(0.35).max(0.12);
            let rgb = color::mix(OTHERS, color::cluster(cluster), of.inside[bin] / share);
            let (x0, x1) = place(x, step);
            let (y0, y1) = place(y, step);
            let center = frame.point((x0 + x1) / 2.0, (y0 + y1) / 2.0);
            let (w, h) = (width * side * 0.95, height * side * 0.95);
            let mark = rectangle(center.0 - w / 2.0, center.1 - h / 2.0, w, h, Ink::Rgb(rgb));
            let words = format!(
                "{} of the cluster, {} of other cells",
                percent(of.inside[bin], 1),
                percent(of.outside[bin], 1)
            );
            scene.add_titled(mark, words);
        }
    }
    // The gate is the rectangle that both thresholds leave.
    let (left, top, width, height) = frame.area;
    let at = frame.point(a.threshold, b.threshold);
    let (x0, x1) = if a.high { (at.0, left + width) } else { (left, at.0) };
    let (y0, y1) = if b.high { (top, at.1) } else { (at.1, top + height) };
    scene.add(Shape::Path {
        points: vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1)],
        closed: true,
        fill: None,
        stroke: Some(Stroke { ink: Ink::Text, width: 1.6, dash: Some(4.0) }),
    });
    scene
}
