//! A reference as tables, exact to the last bit, so that what is read back is what was frozen.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{integer, text};
use crate::data::{Column, Table};
use crate::pipeline::reference::{CellLimits, Reference};
use crate::steps::process::calibration::ClusterLimits;
use crate::steps::process::{HeldOut, LotLimits, PotencyModel};

/// What `calibration.toml` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// Version of the program that froze the reference.
    pub version: String,
    /// Limits of cells.
    pub cell_limits: CellLimits,
    /// Limits of lots.
    pub lot_limits: LotLimits,
    /// Limits of the cells of each cluster.
    pub clusters: Vec<ClusterLimits>,
    /// Lots as mapped without themselves.
    pub held_out: Vec<HeldOut>,
    /// Potency models.
    #[serde(default)]
    pub potency: Vec<PotencyModel>,
}

impl Calibrated {
    /// Of a reference.
    pub fn of(reference: &Reference) -> Self {
        Self {
            version: reference.version.clone(),
            cell_limits: reference.cell_limits,
            lot_limits: reference.lot_limits,
            clusters: reference.calibration.limits.clone(),
            held_out: reference.held_out.clone(),
            potency: reference.potency.clone(),
        }
    }
}

/// Every table of a reference that is needed to map, by file name.
pub fn reference_tables(reference: &Reference) -> Vec<(&'static str, Table)> {
    let frame = &reference.frame;
    let mut tables = vec![
        ("genes.parquet", genes(reference)),
        ("components.parquet", components(reference)),
        ("axes.csv", Table::new().with("variance", Column::Float(frame.components.variance.clone()))),
        ("clusters.parquet", clusters(reference)),
        ("profiles.parquet", profiles(reference)),
        ("index.parquet", index(reference)),
        ("sample.parquet", sample(reference)),
        ("scores.csv", scores(&reference.calibration.scores)),
        ("run_composition.csv", counted(reference)),
        ("calibration.csv", calibration(&reference.held_out)),
        ("potency.csv", potency(&reference.potency)),
    ];
    if let Some(soft) = &frame.soft {
        let sums =
            ArrayView2::from_shape((soft.n_clusters(), soft.n_dims()), soft.sums()).expect("clusters × components");
        let table = Table::new().with("mass", Column::Float(soft.mass().to_vec()));
        tables.push(("soft_clusters.parquet", reals(table, "sum", sums)));
    }
    tables
}

/// One column per component.
fn reals(mut table: Table, name: &str, values: ArrayView2<'_, f64>) -> Table {
    for (i, column) in values.columns().into_iter().enumerate() {
        table = table.with(format!("{name}_{}", i + 1), Column::Float(column.to_vec()));
    }
    table
}

/// One column `pc_…` per component.
pub(super) fn coordinates(mut table: Table, points: ArrayView2<'_, f32>) -> Table {
    for (i, column) in points.columns().into_iter().enumerate() {
        table = table.with(format!("pc_{}", i + 1), Column::Float32(column.to_vec()));
    }
    table
}

fn genes(reference: &Reference) -> Table {
    let mut variable = vec![false; reference.genes.len()];
    reference.frame.genes.iter().for_each(|&gene| variable[gene as usize] = true);
    Table::new()
        .with("gene_id", text(reference.genes.ids()))
        .with("gene", text(reference.genes.symbols()))
        .with("variable", Column::Bool(variable))
}

fn components(reference: &Reference) -> Table {
    let (frame, ids) = (&reference.frame, reference.genes.ids());
    let table = Table::new()
        .with("gene_id", text(frame.genes.iter().map(|&gene| &ids[gene as usize])))
        .with("mean", Column::Float(frame.components.mean.clone()))
        .with("standard_deviation", Column::Float(frame.components.standard_deviation.clone()))
        .with("center", Column::Float(frame.components.center.clone()));
    reals(table, "loading", frame.components.loadings.view())
}

fn clusters(reference: &Reference) -> Table {
    let table = Table::new().with("cluster", integer(0..reference.n_clusters()));
    let table = reals(table, "center", reference.frame.center.view());
    reals(table, "spread", reference.frame.spread.view())
}

/// Genes × clusters.
fn profiles(reference: &Reference) -> Table {
    let mut table = Table::new().with("gene_id", text(reference.genes.ids()));
    for (k, counts) in reference.frame.profiles.rows().into_iter().enumerate() {
        table = table.with(k.to_string(), integer(counts.iter().copied()));
    }
    table
}

fn index(reference: &Reference) -> Table {
    let index = &reference.frame.index;
    let table = Table::new()
        .with("lot", Column::Category { codes: index.lot.clone(), levels: reference.lots() })
        .with("cluster", integer(index.cluster.iter().copied()))
        .with("umap_1", Column::Float32(index.umap.column(0).to_vec()))
        .with("umap_2", Column::Float32(index.umap.column(1).to_vec()));
    coordinates(table, index.points.view())
}

fn sample(reference: &Reference) -> Table {
    let lot = Column::Category { codes: reference.sample.lot.clone(), levels: reference.lots() };
    coordinates(Table::new().with("lot", lot), reference.sample.points.view())
}

fn scores(scores: &Array2<f64>) -> Table {
    Table::new()
        .with("cluster", integer(scores.indexed_iter().map(|(at, _)| at.0)))
        .with("votes", integer(scores.indexed_iter().map(|(at, _)| at.1)))
        .with("score", Column::Float(scores.iter().copied().collect()))
}

fn counted(reference: &Reference) -> Table {
    let (n_cells, lots) = (&reference.n_cells, reference.lots());
    Table::new()
        .with("lot", text(n_cells.indexed_iter().map(|(at, _)| &lots[at.0])))
        .with("cluster", integer(n_cells.indexed_iter().map(|(at, _)| at.1)))
        .with("n_cells", integer(n_cells.iter().copied()))
}

fn calibration(rows: &[HeldOut]) -> Table {
    let float = |value: &dyn Fn(&HeldOut) -> f64| Column::Float(rows.iter().map(value).collect());
    let mut table = Table::new()
        .with("lot", text(rows.iter().map(|r| &r.placed.lot)))
        .with("n_cells", integer(rows.iter().map(|r| r.placed.n_cells)))
        .with("label_agreement", float(&|r| r.label_agreement))
        .with("composition_error", float(&|r| r.composition_error))
        .with("share_unassigned", float(&|r| r.placed.share_unassigned))
        .with("in_reference", Column::Bool(rows.iter().map(|r| r.placed.in_reference).collect()));
    let readouts: Vec<&str> =
        rows.first().map_or(Vec::new(), |r| r.placed.predictions.iter().map(|p| p.readout.as_str()).collect());
    for readout in readouts {
        let predicted =
            |r: &HeldOut| r.placed.predictions.iter().find(|p| p.readout == readout).map_or(f64::NAN, |p| p.value);
        table = table.with(format!("predicted_{readout}"), float(&predicted));
    }
    table
}

fn potency(models: &[PotencyModel]) -> Table {
    let points: Vec<_> =
        models.iter().flat_map(|m| m.summary.points.iter().map(move |point| (&m.summary.readout, point))).collect();
    Table::new()
        .with("readout", text(points.iter().map(|p| p.0)))
        .with("lot", text(points.iter().map(|p| &p.1.lot)))
        .with("share", Column::Float(points.iter().map(|p| p.1.share).collect()))
        .with("value", Column::Float(points.iter().map(|p| p.1.value).collect()))
        .with("predicted", Column::Float(points.iter().map(|p| p.1.predicted).collect()))
        .with("pi_low", Column::Float(points.iter().map(|p| p.1.low).collect()))
        .with("pi_high", Column::Float(points.iter().map(|p| p.1.high).collect()))
        .with("cluster", integer(points.iter().map(|p| p.1.cluster)))
}
