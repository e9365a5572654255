//! The fuzzy simplicial set of UMAP: neighbour distances turned into memberships (McInnes 2018, section 3.1).

use rayon::prelude::*;

use super::graph::Graph;
use super::snn::Holders;

/// Steps towards the bandwidth.
const MAX_STEPS: usize = 64;
/// The sum of memberships is met to within this.
const TOLERANCE: f64 = 1e-5;
/// The bandwidth is at least this share of the mean distance, so that it survives many equal distances.
const MIN_BANDWIDTH: f64 = 1e-3;

/// Memberships joined over both directions by the probabilistic sum a + b − ab; entries of weight 0 are left out.
///
/// `neighbors` and `distances` are nodes × k, nearest first, without the node itself. For each node the nearest non-zero
/// distance ρ has membership 1 and further ones exp(−(d − ρ)/σ), with σ such that they sum to log₂(k + 1): the node
/// itself counts as one of the neighbours, as in the paper.
pub fn fuzzy_graph(neighbors: &[u32], distances: &[f32], k: usize) -> Graph {
    assert!(k > 0 && neighbors.len().is_multiple_of(k), "nodes × k neighbours");
    assert_eq!(neighbors.len(), distances.len(), "one distance per neighbour");
    let n = neighbors.len() / k;
    let mean_distance = distances.iter().map(|&d| f64::from(d)).sum::<f64>() / (n * (k + 1)) as f64;
    let memberships: Vec<f64> =
        distances.par_chunks_exact(k).flat_map_iter(|row| row_memberships(row, mean_distance)).collect();

    let holders = Holders::new(neighbors, k);
    let rows: Vec<Vec<(u32, f32)>> = (0..n)
        .into_par_iter()
        .map(|node| {
            let own = |from: usize| {
                let range = from * k..(from + 1) * k;
                neighbors[range.clone()].iter().copied().zip(memberships[range].iter().copied())
            };
            let mut row: Vec<(u32, f64)> = own(node).collect();
            for &holder in holders.of(node as u32) {
                let back = own(holder as usize).find(|(other, _)| *other == node as u32);
                row.extend(back.map(|(_, weight)| (holder, weight)));
            }
            row.sort_unstable_by_key(|entry| entry.0);
            row.dedup_by(|second, first| {
                let same = second.0 == first.0;
                if same {
                    // Written so that it is the same number from both ends.
                    let (low, high) = (first.1.min(second.1), first.1.max(second.1));
                    first.1 = low + high - low * high;
                }
                same
            });
            row.into_iter().map(|(other, weight)| (other, weight as f32)).filter(|entry| entry.1 > 0.0).collect()
        })
        .collect();

    let mut graph = Graph { starts: vec![0], targets: Vec::new(), weights: Vec::new() };
    for row in rows {
        graph.targets.extend(row.iter().map(|entry| entry.0));
        graph.weights.extend(row.iter().map(|entry| entry.1));
        graph.starts.push(graph.targets.len());
    }
    // An entry below the smallest f32 vanishes from both ends, since both hold the same number.
    graph
}

/// Memberships of the neighbours of one node.
fn row_memberships(distances: &[f32], mean_distance: f64) -> Vec<f64> {
    let distances: Vec<f64> = distances.iter().map(|&d| f64::from(d)).collect();
    let nearest = distances.iter().copied().find(|&d| d > 0.0).unwrap_or(0.0);
    let target = ((distances.len() + 1) as f64).log2();
    // Newton's steps, kept inside the interval known to hold the root; the sum rises with the bandwidth.
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut bandwidth = (distances.iter().sum::<f64>() / distances.len() as f64 - nearest).max(f64::MIN_POSITIVE);
    for _ in 0..MAX_STEPS {
        let (mut sum, mut slope) = (0.0, 0.0);
        for &d in &distances {
            let over = (d - nearest).max(0.0) / bandwidth;
            let weight = (-over).exp();
            sum += weight;
            slope += weight * over / bandwidth;
        }
        let excess = sum - target;
        if excess.abs() < TOLERANCE {
            break;
        }
        if excess > 0.0 {
            high = bandwidth;
        } else {
            low = bandwidth;
        }
        let newton = bandwidth - excess / slope;
        bandwidth = if newton > low && newton < high {
            newton
        } else if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * bandwidth
        };
    }
    let own_mean = distances.iter().sum::<f64>() / (distances.len() + 1) as f64;
    let scale = if nearest > 0.0 { own_mean } else { mean_distance };
    bandwidth = bandwidth.max(MIN_BANDWIDTH * scale);
    distances.iter().map(|&d| if d > nearest { (-(d - nearest) / bandwidth).exp() } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memberships_sum_to_the_logarithm_of_the_neighbourhood() {
        let row = row_memberships(&[1.0, 1.5, 2.0, 2.0, 3.5, 4.0, 6.0], 2.5);
        assert_eq!(row[0], 1.0);
        assert!((row.iter().sum::<f64>() - 3.0).abs() < 1e-4, "log2(7 + 1) = 3");
        assert!(row.windows(2).all(|w| w[0] >= w[1]));
    }

    #[test]
    fn equal_and_zero_distances_give_finite_weights() {
        assert_eq!(row_memberships(&[2.0, 2.0, 2.0], 2.0), [1.0; 3]);
        assert_eq!(row_memberships(&[0.0, 0.0, 0.0], 0.0), [1.0; 3]);
        assert!(row_memberships(&[0.0, 1.0, 2.0], 1.0).iter().all(|w| w.is_finite()));
    }

    #[test]
    fn directions_are_joined_by_the_probabilistic_sum() {
        // Node 2 names 0 and 1, which name each other first and 2 second.
        let (neighbors, distances) = ([1, 2, 0, 2, 1, 0], [1.0, 2.0, 1.0, 1.8, 1.8, 2.0]);
        let graph = fuzzy_graph(&neighbors, &distances, 2);
        let (a, b) = (row_memberships(&[1.0, 2.0], 1.0)[1], row_memberships(&[1.8, 2.0], 1.0)[1]);
        assert_eq!(graph.row(0).map(|e| e.0).collect::<Vec<_>>(), [1, 2]);
        assert!((f64::from(graph.row(0).nth(1).unwrap().1) - (a + b - a * b)).abs() < 1e-6);
        assert_eq!(graph.row(2).next().unwrap().1, graph.row(0).nth(1).unwrap().1);
    }
}
