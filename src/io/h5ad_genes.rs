//! Which columns of an `.h5ad`'s var name the genes, and which of its features are genes.

use std::collections::{BTreeMap, HashSet};

use crate::error::Result;
use crate::io::hdf5::{Frame, H5};
use crate::io::names::GeneColumns;
use crate::warning::Warning;

/// Columns that hold ids, as scanpy, the Human Cell Atlas and others call them. The first is what scanpy makes of the ids
/// of a 10x file, so it is believed whatever its ids look like.
const ID_COLUMNS: [&str; 8] =
    ["gene_ids", "gene_id", "ensembl_id", "ensembl_ids", "ensembl_gene_id", "ensembl", "ensemblid", "accession"];

/// Columns that hold symbols where the index holds ids.
const SYMBOL_COLUMNS: [&str; 9] = [
    "feature_name",
    "gene_symbols",
    "gene_symbol",
    "gene_name",
    "gene_names",
    "symbol",
    "symbols",
    "hgnc_symbol",
    "name",
];

/// Columns that hold the type of a feature.
const TYPE_COLUMNS: [&str; 2] = ["feature_types", "feature_type"];

/// Genes, as 10x and others call them.
const GENES: [&str; 3] = ["gene expression", "gex", "rna"];

/// What is no gene, where no feature is called one: `feature_type` may hold biotypes instead.
const NO_GENES: [&str; 9] = [
    "adt",
    "antibody capture",
    "antigen capture",
    "atac",
    "crispr guide capture",
    "custom",
    "hto",
    "multiplexing capture",
    "peaks",
];

/// The genes of the frame at this key, and the number of its features.
pub(super) fn genes_of(h5: &H5, key: &str) -> Result<(GeneColumns, usize)> {
    let var = Frame::open(h5, key)?;
    let index = var.index()?;
    let names = var.columns()?;
    let column = |wanted: &[&str]| -> Result<Vec<Vec<String>>> {
        let mut found = Vec::new();
        for wanted in wanted {
            if let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(wanted))
                && let Some(values) = var.column(name)?
            {
                found.push(values.into_text());
            }
        }
        match found.iter().find(|values| values.len() != index.len()) {
            None => Ok(found),
            Some(values) => Err(h5.error(
                key,
                format!(
                    "a column has {} values for {} features; the file is damaged; copy or download it again",
                    values.len(),
                    index.len()
                ),
            )),
        }
    };
    let types = column(&TYPE_COLUMNS)?.into_iter().next().unwrap_or_default();
    let is_gene = genes_by_type(&types, index.len());
    let genes_only = |values: &[String]| -> Vec<String> {
        values.iter().zip(&is_gene).filter(|(_, gene)| **gene).map(|(v, _)| v.clone()).collect()
    };
    let mut ids = None;
    for (believed, name) in ID_COLUMNS.iter().enumerate().map(|(i, name)| (i == 0, name)) {
        let Some(values) = column(&[*name])?.into_iter().next() else { continue };
        let genes = genes_only(&values);
        if is_unique(&genes) && (believed || is_ensembl(&genes)) {
            ids = Some(values);
            break;
        }
    }
    let symbols = if is_ensembl(&genes_only(&index)) { column(&SYMBOL_COLUMNS)?.into_iter().next() } else { None };
    let symbols = symbols.unwrap_or_else(|| index.clone());
    let ids = ids.unwrap_or(index);
    let mut aside: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, _) in types.iter().zip(&is_gene).filter(|(_, gene)| !**gene) {
        *aside.entry(kind).or_insert(0) += 1;
    }
    let n_features = ids.len();
    let features = ids.into_iter().zip(symbols).zip(&is_gene);
    let features = features.map(|((id, symbol), gene)| {
        let symbol = if symbol.is_empty() { id.clone() } else { symbol };
        gene.then_some((id, symbol))
    });
    let mut columns = GeneColumns::new(features.collect());
    if columns.genes.is_empty() {
        let found: Vec<&str> = aside.keys().copied().collect();
        let found = if found.is_empty() { "it is empty".into() } else { format!("only {}", found.join(", ")) };
        return Err(
            h5.error(key, format!("no genes among the features ({found}); give the gene expression of this lot"))
        );
    }
    let set_aside = aside.iter().map(|(&feature_type, &n_features)| Warning::FeaturesSetAside {
        lot: String::new(),
        feature_type: feature_type.to_string(),
        n_features,
    });
    columns.warnings = set_aside.chain(columns.warnings).collect();
    Ok((columns, n_features))
}

/// Which features are genes, by their types (none = all are).
fn genes_by_type(types: &[String], n: usize) -> Vec<bool> {
    let types: Vec<String> = types.iter().map(|t| t.to_ascii_lowercase()).collect();
    if types.iter().any(|t| GENES.contains(&t.as_str())) {
        types.iter().map(|t| GENES.contains(&t.as_str())).collect()
    } else if types.is_empty() {
        vec![true; n]
    } else {
        types.iter().map(|t| !NO_GENES.contains(&t.as_str())).collect()
    }
}

fn is_unique(ids: &[String]) -> bool {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.iter().all(|id| !id.is_empty() && seen.insert(id.as_str()))
}

/// True if most ids are Ensembl's, such as `ENSG00000181350`, `ENSMUSG00000026034.3` or `GRCh38_ENSG00000181350`.
fn is_ensembl(ids: &[String]) -> bool {
    let like = |id: &String| {
        let id = id.rsplit('_').next().unwrap_or(id);
        let id = id.split('.').next().unwrap_or(id);
        let digits = id.trim_start_matches(|c: char| c.is_ascii_uppercase());
        id.starts_with("ENS") && digits.len() == 11 && digits.bytes().all(|b| b.is_ascii_digit())
    };
    !ids.is_empty() && 2 * ids.iter().filter(|id| like(id)).count() > ids.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(values: &[&str]) -> Vec<String> {
        values.iter().map(|s| s.to_string()).collect()
    }

    #[test]
    fn ensembl_ids_are_known() {
        assert!(is_ensembl(&strings(&["ENSG00000181350", "ENSMUSG00000026034.3", "MT-CO1"])));
        assert!(is_ensembl(&strings(&["GRCh38_ENSG00000181350"])));
        for names in [&["LRRC75A"][..], &["ENSA", "ENSG123"], &["ENSG00000181350", "A", "B"], &[]] {
            assert!(!is_ensembl(&strings(names)), "{names:?}");
        }
    }

    #[test]
    fn types_of_10x_are_told_from_biotypes() {
        let by_type = |types: &[&str]| genes_by_type(&strings(types), types.len());
        assert_eq!(by_type(&["Gene Expression", "Antibody Capture", "whatever"]), [true, false, false]);
        assert_eq!(by_type(&["protein_coding", "lncRNA"]), [true, true]);
        assert_eq!(by_type(&["Peaks", "protein_coding"]), [false, true]);
        assert_eq!(genes_by_type(&[], 2), [true, true]);
    }
}
