//! Random walks on a weighted graph.

use rayon::prelude::*;

use super::graph::Graph;

/// Nodes per task.
const CHUNK: usize = 1024;

/// A walk that stays where it is with weight 1 and goes along each edge with the weight of the edge.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    graph: &'a Graph,
    /// 1 / (1 + sum of the edges' weights), per node.
    share: Vec<f64>,
}

impl<'a> Walk<'a> {
    /// The walk on this graph.
    pub fn new(graph: &'a Graph) -> Self {
        let share = (0..graph.n_nodes())
            .into_par_iter()
            .map(|node| 1.0 / (1.0 + graph.row(node).map(|(_, weight)| f64::from(weight)).sum::<f64>()))
            .collect();
        Self { graph, share }
    }

    /// Moves the mass that lies on each node (nodes × columns, row after row) by one step; each column keeps its sum, but for the
    /// rounding of each value to f32, in which many columns take half the room.
    ///
    /// ```
    /// use cqa::math::{graph::Graph, random_walk::Walk};
    /// // Two nodes joined by weight 3: a quarter stays, three quarters go.
    /// let graph = Graph { starts: vec![0, 1, 2], targets: vec![1, 0], weights: vec![3.0, 3.0] };
    /// assert_eq!(Walk::new(&graph).step(&[1.0, 0.0], 1), [0.25, 0.75]);
    /// ```
    pub fn step(&self, mass: &[f32], n_columns: usize) -> Vec<f32> {
        let n = self.graph.n_nodes();
        assert_eq!(mass.len(), n * n_columns, "nodes × columns");
        let mut moved = vec![0.0; mass.len()];
        if n_columns == 0 {
            return moved;
        }
        let sums = || vec![0.0_f64; n_columns];
        moved.par_chunks_mut(CHUNK * n_columns).enumerate().for_each_init(sums, |sums, (chunk, rows)| {
            for (i, row) in rows.chunks_exact_mut(n_columns).enumerate() {
                let node = chunk * CHUNK + i;
                sums.fill(0.0);
                let mut add = |from: usize, weight: f64| {
                    let weight = weight * self.share[from];
                    let source = &mass[from * n_columns..(from + 1) * n_columns];
                    sums.iter_mut().zip(source).for_each(|(sum, value)| *sum += weight * f64::from(*value));
                };
                add(node, 1.0);
                self.graph.row(node).for_each(|(other, weight)| add(other as usize, f64::from(weight)));
                row.iter_mut().zip(&*sums).for_each(|(value, sum)| *value = *sum as f32);
            }
        });
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path 0 - 1 - 2 of weights 1 and ½, and a node 3 alone.
    fn path() -> Graph {
        Graph { starts: vec![0, 1, 3, 4, 4], targets: vec![1, 0, 2, 1], weights: vec![1.0, 1.0, 0.5, 0.5] }
    }

    #[test]
    fn worked_numbers() {
        let graph = path();
        let walk = Walk::new(&graph);
        // Node 1 keeps 1 of 2.5, gives 1 of 2.5 to node 0 and ½ of 2.5 to node 2; node 3 keeps all.
        let moved = walk.step(&[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0], 2);
        let expected = [0.4, 0.0, 0.4, 0.0, 0.2, 0.0, 0.0, 1.0];
        assert!(moved.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-7), "{moved:?}");
    }

    #[test]
    fn mass_is_kept_and_spreads_in_proportion_to_degree_in_the_end() {
        let graph = path();
        let walk = Walk::new(&graph);
        let mut mass = vec![1.0, 0.0, 0.0, 0.0];
        for _ in 0..200 {
            mass = walk.step(&mass, 1);
            assert!((mass.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
        // Degrees with the loop of weight 1: 2, 2.5, 1.5.
        for (value, degree) in mass.iter().zip([2.0, 2.5, 1.5]) {
            assert!((value - degree / 6.0_f32).abs() < 1e-5, "{mass:?}");
        }
        assert_eq!(mass[3], 0.0);
    }

    #[test]
    fn nothing_to_move() {
        let graph = path();
        assert!(Walk::new(&graph).step(&[], 0).is_empty());
    }
}
