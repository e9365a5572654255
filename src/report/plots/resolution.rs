//! The resolution sweep: how stable the clusters are, and how many, at each resolution.

use crate::pipeline::Analysis;
use crate::report::draw::scene::mark;
use crate::report::draw::{Anchor, Axis, Face, Frame, Ink, Scene, Shape, Stroke, Text, color, labels};

/// Stability against resolution; each point is labelled with its number of clusters and the chosen one stands out.
pub fn figure(analysis: &Analysis) -> Scene {
    let rows = &analysis.resolution;
    let mut scene = Scene::new(640.0, 330.0, "Stability of the clusters at each resolution");
    let lowest = rows.iter().map(|r| r.stability).filter(|s| s.is_finite()).fold(1.0, f64::min);
    let frame = Frame {
        area: (62.0, 24.0, 560.0, 256.0),
        x: Axis::new(rows.iter().map(|r| r.resolution).chain([0.0]), "Resolution", 9, false),
        y: Axis::new([lowest, 1.0], "Stability (mean adjusted Rand index)", 6, false),
    };
    frame.draw(&mut scene);
    let blue = Ink::Rgb(color::cluster(0));
    let orange = Ink::Rgb(color::cluster(3));
    let shown: Vec<_> = rows.iter().filter(|r| r.stability.is_finite()).collect();
    let points: Vec<(f64, f64)> = shown.iter().map(|r| frame.point(r.resolution, r.stability)).collect();
    scene.add(Shape::Path {
        points: points.clone(),
        closed: false,
        fill: None,
        stroke: Some(Stroke::solid(blue, 1.6)),
    });
    let words: Vec<String> = shown.iter().map(|r| r.n_clusters.to_string()).collect();
    let text = |i: usize| {
        let text = Text::new((0.0, 0.0), 11.0, words[i].clone()).anchor(Anchor::Middle);
        if shown[i].chosen { text.face(Face::Bold).ink(Ink::Rgb(color::for_words(color::cluster(3)))) } else { text }
    };
    let sizes: Vec<(f64, f64)> = (0..words.len()).map(|i| (text(i).width(), 10.0)).collect();
    let (left, top, width, height) = frame.area;
    let ground: Vec<labels::Area> = points.windows(2).flat_map(|w| labels::line(w[0], w[1])).collect();
    let places = labels::place(&points, &sizes, 6.0, &ground, (left, top - 20.0, width + 14.0, height + 20.0));
    for (i, row) in shown.iter().enumerate() {
        let (radius, ink) = if row.chosen { (6.5, orange) } else { (4.0, blue) };
        let title = format!(
            "resolution {}: {} clusters, stability {:.3}{}",
            row.resolution,
            row.n_clusters,
            row.stability,
            if row.chosen { ", chosen" } else { "" }
        );
        scene.add_titled(mark(0, points[i], radius, ink, Some(Stroke::solid(Ink::Paper, 1.0))), title);
        let area = places[i].area;
        let mut label = text(i).halo();
        label.at = (area.0 + area.2 / 2.0, area.1 + area.3 - 1.0);
        scene.text(label);
    }
    scene
}
