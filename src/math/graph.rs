//! An undirected weighted graph.

/// Symmetric CSR adjacency without self-loops: each edge is stored in both rows, columns rising within a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Start of each row; nodes + 1 entries.
    pub starts: Vec<usize>,
    /// Neighbour of each entry.
    pub targets: Vec<u32>,
    /// Weight of each entry, > 0.
    pub weights: Vec<f32>,
}

impl Graph {
    /// Number of nodes.
    pub fn n_nodes(&self) -> usize {
        self.starts.len() - 1
    }

    /// (neighbour, weight) of a node.
    pub fn row(&self, node: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let range = self.starts[node]..self.starts[node + 1];
        self.targets[range.clone()].iter().copied().zip(self.weights[range].iter().copied())
    }

    /// The graph of these nodes (rising) and the edges between them; node i of the result is `nodes[i]`.
    pub fn subgraph(&self, nodes: &[u32]) -> Self {
        const LEFT_OUT: u32 = u32::MAX;
        let mut name = vec![LEFT_OUT; self.n_nodes()];
        for (new, &old) in nodes.iter().enumerate() {
            name[old as usize] = new as u32;
        }
        let mut out = Self { starts: vec![0], targets: Vec::new(), weights: Vec::new() };
        for &node in nodes {
            for (target, weight) in self.row(node as usize).filter(|e| name[e.0 as usize] != LEFT_OUT) {
                out.targets.push(name[target as usize]);
                out.weights.push(weight);
            }
            out.starts.push(out.targets.len());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subgraph_keeps_the_edges_between_its_nodes() {
        // A path 0 - 1 - 2 - 3.
        let path = Graph {
            starts: vec![0, 1, 3, 5, 6],
            targets: vec![1, 0, 2, 1, 3, 2],
            weights: vec![0.1, 0.1, 0.2, 0.2, 0.3, 0.3],
        };
        let expected = Graph { starts: vec![0, 0, 1, 2], targets: vec![2, 1], weights: vec![0.3, 0.3] };
        assert_eq!(path.subgraph(&[0, 2, 3]), expected);
    }
}
