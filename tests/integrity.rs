//! Promise: what was computed can be defended years later. Changed bytes are found, runs are on record, and neither a kill nor a
//! name from outside does harm.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

mod program;
use program::{contents, copy, files};

/// Flags that make a run quick.
const QUICK: [&str; 5] = ["--no-umap", "--no-leave-one-out", "--no-sensitivity", "--quiet", "--n-top-genes=300"];

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cqa"));
    command.args(args);
    command
}

fn cqa(args: &[&str]) -> Output {
    command(args).output().expect("the program starts")
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn ends(args: &[&str], code: i32) -> String {
    let output = cqa(args);
    assert_eq!(output.status.code(), Some(code), "cqa {}: {}", args.join(" "), words(&output));
    words(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

/// Small lots, made once.
fn lots() -> &'static Path {
    static LOTS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = LOTS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let lots = folder.path().join("lots");
        ends(&["simulate", "-o", text(&lots), "--lots", "4", "--cells", "80", "--genes", "2000", "--quiet"], 0);
        folder
    });
    folder.path()
}

/// A folder of one's own with the lots in it.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&lots().join("lots"), &folder.path().join("lots"));
    folder
}

fn cluster(sheet: &Path, run: &Path, more: &[&str]) -> Vec<String> {
    let args = [&["cluster", text(sheet), "-o", text(run)][..], &QUICK, more].concat();
    args.into_iter().map(String::from).collect()
}

fn with(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn flip(path: &Path) -> Vec<u8> {
    let whole = fs::read(path).unwrap();
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
    whole
}

#[test]
fn a_run_is_verified_run_again_and_compared_and_the_ledger_tells_of_it() {
    let folder = workspace();
    let (sheet, run) = (folder.path().join("lots/lots.csv"), folder.path().join("run"));
    let (two, ledger) = (folder.path().join("two"), folder.path().join("ledger.jsonl"));
    // Relative paths, from a folder that is not that of the later commands.
    let args =
        [&["cluster", "lots/lots.csv", "-o", "run", "--operator", "A. B", "--reason", "release"][..], &QUICK].concat();
    let made = command(&args).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", words(&made));
    ends(&["rank", text(&run), "--potency", "vegf_ischemia", "--quiet"], 0);
    let said = ends(&["verify", text(&run), "--rerun"], 0);
    for sentence in ["as recorded", "entry 4 of", "outputs are the same"] {
        assert!(said.contains(sentence), "{said}");
    }
    let record: serde_json::Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["execution"]["before"][0]["command"][1], "cluster");
    assert_eq!(record["execution"]["command"][1], "rank");

    for file in files(&run).into_iter().chain(files(&folder.path().join("lots"))) {
        let is_truth = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("truth"));
        if is_truth {
            continue;
        }
        let whole = flip(&file);
        let said = ends(&["verify", text(&run)], 1);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(said.lines().any(|line| line.contains(name) && line.contains("changed")), "{name}: {said}");
        fs::write(&file, whole).unwrap();
    }
    ends(&["verify", text(&run)], 0);

    let other = cluster(&sheet, &two, &["--seed", "7", "--resolution", "0.4"]);
    ends(&with(&other), 0);
    let said = ends(&["diff", text(&run), text(&two)], 1);
    for sentence in ["seed: ", "resolution.resolution: ", "only in the first", "cells.parquet: ", "differ in"] {
        assert!(said.contains(sentence), "{sentence}: {said}");
    }
    let said = ends(&["diff", text(&run), text(&run)], 0);
    assert!(said.contains("The same inputs"), "{said}");

    // A run that fails is on record too, and usage that is wrong never began.
    ends(&["rank", text(&run), "--potency", "no_such_column", "--quiet"], 1);
    ends(&["rank", text(&run)], 2);
    let said = ends(&["verify", "--ledger", text(&ledger)], 0);
    assert!(said.contains("8 entries; 4 runs began, 3 done, 1 failed"), "{said}");
    let lines = fs::read_to_string(&ledger).unwrap();
    assert!(
        lines.contains("\"operator\":\"A. B\",\"reason\":\"release\"") && lines.contains("no_such_column"),
        "{lines}"
    );
    let head = said.split("SHA-256 ").nth(1).unwrap().split('.').next().unwrap().to_string();
    ends(&["verify", "--ledger", text(&ledger), "--head", &head], 0);
    let cut: Vec<&str> = lines.lines().take(7).collect();
    fs::write(&ledger, cut.join("\n") + "\n").unwrap();
    ends(&["verify", "--ledger", text(&ledger)], 0);
    assert!(ends(&["verify", "--ledger", text(&ledger), "--head", &head], 1).contains("cut or rewritten"));
    fs::write(&ledger, lines.replacen("release", "Release", 1)).unwrap();
    assert!(ends(&["verify", "--ledger", text(&ledger)], 1).contains("line 1: changed"));

    // A record rewritten as a whole, hashes and all, is not the one that the ledger knows.
    fs::write(&ledger, &lines).unwrap();
    fs::remove_dir_all(&run).unwrap();
    copy(&two, &run);
    fs::write(run.join("run.json"), fs::read_to_string(two.join("run.json")).unwrap() + " ").unwrap();
    let said = ends(&["verify", text(&run)], 1);
    assert!(said.contains("not the one that entry"), "{said}");
}

#[test]
fn a_signed_record_is_told_from_a_changed_one_and_from_one_by_another_key() {
    let folder = workspace();
    let at = |name: &str| folder.path().join(name);
    let (sheet, run) = (at("lots/lots.csv"), at("run"));
    ends(&with(&cluster(&sheet, &run, &[])), 0);
    for name in ["lab", "other"] {
        ends(&["sign", "--new-key", text(&at(name))], 0);
    }
    assert!(ends(&["sign", "--new-key", text(&at("lab"))], 1).contains("never overwritten"));
    let (key, public, other) = (at("lab.key"), at("lab.pub"), at("other.pub"));
    let checked = ["verify", text(&run), "--public-key", text(&public)];
    assert!(ends(&checked, 1).contains("not signed"));
    ends(&["sign", text(&run), "--secret-key", text(&key)], 0);
    assert!(ends(&checked, 0).contains("Signed: time:"));
    // The key itself instead of its file.
    let line = fs::read_to_string(&public).unwrap().lines().nth(1).unwrap().to_string();
    ends(&["verify", text(&run), "--public-key", &line], 0);
    assert!(ends(&["verify", text(&run), "--public-key", text(&other)], 1).contains("by this key"));
    assert!(ends(&["verify", text(&run), "--public-key", "nonsense"], 1).contains("NAME.pub"));
    let signature = run.join("run.json.minisig");
    let whole = flip(&signature);
    ends(&checked, 1);
    fs::write(&signature, whole).unwrap();
    // Someone who computes all hashes anew has not the key.
    let (record, twin) = (run.join("run.json"), at("twin"));
    ends(&with(&cluster(&sheet, &twin, &["--reason", "another"])), 0);
    let signed = fs::read(&record).unwrap();
    fs::write(&record, fs::read(twin.join("run.json")).unwrap()).unwrap();
    assert!(ends(&checked, 1).contains("not one of this record"));
    fs::write(&record, signed).unwrap();
    ends(&checked, 0);
    // What is changed is not signed, and what changes a run takes its signature away.
    let whole = flip(&run.join("cells.parquet"));
    assert!(ends(&["sign", text(&run), "--secret-key", text(&key)], 1).contains("not as recorded"));
    fs::write(run.join("cells.parquet"), whole).unwrap();
    ends(&["report", text(&run), "--quiet"], 0);
    assert!(ends(&checked, 1).contains("not signed"));
    ends(&["verify", text(&run)], 0);
    assert!(ends(&["sign", text(&run), "--secret-key", text(&sheet)], 1).contains("no secret key"));
}

#[test]
fn twenty_kills_leave_the_earlier_result_or_the_new_one_whole() {
    let folder = workspace();
    let (sheet, run) = (folder.path().join("lots/lots.csv"), folder.path().join("run"));
    ends(&with(&cluster(&sheet, &run, &[])), 0);
    let earlier = contents(&run);
    let again = cluster(&sheet, &run, &["--force", "--seed", "9"]);
    let clock = Instant::now();
    ends(&with(&cluster(&sheet, &folder.path().join("timed"), &["--seed", "9"])), 0);
    let whole = clock.elapsed();
    // Times differ between runs, so that the records are held against the files beside them instead.
    let new = |now: &BTreeMap<PathBuf, Vec<u8>>| {
        let timed = contents(&folder.path().join("timed"));
        let record = |name: &Path| name == Path::new("run.json") || name == Path::new("ro-crate-metadata.json");
        now.keys().eq(timed.keys()) && now.iter().all(|(name, bytes)| record(name) || timed[name] == *bytes)
    };
    let mut random = 12_345_u64;
    let (mut n_earlier, mut n_new) = (0, 0);
    for _ in 0..20 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after = whole.mul_f64((random >> 33) as f64 / (1_u64 << 31) as f64);
        let mut child: Child = command(&with(&again)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        let _ = child.kill();
        child.wait().unwrap();
        if !run.exists() {
            // Between two renames; the next start gives it its name back.
            assert!(folder.path().join(".run.replaced").exists());
            ends(&["cluster", "none.csv", "-o", text(&run)], 1);
        }
        let now = contents(&run);
        match now == earlier {
            true => n_earlier += 1,
            false => n_new += usize::from(new(&now)),
        }
    }
    assert_eq!(n_earlier + n_new, 20, "{n_earlier} earlier, {n_new} new");
    assert!(n_earlier > 0);
    ends(&with(&again), 0);
    assert!(new(&contents(&run)));
    ends(&["verify", text(&run)], 0);
    let left: Vec<String> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.starts_with('.')), "{left:?}");
    let said = ends(&["verify", "--ledger", text(&folder.path().join("ledger.jsonl"))], 0);
    assert!(said.contains("never ended: killed"), "{said}");
}

#[test]
fn of_two_runs_at_one_target_one_is_refused_at_once() {
    let folder = workspace();
    let (sheet, run) = (folder.path().join("lots/lots.csv"), folder.path().join("run"));
    let args = cluster(&sheet, &run, &[]);
    let mut first = command(&with(&args)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let lock = folder.path().join(".run.lock");
    let clock = Instant::now();
    while !lock.exists() && clock.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let second = cqa(&with(&args));
    assert!(first.wait().unwrap().success());
    assert_eq!(second.status.code(), Some(1));
    let said = words(&second);
    assert!(said.contains("being written by another run") || said.contains("exists already"), "{said}");
    ends(&["verify", text(&run)], 0);
    assert!(!lock.exists());
}

#[cfg(unix)]
#[test]
fn a_target_that_cannot_be_written_is_told_by_name() {
    let folder = workspace();
    let sheet = folder.path().join("lots/lots.csv");
    // Not a matter of rights, so that it holds for root as well.
    let file = folder.path().join("file");
    fs::write(&file, "kept").unwrap();
    let said = ends(&with(&cluster(&sheet, &file.join("run"), &[])), 1);
    assert!(said.contains("file"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}

#[test]
fn names_from_outside_reach_neither_page_nor_spreadsheet_nor_terminal_nor_other_folders() {
    let folder = workspace();
    let (sheet, run) = (folder.path().join("lots/lots.csv"), folder.path().join("run"));
    let text_of = fs::read_to_string(&sheet).unwrap();
    let evil = ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "../../outside", "@SUM(1)"];
    let mut lines: Vec<String> = text_of.lines().map(String::from).collect();
    lines[0] = lines[0].replace("vegf_ischemia", "../../=vegf<b>");
    for (line, name) in lines[1..].iter_mut().zip(evil) {
        let rest = line.split_once(',').unwrap().1.to_string();
        *line = format!("\"{name}\",{rest}");
    }
    fs::write(&sheet, lines.join("\n") + "\n").unwrap();
    // A symbol that would clear the screen, in every lot.
    for file in files(&folder.path().join("lots")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("features") || name.starts_with("genes") {
            let mut text = String::new();
            flate2::read::GzDecoder::new(fs::File::open(&file).unwrap()).read_to_string(&mut text).unwrap();
            let mut genes: Vec<String> = text.lines().map(String::from).collect();
            for (i, gene) in genes.iter_mut().enumerate() {
                let mut fields: Vec<String> = gene.split('\t').map(String::from).collect();
                fields[1] = format!("=\u{1b}[2J<i>{i}");
                *gene = fields.join("\t");
            }
            // Gz or not is found from the content, whatever the name.
            fs::write(&file, genes.join("\n") + "\n").unwrap();
        }
    }
    let before = files(folder.path());
    let args = [&["run", text(&sheet), "--potency", "../../=vegf<b>", "-o", text(&run)][..], &QUICK].concat();
    let output = cqa(&args);
    let said = words(&output);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    for file in files(folder.path()).into_iter().filter(|file| !before.contains(file)) {
        assert!(file.starts_with(&run) || file.ends_with("ledger.jsonl"), "{}", file.display());
        let name = file.to_string_lossy().into_owned();
        if name.ends_with(".csv") {
            for record in csv::ReaderBuilder::new().has_headers(false).from_path(&file).unwrap().records() {
                for cell in record.unwrap().iter().filter(|cell| cell.parse::<f64>().is_err() && cell.len() > 1) {
                    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}: {cell}");
                }
            }
        }
        if name.ends_with(".html") || name.ends_with(".svg") {
            let page = fs::read_to_string(&file).unwrap();
            for bad in ["<script>alert", "[2J<i>", "<b>vegf", "vegf<b>", "\u{1b}"] {
                assert!(!page.contains(bad), "{name} holds {bad}");
            }
        }
    }
    assert!(fs::read_dir(run.join("rank")).unwrap().all(|e| e.unwrap().path().join("associations.csv").exists()));
    let shown = fs::read_to_string(run.join("lots.csv")).unwrap();
    assert!(shown.contains("'=cmd") && shown.contains("'@SUM"), "{shown}");
    // What was disarmed is read back as it was.
    ends(&["report", text(&run), "--quiet"], 0);
    ends(&["verify", text(&run)], 0);
}
