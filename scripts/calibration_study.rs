//! How often the family-wise p is at most 0.05 where there is nothing to find; run by `scripts/calibration_study`.
//!
//! `cargo run --release --example calibration_study -- [SETS]` prints one tab-separated line per condition: condition, lots,
//! statistics in the family, orders looked at, data sets, share of sets whose smallest family-wise p is at most 0.05. Every set
//! goes the way of a run: a lot sheet, its units, blocks, covariates and weights, then the program's own association.

use cqa::data::{LotSheet, LotSource, LotTable, Readout, ReadoutSource, SheetColumn};
use cqa::math::rng::stream;
use cqa::progress::Silent;
use cqa::steps::lots::association::{Asked, p_over_readouts};
use cqa::steps::lots::{
    Alternative, Association, AssociationParams, Neighborhoods, NeighborhoodsParams, Observed, Statistic, Units,
    association_of, neighborhood_association, sheet_readout, units, weights,
};
use cqa::steps::markers::{Effects, RankingParams, ranking};
use ndarray::{Array2, Axis, concatenate};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, StandardNormal};
use rayon::prelude::*;

/// Cells per lot.
const CELLS: u64 = 2_000;
/// Clusters of one resolution.
const CLUSTERS: usize = 8;
/// Random orders where not all are walked.
const RANDOM: usize = 1_999;
/// All orders are walked up to those of so many lots.
const EXACT_LOTS: usize = 9;
/// Level.
const ALPHA: f64 = 0.05;
/// Clusters at each resolution that is looked at; each merges neighbours of the finest.
const RESOLUTIONS: [usize; 6] = [4, 6, 8, 12, 16, 20];

/// What a reader of one data set would quote.
struct Quoted {
    /// Smallest p.
    p: f64,
    n_statistics: usize,
    n_orders: u64,
}

/// Draws a data set of so many lots (or donors) and takes it to its smallest p.
type Condition = fn(&mut ChaCha8Rng, usize) -> Quoted;

fn main() {
    let n_sets: u64 = std::env::args().nth(1).map_or(1_000, |text| text.parse().expect("a number of data sets"));
    println!("condition\tlots\tstatistics\torders\tsets\tshare_below_0.05");
    let conditions: [(&str, Condition); 17] = [
        ("no ties", |rng, n| Study::new(rng, n, normal).quoted()),
        ("ties: a readout of four values", |rng, n| {
            Study::new(rng, n, |rng| normal(rng).clamp(-1.4, 1.4).round()).quoted()
        }),
        ("ranks (Spearman), ties", ranks),
        ("one-sided", one_sided),
        ("blocks that shift share and readout", |rng, n| behind(rng, n, 3, true)),
        ("a number behind share and readout, as covariate", covariate),
        ("three sites behind share and readout, as covariate", |rng, n| behind(rng, n, 3, false)),
        ("four sites behind share and readout, as covariate", |rng, n| behind(rng, n, 4, false)),
        ("a clinical outcome, lots weighted by 5 to 60 cases", weighted),
        ("resolution chosen by looking, family over all resolutions", |rng, n| resolutions(rng, n, true)),
        ("resolution chosen by looking, family of each alone (wrong)", |rng, n| resolutions(rng, n, false)),
        ("three readouts that go together, two with missing lots", gaps),
        ("donors of one or two lots, averaged", |rng, n| donors(rng, n, Donors::Averaged)),
        ("donors of one or two lots, the readout differs within them", |rng, n| donors(rng, n, Donors::Varying)),
        ("donors of two lots, counted as lots (wrong)", |rng, n| donors(rng, n, Donors::Counted)),
        ("candidate genes, best of 2,000", candidates),
        ("neighbourhoods", neighbourhoods),
    ];
    for (name, condition) in conditions {
        for n in [9, 11] {
            run(name, condition, n, n_sets);
        }
    }
}

fn run(name: &str, condition: Condition, n: usize, n_sets: u64) {
    let drawn = |set: u64| condition(&mut stream(7, name, set * 100 + n as u64), n);
    let n_called = (0..n_sets).into_par_iter().filter(|&set| drawn(set).p <= ALPHA).count();
    let Quoted { n_statistics, n_orders, .. } = drawn(0);
    println!("{name}\t{n}\t{n_statistics}\t{n_orders}\t{n_sets}\t{:.4}", n_called as f64 / n_sets as f64);
}

/// A lot sheet, shares of clusters, and how they are asked about.
struct Study {
    sheet: LotSheet,
    table: LotTable,
    readouts: Vec<Readout>,
    params: AssociationParams,
}

impl Study {
    /// Lots whose shares and readout have nothing to do with each other.
    fn new(rng: &mut ChaCha8Rng, n: usize, value: impl Fn(&mut ChaCha8Rng) -> f64) -> Self {
        let table = shares(rng, &vec![0.0; n], CLUSTERS);
        let values = (0..n).map(|_| value(rng)).collect();
        Self::of(table, values)
    }

    fn of(table: LotTable, values: Vec<f64>) -> Self {
        let source = |lot: &String| LotSource { lot: lot.clone(), path: "".into(), subset: None };
        let sheet = LotSheet { lots: table.lots.iter().map(source).collect(), columns: vec![] };
        let params = AssociationParams { max_exact_lots: EXACT_LOTS, n_permutations: RANDOM, ..Default::default() };
        let mut study = Self { sheet, table, readouts: vec![], params };
        study.add("readout", values.iter().map(f64::to_string).collect());
        study.readouts.push(sheet_readout(&study.sheet, "readout").expect("numbers"));
        study
    }

    fn add(&mut self, name: &str, values: Vec<String>) {
        self.sheet.columns.push(SheetColumn { name: name.into(), values });
    }

    /// Units and association of a readout, as a run ranks it.
    fn associated(&self, readout: usize) -> (Units, LotTable, Option<Vec<f64>>, Association) {
        let readout = &self.readouts[readout];
        let units = units(&self.sheet, &self.table, readout, &self.params).expect("a design that is possible");
        let table = units.table(&self.table);
        let values = units.average(&readout.values);
        let weights = weights(readout, self.params.weights).map(|of_lots| units.sum(&of_lots));
        let observed =
            Observed { name: &readout.name, values: &values, weights: weights.as_deref(), ranks_only: false };
        let found = association_of(&table, observed, &units, &self.params, 1, &Silent).expect("enough lots");
        (units, table, weights, found)
    }

    fn quoted(&self) -> Quoted {
        let found: Vec<_> = (0..self.readouts.len()).map(|i| self.associated(i)).collect();
        let asked: Vec<Asked<'_>> = found
            .iter()
            .zip(&self.readouts)
            .map(|((units, table, weights, association), readout)| Asked {
                table,
                observed: Observed {
                    name: &readout.name,
                    values: &association.values,
                    weights: weights.as_deref(),
                    ranks_only: false,
                },
                units,
                params: &self.params,
                association,
            })
            .collect();
        let p = p_over_readouts(&asked, 1, &Silent);
        let n_orders = found[0].3.n_permutations;
        Quoted { p: p.concat().into_iter().fold(1.0, f64::min), n_statistics: p.concat().len(), n_orders }
    }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Shares of clusters, lots × clusters, as cells counted; `shift` moves the first half of them up on the logit scale.
fn shares(rng: &mut ChaCha8Rng, shift: &[f64], n_clusters: usize) -> LotTable {
    let centre: Vec<f64> = (0..n_clusters).map(|_| 0.8 * normal(rng)).collect();
    let mut table = Array2::zeros((shift.len(), n_clusters));
    for (lot, shift) in shift.iter().enumerate() {
        let of = |k: usize| if k < n_clusters / 2 { *shift } else { 0.0 };
        let weight: Vec<f64> = (0..n_clusters).map(|k| (centre[k] + of(k) + 0.5 * normal(rng)).exp()).collect();
        let (mut left, mut weight_left) = (CELLS, weight.iter().sum::<f64>());
        for (k, weight) in weight.iter().enumerate() {
            let p = (weight / weight_left).clamp(0.0, 1.0);
            let cells = Binomial::new(left, p).expect("a share").sample(rng);
            table[[lot, k]] = cells as f64 / CELLS as f64;
            left -= cells;
            weight_left -= weight;
        }
    }
    let names = |n: usize| (0..n).map(|i| i.to_string()).collect();
    LotTable::new(names(shift.len()), names(n_clusters), table)
}

fn ranks(rng: &mut ChaCha8Rng, n: usize) -> Quoted {
    let mut study = Study::new(rng, n, |rng| (2.0 * normal(rng)).round());
    study.params.statistic = Statistic::Spearman;
    study.quoted()
}

fn one_sided(rng: &mut ChaCha8Rng, n: usize) -> Quoted {
    let mut study = Study::new(rng, n, |rng| normal(rng).exp());
    study.params.alternative = Alternative::Greater;
    study.quoted()
}

/// Sites that shift share and readout, as block or as covariate (one indicator less than sites).
fn behind(rng: &mut ChaCha8Rng, n: usize, n_sites: usize, as_block: bool) -> Quoted {
    // Lots of a site need not stand side by side.
    let site: Vec<usize> = (0..n).map(|lot| lot % n_sites).collect();
    let effect: Vec<f64> = (0..n_sites).map(|_| 1.5 * normal(rng)).collect();
    let shift: Vec<f64> = site.iter().map(|&site| effect[site]).collect();
    let table = shares(rng, &shift, CLUSTERS);
    let mut study = Study::of(table, shift.iter().map(|shift| shift + normal(rng)).collect());
    study.add("site", site.iter().map(|site| format!("site {site}")).collect());
    if as_block {
        study.params.block = "site".into();
    } else {
        study.params.covariates = vec!["site".into()];
    }
    study.quoted()
}

fn covariate(rng: &mut ChaCha8Rng, n: usize) -> Quoted {
    let shift: Vec<f64> = (0..n).map(|_| normal(rng)).collect();
    let table = shares(rng, &shift, CLUSTERS);
    let mut study = Study::of(table, shift.iter().map(|shift| shift + normal(rng)).collect());
    study.add("passage", shift.iter().map(f64::to_string).collect());
    study.params.covariates = vec!["passage".into()];
    study.quoted()
}

/// Rates of lots of very different numbers of cases.
fn weighted(rng: &mut ChaCha8Rng, n: usize) -> Quoted {
    let mut study = Study::new(rng, n, |_| 0.0);
    let n_cases: Vec<u64> = (0..n).map(|_| rng.random_range(5..=60)).collect();
    let rate = |&cases: &u64, rng: &mut ChaCha8Rng| {
        let p = 1.0 / (1.0 + (-0.5 * normal(rng)).exp());
        Binomial::new(cases, p).expect("a share").sample(rng) as f64 / cases as f64
    };
    let values = n_cases.iter().map(|cases| rate(cases, rng)).collect();
    study.readouts = vec![Readout { n: n_cases, ..Readout::new("outcome", ReadoutSource::Outcome, values) }];
    study.quoted()
}

fn resolutions(rng: &mut ChaCha8Rng, n: usize, together: bool) -> Quoted {
    let finest = *RESOLUTIONS.last().expect("there are some");
    let fine = shares(rng, &vec![0.0; n], finest).values;
    let values: Vec<f64> = (0..n).map(|_| normal(rng)).collect();
    let merged = |&coarse: &usize| -> Array2<f64> {
        let of = |k: usize| (0..finest).filter(move |f| f * coarse / finest == k);
        Array2::from_shape_fn((n, coarse), |(lot, k)| of(k).map(|f| fine[[lot, f]]).sum())
    };
    let each: Vec<Array2<f64>> = RESOLUTIONS.iter().map(merged).collect();
    let names = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<String>>();
    let quoted = |values_of: Array2<f64>| {
        Study::of(LotTable::new(names(n), names(values_of.ncols()), values_of), values.clone()).quoted()
    };
    if together {
        let views: Vec<_> = each.iter().map(|shares| shares.view()).collect();
        return quoted(concatenate(Axis(1), &views).expect("the same lots"));
    }
    let alone: Vec<Quoted> = each.into_iter().map(quoted).collect();
    Quoted {
        p: alone.iter().map(|q| q.p).fold(1.0, f64::min),
        n_statistics: alone.iter().map(|q| q.n_statistics).sum(),
        n_orders: alone[0].n_orders,
    }
}

fn gaps(rng: &mut ChaCha8Rng, n: usize) -> Quoted {
    let common: Vec<f64> = (0..n).map(|_| normal(rng)).collect();
    let mut study = Study::new(rng, n, |_| 0.0);
    study.readouts.clear();
    for (name, n_missing) in [("first", 0), ("second", 1), ("third", 2)] {
        let mut values: Vec<f64> = common.iter().map(|c| c + 0.7 * normal(rng)).collect();
        for _ in 0..n_missing {
            values[rng.random_range(0..n)] = f64::NAN;
        }
        study.readouts.push(Readout::new(name, ReadoutSource::Sheet, values));
    }
    study.quoted()
}

enum Donors {
    /// `n` donors, of which every second gave two lots that resemble each other; the readout is the donor's.
    Averaged,
    /// The same, with a readout of its own for each lot.
    Varying,
    /// `n` lots of half as many donors, each lot counted.
    Counted,
}

fn donors(rng: &mut ChaCha8Rng, n: usize, how: Donors) -> Quoted {
    let of_lot: Vec<usize> = match how {
        Donors::Counted => (0..n).map(|lot| lot / 2).collect(),
        _ => (0..n).flat_map(|d| vec![d; 1 + d % 2]).collect(),
    };
    let (own, potency): (Vec<f64>, Vec<f64>) = (0..n).map(|_| (normal(rng), normal(rng))).unzip();
    let shift: Vec<f64> = of_lot.iter().map(|&d| own[d]).collect();
    let table = shares(rng, &shift, CLUSTERS);
    let values = of_lot.iter().map(|&d| match how {
        Donors::Varying => 0.5 * potency[d] + normal(rng),
        _ => potency[d],
    });
    let mut study = Study::of(table, values.collect());
    study.add("donor", of_lot.iter().map(|d| format!("D{d}")).collect());
    if matches!(how, Donors::Counted) {
        study.params.unit = "lot".into();
    }
    study.quoted()
}

/// The p of the best candidate: genes of any specificity for any cluster.
fn candidates(rng: &mut ChaCha8Rng, n: usize) -> Quoted {
    let (_, _, _, association) = Study::new(rng, n, normal).associated(0);
    let shape = (CLUSTERS, 2_000);
    let auc = Array2::from_shape_simple_fn(shape, || 0.3 + 0.6 * rng.random::<f32>());
    let effects = Effects {
        log2_fc: auc.mapv(|auc| auc - 0.5),
        share_in: Array2::from_elem(shape, 0.5),
        share_out: Array2::from_elem(shape, 0.1),
        n_lots: vec![n as u32; CLUSTERS],
        n_lots_up: Array2::from_elem(shape, n as u16),
        auc,
    };
    let pseudobulk = Array2::zeros((n, shape.1));
    let found = ranking(&association, &effects, pseudobulk.view(), &[false; CLUSTERS], &RankingParams::default());
    let p = found.expect("default parameters").iter().map(|c| c.p_family).fold(1.0, f64::min);
    Quoted { p, n_statistics: shape.0 * shape.1, n_orders: association.n_permutations }
}

/// The global p of neighbourhoods that vary together in three directions.
fn neighbourhoods(rng: &mut ChaCha8Rng, n: usize) -> Quoted {
    let n_cells = 200;
    let directions = Array2::from_shape_simple_fn((n, 3), || normal(rng));
    let abundance = Array2::from_shape_fn((n_cells, n), |(cell, lot)| {
        let along = (0..3).map(|k| directions[[lot, k]] * ((cell * (k + 2)) as f64 * 0.05).sin()).sum::<f64>();
        (1.0 + 0.1 * along + 0.05 * normal(rng)) as f32
    });
    let values: Vec<f64> = (0..n).map(|_| normal(rng)).collect();
    let found = Neighborhoods { abundance, kurtosis: vec![] };
    let names: Vec<String> = (0..n).map(|i| i.to_string()).collect();
    let observed = Observed { name: "readout", values: &values, weights: None, ranks_only: false };
    let params = NeighborhoodsParams { n_local: 99, ..Default::default() };
    let orders = AssociationParams { max_exact_lots: EXACT_LOTS, n_permutations: RANDOM, ..Default::default() };
    let batches: Vec<u32> = (0..n as u32).collect();
    let result = neighborhood_association(&found, observed, &Units::free(&names), &batches, &params, &orders, 1);
    let result = result.expect("enough lots");
    Quoted { p: result.p, n_statistics: result.tried.len(), n_orders: result.n_permutations }
}
