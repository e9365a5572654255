use rand::RngExt;

use super::*;
use crate::math::rng::stream;
use crate::steps::cells::tests_common::{dataset, from_vectors};
use crate::steps::cells::{NormalizeParams, normalize};

const N_GENES: usize = 300;

fn symbols() -> Vec<String> {
    let name = |gene| match gene {
        15 => "MT-CO1".to_string(),
        45 => "RPL3".to_string(),
        _ => format!("G{gene}"),
    };
    (0..N_GENES).map(name).collect()
}

/// Poisson-like counts; every 30th gene, from the 15th on, is high in every second cell and low in the others.
fn lot(seed: u64, n_cells: usize) -> Vec<Vec<u32>> {
    let mut rng = stream(seed, "hvg test", 0);
    (0..n_cells)
        .map(|cell| {
            (0..N_GENES)
                .map(|gene| {
                    let factor = match (gene % 30, cell % 2) {
                        (15, 0) => 1.95,
                        (15, _) => 0.05,
                        _ => 1.0,
                    };
                    let level = (1.0 + 0.02 * gene as f64) * factor;
                    (0..40).filter(|_| rng.random::<f64>() < level / 40.0).count() as u32
                })
                .collect()
        })
        .collect()
}

/// The genes of [`lot`] that vary, from the `first`-th on.
fn planted(first: u32) -> Vec<u32> {
    (first..10).map(|i| 30 * i + 15).collect()
}

fn run(lots: &[Vec<Vec<u32>>], params: &HvgParams) -> Result<Hvg> {
    let names = symbols();
    let data = from_vectors(lots, &names.iter().map(String::as_str).collect::<Vec<_>>());
    hvg(&data, &normalize(&data, &NormalizeParams::default()).unwrap(), params)
}

fn top(n: usize) -> HvgParams {
    HvgParams { n_top_genes: n, ..HvgParams::default() }
}

#[test]
fn planted_genes_are_found_by_both_flavors_with_and_without_lots() {
    let lots = [lot(1, 300), lot(2, 200), lot(3, 100)];
    for flavor in [HvgFlavor::SeuratV3, HvgFlavor::Seurat] {
        for per_lot in [true, false] {
            let result = run(&lots, &HvgParams { flavor, per_lot, ..top(10) }).unwrap();
            // The lowest of them is at the edge of what can be told.
            let n_found = planted(0).iter().filter(|gene| result.genes.contains(gene)).count();
            assert!(n_found >= 9, "{flavor:?}, per lot: {per_lot}: {n_found}");
            assert_eq!(result.n_lots[135], if per_lot { 3 } else { 1 });
            assert!(result.score.iter().all(|s| s.is_finite()));
        }
    }
}

#[test]
fn genes_can_be_kept_out_and_unknown_names_are_told() {
    let exclude = vec!["G75".to_string(), "NONE".to_string()];
    let params = HvgParams { exclude_mito: true, exclude_ribo: true, exclude, ..top(7) };
    let result = run(&[lot(1, 300)], &params).unwrap();
    assert_eq!(result.genes, planted(3));
    assert!(matches!(&result.warnings[..], [Warning::GenesNotFound { group, .. }] if group == "NONE"));
}

#[test]
fn tiny_and_degenerate_lots_have_no_vote() {
    let same = vec![vec![3; N_GENES]; 30];
    let mut one_gene = vec![vec![0; N_GENES]; 30];
    one_gene[0][5] = 1;
    for flavor in [HvgFlavor::SeuratV3, HvgFlavor::Seurat] {
        let lots = [lot(1, 300), lot(2, 5), vec![], same.clone(), one_gene.clone()];
        let result = run(&lots, &HvgParams { flavor, ..top(10) }).unwrap();
        assert_eq!(result.genes, planted(0));
        let left_out: Vec<&str> = result
            .warnings
            .iter()
            .map(|w| match w {
                Warning::LotLeftOut { lot, .. } => lot.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(left_out, ["l1", "l2", "l3", "l4"]);
        assert!(matches!(
            run(std::slice::from_ref(&same), &HvgParams { flavor, ..top(10) }),
            Err(Error::TooFew { .. })
        ));
    }
}

#[test]
fn small_lots_where_a_third_of_genes_share_a_mean_still_vote() {
    let sparse: Vec<Vec<u32>> = lot(4, 25).into_iter().map(|c| c.into_iter().map(|x| x / 3).collect()).collect();
    let result = run(&[sparse], &top(10)).unwrap();
    assert_eq!(result.warnings, []);
    assert!(result.score.iter().all(|s| s.is_finite()));
}

#[test]
fn more_genes_than_there_are_and_bad_parameters() {
    assert_eq!(run(&[lot(1, 50)], &top(1000)).unwrap().genes.len(), N_GENES);
    assert!(run(&[lot(1, 50)], &top(0)).is_err());
    for span in [0.0, 1.5, f64::NAN] {
        assert!(run(&[lot(1, 50)], &HvgParams { span, ..top(5) }).is_err());
    }
    let data = dataset(&[&[&[1, 2]]], &["A", "B"]);
    assert!(hvg(&data, &normalize(&data, &NormalizeParams::default()).unwrap(), &top(1)).is_err());
}

#[test]
fn a_choice_without_a_lot_is_that_of_the_other_lots() {
    let lots = [lot(1, 60), lot(2, 80), lot(3, 10), lot(4, 70)];
    for flavor in [HvgFlavor::SeuratV3, HvgFlavor::Seurat] {
        for per_lot in [true, false] {
            let params = HvgParams { flavor, per_lot, ..top(40) };
            let names = symbols();
            let data = from_vectors(&lots, &names.iter().map(String::as_str).collect::<Vec<_>>());
            let normalized = normalize(&data, &NormalizeParams::default()).unwrap();
            let votes = HvgVotes::new(&data, &normalized, &params).unwrap();
            for left_out in 0..4 {
                let keep: Vec<bool> = (0..4).map(|l| l != left_out).collect();
                let fewer = data.select_lots(&keep).unwrap();
                let normalized = normalize(&fewer, &NormalizeParams::default()).unwrap();
                assert_eq!(votes.choose(&[left_out]).unwrap(), hvg(&fewer, &normalized, &params).unwrap());
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let lots = [lot(1, 3000), lot(2, 2500)];
    for flavor in [HvgFlavor::SeuratV3, HvgFlavor::Seurat] {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(&lots, &HvgParams { flavor, ..top(50) }).unwrap())
        };
        assert_eq!(on(1), on(2));
    }
}
