//! PNG bytes of figures.

use super::raster::Canvas;
use super::{Ink, Scene};

/// Pixels per unit: figures are painted at 192 pixels per inch.
const ZOOM: f64 = 2.0;

/// The scene on white paper.
pub fn png(scene: &Scene) -> Vec<u8> {
    let size = |length: f64| ((length * ZOOM).ceil() as usize).max(1);
    let mut canvas = Canvas::new(size(scene.width), size(scene.height), Some(Ink::Paper.rgb()));
    canvas.paint(scene, ZOOM);
    encode(&canvas, 255)
}

/// A canvas as PNG, with its resolution. `n_steps`: from nothing to full in each of red, green, blue and opacity; 255 keeps all, 15
/// halves the bytes of a map of many cells, whose dots show no difference.
pub fn encode(canvas: &Canvas, n_steps: u16) -> Vec<u8> {
    let step = |value: u8| ((u16::from(value) * n_steps + 127) / 255 * 255 / n_steps) as u8;
    let rgba: Vec<u8> = canvas.rgba().into_iter().map(step).collect();
    let opaque = rgba.chunks_exact(4).all(|p| p[3] == 255);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, canvas.width as u32, canvas.height as u32);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(if opaque { png::ColorType::Rgb } else { png::ColorType::Rgba });
    encoder.set_compression(png::Compression::Default);
    encoder.set_adaptive_filter(png::AdaptiveFilterType::Adaptive);
    let per_metre = (96.0 * ZOOM / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
    let data: Vec<u8> = if opaque { rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect() } else { rgba };
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&data));
    written.expect("an image of known size can be written to memory");
    bytes
}
