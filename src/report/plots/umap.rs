//! UMAP: each dot a cell, coloured by lot or by cluster.

use ndarray::{ArrayView2, Axis, concatenate};

use crate::pipeline::Analysis;
use crate::report::draw::scene::mark;
use crate::report::draw::{Anchor, Cloud, Face, Ink, Scene, Stroke, Text, color, font, labels};
use crate::report::words;

/// Side of the square that holds the cells.
pub(in crate::report) const SIDE: f64 = 470.0;
pub(in crate::report) const MARGIN: f64 = 26.0;

/// Cells coloured by lot; `None` without a layout.
pub fn by_lot(analysis: &Analysis) -> Option<Scene> {
    let lots = &analysis.composition.lots;
    let colors = (0..lots.len()).map(color::lot).collect();
    let mut scene = cells(analysis, &analysis.cells.lot, colors, "UMAP of all cells, coloured by lot")?;
    let entries: Vec<(String, [u8; 3])> =
        lots.iter().enumerate().map(|(i, lot)| (lot.clone(), color::lot(i))).collect();
    legend(&mut scene, "Lot", &entries);
    Some(scene)
}

/// Cells coloured by cluster, each cluster labelled where its cells are; `None` without a layout.
pub fn by_cluster(analysis: &Analysis) -> Option<Scene> {
    let n = analysis.clusters.len();
    let colors = (0..n).map(color::cluster).collect();
    let mut scene = cells(analysis, &analysis.cells.cluster, colors, "UMAP of all cells, coloured by cluster")?;
    label_clusters(analysis, &mut scene);
    let entries: Vec<(String, [u8; 3])> = (0..n)
        .map(|k| {
            let summary = &analysis.clusters[k];
            let flag = if summary.proliferative { " proliferative" } else { "" };
            (format!("{k} ({} cells){flag}", words::count(summary.n_cells as u64)), color::cluster(k))
        })
        .collect();
    legend(&mut scene, "Cluster", &entries);
    Some(scene)
}

/// Places of the reference's cells, then of a lot's (each cells × 2), on one map, and its height. `None` without a layout.
pub(super) fn places_together(
    reference: ArrayView2<'_, f32>,
    cells: ArrayView2<'_, f32>,
) -> Option<(Vec<(f32, f32)>, f64)> {
    positions(concatenate(Axis(0), &[reference, cells]).expect("both have two columns").view())
}

/// Colour of the reference's cells.
pub(in crate::report) const REFERENCE: [u8; 3] = [0xc6, 0xcb, 0xd1];
/// Colour of cells that no cluster took.
pub(in crate::report) const UNASSIGNED: [u8; 3] = [0x22, 0x22, 0x22];

/// A new lot's cells (`cluster`: their clusters; one that there is not = unassigned) over those of the reference, which are
/// grey; both cells × 2. `None` without a layout.
pub fn beside_reference(
    lot: &str,
    reference: ArrayView2<'_, f32>,
    cells: ArrayView2<'_, f32>,
    cluster: &[u32],
    n_clusters: usize,
) -> Option<Scene> {
    let (positions, height) = places_together(reference, cells)?;
    let colors: Vec<[u8; 3]> = (0..n_clusters).map(color::cluster).chain([UNASSIGNED, REFERENCE]).collect();
    let n = reference.nrows();
    let color_of: Vec<u32> = std::iter::repeat_n(n_clusters as u32 + 1, n)
        .chain(cluster.iter().map(|&k| k.min(n_clusters as u32)))
        .collect();
    // The reference lies below, whatever the order in a lot.
    let mut order: Vec<u32> = (0..positions.len() as u32).collect();
    order.sort_by_key(|&i| (i as usize >= n, scatter(i), i));
    let mut scene =
        cloud((&positions, height), order, &color_of, colors, &format!("Cells of {lot} beside the reference"));
    let mut entries = vec![(format!("reference ({} cells shown)", words::count(n as u64)), REFERENCE)];
    for k in 0..=n_clusters {
        let n = cluster.iter().filter(|&&of| of.min(n_clusters as u32) as usize == k).count() as u64;
        if n > 0 {
            let (name, rgb) =
                if k == n_clusters { ("unassigned".into(), UNASSIGNED) } else { (format!("{k}"), color::cluster(k)) };
            entries.push((format!("{name} ({} cells)", words::count(n)), rgb));
        }
    }
    legend(&mut scene, lot, &entries);
    Some(scene)
}

/// Places of all cells on the canvas, and the height they take.
pub(in crate::report) fn positions(umap: ArrayView2<'_, f32>) -> Option<(Vec<(f32, f32)>, f64)> {
    let finite = |column: usize| {
        let values = umap.column(column);
        let low = values.iter().copied().filter(|v| v.is_finite()).fold(f32::INFINITY, f32::min);
        let high = values.iter().copied().filter(|v| v.is_finite()).fold(f32::NEG_INFINITY, f32::max);
        (low, high)
    };
    let ((x0, x1), (y0, y1)) = (finite(0), finite(1));
    if x0 > x1 || y0 > y1 {
        return None;
    }
    // One scale for both directions: distances mean the same everywhere.
    let span = (x1 - x0).max(y1 - y0).max(f32::MIN_POSITIVE);
    let scale = (SIDE as f32 - 16.0) / span;
    let (cx, cy) = ((x0 + x1) / 2.0, (y0 + y1) / 2.0);
    // A flat layout takes less height, yet enough for the legend beside it.
    let height = f64::from((y1 - y0) * scale + 16.0).clamp(0.6 * SIDE, SIDE);
    let (middle_x, middle_y) = ((MARGIN + SIDE / 2.0) as f32, (MARGIN + height / 2.0) as f32);
    let place = |x: f32, y: f32| (middle_x + (x - cx) * scale, middle_y - (y - cy) * scale);
    Some((umap.rows().into_iter().map(|p| place(p[0], p[1])).collect(), height))
}

/// All cells as dots, each in the colour of its index.
pub(super) fn cells(analysis: &Analysis, color_of: &[u32], colors: Vec<[u8; 3]>, title: &str) -> Option<Scene> {
    let (positions, height) = positions(analysis.cells.umap.as_ref()?.view())?;
    let mut order: Vec<u32> = (0..positions.len() as u32).collect();
    // A fixed shuffle, so that the last lot does not cover the others.
    order.sort_by_key(|&i| (scatter(i), i));
    Some(cloud((&positions, height), order, color_of, colors, title))
}

/// Cells as dots, drawn in this order.
fn cloud(
    (positions, height): (&[(f32, f32)], f64),
    order: Vec<u32>,
    color_of: &[u32],
    colors: Vec<[u8; 3]>,
    title: &str,
) -> Scene {
    let n = positions.len();
    // Radius so that the dots together could cover about a third of the square.
    let radius = (0.33 * SIDE * SIDE / (std::f64::consts::PI * n.max(1) as f64)).sqrt().clamp(0.7, 3.0);
    let dots = order
        .into_iter()
        .map(|i| (positions[i as usize].0, positions[i as usize].1, color_of[i as usize] as u16))
        .filter(|dot| dot.0.is_finite() && dot.1.is_finite())
        .collect();
    let mut scene = Scene::new(SIDE + 2.0 * MARGIN, height + 2.0 * MARGIN + 12.0, title);
    let cloud = Cloud { area: (MARGIN, MARGIN, SIDE, height), radius, opacity: 0.75, colors, dots };
    scene.add(crate::report::draw::Shape::Cloud(cloud));
    let corner = (MARGIN, MARGIN + height + 4.0);
    let arrow = Stroke::solid(Ink::Muted, 1.0);
    scene.line(corner, (corner.0 + 70.0, corner.1), arrow);
    scene.line(corner, (corner.0, corner.1 - 70.0), arrow);
    scene.text(Text::new((corner.0 + 2.0, corner.1 + 13.0), 10.0, "UMAP 1").ink(Ink::Muted));
    scene.text(Text::new((corner.0 - 5.0, corner.1 - 2.0), 10.0, "UMAP 2").ink(Ink::Muted).upwards());
    scene
}

/// A number that looks random but belongs to the cell.
pub(in crate::report) fn scatter(cell: u32) -> u32 {
    let mut z = cell.wrapping_mul(0x9e37_79b9);
    z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
    z = (z ^ (z >> 13)).wrapping_mul(0xc2b2_ae35);
    z ^ (z >> 16)
}

/// Where the square of the cells ends.
pub(super) fn right_edge() -> f64 {
    MARGIN + SIDE
}

/// Writes each cluster's number at that cell of it which lies nearest to the middle of its cells.
pub(super) fn label_clusters(analysis: &Analysis, scene: &mut Scene) {
    const SIZE: f64 = 14.0;
    let Some((positions, _)) = analysis.cells.umap.as_ref().and_then(|umap| positions(umap.view())) else { return };
    let mut anchors = Vec::new();
    for k in 0..analysis.clusters.len() {
        let own: Vec<(f32, f32)> = positions
            .iter()
            .zip(&analysis.cells.cluster)
            .filter(|(p, label)| **label as usize == k && p.0.is_finite() && p.1.is_finite())
            .map(|(p, _)| *p)
            .collect();
        let median = |pick: fn(&(f32, f32)) -> f32| {
            let mut values: Vec<f32> = own.iter().map(pick).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied()
        };
        let (Some(x), Some(y)) = (median(|p| p.0), median(|p| p.1)) else { continue };
        let nearest = own.iter().min_by(|a, b| {
            let distance = |p: &(f32, f32)| (p.0 - x).hypot(p.1 - y);
            distance(a).total_cmp(&distance(b))
        });
        if let Some(p) = nearest {
            anchors.push((k, (f64::from(p.0), f64::from(p.1))));
        }
    }
    let mut taken: Vec<labels::Area> = Vec::new();
    for (k, (x, y)) in anchors {
        let name = k.to_string();
        let width = font::width(&name, Face::Bold, SIZE);
        // Where two clusters share their middle, the later label moves down until it is free.
        let mut area = (x - width / 2.0 - 3.0, y - SIZE / 2.0 - 2.0, width + 6.0, SIZE + 4.0);
        while taken.iter().any(|t| labels::overlap(*t, area) > 0.0) {
            area.1 += 3.0;
        }
        taken.push(area);
        let base = area.1 + 2.0 + SIZE / 2.0 + font::CAP_HEIGHT * SIZE / 2.0;
        scene.text(Text::new((x, base), SIZE, name).face(Face::Bold).anchor(Anchor::Middle).halo());
    }
}

/// A list of names and colours at the right; the canvas grows as needed.
fn legend(scene: &mut Scene, heading: &str, entries: &[(String, [u8; 3])]) {
    const SIZE: f64 = 11.0;
    const STEP: f64 = 17.0;
    let per_column = (((scene.height - 2.0 * MARGIN - 20.0) / STEP) as usize).max(1);
    let mut left = MARGIN + SIDE + 18.0;
    scene.text(Text::new((left, MARGIN + 10.0), 11.5, heading).face(Face::Bold));
    for column in entries.chunks(per_column) {
        let mut widest: f64 = 0.0;
        for (i, (name, rgb)) in column.iter().enumerate() {
            let y = MARGIN + 30.0 + STEP * i as f64;
            scene.add(mark(0, (left + 5.0, y - 4.0), 5.0, Ink::Rgb(*rgb), None));
            let text = Text::new((left + 16.0, y), SIZE, font::shorten(name, Face::Regular, SIZE, 210.0));
            widest = widest.max(text.width());
            scene.text(text);
        }
        left += 16.0 + widest + 22.0;
    }
    scene.width = scene.width.max(left - 4.0);
}
