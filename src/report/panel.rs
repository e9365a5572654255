//! The page of a panel.

use maud::{Markup, html};

use super::metrics::{self, Metric};
use super::plots::{self, PlotFile, gates};
use super::section::{Cell, Column, Figure, Section, Table};
use super::words::{self, fixed, p_value, percent};
use super::{page, paper, runs};
use crate::pipeline::{Analysis, PanelAnalysis, PanelGenes};
use crate::steps::markers::{HeldOut, PanelRow, Performance};

/// Rows shown.
const N_SHOWN: usize = 30;

const GATES: Metric = Metric {
    label: "Gates",
    unit: "",
    help: "high t: ln(1 + counts per 10,000) above t; low t: not above t. 0 asks whether the gene is seen at all.",
};
const PURITY: Metric = Metric {
    label: "Purity",
    unit: "%",
    help: "Share of the gated cells that are of the cluster, every lot weighing the same.",
};
const YIELD: Metric = Metric {
    label: "Yield",
    unit: "%",
    help: "Share of the cluster's cells that are gated, every lot weighing the same.",
};
const F1: Metric =
    Metric { label: "F1", unit: "", help: "Harmonic mean of purity and yield, on the lots it was chosen on." };
const F1_HELD_OUT: Metric =
    Metric { label: "F1, held out", unit: "", help: "The same on lots that were not used to choose." };
const PROVEN: Metric = Metric {
    label: "Proven",
    unit: "",
    help: "No other panel of as many of the genes searched has a larger F1, but for those above it.",
};
const R_SHARE: Metric = Metric {
    label: "r, cluster",
    unit: "",
    help: "Correlation of the gated share with the cluster's share, over lots.",
};
const R_POTENCY: Metric =
    Metric { label: "r, readout", unit: "", help: "Correlation of the gated share with the readout, over lots." };
const R_BULK: Metric = Metric {
    label: "r, amount",
    unit: "",
    help: "Correlation of the gene's amount in the whole lot (pseudobulk) with the cluster's share.",
};

/// Figures as files.
pub fn figures(_: &Analysis, panel: &PanelAnalysis) -> Vec<PlotFile> {
    vec![plots::files("gates".into(), &gates::figure(&panel.panels, panel.question.cluster))]
}

/// The page. `inputs`: files read, with their hashes.
pub fn html(analysis: &Analysis, panel: &PanelAnalysis, inputs: &[(String, String)]) -> String {
    let cluster = panel.question.cluster;
    let known =
        [("Seed", analysis.params.seed.to_string()), ("Genes allowed", panel.question.genes.name().to_string())];
    let sections =
        [answer(panel), gates_section(panel), held_out(analysis, panel), how(panel), paper::provenance(&known, inputs)];
    page::render(&format!("A gene panel for cluster {cluster}"), &sections)
}

fn file(name: &str) -> (String, String) {
    (name.into(), name.into())
}

fn answer(panel: &PanelAnalysis) -> Section {
    let finding = match panel.panels.rows.first() {
        None => {
            html! { p { "No gate divides the cells: no gene searched differs between the cluster and the other cells." } }
        }
        Some(_) if panel.question.genes == PanelGenes::Secreted => secreted(panel),
        Some(row) => best(panel, row),
    };
    let n_lots = panel.panels.rows.first().map_or(0, |row| row.without.len());
    let finding = html! {
        dl.facts {
            div { dt { "Panels" } dd { (panel.panels.rows.len()) } }
            div { dt { "Genes searched" } dd {
                (words::count(panel.panels.candidates.len() as u64))
                small { " of " (words::count(panel.panels.n_allowed as u64)) }
            } }
            div { dt { "Lots left out in turn" } dd { (n_lots) } }
            (paper::n_warnings(panel.warnings.len()))
        }
        div.verdicts { section.verdict.open { (finding) } }
        (paper::warnings(&panel.warnings))
    };
    let with_bulk = panel.lots.iter().any(|lots| !lots.r_bulk.is_nan());
    let with_readout = panel.readout.is_some();
    let mut columns: Vec<Column> =
        [&metrics::RANK, &GATES, &PURITY, &YIELD, &F1, &F1_HELD_OUT, &PROVEN, &R_SHARE].map(Column::from).to_vec();
    columns.extend(with_readout.then(|| Column::from(&R_POTENCY)));
    columns.extend(with_bulk.then(|| Column::from(&R_BULK)));
    columns.push(Column::from(&metrics::MEASURABLE));
    let rows = panel.panels.rows.iter().enumerate().take(N_SHOWN).map(|(i, row)| {
        let lots = &panel.lots[i];
        let mut cells = vec![
            Cell::Number((i + 1).to_string()),
            Cell::Runs(runs::panel(&row.panel)),
            Cell::Number(fixed(100.0 * row.fitted.purity, 1)),
            Cell::Number(fixed(100.0 * row.fitted.yield_, 1)),
            Cell::Number(fixed(row.fitted.f1, 3)),
            Cell::Number(fixed(row.held_out.f1, 3)),
            Cell::Word(if row.proven { "yes".into() } else { format!("≤ {}", fixed(row.bound, 3)) }),
            Cell::Number(fixed(lots.r_share, 2)),
        ];
        cells.extend(with_readout.then(|| Cell::Number(fixed(lots.r_potency, 2))));
        cells.extend(with_bulk.then(|| Cell::Number(fixed(lots.r_bulk, 2))));
        let measured: Vec<&str> = panel.measurability[i].iter().map(|gene| gene.name()).collect();
        cells.push(Cell::Text(measured.join("; ")));
        cells
    });
    let table = Table {
        caption: format!("Panels for cluster {}, best first", panel.question.cluster),
        columns,
        rows: rows.collect(),
        links: vec![file("panels.csv"), file("panel_shares.csv")],
    };
    Section {
        id: "answer".into(),
        title: "The panel".into(),
        question: format!("Which few genes find the cells of cluster {} without a sequencer?", panel.question.cluster),
        finding,
        figures: Vec::new(),
        tables: vec![table],
        method: format!(
            "Ranked by F1 less {} for each gene, so that a further gene must be worth it. A panel found here was measured as \
             transcripts; an antibody or a probe needs its own thresholds, and its own check against these cells.",
            panel.question.params.gene_cost
        ),
    }
}

fn performance(of: &Performance) -> String {
    format!("purity {}, yield {}, F1 {}", percent(of.purity, 1), percent(of.yield_, 1), fixed(of.f1, 3))
}

fn against(panel: &PanelAnalysis) -> Markup {
    let Some(readout) = &panel.readout else { return html! {} };
    let lots = &panel.lots[0];
    html! {
        p {
            "Over " (words::several(readout.n_lots, "lot")) " the gated share goes with " (readout.name) " by r = "
            (fixed(lots.r_potency, 2)) " (permutation p " (p_value(lots.p_potency)) "), the share of the whole cluster by r = "
            (fixed(readout.r_cluster, 2)) " (p " (p_value(readout.p_cluster)) "). These p-values take the cluster and the panel \
             as chosen beforehand, which they were not."
        }
    }
}

fn best(panel: &PanelAnalysis, row: &PanelRow) -> Markup {
    html! {
        h3 { (runs::html(&runs::panel(&row.panel))) }
        p {
            "On the lots it was chosen on: " (performance(&row.fitted)) ". "
            @if row.without.is_empty() {
                "With one lot nothing can be said of lots that were not used to choose."
            } @else {
                "On lots that were not used to choose: " strong { (performance(&row.held_out)) } " (F1 ± "
                (fixed(row.held_out_error, 3)) " over lots)."
            }
        }
        p {
            "Searched: " (words::count(panel.panels.candidates.len() as u64)) " of "
            (words::several(panel.panels.n_allowed, "gene")) ", those that separate the cluster best alone. "
            @if row.proven {
                "No other panel of " (words::several(row.genes.len(), "gene")) " of these has a larger F1 (proven)."
            } @else {
                "The search was ended before its time: a panel of these genes has an F1 of at most " (fixed(row.bound, 3)) "."
            }
        }
        (against(panel))
    }
}

fn secreted(panel: &PanelAnalysis) -> Markup {
    let (row, lots) = (&panel.panels.rows[0], &panel.lots[0]);
    html! {
        h3 { i { (row.panel.gates[0].gene) } " in the medium" }
        p {
            "Secreted products are measured in the medium of a whole lot, not on single cells: they are no gates, and can't be \
             joined. Genes are therefore ranked by how their amount in the lot (pseudobulk) goes with the share of the cluster: \
             r = " (fixed(lots.r_bulk, 2)) " for the first. Gates, purity, yield and F1 below are of the transcripts in single \
             cells, and say how much of the amount the cluster makes."
        }
        @if let Some(readout) = &panel.readout {
            p {
                "Its amount goes with " (readout.name) " by r = " (fixed(lots.r_bulk_potency, 2))
                "; the share of the whole cluster by r = " (fixed(readout.r_cluster, 2)) "."
            }
        }
    }
}

fn gates_section(panel: &PanelAnalysis) -> Section {
    let figure = Figure {
        scenes: gates::figures(&panel.panels, panel.question.cluster),
        flows: true,
        caption: "The gates of the first panel.".into(),
        reading: "One gene: share of the cells at each value, every lot weighing the same; “none” is not detected; the dashed \
                  line is the threshold, the tinted side passes. Two genes: the larger a mark the more cells, the more of the \
                  cluster's colour the more of them belong to it; the dashed rectangle is the gate."
            .into(),
        links: vec![
            file("gates.csv"),
            ("SVG".into(), "plots/gates.svg".into()),
            ("PNG".into(), "plots/gates.png".into()),
        ],
    };
    Section {
        id: "gates".into(),
        title: "The gates".into(),
        question: "How do the genes divide the cells?".into(),
        finding: html! {},
        figures: if figure.scenes.is_empty() { Vec::new() } else { vec![figure] },
        tables: Vec::new(),
        method: String::new(),
    }
}

fn held_out(analysis: &Analysis, panel: &PanelAnalysis) -> Section {
    let without = panel.panels.rows.first().map_or(&[][..], |row| &row.without);
    let plain = |label: &str, unit: &str| Column { label: label.into(), unit: unit.into(), help: String::new() };
    let row = |held: &HeldOut| {
        let n = &held.count;
        let of = Performance::of([n]);
        vec![
            Cell::Lot(held.lot, analysis.composition.lots[held.lot].clone()),
            Cell::Runs(runs::panel(&held.panel)),
            Cell::Number(words::count(n.n_cells)),
            Cell::Number(percent(n.n_cluster as f64 / n.n_cells as f64, 1)),
            Cell::Number(percent(n.n_gated as f64 / n.n_cells as f64, 1)),
            Cell::Number(fixed(100.0 * of.purity, 1)),
            Cell::Number(fixed(100.0 * of.yield_, 1)),
            Cell::Number(fixed(of.f1, 3)),
        ]
    };
    let table = Table {
        caption: "Each lot under the panel that was chosen without it".into(),
        columns: vec![
            Column::from(&metrics::LOT),
            Column::from(&GATES),
            Column::from(&metrics::N_CELLS),
            plain("Cluster", ""),
            plain("Gated", ""),
            Column::from(&PURITY),
            Column::from(&YIELD),
            Column::from(&F1),
        ],
        rows: without.iter().map(row).collect(),
        links: vec![file("held_out.csv")],
    };
    Section {
        id: "held-out".into(),
        title: "In lots it has not seen".into(),
        question: "Would the panel have been chosen, and how would it have done, had one lot come later?".into(),
        finding: html! {
            p {
                "For the best panel of each number of genes the whole choice (genes searched, genes, sides, thresholds) is made \
                 anew without each lot; for further panels the genes stay. The cluster itself was found on all lots."
            }
        },
        figures: Vec::new(),
        tables: if without.is_empty() { Vec::new() } else { vec![table] },
        method: String::new(),
    }
}

fn how(panel: &PanelAnalysis) -> Section {
    let params = &panel.question.params;
    let mut methods = paper::Methods::default();
    methods.say(format!(
        "Panels of up to {} that find the cells of cluster {} were searched with cqa {} among {} ({}): those whose best single \
         gate separates most, joined by AND, with thresholds at multiples of {} on ln(1 + counts per 10,000).",
        words::several(params.n_genes, "gene"),
        panel.question.cluster,
        env!("CARGO_PKG_VERSION"),
        words::several(panel.panels.candidates.len(), "gene"),
        panel.question.genes.name(),
        params.step
    ));
    methods.say(
        "With A the share of a lot's cells that are gated and of the cluster, G the share gated and S the share of the cluster, \
         each averaged over lots, purity is A / G, yield A / S and F1 2A / (G + S).",
    );
    methods.say("The panel of largest F1 was found, and proven to be so, by branch and bound (Land and Doig 1960).");
    methods.say(format!(
        "Panels were ranked by F1 less {} for each gene; genes, sides and thresholds were chosen anew without each lot, and \
         purity, yield and F1 counted in the lots left out (compare Aevermann 2021).",
        params.gene_cost
    ));
    methods.cite("Land AH, Doig AG. Econometrica 1960;28:497-520. doi:10.2307/1910129");
    methods
        .cite("Aevermann B, Zhang Y, Novotny M, et al. Genome Research 2021;31:1767-1780. doi:10.1101/gr.275569.121");
    methods.section()
}
