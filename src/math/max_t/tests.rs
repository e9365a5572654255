use super::*;
use rand::RngExt;

use crate::math::design::Design;
use crate::math::family::Readout;
use crate::math::ranks::average_ranks;
use crate::math::smallest_p::smallest_p;

/// All orders by plain recursion.
fn all_orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = all_orders(n - 1);
    let insert = |order: &Vec<usize>, at| {
        let mut order = order.clone();
        order.insert(at, n - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..n).map(move |at| insert(order, at))).collect()
}

/// |r| of every column under every order, each computed from scratch.
fn strengths(columns: &[Vec<f64>], readout: &[f64]) -> Vec<Vec<f64>> {
    let under = |order: Vec<usize>| {
        let y: Vec<f64> = order.iter().map(|&i| readout[i]).collect();
        let r = |column: &Vec<f64>| crate::math::correlation::pearson(column, &y);
        columns.iter().map(r).map(|r| if r.is_nan() { 0.0 } else { r.abs() }).collect()
    };
    all_orders(readout.len()).into_iter().map(under).collect()
}

fn brute_force(columns: &[Vec<f64>], readout: &[f64]) -> StepDown {
    let all = strengths(columns, readout);
    let identity: Vec<usize> = (0..readout.len()).collect();
    let given = all_orders(readout.len()).iter().position(|o| *o == identity).unwrap();
    let share = |count: usize| count as f64 / all.len() as f64;
    let alone = (0..columns.len()).map(|k| share(all.iter().filter(|s| s[k] >= all[given][k] - 1e-9).count()));
    let joint = |k: usize| {
        let weaker: Vec<usize> = (0..columns.len()).filter(|&j| all[given][j] <= all[given][k] + 1e-12).collect();
        let max = |s: &Vec<f64>| weaker.iter().map(|&j| s[j]).fold(0.0, f64::max);
        share(all.iter().filter(|s| max(s) >= all[given][k] - 1e-9).count())
    };
    let family = (0..columns.len())
        .map(|k| (0..columns.len()).filter(|&j| all[given][j] >= all[given][k]).map(joint).fold(0.0, f64::max));
    StepDown { alone: alone.collect(), family: family.collect() }
}

fn random_case(seed: u64, n: usize, n_columns: usize, tied: bool) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut rng = crate::math::rng::stream(seed, "test", n as u64);
    let mut column = || -> Vec<f64> {
        let value = |x: f64| if tied { (x * 3.0).floor() } else { x };
        (0..n).map(|_| value(rng.random::<f64>())).collect()
    };
    ((0..n_columns).map(|_| column()).collect(), column())
}

#[test]
fn equals_brute_force_with_and_without_ties() {
    for (seed, n) in [(1, 3), (2, 4), (3, 5), (4, 6), (5, 7), (6, 8)] {
        for tied in [false, true] {
            let (mut columns, readout) = random_case(seed, n, 4, tied);
            columns.push(vec![0.3; n]);
            let (p, expected) =
                (step_down(&Family::new(&columns, &readout), Orders::All), brute_force(&columns, &readout));
            for k in 0..columns.len() {
                assert!((p.alone[k] - expected.alone[k]).abs() < 1e-12, "{n} {tied} {k}: {p:?} {expected:?}");
                assert!((p.family[k] - expected.family[k]).abs() < 1e-12, "{n} {tied} {k}: {p:?} {expected:?}");
            }
            assert_eq!((p.alone[4], p.family[4]), (1.0, 1.0), "a constant column");
        }
    }
}

#[test]
fn weighted_maximum_equals_brute_force() {
    let (columns, readout) = random_case(9, 6, 3, false);
    let weights = [0.2, 1.0, 0.0];
    let all = strengths(&columns, &readout);
    let max = |s: &Vec<f64>| s.iter().zip(weights).map(|(s, w)| s * w).fold(0.0, f64::max);
    let scores = [max(&all[17]), 0.0, 0.35, 2.0, max(&all[17])];
    let p = weighted_max(&Family::new(&columns, &readout), Orders::All, &weights, &scores);
    for (p, score) in p.iter().zip(scores) {
        let expected = all.iter().filter(|s| max(s) >= score - 1e-9).count() as f64 / all.len() as f64;
        assert!((p - expected).abs() < 1e-12, "{score}: {p} {expected}");
    }
    assert_eq!(p[3], 0.0);
}

#[test]
fn random_orders_come_near_all_orders() {
    let (columns, readout) = random_case(10, 8, 3, false);
    let family = Family::new(&columns, &readout);
    let exact = step_down(&family, Orders::All);
    let random = step_down(&family, Orders::Random { n: 40_000, seed: 1 });
    for k in 0..3 {
        assert!((exact.alone[k] - random.alone[k]).abs() < 0.01, "{exact:?} {random:?}");
        assert!((exact.family[k] - random.family[k]).abs() < 0.01, "{exact:?} {random:?}");
    }
}

#[test]
fn a_perfect_column_reaches_the_smallest_p() {
    let readout = [0.0, 1.0, 3.0, 10.0, 11.0, 40.0];
    let column = readout.map(|v| 2.0 * v - 7.0).to_vec();
    let p = step_down(&Family::new(std::slice::from_ref(&column), &readout), Orders::All);
    assert_eq!(p.alone[0], 1.0 / 720.0);
    assert!((p.alone[0] - smallest_p(&Family::new(std::slice::from_ref(&column), &readout))).abs() < 1e-15);
    // With random orders it is (0 + 1) / (m + 1) unless one of them hits the only best order.
    let p = step_down(&Family::new(&[column], &readout), Orders::Random { n: 99, seed: 3 });
    assert!(p.alone[0] >= 0.01 && p.alone[0] <= 0.04, "{p:?}");
}

#[test]
fn same_for_one_and_two_threads() {
    let (columns, readout) = random_case(11, 9, 5, false);
    let family = Family::new(&columns, &readout);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| step_down(&family, Orders::All))
    };
    assert_eq!(run(1), run(2));
}
/// Correlation of a pair under an order of the rows of the readouts, each computed from scratch by its definition.
fn directly(x: &[f64], readout: Readout<'_>, design: (&[usize], &[Vec<f64>]), order: &[usize]) -> f64 {
    let (blocks, covariates) = design;
    let n = x.len();
    if !covariates.is_empty() {
        // Residuals of the readout, in the new order, against the column, both freed from the covariates by least squares.
        let free = Design::new(blocks, &vec![0; n], covariates);
        let Some(residuals) = free.adjust(readout.values) else { return 0.0 };
        let moved: Vec<f64> = order.iter().map(|&from| residuals[from]).collect();
        return match (free.adjust(x), free.adjust(&moved)) {
            (Some(x), Some(y)) => x.iter().zip(&y).map(|(a, b)| a * b).sum(),
            _ => 0.0,
        };
    }
    let y: Vec<f64> = order.iter().map(|&from| readout.values[from]).collect();
    let w: Vec<f64> = order.iter().map(|&from| readout.weights.map_or(1.0, |w| w[from])).collect();
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for block in 0..=blocks.iter().copied().max().unwrap_or(0) {
        let at: Vec<usize> = (0..n).filter(|&i| blocks[i] == block && !y[i].is_nan() && w[i] > 0.0).collect();
        let total: f64 = at.iter().map(|&i| w[i]).sum();
        let mean = |v: &[f64]| at.iter().map(|&i| w[i] * v[i]).sum::<f64>() / total;
        let (mx, my) = (mean(x), mean(&y));
        for &i in &at {
            xy += w[i] * (x[i] - mx) * (y[i] - my);
            xx += w[i] * (x[i] - mx).powi(2);
            yy += w[i] * (y[i] - my).powi(2);
        }
    }
    if xx < 1e-12 || yy < 1e-12 { 0.0 } else { xy / (xx * yy).sqrt() }
}

/// Step-down p over every admissible order, from correlations computed one by one.
fn by_definition(
    columns: &[Vec<f64>],
    readouts: &[Readout<'_>],
    design: (&[usize], &[usize], &[Vec<f64>]),
    tail: Tail,
) -> StepDown {
    let (blocks, strata, covariates) = design;
    let n = blocks.len();
    let strength = |r: f64| match tail {
        Tail::Both => r.abs(),
        Tail::Upper => r,
        Tail::Lower => -r,
    };
    let admissible = |order: &Vec<usize>| {
        order.iter().enumerate().all(|(at, &from)| blocks[at] == blocks[from] && strata[at] == strata[from])
    };
    let all: Vec<Vec<f64>> = all_orders(n)
        .into_iter()
        .filter(admissible)
        .map(|order| {
            let of_column = |x: &Vec<f64>| {
                let r = |readout: &Readout<'_>| strength(directly(x, *readout, (blocks, covariates), &order));
                readouts.iter().map(r).collect::<Vec<f64>>()
            };
            columns.iter().flat_map(of_column).collect()
        })
        .collect();
    let given: Vec<f64> = {
        let identity: Vec<usize> = (0..n).collect();
        let r = |x: &Vec<f64>, y: &Readout<'_>| strength(directly(x, *y, (blocks, covariates), &identity));
        columns.iter().flat_map(|x| readouts.iter().map(|y| r(x, y)).collect::<Vec<f64>>()).collect()
    };
    let given = &given;
    let share = |count: usize| count as f64 / all.len() as f64;
    let reaches = |s: f64, k: usize| s >= given[k] - 1e-8;
    let weaker = move |k: usize| (0..given.len()).filter(move |&j| given[j] <= given[k] + 1e-12);
    let joint = |k: usize| {
        let max = |s: &Vec<f64>| weaker(k).map(|j| s[j]).fold(f64::NEG_INFINITY, f64::max);
        share(all.iter().filter(|s| reaches(max(s), k)).count())
    };
    let stronger = move |k: usize| (0..given.len()).filter(move |&j| given[j] >= given[k]);
    StepDown {
        alone: (0..given.len()).map(|k| share(all.iter().filter(|s| reaches(s[k], k)).count())).collect(),
        family: (0..given.len()).map(|k| stronger(k).map(joint).fold(0.0, f64::max)).collect(),
    }
}

fn compare(columns: &[Vec<f64>], readouts: &[Readout<'_>], design: (&[usize], &[usize], &[Vec<f64>]), tail: Tail) {
    let pairs: Vec<(usize, usize)> =
        (0..columns.len()).flat_map(|k| (0..readouts.len()).map(move |r| (k, r))).collect();
    let family = Family::of_pairs(columns, readouts, &pairs, &Design::new(design.0, design.1, design.2), tail);
    let (ours, expected) = (step_down(&family, Orders::All), by_definition(columns, readouts, design, tail));
    for (k, pair) in pairs.iter().enumerate() {
        let told = format!("{tail:?} {design:?} pair {pair:?}: {ours:?} {expected:?}");
        assert!((ours.alone[k] - expected.alone[k]).abs() < 1e-12, "{told}");
        assert!((ours.family[k] - expected.family[k]).abs() < 1e-12, "{told}");
    }
}

const TAILS: [Tail; 3] = [Tail::Both, Tail::Upper, Tail::Lower];

#[test]
fn designs_equal_brute_force() {
    let free = [0; 7];
    for (seed, tied) in [(21, false), (22, true)] {
        let (columns, readout) = random_case(seed, 7, 3, tied);
        let (mut more, covariate) = random_case(seed + 10, 7, 1, false);
        let readout = [Readout { values: &readout, weights: None }];
        for tail in TAILS {
            compare(&columns, &readout, (&[0, 1, 0, 1, 2, 1, 2], &free, &[]), tail);
            compare(&columns, &readout, (&free, &[0, 0, 1, 1, 1, 0, 2], &[]), tail);
            compare(&columns, &readout, (&[0, 0, 0, 1, 1, 1, 1], &[0, 0, 0, 0, 0, 1, 1], &[]), tail);
            compare(&columns, &readout, (&free, &free, std::slice::from_ref(&covariate)), tail);
            compare(&columns, &readout, (&[0, 1, 0, 1, 0, 1, 0], &free, std::slice::from_ref(&covariate)), tail);
        }
        more.push(covariate);
        compare(&columns, &readout, (&free, &free, &more), Tail::Both);
    }
}

#[test]
fn ranks_with_ties_equal_brute_force() {
    let (columns, readout) = random_case(31, 8, 3, true);
    let columns: Vec<Vec<f64>> = columns.iter().map(|c| average_ranks(c)).collect();
    let readout = average_ranks(&readout);
    for tail in TAILS {
        compare(&columns, &[Readout { values: &readout, weights: None }], (&[0; 8], &[0; 8], &[]), tail);
    }
}

#[test]
fn several_readouts_with_gaps_and_weights_equal_brute_force() {
    for (seed, tied) in [(41, false), (42, true)] {
        let (columns, mut first) = random_case(seed, 7, 2, tied);
        let (mut others, mut last) = random_case(seed + 10, 7, 1, tied);
        let (weights, _) = random_case(seed + 20, 7, 1, false);
        // Two readouts with the same gap, one with another, one complete with weights.
        let second = others.remove(0);
        let same_gap: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a - 2.0 * b).collect();
        let mut same_gap = same_gap;
        first[2] = f64::NAN;
        same_gap[2] = f64::NAN;
        last[0] = f64::NAN;
        last[5] = f64::NAN;
        let even = |values| Readout { values, weights: None };
        let weighted = Readout { values: &second, weights: Some(&weights[0]) };
        let readouts = [even(&first), even(&same_gap), even(&last), weighted, even(&second)];
        for tail in TAILS {
            compare(&columns, &readouts, (&[0; 7], &[0; 7], &[]), tail);
            compare(&columns, &readouts, (&[0, 0, 0, 1, 1, 1, 1], &[0; 7], &[]), tail);
        }
    }
}

/// Orders that only exchange equal values are looked at once; p is the same as from all of them.
#[test]
fn few_distinct_orders_give_the_p_of_all() {
    let (columns, _) = random_case(51, 8, 3, false);
    let readout = [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    let family = Family::new(&columns, &readout);
    assert_eq!(Orders::All.count(&family), 56);
    compare(&columns, &[Readout { values: &readout, weights: None }], (&[0; 8], &[0; 8], &[]), Tail::Both);
    // Far beyond what could be walked: 24 lots in two groups.
    let columns = vec![(0..24).map(|i| f64::from(i) + f64::from(i % 5)).collect::<Vec<f64>>()];
    let readout: Vec<f64> = (0..24).map(|i| f64::from(i / 12)).collect();
    let family = Family::new(&columns, &readout);
    assert_eq!(Orders::All.count(&family), 2_704_156);
    assert_eq!(step_down(&family, Orders::All).alone, [2.0 / 2_704_156.0]);
}

#[test]
fn the_correlation_of_a_readout_with_gaps_is_that_of_its_lots() {
    let (columns, mut readout) = random_case(61, 9, 1, false);
    readout[3] = f64::NAN;
    readout[8] = f64::NAN;
    let kept = |values: &[f64]| [0, 1, 2, 4, 5, 6, 7].map(|i| values[i]);
    let expected = crate::math::correlation::pearson(&kept(&columns[0]), &kept(&readout));
    let family = |tail| {
        Family::of_columns(&columns, Readout { values: &readout, weights: None }, &Design::free(9), tail).correlations()
    };
    assert!(TAILS.iter().all(|&tail| (family(tail)[0] - expected).abs() < 1e-14));
}
