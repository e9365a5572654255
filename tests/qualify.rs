//! Promise: `cqa qualify` passes where the program works, and says so where it does not. `CQA_BLESS=1` writes what it expects anew.

use std::fs;
use std::path::Path;

mod program;
use program::{cqa, fails, rows, succeeds};

/// Writes `data/qualification.toml` from what was found.
fn bless(table: &Path) {
    let of = |start: &'static str| rows(table).into_iter().filter(move |row| row["check"].starts_with(start));
    let lots = of("OQ-1").next().unwrap()["found"].clone();
    let quoted = |start: &'static str, quote: &str| -> String {
        of(start).map(|row| format!("\"{}\" = {quote}{}{quote}\n", row["test"], row["found"])).collect()
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/qualification.toml");
    let text = fs::read_to_string(&path).unwrap();
    let head = text.lines().next().unwrap();
    let (numbers, words) = (quoted("OQ-3.", ""), quoted("OQ-4.", "\""));
    fs::write(path, format!("{head}\nlots = \"{lots}\"\n\n[numbers]\n{numbers}\n[words]\n{words}")).unwrap();
}

#[test]
fn installation_and_operation_are_checked_and_put_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let blessing = std::env::var_os("CQA_BLESS").is_some();
    let output = cqa(at, &["qualify", "-o", "iq", "--quiet", "--operator", "A. B"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if blessing {
        bless(&at.join("iq/qualification.csv"));
    } else {
        assert!(output.status.success(), "{said}");
    }
    let checks = rows(&at.join("iq/qualification.csv"));
    assert!(checks.len() > 35, "{} checks", checks.len());
    assert!(
        blessing
            || checks
                .iter()
                .all(|check| ["requirement", "test", "expected", "found"].iter().all(|c| !check[*c].is_empty()))
    );
    let page = fs::read_to_string(at.join("iq/report.html")).unwrap();
    assert!(page.contains("not a statement of compliance") && page.contains("A. B"));
    succeeds(at, &["verify", "iq"]);
    let left: Vec<_> = fs::read_dir(at).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
    // Another program than the one handed over.
    let said = fails(at, &["qualify", "-o", "iq", "--force", "--quiet", "--expect", &"0".repeat(64)]);
    assert!(said.contains("did not pass") && said.contains("do not use this installation"), "{said}");
    assert_eq!(rows(&at.join("iq/qualification.csv"))[0]["passed"], "false");
}
