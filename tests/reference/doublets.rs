//! `doublets` against Scrublet: planted doublets must be told from cells as well.

use cqa::data::{CountsBuilder, Dataset, Genes, Lot, LotSheet, LotSource};
use cqa::steps::cells::{DoubletParams, doublets};

use crate::common::{fixture, numbers, shared_data, text};

/// The soupx cells followed by sums of pairs of them, as one lot.
fn with_planted() -> Option<(Dataset, usize)> {
    let text = text(&shared_data("soupx/pbmc_mtx/matrix.mtx.gz")?);
    let mut lines = text.lines().filter(|line| !line.starts_with('%')).map(|line| {
        let mut fields = line.split_whitespace().map(|field| field.parse::<usize>().unwrap());
        [(); 3].map(|()| fields.next().unwrap())
    });
    let [n_genes, n_cells, _] = lines.next().unwrap();
    let mut cells = vec![Vec::new(); n_cells];
    lines.for_each(|[gene, cell, count]| cells[cell - 1].push((gene as u32 - 1, count as u32)));
    let planted = fixture("doublets/planted.csv");
    for (a, b) in numbers(&planted, "a").into_iter().zip(numbers(&planted, "b")) {
        let pair = [cells[a as usize].as_slice(), cells[b as usize].as_slice()].concat();
        cells.push(pair);
    }
    let mut counts = CountsBuilder::new(n_genes);
    cells.iter_mut().for_each(|cell| counts.push_unsorted(cell));
    let names: Vec<String> = (0..n_genes).map(|gene| format!("g{gene}")).collect();
    let barcodes = (0..cells.len()).map(|cell| format!("c{cell}")).collect();
    let source = LotSource { lot: "soupx".into(), path: "soupx".into(), subset: None };
    let lot = Lot { name: "soupx".into(), barcodes, counts: counts.finish() };
    let genes = Genes::new(names.clone(), names).unwrap();
    Some((Dataset::new(genes, vec![lot], LotSheet { lots: vec![source], columns: Vec::new() }).unwrap(), n_cells))
}

/// Probability that a planted doublet scores above a cell, ties counting one half.
fn auc(scores: &[f32], n_cells: usize) -> f64 {
    let (cells, planted) = scores.split_at(n_cells);
    let above: f64 = planted
        .iter()
        .flat_map(|p| cells.iter().map(move |c| f64::from(u8::from(c < p)) + 0.5 * f64::from(u8::from(c == p))))
        .sum();
    above / (cells.len() * planted.len()) as f64
}

#[test]
fn planted_doublets_are_told_as_well_as_by_scrublet() {
    let Some((dataset, n_cells)) = with_planted() else { return };
    let frozen = text(&fixture("doublets/auc.csv"));
    let theirs: Vec<f64> = frozen
        .lines()
        .filter(|line| line.starts_with("scrublet,"))
        .map(|line| line.split(',').nth(2).unwrap().parse().unwrap())
        .collect();
    assert_eq!(theirs.len(), 3);
    let best = theirs.iter().copied().fold(0.0, f64::max);
    for seed in 0..3 {
        let done = doublets(&dataset, &DoubletParams::default(), seed).unwrap();
        let ours = auc(&done.score, n_cells);
        let found = done.called[n_cells..].iter().filter(|&&c| c).count();
        let others = done.called[..n_cells].iter().filter(|&&c| c).count();
        println!(
            "seed {seed}: AUC {ours:.4} ({theirs:?}), threshold {:?}, {found} of planted, {others} others",
            done.threshold
        );
        assert!(ours >= best, "{ours} against {theirs:?}");
        // Scrublet's own threshold finds 0.77 of them, and 0.64 to 0.68 of its calls are right (some of the others are doublets
        // of the lane). Ours is stricter, with 0.47 and 0.78 when this was written: its calls must be right as often as
        // Scrublet's best; the floor of recall only keeps it from sinking further.
        let (recall, precision) = (found as f64 / 220.0, found as f64 / (found + others) as f64);
        println!("recall {recall:.2}, precision {precision:.2}");
        assert!(recall >= 0.4 && precision >= 0.68, "recall {recall}, precision {precision}");
    }
}
