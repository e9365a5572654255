//! Long tables beside the lot sheet: measurements with replicates, and clinical outcomes case by case.
//!
//! **Measurements** (`--readouts`): columns `lot`, `readout`, `value`, and where they apply `unit`, `replicate`, `below_loq`
//! (true/false, yes/no, 1/0; the value is then the limit of quantification, or empty). Several rows of a lot are replicates.
//!
//! **Outcomes** (`--outcomes`): columns `lot`, `case`, `outcome`, and `name` where there are several outcomes. An outcome is
//! an event (1/0, yes/no, true/false) or a number. Case names serve to find a case given twice and go no further: no message
//! repeats a field of this file.

use std::collections::HashMap;
use std::path::Path;

use crate::data::{CaseOutcome, Measurement};
use crate::error::{Error, Result};
use crate::io::bytes;
use crate::io::lot_sheet::reader;
use crate::warning::Warning;

/// Name of an outcome whose file has no column `name`.
const OUTCOME: &str = "outcome";

/// Reads measurements of these lots; rows of other lots are left out with a warning.
///
/// # Errors
/// - a column is missing or there twice, or a row has another number of fields
/// - a value is no number, or is empty without being below the limit of quantification
/// - one replicate is given twice, or one readout has two units
pub fn read_measurements(path: &Path, lots: &[String]) -> Result<(Vec<Measurement>, Vec<Warning>)> {
    let text = read(path)?;
    let file = LongTable::parse(&text, path, &["lot", "readout", "value"], &["unit", "replicate", "below_loq"])?;
    let (mut measurements, mut unknown) = (Vec::new(), UnknownLots::default());
    let mut replicates: HashMap<(usize, &str, &str), u64> = HashMap::new();
    let mut units: HashMap<&str, (&str, u64)> = HashMap::new();
    for row in &file.rows {
        let wrong = |message: String| Error::parse(path, row.line, message);
        let Some(lot) = lots.iter().position(|l| l == row.field("lot")) else {
            unknown.add(row.line);
            continue;
        };
        let readout = row.field("readout");
        if readout.is_empty() {
            return Err(wrong("column `readout` is empty; name what was measured".into()));
        }
        let below_loq = match row.field("below_loq") {
            "" => false,
            word => event(word).ok_or_else(|| wrong("column `below_loq` must be true or false".into()))?,
        };
        let value = match row.field("value") {
            "" if below_loq => f64::NAN,
            "" => return Err(wrong("column `value` is empty; leave the row out, or say that it is below_loq".into())),
            text => number(text).ok_or_else(|| wrong("column `value` must be a number".into()))?,
        };
        let replicate = row.field("replicate");
        if !replicate.is_empty()
            && let Some(line) = replicates.insert((lot, readout, replicate), row.line)
        {
            return Err(wrong(format!("this replicate is there already, on line {line}; number replicates apart")));
        }
        let unit = row.field("unit");
        let (known, line) = *units.entry(readout).or_insert((unit, row.line));
        if known != unit {
            return Err(wrong(format!("{readout} has unit `{unit}` here and `{known}` on line {line}; use one")));
        }
        measurements.push(Measurement { lot, readout: readout.into(), value, unit: unit.into(), below_loq });
    }
    Ok((measurements, unknown.warning(path)))
}

/// Reads outcomes of these lots; rows of other lots are left out with a warning, those without an outcome silently.
///
/// # Errors
/// - a column is missing or there twice, or a row has another number of fields
/// - an outcome is neither an event nor a number, or events and numbers are mixed
/// - one case has the same outcome of the same lot twice
pub fn read_outcomes(path: &Path, lots: &[String]) -> Result<(Vec<CaseOutcome>, Vec<Warning>)> {
    let text = read(path)?;
    let file = LongTable::parse(&text, path, &["lot", "case", "outcome"], &["name"])?;
    let (mut outcomes, mut unknown) = (Vec::new(), UnknownLots::default());
    let mut cases: HashMap<(&str, &str), Vec<(usize, u64)>> = HashMap::new();
    let mut in_words: HashMap<&str, (bool, u64)> = HashMap::new();
    for row in &file.rows {
        let wrong = |message: String| Error::parse(path, row.line, message);
        let Some(lot) = lots.iter().position(|l| l == row.field("lot")) else {
            unknown.add(row.line);
            continue;
        };
        if row.field("case").is_empty() {
            return Err(wrong("column `case` is empty; give each case a pseudonym".into()));
        }
        let name = if row.field("name").is_empty() { OUTCOME } else { row.field("name") };
        let text = row.field("outcome");
        if text.is_empty() {
            continue;
        }
        let given = cases.entry((name, row.field("case"))).or_default();
        if let Some((_, line)) = given.iter().find(|g| g.0 == lot) {
            return Err(wrong(format!("the outcome of this case and lot is there already, on line {line}")));
        }
        given.push((lot, row.line));
        let (word, value) = match (number(text), event(text)) {
            (Some(value), _) => (false, value),
            (None, Some(happened)) => (true, f64::from(u8::from(happened))),
            (None, None) => return Err(wrong("column `outcome` must be yes or no, 1 or 0, or a number".into())),
        };
        let (known, line) = *in_words.entry(name).or_insert((word, row.line));
        if known != word {
            return Err(wrong(format!(
                "the outcome is a word here and a number on line {line}, or the other way round"
            )));
        }
        outcomes.push(CaseOutcome { lot, name: name.into(), value });
    }
    let mut warnings = unknown.warning(path);
    if cases.values().any(|given| given.len() > 1) {
        warnings.push(Warning::CasesOfSeveralLots { file: path.display().to_string() });
    }
    Ok((outcomes, warnings))
}

fn read(path: &Path) -> Result<String> {
    let all = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    Ok(bytes::utf8(all.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&all), path, 1)?.to_string())
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|x: &f64| x.is_finite())
}

fn event(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "yes" | "true" | "y" => Some(true),
        "0" | "no" | "false" | "n" => Some(false),
        _ => None,
    }
}

/// Rows whose lot the sheet does not have.
#[derive(Default)]
struct UnknownLots {
    n_rows: usize,
    first_line: u64,
}

impl UnknownLots {
    fn add(&mut self, line: u64) {
        self.first_line = if self.n_rows == 0 { line } else { self.first_line };
        self.n_rows += 1;
    }

    fn warning(self, path: &Path) -> Vec<Warning> {
        let Self { n_rows, first_line } = self;
        let warning = Warning::RowsOfUnknownLots { file: path.display().to_string(), n_rows, first_line };
        if n_rows > 0 { vec![warning] } else { Vec::new() }
    }
}

struct LongTable {
    rows: Vec<Row>,
}

struct Row {
    line: u64,
    fields: Vec<(&'static str, String)>,
}

impl Row {
    /// A field, empty where the file has no such column.
    fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| *n == name).map_or("", |(_, text)| text)
    }
}

impl LongTable {
    fn parse(text: &str, path: &Path, needed: &[&'static str], further: &[&'static str]) -> Result<Self> {
        let mut reader = reader(text);
        let mut records = reader.records();
        let broken = |e: csv::Error| {
            let line = e.position().map_or(1, csv::Position::line);
            Error::parse(path, line, "cannot be split into fields; check the quotes")
        };
        let header = match records.next() {
            Some(header) => header.map_err(broken)?,
            None => return Err(Error::parse(path, 1, format!("the file is empty; it needs {}", needed.join(", ")))),
        };
        let mut places = Vec::new();
        for name in needed.iter().chain(further) {
            let mut at = (0..header.len()).filter(|&i| &header[i] == *name);
            match (at.next(), at.next()) {
                (Some(_), Some(_)) => return Err(Error::parse(path, 1, format!("column `{name}` is there twice"))),
                (Some(i), None) => places.push((*name, i)),
                (None, _) if needed.contains(name) => {
                    let message = format!("no column `{name}`; the file needs the columns {}", needed.join(", "));
                    return Err(Error::parse(path, 1, message));
                }
                (None, _) => {}
            }
        }
        let mut rows = Vec::new();
        for record in records {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.iter().all(str::is_empty) {
                continue;
            }
            if record.len() != header.len() {
                let message = format!("{} fields, but the header names {} columns", record.len(), header.len());
                return Err(Error::parse(path, line, message));
            }
            let fields = places.iter().map(|&(name, i)| (name, record[i].to_string())).collect();
            rows.push(Row { line, fields });
        }
        Ok(Self { rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.csv");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn lots() -> Vec<String> {
        ["L1", "L2"].map(String::from).to_vec()
    }

    #[test]
    fn measurements_are_read() {
        let (_folder, path) = file(
            "lot;readout;value;unit;replicate;below_loq\nL1;vegf;2.5;pg/mL;1;no\nL1;vegf;;pg/mL;2;yes\nL9;vegf;1;pg/mL;1;\n\
             L2;kill;7;%;;\n",
        );
        let (read, warnings) = read_measurements(&path, &lots()).unwrap();
        assert_eq!(read.len(), 3);
        assert!(read[1].below_loq && read[1].value.is_nan() && read[2].lot == 1 && read[2].unit == "%");
        assert!(matches!(&warnings[..], [Warning::RowsOfUnknownLots { n_rows: 1, first_line: 4, .. }]));
    }

    #[test]
    fn wrong_measurements_are_told_with_their_line() {
        for (text, words) in [
            ("", "line 1: the file is empty"),
            ("lot,readout\n", "no column `value`"),
            ("lot,readout,value\nL1,a,1\nL1,a,x\n", "line 3: column `value` must be a number"),
            ("lot,readout,value\nL1,a,\n", "line 2: column `value` is empty"),
            ("lot,readout,value,replicate\nL1,a,1,1\nL1,a,2,1\n", "line 3: this replicate is there already, on line 2"),
            ("lot,readout,value,unit\nL1,a,1,g\nL1,a,2,mg\n", "line 3: a has unit `mg` here and `g` on line 2"),
            ("lot,readout,value\nL1,a,1,4\n", "line 2: 4 fields"),
            ("lot,readout,value,value\n", "`value` is there twice"),
        ] {
            let (_folder, path) = file(text);
            let message = read_measurements(&path, &lots()).unwrap_err().to_string();
            assert!(message.contains(words), "{text:?}: {message}");
        }
    }

    #[test]
    fn outcomes_are_read_and_cases_forgotten() {
        let (_folder, path) = file(
            "lot,case,outcome,name\nL1,P7,yes,relapse\nL1,P8,no,relapse\nL2,P7,no,relapse\nL2,P9,,relapse\nL2,P9,4.5,days\n",
        );
        let (read, warnings) = read_outcomes(&path, &lots()).unwrap();
        let values: Vec<(usize, f64)> = read.iter().map(|o| (o.lot, o.value)).collect();
        assert_eq!(values, [(0, 1.0), (0, 0.0), (1, 0.0), (1, 4.5)]);
        assert!(matches!(&warnings[..], [Warning::CasesOfSeveralLots { .. }]));
    }

    #[test]
    fn no_message_repeats_a_case() {
        for text in [
            "lot,case,outcome\nL1,P-SECRET,1\nL1,P-SECRET,0\n",
            "lot,case,outcome\nL1,P-SECRET,SECRET\n",
            "lot,case,outcome\nL1,P-SECRET,yes\nL1,P2,3\n",
            "lot,case,outcome\nL1,,1\n",
            "lot,case,outcome\nL1,P-SECRET,1,SECRET\n",
        ] {
            let (_folder, path) = file(text);
            let message = read_outcomes(&path, &lots()).unwrap_err().to_string();
            assert!(message.contains("line ") && !message.contains("SECRET"), "{text:?}: {message}");
        }
        let (_folder, path) = file("lot,case,outcome\nSECRET,P-SECRET,1\n");
        let (_, warnings) = read_outcomes(&path, &lots()).unwrap();
        assert!(!warnings[0].to_string().contains("SECRET"));
    }
}
