//! Promise: the program does what its help and the file contract say. Names are sentences.

mod contract;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};

fn cqa(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cqa")).args(args).output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeds(args: &[&str]) -> String {
    let output = cqa(args);
    assert!(output.status.success(), "cqa {}: {}", args.join(" "), stderr(&output));
    stdout(&output)
}

fn fails(args: &[&str], code: i32) -> String {
    let output = cqa(args);
    assert_eq!(output.status.code(), Some(code), "cqa {}: {}", args.join(" "), stderr(&output));
    stderr(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

/// Digest of every file below a folder, run.json and the RO-Crate apart (they hold times).
fn digests(folder: &Path) -> BTreeMap<PathBuf, String> {
    fn walk(folder: &Path, root: &Path, out: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, out);
            } else {
                let name = path.strip_prefix(root).unwrap().to_path_buf();
                if !["run.json", "ro-crate-metadata.json"].iter().any(|f| name == Path::new(f)) {
                    out.insert(name, format!("{:x?}", Sha256::digest(fs::read(&path).unwrap())));
                }
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(folder, folder, &mut out);
    out
}

fn header(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().next().unwrap().split(',').map(String::from).collect()
}

#[test]
fn the_demo_finds_the_planted_truth_and_gives_the_same_bytes_with_one_and_two_threads() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let said = succeeds(&["demo", "-o", text(&one), "--cells", "300", "--threads", "1", "--quiet"]);
    succeeds(&["demo", "-o", text(&two), "--cells", "300", "--threads", "2", "--quiet"]);
    assert!(!said.contains("NOT found"), "{said}");
    assert!(said.contains("report.html"), "{said}");
    // A screen holds what was found; the last line has the path.
    let lines: Vec<&str> = said.lines().collect();
    let widest = lines.iter().rev().skip(1).map(|line| line.chars().count()).max();
    assert!(lines.len() <= 24 && widest <= Some(80), "{} lines of {widest:?} letters: {said}", lines.len());
    let (first, second) = (digests(&one), digests(&two));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, digest) in &first {
        assert_eq!(digest, &second[name], "{} differs", name.display());
    }
    contract::the_run_directory_is_the_contract(&one);
    contract::every_file_and_column_is_told_in_the_guide(&one);
    an_interrupted_command_leaves_whole_files(&one);
    a_ranking_can_be_added_and_the_report_made_again(&one);
    let again = succeeds(&["demo", "-o", text(&one), "--cells", "300", "--force", "--quiet"]);
    assert_eq!(said.lines().next(), again.lines().next());
    assert_eq!(first, digests(&one), "the same bytes on a later run");
}

fn a_ranking_can_be_added_and_the_report_made_again(run: &Path) {
    let before = digests(run);
    let error = fails(&["rank", text(run), "--potency", "vegf_ischemia"], 1);
    assert!(error.contains("--force"), "{error}");
    succeeds(&["report", text(run)]);
    assert_eq!(before, digests(run), "a report made again is the same");
    let error = fails(&["rank", text(run), "--potency", "vegf"], 1);
    assert!(error.contains("no column `vegf`") && error.contains("vegf_ischemia"), "{error}");
    succeeds(&["rank", text(run), "--potency", "viability"]);
    let after = digests(run);
    for name in ["rank/vegf_ischemia/influence.csv", "composition.csv", "pooled.h5ad"] {
        assert_eq!(before[Path::new(name)], after[Path::new(name)], "{name} stays");
    }
    assert!(after.contains_key(Path::new("rank/viability/candidates.csv")));
    // Now the earlier readout allows for the later one as well.
    for readout in ["vegf_ischemia", "viability"] {
        let path = run.join("rank").join(readout).join("associations.csv");
        let (mut n_rows, mut n_larger) = (0, 0);
        let number = |line: &str, name: &str| -> f64 {
            let at = header(&path).iter().position(|h| h == name).unwrap();
            csv_fields(line)[at].parse().unwrap()
        };
        for line in fs::read_to_string(&path).unwrap().lines().skip(1) {
            let (own, all) = (number(line, "p_family"), number(line, "p_family_all"));
            assert!(own <= all && all <= 1.0, "{line}");
            (n_rows, n_larger) = (n_rows + 1, n_larger + usize::from(own < all));
        }
        assert!(n_rows > 3 && n_larger > 0, "{readout}");
    }
}

#[cfg(not(unix))]
fn an_interrupted_command_leaves_whole_files(_: &Path) {}

/// Ctrl-C while the files of a run are written anew: each is the old or the new one, nothing lies beside them, and the command
/// can be run again.
#[cfg(unix)]
fn an_interrupted_command_leaves_whole_files(run: &Path) {
    use std::time::Duration;
    let copy = run.with_file_name("interrupted");
    assert!(Command::new("cp").arg("-r").arg(run).arg(&copy).status().unwrap().success());
    let before = digests(&copy);
    let rank = ["rank", text(&copy), "--potency", "viability", "--quiet"];
    let report = ["report", text(&copy), "--quiet"];
    for (args, wait) in [(&report[..], 150), (&report[..], 600), (&rank[..], 300), (&rank[..], 1500)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cqa"));
        command.args(args).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        child.wait().unwrap();
        let after = digests(&copy);
        let new = |name: &&PathBuf| !before.contains_key(*name) && !name.to_string_lossy().contains("viability");
        assert_eq!(after.keys().filter(new).collect::<Vec<_>>(), Vec::<&PathBuf>::new(), "{args:?}");
        assert!(before.keys().all(|name| after.contains_key(name)), "{args:?}");
    }
    succeeds(&["rank", text(&copy), "--potency", "viability", "--force", "--quiet"]);
}

#[test]
fn simulated_lots_are_checked_and_run_from_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (lots, run) = (folder.path().join("lots"), folder.path().join("run"));
    succeeds(&["simulate", "-o", text(&lots), "--lots", "5", "--cells", "120", "--genes", "3000", "--quiet"]);
    let sheet = lots.join("lots.csv");
    let said = succeeds(&["check", text(&sheet), "--quiet"]);
    assert!(said.contains("5 lots") && said.contains("vegf_ischemia"), "{said}");
    let error = fails(&["run", text(&sheet), "--potency", "vegf", "-o", text(&run)], 1);
    assert!(error.contains("lots.csv") && error.contains("vegf_ischemia"), "{error}");
    assert!(!run.exists(), "nothing is written by a run that failed");
    succeeds(&["run", text(&sheet), "--potency", "vegf_ischemia", "-o", text(&run), "--quiet"]);
    assert!(run.join("report.html").exists());
    let before = digests(&run);
    let error = fails(&["run", text(&sheet), "--potency", "vegf_ischemia", "-o", text(&run)], 1);
    assert!(error.contains("exists already"), "{error}");
    assert_eq!(before, digests(&run), "an earlier run is untouched");
}

#[test]
fn a_missing_sheet_a_bad_parameter_and_wrong_usage_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.csv");
    let error = fails(&["check", text(&missing)], 1);
    assert!(error.contains("none.csv"), "{error}");
    let params = folder.path().join("params.toml");
    fs::write(&params, "seed = 1\n[hvg]\nn_genes = 5\n").unwrap();
    let error = fails(&["check", text(&missing), "--params", text(&params)], 1);
    assert!(error.contains("params.toml, line 3") && error.contains("n_genes"), "{error}");
    fails(&["cluster", "lots.csv"], 2);
    fails(&["no-such-command"], 2);
}

#[test]
fn params_prints_a_file_that_it_takes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("params.toml");
    fs::write(&path, succeeds(&["params"])).unwrap();
    let error = fails(&["check", "no-such-sheet.csv", "--params", text(&path)], 1);
    assert!(error.contains("no-such-sheet.csv"), "the parameters were accepted: {error}");
}

/// Fields of a line, those in quotes whole.
fn csv_fields(line: &str) -> Vec<String> {
    let (mut out, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            c => out.last_mut().unwrap().push(c),
        }
    }
    out
}

/// Every file below a folder that holds a text.
fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files_with(&path, text));
        } else if fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes()) {
            out.push(path);
        }
    }
    out
}

#[test]
fn outcomes_are_aggregated_and_no_case_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (lots, run) = (folder.path().join("lots"), folder.path().join("run"));
    succeeds(&["simulate", "-o", text(&lots), "--lots", "6", "--cells", "120", "--genes", "3000", "--quiet"]);
    let (mut outcomes, mut readouts) = ("lot,case,outcome\n".to_string(), "lot,readout,value,replicate\n".to_string());
    for lot in 1..=6 {
        // The second lot has too few events to be shown, and the sixth too few cases.
        for case in 0..if lot == 6 { 4 } else { 20 } {
            let events = if lot == 2 { 4 } else { 4 + lot };
            outcomes += &format!("lot{lot:02},CASE{lot}x{case},{}\n", if case < events { "yes" } else { "no" });
        }
        for replicate in 1..=3 {
            readouts += &format!("lot{lot:02},killing,{}.{replicate},{replicate}\n", lot * lot);
        }
    }
    let (outcome_file, readout_file) = (folder.path().join("outcomes.csv"), folder.path().join("readouts.csv"));
    fs::write(&outcome_file, &outcomes).unwrap();
    fs::write(&readout_file, readouts).unwrap();
    let sheet = lots.join("lots.csv");
    let files = ["--readouts", text(&readout_file), "--outcomes", text(&outcome_file)];
    let args = ["cluster", text(&sheet), "-o", text(&run), "--no-umap", "--quiet"];
    succeeds(&[&args[..], &files[..]].concat());
    succeeds(&["rank", text(&run), "--potency", "outcome", "--quiet"]);
    succeeds(&["rank", text(&run), "--potency", "killing", "--covariate", "passage", "--quiet"]);
    assert_eq!(files_with(&run, "CASE"), Vec::<PathBuf>::new(), "no case in any file, run.json included");
    let aggregated = fs::read_to_string(run.join("readouts.csv")).unwrap();
    for hidden in ["lot02", "lot06"] {
        assert!(aggregated.contains(&format!("outcome,{hidden},outcome,,,,,,,,true")), "{aggregated}");
    }
    assert!(aggregated.contains("outcome,lot03,outcome,0.35,") && aggregated.contains("killing,lot03,measured,9.2,"));
    // No count below five can be found from what is written: cases, events, and cases without one.
    let header: Vec<&str> = aggregated.lines().next().unwrap().split(',').collect();
    let place = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let mut n_shown = 0;
    for row in aggregated.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()) {
        if row[place("source")] == "outcome" && row[place("hidden")] == "false" {
            let (rate, n): (f64, f64) = (row[place("value")].parse().unwrap(), row[place("n")].parse().unwrap());
            assert!(rate * n >= 4.999 && (1.0 - rate) * n >= 4.999, "{row:?}");
            n_shown += 1;
        }
    }
    assert_eq!(n_shown, 4);
    assert_eq!(files_with(&run, ",0.2,").into_iter().filter(|f| f.ends_with("readouts.csv")).count(), 0, "4 of 20");
    let associations = fs::read_to_string(run.join("rank/outcome/associations.csv")).unwrap();
    assert!(
        associations.lines().nth(1).unwrap().starts_with("0,4,"),
        "four lots have enough cases and events: {associations}"
    );
    let asked = fs::read_to_string(run.join("rank/killing/association.toml")).unwrap();
    assert!(asked.contains("covariates = [\"passage\"]"), "{asked}");
    let before = digests(&run);
    succeeds(&["report", text(&run), "--quiet"]);
    assert_eq!(digests(&run), before, "the report ranks each readout as it was asked about");

    outcomes += "lot01,CASE1x0,no\n";
    fs::write(&outcome_file, outcomes).unwrap();
    let args = ["rank", text(&run), "--potency", "outcome", "--force", "--outcomes", text(&outcome_file)];
    let told = fails(&args, 1);
    assert!(told.contains("outcomes.csv, line 106") && !told.contains("CASE"), "{told}");
}

#[test]
fn a_plan_is_written_once_and_is_the_same_for_one_and_two_threads() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let quick = ["plan", "--lots", "8", "--max-lots", "12", "--simulations", "300"];
    let with = |more: &[&'static str], output: &Path| {
        let output = text(output).to_string();
        let args: Vec<String> = quick.iter().chain(more).map(|a| a.to_string()).chain(["-o".into(), output]).collect();
        args
    };
    let run = |args: Vec<String>| succeeds(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let said = run(with(&["--threads", "1"], &one));
    run(with(&["--threads", "2"], &two));
    assert_eq!(digests(&one), digests(&two));
    assert_eq!(digests(&one).len(), 4, "report.html, power.csv, power.svg, power.png");
    assert_eq!(header(&one.join("power.csv"))[..3], ["n_lots", "n_orders", "smallest_p"]);
    assert!(said.contains("Lots needed for a power of 80 %: ") && said.contains("> "), "{said}");
    assert!(said.contains("more than 12"), "{said}");

    let args = with(&[], &one);
    let refused = fails(&args.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    assert!(refused.contains("--force"), "{refused}");
    run(with(&["--force"], &one));
    assert!(fails(&["plan", "--rho", "1.5"], 1).contains("rho"));
    fails(&["plan", "--design", "stars"], 2);
}

#[test]
fn completions_and_man_pages_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let completions = succeeds(&["completions", "bash"]);
    succeeds(&["man", text(folder.path())]);
    for command in ["check", "cluster", "rank", "run", "report", "panel", "freeze", "map", "compare", "screen", "plan"]
    {
        assert!(completions.contains(&format!("cqa,{command})")), "{command}");
        let page = fs::read_to_string(folder.path().join(format!("cqa-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS") && page.contains("threads"), "{command}");
    }
    assert!(fs::read_to_string(folder.path().join("cqa.1")).unwrap().contains("cqa\\-rank"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_leaves_nothing_half_written() {
    use std::process::Stdio;
    use std::time::Duration;

    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("lots");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cqa"));
    command.args(["simulate", "-o", text(&target), "--cells", "3000", "--quiet"]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let names = || fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
    // As soon as there is something half-written.
    let half_written = || names().iter().any(|name| name.to_string_lossy().starts_with(".lots.partial"));
    while !half_written() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let seen = names();
    assert!(half_written() && seen.iter().all(|name| name.to_string_lossy().starts_with(".lots.")), "{seen:?}");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("nothing half-written"), "{}", stderr(&output));
    assert_eq!(names(), Vec::<std::ffi::OsString>::new());
}
