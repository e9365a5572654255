//! The three layouts of one matrix must give the same counts, for any choice of cells and genes and over several pieces.

use std::path::Path;

use hdf5_pure::{AttrValue, FileBuilder, GroupBuilder};

use super::{H5, Matrix, Rows};
use crate::data::{Counts, CountsBuilder};
use crate::io::ReadParams;

const N_CELLS: usize = 90;
const N_FEATURES: usize = 17;

/// A matrix with empty rows at its begin, middle and end, and full ones.
fn value(cell: usize, feature: usize) -> u32 {
    match cell {
        0 | 40..=44 | 88.. => 0,
        10..=14 => 1 + feature as u32,
        _ if (cell * 31 + feature * 17).is_multiple_of(4) => (cell * feature) as u32 % 11 + 1,
        _ => 0,
    }
}

/// Arrays of a compressed matrix; the entries of each row or column run backwards, which files may do.
fn compressed(n: usize, m: usize, value: impl Fn(usize, usize) -> u32) -> (Vec<f32>, Vec<i64>, Vec<i32>) {
    let (mut data, mut indices, mut starts) = (Vec::new(), Vec::new(), vec![0]);
    for i in 0..n {
        for j in (0..m).rev().filter(|&j| value(i, j) > 0) {
            data.push(value(i, j) as f32);
            indices.push(j as i64);
        }
        starts.push(data.len() as i32);
    }
    (data, indices, starts)
}

fn sparse(
    mut group: GroupBuilder,
    kind: &str,
    (data, indices, starts): &(Vec<f32>, Vec<i64>, Vec<i32>),
) -> GroupBuilder {
    group.set_attr("encoding-type", AttrValue::VarLenString(kind.into()));
    group.set_attr("shape", AttrValue::I64Array(vec![N_CELLS as i64, N_FEATURES as i64]));
    group.create_dataset("data").with_f32_data(data).with_chunks(&[16]).with_deflate(1);
    group.create_dataset("indices").with_i64_data(indices).with_chunks(&[10]).with_lzf();
    group.create_dataset("indptr").with_i32_data(starts);
    group
}

fn write(path: &Path) {
    let mut file = FileBuilder::new();
    let by_cell = compressed(N_CELLS, N_FEATURES, value);
    let by_feature = compressed(N_FEATURES, N_CELLS, |feature, cell| value(cell, feature));
    let csr = sparse(file.create_group("csr"), "csr_matrix", &by_cell).finish();
    let csc = sparse(file.create_group("csc"), "csc_matrix", &by_feature).finish();
    // Damage, each of its own kind.
    let mut far = by_cell.clone();
    far.1[70] = N_FEATURES as i64;
    let far = sparse(file.create_group("far"), "csr_matrix", &far).finish();
    let mut falling = by_cell.clone();
    falling.2[20] = 1;
    let falling = sparse(file.create_group("falling"), "csr_matrix", &falling).finish();
    let mut short = by_cell.clone();
    short.1.pop();
    let short = sparse(file.create_group("short"), "csr_matrix", &short).finish();
    let mut broken = by_cell;
    let last = broken.0.len() - 1;
    broken.0[last] = 0.5;
    let broken = sparse(file.create_group("broken"), "csr_matrix", &broken).finish();
    let strange = sparse(file.create_group("strange"), "coo_matrix", &(vec![], vec![], vec![])).finish();
    for group in [csr, csc, far, falling, short, broken, strange] {
        file.add_group(group);
    }
    let dense: Vec<u16> = (0..N_CELLS * N_FEATURES).map(|i| value(i / N_FEATURES, i % N_FEATURES) as u16).collect();
    let shape = [N_CELLS as u64, N_FEATURES as u64];
    file.create_dataset("dense").with_u16_data(&dense).with_shape(&shape).with_chunks(&[7, 5]).with_shuffle();
    file.write(path).unwrap();
}

#[test]
fn all_layouts_give_the_same_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.h5");
    write(&path);
    let h5 = H5::open(&path, &ReadParams::default()).unwrap();
    let all: Vec<Option<u32>> = vec![Some(0); N_CELLS];
    let few = (0..N_CELLS).map(|cell| matches!(cell, 39..=45 | 80 | 89).then_some(0)).collect();
    let two = (0..N_CELLS).map(|cell| [Some(0), None, Some(1)][cell % 3]).collect();
    let none = vec![None; N_CELLS];
    let same: Vec<Option<u32>> = (0..N_FEATURES as u32).map(Some).collect();
    // Every third feature is dropped, and neighbours fall together, in falling order.
    let folded: Vec<Option<u32>> = (0..N_FEATURES as u32).map(|f| (f % 3 != 0).then_some(8 - f / 2)).collect();
    for (groups, n_groups) in [(all, 1), (few, 1), (two, 2), (none, 1)] {
        for columns in [&same, &folded] {
            let rows = Rows { group_of_cell: &groups, n_groups, column_of_feature: columns, n_genes: N_FEATURES };
            let expected: Vec<Counts> = (0..n_groups as u32)
                .map(|group| {
                    let mut builder = CountsBuilder::new(N_FEATURES);
                    for cell in (0..N_CELLS).filter(|&cell| groups[cell] == Some(group)) {
                        let entry = |f: usize| columns[f].map(|column| (column, value(cell, f)));
                        builder.push_unsorted(&mut (0..N_FEATURES).filter_map(entry).filter(|e| e.1 > 0).collect());
                    }
                    builder.finish()
                })
                .collect();
            for key in ["csr", "csc", "dense"] {
                let matrix = Matrix::open(&h5, key, (N_CELLS, N_FEATURES)).unwrap();
                assert_eq!(matrix.read(&rows).unwrap().unwrap(), expected, "{key}, {n_groups} groups");
            }
        }
    }
}

#[test]
fn damage_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.h5");
    write(&path);
    let h5 = H5::open(&path, &ReadParams::default()).unwrap();
    let columns: Vec<Option<u32>> = (0..N_FEATURES as u32).map(Some).collect();
    let rows =
        Rows { group_of_cell: &[Some(0); N_CELLS], n_groups: 1, column_of_feature: &columns, n_genes: N_FEATURES };
    let read = |key: &str, dims| Matrix::open(&h5, key, dims).and_then(|matrix| matrix.read(&rows));
    let dims = (N_CELLS, N_FEATURES);
    for (key, words) in [
        ("far", ["far/indices", "entry 70 is 17"]),
        ("falling", ["falling/indptr", "to 1 at entry 20"]),
        ("short", ["short/indices", "`data` has shape"]),
        ("strange", ["strange", "coo_matrix"]),
        ("absent", ["absent", "missing"]),
    ] {
        let message = read(key, dims).unwrap_err().to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    let message = read("dense", (N_CELLS + 1, N_FEATURES)).unwrap_err().to_string();
    assert!(message.contains("[90, 17]") && message.contains("91 cells"), "{message}");
    let not = read("broken", dims).unwrap().unwrap_err();
    assert_eq!((not.example, not.min, not.max, not.any_nan), (0.5, 0.5, 17.0, false));
}

#[test]
fn what_a_file_claims_beyond_its_size_is_refused_unless_the_limit_is_raised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.h5");
    let mut file = FileBuilder::new();
    file.create_dataset("zeros").with_u16_data(&[0; 1 << 17]).with_chunks(&[1 << 12]).with_deflate(9);
    file.write(&path).unwrap();
    let read = |max_expansion| {
        let h5 = H5::open(&path, &ReadParams { max_expansion, ..ReadParams::default() })?;
        h5.unsigned("zeros").map(|values| values.len())
    };
    assert_eq!(read(ReadParams::default().max_expansion).unwrap(), 1 << 17);
    let message = read(1).unwrap_err().to_string();
    assert!(message.contains("claims 131072 values") && message.contains("read.max_expansion"), "{message}");
}
