//! `cqa cluster LOTS -o RUN`

use std::path::{Path, PathBuf};

use clap::Args;
use cqa::data::{LotSheet, Readout};
use cqa::error::{Error, Result};
use cqa::io::checkpoints::Checkpoints;
use cqa::output::{Output, write_run};
use cqa::pipeline::{self, Analysis, Params, Space};
use cqa::provenance::{Execution, FileHash, hash_files};

use super::clock::Clock;
use super::settings::{self, Input, Overrides, ReadoutFiles};
use super::{Common, Outcome, Terminal, summary};

/// Arguments of `cqa cluster`.
#[derive(Args)]
pub struct ClusterCommand {
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
    /// Column of the lot sheet whose lots are left out together when the road is repeated without each unit (default: donor, if the
    /// sheet has it; `lot` = every lot for itself). A later `cqa rank --unit` must not ask for larger units
    #[arg(long, value_name = "COLUMN", help_heading = "Design")]
    unit: Option<String>,
}

/// What `cqa cluster` and `cqa run` have in common.
#[derive(Args)]
pub struct ClusterArgs {
    #[command(flatten)]
    pub input: Input,
    /// Run directory to write; it appears when it is whole
    #[arg(short, long, value_name = "RUN")]
    pub output: PathBuf,
    /// Replace an existing run directory
    #[arg(long)]
    pub force: bool,
    /// Go on from the last whole step of a run at this output that was stopped; the result is the same. Steps made of other inputs or
    /// parameters, or by another program, are made anew
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub overrides: Overrides,
    #[command(flatten)]
    files: ReadoutFiles,
}

/// What clustering leaves in memory.
pub struct Clustered {
    pub analysis: Analysis,
    pub space: Space,
    pub inputs: Vec<FileHash>,
    /// To be cleared when the run is whole.
    pub checkpoints: Checkpoints,
}

impl Clustered {
    /// How the run was made, steps kept from before included.
    pub fn execution(&self, clock: &Clock, common: &Common, terminal: &Terminal) -> Execution {
        Execution { resumed: self.checkpoints.reused(), ..clock.execution(common, terminal) }
    }
}

/// Lots → clusters → run directory.
pub fn cluster(command: &ClusterCommand, common: &Common, terminal: &Terminal) -> Outcome {
    let (clock, args) = (Clock::start(), &command.cluster);
    let _claim = settings::refuse_existing(&args.output, args.force)?;
    let mut params = settings::parameters(common, &args.overrides)?;
    if let Some(unit) = &command.unit {
        params.association.unit.clone_from(unit);
    }
    let clustered = from_lots(args, &params, 0, terminal, |_, _| Ok(()))?;
    let execution = clustered.execution(&clock, common, terminal);
    let Clustered { analysis, space, inputs, checkpoints } = clustered;
    let output = Output { analysis: &analysis, ranked: &[], inputs, execution };
    write_run(&args.output, args.force, output, &space, terminal)?;
    checkpoints.clear()?;
    terminal.done();
    terminal.warnings(&analysis.warnings);
    summary::clusters(&analysis);
    println!("Run directory: {}. Next: cqa rank {0} --potency COLUMN", args.output.display());
    Ok(analysis.warnings)
}

/// Reads sheet, readouts and lots, and clusters; `n_rankings` will follow. `judge` sees sheet and readouts before any lot is read, so that what is misspelt
/// is told then, not after the clustering.
pub fn from_lots(
    args: &ClusterArgs,
    params: &Params,
    n_rankings: usize,
    terminal: &Terminal,
    judge: impl FnOnce(&LotSheet, &[Readout]) -> Result<()>,
) -> Result<Clustered> {
    let sheet = settings::sheet(&args.input)?;
    let (readouts, _, _) = args.files.read(&sheet, params)?;
    judge(&sheet, &readouts)?;
    let folder = args.output.parent().filter(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let rankings = vec!["association"; n_rankings];
    terminal.expect(sheet.lots.len(), &[&["read"][..], &params.steps(), &rankings, &["write"]].concat());
    let read = settings::read(&args.input, &sheet, folder, params, terminal)?;
    let mut inputs = hash_files(&read.files)?;
    let checkpoints = Checkpoints::beside(&args.output, &made_of(&inputs, &sheet, params)?, args.resume)?;
    let (mut analysis, space) = pipeline::cluster_resumable(read, params, &checkpoints, terminal)?;
    // Lots without cells have left the sheet by now.
    let (readouts, warnings, files) = args.files.read(&analysis.sheet, params)?;
    inputs.extend(hash_files(&files)?);
    analysis.add_readouts(readouts, warnings);
    Ok(Clustered { analysis, space, inputs, checkpoints })
}

/// What the steps of a run are made of: this very program, the parameters, the sheet and every file read.
fn made_of(inputs: &[FileHash], sheet: &LotSheet, params: &Params) -> Result<String> {
    let program = std::env::current_exe().map_err(|e| Error::io("cqa", e))?;
    let program = hash_files(&[program])?;
    Ok(format!("{}\n{program:?}\n{params:?}\n{sheet:?}\n{inputs:?}", Clock::machine()))
}
