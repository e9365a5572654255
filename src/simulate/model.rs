//! What populations and lots are made of.

use rand_distr::{Distribution, Gamma};

use super::SimulateParams;
use super::genes::{GeneAxis, choose, normal};
use crate::math::rng::stream;

/// A population in words: mean share, programs with their weight, the population its intermediate cells lean to,
/// counts relative to others, place on the program that runs through all.
pub(super) struct PopulationPlan {
    pub name: &'static str,
    pub share: f64,
    programs: &'static [(&'static str, f64)],
    pub sibling: usize,
    pub library: f64,
    pub continuum: f64,
}

/// Eight populations in two families (matrix-forming, trophic) and two proliferating ones.
pub(super) const POPULATIONS: [PopulationPlan; 8] = [
    PopulationPlan {
        name: "stromal",
        share: 0.22,
        programs: &[("stromal", 1.0), ("fibrogenic", 0.4)],
        sibling: 1,
        library: 1.0,
        continuum: 0.0,
    },
    PopulationPlan {
        name: "matrix",
        share: 0.17,
        programs: &[("matrix", 1.0), ("fibrogenic", 1.0)],
        sibling: 2,
        library: 1.05,
        continuum: 0.4,
    },
    PopulationPlan {
        name: "contractile",
        share: 0.13,
        programs: &[("contractile", 1.0), ("fibrogenic", 1.0)],
        sibling: 1,
        library: 1.1,
        continuum: 0.8,
    },
    PopulationPlan {
        name: "secretory",
        share: 0.12,
        programs: &[("secretory", 1.0), ("secretory_minor", 1.0), ("trophic", 1.0)],
        sibling: 4,
        library: 1.0,
        continuum: -0.4,
    },
    PopulationPlan {
        name: "inflammatory",
        share: 0.10,
        programs: &[("inflammatory", 1.0), ("trophic", 1.0)],
        sibling: 3,
        library: 0.95,
        continuum: -0.6,
    },
    PopulationPlan {
        name: "primed",
        share: 0.08,
        programs: &[("primed", 1.0), ("trophic", 0.4)],
        sibling: 0,
        library: 0.95,
        continuum: -0.8,
    },
    PopulationPlan {
        name: "s_phase",
        share: 0.10,
        programs: &[("s_phase", 1.0), ("proliferation", 1.0), ("stromal", 0.5), ("fibrogenic", 0.4)],
        sibling: 7,
        library: 1.15,
        continuum: 0.0,
    },
    PopulationPlan {
        name: "g2m_phase",
        share: 0.08,
        programs: &[
            ("g2m_phase", 1.0),
            ("s_phase", 0.1),
            ("proliferation", 1.0),
            ("stromal", 0.5),
            ("fibrogenic", 0.4),
        ],
        sibling: 6,
        library: 1.25,
        continuum: 0.0,
    },
];
/// The potent population and the program whose named genes are its planted markers.
pub(super) const POTENT: usize = 3;
pub(super) const PLANTED: &str = "secretory";

/// Made-up genes that move with each program, beside the named ones. Programs with none are cycle or marker lists.
const PROGRAMS: [(&str, usize); 12] = [
    ("stromal", 90),
    ("matrix", 110),
    ("contractile", 110),
    ("secretory", 110),
    ("secretory_minor", 0),
    ("inflammatory", 110),
    ("primed", 110),
    ("fibrogenic", 130),
    ("trophic", 130),
    ("proliferation", 80),
    ("s_phase", 0),
    ("g2m_phase", 0),
];
/// Made-up genes of the program that runs through all populations, and the spread of their weights.
const CONTINUUM: (usize, f64) = (200, 0.12);
/// Made-up genes of a program are at least this abundant: what is never counted separates nothing.
const MIN_LEVEL: f64 = 0.3;
/// One gene in this many reacts three times as strongly to the donor.
const STRONG_DONOR_GENES: u32 = 20;

/// ln fold changes of some genes, sorted by gene.
pub(super) type Program = Vec<(u32, f64)>;

/// One lot to be.
pub(super) struct LotPlan {
    pub name: String,
    pub n_cells: usize,
    /// Median counts per cell.
    pub depth: f64,
    /// Mitochondrial counts relative to the mean lot.
    pub mito: f64,
    pub female: bool,
    /// Share of each population.
    pub shares: Vec<f64>,
}

/// Everything that is drawn before the first cell.
pub(super) struct Model {
    pub params: SimulateParams,
    pub axis: GeneAxis,
    /// One per population.
    pub populations: Vec<Program>,
    pub continuum: Program,
    /// Early response to handling.
    pub stress: Program,
    pub mito: Vec<u32>,
    pub lots: Vec<LotPlan>,
}

impl Model {
    pub fn new(params: &SimulateParams) -> Self {
        let axis = GeneAxis::new(params.n_genes, params.mito_fraction, params.seed);
        let mut rng = stream(params.seed, "simulate.programs", 0);
        let pool: Vec<u32> = (axis.named.len()..params.n_genes)
            .filter(|&gene| axis.level[gene] >= MIN_LEVEL)
            .map(|gene| gene as u32)
            .collect();
        let effect = normal(params.population_effect);
        // No made-up gene comes near a planted marker by chance.
        let limit = 1.5 * params.population_effect;
        let programs: Vec<(&str, Program)> = PROGRAMS
            .iter()
            .map(|&(name, n)| {
                let mut program: Program = axis.members(name).map(|named| (named.gene, named.ln_fc)).collect();
                for gene in choose(&pool, n, &mut rng) {
                    program.push((gene, effect.sample(&mut rng).clamp(-limit, limit)));
                }
                (name, program)
            })
            .collect();
        let mut continuum: Program = choose(&pool, CONTINUUM.0, &mut rng)
            .into_iter()
            .map(|g| (g, normal(CONTINUUM.1).sample(&mut rng)))
            .collect();
        continuum.sort_unstable_by_key(|entry| entry.0);
        let lots = (0..params.n_lots).map(|index| LotPlan::new(index, params)).collect();
        Self {
            params: params.clone(),
            populations: POPULATIONS.iter().map(|plan| plan.program(&programs)).collect(),
            continuum,
            stress: axis.members("stress").map(|named| (named.gene, 0.35 * named.ln_fc)).collect(),
            mito: axis.members("mito").map(|named| named.gene).collect(),
            lots,
            axis,
        }
    }

    /// Planted markers with their ln fold change, strongest first.
    pub fn markers(&self) -> Vec<(u32, f64)> {
        let mut markers: Vec<(u32, f64)> = self.axis.members(PLANTED).map(|named| (named.gene, named.ln_fc)).collect();
        markers.sort_by(|a, b| b.1.total_cmp(&a.1));
        markers
    }

    /// Levels of a lot: those of MSC under the donor's effects.
    pub fn lot_levels(&self, lot: usize) -> Vec<f32> {
        let mut rng = stream(self.params.seed, "simulate.donor", lot as u64);
        let effect = normal(self.params.donor_effect);
        let mut level: Vec<f32> = (0_u32..)
            .zip(&self.axis.level)
            .map(|(gene, &level)| {
                // A fixed set of genes, the same in every lot, differs more between donors than the rest.
                let strength =
                    if gene.wrapping_mul(2_654_435_761).is_multiple_of(STRONG_DONOR_GENES) { 3.0 } else { 1.0 };
                (level * (strength * effect.sample(&mut rng)).exp()) as f32
            })
            .collect();
        let plan = &self.lots[lot];
        for &gene in &self.mito {
            level[gene as usize] *= plan.mito as f32;
        }
        // A few stray counts of the other sex's genes remain, as in real data.
        let absent = if plan.female { "male" } else { "female" };
        for named in self.axis.members(absent) {
            level[named.gene as usize] *= 1e-3;
        }
        level
    }
}

impl PopulationPlan {
    fn program(&self, programs: &[(&str, Program)]) -> Program {
        let mut sum = std::collections::BTreeMap::new();
        for &(name, weight) in self.programs {
            let (_, program) = programs.iter().find(|(n, _)| *n == name).expect("a population uses known programs");
            for &(gene, ln_fc) in program {
                *sum.entry(gene).or_insert(0.0) += weight * ln_fc;
            }
        }
        sum.into_iter().collect()
    }
}

impl LotPlan {
    fn new(index: usize, params: &SimulateParams) -> Self {
        let mut rng = stream(params.seed, "simulate.lot", index as u64);
        let mut lognormal = |spread: f64| normal(spread).sample(&mut rng).exp();
        let n_cells = (params.n_cells as f64 * lognormal(params.cells_spread)).round().max(1.0) as usize;
        let depth = params.depth * lognormal(params.depth_lot_spread);
        // Spread of the mitochondrial share over lots (Gao 2023).
        let mito = lognormal(0.22);
        let female = lognormal(1.0) > 1.0;
        let mut shares: Vec<f64> = POPULATIONS
            .iter()
            .map(|plan| {
                let shape = params.concentration * plan.share;
                Gamma::new(shape, 1.0).expect("shape is positive").sample(&mut rng).max(f64::MIN_POSITIVE)
            })
            .collect();
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        let width = params.n_lots.to_string().len().max(2);
        Self { name: format!("lot{:0width$}", index + 1), n_cells, depth, mito, female, shares }
    }
}
