//! Lots placed on a reference, as tables: new ones, and the reference's own.

use ndarray::Array2;

use super::reference::coordinates;
use super::{integer, qc_table, sheet_table, summed_table, text};
use crate::data::{Column, LotSheet, Table};
use crate::pipeline::freeze::Frozen;
use crate::pipeline::map::MappedLot;
use crate::pipeline::reference::Reference;
use crate::steps::process::calibration::{Assigned, UNASSIGNED};
use crate::steps::process::{Limited, Placed, Share};

/// Every table of mapped lots by file name. `sheet` has the lots in their order.
pub fn mapped_tables(reference: &Reference, sheet: &LotSheet, lots: &[MappedLot]) -> Vec<(&'static str, Table)> {
    let placed: Vec<&Placed> = lots.iter().map(|lot| &lot.placed).collect();
    let qc: Vec<_> = lots.iter().filter_map(|lot| lot.qc.clone()).collect();
    let excluded: Vec<(&String, &(String, String))> =
        lots.iter().flat_map(|lot| lot.excluded.iter().map(move |e| (&lot.placed.lot, e))).collect();
    let n_genes = reference.genes.len();
    let sums: Vec<Array2<u64>> = (0..=reference.n_clusters())
        .map(|group| Array2::from_shape_fn((lots.len(), n_genes), |(lot, gene)| lots[lot].pseudobulk[[group, gene]]))
        .collect();
    vec![
        ("lots.csv", sheet_table(sheet)),
        ("qc.csv", qc_table(&qc)),
        (
            "excluded.csv.gz",
            Table::new()
                .with("lot", text(excluded.iter().map(|e| e.0)))
                .with("barcode", text(excluded.iter().map(|e| &e.1.0)))
                .with("reason", text(excluded.iter().map(|e| &e.1.1))),
        ),
        ("cells.parquet", cell_table(reference, lots)),
        ("composition.csv", composition_table(&placed)),
        ("placed.csv", placed_table(&placed, reference)),
        ("pseudobulk.parquet", summed_table(names(&placed), &reference.genes, &sums.iter().collect::<Vec<_>>())),
        ("embedding.parquet", embedding_table(reference, lots)),
    ]
}

/// The same of the reference's own lots, each mapped by a reference without it. `barcodes`: of the cells of each lot.
pub fn frozen_tables(frozen: &Frozen, barcodes: &[Vec<String>]) -> Vec<(&'static str, Table)> {
    let reference = &frozen.reference;
    let placed = reference.placed();
    let of_cells = |index: usize| (&frozen.cells[index].assigned, barcodes[index].as_slice());
    let cells: Vec<(&Assigned, &[String])> = (0..frozen.cells.len()).map(of_cells).collect();
    let points: Vec<_> = frozen.cells.iter().map(|lot| lot.embedding.view()).collect();
    let points = ndarray::concatenate(ndarray::Axis(0), &points).expect("all lots have the same components");
    vec![
        ("lots.csv", sheet_table(&reference.sheet)),
        ("composition.csv", composition_table(&placed)),
        ("placed.csv", placed_table(&placed, reference)),
        (
            "pseudobulk.parquet",
            summed_table(names(&placed), &reference.genes, &frozen.pseudobulk.iter().collect::<Vec<_>>()),
        ),
        ("embedding.parquet", coordinates(labelled(names(&placed), &cells, reference.n_clusters()), points.view())),
    ]
}

fn names(placed: &[&Placed]) -> Vec<String> {
    placed.iter().map(|lot| lot.lot.clone()).collect()
}

/// lot, barcode, cluster (or `unassigned`).
fn labelled(names: Vec<String>, lots: &[(&Assigned, &[String])], n_clusters: usize) -> Table {
    let lot = lots.iter().enumerate().flat_map(|(i, lot)| std::iter::repeat_n(i as u32, lot.1.len())).collect();
    let code = |&k: &u32| if k == UNASSIGNED { n_clusters as u32 } else { k };
    let mut levels: Vec<String> = (0..n_clusters).map(|k| k.to_string()).collect();
    levels.push("unassigned".into());
    Table::new()
        .with("lot", Column::Category { codes: lot, levels: names })
        .with("barcode", text(lots.iter().flat_map(|lot| lot.1)))
        .with("cluster", Column::Category { codes: lots.iter().flat_map(|l| &l.0.cluster).map(code).collect(), levels })
}

fn of_mapped<'a>(reference: &Reference, lots: &'a [MappedLot]) -> Table {
    let cells: Vec<(&'a Assigned, &'a [String])> =
        lots.iter().map(|lot| (&lot.assigned, lot.barcodes.as_slice())).collect();
    labelled(lots.iter().map(|lot| lot.placed.lot.clone()).collect(), &cells, reference.n_clusters())
}

fn cell_table(reference: &Reference, lots: &[MappedLot]) -> Table {
    let measured = |of: &dyn Fn(&MappedLot, usize) -> f32| {
        let cells = |lot: &MappedLot| -> Vec<f32> {
            // Cells of a lot with other genes were never measured.
            (0..lot.barcodes.len()).map(|i| if lot.measured.is_some() { of(lot, i) } else { f32::NAN }).collect()
        };
        Column::Float32(lots.iter().flat_map(cells).collect())
    };
    let value = |of: fn(&crate::steps::process::Measured) -> &Vec<f32>| {
        measured(&move |lot, i| lot.measured.as_ref().map_or(f32::NAN, |m| of(m)[i]))
    };
    let umap = |axis: usize| measured(&move |lot, i| lot.measured.as_ref().map_or(f32::NAN, |m| m.umap[[i, axis]]));
    let nearest = |lot: &MappedLot| -> Vec<String> {
        let of = |i: usize| lot.measured.as_ref().map_or(String::new(), |m| m.nearest[i].to_string());
        (0..lot.barcodes.len()).map(of).collect()
    };
    let beyond = lots.iter().flat_map(|lot| lot.assigned.beyond.iter().map(move |&bits| (lot, bits)));
    let words = beyond.map(|(lot, bits)| if lot.measured.is_some() { beyond_in_words(bits) } else { "genes".into() });
    of_mapped(reference, lots)
        .with("score", Column::Float32(lots.iter().flat_map(|lot| lot.assigned.score.iter().copied()).collect()))
        .with("umap_1", umap(0))
        .with("umap_2", umap(1))
        .with("nearest", text(lots.iter().flat_map(nearest)))
        .with("beyond", text(words))
        .with("distance", value(|m| &m.distance))
        .with("displacement", value(|m| &m.displacement))
        .with("misfit", value(|m| &m.misfit))
        .with("n_counts", value(|m| &m.n_counts))
        .with("pct_mito", measured(&|lot, i| lot.metrics.pct_mito[i]))
}

/// The measures of a cell that are beyond a limit, joined by `+`.
fn beyond_in_words(bits: u8) -> String {
    let names = [(1, "distance"), (2, "displacement"), (4, "misfit")];
    names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect::<Vec<_>>().join("+")
}

fn embedding_table(reference: &Reference, lots: &[MappedLot]) -> Table {
    let d = reference.frame.index.points.ncols();
    let n: usize = lots.iter().map(|lot| lot.barcodes.len()).sum();
    let mut points = Array2::<f32>::from_elem((n, d), f32::NAN);
    let mut start = 0;
    for lot in lots {
        let end = start + lot.barcodes.len();
        if let Some(measured) = &lot.measured {
            points.slice_mut(ndarray::s![start..end, ..]).assign(&measured.embedding);
        }
        start = end;
    }
    coordinates(of_mapped(reference, lots), points.view())
}

/// One row per cluster and one for the cells unassigned, lot by lot.
fn composition_table(lots: &[&Placed]) -> Table {
    let rows: Vec<(&Placed, String, Share)> = lots
        .iter()
        .flat_map(|lot| {
            let clusters = lot.composition.iter().enumerate().map(|(k, share)| (*lot, k.to_string(), *share));
            clusters.chain([(*lot, "unassigned".to_string(), lot.unassigned)])
        })
        .collect();
    let float = |of: fn(&Share) -> f64| Column::Float(rows.iter().map(|row| of(&row.2)).collect());
    Table::new()
        .with("lot", text(rows.iter().map(|row| &row.0.lot)))
        .with("cluster", text(rows.iter().map(|row| &row.1)))
        .with("n_cells", integer(rows.iter().map(|row| row.2.n_cells)))
        .with("n_total", integer(rows.iter().map(|row| row.0.n_cells)))
        .with("share", float(|s| s.share))
        .with("ci_low", float(|s| s.ci_low))
        .with("ci_high", float(|s| s.ci_high))
}

fn placed_table(lots: &[&Placed], reference: &Reference) -> Table {
    let float = |of: &dyn Fn(&Placed) -> f64| Column::Float(lots.iter().map(|lot| of(lot)).collect());
    let mut table = Table::new()
        .with("lot", text(lots.iter().map(|lot| &lot.lot)))
        .with("n_cells", integer(lots.iter().map(|lot| lot.n_cells)))
        .with("share_unassigned", float(&|lot| lot.share_unassigned));
    type Of = fn(&Placed) -> Limited;
    let limited: [(&str, Of); 3] = [
        ("jensen_shannon", |lot| lot.jensen_shannon),
        ("aitchison", |lot| lot.aitchison),
        ("energy", |lot| lot.energy),
    ];
    for (name, of) in limited {
        table =
            table.with(name, float(&|lot| of(lot).value)).with(format!("{name}_limit"), float(&|lot| of(lot).limit));
    }
    table = table
        .with("in_reference", Column::Bool(lots.iter().map(|lot| lot.in_reference).collect()))
        .with("reasons", text(lots.iter().map(|lot| lot.reasons_in_words())));
    for (i, model) in reference.potency.iter().enumerate() {
        let readout = &model.summary.readout;
        let of = |lot: &Placed, pick: fn(&crate::steps::process::Prediction) -> f64| {
            lot.predictions.iter().find(|p| p.readout == *readout).map_or(f64::NAN, pick)
        };
        // The columns of the first readout bear the plain names.
        let suffix = if i == 0 { String::new() } else { format!("_{readout}") };
        table = table
            .with(format!("predicted_{readout}"), float(&|lot| of(lot, |p| p.value)))
            .with(format!("pi_low{suffix}"), float(&|lot| of(lot, |p| p.low)))
            .with(format!("pi_high{suffix}"), float(&|lot| of(lot, |p| p.high)))
            .with(format!("supported{suffix}"), Column::Bool(vec![model.summary.supported; lots.len()]));
    }
    table
        .with("n_cells_read", integer(lots.iter().map(|lot| lot.n_cells_read)))
        .with("n_variable_genes", integer(lots.iter().map(|lot| lot.n_variable)))
        .with("n_genes_found", integer(lots.iter().map(|lot| lot.n_found)))
        .with("pct_mito", float(&|lot| lot.pct_mito.value))
        .with("pct_mito_limit", float(&|lot| lot.pct_mito.limit))
        .with("counts", float(&|lot| lot.counts.value))
        .with("counts_limit", float(&|lot| lot.counts.limit))
}
