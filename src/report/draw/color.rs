//! Colours that most kinds of colour vision can tell apart.

use plotters::style::RGBColor;
use plotters::style::colors::colormaps::{ColorMap, DerivedColorMap};

/// For clusters: hues of Okabe and Ito (2008), without its yellow, which is lost on white.
const CLUSTERS: [[u8; 3]; 10] = [
    [0x00, 0x72, 0xb2],
    [0xe6, 0x9f, 0x00],
    [0x00, 0x9e, 0x73],
    [0xd5, 0x5e, 0x00],
    [0x56, 0xb4, 0xe9],
    [0xcc, 0x79, 0xa7],
    [0x6a, 0x51, 0xa3],
    [0x8c, 0x6d, 0x31],
    [0x7f, 0x86, 0x8d],
    [0xa8, 0xa4, 0x00],
];

/// For lots: the muted scheme of Tol (2021) and one blue more, so that a lot is not taken for a cluster.
const LOTS: [[u8; 3]; 10] = [
    [0x33, 0x22, 0x88],
    [0xcc, 0x66, 0x77],
    [0x44, 0xaa, 0x99],
    [0xdd, 0xb0, 0x4a],
    [0x88, 0x22, 0x55],
    [0x88, 0xcc, 0xee],
    [0x11, 0x77, 0x33],
    [0xaa, 0x44, 0x99],
    [0x99, 0x99, 0x33],
    [0x44, 0x77, 0xaa],
];

/// The colour of a cluster: ten hues, then darker ones, then lighter ones; after 30 they return.
pub fn cluster(index: usize) -> [u8; 3] {
    shade(&CLUSTERS, index)
}

/// The colour of a lot, built as [`cluster`].
pub fn lot(index: usize) -> [u8; 3] {
    shade(&LOTS, index)
}

/// Which mark stands for a lot: another form each time the ten hues return.
pub fn lot_mark(index: usize) -> usize {
    index / LOTS.len()
}

fn shade(base: &[[u8; 3]; 10], index: usize) -> [u8; 3] {
    let rgb = base[index % 10];
    match index / 10 % 3 {
        0 => rgb,
        1 => mix(rgb, [0, 0, 0], 0.42),
        _ => mix(rgb, [255, 255, 255], 0.5),
    }
}

/// A colour dark enough for words on white: darkened until its contrast is 4.5, as WCAG 2 asks.
pub fn for_words(rgb: [u8; 3]) -> [u8; 3] {
    let darker = (0..=20).map(|step| mix(rgb, [0, 0, 0], f64::from(step) / 20.0));
    darker.into_iter().find(|rgb| 1.05 / (luminance(*rgb) + 0.05) >= 4.5).unwrap_or([0; 3])
}

/// Colour between `a` (at 0) and `b` (at 1).
pub fn mix(a: [u8; 3], b: [u8; 3], at: f64) -> [u8; 3] {
    std::array::from_fn(|i| (f64::from(a[i]) + (f64::from(b[i]) - f64::from(a[i])) * at).round() as u8)
}

/// The colour of a number between 0 and 1: from pale grey, which recedes on paper, over teal to dark violet.
pub fn scale(value: f64) -> [u8; 3] {
    let colors = DerivedColorMap::new(&[
        RGBColor(0xe9, 0xec, 0xef),
        RGBColor(0x6f, 0xb8, 0xb0),
        RGBColor(0x2a, 0x78, 0x8e),
        RGBColor(0x44, 0x01, 0x54),
    ]);
    let RGBColor(r, g, b) = colors.get_color(value.clamp(0.0, 1.0) as f32);
    [r, g, b]
}

/// Relative luminance, 0..1 (WCAG 2).
fn luminance(rgb: [u8; 3]) -> f64 {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2])
}

/// Whether black words can be read better than white ones on this colour.
pub fn is_light(rgb: [u8; 3]) -> bool {
    // Above this luminance the contrast with black is the larger one.
    luminance(rgb) > 0.179
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_colours_are_distinct() {
        for palette in [cluster as fn(usize) -> [u8; 3], lot] {
            let colors: std::collections::BTreeSet<_> = (0..30).map(palette).collect();
            assert_eq!(colors.len(), 30);
            assert_eq!(palette(30), palette(0));
        }
    }

    #[test]
    fn the_scale_runs_from_light_to_dark() {
        assert!(is_light(scale(0.0)) && !is_light(scale(1.0)));
    }
}
