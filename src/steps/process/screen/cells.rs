//! Which cells of a lot meet the rule.

use rayon::prelude::*;

use super::ScreenParams;
use crate::data::{Dataset, Genes, Row, Signature};
use crate::error::{Error, Result};
use crate::steps::cells::Qc;
use crate::warning::Warning;

/// What was seen in one lot.
#[derive(Debug, Clone, PartialEq)]
pub struct LotCells {
    /// Lot name.
    pub lot: String,
    /// Cells in the file.
    pub n_read: u64,
    /// Cells with enough counts, all of which were looked at.
    pub n_cells: u64,
    /// Cells among these that pass quality control.
    pub n_cells_kept: u64,
    /// Cells that meet the rule.
    pub positives: Vec<PositiveCell>,
    /// Which genes of the signature the lot's annotation has, those that count first, then those that must be absent.
    pub found: Vec<bool>,
    /// Counts of each cell that was looked at, rising.
    pub depths: Vec<u32>,
}

/// A cell that meets the rule.
#[derive(Debug, Clone, PartialEq)]
pub struct PositiveCell {
    /// Lot name.
    pub lot: String,
    /// Barcode.
    pub barcode: String,
    /// Counts in all.
    pub n_counts: u32,
    /// Genes with a count.
    pub n_genes: u32,
    /// Mitochondrial percentage, 0..100.
    pub pct_mito: f32,
    /// Why quality control would take it away; empty if it passes.
    pub excluded: String,
    /// Genes of the signature that reach their counts.
    pub n_signature_genes: usize,
    /// Counts of each gene of the signature, then of those that must be absent.
    pub counts: Vec<u32>,
}

impl LotCells {
    /// A lot of which no cell was read. Nothing is known of its annotation, so that no gene is called missing.
    pub fn without_cells(lot: &str, signature: &Signature) -> Self {
        Self {
            lot: lot.to_string(),
            n_read: 0,
            n_cells: 0,
            n_cells_kept: 0,
            positives: Vec::new(),
            found: vec![true; signature.genes.len() + signature.absent.len()],
            depths: Vec::new(),
        }
    }

    /// Cells that meet the rule.
    pub fn n_positive(&self) -> u64 {
        self.positives.len() as u64
    }

    /// Those of them that pass quality control.
    pub fn n_positive_kept(&self) -> u64 {
        self.positives.iter().filter(|cell| cell.excluded.is_empty()).count() as u64
    }

    /// Symbols of the genes that the annotation lacks.
    pub fn missing(&self, signature: &Signature) -> Vec<String> {
        missing(signature, &self.found)
    }

    pub(super) fn warning(&self, signature: &Signature) -> Option<Warning> {
        lacks(&self.lot, signature, &self.found)
    }
}

/// Looks at every cell of one lot.
///
/// `lot`: a data set of this lot alone, with the genes of its own annotation. `qc`: its quality control.
///
/// # Errors
/// So many genes are missing from the annotation that no cell could meet the rule.
pub fn count_positives(lot: &Dataset, qc: &Qc, signature: &Signature, params: &ScreenParams) -> Result<LotCells> {
    assert_eq!((lot.n_lots(), qc.keep.len()), (1, lot.n_cells()), "one lot, with its own quality control");
    let name = &lot.lots()[0].name;
    let slots = Slots::new(lot.genes(), signature);
    slots.enough(name, signature)?;
    let seen: Vec<(u32, Option<PositiveCell>)> = (0..lot.n_cells())
        .into_par_iter()
        .with_min_len(64)
        .map(|cell| {
            let depth = qc.metrics.n_counts[cell];
            if depth < params.min_counts {
                return (depth, None);
            }
            let counts = slots.counts(lot.row(cell));
            let n_met = n_met(signature, &counts);
            let positive = n_met >= signature.at_least && without_absent(signature, &counts);
            let found = positive.then(|| PositiveCell {
                lot: name.clone(),
                barcode: lot.lots()[0].barcodes[cell].clone(),
                n_counts: depth,
                n_genes: qc.metrics.n_genes[cell],
                pct_mito: qc.metrics.pct_mito[cell],
                excluded: String::new(),
                n_signature_genes: n_met,
                counts,
            });
            (depth, found)
        })
        .collect();
    let mut depths: Vec<u32> = seen.iter().map(|(depth, _)| *depth).filter(|d| *d >= params.min_counts).collect();
    depths.sort_unstable();
    let n_cells_kept = seen.iter().zip(&qc.keep).filter(|((depth, _), keep)| *depth >= params.min_counts && **keep);
    let n_cells_kept = n_cells_kept.count() as u64;
    let reason = |cell: usize| {
        // Excluded cells lie in global order.
        let at = qc.excluded.binary_search_by_key(&cell, |e| e.cell);
        at.map_or(String::new(), |at| qc.excluded[at].reason.clone())
    };
    let positives = seen
        .into_iter()
        .enumerate()
        .filter_map(|(cell, (_, found))| found.map(|found| PositiveCell { excluded: reason(cell), ..found }));
    Ok(LotCells {
        lot: name.clone(),
        n_read: lot.n_cells() as u64,
        n_cells: depths.len() as u64,
        n_cells_kept,
        positives: positives.collect(),
        found: slots.found,
        depths,
    })
}

/// Where the genes of a signature are on a gene axis.
pub(super) struct Slots {
    /// Place in the signature of each gene of the axis; `NONE` for all others.
    of_gene: Vec<u8>,
    n: usize,
    pub(super) found: Vec<bool>,
}

/// No place in the signature.
const NONE: u8 = u8::MAX;

impl Slots {
    /// A gene of the axis belongs to the gene of the signature whose Ensembl id (version cut off), symbol or alias it bears;
    /// several of one symbol are added up.
    pub(super) fn new(genes: &Genes, signature: &Signature) -> Self {
        let present = signature.genes.iter().map(|g| (&g.symbol, &g.ensembl, &g.aliases));
        let absent = signature.absent.iter().map(|g| (&g.symbol, &g.ensembl, &g.aliases));
        let names: Vec<Vec<&str>> = present
            .chain(absent)
            .map(|(symbol, ensembl, aliases)| {
                let all = [symbol, ensembl].into_iter().chain(aliases).map(String::as_str);
                all.filter(|name| !name.is_empty()).collect()
            })
            .collect();
        let mut found = vec![false; names.len()];
        let of_gene = genes.ids().iter().zip(genes.symbols()).map(|(id, symbol)| {
            let id = match id.split_once('.') {
                Some((bare, _)) if bare.starts_with("ENS") => bare,
                _ => id,
            };
            let slot = names.iter().position(|names| names.iter().any(|name| *name == id || name == symbol));
            slot.map_or(NONE, |slot| {
                found[slot] = true;
                slot as u8
            })
        });
        Self { of_gene: of_gene.collect(), n: names.len(), found }
    }

    /// Refuses an annotation with which no cell could be positive.
    pub(super) fn enough(&self, lot: &str, signature: &Signature) -> Result<()> {
        let n_found = self.found[..signature.genes.len()].iter().filter(|found| **found).count();
        if n_found >= signature.at_least {
            return Ok(());
        }
        Err(Error::Input {
            what: format!(
                "lot {lot}: its annotation has {n_found} of the {} genes of {}, and a positive cell must show {}; it lacks {}",
                signature.genes.len(),
                signature.name,
                signature.at_least,
                missing(signature, &self.found).join(", ")
            ),
            cure: "nothing could be found: annotate the lot with a reference that has these genes, or add the names it uses \
                   as `aliases`"
                .into(),
        })
    }

    /// Counts of each gene of the signature in a cell.
    pub(super) fn counts(&self, row: Row<'_>) -> Vec<u32> {
        let mut counts = vec![0_u32; self.n];
        row.for_each(|gene, count| {
            let slot = self.of_gene[gene as usize];
            if slot != NONE {
                let sum = &mut counts[usize::from(slot)];
                *sum = sum.saturating_add(count);
            }
        });
        counts
    }
}

fn n_met(signature: &Signature, counts: &[u32]) -> usize {
    signature.genes.iter().zip(counts).filter(|(gene, count)| **count >= gene.min_count).count()
}

fn without_absent(signature: &Signature, counts: &[u32]) -> bool {
    signature.absent.iter().zip(&counts[signature.genes.len()..]).all(|(gene, count)| *count <= gene.max_count)
}

/// Symbols of the genes that an annotation lacks.
fn missing(signature: &Signature, found: &[bool]) -> Vec<String> {
    let symbols = signature.genes.iter().map(|g| &g.symbol).chain(signature.absent.iter().map(|g| &g.symbol));
    symbols.zip(found).filter(|(_, found)| !**found).map(|(symbol, _)| symbol.clone()).collect()
}

/// A warning if the annotation of a lot lacks genes of the signature.
pub(super) fn lacks(lot: &str, signature: &Signature, found: &[bool]) -> Option<Warning> {
    let genes = missing(signature, found);
    let n_left = found[..signature.genes.len()].iter().filter(|found| **found).count();
    (!genes.is_empty()).then(|| Warning::SignatureGenesMissing { lot: lot.to_string(), genes, n_left })
}
