//! Times of the exact permutation test: `cargo bench --bench permutations [-- CASE]`.
//!
//! Prints one line per case, tab-separated: case, lots, statistics, orders, seconds (best of several), orders per second,
//! statistics per second. All on one thread. With `csv FILE` the numbers are read from a file (columns, then the readout
//! as the last column, no header), so that another program can time the same.

use std::time::Instant;

use cqa::math::design::Design;
use cqa::math::family::{Family, Readout, Tail};
use cqa::math::max_t::step_down;
use cqa::math::permutations::Orders;
use cqa::math::rng::stream;
use rand::RngExt;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    println!("case\tlots\tstatistics\torders\tseconds\torders_per_second\tstatistics_per_second\tp_family_of_first");
    pool.install(|| match args.as_slice() {
        [word, file] if word == "csv" => from_file(file),
        _ => all(&args),
    });
}

fn all(wanted: &[String]) {
    let case = |name: &str, repeats: usize, family: &dyn Fn() -> Family, orders: Orders| {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            time(name, repeats, &family(), orders);
        }
    };
    let (n9, n10, n11, n12, n13) = (9, 10, 11, 12, 13);
    case("free-10x8", 5, &|| plain(n10, 8), Orders::All);
    case("free-11x8", 5, &|| plain(n11, 8), Orders::All);
    case("free-11x80", 3, &|| plain(n11, 80), Orders::All);
    case("free-11x300", 1, &|| plain(n11, 300), Orders::All);
    case("free-12x8", 2, &|| plain(n12, 8), Orders::All);
    case("upper-11x8", 3, &|| drawn(n11, 8, &Design::free(n11), Tail::Upper), Orders::All);
    let covariate: Vec<f64> = values(n11, 99);
    let covariate = Design::new(&[0; 11], &[0; 11], &[covariate]);
    case("covariate-11x8", 3, &|| drawn(n11, 8, &covariate, Tail::Both), Orders::All);
    case("three-readouts-with-gaps-9x8", 3, &|| gaps(n9, 8), Orders::All);
    case("random-20x8", 3, &|| plain(20, 8), Orders::Random { n: 1_000_000, seed: 1 });
    // Over a minute: only when asked for.
    if wanted.iter().any(|w| w == "free-13x8") {
        time("free-13x8", 1, &plain(n13, 8), Orders::All);
    }
}

fn values(n: usize, item: u64) -> Vec<f64> {
    let mut rng = stream(1, "bench", item);
    (0..n).map(|_| rng.random::<f64>()).collect()
}

fn plain(n: usize, n_columns: u64) -> Family {
    drawn(n, n_columns, &Design::free(n), Tail::Both)
}

fn drawn(n: usize, n_columns: u64, design: &Design, tail: Tail) -> Family {
    let columns: Vec<Vec<f64>> = (0..n_columns).map(|k| values(n, k + 1)).collect();
    Family::of_columns(&columns, Readout { values: &values(n, 0), weights: None }, design, tail)
}

fn gaps(n: usize, n_columns: u64) -> Family {
    let columns: Vec<Vec<f64>> = (0..n_columns).map(|k| values(n, k + 1)).collect();
    let mut readouts: Vec<Vec<f64>> = (0..3).map(|k| values(n, 1_000 + k)).collect();
    readouts[1][2] = f64::NAN;
    readouts[2][0] = f64::NAN;
    let readouts: Vec<Readout<'_>> = readouts.iter().map(|r| Readout { values: r, weights: None }).collect();
    let pairs: Vec<(usize, usize)> = (0..columns.len()).flat_map(|k| (0..3).map(move |r| (k, r))).collect();
    Family::of_pairs(&columns, &readouts, &pairs, &Design::free(n), Tail::Both)
}

fn time(name: &str, repeats: usize, family: &Family, orders: Orders) {
    let mut best = f64::INFINITY;
    let mut p = f64::NAN;
    for _ in 0..repeats {
        let start = Instant::now();
        p = step_down(family, orders).family[0];
        best = best.min(start.elapsed().as_secs_f64());
    }
    let (n_orders, n_columns) = (orders.count(family) as f64, family.n_columns());
    println!(
        "{name}\t{}\t{n_columns}\t{n_orders}\t{best:.4}\t{:.3e}\t{:.3e}\t{p:.10}",
        family.n(),
        n_orders / best,
        n_orders * n_columns as f64 / best
    );
}

fn from_file(file: &str) {
    let text = std::fs::read_to_string(file).expect("a readable file");
    let number = |field: &str| field.trim().parse::<f64>().expect("numbers between commas");
    let rows: Vec<Vec<f64>> =
        text.lines().filter(|l| !l.is_empty()).map(|l| l.split(',').map(number).collect()).collect();
    let n_columns = rows[0].len() - 1;
    let column = |k: usize| rows.iter().map(|row| row[k]).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = (0..n_columns).map(column).collect();
    time(file, 3, &Family::new(&columns, &column(n_columns)), Orders::All);
}
