//! SVG text of figures.

use std::fmt::Write;

use super::raster::Canvas;
use super::scene::{Anchor, Cloud, Ink, Paint, Scene, Shape, Stroke, Text};
use super::{Face, base64, png};

/// Where the SVG will live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A file of its own, on white paper.
    File,
    /// Inside a page, whose style sheet gives the colours of `fill-*` and `stroke-*` classes.
    Inline,
}

/// Above this number of dots a cloud becomes an image.
const MAX_VECTOR_DOTS: usize = 3000;

/// The scene as SVG.
pub fn svg(scene: &Scene, mode: Mode) -> String {
    let mut out = String::new();
    let (w, h) = (number(scene.width), number(scene.height));
    let size = if mode == Mode::File { format!(" width=\"{w}\" height=\"{h}\"") } else { String::new() };
    let title = escape(&scene.title);
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\"{size} viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{title}\" \
         font-family=\"'DejaVu Sans', Verdana, sans-serif\">"
    );
    if mode == Mode::File {
        let _ = write!(out, "<title>{title}</title><rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>");
    }
    for (shape, title) in &scene.items {
        let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", escape(title)) };
        match shape {
            Shape::Path { points, closed, fill, stroke } => {
                let _ = write!(out, "<path d=\"{}\"{}", path(points, *closed), paint(*fill, *stroke, mode));
                end(&mut out, "path", &title);
            }
            Shape::Circle { center, radius, fill, stroke } => {
                let (x, y, r) = (number(center.0), number(center.1), number(*radius));
                let _ = write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{}", paint(*fill, *stroke, mode));
                end(&mut out, "circle", &title);
            }
            Shape::Tiles(tiles, fill) => {
                out.push_str("<path d=\"");
                for (x, y, w, h) in tiles {
                    let (w, h) = (number(*w), number(*h));
                    let _ = write!(out, "M{} {}h{w}v{h}h-{w}z", number(*x), number(*y));
                }
                let _ = write!(out, "\"{}", paint(Some(*fill), None, mode));
                end(&mut out, "path", &title);
            }
            Shape::Text(line) => text(&mut out, line, mode),
            Shape::Cloud(dots) => cloud(&mut out, dots, mode),
        }
    }
    out.push_str("</svg>");
    out
}

fn end(out: &mut String, tag: &str, title: &str) {
    if title.is_empty() {
        out.push_str("/>");
    } else {
        let _ = write!(out, ">{title}</{tag}>");
    }
}

/// Replaces the letters that mean something in markup, and drops control characters, which XML forbids.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(' '),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

/// At most two decimals, no trailing zeros.
fn number(value: f64) -> String {
    let mut text = format!("{value:.2}");
    while text.ends_with('0') {
        text.pop();
    }
    if text.ends_with('.') {
        text.pop();
    }
    if text == "-0" { "0".into() } else { text }
}

fn path(points: &[(f64, f64)], closed: bool) -> String {
    let mut d = String::new();
    for (i, p) in points.iter().enumerate() {
        let _ = write!(d, "{}{} {}", if i == 0 { "M" } else { "L" }, number(p.0), number(p.1));
    }
    if closed {
        d.push('Z');
    }
    d
}

fn hex(rgb: [u8; 3]) -> String {
    format!("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2])
}

/// The class of an ink inside a page; fixed colours have none.
fn class(ink: Ink) -> Option<&'static str> {
    match ink {
        Ink::Text => Some("text"),
        Ink::Muted => Some("muted"),
        Ink::Grid => Some("grid"),
        Ink::Paper => Some("paper"),
        Ink::Rgb(_) => None,
    }
}

fn paint(fill: Option<Paint>, stroke: Option<Stroke>, mode: Mode) -> String {
    let mut classes = Vec::new();
    let mut out = String::new();
    let mut color = |out: &mut String, what: &str, ink: Ink| match class(ink).filter(|_| mode == Mode::Inline) {
        Some(name) => classes.push(format!("{what}-{name}")),
        None => {
            let _ = write!(out, " {what}=\"{}\"", hex(ink.rgb()));
        }
    };
    match fill {
        Some(paint) => {
            color(&mut out, "fill", paint.ink);
            if paint.opacity < 1.0 {
                let _ = write!(out, " fill-opacity=\"{}\"", number(paint.opacity));
            }
        }
        None => out.push_str(" fill=\"none\""),
    }
    if let Some(stroke) = stroke {
        color(&mut out, "stroke", stroke.ink);
        let _ = write!(out, " stroke-width=\"{}\"", number(stroke.width));
        if let Some(dash) = stroke.dash {
            let _ = write!(out, " stroke-dasharray=\"{}\"", number(dash));
        }
    }
    if !classes.is_empty() {
        let _ = write!(out, " class=\"{}\"", classes.join(" "));
    }
    out
}

fn text(out: &mut String, text: &Text, mode: Mode) {
    let (x, y) = (number(text.at.0), number(text.at.1));
    let _ = write!(out, "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"", number(text.size));
    match text.anchor {
        Anchor::Start => {}
        Anchor::Middle => out.push_str(" text-anchor=\"middle\""),
        Anchor::End => out.push_str(" text-anchor=\"end\""),
    }
    if text.upwards {
        let _ = write!(out, " transform=\"rotate(-90 {x} {y})\"");
    }
    // The room that was measured is kept even where the reader's machine lacks the font.
    let _ = write!(out, " textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"", number(text.width()));
    let rim = Stroke::solid(Ink::Paper, 3.0);
    out.push_str(&paint(Some(text.ink.into()), text.halo.then_some(rim), mode));
    if text.halo {
        out.push_str(" paint-order=\"stroke\" stroke-linejoin=\"round\"");
    }
    if let [run] = text.runs.as_slice() {
        let _ = write!(out, "{}>{}</text>", style(run.face), escape(&run.text));
        return;
    }
    out.push('>');
    for run in &text.runs {
        let _ = write!(out, "<tspan{}>{}</tspan>", style(run.face), escape(&run.text));
    }
    out.push_str("</text>");
}

fn style(face: Face) -> &'static str {
    match face {
        Face::Regular => "",
        Face::Oblique => " font-style=\"italic\"",
        Face::Bold => " font-weight=\"bold\"",
    }
}

fn cloud(out: &mut String, cloud: &Cloud, mode: Mode) {
    let (x, y, w, h) = cloud.area;
    if cloud.dots.len() > MAX_VECTOR_DOTS {
        const ZOOM: f64 = 2.0;
        let mut canvas = Canvas::new((w * ZOOM).ceil() as usize, (h * ZOOM).ceil() as usize, None);
        canvas.cloud(cloud, (x, y), ZOOM);
        let data = base64::encode(&png::encode(&canvas, if mode == Mode::Inline { 15 } else { 255 }));
        let (x, y, w, h) = (number(x), number(y), number(w), number(h));
        let _ = write!(
            out,
            "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" href=\"data:image/png;base64,{data}\"/>"
        );
        return;
    }
    let mut current = None;
    for &(x, y, color) in &cloud.dots {
        if current != Some(color) {
            if current.is_some() {
                out.push_str("</g>");
            }
            let rgb = hex(cloud.colors[usize::from(color)]);
            let _ = write!(out, "<g fill=\"{rgb}\" fill-opacity=\"{}\">", number(cloud.opacity));
            current = Some(color);
        }
        let (x, y) = (number(f64::from(x)), number(f64::from(y)));
        let _ = write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{}\"/>", number(cloud.radius));
    }
    if current.is_some() {
        out.push_str("</g>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_stay_text() {
        let mut scene = Scene::new(10.0, 10.0, "a \"quoted\" <title>");
        scene.text(Text::new((0.0, 5.0), 5.0, "<script>alert('1')</script>\u{1}&"));
        let out = svg(&scene, Mode::File);
        assert!(!out.contains("<script"), "{out}");
        assert!(out.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;"), "{out}");
        assert!(out.contains("aria-label=\"a &quot;quoted&quot; &lt;title&gt;\""), "{out}");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([number(1.0), number(1.5), number(-0.001), number(2.345)], ["1", "1.5", "0", "2.35"]);
    }
}
