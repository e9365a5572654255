//! 10x HDF5 files, as Cell Ranger 1 to 9 write them (and others after its example).
//!
//! Since version 3 all is under `matrix`, with `features/{id, name, feature_type, genome}`; before, every genome had a
//! group of its own with `genes` and `gene_names`. Both hold features × barcodes compressed by barcode, which are our rows.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Result;
use crate::io::hdf5::{H5, Matrix, Rows};
use crate::io::names::{GeneColumns, unique_barcodes};
use crate::io::{RawLot, ReadParams};
use crate::warning::Warning;

/// What 10x calls genes among the features.
const GENE_EXPRESSION: &str = "Gene Expression";

/// Reads a 10x `.h5` of Cell Ranger 1 to 9.
///
/// Features that are not gene expression are set aside and counted in a warning. Genes whose id repeats are added up.
///
/// # Errors
/// - not HDF5, or no 10x matrix in it
/// - several genomes, and [`ReadParams::genome`] names none; or it names one that the file lacks
/// - no gene expression among the features
/// - parts that contradict each other, or values that are no counts
pub fn read_tenx_h5(path: &Path, params: &ReadParams) -> Result<RawLot> {
    let h5 = H5::open(path)?;
    let place = Place::find(&h5, params)?;
    let mut warnings = Vec::new();
    let features = if place.key == "matrix" {
        genes_among(&h5, params, &mut warnings)?
    } else {
        let ids = h5.strings(&place.features)?;
        let symbols = h5.strings(&format!("{}/gene_names", place.key))?;
        same_length(&h5, &format!("{}/gene_names", place.key), ids.len(), symbols.len())?;
        ids.into_iter().zip(symbols).map(Some).collect()
    };
    let barcodes_key = format!("{}/barcodes", place.key);
    let mut barcodes = h5.strings(&barcodes_key)?;
    let shape_key = format!("{}/shape", place.key);
    let shape = h5.unsigned(&shape_key)?;
    if shape != [features.len() as u64, barcodes.len() as u64] {
        return Err(h5.error(
            &shape_key,
            format!(
                "{shape:?}, but there are {} features and {} barcodes; is the file damaged?",
                features.len(),
                barcodes.len()
            ),
        ));
    }
    let mut columns = GeneColumns::new(features.into_iter().map(|f| f.map(named)).collect());
    if columns.genes.is_empty() {
        let found: Vec<String> = warnings.iter().filter_map(feature_type).map(|t| format!("`{t}`")).collect();
        return Err(h5.error(
            &place.features,
            format!(
                "no feature of type `{GENE_EXPRESSION}` ({}); give the gene expression matrix of this lot",
                if found.is_empty() { "no features at all".into() } else { format!("only {}", found.join(", ")) }
            ),
        ));
    }
    let matrix = Matrix::of_tenx(&h5, &place.key, (barcodes.len(), columns.columns.len()));
    let read = matrix.read(&Rows {
        group_of_cell: &vec![Some(0); barcodes.len()],
        n_groups: 1,
        column_of_feature: &columns.columns,
        n_genes: columns.genes.len(),
    })?;
    let counts = read.map_err(|not| {
        let key = format!("{}/data", place.key);
        h5.error(&key, format!("holds {}, which is no count; give the matrix that Cell Ranger wrote", not.example))
    })?;
    warnings.append(&mut columns.warnings);
    warnings.extend(unique_barcodes(&mut barcodes));
    let counts = counts.into_iter().next().expect("one matrix was asked for");
    Ok(RawLot { genes: columns.genes, barcodes, counts, files: vec![path.to_path_buf()], warnings })
}

/// The group of the matrix, and the key of the features' ids.
struct Place {
    key: String,
    features: String,
}

impl Place {
    fn find(h5: &H5, params: &ReadParams) -> Result<Self> {
        if h5.is_group("matrix") {
            let id = ["matrix/features/id", "matrix/features/name"].into_iter().find(|key| h5.has(key));
            let features = id.ok_or_else(|| h5.error("matrix/features/id", "missing; is this a 10x file?"))?;
            return Ok(Self { key: "matrix".into(), features: features.into() });
        }
        let (groups, datasets) = h5.names("/")?;
        let is_matrix = |group: &&String| ["data", "indices", "indptr"].iter().all(|n| h5.has(&format!("{group}/{n}")));
        let genomes: Vec<String> = groups.iter().filter(is_matrix).cloned().collect();
        if genomes.is_empty() {
            if h5.has("obs") && h5.has("var") {
                return Err(h5.error("obs", "an AnnData file; give it the ending .h5ad"));
            }
            let found = [groups, datasets].concat().join(", ");
            return Err(h5.error(
                "matrix",
                format!("missing, so this is no 10x matrix (found: {found}); give filtered_feature_bc_matrix.h5"),
            ));
        }
        let key = choose_genome(h5, "/", &genomes, params)?;
        Ok(Self { features: format!("{key}/genes"), key })
    }
}

/// Ids and symbols of the genes of the chosen genome; `None` for all other features, which are counted.
#[expect(clippy::type_complexity, reason = "the list is used once, by the caller")]
fn genes_among(h5: &H5, params: &ReadParams, warnings: &mut Vec<Warning>) -> Result<Vec<Option<(String, String)>>> {
    let optional = |name: &str| -> Result<Option<Vec<String>>> {
        let key = format!("matrix/features/{name}");
        if h5.has(&key) { h5.strings(&key).map(Some) } else { Ok(None) }
    };
    let (ids, symbols) = (optional("id")?, optional("name")?);
    let ids = ids.or_else(|| symbols.clone()).unwrap_or_default();
    let symbols = symbols.unwrap_or_else(|| ids.clone());
    let types = optional("feature_type")?;
    let genomes = optional("genome")?;
    same_length(h5, "matrix/features/name", ids.len(), symbols.len())?;
    same_length(h5, "matrix/features/feature_type", ids.len(), types.as_ref().map_or(ids.len(), Vec::len))?;
    same_length(h5, "matrix/features/genome", ids.len(), genomes.as_ref().map_or(ids.len(), Vec::len))?;
    // A file without types holds genes only.
    let is_gene = |i: usize| types.as_ref().is_none_or(|t| t[i] == GENE_EXPRESSION);
    let mut distinct: Vec<String> = Vec::new();
    if let Some(genomes) = &genomes {
        distinct.extend((0..ids.len()).filter(|&i| is_gene(i) && !genomes[i].is_empty()).map(|i| genomes[i].clone()));
        distinct.sort_unstable();
        distinct.dedup();
    }
    let genome =
        if distinct.is_empty() { None } else { Some(choose_genome(h5, "matrix/features/genome", &distinct, params)?) };
    let mut aside: BTreeMap<String, usize> = BTreeMap::new();
    let features = ids
        .into_iter()
        .zip(symbols)
        .enumerate()
        .map(|(i, feature)| {
            let other_genome =
                genomes.as_ref().map(|g| &g[i]).filter(|&g| genome.as_ref().is_some_and(|wanted| g != wanted));
            let kind = match (is_gene(i), other_genome) {
                (true, None) => return Some(feature),
                (true, Some(genome)) => format!("{GENE_EXPRESSION} ({genome})"),
                (false, _) => types.as_ref().map(|t| t[i].clone()).unwrap_or_default(),
            };
            *aside.entry(kind).or_insert(0) += 1;
            None
        })
        .collect();
    warnings.extend(aside.into_iter().map(|(feature_type, n_features)| Warning::FeaturesSetAside {
        lot: String::new(),
        feature_type,
        n_features,
    }));
    Ok(features)
}

/// The only genome, or the one that the parameters name.
fn choose_genome(h5: &H5, key: &str, genomes: &[String], params: &ReadParams) -> Result<String> {
    match genomes {
        [only] if params.genome.is_empty() => Ok(only.clone()),
        _ if genomes.contains(&params.genome) => Ok(params.genome.clone()),
        _ if params.genome.is_empty() => {
            Err(h5.error(key, format!("several genomes: {}; name one as `read.genome`", genomes.join(", "))))
        }
        _ => Err(h5.error(key, format!("no genome `{}`; the file has {}", params.genome, genomes.join(", ")))),
    }
}

/// A feature without symbol is called by its id, and the other way round.
fn named((id, symbol): (String, String)) -> (String, String) {
    match (id.is_empty(), symbol.is_empty()) {
        (false, true) => (id.clone(), id),
        (true, false) => (symbol.clone(), symbol),
        _ => (id, symbol),
    }
}

fn same_length(h5: &H5, key: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(h5.error(key, format!("{found} entries, but there are {expected} features; is the file damaged?")))
}

fn feature_type(warning: &Warning) -> Option<&str> {
    match warning {
        Warning::FeaturesSetAside { feature_type, .. } => Some(feature_type),
        _ => None,
    }
}
