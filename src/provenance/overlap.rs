//! Lots that stand on both sides of a comparison.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::hash_files;
use super::plan_file::{Inputs, canonical};
use crate::error::Result;
use crate::io::lot_records::ReadRecords;
use crate::io::run_dir::read_json;

/// Lots of one side, and what tells them from others.
pub(super) struct Side {
    /// Directory or sheet.
    source: PathBuf,
    /// Names.
    lots: Vec<String>,
    /// Digests of the files that hold what was measured of the lots.
    measured: BTreeSet<String>,
    /// Per lot: digests of the files of counts it was made from, as the directory's record has them; empty if not known, or if
    /// several lots lie in the same files.
    counts: Vec<BTreeSet<String>>,
}

impl Side {
    pub(super) fn new(source: &Path, read: &ReadRecords) -> Result<Self> {
        // Two directories may well have the same sheet, such as one line per donor.
        let in_directory = source.is_dir();
        let measures = |file: &&PathBuf| !(in_directory && file.ends_with("lots.csv"));
        let measured: Vec<PathBuf> = read.files.iter().filter(measures).cloned().collect();
        let inputs = read_json::<Inputs>(&source.join("run.json")).map_or(Vec::new(), |record| record.inputs);
        let of_lot = |path: &Path| -> BTreeSet<String> {
            let within = inputs.iter().filter(|file| Path::new(&file.path).starts_with(path));
            if path.as_os_str().is_empty() { BTreeSet::new() } else { within.map(|file| file.sha256.clone()).collect() }
        };
        let lots = &read.records.sheet.lots;
        let counts = lots.iter().map(|lot| {
            let shared = lots.iter().filter(|other| other.path == lot.path).count() > 1 || lot.subset.is_some();
            if shared || read.records.sheet.column("lot_value").is_some() { BTreeSet::new() } else { of_lot(&lot.path) }
        });
        Ok(Self {
            source: canonical(source),
            counts: counts.collect(),
            lots: read.records.lots(),
            measured: hash_files(&measured)?.into_iter().map(|file| file.sha256).collect(),
        })
    }
}

/// Names of the second side's lots that are also on the first.
pub(super) fn lots_in_both(first: &Side, second: &Side) -> Vec<String> {
    let one_source = first.source == second.source || !first.measured.is_disjoint(&second.measured);
    let same_counts = |counts: &BTreeSet<String>| !counts.is_empty() && first.counts.contains(counts);
    let in_both = |(name, counts): (&String, &BTreeSet<String>)| {
        ((one_source && first.lots.contains(name)) || same_counts(counts)).then(|| name.clone())
    };
    second.lots.iter().zip(&second.counts).filter_map(in_both).collect()
}
