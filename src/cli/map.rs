//! `cqa map REF LOTS -o OUT`

use std::path::PathBuf;

use clap::Args;
use cqa::Warning;
use cqa::error::Error;
use cqa::io::join::read_each_lot;
use cqa::output::{read_reference, reference_files, write_mapped};
use cqa::pipeline;
use cqa::pipeline::map::MappedLot;
use cqa::pipeline::reference::Reference;
use cqa::provenance::hash_files;

use super::clock::Clock;
use super::settings::{self, Input};
use super::{Common, Outcome, Terminal, words};

/// Arguments of `cqa map`.
#[derive(Args)]
pub struct MapArgs {
    /// Reference that `cqa freeze` wrote; every file is held against its hash first
    #[arg(value_name = "REF")]
    reference: PathBuf,
    /// The hash that the reference must have, as `cqa freeze` printed it; another reference is refused
    #[arg(long, value_name = "SHA256")]
    reference_hash: Option<String>,
    #[command(flatten)]
    input: Input,
    /// Folder to write; it appears when it is whole
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: PathBuf,
    /// Replace a folder that this command wrote
    #[arg(long)]
    pub(super) force: bool,
}

/// Places new lots.
pub fn map(args: &MapArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let clock = Clock::start();
    let _claim = settings::refuse_existing(&args.output, args.force)?;
    let reference = read_reference(&args.reference)?;
    if let Some(wanted) = &args.reference_hash
        && !wanted.trim().eq_ignore_ascii_case(&reference.hash)
    {
        return Err(Error::format(
            &args.reference,
            "",
            format!("has the hash {}, not the one given with --reference-hash ({})", reference.hash, wanted.trim()),
        ));
    }
    if common.params.is_some() || common.seed.is_some_and(|seed| seed != reference.params.seed) {
        return Err(Error::input(
            "a reference is locked with its parameters and seed",
            "leave --params and --seed out, or freeze the run again with other [mapping] parameters",
        ));
    }
    let sheet = settings::sheet(&args.input)?;
    terminal.expect(sheet.lots.len(), &["read", "map"]);
    let read = read_each_lot(&sheet, &reference.params.read, terminal)?;
    let mut files = read.files;
    files.push(args.input.lots.clone());
    files.sort();
    files.dedup();
    let mut inputs = hash_files(&files)?;
    inputs.extend(reference_files(&args.reference)?);
    let mut warnings: Vec<Warning> = read.warnings;
    let lots = sheet.lots.iter().map(|lot| lot.lot.clone()).zip(read.lots).collect();
    let mapped = pipeline::map::map(&reference, lots, terminal)?;
    write_mapped(&args.output, args.force, &reference, &sheet, &mapped, inputs, clock.execution(common, terminal))?;
    terminal.done();
    for warning in mapped.iter().flat_map(|lot| &lot.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    terminal.warnings(&warnings);
    print(&reference, &mapped);
    let page = args.output.join("report.html");
    println!("Reference SHA-256 {}. Open {} for the cells beside the reference.", reference.hash, page.display());
    Ok(warnings)
}

fn print(reference: &Reference, lots: &[MappedLot]) {
    let width = lots.iter().map(|lot| lot.placed.lot.chars().count()).max().unwrap_or(0).max(3);
    println!("{:<width$}  {:>9}  {:>10}  {:<12}  predicted", "lot", "cells", "unassigned", "in reference");
    for lot in lots {
        let placed = &lot.placed;
        let unassigned = match placed.share_unassigned.is_nan() {
            true => "n/a".to_string(),
            false => format!("{:.1} %", 100.0 * placed.share_unassigned),
        };
        let predictions: Vec<String> = placed
            .predictions
            .iter()
            .map(|p| {
                let support = if p.supported { "" } else { ", without support" };
                format!("{} {:.4} ({:.4} to {:.4}{support})", p.readout, p.value, p.low, p.high)
            })
            .collect();
        println!(
            "{:<width$}  {:>9}  {unassigned:>10}  {:<12}  {}",
            placed.lot,
            words::thousands(placed.n_cells as u64),
            if placed.in_reference { "yes" } else { "NO" },
            if predictions.is_empty() { "-".into() } else { predictions.join("; ") }
        );
        for reason in &placed.reasons {
            println!("{:<width$}  {reason}", "");
        }
    }
    if let Some(model) = reference.potency.first() {
        let of = &model.summary;
        println!(
            "Prediction intervals: {:.0} % stated, {:.0} % of the reference's lots held when each was left out.",
            100.0 * of.level,
            100.0 * of.coverage
        );
    }
}
