//! `cqa freeze RUN -o REF`

use std::path::PathBuf;

use clap::Args;
use cqa::error::{Error, Result};
use cqa::io::run_dir;
use cqa::output::{read_panels, read_verdicts, write_reference};
use cqa::pipeline::freeze::{Frozen, ReadoutToModel, RunToFreeze};
use cqa::pipeline::{self, Params, load_to_freeze};
use cqa::progress::Progress;
use cqa::provenance::{hash_files, read_record, verify_run};
use cqa::steps::markers::Panel;

use super::clock::Clock;
use super::{Common, Outcome, Terminal, settings, words};

/// Files of the run that a reference is made from.
const FILES: [&str; 5] = ["params.toml", "lots.csv", "cells.parquet", "composition.csv", "pooled.h5ad"];

/// Arguments of `cqa freeze`.
#[derive(Args)]
pub struct FreezeArgs {
    /// Run directory that `cqa cluster` or `cqa run` wrote
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Reference to write: a folder, whose hash is printed; it appears when it is whole
    #[arg(short, long, value_name = "REF")]
    pub(super) output: PathBuf,
    /// Readouts that the reference predicts (default: those that the run has ranked); may be given several times
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    potency: Vec<String>,
    /// panels.csv that `cqa panel` wrote: its first panel is locked into the reference, and counted in new lots
    #[arg(long, value_name = "PANELS")]
    panel: Option<PathBuf>,
    /// Panels of that file to lock instead, by rank; several may be given
    #[arg(long, value_name = "RANK", num_args = 1.., requires = "panel")]
    panel_rank: Vec<usize>,
    /// Replace an existing reference
    #[arg(long)]
    pub(super) force: bool,
}

/// Locks a run.
pub fn freeze(args: &FreezeArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let clock = Clock::start();
    let _claim = settings::refuse_existing(&args.output, args.force)?;
    let mut inputs = verify_run(&args.run, &FILES)?;
    terminal.start("read", 0);
    let analysis = pipeline::load_run(&args.run)?;
    let mut params = analysis.params.clone();
    if let Some(path) = &common.params {
        // Everything else is as the run was made.
        let given: Params = run_dir::read_toml(path)?;
        params.mapping = given.mapping;
    }
    if common.seed.is_some_and(|seed| seed != params.seed) {
        return Err(Error::input(
            format!("{} was made with seed {}", args.run.display(), params.seed),
            "leave --seed out: a reference keeps the seed of its run",
        ));
    }
    let readouts = readouts(args)?;
    let panels = panels(args)?;
    let run = RunToFreeze { panels, ..load_to_freeze(&args.run, &analysis)? };
    terminal.finish("read", &args.run.display().to_string());
    terminal.expect(run.dataset.n_lots(), &["reference", "held_out"]);
    let barcodes: Vec<Vec<String>> = run.dataset.lots().iter().map(|lot| lot.barcodes.clone()).collect();
    let frozen = pipeline::freeze::freeze(run, &readouts, &params, terminal)?;
    inputs.extend(hash_files(args.panel.as_slice())?);
    let hash =
        write_reference(&args.output, args.force, &frozen, &barcodes, inputs, clock.execution(common, terminal))?;
    terminal.done();
    terminal.warnings(&frozen.warnings);
    print(&frozen);
    println!("Reference: {}, SHA-256 {hash}. Next: cqa map {0} LOTS -o OUT", args.output.display());
    Ok(frozen.warnings)
}

/// The panels asked for.
fn panels(args: &FreezeArgs) -> Result<Vec<Panel>> {
    let Some(path) = &args.panel else { return Ok(Vec::new()) };
    let known = read_panels(path)?;
    let mut ranks = if args.panel_rank.is_empty() { vec![1] } else { args.panel_rank.clone() };
    ranks.sort_unstable();
    ranks.dedup();
    let panel = |&rank: &usize| {
        let found = rank.checked_sub(1).and_then(|i| known.get(i));
        found
            .cloned()
            .ok_or_else(|| Error::format(path, format!("rank {rank}"), format!("it lists {} panels", known.len())))
    };
    let panels: Vec<Panel> = ranks.iter().map(panel).collect::<Result<_>>()?;
    // Lots are counted by the name of a panel.
    for (i, panel) in panels.iter().enumerate() {
        if panels[..i].iter().any(|other| other.name() == panel.name()) {
            return Err(Error::format(
                path,
                "gates",
                format!("two panels are called {}; lock one of them", panel.name()),
            ));
        }
    }
    Ok(panels)
}

fn readouts(args: &FreezeArgs) -> Result<Vec<ReadoutToModel>> {
    let by_name = !args.potency.is_empty();
    let names = if by_name { args.potency.clone() } else { read_record(&args.run)?.potency };
    let mut readouts: Vec<ReadoutToModel> = Vec::new();
    for readout in names {
        if !readouts.iter().any(|known| known.readout == readout) {
            let verdicts = read_verdicts(&args.run, &readout)?;
            readouts.push(ReadoutToModel { readout, by_name, verdicts });
        }
    }
    Ok(readouts)
}

/// How the reference places its own lots, each by a reference made without it.
fn print(frozen: &Frozen) {
    let reference = &frozen.reference;
    println!(
        "{} lots, {} cells, {} clusters. Each lot mapped by a reference made without it:",
        reference.held_out.len(),
        words::thousands(reference.n_cells.sum()),
        reference.n_clusters()
    );
    let width = reference.held_out.iter().map(|lot| lot.placed.lot.chars().count()).max().unwrap_or(0).max(3);
    println!(
        "{:<width$}  {:>9}  {:>10}  {:>16}  {:>17}",
        "lot", "cells", "unassigned", "labels confirmed", "composition error"
    );
    for lot in &reference.held_out {
        println!(
            "{:<width$}  {:>9}  {:>8.1} %  {:>14.1} %  {:>15.1} %",
            lot.placed.lot,
            words::thousands(lot.placed.n_cells as u64),
            100.0 * lot.placed.share_unassigned,
            100.0 * lot.label_agreement,
            100.0 * lot.composition_error
        );
    }
    for model in &reference.potency {
        let of = &model.summary;
        println!(
            "{}: by the share of cluster {} (r = {:.2}, {}); {:.0} % intervals of ± {:.3} at their narrowest held {:.0} % of lots left out",
            of.readout,
            of.cluster,
            of.r,
            of.verdict.replace('_', " "),
            100.0 * of.level,
            half_width(model),
            100.0 * of.coverage
        );
        if !of.supported {
            println!(
                "  No cluster is supported: what is predicted of {} may be chance, and is flagged so.",
                of.readout
            );
        }
    }
}

fn half_width(model: &cqa::steps::process::PotencyModel) -> f64 {
    let narrowest = model.predict(model.line.mean);
    (narrowest.high - narrowest.low) / 2.0
}
