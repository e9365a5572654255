//! `cqa run LOTS --potency COL… -o RUN`

use std::path::Path;

use clap::Args;
use cqa::Warning;
use cqa::data::{LotSheet, Readout};
use cqa::error::{Error, Result};
use cqa::output::{Output, read_asked, refuse_shared_folder, write_run};
use cqa::pipeline::{self, Analysis, Ranked};
use cqa::progress::Progress;
use cqa::steps::lots::AssociationParams;

use super::clock::Clock;
use super::cluster::{ClusterArgs, Clustered, from_lots};
use super::settings::{self, DesignFlags};
use super::{Common, Outcome, Terminal, summary};

/// Arguments of `cqa run`.
#[derive(Args)]
pub struct RunArgs {
    /// Column of the lot sheet that holds the potency; may be given several times
    #[arg(long, value_name = "COLUMN", required = true, num_args = 1..)]
    potency: Vec<String>,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
    #[command(flatten)]
    design: DesignFlags,
}

/// The whole road.
pub fn run(args: &RunArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let clock = Clock::start();
    let ClusterArgs { input, output: target, force, overrides, .. } = &args.cluster;
    let _claim = settings::refuse_existing(target, *force)?;
    let mut params = settings::parameters(common, overrides)?;
    args.design.apply(&mut params.association);
    let judge = |sheet: &LotSheet, readouts: &[Readout]| known(&args.potency, sheet, readouts, &input.lots);
    let clustered = from_lots(&args.cluster, &params, args.potency.len(), terminal, judge)?;
    let ranked = rank_all(&clustered.analysis, &args.potency, &params.association, None, terminal)?;
    let execution = clustered.execution(&clock, common, terminal);
    let Clustered { analysis, space, inputs, checkpoints } = clustered;
    let output = Output { analysis: &analysis, ranked: &ranked, inputs, execution };
    write_run(target, *force, output, &space, terminal)?;
    checkpoints.clear()?;
    terminal.done();
    let warnings = all_warnings(&analysis, &ranked);
    terminal.warnings(&warnings);
    summary::clusters(&analysis);
    for ranked in &ranked {
        summary::ranking(&analysis, ranked);
    }
    println!("Open {} for the whole picture ({:.0} s).", target.join("report.html").display(), clock.seconds());
    Ok(warnings)
}

/// Refuses a readout that is nowhere, and two that cannot be told apart by their folders.
fn known(potency: &[String], sheet: &LotSheet, readouts: &[Readout], path: &Path) -> Result<()> {
    for readout in potency {
        if sheet.column(readout).is_none() && !readouts.iter().any(|r| r.name == *readout) {
            let columns = sheet.columns.iter().map(|c| c.name.as_str());
            let names: Vec<&str> = columns.chain(readouts.iter().map(|r| r.name.as_str())).collect();
            return Err(Error::format(
                path,
                format!("column {readout}"),
                format!("not found; the columns are: {}", names.join(", ")),
            ));
        }
    }
    refuse_shared_folder(potency.iter().map(String::as_str))
}

/// Ranks against all readouts as `asked`, repeated names once. Those that the run `earlier` has ranked, and that are not asked
/// about anew, are ranked as they were.
pub fn rank_all(
    analysis: &Analysis,
    potency: &[String],
    asked: &AssociationParams,
    earlier: Option<(&Path, &[String])>,
    progress: &dyn Progress,
) -> Result<Vec<Ranked>> {
    let mut names: Vec<&String> = Vec::new();
    for name in potency {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let how = |readout: &String| {
        let before = match earlier {
            Some((run, anew)) if !anew.contains(readout) => read_asked(run, readout)?,
            _ => None,
        };
        Ok((readout.clone(), before.unwrap_or_else(|| asked.clone())))
    };
    pipeline::rank_all(analysis, &names.into_iter().map(how).collect::<Result<Vec<_>>>()?, progress)
}

/// Warnings of the clustering and of every ranking.
pub fn all_warnings(analysis: &Analysis, ranked: &[Ranked]) -> Vec<Warning> {
    let of_rankings = ranked.iter().flat_map(|r| &r.association.warnings);
    let mut out: Vec<Warning> = Vec::new();
    for warning in analysis.warnings.iter().chain(of_rankings) {
        if !out.contains(warning) {
            out.push(warning.clone());
        }
    }
    out
}
