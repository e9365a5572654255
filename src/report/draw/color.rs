//! Colours that most kinds of colour vision can tell apart.

use plotters::style::RGBColor;
use plotters::style::colors::colormaps::{ColorMap, DerivedColorMap};

/// For clusters: hues of Okabe and Ito (2008), without its yellow, which is lost on white; then those that are farthest from them and
/// from each other to any kind of colour vision, in either theme (see the tests).
const CLUSTERS: [[u8; 3]; 10] = [
    [0x00, 0x72, 0xb2],
    [0xe6, 0x9f, 0x00],
    [0x00, 0x9e, 0x73],
    [0xd5, 0x5e, 0x00],
    [0x56, 0xb4, 0xe9],
    [0xcc, 0x79, 0xa7],
    [0x00, 0x00, 0x80],
    [0x00, 0x40, 0x00],
    [0x60, 0x40, 0x60],
    [0x80, 0x80, 0x40],
];

/// For lots: seven hues after the muted scheme of Tol (2021), so that a lot is not taken for a cluster, and three chosen like the last
/// of the clusters.
const LOTS: [[u8; 3]; 10] = [
    [0x33, 0x22, 0x88],
    [0xcc, 0x66, 0x77],
    [0x60, 0x60, 0xe0],
    [0xcf, 0x9f, 0x35],
    [0x88, 0x22, 0x55],
    [0x5d, 0xb3, 0xdd],
    [0x11, 0x77, 0x33],
    [0xaa, 0x44, 0x99],
    [0x40, 0x20, 0x00],
    [0x60, 0x80, 0x20],
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
        _ => mix(rgb, [255, 255, 255], 0.4),
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

    const GROUND: [f64; 3] = [0x14 as f64 / 255.0, 0x18 as f64 / 255.0, 0x1d as f64 / 255.0];

    fn unit(rgb: [u8; 3]) -> [f64; 3] {
        rgb.map(|v| f64::from(v) / 255.0)
    }

    /// What the dark theme makes of a colour: the style sheet's filter, `invert(0.94) hue-rotate(180deg)`.
    fn on_dark(c: [f64; 3]) -> [f64; 3] {
        let luma = 0.213 * c[0] + 0.715 * c[1] + 0.072 * c[2];
        c.map(|v| (0.88 * v + 0.94 - 1.76 * luma).clamp(0.0, 1.0))
    }

    fn linear(c: [f64; 3]) -> [f64; 3] {
        c.map(|v| if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) })
    }

    fn times(m: [[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
        m.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
    }

    /// CIE L*a*b* of linear sRGB (D65).
    fn lab(c: [f64; 3]) -> [f64; 3] {
        const XYZ: [[f64; 3]; 3] =
            [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]];
        let [x, y, z] = times(XYZ, c.map(|v| v.clamp(0.0, 1.0)));
        let f = |t: f64| if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 };
        let (x, y, z) = (f(x / 0.95047), f(y), f(z / 1.08883));
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// Usual vision, and protanopia, deuteranopia and tritanopia after Machado, Oliveira and Fernandes (2009),
    /// doi:10.1109/TVCG.2009.113, for linear sRGB.
    const VISIONS: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ];

    #[test]
    fn ten_clusters_and_ten_lots_are_told_apart_by_any_colour_vision_in_either_theme() {
        // Just noticeable are some 2.3; the colours were chosen for this, and reach 12.4 and 10.1.
        for (palette, least) in [(CLUSTERS, 12.0), (LOTS, 10.0)] {
            for vision in VISIONS {
                for theme in [std::convert::identity as fn([f64; 3]) -> [f64; 3], on_dark] {
                    let seen = palette.map(|rgb| lab(times(vision, linear(theme(unit(rgb))))));
                    for (i, a) in seen.iter().enumerate() {
                        for (j, b) in seen.iter().enumerate().take(i) {
                            let apart = (0..3).map(|k| (a[k] - b[k]).powi(2)).sum::<f64>().sqrt();
                            assert!(apart >= least, "{i} and {j}: {apart:.1}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn marks_stand_out_from_either_ground() {
        let luminance = |c: [f64; 3]| {
            let [r, g, b] = linear(c);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        for rgb in CLUSTERS.into_iter().chain(LOTS) {
            let on_white = 1.05 / (luminance(unit(rgb)) + 0.05);
            let on_ground = (luminance(on_dark(unit(rgb))) + 0.05) / (luminance(GROUND) + 0.05);
            assert!(on_white > 2.2 && on_ground > 2.6, "{rgb:?}: {on_white:.1} and {on_ground:.1}");
            let words = for_words(rgb);
            let on_ground = (luminance(on_dark(unit(words))) + 0.05) / (luminance(GROUND) + 0.05);
            assert!(1.05 / (super::luminance(words) + 0.05) >= 4.5 && on_ground >= 4.5, "{words:?}: {on_ground:.1}");
        }
    }

    #[test]
    fn the_scale_runs_from_light_to_dark() {
        assert!(is_light(scale(0.0)) && !is_light(scale(1.0)));
    }
}
