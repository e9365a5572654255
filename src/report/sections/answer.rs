//! The first screen: what was asked, what can be said, what cannot, and why.

use maud::{Markup, html};

use super::anchor;
use crate::math::power::{critical_r, power};
use crate::pipeline::{Analysis, Ranked};
use crate::report::plots::potency::best_first;
use crate::report::section::Section;
use crate::report::words;
use crate::steps::lots::{AssociationRow, Verdict};
use crate::warning::Warning;

/// Candidates named on the first screen.
const N_NAMED: usize = 8;
/// A true correlation that would matter in practice; its chance of being found is told.
const TYPICAL_RHO: f64 = 0.7;

pub(super) fn section(analysis: &Analysis, ranked: &[Ranked]) -> Section {
    let readouts: Vec<String> = ranked.iter().map(|r| r.association.readout.clone()).collect();
    let asked = if readouts.is_empty() {
        "Which kinds of cells do the lots consist of?".to_string()
    } else {
        format!("In which cluster does the share of cells go with {}?", words::list(&readouts))
    };
    let warnings = warnings(analysis, ranked);
    let finding = html! {
        (extent(analysis, warnings.len()))
        @if ranked.is_empty() {
            p { "No readout was asked about. " code { "cqa rank RUN --potency COLUMN" } " relates the clusters to one." }
        }
        @for one in ranked { (readout(analysis, one)) }
        (warning_list(&warnings))
    };
    Section {
        id: "answer".into(),
        title: "The answer".into(),
        question: asked,
        finding,
        figures: Vec::new(),
        tables: Vec::new(),
        method: String::new(),
    }
}

fn extent(analysis: &Analysis, n_warnings: usize) -> Markup {
    let n_kept: usize = analysis.qc.iter().map(|lot| lot.n_cells_kept).sum();
    let n_read: usize = analysis.qc.iter().map(|lot| lot.n_cells_read).sum();
    html! {
        dl.facts {
            div { dt { "Lots" } dd { (analysis.composition.lots.len()) } }
            div { dt { "Cells kept" } dd { (words::count(n_kept as u64)) small { " of " (words::count(n_read as u64)) } } }
            div { dt { "Genes" } dd { (words::count(analysis.genes.len() as u64)) } }
            div { dt { "Clusters" } dd { (analysis.clusters.len()) } }
            div { dt { "Warnings" } dd { @if n_warnings > 0 { a href="#warnings" { (n_warnings) } } @else { "0" } } }
        }
    }
}

fn readout(analysis: &Analysis, ranked: &Ranked) -> Markup {
    let association = &ranked.association;
    let rows = &association.rows;
    let order = best_first(rows);
    let with =
        |verdict: Verdict| order.iter().filter(move |&&k| ranked.verdicts[k].verdict == verdict).map(|&k| &rows[k]);
    let supported: Vec<&AssociationRow> = with(Verdict::Supported).collect();
    let suggestive: Vec<&AssociationRow> = with(Verdict::Suggestive).collect();
    let absent: Vec<&AssociationRow> = with(Verdict::NoAssociation).collect();
    let open: Vec<&AssociationRow> = with(Verdict::CannotConclude).collect();
    let n_lots = rows.first().map_or(0, |row| row.n_lots);
    html! {
        h3 { "Readout " span.name { (association.readout) } }
        p {
            "Asked: does the share of any of " (words::several(rows.len(), "cluster")) " go with "
            span.name { (association.readout) } " over " (words::several(n_lots, "lot")) "?"
        }
        div.verdicts {
            (verdict("supported", "Supported", &supported, |row| one_row(analysis, row, &association.readout)))
            (verdict("suggestive", "Suggestive", &suggestive, |row| one_row(analysis, row, &association.readout)))
            @if !absent.is_empty() {
                section.verdict.open {
                    h4 { "No association seen within ±" (analysis.params.verdict.delta) }
                    p { (open_clusters(&absent)) " An association stronger than that is excluded." }
                }
            }
            @if !open.is_empty() {
                section.verdict.open {
                    h4 { "Cannot be concluded" }
                    p { (open_clusters(&open)) " " (why(analysis, ranked, n_lots)) }
                }
            }
        }
        (leading(analysis, ranked))
    }
}

fn verdict(class: &str, title: &str, rows: &[&AssociationRow], sentence: impl Fn(&AssociationRow) -> Markup) -> Markup {
    html! {
        @if rows.is_empty() {
            section.verdict.none { h4 { (title) } p { "No cluster." } }
        } @else {
            section class={ "verdict " (class) } {
                h4 { (title) }
                @for row in rows { p { (sentence(row)) } }
            }
        }
    }
}

fn one_row(analysis: &Analysis, row: &AssociationRow, readout: &str) -> Markup {
    let level = analysis.params.association.level;
    let cluster = row.column.parse::<usize>().ok().and_then(|k| analysis.clusters.get(k));
    let direction = if row.r >= 0.0 { "higher" } else { "lower" };
    html! {
        strong { "Cluster " (row.column) } ": lots with a larger share of it have a " (direction) " "
        span.name { (readout) } " ("
        "r = " (words::fixed(row.r, 2)) ", " (words::percent(level, 0)) " interval "
        (words::fixed(row.ci_low, 2)) " to " (words::fixed(row.ci_high, 2)) "; family-wise "
        (words::p_equals(row.p_family)) ", alone " (words::p_equals(row.p_exact)) ")."
        @if row.loo_min.is_finite() && row.loo_max.is_finite() {
            " Without any one lot, r stays between " (words::fixed(row.loo_min, 2)) " and " (words::fixed(row.loo_max, 2)) "."
        }
        @if cluster.is_some_and(|c| c.proliferative) {
            " The cluster is proliferative: its share may follow culture conditions."
        }
    }
}

fn open_clusters(rows: &[&AssociationRow]) -> String {
    let names: Vec<String> = rows.iter().map(|row| row.column.clone()).collect();
    let largest = rows.iter().map(|row| row.r.abs()).filter(|r| r.is_finite()).fold(f64::NAN, f64::max);
    let smallest = rows.iter().map(|row| row.p_family).filter(|p| p.is_finite()).fold(f64::NAN, f64::min);
    let noun = if rows.len() == 1 { "Cluster" } else { "Clusters" };
    format!(
        "{noun} {} (largest |r| = {}, smallest family-wise {}).",
        words::list(&names),
        words::fixed(largest, 2),
        words::p_equals(smallest)
    )
}

/// What this number of lots can and cannot show.
fn why(analysis: &Analysis, ranked: &Ranked, n_lots: usize) -> String {
    let association = &ranked.association;
    let alpha = analysis.params.verdict.alpha;
    let n_clusters = association.rows.len().max(1);
    let corrected = alpha / n_clusters as f64;
    let mut out = "This does not show that there is no association.".to_string();
    let (alone, all) = (critical_r(n_lots, alpha), critical_r(n_lots, corrected));
    if alone.is_finite() && all.is_finite() {
        out += &format!(
            " With {}, |r| must exceed {} for p < {alpha} in one cluster looked at alone, and about {} when {} are looked at.",
            words::several(n_lots, "lot"),
            words::fixed(alone, 2),
            words::fixed(all, 2),
            words::several(n_clusters, "cluster"),
        );
    }
    let chance = power(n_lots, TYPICAL_RHO, corrected);
    if chance.is_finite() {
        let chance = words::percent(chance, 0);
        out += &format!(" A true correlation of {TYPICAL_RHO} would then be found with a chance of about {chance}.");
    }
    out += &format!(" The smallest p-value that these lots can reach is {}.", words::p_value(association.smallest_p));
    out
}

fn leading(analysis: &Analysis, ranked: &Ranked) -> Markup {
    let symbols = analysis.genes.symbols();
    let supported = ranked.verdicts.iter().any(|judged| judged.verdict == Verdict::Supported);
    let named: Vec<_> = ranked.candidates.iter().take(N_NAMED).collect();
    html! {
        @if !named.is_empty() {
            p {
                "Leading candidate genes: "
                @for (i, candidate) in named.iter().enumerate() {
                    @if i > 0 { ", " }
                    i { (symbols.get(candidate.gene as usize).map_or("", String::as_str)) }
                    " (cluster " (candidate.cluster) ")"
                }
                ". "
                a href={ "#" (anchor("candidates", &ranked.association.readout)) } { "All candidates" } ". "
                @if supported {
                    "A candidate is a gene to test next, by perturbation or in new lots: an association is not yet a cause."
                } @else {
                    "No association is supported, so these are leads at most."
                }
            }
        }
    }
}

/// Warnings of the run and of its rankings, each once.
fn warnings<'a>(analysis: &'a Analysis, ranked: &'a [Ranked]) -> Vec<&'a Warning> {
    let mut out: Vec<&Warning> = Vec::new();
    for warning in analysis.warnings.iter().chain(ranked.iter().flat_map(|r| &r.association.warnings)) {
        if !out.contains(&warning) {
            out.push(warning);
        }
    }
    out
}

fn warning_list(warnings: &[&Warning]) -> Markup {
    html! {
        @if warnings.is_empty() {
            p { "No warnings." }
        } @else {
            section.warnings id="warnings" aria-label="Warnings" {
                h3 { (words::several(warnings.len(), "warning")) " to weigh first" }
                ul { @for warning in warnings { li { (warning) } } }
            }
        }
    }
}
