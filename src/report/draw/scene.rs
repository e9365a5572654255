//! Shapes on a canvas, in pixels at 96 per inch; y grows downwards.

use super::font::{self, Face};

/// A colour by its role, or a fixed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Words and axes.
    Text,
    /// Second-rank words.
    Muted,
    /// Grid lines and frames.
    Grid,
    /// The background.
    Paper,
    /// A fixed colour.
    Rgb([u8; 3]),
}

impl Ink {
    /// The colour on white paper.
    pub fn rgb(self) -> [u8; 3] {
        match self {
            Self::Text => [0x1f, 0x24, 0x2b],
            Self::Muted => [0x5a, 0x64, 0x70],
            Self::Grid => [0xd9, 0xde, 0xe4],
            Self::Paper => [0xff, 0xff, 0xff],
            Self::Rgb(rgb) => rgb,
        }
    }
}

/// How an area is filled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paint {
    /// Colour.
    pub ink: Ink,
    /// 0 (nothing) to 1 (opaque).
    pub opacity: f64,
}

impl From<Ink> for Paint {
    fn from(ink: Ink) -> Self {
        Self { ink, opacity: 1.0 }
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Colour.
    pub ink: Ink,
    /// Width.
    pub width: f64,
    /// Length of dashes and gaps; `None` = solid.
    pub dash: Option<f64>,
}

impl Stroke {
    /// A solid line.
    pub fn solid(ink: Ink, width: f64) -> Self {
        Self { ink, width, dash: None }
    }
}

/// Which end of a text its position means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Left end.
    Start,
    /// Middle.
    Middle,
    /// Right end.
    End,
}

/// A stretch of text in one face.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The words.
    pub text: String,
    /// Regular, oblique (gene names) or bold.
    pub face: Face,
}

/// One line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Position of the anchor on the base line.
    pub at: (f64, f64),
    /// Height of the em.
    pub size: f64,
    /// Which end `at` means.
    pub anchor: Anchor,
    /// The words.
    pub runs: Vec<Run>,
    /// Colour.
    pub ink: Ink,
    /// Written upwards, turned by 90° to the left.
    pub upwards: bool,
    /// With a rim in the colour of the paper, to stand out from what lies below.
    pub halo: bool,
}

impl Text {
    /// Dark text in the regular face.
    pub fn new(at: (f64, f64), size: f64, text: impl Into<String>) -> Self {
        Self {
            at,
            size,
            anchor: Anchor::Start,
            runs: vec![Run { text: text.into(), face: Face::Regular }],
            ink: Ink::Text,
            upwards: false,
            halo: false,
        }
    }

    /// Changes the face of all runs.
    pub fn face(mut self, face: Face) -> Self {
        self.runs.iter_mut().for_each(|run| run.face = face);
        self
    }

    /// Changes the anchor.
    pub fn anchor(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    /// Changes the colour.
    pub fn ink(mut self, ink: Ink) -> Self {
        self.ink = ink;
        self
    }

    /// Turns the text upwards.
    pub fn upwards(mut self) -> Self {
        self.upwards = true;
        self
    }

    /// Adds a rim.
    pub fn halo(mut self) -> Self {
        self.halo = true;
        self
    }

    /// Adds words in another face.
    pub fn then(mut self, text: impl Into<String>, face: Face) -> Self {
        self.runs.push(Run { text: text.into(), face });
        self
    }

    /// Length of the line.
    pub fn width(&self) -> f64 {
        self.runs.iter().map(|run| font::width(&run.text, run.face, self.size)).sum()
    }
}

/// Many small dots, such as the cells of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Cloud {
    /// Left, top, width and height of the area the dots may cover.
    pub area: (f64, f64, f64, f64),
    /// Radius of a dot.
    pub radius: f64,
    /// 0..1.
    pub opacity: f64,
    /// Colours that dots refer to.
    pub colors: Vec<[u8; 3]>,
    /// Position and colour of each dot, in drawing order.
    pub dots: Vec<(f32, f32, u16)>,
}

/// Something drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// An open line or a closed area.
    Path {
        /// Corners.
        points: Vec<(f64, f64)>,
        /// Whether the last corner joins the first.
        closed: bool,
        /// Filling.
        fill: Option<Paint>,
        /// Outline.
        stroke: Option<Stroke>,
    },
    /// A disc.
    Circle {
        /// Centre.
        center: (f64, f64),
        /// Radius.
        radius: f64,
        /// Filling.
        fill: Option<Paint>,
        /// Outline.
        stroke: Option<Stroke>,
    },
    /// Many filled rectangles, such as the ground that cells cover: left, top, width, height of each.
    Tiles(Vec<(f64, f64, f64, f64)>, Paint),
    /// A line of text.
    Text(Text),
    /// Many dots.
    Cloud(Cloud),
}

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// What the figure shows, for those who can't see it.
    pub title: String,
    /// Shapes from back to front, each with words that appear on hovering (may be empty).
    pub items: Vec<(Shape, String)>,
}

impl Scene {
    /// An empty canvas.
    pub fn new(width: f64, height: f64, title: impl Into<String>) -> Self {
        Self { width, height, title: title.into(), items: Vec::new() }
    }

    /// Adds a shape.
    pub fn add(&mut self, shape: Shape) {
        self.items.push((shape, String::new()));
    }

    /// Adds a shape that says something on hovering.
    pub fn add_titled(&mut self, shape: Shape, title: impl Into<String>) {
        self.items.push((shape, title.into()));
    }

    /// Adds a line of text.
    pub fn text(&mut self, text: Text) {
        self.add(Shape::Text(text));
    }

    /// Adds a straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        self.add(Shape::Path { points: vec![from, to], closed: false, fill: None, stroke: Some(stroke) });
    }

    /// Adds another figure at an offset.
    pub fn place(&mut self, other: Scene, dx: f64, dy: f64) {
        self.items.extend(other.items.into_iter().map(|(shape, title)| (shape.moved(dx, dy), title)));
    }
}

/// A filled rectangle.
pub fn rectangle(x: f64, y: f64, width: f64, height: f64, fill: impl Into<Paint>) -> Shape {
    Shape::Path {
        points: vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)],
        closed: true,
        fill: Some(fill.into()),
        stroke: None,
    }
}

/// A data mark: `kind` counts through disc, square, diamond, triangle.
pub fn mark(kind: usize, center: (f64, f64), radius: f64, fill: Ink, stroke: Option<Stroke>) -> Shape {
    let (x, y) = center;
    let fill = Some(Paint::from(fill));
    let points = match kind % 4 {
        0 => return Shape::Circle { center, radius, fill, stroke },
        1 => {
            let r = radius * 0.89;
            vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]
        }
        2 => {
            let r = radius * 1.25;
            vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)]
        }
        _ => {
            let r = radius * 1.2;
            vec![(x, y - r), (x + r, y + 0.8 * r), (x - r, y + 0.8 * r)]
        }
    };
    Shape::Path { points, closed: true, fill, stroke }
}

impl Shape {
    fn moved(mut self, dx: f64, dy: f64) -> Self {
        let shift = |p: &mut (f64, f64)| *p = (p.0 + dx, p.1 + dy);
        match &mut self {
            Self::Path { points, .. } => points.iter_mut().for_each(shift),
            Self::Circle { center, .. } => shift(center),
            Self::Tiles(tiles, _) => tiles.iter_mut().for_each(|t| (t.0, t.1) = (t.0 + dx, t.1 + dy)),
            Self::Text(text) => shift(&mut text.at),
            Self::Cloud(cloud) => {
                cloud.area.0 += dx;
                cloud.area.1 += dy;
                for dot in &mut cloud.dots {
                    dot.0 += dx as f32;
                    dot.1 += dy as f32;
                }
            }
        }
        self
    }
}
