//! The bundled font: widths of text and outlines of letters.

use std::sync::OnceLock;

use ttf_parser::OutlineBuilder;

/// A face of the bundled font, DejaVu Sans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Upright.
    Regular,
    /// Slanted: gene names.
    Oblique,
    /// Heavy: titles.
    Bold,
}

/// Height of capital letters, in ems.
pub const CAP_HEIGHT: f64 = 0.729;

fn face(face: Face) -> &'static ttf_parser::Face<'static> {
    static FACES: OnceLock<[ttf_parser::Face<'static>; 3]> = OnceLock::new();
    let parse = |bytes| ttf_parser::Face::parse(bytes, 0).expect("the bundled fonts are valid");
    let faces = FACES.get_or_init(|| {
        [
            parse(include_bytes!("../../../data/fonts/DejaVuSans.ttf")),
            parse(include_bytes!("../../../data/fonts/DejaVuSans-Oblique.ttf")),
            parse(include_bytes!("../../../data/fonts/DejaVuSans-Bold.ttf")),
        ]
    });
    &faces[face as usize]
}

/// Length of a line of text at a size. Letters that the font lacks count as the box that stands for them.
pub fn width(text: &str, which: Face, size: f64) -> f64 {
    let face = face(which);
    let units: u32 = text.chars().map(|c| u32::from(advance(face, c))).sum();
    f64::from(units) * size / f64::from(face.units_per_em())
}

fn glyph(face: &ttf_parser::Face<'_>, c: char) -> ttf_parser::GlyphId {
    face.glyph_index(c).unwrap_or(ttf_parser::GlyphId(0))
}

fn advance(face: &ttf_parser::Face<'_>, c: char) -> u16 {
    face.glyph_hor_advance(glyph(face, c)).unwrap_or(0)
}

/// Cuts letters out of the middle of a text that is longer than `limit`, as names often differ at their end.
pub fn shorten(text: &str, which: Face, size: f64, limit: f64) -> String {
    if width(text, which, size) <= limit {
        return text.to_string();
    }
    let letters: Vec<char> = text.chars().collect();
    for n_kept in (1..letters.len()).rev() {
        let (head, tail) = letters.split_at(n_kept.div_ceil(2));
        let tail = &tail[letters.len() - n_kept..];
        let (head, tail): (String, String) = (head.iter().collect(), tail.iter().collect());
        let short = format!("{}…{}", head.trim_end(), tail.trim_start());
        if width(&short, which, size) <= limit {
            return short;
        }
    }
    "…".to_string()
}

/// Closed outlines of a line of text that starts at the origin of a y-down plane, curves broken into straight pieces.
/// Also the position where the next text would start.
pub fn outlines(text: &str, which: Face, size: f64, start: f64) -> (Vec<Vec<(f64, f64)>>, f64) {
    let face = face(which);
    let scale = size / f64::from(face.units_per_em());
    let mut pen = Pen { scale, x: start, contours: Vec::new() };
    for c in text.chars() {
        let id = glyph(face, c);
        // A glyph without outline, such as a space, draws nothing.
        let _ = face.outline_glyph(id, &mut pen);
        pen.x += f64::from(face.glyph_hor_advance(id).unwrap_or(0)) * scale;
    }
    (pen.contours, pen.x)
}

struct Pen {
    scale: f64,
    x: f64,
    contours: Vec<Vec<(f64, f64)>>,
}

impl Pen {
    fn point(&self, x: f32, y: f32) -> (f64, f64) {
        (self.x + f64::from(x) * self.scale, -f64::from(y) * self.scale)
    }

    fn last(&self) -> (f64, f64) {
        self.contours.last().and_then(|c| c.last()).copied().unwrap_or((self.x, 0.0))
    }

    fn push(&mut self, point: (f64, f64)) {
        if let Some(contour) = self.contours.last_mut() {
            contour.push(point);
        }
    }
}

/// Straight pieces per curve: at figure sizes a letter's curve spans a few pixels only.
const PIECES: usize = 5;

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let point = self.point(x, y);
        self.contours.push(vec![point]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let point = self.point(x, y);
        self.push(point);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (a, b, c) = (self.last(), self.point(x1, y1), self.point(x, y));
        for i in 1..=PIECES {
            let t = i as f64 / PIECES as f64;
            let (u, v, w) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
            self.push((u * a.0 + v * b.0 + w * c.0, u * a.1 + v * b.1 + w * c.1));
        }
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (a, b, c, d) = (self.last(), self.point(x1, y1), self.point(x2, y2), self.point(x, y));
        for i in 1..=PIECES {
            let t = i as f64 / PIECES as f64;
            let s = 1.0 - t;
            let (p, q, r, w) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
            self.push((p * a.0 + q * b.0 + r * c.0 + w * d.0, p * a.1 + q * b.1 + r * c.1 + w * d.1));
        }
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_dejavu_sans() {
        // Advance widths of the font: M 1767, i 569, space 651 of 2048 units.
        assert!((width("M", Face::Regular, 2048.0) - 1767.0).abs() < 1e-9);
        assert!((width("i i", Face::Regular, 2048.0) - (569.0 + 651.0 + 569.0)).abs() < 1e-9);
        assert!(width("M", Face::Bold, 10.0) > width("M", Face::Regular, 10.0));
    }

    #[test]
    fn letters_beyond_the_font_have_a_width_and_an_outline() {
        assert!(width("漢", Face::Regular, 10.0) > 0.0);
        assert!(!outlines("漢", Face::Regular, 10.0, 0.0).0.is_empty());
    }

    #[test]
    fn long_texts_are_cut_at_the_limit() {
        let short = shorten("a very long name of a lot", Face::Regular, 10.0, 60.0);
        assert!(
            short.starts_with("a v") && short.ends_with("lot") && width(&short, Face::Regular, 10.0) <= 60.0,
            "{short}"
        );
        assert_eq!(shorten("lot", Face::Regular, 10.0, 60.0), "lot");
        assert_eq!(shorten("lot", Face::Regular, 10.0, 0.0), "…");
    }
}
