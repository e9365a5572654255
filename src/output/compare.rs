//! A comparison → directory: tables, the plan with its lock, report and record.

use std::path::Path;

use crate::data::{Column, Comparison, Table};
use crate::error::Result;
use crate::io::run_dir::{PendingDir, create_folder, write_bytes, write_text};
use crate::io::tables::write_table;
use crate::provenance::{Execution, FileHash, LockedPlan, RunRecord, write_record};
use crate::report;
use crate::report::compare::{Amendment, PlanFacts};
use crate::steps::process::compare::SdBasis;
use crate::steps::process::{Compared, Judged, OperatingRow, Values};

/// What a comparison leaves on disk.
pub struct ComparisonOutput<'a> {
    /// The plan with its history.
    pub locked: &'a LockedPlan,
    /// Operating characteristics with the lots that were planned.
    pub planned: &'a [OperatingRow],
    /// What was found.
    pub compared: &'a Compared,
    /// Files read, with their digests.
    pub inputs: Vec<FileHash>,
    /// How and when it ran.
    pub execution: Execution,
}

/// Writes the directory; it carries the name `target` only when everything is written.
///
/// # Errors
/// - `target` exists and `replace` is not set
/// - the disk is full or refuses
pub fn write_comparison(target: &Path, replace: bool, output: ComparisonOutput<'_>) -> Result<()> {
    let ComparisonOutput { locked, planned, compared, inputs, execution } = output;
    let comparison = locked.comparison();
    let pending = PendingDir::create(target, replace)?;
    let folder = pending.path();
    write_table(&folder.join("verdicts.csv"), &verdict_table(compared))?;
    write_table(&folder.join("operating.csv"), &operating_table(comparison, planned, &compared.operating))?;
    write_table(&folder.join("values.csv"), &value_table(comparison, compared))?;
    write_table(&folder.join("whole.csv"), &whole_table(compared))?;
    write_text(&folder.join("plan.toml"), locked.plan().text())?;
    write_text(&folder.join("plan.lock.json"), &locked.text())?;
    create_folder(&folder.join("plots"))?;
    for plot in report::plots::comparison(comparison, compared) {
        write_text(&folder.join("plots").join(format!("{}.svg", plot.name)), &plot.svg)?;
        write_bytes(&folder.join("plots").join(format!("{}.png", plot.name)), &plot.png)?;
    }
    let page = report::compare::html(comparison, compared, planned, &facts(locked, &inputs));
    write_text(&folder.join("report.html"), &page)?;
    let potency = comparison.attributes.iter().filter(|a| a.potency);
    let record = RunRecord {
        potency: potency.map(|a| a.name.clone()).collect(),
        warnings: compared.warnings.clone(),
        ..RunRecord::new(
            comparison.seed,
            serde_json::json!({
                "plan": comparison,
                "plan_sha256": locked.plan().sha256(),
                "plan_lock_head": locked.head(),
            }),
            inputs,
            execution,
        )
    };
    write_record(folder, record)?;
    pending.finish()
}

/// What the report tells of the plan's history.
fn facts(locked: &LockedPlan, inputs: &[FileHash]) -> PlanFacts {
    let amendments = locked.amendments().into_iter().map(|(entry, post_read)| Amendment {
        time: entry.time.clone(),
        reason: entry.reason.clone(),
        post_read,
    });
    PlanFacts {
        sha256: locked.plan().sha256().into(),
        locked: locked.first_locked().into(),
        amendments: amendments.collect(),
        history: locked
            .history()
            .iter()
            .map(|e| (e.time.clone(), e.event.words().to_string(), e.plan_sha256.clone(), e.reason.clone()))
            .collect(),
        inputs: inputs.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect(),
    }
}

fn text<S: ToString>(values: impl IntoIterator<Item = S>) -> Column {
    Column::Text(values.into_iter().map(|v| v.to_string()).collect())
}

fn float(values: impl IntoIterator<Item = f64>) -> Column {
    Column::Float(values.into_iter().collect())
}

fn integer(values: impl IntoIterator<Item = usize>) -> Column {
    Column::Integer(values.into_iter().map(|v| v as i64).collect())
}

/// One row per attribute, and one for all of them (`verdicts.csv`).
fn verdict_table(compared: &Compared) -> Table {
    let (rows, overall) = (&compared.judged, &compared.overall);
    let words =
        |of: &dyn Fn(&Judged) -> String, all: &str| text(rows.iter().map(of).chain(std::iter::once(all.to_string())));
    let number = |of: fn(&Judged) -> f64| float(rows.iter().map(of).chain(std::iter::once(f64::NAN)));
    Table::new()
        .with("attribute", words(&|r| r.attribute.label(), "all"))
        .with("rule", words(&|r| r.attribute.rule.word().into(), "all"))
        .with("n_pre", integer(rows.iter().map(|r| r.n_pre).chain([compared.pre.lots.len()])))
        .with("n_post", integer(rows.iter().map(|r| r.n_post).chain([compared.post.lots.len()])))
        .with("estimate", number(|r| r.estimate))
        .with("low", number(|r| r.low))
        .with("high", number(|r| r.high))
        .with("margin_low", number(|r| r.margin_low))
        .with("margin_high", number(|r| r.margin_high))
        .with("verdict", words(&|r| r.verdict.word().into(), overall.verdict.word()))
        .with("kind", words(&|r| word(&r.attribute.kind), ""))
        .with("role", words(&|r| if r.attribute.potency { "potency".into() } else { String::new() }, ""))
        .with("transform", words(&|r| word(&r.attribute.transform), ""))
        .with("side", words(&|r| word(&r.attribute.side), ""))
        .with("mean_pre", number(|r| r.pre.0))
        .with("sd_pre", number(|r| r.pre.1))
        .with("mean_post", number(|r| r.post.0))
        .with("sd_post", number(|r| r.post.1))
        .with("p_low", number(|r| r.p_low))
        .with("p_high", number(|r| r.p_high))
        .with("alpha", number(|r| r.alpha))
        .with("n_within", number(|r| r.n_within.map_or(f64::NAN, |n| n as f64)))
        .with("reason", words(&|r| r.reason.clone(), &overall.missing.join("; ")))
}

/// A word of the plan file, as serde writes it.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_string)).unwrap_or_default()
}

/// What the plan can show, with the lots planned and with those found (`operating.csv`).
fn operating_table(comparison: &Comparison, planned: &[OperatingRow], found: &[OperatingRow]) -> Table {
    let rows: Vec<(&str, &OperatingRow)> =
        planned.iter().map(|row| ("planned", row)).chain(found.iter().map(|row| ("found", row))).collect();
    let attribute = |row: &OperatingRow| row.attribute.map(|i| &comparison.attributes[i]);
    let number = |of: fn(&OperatingRow) -> f64| float(rows.iter().map(|(_, row)| of(row)));
    Table::new()
        .with("attribute", text(rows.iter().map(|(_, row)| attribute(row).map_or("all".into(), |a| a.label()))))
        .with("rule", text(rows.iter().map(|(_, row)| attribute(row).map_or("all", |a| a.rule.word()))))
        .with("lots", text(rows.iter().map(|(lots, _)| lots)))
        .with("n_pre", integer(rows.iter().map(|(_, row)| row.n_pre)))
        .with("n_post", integer(rows.iter().map(|(_, row)| row.n_post)))
        .with("sd_basis", text(rows.iter().map(|(_, row)| SdBasis::word(row.basis))))
        .with("sd", number(|row| row.sd))
        .with("shift", number(|row| row.shift))
        .with("difference", number(|row| row.difference))
        .with("comparable", number(|row| row.comparable))
        .with("not_comparable", number(|row| row.not_comparable))
        .with("inconclusive", number(|row| (1.0 - row.comparable - row.not_comparable).max(0.0)))
        .with("exact", Column::Bool(rows.iter().map(|(_, row)| row.exact).collect()))
        .with("error", number(|row| row.error))
}

/// Every lot's value of every attribute, on its scale of comparison (`values.csv`).
fn value_table(comparison: &Comparison, compared: &Compared) -> Table {
    let (mut lots, mut groups, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut attributes, mut numbers) = (Vec::new(), Vec::new());
    let mut add = |group: &'static str, values: &Values| {
        for (attribute, of_lots) in comparison.attributes.iter().zip(&values.values) {
            for (i, lot) in values.lots.iter().enumerate() {
                lots.push(lot.clone());
                groups.push(group);
                pairs.push(values.pairs.get(i).cloned().unwrap_or_default());
                attributes.push(attribute.label());
                numbers.push(of_lots[i]);
            }
        }
    };
    add("pre", &compared.pre);
    add("post", &compared.post);
    Table::new()
        .with("lot", Column::Text(lots))
        .with("group", text(groups))
        .with("pair", Column::Text(pairs))
        .with("attribute", Column::Text(attributes))
        .with("value", Column::Float(numbers))
}

/// Tests of the whole (`whole.csv`).
fn whole_table(compared: &Compared) -> Table {
    let rows = &compared.whole;
    Table::new()
        .with("test", text(rows.iter().map(|r| r.test)))
        .with("statistic", text(rows.iter().map(|r| r.statistic)))
        .with("n_pre", integer(rows.iter().map(|r| r.n_pre)))
        .with("n_post", integer(rows.iter().map(|r| r.n_post)))
        .with("value", float(rows.iter().map(|r| r.found.statistic)))
        .with("r_squared", float(rows.iter().map(|r| r.found.r_squared)))
        .with("p", float(rows.iter().map(|r| r.found.p)))
        .with("smallest_p", float(rows.iter().map(|r| r.found.smallest_p)))
        .with("n_groupings", integer(rows.iter().map(|r| r.found.n_looked_at as usize)))
        .with("n_possible", float(rows.iter().map(|r| r.found.n_possible)))
        .with("exact", Column::Bool(rows.iter().map(|r| r.found.exact).collect()))
}
