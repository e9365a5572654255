//! What a run found, in a screenful.

use cqa::pipeline::{Analysis, Ranked};

use super::words::{p_value, thousands};

/// Clusters and candidates shown: with all that is said around them they fit a screen of 24 lines.
const N_SHOWN: usize = 5;

/// Cells and clusters.
pub fn clusters(analysis: &Analysis) {
    let read: usize = analysis.qc.iter().map(|lot| lot.n_cells_read).sum();
    println!(
        "{} lots, {} of {} cells kept, {} clusters",
        analysis.sheet.lots.len(),
        thousands(analysis.cells.cluster.len() as u64),
        thousands(read as u64),
        analysis.clusters.len()
    );
}

/// Associations and candidates of one readout.
pub fn ranking(analysis: &Analysis, ranked: &Ranked) {
    let association = &ranked.association;
    println!();
    println!("Share of each cluster against {}", association.readout);
    let design = association.design.words();
    println!("{}", wrapped(&format!("{design} Smallest p that can be reached: {}.", p_value(association.smallest_p))));
    let tested = if association.rows.iter().any(|row| row.ranks) { "rho" } else { "r" };
    println!(
        "{:>7}  {:>4}  {tested:>6}  {:>14}  {:>8}  {:>8}  verdict",
        "cluster", "n", "95 % interval", "p", "p family"
    );
    let mut order: Vec<usize> = (0..association.rows.len()).collect();
    order.sort_by(|&a, &b| association.rows[b].effect.abs().total_cmp(&association.rows[a].effect.abs()));
    for &i in order.iter().take(N_SHOWN) {
        let row = &association.rows[i];
        println!(
            "{:>7}  {:>4}  {:>6.2}  {:>6.2} to {:>4.2}  {:>8}  {:>8}  {}",
            row.column,
            row.n_units,
            row.effect,
            row.ci_low,
            row.ci_high,
            p_value(row.p_exact),
            p_value(row.p_family),
            ranked.verdicts[i].verdict.words()
        );
    }
    if order.len() > N_SHOWN {
        println!("  … and {} more in associations.csv", order.len() - N_SHOWN);
    }
    if association.rows.iter().any(|row| row.p_family_all != row.p_family) {
        println!("Several readouts were ranked; verdicts allow for all of them (p_family_all).");
    }
    if let Some(groups) = &ranked.groups {
        let [low, high] = &groups.groups;
        println!();
        println!("Mean share in {low} (n = {}) and {high} (n = {}), p of ranks", groups.n[0], groups.n[1]);
        for &i in order.iter().take(N_SHOWN) {
            let row = &groups.rows[i];
            println!(
                "{:>7}  {:>6.3}  {:>6.3}  {:>8}  {:>8}",
                row.column,
                row.mean_low,
                row.mean_high,
                p_value(row.p_rank),
                p_value(row.p_rank_family)
            );
        }
    }
    println!();
    println!(
        "{:>4}  {:<16} {:>7}  {:>6}  {:>11}  {:>10}  {:>8}",
        "rank", "candidate gene", "cluster", "score", "specificity", "lots up", "p family"
    );
    for (rank, candidate) in ranked.candidates.iter().take(N_SHOWN).enumerate() {
        println!(
            "{:>4}  {:<16} {:>7}  {:>6.3}  {:>11.3}  {:>10}  {:>8}",
            rank + 1,
            analysis.genes.symbols()[candidate.gene as usize],
            candidate.cluster,
            candidate.score,
            candidate.specificity,
            format!("{} of {}", candidate.n_lots_up, candidate.n_lots),
            p_value(candidate.p_family)
        );
    }
}

/// Text broken between words into lines of at most 80 letters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() > 80 {
            lines.push(word.into());
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n")
}
