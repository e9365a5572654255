//! Where the inputs and parameters of a command come from.

use std::path::{Path, PathBuf};

use clap::Args;
use cqa::Warning;
use cqa::data::{LotSheet, Readout};
use cqa::error::{Error, Result};
use cqa::io::join::{promised_cells, read_lots_into};
use cqa::io::run_dir::{self, Claim};
use cqa::io::{ReadLots, h5ad, lot_sheet::read_lot_sheet, lot_store::LotStore};
use cqa::pipeline::{self, ClusterMethod, Params};
use cqa::progress::Progress;
use cqa::steps::lots::{Alternative, AssociationParams, Statistic};

use super::Common;

/// Which lots to read.
#[derive(Args)]
pub struct Input {
    /// Lot sheet (CSV or TSV with the columns `lot` and `path`), or an .h5ad that holds all lots
    #[arg(value_name = "LOTS")]
    pub lots: PathBuf,
    /// For an .h5ad that holds all lots: the column of obs that names the lot
    #[arg(long, value_name = "COLUMN")]
    pub lot_column: Option<String>,
    /// Memory to make do with, such as 8G: counts beyond a quarter of it are kept in unnamed files and read again by each step.
    /// Results are the same
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
}

/// Bytes from a number with K, M, G or T behind it, in powers of 1024.
fn size(text: &str) -> std::result::Result<u64, String> {
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let power = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 1,
        "M" | "MB" | "MIB" => 2,
        "G" | "GB" | "GIB" => 3,
        "T" | "TB" | "TIB" => 4,
        _ => return Err(format!("`{unit}` is no unit; write a size such as 8G or 500M")),
    };
    match number.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok((number * 1024_f64.powi(power)) as u64),
        _ => Err("write a size such as 8G or 500M".into()),
    }
}

/// The parameters that are changed most; each wins over the parameters file.
#[derive(Args, Default)]
#[command(next_help_heading = "Parameters")]
pub struct Overrides {
    /// Resolution of Leiden; 0 = choose by stability
    #[arg(long, value_name = "R")]
    pub resolution: Option<f64>,
    /// Method that names the clusters
    #[arg(long, value_name = "METHOD", value_parser = ["leiden", "kmeans", "mixture"])]
    pub method: Option<String>,
    /// Number of clusters for k-means and mixture; 0 = as many as Leiden finds
    #[arg(long, value_name = "K")]
    pub n_clusters: Option<usize>,
    /// Number of highly variable genes
    #[arg(long, value_name = "N")]
    pub n_top_genes: Option<usize>,
    /// Number of principal components
    #[arg(long, value_name = "N")]
    pub n_components: Option<usize>,
    /// Use the principal components as they are, without Harmony
    #[arg(long)]
    pub no_harmony: bool,
    /// Integrate over this column of the sheet instead of the lot
    #[arg(long, value_name = "COLUMN")]
    pub harmony_column: Option<String>,
    /// Drop called doublets (default: score and flag them)
    #[arg(long)]
    pub drop_doublets: bool,
    /// Leave the UMAP out
    #[arg(long)]
    pub no_umap: bool,
    /// Do not write pooled.h5ad, the largest file of a run
    #[arg(long)]
    pub no_pooled: bool,
    /// Do not repeat the road without each lot: faster, but nothing shows whether a result rests on one lot
    #[arg(long)]
    pub no_leave_one_out: bool,
    /// Do not divide the cells by other choices: faster, but nothing shows how much a result owes to the choices made
    #[arg(long)]
    pub no_sensitivity: bool,
}

/// Readouts that lie in files beside the lot sheet.
#[derive(Args, Default)]
#[command(next_help_heading = "Readouts")]
pub struct ReadoutFiles {
    /// Measurements with replicates: CSV with the columns lot, readout, value, and unit, replicate, below_loq where they apply
    #[arg(long, value_name = "FILE")]
    pub readouts: Option<PathBuf>,
    /// Clinical outcomes: CSV with the columns lot, case, outcome, and name where there are several. Lots with few cases are
    /// hidden, and nothing of a single case is written
    #[arg(long, value_name = "FILE")]
    pub outcomes: Option<PathBuf>,
}

impl ReadoutFiles {
    /// Reads and aggregates; also the files, for hashing.
    pub fn read(&self, sheet: &LotSheet, params: &Params) -> Result<(Vec<Readout>, Vec<Warning>, Vec<PathBuf>)> {
        let (readouts, warnings) =
            pipeline::read_readouts(sheet, self.readouts.as_deref(), self.outcomes.as_deref(), params)?;
        Ok((readouts, warnings, self.readouts.iter().chain(&self.outcomes).cloned().collect()))
    }
}

/// What counts as one observation and what is taken out; each wins over the parameters.
#[derive(Args, Default)]
#[command(next_help_heading = "Design")]
pub struct DesignFlags {
    /// Column of the lot sheet whose lots count as one (default: donor, if the sheet has it; `lot` = every lot for itself)
    #[arg(long, value_name = "COLUMN")]
    pub unit: Option<String>,
    /// Column of the lot sheet within which lots are compared, such as the donor of paired lots
    #[arg(long, value_name = "COLUMN")]
    pub block: Option<String>,
    /// Column of the lot sheet whose effect is taken out; may be given several times
    #[arg(long, value_name = "COLUMN")]
    pub covariate: Vec<String>,
    /// Associations asked about: rising or falling, rising only, falling only. Choose a side before the data are seen
    #[arg(long, value_name = "SIDE", value_parser = ["two-sided", "greater", "less"])]
    pub alternative: Option<String>,
    /// Correlation that is tested
    #[arg(long, value_name = "CORRELATION", value_parser = ["pearson", "spearman"])]
    pub statistic: Option<String>,
}

impl DesignFlags {
    /// Puts the flags into the parameters.
    pub fn apply(&self, asked: &mut AssociationParams) {
        set(&mut asked.unit, self.unit.clone());
        set(&mut asked.block, self.block.clone());
        if !self.covariate.is_empty() {
            asked.covariates.clone_from(&self.covariate);
        }
        if let Some(side) = &self.alternative {
            asked.alternative = match side.as_str() {
                "greater" => Alternative::Greater,
                "less" => Alternative::Less,
                _ => Alternative::TwoSided,
            };
        }
        if let Some(statistic) = &self.statistic {
            asked.statistic = if statistic == "spearman" { Statistic::Spearman } else { Statistic::Pearson };
        }
    }
}

/// Defaults, then the parameters file, then flags.
pub fn parameters(common: &Common, overrides: &Overrides) -> Result<Params> {
    let mut params: Params = match &common.params {
        Some(path) => run_dir::read_toml(path)?,
        None => Params::default(),
    };
    if let Some(seed) = common.seed {
        params.seed = seed;
    }
    set(&mut params.resolution.resolution, overrides.resolution);
    set(&mut params.clusters.n_clusters, overrides.n_clusters);
    set(&mut params.hvg.n_top_genes, overrides.n_top_genes);
    set(&mut params.pca.n_components, overrides.n_components);
    set(&mut params.harmony.column, overrides.harmony_column.clone());
    if let Some(method) = &overrides.method {
        params.clusters.method = match method.as_str() {
            "kmeans" => ClusterMethod::Kmeans,
            "mixture" => ClusterMethod::Mixture,
            _ => ClusterMethod::Leiden,
        };
    }
    params.harmony.enabled &= !overrides.no_harmony;
    params.doublets.drop |= overrides.drop_doublets;
    params.umap.enabled &= !overrides.no_umap;
    params.write.pooled &= !overrides.no_pooled;
    params.leave_one_out.enabled &= !overrides.no_leave_one_out;
    params.sensitivity.enabled &= !overrides.no_sensitivity;
    Ok(params)
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// The lot sheet that an input names.
pub fn sheet(input: &Input) -> Result<LotSheet> {
    let pooled = input.lots.extension().is_some_and(|e| e.eq_ignore_ascii_case("h5ad"));
    match &input.lot_column {
        Some(column) if pooled => h5ad::lot_sheet_of_h5ad(&input.lots, column),
        None if pooled => Err(Error::format(
            &input.lots,
            "",
            "holds cells, not a lot sheet; name the column of obs that says which lot a cell belongs to with --lot-column",
        )),
        Some(_) => Err(Error::format(
            &input.lots,
            "",
            "--lot-column goes with an .h5ad; in a lot sheet use the columns `lot_column` and `lot_value`",
        )),
        None => read_lot_sheet(&input.lots),
    }
}

/// Share of the memory allowed that counts may take; the rest is for what is computed from them.
const SHARE_OF_COUNTS: u64 = 4;

/// Reads the lots of the sheet that the input names; files opened include the sheet itself. Counts that do not fit into the memory
/// allowed go to unnamed files in `folder`.
pub fn read(
    input: &Input,
    sheet: &LotSheet,
    folder: &Path,
    params: &Params,
    progress: &dyn Progress,
) -> Result<ReadLots> {
    let store = match input.max_memory {
        None => LotStore::in_memory(),
        Some(bytes) => {
            refuse_too_little(bytes, promised_cells(sheet, &params.read)?)?;
            LotStore::new(bytes / SHARE_OF_COUNTS, folder)
        }
    };
    let mut read = read_lots_into(sheet, &params.read, &store, progress)?;
    if !read.files.contains(&input.lots) {
        read.files.push(input.lots.clone());
        read.files.sort();
    }
    Ok(read)
}

/// Bytes that a run needs whatever its cells, and for each cell, when all counts are on disk: measured, and rounded down, so that
/// nothing is refused that could be done (`src/guide/benchmarks.md`).
const LEAST_BYTES: u64 = 160 << 20;
const LEAST_BYTES_PER_CELL: u64 = 5 << 10;

/// Refuses memory that can't be enough even with all counts on disk, before anything is read.
fn refuse_too_little(allowed: u64, n_cells: u64) -> Result<()> {
    let (needed, mega) = (LEAST_BYTES + LEAST_BYTES_PER_CELL * n_cells, |bytes: u64| bytes.div_ceil(1 << 20));
    if allowed >= needed {
        return Ok(());
    }
    Err(Error::input(
        format!(
            "--max-memory is {} MB, but {n_cells} cells need at least {} MB even with their counts on disk",
            allowed >> 20,
            mega(needed)
        ),
        "allow more, or give fewer lots",
    ))
}

/// Refuses a target that is there already, or that another run is writing, before hours of work. While the claim is held, others
/// are refused.
pub fn refuse_existing(target: &Path, force: bool) -> Result<Claim> {
    let pending = run_dir::PendingDir::create(target, force)?;
    let claim = Claim::new(target);
    drop(pending);
    claim
}

#[cfg(test)]
mod tests {
    use super::{refuse_too_little, size};

    #[test]
    fn memory_that_cannot_be_enough_is_told_with_an_estimate() {
        assert!(refuse_too_little(1 << 30, 10_000).is_ok());
        let message = refuse_too_little(1 << 30, 1_000_000).unwrap_err().to_string();
        assert!(message.contains("1024 MB") && message.contains("1000000 cells") && message.contains("allow more"));
    }

    #[test]
    fn sizes_are_read_in_powers_of_1024() {
        assert_eq!((size("8G"), size("1.5m"), size("300")), (Ok(8 << 30), Ok(3 << 19), Ok(300)));
        for wrong in ["", "G", "-1G", "8X", "NaNG"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
