//! The lots of one attribute, before and after, with what the rule asks of them.

use crate::data::{AttributeKind, AttributeTransform, Comparison, ComparisonDesign, Rule};
use crate::report::draw::scene::{mark, rectangle};
use crate::report::draw::{Anchor, Axis, Face, Frame, Ink, Paint, Scene, Shape, Stroke, Text, color, font};
use crate::report::{runs, words};
use crate::steps::process::compare::pairs_of;
use crate::steps::process::{Compared, Judged};

use super::forest::word_ink;

const WIDTH: f64 = 330.0;
const HEIGHT: f64 = 250.0;

/// Lots as points; the shaded area is the range of the pre lots, or for TOST where the mean of the post lots may lie.
pub fn figure(comparison: &Comparison, compared: &Compared, index: usize) -> Scene {
    let row = &compared.judged[index];
    let (pre, post) = (&compared.pre.values[index], &compared.post.values[index]);
    let label = row.attribute.label();
    let mut scene = Scene::new(WIDTH, HEIGHT, format!("{label} of each lot before and after"));
    let (low, high) = allowed(row);
    let values = pre.iter().chain(post).copied().chain([low, high]).filter(|v| v.is_finite());
    let axis = Axis::new(values, "", 5, false);
    let left = 36.0 + axis.widest_tick();
    let frame = Frame {
        area: (left, 42.0, WIDTH - left - 12.0, HEIGHT - 78.0),
        x: Axis::between(0.0, 1.0, "", 2, false),
        y: axis,
    };
    let mut name = runs::text((12.0, 17.0), 12.0, runs::attribute(&row.attribute), WIDTH - 30.0);
    name.runs.iter_mut().filter(|run| run.face == Face::Regular).for_each(|run| run.face = Face::Bold);
    scene.text(name);
    scene.text(
        Text::new((12.0, 32.0), 10.5, format!("{} by {}", row.verdict.words(), row.attribute.rule.word()))
            .ink(word_ink(row.verdict)),
    );
    let (area_left, top, width, height) = frame.area;
    let y = |value: f64| frame.point(0.0, value).1.clamp(top, top + height);
    if !low.is_nan() && !high.is_nan() {
        let (from, to) = (y(high.min(frame.y.high)), y(low.max(frame.y.low)));
        scene.add(rectangle(
            area_left,
            from,
            width,
            to - from,
            Paint { ink: Ink::Rgb(color::cluster(2)), opacity: 0.12 },
        ));
    }
    for (value, text) in &frame.y.ticks {
        scene.line((area_left, y(*value)), (area_left + width, y(*value)), Stroke::solid(Ink::Grid, 0.7));
        let text = Text::new((area_left - 5.0, y(*value) + 3.6), 10.0, text.clone());
        scene.text(text.anchor(Anchor::End).ink(Ink::Muted));
    }
    let middle = (14.0, top + height / 2.0);
    scene.text(Text::new(middle, 10.0, unit(row)).anchor(Anchor::Middle).upwards().ink(Ink::Muted));
    let column = |post: bool, i: usize, n: usize| {
        // Side by side within the column, in the order of the sheet.
        let middle = area_left + width * if post { 0.73 } else { 0.27 };
        middle + 0.3 * width * ((i as f64 + 0.5) / n.max(1) as f64 - 0.5)
    };
    if comparison.design == ComparisonDesign::Paired {
        for [a, b] in pairs_of(&compared.pre, &compared.post) {
            if pre[a].is_finite() && post[b].is_finite() {
                let ends = ((column(false, a, pre.len()), y(pre[a])), (column(true, b, post.len()), y(post[b])));
                scene.line(ends.0, ends.1, Stroke::solid(Ink::Grid, 1.2));
            }
        }
    }
    for (group, values, lots, mean) in
        [(false, pre, &compared.pre.lots, row.pre.0), (true, post, &compared.post.lots, row.post.0)]
    {
        let ink = Ink::Rgb(color::cluster(if group { 3 } else { 0 }));
        if mean.is_finite() {
            let (from, to) = (column(group, 0, 1) - 0.19 * width, column(group, 0, 1) + 0.19 * width);
            scene.line((from, y(mean)), (to, y(mean)), Stroke::solid(ink, 1.6));
        }
        for (i, (&value, lot)) in values.iter().zip(lots).enumerate().filter(|(_, (v, _))| v.is_finite()) {
            let outline = Some(Stroke::solid(Ink::Paper, 0.8));
            let at = (column(group, i, values.len()), y(value));
            let form = if group { 2 } else { 0 };
            scene.add_titled(mark(form, at, 4.4, ink, outline), format!("lot {lot}: {}", words::fixed(value, 4)));
        }
        let n = values.iter().filter(|v| v.is_finite()).count();
        let name = format!("{} (n = {n})", if group { "after" } else { "before" });
        scene.text(Text::new((column(group, 0, 1), top + height + 18.0), 11.0, name).anchor(Anchor::Middle));
    }
    scene.add(Shape::Path {
        points: vec![(area_left, top), (area_left, top + height), (area_left + width, top + height)],
        closed: false,
        fill: None,
        stroke: Some(Stroke::solid(Ink::Muted, 1.0)),
    });
    scene
}

/// Where post lots, or for TOST their mean, may lie.
fn allowed(row: &Judged) -> (f64, f64) {
    match row.attribute.rule {
        Rule::Tost { .. } => (row.pre.0 + row.margin_low, row.pre.0 + row.margin_high),
        Rule::Range { .. } => (row.margin_low, row.margin_high),
    }
}

/// What the axis counts, on which scale.
fn unit(row: &Judged) -> String {
    let of = match row.attribute.kind {
        AttributeKind::Gene => return "log2(CPM + 1)".into(),
        AttributeKind::ClusterShare | AttributeKind::PanelShare => "share of cells".to_string(),
        AttributeKind::Deviation => "distance".to_string(),
        AttributeKind::Readout => font::shorten(&row.attribute.name, Face::Regular, 10.0, 90.0),
    };
    match row.attribute.transform {
        AttributeTransform::None => of,
        AttributeTransform::Log => format!("ln({of})"),
        AttributeTransform::Logit => format!("logit({of})"),
        AttributeTransform::AsinSqrt => format!("asin √({of})"),
    }
}
