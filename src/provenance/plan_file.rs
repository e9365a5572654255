//! The plan of a comparison as a TOML file: read, checked, hashed. What it says of the post lots stays closed until the plan
//! is locked ([`super::plan_lock`]).

mod attribute;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use self::attribute::AttributeText;
use super::overlap::{self, Side};
use super::plan_lock::Locked;
use super::{FileHash, hash_files, sha256};
use crate::data::{Comparison, ComparisonDesign, LotsFrom, Multiplicity, RecordsKind, WholeTests};
use crate::error::{Error, Result};
use crate::io::lot_records::{ReadRecords, read_records};
use crate::io::run_dir::read_json;

/// The plan as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanText {
    title: String,
    #[serde(default)]
    operator: String,
    #[serde(default)]
    reason: String,
    design: ComparisonDesign,
    #[serde(default)]
    pair: String,
    n_post: Option<usize>,
    #[serde(default = "half")]
    pair_correlation: f64,
    #[serde(default = "five_percent")]
    alpha: f64,
    #[serde(default = "no_correction")]
    multiplicity: Multiplicity,
    #[serde(default)]
    allow_missing: bool,
    #[serde(default = "simulations")]
    n_simulations: usize,
    #[serde(default)]
    seed: u64,
    pre: LotsFrom,
    post: LotsFrom,
    #[serde(default)]
    whole: WholeTests,
    #[serde(default)]
    attribute: Vec<AttributeText>,
}

fn half() -> f64 {
    0.5
}

fn five_percent() -> f64 {
    0.05
}

fn no_correction() -> Multiplicity {
    Multiplicity::None
}

fn simulations() -> usize {
    20_000
}

/// A plan that was read and found sound. It opens pre lots; only a locked plan opens post lots.
#[derive(Debug, Clone)]
pub struct PlanFile {
    path: PathBuf,
    text: String,
    sha256: String,
    comparison: Comparison,
    pre: LotsFrom,
    post: LotsFrom,
}

impl PlanFile {
    /// Reads a plan. Nothing else is opened.
    ///
    /// # Errors
    /// Not a plan, or one that contradicts itself; the message names line or attribute.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            Error::format(path, "", format!("not UTF-8 text ({}); write the file anew", e.utf8_error()))
        })?;
        let parsed: PlanText = toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(1, |span| text[..span.start].matches('\n').count() as u64 + 1);
            Error::parse(path, line, format!("{}; `cqa compare --init` writes a plan with every key", e.message()))
        })?;
        let wrong = |key: &str, message: &str| Err(Error::format(path, key, message));
        if parsed.title.trim().is_empty() {
            return wrong("title", "is empty; say what was changed");
        }
        if parsed.attribute.is_empty() {
            return wrong("[[attribute]]", "there is none; name at least one attribute and its rule");
        }
        if !(parsed.alpha > 0.0 && parsed.alpha < 0.5) {
            return wrong("alpha", "must lie between 0 and 0.5, such as 0.05");
        }
        if !(-1.0..1.0).contains(&parsed.pair_correlation) {
            return wrong("pair_correlation", "must be at least -1 and below 1");
        }
        if parsed.n_post == Some(0) {
            return wrong("n_post", "must be at least 1");
        }
        if !(1_000..=1_000_000).contains(&parsed.n_simulations) {
            return wrong("n_simulations", "must be from 1000 to 1000000");
        }
        if !(10..=5_000).contains(&parsed.whole.cells_per_lot) {
            return wrong("whole.cells_per_lot", "must be from 10 to 5000");
        }
        if !(99..=10_000_000).contains(&parsed.whole.n_permutations) {
            return wrong("whole.n_permutations", "must be from 99 to 10000000");
        }
        let paired = parsed.design == ComparisonDesign::Paired;
        if paired == parsed.pair.is_empty() {
            return wrong(
                "pair",
                "goes with design = \"paired\": the column of the sheets that names the pair, such as the donor",
            );
        }
        for (name, from) in [("[pre]", &parsed.pre), ("[post]", &parsed.post)] {
            if from.path.is_empty() {
                return wrong(name, "`path` is empty; give a directory or a lot sheet");
            }
            if from.column.is_empty() != from.value.is_empty() {
                return wrong(name, "`column` and `value` go together");
            }
        }
        if parsed.pre == parsed.post {
            return wrong("[post]", "names the same lots as [pre]; choose lots by `column` and `value`, or by `lots`");
        }
        let mut attributes = Vec::new();
        for (i, attribute) in parsed.attribute.into_iter().enumerate() {
            let found = attribute
                .resolve(parsed.design)
                .map_err(|message| Error::format(path, format!("[[attribute]] number {}", i + 1), message))?;
            for attribute in found {
                let label = attribute.label();
                if attributes.iter().any(|a: &crate::data::Attribute| a.label() == label) {
                    let message = format!("{label} is there already; one rule for each attribute");
                    return wrong(&format!("[[attribute]] number {}", i + 1), &message);
                }
                attributes.push(attribute);
            }
        }
        let comparison = Comparison {
            title: parsed.title,
            operator: parsed.operator,
            reason: parsed.reason,
            design: parsed.design,
            pair: parsed.pair,
            n_post: parsed.n_post,
            pair_correlation: parsed.pair_correlation,
            alpha: parsed.alpha,
            multiplicity: parsed.multiplicity,
            allow_missing: parsed.allow_missing,
            attributes,
            whole: parsed.whole,
            n_simulations: parsed.n_simulations,
            seed: parsed.seed,
        };
        let sha256 = sha256(text.as_bytes());
        Ok(Self { path: path.into(), text, sha256, comparison, pre: parsed.pre, post: parsed.post })
    }

    /// Where it was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, byte for byte.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the file, 64 hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What is planned.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// Pre and post lots lie in the same directory or sheet, however the two are written, so that no file of one can be read
    /// without the other.
    pub fn shares_source(&self) -> bool {
        canonical(&self.folder().join(&self.pre.path)) == canonical(&self.post_path())
    }

    /// Refuses lots that stand on both sides.
    ///
    /// # Errors
    /// A lot is in both, by its name in one source or in a copy of it, or by the counts it was made from.
    pub(super) fn refuse_overlap(&self, pre: &ReadRecords, post: &ReadRecords) -> Result<()> {
        let side = |from: &LotsFrom, read: &ReadRecords| Side::new(&self.folder().join(&from.path), read);
        let both = overlap::lots_in_both(&side(&self.pre, pre)?, &side(&self.post, post)?);
        if both.is_empty() {
            return Ok(());
        }
        let message = format!(
            "these lots are also in [pre]: {}. A lot compared with itself shows nothing; choose lots by `column` and `value`, \
             or by `lots`, so that each is on one side",
            both.join(", ")
        );
        Err(Error::format(&self.path, "[post]", message))
    }

    /// Reads the pre lots before the plan is locked, so that a misspelt name is found before it counts as an edit.
    ///
    /// # Errors
    /// As [`read_records`]; and where the source holds post lots too, which only a locked plan may open.
    pub fn read_pre(&self) -> Result<ReadRecords> {
        if self.shares_source() {
            return Err(Error::format(&self.path, "[pre]", "holds the post lots too; lock the plan first"));
        }
        self.records_of(&self.pre)
    }

    /// The pre lots; within the locked plan no source is withheld.
    pub(super) fn pre_of_locked(&self) -> Result<ReadRecords> {
        self.records_of(&self.pre)
    }

    /// The post lots. Called by the locked plan only, which is why nothing outside of provenance can call it.
    pub(super) fn post_of_locked(&self, _proof: &Locked) -> Result<ReadRecords> {
        self.records_of(&self.post)
    }

    /// Directory or sheet of the post lots, resolved.
    pub(super) fn post_path(&self) -> PathBuf {
        self.folder().join(&self.post.path)
    }

    fn records_of(&self, from: &LotsFrom) -> Result<ReadRecords> {
        let mut read = read_records(from, self.folder(), &self.comparison.needs())?;
        if read.records.kind == RecordsKind::Mapped {
            read.records.reference = reference_of(&self.folder().join(&from.path))?;
        }
        Ok(read)
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

/// File of a reference that stands for all of it.
const REFERENCE: &str = "reference.json";

/// The part of `run.json` that names what was read.
#[derive(Deserialize)]
pub(super) struct Inputs {
    pub inputs: Vec<FileHash>,
}

/// Hash of the reference that a directory is, or that its lots were placed by; empty if it does not tell.
fn reference_of(directory: &Path) -> Result<String> {
    let own = directory.join(REFERENCE);
    if own.is_file() {
        return Ok(hash_files(&[own])?.remove(0).sha256);
    }
    let read = read_json::<Inputs>(&directory.join("run.json")).map_or(Vec::new(), |run| run.inputs);
    let of_reference = |file: &FileHash| Path::new(&file.path).file_name().is_some_and(|name| name == REFERENCE);
    Ok(read.into_iter().find(of_reference).map_or(String::new(), |file| file.sha256))
}

/// A path as the file system knows it, also where its end does not exist. Nothing is opened.
pub(super) fn canonical(path: &Path) -> PathBuf {
    let here = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    std::fs::canonicalize(here).unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => canonical(parent).join(name),
        _ => path.into(),
    })
}

#[cfg(test)]
mod tests;
