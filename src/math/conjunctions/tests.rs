//! The search against looking at everything.

use super::*;
use crate::math::rng::stream;
use rand::RngExt;

/// Six segments, and columns of levels that go with the group in some features.
fn data(seed: u64, n_features: usize, n_levels: usize) -> (Vec<Vec<u8>>, Vec<Segment>) {
    let mut rng = stream(seed, "test", 0);
    let sizes = [9, 21, 5, 30, 12, 26];
    let mut segments = Vec::new();
    let mut end = 0;
    for (i, size) in sizes.iter().enumerate() {
        end += size;
        segments.push(Segment { end, weight: [7, 7, 10, 10, 4, 4][i], inside: i % 2 == 0 });
    }
    let columns = (0..n_features)
        .map(|feature| {
            let mut column = Vec::new();
            for (i, size) in sizes.iter().enumerate() {
                for _ in 0..*size {
                    let lift = if i % 2 == 0 && feature % 3 != 2 { n_levels / 3 } else { 0 };
                    column.push(rng.random_range(lift..n_levels) as u8);
                }
            }
            column
        })
        .collect();
    (columns, segments)
}

/// F1 of the best condition sets of `n` features, one entry per feature set, best first.
fn brute_force(items: &Items<'_>, n: usize, not_above: bool) -> Vec<f64> {
    let n_items = items.segments.last().unwrap().end;
    let of_item: Vec<(u64, bool)> = (0..n_items)
        .map(|i| items.segments.iter().find(|s| i < s.end).map(|s| (s.weight, s.inside)).unwrap())
        .collect();
    let group = of_item.iter().filter(|i| i.1).map(|i| i.0).sum();
    let conditions = |feature: usize| {
        let column = &items.columns[feature];
        let (low, high) = (*column.iter().min().unwrap(), *column.iter().max().unwrap());
        let sides: &[bool] = if not_above { &[true, false] } else { &[true] };
        let all = sides.iter().flat_map(move |&above| (low..high).map(move |level| (above, level)));
        all.map(|(above, level)| Condition { feature: feature as u32, above, level }).collect::<Vec<_>>()
    };
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..n {
        let next = |set: &Vec<usize>| -> Vec<Vec<usize>> {
            (set.last().map_or(0, |l| l + 1)..items.columns.len()).map(|f| [set.clone(), vec![f]].concat()).collect()
        };
        sets = sets.iter().flat_map(next).collect();
    }
    let mut out: Vec<f64> = sets
        .iter()
        .map(|set| {
            let mut all: Vec<Vec<Condition>> = vec![Vec::new()];
            for &feature in set {
                all = all
                    .iter()
                    .flat_map(|c| conditions(feature).into_iter().map(|x| [c.clone(), vec![x]].concat()))
                    .collect();
            }
            let value = |conditions: &Vec<Condition>| {
                let (mut inside, mut outside) = (0, 0);
                for (i, (weight, group)) in of_item.iter().enumerate() {
                    if conditions.iter().all(|c| c.holds(items.columns[c.feature as usize][i])) {
                        *(if *group { &mut inside } else { &mut outside }) += weight;
                    }
                }
                f1(inside, outside, group)
            };
            all.iter().map(value).fold(0.0, f64::max)
        })
        .collect();
    out.sort_by(|a, b| b.total_cmp(a));
    out
}

fn all(n: usize) -> Vec<u32> {
    (0..n as u32).collect()
}

#[test]
fn the_search_finds_what_looking_at_everything_finds() {
    for (seed, n_features, n_levels, n_conditions) in
        [(1, 6, 5, 1), (2, 6, 5, 2), (3, 9, 4, 2), (4, 6, 4, 3), (5, 7, 3, 3), (6, 5, 3, 4), (7, 6, 2, 4)]
    {
        for not_above in [true, false] {
            for n_best in [1, 4] {
                let (columns, segments) = data(seed, n_features, n_levels);
                let items = Items { columns: &columns, n_levels, segments };
                let features = all(n_features);
                let search = Search { features: &features, n_conditions, n_best, not_above, max_work: u64::MAX };
                let outcome = best_conjunctions(&items, search, &[]);
                let expected = brute_force(&items, n_conditions, not_above);
                let found: Vec<f64> = outcome.best.iter().map(|c| c.f1).collect();
                assert_eq!(found, expected[..n_best.min(expected.len())], "seed {seed}, low {not_above}");
                assert!((0..found.len()).all(|i| outcome.proven(i)));
                // A start changes the way, not the result.
                if n_conditions > 1 {
                    let fewer = Search { n_conditions: n_conditions - 1, ..search };
                    let start = best_conjunctions(&items, fewer, &[]).best;
                    let again: Vec<f64> = best_conjunctions(&items, search, &start).best.iter().map(|c| c.f1).collect();
                    assert_eq!(again, found);
                }
            }
        }
    }
}

#[test]
fn an_interrupted_search_says_how_much_is_left() {
    let (columns, segments) = data(3, 9, 4);
    let items = Items { columns: &columns, n_levels: 4, segments };
    let features = all(9);
    let search = Search { features: &features, n_conditions: 3, n_best: 1, not_above: true, max_work: 0 };
    let start = best_conjunctions(&items, Search { n_conditions: 2, max_work: u64::MAX, ..search }, &[]).best;
    let outcome = best_conjunctions(&items, search, &start);
    let truth = brute_force(&items, 3, true)[0];
    assert!(outcome.best[0].f1 <= truth && outcome.left >= truth, "{outcome:?} {truth}");
    assert!(!outcome.proven(0));
}

#[test]
fn segments_without_weight_take_no_part() {
    let (columns, mut segments) = data(5, 5, 3);
    segments[2].weight = 0;
    segments[3].weight = 0;
    let with = Items { columns: &columns, n_levels: 3, segments };
    let features = all(5);
    let search = Search { features: &features, n_conditions: 2, n_best: 1, not_above: true, max_work: u64::MAX };
    let expected = brute_force(&with, 2, true)[0];
    assert_eq!(best_conjunctions(&with, search, &[]).best[0].f1, expected);
}

#[test]
fn nothing_to_divide_gives_nothing() {
    let segments = vec![Segment { end: 2, weight: 1, inside: true }, Segment { end: 4, weight: 1, inside: false }];
    let flat = Items { columns: &[vec![1; 4], vec![0; 4]], n_levels: 2, segments };
    let search = Search { features: &[0, 1], n_conditions: 2, n_best: 3, not_above: true, max_work: u64::MAX };
    assert!(best_conjunctions(&flat, search, &[]).best.is_empty());
    assert!(best_conjunctions(&flat, Search { n_conditions: 1, ..search }, &[]).best.is_empty());
}

#[test]
fn threads_do_not_matter() {
    let (columns, segments) = data(8, 9, 5);
    let items = Items { columns: &columns, n_levels: 5, segments };
    let features = all(9);
    let search = Search { features: &features, n_conditions: 3, n_best: 3, not_above: true, max_work: u64::MAX };
    let on = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| best_conjunctions(&items, search, &[]))
    };
    assert_eq!(on(1), on(2));
}
