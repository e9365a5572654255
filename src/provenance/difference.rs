//! What differs between two directories that this program wrote: inputs, parameters, versions, numbers, verdicts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde_json::Value;

use super::{FileHash, RunRecord, read_record};
use crate::data::{Column, Table};
use crate::error::Result;
use crate::io::tables::read_table;

/// Columns that order rows and change with them, so that they tell nothing of which row is which.
const NO_KEY: [&str; 1] = ["rank"];

/// What differs, in words; empty where nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Versions, seed and target of the program. These alone do not make two results differ.
    pub program: Vec<String>,
    /// Files read.
    pub inputs: Vec<String>,
    /// Parameters and readouts.
    pub params: Vec<String>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Verdicts, row by row.
    pub verdicts: Vec<String>,
    /// Tables, column by column, and all other files.
    pub outputs: Vec<String>,
}

impl Differences {
    /// Sections with their names, in the order above.
    pub fn sections(&self) -> [(&'static str, &[String]); 6] {
        [
            ("Program", &self.program),
            ("Inputs", &self.inputs),
            ("Parameters", &self.params),
            ("Warnings", &self.warnings),
            ("Verdicts", &self.verdicts),
            ("Numbers and files", &self.outputs),
        ]
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.sections().iter().map(|(_, lines)| lines.len()).sum()
    }

    /// True if the two are the same in everything but time and place.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Compares two directories by their records and, where files differ, by the tables in them.
///
/// # Errors
/// A record or a table that differs cannot be read.
pub fn differences(one: &Path, two: &Path) -> Result<Differences> {
    let (a, b) = (read_record(one)?, read_record(two)?);
    let mut out =
        Differences { program: program(&a, &b), inputs: inputs(&a.inputs, &b.inputs), ..Differences::default() };
    let (mut of_a, mut of_b) = (BTreeMap::new(), BTreeMap::new());
    flatten("", &a.params, &mut of_a);
    flatten("", &b.params, &mut of_b);
    out.params = keyed(&of_a, &of_b);
    if a.potency != b.potency {
        out.params.push(format!("readouts: {} → {}", a.potency.join(", "), b.potency.join(", ")));
    }
    let told = |record: &RunRecord| -> BTreeSet<String> {
        let ranked = record.ranking_warnings.iter().flat_map(|of| &of.warnings);
        record.warnings.iter().chain(ranked).map(ToString::to_string).collect()
    };
    let (told_a, told_b) = (told(&a), told(&b));
    out.warnings.extend(told_a.difference(&told_b).map(|words| format!("only the first: {words}")));
    out.warnings.extend(told_b.difference(&told_a).map(|words| format!("only the second: {words}")));
    let names: BTreeSet<&str> = a.outputs.iter().chain(&b.outputs).map(|file| file.path.as_str()).collect();
    let hash = |files: &[FileHash], name: &str| files.iter().find(|file| file.path == name).map(|f| f.sha256.clone());
    for name in names {
        match (hash(&a.outputs, name), hash(&b.outputs, name)) {
            (Some(x), Some(y)) if x == y => {}
            (Some(_), Some(_)) if [".csv", ".csv.gz", ".parquet"].iter().any(|end| name.ends_with(end)) => {
                table(name, &read_table(&one.join(name))?, &read_table(&two.join(name))?, &mut out);
            }
            (Some(_), Some(_)) => out.outputs.push(format!("{name}: other bytes")),
            (Some(_), None) => out.outputs.push(format!("{name}: only in the first")),
            (None, _) => out.outputs.push(format!("{name}: only in the second")),
        }
    }
    Ok(out)
}

fn program(a: &RunRecord, b: &RunRecord) -> Vec<String> {
    let pairs = [
        ("version", a.version.clone(), b.version.clone()),
        ("seed", a.seed.to_string(), b.seed.to_string()),
        ("built for", a.execution.target.clone(), b.execution.target.clone()),
    ];
    pairs.into_iter().filter(|(_, x, y)| x != y).map(|(what, x, y)| format!("{what}: {x} → {y}")).collect()
}

/// Files by content: one that only lies elsewhere is told as such.
fn inputs(a: &[FileHash], b: &[FileHash]) -> Vec<String> {
    let mut out = Vec::new();
    for file in a {
        match b.iter().find(|other| other.path == file.path) {
            Some(other) if other.sha256 == file.sha256 => {}
            Some(_) => out.push(format!("{}: other content", file.path)),
            None => match b.iter().find(|other| other.sha256 == file.sha256) {
                Some(other) => out.push(format!("{}: the same content as {} of the second", file.path, other.path)),
                None => out.push(format!("{}: only in the first", file.path)),
            },
        }
    }
    let known = |file: &&FileHash| a.iter().any(|other| other.path == file.path || other.sha256 == file.sha256);
    out.extend(b.iter().filter(|file| !known(file)).map(|file| format!("{}: only in the second", file.path)));
    out
}

/// Every value of nested parameters under its full key.
fn flatten(key: &str, value: &Value, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(&if key.is_empty() { name.clone() } else { format!("{key}.{name}") }, value, out);
            }
        }
        other => {
            out.insert(key.into(), other.to_string());
        }
    }
}

fn keyed(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let word = |value: Option<&String>| value.map_or("not there", String::as_str).to_string();
    let differing = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    differing.map(|name| format!("{name}: {} → {}", word(a.get(name)), word(b.get(name)))).collect()
}

fn cell(column: &Column, row: usize) -> String {
    let mut text = String::new();
    column.push_text(row, &mut text);
    text
}

fn number(column: &Column, row: usize) -> Option<f64> {
    match column {
        Column::Integer(v) => Some(v[row] as f64),
        Column::Float(v) => Some(v[row]),
        Column::Float32(v) => Some(f64::from(v[row])),
        _ => None,
    }
}

/// Names of rows by the fewest leading columns that tell all rows of both tables apart; `None` if none do.
fn row_names(a: &Table, b: &Table) -> Option<(Vec<String>, Vec<String>)> {
    let is_name = |column: &Column| !matches!(column, Column::Float(_) | Column::Float32(_));
    let usable = a.columns().iter().filter(|(name, column)| {
        !NO_KEY.contains(&name.as_str()) && is_name(column) && b.column(name).is_some_and(is_name)
    });
    let names: Vec<&str> = usable.map(|(name, _)| name.as_str()).take(4).collect();
    (1..=names.len()).find_map(|n| {
        let of = |table: &Table| -> Option<Vec<String>> {
            let columns: Vec<&Column> = names[..n].iter().filter_map(|name| table.column(name)).collect();
            let rows: Vec<String> = (0..table.n_rows())
                .map(|row| columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>().join(" · "))
                .collect();
            let unique = rows.iter().collect::<BTreeSet<_>>().len() == rows.len();
            unique.then_some(rows)
        };
        Some((of(a)?, of(b)?))
    })
}

fn table(name: &str, a: &Table, b: &Table, out: &mut Differences) {
    let before = out.outputs.len() + out.verdicts.len();
    for (column, _) in a.columns().iter().filter(|(column, _)| b.column(column).is_none()) {
        out.outputs.push(format!("{name}: column {column} only in the first"));
    }
    for (column, _) in b.columns().iter().filter(|(column, _)| a.column(column).is_none()) {
        out.outputs.push(format!("{name}: column {column} only in the second"));
    }
    // Rows of both, by name or else by place.
    let numbered = |table: &Table| (1..=table.n_rows()).map(|row| format!("row {row}")).collect::<Vec<_>>();
    let (of_a, of_b) = row_names(a, b).unwrap_or_else(|| (numbered(a), numbered(b)));
    let place: HashMap<&str, usize> = of_b.iter().enumerate().map(|(i, row)| (row.as_str(), i)).collect();
    let pairs: Vec<(usize, usize)> =
        of_a.iter().enumerate().filter_map(|(i, row)| Some((i, *place.get(row.as_str())?))).collect();
    for (which, n) in [("first", of_a.len() - pairs.len()), ("second", of_b.len() - pairs.len())] {
        if n > 0 {
            out.outputs.push(format!("{name}: {n} rows only in the {which}"));
        }
    }
    for (column, x) in a.columns() {
        let Some(y) = b.column(column) else { continue };
        let unlike: Vec<(usize, usize)> = pairs.iter().copied().filter(|&(i, j)| cell(x, i) != cell(y, j)).collect();
        let Some(&(i, j)) = unlike.first() else { continue };
        if column == "verdict" {
            let change = |&(i, j): &(usize, usize)| format!("{name}, {}: {} → {}", of_a[i], cell(x, i), cell(y, j));
            out.verdicts.extend(unlike.iter().map(change));
            continue;
        }
        let largest = unlike
            .iter()
            .filter_map(|&(i, j)| Some((i, j, (number(x, i)? - number(y, j)?).abs())))
            .filter(|(_, _, difference)| difference.is_finite())
            .max_by(|one, other| one.2.total_cmp(&other.2));
        let example = match largest {
            Some((i, j, by)) => format!("the largest by {by:.3e}, {}: {} → {}", of_a[i], cell(x, i), cell(y, j)),
            None => format!("such as {}: {} → {}", of_a[i], shown(&cell(x, i)), shown(&cell(y, j))),
        };
        out.outputs.push(format!("{name}: {column} differs in {} of {} rows, {example}", unlike.len(), pairs.len()));
    }
    if before == out.outputs.len() + out.verdicts.len() {
        out.outputs.push(format!("{name}: the same values, in another order or layout"));
    }
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "empty" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(values: &[&str]) -> Column {
        Column::Text(values.iter().map(|v| v.to_string()).collect())
    }

    #[test]
    fn tables_are_compared_by_the_names_of_their_rows() {
        let a = Table::new()
            .with("cluster", Column::Integer(vec![0, 1, 2]))
            .with("r", Column::Float(vec![0.5, f64::NAN, 0.25]))
            .with("verdict", text(&["supported", "unclear", "unclear"]))
            .with("old", text(&["", "", ""]));
        let b = Table::new()
            .with("cluster", Column::Integer(vec![2, 0, 3]))
            .with("r", Column::Float(vec![0.25, 0.125, 0.0]))
            .with("verdict", text(&["supported", "supported", "unclear"]));
        let mut out = Differences::default();
        table("t.csv", &a, &b, &mut out);
        assert_eq!(out.verdicts, ["t.csv, 2: unclear → supported"]);
        let told = out.outputs.join("\n");
        for words in [
            "column old only in the first",
            "1 rows only in the first",
            "1 rows only in the second",
            "r differs in 1 of 2 rows, the largest by 3.750e-1, 0: 0.5 → 0.125",
        ] {
            assert!(told.contains(words), "{told}");
        }
        assert_eq!(out.outputs.len(), 4, "{told}");
    }

    #[test]
    fn rows_without_names_are_compared_by_place_and_an_order_alone_is_told() {
        let mut out = Differences::default();
        let table_of = |values: &[f64]| Table::new().with("x", Column::Float(values.to_vec()));
        table("t.csv", &table_of(&[1.0, 2.0]), &table_of(&[1.0, 4.0]), &mut out);
        assert_eq!(out.outputs, ["t.csv: x differs in 1 of 2 rows, the largest by 2.000e0, row 2: 2.0 → 4.0"]);
        let mut out = Differences::default();
        let named = |names: &[&str]| Table::new().with("gene", text(names));
        table("t.csv", &named(&["a", "b"]), &named(&["b", "a"]), &mut out);
        assert_eq!(out.outputs, ["t.csv: the same values, in another order or layout"]);
    }

    #[test]
    fn parameters_and_inputs_are_told_by_key_and_content() {
        let flat = |value: Value| {
            let mut out = BTreeMap::new();
            flatten("", &value, &mut out);
            out
        };
        let (a, b) = (json!({"hvg": {"n": 1, "m": [1]}, "x": 1.5}), json!({"hvg": {"n": 2, "m": [1]}, "y": true}));
        let expected = ["hvg.n: 1 → 2", "x: 1.5 → not there", "y: not there → true"];
        assert_eq!(keyed(&flat(a), &flat(b)), expected);
        let file = |path: &str, sha256: &str| FileHash { path: path.into(), bytes: 0, sha256: sha256.into() };
        let told = inputs(
            &[file("same", "1"), file("changed", "2"), file("moved", "3"), file("gone", "4")],
            &[file("same", "1"), file("changed", "9"), file("there", "3"), file("new", "5")],
        );
        let expected = [
            "changed: other content",
            "moved: the same content as there of the second",
            "gone: only in the first",
            "new: only in the second",
        ];
        assert_eq!(told, expected);
    }
}
