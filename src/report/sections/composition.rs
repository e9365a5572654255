//! Composition of each lot.

use maud::html;

use super::{file, plot_files};
use crate::pipeline::Analysis;
use crate::report::metrics;
use crate::report::plots;
use crate::report::section::{Cell, Column, Figure, Section, Table};
use crate::report::words::{count, fixed};

pub(super) fn section(analysis: &Analysis) -> Section {
    let composition = &analysis.composition;
    let n_clusters = analysis.clusters.len();
    let mut columns: Vec<Column> = vec![(&metrics::LOT).into(), (&metrics::N_CELLS).into()];
    columns.extend((0..n_clusters).map(|k| Column {
        label: k.to_string(),
        unit: String::new(),
        help: if k == 0 { "Share of the lot's cells in each cluster.".into() } else { String::new() },
    }));
    let rows = composition.lots.iter().enumerate().map(|(lot, name)| {
        let mut row = vec![Cell::Lot(lot, name.clone()), Cell::Number(count(composition.n_total[lot]))];
        row.extend((0..n_clusters).map(|k| Cell::Number(fixed(100.0 * composition.share[[lot, k]], 1))));
        row
    });
    let mut links = vec![file("composition.csv")];
    links.extend(plot_files("composition"));
    Section {
        id: "composition".into(),
        title: "Composition of the lots".into(),
        question: "Which share of each lot's cells lies in each cluster?".into(),
        finding: html! { p { (range_sentence(analysis)) } },
        figures: vec![Figure {
            scenes: vec![plots::composition::figure(analysis)],
            flows: false,
            caption: "Shares of the clusters in each lot; the number of cells stands at the right.".into(),
            reading: "Compare pieces of one colour from bar to bar. A lot of few cells has uncertain shares.".into(),
            links,
        }],
        tables: vec![Table {
            caption: "Share of each cluster (columns) in each lot, in percent".into(),
            columns,
            rows: rows.collect(),
            links: vec![file("composition.csv")],
        }],
        method: format!(
            "Shares are counts of cells over all kept cells of the lot. The file has the {} % interval of each (Jeffreys).",
            fixed(100.0 * analysis.params.composition.level, 0)
        ),
    }
}

/// Which cluster varies most between lots.
fn range_sentence(analysis: &Analysis) -> String {
    let share = &analysis.composition.share;
    let range = |k: usize| {
        let values = share.column(k).to_vec().into_iter().filter(|v| v.is_finite());
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let widest = (0..share.ncols())
        .map(|k| (k, range(k)))
        .filter(|(_, (low, high))| low <= high)
        .max_by(|a, b| (a.1.1 - a.1.0).total_cmp(&(b.1.1 - b.1.0)).then(b.0.cmp(&a.0)));
    match widest {
        Some((k, (low, high))) => format!(
            "The share that differs most between lots is that of cluster {k}: {} to {} %.",
            fixed(100.0 * low, 1),
            fixed(100.0 * high, 1)
        ),
        None => "No lot has cells.".into(),
    }
}
