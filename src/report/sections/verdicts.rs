//! Verdicts in words, and what the lots at hand can show: the core of the first screen.

use maud::{Markup, html};

use super::association::several_readouts;
use crate::math::power::{critical_r, power};
use crate::pipeline::{Analysis, Ranked};
use crate::report::plots::potency::best_first;
use crate::report::words;
use crate::steps::lots::{Alternative, AssociationRow, Reason, Verdict};

/// A true correlation that would matter in practice; its chance of being found is told.
const TYPICAL_RHO: f64 = 0.7;

/// Power that a study is usually planned for.
const USUAL_POWER: f64 = 0.8;

/// Largest number of lots that is named as needed.
const MOST_LOTS: usize = 1_000;

/// One block per verdict, best first, with the reasons that kept clusters from more.
pub(super) fn blocks(analysis: &Analysis, ranked: &Ranked) -> Markup {
    let rows = &ranked.association.rows;
    let order = best_first(rows);
    let with = |verdict: Verdict| -> Vec<usize> {
        order.iter().copied().filter(|&k| ranked.verdicts[k].verdict == verdict).collect()
    };
    let (supported, suggestive) = (with(Verdict::Supported), with(Verdict::Suggestive));
    let (absent, open) = (with(Verdict::NoAssociation), with(Verdict::CannotConclude));
    // A cluster that stands out and yet can't be concluded is told by itself; the rest in one sentence.
    let alpha = analysis.params.verdict.alpha;
    let (striking, plain): (Vec<usize>, Vec<usize>) = open.iter().partition(|&&k| rows[k].p_exact <= alpha);
    html! {
        div.verdicts {
            (block("supported", "Supported", &supported, |k| sentence(analysis, ranked, k)))
            (block("suggestive", "Suggestive", &suggestive, |k| with_reasons(analysis, ranked, k)))
            @if !absent.is_empty() {
                section.verdict.open {
                    h4 { "No association seen within ±" (analysis.params.verdict.delta) }
                    p {
                        (names(rows, &absent)) ". An association as strong as |r| = " (analysis.params.verdict.delta)
                        " is excluded, also without any one lot."
                    }
                }
            }
            @if !open.is_empty() {
                section.verdict.open {
                    h4 { "Cannot be concluded" }
                    @for &k in &striking { p { (with_reasons(analysis, ranked, k)) } }
                    @if !plain.is_empty() {
                        p { (names(rows, &plain)) " (" (strongest(rows, &plain)) ")." }
                    }
                    p { "This does not show that there is no association: " (not_excluded(analysis, ranked, &open)) }
                }
            }
        }
    }
}

fn block(class: &str, title: &str, clusters: &[usize], sentence: impl Fn(usize) -> Markup) -> Markup {
    html! {
        @if clusters.is_empty() {
            section.verdict.none { h4 { (title) } p { "No cluster." } }
        } @else {
            section class={ "verdict " (class) } {
                h4 { (title) }
                @for &k in clusters { p { (sentence(k)) } }
            }
        }
    }
}

/// What goes with what, how strongly and how surely.
fn sentence(analysis: &Analysis, ranked: &Ranked, k: usize) -> Markup {
    let row = &ranked.association.rows[k];
    let level = ranked.asked.level;
    let cluster = row.column.parse::<usize>().ok().and_then(|k| analysis.clusters.get(k));
    let direction = if row.effect >= 0.0 { "higher" } else { "lower" };
    let letter = if row.ranks { "rank correlation ρ" } else { "r" };
    let again = ranked.stability.as_ref().and_then(|s| s.clusters.get(k));
    html! {
        strong { "Cluster " (row.column) } ": lots with a larger share of it have a " (direction) " "
        span.name { (ranked.association.readout) } " ("
        (letter) " = " (words::fixed(row.effect, 2)) ", " (words::percent(level, 0)) " interval "
        (words::fixed(row.ci_low, 2)) " to " (words::fixed(row.ci_high, 2)) "; family-wise "
        (words::p_equals(row.p_family))
        @if several_readouts(ranked) { ", over all readouts " (words::p_equals(row.p_family_all)) }
        ", alone " (words::p_equals(row.p_exact)) ")."
        @if row.loo_min.is_finite() && row.loo_max.is_finite() {
            " Without any one lot it stays between " (words::fixed(row.loo_min, 2)) " and " (words::fixed(row.loo_max, 2)) "."
        }
        @if let Some(again) = again {
            " With everything from the variable genes on repeated without each lot, the cluster is found again in "
            (again.n_found) " of " (again.n_runs) " runs"
            @if again.r_min.is_finite() {
                ", with a correlation from " (words::fixed(again.r_min, 2)) " to " (words::fixed(again.r_max, 2))
            }
            "."
        }
        @if cluster.is_some_and(|c| c.proliferative) {
            " The cluster is proliferative: its share may follow culture conditions."
        }
    }
}

fn with_reasons(analysis: &Analysis, ranked: &Ranked, k: usize) -> Markup {
    let why: Vec<String> = ranked.verdicts[k]
        .why
        .iter()
        .filter(|reason| !matches!(reason, Reason::NotExcluded { .. }))
        .map(|reason| words::with_minus_signs(&reason.to_string()))
        .collect();
    html! {
        (sentence(analysis, ranked, k))
        @if !why.is_empty() { " Not supported, because " (why.join("; ")) "." }
    }
}

fn names(rows: &[AssociationRow], clusters: &[usize]) -> String {
    let names: Vec<String> = clusters.iter().map(|&k| rows[k].column.clone()).collect();
    format!("{} {}", if names.len() == 1 { "Cluster" } else { "Clusters" }, words::list(&names))
}

fn strongest(rows: &[AssociationRow], clusters: &[usize]) -> String {
    let of =
        |value: fn(&AssociationRow) -> f64| clusters.iter().map(move |&k| value(&rows[k])).filter(|v| v.is_finite());
    let largest = of(|row| row.effect.abs()).fold(f64::NAN, f64::max);
    let smallest = of(|row| row.p_family).fold(f64::NAN, f64::min);
    if clusters.len() == 1 {
        return format!("|r| = {}, family-wise {}", words::fixed(largest, 2), words::p_equals(smallest));
    }
    format!("largest |r| = {}, smallest family-wise {}", words::fixed(largest, 2), words::p_equals(smallest))
}

/// How large an association may still be, the open cluster nearest to exclusion first.
fn not_excluded(analysis: &Analysis, ranked: &Ranked, open: &[usize]) -> String {
    let delta = analysis.params.verdict.delta;
    let reach = |k: usize| {
        ranked.verdicts[k].why.iter().find_map(|reason| match reason {
            Reason::NotExcluded { low, high, .. } => Some(low.abs().max(high.abs())),
            _ => None,
        })
    };
    let least = open.iter().filter_map(|&k| reach(k)).fold(f64::NAN, f64::min);
    if least.is_nan() {
        return format!("nothing below |r| = {delta} can be told from 0 here.");
    }
    let n_lots = ranked.association.rows.first().map_or(0, |row| row.n_units);
    format!(
        "with {}, true correlations up to {} or more remain possible in each of these clusters; |r| = {delta} would matter.",
        words::several(n_lots, "lot"),
        words::fixed(least, 2)
    )
}

/// What this number of lots can and cannot show.
pub(super) fn can_show(analysis: &Analysis, ranked: &Ranked) -> Markup {
    let association = &ranked.association;
    let (n_lots, n_units, n_free) =
        association.rows.first().map_or((0, 0, 0), |row| (row.n_lots, row.n_units, row.n_effective));
    let alpha = analysis.params.verdict.alpha;
    let n_clusters = association.rows.len().max(1);
    // A level of two-sided tests; of a one-sided one both tails count on the side asked about.
    let sides = if association.design.alternative == Alternative::TwoSided { 1.0 } else { 2.0 };
    let (level, corrected) = (sides * alpha, sides * alpha / n_clusters as f64);
    let (alone, all) = (critical_r(n_free, level), critical_r(n_free, corrected));
    let (found_alone, found) = (power(n_free, TYPICAL_RHO, level), power(n_free, TYPICAL_RHO, corrected));
    // Blocks and covariates take as many of a larger study.
    let taken = n_units.saturating_sub(n_free);
    let needed = (4..=MOST_LOTS).find(|&n| power(n, TYPICAL_RHO, corrected) >= USUAL_POWER).map(|n| n + taken);
    html! {
        h4 { "What " (words::several(n_lots, "lot")) " can show" }
        dl.facts {
            div {
                dt { "Lots with a value" }
                dd { (n_lots) @if n_units < n_lots { small { " of " (n_units) " " (association.design.unit) "s" } } }
            }
            div { dt { "Smallest attainable p" } dd { (words::p_value(association.smallest_p)) } }
            div { dt { "|r| needed, one cluster" } dd { (words::fixed(alone, 2)) small { " for p ≤ " (alpha) } } }
            div {
                dt { "|r| needed, " (words::several(n_clusters, "cluster")) }
                dd { (words::fixed(all, 2)) small { " for family-wise p ≤ " (alpha) } }
            }
            div {
                dt { "Chance to find a true r of " (TYPICAL_RHO) }
                dd { (words::percent(found, 0)) small { " (" (words::percent(found_alone, 0)) " if one cluster was named before)" } }
            }
        }
        p {
            "The |r| needed and the chances hold for normal values and Bonferroni's correction; the verdicts rest on permutations. "
            @if association.smallest_p > alpha {
                "No order of these values reaches p ≤ " (alpha) ", so nothing can be supported. "
            }
            @if let Some(needed) = needed && needed > n_units {
                "A chance of " (words::percent(USUAL_POWER, 0)) " would take about " (words::several(needed, "lot")) "; "
                code { "cqa plan" } " computes it for other designs."
            }
        }
    }
}
