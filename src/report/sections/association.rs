//! Share of each cluster against a readout.

use maud::html;

use super::{anchor, plot_files, rank_file};
use crate::pipeline::{Analysis, Ranked};
use crate::report::metrics;
use crate::report::plots::potency;
use crate::report::section::{Cell, Column, Figure, Section, Table};
use crate::report::words::{self, fixed, p_value};

/// Width of the key beside panels that flow.
const KEY_WIDTH: f64 = 940.0;

pub(super) fn section(analysis: &Analysis, ranked: &Ranked) -> Section {
    let association = &ranked.association;
    let n_lots = association.rows.first().map_or(0, |row| row.n_lots);
    let mut links = vec![rank_file(&association.readout, "associations.csv")];
    links.push(("composition.csv".into(), "composition.csv".into()));
    links.extend(plot_files(&potency::name(&association.readout)));
    let mut figures = vec![Figure {
        scenes: potency::panels(analysis, ranked),
        flows: true,
        caption: format!(
            "Share of each cluster against {}, best first. Each mark is a lot, with the interval of its share.",
            association.readout
        ),
        reading:
            "If lots with a larger share lie higher (or lower) all along the line, the cluster goes with the readout. \
                  Look whether one lot alone makes the slope. The line is solid where the association is supported, \
                  dashed elsewhere; p is family-wise."
                .into(),
        links,
    }];
    if let Some(key) = potency::key(analysis, KEY_WIDTH) {
        figures.push(Figure {
            scenes: vec![key],
            flows: false,
            caption: "Key to the numbers of the lots.".into(),
            reading: String::new(),
            links: Vec::new(),
        });
    }
    let orders = words::count(association.n_permutations);
    let method = if association.exact {
        format!("All {orders} orders of the readout over lots were looked at, so p is exact.")
    } else {
        format!("{orders} random orders of the readout over lots were looked at, the given one included.")
    };
    Section {
        id: anchor("association", &association.readout),
        title: format!("Share against {}", association.readout),
        question: format!("Which clusters go with {}, and how sure is it?", association.readout),
        finding: html! {
            p {
                (words::several(n_lots, "lot")) " have a value. The lot is the unit: ten thousand cells of one lot are one \
                 observation."
            }
        },
        figures,
        tables: vec![table(ranked), reasons(ranked)],
        method: format!(
            "{method} The family-wise p compares each |r| with the largest of all clusters in each order, step by step \
             (Westfall and Young 1993)."
        ),
    }
}

fn reasons(ranked: &Ranked) -> Table {
    let rows = potency::best_first(&ranked.association.rows).into_iter().map(|k| {
        let judged = &ranked.verdicts[k];
        vec![Cell::Cluster(k), Cell::Word(judged.verdict.words().into()), Cell::Text(judged.words())]
    });
    Table {
        caption: "Verdicts, and what kept each cluster from more".into(),
        columns: [&metrics::CLUSTER, &metrics::VERDICT, &metrics::WHY].map(Column::from).to_vec(),
        rows: rows.collect(),
        links: vec![rank_file(&ranked.association.readout, "associations.csv")],
    }
}

fn table(ranked: &Ranked) -> Table {
    let rows = &ranked.association.rows;
    let range = |low: f64, high: f64| format!("{} to {}", fixed(low, 2), fixed(high, 2));
    Table {
        caption: format!("Association of each cluster with {}, best first", ranked.association.readout),
        columns: [
            &metrics::CLUSTER,
            &metrics::R,
            &metrics::R_INTERVAL,
            &metrics::P_FAMILY,
            &metrics::P_EXACT,
            &metrics::Q,
            &metrics::RHO,
            &metrics::LOO,
            &metrics::INFLUENTIAL,
            &metrics::VERDICT,
        ]
        .map(Column::from)
        .to_vec(),
        rows: potency::best_first(rows)
            .into_iter()
            .map(|k| {
                let row = &rows[k];
                vec![
                    Cell::Cluster(k),
                    Cell::Number(fixed(row.r, 2)),
                    Cell::Number(range(row.ci_low, row.ci_high)),
                    Cell::Number(p_value(row.p_family)),
                    Cell::Number(p_value(row.p_exact)),
                    Cell::Number(p_value(row.q)),
                    Cell::Number(fixed(row.rho, 2)),
                    Cell::Number(range(row.loo_min, row.loo_max)),
                    Cell::Text(row.most_influential.clone()),
                    Cell::Word(ranked.verdicts[k].verdict.words().into()),
                ]
            })
            .collect(),
        links: vec![
            rank_file(&ranked.association.readout, "associations.csv"),
            rank_file(&ranked.association.readout, "influence.csv"),
        ],
    }
}
