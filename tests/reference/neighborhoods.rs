//! Covarying neighbourhoods against the program of the method's authors, on the same graph and readouts.

use cqa::math::graph::Graph;
use cqa::steps::lots::{
    AssociationParams, NeighborhoodAssociation, Neighborhoods, NeighborhoodsParams, Observed, Units,
    neighborhood_association, neighborhoods,
};

use crate::common;

/// Random orders behind the p of the frozen results.
const THEIR_ORDERS: f64 = 20_000.0;

fn graph(name: &str, n: usize) -> Graph {
    let (_, edges) = common::rows(&common::fixture(&format!("neighborhoods/{name}_edges.csv.gz")));
    let mut rows: Vec<Vec<(u32, f32)>> = vec![Vec::new(); n];
    for edge in edges {
        let (a, b, weight): (u32, u32, f32) =
            (edge[0].parse().unwrap(), edge[1].parse().unwrap(), edge[2].parse().unwrap());
        rows[a as usize].push((b, weight));
        rows[b as usize].push((a, weight));
    }
    let mut graph = Graph { starts: vec![0], targets: Vec::new(), weights: Vec::new() };
    for mut row in rows {
        row.sort_unstable_by_key(|entry| entry.0);
        graph.targets.extend(row.iter().map(|entry| entry.0));
        graph.weights.extend(row.iter().map(|entry| entry.1));
        graph.starts.push(graph.targets.len());
    }
    graph
}

fn found(name: &str) -> Neighborhoods {
    let cells = common::fixture(&format!("neighborhoods/{name}_cells.csv.gz"));
    let lots: Vec<u32> = common::column(&cells, "lot").iter().map(|lot| lot.parse().unwrap()).collect();
    let n_lots = *lots.last().unwrap() as usize + 1;
    neighborhoods(&graph(name, lots.len()), &lots, n_lots, &NeighborhoodsParams::default()).unwrap()
}

/// The program has no quality control of neighbourhoods where no batches are given.
fn against(neighborhoods: &Neighborhoods, readout: &str, values: &[f64]) -> NeighborhoodAssociation {
    let params = NeighborhoodsParams { max_kurtosis: f64::INFINITY, ..Default::default() };
    let batches = vec![0; values.len()];
    let observed = Observed { name: readout, values, weights: None, ranks_only: false };
    let units = Units::free(&vec![String::new(); values.len()]);
    neighborhood_association(neighborhoods, observed, &units, &batches, &params, &AssociationParams::default(), 0)
        .unwrap()
}

fn agrees(name: &str, exact: bool) {
    let neighborhoods = found(name);
    let (_, results) = common::rows(&common::fixture(&format!("neighborhoods/{name}_results.csv.gz")));
    let mut n_compared = 0;
    for readout in ["potent", "both", "weak", "tied", "null"] {
        let theirs = |kind: &str| -> Vec<f64> {
            let row = results.iter().find(|row| row[0] == readout && row[1] == kind).unwrap();
            row[2].split(' ').map(|v| v.parse().unwrap()).collect()
        };
        let values = theirs("value");
        let ours = against(&neighborhoods, readout, &values);
        assert_eq!(ours.exact, exact);
        assert_eq!(ours.n_components as f64, theirs("k")[0], "{name}, {readout}");
        assert!(
            (ours.r_squared - theirs("r2")[0]).abs() < 1e-4,
            "{name}, {readout}: {} {}",
            ours.r_squared,
            theirs("r2")[0]
        );
        let p = theirs("p")[0];
        let our_orders = if exact { f64::INFINITY } else { ours.n_permutations as f64 };
        let error = (ours.p * (1.0 - ours.p) * (1.0 / THEIR_ORDERS + 1.0 / our_orders)).sqrt();
        assert!((ours.p - p).abs() < 4.0 * error + 1.0 / THEIR_ORDERS, "{name}, {readout}: {} {p}", ours.p);
        // They try a hundred limits between a quarter of the largest |r| and the largest.
        let (ours_from, theirs_from) = (ours.threshold, theirs("threshold")[0]);
        assert_eq!(ours_from.is_nan(), theirs_from.is_nan(), "{name}, {readout}: {ours_from} {theirs_from}");
        assert!(
            ours_from.is_nan() || (ours_from - theirs_from).abs() < 0.05,
            "{name}, {readout}: {ours_from} {theirs_from}"
        );
        let cells = common::numbers(&common::fixture(&format!("neighborhoods/{name}_cells.csv.gz")), readout);
        for (ours, theirs) in ours.correlation.iter().zip(&cells) {
            // Theirs is over n of columns scaled by n − 1.
            let theirs = theirs * values.len() as f64 / (values.len() - 1) as f64;
            assert!((f64::from(*ours) - theirs).abs() < 1e-3, "{name}, {readout}: {ours} {theirs}");
            n_compared += 1;
        }
    }
    assert!(n_compared > 3000);
}

#[test]
fn eleven_lots_with_all_orders_agree() {
    agrees("eleven_lots", true);
}

#[test]
fn thirty_lots_with_random_orders_agree() {
    agrees("thirty_lots", false);
}
