//! 10x matrix folders: `matrix.mtx[.gz]`, `barcodes.tsv[.gz]`, `genes.tsv`/`features.tsv[.gz]`.
//!
//! The same three files with a common prefix (`GSM1_matrix.mtx.gz`, …) and those of bustools (`cells_x_genes.mtx`,
//! `cells_x_genes.barcodes.txt`, `cells_x_genes.genes.txt`; cells as rows) are read too. A folder that holds exactly one
//! folder with a matrix stands for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::io::bytes::{self, Blocks};
use crate::io::matrix_market::{MatrixMarket, Rows};
use crate::io::names::{GeneColumns, unique_barcodes};
use crate::io::{RawLot, ReadParams};
use crate::warning::Warning;

/// Reads a 10x matrix folder, or the `.mtx` file of one.
pub fn read_tenx_mtx(path: &Path, params: &ReadParams) -> Result<RawLot> {
    let files = if path.is_file() { files_of_matrix(path)? } else { find_files(path, params)? };
    let (features, mut warnings) = read_features(&files.features, files.symbols.as_deref())?;
    let mut barcodes = read_barcodes(&files.barcodes)?;
    let size = std::fs::metadata(&files.matrix).map_err(|e| Error::io(&files.matrix, e))?.len();
    let reader = bytes::open(&files.matrix)?;
    let matrix = MatrixMarket::open(reader, &files.matrix)?;
    // Room for what a file of this size can hold: an entry of a gz rarely takes less than a byte. Should it, more is taken.
    let reserve = usize::try_from(size).unwrap_or(usize::MAX);
    let counts = matrix.into_counts(features.len(), barcodes.len(), files.rows, reserve)?;
    let n_kept = features.iter().flatten().count();
    let mut columns = GeneColumns::new(features);
    if columns.genes.is_empty() {
        return Err(Error::format(
            &files.features,
            "",
            format!(
                "no feature of type `Gene Expression`{}; give the gene expression matrix of this lot",
                warnings.first().map(|w| format!(" ({w})")).unwrap_or_default()
            ),
        ));
    }
    // Placeholders in the column of ids would add up genes that have nothing to do with each other.
    if columns.genes.len() * 2 < n_kept {
        return Err(Error::format(
            &files.features,
            "",
            format!(
                "{n_kept} genes, but {} different ids (such as {}); give each gene an id of its own in the first column",
                columns.genes.len(),
                columns.genes.ids()[0]
            ),
        ));
    }
    let counts = columns.apply(counts);
    warnings.append(&mut columns.warnings);
    warnings.extend(unique_barcodes(&mut barcodes));
    let files = [Some(files.matrix), Some(files.barcodes), Some(files.features), files.symbols];
    Ok(RawLot { genes: columns.genes, barcodes, counts, files: files.into_iter().flatten().collect(), warnings })
}

/// Cells that the header of the matrix promises: its columns, or its rows where the names of the files say so.
pub(super) fn promised_cells(path: &Path, params: &ReadParams) -> Result<u64> {
    let files = if path.is_file() { files_of_matrix(path)? } else { find_files(path, params)? };
    let (n_rows, n_columns) = MatrixMarket::open(bytes::open(&files.matrix)?, &files.matrix)?.shape();
    Ok(if matches!(files.rows, Rows::Cells) { n_rows } else { n_columns } as u64)
}

/// The files of one matrix.
#[derive(Debug)]
struct MatrixFiles {
    matrix: PathBuf,
    barcodes: PathBuf,
    features: PathBuf,
    /// bustools writes symbols into a file of their own.
    symbols: Option<PathBuf>,
    rows: Rows,
}

/// Names of the files and folders in a folder, sorted.
fn listing(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let entry = entry.map_err(|e| Error::io(folder, e))?;
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A name without `.gz`.
fn plain(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

/// The matrices among the names of a folder: 10x (perhaps with a prefix), or bustools with its barcodes beside it.
fn matrices_in(names: &[String]) -> Vec<&String> {
    names
        .iter()
        .filter(|name| {
            let name = plain(name);
            name.ends_with("matrix.mtx")
                || name.strip_suffix(".mtx").is_some_and(|stem| {
                    let barcodes = format!("{stem}.barcodes.txt");
                    names.iter().any(|n| plain(n) == barcodes)
                })
        })
        .collect()
}

/// The one matrix of a folder, or of the one folder below that has any.
fn find_files(folder: &Path, params: &ReadParams) -> Result<MatrixFiles> {
    let mut found = Vec::new();
    collect(folder, 2, &mut found)?;
    if found.len() > 1 && !params.genome.is_empty() {
        let genome = std::ffi::OsStr::new(&params.genome);
        found.retain(|matrix: &PathBuf| matrix.parent().and_then(Path::file_name) == Some(genome));
    }
    match &found[..] {
        [matrix] => files_of_matrix(matrix),
        [] => Err(Error::format(
            folder,
            "",
            "no matrix here: looked for matrix.mtx, barcodes.tsv and features.tsv or genes.tsv (each plain or .gz, perhaps \
             with a common prefix), and for NAME.mtx, NAME.barcodes.txt, NAME.genes.txt; give the folder that Cell Ranger \
             calls filtered_feature_bc_matrix",
        )),
        several => {
            let names: Vec<String> = several.iter().map(|m| m.display().to_string()).collect();
            Err(Error::format(folder, "", format!("several matrices here: {}; give the path of one", names.join(", "))))
        }
    }
}

/// Matrices of this folder; if there are none, of the folders in it, down to `depth`.
fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let names = listing(folder)?;
    let here = matrices_in(&names);
    found.extend(here.iter().map(|name| folder.join(name)));
    if here.is_empty() && depth > 0 {
        for name in names {
            let below = folder.join(name);
            if below.is_dir() {
                collect(&below, depth - 1, found)?;
            }
        }
    }
    Ok(())
}

/// The names that belong to a matrix file.
fn files_of_matrix(matrix: &Path) -> Result<MatrixFiles> {
    let folder = match matrix.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = matrix.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let stem = plain(name).strip_suffix(".mtx").unwrap_or_default();
    let names = listing(folder)?;
    // One of these names, plain or gz. Two that fit would leave open which one belongs to the matrix.
    let one_of = |wanted: &[String]| -> Result<Option<PathBuf>> {
        let fitting: Vec<&String> = names.iter().filter(|n| wanted.iter().any(|w| w == plain(n))).collect();
        match fitting[..] {
            [] => Ok(None),
            [name] => Ok(Some(folder.join(name))),
            [a, b, ..] => {
                Err(Error::format(folder, "", format!("holds both {a} and {b}; remove the one that is not meant")))
            }
        }
    };
    if let Some(twin) = names.iter().find(|n| plain(n) == plain(name) && *n != name) {
        return Err(Error::format(
            folder,
            "",
            format!("holds both {twin} and {name}; remove the one that is not meant"),
        ));
    }
    let prefix = stem.strip_suffix("matrix").unwrap_or("");
    let tenx = (format!("{prefix}barcodes.tsv"), [format!("{prefix}features.tsv"), format!("{prefix}genes.tsv")]);
    let bus = (format!("{stem}.barcodes.txt"), [format!("{stem}.genes.txt")]);
    let wanted: [(&String, &[String], Rows); 2] = [(&bus.0, &bus.1, Rows::Cells), (&tenx.0, &tenx.1, Rows::Genes)];
    let mut missing = Vec::new();
    for (barcodes, features, rows) in wanted {
        match (one_of(std::slice::from_ref(barcodes))?, one_of(features)?) {
            (Some(barcodes), Some(features)) => {
                let symbols = one_of(&[format!("{stem}.genes.names.txt")])?;
                return Ok(MatrixFiles { matrix: matrix.into(), barcodes, features, symbols, rows });
            }
            (barcode_file, feature_file) => {
                missing = Vec::new();
                missing.extend(barcode_file.is_none().then(|| barcodes.clone()));
                missing.extend(feature_file.is_none().then(|| features.join(" or ")));
            }
        }
    }
    let missing = missing.join("; ");
    Err(Error::format(
        matrix,
        "",
        format!("missing beside this matrix: {missing} (plain or .gz); put the files together"),
    ))
}

/// Ids and symbols of the features, `None` for those that are no genes; and what was set aside.
#[expect(clippy::type_complexity, reason = "the list is used once, by the caller")]
fn read_features(path: &Path, symbols: Option<&Path>) -> Result<(Vec<Option<(String, String)>>, Vec<Warning>)> {
    let mut features = Vec::new();
    let mut aside: BTreeMap<String, usize> = BTreeMap::new();
    let mut lines = Blocks::new(bytes::open(path)?, path);
    while let Some(line) = lines.next_line()? {
        let line = line.to_vec();
        let number = lines.line_number();
        let text = bytes::utf8(&line, path, number)?;
        let mut fields = text.split('\t').map(str::trim);
        let id = fields.next().unwrap_or_default();
        let symbol = fields.next().filter(|s| !s.is_empty()).unwrap_or(id);
        let kind = fields.next().unwrap_or_default();
        if id.is_empty() {
            return Err(Error::parse(path, number, "a feature without id; each line must begin with one"));
        }
        if kind.is_empty() || kind == "Gene Expression" {
            features.push(Some((id.to_string(), symbol.to_string())));
        } else {
            *aside.entry(kind.to_string()).or_insert(0) += 1;
            features.push(None);
        }
    }
    if let Some(path) = symbols {
        let symbols = read_barcodes(path)?;
        if symbols.len() != features.len() {
            return Err(Error::format(
                path,
                "",
                format!("{} symbols for {} genes; both must come from one run", symbols.len(), features.len()),
            ));
        }
        for (feature, symbol) in features.iter_mut().zip(symbols) {
            if let Some(feature) = feature {
                feature.1 = symbol;
            }
        }
    }
    let aside = aside
        .into_iter()
        .map(|(feature_type, n_features)| Warning::FeaturesSetAside { lot: String::new(), feature_type, n_features })
        .collect();
    Ok((features, aside))
}

/// The first column of a file of names.
fn read_barcodes(path: &Path) -> Result<Vec<String>> {
    let mut barcodes = Vec::new();
    let mut lines = Blocks::new(bytes::open(path)?, path);
    while let Some(line) = lines.next_line()? {
        let line = line.to_vec();
        let number = lines.line_number();
        let first = bytes::utf8(&line, path, number)?.split('\t').next().unwrap_or_default().trim();
        if first.is_empty() {
            return Err(Error::parse(path, number, "an empty name; remove the line, or give the name"));
        }
        barcodes.push(first.to_string());
    }
    Ok(barcodes)
}

#[cfg(test)]
mod tests;
