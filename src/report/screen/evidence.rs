//! What the answer rests on: lots, the chance to see a hazard cell, chance findings, each positive cell, cells needed.

use maud::{Markup, html};

use super::{column, confidence_decimals, file, fraction, number};
use crate::report::section::{Cell, Section, Table};
use crate::report::words::{count, fixed, p_value, percent, several};
use crate::steps::process::Screen;
use crate::steps::process::screen::{NeededRow, PositiveCell, ScreenRow};

/// Positive cells shown; all are in the table.
const N_SHOWN: usize = 100;

pub(super) fn lots(screen: &Screen) -> Section {
    let one = |row: &ScreenRow| {
        vec![
            Cell::Word(row.lot.clone()),
            number(count(row.n_cells)),
            number(count(row.n_positive)),
            number(fraction(row.fraction)),
            number(fraction(row.upper)),
            number(fraction(row.upper_adjusted)),
            number(fraction(row.detection_limit)),
            number(fixed(row.detection_probability, 3)),
            Cell::Word(if row.below_limit { "yes".into() } else { "not shown".to_string() }),
            number(format!("{} of {}", count(row.n_positive_kept), count(row.n_cells_kept))),
        ]
    };
    let columns = vec![
        column("Lot", ""),
        column("Cells", "Cells with enough counts, before quality control: all of them were looked at."),
        column("Positive", "Cells that show the signature."),
        column("Fraction", "Positive cells of those looked at."),
        column(
            "Upper limit",
            "Largest fraction of cells that show the signature, one-sided and exact (Clopper–Pearson).",
        ),
        column("Upper limit, hazard", "Largest fraction of hazard cells, allowing for those that don't show it."),
        column("Detection limit", "Fraction of which at least one would have been seen, with the confidence asked."),
        column("Detection", "Chance that a hazard cell shows the signature at the depth of this lot."),
        column("Below the limit", "Whether the upper limit that counts is at most the limit asked."),
        column("After quality control", "Positive cells of those that pass quality control; no limit rests on it."),
    ];
    Section {
        id: "lots".into(),
        title: "Lot by lot".into(),
        question: "What was seen in each lot, and what does it exclude?".into(),
        finding: html! {
            p {
                "Cells are counted before quality control: limits that are adapted to the product can take away the very cells "
                "that differ from it. What is left after it stands beside."
            }
        },
        figures: Vec::new(),
        tables: vec![Table {
            caption: format!(
                "Lots, with one-sided limits at {} confidence",
                percent(screen.params.confidence, confidence_decimals(screen.params.confidence))
            ),
            columns,
            rows: screen.rows.iter().map(one).collect(),
            links: vec![file("screen.csv"), file("process.csv")],
        }],
        method: "With x positives of N cells the upper limit is the fraction at which x or fewer are seen with the chance that \
                 is left; of none it is about 3/N at 95 %."
            .into(),
    }
}

pub(super) fn sensitivity(screen: &Screen) -> Section {
    let rows = screen.controls.iter().map(|row| {
        vec![
            Cell::Word(row.lot.clone()),
            Cell::Word(row.control.clone()),
            number(count(row.n_cells)),
            number(fixed(row.probability, 3)),
            number(format!("{} to {}", fixed(row.low, 3), fixed(row.high, 3))),
            number(fixed(row.unthinned, 3)),
            number(percent(row.share_deeper, 0)),
        ]
    });
    let columns = vec![
        column("Lot", ""),
        column("Control", ""),
        column("Control cells", "What the limits rest on."),
        column("Detection", "Chance that a control cell, thinned to the depth of the lot, shows the signature."),
        column("Interval", "Two-sided and exact, over control cells."),
        column("Not thinned", "The same as the control was sequenced."),
        column(
            "Deeper",
            "Control cells with at least the lot's median counts. Where few are, the control is shallow and \
                          the estimate too low, which is the safe side.",
        ),
    ];
    let tables = if screen.controls.is_empty() {
        Vec::new()
    } else {
        vec![Table {
            caption: "Detection probability at the depth of each lot".into(),
            columns,
            rows: rows.collect(),
            links: vec![file("detection.csv")],
        }]
    };
    Section {
        id: "sensitivity".into(),
        title: "Would a hazard cell be seen?".into(),
        question: "How likely does a hazard cell show the signature at this depth of sequencing?".into(),
        finding: html! { p { (screen.detection) } },
        figures: Vec::new(),
        tables,
        method: "Hazard cells are taken to have the depths of the lot's cells. Limits are divided by the one-sided lower limit of \
                 the detection probability; of the error allowed, four fifths go to the count and one fifth to it."
            .into(),
    }
}

pub(super) fn background(screen: &Screen) -> Option<Section> {
    let found = screen.background.as_ref()?;
    let one = |row: &ScreenRow| {
        vec![
            Cell::Word(row.lot.clone()),
            number(count(row.n_positive)),
            number(fixed(row.expected_background, 2)),
            number(fixed(row.expected_background_upper, 2)),
            number(p_value(row.p_background)),
        ]
    };
    let columns = vec![
        column("Lot", ""),
        column("Positive", ""),
        column("By chance", "Positives expected at the rate of the negative control."),
        column("By chance, at most", "At the upper limit of that rate."),
        column("p", "Chance of as many or more if the lot were like the negative control (Fisher, one-sided)."),
    ];
    Some(Section {
        id: "background".into(),
        title: "Could they be chance?".into(),
        question: "How many cells show the signature where no hazard cell can be?".into(),
        finding: html! {
            p {
                "The negative control (" (several(found.n_lots, "lot")) ", " (count(found.n_cells)) " cells) holds "
                (count(found.n_positive)) " positive cells: a rate of " (fraction(found.rate)) " per cell, at most "
                (fraction(found.upper)) "."
                @if found.n_lots > 1 { " Between its lots the rate runs from " (fraction(found.range.0)) " to " (fraction(found.range.1)) "." }
            }
            p { "Limits are not lowered by what chance may have added." }
        },
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Positives beside what chance makes".into(),
            columns,
            rows: screen.rows.iter().map(one).collect(),
            links: vec![file("screen.csv"), file("process.csv")],
        }],
        method: "Control cells are pooled; a control unlike the product (other depth, other ambient RNA) says little."
            .into(),
    })
}

pub(super) fn positives(screen: &Screen) -> Section {
    let signature = &screen.signature;
    let mut columns = vec![
        column("Barcode", ""),
        column("Lot", ""),
        column("Counts", ""),
        column("Mito", "Mitochondrial percentage."),
        column("Excluded by", "Why quality control would take it away; empty if it passes."),
    ];
    columns.extend(signature.genes.iter().map(|gene| column(&gene.symbol, "Counts.")));
    let one = |cell: &PositiveCell| {
        let mut cells = vec![
            Cell::Word(cell.barcode.clone()),
            Cell::Word(cell.lot.clone()),
            number(count(u64::from(cell.n_counts))),
            number(fixed(f64::from(cell.pct_mito), 1)),
            Cell::Word(cell.excluded.clone()),
        ];
        cells.extend(cell.counts[..signature.genes.len()].iter().map(|n| number(n.to_string())));
        cells
    };
    let shown = screen.positives.iter().take(N_SHOWN).map(one).collect();
    let n = screen.positives.len();
    let finding: Markup = html! {
        @if n == 0 { p { "There are none." } }
        @else if n > N_SHOWN { p { "The first " (N_SHOWN) " of " (count(n as u64)) " are shown." } }
    };
    Section {
        id: "positives".into(),
        title: "Each positive cell".into(),
        question: "Which cells are they, and do they look like hazard cells?".into(),
        finding,
        figures: Vec::new(),
        tables: if n == 0 {
            Vec::new()
        } else {
            vec![Table { caption: "Positive cells".into(), columns, rows: shown, links: vec![file("positives.csv")] }]
        },
        method: String::new(),
    }
}

pub(super) fn needed(screen: &Screen) -> Section {
    let whole = |n: Option<u64>| n.map_or("–".to_string(), count);
    let one = |row: &NeededRow| {
        vec![
            number(row.n_lots.to_string()),
            number(count(row.n_positive)),
            number(whole(row.n_cells)),
            number(whole(row.n_cells_per_lot)),
            number(percent(row.chance_at_tenth, 0)),
            number(percent(row.share_of_lots_beyond, 1)),
        ]
    };
    let columns = vec![
        column("Lots", "Lots among which the cells are divided; 1: each lot is to show it by itself."),
        column("Positives allowed", "Positive cells that may be found in all."),
        column("Cells", "Cells to look at in all."),
        column("Cells per lot", ""),
        column("Chance at a tenth", "Chance to show it if the true fraction is a tenth of the limit."),
        column(
            "Lots beyond",
            "If each of so many lots shows it by itself: the largest share of lots that may still not.",
        ),
    ];
    let detection = screen.needed.first().map_or(f64::NAN, |row| row.detection_probability);
    Section {
        id: "needed".into(),
        title: "Cells needed".into(),
        question: format!("How many cells show that hazard cells are at most {} of all?", fraction(screen.params.limit)),
        finding: html! {
            p { "Reckoned with a detection probability of " (fixed(detection, 3)) " (the lowest over lots, at its lower limit; 1 if \
                 none is known)." }
        },
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Cells needed".into(),
            columns,
            rows: screen.needed.iter().map(one).collect(),
            links: vec![file("needed.csv")],
        }],
        method: "Lots may share the cells only if they hold hazard cells in one proportion. That is not known beforehand: a \
                 release limit is for each lot."
            .into(),
    }
}
