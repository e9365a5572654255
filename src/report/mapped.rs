//! The report of mapped lots: which are in reference and why not, and where their cells lie beside those of the reference.

use maud::html;

use super::page;
use super::plots::umap;
use super::section::{Cell, Column, Figure, Section, Table};
use super::words::{MISSING, count, list, percent, significant};
use crate::pipeline::map::MappedLot;
use crate::pipeline::reference::Reference;
use crate::report::draw::Scene;

/// A lot's picture; `None` where the reference has no map, or none of the lot's cells could be measured.
pub fn picture(reference: &Reference, lot: &MappedLot) -> Option<Scene> {
    let measured = lot.measured.as_ref()?;
    let index = &reference.frame.index;
    let cells = (measured.umap.view(), &lot.assigned.cluster[..]);
    umap::beside_reference(&lot.placed.lot, index.umap.view(), cells.0, cells.1, reference.n_clusters())
}

/// The page, whole and offline. `files`: name of each lot's certificate (without `.html`) and of its picture.
pub fn html(reference: &Reference, lots: &[MappedLot], files: &[String]) -> String {
    page::render(
        "Are these lots of the reference\u{2019}s kind?",
        &[answer(reference, lots, files), cells(reference, lots, files)],
    )
}

fn answer(reference: &Reference, lots: &[MappedLot], files: &[String]) -> Section {
    let out: Vec<String> =
        lots.iter().filter(|lot| !lot.placed.in_reference).map(|lot| lot.placed.lot.clone()).collect();
    let column = |label: &str, help: &str| Column { label: label.into(), unit: String::new(), help: help.into() };
    let mut columns = vec![
        column("Lot", ""),
        column("Cells", "Cells that quality control kept."),
        column("Unassigned", "Share of them that is unlike every cluster of the reference."),
        column("In reference", "Nothing speaks against the lot."),
        column("Why not", ""),
    ];
    for model in &reference.potency {
        let of = &model.summary;
        let help =
            format!("Predicted from the share of cluster {}, with its {} interval.", of.cluster, percent(of.level, 0));
        columns.insert(4, column(&of.readout, &help));
    }
    let row = |lot: &MappedLot| {
        let placed = &lot.placed;
        let unassigned =
            if placed.share_unassigned.is_nan() { MISSING.into() } else { percent(placed.share_unassigned, 1) };
        let mut cells = vec![
            Cell::Text(placed.lot.clone()),
            Cell::Number(count(placed.n_cells as u64)),
            Cell::Number(unassigned),
            if placed.in_reference { Cell::Word("yes".into()) } else { Cell::Flag("NO".into()) },
            Cell::Text(placed.reasons_in_words()),
        ];
        for model in &reference.potency {
            let predicted = placed.predictions.iter().find(|p| p.readout == model.summary.readout);
            let words = predicted.map_or(MISSING.into(), |p| {
                let support = if p.supported { "" } else { ", without support" };
                format!(
                    "{} ({} to {}{support})",
                    significant(p.value, 4),
                    significant(p.low, 4),
                    significant(p.high, 4)
                )
            });
            cells.insert(4, Cell::Text(words));
        }
        cells
    };
    let certificate =
        |(lot, file): (&MappedLot, &String)| (lot.placed.lot.clone(), format!("certificates/{file}.html"));
    let links = lots.iter().zip(files).map(certificate).chain([("placed.csv".into(), "placed.csv".into())]);
    Section {
        id: "answer".into(),
        title: "The answer".into(),
        question: "Is each lot one of the kind that the reference was made of?".into(),
        finding: html! {
            p {
                (lots.len() - out.len()) " of " (lots.len()) " lots are in reference."
                @if !out.is_empty() { " Out of reference: " strong { (list(&out)) } "." }
            }
            p { "Reference SHA-256 " code { (reference.hash) } }
        },
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Lots, each with its certificate".into(),
            columns,
            rows: lots.iter().map(row).collect(),
            links: links.collect(),
        }],
        method: String::new(),
    }
}

fn cells(reference: &Reference, lots: &[MappedLot], files: &[String]) -> Section {
    let figure = |(lot, file): (&MappedLot, &String)| {
        picture(reference, lot).map(|scene| Figure {
            scenes: vec![scene],
            flows: false,
            caption: format!("Cells of {} beside the reference", lot.placed.lot),
            reading: String::new(),
            links: vec![
                ("picture".into(), format!("plots/{file}.svg")),
                ("cells.parquet".into(), "cells.parquet".into()),
            ],
        })
    };
    Section {
        id: "cells".into(),
        title: "Cells beside the reference".into(),
        question: "Where would these cells lie on the map of the reference?".into(),
        finding: html! {
            p {
                "Grey: cells of the reference. Colours: the lot\u{2019}s cells by cluster; nearly black ones are unassigned. A cell is \
                 drawn among its nearest neighbours of the reference, so that cells of any kind find a place here: look at the \
                 share of unassigned cells first. Nothing is computed from the picture."
            }
        },
        figures: lots.iter().zip(files).filter_map(figure).collect(),
        tables: Vec::new(),
        method: String::new(),
    }
}
