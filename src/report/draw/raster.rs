//! Painting shapes into pixels, with exact coverage at the edges.

use std::f64::consts::TAU;

use super::font;
use super::scene::{Anchor, Cloud, Ink, Scene, Shape, Stroke, Text};

/// An image with premultiplied red, green, blue and alpha, 0..1 each.
#[derive(Debug, Clone, PartialEq)]
pub struct Canvas {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    pixels: Vec<[f32; 4]>,
}

impl Canvas {
    /// A canvas of one colour; `None` = transparent.
    pub fn new(width: usize, height: usize, background: Option<[u8; 3]>) -> Self {
        let pixel = match background {
            Some([r, g, b]) => [f32::from(r) / 255.0, f32::from(g) / 255.0, f32::from(b) / 255.0, 1.0],
            None => [0.0; 4],
        };
        Self { width, height, pixels: vec![pixel; width * height] }
    }

    /// The pixels as straight (not premultiplied) 8-bit red, green, blue, alpha.
    pub fn rgba(&self) -> Vec<u8> {
        let byte = |x: f32| (x * 255.0).round().clamp(0.0, 255.0) as u8;
        let mut out = Vec::with_capacity(self.pixels.len() * 4);
        for p in &self.pixels {
            let divisor = if p[3] > 0.0 { p[3] } else { 1.0 };
            out.extend([byte(p[0] / divisor), byte(p[1] / divisor), byte(p[2] / divisor), byte(p[3])]);
        }
        out
    }

    fn blend(&mut self, index: usize, rgb: [u8; 3], alpha: f32) {
        let pixel = &mut self.pixels[index];
        for (value, target) in pixel.iter_mut().zip([rgb[0], rgb[1], rgb[2], 255]) {
            *value = *value * (1.0 - alpha) + f32::from(target) / 255.0 * alpha;
        }
    }

    /// Fills closed outlines. Where outlines of one direction overlap the area counts once; an outline of the other
    /// direction cuts a hole.
    fn fill(&mut self, contours: &[Vec<(f64, f64)>], rgb: [u8; 3], opacity: f64) {
        let corners = || contours.iter().flatten();
        let bound = |value: f64, limit: usize| value.clamp(0.0, limit as f64) as usize;
        let low = corners().fold((f64::MAX, f64::MAX), |m, p| (m.0.min(p.0), m.1.min(p.1)));
        let high = corners().fold((f64::MIN, f64::MIN), |m, p| (m.0.max(p.0), m.1.max(p.1)));
        let (x0, y0) = (bound(low.0.floor(), self.width), bound(low.1.floor(), self.height));
        let (x1, y1) = (bound(high.0.ceil(), self.width), bound(high.1.ceil(), self.height));
        if x1 <= x0 || y1 <= y0 {
            return;
        }
        let mut coverage = Coverage::new(x1 - x0, y1 - y0);
        for contour in contours {
            for (i, &a) in contour.iter().enumerate() {
                let b = contour[(i + 1) % contour.len()];
                coverage.edge((a.0 - x0 as f64, a.1 - y0 as f64), (b.0 - x0 as f64, b.1 - y0 as f64));
            }
        }
        for row in 0..coverage.height {
            let mut sum = 0.0;
            for column in 0..coverage.width {
                sum += coverage.change[row * (coverage.width + 2) + column];
                let alpha = sum.abs().min(1.0) * opacity;
                if alpha > 0.002 {
                    self.blend((y0 + row) * self.width + x0 + column, rgb, alpha as f32);
                }
            }
        }
    }

    /// Paints all shapes of a scene, `zoom` pixels to the unit.
    pub fn paint(&mut self, scene: &Scene, zoom: f64) {
        for (shape, _) in &scene.items {
            match shape {
                Shape::Path { points, closed, fill, stroke } => {
                    let points: Vec<_> = points.iter().map(|p| (p.0 * zoom, p.1 * zoom)).collect();
                    self.path(points, *closed, *fill, *stroke, zoom);
                }
                Shape::Circle { center, radius, fill, stroke } => {
                    let points = circle((center.0 * zoom, center.1 * zoom), radius * zoom);
                    self.path(points, true, *fill, *stroke, zoom);
                }
                Shape::Tiles(tiles, fill) => {
                    for &(x, y, w, h) in tiles {
                        let corners = vec![(x, y), (x + w, y), (x + w, y + h), (x, y + h)];
                        let corners: Vec<_> = corners.into_iter().map(|p| (p.0 * zoom, p.1 * zoom)).collect();
                        self.fill(&[corners], fill.ink.rgb(), fill.opacity);
                    }
                }
                Shape::Text(text) => self.text(text, zoom),
                Shape::Cloud(cloud) => self.cloud(cloud, (0.0, 0.0), zoom),
            }
        }
    }

    fn path(
        &mut self,
        mut points: Vec<(f64, f64)>,
        closed: bool,
        fill: Option<super::Paint>,
        stroke: Option<Stroke>,
        zoom: f64,
    ) {
        if let Some(paint) = fill {
            self.fill(std::slice::from_ref(&points), paint.ink.rgb(), paint.opacity);
        }
        if let Some(stroke) = stroke {
            if closed && !points.is_empty() {
                points.push(points[0]);
            }
            let pieces = match stroke.dash {
                Some(dash) => dashes(&points, dash * zoom),
                None => points.windows(2).map(|w| (w[0], w[1])).collect(),
            };
            let quads: Vec<_> = pieces.into_iter().filter_map(|(a, b)| thick(a, b, stroke.width * zoom)).collect();
            self.fill(&quads, stroke.ink.rgb(), 1.0);
        }
    }

    fn text(&mut self, text: &Text, zoom: f64) {
        let size = text.size * zoom;
        let shift = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -0.5 * text.width() * zoom,
            Anchor::End => -text.width() * zoom,
        };
        let mut contours = Vec::new();
        let mut x = shift;
        for run in &text.runs {
            let (outlines, next) = font::outlines(&run.text, run.face, size, x);
            contours.extend(outlines);
            x = next;
        }
        let origin = (text.at.0 * zoom, text.at.1 * zoom);
        for point in contours.iter_mut().flatten() {
            let (px, py) = if text.upwards { (point.1, -point.0) } else { *point };
            *point = (origin.0 + px, origin.1 + py);
        }
        if text.halo {
            let rim: Vec<_> = contours
                .iter()
                .flat_map(|c| (0..c.len()).filter_map(|i| thick(c[i], c[(i + 1) % c.len()], 3.0 * zoom)))
                .collect();
            self.fill(&rim, Ink::Paper.rgb(), 0.85);
        }
        self.fill(&contours, text.ink.rgb(), 1.0);
    }

    /// Paints dots, `origin` of the scene at the corner of the canvas.
    pub fn cloud(&mut self, cloud: &Cloud, origin: (f64, f64), zoom: f64) {
        let radius = (cloud.radius * zoom) as f32;
        for &(x, y, color) in &cloud.dots {
            let (x, y) = ((x - origin.0 as f32) * zoom as f32, (y - origin.1 as f32) * zoom as f32);
            let range = |v: f32, limit: usize| {
                let low = (v - radius - 1.0).floor().max(0.0) as usize;
                low..((v + radius + 1.0).ceil().max(0.0) as usize).min(limit)
            };
            for row in range(y, self.height) {
                for column in range(x, self.width) {
                    let distance = (column as f32 + 0.5 - x).hypot(row as f32 + 0.5 - y);
                    let alpha = (radius + 0.5 - distance).clamp(0.0, 1.0) * cloud.opacity as f32;
                    if alpha > 0.0 {
                        self.blend(row * self.width + column, cloud.colors[usize::from(color)], alpha);
                    }
                }
            }
        }
    }
}

/// Signed area that each edge adds to the pixels at its right, kept as changes along each row.
struct Coverage {
    width: usize,
    height: usize,
    change: Vec<f64>,
}

impl Coverage {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, change: vec![0.0; (width + 2) * height] }
    }

    fn edge(&mut self, a: (f64, f64), b: (f64, f64)) {
        if a.1 == b.1 {
            return;
        }
        let (direction, top, bottom) = if a.1 < b.1 { (1.0, a, b) } else { (-1.0, b, a) };
        let slope = (bottom.0 - top.0) / (bottom.1 - top.1);
        let first = top.1.max(0.0).floor() as usize;
        let last = (bottom.1.min(self.height as f64).ceil()).max(0.0) as usize;
        for row in first..last.min(self.height) {
            let y0 = top.1.max(row as f64);
            let y1 = bottom.1.min(row as f64 + 1.0);
            if y1 <= y0 {
                continue;
            }
            let limit = |x: f64| x.clamp(0.0, self.width as f64);
            let xa = limit(top.0 + slope * (y0 - top.1));
            let xb = limit(top.0 + slope * (y1 - top.1));
            self.piece(row, xa.min(xb), xa.max(xb), direction * (y1 - y0));
        }
    }

    /// A piece of edge within one row, from `left` to `right`, of signed height `height`.
    fn piece(&mut self, row: usize, left: f64, right: f64, height: f64) {
        let change = &mut self.change[row * (self.width + 2)..(row + 1) * (self.width + 2)];
        let first = left.floor() as usize;
        if right - left < 1e-12 || right <= first as f64 + 1.0 {
            let covered = first as f64 + 1.0 - 0.5 * (left + right);
            change[first] += height * covered;
            change[first + 1] += height * (1.0 - covered);
            return;
        }
        // The share of the edge that lies left of each pixel border gives, by differences, each pixel's area.
        let share = |x: f64| {
            // Integral over this row of the area to the left of x and to the right of the edge.
            let x = x.max(left);
            if x >= right { x - 0.5 * (left + right) } else { 0.5 * (x - left) * (x - left) / (right - left) }
        };
        let last = (right.ceil() as usize).min(self.width + 1);
        let (mut before, mut previous_area) = (share(first as f64), 0.0);
        for (column, change) in change.iter_mut().enumerate().take(last + 1).skip(first) {
            let after = share(column as f64 + 1.0);
            let area = after - before;
            *change += height * (area - previous_area);
            (before, previous_area) = (after, area);
        }
    }
}

fn circle(center: (f64, f64), radius: f64) -> Vec<(f64, f64)> {
    let n = (12.0 + 3.0 * radius).min(120.0) as usize;
    (0..n)
        .map(|i| {
            let (sin, cos) = (TAU * i as f64 / n as f64).sin_cos();
            (center.0 + radius * cos, center.1 + radius * sin)
        })
        .collect()
}

/// The rectangle around a piece of line; always of one direction, so that pieces of a line add up.
fn thick(a: (f64, f64), b: (f64, f64), width: f64) -> Option<Vec<(f64, f64)>> {
    let length = (b.0 - a.0).hypot(b.1 - a.1);
    if length <= 0.0 {
        return None;
    }
    let (nx, ny) = (-(b.1 - a.1) / length * width / 2.0, (b.0 - a.0) / length * width / 2.0);
    Some(vec![(a.0 + nx, a.1 + ny), (a.0 - nx, a.1 - ny), (b.0 - nx, b.1 - ny), (b.0 + nx, b.1 + ny)])
}

type Piece = ((f64, f64), (f64, f64));

fn dashes(points: &[(f64, f64)], dash: f64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut walked = 0.0;
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let at = |s: f64| (a.0 + (b.0 - a.0) * s / length, a.1 + (b.1 - a.1) * s / length);
        let mut s = 0.0;
        while s < length {
            let phase = (walked + s) % (2.0 * dash);
            let step = (if phase < dash { dash - phase } else { 2.0 * dash - phase }).max(1e-6).min(length - s);
            if phase < dash {
                pieces.push((at(s), at(s + step)));
            }
            s += step.max(1e-6);
        }
        walked += length;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alpha(canvas: &Canvas, x: usize, y: usize) -> f32 {
        canvas.pixels[y * canvas.width + x][3]
    }

    #[test]
    fn coverage_is_the_area_of_each_pixel() {
        let mut canvas = Canvas::new(5, 4, None);
        // A rectangle from (0.5, 1) to (3.25, 2.5).
        canvas.fill(&[vec![(0.5, 1.0), (3.25, 1.0), (3.25, 2.5), (0.5, 2.5)]], [255, 0, 0], 1.0);
        for (x, y, want) in
            [(0, 0, 0.0), (0, 1, 0.5), (1, 1, 1.0), (3, 1, 0.25), (4, 1, 0.0), (1, 2, 0.5), (3, 2, 0.125)]
        {
            assert!((alpha(&canvas, x, y) - want).abs() < 1e-6, "({x}, {y}): {}", alpha(&canvas, x, y));
        }
    }

    #[test]
    fn a_flat_triangle_has_its_area() {
        let mut canvas = Canvas::new(10, 2, None);
        canvas.fill(&[vec![(0.0, 0.0), (8.0, 1.0), (0.0, 1.0)]], [0, 0, 0], 1.0);
        let total: f32 = canvas.pixels.iter().map(|p| p[3]).sum();
        assert!((total - 4.0).abs() < 0.01, "{total}");
        assert!((alpha(&canvas, 0, 0) - 15.0 / 16.0).abs() < 1e-6, "{}", alpha(&canvas, 0, 0));
    }

    #[test]
    fn shapes_beyond_the_canvas_are_cut() {
        let mut canvas = Canvas::new(3, 3, None);
        canvas.fill(&[vec![(-9.0, -9.0), (99.0, -9.0), (99.0, 99.0), (-9.0, 99.0)]], [0, 0, 0], 1.0);
        assert!(canvas.pixels.iter().all(|p| (p[3] - 1.0).abs() < 1e-6));
        canvas.fill(&[vec![(-9.0, -9.0), (-8.0, -9.0), (-8.0, -8.0)]], [0, 0, 0], 1.0);
    }
}
