//! How far each lot lies from the others.

use maud::html;

use super::{file, plot_files};
use crate::pipeline::Analysis;
use crate::report::metrics;
use crate::report::plots;
use crate::report::section::{Cell, Column, Figure, Section, Table};
use crate::report::words::{self, fixed};
use crate::steps::lots::{DeviationRow, Distance};

pub(super) fn section(analysis: &Analysis) -> Section {
    let params = &analysis.params.deviation;
    let outlying: Vec<String> = analysis.deviation.iter().filter(|r| r.outlying).map(|r| r.lot.clone()).collect();
    let n_present = analysis.deviation.iter().filter(|r| r.jensen_shannon.rank > 0).count();
    let finding = if n_present < params.min_lots {
        format!(
            "With {}, no lot is called outlying: the spread of so few is too uncertain.",
            words::several(n_present, "lot")
        )
    } else if outlying.is_empty() {
        "No lot lies beyond its limits.".to_string()
    } else {
        let verb = if outlying.len() == 1 { "lies" } else { "lie" };
        format!("{} {verb} beyond a limit. Look at composition and quality there.", words::list(&outlying))
    };
    let number = |distance: &Distance| {
        vec![
            Cell::Number(fixed(distance.value, 3)),
            Cell::Number(fixed(distance.limit, 3)),
            Cell::Number(fixed(distance.z, 1)),
        ]
    };
    let row = |(lot, row): (usize, &DeviationRow)| {
        let mut cells = vec![Cell::Lot(lot, row.lot.clone())];
        cells.extend(number(&row.jensen_shannon));
        cells.extend(number(&row.aitchison));
        cells.extend(number(&row.energy));
        cells.push(Cell::Number(if row.energy_error > 0.0 {
            format!("± {}", fixed(row.energy_error, 3))
        } else {
            "exact".into()
        }));
        cells.push(Cell::Flag(if row.outlying { "outlying".into() } else { String::new() }));
        cells
    };
    let mut columns: Vec<Column> = vec![(&metrics::LOT).into()];
    for distance in [&metrics::JENSEN_SHANNON, &metrics::AITCHISON, &metrics::ENERGY] {
        columns.extend([distance, &metrics::LIMIT, &metrics::ROBUST_Z].map(Column::from));
    }
    columns.extend([&metrics::ENERGY_ERROR, &metrics::NOTE].map(Column::from));
    let mut links = vec![file("deviation.csv")];
    links.extend(plot_files("deviation"));
    Section {
        id: "deviation".into(),
        title: "Lots unlike the others".into(),
        question: "Does any lot differ from the others in composition, or in the cells themselves?".into(),
        finding: html! { p { (finding) } },
        figures: vec![Figure {
            scenes: vec![plots::deviation::figure(analysis)],
            flows: false,
            caption: "Distance of each lot from the other lots, each of which counts once.".into(),
            reading: "The stroke is the limit from the other lots' distances; a lot beyond it is unlike them.".into(),
            links,
        }],
        tables: vec![Table {
            caption: "Distances of each lot from the others".into(),
            columns,
            rows: analysis.deviation.iter().enumerate().map(row).collect(),
            links: vec![file("deviation.csv")],
        }],
        method: format!(
            "Each lot is held against the mean of the others. Its limit lies {} scaled median absolute deviations above the \
             median of the logarithm of the other lots' distances.",
            params.n_mads
        ),
    }
}
