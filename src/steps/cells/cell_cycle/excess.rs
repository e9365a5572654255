//! By how much a cell's mean over a list of genes exceeds what lists drawn from genes of equal abundance give.

/// What is known of a list before any cell is looked at.
pub(super) struct List {
    /// Per bin: share of the list's genes that lie in it.
    share: Vec<f64>,
    /// Per bin: factor of the variance between control genes in the variance of the difference.
    factor: Vec<f64>,
    /// Number of its genes that have controls.
    n: usize,
}

/// Sums over one cell's genes.
#[derive(Clone, Default)]
pub(super) struct Sums {
    /// Per list: sum of values.
    lists: [f64; 2],
    /// Per bin: sum and sum of squares over control genes.
    controls: Vec<[f64; 2]>,
}

/// The two lists, and the controls they share.
pub(super) struct Excess {
    lists: [List; 2],
    bin_of_gene: Vec<u32>,
    /// Per gene: the list it is of, or a control, or neither.
    role: Vec<Role>,
    /// Per bin: number of control genes.
    n_controls: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Listed(u8),
    Control,
    Unused,
}

impl Excess {
    /// `bin_of_gene` has a bin (below `n_bins`) for every gene.
    pub(super) fn new(lists: &[Vec<u32>; 2], bin_of_gene: Vec<u32>, n_bins: usize) -> Self {
        let mut role = vec![Role::Control; bin_of_gene.len()];
        for (at, list) in lists.iter().enumerate() {
            list.iter().for_each(|&gene| role[gene as usize] = Role::Listed(at as u8));
        }
        let mut n_controls = vec![0.0; n_bins];
        let controls = bin_of_gene.iter().zip(&role).filter(|(_, role)| **role == Role::Control);
        controls.for_each(|(&bin, _)| n_controls[bin as usize] += 1.0);
        // A variance needs two.
        let has_controls = |gene: u32| n_controls[bin_of_gene[gene as usize] as usize] >= 2.0;
        let lists = lists.each_ref().map(|list| {
            let mut count = vec![0.0; n_bins];
            let genes: Vec<u32> = list.iter().copied().filter(|&gene| has_controls(gene)).collect();
            genes.iter().for_each(|&gene| count[bin_of_gene[gene as usize] as usize] += 1.0);
            let n = genes.len() as f64;
            let share = count.iter().map(|c| c / n.max(1.0)).collect();
            let variance = |(&c, &controls): (&f64, &f64)| if c > 0.0 { (c + c * c / controls) / (n * n) } else { 0.0 };
            List { share, factor: count.iter().zip(&n_controls).map(variance).collect(), n: genes.len() }
        });
        let of_interest = |bin: u32| lists.iter().any(|list| list.share[bin as usize] > 0.0);
        for (role, &bin) in role.iter_mut().zip(&bin_of_gene) {
            if !of_interest(bin) {
                *role = Role::Unused;
            }
        }
        Self { lists, bin_of_gene, role, n_controls }
    }

    /// Sums of a cell to be.
    pub(super) fn sums(&self) -> Sums {
        Sums { lists: [0.0; 2], controls: vec![[0.0; 2]; self.n_controls.len()] }
    }

    /// Takes in a non-zero value.
    #[inline]
    pub(super) fn add(&self, sums: &mut Sums, gene: u32, value: f32) {
        let value = f64::from(value);
        match self.role[gene as usize] {
            Role::Unused => {}
            Role::Listed(list) => sums.lists[list as usize] += value,
            Role::Control => {
                let [sum, squares] = &mut sums.controls[self.bin_of_gene[gene as usize] as usize];
                *sum += value;
                *squares += value * value;
            }
        }
    }

    /// Standard deviations by which the mean over each list exceeds that of lists drawn at random from the same bins, and
    /// makes the sums ready for the next cell. 0 where nothing varies or no gene has controls.
    pub(super) fn take(&self, sums: &mut Sums) -> [f64; 2] {
        let out = [0, 1].map(|at| {
            let list = &self.lists[at];
            let (mut mean, mut variance) = (0.0, 0.0);
            for (bin, &[sum, squares]) in sums.controls.iter().enumerate() {
                if list.share[bin] > 0.0 {
                    let n = self.n_controls[bin];
                    mean += list.share[bin] * sum / n;
                    variance += list.factor[bin] * ((squares - sum * sum / n) / (n - 1.0)).max(0.0);
                }
            }
            if list.n > 0 && variance > 0.0 { (sums.lists[at] / list.n as f64 - mean) / variance.sqrt() } else { 0.0 }
        });
        sums.lists = [0.0; 2];
        sums.controls.fill([0.0; 2]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        // Bin 0: genes 0 (S), 1, 2, 3; bin 1: genes 4 (S), 5 (G2M), 6, 7; bin 2: gene 8 (G2M), which has no controls.
        let excess = Excess::new(&[vec![0, 4], vec![5, 8]], vec![0, 0, 0, 0, 1, 1, 1, 1, 2], 3);
        let mut sums = excess.sums();
        for (gene, value) in [(0, 2.0), (1, 1.0), (2, 2.0), (4, 3.0), (5, 1.0), (6, 1.0)] {
            excess.add(&mut sums, gene, value);
        }
        // S: mean 5/2; controls 1, 2, 0 (mean 1, variance 1) and 1, 0 (mean 1/2, variance 1/2).
        let s = (2.5 - (0.5 * 1.0 + 0.5 * 0.5)) / ((1.0 + 1.0 / 3.0) / 4.0 + 0.5 * (1.0 + 1.0 / 2.0) / 4.0_f64).sqrt();
        // G2M: gene 5 alone.
        let g2m = (1.0 - 0.5) / (0.5 * 1.5_f64).sqrt();
        let [a, b] = excess.take(&mut sums);
        assert!((a - s).abs() < 1e-12 && (b - g2m).abs() < 1e-12, "{a} {s}, {b} {g2m}");
        // A cell without counts, from the same sums.
        assert_eq!(excess.take(&mut sums), [0.0, 0.0]);
    }
}
