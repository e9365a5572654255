//! The gene axis that all lots share.
//!
//! Lots are joined by gene id, in the first lot's order. Where a lot's ids do not match the first lot's as written, its
//! genes are renamed: without the version of an Ensembl id (`ENSG00000181350.5`) if more match that way, or by symbol if
//! no id matches at all. Both are told in a warning. A name that is not unique in both lots joins nothing.

use std::collections::{HashMap, HashSet};

use crate::data::Genes;
use crate::error::{Error, Result};
use crate::io::GeneSets;
use crate::warning::Warning;

/// Fewer common genes than this cannot carry an analysis, and show that lots of thousands of genes are named otherwise.
const FEW_GENES: usize = 100;
/// A lot of this many genes is no targeted panel.
const WHOLE_TRANSCRIPTOME: usize = 1_000;

/// The joined axis.
pub(crate) struct GeneAxis {
    pub(crate) genes: Genes,
    /// Per lot: new column of each of its genes; `None` if they stay as they are.
    pub(crate) columns: Vec<Option<Vec<Option<u32>>>>,
    pub(crate) warnings: Vec<Warning>,
}

/// Joins the genes of the lots.
pub(crate) fn join(names: &[String], lots: &[&Genes], sets: GeneSets) -> Result<GeneAxis> {
    let first = lots[0];
    if lots.iter().all(|genes| genes.ids() == first.ids()) {
        let columns = vec![None; lots.len()];
        return Ok(GeneAxis { genes: (*first).clone(), columns, warnings: Vec::new() });
    }
    let mut warnings = Vec::new();
    let mut ids: Vec<Vec<&str>> = Vec::with_capacity(lots.len());
    for (name, genes) in names.iter().zip(lots) {
        ids.push(match Renaming::of(first, genes) {
            Some(renaming) => {
                warnings.push(renaming.warning(name));
                renaming.ids
            }
            None => genes.ids().iter().map(String::as_str).collect(),
        });
    }

    // Every gene of any lot, in order of appearance, with the number of lots that have it.
    let mut index: HashMap<&str, u32> = HashMap::new();
    let mut union: Vec<(&str, &str, usize)> = Vec::new();
    let mut columns: Vec<Vec<u32>> = Vec::with_capacity(lots.len());
    for (ids, genes) in ids.iter().zip(lots) {
        let in_union = ids.iter().zip(genes.symbols()).map(|(&id, symbol)| {
            let column = *index.entry(id).or_insert_with(|| {
                union.push((id, symbol, 0));
                union.len() as u32 - 1
            });
            let gene = &mut union[column as usize];
            gene.2 += 1;
            // A lot that lists ids only takes its symbols from one that knows them.
            if gene.1 == gene.0 {
                gene.1 = symbol;
            }
            column
        });
        columns.push(in_union.collect());
    }
    let common: Vec<bool> = union.iter().map(|gene| gene.2 == lots.len()).collect();
    let n_common = common.iter().filter(|&&c| c).count();
    let smallest = lots.iter().map(|genes| genes.len()).min().unwrap_or(0);
    if n_common == 0 || (n_common < FEW_GENES && smallest >= WHOLE_TRANSCRIPTOME) {
        return Err(too_few(n_common, names, lots, &ids));
    }
    let worst = (0..lots.len()).min_by_key(|&l| lots[l].len()).unwrap_or(0);
    if n_common < union.len() {
        warnings.push(Warning::GeneSetsDiffer {
            n_common,
            n_union: union.len(),
            used: match sets {
                GeneSets::Intersection => "intersection".into(),
                GeneSets::Union => "union".into(),
            },
            worst_lot: names[worst].clone(),
            n_missing: union.len() - lots[worst].len(),
        });
    }
    let mut kept: Vec<Option<u32>> = Vec::with_capacity(union.len());
    let (mut kept_ids, mut kept_symbols) = (Vec::new(), Vec::new());
    for (&(id, symbol, _), &in_all) in union.iter().zip(&common) {
        kept.push((in_all || sets == GeneSets::Union).then_some(kept_ids.len() as u32));
        if kept[kept.len() - 1].is_some() {
            kept_ids.push(id.to_string());
            kept_symbols.push(symbol.to_string());
        }
    }
    let genes = Genes::new(kept_ids, kept_symbols).expect("each id was taken once");
    let columns =
        columns.into_iter().map(|c| Some(c.into_iter().map(|column| kept[column as usize]).collect())).collect();
    Ok(GeneAxis { genes, columns, warnings })
}

/// Other names for a lot's genes, so that they match the first lot's.
struct Renaming<'a> {
    /// `symbol` or `id without version`.
    by: &'static str,
    ids: Vec<&'a str>,
    example_first: &'a str,
    example_lot: &'a str,
}

impl<'a> Renaming<'a> {
    /// `None` if ids match best as they are.
    fn of(first: &'a Genes, lot: &'a Genes) -> Option<Self> {
        let known: HashSet<&str> = first.ids().iter().map(String::as_str).collect();
        let n_plain = lot.ids().iter().filter(|id| known.contains(id.as_str())).count();
        let by_version = Self::by(
            "id without version",
            first.ids().iter().map(|id| without_version(id)).collect(),
            lot.ids().iter().map(|id| without_version(id)).collect(),
            (first, lot),
        );
        if let Some((renaming, n)) = by_version
            && n > n_plain
        {
            return Some(renaming);
        }
        if n_plain > 0 {
            return None;
        }
        let symbols = |genes: &'a Genes| genes.symbols().iter().map(String::as_str).collect();
        Self::by("symbol", symbols(first), symbols(lot), (first, lot)).map(|(renaming, _)| renaming)
    }

    /// Renames by a key that is unique in both lots; `None` if nothing matches, else with the number of matches.
    fn by(
        by: &'static str,
        first_keys: Vec<&'a str>,
        lot_keys: Vec<&'a str>,
        (first, lot): (&'a Genes, &'a Genes),
    ) -> Option<(Self, usize)> {
        let first_index = unique(&first_keys);
        let lot_index = unique(&lot_keys);
        let mut ids: Vec<&str> = lot.ids().iter().map(String::as_str).collect();
        let mut example = None;
        let mut n = 0;
        for (i, key) in lot_keys.iter().enumerate() {
            if let (Some(Some(gene)), Some(Some(_))) = (first_index.get(key), lot_index.get(key)) {
                let id = first.ids()[*gene].as_str();
                if ids[i] != id {
                    example.get_or_insert((id, ids[i]));
                }
                ids[i] = id;
                n += 1;
            }
        }
        let (example_first, example_lot) = example?;
        // An id of this lot that was not renamed must not meet one that was.
        let distinct: HashSet<&str> = ids.iter().copied().collect();
        (distinct.len() == ids.len()).then_some((Self { by, ids, example_first, example_lot }, n))
    }

    fn warning(&self, lot: &str) -> Warning {
        Warning::GenesJoinedBy {
            name: self.by.to_string(),
            lot: lot.to_string(),
            example_first: self.example_first.to_string(),
            example_lot: self.example_lot.to_string(),
        }
    }
}

/// Index of each key; `None` for those that occur more than once.
fn unique<'a>(keys: &[&'a str]) -> HashMap<&'a str, Option<usize>> {
    let mut index = HashMap::with_capacity(keys.len());
    for (i, &key) in keys.iter().enumerate() {
        index.entry(key).and_modify(|known| *known = None).or_insert(Some(i));
    }
    index
}

/// An Ensembl id without its version: `ENSG00000181350.5` becomes `ENSG00000181350`. Other names stay as they are.
fn without_version(id: &str) -> &str {
    match id.split_once('.') {
        Some((stem, version))
            if stem.starts_with("ENS") && !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()) =>
        {
            stem
        }
        _ => id,
    }
}

/// The error where lots have nearly nothing in common: names the lot that shares least with the first.
fn too_few(n_common: usize, names: &[String], lots: &[&Genes], ids: &[Vec<&str>]) -> Error {
    let known: HashSet<&str> = ids[0].iter().copied().collect();
    let shared = |l: &usize| ids[*l].iter().filter(|id| known.contains(*id)).count();
    let worst = (1..lots.len()).min_by_key(shared).unwrap_or(0);
    let kind = |genes: &Genes| {
        let n_ensembl =
            genes.ids().iter().filter(|id| id.starts_with("ENS") && id.bytes().any(|b| b.is_ascii_digit())).count();
        let example = genes.ids().first().map_or("", String::as_str);
        let kind = if n_ensembl * 2 > genes.len() { "Ensembl ids" } else { "names" };
        format!("{kind} such as {example}")
    };
    Error::input(
        format!(
            "the lots have {n_common} genes in common; lot {} ({}) and lot {} ({}) share {}",
            names[0],
            kind(lots[0]),
            names[worst],
            kind(lots[worst]),
            shared(&worst)
        ),
        "annotate all lots with the same reference, and name genes the same way (ids or symbols)",
    )
}

#[cfg(test)]
mod tests;
