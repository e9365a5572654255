use super::*;
use proptest::prelude::*;

/// A symmetric graph of these edges; repeated ones and loops are left out.
fn graph(n: usize, edges: &[(u32, u32, f32)]) -> Graph {
    let mut rows = vec![std::collections::BTreeMap::new(); n];
    for &(a, b, w) in edges.iter().filter(|e| e.0 != e.1) {
        rows[a as usize].insert(b, w);
        rows[b as usize].insert(a, w);
    }
    let mut out = Graph { starts: vec![0], targets: vec![], weights: vec![] };
    for row in rows {
        out.targets.extend(row.keys());
        out.weights.extend(row.values());
        out.starts.push(out.targets.len());
    }
    out
}

/// Pieces of communities that are in pieces, named in the order of their first node.
fn pieces(graph: &Graph, labels: &[u32]) -> Vec<u32> {
    let strength = strengths(graph);
    let level = Level { starts: &graph.starts, targets: &graph.targets, weights: &graph.weights, strength: &strength };
    by_first_item(&split_unconnected(&level, labels)).0
}

/// Eight rings of six nodes, joined in a ring.
fn rings() -> Graph {
    let mut edges = Vec::new();
    for ring in 0..8 {
        let node = |i: u32| ring * 6 + i % 6;
        edges.extend((0..6).map(|i| (node(i), node(i + 1), 1.0)));
        edges.push((node(0), (node(0) + 9) % 48, 0.5));
    }
    graph(48, &edges)
}

#[test]
fn rings_are_found_whole() {
    let found = leiden(&rings(), None, 1.0, 10, 3);
    assert!(found.converged);
    let expected: Vec<u32> = (0..48).map(|i| i / 6).collect();
    assert_eq!(found.labels, expected);
}

#[test]
fn resolution_makes_communities_smaller() {
    let count = |resolution| leiden(&rings(), None, resolution, 10, 3).labels.iter().max().unwrap() + 1;
    assert!(count(0.1) < count(1.0));
    assert!(count(1.0) < count(6.0));
    assert_eq!(count(1e6), 48);
}

#[test]
fn one_seed_gives_one_result_and_a_start_is_kept_to() {
    let graph = rings();
    let first = leiden(&graph, None, 1.0, 10, 7);
    assert_eq!(first, leiden(&graph, None, 1.0, 10, 7));
    let again = leiden(&graph, Some(&first.labels), 1.0, 10, 8);
    assert_eq!(again.labels, first.labels);
}

#[test]
fn scale_of_weights_does_not_matter() {
    let small = rings();
    let mut large = small.clone();
    large.weights.iter_mut().for_each(|w| *w *= 1024.0);
    assert_eq!(leiden(&small, None, 1.0, 10, 5).labels, leiden(&large, None, 1.0, 10, 5).labels);
}

#[test]
fn degenerate_graphs_are_survived() {
    assert_eq!(leiden(&graph(0, &[]), None, 1.0, 10, 1).labels, Vec::<u32>::new());
    assert_eq!(leiden(&graph(1, &[]), None, 1.0, 10, 1).labels, [0]);
    assert_eq!(leiden(&graph(3, &[]), None, 1.0, 10, 1).labels, [0, 1, 2]);
    assert_eq!(leiden(&graph(3, &[(0, 2, 1.0)]), None, 1.0, 10, 1).labels, [0, 1, 0]);
}

#[test]
fn a_coarse_graph_has_the_same_communities() {
    let graph = rings();
    let coarse = Coarse::new(&graph, 8.0, 1);
    assert!(coarse.graph.level().n_nodes() < 48);
    assert_eq!(coarse.leiden(1.0, 3, 1), leiden(&graph, None, 1.0, 10, 1).labels);
    let loose = Graph { starts: vec![0, 0, 0], targets: vec![], weights: vec![] };
    assert_eq!(Coarse::new(&loose, 8.0, 1).leiden(1.0, 3, 1), [0, 1]);
}

#[test]
fn pieces_of_a_community_are_split() {
    let graph = graph(4, &[(0, 1, 1.0), (2, 3, 1.0)]);
    assert_eq!(pieces(&graph, &[0, 0, 0, 0]), [0, 0, 1, 1]);
}

proptest! {
    #[test]
    fn communities_are_connected_and_no_node_gains_by_leaving(
        edges in prop::collection::vec((0_u32..60, 0_u32..60, 0.1_f32..2.0), 30..200),
        resolution in 0.2_f64..3.0,
        seed in 0_u64..1000,
    ) {
        let graph = graph(60, &edges);
        let found = leiden(&graph, None, resolution, 20, seed);
        prop_assert_eq!(&pieces(&graph, &found.labels), &found.labels);
        let reached = modularity(&graph, &found.labels, resolution);
        prop_assert_eq!(reached, found.quality);
        // Converged: no single move to the community of a neighbour or out of the own one raises the modularity.
        for v in 0..60 {
            let mut names: Vec<u32> = graph.row(v).map(|(u, _)| found.labels[u as usize]).collect();
            names.push(60);
            for name in names {
                let mut moved = found.labels.clone();
                moved[v] = name;
                prop_assert!(modularity(&graph, &moved, resolution) <= reached + 1e-8);
            }
        }
    }
}
