//! What becomes of clusters and candidates when the road is walked without each lot.

use maud::html;

use super::{anchor, plot_files, rank_file};
use crate::pipeline::{Analysis, Ranked};
use crate::report::metrics;
use crate::report::plots::influence::left_out;
use crate::report::plots::{influence, potency};
use crate::report::section::{Cell, Column, Figure, Section, Table};
use crate::report::words::{self, fixed};
use crate::steps::markers::Stability;

/// `None` where the road was not walked without each lot.
pub(super) fn section(analysis: &Analysis, ranked: &Ranked) -> Option<Section> {
    let stability = ranked.stability.as_ref()?;
    let readout = &ranked.association.readout;
    let min_jaccard = analysis.params.verdict.min_jaccard;
    let mut links = vec![rank_file(readout, "influence.csv")];
    links.extend(plot_files(&influence::name(readout)));
    Some(Section {
        id: anchor("leave-one-out", readout),
        title: format!("Without each lot: {readout}"),
        question: "Which lots carry the result?".into(),
        finding: html! { p { (sentence(ranked, stability)) } },
        figures: vec![Figure {
            scenes: influence::panels(analysis, ranked),
            flows: true,
            caption: format!("Correlation of the best clusters with {readout} without each lot."),
            reading: "The dashed line is r with all lots. Hollow: r without the lot, clusters as they are. Full: r when genes, \
                      components and clusters are made anew without the lot. A diamond marks a run in which the cluster is \
                      not found again. A lot that carries the result stands far from the line."
                .into(),
            links,
        }],
        tables: vec![table(analysis, ranked, stability)],
        method: format!(
            "For each lot dropped, everything from variable genes to effects was made anew at the resolution of the run. \
             Clusters are matched one to one by the cells they share, and found again from a Jaccard index of {min_jaccard} on."
        ),
    })
}

fn sentence(ranked: &Ranked, stability: &Stability) -> String {
    let Some(&cluster) = potency::best_first(&ranked.association.rows).first() else { return String::new() };
    let found = &stability.clusters[cluster];
    let steady = ranked.candidates.iter().take(20).filter(|c| c.loo_top20 == Some(stability.n_runs as u32)).count();
    let n_first = ranked.candidates.len().min(20);
    format!(
        "Cluster {cluster} is found again in {} of {}, with r from {} to {}. Of the first {}, {steady} are among the 20 best in \
         every run.",
        found.n_found,
        words::several(found.n_runs, "run"),
        fixed(found.r_min, 2),
        fixed(found.r_max, 2),
        words::several(n_first, "candidate")
    )
}

fn table(analysis: &Analysis, ranked: &Ranked, stability: &Stability) -> Table {
    let rows = &ranked.association.rows;
    let column = |label: &str, help: &str| Column { label: label.into(), unit: String::new(), help: help.into() };
    Table {
        caption: "Each cluster when the road is walked without each lot".into(),
        columns: vec![
            (&metrics::CLUSTER).into(),
            (&metrics::EFFECT).into(),
            column("Found again", "Runs without one lot in which the cluster is found again."),
            column("r in these", "Smallest and largest r of the cluster found again."),
            column("Largest pull", "The lot whose run moves r most."),
            column("r without it", "r of the matched cluster in that run."),
        ],
        rows: potency::best_first(rows)
            .into_iter()
            .map(|k| {
                let found = &stability.clusters[k];
                let pull = stability
                    .pulls
                    .iter()
                    .filter(|p| p.cluster == k && p.r.is_finite() && rows[k].effect.is_finite())
                    .reduce(|a, b| if (b.r - rows[k].effect).abs() > (a.r - rows[k].effect).abs() { b } else { a });
                vec![
                    Cell::Cluster(k),
                    Cell::Number(fixed(rows[k].effect, 2)),
                    Cell::Number(format!("{} of {}", found.n_found, found.n_runs)),
                    Cell::Number(format!("{} to {}", fixed(found.r_min, 2), fixed(found.r_max, 2))),
                    pull.map_or(Cell::Text(String::new()), |p| {
                        let name = left_out(analysis, ranked, &p.lots);
                        if let [lot] = p.lots[..] { Cell::Lot(lot, name) } else { Cell::Text(name) }
                    }),
                    Cell::Number(pull.map_or(String::new(), |p| fixed(p.r, 2))),
                ]
            })
            .collect(),
        links: vec![
            rank_file(&ranked.association.readout, "influence.csv"),
            ("leave_one_out.csv".into(), "leave_one_out.csv".into()),
        ],
    }
}
