//! Tables about lots beside their composition: deviation, neighbourhoods, confounding.

use super::{float, integer, lot_names, text};
use crate::data::{Column, Table};
use crate::pipeline::{Analysis, Ranked};
use crate::steps::lots::{DeviationRow, Distance, NeighborhoodAssociation, Neighborhoods};

/// Distances in the order of their columns.
pub(in crate::pipeline) const DISTANCES: [&str; 3] = ["jensen_shannon", "aitchison", "energy"];

/// Tables of the run.
pub(super) fn tables(analysis: &Analysis) -> Vec<(&'static str, Table)> {
    let mut tables = vec![("deviation.csv", deviation_table(analysis))];
    if let Some(neighborhoods) = &analysis.neighborhoods {
        tables.push(("neighborhoods.csv", walk_table(neighborhoods)));
        tables.push(("neighborhoods.parquet", abundance_table(analysis, neighborhoods)));
    }
    tables
}

/// Tables of a ranking.
pub(super) fn ranked_tables(analysis: &Analysis, ranked: &Ranked) -> Vec<(&'static str, Table)> {
    let mut tables = vec![("confounding.csv", confounding_table(ranked))];
    if let Some(found) = &ranked.neighborhoods {
        tables.push(("neighborhoods.csv", neighborhood_table(analysis, found)));
        tables.push(("cells.parquet", neighborhood_cells(analysis, found)));
    }
    tables
}

fn deviation_table(analysis: &Analysis) -> Table {
    let rows = &analysis.deviation;
    let mut table = Table::new()
        .with("lot", text(rows.iter().map(|r| &r.lot)))
        .with("outlying", Column::Bool(rows.iter().map(|r| r.outlying).collect()));
    let of: [fn(&DeviationRow) -> &Distance; 3] = [|r| &r.jensen_shannon, |r| &r.aitchison, |r| &r.energy];
    for (name, distance) in DISTANCES.into_iter().zip(of) {
        table = table
            .with(name, float(rows.iter().map(|r| distance(r).value)))
            .with(format!("{name}_rank"), integer(rows.iter().map(|r| distance(r).rank)))
            .with(format!("{name}_z"), float(rows.iter().map(|r| distance(r).z)))
            .with(format!("{name}_limit"), float(rows.iter().map(|r| distance(r).limit)));
    }
    table.with("energy_error", float(rows.iter().map(|r| r.energy_error)))
}

/// One column per lot.
fn abundance_table(analysis: &Analysis, neighborhoods: &Neighborhoods) -> Table {
    let lots = lot_names(analysis).into_iter().enumerate();
    lots.fold(Table::new(), |table, (lot, name)| {
        table.with(name, Column::Float32(neighborhoods.abundance.column(lot).to_vec()))
    })
}

fn walk_table(neighborhoods: &Neighborhoods) -> Table {
    Table::new()
        .with("step", integer(1..=neighborhoods.kurtosis.len()))
        .with("median_kurtosis", float(neighborhoods.kurtosis.iter().copied()))
}

fn confounding_table(ranked: &Ranked) -> Table {
    let rows = &ranked.confounding;
    Table::new()
        .with("covariate", text(rows.iter().map(|r| &r.covariate)))
        .with("cluster", text(rows.iter().map(|r| &r.cluster)))
        .with("n_lots", integer(rows.iter().map(|r| r.n_lots)))
        .with("r_readout", float(rows.iter().map(|r| r.r_readout)))
        .with("p_readout", float(rows.iter().map(|r| r.p_readout)))
        .with("r_share", float(rows.iter().map(|r| r.r_share)))
        .with("p_share", float(rows.iter().map(|r| r.p_share)))
        .with("r", float(rows.iter().map(|r| r.r)))
        .with("r_partial", float(rows.iter().map(|r| r.r_partial)))
        .with("p_partial", float(rows.iter().map(|r| r.p_partial)))
        .with("n_groups", integer(rows.iter().map(|r| r.n_groups)))
}

/// The whole, then each cluster: what is known of the whole alone is missing in the rows of clusters.
fn neighborhood_table(analysis: &Analysis, found: &NeighborhoodAssociation) -> Table {
    let n_clusters = analysis.clusters.len();
    let rows: Vec<_> = std::iter::once(None)
        .chain((0..n_clusters as u32).map(Some))
        .map(|cluster| found.within(&analysis.cells.cluster, cluster, &analysis.params.neighborhoods))
        .collect();
    let names = std::iter::once("all".to_string()).chain((0..n_clusters).map(|k| k.to_string()));
    let whole = |value: f64| float((0..=n_clusters).map(|i| if i == 0 { value } else { f64::NAN }));
    Table::new()
        .with("cluster", text(names))
        .with("n_cells", integer(rows.iter().map(|r| r.n_cells)))
        .with("mean_r", float(rows.iter().map(|r| r.mean)))
        .with("n_up", integer(rows.iter().map(|r| r.n_up)))
        .with("n_down", integer(rows.iter().map(|r| r.n_down)))
        .with("p", whole(found.p))
        .with("n_lots", whole(found.n_lots as f64))
        .with("n_components", whole(found.n_components as f64))
        .with("r_squared", whole(found.r_squared))
        .with("n_permutations", whole(found.n_permutations as f64))
        .with("threshold_r", whole(found.threshold))
}

fn neighborhood_cells(analysis: &Analysis, found: &NeighborhoodAssociation) -> Table {
    Table::new()
        .with("lot", Column::Category { codes: analysis.cells.lot.clone(), levels: lot_names(analysis) })
        .with("barcode", text(&analysis.cells.barcode))
        .with("neighborhood_r", Column::Float32(found.correlation.clone()))
        .with("neighborhood_fdr", Column::Float32(found.fdr.clone()))
}
