//! Results as tables: the contract of the run directory, column by column.

mod expression;
mod leave_one_out;
mod lots;
mod panels;
mod placed;
mod readouts;
mod reference;
mod sensitivity;

pub(super) use lots::DISTANCES;
pub use panels::{LockedPanels, PANEL_SHARES, PANELS, shares_table};
pub use placed::{frozen_tables, mapped_tables};
pub use readouts::readout_tables;
pub use reference::{Calibrated, reference_tables};

use crate::data::{Column, Genes, LotSheet, Table};
use crate::pipeline::{Analysis, Ranked, Space};
use crate::steps::cells::{LotQc, Phase};
use crate::steps::lots::Judgement;
use crate::steps::markers::Measurability;

/// Every table of a run by file name, those of [`ranked_tables`] apart.
pub fn analysis_tables(analysis: &Analysis) -> Vec<(&'static str, Table)> {
    let mut tables = vec![
        ("lots.csv", sheet_table(&analysis.sheet)),
        ("qc.csv", qc_table(&analysis.qc)),
        ("excluded.csv.gz", excluded_table(analysis)),
        ("cells.parquet", cell_table(analysis)),
        ("composition.csv", composition_table(analysis)),
        ("clusters.csv", cluster_table(analysis)),
        ("resolution.csv", resolution_table(analysis)),
        ("markers.csv", marker_table(analysis)),
        ("effects.parquet", effect_table(analysis)),
        ("pseudobulk.parquet", pseudobulk_table(analysis)),
    ];
    tables.extend(expression::tables(analysis));
    tables.extend(lots::tables(analysis));
    tables.extend(leave_one_out::tables(analysis));
    tables.extend(readout_tables(analysis));
    tables.extend(sensitivity::tables(analysis));
    tables
}

/// The tables of `rank/<potency>/` by file name.
pub fn ranked_tables(analysis: &Analysis, ranked: &Ranked) -> Vec<(&'static str, Table)> {
    let mut tables = vec![
        ("associations.csv", association_table(ranked)),
        ("candidates.csv", candidate_table(&analysis.genes, ranked)),
        ("influence.csv", leave_one_out::influence_table(ranked)),
    ];
    tables.extend(readouts::group_tables(ranked));
    tables.extend(lots::ranked_tables(analysis, ranked));
    tables.extend(sensitivity::ranked_tables(analysis, ranked.sensitivity.as_ref()));
    tables
}

fn text<S: ToString>(values: impl IntoIterator<Item = S>) -> Column {
    Column::Text(values.into_iter().map(|v| v.to_string()).collect())
}

fn integer<T: TryInto<i64>>(values: impl IntoIterator<Item = T>) -> Column {
    Column::Integer(values.into_iter().map(|v| v.try_into().unwrap_or(i64::MAX)).collect())
}

fn float(values: impl IntoIterator<Item = f64>) -> Column {
    Column::Float(values.into_iter().collect())
}

/// Whole numbers that may be missing: empty fields in a file.
fn optional<T: TryInto<i64> + Copy>(values: impl IntoIterator<Item = Option<T>>) -> Column {
    let values: Vec<Option<i64>> = values.into_iter().map(|v| v.map(|v| v.try_into().unwrap_or(i64::MAX))).collect();
    match values.iter().copied().collect::<Option<Vec<i64>>>() {
        Some(all) => Column::Integer(all),
        None => text(values.into_iter().map(|v| v.map_or(String::new(), |v| v.to_string()))),
    }
}

fn lot_names(analysis: &Analysis) -> Vec<String> {
    analysis.sheet.lots.iter().map(|lot| lot.lot.clone()).collect()
}

/// The sheet as a table.
fn sheet_table(sheet: &LotSheet) -> Table {
    let lots = &sheet.lots;
    let mut table = Table::new()
        .with("lot", text(lots.iter().map(|l| &l.lot)))
        .with("path", text(lots.iter().map(|l| l.path.display())));
    if lots.iter().any(|l| l.subset.is_some()) {
        let part = |second: bool| {
            text(lots.iter().map(|l| l.subset.as_ref().map_or("", |s| if second { &s.1 } else { &s.0 })))
        };
        table = table.with("lot_column", part(false)).with("lot_value", part(true));
    }
    for column in &sheet.columns {
        table = table.with(&column.name, text(&column.values));
    }
    table
}

fn qc_table(rows: &[LotQc]) -> Table {
    Table::new()
        .with("lot", text(rows.iter().map(|r| &r.lot)))
        .with("n_cells_read", integer(rows.iter().map(|r| r.n_cells_read)))
        .with("n_cells_kept", integer(rows.iter().map(|r| r.n_cells_kept)))
        .with("median_counts", float(rows.iter().map(|r| r.median_counts)))
        .with("median_genes", float(rows.iter().map(|r| r.median_genes)))
        .with("median_pct_mito", float(rows.iter().map(|r| r.median_pct_mito)))
        .with("n_doublets", integer(rows.iter().map(|r| r.n_doublets)))
        .with("limit_counts", float(rows.iter().map(|r| r.limit_counts)))
        .with("limit_genes", float(rows.iter().map(|r| r.limit_genes)))
        .with("limit_pct_mito", float(rows.iter().map(|r| r.limit_pct_mito)))
}

fn excluded_table(analysis: &Analysis) -> Table {
    let rows = &analysis.excluded;
    Table::new()
        .with("lot", text(rows.iter().map(|r| &r.lot)))
        .with("barcode", text(rows.iter().map(|r| &r.barcode)))
        .with("reason", text(rows.iter().map(|r| &r.reason)))
}

/// Columns of obs in `pooled.h5ad` and of `cells.parquet` beside lot and barcode.
pub fn cell_columns(analysis: &Analysis) -> Table {
    let cells = &analysis.cells;
    let counts = |values: &[u32]| Column::Integer(values.iter().map(|&v| i64::from(v)).collect());
    let cluster_names = (0..analysis.clusters.len()).map(|k| k.to_string()).collect();
    let phases = cells.phase.iter().map(|p| *p as u32).collect();
    let table = Table::new()
        .with("n_counts", counts(&cells.metrics.n_counts))
        .with("n_genes", counts(&cells.metrics.n_genes))
        .with("pct_mito", Column::Float32(cells.metrics.pct_mito.clone()))
        .with("doublet_score", Column::Float32(cells.doublet_score.clone()))
        .with("phase", Column::Category { codes: phases, levels: PHASES.iter().map(|p| p.1.to_string()).collect() })
        .with("cluster", Column::Category { codes: cells.cluster.clone(), levels: cluster_names });
    let table = match &cells.umap {
        Some(umap) => table
            .with("umap_1", Column::Float32(umap.column(0).to_vec()))
            .with("umap_2", Column::Float32(umap.column(1).to_vec())),
        None => {
            let missing = vec![f32::NAN; cells.cluster.len()];
            table.with("umap_1", Column::Float32(missing.clone())).with("umap_2", Column::Float32(missing))
        }
    };
    table
        .with("pct_ribo", Column::Float32(cells.metrics.pct_ribo.clone()))
        .with("pct_top_50", Column::Float32(cells.metrics.pct_top_50.clone()))
        .with("s_score", Column::Float32(cells.s_score.clone()))
        .with("g2m_score", Column::Float32(cells.g2m_score.clone()))
        .with("doublet", Column::Bool(cells.doublet.clone()))
        .with("cycling", Column::Bool(cells.cycling.clone()))
}

/// Columns of var in `pooled.h5ad`.
pub fn gene_columns(space: &Space) -> Table {
    let mut selected = vec![false; space.dataset.n_genes()];
    for &gene in &space.hvg.genes {
        selected[gene as usize] = true;
    }
    Table::new()
        .with("highly_variable", Column::Bool(selected))
        .with("hvg_mean", Column::Float(space.hvg.mean.clone()))
        .with("hvg_score", Column::Float(space.hvg.score.clone()))
        .with("hvg_n_lots", integer(space.hvg.n_lots.iter().copied()))
}

/// Phases in the order of their codes.
pub(super) const PHASES: [(Phase, &str); 3] = [(Phase::G1, "G1"), (Phase::S, "S"), (Phase::G2M, "G2M")];

fn cell_table(analysis: &Analysis) -> Table {
    let cells = &analysis.cells;
    let mut table = Table::new()
        .with("lot", Column::Category { codes: cells.lot.clone(), levels: lot_names(analysis) })
        .with("barcode", text(&cells.barcode));
    for (name, column) in cell_columns(analysis).columns() {
        table = table.with(name, column.clone());
    }
    table
}

fn composition_table(analysis: &Analysis) -> Table {
    let c = &analysis.composition;
    let (n_lots, n_clusters) = c.n_cells.dim();
    let cells: Vec<(usize, usize)> = (0..n_lots).flat_map(|l| (0..n_clusters).map(move |k| (l, k))).collect();
    Table::new()
        .with("lot", text(cells.iter().map(|&(l, _)| &c.lots[l])))
        .with("cluster", integer(cells.iter().map(|&(_, k)| k)))
        .with("n_cells", integer(cells.iter().map(|&i| c.n_cells[i])))
        .with("n_total", integer(cells.iter().map(|&(l, _)| c.n_total[l])))
        .with("share", float(cells.iter().map(|&i| c.share[i])))
        .with("ci_low", float(cells.iter().map(|&i| c.ci_low[i])))
        .with("ci_high", float(cells.iter().map(|&i| c.ci_high[i])))
}

fn cluster_table(analysis: &Analysis) -> Table {
    let rows = &analysis.clusters;
    Table::new()
        .with("cluster", integer(0..rows.len()))
        .with("n_cells", integer(rows.iter().map(|r| r.n_cells)))
        .with("effective_lots", float(rows.iter().map(|r| r.effective_lots)))
        .with("proliferative", Column::Bool(rows.iter().map(|r| r.proliferative).collect()))
        .with("share_cycling", float(rows.iter().map(|r| r.share_cycling)))
        .with("n_lots_markers", integer(analysis.effects.n_lots.iter().copied()))
}

fn resolution_table(analysis: &Analysis) -> Table {
    let rows = &analysis.resolution;
    Table::new()
        .with("resolution", float(rows.iter().map(|r| r.resolution)))
        .with("n_clusters", integer(rows.iter().map(|r| r.n_clusters)))
        .with("n_stable", integer(rows.iter().map(|r| r.n_stable)))
        .with("quality", float(rows.iter().map(|r| r.quality)))
        .with("stability", float(rows.iter().map(|r| r.stability)))
        .with("chosen", Column::Bool(rows.iter().map(|r| r.chosen).collect()))
        .with("worth", float(rows.iter().map(|r| r.worth)))
}

/// The best markers of each cluster (`markers.csv`).
pub fn marker_table(analysis: &Analysis) -> Table {
    let mut rows: Vec<(usize, usize, usize)> = Vec::new();
    for cluster in 0..analysis.clusters.len() {
        let top = analysis.effects.top(cluster, &analysis.params.effects);
        rows.extend(top.iter().enumerate().map(|(rank, &gene)| (cluster, gene as usize, rank + 1)));
    }
    let keys: Vec<(usize, usize)> = rows.iter().map(|&(k, g, _)| (k, g)).collect();
    let ranks = rows.iter().map(|r| r.2).collect();
    effect_columns(analysis, &keys, Some(ranks)).with("wilcoxon_score", Column::Float32(analysis.wilcoxon.concat()))
}

fn effect_table(analysis: &Analysis) -> Table {
    let (n_clusters, n_genes) = analysis.effects.auc.dim();
    let keys: Vec<(usize, usize)> = (0..n_clusters).flat_map(|k| (0..n_genes).map(move |g| (k, g))).collect();
    effect_columns(analysis, &keys, None)
}

fn effect_columns(analysis: &Analysis, keys: &[(usize, usize)], ranks: Option<Vec<usize>>) -> Table {
    let (genes, e) = (&analysis.genes, &analysis.effects);
    let pick = |values: &ndarray::Array2<f32>| Column::Float32(keys.iter().map(|&i| values[i]).collect());
    let mut table = Table::new()
        .with("cluster", integer(keys.iter().map(|k| k.0)))
        .with("gene_id", text(keys.iter().map(|k| &genes.ids()[k.1])))
        .with("gene", text(keys.iter().map(|k| &genes.symbols()[k.1])));
    if let Some(ranks) = ranks {
        table = table.with("rank", integer(ranks));
    }
    table
        .with("auc", pick(&e.auc))
        .with("log2_fc", pick(&e.log2_fc))
        .with("share_in", pick(&e.share_in))
        .with("share_out", pick(&e.share_out))
        .with("n_lots", integer(keys.iter().map(|k| e.n_lots[k.0])))
        .with("n_lots_up", integer(keys.iter().map(|&k| e.n_lots_up[k])))
}

fn pseudobulk_table(analysis: &Analysis) -> Table {
    let p = &analysis.pseudobulk;
    let sums: Vec<&ndarray::Array2<u64>> = std::iter::once(&p.all).chain(&p.clusters).collect();
    summed_table(lot_names(analysis), &analysis.genes, &sums)
}

/// Long form, zeros left out: lot, cluster (`all` or its name), gene_id, gene, count. `sums`: lots × genes of all cells, then
/// of each cluster.
fn summed_table(lot_names: Vec<String>, genes: &Genes, sums: &[&ndarray::Array2<u64>]) -> Table {
    let name = |(code, sums): (usize, _)| (if code == 0 { "all".to_string() } else { (code - 1).to_string() }, sums);
    let groups: Vec<(String, &ndarray::Array2<u64>)> = sums.iter().copied().enumerate().map(name).collect();
    let (mut lots, mut clusters, mut ids, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (code, (_, matrix)) in groups.iter().enumerate() {
        for ((lot, gene), &count) in matrix.indexed_iter().filter(|(_, count)| **count > 0) {
            lots.push(lot as u32);
            clusters.push(code as u32);
            ids.push(gene as u32);
            counts.push(count as i64);
        }
    }
    let category = |codes: Vec<u32>, levels: Vec<String>| Column::Category { codes, levels };
    Table::new()
        .with("lot", category(lots, lot_names))
        .with("cluster", category(clusters, groups.into_iter().map(|g| g.0).collect()))
        .with("gene_id", category(ids.clone(), genes.ids().to_vec()))
        .with("gene", category(ids, genes.symbols().to_vec()))
        .with("count", Column::Integer(counts))
}

fn association_table(ranked: &Ranked) -> Table {
    let rows = &ranked.association.rows;
    let stable = |cluster: usize| ranked.stability.as_ref().map(|s| &s.clusters[cluster]);
    Table::new()
        .with("cluster", text(rows.iter().map(|r| &r.column)))
        .with("n_lots", integer(rows.iter().map(|r| r.n_lots)))
        .with("r", float(rows.iter().map(|r| r.r)))
        .with("rho", float(rows.iter().map(|r| r.rho)))
        .with("p_exact", float(rows.iter().map(|r| r.p_exact)))
        .with("p_family", float(rows.iter().map(|r| r.p_family)))
        .with("q", float(rows.iter().map(|r| r.q)))
        .with("ci_low", float(rows.iter().map(|r| r.ci_low)))
        .with("ci_high", float(rows.iter().map(|r| r.ci_high)))
        .with("loo_min", float(rows.iter().map(|r| r.loo_min)))
        .with("loo_max", float(rows.iter().map(|r| r.loo_max)))
        .with("verdict", text(ranked.verdicts.iter().map(|j| j.verdict)))
        .with("most_influential", text(rows.iter().map(|r| &r.most_influential)))
        .with("slope", float(rows.iter().map(|r| r.slope)))
        .with("intercept", float(rows.iter().map(|r| r.intercept)))
        .with("why", text(ranked.verdicts.iter().map(Judgement::words)))
        .with("road_min", float((0..rows.len()).map(|k| stable(k).map_or(f64::NAN, |s| s.r_min))))
        .with("road_max", float((0..rows.len()).map(|k| stable(k).map_or(f64::NAN, |s| s.r_max))))
        .with("n_found_again", optional((0..rows.len()).map(|k| stable(k).map(|s| s.n_found))))
        .with("n_roads", optional((0..rows.len()).map(|k| stable(k).map(|s| s.n_runs))))
        .with("n_units", integer(rows.iter().map(|r| r.n_units)))
        .with("n_effective", integer(rows.iter().map(|r| r.n_effective)))
        .with("tested", text(rows.iter().map(|r| if r.ranks { "rho" } else { "r" })))
        .with("p_family_all", float(rows.iter().map(|r| r.p_family_all)))
}

fn candidate_table(genes: &Genes, ranked: &Ranked) -> Table {
    let rows = &ranked.candidates;
    Table::new()
        .with("rank", integer(1..=rows.len()))
        .with("gene_id", text(rows.iter().map(|r| &genes.ids()[r.gene as usize])))
        .with("gene", text(rows.iter().map(|r| &genes.symbols()[r.gene as usize])))
        .with("cluster", integer(rows.iter().map(|r| r.cluster)))
        .with("score", float(rows.iter().map(|r| r.score)))
        .with("r", float(rows.iter().map(|r| r.r)))
        .with("specificity", float(rows.iter().map(|r| r.specificity)))
        .with("log2_fc", float(rows.iter().map(|r| r.log2_fc)))
        .with("n_lots", integer(rows.iter().map(|r| r.n_lots)))
        .with("n_lots_up", integer(rows.iter().map(|r| r.n_lots_up)))
        .with("r_gene", float(rows.iter().map(|r| r.r_gene)))
        .with("loo_top20", optional(rows.iter().map(|r| r.loo_top20)))
        .with("p_family", float(rows.iter().map(|r| r.p_family)))
        .with("measurable", text(ranked.measurability.iter().map(Measurability::name)))
        .with("proliferative", Column::Bool(rows.iter().map(|r| r.proliferative).collect()))
        .with("share_in", float(rows.iter().map(|r| r.share_in)))
        .with("share_out", float(rows.iter().map(|r| r.share_out)))
        .with("msc_marker", text(ranked.measurability.iter().map(|m| m.msc_marker)))
}
