//! A run directory read back, so that ranking and report can be made again without the counts.

mod expression;
mod leave_one_out;
mod lots;
mod pooled;
mod readouts;
mod reference;
mod sensitivity;

pub use pooled::load_cells;
pub use reference::{load_reference, load_to_freeze};

use std::path::Path;

use ndarray::{Array2, ArrayView1};

use crate::data::Genes;
use crate::error::Result;
use crate::io::run_dir;
use crate::io::table_file::TableFile as File;
use crate::pipeline::tables::PHASES;
use crate::pipeline::{Analysis, Cells, ClusterSummary, Excluded, Params};
use crate::steps::cells::{CellMetrics, LotQc};
use crate::steps::clusters::ResolutionRow;
use crate::steps::lots::{Composition, Pseudobulk};
use crate::steps::markers::Effects;

/// Reads the analysis of a run directory that [`crate::pipeline::analysis_tables`] describes.
///
/// # Errors
/// A file is missing, or a column is missing or not of its type; the message names file and column.
pub fn load_run(run: &Path) -> Result<Analysis> {
    let params: Params = run_dir::read_params(run)?;
    let sheet = run_dir::read_sheet(run)?;
    let lots: Vec<String> = sheet.lots.iter().map(|lot| lot.lot.clone()).collect();
    let record = run_dir::read_record(run)?;

    let clusters = File::read(run, "clusters.csv")?;
    let effects_file = File::read(run, "effects.parquet")?;
    let n_clusters = clusters.table.n_rows();
    let n_lots_markers = clusters.integers("n_lots_markers")?;
    let (genes, effects) = effects(&effects_file, n_clusters, &n_lots_markers)?;
    let composition = composition(&File::read(run, "composition.csv")?, &lots, clusters.floats("effective_lots")?)?;
    let pseudobulk = pseudobulk(&File::read(run, "pseudobulk.parquet")?, &genes, &composition, &params)?;
    let leave_one_out = leave_one_out::read(
        run,
        &sheet,
        &params.association.unit,
        &composition,
        &genes,
        &params.leave_one_out,
        &record.warnings,
    )?;
    let specifications = sensitivity::read(run, &lots, n_clusters, &params.sensitivity)?;
    let cells = cells(&File::read(run, "cells.parquet")?, &lots)?;
    let marker_expression = expression::read(run, &genes, cells.cluster.len())?;
    Ok(Analysis {
        deviation: lots::deviation(&File::read(run, "deviation.csv")?, &lots)?,
        neighborhoods: lots::neighborhoods(run, &lots, cells.cluster.len(), &params)?,
        cells,
        qc: qc(&File::read(run, "qc.csv")?, &lots)?,
        excluded: excluded(&File::read(run, "excluded.csv.gz")?)?,
        resolution: resolution(&File::read(run, "resolution.csv")?)?,
        clusters: summaries(&clusters, &composition)?,
        readouts: readouts::read(run, &lots)?,
        warnings: record.warnings,
        params,
        sheet,
        genes,
        composition,
        pseudobulk,
        effects,
        wilcoxon: marker_scores(&File::read(run, "markers.csv")?, n_clusters)?,
        marker_expression,
        leave_one_out,
        specifications,
    })
}

fn cells(file: &File, lots: &[String]) -> Result<Cells> {
    let cluster = file.texts("cluster")?.iter().map(|c| c.parse().ok()).collect::<Option<Vec<u32>>>();
    let phase_of = |name: &String| PHASES.iter().find(|p| p.1 == name).map(|p| p.0);
    let phase = file.texts("phase")?.iter().map(phase_of).collect::<Option<Vec<_>>>();
    let (x, y) = (file.floats32("umap_1")?, file.floats32("umap_2")?);
    let umap = (!x.iter().all(|v| v.is_nan())).then(|| {
        let mut umap = Array2::zeros((x.len(), 2));
        umap.column_mut(0).assign(&ArrayView1::from(&x));
        umap.column_mut(1).assign(&ArrayView1::from(&y));
        umap
    });
    Ok(Cells {
        lot: file.codes("lot", lots)?,
        barcode: file.texts("barcode")?,
        metrics: CellMetrics {
            n_counts: file.integers("n_counts")?,
            n_genes: file.integers("n_genes")?,
            pct_mito: file.floats32("pct_mito")?,
            pct_ribo: file.floats32("pct_ribo")?,
            pct_top_50: file.floats32("pct_top_50")?,
        },
        doublet_score: file.floats32("doublet_score")?,
        doublet: file.bools("doublet")?,
        s_score: file.floats32("s_score")?,
        g2m_score: file.floats32("g2m_score")?,
        phase: phase.ok_or_else(|| file.complain("phase", "G1, S or G2M was expected"))?,
        cycling: file.bools("cycling")?,
        cluster: cluster.ok_or_else(|| file.complain("cluster", "cluster names 0, 1, … were expected"))?,
        umap,
    })
}

fn marker_scores(file: &File, n_clusters: usize) -> Result<Vec<Vec<f32>>> {
    let mut scores = vec![Vec::new(); n_clusters];
    for (cluster, score) in file.integers::<usize>("cluster")?.into_iter().zip(file.floats32("wilcoxon_score")?) {
        let of_cluster = scores.get_mut(cluster);
        of_cluster.ok_or_else(|| file.complain("cluster", "a cluster that clusters.csv lacks"))?.push(score);
    }
    Ok(scores)
}

fn qc(file: &File, lots: &[String]) -> Result<Vec<LotQc>> {
    let (read, kept) = (file.integers("n_cells_read")?, file.integers("n_cells_kept")?);
    let doublets = file.integers("n_doublets")?;
    let names = ["median_counts", "median_genes", "median_pct_mito", "limit_counts", "limit_genes", "limit_pct_mito"];
    let [counts, genes, mito, limit_counts, limit_genes, limit_mito] = {
        let mut columns = Vec::new();
        for name in names {
            columns.push(file.floats(name)?);
        }
        <[Vec<f64>; 6]>::try_from(columns).expect("six names give six columns")
    };
    if read.len() != lots.len() {
        return Err(file.complain("lot", "another number of lots than in lots.csv"));
    }
    Ok((0..lots.len())
        .map(|i| LotQc {
            lot: lots[i].clone(),
            n_cells_read: read[i],
            n_cells_kept: kept[i],
            n_doublets: doublets[i],
            median_counts: counts[i],
            median_genes: genes[i],
            median_pct_mito: mito[i],
            limit_counts: limit_counts[i],
            limit_genes: limit_genes[i],
            limit_pct_mito: limit_mito[i],
        })
        .collect())
}

fn excluded(file: &File) -> Result<Vec<Excluded>> {
    let (lots, barcodes, reasons) = (file.texts("lot")?, file.texts("barcode")?, file.texts("reason")?);
    Ok(lots
        .into_iter()
        .zip(barcodes)
        .zip(reasons)
        .map(|((lot, barcode), reason)| Excluded { lot, barcode, reason })
        .collect())
}

fn resolution(file: &File) -> Result<Vec<ResolutionRow>> {
    let (values, n, stable) = (file.floats("resolution")?, file.integers("n_clusters")?, file.integers("n_stable")?);
    let (quality, stability, worth) = (file.floats("quality")?, file.floats("stability")?, file.floats("worth")?);
    let chosen = file.bools("chosen")?;
    Ok((0..values.len())
        .map(|i| ResolutionRow {
            resolution: values[i],
            n_clusters: n[i],
            n_stable: stable[i],
            quality: quality[i],
            stability: stability[i],
            worth: worth[i],
            chosen: chosen[i],
        })
        .collect())
}

fn summaries(file: &File, composition: &Composition) -> Result<Vec<ClusterSummary>> {
    let (n_cells, cycling) = (file.integers("n_cells")?, file.floats("share_cycling")?);
    let proliferative = file.bools("proliferative")?;
    Ok((0..n_cells.len())
        .map(|k| ClusterSummary {
            n_cells: n_cells[k],
            effective_lots: composition.effective_lots[k],
            share_cycling: cycling[k],
            proliferative: proliferative[k],
        })
        .collect())
}

fn composition(file: &File, lots: &[String], effective_lots: Vec<f64>) -> Result<Composition> {
    let n_clusters = effective_lots.len();
    let shape = (lots.len(), n_clusters);
    let wrong = |_| file.complain("lot", "other lots or clusters than in lots.csv and clusters.csv");
    let n_cells = Array2::from_shape_vec(shape, file.integers("n_cells")?).map_err(wrong)?;
    let matrix = |name| Array2::from_shape_vec(shape, file.floats(name)?).map_err(wrong);
    Ok(Composition {
        lots: lots.to_vec(),
        n_total: n_cells.rows().into_iter().map(|row| row.sum()).collect(),
        share: matrix("share")?,
        ci_low: matrix("ci_low")?,
        ci_high: matrix("ci_high")?,
        effective_lots,
        n_cells,
    })
}

fn effects(file: &File, n_clusters: usize, n_lots: &[u32]) -> Result<(Genes, Effects)> {
    let n_genes = file.table.n_rows() / n_clusters.max(1);
    let shape = (n_clusters, n_genes);
    let wrong = |_| file.complain("cluster", "not clusters × genes rows");
    let matrix = |name| Array2::from_shape_vec(shape, file.floats32(name)?).map_err(wrong);
    let (mut ids, mut symbols) = (file.texts("gene_id")?, file.texts("gene")?);
    ids.truncate(n_genes);
    symbols.truncate(n_genes);
    let genes = Genes::new(ids, symbols).map_err(|id| file.complain("gene_id", &format!("gene {id} occurs twice")))?;
    let effects = Effects {
        auc: matrix("auc")?,
        log2_fc: matrix("log2_fc")?,
        share_in: matrix("share_in")?,
        share_out: matrix("share_out")?,
        n_lots: n_lots.to_vec(),
        n_lots_up: Array2::from_shape_vec(shape, file.integers("n_lots_up")?).map_err(wrong)?,
    };
    Ok((genes, effects))
}

fn pseudobulk(file: &File, genes: &Genes, composition: &Composition, params: &Params) -> Result<Pseudobulk> {
    let n_clusters = composition.n_cells.ncols();
    let zeros = || Array2::<u64>::zeros((composition.lots.len(), genes.len()));
    let mut all = zeros();
    let mut clusters: Vec<_> = (0..n_clusters).map(|_| zeros()).collect();
    let groups: Vec<String> = std::iter::once("all".into()).chain((0..n_clusters).map(|k| k.to_string())).collect();
    let (lots, groups) = (file.codes("lot", &composition.lots)?, file.codes("cluster", &groups)?);
    let (ids, counts) = (file.codes("gene_id", genes.ids())?, file.integers::<u64>("count")?);
    for (((lot, group), gene), count) in lots.into_iter().zip(groups).zip(ids).zip(counts) {
        let matrix = if group == 0 { &mut all } else { &mut clusters[group as usize - 1] };
        matrix[(lot as usize, gene as usize)] = count;
    }
    Ok(Pseudobulk { all, clusters, n_cells: composition.n_cells.clone(), min_cells: params.pseudobulk.min_cells })
}
