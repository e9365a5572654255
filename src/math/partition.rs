//! Partitions of n items as a label per item: naming, counting, agreement between two of them.

use std::cmp::Reverse;

/// Names the groups of `labels` 0, 1, … by falling size, ties by the group of the first item. Returns the new labels
/// and the number of groups. Labels may be any numbers; groups without items vanish.
///
/// ```
/// let (labels, n) = cqa::math::partition::by_falling_size(&[7, 3, 3, 9, 9, 9, 5]);
/// assert_eq!((labels, n), (vec![2, 1, 1, 0, 0, 0, 3], 4));
/// ```
pub fn by_falling_size(labels: &[u32]) -> (Vec<u32>, usize) {
    let (labels, sizes) = by_first_item(labels);
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&g| (Reverse(sizes[g]), g));
    let mut rank = vec![0_u32; order.len()];
    for (new, &old) in order.iter().enumerate() {
        rank[old] = new as u32;
    }
    (labels.iter().map(|&g| rank[g as usize]).collect(), sizes.len())
}

/// Names the groups of `labels` 0, 1, … in the order of their first item. Returns the new labels and the group sizes.
pub fn by_first_item(labels: &[u32]) -> (Vec<u32>, Vec<usize>) {
    const UNSEEN: u32 = u32::MAX;
    let mut names = vec![UNSEEN; labels.iter().max().map_or(0, |&l| l as usize + 1)];
    let mut sizes = Vec::new();
    let renamed = labels
        .iter()
        .map(|&l| {
            let name = &mut names[l as usize];
            if *name == UNSEEN {
                *name = sizes.len() as u32;
                sizes.push(0);
            }
            sizes[*name as usize] += 1;
            *name
        })
        .collect();
    (renamed, sizes)
}

/// How many items two partitions of the same items share, group by group.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    /// `shared[a][b]`: items in group `a` of the first and group `b` of the second partition.
    pub shared: Vec<Vec<usize>>,
    /// Items per group of the first partition.
    pub sizes_a: Vec<usize>,
    /// Items per group of the second partition.
    pub sizes_b: Vec<usize>,
}

impl Overlap {
    /// Counts. Labels are indices of groups, as [`by_falling_size`] makes them; `n_a` and `n_b` groups are counted even
    /// if they are empty. Panics if the lengths differ or a label is too large.
    pub fn new(a: &[u32], n_a: usize, b: &[u32], n_b: usize) -> Self {
        assert_eq!(a.len(), b.len(), "both partitions are of the same items");
        let (mut shared, mut sizes_a, mut sizes_b) = (vec![vec![0; n_b]; n_a], vec![0; n_a], vec![0; n_b]);
        for (&i, &j) in a.iter().zip(b) {
            shared[i as usize][j as usize] += 1;
            sizes_a[i as usize] += 1;
            sizes_b[j as usize] += 1;
        }
        Self { shared, sizes_a, sizes_b }
    }

    /// Adjusted Rand index (Hubert & Arabie 1985): 1 for equal partitions, 0 expected by chance. 1 if both put all
    /// items into one group or each into its own, where the index is 0/0.
    pub fn adjusted_rand(&self) -> f64 {
        let pairs = |n: usize| n as f64 * (n as f64 - 1.0) / 2.0;
        let both: f64 = self.shared.iter().flatten().map(|&n| pairs(n)).sum();
        let in_a: f64 = self.sizes_a.iter().map(|&n| pairs(n)).sum();
        let in_b: f64 = self.sizes_b.iter().map(|&n| pairs(n)).sum();
        let all = pairs(self.sizes_a.iter().sum());
        let expected = if all > 0.0 { in_a * in_b / all } else { 0.0 };
        let most = f64::midpoint(in_a, in_b);
        if most == expected { 1.0 } else { (both - expected) / (most - expected) }
    }

    /// Per group of the first partition: the largest Jaccard index with any group of the second, 0..1; NaN for a group
    /// without items.
    pub fn best_jaccard(&self) -> Vec<f64> {
        let rows = self.shared.iter().zip(&self.sizes_a);
        rows.map(|(row, &n)| {
            if n == 0 {
                return f64::NAN;
            }
            let jaccard = |(&both, &m): (&usize, &usize)| both as f64 / (n + m - both) as f64;
            row.iter().zip(&self.sizes_b).map(jaccard).fold(0.0, f64::max)
        })
        .collect()
    }

    /// Matches groups one to one so that the matched groups share as many items as possible (assignment problem,
    /// Kuhn 1955). Per group of the first partition: its match, `None` if there is none left or they share nothing.
    pub fn assignment(&self) -> Vec<Option<usize>> {
        let n = self.sizes_a.len().max(self.sizes_b.len());
        let at = |i: usize, j: usize| self.shared.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0);
        // Shortest augmenting paths on the costs −shared, padded with zeros to a square.
        let cost = |i: usize, j: usize| -(at(i, j) as i64);
        let (mut row_price, mut column_price) = (vec![0_i64; n], vec![0_i64; n]);
        let mut row_of: Vec<Option<usize>> = vec![None; n];
        for start in 0..n {
            let (mut least, mut came_from) = (vec![i64::MAX; n], vec![None; n]);
            let mut done = vec![false; n];
            let (mut row, mut column) = (start, None);
            let end = loop {
                for j in (0..n).filter(|&j| !done[j]) {
                    let reduced = cost(row, j) - row_price[row] - column_price[j];
                    if reduced < least[j] {
                        least[j] = reduced;
                        came_from[j] = column;
                    }
                }
                let Some(next) = (0..n).filter(|&j| !done[j]).min_by_key(|&j| least[j]) else {
                    unreachable!("a square problem always has a free column");
                };
                let step = least[next];
                row_price[start] += step;
                for j in 0..n {
                    if done[j] {
                        column_price[j] -= step;
                        if let Some(i) = row_of[j] {
                            row_price[i] += step;
                        }
                    } else {
                        least[j] -= step;
                    }
                }
                done[next] = true;
                match row_of[next] {
                    None => break next,
                    Some(i) => (row, column) = (i, Some(next)),
                }
            };
            let mut j = end;
            while let Some(previous) = came_from[j] {
                row_of[j] = row_of[previous];
                j = previous;
            }
            row_of[j] = Some(start);
        }
        let mut matched = vec![None; self.sizes_a.len()];
        for (j, i) in row_of.into_iter().enumerate() {
            if let Some(i) = i.filter(|&i| at(i, j) > 0) {
                matched[i] = Some(j);
            }
        }
        matched
    }
}

/// Adjusted Rand index of two partitions with any labels; see [`Overlap::adjusted_rand`].
///
/// ```
/// let ari = cqa::math::partition::adjusted_rand(&[0, 0, 0, 1, 1, 1], &[0, 0, 1, 1, 2, 2]);
/// assert!((ari - 0.242_424_242_424_242_43).abs() < 1e-15);
/// ```
pub fn adjusted_rand(a: &[u32], b: &[u32]) -> f64 {
    let ((a, sizes_a), (b, sizes_b)) = (by_first_item(a), by_first_item(b));
    Overlap::new(&a, sizes_a.len(), &b, sizes_b.len()).adjusted_rand()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_follow_size_then_first_item() {
        assert_eq!(by_falling_size(&[4, 4, 1, 1, 0]), (vec![0, 0, 1, 1, 2], 3));
        assert_eq!(by_falling_size(&[]), (vec![], 0));
        assert_eq!(by_first_item(&[9, 2, 9]), (vec![0, 1, 0], vec![2, 1]));
    }

    #[test]
    fn adjusted_rand_has_known_values() {
        assert_eq!(adjusted_rand(&[0, 0, 1, 1], &[5, 5, 3, 3]), 1.0);
        assert_eq!(adjusted_rand(&[0, 0, 0], &[1, 1, 1]), 1.0);
        assert_eq!(adjusted_rand(&[0, 1, 2], &[2, 1, 0]), 1.0);
        assert_eq!(adjusted_rand(&[], &[]), 1.0);
        assert!((adjusted_rand(&[0, 0, 1, 1], &[0, 1, 0, 1]) + 0.5).abs() < 1e-15);
        assert_eq!(adjusted_rand(&[0, 0, 0, 0], &[0, 0, 1, 1]), 0.0);
    }

    #[test]
    fn best_jaccard_is_that_of_the_best_match() {
        let overlap = Overlap::new(&[0, 0, 0, 0, 1, 1], 3, &[0, 0, 0, 1, 1, 1], 2);
        let jaccard = overlap.best_jaccard();
        assert_eq!(jaccard[..2], [0.75, 2.0 / 3.0]);
        assert!(jaccard[2].is_nan());
    }

    #[test]
    fn assignment_takes_the_best_sum_and_leaves_the_unmatched() {
        // Greedy would give 0 -> 0 (5) and leave 1 with 0; the best is 0 -> 1 (4) and 1 -> 0 (4).
        let overlap =
            Overlap { shared: vec![vec![5, 4], vec![4, 0], vec![0, 0]], sizes_a: vec![9, 4, 1], sizes_b: vec![9, 5] };
        assert_eq!(overlap.assignment(), [Some(1), Some(0), None]);
        assert_eq!(Overlap::new(&[], 0, &[], 0).assignment(), []);
    }

    fn best_sum(shared: &[Vec<usize>], row: usize, used: &mut Vec<bool>) -> usize {
        if row == shared.len() {
            return 0;
        }
        let mut best = best_sum(shared, row + 1, used);
        for j in 0..used.len() {
            if !used[j] {
                used[j] = true;
                best = best.max(shared[row][j] + best_sum(shared, row + 1, used));
                used[j] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn assignment_equals_trying_all(a in prop::collection::vec(0_u32..5, 40), b in prop::collection::vec(0_u32..4, 40)) {
            let overlap = Overlap::new(&a, 5, &b, 4);
            let matched = overlap.assignment();
            let sum: usize = matched.iter().enumerate().filter_map(|(i, j)| j.map(|j| overlap.shared[i][j])).sum();
            prop_assert_eq!(sum, best_sum(&overlap.shared, 0, &mut vec![false; 4]));
            let mut taken: Vec<usize> = matched.into_iter().flatten().collect();
            let n = taken.len();
            taken.sort_unstable();
            taken.dedup();
            prop_assert_eq!(taken.len(), n);
        }
    }
}
