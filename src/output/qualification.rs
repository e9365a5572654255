//! A qualification → directory: the table of requirements and tests, report and record.

use std::path::Path;

use crate::data::{Column, Table};
use crate::error::Result;
use crate::io::run_dir::{PendingDir, write_text};
use crate::io::tables::write_table;
use crate::provenance::{Execution, FileHash, RunRecord, write_record};
use crate::report::qualification::{Check, html, sentence};

/// Writes the directory; it carries the name `target` only when everything is written. `facts`: of program and machine.
///
/// # Errors
/// - `target` exists and `replace` is not set
/// - the disk is full or refuses
pub fn write_qualification(
    target: &Path,
    replace: bool,
    checks: &[Check],
    facts: &[(String, String)],
    inputs: Vec<FileHash>,
    execution: Execution,
) -> Result<()> {
    let pending = PendingDir::create(target, replace)?;
    let folder = pending.path();
    let text = |of: fn(&Check) -> &String| Column::Text(checks.iter().map(|check| of(check).clone()).collect());
    let table = Table::new()
        .with("check", text(|check| &check.id))
        .with("requirement", text(|check| &check.requirement))
        .with("test", text(|check| &check.test))
        .with("expected", text(|check| &check.expected))
        .with("found", text(|check| &check.found))
        .with("passed", Column::Bool(checks.iter().map(|check| check.passed).collect()));
    write_table(&folder.join("qualification.csv"), &table)?;
    write_text(&folder.join("report.html"), &html(checks, facts))?;
    let record = RunRecord::new(
        0,
        serde_json::json!({ "qualification": { "answer": sentence(checks), "facts": facts } }),
        inputs,
        execution,
    );
    write_record(folder, record)?;
    pending.finish()
}
