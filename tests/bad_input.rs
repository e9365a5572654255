//! Promise: bad input is refused with file, place and cure. Every row of the table in `src/guide/bad_input.md` is made here, given
//! to `cqa check`, and its message held against the table. `CQA_BLESS=1` writes the table anew.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::{Compression, write::GzEncoder};
use hdf5_pure::{AttrValue, FileBuilder};

/// What is wrong; what makes it (in a folder, giving `lots.csv`, which is `lot,path` and `A,lot` unless it is written); words that
/// the message must have: place and cure.
type Bad = (&'static str, fn(&Path), &'static [&'static str]);

const MTX: &str = "%%MatrixMarket matrix coordinate integer general\n";

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn gz(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

/// A 10x folder of two genes and two cells with this text as its matrix.
fn tenx(folder: &Path, matrix: &str) {
    write(folder, "lot/matrix.mtx", matrix);
    write(folder, "lot/barcodes.tsv", "AAAC-1\nAAAG-1\n");
    write(folder, "lot/genes.tsv", "ENSG1\tA\nENSG2\tB\n");
}

/// A sheet for a lot of this file name, and the file.
fn lot(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    write(folder, "lots.csv", format!("lot,path\nA,{name}\n"));
    write(folder, name, bytes);
}

/// A 10x file of two genes and two cells, and what is wrong with it.
struct TenX {
    data: Vec<f32>,
    indices: Vec<i64>,
    starts: Vec<i64>,
    shape: Vec<i32>,
    barcodes: bool,
    features: bool,
}

impl Default for TenX {
    fn default() -> Self {
        Self {
            data: vec![1.0, 2.0, 3.0],
            indices: vec![0, 1, 1],
            starts: vec![0, 2, 3],
            shape: vec![2, 2],
            barcodes: true,
            features: true,
        }
    }
}

fn tenx_h5(folder: &Path, of: TenX) {
    let mut file = FileBuilder::new();
    let mut matrix = file.create_group("matrix");
    let mut features = matrix.create_group("features");
    features.create_dataset("id").with_ascii_strings(&["ENSG1", "ENSG2"]).unwrap();
    features.create_dataset("name").with_ascii_strings(&["A", "B"]).unwrap();
    let features = features.finish();
    if of.features {
        matrix.add_group(features);
    }
    if of.barcodes {
        matrix.create_dataset("barcodes").with_ascii_strings(&["AAAC-1", "AAAG-1"]).unwrap();
    }
    matrix.create_dataset("data").with_f32_data(&of.data);
    matrix.create_dataset("indices").with_i64_data(&of.indices);
    matrix.create_dataset("indptr").with_i64_data(&of.starts);
    matrix.create_dataset("shape").with_i32_data(&of.shape);
    let matrix = matrix.finish();
    file.add_group(matrix);
    lot(folder, "lot.h5", "");
    file.write(folder.join("lot.h5")).unwrap();
}

/// A real file whose header of `X/indptr` was changed: it claims 2^48 entries in place of 11.
fn huge(folder: &Path) {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference/readers/anndata_0.5.h5ad");
    let mut bytes = fs::read(real).unwrap();
    // A data space of one dimension with its largest size: version, rank, flags, five bytes reserved, size.
    let space = [&[1, 1, 1, 0, 0, 0, 0, 0][..], &11_u64.to_le_bytes()].concat();
    let places: Vec<usize> = (0..bytes.len() - 24).filter(|&i| bytes[i..i + 16] == space).map(|i| i + 8).collect();
    assert_eq!(places.len(), 2, "of X and raw.X");
    for place in places {
        bytes[place..place + 16].copy_from_slice(&[(1_u64 << 48).to_le_bytes(), (1_u64 << 48).to_le_bytes()].concat());
    }
    lot(folder, "lot.h5ad", bytes);
}

fn h5ad(folder: &Path, frame: &str, with_var: bool) {
    let mut file = FileBuilder::new();
    let mut obs = file.create_group(frame);
    obs.set_attr("_index", AttrValue::VarLenString("_index".into()));
    obs.create_dataset("_index").with_ascii_strings(&["AAAC-1", "AAAG-1"]).unwrap();
    file.add_group(obs.finish());
    if with_var {
        let mut var = file.create_group("var");
        var.set_attr("_index", AttrValue::VarLenString("_index".into()));
        var.create_dataset("_index").with_ascii_strings(&["A", "B"]).unwrap();
        file.add_group(var.finish());
    }
    if !with_var {
        file.create_dataset("X").with_i32_data(&[1, 2, 3, 4]).with_shape(&[2, 2]);
    }
    lot(folder, "lot.h5ad", "");
    file.write(folder.join("lot.h5ad")).unwrap();
}

const BAD: &[Bad] = &[
    // The sheet
    ("sheet: not there", |_| (), &["lots.csv"]),
    ("sheet: empty", |f| write(f, "lots.csv", ""), &["lots.csv, line 1", "must name the columns"]),
    ("sheet: no lots", |f| write(f, "lots.csv", "lot,path\n"), &["line 1", "give one row per lot"]),
    ("sheet: UTF-16", |f| write(f, "lots.csv", b"\xff\xfel\0o\0t\0"), &["line 1", "save it as UTF-8"]),
    ("sheet: not UTF-8", |f| write(f, "lots.csv", b"lot,path\nA\xff,lot\n"), &["line 2", "UTF-8"]),
    ("sheet: a spreadsheet", |f| write(f, "lots.csv", b"PK\x03\x04\x14\0"), &["lots.csv", "save it as CSV"]),
    (
        "sheet: missing column",
        |f| write(f, "lots.csv", "lot,file\nA,lot\n"),
        &["line 1: no column `path`", "needs the columns"],
    ),
    ("sheet: column twice", |f| write(f, "lots.csv", "lot,path,x,x\nA,lot,1,2\n"), &["line 1", "rename one"]),
    ("sheet: wrong delimiter", |f| write(f, "lots.csv", "lot|path\nA|lot\n"), &["line 1: no column `lot`"]),
    (
        "sheet: duplicate lots",
        |f| (write(f, "lots.csv", "lot,path\nA,lot\nA,b\n"), tenx(f, MTX)).1,
        &["line 3", "on line 2", "its own name"],
    ),
    ("sheet: too many fields", |f| write(f, "lots.csv", "lot,path\nA,lot,1\n"), &["line 2: 3 fields", "quote fields"]),
    (
        "sheet: path not there",
        |f| write(f, "lots.csv", "lot,path\nA,lot\n"),
        &["line 2", "does not exist", "relative to the sheet"],
    ),
    (
        "sheet: control character",
        |f| write(f, "lots.csv", "lot,path\nA\x1b[2J,lot\n"),
        &["line 2: `A\\u{1b}[2J`", "remove it"],
    ),
    (
        "sheet: path outside its folder",
        |f| write(f, "lots.csv", "lot,path\nA,../gone\n"),
        &["line 2", "which this one leaves", "mend the path"],
    ),
    (
        "sheet: a folder in its place",
        |f| fs::create_dir(f.join("lots.csv")).unwrap(),
        &["lots.csv", "give the file in it"],
    ),
    ("sheet: quotes left open", |f| write(f, "lots.csv", "lot,path\n\"A,lot\n"), &["lots.csv, line 2"]),
    // A matrix folder
    ("mtx: folder without a matrix", |f| write(f, "lot/readme", ""), &["lot", "no matrix here"]),
    (
        "mtx: no barcodes beside it",
        |f| write(f, "lot/matrix.mtx", MTX),
        &["missing beside this matrix: barcodes.tsv", "put the files together"],
    ),
    ("mtx: not MatrixMarket", |f| tenx(f, "gene\tcell\n"), &["matrix.mtx, line 1", "line 1 should read"]),
    (
        "mtx: dense",
        |f| tenx(f, "%%MatrixMarket matrix array integer general\n2 2\n"),
        &["line 1", "write it as `coordinate`"],
    ),
    (
        "mtx: header that promises more",
        |f| tenx(f, &format!("{MTX}2 2 4\n1 1 1\n")),
        &["line 3", "after 1 of 4 entries", "download it again"],
    ),
    (
        "mtx: header of impossible size",
        |f| tenx(f, &format!("{MTX}4000000000 4000000000 9999999999999\n")),
        &["line 2", "4000000000 rows", "come from one run"],
    ),
    (
        "mtx: more entries than promised",
        |f| tenx(f, &format!("{MTX}2 2 1\n1 1 1\n2 2 1\n")),
        &["more entries than the 1", "damaged"],
    ),
    ("mtx: index outside", |f| tenx(f, &format!("{MTX}2 2 1\n3 1 1\n")), &["line 3: entry at row 3", "indices from 0"]),
    ("mtx: index 0", |f| tenx(f, &format!("{MTX}2 2 1\n0 1 1\n")), &["line 3: entry at row 0", "indices from 0"]),
    ("mtx: negative count", |f| tenx(f, &format!("{MTX}2 2 1\n1 1 -1\n")), &["line 3: `-1` is negative", "raw counts"]),
    ("mtx: fractional count", |f| tenx(f, &format!("{MTX}2 2 1\n1 1 0.5\n")), &["line 3: `0.5`", "raw counts"]),
    ("mtx: NaN", |f| tenx(f, &format!("{MTX}2 2 1\n1 1 nan\n")), &["line 3: `nan`", "raw counts"]),
    (
        "mtx: count beyond 32 bits",
        |f| tenx(f, &format!("{MTX}2 2 1\n1 1 4294967296\n")),
        &["line 3", "too large for a count"],
    ),
    ("mtx: an entry twice", |f| tenx(f, &format!("{MTX}2 2 2\n1 1 1\n1 1 2\n")), &["matrix.mtx", "twice"]),
    (
        "mtx: not as many barcodes",
        |f| (tenx(f, &format!("{MTX}2 2 1\n1 1 1\n")), write(f, "lot/barcodes.tsv", "A\n")).1,
        &["2 genes and 1 barcodes", "come from one run"],
    ),
    (
        "mtx: truncated gz",
        |f| {
            tenx(f, "");
            fs::remove_file(f.join("lot/matrix.mtx")).unwrap();
            let whole = gz(&format!("{MTX}2 2 4\n{}", "1 1 1\n".repeat(4)));
            write(f, "lot/matrix.mtx.gz", &whole[..whole.len() - 12]);
        },
        &["matrix.mtx.gz, line", "breaks off", "download it again"],
    ),
    (
        "mtx: damaged gz",
        |f| {
            tenx(f, "");
            fs::remove_file(f.join("lot/matrix.mtx")).unwrap();
            let mut whole = gz(&format!("{MTX}2 2 4\n1 1 1\n"));
            let middle = whole.len() / 2;
            whole[middle] ^= 0xff;
            write(f, "lot/matrix.mtx.gz", whole);
        },
        &["matrix.mtx.gz"],
    ),
    (
        "mtx: two matrices",
        |f| (write(f, "lot/a/matrix.mtx", MTX), write(f, "lot/b/matrix.mtx", MTX)).1,
        &["several matrices here", "give the path of one"],
    ),
    #[cfg(unix)]
    (
        "mtx: symlink loop",
        |f| {
            fs::create_dir(f.join("lot")).unwrap();
            std::os::unix::fs::symlink(f.join("lot/matrix.mtx"), f.join("lot/matrix.mtx")).unwrap();
            write(f, "lot/barcodes.tsv", "A\n");
            write(f, "lot/genes.tsv", "A\tA\n");
        },
        &["matrix.mtx", "symbolic links"],
    ),
    #[cfg(unix)]
    (
        "mtx: folders that loop",
        |f| {
            fs::create_dir(f.join("lot")).unwrap();
            std::os::unix::fs::symlink(f.join("lot"), f.join("lot/again")).unwrap();
        },
        &["lot", "no matrix here"],
    ),
    // Text
    ("text: empty", |f| lot(f, "lot.csv", ""), &["lot.csv, line 1", "must hold names"]),
    ("text: only a header", |f| lot(f, "lot.csv", "cell,A,B\n"), &["lot.csv, line 1", "one line per row"]),
    ("text: wrong delimiter", |f| lot(f, "lot.csv", "cell|A|B\nAAAC|1|2\n"), &["lot.csv, line 2", "no tab, comma"]),
    (
        "text: short line",
        |f| lot(f, "lot.csv", "cell,ACTB,GAPDH,B2M\nAAAC,1,2,3\nAAAG,1\n"),
        &["lot.csv, line 3: 1 values", "damaged"],
    ),
    (
        "text: negative count",
        |f| lot(f, "lot.csv", "cell,ACTB,GAPDH,B2M\nAAAC,1,-2,3\n"),
        &["line 2: column `GAPDH`: `-2`", "raw counts"],
    ),
    (
        "text: fractional count",
        |f| lot(f, "lot.csv", "cell,ACTB,GAPDH,B2M\nAAAC,1,2.5,3\n"),
        &["line 2: column `GAPDH`: `2.5`", "raw counts"],
    ),
    (
        "text: empty value",
        |f| lot(f, "lot.csv", "cell,ACTB,GAPDH,B2M\nAAAC,1,,3\n"),
        &["line 2: column `GAPDH`", "write 0"],
    ),
    (
        "text: word for a count",
        |f| lot(f, "lot.csv", "cell,ACTB,GAPDH,B2M\nAAAC,1,x,3\n"),
        &["line 2: column `GAPDH`: `x`", "raw counts"],
    ),
    (
        "text: missing value",
        |f| lot(f, "lot.csv", "cell,ACTB,GAPDH,B2M\nAAAC,1,NA,3\n"),
        &["line 2: column `GAPDH`: `NA`", "raw counts"],
    ),
    (
        "text: count beyond 32 bits",
        |f| lot(f, "lot.csv", "cell,ACTB,GAPDH,B2M\nAAAC,1,4294967296,3\n"),
        &["line 2: column `GAPDH`", "too large for a count"],
    ),
    ("text: UTF-16", |f| lot(f, "lot.csv", b"\xff\xfec\0"), &["lot.csv, line 1", "save it as UTF-8"]),
    (
        "text: orientation not told by the names",
        |f| lot(f, "lot.csv", "x,p,q\nr,1,2\ns,3,4\n"),
        &["lot.csv", "declare it: `orientation"],
    ),
    (
        "text: truncated gz",
        |f| {
            let whole = gz(&"cell,ACTB,GAPDH,B2M\nAAAC,1,2,3\n".repeat(3));
            lot(f, "lot.csv.gz", &whole[..whole.len() - 10]);
        },
        &["lot.csv.gz, line", "download it again"],
    ),
    // HDF5
    ("h5: not HDF5", |f| lot(f, "lot.h5", "no HDF5"), &["lot.h5", "not an HDF5 file", "again"]),
    (
        "h5: cut off",
        |f| {
            tenx_h5(f, TenX::default());
            let whole = fs::read(f.join("lot.h5")).unwrap();
            fs::write(f.join("lot.h5"), &whole[..whole.len() / 3]).unwrap();
        },
        &["lot.h5"],
    ),
    (
        "h5: no barcodes",
        |f| tenx_h5(f, TenX { barcodes: false, ..TenX::default() }),
        &["lot.h5, matrix/barcodes: missing", "written to its end"],
    ),
    (
        "h5: no features",
        |f| tenx_h5(f, TenX { features: false, ..TenX::default() }),
        &["lot.h5, matrix/features", "again"],
    ),
    (
        "h5: count beyond 32 bits",
        |f| tenx_h5(f, TenX { data: vec![1.0, 5e9, 3.0], ..TenX::default() }),
        &["matrix/data: holds 5000000000", "give the matrix"],
    ),
    (
        "h5: indptr falls",
        |f| tenx_h5(f, TenX { starts: vec![0, 3, 2], ..TenX::default() }),
        &["matrix/indptr", "damaged"],
    ),
    (
        "h5: indptr beyond the values",
        |f| tenx_h5(f, TenX { starts: vec![0, 2, 9_000_000_000], ..TenX::default() }),
        &["matrix/indptr: goes from 0 to 9000000000", "damaged"],
    ),
    (
        "h5: indptr too short",
        |f| tenx_h5(f, TenX { starts: vec![0, 3], ..TenX::default() }),
        &["matrix/indptr: 2 entries where 3", "damaged"],
    ),
    ("h5: index outside", |f| tenx_h5(f, TenX { indices: vec![0, 1, 7], ..TenX::default() }), &["matrix/indices", "7"]),
    (
        "h5: negative index",
        |f| tenx_h5(f, TenX { indices: vec![0, -1, 1], ..TenX::default() }),
        &["matrix/indices", "-1"],
    ),
    (
        "h5: fewer indices than values",
        |f| tenx_h5(f, TenX { indices: vec![0, 1], ..TenX::default() }),
        &["matrix/indices", "damaged"],
    ),
    (
        "h5: shape that lies",
        |f| tenx_h5(f, TenX { shape: vec![2_000_000_000, 2], ..TenX::default() }),
        &["matrix/shape: [2000000000, 2]", "damaged"],
    ),
    (
        "h5ad: data set that claims 2^48 values",
        huge,
        &["indptr: claims 281474976710656 values", "copy it anew", "read.max_expansion"],
    ),
    (
        "h5: negative count",
        |f| tenx_h5(f, TenX { data: vec![1.0, -2.0, 3.0], ..TenX::default() }),
        &["matrix/data: holds -2", "give the matrix"],
    ),
    (
        "h5: fractional count",
        |f| tenx_h5(f, TenX { data: vec![1.0, 0.5, 3.0], ..TenX::default() }),
        &["matrix/data: holds 0.5", "give the matrix"],
    ),
    (
        "h5: NaN",
        |f| tenx_h5(f, TenX { data: vec![1.0, f32::NAN, 3.0], ..TenX::default() }),
        &["matrix/data: holds NaN", "give the matrix"],
    ),
    ("h5ad: no counts", |f| h5ad(f, "obs", true), &["lot.h5ad, X", "write the raw counts"]),
    ("h5ad: no var", |f| h5ad(f, "obs", false), &["lot.h5ad, var", "whole AnnData"]),
    ("h5ad: no obs", |f| h5ad(f, "observations", true), &["lot.h5ad, obs", "whole AnnData"]),
    ("an archive", |f| lot(f, "lot.tar.gz", "x"), &["lot.tar.gz", "unpack it"]),
    ("an R object", |f| lot(f, "lot.rds", "x"), &["lot.rds", "10x folder"]),
    // Parameters and plans
    (
        "params: not there",
        |f| (lot(f, "lot.csv", ""), write(f, "params.missing", "")).1,
        &["params.toml", "mend the path"],
    ),
    ("params: not TOML", |f| params(f, "seed = = 1\n"), &["params.toml, line 1", "`cqa params` prints"]),
    (
        "params: unknown key",
        |f| params(f, "[qc]\nmin_count = 3\n"),
        &["params.toml, line 2", "min_count", "`cqa params`"],
    ),
    ("params: wrong type", |f| params(f, "[qc]\nn_mads = \"three\"\n"), &["params.toml, line 2", "`cqa params`"]),
    ("plan: not there", |f| write(f, "plan.missing", ""), &["plan.toml"]),
    ("plan: not TOML", |f| write(f, "plan.toml", "title = \n"), &["plan.toml, line 1"]),
    ("plan: unknown key", |f| write(f, "plan.toml", "titel = \"x\"\n"), &["plan.toml, line 1", "titel"]),
    ("an unknown file", |f| lot(f, "lot.bin", "x"), &["lot.bin", "a lot is"]),
];

fn params(folder: &Path, text: &str) {
    lot(folder, "lot.csv", "cell,ACTB,GAPDH,B2M\nAAAC,1,2,3\n");
    write(folder, "params.toml", text);
}

/// What `cqa check` says of a folder, its path taken out; `cqa compare` of a plan.
fn said(make: fn(&Path)) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let sheet = folder.path().join("lots.csv");
    if !sheet.exists() && folder.path().join("lot").exists() {
        fs::write(&sheet, "lot,path\nA,lot\n").unwrap();
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_cqa"));
    let has = |name: &str| folder.path().join(name).exists();
    if has("plan.toml") || has("plan.missing") {
        program.arg("compare").arg(folder.path().join("plan.toml")).arg("--lock");
    } else {
        program.arg("check").arg(&sheet);
    }
    if has("params.toml") || has("params.missing") {
        program.arg("--params").arg(folder.path().join("params.toml"));
    }
    let output = program.args(["--quiet", "--threads", "1"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).replace(&format!("{}/", folder.path().display()), "");
    (output.status.code(), text.replace(folder.path().to_str().unwrap(), "."))
}

#[test]
fn every_row_of_the_table_is_refused_as_it_says() {
    let mut table = String::from("| bad input | message |\n|---|---|\n");
    let mut wrong = Vec::new();
    for (what, make, words) in BAD {
        let (code, text) = said(*make);
        let message = text.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("").to_string();
        let held = code == Some(1) && !message.is_empty() && words.iter().all(|word| message.contains(word));
        if !held {
            wrong.push(format!("{what}: exit {code:?}, {text}"));
        }
        table += &format!("| {what} | {} |\n", message.replace('|', "\\|").replace('<', "&lt;").replace(" [", " \\["));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/bad_input.md");
    let page = fs::read_to_string(&path).unwrap();
    let start = page.find("| bad input |").expect("the page has the table");
    let end = start + page[start..].find("\n\n").map_or(page.len() - start, |end| end + 1);
    if std::env::var_os("CQA_BLESS").is_some() {
        fs::write(&path, format!("{}{table}{}", &page[..start], &page[end..])).unwrap();
    } else {
        assert_eq!(page[start..end], table, "src/guide/bad_input.md; CQA_BLESS=1 writes the table anew");
    }
}

#[test]
fn what_only_looks_bad_is_read() {
    type Make = fn(&Path);
    let good: [(&str, Make); 4] = [
        ("CRLF and BOM", |f| {
            write(f, "lots.csv", "\u{feff}lot;path\r\nA;lot\r\n");
            tenx(f, &format!("{MTX}2 2 2\n1 1 1\n2 2 1\n").replace('\n', "\r\n"));
        }),
        ("swapped orientation", |f| {
            tenx(f, &format!("{MTX}3 2 2\n1 1 1\n3 2 1\n"));
            write(f, "lot/barcodes.tsv", "A\nB\nC\n");
        }),
        ("a table either way round", |f| {
            lot(f, "lot.tsv", "\tAAACCCGGGTTTAC\tAAACCCGGGTTTAG\nACTB\t1\t2\nGAPDH\t3\t0\n")
        }),
        ("a 10x file", |f| tenx_h5(f, TenX::default())),
    ];
    for (what, make) in good {
        let (code, text) = said(make);
        assert_eq!(code, Some(0), "{what}: {text}");
    }
}
