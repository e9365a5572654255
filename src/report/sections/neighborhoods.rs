//! The check without clusters.

use maud::html;

use super::{anchor, plot_files, rank_file};
use crate::pipeline::{Analysis, Ranked};
use crate::report::metrics;
use crate::report::plots;
use crate::report::section::{Cell, Column, Figure, Section, Table};
use crate::report::words::{self, count, fixed, p_equals, percent};

pub(super) fn section(analysis: &Analysis, ranked: &Ranked) -> Option<Section> {
    let found = ranked.neighborhoods.as_ref()?;
    let readout = &ranked.association.readout;
    let params = &analysis.params.neighborhoods;
    let labels = &analysis.cells.cluster;
    let all = found.within(labels, None, params);
    let rate = percent(params.max_fdr, 0);
    let rows = (0..analysis.clusters.len()).map(|k| {
        let own = found.within(labels, Some(k as u32), params);
        let share = |n: usize| Cell::Number(fixed(100.0 * n as f64 / own.n_cells as f64, 0));
        vec![
            Cell::Cluster(k),
            Cell::Number(count(own.n_cells as u64)),
            Cell::Number(fixed(own.mean, 2)),
            share(own.n_up),
            share(own.n_down),
        ]
    });
    let mut links = vec![rank_file(readout, "cells.parquet")];
    links.extend(plot_files(&plots::neighborhoods::name(readout)));
    let figures = plots::neighborhoods::figure(analysis, ranked).map(|scene| Figure {
        scenes: vec![scene],
        flows: false,
        caption: format!("Cells coloured by the correlation of {readout} with the abundance of lots around them."),
        reading:
            "Where it is orange, lots with a higher readout have more cells; where blue, fewer. Clusters play no part."
                .into(),
        links,
    });
    let n_steps = analysis.neighborhoods.as_ref().map_or(0, |n| n.kurtosis.len());
    let orders = if found.exact { "all" } else { "random" };
    Some(Section {
        id: anchor("neighborhoods", readout),
        title: format!("Without clusters: {readout} around each cell"),
        question: format!("Does {readout} go with where the cells of a lot lie, wherever clusters were cut?"),
        finding: html! {
            p {
                strong { "Over all neighbourhoods, " (p_equals(found.p)) }
                " (" (words::several(found.n_lots, "lot")) ", "
                @if found.n_components > 0 {
                    (words::several(found.n_components, "component")) " of how neighbourhoods vary together, chosen among "
                    (found.tried.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")) "; "
                    (percent(found.r_squared, 0)) " of the readout's variance)."
                } @else {
                    "neighbourhoods or readout do not vary)."
                }
                @if found.threshold.is_finite() {
                    " Around " (count(all.n_up as u64)) " cells the abundance rises with the readout, around "
                    (count(all.n_down as u64)) " it falls, at a false discovery rate of " (rate) " (|r| ≥ "
                    (fixed(found.threshold, 2)) ")."
                } @else {
                    " Around no cell does the abundance go with the readout at a false discovery rate of " (rate) "."
                }
            }
            p { "The lots are shuffled, never the cells: a p or a rate here says nothing about ten thousand cells as if they \
                 were ten thousand observations." }
        },
        figures: figures.into_iter().collect(),
        tables: vec![Table {
            caption: "Neighbourhoods of the cells of each cluster".into(),
            columns: [
                &metrics::CLUSTER,
                &metrics::N_NEIGHBORHOODS,
                &metrics::MEAN_R,
                &metrics::CALLED_UP,
                &metrics::CALLED_DOWN,
            ]
            .map(Column::from)
            .to_vec(),
            rows: rows.collect(),
            links: vec![rank_file(readout, "neighborhoods.csv"), rank_file(readout, "cells.parquet")],
        }],
        method: format!(
            "Covarying neighbourhood analysis (Reshef 2022): the cells of each lot walk {n_steps} steps on the graph of \
             neighbours. The readout is held against the leading components of what arrives where; p is from {orders} {} \
             orders of the readout over lots.",
            count(found.n_permutations)
        ),
    })
}
