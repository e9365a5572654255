//! `obs` and `var` of an `.h5ad`: columns by name, in every form that AnnData has written them.
//!
//! | written by | the frame | a categorical | an index |
//! |---|---|---|---|
//! | 0.5, 0.6 | one compound data set | codes; levels in `uns/NAME_categories` | first field |
//! | 0.7 | group of data sets | codes; levels in `__categories/NAME` | attribute `_index` |
//! | 0.8 and later | group | group of `codes` and `categories` | attribute `_index` |
//!
//! Nullable columns (0.8 and later) are groups of `values` and `mask`.

use std::collections::HashMap;

use hdf5_reader::{CompoundField, Datatype, EnumMember, StringSize};

use super::numbers::Numbers;
use super::{H5, is_text};
use crate::error::Result;

/// One of the two frames of a file.
pub(in crate::io) struct Frame<'a> {
    h5: &'a H5,
    key: String,
    layout: Layout,
}

enum Layout {
    Group { index: String },
    Compound { bytes: Vec<u8>, row_size: usize, fields: Vec<CompoundField> },
}

/// A column.
pub(in crate::io) enum Values {
    /// One text per row; empty = missing.
    Text(Vec<String>),
    /// Codes into levels; `None` = missing.
    Category { codes: Vec<Option<u32>>, levels: Vec<String> },
}

impl Values {
    /// One text per row; empty = missing.
    pub(in crate::io) fn into_text(self) -> Vec<String> {
        match self {
            Self::Text(values) => values,
            Self::Category { codes, levels } => {
                codes.into_iter().map(|code| code.map_or_else(String::new, |c| levels[c as usize].clone())).collect()
            }
        }
    }

    /// Codes and levels. Levels of text stand in the order of their first use.
    pub(in crate::io) fn into_category(self) -> (Vec<Option<u32>>, Vec<String>) {
        match self {
            Self::Category { codes, levels } => (codes, levels),
            Self::Text(values) => {
                let mut index: HashMap<String, u32> = HashMap::new();
                let mut levels = Vec::new();
                let codes = values
                    .into_iter()
                    .map(|value| {
                        (!value.is_empty()).then(|| {
                            *index.entry(value).or_insert_with_key(|value| {
                                levels.push(value.clone());
                                levels.len() as u32 - 1
                            })
                        })
                    })
                    .collect();
                (codes, levels)
            }
        }
    }
}

impl<'a> Frame<'a> {
    /// The frame of this key (`obs`, `var`, `raw/var`).
    pub(in crate::io) fn open(h5: &'a H5, key: &str) -> Result<Self> {
        let layout = if h5.is_group(key) {
            let named = h5.text_attribute(key, "_index");
            let index = named.or_else(|| {
                ["_index", "index"].map(String::from).into_iter().find(|name| h5.has(&format!("{key}/{name}")))
            });
            match index {
                Some(index) => Layout::Group { index },
                None => return Err(h5.error(key, "has no index; write the file anew with a current AnnData")),
            }
        } else if h5.has(key) {
            let dataset = h5.dataset(key)?;
            let Datatype::Compound { fields, .. } = dataset.dtype() else {
                return Err(h5.error(key, "is no table; write the file anew with a current AnnData"));
            };
            let bytes = if dataset.shape().contains(&0) {
                Vec::new()
            } else {
                dataset.read_raw_bytes().map_err(|e| h5.failed(key, e))?
            };
            let row_size = dataset.raw_element_size().map_err(|e| h5.failed(key, e))?;
            if fields.is_empty() || row_size == 0 {
                return Err(h5.error(key, "has no columns; write the file anew with a current AnnData"));
            }
            Layout::Compound { bytes, row_size, fields: fields.clone() }
        } else {
            return Err(h5.error(key, "missing; this is not a whole AnnData file: write or copy it again"));
        };
        Ok(Self { h5, key: key.to_string(), layout })
    }

    /// Names of the rows.
    pub(in crate::io) fn index(&self) -> Result<Vec<String>> {
        let name = match &self.layout {
            Layout::Group { index } => index,
            Layout::Compound { fields, .. } => &fields[0].name,
        };
        Ok(self.read(name)?.into_text())
    }

    /// Names of the columns, without the index; in the file's order where it tells one, else sorted.
    pub(in crate::io) fn columns(&self) -> Result<Vec<String>> {
        match &self.layout {
            Layout::Compound { fields, .. } => Ok(fields[1..].iter().map(|field| field.name.clone()).collect()),
            Layout::Group { index } => {
                let (groups, datasets) = self.h5.names(&self.key)?;
                let mut names: Vec<String> =
                    groups.into_iter().chain(datasets).filter(|n| n != index && n != "__categories").collect();
                let order = self.h5.text_attributes(&self.key, "column-order");
                names.sort_by_cached_key(|name| {
                    (order.iter().position(|o| o == name).unwrap_or(usize::MAX), name.clone())
                });
                Ok(names)
            }
        }
    }

    /// A column, or `None` if there is none of this name.
    pub(in crate::io) fn column(&self, name: &str) -> Result<Option<Values>> {
        let known = match &self.layout {
            Layout::Compound { fields, .. } => fields.iter().any(|field| field.name == name),
            Layout::Group { .. } => !name.contains('/') && self.h5.has(&format!("{}/{name}", self.key)),
        };
        if known { self.read(name).map(Some) } else { Ok(None) }
    }

    fn read(&self, name: &str) -> Result<Values> {
        let key = format!("{}/{name}", self.key);
        match &self.layout {
            Layout::Compound { bytes, row_size, fields } => {
                let field = fields.iter().find(|field| field.name == name).expect("only known fields are asked for");
                self.read_field(&key, field, bytes, *row_size)
            }
            Layout::Group { .. } => {
                let values = self.read_node(&key)?;
                let levels = format!("{}/__categories/{name}", self.key);
                if self.h5.has(&levels) { self.with_levels(&key, values, &levels) } else { Ok(values.0) }
            }
        }
    }

    /// The values of a data set or of one of AnnData's groups; for whole numbers their codes too.
    fn read_node(&self, key: &str) -> Result<(Values, Option<Vec<Option<u32>>>)> {
        let h5 = self.h5;
        if !h5.is_group(key) {
            let dataset = h5.dataset(key)?;
            if is_text(dataset.dtype()) {
                return Ok((Values::Text(h5.strings(key)?), None));
            }
            let bytes = if dataset.shape().contains(&0) {
                Vec::new()
            } else {
                dataset.read_raw_bytes().map_err(|e| h5.failed(key, e))?
            };
            return decode(dataset.dtype(), &bytes).ok_or_else(|| {
                h5.error(key, "is of a type that no column of AnnData has; leave the column out of the file")
            });
        }
        let (codes, levels) = (format!("{key}/codes"), format!("{key}/categories"));
        if h5.has(&codes) && h5.has(&levels) {
            let values = self.read_node(&codes)?;
            return Ok((self.with_levels(key, values, &levels)?, None));
        }
        let (values, mask) = (format!("{key}/values"), format!("{key}/mask"));
        if h5.has(&values) && h5.has(&mask) {
            let mut values = self.read_node(&values)?.0.into_text();
            let missing = self.read_node(&mask)?.0.into_text();
            if values.len() != missing.len() {
                return Err(h5.error(
                    key,
                    "`values` and `mask` differ in length; the file is damaged; copy or download it again",
                ));
            }
            for (value, missing) in values.iter_mut().zip(missing) {
                if missing == "true" || missing == "1" {
                    value.clear();
                }
            }
            return Ok((Values::Text(values), None));
        }
        Err(h5.error(key, "is of a kind that no column of AnnData has; leave the column out of the file"))
    }

    fn with_levels(&self, key: &str, values: (Values, Option<Vec<Option<u32>>>), levels: &str) -> Result<Values> {
        let Some(codes) = values.1 else { return Ok(values.0) };
        let levels = self.read_node(levels)?.0.into_text();
        if codes.iter().flatten().any(|&code| code as usize >= levels.len()) {
            return Err(self.h5.error(
                key,
                format!(
                    "a code lies beyond its {} levels; the file is damaged; copy or download it again",
                    levels.len()
                ),
            ));
        }
        Ok(Values::Category { codes, levels })
    }

    fn read_field(&self, key: &str, field: &CompoundField, bytes: &[u8], row_size: usize) -> Result<Values> {
        let start = field.byte_offset as usize;
        let damaged =
            || self.h5.error(key, "the table's rows are cut short; the file is damaged; copy or download it again");
        let size = match &field.datatype {
            Datatype::String { size: StringSize::Fixed(n), .. } => *n as usize,
            other if is_text(other) => row_size - start,
            other => {
                size_of_number(other).ok_or_else(|| self.h5.error(key, "is of a type that no column of AnnData has"))?
            }
        };
        let mut cells = bytes.chunks_exact(row_size).map(|row| row.get(start..start + size).ok_or_else(damaged));
        if let Datatype::String { size: StringSize::Fixed(_), .. } = field.datatype {
            let text = |cell: &[u8]| {
                let end = cell.iter().position(|&b| b == 0).unwrap_or(cell.len());
                String::from_utf8_lossy(&cell[..end]).into_owned()
            };
            return Ok(Values::Text(cells.map(|cell| cell.map(text)).collect::<Result<_>>()?));
        }
        if is_text(&field.datatype) {
            let dataset = self.h5.dataset(&self.key)?;
            let width = dataset.vlen_reference_size();
            let text = |cell: &[u8]| -> Result<String> {
                let reference = cell.get(..width).ok_or_else(damaged)?;
                let bytes = dataset.resolve_vlen_reference_bytes(reference, 1).map_err(|e| self.h5.failed(key, e))?;
                Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_string())
            };
            return Ok(Values::Text(cells.map(|cell| text(cell?)).collect::<Result<_>>()?));
        }
        let all = cells.try_fold(Vec::new(), |mut all, cell| -> Result<Vec<u8>> {
            all.extend_from_slice(cell?);
            Ok(all)
        })?;
        let values = decode(&field.datatype, &all).ok_or_else(damaged)?;
        let levels = format!("uns/{}_categories", field.name);
        if self.h5.has(&levels) { self.with_levels(key, values, &levels) } else { Ok(values.0) }
    }
}

/// Numbers, or yes and no (an enumeration of two in HDF5), as text; and as codes.
fn decode(dtype: &Datatype, bytes: &[u8]) -> Option<(Values, Option<Vec<Option<u32>>>)> {
    let numbers = Numbers::decode(dtype, bytes)?;
    if let Datatype::Enum { members, .. } = dtype
        && members.len() == 2
        && members.iter().all(|EnumMember { name, .. }| matches!(name.to_ascii_uppercase().as_str(), "TRUE" | "FALSE"))
    {
        let text = |x: &String| if x == "0" { "false" } else { "true" }.to_string();
        return Some((Values::Text(numbers.to_text().iter().map(text).collect()), None));
    }
    Some((Values::Text(numbers.to_text()), Some(numbers.to_codes())))
}

fn size_of_number(dtype: &Datatype) -> Option<usize> {
    match dtype {
        Datatype::FixedPoint { size, .. } | Datatype::FloatingPoint { size, .. } => Some(usize::from(*size)),
        Datatype::Enum { base, .. } => size_of_number(base),
        _ => None,
    }
}
