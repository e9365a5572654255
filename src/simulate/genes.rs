//! The gene axis of simulated lots: names, levels and spread.

use rand::RngExt;
use rand_distr::{Distribution, Normal};

use crate::data::Genes;
use crate::math::rng::stream;

/// Real symbols with the program each belongs to; the level is the mean count in a cell of 28,000 counts.
const NAMED: &str = include_str!("../../data/simulation_genes.csv");

/// Genes beyond this place are nearly silent.
const N_EXPRESSED: usize = 12_500;
/// Median and spread (ln) of the level of an expressed made-up gene. With the named genes they make about 28,000 counts
/// and, at that depth, about 4,400 genes per cell; the test on real summaries holds this.
const EXPRESSED: (f64, f64) = (0.29, 1.72);
/// The same of a silent gene: now and then a count.
const SILENT: (f64, f64) = (4e-4, 1.5);

/// A row of the bundled table.
pub(super) struct Named {
    /// Index of the gene.
    pub gene: u32,
    /// Program it belongs to; empty if none.
    pub program: &'static str,
    /// ln fold change in that program.
    pub ln_fc: f64,
}

/// Genes with their mean level.
pub(super) struct GeneAxis {
    pub genes: Genes,
    /// Mean count in a cell of 28,000 counts, mitochondrial genes already at their share.
    pub level: Vec<f64>,
    /// Negative-binomial size: variance = mean + mean²/size. Whole numbers: the chance of a zero then needs no logarithm.
    pub size: Vec<u32>,
    pub named: Vec<Named>,
}

impl GeneAxis {
    pub fn new(n_genes: usize, mito_fraction: f64, seed: u64) -> Self {
        let mut rng = stream(seed, "simulate.genes", 0);
        let (mut symbols, mut level, mut named) = (Vec::new(), Vec::new(), Vec::new());
        for line in NAMED.lines().skip(1) {
            let fields: Vec<&'static str> = line.split(',').collect();
            let number = |i: usize| fields[i].parse::<f64>().expect("the bundled table holds numbers");
            named.push(Named {
                gene: symbols.len() as u32,
                program: fields[2],
                ln_fc: number(3) * std::f64::consts::LN_2,
            });
            symbols.push(fields[0].to_string());
            level.push(number(1));
        }
        let n_named = symbols.len();
        for gene in n_named..n_genes {
            let (median, spread) = if gene < N_EXPRESSED { EXPRESSED } else { SILENT };
            // A made-up gene is never among the most abundant: those of MSC are known by name.
            let ln_level = normal(spread).sample(&mut rng).min(2.9 * spread);
            level.push(median * ln_level.exp());
            symbols.push(format!("GENE{:05}", gene - n_named + 1));
        }
        let mut axis = Self {
            genes: Genes::new((1..=n_genes).map(|i| format!("SIM{i:06}")).collect(), symbols)
                .expect("numbered ids are unique"),
            level,
            size: (0..n_genes).map(|_| size(&mut rng)).collect(),
            named,
        };
        axis.set_mito(mito_fraction);
        axis
    }

    /// Genes of a program.
    pub fn members<'a>(&'a self, program: &'a str) -> impl Iterator<Item = &'a Named> {
        self.named.iter().filter(move |named| named.program == program)
    }

    /// Scales mitochondrial genes to their share of all counts.
    fn set_mito(&mut self, fraction: f64) {
        let mito: Vec<usize> = self.members("mito").map(|named| named.gene as usize).collect();
        let now: f64 = mito.iter().map(|&g| self.level[g]).sum();
        let others = self.level.iter().sum::<f64>() - now;
        for &gene in &mito {
            self.level[gene] *= others * fraction / (1.0 - fraction) / now;
        }
    }
}

/// Size of a gene: median 7, so that the biological spread (coefficient of variation) is about 0.4.
fn size(rng: &mut impl rand::Rng) -> u32 {
    (7.0 * normal(0.5).sample(rng).exp()).round().clamp(2.0, 30.0) as u32
}

/// A normal distribution around 0. `spread` is a checked parameter or a constant, so it is finite.
pub(super) fn normal(spread: f64) -> Normal<f64> {
    Normal::new(0.0, spread).expect("a finite spread")
}

/// `n` different items of `pool`, in the order drawn.
pub(super) fn choose(pool: &[u32], n: usize, rng: &mut impl rand::Rng) -> Vec<u32> {
    let mut pool = pool.to_vec();
    let n = n.min(pool.len());
    for i in 0..n {
        let j = rng.random_range(i..pool.len());
        pool.swap(i, j);
    }
    pool.truncate(n);
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_cell_cycle_gene_is_simulated_in_its_phase() {
        let axis = GeneAxis::new(2000, 0.024, 1);
        let genes = axis.genes.index_by_symbol();
        let mut n = 0;
        for line in include_str!("../../data/cell_cycle_genes.csv").lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let gene =
                [fields[0], fields[2]].iter().find_map(|symbol| genes.get(symbol)).unwrap_or_else(|| panic!("{line}"));
            let program = if fields[1] == "S" { "s_phase" } else { "g2m_phase" };
            assert!(axis.members(program).any(|named| named.gene == *gene), "{line}");
            n += 1;
        }
        assert_eq!(n, 97);
    }

    #[test]
    fn mitochondrial_genes_have_the_share_asked_for() {
        let axis = GeneAxis::new(5000, 0.03, 1);
        let mito: f64 = axis.members("mito").map(|named| axis.level[named.gene as usize]).sum();
        assert!((mito / axis.level.iter().sum::<f64>() - 0.03).abs() < 1e-12);
        assert!(axis.members("mito").all(|named| axis.genes.symbols()[named.gene as usize].starts_with("MT-")));
    }

    #[test]
    fn chosen_items_are_different() {
        let pool: Vec<u32> = (0..50).collect();
        let mut chosen = choose(&pool, 20, &mut stream(1, "test", 0));
        chosen.sort_unstable();
        chosen.dedup();
        assert_eq!(chosen.len(), 20);
        assert_eq!(choose(&pool, 80, &mut stream(1, "test", 0)).len(), 50);
    }
}
