//! Power against the number of lots.

use crate::report::draw::{Anchor, Axis, Face, Frame, Ink, Scene, Shape, Stroke, Text, color};
use crate::report::words;
use crate::steps::process::{Design, Plan, PlanRow};

/// A curve: what it is called, its value, its colour and its dashes.
type Curve = (&'static str, fn(&PlanRow) -> f64, [u8; 3], Option<f64>);

/// Power of a cluster alone, family-wise, and of the verdict; the planned study is marked.
pub fn figure(plan: &Plan) -> Scene {
    let params = &plan.params;
    let unit = if params.design == Design::Pairs { "pairs of lots" } else { "lots" };
    let title = format!("Power to find a correlation of {} by number of {unit}", params.rho);
    let mut scene = Scene::new(760.0, 420.0, title);
    let most = plan.rows.last().map_or(4, |row| row.n_lots) as f64;
    let frame = Frame {
        area: (62.0, 58.0, 520.0, 304.0),
        x: Axis::between(3.0, most + 1.0, format!("Number of {unit}"), 10, false),
        y: Axis::between(0.0, 1.0, "Power (%)", 5, true),
    };
    let family = params.n_clusters * params.n_readouts;
    let subject = if params.n_readouts > 1 {
        format!("{} clusters × {} readouts", params.n_clusters, params.n_readouts)
    } else {
        words::several(params.n_clusters, "cluster")
    };
    scene.text(Text::new((62.0, 20.0), 13.0, format!("True correlation {}, {subject}", params.rho)).face(Face::Bold));
    scene.text(Text::new((62.0, 38.0), 10.5, subtitle(plan)).ink(Ink::Muted));
    frame.draw(&mut scene);

    let level = |at: f64| (frame.point(frame.x.low, at), frame.point(frame.x.high, at));
    let (from, to) = level(params.power);
    scene.line(from, to, Stroke { ink: Ink::Muted, width: 1.0, dash: Some(2.0) });
    let planned = plan.planned.n_lots as f64;
    let (foot, head) = (frame.point(planned, 0.0), frame.point(planned, 1.0));
    scene.line(foot, head, Stroke { ink: Ink::Muted, width: 1.0, dash: Some(2.0) });
    let label = Text::new((head.0, head.1 - 5.0), 10.0, format!("{} {unit}", plan.planned.n_lots));
    scene.text(label.anchor(Anchor::Middle).ink(Ink::Muted));

    let mut curves: Vec<Curve> =
        vec![("one cluster, named beforehand", |row| row.power_alone, color::cluster(0), None)];
    if family > 1 {
        curves.push(("all clusters, Bonferroni", |row| row.power_bonferroni, [0x8a, 0x93, 0x9e], Some(5.0)));
        curves.push(("all clusters, max-T", |row| row.power_family, color::cluster(3), None));
    }
    curves.push(("verdict “supported”", |row| row.power_supported, color::cluster(2), None));
    for (i, (name, power, rgb, dash)) in curves.iter().enumerate() {
        let ink = Ink::Rgb(*rgb);
        let points: Vec<(f64, f64)> = plan.rows.iter().map(|row| frame.point(row.n_lots as f64, power(row))).collect();
        scene.add(Shape::Path {
            points,
            closed: false,
            fill: None,
            stroke: Some(Stroke { ink, width: 2.0, dash: *dash }),
        });
        let at = frame.point(planned, power(&plan.planned));
        let dot = Shape::Circle {
            center: at,
            radius: 3.6,
            fill: Some(ink.into()),
            stroke: Some(Stroke::solid(Ink::Paper, 1.0)),
        };
        let chance = words::percent(power(&plan.planned), 0);
        scene.add_titled(dot, format!("{name}: {chance} with {} {unit}", plan.planned.n_lots));
        // The key, with what the planned study reaches.
        let y = 92.0 + 46.0 * i as f64;
        scene.line((600.0, y - 4.0), (622.0, y - 4.0), Stroke { ink, width: 2.4, dash: *dash });
        scene.text(Text::new((600.0, y + 12.0), 10.0, *name));
        scene.text(Text::new((628.0, y), 11.5, chance).face(Face::Bold));
    }
    scene
}

fn subtitle(plan: &Plan) -> String {
    let params = &plan.params;
    let cells = if params.n_cells == 0 {
        "share known exactly".to_string()
    } else {
        let counted = words::fixed(plan.rho_counted, 2);
        format!("{} cells per lot (correlation of the counted share {counted})", words::count(params.n_cells as u64))
    };
    let design = match params.design {
        Design::Measured => "readout measured in each lot",
        Design::Groups => "two groups of lots",
        Design::Pairs => "pairs of lots",
    };
    let mut out = format!("{design}, {cells}, α = {}", plan.alpha);
    if params.block_size > 0 {
        out += &format!(", blocks of {}", params.block_size);
    }
    if params.n_covariates > 0 {
        out += &format!(", {}", words::several(params.n_covariates, "covariate"));
    }
    out
}
