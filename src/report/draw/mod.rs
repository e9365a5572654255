//! The drawing kit of the figures: one [`Scene`] of plain shapes, written as SVG or painted as PNG.
//!
//! Both come from the same shapes and the same bundled font, so a figure looks the same in the report, on a slide and in
//! print. `plotters` chooses the ticks and the colour scale; the shapes are our own because figures need what its back
//! ends lack: anti-aliased markers, italic gene names within a line, titles of single marks, colours that follow the
//! theme of the page.

pub mod axis;
pub mod base64;
pub mod color;
pub mod font;
pub mod labels;
pub mod png;
pub mod raster;
pub mod scene;
pub mod svg;

pub use axis::{Axis, Frame};
pub use font::Face;
pub use scene::{Anchor, Cloud, Ink, Paint, Run, Scene, Shape, Stroke, Text};
pub use svg::Mode;
