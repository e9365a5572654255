//! Tables as Parquet, through arrow.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int32Type, Int64Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::data::{Column, Table};
use crate::error::{Error, Result};

/// Writes a table as Parquet. `path` serves messages only.
pub(super) fn write_parquet(path: &Path, out: impl Write + Send, table: &Table) -> Result<()> {
    let arrays: Vec<ArrayRef> = table.columns().iter().map(|(_, column)| array_of(column)).collect();
    let fields: Vec<Field> = table
        .columns()
        .iter()
        .zip(&arrays)
        .map(|((name, column), array)| {
            let nullable = matches!(column, Column::Float(_) | Column::Float32(_));
            Field::new(name, array.data_type().clone(), nullable)
        })
        .collect();
    let schema = Arc::new(Schema::new(fields));
    // The version of the library stays out of the file, so that an update of it changes no hash for that reason alone.
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_created_by("cqa".into()).build();
    let batch = RecordBatch::try_new(schema.clone(), arrays).expect("columns of a table have one length");
    let write = || {
        let mut writer = ArrowWriter::try_new(out, schema, Some(properties))?;
        writer.write(&batch)?;
        writer.close()
    };
    write().map(drop).map_err(|e| parquet_error(path, e))
}

fn array_of(column: &Column) -> ArrayRef {
    match column {
        Column::Text(v) => Arc::new(StringArray::from_iter_values(v)),
        Column::Category { codes, levels } => {
            let keys = Int32Array::from_iter_values(codes.iter().map(|&c| c as i32));
            let levels = Arc::new(StringArray::from_iter_values(levels));
            Arc::new(DictionaryArray::<Int32Type>::try_new(keys, levels).expect("codes are indices into levels"))
        }
        Column::Integer(v) => Arc::new(Int64Array::from_iter_values(v.iter().copied())),
        Column::Float(v) => Arc::new(v.iter().map(|&x| (!x.is_nan()).then_some(x)).collect::<Float64Array>()),
        Column::Float32(v) => Arc::new(v.iter().map(|&x| (!x.is_nan()).then_some(x)).collect::<Float32Array>()),
        Column::Bool(v) => Arc::new(v.iter().map(|&b| Some(b)).collect::<BooleanArray>()),
    }
}

/// Reads a Parquet file of the column types that [`write_parquet`] writes.
///
/// The decoder panics on some damaged files; that is told as the damage it is.
pub(super) fn read_parquet(path: &Path, file: File) -> Result<Table> {
    let read = std::panic::AssertUnwindSafe(|| decode(path, file));
    std::panic::catch_unwind(read).unwrap_or_else(|_| {
        Err(Error::format(path, "", "can't be read as Parquet, it is damaged; write the file anew"))
    })
}

fn decode(path: &Path, file: File) -> Result<Table> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| parquet_error(path, e))?;
    let schema = builder.schema().clone();
    // Every batch brings the whole dictionary of its columns, so few large ones are read much faster than many small ones.
    let batches: Vec<RecordBatch> = builder
        .with_batch_size(1 << 18)
        .build()
        .map_err(|e| parquet_error(path, e))?
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| Error::format(path, "", format!("can't be read as Parquet ({e}); write the file anew")))?;
    let mut table = Table::new();
    for (i, field) in schema.fields().iter().enumerate() {
        let pieces: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(i)).collect();
        let column = column_of(field.data_type(), &pieces)
            .map_err(|message| Error::format(path, format!("column {}", field.name()), message))?;
        table = table.with(field.name(), column);
    }
    Ok(table)
}

fn column_of(kind: &DataType, pieces: &[&ArrayRef]) -> std::result::Result<Column, String> {
    if !kind.is_floating() && pieces.iter().any(|a| a.null_count() > 0) {
        return Err("missing values are allowed in columns of numbers with a point only; fill them".into());
    }
    Ok(match kind {
        DataType::Utf8 => Column::Text(
            pieces.iter().flat_map(|a| a.as_string::<i32>().iter().map(|v| v.unwrap_or("").to_string())).collect(),
        ),
        DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8 => {
            let mut codes = Vec::new();
            let mut levels: Vec<String> = Vec::new();
            // Pieces may bring dictionaries of their own; a level keeps the place where it was first seen.
            let mut index = std::collections::HashMap::new();
            for piece in pieces {
                let piece = piece.as_dictionary::<Int32Type>();
                let own = piece.values().as_string::<i32>();
                let code_of: Vec<u32> = own
                    .iter()
                    .map(|level| {
                        let level = level.unwrap_or("").to_string();
                        *index.entry(level.clone()).or_insert_with(|| {
                            levels.push(level);
                            levels.len() as u32 - 1
                        })
                    })
                    .collect();
                codes.extend(piece.keys().values().iter().map(|&key| code_of[key as usize]));
            }
            Column::Category { codes, levels }
        }
        DataType::Int64 => Column::Integer(
            pieces.iter().flat_map(|a| a.as_primitive::<Int64Type>().values().iter().copied()).collect(),
        ),
        DataType::Float64 => Column::Float(
            pieces.iter().flat_map(|a| a.as_primitive::<Float64Type>().iter().map(|v| v.unwrap_or(f64::NAN))).collect(),
        ),
        DataType::Float32 => Column::Float32(
            pieces.iter().flat_map(|a| a.as_primitive::<Float32Type>().iter().map(|v| v.unwrap_or(f32::NAN))).collect(),
        ),
        DataType::Boolean => {
            Column::Bool(pieces.iter().flat_map(|a| a.as_boolean().iter().map(|v| v.unwrap_or(false))).collect())
        }
        other => return Err(format!("columns of type {other} are not among those of a result table")),
    })
}

fn parquet_error(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => Error::io(path, *source),
            Err(source) => Error::format(path, "", source.to_string()),
        },
        other => Error::format(path, "", format!("can't be read or written as Parquet ({other})")),
    }
}
