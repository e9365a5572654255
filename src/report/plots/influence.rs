//! Each lot's pull on an association: r without the lot, at fixed clusters and when all is repeated without it.

use crate::pipeline::{Analysis, Ranked};
use crate::report::draw::scene::mark;
use crate::report::draw::{Axis, Face, Frame, Ink, Scene, Stroke, Text, color, font};
use crate::report::plots::potency::{best_first, file_stem};
use crate::report::words;
use crate::steps::lots::Influence;
use crate::steps::markers::{Pull, Stability};

const WIDTH: f64 = 316.0;
/// Height of a lot's line.
const LINE: f64 = 15.0;
/// Widest name of a lot.
const NAME: f64 = 84.0;
/// Clusters shown.
const N_SHOWN: usize = 3;

/// File name of a readout's figure.
pub fn name(readout: &str) -> String {
    format!("influence_{}", file_stem(readout))
}

/// The panels in one figure; `None` where the road was not walked without each lot.
pub fn figure(analysis: &Analysis, ranked: &Ranked) -> Option<Scene> {
    let panels = panels(analysis, ranked);
    let height = panels.first()?.height;
    let title = format!("Correlation with {} without each lot", ranked.association.readout);
    let mut scene = Scene::new(WIDTH * panels.len() as f64, height, title);
    for (i, panel) in panels.into_iter().enumerate() {
        scene.place(panel, WIDTH * i as f64, 0.0);
    }
    Some(scene)
}

/// Name of what is left out: the lot, the unit, or several lots.
pub fn left_out(analysis: &Analysis, ranked: &Ranked, lots: &[usize]) -> String {
    let units = &ranked.units;
    match units.lots.iter().position(|unit| unit == lots) {
        Some(unit) => units.names[unit].clone(),
        None => lots.iter().map(|&lot| analysis.composition.lots[lot].as_str()).collect::<Vec<_>>().join(" + "),
    }
}

/// One panel for each of the best clusters.
pub fn panels(analysis: &Analysis, ranked: &Ranked) -> Vec<Scene> {
    let Some(stability) = &ranked.stability else { return Vec::new() };
    let best = best_first(&ranked.association.rows).into_iter().take(N_SHOWN);
    best.map(|cluster| panel(analysis, ranked, stability, cluster)).collect()
}

fn panel(analysis: &Analysis, ranked: &Ranked, stability: &Stability, cluster: usize) -> Scene {
    let row = &ranked.association.rows[cluster];
    let pulls: Vec<&Pull> = stability.pulls.iter().filter(|p| p.cluster == cluster).collect();
    // At fixed clusters the same is left out only if the lots are one row of the association.
    let fixed = |lots: &[usize]| -> Option<&Influence> {
        ranked.influence.iter().find(|i| i.column == row.column && ranked.units.lots[i.row] == lots)
    };
    let height = 50.0 + LINE * pulls.len() as f64 + 44.0;
    let title = format!("Cluster {cluster}: r without each lot");
    let mut scene = Scene::new(WIDTH, height, title);
    let names: Vec<String> =
        pulls.iter().map(|p| font::shorten(&left_out(analysis, ranked, &p.lots), Face::Regular, 9.5, NAME)).collect();
    let widest = names.iter().map(|name| font::width(name, Face::Regular, 9.5)).fold(0.0, f64::max);
    let left = widest + 16.0;
    let values =
        pulls.iter().flat_map(|p| [p.r, fixed(&p.lots).map_or(f64::NAN, |i| i.r_without)]).chain([row.effect, 0.0]);
    let n = pulls.len() as f64;
    let frame = Frame {
        area: (left, 44.0, WIDTH - left - 14.0, LINE * n),
        x: Axis::new(values, "r without the lot", 4, false),
        y: Axis::bare(0.0, n),
    };
    scene.text(Text::new((left, 16.0), 12.0, format!("Cluster {cluster}")).face(Face::Bold));
    let found = &stability.clusters[cluster];
    let words =
        format!("r = {}, found again in {} of {} runs", words::fixed(row.effect, 2), found.n_found, found.n_runs);
    scene.text(Text::new((left, 31.0), 10.0, words));
    frame.draw(&mut scene);
    if row.effect.is_finite() {
        let line = Stroke { ink: Ink::Muted, width: 1.0, dash: Some(4.0) };
        scene.line(frame.point(row.effect, 0.0), frame.point(row.effect, n), line);
    }
    for (i, (pull, name)) in pulls.iter().zip(&names).enumerate() {
        let y = n - i as f64 - 0.5;
        let base = frame.point(0.0, y).1;
        let text = Text::new((left - widest - 8.0, base + 3.4), 9.5, name.clone());
        scene.text(text);
        let ink = Ink::Rgb(color::cluster(0));
        let at_fixed = fixed(&pull.lots).map(|i| i.r_without).filter(|r| r.is_finite());
        if let (Some(r), true) = (at_fixed, pull.r.is_finite()) {
            scene.line(frame.point(r, y), frame.point(pull.r, y), Stroke::solid(Ink::Grid, 2.0));
        }
        if let Some(r) = at_fixed {
            let words = format!(
                "without lot {}, clusters as they are: r = {}",
                left_out(analysis, ranked, &pull.lots),
                words::fixed(r, 2)
            );
            scene.add_titled(mark(0, frame.point(r, y), 4.0, Ink::Paper, Some(Stroke::solid(ink, 1.2))), words);
        }
        if pull.r.is_finite() {
            let words = format!(
                "all repeated without lot {}: r = {}, Jaccard index {}{}",
                left_out(analysis, ranked, &pull.lots),
                words::fixed(pull.r, 2),
                words::fixed(pull.jaccard, 2),
                if pull.found { "" } else { ", cluster not found again" }
            );
            let (kind, ink) = if pull.found { (0, ink) } else { (2, Ink::Rgb(color::cluster(3))) };
            scene.add_titled(mark(kind, frame.point(pull.r, y), 3.0, ink, None), words);
        }
    }
    scene
}
