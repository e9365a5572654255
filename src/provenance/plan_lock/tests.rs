use std::fs;

use super::*;

/// A plan whose post lots are nowhere, with a sheet of pre lots.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pre.csv"), "lot,titer\na,1\nb,2\n").unwrap();
    write_plan(&folder, "1");
    folder
}

fn write_plan(folder: &tempfile::TempDir, margin: &str) {
    let plan = format!(
        "title = \"x\"\ndesign = \"unpaired\"\n[pre]\npath = \"pre.csv\"\n[post]\npath = \"post\"\n[[attribute]]\n\
         kind = \"readout\"\nname = \"titer\"\nrule = \"tost\"\nmargin = {margin}\n"
    );
    fs::write(folder.path().join("plan.toml"), plan).unwrap();
}

fn lock(folder: &tempfile::TempDir, now: &str, amend: Option<&str>) -> Result<LockedPlan> {
    LockedPlan::lock(PlanFile::read(&folder.path().join("plan.toml"))?, now, amend)
}

fn read_post(locked: &mut LockedPlan, pre: &ReadRecords, now: &str) -> Result<(ReadRecords, Vec<Warning>)> {
    locked.read_post(pre, now, "")
}

fn events(locked: &LockedPlan) -> Vec<LockEvent> {
    locked.history().iter().map(|entry| entry.event).collect()
}

#[test]
fn the_plan_is_on_record_before_post_lots_are_opened() {
    let folder = folder();
    let mut locked = lock(&folder, "2026-01-01T00:00:00Z", None).unwrap();
    // There are no post lots, and still the lock is there.
    let (pre, _) = locked.read_pre("2026-01-01T00:00:00Z").unwrap();
    let message = read_post(&mut locked, &pre, "2026-01-01T00:00:00Z").unwrap_err().to_string();
    assert!(message.contains("does not exist"), "{message}");
    let text = fs::read_to_string(folder.path().join("plan.lock.json")).unwrap();
    assert!(text.contains("2026-01-01T00:00:00Z") && text.contains(locked.plan().sha256()), "{text}");
    assert_eq!(events(&locked), [LockEvent::Locked, LockEvent::PreRead]);
    // The same plan again adds nothing.
    let before = text.clone();
    lock(&folder, "2026-02-02T00:00:00Z", None).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("plan.lock.json")).unwrap(), before);
}

#[test]
fn an_edit_is_refused_until_it_is_on_record() {
    let folder = folder();
    let first = lock(&folder, "2026-01-01T00:00:00Z", None).unwrap();
    assert!(lock(&folder, "t", Some("why")).unwrap_err().to_string().contains("nothing to amend"));
    write_plan(&folder, "2");
    let message = lock(&folder, "2026-01-02T00:00:00Z", None).unwrap_err().to_string();
    assert!(message.contains("2026-01-01T00:00:00Z") && message.contains(first.plan().sha256()), "{message}");
    assert!(message.contains("--amend"));
    assert!(lock(&folder, "t", Some(" ")).unwrap_err().to_string().contains("say why"));
    let amended = lock(&folder, "2026-01-02T00:00:00Z", Some("typo")).unwrap();
    assert_eq!(events(&amended), [LockEvent::Locked, LockEvent::Amended]);
    let [(entry, post_read)] = amended.amendments()[..] else { panic!("one amendment") };
    assert_eq!((entry.reason.as_str(), post_read, amended.first_locked()), ("typo", false, "2026-01-01T00:00:00Z"));
    // The amended plan is now the one on record, the first one an edit.
    lock(&folder, "t", None).unwrap();
    write_plan(&folder, "1");
    assert!(lock(&folder, "t", None).unwrap_err().to_string().contains("2026-01-02"));
}

#[test]
fn an_amendment_after_the_post_lots_were_read_says_so() {
    let folder = folder();
    fs::write(folder.path().join("post"), "lot,titer\nc,1\n").unwrap();
    let mut locked = lock(&folder, "2026-01-01T00:00:00Z", None).unwrap();
    let (pre, _) = locked.read_pre("2026-01-03T00:00:00Z").unwrap();
    let (read, warnings) = read_post(&mut locked, &pre, "2026-01-03T00:00:00Z").unwrap();
    assert_eq!((read.records.lots(), warnings.len()), (vec!["c".to_string()], 0));
    assert_eq!(events(&locked)[2..], [LockEvent::PostOpened, LockEvent::PostRead]);
    write_plan(&folder, "5");
    let amended = lock(&folder, "2026-01-04T00:00:00Z", Some("wider")).unwrap();
    assert!(amended.amendments()[0].1);
}

#[test]
fn post_lots_that_were_opened_are_on_record_also_where_reading_them_failed() {
    let folder = folder();
    fs::write(folder.path().join("post"), "lot,titer\nc,1\nc,2\n").unwrap();
    let mut locked = lock(&folder, "2026-01-01T00:00:00Z", None).unwrap();
    let (pre, _) = locked.read_pre("2026-01-03T00:00:00Z").unwrap();
    assert!(read_post(&mut locked, &pre, "2026-01-03T00:00:00Z").is_err());
    assert_eq!(events(&locked)[2..], [LockEvent::PostOpened]);
    write_plan(&folder, "5");
    assert!(lock(&folder, "2026-01-04T00:00:00Z", Some("wider")).unwrap().amendments()[0].1);
}

#[test]
fn a_sheet_that_was_there_before_the_lock_is_told() {
    let folder = folder();
    fs::write(folder.path().join("post"), "lot,titer\nc,1\n").unwrap();
    let mut locked = lock(&folder, "2026-01-02T00:00:00Z", None).unwrap();
    let (pre, _) = locked.read_pre("2026-01-03T00:00:00Z").unwrap();
    let warnings = locked.read_post(&pre, "2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z").unwrap().1;
    assert!(
        matches!(&warnings[..], [Warning::PostDataBeforeLock { began, .. }] if began == "2026-01-01T00:00:00Z"),
        "{warnings:?}"
    );
}

#[test]
fn a_lot_on_both_sides_is_refused_however_the_source_is_written() {
    let folder = folder();
    let at = folder.path();
    let refused = |post: &str, further: &str| {
        write_plan(&folder, "1");
        let plan = fs::read_to_string(at.join("plan.toml")).unwrap();
        let post = format!("[post]\npath = \"{post}\"\n{further}");
        fs::write(at.join("plan.toml"), plan.replace("[post]\npath = \"post\"\n", &post)).unwrap();
        let _ = fs::remove_file(at.join("plan.lock.json"));
        let mut locked = lock(&folder, "2026-01-01T00:00:00Z", None).unwrap();
        let (pre, _) = locked.read_pre("2026-01-03T00:00:00Z").unwrap();
        read_post(&mut locked, &pre, "2026-01-03T00:00:00Z").map(|read| read.0.records.lots())
    };
    // The same sheet under another name of its path, all of it and a part of it.
    fs::create_dir(at.join("sub")).unwrap();
    for (path, further) in [("./sub/../pre.csv", ""), ("pre.csv", "lots = [\"b\"]\n")] {
        let message = refused(path, further).unwrap_err().to_string();
        assert!(message.contains("also in [pre]") && message.contains('b'), "{message}");
    }
    // A copy.
    fs::copy(at.join("pre.csv"), at.join("copy.csv")).unwrap();
    assert!(refused("copy.csv", "").unwrap_err().to_string().contains("a, b"));
    // Other numbers under the same names are other lots, such as the two halves of a donor's cells.
    fs::write(at.join("post"), "lot,titer\na,1\nb,7\n").unwrap();
    assert_eq!(refused("post", "").unwrap(), ["a", "b"]);
}

#[test]
fn lots_made_from_the_same_counts_are_one_lot() {
    let folder = folder();
    let at = folder.path();
    let directory = |name: &str, lot: &str, counts: &str, digest: &str| {
        fs::create_dir_all(at.join(name)).unwrap();
        fs::write(at.join(name).join("lots.csv"), format!("lot,path,titer\n{lot},{counts},1\n")).unwrap();
        let input = FileHash { path: format!("{counts}/matrix.mtx.gz"), sha256: digest.into(), bytes: 1 };
        fs::write(at.join(name).join("run.json"), serde_json::json!({ "inputs": [input] }).to_string()).unwrap();
    };
    let read = |name: &str| {
        let from = crate::data::LotsFrom { path: name.into(), column: "".into(), value: "".into(), lots: Vec::new() };
        crate::io::lot_records::read_records(&from, at, &Default::default()).unwrap()
    };
    directory("one", "L1", "raw/L1", "aa");
    directory("two", "again", "elsewhere/L1", "aa");
    directory("three", "L1", "raw/L9", "bb");
    let side = |name: &str| super::super::overlap::Side::new(&at.join(name), &read(name)).unwrap();
    let both = |a: &str, b: &str| super::super::overlap::lots_in_both(&side(a), &side(b));
    assert_eq!(both("one", "two"), ["again"]);
    assert!(both("one", "three").is_empty());
}

#[test]
fn data_that_change_and_data_older_than_the_lock_are_told() {
    let folder = folder();
    let mut locked = lock(&folder, "2026-01-02T00:00:00Z", None).unwrap();
    assert!(locked.read_pre("2026-01-02T00:00:00Z").unwrap().1.is_empty());
    assert!(locked.read_pre("2026-01-02T00:00:01Z").unwrap().1.is_empty());
    fs::write(folder.path().join("pre.csv"), "lot,titer\na,1\nb,3\n").unwrap();
    let warnings = locked.read_pre("2026-01-05T00:00:00Z").unwrap().1;
    assert!(
        matches!(&warnings[..], [Warning::DataChangedSinceRecorded { group, recorded, .. }]
            if group == "pre" && recorded == "2026-01-02T00:00:00Z"),
        "{warnings:?}"
    );
    // Also when it is read again as it is now.
    assert_eq!(locked.read_pre("2026-01-06T00:00:00Z").unwrap().1.len(), 1);
    assert_eq!(events(&locked), [LockEvent::Locked, LockEvent::PreRead, LockEvent::PreRead]);

    let post = folder.path().join("post");
    fs::create_dir(&post).unwrap();
    fs::write(post.join("lots.csv"), "lot,path,titer\nc,x,1\n").unwrap();
    let run = |started: &str| {
        let execution = Execution { started: started.into(), ..Execution::default() };
        fs::write(post.join("run.json"), serde_json::json!({ "execution": execution }).to_string()).unwrap();
    };
    run("2026-01-03T00:00:00Z");
    let (pre, _) = locked.read_pre("2026-01-07T00:00:00Z").unwrap();
    assert!(read_post(&mut locked, &pre, "2026-01-07T00:00:00Z").unwrap().1.is_empty());
    run("2026-01-01T00:00:00Z");
    let warnings = read_post(&mut locked, &pre, "2026-01-07T00:00:00Z").unwrap().1;
    assert!(
        matches!(&warnings[..], [Warning::PostDataBeforeLock { began, shared: false, .. }] if began == "2026-01-01T00:00:00Z"),
        "{warnings:?}"
    );
}

#[test]
fn a_history_changed_by_hand_is_refused() {
    let folder = folder();
    let path = folder.path().join("plan.lock.json");
    let mut locked = lock(&folder, "2026-01-02T00:00:00Z", None).unwrap();
    locked.read_pre("2026-01-02T00:00:00Z").unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("2026-01-02", "2025-01-02", 1)).unwrap();
    assert!(lock(&folder, "t", None).unwrap_err().to_string().contains("entry 2"));
    fs::write(&path, text.replace("margin = 1", "margin = 9")).unwrap();
    assert!(lock(&folder, "t", None).unwrap_err().to_string().contains("entry 1"));
    let mut cut: serde_json::Value = serde_json::from_str(&text).unwrap();
    cut["history"].as_array_mut().unwrap().remove(0);
    fs::write(&path, cut.to_string()).unwrap();
    assert!(lock(&folder, "t", None).unwrap_err().to_string().contains("changed by hand"));
    // The last entry taken out, or its time changed.
    let mut cut: serde_json::Value = serde_json::from_str(&text).unwrap();
    cut["history"].as_array_mut().unwrap().pop();
    fs::write(&path, cut.to_string()).unwrap();
    assert!(lock(&folder, "t", None).unwrap_err().to_string().contains("head"));
    let at = text.rfind("2026-01-02").unwrap();
    fs::write(&path, format!("{}2025{}", &text[..at], &text[at + 4..])).unwrap();
    assert!(lock(&folder, "t", None).unwrap_err().to_string().contains("head"));
}
