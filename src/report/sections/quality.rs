//! Quality of the cells, lot by lot.

use std::collections::BTreeMap;

use maud::html;

use super::file;
use crate::pipeline::Analysis;
use crate::report::metrics;
use crate::report::section::{Cell, Column, Section, Table};
use crate::report::words::{self, count, fixed};

pub(super) fn section(analysis: &Analysis) -> Section {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for excluded in &analysis.excluded {
        *reasons.entry(excluded.reason.as_str()).or_default() += 1;
    }
    let rows = analysis.qc.iter().enumerate().map(|(i, lot)| {
        let kept = lot.n_cells_kept as f64 / lot.n_cells_read as f64;
        vec![
            Cell::Lot(i, lot.lot.clone()),
            Cell::Number(count(lot.n_cells_read as u64)),
            Cell::Number(count(lot.n_cells_kept as u64)),
            Cell::Number(fixed(100.0 * kept, 0)),
            Cell::Number(whole(lot.median_counts)),
            Cell::Number(whole(lot.median_genes)),
            Cell::Number(fixed(lot.median_pct_mito, 1)),
            Cell::Number(count(lot.n_doublets as u64)),
            Cell::Number(format!(
                "{} · {} · {}",
                whole(lot.limit_counts),
                whole(lot.limit_genes),
                fixed(lot.limit_pct_mito, 1)
            )),
        ]
    });
    let columns = [
        &metrics::LOT,
        &metrics::N_READ,
        &metrics::N_KEPT,
        &metrics::SHARE_KEPT,
        &metrics::COUNTS,
        &metrics::GENES,
        &metrics::MITO,
        &metrics::DOUBLETS,
        &metrics::LIMITS,
    ];
    Section {
        id: "quality".into(),
        title: "Quality of the cells".into(),
        question: "Are the cells of every lot fit for use?".into(),
        finding: html! {
            p {
                (words::several(analysis.excluded.len(), "cell")) " excluded"
                @if !reasons.is_empty() {
                    ": "
                    @for (i, (reason, n)) in reasons.iter().enumerate() {
                        @if i > 0 { ", " }
                        (reason.replace('_', " ").replace('+', " and ")) " " (count(*n))
                    }
                }
                "."
            }
        },
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Quality of each lot".into(),
            columns: columns.map(Column::from).to_vec(),
            rows: rows.collect(),
            links: vec![file("qc.csv"), file("excluded.csv.gz")],
        }],
        method: "Limits are found per lot from its own cells, and every excluded cell is listed with its reason."
            .into(),
    }
}

/// A number without decimals, thousands apart; a missing one as such.
fn whole(value: f64) -> String {
    if value.is_finite() && value >= 0.0 { count(value.round() as u64) } else { fixed(value, 0) }
}
