//! A screen → directory: tables, the signature, figure, report and record.

use std::path::Path;

use crate::data::{Column, Table};
use crate::error::Result;
use crate::io::run_dir::{PendingDir, create_folder, write_bytes, write_text};
use crate::io::tables::write_table;
use crate::pipeline::Params;
use crate::provenance::{Execution, FileHash, RunRecord, write_record};
use crate::report;
use crate::steps::process::Screen;
use crate::steps::process::screen::{NeededRow, PositiveCell, ScreenRow};
use crate::warning::Warning;

/// What a screen leaves on disk.
pub struct ScreenOutput<'a> {
    /// What was found.
    pub screen: &'a Screen,
    /// Parameters.
    pub params: &'a Params,
    /// Those of reading and of the screen.
    pub warnings: &'a [Warning],
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
pub fn write_screen(target: &Path, replace: bool, output: ScreenOutput<'_>) -> Result<()> {
    let ScreenOutput { screen, params, warnings, inputs, execution } = output;
    let pending = PendingDir::create(target, replace)?;
    let folder = pending.path();
    for (name, table) in screen_tables(screen) {
        write_table(&folder.join(name), &table)?;
    }
    let toml = toml::to_string(&screen.signature).expect("a signature is plain data");
    write_text(&folder.join("signature.toml"), &toml)?;
    write_text(&folder.join("params.toml"), &toml::to_string(params).expect("parameters are plain data"))?;
    create_folder(&folder.join("plots"))?;
    let plot = report::plots::files("screen".into(), &report::plots::screen::figure(screen));
    write_text(&folder.join("plots/screen.svg"), &plot.svg)?;
    write_bytes(&folder.join("plots/screen.png"), &plot.png)?;
    let files: Vec<(String, String)> = inputs.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect();
    write_text(&folder.join("report.html"), &report::screen::html(screen, warnings, &files))?;
    let record = RunRecord {
        warnings: warnings.to_vec(),
        ..RunRecord::new(
            params.seed,
            serde_json::json!({
                "read": params.read,
                "qc": params.qc,
                "screen": screen.params,
                "signature": screen.signature,
                "detection": screen.detection,
            }),
            inputs,
            execution,
        )
    };
    write_record(folder, record)?;
    pending.finish()
}

/// Every table with its file name.
pub fn screen_tables(screen: &Screen) -> Vec<(&'static str, Table)> {
    let mut tables = vec![
        ("screen.csv", lots(screen)),
        ("process.csv", process(screen)),
        ("positives.csv", positives(screen)),
        ("needed.csv", needed(screen)),
    ];
    if !screen.controls.is_empty() {
        tables.push(("detection.csv", detection(screen)));
    }
    tables
}

fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// `upper` → `upper_95`.
fn at_confidence(screen: &Screen, name: &str) -> String {
    format!("{name}_{}", (1e6 * screen.params.confidence).round() / 1e4)
}

fn lots(screen: &Screen) -> Table {
    let rows = &screen.rows;
    let count = |of: fn(&ScreenRow) -> u64| Column::Integer(rows.iter().map(|row| integer(of(row))).collect());
    let number = |of: fn(&ScreenRow) -> f64| Column::Float(rows.iter().map(of).collect());
    Table::new()
        .with("lot", Column::Text(rows.iter().map(|row| row.lot.clone()).collect()))
        .with("n_cells", count(|row| row.n_cells))
        .with("n_positive", count(|row| row.n_positive))
        .with("fraction", number(|row| row.fraction))
        .with(at_confidence(screen, "upper"), number(|row| row.upper))
        .with("detection_limit", number(|row| row.detection_limit))
        .with(at_confidence(screen, "lower"), number(|row| row.lower))
        .with("detection_probability", number(|row| row.detection_probability))
        .with("detection_low", number(|row| row.detection_low))
        .with("detection_high", number(|row| row.detection_high))
        .with(format!("{}_adjusted", at_confidence(screen, "upper")), number(|row| row.upper_adjusted))
        .with("limit", Column::Float(vec![screen.params.limit; rows.len()]))
        .with("below_limit", Column::Bool(rows.iter().map(|row| row.below_limit).collect()))
        .with("n_cells_read", count(|row| row.n_read))
        .with("n_cells_after_qc", count(|row| row.n_cells_kept))
        .with("n_positive_after_qc", count(|row| row.n_positive_kept))
        .with("median_counts", number(|row| row.median_counts))
        .with("n_genes_missing", count(|row| row.n_genes_missing as u64))
        .with("expected_background", number(|row| row.expected_background))
        .with("expected_background_upper", number(|row| row.expected_background_upper))
        .with("p_background", number(|row| row.p_background))
}

fn process(screen: &Screen) -> Table {
    let row = &screen.process;
    let count = |value: u64| Column::Integer(vec![integer(value)]);
    let number = |value: f64| Column::Float(vec![value]);
    let background = screen.background.as_ref();
    let of_background =
        |of: fn(&crate::steps::process::screen::Background) -> f64| number(background.map_or(f64::NAN, of));
    Table::new()
        .with("n_lots", count(row.n_lots as u64))
        .with("n_cells", count(row.n_cells))
        .with("n_positive", count(row.n_positive))
        .with("fraction", number(row.fraction))
        .with(at_confidence(screen, "upper"), number(row.upper))
        .with("detection_limit", number(row.detection_limit))
        .with(at_confidence(screen, "lower"), number(row.lower))
        .with(format!("{}_adjusted", at_confidence(screen, "upper")), number(row.upper_adjusted))
        .with("n_lots_positive", count(row.n_lots_positive as u64))
        .with(format!("share_of_lots_positive_{}", at_confidence(screen, "upper")), number(row.lots_positive_upper))
        .with("n_lots_below_limit", count(row.n_lots_below as u64))
        .with("p_background", number(row.p_background))
        .with("background_n_cells", of_background(|b| b.n_cells as f64))
        .with("background_n_positive", of_background(|b| b.n_positive as f64))
        .with("background_rate", of_background(|b| b.rate))
        .with(format!("background_{}", at_confidence(screen, "upper")), of_background(|b| b.upper))
}

fn positives(screen: &Screen) -> Table {
    let cells = &screen.positives;
    let number = |of: fn(&PositiveCell) -> i64| Column::Integer(cells.iter().map(of).collect());
    let text = |of: fn(&PositiveCell) -> &String| Column::Text(cells.iter().map(|cell| of(cell).clone()).collect());
    let mut table = Table::new()
        .with("lot", text(|cell| &cell.lot))
        .with("barcode", text(|cell| &cell.barcode))
        .with("n_counts", number(|cell| i64::from(cell.n_counts)))
        .with("n_genes", number(|cell| i64::from(cell.n_genes)))
        .with("pct_mito", Column::Float32(cells.iter().map(|cell| cell.pct_mito).collect()))
        .with("excluded_by_qc", text(|cell| &cell.excluded))
        .with("n_signature_genes", number(|cell| cell.n_signature_genes as i64));
    let signature = &screen.signature;
    let symbols = signature.genes.iter().map(|g| &g.symbol).chain(signature.absent.iter().map(|g| &g.symbol));
    for (at, symbol) in symbols.enumerate() {
        let counts = cells.iter().map(|cell| i64::from(cell.counts[at])).collect();
        table = table.with(format!("count_{symbol}"), Column::Integer(counts));
    }
    table
}

fn needed(screen: &Screen) -> Table {
    let rows = &screen.needed;
    let number = |of: fn(&NeededRow) -> f64| Column::Float(rows.iter().map(of).collect());
    // More than can be told: empty.
    let whole = |n: Option<u64>| n.map_or(f64::NAN, |n| n as f64);
    Table::new()
        .with("n_lots", Column::Integer(rows.iter().map(|row| row.n_lots as i64).collect()))
        .with("n_positive_allowed", Column::Integer(rows.iter().map(|row| integer(row.n_positive)).collect()))
        .with("limit", number(|row| row.limit))
        .with("confidence", number(|row| row.confidence))
        .with("detection_probability", number(|row| row.detection_probability))
        .with("n_cells", Column::Float(rows.iter().map(|row| whole(row.n_cells)).collect()))
        .with("n_cells_per_lot", Column::Float(rows.iter().map(|row| whole(row.n_cells_per_lot)).collect()))
        .with("chance_at_tenth_of_limit", number(|row| row.chance_at_tenth))
        .with("share_of_lots_beyond", number(|row| row.share_of_lots_beyond))
}

fn detection(screen: &Screen) -> Table {
    let rows = &screen.controls;
    let number =
        |of: fn(&crate::steps::process::screen::DetectionRow) -> f64| Column::Float(rows.iter().map(of).collect());
    Table::new()
        .with("lot", Column::Text(rows.iter().map(|row| row.lot.clone()).collect()))
        .with("control", Column::Text(rows.iter().map(|row| row.control.clone()).collect()))
        .with("n_control_cells", Column::Integer(rows.iter().map(|row| integer(row.n_cells)).collect()))
        .with("detection_probability", number(|row| row.probability))
        .with("low", number(|row| row.low))
        .with("high", number(|row| row.high))
        .with("unthinned", number(|row| row.unthinned))
        .with("share_deeper", number(|row| row.share_deeper))
}
