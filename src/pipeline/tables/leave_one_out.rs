//! Tables of the roads without each lot.

use super::{float, integer, lot_names, optional, text};
use crate::data::{Column, Table};
use crate::pipeline::{Analysis, Ranked};
use crate::steps::markers::{LeaveOneOut, RunWithout, TopGene};

/// Files that hold what a ranking needs of the runs; none if there are no runs.
pub(super) fn tables(analysis: &Analysis) -> Vec<(&'static str, Table)> {
    let Some(result) = &analysis.leave_one_out else { return Vec::new() };
    vec![
        ("leave_one_out.csv", match_table(analysis, result)),
        ("leave_one_out_counts.csv", count_table(analysis, result)),
        ("leave_one_out_genes.parquet", gene_table(analysis, result)),
    ]
}

/// One row per unit left out, which goes by the first of its lots, and cluster of the full run.
fn match_table(analysis: &Analysis, result: &LeaveOneOut) -> Table {
    let lots = lot_names(analysis);
    let n_clusters = result.n_clusters();
    let rows: Vec<(&RunWithout, usize)> =
        result.runs.iter().flat_map(|run| (0..n_clusters).map(move |k| (run, k))).collect();
    Table::new()
        .with("lot_left_out", text(rows.iter().map(|(run, _)| &lots[run.lots[0]])))
        .with("cluster", integer(rows.iter().map(|r| r.1)))
        .with("matched", optional(rows.iter().map(|(run, k)| run.matches[*k])))
        .with("jaccard", float(rows.iter().map(|(run, k)| run.jaccard[*k])))
        .with("n_clusters", integer(rows.iter().map(|(run, _)| run.n_cells.ncols())))
        .with("n_lots_left_out", integer(rows.iter().map(|(run, _)| run.lots.len())))
}

/// One row per lot left out, lot and cluster of that run.
fn count_table(analysis: &Analysis, result: &LeaveOneOut) -> Table {
    let lots = lot_names(analysis);
    let rows: Vec<(usize, (usize, usize), u64)> = result
        .runs
        .iter()
        .flat_map(|run| run.n_cells.indexed_iter().map(|(place, &n)| (run.lots[0], place, n)))
        .collect();
    Table::new()
        .with("lot_left_out", text(rows.iter().map(|r| &lots[r.0])))
        .with("lot", text(rows.iter().map(|r| &lots[r.1.0])))
        .with("cluster", integer(rows.iter().map(|r| r.1.1)))
        .with("n_cells", integer(rows.iter().map(|r| r.2)))
}

/// One row per lot left out, cluster of that run and gene that may be among its best.
fn gene_table(analysis: &Analysis, result: &LeaveOneOut) -> Table {
    let rows: Vec<(usize, usize, &TopGene)> = result
        .runs
        .iter()
        .flat_map(|run| {
            run.genes
                .iter()
                .enumerate()
                .flat_map(move |(k, genes)| genes.iter().map(move |gene| (run.lots[0], k, gene)))
        })
        .collect();
    let genes: Vec<u32> = rows.iter().map(|r| r.2.gene).collect();
    let category = |codes: Vec<u32>, levels: Vec<String>| Column::Category { codes, levels };
    Table::new()
        .with("lot_left_out", category(rows.iter().map(|r| r.0 as u32).collect(), lot_names(analysis)))
        .with("cluster", integer(rows.iter().map(|r| r.1)))
        .with("gene_id", category(genes.clone(), analysis.genes.ids().to_vec()))
        .with("gene", category(genes, analysis.genes.symbols().to_vec()))
        .with("auc", Column::Float32(rows.iter().map(|r| r.2.auc).collect()))
        .with("log2_fc", Column::Float32(rows.iter().map(|r| r.2.log2_fc).collect()))
        .with("share_in", Column::Float32(rows.iter().map(|r| r.2.share_in).collect()))
}

/// Each lot's pull on each cluster: at fixed clusters, and on the road without the lot.
pub(super) fn influence_table(ranked: &Ranked) -> Table {
    let rows = &ranked.influence;
    let pull = |at: usize| {
        let pulls = &ranked.stability.as_ref()?.pulls;
        let lots = &ranked.units.lots[rows[at].row];
        pulls.iter().find(|p| p.cluster.to_string() == rows[at].column && lots.iter().all(|lot| p.lots.contains(lot)))
    };
    let pulls: Vec<_> = (0..rows.len()).map(pull).collect();
    let of_pull = |of: fn(&crate::steps::markers::Pull) -> f64| float(pulls.iter().map(|p| p.map_or(f64::NAN, of)));
    Table::new()
        .with("cluster", text(rows.iter().map(|r| &r.column)))
        .with("lot", text(rows.iter().map(|r| &r.lot)))
        .with("r", float(rows.iter().map(|r| r.r)))
        .with("r_without", float(rows.iter().map(|r| r.r_without)))
        .with("p_without", float(rows.iter().map(|r| r.p_without)))
        .with("p_family_without", float(rows.iter().map(|r| r.p_family_without)))
        .with("dominance", float(rows.iter().map(|r| r.dominance)))
        .with("r_road", of_pull(|p| p.r))
        .with("change_road", float(rows.iter().zip(&pulls).map(|(row, p)| p.map_or(f64::NAN, |p| p.r - row.r))))
        .with("jaccard", of_pull(|p| p.jaccard))
        .with("found_again", text(pulls.iter().map(|p| p.map_or(String::new(), |p| p.found.to_string()))))
}
