//! Results → run directory: tables, `.h5ad`, plots, report and record, in one go.

pub mod compare;
mod freeze;
mod panel;
mod qualification;
pub mod screen;

pub use freeze::{read_reference, reference_files, write_mapped, write_reference};

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::data::{Column, Table};
use crate::error::{Error, Result};
use crate::io::h5ad::{AnnData, write_h5ad};
use crate::io::run_dir::{PendingDir, create_folder, read_toml, write_bytes, write_text};
use crate::io::tables::{read_table, write_table};
use crate::pipeline::{
    Analysis, Ranked, Space, analysis_tables, cell_columns, gene_columns, ranked_tables, readout_tables,
};
use crate::progress::Progress;
use crate::provenance::{Execution, FileHash, RECORD_FILES, RankingWarnings, RunRecord, write_record};
use crate::report::{self, RunFacts};
use crate::steps::lots::AssociationParams;

pub use compare::{ComparisonOutput, write_comparison};
pub use panel::{panels_table, read_panels, write_panel};
pub use qualification::write_qualification;
pub use screen::{ScreenOutput, write_screen};

/// What a run leaves on disk.
pub struct Output<'a> {
    /// Results of lots → clusters.
    pub analysis: &'a Analysis,
    /// One per readout; empty if nothing has been ranked.
    pub ranked: &'a [Ranked],
    /// Files read, with their digests.
    pub inputs: Vec<FileHash>,
    /// How and when it ran.
    pub execution: Execution,
}

/// Writes a whole run directory; it carries the name `target` only when everything is written.
///
/// # Errors
/// - `target` exists and `replace` is not set
/// - two readouts share a folder
/// - the disk is full or refuses
pub fn write_run(
    target: &Path,
    replace: bool,
    output: Output<'_>,
    space: &Space,
    progress: &dyn Progress,
) -> Result<()> {
    refuse_shared_folder(output.ranked.iter().map(|ranked| ranked.association.readout.as_str()))?;
    let pending = PendingDir::create(target, replace)?;
    let run = pending.path();
    progress.start("write", 0);
    analysis_tables(output.analysis).par_iter().try_for_each(|(name, table)| write_table(&run.join(name), table))?;
    write_text(&run.join("params.toml"), &toml_of(output.analysis))?;
    if output.analysis.params.write.pooled {
        write_pooled(&run.join("pooled.h5ad"), output.analysis, space)?;
    }
    for ranked in output.ranked {
        let folder = run.join("rank").join(folder_name(&ranked.association.readout));
        create_folder(&folder)?;
        write_ranked(&folder, output.analysis, ranked)?;
    }
    write_record(run, write_plots_and_report(run, output)?)?;
    pending.finish()?;
    progress.finish("write", &target.display().to_string());
    Ok(())
}

/// Writes the rankings of a run directory (`rank/<readout>/`) anew, then plots, report and record; the run changes in one act, when
/// all of it is written. `output` has the rankings of earlier as well: a further readout changes what theirs allow for.
///
/// # Errors
/// As [`write_run`].
pub fn write_rank(run: &Path, output: Output<'_>) -> Result<()> {
    refuse_shared_folder(output.ranked.iter().map(|ranked| ranked.association.readout.as_str()))?;
    let pending = PendingDir::create(run, true)?;
    let next = pending.path();
    // What was ranked, so that it can be ranked again from the run alone.
    for (name, table) in readout_tables(output.analysis) {
        write_table(&next.join(name), &table)?;
    }
    let mut anew = Vec::new();
    for ranked in output.ranked {
        let folder = Path::new("rank").join(folder_name(&ranked.association.readout));
        create_folder(&next.join(&folder))?;
        write_ranked(&next.join(&folder), output.analysis, ranked)?;
        anew.push(folder);
    }
    finish_in_place(pending, run, &anew, output)
}

/// Writes plots, report and record of a run directory anew; the run changes in one act, when all of it is written.
///
/// # Errors
/// As [`write_run`].
pub fn write_pages(run: &Path, output: Output<'_>) -> Result<()> {
    finish_in_place(PendingDir::create(run, true)?, run, &[], output)
}

/// Adds plots, report and what stays as it is of the run, and puts it in the place of the run. Of the folders written `anew` nothing
/// of earlier stays.
fn finish_in_place(pending: PendingDir, run: &Path, anew: &[PathBuf], output: Output<'_>) -> Result<()> {
    let record = write_plots_and_report(pending.path(), output)?;
    let is_anew = |file: &Path| file.starts_with(PLOTS) || anew.iter().any(|folder| file.starts_with(folder));
    pending.take_over(run, |file| is_anew(file) || RECORD_FILES.iter().any(|record| file == Path::new(record)))?;
    write_record(pending.path(), record)?;
    pending.finish()
}

/// Folder of the figures.
const PLOTS: &str = "plots";

/// Plots and report; gives back the record that goes with them.
fn write_plots_and_report(run: &Path, output: Output<'_>) -> Result<RunRecord> {
    let Output { analysis, ranked, inputs, execution } = output;
    let plots = run.join(PLOTS);
    create_folder(&plots)?;
    let write_plots = || {
        report::plots::all(analysis, ranked).iter().try_for_each(|plot| {
            write_text(&plots.join(format!("{}.svg", plot.name)), &plot.svg)?;
            write_bytes(&plots.join(format!("{}.png", plot.name)), &plot.png)
        })
    };
    let record = RunRecord {
        potency: ranked.iter().map(|r| r.association.readout.clone()).collect(),
        warnings: analysis.warnings.clone(),
        ranking_warnings: ranked
            .iter()
            .map(|r| RankingWarnings {
                readout: r.association.readout.clone(),
                warnings: r.association.warnings.clone(),
            })
            .collect(),
        ..RunRecord::new(
            analysis.params.seed,
            serde_json::to_value(&analysis.params).expect("parameters are plain data"),
            inputs,
            execution,
        )
    };
    // What may differ between equal runs stays in run.json, so that the report is the same byte for byte.
    let facts = RunFacts {
        version: record.version.clone(),
        inputs: record.inputs.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect(),
        ..RunFacts::default()
    };
    let write_page = || write_text(&run.join("report.html"), &report::html(analysis, ranked, &facts));
    let (plots_written, page_written) = rayon::join(write_plots, write_page);
    plots_written.and(page_written)?;
    for (name, text) in report::multiqc::files(analysis) {
        write_text(&run.join(name), &text)?;
    }
    Ok(record)
}

/// File of a ranking's folder that says how the readout was asked about.
const ASKED: &str = "association.toml";

/// How a readout of a run was asked about when it was ranked; `None` if it was not.
///
/// # Errors
/// The file was changed by hand into something that is not understood.
pub fn read_asked(run: &Path, readout: &str) -> Result<Option<AssociationParams>> {
    let path = run.join("rank").join(folder_name(readout)).join(ASKED);
    if path.exists() { read_toml(&path).map(Some) } else { Ok(None) }
}

/// Verdicts of the clusters of a run against a readout, in their order; `None` if it was not ranked.
///
/// # Errors
/// The ranking was changed by hand into something that is not understood.
pub fn read_verdicts(run: &Path, readout: &str) -> Result<Option<Vec<String>>> {
    let path = run.join("rank").join(folder_name(readout)).join("associations.csv");
    if !path.exists() {
        return Ok(None);
    }
    match read_table(&path)?.column("verdict") {
        Some(Column::Text(verdicts)) => Ok(Some(verdicts.clone())),
        _ => Err(Error::format(&path, "column verdict", "missing; rank the readout again with `cqa rank --force`")),
    }
}

/// A readout's name as a folder: what could leave the run directory or upset a file system becomes `_`.
pub fn folder_name(readout: &str) -> String {
    let name: String =
        readout.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' }).collect();
    if name.trim_matches('.').is_empty() { format!("_{name}") } else { name }
}

/// Refuses readouts of different names whose rankings would be written to the same folder.
///
/// # Errors
/// There are such; letters count as equal whatever their case, as on some file systems they do.
pub fn refuse_shared_folder<'a>(readouts: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut known: Vec<&str> = Vec::new();
    for readout in readouts {
        let folder = folder_name(readout);
        let same = |other: &&&str| **other != readout && folder_name(other).to_lowercase() == folder.to_lowercase();
        if let Some(other) = known.iter().find(same) {
            return Err(Error::input(
                format!("the readouts `{other}` and `{readout}` would both be ranked in rank/{folder}"),
                "rename one of them in the lot sheet or the file of readouts",
            ));
        }
        known.push(readout);
    }
    Ok(())
}

fn toml_of(analysis: &Analysis) -> String {
    toml::to_string(&analysis.params).expect("parameters are plain data")
}

fn write_ranked(folder: &Path, analysis: &Analysis, ranked: &Ranked) -> Result<()> {
    for (name, table) in ranked_tables(analysis, ranked) {
        write_table(&folder.join(name), &table)?;
    }
    let asked = toml::to_string(&ranked.asked).expect("parameters are plain data");
    write_text(&folder.join(ASKED), &asked)
}

fn write_pooled(path: &Path, analysis: &Analysis, space: &Space) -> Result<()> {
    let obs: Table = cell_columns(analysis);
    let var: Table = gene_columns(space);
    let mut obsm = vec![("X_pca", space.pca.scores.view())];
    if let Some(harmony) = &space.harmony {
        obsm.push(("X_pca_harmony", harmony.corrected.view()));
    }
    if let Some(umap) = &analysis.cells.umap {
        obsm.push(("X_umap", umap.view()));
    }
    let data = AnnData { dataset: &space.dataset, scale: &space.normalized.scale, obs: &obs, var: &var, obsm: &obsm };
    write_h5ad(path, &data)
}

#[cfg(test)]
mod tests {
    use super::{folder_name, refuse_shared_folder};

    #[test]
    fn a_readout_cannot_name_a_folder_elsewhere() {
        assert_eq!(folder_name("vegf_ischemia"), "vegf_ischemia");
        assert_eq!(folder_name("../../etc"), ".._.._etc");
        assert_eq!(folder_name(".."), "_..");
        assert_eq!(folder_name("VEGF (pg/mL)"), "VEGF__pg_mL_");
        assert_eq!(folder_name(""), "_");
    }

    #[test]
    fn readouts_that_would_share_a_folder_are_refused() {
        refuse_shared_folder(["VEGF (a)", "VEGF", "VEGF (a)", "killing"]).unwrap();
        for other in ["VEGF_(a)", "vegf__a_"] {
            let message = refuse_shared_folder(["killing", "VEGF (a)", other]).unwrap_err().to_string();
            for words in ["`VEGF (a)`", &format!("`{other}`"), "rename one"] {
                assert!(message.contains(words), "{message}");
            }
        }
    }
}
