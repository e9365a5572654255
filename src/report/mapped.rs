//! The report of mapped lots: which are in reference and why not, and where their cells lie beside those of the reference.

use maud::{Markup, html};

use super::plots::{composition, mapped_lot, umap};
use super::section::{Cell, Column, Figure, Section, Table};
use super::words::{MISSING, count, fixed, list, percent, several, significant};
use super::{page, paper};
use crate::pipeline::map::MappedLot;
use crate::pipeline::reference::Reference;
use crate::report::draw::{Scene, color};
use crate::steps::process::{Limited, Placed};
use crate::warning::Warning;

/// A lot's picture; `None` where the reference has no map, or none of the lot's cells could be measured.
pub fn picture(reference: &Reference, lot: &MappedLot) -> Option<Scene> {
    let measured = lot.measured.as_ref()?;
    let index = &reference.frame.index;
    let cells = (measured.umap.view(), &lot.assigned.cluster[..]);
    umap::beside_reference(&lot.placed.lot, index.umap.view(), cells.0, cells.1, reference.n_clusters())
}

/// Most lots whose cells are drawn on the page; all have a picture of their own.
const MOST_DRAWN: usize = 60;

/// The page, whole and offline. `files`: name of each lot's certificate (without `.html`) and of its picture. `inputs`: files read,
/// with their hashes.
pub fn html(
    reference: &Reference,
    lots: &[MappedLot],
    files: &[String],
    warnings: &[Warning],
    inputs: &[(String, String)],
) -> String {
    let known = [("Reference SHA-256", reference.hash.clone()), ("Seed", reference.params.seed.to_string())];
    page::render(
        "Are these lots of the reference\u{2019}s kind?",
        &[
            answer(reference, lots, files, warnings),
            shares(reference, lots),
            measures(lots),
            cells(reference, lots, files),
            methods(reference, lots),
            paper::provenance(&known, inputs),
        ],
    )
}

fn column(label: &str, help: &str) -> Column {
    Column { label: label.into(), unit: String::new(), help: help.into() }
}

fn file(name: &str) -> (String, String) {
    (name.into(), name.into())
}

fn answer(reference: &Reference, lots: &[MappedLot], files: &[String], warnings: &[Warning]) -> Section {
    let mut columns = vec![
        column("Lot", "Leads to its certificate."),
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
    let row = |(lot, file): (&MappedLot, &String)| {
        let placed = &lot.placed;
        let mut cells = vec![
            Cell::Link(placed.lot.clone(), format!("certificates/{file}.html")),
            Cell::Number(count(placed.n_cells as u64)),
            Cell::Number(percent(placed.share_unassigned, 1)),
            if placed.in_reference { Cell::Word("yes".into()) } else { Cell::Flag("NO".into()) },
            Cell::Text(placed.reasons_in_words()),
        ];
        for model in &reference.potency {
            cells.insert(4, Cell::Word(predicted(placed, &model.summary.readout)));
        }
        cells
    };
    Section {
        id: "answer".into(),
        title: "The answer".into(),
        question: "Is each lot one of the kind that the reference was made of?".into(),
        finding: html! {
            dl.facts {
                div { dt { "Lots" } dd { (lots.len()) } }
                div { dt { "Cells kept" } dd { (count(lots.iter().map(|lot| lot.placed.n_cells as u64).sum())) } }
                div { dt { "Lots of the reference" } dd { (reference.sheet.lots.len()) } }
                div { dt { "Clusters" } dd { (reference.n_clusters()) } }
                (paper::n_warnings(warnings.len()))
            }
            (verdicts(lots))
            (paper::warnings(warnings))
        },
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Lots, each with its certificate".into(),
            columns,
            rows: lots.iter().zip(files).map(row).collect(),
            links: vec![file("placed.csv")],
        }],
        method: String::new(),
    }
}

/// Which lots are in reference, which are not.
fn verdicts(lots: &[MappedLot]) -> Markup {
    let names = |wanted: bool| -> Vec<String> {
        lots.iter().filter(|lot| lot.placed.in_reference == wanted).map(|lot| lot.placed.lot.clone()).collect()
    };
    let (within, out) = (names(true), names(false));
    html! {
        div.verdicts {
            @if !out.is_empty() {
                section.verdict.refused {
                    h3 { (several(out.len(), "lot")) " out of reference" }
                    p { (list(&out)) ". The reasons stand below. Such a lot gets no predicted potency, and its shares mean little." }
                }
            }
            @if !within.is_empty() {
                section.verdict.supported {
                    h3 { (several(within.len(), "lot")) " in reference" }
                    p { (list(&within)) ". Nothing that was measured speaks against them; an assay is not replaced." }
                }
            }
        }
    }
}

fn predicted(placed: &Placed, readout: &str) -> String {
    let Some(p) = placed.predictions.iter().find(|p| p.readout == readout) else { return MISSING.into() };
    let support = if p.supported { "" } else { ", without support" };
    format!("{} ({} to {}{support})", significant(p.value, 4), significant(p.low, 4), significant(p.high, 4))
}

fn shares(reference: &Reference, lots: &[MappedLot]) -> Section {
    let names: Vec<String> = lots.iter().map(|lot| lot.placed.lot.clone()).collect();
    let totals: Vec<u64> = lots.iter().map(|lot| lot.placed.n_cells as u64).collect();
    let n_clusters = reference.n_clusters();
    let kinds: Vec<(String, [u8; 3])> = (0..n_clusters)
        .map(|k| (k.to_string(), color::cluster(k)))
        .chain([("unassigned".to_string(), umap::UNASSIGNED)])
        .collect();
    let n_cells = |lot: usize, kind: usize| {
        let placed = &lots[lot].placed;
        if kind == n_clusters {
            placed.n_unassigned as u64
        } else {
            placed.composition.get(kind).map_or(0, |s| s.n_cells)
        }
    };
    Section {
        id: "composition".into(),
        title: "Composition of the lots".into(),
        question: "Which share of each lot\u{2019}s cells lies in each cluster of the reference?".into(),
        finding: html! {
            p { "Each certificate shows the lot\u{2019}s shares with their intervals beside those of the reference lots." }
        },
        figures: vec![Figure {
            scenes: vec![composition::bars(&names, &totals, &kinds, n_cells)],
            flows: false,
            caption: "Shares of the clusters in each lot; the number of cells stands at the right.".into(),
            reading:
                "Compare pieces of one colour from bar to bar. The last piece, in the colour of the words, is of cells that no cluster took."
                    .into(),
            links: vec![file("composition.csv")],
        }],
        tables: Vec::new(),
        method: String::new(),
    }
}

fn measures(lots: &[MappedLot]) -> Section {
    type Measure = (&'static str, &'static str, fn(&Placed) -> Limited, usize, bool);
    let all: [Measure; 5] = [
        (
            "Jensen\u{2013}Shannon",
            "Distance of the shares from those of the reference: 0 alike, 1 no cluster in common.",
            |p| p.jensen_shannon,
            3,
            true,
        ),
        (
            "Aitchison",
            "The same for ratios of shares, so that rare clusters count as much as common ones.",
            |p| p.aitchison,
            2,
            true,
        ),
        (
            "Energy",
            "Distance between the lot\u{2019}s cells and those of the reference in component space.",
            |p| p.energy,
            3,
            true,
        ),
        ("Counts", "Median counts of a cell before quality control.", |p| p.counts, 0, false),
        ("Mitochondrial", "Median percentage of a cell before quality control.", |p| p.pct_mito, 1, true),
    ];
    let columns = all.iter().map(|(label, help, of, decimals, upper)| {
        let limit = lots.iter().map(|lot| of(&lot.placed).limit).find(|limit| limit.is_finite());
        let unit = match limit {
            Some(limit) => format!("{} {}", if *upper { "\u{2264}" } else { "\u{2265}" }, fixed(limit, *decimals)),
            None => "no limit".into(),
        };
        Column { label: (*label).into(), unit, help: (*help).into() }
    });
    let row = |lot: &MappedLot| {
        let mut cells = vec![Cell::Text(lot.placed.lot.clone())];
        cells.extend(all.iter().map(|(_, _, of, decimals, upper)| {
            let at = of(&lot.placed);
            let beyond = if *upper { at.is_above() } else { at.is_below() };
            let text = fixed(at.value, *decimals);
            if beyond { Cell::Flag(format!("{text} beyond")) } else { Cell::Number(text) }
        }));
        cells
    };
    Section {
        id: "measures".into(),
        title: "Measures and limits".into(),
        question: "How far does each lot lie from the reference, and how far may it?".into(),
        finding: html! { p { "Limits were locked with the reference; they stand below the names of the measures." } },
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Each lot against the limits of the reference".into(),
            columns: std::iter::once(column("Lot", "")).chain(columns).collect(),
            rows: lots.iter().map(row).collect(),
            links: vec![file("placed.csv"), file("qc.csv")],
        }],
        method: String::new(),
    }
}

fn cells(reference: &Reference, lots: &[MappedLot], files: &[String]) -> Section {
    let scene = |lot: &MappedLot| {
        let measured = lot.measured.as_ref()?;
        let umap = (reference.frame.index.umap.view(), measured.umap.view());
        mapped_lot::figure(&lot.placed, umap.0, umap.1, &lot.assigned.cluster, reference.n_clusters())
    };
    let pictures = lots.iter().zip(files).filter(|(lot, _)| lot.measured.is_some());
    let mut links = vec![file("cells.parquet")];
    links.extend(pictures.map(|(lot, file)| (lot.placed.lot.clone(), format!("plots/{file}.svg"))));
    let scenes: Vec<Scene> = lots.iter().filter_map(scene).take(MOST_DRAWN).collect();
    let figure = Figure {
        scenes,
        flows: true,
        caption: "Cells of each lot on the ground that the reference\u{2019}s cells cover (grey).".into(),
        reading: "Colours are clusters; dots in the colour of the words are unassigned cells. A cell is drawn among its nearest neighbours of the \
                  reference, so that cells of any kind find a place here: look at the share of unassigned cells first. The links lead \
                  to a large picture of each lot."
            .into(),
        links,
    };
    Section {
        id: "cells".into(),
        title: "Cells beside the reference".into(),
        question: "Where would these cells lie on the map of the reference?".into(),
        finding: html! {
            p { "The map is for the eye only; nothing is computed from it." }
            @if lots.len() > MOST_DRAWN { p { "The first " (MOST_DRAWN) " lots are shown; the others have their pictures in " code { "plots/" } "." } }
        },
        figures: if figure.scenes.is_empty() { Vec::new() } else { vec![figure] },
        tables: Vec::new(),
        method: String::new(),
    }
}

fn methods(reference: &Reference, lots: &[MappedLot]) -> Section {
    let params = &reference.params.mapping;
    let mut methods = paper::Methods::default();
    methods.say(format!(
        "{} were placed one by one with cqa {} on a locked reference of {} (SHA-256 {}).",
        several(lots.len(), "lot"),
        env!("CARGO_PKG_VERSION"),
        several(reference.sheet.lots.len(), "lot"),
        reference.hash
    ));
    methods.say(format!(
        "Cells were projected on the locked components, corrected towards the locked soft clusters (Kang 2021) and named by the \
         votes of their {} nearest neighbours among the reference\u{2019}s cells.",
        params.n_neighbors
    ));
    methods.cite(
        "Kang JB, Nathan A, Weinand K, et al. Nature Communications 2021;12:5890. doi:10.1038/s41467-021-25957-x",
    );
    methods.say(format!(
        "A cell beyond the limit of its cluster in distance, displacement or misfit of its counts is unassigned; limits are those \
         that hold {} of the cells of a further reference lot (Whitmore 1986).",
        percent(1.0 - params.tail, 1)
    ));
    methods.cite("Whitmore GA. The American Statistician 1986;40:141-143. doi:10.1080/00031305.1986.10475361");
    methods.say(format!(
        "A lot is out of reference with fewer than {} of the variable genes, fewer than {} cells, more than {} of them unassigned, \
         or a distance beyond what the reference lots show when each is left out.",
        percent(params.min_genes_found, 0),
        params.min_cells,
        percent(params.max_unassigned, 0)
    ));
    methods.say("Intervals of shares are Jeffreys intervals (Brown, Cai and DasGupta 2001).");
    methods.cite("Brown LD, Cai TT, DasGupta A. Statistical Science 2001;16:101-133. doi:10.1214/ss/1009213286");
    if !reference.potency.is_empty() {
        methods.say(format!(
            "Readouts of lots in reference were predicted by a line on the share of one cluster, with {} intervals from the errors \
             of reference lots predicted without themselves (Allen 1974).",
            percent(params.level, 0)
        ));
        methods.cite("Allen DM. Technometrics 1974;16:125-127. doi:10.1080/00401706.1974.10489157");
    }
    methods.section()
}
