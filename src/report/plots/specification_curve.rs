//! Specification curve: the correlation of one cluster under every set of choices, sorted, and the choices beneath.

use crate::pipeline::{Analysis, Ranked};
use crate::report::draw::scene::{mark, rectangle};
use crate::report::draw::{Anchor, Axis, Face, Frame, Ink, Paint, Scene, Stroke, Text, color};
use crate::report::plots::potency::{best_first, file_stem};
use crate::report::words;
use crate::steps::clusters::ClusterMethod;
use crate::steps::lots::sensitivity::SensitivityRow;
use crate::steps::lots::{Sensitivity, Specification, Statistic, Transform};

const WIDTH: f64 = 940.0;
const LEFT: f64 = 148.0;
const RIGHT: f64 = 16.0;
/// Height of the curve.
const CURVE: f64 = 210.0;
/// Height of a line of the matrix.
const LINE: f64 = 13.0;
/// Room between groups of choices.
const GAP: f64 = 7.0;

/// File name of a readout's figure.
pub fn name(readout: &str) -> String {
    format!("specification_curve_{}", file_stem(readout))
}

/// Whether a row has a choice.
type Has<'a> = Box<dyn Fn(&SensitivityRow, &Specification) -> bool + 'a>;

/// A group of choices that exclude each other.
struct Group<'a> {
    name: &'static str,
    lines: Vec<(String, Has<'a>)>,
}

/// The curve of the cluster that goes with the readout best; `None` without a sensitivity analysis.
pub fn figure(analysis: &Analysis, ranked: &Ranked) -> Option<Scene> {
    let sensitivity = ranked.sensitivity.as_ref()?;
    let cluster = *best_first(&ranked.association.rows).first()?;
    Some(curve(analysis, ranked, sensitivity, cluster))
}

fn curve(analysis: &Analysis, ranked: &Ranked, sensitivity: &Sensitivity, cluster: usize) -> Scene {
    let specifications = &analysis.specifications;
    let mut rows: Vec<&SensitivityRow> =
        sensitivity.rows.iter().filter(|row| row.cluster == cluster && !row.r.is_nan()).collect();
    // A stable sort: equal values stay in the order of the table.
    rows.sort_by(|a, b| a.r.total_cmp(&b.r));
    let groups = groups(specifications, &rows);
    let n_lines: usize = groups.iter().map(|g| g.lines.len()).sum();
    let top = 44.0;
    let height = top + CURVE + 16.0 + LINE * n_lines as f64 + GAP * groups.len() as f64 + 6.0;
    let readout = &ranked.association.readout;
    let mut scene = Scene::new(
        WIDTH,
        height,
        format!("Correlation of cluster {cluster} with {readout} under every set of choices"),
    );
    scene.text(Text::new((LEFT, 16.0), 12.0, format!("Cluster {cluster} against {readout}")).face(Face::Bold));
    key(&mut scene, analysis.params.verdict.alpha);

    let width = WIDTH - LEFT - RIGHT;
    let place = |i: usize| LEFT + width * (i as f64 + 0.5) / rows.len().max(1) as f64;
    let frame = Frame {
        area: (LEFT, top, width, CURVE),
        x: Axis::bare(0.0, 1.0),
        y: Axis::new(rows.iter().map(|row| row.r).chain([0.0]), "Correlation", 6, false),
    };
    frame.draw(&mut scene);
    let zero = frame.point(0.0, 0.0).1;
    scene.line((LEFT, zero), (LEFT + width, zero), Stroke::solid(Ink::Muted, 1.0));
    if let Some(at) = rows.iter().position(|row| row.chosen) {
        let x = place(at);
        scene.line((x, top), (x, height - 8.0), Stroke { ink: chosen_ink(), width: 1.0, dash: Some(3.0) });
    }
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| !row.chosen) {
        point(&mut scene, row, (place(i), frame.point(0.0, row.r).1), analysis, cluster);
    }
    // Last, so that nothing lies over it.
    if let Some(at) = rows.iter().position(|row| row.chosen) {
        point(&mut scene, rows[at], (place(at), frame.point(0.0, rows[at].r).1), analysis, cluster);
    }

    let mut y = top + CURVE + 16.0;
    let tick = (0.72 * width / rows.len().max(1) as f64).clamp(0.8, 7.0);
    for group in &groups {
        let middle = y + LINE * group.lines.len() as f64 / 2.0 + 3.5;
        scene.text(Text::new((6.0, middle), 10.0, group.name).face(Face::Bold));
        for (label, has) in &group.lines {
            let grid = Stroke::solid(Ink::Grid, 0.5);
            scene.line((LEFT, y + LINE / 2.0), (LEFT + width, y + LINE / 2.0), grid);
            let text = Text::new((LEFT - 6.0, y + LINE / 2.0 + 3.4), 9.5, label.clone());
            scene.text(text.anchor(Anchor::End).ink(Ink::Muted));
            for (i, row) in rows.iter().enumerate().filter(|(_, row)| has(row, &specifications[row.specification])) {
                let ink = if row.chosen { chosen_ink() } else { ink_of(row, analysis.params.verdict.alpha) };
                scene.add(rectangle(place(i) - tick / 2.0, y + 2.0, tick, LINE - 4.0, ink));
            }
            y += LINE;
        }
        y += GAP;
    }
    scene
}

fn chosen_ink() -> Ink {
    Ink::Rgb(color::cluster(3))
}

/// Dark where p is small, pale where the cluster is not found.
fn ink_of(row: &SensitivityRow, alpha: f64) -> Ink {
    let blue = color::cluster(0);
    match (row.found, row.p_alone <= alpha) {
        (false, _) => Ink::Grid,
        (true, true) => Ink::Rgb(blue),
        (true, false) => Ink::Rgb(color::mix(blue, [215; 3], 0.62)),
    }
}

fn point(scene: &mut Scene, row: &SensitivityRow, at: (f64, f64), analysis: &Analysis, cluster: usize) {
    let specification = &analysis.specifications[row.specification];
    let words = format!(
        "{}, {}, {}: r = {}, {} alone, {} family-wise, Jaccard index {}{}",
        specification.choices,
        transform_name(row.transform),
        row.statistic,
        words::fixed(row.r, 2),
        words::p_equals(row.p_alone),
        words::p_value(row.p_family),
        words::fixed(specification.jaccard[cluster], 2),
        if row.chosen { "; the choices of the run" } else { "" }
    );
    if row.chosen {
        scene.add_titled(mark(2, at, 5.0, chosen_ink(), Some(Stroke::solid(Ink::Paper, 1.0))), words);
        return;
    }
    let ink = ink_of(row, analysis.params.verdict.alpha);
    let (fill, stroke) = if row.found { (ink, None) } else { (Ink::Paper, Some(Stroke::solid(Ink::Muted, 0.8))) };
    scene.add_titled(mark(0, at, 2.6, fill, stroke), words);
}

/// What the marks mean.
fn key(scene: &mut Scene, alpha: f64) {
    let blue = color::cluster(0);
    let pale = color::mix(blue, [215; 3], 0.62);
    let solid = |rgb| (0, Paint::from(Ink::Rgb(rgb)), None);
    let entries = [
        ((2, Paint::from(chosen_ink()), None), "the run".to_string()),
        (solid(blue), format!("p alone ≤ {alpha}")),
        (solid(pale), format!("p alone > {alpha}")),
        ((0, Paint::from(Ink::Paper), Some(Stroke::solid(Ink::Muted, 0.8))), "cluster not found".to_string()),
    ];
    let mut x = LEFT + 3.0;
    for ((kind, fill, stroke), words) in entries {
        scene.add(mark(kind, (x, 30.0), if kind == 2 { 4.4 } else { 3.4 }, fill.ink, stroke));
        let text = Text::new((x + 8.0, 33.5), 10.0, words);
        let width = text.width();
        scene.text(text);
        x += width + 28.0;
    }
}

/// For people.
pub fn transform_name(transform: Transform) -> &'static str {
    match transform {
        Transform::Share => "share",
        Transform::AsinSqrt => "arcsine √share",
        Transform::Logit => "logit",
        Transform::Clr => "centred log ratio",
    }
}

/// The lines of the matrix; a choice that no row has is left out.
fn groups<'a>(specifications: &'a [Specification], rows: &[&SensitivityRow]) -> Vec<Group<'a>> {
    let method = |method: ClusterMethod| -> Has<'a> { Box::new(move |_, s| s.choices.method == method) };
    let mut resolutions: Vec<f64> =
        specifications.iter().map(|s| s.choices.resolution).filter(|r| !r.is_nan()).collect();
    resolutions.sort_by(f64::total_cmp);
    resolutions.dedup();
    let at = |resolution: f64| -> (String, Has<'a>) {
        let text = format!("{resolution:.3}");
        let text = text.trim_end_matches('0').trim_end_matches('.').to_string();
        (text, Box::new(move |_: &SensitivityRow, s: &Specification| s.choices.resolution == resolution))
    };
    let mut groups = vec![
        Group {
            name: "Method",
            lines: vec![
                ("Leiden".into(), method(ClusterMethod::Leiden)),
                ("k-means".into(), method(ClusterMethod::Kmeans)),
                ("mixture".into(), method(ClusterMethod::Mixture)),
            ],
        },
        Group { name: "Resolution", lines: resolutions.into_iter().map(at).collect() },
        Group {
            name: "Integration",
            lines: vec![
                ("Harmony".into(), Box::new(|_, s| s.choices.integrated)),
                ("none".into(), Box::new(|_, s| !s.choices.integrated)),
            ],
        },
        Group {
            name: "Genes",
            lines: vec![
                ("scaled".into(), Box::new(|_, s| s.choices.scaled)),
                ("as they are".into(), Box::new(|_, s| !s.choices.scaled)),
            ],
        },
        Group {
            name: "Share",
            lines: Transform::ALL
                .map(|t| -> (String, Has<'a>) { (transform_name(t).into(), Box::new(move |r, _| r.transform == t)) })
                .into_iter()
                .collect(),
        },
        Group {
            name: "Correlation",
            lines: vec![
                ("Pearson".into(), Box::new(|r, _| r.statistic == Statistic::Pearson)),
                ("Spearman".into(), Box::new(|r, _| r.statistic == Statistic::Spearman)),
            ],
        },
    ];
    for group in &mut groups {
        group.lines.retain(|(_, has)| rows.iter().any(|row| has(row, &specifications[row.specification])));
    }
    groups.retain(|group| !group.lines.is_empty());
    groups
}
