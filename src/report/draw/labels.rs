//! Placing labels beside points so that none lies on another.

/// Left, top, width, height.
pub type Area = (f64, f64, f64, f64);

/// A label's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Where the label lies.
    pub area: Area,
    /// Far enough from its point to need a line to it.
    pub far: bool,
}

/// Finds a place for one label per point. `sizes`: width and height of each; `radius`: of the points' marks; `others`: areas
/// that are better left free, such as lines; labels stay within `bounds`.
///
/// Each label tries places around its point, near ones first, and takes the one that hides least of labels and points;
/// a few rounds let early labels make room for later ones. Points and order decide the result, nothing else.
pub fn place(points: &[(f64, f64)], sizes: &[(f64, f64)], radius: f64, others: &[Area], bounds: Area) -> Vec<Place> {
    let mut places: Vec<Option<Place>> = vec![None; points.len()];
    let marks: Vec<Area> = points.iter().map(|p| (p.0 - radius, p.1 - radius, 2.0 * radius, 2.0 * radius)).collect();
    for _round in 0..6 {
        let before = places.clone();
        for i in 0..points.len() {
            let cost = |candidate: &Place| {
                let hidden: f64 = places
                    .iter()
                    .enumerate()
                    .filter(|(j, _)| *j != i)
                    .filter_map(|(_, place)| place.as_ref())
                    .map(|place| overlap(grown(place.area, 1.0), candidate.area))
                    .sum();
                let covered: f64 = marks.iter().map(|mark| overlap(*mark, candidate.area)).sum();
                let crossed: f64 = others.iter().map(|area| overlap(*area, candidate.area)).sum();
                hidden * 4.0 + covered * 2.0 + crossed * 0.25
            };
            let mut best: Option<(f64, Place)> = None;
            for (preference, candidate) in candidates(points[i], sizes[i], radius).into_iter().enumerate() {
                let (x, y, w, h) = candidate.area;
                let beyond = (bounds.0 - x).max(x + w - bounds.0 - bounds.2).max(0.0)
                    + (bounds.1 - y).max(y + h - bounds.1 - bounds.3).max(0.0);
                let total = cost(&candidate) + beyond * 200.0 + preference as f64 * 0.25;
                if best.is_none_or(|(least, _)| total < least) {
                    best = Some((total, candidate));
                }
            }
            places[i] = best.map(|(_, place)| place);
        }
        if places == before {
            break;
        }
    }
    places.into_iter().flatten().collect()
}

fn grown(area: Area, by: f64) -> Area {
    (area.0 - by, area.1 - by, area.2 + 2.0 * by, area.3 + 2.0 * by)
}

/// The ground of a straight line, in small areas.
pub fn line(from: (f64, f64), to: (f64, f64)) -> Vec<Area> {
    let n = ((to.0 - from.0).hypot(to.1 - from.1) / 4.0).ceil().clamp(1.0, 500.0) as usize;
    let at = |i: usize| {
        let t = (i as f64 + 0.5) / n as f64;
        (from.0 + (to.0 - from.0) * t, from.1 + (to.1 - from.1) * t)
    };
    (0..n).map(at).map(|(x, y)| (x - 2.0, y - 1.5, 4.0, 3.0)).collect()
}

/// Common area of two rectangles.
pub fn overlap(a: Area, b: Area) -> f64 {
    let width = (a.0 + a.2).min(b.0 + b.2) - a.0.max(b.0);
    let height = (a.1 + a.3).min(b.1 + b.3) - a.1.max(b.1);
    if width > 0.0 && height > 0.0 { width * height } else { 0.0 }
}

/// Places around a point, the right and the upper ones first; then further out.
fn candidates(point: (f64, f64), size: (f64, f64), radius: f64) -> Vec<Place> {
    let (w, h) = size;
    let mut out = Vec::new();
    for ring in 0..7 {
        let gap = radius + 2.0 + 7.0 * f64::from(ring);
        let directions: &[(f64, f64)] = &[
            (1.0, 0.0),
            (0.8, -0.8),
            (0.0, -1.0),
            (-1.0, 0.0),
            (-0.8, -0.8),
            (0.0, 1.0),
            (0.8, 0.8),
            (-0.8, 0.8),
            (1.0, 0.45),
            (1.0, -0.45),
            (-1.0, 0.45),
            (-1.0, -0.45),
        ];
        for &(dx, dy) in directions {
            let (cx, cy) = (point.0 + dx * (gap + w / 2.0), point.1 + dy * (gap + h / 2.0));
            // Straight above and below the label is centred; elsewhere its near end faces the point.
            out.push(Place { area: (cx - w / 2.0, cy - h / 2.0, w, h), far: ring >= 2 });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_crowded_points_do_not_overlap() {
        // Twenty points in a strip narrower than their labels.
        let points: Vec<(f64, f64)> =
            (0..20).map(|i| (100.0 + 6.0 * f64::from(i % 5), 100.0 + 7.0 * f64::from(i / 5))).collect();
        let sizes = vec![(18.0, 9.0); 20];
        let bounds = (0.0, 0.0, 300.0, 300.0);
        let places = place(&points, &sizes, 3.0, &[], bounds);
        assert_eq!(places.len(), 20);
        for i in 0..20 {
            let (x, y, w, h) = places[i].area;
            assert!(x >= 0.0 && y >= 0.0 && x + w <= 300.0 && y + h <= 300.0);
            for j in 0..i {
                assert_eq!(overlap(places[i].area, places[j].area), 0.0, "{i} and {j}");
            }
        }
    }
}
