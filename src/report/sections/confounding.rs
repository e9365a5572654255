//! What else goes with a readout.

use maud::html;

use super::{anchor, rank_file};
use crate::pipeline::{Analysis, Ranked};
use crate::report::metrics;
use crate::report::plots::potency::best_first;
use crate::report::section::{Cell, Column, Section, Table};
use crate::report::words::{self, fixed, p_value};
use crate::steps::lots::{ConfoundingRow, Verdict};

pub(super) fn section(analysis: &Analysis, ranked: &Ranked) -> Option<Section> {
    let readout = &ranked.association.readout;
    let rows = &ranked.confounding;
    if rows.is_empty() {
        return None;
    }
    let alpha = analysis.params.confounding.alpha;
    let order = best_first(&ranked.association.rows);
    // The clusters of which something is said; else the one that comes first.
    let mut shown: Vec<usize> = order.iter().copied().filter(|&k| matters(ranked, k)).collect();
    if shown.is_empty() {
        shown.extend(order.first());
    }
    let name = |k: usize| ranked.association.rows[k].column.as_str();
    let first = shown.first().map_or("", |&k| name(k));
    let mut with: Vec<&ConfoundingRow> =
        rows.iter().filter(|row| row.cluster == first && row.p_readout <= alpha).collect();
    with.sort_by(|a, b| a.p_readout.total_cmp(&b.p_readout));
    let listed: Vec<String> = with
        .iter()
        .map(|row| {
            let letter = if row.n_groups > 0 { "η" } else { "r" };
            let p = words::p_equals(row.p_readout);
            format!("{} ({letter} = {}, {p})", row.covariate, fixed(row.r_readout, 2))
        })
        .collect();
    let n_covariates = rows.iter().filter(|row| row.cluster == first).count();
    let table_rows =
        shown.iter().flat_map(|&k| rows.iter().filter(move |row| row.cluster == name(k)).map(move |row| (k, row)));
    let table_rows = table_rows.map(|(k, row)| {
        vec![
            Cell::Word(row.covariate.clone()),
            Cell::Cluster(k),
            Cell::Number(row.n_lots.to_string()),
            Cell::Number(fixed(row.r_readout, 2)),
            Cell::Number(p_value(row.p_readout)),
            Cell::Number(fixed(row.r_share, 2)),
            Cell::Number(p_value(row.p_share)),
            Cell::Number(fixed(row.r, 2)),
            Cell::Number(fixed(row.r_partial, 2)),
            Cell::Number(p_value(row.p_partial)),
        ]
    });
    Some(Section {
        id: anchor("confounding", readout),
        title: format!("What else goes with {readout}"),
        question: "Could depth, quality, dividing cells or a condition of manufacture pose as potency?".into(),
        finding: html! {
            p {
                @if listed.is_empty() {
                    "None of " (words::several(n_covariates, "covariate")) " goes with " span.name { (readout) } " (p ≤ " (alpha)
                    "). With few lots this does not show that none does."
                } @else {
                    "Of " (words::several(n_covariates, "covariate")) ", " (words::list(&listed)) " go" @if listed.len() == 1 { "es" }
                    " with " span.name { (readout) } ". Each p is taken alone: about one covariate in "
                    (fixed(1.0 / alpha, 0)) " goes with it by chance."
                }
            }
        },
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Covariates against the readout, and against the share of the clusters that matter here".into(),
            columns: [
                &metrics::COVARIATE,
                &metrics::CLUSTER,
                &metrics::N_LOTS,
                &metrics::R_COVARIATE_READOUT,
                &metrics::P_ALONE,
                &metrics::R_COVARIATE_SHARE,
                &metrics::P_ALONE,
                &metrics::R_SHARE_READOUT,
                &metrics::R_PARTIAL,
                &metrics::P_PARTIAL,
            ]
            .map(Column::from)
            .to_vec(),
            rows: table_rows.collect(),
            links: vec![rank_file(readout, "confounding.csv")],
        }],
        method:
            "Correlations over lots with permutation p, each alone, within blocks and freed from covariates as the association \
                 is. Of a column of more than two words, the correlation ratio η: the root of the share of variance between its \
                 groups. The partial correlation is what is left of share and readout once a straight line on the covariate, or \
                 the means of its groups, are taken out of both."
                .into(),
    })
}

fn matters(ranked: &Ranked, cluster: usize) -> bool {
    ranked.verdicts.get(cluster).is_some_and(|v| matches!(v.verdict, Verdict::Supported | Verdict::Suggestive))
}
