//! Draws the counts of one cell.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, Poisson};

use super::genes::normal;
use super::model::{Model, POPULATIONS};
use crate::math::rng::stream;

/// A cell leans at most this much towards the related population.
const MAX_BLEND: f64 = 0.4;
/// Spread of the mitochondrial share over cells (Gao 2023).
const MITO_CELL_SPREAD: f64 = 0.22;
/// Above this mean a count is drawn as a Poisson number of a gamma mean; below, by walking up the distribution.
const WALK_BELOW: f64 = 12.0;

/// One droplet.
pub(super) struct Cell {
    pub genes: Vec<u32>,
    pub counts: Vec<u32>,
    /// Population; of two cells in one droplet, that of the first.
    pub population: u32,
    pub doublet: bool,
    pub damaged: bool,
}

/// Draws cells of one lot.
pub(super) struct LotSampler<'a> {
    model: &'a Model,
    lot: usize,
    level: Vec<f32>,
    /// 1 / (count + 1) for counts that the walk meets.
    reciprocal: Vec<f64>,
}

impl<'a> LotSampler<'a> {
    pub fn new(model: &'a Model, lot: usize) -> Self {
        let reciprocal = (0..256).map(|count| 1.0 / (f64::from(count) + 1.0)).collect();
        Self { model, lot, level: model.lot_levels(lot), reciprocal }
    }

    /// Cell number `cell` of the lot. `means` is room to work in.
    pub fn cell(&self, seed: u64, cell: usize, means: &mut Vec<f32>) -> Cell {
        // One stream per cell, so that threads may take cells in any order.
        let mut rng = stream(seed, "simulate.cell", (self.lot as u64) << 32 | cell as u64);
        let params = &self.model.params;
        let kind: f64 = rng.random();
        let doublet = kind < params.doublet_rate;
        let damaged = !doublet && kind < params.doublet_rate + params.damaged_rate;
        means.clear();
        means.resize(self.level.len(), 0.0);
        let population = self.add_cell(damaged, &mut rng, means);
        if doublet {
            self.add_cell(false, &mut rng, means);
        }
        let (mut genes, mut counts) = (Vec::with_capacity(6000), Vec::with_capacity(6000));
        for ((gene, &mean), &size) in (0_u32..).zip(means.iter()).zip(&self.model.axis.size) {
            let count = self.count(f64::from(mean), size, &mut rng);
            if count > 0 {
                genes.push(gene);
                counts.push(count);
            }
        }
        Cell { genes, counts, population: population as u32, doublet, damaged }
    }

    /// Adds the gene means of a newly drawn cell; returns its population.
    fn add_cell(&self, damaged: bool, rng: &mut ChaCha8Rng, means: &mut [f32]) -> usize {
        let model = self.model;
        let plan = &model.lots[self.lot];
        let population = category(&plan.shares, rng);
        let kind = &POPULATIONS[population];
        // Most cells are near their population, a few far on the way to the related one.
        let blend = MAX_BLEND * rng.random::<f64>().powi(3);
        let continuum = kind.continuum + normal(1.0).sample(rng);
        let stress = normal(1.0).sample(rng);
        let spread = normal(model.params.depth_cell_spread).sample(rng);
        let mut library = plan.depth * kind.library * spread.exp();
        let mut mito = normal(MITO_CELL_SPREAD).sample(rng).exp();
        if damaged {
            // Cytoplasmic RNA leaks out, mitochondria stay.
            library *= rng.random_range(0.05..0.3);
            mito *= rng.random_range(4.0..10.0);
        }
        let mut level = self.level.clone();
        let mut shift = |program: &[(u32, f64)], weight: f64| {
            for &(gene, ln_fc) in program {
                level[gene as usize] *= (weight * ln_fc).exp() as f32;
            }
        };
        shift(&model.populations[population], 1.0 - blend);
        shift(&model.populations[kind.sibling], blend);
        shift(&model.continuum, continuum);
        shift(&model.stress, stress);
        for &gene in &model.mito {
            level[gene as usize] *= mito as f32;
        }
        let total: f64 = level.iter().map(|&l| f64::from(l)).sum();
        let scale = (library / total) as f32;
        for (mean, level) in means.iter_mut().zip(&level) {
            *mean += scale * level;
        }
        population
    }

    /// A negative-binomial count of this mean and size.
    #[inline]
    pub(super) fn count(&self, mean: f64, size: u32, rng: &mut ChaCha8Rng) -> u32 {
        // v is uniform on (0, 1); the count is 0 if v is above P(count > 0), which is at most the mean.
        let v = (f64::from(rng.next_u32()) + 0.5) * (1.0 / 4_294_967_296.0);
        if v >= mean {
            return 0;
        }
        let r = f64::from(size);
        if mean > WALK_BELOW {
            let gamma = Gamma::new(r, mean / r).expect("size and mean are positive").sample(rng);
            let Ok(poisson) = Poisson::new(gamma) else { return 0 };
            return poisson.sample(rng) as u32;
        }
        let odds = mean / (mean + r);
        let mut p = (1.0 - odds).powi(size as i32);
        let mut above = 1.0 - p - v;
        let mut count = 0;
        while above > 0.0 && (count as usize) < self.reciprocal.len() {
            p *= (r + f64::from(count)) * self.reciprocal[count as usize] * odds;
            above -= p;
            count += 1;
        }
        count
    }
}

/// Index drawn with these probabilities.
fn category(probabilities: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let mut u: f64 = rng.random();
    for (index, p) in probabilities.iter().enumerate() {
        u -= p;
        if u < 0.0 {
            return index;
        }
    }
    probabilities.len() - 1
}

/// Different barcodes of 16 bases, with the suffix of the first channel.
pub(super) fn barcodes(seed: u64, lot: usize, n: usize) -> Vec<String> {
    let mut rng = stream(seed, "simulate.barcodes", lot as u64);
    let mut seen = std::collections::HashSet::with_capacity(n);
    let mut out = Vec::with_capacity(n);
    while out.len() < n {
        // Two bits per base: 32 bits are one barcode.
        let bits = rng.next_u32();
        if seen.insert(bits) {
            let bases: String = (0..16).map(|i| ['A', 'C', 'G', 'T'][(bits >> (2 * i) & 3) as usize]).collect();
            out.push(bases + "-1");
        }
    }
    out
}
