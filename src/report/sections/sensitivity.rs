//! How much an association owes to the analyst's choices.

use maud::html;

use super::{anchor, plot_files, rank_file};
use crate::pipeline::{Analysis, Ranked};
use crate::report::metrics;
use crate::report::plots::{potency, specification_curve};
use crate::report::section::{Cell, Column, Figure, Section, Table};
use crate::report::words::{self, count, fixed, p_value, percent};
use crate::steps::lots::Sensitivity;

/// `None` without a sensitivity analysis.
pub(super) fn section(analysis: &Analysis, ranked: &Ranked) -> Option<Section> {
    let sensitivity = ranked.sensitivity.as_ref()?;
    let readout = &ranked.association.readout;
    let mut links = vec![rank_file(readout, "sensitivity.csv")];
    links.extend(plot_files(&specification_curve::name(readout)));
    let scenes = specification_curve::figure(analysis, ranked).into_iter().collect();
    let orders = count(sensitivity.n_permutations);
    Some(Section {
        id: anchor("sensitivity", readout),
        title: format!("Other choices: {readout}"),
        question: "Would other choices, as defensible, show the same?".into(),
        finding: html! { p { (sentence(analysis, ranked, sensitivity)) } },
        figures: vec![Figure {
            scenes,
            flows: false,
            caption:
                "Specification curve of the best cluster: its correlation under every set of choices, smallest first."
                    .into(),
            reading:
                "Each point is one set of choices; the marks beneath it say which. A curve that stays on one side of 0 \
                      owes its sign to no choice. Look which line holds the points at either end."
                    .into(),
            links,
        }],
        tables: vec![table(ranked, sensitivity)],
        method: format!(
            "{} of the cells, {} of the share and two correlations. p come from {orders} orders of the readout over lots{}; \
             the family-wise p allows for every cluster under every set of choices (max-T, step-down).",
            words::several(analysis.specifications.len(), "division"),
            words::several(crate::steps::lots::Transform::ALL.len(), "transform"),
            if sensitivity.exact { ", all there are" } else { "" }
        ),
    })
}

fn sentence(analysis: &Analysis, ranked: &Ranked, sensitivity: &Sensitivity) -> String {
    let Some(&cluster) = potency::best_first(&ranked.association.rows).first() else { return String::new() };
    let found = &sensitivity.clusters[cluster];
    if found.n_found == 0 {
        return format!("Cluster {cluster} is found under no other choices.");
    }
    format!(
        "Cluster {cluster} is found under {} of {} sets of choices. In {} of these r has the sign of the run, in {} p alone \
         is at most {}; r lies between {} and {}. The best of them has a p of {} after allowing for every cluster under every set of choices.",
        found.n_found,
        found.n_rows,
        percent(found.share_same_sign, 0),
        percent(found.share_significant, 0),
        analysis.params.verdict.alpha,
        fixed(found.r_min, 2),
        fixed(found.r_max, 2),
        p_value(found.p_family_min)
    )
}

fn table(ranked: &Ranked, sensitivity: &Sensitivity) -> Table {
    let rows = &ranked.association.rows;
    let column =
        |label: &str, unit: &str, help: &str| Column { label: label.into(), unit: unit.into(), help: help.into() };
    Table {
        caption: "Each cluster under other choices".into(),
        columns: vec![
            (&metrics::CLUSTER).into(),
            (&metrics::EFFECT).into(),
            column("Found", "", "Sets of choices under which the cluster is found."),
            column("Same sign", "%", "Share of these in which the correlation has the sign of the run."),
            column("p within level", "%", "Share of these in which p alone is within the level."),
            column("Correlation", "", "Smallest, median and largest of these."),
            column(
                "Smallest p, all choices",
                "",
                "Family-wise over all clusters and choices: the p of the best choice.",
            ),
        ],
        rows: potency::best_first(rows)
            .into_iter()
            .map(|k| {
                let found = &sensitivity.clusters[k];
                let range = [found.r_min, found.r_median, found.r_max].map(|r| fixed(r, 2)).join(" · ");
                vec![
                    Cell::Cluster(k),
                    Cell::Number(fixed(rows[k].effect, 2)),
                    Cell::Number(format!("{} of {}", found.n_found, found.n_rows)),
                    Cell::Number(fixed(100.0 * found.share_same_sign, 0)),
                    Cell::Number(fixed(100.0 * found.share_significant, 0)),
                    Cell::Number(range),
                    Cell::Number(p_value(found.p_family_min)),
                ]
            })
            .collect(),
        links: vec![
            rank_file(&ranked.association.readout, "sensitivity.csv"),
            rank_file(&ranked.association.readout, "sensitivity_summary.csv"),
        ],
    }
}
