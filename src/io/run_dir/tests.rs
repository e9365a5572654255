use super::*;

#[test]
fn nothing_carries_the_final_name_before_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("run");
    let pending = PendingDir::create(&target, false).unwrap();
    fs::write(pending.path().join("run.json"), "{}").unwrap();
    assert!(!target.exists());
    drop(pending);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "an abandoned directory leaves nothing");
}

#[test]
fn an_existing_directory_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("run");
    let pending = PendingDir::create(&target, false).unwrap();
    fs::write(pending.path().join("run.json"), "old").unwrap();
    pending.finish().unwrap();
    assert!(PendingDir::create(&target, false).unwrap_err().to_string().contains("--force"));
    let pending = PendingDir::create(&target, true).unwrap();
    assert_eq!(fs::read_to_string(target.join("run.json")).unwrap(), "old");
    fs::write(pending.path().join("run.json"), "new").unwrap();
    pending.finish().unwrap();
    assert_eq!(fs::read_to_string(target.join("run.json")).unwrap(), "new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the replaced one is gone");
}

#[test]
fn a_directory_of_somebody_else_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    assert!(PendingDir::create(folder.path(), true).unwrap_err().to_string().contains("not replaced"));
}

#[test]
fn what_a_killed_process_left_goes_and_an_earlier_result_that_stepped_aside_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("run");
    let dead = folder.path().join(".run.partial-999999999");
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("half.csv"), "1").unwrap();
    let other = folder.path().join(".run2.partial-999999999");
    fs::create_dir(&other).unwrap();
    // Killed between the two renames: the earlier result has stepped aside, and the new one has not its name yet.
    let aside = folder.path().join(".run.replaced");
    fs::create_dir(&aside).unwrap();
    fs::write(aside.join("run.json"), "old").unwrap();
    assert!(PendingDir::create(&target, false).unwrap_err().to_string().contains("exists already"));
    assert_eq!(fs::read_to_string(target.join("run.json")).unwrap(), "old", "it has its name again");
    drop(PendingDir::create(&target, true).unwrap());
    assert!(!dead.exists() && !aside.exists() && other.exists());
    // Killed after both renames: only the removal of the earlier one is left to do.
    fs::create_dir(&aside).unwrap();
    fs::write(aside.join("run.json"), "older").unwrap();
    drop(PendingDir::create(&target, true).unwrap());
    assert_eq!(fs::read_to_string(target.join("run.json")).unwrap(), "old");
    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".run2.partial-999999999", "run"]);
}
