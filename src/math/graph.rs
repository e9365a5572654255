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
}
