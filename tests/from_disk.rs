//! Promise: lots on disk give the same run for any number of threads and in any format: every file, and the record of the
//! run but for its part that tells how it was executed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cqa::io::join::read_lots;
use cqa::io::lot_sheet::read_lot_sheet;
use cqa::io::{ReadLots, ReadParams};
use cqa::progress::Silent;
use hdf5_pure::FileBuilder;

mod program;
use program::contents;

fn cqa(args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_cqa")).args(args).output().expect("the program starts");
    assert!(output.status.success(), "cqa {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

/// The record without `execution`, and without the digests and paths of the inputs where `of_input` is false.
fn record(bytes: &[u8], of_input: bool) -> serde_json::Value {
    let mut record: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let parts = record.as_object_mut().unwrap();
    parts.remove("execution").expect("the record tells how it was executed");
    if !of_input {
        parts.remove("inputs").expect("the record tells what was read");
        // These tell the files that were read.
        let outputs = parts["outputs"].as_array_mut().unwrap();
        outputs.retain(|file| !["lots.csv", "report.html"].contains(&file["path"].as_str().unwrap()));
    }
    record
}

/// Asserts that two runs agree in every file; in those that name the inputs only if both read the same.
fn same(one: &Path, two: &Path, same_input: bool) {
    let (one, two) = (contents(one), contents(two));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert!(one.len() > 20, "{:?}", one.keys());
    for (name, bytes) in &one {
        match name.to_str().unwrap() {
            "run.json" => assert_eq!(record(bytes, same_input), record(&two[name], same_input)),
            // Holds the time of its making; made of the record, and tested where it is made.
            "ro-crate-metadata.json" => {}
            "lots.csv" | "report.html" if !same_input => {}
            _ => assert!(*bytes == two[name], "{} differs", name.display()),
        }
    }
}

/// The lots of a sheet as 10x `.h5` files, with a sheet of their own.
fn as_h5(sheet: &Path, folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let ReadLots { dataset, .. } = read_lots(&read_lot_sheet(sheet).unwrap(), &ReadParams::default(), &Silent).unwrap();
    let mut lines = fs::read_to_string(sheet).unwrap();
    for lot in dataset.lots() {
        let (mut data, mut indices, mut indptr) = (Vec::new(), Vec::new(), vec![0_i64]);
        for cell in 0..lot.counts.n_cells() {
            lot.counts.row(cell).for_each(|gene, count| {
                data.push(count as i32);
                indices.push(i64::from(gene));
            });
            indptr.push(indices.len() as i64);
        }
        let mut file = FileBuilder::new();
        let mut matrix = file.create_group("matrix");
        let mut features = matrix.create_group("features");
        for (name, values) in [("id", dataset.genes().ids()), ("name", dataset.genes().symbols())] {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            features.create_dataset(name).with_ascii_strings(&values).unwrap();
        }
        matrix.add_group(features.finish());
        let barcodes: Vec<&str> = lot.barcodes.iter().map(String::as_str).collect();
        matrix.create_dataset("barcodes").with_ascii_strings(&barcodes).unwrap();
        matrix.create_dataset("data").with_i32_data(&data);
        matrix.create_dataset("indices").with_i64_data(&indices);
        matrix.create_dataset("indptr").with_i64_data(&indptr);
        matrix.create_dataset("shape").with_i32_data(&[dataset.n_genes() as i32, lot.counts.n_cells() as i32]);
        let matrix = matrix.finish();
        file.add_group(matrix);
        file.write(folder.join(format!("{}.h5", lot.name))).unwrap();
        // The second field of a row is its path.
        let row = lines.lines().find(|line| line.starts_with(&format!("{},", lot.name))).unwrap().to_string();
        let fields: Vec<&str> = row.splitn(3, ',').collect();
        lines = lines.replace(&row, &format!("{},{}.h5,{}", fields[0], lot.name, fields[2]));
    }
    let path = folder.join("lots.csv");
    fs::write(&path, lines).unwrap();
    path
}

#[test]
fn lots_on_disk_give_the_same_run_for_any_threads_and_format() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    cqa(&["simulate", "-o", text(&at("lots")), "--lots", "5", "--cells", "120", "--genes", "3000", "--quiet"]);
    let (sheet, params) = (at("lots").join("lots.csv"), at("params.toml"));
    // Fewer genes make components quick; nothing else is different from the default road.
    fs::write(&params, "[hvg]\nn_top_genes = 300\n").unwrap();
    let run = |sheet: &Path, threads: &str, out: &str| {
        let params = ["--params", text(&params), "--drop-doublets", "--quiet", "--threads", threads];
        cqa(&[&["run", text(sheet), "--potency", "vegf_ischemia", "-o", text(&at(out))], &params[..]].concat());
        at(out)
    };
    let one = run(&sheet, "1", "one");
    same(&one, &run(&sheet, "2", "two"), true);
    let of_h5 = run(&as_h5(&sheet, &at("h5")), "2", "of_h5");
    same(&one, &of_h5, false);
}
