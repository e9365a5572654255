//! obs and var of an `.h5ad` to be written: tables in AnnData's encoding.

use hdf5_pure::{AttrValue, DatasetBuilder, Datatype, EnumTypeBuilder, FinishedGroup, GroupBuilder, make_i8_type};

use crate::data::{Column, Table};

/// Sets the two attributes by which AnnData knows what an element is.
pub(super) fn encoding(kind: &str, version: &str) -> [(&'static str, AttrValue); 2] {
    [("encoding-type", text(kind)), ("encoding-version", text(version))]
}

/// An attribute of one text, as h5py writes it.
pub(super) fn text(value: &str) -> AttrValue {
    AttrValue::VarLenString(value.to_string())
}

fn encode(dataset: &mut DatasetBuilder, kind: &str) {
    for (name, value) in encoding(kind, "0.2.0") {
        dataset.set_attr(name, value);
    }
}

/// A dataframe: the index, then the columns.
pub(super) fn frame(mut group: GroupBuilder, index: &[String], columns: &Table) -> FinishedGroup {
    for (name, value) in encoding("dataframe", "0.2.0") {
        group.set_attr(name, value);
    }
    group.set_attr("_index", text("_index"));
    let names = columns.columns().iter().map(|(name, _)| name.clone()).collect();
    group.set_attr("column-order", AttrValue::VarLenStringArray(names));
    strings(group.create_dataset("_index"), index);
    for (name, column) in columns.columns() {
        match column {
            Column::Text(values) => strings(group.create_dataset(name), values),
            Column::Category { codes, levels } => {
                let group_of_column = category(group.create_group(name), codes, levels);
                group.add_group(group_of_column);
            }
            Column::Integer(values) => array(group.create_dataset(name).with_i64_data(values)),
            Column::Float(values) => array(group.create_dataset(name).with_f64_data(values)),
            Column::Float32(values) => array(group.create_dataset(name).with_f32_data(values)),
            Column::Bool(values) => {
                let bytes = values.iter().map(|&b| u8::from(b)).collect();
                array(group.create_dataset(name).with_raw_data(yes_and_no(), bytes, values.len() as u64));
            }
        }
    }
    group.finish()
}

fn strings(dataset: &mut DatasetBuilder, values: &[String]) {
    dataset.with_vlen_strings(&values.iter().map(String::as_str).collect::<Vec<_>>());
    encode(dataset, "string-array");
}

fn array(dataset: &mut DatasetBuilder) {
    encode(dataset, "array");
}

fn category(mut group: GroupBuilder, codes: &[u32], levels: &[String]) -> FinishedGroup {
    for (name, value) in encoding("categorical", "0.2.0") {
        group.set_attr(name, value);
    }
    group.set_attr("ordered", AttrValue::I8(0));
    strings(group.create_dataset("categories"), levels);
    let dataset = group.create_dataset("codes");
    // pandas keeps codes in the narrowest signed type.
    match levels.len() {
        0..=127 => dataset.with_i8_data(&codes.iter().map(|&c| c as i8).collect::<Vec<_>>()),
        128..=32_767 => dataset.with_i16_data(&codes.iter().map(|&c| c as i16).collect::<Vec<_>>()),
        _ => dataset.with_i32_data(&codes.iter().map(|&c| c as i32).collect::<Vec<_>>()),
    };
    array(dataset);
    group.finish()
}

/// h5py's type of a boolean: an enumeration over one signed byte.
fn yes_and_no() -> Datatype {
    EnumTypeBuilder::with_base(make_i8_type())
        .value("FALSE", 0)
        .value("TRUE", 1)
        .build()
        .expect("both values fit one byte")
}
