//! Promise: progress tells of the steps that a command takes, of no others, and in plain words where nothing can be drawn.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use cqa::io::ReadLots;
use cqa::pipeline::{self, Params};
use cqa::progress::Progress;
use cqa::simulate::{SimulateParams, simulate};

/// Notes what it is told.
#[derive(Default)]
struct Noted {
    started: Mutex<Vec<String>>,
    finished: Mutex<Vec<String>>,
}

impl Progress for Noted {
    fn start(&self, step: &str, _total: u64) {
        self.started.lock().unwrap().push(step.into());
    }
    fn advance(&self, _units: u64) {}
    fn finish(&self, step: &str, _summary: &str) {
        self.finished.lock().unwrap().push(step.into());
    }
}

#[test]
fn the_steps_foretold_are_the_steps_taken() {
    let planted = SimulateParams { n_lots: 4, n_cells: 60, n_genes: 2000, ..Default::default() };
    let dataset = simulate(&planted).unwrap().dataset;
    // Fewer genes make components quick.
    let mut whole = Params::default();
    whole.hvg.n_top_genes = 200;
    let mut bare = whole.clone();
    bare.doublets.enabled = false;
    bare.harmony.enabled = false;
    bare.umap.enabled = false;
    bare.neighborhoods.enabled = false;
    bare.leave_one_out.enabled = false;
    bare.sensitivity.enabled = false;
    for (params, n_steps) in [(whole, 15), (bare, 9)] {
        let noted = Noted::default();
        let read = ReadLots { dataset: dataset.clone(), files: Vec::new(), warnings: Vec::new() };
        pipeline::cluster(read, &params, &noted).unwrap();
        assert_eq!(*noted.started.lock().unwrap(), params.steps());
        assert_eq!(*noted.finished.lock().unwrap(), params.steps());
        assert_eq!(params.steps().len(), n_steps);
    }
}

/// What a command says of its progress.
fn said(args: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cqa"));
    let output = command.args(args).envs(environment.iter().copied()).output().expect("the program starts");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn plain_lines_tell_each_step_and_announce_the_long_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (lots, run) = (path("lots"), path("run"));
    let sheet = Path::new(&lots).join("lots.csv").to_str().unwrap().to_string();
    let plain = [("NO_COLOR", "1")];
    let simulated = said(&["simulate", "-o", &lots, "--lots", "4", "--cells", "60", "--genes", "2000"], &plain);
    assert!(simulated.starts_with("simulate "), "{simulated}");
    let checked = said(&["check", &sheet], &plain);
    let lines: Vec<&str> = checked.lines().filter(|line| !line.starts_with("warning")).collect();
    assert_eq!(lines.len(), 2, "{checked}");
    assert!(lines[0].starts_with("read ") && lines[0].ends_with(" s  begins"), "{checked}");
    assert!(lines[1].ends_with(" cells in 4 lots, 2000 genes"), "{checked}");

    let params = path("params.toml");
    std::fs::write(&params, "[hvg]\nn_top_genes = 200\n").unwrap();
    let args = ["cluster", &sheet, "-o", &run, "--no-sensitivity", "--params", &params];
    let clustered = said(&args, &plain);
    // On a slow machine others tell that a step goes on.
    let goes_on = |line: &&str| [" done", "goes on"].iter().any(|words| line.contains(words));
    let lines: Vec<&str> = clustered.lines().filter(|line| !goes_on(line)).collect();
    for (step, n_lines) in [("leave_one_out", 2), ("umap", 1), ("write", 2), ("sensitivity", 0)] {
        let n_found = lines.iter().filter(|line| line.split(' ').next() == Some(step)).count();
        assert_eq!(n_found, n_lines, "{step}: {clustered}");
    }
    let ranked = said(&["rank", &run, "--potency", "vegf_ischemia"], &plain);
    assert!(ranked.contains("association ") && ranked.contains("write "), "{ranked}");
    assert!([simulated, checked, clustered, ranked].iter().all(|said| !said.contains('\u{1b}')), "no escape codes");

    let json = said(&["check", &sheet, "--json-log"], &plain);
    for line in json.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    }
    assert!(json.contains(r#""event":"start""#) && json.contains(r#""event":"finish""#), "{json}");
}
