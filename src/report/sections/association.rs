//! Share of each cluster against a readout.

use maud::html;

use super::{anchor, plot_files, rank_file};
use crate::pipeline::{Analysis, Ranked};
use crate::report::metrics;
use crate::report::plots::potency;
use crate::report::section::{Cell, Column, Figure, Section, Table};
use crate::report::words::{self, fixed, p_value};

/// Width of the key beside panels that flow.
const KEY_WIDTH: f64 = 940.0;

pub(super) fn section(analysis: &Analysis, ranked: &Ranked) -> Section {
    let association = &ranked.association;
    let n_lots = association.rows.first().map_or(0, |row| row.n_lots);
    let mut links = vec![rank_file(&association.readout, "associations.csv")];
    links.push(("composition.csv".into(), "composition.csv".into()));
    links.extend(plot_files(&potency::name(&association.readout)));
    let mut figures = vec![Figure {
        scenes: potency::panels(analysis, ranked),
        flows: true,
        caption: format!(
            "Share of each cluster against {}, best first. Each mark is a lot, with the interval of its share.",
            association.readout
        ),
        reading:
            "If lots with a larger share lie higher (or lower) all along the line, the cluster goes with the readout. \
                  Look whether one lot alone makes the slope. The line is solid where the association is supported, \
                  dashed elsewhere; p is family-wise."
                .into(),
        links,
    }];
    if let Some(key) = potency::key(analysis, KEY_WIDTH) {
        figures.push(Figure {
            scenes: vec![key],
            flows: false,
            caption: "Key to the numbers of the lots.".into(),
            reading: String::new(),
            links: Vec::new(),
        });
    }
    let orders = words::count(association.n_permutations);
    let method = if association.exact {
        let what = if association.design.covariates.is_empty() {
            "so p is exact"
        } else {
            "so p depends on no chance; with covariates, whose residuals are permuted (Freedman and Lane), it is exact in \
             large studies and nearly so in small ones"
        };
        format!("All {orders} orders of the readout that differ were looked at, {what}.")
    } else {
        format!("{orders} random orders of the readout were looked at, the given one included.")
    };
    Section {
        id: anchor("association", &association.readout),
        title: format!("Share against {}", association.readout),
        question: format!("Which clusters go with {}, and how sure is it?", association.readout),
        finding: html! {
            p {
                (words::several(n_lots, "lot")) " have a value. The lot is the unit: ten thousand cells of one lot are one \
                 observation."
            }
            p { (design(ranked)) }
        },
        figures,
        tables: [table(ranked), reasons(ranked)].into_iter().chain(groups(ranked)).collect(),
        method: format!(
            "{method} The family-wise p compares each |r| with the largest of all clusters in each order, step by step \
             (Westfall and Young 1993).{}",
            if several_readouts(ranked) {
                " Several readouts were ranked: p over all readouts compares it with the largest of all clusters and readouts, \
                 and the verdicts use that."
            } else {
                ""
            }
        ),
    }
}

fn reasons(ranked: &Ranked) -> Table {
    let rows = potency::best_first(&ranked.association.rows).into_iter().map(|k| {
        let judged = &ranked.verdicts[k];
        vec![
            Cell::Cluster(k),
            Cell::Word(judged.verdict.words().into()),
            Cell::Text(words::with_minus_signs(&judged.words())),
        ]
    });
    Table {
        caption: "Verdicts, and what kept each cluster from more".into(),
        columns: [&metrics::CLUSTER, &metrics::VERDICT, &metrics::WHY].map(Column::from).to_vec(),
        rows: rows.collect(),
        links: vec![rank_file(&ranked.association.readout, "associations.csv")],
    }
}

/// What was compared, how many orders are admissible, and the smallest p that these can give.
fn design(ranked: &Ranked) -> String {
    let association = &ranked.association;
    let n_orders = association.design.n_orders;
    // Beyond 2⁵³ a count is no longer a whole number here.
    let orders = if n_orders < 9e15 { words::count(n_orders as u64) } else { format!("{n_orders:.1e}") };
    format!(
        "{} {orders} orders are admissible; the smallest p they can give is {}.",
        association.design.words(),
        words::p_value(association.smallest_p)
    )
}

/// The two groups of a readout of two values.
fn groups(ranked: &Ranked) -> Option<Table> {
    let found = ranked.groups.as_ref()?;
    let [low, high] = &found.groups;
    let [n_low, n_high] = found.n;
    let test = if found.paired { "signed ranks of pairs (Wilcoxon)" } else { "ranks (Mann and Whitney)" };
    let column =
        |label: &str, unit: &str, help: &str| Column { label: label.into(), unit: unit.into(), help: help.into() };
    let order = potency::best_first(&ranked.association.rows);
    Some(Table {
        caption: format!("Share of each cluster in {low} (n = {n_low}) and {high} (n = {n_high}), compared by {test}"),
        columns: vec![
            Column::from(&metrics::CLUSTER),
            column(low, "mean", "Mean of the shares in this group."),
            column(high, "mean", "Mean of the shares in this group."),
            column("Difference", "", "Second group less first; within pairs, the mean of their differences."),
            column("Rank-biserial", "", "How much oftener the second group is higher than lower, −1 to 1."),
            column("p, ranks", "", "Exact: the share of admissible orders of the groups that are as extreme."),
            column("p, family-wise", "", "The same, allowing for having looked at every cluster (max-T, step-down)."),
            column("p, normal", "", "By the normal curve, corrected for ties and continuity."),
        ],
        rows: order
            .into_iter()
            .map(|k| {
                let row = &found.rows[k];
                vec![
                    Cell::Cluster(k),
                    Cell::Number(fixed(row.mean_low, 3)),
                    Cell::Number(fixed(row.mean_high, 3)),
                    Cell::Number(fixed(row.difference, 3)),
                    Cell::Number(fixed(row.test.rank_biserial, 2)),
                    Cell::Number(p_value(row.p_rank)),
                    Cell::Number(p_value(row.p_rank_family)),
                    Cell::Number(p_value(row.test.p_normal)),
                ]
            })
            .collect(),
        links: vec![rank_file(&ranked.association.readout, "groups.csv")],
    })
}

/// Whether other readouts were ranked beside this one.
pub(super) fn several_readouts(ranked: &Ranked) -> bool {
    ranked.association.rows.iter().any(|row| row.p_family_all != row.p_family)
}

fn table(ranked: &Ranked) -> Table {
    let rows = &ranked.association.rows;
    let range = |low: f64, high: f64| format!("{} to {}", fixed(low, 2), fixed(high, 2));
    let several = several_readouts(ranked);
    // The correlation that is tested first, the other one beside it.
    let (tested, other) =
        if rows.iter().any(|row| row.ranks) { (&metrics::RHO, &metrics::R) } else { (&metrics::R, &metrics::RHO) };
    let mut columns = vec![&metrics::CLUSTER, tested, &metrics::R_INTERVAL, &metrics::P_FAMILY];
    columns.extend(several.then_some(&metrics::P_FAMILY_ALL));
    columns.extend([&metrics::P_EXACT, &metrics::Q, other, &metrics::LOO, &metrics::INFLUENTIAL, &metrics::VERDICT]);
    Table {
        caption: format!("Association of each cluster with {}, best first", ranked.association.readout),
        columns: columns.into_iter().map(Column::from).collect(),
        rows: potency::best_first(rows)
            .into_iter()
            .map(|k| {
                let row = &rows[k];
                let mut cells = vec![
                    Cell::Cluster(k),
                    Cell::Number(fixed(row.effect, 2)),
                    Cell::Number(range(row.ci_low, row.ci_high)),
                    Cell::Number(p_value(row.p_family)),
                ];
                cells.extend(several.then(|| Cell::Number(p_value(row.p_family_all))));
                cells.extend([
                    Cell::Number(p_value(row.p_exact)),
                    Cell::Number(p_value(row.q)),
                    Cell::Number(fixed(if row.ranks { row.r } else { row.rho }, 2)),
                    Cell::Number(range(row.loo_min, row.loo_max)),
                    Cell::Text(row.most_influential.clone()),
                    Cell::Word(ranked.verdicts[k].verdict.words().into()),
                ]);
                cells
            })
            .collect(),
        links: vec![
            rank_file(&ranked.association.readout, "associations.csv"),
            rank_file(&ranked.association.readout, "influence.csv"),
        ],
    }
}
