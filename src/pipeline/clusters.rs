//! What a run says of its clusters beside the cells in them.

use super::{Analysis, ClusterSummary};
use crate::data::Dataset;
use crate::steps::cells::{LotQc, Normalized};
use crate::steps::lots::{Composition, Judgement, Verdict};
use crate::steps::markers::{Effects, EffectsParams, wilcoxon_of};
use crate::warning::{FewLots, Proliferative, ShallowLots, Warning};

/// A cluster is called proliferative when more than this share of its cells cycles.
const PROLIFERATIVE_SHARE: f64 = 0.5;

/// A cluster comes from few lots when its effective number of lots is below this share of the lots.
const FEW_LOTS_SHARE: f64 = 0.3;

/// A lot is shallow when its median cell has fewer counts: with 8,500 the road merges populations of simulated MSC that it
/// tells apart with 28,000 (the guide's benchmarks).
const SHALLOW_COUNTS: f64 = 10_000.0;

pub(super) fn summaries(
    labels: &[u32],
    n_clusters: usize,
    cycling: &[bool],
    composition: &Composition,
) -> Vec<ClusterSummary> {
    let mut n_cells = vec![0_usize; n_clusters];
    let mut n_cycling = vec![0_usize; n_clusters];
    for (&cluster, &cycling) in labels.iter().zip(cycling) {
        n_cells[cluster as usize] += 1;
        n_cycling[cluster as usize] += usize::from(cycling);
    }
    (0..n_clusters)
        .map(|k| {
            let share_cycling = n_cycling[k] as f64 / n_cells[k].max(1) as f64;
            ClusterSummary {
                n_cells: n_cells[k],
                effective_lots: composition.effective_lots[k],
                share_cycling,
                proliferative: share_cycling > PROLIFERATIVE_SHARE,
            }
        })
        .collect()
}

pub(super) fn warnings(clusters: &[ClusterSummary], lots: &[LotQc]) -> Vec<Warning> {
    let n_lots = lots.len();
    let shallow: Vec<&LotQc> =
        lots.iter().filter(|lot| lot.n_cells_kept > 0 && lot.median_counts < SHALLOW_COUNTS).collect();
    let shallow = (!shallow.is_empty()).then(|| {
        Warning::ShallowLots(ShallowLots {
            lots: shallow.iter().map(|lot| lot.lot.clone()).collect(),
            n_lots,
            lowest: shallow.iter().map(|lot| lot.median_counts).fold(f64::INFINITY, f64::min),
            limit: SHALLOW_COUNTS,
        })
    });
    let few = |c: &ClusterSummary| n_lots > 1 && c.effective_lots < FEW_LOTS_SHARE * n_lots as f64;
    let few =
        clusters.iter().enumerate().filter(|(_, c)| few(c)).map(|(cluster, c)| {
            Warning::ClusterOfFewLots(FewLots { cluster, effective_lots: c.effective_lots, n_lots })
        });
    shallow.into_iter().chain(few).collect()
}

/// Clusters that seem to matter and proliferate.
pub(super) fn potent_and_proliferative(analysis: &Analysis, verdicts: &[Judgement]) -> Vec<Warning> {
    let matters = |judgement: &Judgement| matches!(judgement.verdict, Verdict::Supported | Verdict::Suggestive);
    let both = analysis.clusters.iter().zip(verdicts).enumerate();
    both.filter(|(_, (cluster, judgement))| cluster.proliferative && matters(judgement))
        .map(|(cluster, (summary, _))| {
            Warning::ProliferativeCluster(Proliferative { cluster, share_cycling: summary.share_cycling })
        })
        .collect()
}

/// Pooled Wilcoxon scores of the markers of each cluster, in the order of [`Effects::top`].
pub(super) fn marker_scores(
    dataset: &Dataset,
    normalized: &Normalized,
    labels: &[u32],
    effects: &Effects,
    params: &EffectsParams,
) -> Vec<Vec<f32>> {
    let markers: Vec<Vec<u32>> = (0..effects.n_lots.len()).map(|cluster| effects.top(cluster, params)).collect();
    let mut genes = markers.concat();
    genes.sort_unstable();
    genes.dedup();
    let scores = wilcoxon_of(dataset, normalized, labels, markers.len(), &genes, true).score;
    let place = |gene: &u32| genes.binary_search(gene).expect("every marker is among the genes");
    let of_cluster =
        |(cluster, markers): (usize, &Vec<u32>)| markers.iter().map(|g| scores[[cluster, place(g)]] as f32).collect();
    markers.iter().enumerate().map(of_cluster).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(name: &str, n_cells_kept: usize, median_counts: f64) -> LotQc {
        LotQc {
            lot: name.into(),
            n_cells_read: n_cells_kept,
            n_cells_kept,
            n_doublets: 0,
            median_counts,
            median_genes: 1000.0,
            median_pct_mito: 3.0,
            limit_counts: 1.0,
            limit_genes: 1.0,
            limit_pct_mito: 10.0,
        }
    }

    #[test]
    fn lots_of_few_counts_are_told_once_and_empty_ones_not_at_all() {
        let lots = [lot("a", 500, 28_000.0), lot("b", 400, 6_000.0), lot("c", 0, f64::NAN), lot("d", 300, 9_000.0)];
        let found = warnings(&[], &lots);
        let [Warning::ShallowLots(shallow)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((shallow.lots.as_slice(), shallow.n_lots), (&["b".to_string(), "d".into()][..], 4));
        assert_eq!(shallow.lowest, 6_000.0);
        assert_eq!(warnings(&[], &lots[..1]), []);
    }
}
