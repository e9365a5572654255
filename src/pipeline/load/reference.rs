//! Runs read to be frozen, and references read back.

use std::path::Path;

use ndarray::Array2;

use super::{File, load_cells};
use crate::data::{Column, Genes};
use crate::error::{Error, Result};
use crate::io::{h5ad, run_dir};
use crate::math::principal_components::PrincipalComponents;
use crate::math::soft_clusters::SoftClusters;
use crate::pipeline::freeze::RunToFreeze;
use crate::pipeline::reference::{Reference, Sample};
use crate::pipeline::tables::{Calibrated, LockedPanels, PANEL_SHARES, PANELS};
use crate::pipeline::{Analysis, Params};
use crate::steps::markers::{GatedShare, Panel};
use crate::steps::process::{Calibration, Frame, Index};

/// The counts of a run, and the coordinates that it wrote down.
///
/// # Errors
/// `pooled.h5ad` is missing, or holds other cells or genes than the tables of the run.
pub fn load_to_freeze<'a>(run: &Path, analysis: &'a Analysis) -> Result<RunToFreeze<'a>> {
    let path = run.join("pooled.h5ad");
    if !path.exists() {
        return Err(Error::format(
            &path,
            "",
            "missing; a reference is made from the counts of the run, which lie there",
        ));
    }
    let dataset = load_cells(run, analysis)?;
    let embedding = if analysis.params.harmony.enabled { "X_pca_harmony" } else { "X_pca" };
    let embedding = h5ad::read_embedding(&path, embedding)?;
    Ok(RunToFreeze { analysis, dataset, embedding, panels: Vec::new() })
}

/// Reads a reference whose hashes have been verified.
///
/// # Errors
/// A file is not as [`crate::pipeline::reference_tables`] writes it.
pub fn load_reference(folder: &Path, hash: &str) -> Result<Reference> {
    let params: Params = run_dir::read_params(folder)?;
    let calibrated: Calibrated = run_dir::read_toml(&folder.join("calibration.toml"))?;
    let sheet = run_dir::read_sheet(folder)?;
    let lots: Vec<String> = sheet.lots.iter().map(|lot| lot.lot.clone()).collect();
    let genes = File::read(folder, "genes.parquet")?;
    let (variable, ids) = (genes.bools("variable")?, genes.texts("gene_id")?);
    let genes = Genes::new(ids, genes.texts("gene")?)
        .map_err(|id| genes.complain("gene_id", &format!("gene {id} occurs twice")))?;
    let clusters = File::read(folder, "clusters.parquet")?;
    let n_clusters = clusters.table.n_rows();

    let counted = File::read(folder, "run_composition.csv")?;
    let n_cells = Array2::from_shape_vec((lots.len(), n_clusters), counted.integers("n_cells")?)
        .map_err(|_| counted.complain("n_cells", "not a row for every lot and cluster"))?;
    let votes = params.mapping.n_neighbors + 1;
    let scores = File::read(folder, "scores.csv")?;
    let scores = Array2::from_shape_vec((n_clusters, votes), scores.floats("score")?)
        .map_err(|_| scores.complain("score", "not a row for every cluster and number of votes"))?;
    let sample = File::read(folder, "sample.parquet")?;
    let (panels, panel_shares) = panels(folder)?;
    Ok(Reference {
        frame: frame(folder, &params, &genes, &variable, &clusters, &lots)?,
        calibration: Calibration { limits: calibrated.clusters, scores },
        lot_limits: calibrated.lot_limits,
        cell_limits: calibrated.cell_limits,
        sample: Sample { points: points(&sample)?, lot: sample.codes("lot", &lots)? },
        potency: calibrated.potency,
        held_out: calibrated.held_out,
        panels,
        panel_shares,
        version: calibrated.version,
        hash: hash.into(),
        params,
        sheet,
        genes,
        n_cells,
    })
}

/// Panels that were locked, and the reference's own lots under them; none if there is no file of them.
fn panels(folder: &Path) -> Result<(Vec<Panel>, Vec<GatedShare>)> {
    if !folder.join(PANELS).exists() {
        return Ok((Vec::new(), Vec::new()));
    }
    let locked: LockedPanels = run_dir::read_toml(&folder.join(PANELS))?;
    let file = File::read(folder, PANEL_SHARES)?;
    let (lots, names) = (file.texts("lot")?, file.texts("panel")?);
    let (n_cells, n_gated) = (file.integers("n_cells")?, file.integers("n_gated")?);
    let (share, low, high) = (file.floats("share")?, file.floats("ci_low")?, file.floats("ci_high")?);
    let row = |i: usize| GatedShare {
        lot: lots[i].clone(),
        panel: names[i].clone(),
        n_cells: n_cells[i],
        n_gated: n_gated[i],
        share: share[i],
        ci_low: low[i],
        ci_high: high[i],
    };
    Ok((locked.panels, (0..lots.len()).map(row).collect()))
}

fn frame(
    folder: &Path,
    params: &Params,
    genes: &Genes,
    variable: &[bool],
    clusters: &File,
    lots: &[String],
) -> Result<Frame> {
    let components = File::read(folder, "components.parquet")?;
    let axes = File::read(folder, "axes.csv")?;
    let of_genes = PrincipalComponents {
        loadings: reals(&components, "loading")?,
        variance: axes.floats("variance")?,
        total_variance: f64::NAN,
        mean: components.floats("mean")?,
        standard_deviation: components.floats("standard_deviation")?,
        center: components.floats("center")?,
        max_value: if params.pca.scale { params.pca.max_value } else { f64::INFINITY },
    };
    let soft = match folder.join("soft_clusters.parquet").exists() {
        true => {
            let file = File::read(folder, "soft_clusters.parquet")?;
            let sums = reals(&file, "sum")?.iter().copied().collect();
            Some(SoftClusters::new(file.floats("mass")?, sums, params.harmony.sigma, params.harmony.lambda))
        }
        false => None,
    };
    let index = File::read(folder, "index.parquet")?;
    let mut umap = Array2::zeros((index.table.n_rows(), 2));
    for (axis, name) in ["umap_1", "umap_2"].into_iter().enumerate() {
        umap.column_mut(axis).assign(&ndarray::Array1::from(index.floats32(name)?));
    }
    let counts = File::read(folder, "profiles.parquet")?;
    let n_clusters = clusters.table.n_rows();
    let mut profiles = Array2::zeros((n_clusters, genes.len()));
    for (k, mut row) in profiles.rows_mut().into_iter().enumerate() {
        let column: Vec<u64> = counts.integers(&k.to_string())?;
        if column.len() != genes.len() {
            return Err(counts.complain(&k.to_string(), "another number of genes than in genes.parquet"));
        }
        row.assign(&ndarray::Array1::from(column));
    }
    Ok(Frame {
        genes: (0..genes.len() as u32).filter(|&gene| variable[gene as usize]).collect(),
        components: of_genes,
        soft,
        index: Index {
            points: points(&index)?,
            cluster: index.integers("cluster")?,
            lot: index.codes("lot", lots)?,
            umap,
        },
        profiles,
        center: reals(clusters, "center")?,
        spread: reals(clusters, "spread")?,
    })
}

/// Columns `name_1`, `name_2`, … as a matrix.
fn reals(file: &File, name: &str) -> Result<Array2<f64>> {
    let columns = numbered(file, name).map(|name| file.floats(&name)).collect::<Result<Vec<_>>>()?;
    Ok(Array2::from_shape_fn((file.table.n_rows(), columns.len()), |(row, column)| columns[column][row]))
}

/// Columns `pc_1`, `pc_2`, … as a matrix.
fn points(file: &File) -> Result<Array2<f32>> {
    let columns = numbered(file, "pc").map(|name| file.floats32(&name)).collect::<Result<Vec<_>>>()?;
    Ok(Array2::from_shape_fn((file.table.n_rows(), columns.len()), |(row, column)| columns[column][row]))
}

fn numbered<'a>(file: &'a File, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let there = |name: &String| matches!(file.table.column(name), Some(Column::Float(_) | Column::Float32(_)));
    (1..).map(move |i| format!("{name}_{i}")).take_while(there)
}
