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

/// Cells that the shape of the matrix promises.
pub(super) fn promised_cells(path: &Path, params: &ReadParams) -> Result<u64> {
    let h5 = H5::open(path, params)?;
    let shape = h5.unsigned(&format!("{}/shape", Place::find(&h5, params)?.key))?;
    Ok(shape.get(1).copied().unwrap_or(0))
}

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
    let h5 = H5::open(path, params)?;
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
                "{shape:?}, but there are {} features and {} barcodes; the file is damaged; copy or download it again",
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
            let features = id.ok_or_else(|| {
                h5.error("matrix/features/id", "missing; give filtered_feature_bc_matrix.h5, or copy it again")
            })?;
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
    Err(h5.error(
        key,
        format!("{found} entries, but there are {expected} features; the file is damaged; copy or download it again"),
    ))
}

fn feature_type(warning: &Warning) -> Option<&str> {
    match warning {
        Warning::FeaturesSetAside { feature_type, .. } => Some(feature_type),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdf5_pure::FileBuilder;

    /// Three cells; two human genes (one id twice), a mouse gene, an antibody and a peak, of which some fields are absent.
    fn write(path: &Path, types: Option<[&str; 5]>, genomes: Option<[&str; 5]>, shape: [i32; 2]) {
        let mut file = FileBuilder::new();
        let mut matrix = file.create_group("matrix");
        let mut features = matrix.create_group("features");
        features.create_dataset("id").with_ascii_strings(&["ENSG1", "ENSG1", "ENSMUSG1", "CD3", "chr1:5"]).unwrap();
        features.create_dataset("name").with_ascii_strings(&["LRRC75A", "", "Lrrc75a", "CD3", "peak"]).unwrap();
        for (name, values) in [("feature_type", types), ("genome", genomes)] {
            if let Some(values) = values {
                features.create_dataset(name).with_ascii_strings(&values).unwrap();
            }
        }
        matrix.add_group(features.finish());
        matrix.create_dataset("barcodes").with_ascii_strings(&["AAA-1", "CCC-1", "CCC-1"]).unwrap();
        matrix.create_dataset("data").with_i32_data(&[1, 10, 100, 1_000, 10_000, 7]);
        matrix.create_dataset("indices").with_i64_data(&[0, 1, 2, 3, 4, 2]);
        matrix.create_dataset("indptr").with_i64_data(&[0, 5, 5, 6]);
        matrix.create_dataset("shape").with_i32_data(&shape);
        let matrix = matrix.finish();
        file.add_group(matrix);
        file.write(path).unwrap();
    }

    const TYPES: [&str; 5] = [GENE_EXPRESSION, GENE_EXPRESSION, GENE_EXPRESSION, "Antibody Capture", "Peaks"];
    const GENOMES: [&str; 5] = ["GRCh38", "GRCh38", "mm10", "", "GRCh38"];

    fn read(types: Option<[&str; 5]>, genomes: Option<[&str; 5]>, genome: &str) -> Result<RawLot> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lot.h5");
        write(&path, types, genomes, [5, 3]);
        read_tenx_h5(&path, &ReadParams { genome: genome.into(), ..ReadParams::default() })
    }

    fn totals(lot: &RawLot) -> Vec<u64> {
        (0..lot.counts.n_cells()).map(|cell| lot.counts.total(cell)).collect()
    }

    #[test]
    fn only_genes_of_the_genome_are_counted_and_the_rest_is_told() {
        let lot = read(Some(TYPES), Some(GENOMES), "GRCh38").unwrap();
        assert_eq!(totals(&lot), [11, 0, 0]);
        assert_eq!((lot.genes.ids(), lot.genes.symbols()), (&["ENSG1".to_string()][..], &["LRRC75A".to_string()][..]));
        assert_eq!(lot.barcodes, ["AAA-1", "CCC-1", "CCC-1_2"]);
        let aside = |feature_type: &str| Warning::FeaturesSetAside {
            lot: String::new(),
            feature_type: feature_type.into(),
            n_features: 1,
        };
        assert_eq!(lot.warnings[..3], [aside("Antibody Capture"), aside("Gene Expression (mm10)"), aside("Peaks")]);
        assert!(matches!(&lot.warnings[3], Warning::DuplicateGeneIds { n_ids: 1, .. }));
        assert!(matches!(&lot.warnings[4], Warning::DuplicateBarcodes { n_cells: 1, .. }));
        assert_eq!(totals(&read(Some(TYPES), Some(GENOMES), "mm10").unwrap()), [100, 0, 7]);
        assert_eq!(totals(&read(Some(TYPES), None, "").unwrap()), [111, 0, 7]);
        assert_eq!(totals(&read(None, None, "").unwrap()), [11_111, 0, 7]);
    }

    #[test]
    fn what_is_unclear_is_refused() {
        let message = read(Some(TYPES), Some(GENOMES), "").unwrap_err().to_string();
        assert!(message.contains("matrix/features/genome") && message.contains("GRCh38, mm10"), "{message}");
        let message = read(Some(["Peaks"; 5]), None, "").unwrap_err().to_string();
        assert!(message.contains("only `Peaks`"), "{message}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lot.h5");
        write(&path, None, None, [5, 4]);
        let message = read_tenx_h5(&path, &ReadParams::default()).unwrap_err().to_string();
        assert!(message.contains("matrix/shape") && message.contains("3 barcodes"), "{message}");
        std::fs::write(&path, "no HDF5").unwrap();
        let message = read_tenx_h5(&path, &ReadParams::default()).unwrap_err().to_string();
        assert!(message.contains("lot.h5: not an HDF5 file"), "{message}");
    }
}
