//! Promise: whatever stops a run, the earlier result stands as it was, nothing half-written has a final name, and `--resume` comes to
//! the same result as a run that nothing stopped.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

mod program;
use program::{contents, copy, cqa, fails, succeeds};

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Flags that make a run quick, its repetitions included.
const QUICK: [&str; 4] = ["--quiet", "--n-top-genes=300", "--threads=2", "--no-umap"];
const RUN: [&str; 6] = ["run", "lots/lots.csv", "--potency", "vegf_ischemia", "-o", "run"];
/// What differs between equal runs: it holds times.
const RECORDS: [&str; 2] = ["run.json", "ro-crate-metadata.json"];

/// A folder with small lots and an undisturbed run of them, made once.
fn made() -> &'static Path {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        succeeds(
            folder.path(),
            &["simulate", "-o", "lots", "--lots", "5", "--cells", "80", "--genes", "2000", "--quiet"],
        );
        succeeds(folder.path(), &args(&RUN, &[]));
        folder
    });
    folder.path()
}

/// A folder of one's own with the lots in it.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&made().join("lots"), &folder.path().join("lots"));
    folder
}

fn args<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, &QUICK, more].concat()
}

/// The results without the records, which hold times.
fn results(folder: &Path) -> Files {
    let mut files = contents(folder);
    files.retain(|name, _| !RECORDS.iter().any(|record| name == Path::new(record)));
    files
}

fn hidden(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.')).collect()
}

/// Numbers between 0 and 1 that are the same in every run of the test.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }
}

/// Starts a command and kills it a while after `ready`; `true` if it had not ended by then.
fn killed(folder: &Path, args: &[&str], ready: impl Fn() -> bool, after: Duration) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cqa"));
    let mut child = command.current_dir(folder).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !ready() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(after);
    let ended = child.try_wait().unwrap().is_some();
    let _ = child.kill();
    child.wait().unwrap();
    !ended
}

fn record(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap()
}

#[test]
fn a_run_killed_at_any_moment_is_resumed_to_the_same_result() {
    let folder = workspace();
    let run = folder.path().join("run");
    let undisturbed = results(&made().join("run"));
    let resume = args(&RUN, &["--resume"]);
    // With nothing to go on from it is a run like any other.
    succeeds(folder.path(), &resume);
    assert!(record(&run)["execution"]["resumed"].is_null());
    let n_kept = || fs::read_dir(folder.path().join(".run.steps")).map_or(0, Iterator::count);
    let mut random = Random(77);
    let (mut n_killed, mut n_resumed) = (0, 0);
    for _ in 0..6 {
        fs::remove_dir_all(&run).unwrap();
        // Killed again and again, mostly a little further on: some time after so many steps were kept.
        for round in 0..4 {
            let wanted = (8.0 * random.next()) as usize + round;
            let after = Duration::from_millis((60.0 * random.next()) as u64);
            n_killed += usize::from(killed(folder.path(), &resume, || n_kept() >= wanted, after));
            if run.exists() {
                fs::remove_dir_all(&run).unwrap();
            }
        }
        succeeds(folder.path(), &resume);
        let steps = record(&run)["execution"]["resumed"].as_array().map_or(0, Vec::len);
        n_resumed += usize::from(steps > 0);
        assert!(results(&run) == undisturbed, "after {n_killed} kills");
        succeeds(folder.path(), &["verify", "run"]);
        assert_eq!(hidden(folder.path()), Vec::<String>::new());
    }
    println!("{n_killed} kills, {n_resumed} of 6 runs went on from kept steps");
    assert!(n_killed > 12 && n_resumed > 2, "{n_killed} kills, {n_resumed} runs went on from kept steps");
}

#[test]
fn steps_of_other_parameters_or_inputs_are_never_gone_on_from() {
    let folder = workspace();
    let run = folder.path().join("run");
    let steps = folder.path().join(".run.steps");
    let stop = |more: &[&str]| {
        // As soon as the last step of the road itself is kept.
        let mut command = Command::new(env!("CARGO_BIN_EXE_cqa"));
        command.current_dir(folder.path()).args(args(&RUN, more)).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let clock = Instant::now();
        while !steps.join("effects").exists() && clock.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = child.kill();
        child.wait().unwrap();
        assert!(steps.join("resolution").exists());
    };
    stop(&[]);
    // Another seed: all is made anew, and what was kept is replaced.
    succeeds(folder.path(), &args(&RUN, &["--resume", "--seed", "5"]));
    assert!(record(&run)["execution"]["resumed"].is_null());
    fs::remove_dir_all(&run).unwrap();
    stop(&[]);
    // Another input.
    let sheet = folder.path().join("lots/lots.csv");
    let text = fs::read_to_string(&sheet).unwrap();
    fs::write(&sheet, text.clone() + "\n").unwrap();
    succeeds(folder.path(), &args(&RUN, &["--resume"]));
    assert!(record(&run)["execution"]["resumed"].is_null());
    fs::write(&sheet, text).unwrap();
    fs::remove_dir_all(&run).unwrap();
    stop(&[]);
    // The same: nothing of the road is made again.
    succeeds(folder.path(), &args(&RUN, &["--resume"]));
    let resumed = record(&run)["execution"]["resumed"].to_string();
    for step in ["doublets", "pca", "harmony", "neighbors", "resolution", "effects"] {
        assert!(resumed.contains(step), "{resumed}");
    }
    assert!(results(&run) == results(&made().join("run")));
    // Without the flag what was kept is dropped.
    fs::remove_dir_all(&run).unwrap();
    stop(&[]);
    succeeds(folder.path(), &args(&RUN, &[]));
    assert!(record(&run)["execution"]["resumed"].is_null());
}

#[test]
fn a_run_that_is_ranked_or_reported_in_place_is_never_half_changed() {
    let folder = workspace();
    let run = folder.path().join("run");
    copy(&made().join("run"), &run);
    let rank = ["rank", "run", "--potency", "passage", "--quiet", "--force"];
    let clock = Instant::now();
    succeeds(folder.path(), &rank);
    let whole = clock.elapsed();
    fs::remove_dir_all(&run).unwrap();
    copy(&made().join("run"), &run);
    let mut earlier = contents(&run);
    let mut random = Random(5);
    let at_once = || true;
    let (mut n_killed, mut n_changed) = (0, 0);
    for i in 0..20 {
        // In turn: a further readout, and the pages alone.
        let command: &[&str] = if i % 2 == 0 { &rank } else { &["report", "run", "--quiet"] };
        n_killed += usize::from(killed(folder.path(), command, at_once, whole.mul_f64(random.next())));
        let now = contents(&run);
        if now != earlier {
            // Wholly another one.
            succeeds(folder.path(), &["verify", "run"]);
            n_changed += 1;
            earlier = now;
        }
    }
    println!("{n_killed} kills, {n_changed} times the run had changed");
    assert!(n_killed > 8, "{n_killed} kills");
    succeeds(folder.path(), &rank);
    succeeds(folder.path(), &["verify", "run"]);
    assert_eq!(record(&run)["potency"], serde_json::json!(["vegf_ischemia", "passage"]));
    // The cells were not written again, and are the same.
    assert!(fs::read(run.join("cells.parquet")).unwrap() == fs::read(made().join("run/cells.parquet")).unwrap());
    assert_eq!(hidden(folder.path()), Vec::<String>::new());
}

#[test]
fn a_full_disk_leaves_the_earlier_result_and_the_run_goes_on_when_there_is_room() {
    let folder = workspace();
    let run = folder.path().join("run");
    copy(&made().join("run"), &run);
    let earlier = contents(&run);
    let mut n_full = 0;
    // Files may have so many KiB: told by the system when a write goes beyond, as a full disk is.
    for limit in [16, 48, 160, 400] {
        for command in [
            args(&RUN, &["--force", "--seed=3", "--resume"]),
            vec!["rank", "run", "--potency", "passage", "--quiet"],
            vec!["report", "run", "--quiet"],
        ] {
            let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\"");
            let mut shell = Command::new("bash");
            shell.args(["-c", &script, "-", env!("CARGO_BIN_EXE_cqa")]).args(&command).current_dir(folder.path());
            let output = shell.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if !output.status.success() {
                n_full += 1;
                assert_eq!(output.status.code(), Some(1), "{said}");
                assert!(said.contains("make room"), "{said}");
                assert!(contents(&run) == earlier, "{limit} KiB, {command:?}: {said}");
            }
        }
    }
    assert!(n_full >= 4, "{n_full} commands met a full disk");
    println!("{n_full} commands met a full disk");
    succeeds(folder.path(), &args(&RUN, &["--force", "--seed=3", "--resume"]));
    assert!(record(&run)["execution"]["resumed"].as_array().is_some_and(|steps| !steps.is_empty()));
    let twin = workspace();
    succeeds(twin.path(), &args(&RUN, &["--seed=3"]));
    assert!(results(&run) == results(&twin.path().join("run")));
    assert_eq!(hidden(folder.path()), Vec::<String>::new());
}

/// The program run by somebody who owns nothing: root may write anywhere, so that it can't be the one.
fn as_nobody(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let program = folder.join("cqa");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_cqa"), &program).unwrap();
    }
    let mut command = Command::new(&program);
    command.current_dir(folder).args(args);
    if fs::metadata(&program).unwrap().uid() == 0 {
        command.uid(65_534);
    }
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read_or_written_is_told_with_its_name_and_stays() {
    let folder = workspace();
    let (run, target) = (folder.path().join("run"), folder.path().join("kept"));
    copy(&made().join("run"), &run);
    fs::create_dir(&target).unwrap();
    let sheet = folder.path().join("lots/lots.csv");
    allow(&sheet, 0o000);
    allow(folder.path(), 0o777);
    let (code, said) = as_nobody(folder.path(), &["check", "lots/lots.csv", "--quiet"]);
    assert!(code == Some(1) && said.contains("lots.csv") && said.contains("the right"), "{said}");
    allow(&sheet, 0o644);
    let earlier = contents(&run);
    allow(folder.path(), 0o555);
    allow(&target, 0o555);
    for command in [
        args(&RUN, &["--force"]),
        args(&["cluster", "lots/lots.csv", "-o", "kept/run"], &[]),
        vec!["rank", "run", "--potency", "passage", "--quiet"],
        vec!["report", "run", "--quiet"],
    ] {
        let (code, said) = as_nobody(folder.path(), &command);
        assert_eq!(code, Some(1), "{command:?}: {said}");
        assert!(said.contains("denied") && said.contains("choose another place"), "{command:?}: {said}");
    }
    assert!(contents(&run) == earlier && contents(&target).is_empty());
    allow(folder.path(), 0o755);
    assert_eq!(hidden(folder.path()), Vec::<String>::new());
}

#[test]
fn memory_that_cannot_be_enough_is_refused_before_anything_is_read() {
    let folder = workspace();
    let said = fails(folder.path(), &args(&RUN, &["--max-memory", "20M"]));
    for words in ["--max-memory", "20 MB", "347 cells", "at least"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!folder.path().join("run").exists());
    // The amount that it asks for is enough.
    let asked = said.split("at least ").nth(1).unwrap().split(" MB").next().unwrap().to_string() + "M";
    let output = cqa(folder.path(), &args(&RUN, &["--max-memory", &asked]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(results(&folder.path().join("run")) == results(&made().join("run")));
}
