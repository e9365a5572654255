//! `cqa rank RUN --potency COL…`

use std::path::PathBuf;

use clap::Args;
use cqa::error::Error;
use cqa::io::run_dir;
use cqa::output::{Output, folder_name, refuse_shared_folder, write_rank};
use cqa::pipeline::{self, Params};
use cqa::progress::Progress;
use cqa::provenance::{EarlierCommand, hash_files, read_record};

use super::clock::Clock;
use super::run::{all_warnings, rank_all};
use super::settings::{DesignFlags, ReadoutFiles};
use super::{Common, Outcome, Terminal, summary};

/// Arguments of `cqa rank`.
#[derive(Args)]
pub struct RankArgs {
    /// Run directory that `cqa cluster` or `cqa run` wrote
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
    /// Column of the lot sheet that holds the potency; may be given several times
    #[arg(long, value_name = "COLUMN", required = true, num_args = 1..)]
    potency: Vec<String>,
    /// Replace an earlier ranking of the same readout
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    files: ReadoutFiles,
    #[command(flatten)]
    design: DesignFlags,
}

/// Ranks genes against readouts; the clusters stay as they are.
pub fn rank(args: &RankArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let clock = Clock::start();
    let _claim = run_dir::Claim::new(&args.run)?;
    terminal.expect(0, &[&["read"][..], &vec!["association"; args.potency.len()], &["write"]].concat());
    terminal.start("read", 0);
    let mut analysis = pipeline::load_run(&args.run)?;
    terminal.finish("read", &args.run.display().to_string());
    // Not put into the parameters of the run: rankings of one run may be asked for in different ways.
    let mut asked = analysis.params.association.clone();
    if let Some(path) = &common.params {
        let given: Params = run_dir::read_toml(path)?;
        analysis.params.outcomes = given.outcomes;
        asked = given.association;
        analysis.params.verdict = given.verdict;
        analysis.params.composition = given.composition;
        analysis.params.ranking = given.ranking;
        analysis.params.confounding = given.confounding;
        analysis.params.neighborhoods = given.neighborhoods;
        analysis.params.sensitivity.n_permutations = given.sensitivity.n_permutations;
    }
    args.design.apply(&mut asked);
    if let Some(seed) = common.seed
        && seed != analysis.params.seed
    {
        return Err(Error::input(
            format!("the clusters of {} were made with seed {}", args.run.display(), analysis.params.seed),
            "leave --seed out, or run `cqa cluster` with the new seed",
        ));
    }
    let mut record = read_record(&args.run)?;
    refuse_shared_folder(record.potency.iter().chain(&args.potency).map(String::as_str))?;
    for readout in &args.potency {
        let target = args.run.join("rank").join(folder_name(readout));
        if target.exists() && !args.force {
            return Err(Error::format(&target, "", "exists already; replace it with --force"));
        }
    }
    let (readouts, warnings, files) = args.files.read(&analysis.sheet, &analysis.params)?;
    let hashes = hash_files(&files)?;
    record.inputs.retain(|known| !hashes.iter().any(|new| new.path == known.path));
    record.inputs.extend(hashes);
    analysis.add_readouts(readouts, warnings);
    let mut potency = record.potency.clone();
    potency.extend(args.potency.iter().cloned());
    terminal.expect(0, &[vec!["association"; potency.len()], vec!["write"]].concat());
    let ranked = rank_all(&analysis, &potency, &asked, Some((&args.run, &args.potency)), terminal)?;
    let mut execution = clock.execution(common, terminal);
    execution.seconds = record.execution.seconds;
    // What is asked for anew replaces what was asked for before: the same result comes from all of them in their order.
    execution.before = record.execution.before;
    execution.before.push(EarlierCommand { folder: record.execution.folder, command: record.execution.command });
    terminal.start("write", 0);
    write_rank(&args.run, Output { analysis: &analysis, ranked: &ranked, inputs: record.inputs, execution })?;
    terminal.finish("write", &args.run.display().to_string());
    terminal.done();
    let asked = ranked.iter().filter(|r| args.potency.contains(&r.association.readout));
    let warnings = all_warnings(&analysis, &ranked);
    terminal.warnings(&warnings);
    for ranked in asked {
        summary::ranking(&analysis, ranked);
    }
    println!("Open {} for the whole picture.", args.run.join("report.html").display());
    Ok(warnings)
}
