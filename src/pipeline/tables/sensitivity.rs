//! Tables of the divisions by other choices and of what a readout makes of them.

use super::{float, integer, lot_names, text};
use crate::data::{Column, Table};
use crate::pipeline::Analysis;
use crate::steps::lots::{Sensitivity, Specification};

/// Files that hold what a ranking needs of the divisions; none if there are none.
pub(super) fn tables(analysis: &Analysis) -> Vec<(&'static str, Table)> {
    if analysis.specifications.is_empty() {
        return Vec::new();
    }
    vec![("specifications.csv", choice_table(analysis)), ("specification_counts.csv", count_table(analysis))]
}

/// The columns that tell the choices of each row's specification.
fn choices(table: Table, rows: &[&Specification]) -> Table {
    table
        .with("method", text(rows.iter().map(|s| s.choices.method)))
        .with("resolution", float(rows.iter().map(|s| s.choices.resolution)))
        .with("integrated", Column::Bool(rows.iter().map(|s| s.choices.integrated).collect()))
        .with("scaled", Column::Bool(rows.iter().map(|s| s.choices.scaled).collect()))
}

/// One row per specification and cluster of the run.
fn choice_table(analysis: &Analysis) -> Table {
    let all = &analysis.specifications;
    let rows: Vec<(usize, usize)> =
        (0..all.len()).flat_map(|i| (0..all[i].matches.len()).map(move |k| (i, k))).collect();
    let of: Vec<&Specification> = rows.iter().map(|r| &all[r.0]).collect();
    choices(Table::new().with("specification", integer(rows.iter().map(|r| r.0))), &of)
        .with("n_clusters", integer(of.iter().map(|s| s.n_cells.ncols())))
        .with("chosen", Column::Bool(of.iter().map(|s| s.chosen).collect()))
        .with("cluster", integer(rows.iter().map(|r| r.1)))
        .with("matched", integer(rows.iter().map(|&(i, k)| all[i].matches[k])))
        .with("jaccard", float(rows.iter().map(|&(i, k)| all[i].jaccard[k])))
}

/// One row per specification, lot and cluster of that division.
fn count_table(analysis: &Analysis) -> Table {
    let lots = lot_names(analysis);
    let counts =
        |(i, s): (usize, &Specification)| s.n_cells.indexed_iter().map(|(place, &n)| (i, place, n)).collect::<Vec<_>>();
    let rows: Vec<(usize, (usize, usize), u64)> = analysis.specifications.iter().enumerate().flat_map(counts).collect();
    Table::new()
        .with("specification", integer(rows.iter().map(|r| r.0)))
        .with("lot", text(rows.iter().map(|r| &lots[r.1.0])))
        .with("cluster", integer(rows.iter().map(|r| r.1.1)))
        .with("n_cells", integer(rows.iter().map(|r| r.2)))
}

/// Tables of a readout; none if there are no specifications.
pub(super) fn ranked_tables(analysis: &Analysis, result: Option<&Sensitivity>) -> Vec<(&'static str, Table)> {
    result.map_or_else(Vec::new, |result| {
        vec![("sensitivity.csv", row_table(analysis, result)), ("sensitivity_summary.csv", summary_table(result))]
    })
}

/// One row per cluster of the run, specification, transform and statistic.
fn row_table(analysis: &Analysis, result: &Sensitivity) -> Table {
    let rows = &result.rows;
    let of: Vec<&Specification> = rows.iter().map(|r| &analysis.specifications[r.specification]).collect();
    let table = Table::new()
        .with("cluster", integer(rows.iter().map(|r| r.cluster)))
        .with("specification", integer(rows.iter().map(|r| r.specification)));
    choices(table, &of)
        .with("transform", text(rows.iter().map(|r| r.transform)))
        .with("statistic", text(rows.iter().map(|r| r.statistic)))
        .with("matched", integer(rows.iter().zip(&of).map(|(r, s)| s.matches[r.cluster])))
        .with("jaccard", float(rows.iter().zip(&of).map(|(r, s)| s.jaccard[r.cluster])))
        .with("found", Column::Bool(rows.iter().map(|r| r.found).collect()))
        .with("n_units", integer(rows.iter().map(|_| result.n_units)))
        .with("r", float(rows.iter().map(|r| r.r)))
        .with("p_alone", float(rows.iter().map(|r| r.p_alone)))
        .with("p_family", float(rows.iter().map(|r| r.p_family)))
        .with("chosen", Column::Bool(rows.iter().map(|r| r.chosen).collect()))
}

/// One row per cluster of the run.
fn summary_table(result: &Sensitivity) -> Table {
    let rows = &result.clusters;
    Table::new()
        .with("cluster", integer(0..rows.len()))
        .with("n_rows", integer(rows.iter().map(|r| r.n_rows)))
        .with("n_found", integer(rows.iter().map(|r| r.n_found)))
        .with("share_same_sign", float(rows.iter().map(|r| r.share_same_sign)))
        .with("share_significant", float(rows.iter().map(|r| r.share_significant)))
        .with("r_min", float(rows.iter().map(|r| r.r_min)))
        .with("r_median", float(rows.iter().map(|r| r.r_median)))
        .with("r_max", float(rows.iter().map(|r| r.r_max)))
        .with("p_family_min", float(rows.iter().map(|r| r.p_family_min)))
}
