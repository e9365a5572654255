//! How often the family-wise p is at most 0.05 where there is nothing to find; run by `scripts/calibration_study`.
//!
//! `cargo run --release --example calibration_study -- [SETS]` prints one tab-separated line per condition: condition, lots,
//! statistics in the family, orders looked at, data sets, share of sets whose smallest family-wise p is at most 0.05.

use cqa::data::LotTable;
use cqa::math::design::Design;
use cqa::math::family::{Family, Readout, Tail};
use cqa::math::max_t::step_down;
use cqa::math::permutations::Orders;
use cqa::math::ranks::average_ranks;
use cqa::math::rng::stream;
use ndarray::Array2;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, StandardNormal};
use rayon::prelude::*;

/// Cells per lot.
const CELLS: u64 = 2_000;
/// Clusters of one resolution.
const CLUSTERS: usize = 8;
/// Random orders where not all are walked.
const RANDOM: u64 = 1_999;
/// Level.
const ALPHA: f64 = 0.05;
/// Clusters at each resolution that is looked at; each merges neighbours of the finest.
const RESOLUTIONS: [usize; 6] = [4, 6, 8, 12, 16, 20];

fn main() {
    let n_sets: u64 = std::env::args().nth(1).map_or(1_000, |text| text.parse().expect("a number of data sets"));
    println!("condition\tlots\tstatistics\torders\tsets\tshare_below_0.05");
    let conditions: [(&str, Condition); 11] = [
        ("no ties", |rng, n| one(rng, n, CLUSTERS, |_, y| y)),
        ("ties: a readout of four values", |rng, n| one(rng, n, CLUSTERS, |_, y| (y.clamp(-1.4, 1.4)).round())),
        ("ranks (Spearman), ties", ranks),
        ("one-sided", one_sided),
        ("blocks that shift share and readout", blocks),
        ("a covariate behind share and readout", covariate),
        ("resolution chosen by looking, family over all resolutions", |rng, n| resolutions(rng, n, true)),
        ("resolution chosen by looking, family of each alone (wrong)", |rng, n| resolutions(rng, n, false)),
        ("three readouts that go together, two with missing lots", gaps),
        ("donors of two lots, averaged", |rng, n| donors(rng, n, true)),
        ("donors of two lots, counted as lots (wrong)", |rng, n| donors(rng, n, false)),
    ];
    for (name, families) in conditions {
        for (n, exact) in [(9, true), (11, false)] {
            run(name, families, n, exact, n_sets);
        }
    }
}

/// Draws the families of one data set; the smallest p over all of them is what a reader would quote.
type Condition = fn(&mut ChaCha8Rng, usize) -> Vec<Family>;

fn run(name: &str, families: Condition, n: usize, exact: bool, n_sets: u64) {
    let drawn = |set: u64| families(&mut stream(7, name, set * 100 + n as u64), n);
    let orders = |family: &Family, set: u64| {
        let few = Orders::All.count(family) <= 400_000;
        if exact || few { Orders::All } else { Orders::Random { n: RANDOM, seed: set } }
    };
    let called = |set: &u64| {
        let smallest = |family: &Family| step_down(family, orders(family, *set)).family.into_iter().fold(1.0, f64::min);
        drawn(*set).iter().map(smallest).fold(1.0, f64::min) <= ALPHA
    };
    let n_called = (0..n_sets).into_par_iter().filter(called).count();
    let first = drawn(0);
    let n_statistics: usize = first.iter().map(Family::n_columns).sum();
    let n_orders = orders(&first[0], 0).count(&first[0]);
    println!("{name}\t{n}\t{n_statistics}\t{n_orders}\t{n_sets}\t{:.4}", n_called as f64 / n_sets as f64);
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Shares of clusters, lots × clusters, as cells counted; `shift` moves the first half of them up on the logit scale.
fn shares(rng: &mut ChaCha8Rng, shift: &[f64], n_clusters: usize) -> Vec<Vec<f64>> {
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
    let table = LotTable::new(names(shift.len()), names(n_clusters), table);
    (0..n_clusters).map(|k| table.column(k).to_vec()).collect()
}

fn even(values: &[f64]) -> Readout<'_> {
    Readout { values, weights: None }
}

fn one(rng: &mut ChaCha8Rng, n: usize, k: usize, change: fn(&mut ChaCha8Rng, f64) -> f64) -> Vec<Family> {
    let columns = shares(rng, &vec![0.0; n], k);
    let readout: Vec<f64> = (0..n)
        .map(|_| {
            let y = normal(rng);
            change(rng, y)
        })
        .collect();
    vec![Family::new(&columns, &readout)]
}

fn ranks(rng: &mut ChaCha8Rng, n: usize) -> Vec<Family> {
    let columns: Vec<Vec<f64>> = shares(rng, &vec![0.0; n], CLUSTERS).iter().map(|c| average_ranks(c)).collect();
    let readout: Vec<f64> = (0..n).map(|_| (2.0 * normal(rng)).round()).collect();
    vec![Family::new(&columns, &average_ranks(&readout))]
}

fn one_sided(rng: &mut ChaCha8Rng, n: usize) -> Vec<Family> {
    let columns = shares(rng, &vec![0.0; n], CLUSTERS);
    let readout: Vec<f64> = (0..n).map(|_| normal(rng).exp()).collect();
    vec![Family::of_columns(&columns, even(&readout), &Design::free(n), Tail::Upper)]
}

fn blocks(rng: &mut ChaCha8Rng, n: usize) -> Vec<Family> {
    let of_lot: Vec<usize> = (0..n).map(|lot| lot * 3 / n).collect();
    let effect: Vec<f64> = (0..3).map(|_| 1.5 * normal(rng)).collect();
    let shift: Vec<f64> = of_lot.iter().map(|&block| effect[block]).collect();
    let columns = shares(rng, &shift, CLUSTERS);
    let readout: Vec<f64> = shift.iter().map(|shift| shift + normal(rng)).collect();
    let design = Design::new(&of_lot, &vec![0; n], &[]);
    vec![Family::of_columns(&columns, even(&readout), &design, Tail::Both)]
}

fn covariate(rng: &mut ChaCha8Rng, n: usize) -> Vec<Family> {
    let shift: Vec<f64> = (0..n).map(|_| normal(rng)).collect();
    let columns = shares(rng, &shift, CLUSTERS);
    let readout: Vec<f64> = shift.iter().map(|shift| shift + normal(rng)).collect();
    let design = Design::new(&vec![0; n], &vec![0; n], &[shift]);
    vec![Family::of_columns(&columns, even(&readout), &design, Tail::Both)]
}

fn resolutions(rng: &mut ChaCha8Rng, n: usize, together: bool) -> Vec<Family> {
    let finest = *RESOLUTIONS.last().expect("there are some");
    let fine = shares(rng, &vec![0.0; n], finest);
    let merged = |coarse: usize| -> Vec<Vec<f64>> {
        let of = |k: usize| (0..finest).filter(move |f| f * coarse / finest == k);
        (0..coarse).map(|k| (0..n).map(|lot| of(k).map(|f| fine[f][lot]).sum()).collect()).collect()
    };
    let readout: Vec<f64> = (0..n).map(|_| normal(rng)).collect();
    let each: Vec<Vec<Vec<f64>>> = RESOLUTIONS.iter().map(|&coarse| merged(coarse)).collect();
    if together {
        vec![Family::new(&each.concat(), &readout)]
    } else {
        each.iter().map(|columns| Family::new(columns, &readout)).collect()
    }
}

fn gaps(rng: &mut ChaCha8Rng, n: usize) -> Vec<Family> {
    let columns = shares(rng, &vec![0.0; n], CLUSTERS);
    let common: Vec<f64> = (0..n).map(|_| normal(rng)).collect();
    let mut readouts: Vec<Vec<f64>> = (0..3).map(|_| common.iter().map(|c| c + 0.7 * normal(rng)).collect()).collect();
    for (readout, n_missing) in readouts.iter_mut().zip([0, 1, 2]) {
        for _ in 0..n_missing {
            readout[rng.random_range(0..n)] = f64::NAN;
        }
    }
    let pairs: Vec<(usize, usize)> = (0..CLUSTERS).flat_map(|k| (0..3).map(move |r| (k, r))).collect();
    let readouts: Vec<Readout<'_>> = readouts.iter().map(|r| even(r)).collect();
    vec![Family::of_pairs(&columns, &readouts, &pairs, &Design::free(n), Tail::Both)]
}

/// `n` donors, of which every second gave two lots that resemble each other; the readout is the donor's.
fn donors(rng: &mut ChaCha8Rng, n: usize, averaged: bool) -> Vec<Family> {
    // As many lots as the other conditions have, from fewer donors, where lots are counted.
    let n_donors = if averaged { n } else { n.div_ceil(2) };
    let of_lot: Vec<usize> = if averaged {
        (0..n_donors).flat_map(|d| vec![d; 1 + d % 2]).collect()
    } else {
        (0..n).map(|lot| lot / 2).collect()
    };
    let donor: Vec<f64> = (0..n_donors).map(|_| normal(rng)).collect();
    let shift: Vec<f64> = of_lot.iter().map(|&d| donor[d]).collect();
    let columns = shares(rng, &shift, CLUSTERS);
    let readout: Vec<f64> = (0..n_donors).map(|_| normal(rng)).collect();
    if !averaged {
        let readout: Vec<f64> = of_lot.iter().map(|&d| readout[d]).collect();
        return vec![Family::new(&columns, &readout)];
    }
    let mean = |column: &Vec<f64>| -> Vec<f64> {
        (0..n_donors)
            .map(|d| {
                let lots: Vec<f64> = (0..of_lot.len()).filter(|&l| of_lot[l] == d).map(|l| column[l]).collect();
                lots.iter().sum::<f64>() / lots.len() as f64
            })
            .collect()
    };
    let columns: Vec<Vec<f64>> = columns.iter().map(mean).collect();
    vec![Family::new(&columns, &readout)]
}
