//! Graphs of the levels: the original one and the ever smaller ones of parts.

/// A graph of one level: rows of (target, weight) without loops, and the strength of each node, loops included.
pub(super) struct Level<'a, W> {
    pub(super) starts: &'a [usize],
    pub(super) targets: &'a [u32],
    pub(super) weights: &'a [W],
    pub(super) strength: &'a [f64],
}

impl<W: Copy + Into<f64>> Level<'_, W> {
    pub(super) fn n_nodes(&self) -> usize {
        self.strength.len()
    }

    pub(super) fn row(&self, node: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.starts[node]..self.starts[node + 1];
        self.targets[range.clone()].iter().zip(&self.weights[range]).map(|(&t, &w)| (t as usize, w.into()))
    }

    /// Modularity but for the weight of the loops, which is the same for all partitions.
    pub(super) fn modularity_without_loops(&self, labels: &[u32], resolution: f64) -> f64 {
        let (mut inside, mut sums) = (0.0, vec![0.0; self.n_nodes()]);
        for (v, &label) in labels.iter().enumerate() {
            sums[label as usize] += self.strength[v];
            inside += self.row(v).filter(|&(u, _)| labels[u] == label).map(|(_, w)| w).sum::<f64>();
        }
        let total: f64 = sums.iter().sum();
        if total == 0.0 {
            return 0.0;
        }
        inside / total - resolution * sums.iter().map(|k| (k / total).powi(2)).sum::<f64>()
    }
}

/// The graph of the parts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregate {
    starts: Vec<usize>,
    targets: Vec<u32>,
    weights: Vec<f64>,
    strength: Vec<f64>,
}

impl Aggregate {
    pub(super) fn level(&self) -> Level<'_, f64> {
        Level { starts: &self.starts, targets: &self.targets, weights: &self.weights, strength: &self.strength }
    }
}

/// Sums of the weights from one node to each group; cleared in the time it took to fill.
pub(super) struct Tally {
    pub(super) weight: Vec<f64>,
    pub(super) groups: Vec<u32>,
}

impl Tally {
    pub(super) fn new(n_groups: usize) -> Self {
        Self { weight: vec![0.0; n_groups], groups: Vec::new() }
    }

    #[inline]
    pub(super) fn add(&mut self, group: u32, weight: f64) {
        let sum = &mut self.weight[group as usize];
        if *sum == 0.0 {
            self.groups.push(group);
        }
        *sum += weight;
    }

    pub(super) fn clear(&mut self) {
        for &group in &self.groups {
            self.weight[group as usize] = 0.0;
        }
        self.groups.clear();
    }
}

/// The graph whose nodes are the parts (0..`sizes.len()`).
pub(super) fn aggregate<W: Copy + Into<f64>>(level: &Level<'_, W>, parts: &[u32], sizes: &[usize]) -> Aggregate {
    let n_parts = sizes.len();
    let mut place = Vec::with_capacity(n_parts);
    let mut end = 0;
    for size in sizes {
        place.push(end);
        end += size;
    }
    let mut members = vec![0_u32; end];
    for (v, &p) in parts.iter().enumerate() {
        members[place[p as usize]] = v as u32;
        place[p as usize] += 1;
    }
    let mut out =
        Aggregate { starts: vec![0], targets: Vec::new(), weights: Vec::new(), strength: Vec::with_capacity(n_parts) };
    let mut tally = Tally::new(n_parts);
    let mut first = 0;
    for (p, &size) in sizes.iter().enumerate() {
        let mut strength = 0.0;
        for &v in &members[first..first + size] {
            strength += level.strength[v as usize];
            for (u, w) in level.row(v as usize) {
                if parts[u] as usize != p {
                    tally.add(parts[u], w);
                }
            }
        }
        first += size;
        out.targets.extend(&tally.groups);
        out.weights.extend(tally.groups.iter().map(|&q| tally.weight[q as usize]));
        out.starts.push(out.targets.len());
        out.strength.push(strength);
        tally.clear();
    }
    out
}
