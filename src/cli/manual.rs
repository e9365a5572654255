//! `cqa completions SHELL` and `cqa man DIR`: what shells and manuals need to know of the command line.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};
use cqa::error::{Error, Result};
use cqa::io::run_dir::{create_folder, write_bytes};

use super::{Cli, Outcome};

/// Arguments of `cqa completions`.
#[derive(Args)]
pub struct CompletionsArgs {
    /// Shell to write for, e.g. `cqa completions bash > ~/.local/share/bash-completion/completions/cqa`
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Arguments of `cqa man`.
#[derive(Args)]
pub struct ManArgs {
    /// Folder to write cqa.1, cqa-run.1, … into, e.g. ~/.local/share/man/man1
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints the completions of a shell.
pub fn completions(args: &CompletionsArgs) -> Outcome {
    let mut text = Vec::new();
    generate(args.shell, &mut Cli::command(), "cqa", &mut text);
    std::io::stdout().write_all(&text).map_err(|e| Error::io("standard output", e))?;
    Ok(Vec::new())
}

/// Writes one page for the program and one for each command.
pub fn man(args: &ManArgs) -> Outcome {
    create_folder(&args.folder)?;
    let mut program = Cli::command();
    program.build();
    page(args, program.clone(), "cqa")?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("cqa-{}", command.get_name());
        page(args, command.clone().display_name(&name), &name)?;
    }
    println!("Written: {}", args.folder.join("cqa*.1").display());
    Ok(Vec::new())
}

fn page(args: &ManArgs, command: clap::Command, name: &str) -> Result<()> {
    let path = args.folder.join(format!("{name}.1"));
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text).map_err(|e| Error::io(&path, e))?;
    write_bytes(&path, &text)
}
