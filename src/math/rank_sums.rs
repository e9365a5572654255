//! Rank sums of groups over one column that is mostly zero, for the Mann–Whitney statistic of every group at once.

/// A non-zero of a column: value in the upper half, group in the lower, so that keys sort by value.
///
/// The bits of positive floats rise with their value.
#[inline]
pub fn key(value: f32, group: u32) -> u64 {
    debug_assert!(value > 0.0, "only non-zeros have a key");
    u64::from(value.to_bits()) << 32 | u64::from(group)
}

/// What [`RankSums::compute_sorted`] finds, per group; buffers are kept from column to column.
#[derive(Debug, Clone, PartialEq)]
pub struct RankSums {
    /// Twice the sum of ranks over all items of the group, zeros included; ranks from 1, ties averaged. Exact.
    pub doubled: Vec<u64>,
    /// Non-zeros.
    pub n_nonzero: Vec<u64>,
    /// Sum of values.
    pub sum: Vec<f64>,
    /// Σ t³ − t over all runs of t equal values, zeros included.
    pub ties: f64,
}

impl RankSums {
    /// Empty buffers for so many groups.
    pub fn new(n_groups: usize) -> Self {
        Self { doubled: vec![0; n_groups], n_nonzero: vec![0; n_groups], sum: vec![0.0; n_groups], ties: 0.0 }
    }

    /// Ranks one column, given its sorted non-zeros and the size of each group. The lower half of a non-zero is an item that
    /// `group_of` puts into a group: many partitions of the items share one sort.
    pub fn compute_sorted(&mut self, nonzeros: &[u64], group_sizes: &[u64], group_of: impl Fn(u32) -> u32) {
        assert_eq!(group_sizes.len(), self.doubled.len(), "one size per group");
        debug_assert!(nonzeros.is_sorted(), "non-zeros in order");
        self.doubled.fill(0);
        self.n_nonzero.fill(0);
        self.sum.fill(0.0);
        let n_zero = group_sizes.iter().sum::<u64>() - nonzeros.len() as u64;
        self.ties = cubed_less_itself(n_zero);
        let mut start = 0;
        while start < nonzeros.len() {
            let bits = nonzeros[start] >> 32;
            let mut end = start + 1;
            while end < nonzeros.len() && nonzeros[end] >> 32 == bits {
                end += 1;
            }
            // Ranks n_zero + start + 1 to n_zero + end.
            let doubled_rank = 2 * n_zero + (start + 1 + end) as u64;
            let value = f64::from(f32::from_bits(bits as u32));
            for &key in &nonzeros[start..end] {
                let group = group_of(key as u32) as usize;
                self.doubled[group] += doubled_rank;
                self.n_nonzero[group] += 1;
                self.sum[group] += value;
            }
            if end - start > 1 {
                self.ties += cubed_less_itself((end - start) as u64);
            }
            start = end;
        }
        // Zeros share the ranks 1 to n_zero.
        for ((doubled, &size), &n_nonzero) in self.doubled.iter_mut().zip(group_sizes).zip(&self.n_nonzero) {
            *doubled += (size - n_nonzero) * (n_zero + 1);
        }
    }

    /// Area under the ROC curve of a group against all others: the chance that an item of the group is larger, ties
    /// counted half. NaN if the group or the others are empty.
    pub fn auc(&self, group: usize, size: u64, n: u64) -> f64 {
        (self.doubled[group] - size * (size + 1)) as f64 / (2 * size * (n - size)) as f64
    }
}

fn cubed_less_itself(t: u64) -> f64 {
    let t = t as f64;
    t * t * t - t
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chance by counting all pairs.
    fn slow_auc(values: &[f32], groups: &[u32], group: u32) -> f64 {
        let (mut wins, mut pairs) = (0.0, 0.0);
        for (a, _) in values.iter().zip(groups).filter(|(_, g)| **g == group) {
            for (b, _) in values.iter().zip(groups).filter(|(_, g)| **g != group) {
                wins += if a > b {
                    1.0
                } else if a == b {
                    0.5
                } else {
                    0.0
                };
                pairs += 1.0;
            }
        }
        wins / pairs
    }

    fn compute(ranks: &mut RankSums, nonzeros: &mut [u64], group_sizes: &[u64]) {
        nonzeros.sort_unstable();
        ranks.compute_sorted(nonzeros, group_sizes, |group| group);
    }

    #[test]
    fn worked_column() {
        // Values 0 0 2 | 0 1 2 2: ranks 2 2 6 | 2 4 6 6.
        let mut nonzeros = [key(2.0, 1), key(2.0, 0), key(1.0, 1), key(2.0, 1)];
        let mut ranks = RankSums::new(2);
        compute(&mut ranks, &mut nonzeros, &[3, 4]);
        assert_eq!((ranks.doubled.as_slice(), ranks.n_nonzero.as_slice()), ([20, 36].as_slice(), [1, 3].as_slice()));
        assert_eq!((ranks.sum[0], ranks.sum[1], ranks.ties), (2.0, 5.0, 48.0));
        assert!((ranks.auc(0, 3, 7) - 4.0 / 12.0).abs() < 1e-15);
        assert!((ranks.auc(1, 4, 7) - 8.0 / 12.0).abs() < 1e-15);
        compute(&mut ranks, &mut [], &[3, 4]);
        assert_eq!((ranks.auc(0, 3, 7), ranks.ties), (0.5, 336.0));
        assert!(RankSums::new(1).auc(0, 0, 3).is_nan());
    }

    proptest::proptest! {
        #[test]
        fn auc_equals_counting_pairs(items in proptest::collection::vec((0_u32..3, 0_u32..5), 2..40)) {
            let (groups, values): (Vec<u32>, Vec<f32>) = items.iter().map(|&(g, v)| (g, v as f32 / 3.0)).unzip();
            let mut nonzeros: Vec<u64> = items
                .iter()
                .filter(|(_, v)| *v > 0)
                .map(|&(g, v)| key(v as f32 / 3.0, g))
                .collect();
            let size = |group: u32| groups.iter().filter(|g| **g == group).count() as u64;
            let sizes = [size(0), size(1), size(2)];
            let mut ranks = RankSums::new(3);
            compute(&mut ranks, &mut nonzeros, &sizes);
            for (group, &size) in sizes.iter().enumerate() {
                let n = items.len() as u64;
                if size > 0 && size < n {
                    let expected = slow_auc(&values, &groups, group as u32);
                    proptest::prop_assert!((ranks.auc(group, size, n) - expected).abs() < 1e-12);
                }
            }
            let total: u64 = ranks.doubled.iter().sum();
            proptest::prop_assert_eq!(total, (items.len() * (items.len() + 1)) as u64);
        }
    }
}
