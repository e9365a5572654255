//! Candidate genes.

use maud::html;

use super::{anchor, rank_file};
use crate::pipeline::{Analysis, Ranked};
use crate::report::metrics;
use crate::report::section::{Cell, Column, Section, Table};
use crate::report::words::{self, fixed, p_value};
use crate::steps::markers::Measurability;

/// Rows shown.
const N_SHOWN: usize = 200;

/// Way to measure, and the name as identity marker.
fn measured(found: &Measurability) -> String {
    let way = found.name().replace('+', " and ");
    match found.msc_marker.split_once(" in ") {
        Some((marker, _)) => format!("{way} ({marker} in MSC)"),
        None => way,
    }
}

pub(super) fn section(analysis: &Analysis, ranked: &Ranked) -> Section {
    let readout = &ranked.association.readout;
    let symbols = analysis.genes.symbols();
    let rows = ranked.candidates.iter().take(N_SHOWN).enumerate().map(|(i, c)| {
        vec![
            Cell::Number((i + 1).to_string()),
            Cell::Genes(symbols.get(c.gene as usize).cloned().into_iter().collect()),
            Cell::Cluster(c.cluster),
            Cell::Number(fixed(c.score, 3)),
            Cell::Number(fixed(c.r, 2)),
            Cell::Number(fixed(c.specificity, 2)),
            Cell::Number(fixed(c.log2_fc, 2)),
            Cell::Number(fixed(100.0 * c.share_in, 0)),
            Cell::Number(fixed(100.0 * c.share_out, 0)),
            Cell::Number(format!("{} of {}", c.n_lots_up, c.n_lots)),
            Cell::Number(fixed(c.r_gene, 2)),
            Cell::Number(match (c.loo_top20, &ranked.stability) {
                (Some(n), Some(stability)) => format!("{n} of {}", stability.n_runs),
                _ => String::new(),
            }),
            Cell::Number(p_value(c.p_family)),
            Cell::Text(measured(&ranked.measurability[i])),
            Cell::Flag(if c.proliferative { "proliferative".into() } else { String::new() }),
        ]
    });
    let table = Table {
        caption: format!(
            "The first {} of {} candidate genes for {readout}",
            ranked.candidates.len().min(N_SHOWN),
            words::count(ranked.candidates.len() as u64)
        ),
        columns: [
            &metrics::RANK,
            &metrics::GENE,
            &metrics::CLUSTER,
            &metrics::SCORE,
            &metrics::R_CLUSTER,
            &metrics::SPECIFICITY,
            &metrics::LOG2_FC,
            &metrics::SHARE_IN,
            &metrics::SHARE_OUT,
            &metrics::LOTS_UP,
            &metrics::R_GENE,
            &metrics::LOO_TOP20,
            &metrics::P_FAMILY,
            &metrics::MEASURABLE,
            &metrics::NOTE,
        ]
        .map(Column::from)
        .to_vec(),
        rows: rows.collect(),
        links: vec![rank_file(readout, "candidates.csv")],
    };
    Section {
        id: anchor("candidates", readout),
        title: format!("Candidate genes for {readout}"),
        question: "Which genes mark the clusters that go with the readout?".into(),
        finding: html! {
            p {
                "A gene scores high if its cluster's share goes with the readout and if the gene tells that cluster's cells \
                 from all others. A proliferative cluster deserves caution: proliferation differs between batches and can \
                 pose as potency."
            }
        },
        figures: Vec::new(),
        tables: vec![table],
        method: "Score = |r| × specificity, at the gene's best cluster. The family-wise p carries the orders of the \
                 association through the whole ranking: how often does any gene reach this score by chance?"
            .into(),
    }
}
