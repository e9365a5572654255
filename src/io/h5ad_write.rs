//! Writing AnnData files, streamed: memory holds one piece of a matrix at a time.
//!
//! | place | content |
//! |---|---|
//! | `X` | ln(1 + count · scale), float32, CSR |
//! | `layers/counts` | counts, CSR, as float32: what scanpy makes of a 10x file and cellxgene asks for; whole numbers up to 2²⁴ are exact |
//! | `obs` | `lot`, the given columns; index = barcodes, with the lot before them if they repeat between lots |
//! | `var` | `gene_ids`, the given columns; index = symbols made unique |
//! | `obsm` | the given embeddings |
//! | `uns/log1p` | tells scanpy that `X` is in logarithms |
//!
//! Matrices are shuffled and deflated lightly, which takes them to about a quarter; the same input gives the same bytes.

use std::collections::HashSet;
use std::path::Path;

use hdf5_pure::{
    AttrValue, File, FileAccessProperties, FileBuilder, FileLocking, GroupBuilder, H5Element, MaxExtent, SyncPolicy,
};
use ndarray::ArrayView2;

use crate::data::{Column, Dataset, Lot, Table};
use crate::error::{Error, Result};
use crate::io::h5ad_columns::{encoding, frame};
use crate::io::names::unique_barcodes;
use crate::math::log_scaled::LogTable;

/// Numbers per chunk. `hdf5-pure` must not be given 65,536 or more: HDF5 2 refuses such files.
const CHUNK: u64 = 1 << 15;

/// Level of deflate: higher ones take several times longer for a few per cent.
const DEFLATE: u32 = 1;

/// Largest count that float32 holds exactly, with all below it.
const MAX_COUNT: u32 = 1 << 24;

/// What is written beside the counts.
pub struct AnnData<'a> {
    /// Counts (to `layers/counts`) and genes.
    pub dataset: &'a Dataset,
    /// Factor per cell: X = ln(1 + count · scale).
    pub scale: &'a [f64],
    /// Columns of obs (`lot` and the barcode index are added from the data set).
    pub obs: &'a Table,
    /// Columns of var.
    pub var: &'a Table,
    /// obsm entries such as `X_pca`, cells × dimensions.
    pub obsm: &'a [(&'a str, ArrayView2<'a, f32>)],
}

/// Writes an `.h5ad` that scanpy and cellxgene open.
///
/// Columns `lot` of obs and `gene_ids` of var are made from the data set, whatever the tables hold.
///
/// # Errors
/// - the file can't be written
/// - the name of a column or embedding is empty, `_index`, or holds a `/`
/// - a count above 16,777,216, which float32 does not hold exactly
///
/// # Panics
/// If `scale`, a table or an embedding has another number of rows than there are cells or genes.
pub fn write_h5ad(path: &Path, data: &AnnData<'_>) -> Result<()> {
    check(path, data)?;
    let failed = |error| failed(path, error);
    let n_entries: usize = data.dataset.lots().iter().map(|lot| lot.counts.n_nonzero()).sum();
    // One type for positions and indices: scipy copies, and scikit-learn fails, where they differ.
    let wide = i32::try_from(n_entries).is_err();
    skeleton(data, wide).write(path).map_err(failed)?;
    let access =
        FileAccessProperties::new().with_sync_policy(SyncPolicy::OnClose).with_locking(FileLocking::BestEffort);
    let file = File::open_rw_with_options(path, access).map_err(failed)?;
    for matrix in ["X", "layers/counts"] {
        let place = Place { path, file: &file, key: format!("{matrix}/indices") };
        if wide {
            place.append(data.dataset, |_, gene, _| i64::from(gene))?;
        } else {
            place.append(data.dataset, |_, gene, _| gene as i32)?;
        }
    }
    let place = Place { path, file: &file, key: "X/data".into() };
    let mut table = (usize::MAX, LogTable::new(0.0));
    place.append(data.dataset, |cell, _, count| {
        // Most counts of a cell are small: their logarithms are taken once.
        if table.0 != cell {
            table = (cell, LogTable::new(data.scale[cell]));
        }
        table.1.value(count)
    })?;
    let place = Place { path, file: &file, key: "layers/counts/data".into() };
    place.append(data.dataset, |_, _, count| count as f32)?;
    file.close().map_err(failed)
}

fn failed(path: &Path, error: hdf5_pure::Error) -> Error {
    match error {
        hdf5_pure::Error::Io(source) => Error::io(path, source),
        other => Error::format(path, "", format!("can't be written ({other})")),
    }
}

fn check(path: &Path, data: &AnnData<'_>) -> Result<()> {
    let (n_cells, n_genes) = (data.dataset.n_cells(), data.dataset.n_genes());
    assert_eq!(data.scale.len(), n_cells, "one factor per cell");
    assert!(data.obs.columns().is_empty() || data.obs.n_rows() == n_cells, "one row of obs per cell");
    assert!(data.var.columns().is_empty() || data.var.n_rows() == n_genes, "one row of var per gene");
    assert!(data.obsm.iter().all(|(_, values)| values.nrows() == n_cells), "one row of obsm per cell");
    let obs = data.obs.columns().iter().map(|(name, _)| ("obs", name.as_str()));
    let var = data.var.columns().iter().map(|(name, _)| ("var", name.as_str()));
    let obsm = data.obsm.iter().map(|(name, _)| ("obsm", *name));
    let mut seen = HashSet::new();
    for (frame, name) in obs.chain(var).chain(obsm) {
        if name.is_empty() || name == "_index" || name.contains('/') {
            let message = "a name that an .h5ad can't hold; rename it (no `/`, not empty, not `_index`)";
            return Err(Error::format(path, format!("{frame}/{name}"), message));
        }
        if !seen.insert((frame, name)) {
            return Err(Error::format(path, format!("{frame}/{name}"), "occurs twice; rename one"));
        }
    }
    let largest = |lot: &Lot| {
        let mut largest = 0;
        (0..lot.counts.n_cells())
            .for_each(|cell| lot.counts.row(cell).for_each(|_, count| largest = largest.max(count)));
        largest
    };
    match data.dataset.lots().iter().find(|lot| largest(lot) > MAX_COUNT) {
        None => Ok(()),
        Some(lot) => Err(Error::format(
            path,
            "layers/counts",
            format!(
                "lot {} has a count of {}, beyond what float32 holds exactly; are these counts?",
                lot.name,
                largest(lot)
            ),
        )),
    }
}

/// Everything but the entries of the matrices.
fn skeleton(data: &AnnData<'_>, wide: bool) -> FileBuilder {
    let mut file = FileBuilder::new();
    for (name, value) in encoding("anndata", "0.1.0") {
        file.set_attr(name, value);
    }
    let (obs, var) = (obs_table(data), var_table(data));
    let obs = frame(file.create_group("obs"), &cell_names(data.dataset), &obs);
    let var = frame(file.create_group("var"), &data.dataset.genes().unique_symbols(), &var);
    let x = matrix(file.create_group("X"), data.dataset, wide);
    let mut layers = dict(file.create_group("layers"));
    let counts = matrix(layers.create_group("counts"), data.dataset, wide);
    layers.add_group(counts.finish());
    let mut obsm = dict(file.create_group("obsm"));
    for (name, values) in data.obsm {
        let dataset = obsm.create_dataset(name);
        let shape = [values.nrows() as u64, values.ncols() as u64];
        dataset.with_f32_data(&values.iter().copied().collect::<Vec<_>>()).with_shape(&shape);
        for (name, value) in encoding("array", "0.2.0") {
            dataset.set_attr(name, value);
        }
    }
    let mut uns = dict(file.create_group("uns"));
    let log1p = dict(uns.create_group("log1p")).finish();
    uns.add_group(log1p);
    for group in [x.finish(), layers.finish(), obs, obsm.finish()] {
        file.add_group(group);
    }
    for name in ["obsp", "varm", "varp"] {
        let group = dict(file.create_group(name)).finish();
        file.add_group(group);
    }
    file.add_group(uns.finish());
    file.add_group(var);
    file
}

fn dict(mut group: GroupBuilder) -> GroupBuilder {
    for (name, value) in encoding("dict", "0.1.0") {
        group.set_attr(name, value);
    }
    group
}

/// A CSR matrix whose entries are still to come.
fn matrix(mut group: GroupBuilder, dataset: &Dataset, wide: bool) -> GroupBuilder {
    for (name, value) in encoding("csr_matrix", "0.1.0") {
        group.set_attr(name, value);
    }
    group.set_attr("shape", AttrValue::I64Array(vec![dataset.n_cells() as i64, dataset.n_genes() as i64]));
    let values = group.create_dataset("data").with_f32_data(&[]);
    values
        .with_shape(&[0])
        .with_maxshape(&[MaxExtent::Unlimited])
        .with_chunks(&[CHUNK])
        .with_shuffle()
        .with_deflate(DEFLATE);
    let indices = group.create_dataset("indices");
    if wide {
        indices.with_i64_data(&[])
    } else {
        indices.with_i32_data(&[])
    };
    indices
        .with_shape(&[0])
        .with_maxshape(&[MaxExtent::Unlimited])
        .with_chunks(&[CHUNK])
        .with_shuffle()
        .with_deflate(DEFLATE);
    let mut starts = vec![0i64];
    let mut end = 0;
    for lot in dataset.lots() {
        for cell in 0..lot.counts.n_cells() {
            end += lot.counts.row(cell).len() as i64;
            starts.push(end);
        }
    }
    let dataset = group.create_dataset("indptr");
    if wide {
        dataset.with_i64_data(&starts);
    } else {
        dataset.with_i32_data(&starts.iter().map(|&s| s as i32).collect::<Vec<_>>());
    }
    group
}

/// An array that grows, in the open file.
struct Place<'a> {
    path: &'a Path,
    file: &'a File,
    key: String,
}

impl Place<'_> {
    /// Appends a number for every entry, made from its cell (by global index), gene and count.
    fn append<T: H5Element>(&self, dataset: &Dataset, mut number: impl FnMut(usize, u32, u32) -> T) -> Result<()> {
        let failed = |error| failed(self.path, error);
        let mut array = self.file.dataset(&self.key).map_err(failed)?;
        let mut appender = array.buffered_appender().map_err(failed)?;
        let mut piece: Vec<T> = Vec::with_capacity(2 * CHUNK as usize);
        let mut first = 0;
        for lot in dataset.lots() {
            for cell in 0..lot.counts.n_cells() {
                lot.counts.row(cell).for_each(|gene, count| piece.push(number(first + cell, gene, count)));
                if piece.len() >= CHUNK as usize {
                    appender.append(&piece).map_err(failed)?;
                    piece.clear();
                }
            }
            lot.counts.release();
            first += lot.counts.n_cells();
        }
        appender.append(&piece).map_err(failed)?;
        appender.finish().map_err(failed)
    }
}

/// Barcodes in global order; with the lot before them if any repeats.
fn cell_names(dataset: &Dataset) -> Vec<String> {
    let barcodes = || dataset.lots().iter().flat_map(|lot| lot.barcodes.iter().map(|barcode| (&lot.name, barcode)));
    let mut seen = HashSet::with_capacity(dataset.n_cells());
    if barcodes().all(|(_, barcode)| seen.insert(barcode)) {
        return barcodes().map(|(_, barcode)| barcode.clone()).collect();
    }
    let mut names: Vec<String> = barcodes().map(|(lot, barcode)| format!("{lot}_{barcode}")).collect();
    // Lots `a` and `a_b` may still meet; such a name gets a number.
    let _ = unique_barcodes(&mut names);
    names
}

fn obs_table(data: &AnnData<'_>) -> Table {
    let lots = Column::Category { codes: data.dataset.lot_of_cell(), levels: data.dataset.lot_names() };
    with_others(Table::new().with("lot", lots), data.obs)
}

fn var_table(data: &AnnData<'_>) -> Table {
    with_others(Table::new().with("gene_ids", Column::Text(data.dataset.genes().ids().to_vec())), data.var)
}

/// The columns of `others` that the table lacks, at its right.
fn with_others(table: Table, others: &Table) -> Table {
    others.columns().iter().fold(table, |table, (name, column)| {
        if table.column(name).is_some() { table } else { table.with(name, column.clone()) }
    })
}
