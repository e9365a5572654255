//! References and mapped lots → folders.

use std::path::Path;

use serde_json::json;

use super::folder_name;
use crate::data::LotSheet;
use crate::error::Result;
use crate::io::run_dir::{PendingDir, create_folder, write_bytes, write_text};
use crate::io::tables::write_table;
use crate::pipeline::freeze::Frozen;
use crate::pipeline::map::MappedLot;
use crate::pipeline::reference::Reference;
use crate::pipeline::{
    Calibrated, LockedPanels, PANEL_SHARES, PANELS, frozen_tables, load_reference, mapped_tables, reference_tables,
    shares_table,
};
use crate::provenance::{Execution, FileHash, RunRecord, hash_folder, seal, verify, write_record};
use crate::report::certificate::{self, CertificateFacts};
use crate::report::{mapped, plots};
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
    if !reference.panels.is_empty() {
        let locked = LockedPanels { panels: reference.panels.clone() };
        write_text(&folder.join(PANELS), &toml::to_string(&locked).expect("panels are plain data"))?;
        write_table(&folder.join(PANEL_SHARES), &shares_table(&reference.panel_shares))?;
    }
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
    if !reference.panels.is_empty() {
        let shares: Vec<_> = lots.iter().flat_map(|lot| lot.panel_shares.iter().cloned()).collect();
        write_table(&pending.path().join(PANEL_SHARES), &shares_table(&shares))?;
    }
    let names = file_names(lots);
    write_certificates(&pending.path().join("certificates"), (reference, sheet), lots, &names, &inputs)?;
    create_folder(&pending.path().join("plots"))?;
    for (lot, name) in lots.iter().zip(&names) {
        if let Some(scene) = mapped::picture(reference, lot) {
            let plot = plots::files(name.clone(), &scene);
            write_text(&pending.path().join("plots").join(format!("{name}.svg")), &plot.svg)?;
            write_bytes(&pending.path().join("plots").join(format!("{name}.png")), &plot.png)?;
        }
    }
    let mut warnings: Vec<Warning> = Vec::new();
    for warning in lots.iter().flat_map(|lot| &lot.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    let files: Vec<(String, String)> = inputs.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect();
    let page = mapped::html(reference, lots, &names, &warnings, &files);
    write_text(&pending.path().join("report.html"), &page)?;
    write_record(pending.path(), record(reference, warnings, inputs, execution))?;
    pending.finish()
}

/// A file name per lot; lots whose names differ in odd letters only get files of their own.
fn file_names(lots: &[MappedLot]) -> Vec<String> {
    let names: Vec<String> = lots.iter().map(|lot| folder_name(&lot.placed.lot)).collect();
    let numbered = |(i, name): (usize, &String)| match names[..i].iter().filter(|known| *known == name).count() {
        0 => name.clone(),
        n => format!("{name}~{}", n + 1),
    };
    names.iter().enumerate().map(numbered).collect()
}

/// One page per lot, named after it.
fn write_certificates(
    folder: &Path,
    (reference, sheet): (&Reference, &LotSheet),
    lots: &[MappedLot],
    names: &[String],
    inputs: &[FileHash],
) -> Result<()> {
    create_folder(folder)?;
    let summary = reference.summary();
    for ((lot, source), name) in lots.iter().zip(&sheet.lots).zip(names) {
        let files = inputs.iter().filter(|file| Path::new(&file.path).starts_with(&source.path));
        let of_reference = |panel: &str| {
            let lots = reference.panel_shares.iter().filter(|row| row.panel == panel);
            lots.map(|row| row.share).collect()
        };
        let facts = CertificateFacts {
            version: env!("CARGO_PKG_VERSION").into(),
            files: files.map(|file| (file.path.clone(), file.sha256.clone())).collect(),
            panels: lot.panel_shares.iter().map(|row| (row.clone(), of_reference(&row.panel))).collect(),
        };
        write_text(&folder.join(format!("{name}.html")), &certificate::html(&lot.placed, &summary, &facts))?;
    }
    Ok(())
}

fn record(reference: &Reference, warnings: Vec<Warning>, inputs: Vec<FileHash>, execution: Execution) -> RunRecord {
    RunRecord {
        potency: reference.potency.iter().map(|model| model.summary.readout.clone()).collect(),
        warnings,
        ..RunRecord::new(
            reference.params.seed,
            serde_json::to_value(&reference.params).expect("parameters are plain data"),
            inputs,
            execution,
        )
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
