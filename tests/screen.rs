//! Promise: `cqa screen` finds the cells that were put there, says what a zero excludes, and passes on what readers refuse.

mod program;

use std::fs;
use std::path::Path;

use cqa::data::{CountsBuilder, Dataset, Genes, Lot, LotSheet, LotSource};
use cqa::io::tenx_mtx_write::write_lots;
use cqa::math::rng::stream;
use program::{cqa, number, rows, succeeds};
use rand::RngExt;

const GENES: [&str; 12] =
    ["LIN28A", "ESRG", "CNMD", "POU5F1", "NANOG", "TDGF1", "DPPA4", "L1TD1", "SFRP2", "COL1A1", "MT-CO1", "RPL3"];

fn fails(args: &[&str], folder: &Path) -> String {
    let output = cqa(folder, args);
    assert_ne!(output.status.code(), Some(0), "cqa {}", args.join(" "));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Lots of (name, stromal cells, pluripotent cells), at about this depth, each a 10x folder; and their sheet.
fn write(folder: &Path, lots: &[(&str, usize, usize)], depth: u32, genes: &[&str]) {
    let made = lots.iter().enumerate().map(|(i, &(name, stromal, pluripotent))| {
        let mut rng = stream(7, name, i as u64);
        let mut builder = CountsBuilder::new(genes.len());
        for cell in 0..stromal + pluripotent {
            let counts: Vec<u32> = genes
                .iter()
                .map(|gene| match *gene {
                    "COL1A1" | "RPL3" => depth / 2 + rng.random_range(0..depth / 10),
                    "MT-CO1" => depth / 20 + rng.random_range(0..depth / 50),
                    "SFRP2" => u32::from(cell < stromal) * 20,
                    _ if cell >= stromal => rng.random_range(0..=depth / 500),
                    // A stray count of one gene now and then.
                    _ => u32::from(rng.random::<f64>() < 0.005),
                })
                .collect();
            builder.push_row(&(0..genes.len() as u32).collect::<Vec<_>>(), &counts);
        }
        let barcodes = (0..stromal + pluripotent).map(|c| format!("{name}-{c:05}")).collect();
        Lot { name: name.into(), barcodes, counts: builder.finish() }
    });
    let names: Vec<String> = genes.iter().map(|g| (*g).to_string()).collect();
    let sources = lots.iter().map(|lot| LotSource { lot: lot.0.into(), path: lot.0.into(), subset: None }).collect();
    let sheet = LotSheet { lots: sources, columns: Vec::new() };
    let dataset = Dataset::new(Genes::new(names.clone(), names).unwrap(), made.collect(), sheet).unwrap();
    fs::create_dir_all(folder).unwrap();
    write_lots(folder, &dataset).unwrap();
}

#[test]
fn spiked_cells_are_found_zeros_have_limits_and_controls_widen_them() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(&here.join("product"), &[("clean", 3_000, 0), ("spiked", 2_000, 5)], 2_000, &GENES);
    write(&here.join("ips"), &[("ips", 0, 200)], 6_000, &GENES);
    write(&here.join("bm"), &[("bm", 4_000, 0)], 2_000, &GENES);
    let args = ["screen", "product/lots.csv", "--signature", "residual_pluripotent", "-o", "out"];
    let said = succeeds(here, &args);
    assert!(said.contains("limits are for cells that show the signature"), "{said}");
    let lots = rows(&here.join("out/screen.csv"));
    assert_eq!((lots[0]["n_cells"].as_str(), lots[0]["n_positive"].as_str()), ("3000", "0"));
    assert!((number(&lots[0], "upper_95") - 9.980_8e-4).abs() < 1e-7 && lots[0]["upper_95_adjusted"].is_empty());
    let n_positive = number(&lots[1], "n_positive");
    assert!((3.0..=5.0).contains(&n_positive), "{lots:?}");
    let cells = rows(&here.join("out/positives.csv"));
    assert!(cells.iter().all(|cell| cell["lot"] == "spiked" && number(cell, "n_signature_genes") >= 3.0), "{cells:?}");
    assert_eq!(cells.len() as f64, n_positive);
    let page = fs::read_to_string(here.join("out/report.html")).unwrap();
    assert!(page.contains("cells with the signature were found among 5,005 cells of 2 lots, in 1 of them: spiked"));
    for file in ["process.csv", "needed.csv", "signature.toml", "params.toml", "plots/screen.svg", "run.json"] {
        assert!(here.join("out").join(file).exists(), "{file}");
    }
    // What was written can be read again as a signature.
    succeeds(here, &["screen", "product/lots.csv", "--signature", "out/signature.toml", "-o", "again"]);
    assert_eq!(fs::read(here.join("out/screen.csv")).unwrap(), fs::read(here.join("again/screen.csv")).unwrap());

    let with = |threads: &str, out: &str| {
        let mut args = vec!["screen", "product/lots.csv", "--signature", "residual_pluripotent", "-o", out];
        args.extend(["--positive", "ips/lots.csv", "--negative", "bm/lots.csv", "--threads", threads]);
        succeeds(here, &args)
    };
    with("1", "one");
    with("2", "two");
    let written = ["screen.csv", "process.csv", "positives.csv", "needed.csv", "detection.csv", "report.html"];
    for file in written.iter().chain(&["plots/screen.svg", "plots/screen.png"]) {
        assert!(
            fs::read(here.join("one").join(file)).unwrap() == fs::read(here.join("two").join(file)).unwrap(),
            "{file}"
        );
    }
    let with = rows(&here.join("one/screen.csv"));
    // The control is three times as deep; thinned, fewer of its cells show the signature.
    let control = &rows(&here.join("one/detection.csv"))[0];
    assert!(number(control, "detection_probability") < number(control, "unthinned"), "{control:?}");
    assert!(number(&with[0], "upper_95_adjusted") > number(&lots[0], "upper_95"));
    assert_eq!(with[0]["upper_95"], lots[0]["upper_95"]);
    assert!(number(&with[1], "p_background") < 0.01 && number(&with[0], "p_background") == 1.0);
}

#[test]
fn what_cannot_be_screened_is_refused_or_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let few = ["LIN28A", "POU5F1", "SFRP2", "COL1A1", "MT-CO1", "RPL3"];
    write(&here.join("poor"), &[("poor", 60, 0)], 2_000, &few);
    let run = |sheet: &str, more: &[&str]| {
        let mut args = vec!["screen", sheet, "--signature", "residual_pluripotent", "-o", "out"];
        args.extend(more);
        fails(&args, here)
    };
    let message = run("poor/lots.csv", &[]);
    assert!(
        message.contains("lot poor") && message.contains("has 2 of the 8") && message.contains("L1TD1"),
        "{message}"
    );
    assert!(!here.join("out").exists(), "nothing is left behind");

    let most = ["LIN28A", "POU5F1", "TDGF1", "L1TD1", "SFRP2", "COL1A1", "MT-CO1", "RPL3"];
    write(&here.join("some"), &[("some", 60, 0)], 2_000, &most);
    let strict = run("some/lots.csv", &["--strict"]);
    assert!(strict.contains("lacks ESRG, CNMD, NANOG, DPPA4") && strict.contains("4 genes are left"), "{strict}");
    assert!(run("some/lots.csv", &[]).contains("--force"), "what stands there is not replaced");

    let args = ["--force", "--detection-probability", "1.5"];
    assert!(run("some/lots.csv", &args).contains("detection_probability"));
    assert!(run("some/lots.csv", &["--force", "--limit", "0"]).contains("screen.limit"));
    let both = ["--force", "--detection-probability", "0.5", "--positive", "some/lots.csv"];
    assert!(run("some/lots.csv", &both).contains("cannot be used with"));
    assert!(run("none.csv", &["--force"]).contains("none.csv"));
    fs::write(here.join("bad.csv"), "lot,path\nL1,nowhere\n").unwrap();
    assert!(run("bad.csv", &["--force"]).contains("bad.csv, line 2"));
    fs::write(here.join("some/some/matrix.mtx.gz"), "not a matrix").unwrap();
    assert!(run("some/lots.csv", &["--force"]).contains("matrix.mtx"));
}
