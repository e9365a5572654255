//! A new lot's cells on the ground that the reference covers, small enough for a page of many lots.

use ndarray::ArrayView2;

use super::umap::{MARGIN, REFERENCE, SIDE, UNASSIGNED, places_together, scatter};
use crate::report::draw::{Anchor, Cloud, Face, Ink, Scene, Shape, Text, color, font};
use crate::steps::process::Placed;

const WIDTH: f64 = 316.0;
const TOP: f64 = 40.0;
/// Side of the square that holds the cells.
const SQUARE: f64 = 296.0;
/// Side of a tile of the ground.
const TILE: f64 = 3.0;
/// Most cells drawn of a lot.
const MOST_DOTS: usize = 1_000;

/// Umap of the reference's cells and of the lot's, cells × 2, and the cluster of each of these (one that there is not =
/// unassigned). `None` without a layout.
pub fn figure(
    placed: &Placed,
    reference: ArrayView2<'_, f32>,
    cells: ArrayView2<'_, f32>,
    cluster: &[u32],
    n_clusters: usize,
) -> Option<Scene> {
    let (places, height) = places_together(reference, cells)?;
    let scale = SQUARE / SIDE;
    let to_panel = |p: &(f32, f32)| (10.0 + (f64::from(p.0) - MARGIN) * scale, TOP + (f64::from(p.1) - MARGIN) * scale);
    let title = format!("Cells of {} on the ground of the reference", placed.lot);
    let mut scene = Scene::new(WIDTH, TOP + height * scale + 6.0, title);
    let name = font::shorten(&placed.lot, Face::Bold, 12.0, 180.0);
    scene.text(Text::new((10.0, 17.0), 12.0, name).face(Face::Bold));
    let (words, ink) = if placed.in_reference {
        ("in reference", Ink::Muted)
    } else {
        ("OUT OF REFERENCE", Ink::Rgb(color::for_words(color::cluster(3))))
    };
    scene.text(Text::new((WIDTH - 10.0, 17.0), 10.0, words).anchor(Anchor::End).ink(ink));
    let (ground, own) = places.split_at(reference.nrows());
    scene.add(Shape::Tiles(tiles(ground.iter().map(to_panel)), Ink::Rgb(REFERENCE).into()));
    let mut order: Vec<u32> = (0..own.len() as u32).filter(|&i| own[i as usize].0.is_finite()).collect();
    order.sort_by_key(|&i| (scatter(i), i));
    order.truncate(MOST_DOTS);
    // By cluster, the largest below: dots of one colour are written together. What no cluster took lies on top.
    order.sort_by_key(|&i| (cluster[i as usize].min(n_clusters as u32), scatter(i)));
    let dots = order.iter().map(|&i| {
        let (x, y) = to_panel(&own[i as usize]);
        (x as f32, y as f32, cluster[i as usize].min(n_clusters as u32) as u16)
    });
    let cloud = Cloud {
        area: (10.0, TOP, SQUARE, height * scale),
        radius: 2.2,
        opacity: 0.85,
        colors: (0..n_clusters).map(color::cluster).chain([UNASSIGNED]).collect(),
        dots: dots.collect(),
    };
    scene.add(Shape::Cloud(cloud));
    let shown = if order.len() < own.len() {
        format!("{} of {} cells", order.len(), own.len())
    } else {
        format!("{} cells", own.len())
    };
    scene.text(Text::new((10.0, 31.0), 9.5, shown).ink(Ink::Muted));
    Some(scene)
}

/// The tiles that hold a point, neighbours in a row joined.
fn tiles(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64, f64, f64)> {
    let held: std::collections::BTreeSet<(i64, i64)> = points
        .filter(|p| p.0.is_finite() && p.1.is_finite())
        .map(|p| ((p.1 / TILE).floor() as i64, (p.0 / TILE).floor() as i64))
        .collect();
    let mut rows: Vec<(i64, i64, i64)> = Vec::new();
    for (row, column) in held {
        match rows.last_mut() {
            Some(last) if last.0 == row && last.1 + last.2 == column => last.2 += 1,
            _ => rows.push((row, column, 1)),
        }
    }
    rows.into_iter().map(|(row, column, n)| (TILE * column as f64, TILE * row as f64, TILE * n as f64, TILE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_a_row_are_one_tile() {
        let found = tiles([(0.5, 0.5), (4.0, 1.0), (4.5, 2.0), (10.0, 1.0), (f64::NAN, 0.0), (0.0, 7.0)].into_iter());
        assert_eq!(found, [(0.0, 0.0, 6.0, 3.0), (9.0, 0.0, 3.0, 3.0), (0.0, 6.0, 3.0, 3.0)]);
    }
}
