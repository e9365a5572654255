//! A matrix of counts in an HDF5 file, streamed into [`Counts`]: compressed by cell, compressed by gene, or dense.
//!
//! Pieces of about two million entries are read at a time, in whole chunks, so that memory holds the counts and little
//! else. Every value that is read is judged: one that is no whole number from 0 ends the reading.

use hdf5_reader::Dataset;

use super::H5;
use super::numbers::Numbers;
use crate::data::{Counts, CountsBuilder};
use crate::error::Result;

/// Entries per piece. Tests use small ones, so that their matrices have several.
const PIECE: usize = if cfg!(test) { 64 } else { 1 << 21 };

/// Entries that are turned from genes to cells at a time (8 bytes each); a larger matrix is read in several passes.
const TURNED_AT_ONCE: usize = if cfg!(test) { 100 } else { 1 << 26 };

/// A matrix of known shape.
pub(in crate::io) struct Matrix<'a> {
    h5: &'a H5,
    key: String,
    kind: Kind,
    n_cells: usize,
    n_features: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Indices are features.
    ByCell,
    /// Indices are cells.
    ByFeature,
    Dense,
}

/// Which rows to read, and what becomes of the columns.
pub(in crate::io) struct Rows<'a> {
    /// For every cell of the file the matrix it goes to; `None` = not read.
    pub(in crate::io) group_of_cell: &'a [Option<u32>],
    /// Number of matrices.
    pub(in crate::io) n_groups: usize,
    /// For every feature of the file its column; `None` = dropped. Features of one column are added.
    pub(in crate::io) column_of_feature: &'a [Option<u32>],
    /// Number of columns.
    pub(in crate::io) n_genes: usize,
}

/// A value that is no count, and what the matrix looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::io) struct NotCounts {
    pub(in crate::io) example: f64,
    pub(in crate::io) min: f64,
    pub(in crate::io) max: f64,
    pub(in crate::io) any_nan: bool,
}

impl<'a> Matrix<'a> {
    /// The matrix in the group or data set of this key. `dims` is cells and features, as their names say.
    pub(in crate::io) fn open(h5: &'a H5, key: &str, dims: (usize, usize)) -> Result<Self> {
        let kind = if h5.is_group(key) {
            let format = h5.text_attribute(key, "encoding-type").or_else(|| h5.text_attribute(key, "h5sparse_format"));
            match format.as_deref() {
                Some("csr_matrix" | "csr") => Kind::ByCell,
                Some("csc_matrix" | "csc") => Kind::ByFeature,
                other => {
                    let found = other.map_or("says nothing of its layout".into(), |o| format!("is of layout `{o}`"));
                    return Err(h5.error(key, format!("{found}; csr_matrix, csc_matrix and dense arrays are read")));
                }
            }
        } else {
            Kind::Dense
        };
        let shape = match kind {
            Kind::Dense => Some(h5.dataset(key)?.shape().to_vec()),
            _ => h5.unsigned_attribute(key, "shape").or_else(|| h5.unsigned_attribute(key, "h5sparse_shape")),
        };
        let expected = [dims.0 as u64, dims.1 as u64];
        if shape.as_deref().is_some_and(|shape| shape != expected) {
            let shape = shape.unwrap_or_default();
            return Err(h5.error(
                key,
                format!(
                    "shape {shape:?}, but there are {} cells and {} features; the file is damaged; copy or download it again",
                    dims.0, dims.1
                ),
            ));
        }
        Ok(Self { h5, key: key.to_string(), kind, n_cells: dims.0, n_features: dims.1 })
    }

    /// A matrix of 10x: compressed by cell, without attributes.
    pub(in crate::io) fn of_tenx(h5: &'a H5, key: &str, dims: (usize, usize)) -> Self {
        Self { h5, key: key.to_string(), kind: Kind::ByCell, n_cells: dims.0, n_features: dims.1 }
    }

    /// Reads counts, one matrix per group, or says why they are none.
    pub(in crate::io) fn read(&self, rows: &Rows<'_>) -> Result<std::result::Result<Vec<Counts>, NotCounts>> {
        assert_eq!(rows.group_of_cell.len(), self.n_cells, "one group per cell");
        assert_eq!(rows.column_of_feature.len(), self.n_features, "one column per feature");
        let read = match self.kind {
            Kind::ByCell => self.read_by_cell(rows),
            Kind::ByFeature => self.read_by_feature(rows),
            Kind::Dense => self.read_dense(rows),
        }?;
        match read {
            Ok(counts) => Ok(Ok(counts)),
            Err(example) => self.describe(example).map(Err),
        }
    }

    fn read_by_cell(&self, rows: &Rows<'_>) -> Result<std::result::Result<Vec<Counts>, f64>> {
        let sparse = self.sparse(self.n_cells)?;
        let starts = &sparse.starts;
        let mut builders = builders(rows);
        let mut room = vec![0; rows.n_groups];
        for (cell, group) in rows.group_of_cell.iter().enumerate() {
            room[group.map_or(0, |g| g as usize)] += group.map_or(0, |_| starts[cell + 1] - starts[cell]);
        }
        for (builder, n) in builders.iter_mut().zip(room) {
            builder.reserve(n);
        }
        let (mut features, mut counts, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        let mut cell = 0;
        for (start, end) in sparse.pieces() {
            let last = starts[cell..].partition_point(|&s| s < end) + cell;
            if rows.group_of_cell[cell..last].iter().all(Option::is_none) {
                // No cell of this piece is asked for. A cell that reaches into the next piece stays the current one.
                cell += starts[cell + 1..=last].partition_point(|&s| s <= end);
                continue;
            }
            sparse.indices(start, end, self.n_features, &mut features)?;
            if let Err(value) = sparse.values(start, end, &mut counts)? {
                return Ok(Err(value));
            }
            while cell < self.n_cells && starts[cell] < end {
                let (from, to) = (starts[cell].max(start), starts[cell + 1].min(end));
                if let Some(group) = rows.group_of_cell[cell] {
                    let part = from - start..to - start;
                    for (&feature, &count) in features[part.clone()].iter().zip(&counts[part]) {
                        if let Some(column) = rows.column_of_feature[feature as usize] {
                            entries.push((column, count));
                        }
                    }
                    if starts[cell + 1] <= end {
                        builders[group as usize].push_unsorted(&mut entries);
                    }
                }
                if starts[cell + 1] > end {
                    break;
                }
                cell += 1;
            }
        }
        // Cells without entries at the end of the file.
        for &group in rows.group_of_cell[cell..].iter().flatten() {
            builders[group as usize].push_row(&[], &[]);
        }
        Ok(Ok(builders.into_iter().map(CountsBuilder::finish).collect()))
    }

    fn read_by_feature(&self, rows: &Rows<'_>) -> Result<std::result::Result<Vec<Counts>, f64>> {
        let sparse = self.sparse(self.n_features)?;
        let (mut cells, mut counts) = (Vec::new(), Vec::new());
        // Entries of each cell that is asked for.
        let mut ends = vec![0; self.n_cells];
        for (start, end) in sparse.pieces() {
            sparse.indices(start, end, self.n_cells, &mut cells)?;
            for &cell in &cells {
                ends[cell as usize] += usize::from(rows.group_of_cell[cell as usize].is_some());
            }
        }
        let mut builders = builders(rows);
        let mut entries: Vec<(u32, u32)> = Vec::new();
        let mut first = 0;
        while first < self.n_cells {
            // A block of cells that fits: `next[cell - first]` is where its next entry goes.
            let (mut next, mut n) = (Vec::new(), 0);
            while first + next.len() < self.n_cells
                && (next.is_empty() || n + ends[first + next.len()] <= TURNED_AT_ONCE)
            {
                next.push(n);
                n += ends[first + next.len() - 1];
            }
            let begin = next.clone();
            let mut turned = vec![(0u32, 0u32); n];
            let mut feature = 0;
            for (start, end) in sparse.pieces() {
                sparse.indices(start, end, self.n_cells, &mut cells)?;
                if let Err(value) = sparse.values(start, end, &mut counts)? {
                    return Ok(Err(value));
                }
                for (i, (&cell, &count)) in cells.iter().zip(&counts).enumerate() {
                    while sparse.starts[feature + 1] <= start + i {
                        feature += 1;
                    }
                    let cell = cell as usize;
                    if cell < first || cell >= first + next.len() || rows.group_of_cell[cell].is_none() {
                        continue;
                    }
                    if let Some(column) = rows.column_of_feature[feature] {
                        turned[next[cell - first]] = (column, count);
                        next[cell - first] += 1;
                    }
                }
            }
            for (i, (&from, &to)) in begin.iter().zip(&next).enumerate() {
                if let Some(group) = rows.group_of_cell[first + i] {
                    entries.extend_from_slice(&turned[from..to]);
                    builders[group as usize].push_unsorted(&mut entries);
                }
            }
            first += begin.len();
        }
        Ok(Ok(builders.into_iter().map(CountsBuilder::finish).collect()))
    }

    fn read_dense(&self, rows: &Rows<'_>) -> Result<std::result::Result<Vec<Counts>, f64>> {
        let dataset = self.h5.dataset(&self.key)?;
        let mut builders = builders(rows);
        let (mut counts, mut entries) = (Vec::new(), Vec::new());
        for (first, last) in self.dense_pieces(&dataset) {
            if rows.group_of_cell[first..last].iter().all(Option::is_none) {
                continue;
            }
            let numbers = self.dense_piece(&dataset, first, last)?;
            if let Err(at) = numbers.to_u32(&mut counts) {
                return Ok(Err(numbers.get(at)));
            }
            for cell in first..last {
                let Some(group) = rows.group_of_cell[cell] else { continue };
                let row = &counts[(cell - first) * self.n_features..][..self.n_features];
                for (&count, column) in row.iter().zip(rows.column_of_feature) {
                    if let (1.., Some(column)) = (count, column) {
                        entries.push((*column, count));
                    }
                }
                builders[group as usize].push_unsorted(&mut entries);
            }
        }
        Ok(Ok(builders.into_iter().map(CountsBuilder::finish).collect()))
    }

    /// Begin and end of pieces of whole chunks of rows.
    fn dense_pieces(&self, dataset: &Dataset) -> Vec<(usize, usize)> {
        let chunk = chunk_length(dataset);
        let n = chunk * (PIECE / chunk.saturating_mul(self.n_features.max(1))).max(1);
        (0..self.n_cells).step_by(n).map(|first| (first, (first + n).min(self.n_cells))).collect()
    }

    fn dense_piece(&self, dataset: &Dataset, first: usize, last: usize) -> Result<Numbers> {
        Numbers::read_part(self.h5, &self.key, dataset, &[(first as u64, last as u64), (0, self.n_features as u64)])
    }

    /// Looks through all values of a matrix that holds no counts.
    fn describe(&self, example: f64) -> Result<NotCounts> {
        let mut out = NotCounts { example, min: f64::INFINITY, max: f64::NEG_INFINITY, any_nan: false };
        let mut look = |numbers: Numbers| {
            numbers.for_each(|x| {
                out.min = out.min.min(x);
                out.max = out.max.max(x);
                out.any_nan |= x.is_nan();
            });
        };
        if self.kind == Kind::Dense {
            let dataset = self.h5.dataset(&self.key)?;
            for (first, last) in self.dense_pieces(&dataset) {
                look(self.dense_piece(&dataset, first, last)?);
            }
        } else {
            let sparse = self.sparse(if self.kind == Kind::ByCell { self.n_cells } else { self.n_features })?;
            for (start, end) in sparse.pieces() {
                look(Numbers::read_part(self.h5, &sparse.data_key, &sparse.data, &[(start as u64, end as u64)])?);
            }
        }
        Ok(out)
    }

    /// The three arrays of a compressed matrix, checked against each other. `n` is the number of rows or columns.
    fn sparse(&self, n: usize) -> Result<Sparse<'_>> {
        let key = |name: &str| format!("{}/{name}", self.key);
        let data = self.h5.dataset(&key("data"))?;
        let index = self.h5.dataset(&key("indices"))?;
        let starts_key = key("indptr");
        let wrong = |message: String| {
            self.h5.error(&starts_key, format!("{message}; the file is damaged; copy or download it again"))
        };
        let starts = self.h5.unsigned(&starts_key)?;
        let n_entries = data.shape().first().copied().unwrap_or(0);
        if data.ndim() != 1 || index.shape() != data.shape() {
            return Err(self.h5.error(
                &key("indices"),
                format!(
                    "shape {:?}, but `data` has shape {:?}; the file is damaged; copy or download it again",
                    index.shape(),
                    data.shape()
                ),
            ));
        }
        if starts.len() != n + 1 {
            return Err(wrong(format!("{} entries where {} are needed", starts.len(), n + 1)));
        }
        if let Some(at) = starts.windows(2).position(|pair| pair[0] > pair[1]) {
            return Err(wrong(format!("falls from {} to {} at entry {}", starts[at], starts[at + 1], at + 1)));
        }
        if starts[0] != 0 || starts[n] != n_entries {
            return Err(wrong(format!("goes from {} to {}, but there are {n_entries} values", starts[0], starts[n])));
        }
        let starts = starts.into_iter().map(|s| s as usize).collect();
        Ok(Sparse { h5: self.h5, data_key: key("data"), data, index_key: key("indices"), index, starts })
    }
}

fn builders(rows: &Rows<'_>) -> Vec<CountsBuilder> {
    (0..rows.n_groups).map(|_| CountsBuilder::new(rows.n_genes)).collect()
}

/// Rows of a chunk. A damaged file may tell of chunks without sides.
fn chunk_length(dataset: &Dataset) -> usize {
    dataset.chunks().and_then(|sides| sides.first().copied()).map_or(1, |side| side as usize).max(1)
}

/// The arrays of a compressed matrix.
struct Sparse<'a> {
    h5: &'a H5,
    data_key: String,
    data: Dataset,
    index_key: String,
    index: Dataset,
    starts: Vec<usize>,
}

impl Sparse<'_> {
    /// Begin and end of pieces of whole chunks.
    fn pieces(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let chunk = chunk_length(&self.data).max(chunk_length(&self.index));
        let n = chunk * (PIECE / chunk).max(1);
        let n_entries = *self.starts.last().expect("starts is never empty");
        (0..n_entries).step_by(n).map(move |start| (start, (start + n).min(n_entries)))
    }

    /// Indices of a piece; each must lie below `below`.
    fn indices(&self, start: usize, end: usize, below: usize, out: &mut Vec<u32>) -> Result<()> {
        let numbers = Numbers::read_part(self.h5, &self.index_key, &self.index, &[(start as u64, end as u64)])?;
        let bad = numbers.to_u32(out).err().or_else(|| {
            let max = out.iter().max().copied().unwrap_or(0);
            (max as usize >= below && !out.is_empty()).then(|| out.iter().position(|&i| i == max).unwrap_or(0))
        });
        match bad {
            None => Ok(()),
            Some(at) => Err(self.h5.error(
                &self.index_key,
                format!(
                    "entry {} is {}, but only 0 to {below} (not included) may stand there; the file is damaged; copy or download it again",
                    start + at,
                    numbers.get(at)
                ),
            )),
        }
    }

    /// Values of a piece, or the first that is no count.
    fn values(&self, start: usize, end: usize, out: &mut Vec<u32>) -> Result<std::result::Result<(), f64>> {
        let numbers = Numbers::read_part(self.h5, &self.data_key, &self.data, &[(start as u64, end as u64)])?;
        Ok(numbers.to_u32(out).map_err(|at| numbers.get(at)))
    }
}
