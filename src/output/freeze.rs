//! References and mapped lots → folders.

use std::path::Path;

use serde_json::json;

use crate::data::LotSheet;
use crate::error::Result;
use crate::io::run_dir::{PendingDir, write_text};
use crate::io::tables::write_table;
use crate::pipeline::freeze::Frozen;
use crate::pipeline::map::MappedLot;
use crate::pipeline::reference::Reference;
use crate::pipeline::{Calibrated, frozen_tables, load_reference, mapped_tables, reference_tables};
use crate::provenance::{Execution, FileHash, RunRecord, hash_folder, seal, verify, write_record};
use crate::warning::Warning;

/// Writes a reference; gives back its hash. `barcodes`: of the cells of each lot.
///
/// # Errors
/// - `target` exists and `replace` is not set
/// - the disk is full or refuses
pub fn write_reference(
    target: &Path,
    replace: bool,
    frozen: &Frozen,
    barcodes: &[Vec<String>],
    inputs: Vec<FileHash>,
    execution: Execution,
) -> Result<String> {
    let reference = &frozen.reference;
    let pending = PendingDir::create(target, replace)?;
    let folder = pending.path();
    for (name, table) in reference_tables(reference).into_iter().chain(frozen_tables(frozen, barcodes)) {
        write_table(&folder.join(name), &table)?;
    }
    write_text(&folder.join("params.toml"), &toml::to_string(&reference.params).expect("parameters are plain data"))?;
    let calibrated = toml::to_string(&Calibrated::of(reference)).expect("limits are plain data");
    write_text(&folder.join("calibration.toml"), &calibrated)?;
    let params = serde_json::to_value(&reference.params).expect("parameters are plain data");
    let hash = seal(folder, params, summary(reference))?;
    write_record(folder, record(reference, frozen.warnings.clone(), inputs, execution))?;
    pending.finish()?;
    Ok(hash)
}

/// Verifies and reads a reference.
///
/// # Errors
/// A file was changed, is missing, or is not of the reference.
pub fn read_reference(folder: &Path) -> Result<Reference> {
    let manifest = verify(folder)?;
    load_reference(folder, &manifest.hash)
}

/// Hashes of the files of a reference, for the record of what was mapped with it.
///
/// # Errors
/// A file cannot be read.
pub fn reference_files(folder: &Path) -> Result<Vec<FileHash>> {
    let in_folder = |file: FileHash| FileHash { path: folder.join(&file.path).to_string_lossy().into_owned(), ..file };
    Ok(hash_folder(folder, &crate::provenance::RECORD_FILES)?.into_iter().map(in_folder).collect())
}

/// Writes mapped lots. `sheet` has them in their order.
///
/// # Errors
/// As [`write_reference`].
pub fn write_mapped(
    target: &Path,
    replace: bool,
    reference: &Reference,
    sheet: &LotSheet,
    lots: &[MappedLot],
    inputs: Vec<FileHash>,
    execution: Execution,
) -> Result<()> {
    let pending = PendingDir::create(target, replace)?;
    for (name, table) in mapped_tables(reference, sheet, lots) {
        write_table(&pending.path().join(name), &table)?;
    }
    let mut warnings: Vec<Warning> = Vec::new();
    for warning in lots.iter().flat_map(|lot| &lot.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    write_record(pending.path(), record(reference, warnings, inputs, execution))?;
    pending.finish()
}

fn record(reference: &Reference, warnings: Vec<Warning>, inputs: Vec<FileHash>, execution: Execution) -> RunRecord {
    RunRecord {
        program: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        seed: reference.params.seed,
        params: serde_json::to_value(&reference.params).expect("parameters are plain data"),
        potency: reference.potency.iter().map(|model| model.summary.readout.clone()).collect(),
        warnings,
        ranking_warnings: Vec::new(),
        inputs,
        outputs: Vec::new(),
        execution,
    }
}

/// The reference in a few numbers.
fn summary(reference: &Reference) -> serde_json::Value {
    let held_out = &reference.held_out;
    let mean = |value: &dyn Fn(&crate::steps::process::HeldOut) -> f64| {
        held_out.iter().map(value).sum::<f64>() / held_out.len() as f64
    };
    let models = reference.potency.iter().map(|model| {
        let of = &model.summary;
        json!({
            "readout": of.readout, "cluster": of.cluster, "r": of.r, "verdict": of.verdict,
            "level": of.level, "coverage": of.coverage, "error": model.error,
        })
    });
    json!({
        "lots": reference.lots(),
        "n_cells": reference.n_cells.sum(),
        "n_clusters": reference.n_clusters(),
        "n_variable_genes": reference.frame.genes.len(),
        "n_components": reference.frame.index.points.ncols(),
        "n_index_cells": reference.frame.index.cluster.len(),
        "held_out": {
            "label_agreement": mean(&|lot| lot.label_agreement),
            "composition_error": mean(&|lot| lot.composition_error),
            "share_unassigned": mean(&|lot| lot.placed.share_unassigned),
            "most_unassigned": held_out.iter().map(|lot| lot.placed.share_unassigned).fold(0.0, f64::max),
            "lots_in_reference": held_out.iter().filter(|lot| lot.placed.in_reference).count(),
        },
        "potency": models.collect::<Vec<_>>(),
    })
}
