//! What the ledger tells of a command: its start, its end, and who asked for it.

use std::path::{Path, PathBuf};

use cqa::io::run_dir::create_folder;
use cqa::provenance::{LEDGER, LedgerEntry, LedgerEvent, ledger, sha256};

use super::clock::Clock;
use super::{Cli, Command, Outcome};
use cqa::error::{Error, Result};

/// A command whose start is on record.
pub struct Recorded {
    ledger: PathBuf,
    entry: LedgerEntry,
    output: PathBuf,
}

/// The ledger of the workspace that a directory lies in.
pub fn ledger_beside(output: &Path) -> PathBuf {
    parent(output).join(LEDGER)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How a ledger calls a directory: from its own folder on, so that a workspace can move as a whole.
pub fn name_in(ledger: &Path, output: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.into());
    let (folder, output) = (whole(parent(ledger)), whole(output));
    output.strip_prefix(&folder).unwrap_or(&output).to_string_lossy().replace('\\', "/")
}

impl Command {
    /// Directory that the command writes or adds to, if its runs go on record.
    fn target(&self) -> Option<PathBuf> {
        match self {
            Self::Cluster(args) => Some(args.cluster.output.clone()),
            Self::Run(args) => Some(args.cluster.output.clone()),
            Self::Rank(args) => Some(args.run.clone()),
            Self::Report(args) => Some(args.run.clone()),
            Self::Freeze(args) => Some(args.output.clone()),
            Self::Map(args) => Some(args.output.clone()),
            Self::Screen(args) => Some(args.output.clone()),
            Self::Compare(args) => args.output.clone().filter(|_| args.plan.is_some()),
            Self::Panel(args) => Some(args.target()),
            Self::Qualify(args) => Some(args.output.clone()),
            _ => None,
        }
    }

    /// The folder whose neighbour the ledger is: a panel inside a run belongs to the run's workspace.
    fn workspace(&self) -> Option<PathBuf> {
        match self {
            Self::Panel(args) if args.output.is_none() => Some(args.run.clone()),
            _ => self.target(),
        }
    }

    /// Whether a parameters file that holds all that was asked for replaces the one it was given.
    pub fn takes_params(&self) -> bool {
        matches!(self, Self::Cluster(_) | Self::Run(_) | Self::Demo(_) | Self::Screen(_))
    }

    /// Makes the command write into another directory, for `cqa verify --rerun`. Commands that cannot be run again give `false`.
    pub fn redirect(&mut self, to: &Path) -> bool {
        match self {
            Self::Cluster(args) => (args.cluster.output, args.cluster.force) = (to.into(), false),
            Self::Run(args) => (args.cluster.output, args.cluster.force) = (to.into(), false),
            Self::Demo(args) => (args.output, args.force) = (to.into(), false),
            Self::Rank(args) => args.run = to.into(),
            Self::Freeze(args) => (args.output, args.force) = (to.into(), false),
            Self::Map(args) => (args.output, args.force) = (to.into(), false),
            Self::Screen(args) => (args.output, args.force) = (to.into(), false),
            Self::Panel(args) => (args.output, args.force) = (Some(to.into()), false),
            // What was amended is on record, and nothing comes onto it: plan and lots are those that were recorded last.
            Self::Compare(args) if args.plan.is_some() => {
                (args.output, args.force, args.amend) = (Some(to.into()), false, None);
            }
            _ => return false,
        }
        true
    }
}

impl Recorded {
    /// Puts the start on record. Nothing is run that cannot be recorded.
    pub fn start(cli: &Cli) -> Result<Option<Self>> {
        let (Some(output), Some(workspace)) = (cli.command.target(), cli.command.workspace()) else { return Ok(None) };
        if cli.common.rerun_in.is_some() {
            return Ok(None);
        }
        let ledger = cli.common.ledger.clone().unwrap_or_else(|| ledger_beside(&workspace));
        create_folder(parent(&ledger))?;
        let clock = Clock::start();
        let mut entry = LedgerEntry {
            number: 0,
            previous: String::new(),
            time: clock.started(),
            event: LedgerEvent::Started,
            start: 0,
            version: env!("CARGO_PKG_VERSION").into(),
            command: Clock::command(),
            folder: Clock::folder(),
            operator: cli.common.operator.clone(),
            reason: cli.common.reason.clone(),
            output: name_in(&ledger, &output),
            output_sha256: String::new(),
            error: String::new(),
            replaces: std::fs::read(output.join("run.json")).map_or(String::new(), |record| sha256(&record)),
        };
        entry.start = ledger::append(&ledger, entry.clone())?;
        Ok(Some(Self { ledger, entry, output }))
    }

    /// Puts the end on record.
    pub fn end(self, outcome: &Outcome) -> Result<()> {
        let mut entry = LedgerEntry { time: Clock::start().started(), replaces: String::new(), ..self.entry };
        match outcome {
            Ok(_) => {
                let path = self.output.join("run.json");
                let record = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
                (entry.event, entry.output_sha256) = (LedgerEvent::Done, sha256(&record));
            }
            Err(error) => (entry.event, entry.error) = (LedgerEvent::Failed, error.to_string()),
        }
        ledger::append(&self.ledger, entry).map(drop)
    }
}
