//! Tables of readouts: aggregated values per lot, and two groups compared.

use super::{float, lot_names, optional, text};
use crate::data::{Column, Table};
use crate::pipeline::{Analysis, Ranked};

/// One row per aggregated readout and lot (`readouts.csv`); none if there are none.
pub fn readout_tables(analysis: &Analysis) -> Vec<(&'static str, Table)> {
    if analysis.readouts.is_empty() {
        return Vec::new();
    }
    let lots = lot_names(analysis);
    let rows: Vec<_> = analysis.readouts.iter().flat_map(|r| (0..lots.len()).map(move |lot| (r, lot))).collect();
    // How many cases a hidden lot has is not told either.
    let shown = |n: u64, hidden: bool| (!hidden).then_some(n);
    let table = Table::new()
        .with("readout", text(rows.iter().map(|(r, _)| &r.name)))
        .with("lot", text(rows.iter().map(|(_, lot)| &lots[*lot])))
        .with("source", text(rows.iter().map(|(r, _)| r.source)))
        .with("value", float(rows.iter().map(|(r, lot)| r.values[*lot])))
        .with("sem", float(rows.iter().map(|(r, lot)| r.sem[*lot])))
        .with("n", optional(rows.iter().map(|(r, lot)| shown(r.n[*lot], r.hidden[*lot]))))
        .with("ci_low", float(rows.iter().map(|(r, lot)| r.ci_low[*lot])))
        .with("ci_high", float(rows.iter().map(|(r, lot)| r.ci_high[*lot])))
        .with("unit", text(rows.iter().map(|(r, _)| &r.unit)))
        .with("n_below_loq", optional(rows.iter().map(|(r, lot)| shown(r.n_below_loq[*lot], r.hidden[*lot]))))
        .with("hidden", Column::Bool(rows.iter().map(|(r, lot)| r.hidden[*lot]).collect()));
    vec![("readouts.csv", table)]
}

/// One row per cluster (`groups.csv`), where the readout has two values.
pub(super) fn group_tables(ranked: &Ranked) -> Vec<(&'static str, Table)> {
    let Some(found) = &ranked.groups else { return Vec::new() };
    let rows = &found.rows;
    let same = |value: String| text(rows.iter().map(|_| value.clone()));
    let count = |n: usize| super::integer(rows.iter().map(|_| n));
    let table = Table::new()
        .with("cluster", text(rows.iter().map(|r| &r.column)))
        .with("group_low", same(found.groups[0].clone()))
        .with("group_high", same(found.groups[1].clone()))
        .with("n_low", count(found.n[0]))
        .with("n_high", count(found.n[1]))
        .with("mean_low", float(rows.iter().map(|r| r.mean_low)))
        .with("mean_high", float(rows.iter().map(|r| r.mean_high)))
        .with("difference", float(rows.iter().map(|r| r.difference)))
        .with("test", same(if found.paired { "signed_rank" } else { "mann_whitney" }.into()))
        .with("statistic", float(rows.iter().map(|r| r.test.statistic)))
        .with("rank_biserial", float(rows.iter().map(|r| r.test.rank_biserial)))
        .with("p_rank", float(rows.iter().map(|r| r.p_rank)))
        .with("p_rank_family", float(rows.iter().map(|r| r.p_rank_family)))
        .with("p_normal", float(rows.iter().map(|r| r.test.p_normal)));
    vec![("groups.csv", table)]
}
