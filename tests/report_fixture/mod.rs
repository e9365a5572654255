//! A run made by hand: enough of an analysis to draw every figure and write every section of the report.
#![allow(missing_docs)]

mod again;

use cqa::Warning;
use cqa::data::{Genes, LotSheet, LotSource, Readout, ReadoutSource, SheetColumn};
use cqa::pipeline::{Analysis, Cells, ClusterSummary, Excluded, Params, Ranked};
use cqa::steps::cells::{CellMetrics, LotQc, Phase};
use cqa::steps::clusters::ResolutionRow;
use cqa::steps::lots::{
    AssociationRow, CompositionParams, ConfoundingParams, Covariate, CovariateValues, DeviationParams, Neighborhoods,
    Observed, Pseudobulk, Units, VerdictParams, association, composition, confounding, deviation, influence,
    neighborhood_association, verdicts,
};
use cqa::steps::markers::{Candidate, Effects, EffectsParams, MarkerExpression, measurability};
use cqa::warning::Proliferative;
use ndarray::Array2;

pub const N_CLUSTERS: usize = 8;
const N_GENES: usize = 60;

/// Numbers between 0 and 1 that look random: the same in every run and on every machine.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Roughly normal, mean 0, standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

pub fn lot_names(n_lots: usize, long: bool) -> Vec<String> {
    (0..n_lots)
        .map(|i| match (i, long) {
            (_, true) => format!("BM-MSC donor {:02} passage 4 harvest <B&{i}>", i + 1),
            (2, false) => "L<03>&\"c\"".to_string(),
            _ => format!("L{:02}", i + 1),
        })
        .collect()
}

pub fn analysis(n_lots: usize, cells_per_lot: usize, long_names: bool) -> Analysis {
    let lots = lot_names(n_lots, long_names);
    let mut noise = Noise::new(7);
    let (mut cells, potent) = cells(n_lots, cells_per_lot, &mut noise);
    let params = CompositionParams::default();
    let composition = composition(&cells.cluster, N_CLUSTERS, &cells.lot, &lots, &params).expect("default parameters");
    let n = cells.cluster.len();
    for i in 0..n {
        let cycling = cells.cluster[i] == 4 && noise.next() < 0.8 || noise.next() < 0.08;
        cells.cycling.push(cycling);
        cells.phase.push(if !cycling {
            Phase::G1
        } else if i % 2 == 0 {
            Phase::S
        } else {
            Phase::G2M
        });
    }
    let readout = potent.iter().map(|p| format!("{:.1}", 100.0 + 900.0 * p + 18.0 * noise.normal())).collect();
    let mut viability: Vec<String> = (0..n_lots).map(|_| format!("{:.1}", 92.0 + noise.normal())).collect();
    viability[1] = String::new();
    let qc = lots.iter().map(|lot| lot_qc(lot, cells_per_lot, &mut noise)).collect();
    let effects = effects(n_lots, &mut noise);
    let space = cells.umap.clone().expect("made above");
    Analysis {
        params: Params::default(),
        sheet: LotSheet {
            lots: lots.iter().map(|lot| LotSource { lot: lot.clone(), path: "lots".into(), subset: None }).collect(),
            columns: vec![
                SheetColumn { name: "vegf_ischemia".into(), values: readout },
                SheetColumn { name: "viability".into(), values: viability },
            ],
        },
        genes: genes(),
        qc,
        excluded: (0..37)
            .map(|i| Excluded {
                lot: lots[i % n_lots].clone(),
                barcode: format!("ACGT{i}"),
                reason: ["low_counts", "high_mito", "low_counts+low_genes"][i % 3].into(),
            })
            .collect(),
        resolution: [0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0]
            .iter()
            .enumerate()
            .map(|(i, &resolution)| ResolutionRow {
                resolution,
                n_clusters: 3 + 2 * i + i / 4,
                n_stable: 3 + i,
                quality: 0.85 - 0.04 * i as f64,
                stability: [0.99, 0.95, 0.93, 0.96, 0.9, 0.84, 0.7, 0.62][i],
                worth: [0.4, 0.7, 0.9, 1.1, 0.8, -0.2, -1.9, -3.5][i],
                chosen: i == 3,
            })
            .collect(),
        clusters: (0..N_CLUSTERS)
            .map(|k| ClusterSummary {
                n_cells: composition.n_cells.column(k).sum() as usize,
                effective_lots: composition.effective_lots[k],
                share_cycling: if k == 4 { 0.81 } else { 0.08 },
                proliferative: k == 4,
            })
            .collect(),
        pseudobulk: Pseudobulk {
            all: Array2::from_elem((n_lots, N_GENES), 10),
            clusters: vec![Array2::from_elem((n_lots, N_GENES), 1); N_CLUSTERS],
            n_cells: composition.n_cells.clone(),
            min_cells: 10,
        },
        leave_one_out: Some(again::leave_one_out(&composition, &effects)),
        wilcoxon: (0..N_CLUSTERS).map(|k| vec![3.0; effects.top(k, &EffectsParams::default()).len()]).collect(),
        marker_expression: expression(cells.cluster.len()),
        effects,
        deviation: deviation(&composition, space.view(), &cells.lot, &DeviationParams::default(), 1)
            .expect("default parameters")
            .rows,
        neighborhoods: Some(neighborhoods_by_hand(&cells, n_lots)),
        readouts: Vec::new(),
        specifications: again::specifications(&composition),
        composition,
        cells,
        warnings: vec![
            Warning::LotLosesCells { lot: lots[2].clone(), n_read: cells_per_lot, n_kept: cells_per_lot / 3 },
            Warning::ProliferativeCluster(Proliferative { cluster: 4, share_cycling: 0.81 }),
        ],
    }
}

fn cells(n_lots: usize, cells_per_lot: usize, noise: &mut Noise) -> (Cells, Vec<f64>) {
    let mut cells = Cells {
        lot: Vec::new(),
        barcode: Vec::new(),
        metrics: CellMetrics::default(),
        doublet_score: Vec::new(),
        doublet: Vec::new(),
        s_score: Vec::new(),
        g2m_score: Vec::new(),
        phase: Vec::new(),
        cycling: Vec::new(),
        cluster: Vec::new(),
        umap: None,
    };
    let mut layout = Vec::new();
    let mut potent = Vec::new();
    for lot in 0..n_lots {
        let weights: Vec<f64> = (0..N_CLUSTERS).map(|k| (0.5 + noise.next()) / (k as f64 + 1.5)).collect();
        let total: f64 = weights.iter().sum();
        potent.push(weights[3] / total);
        for cell in 0..cells_per_lot {
            let mut u = noise.next() * total;
            let cluster = weights.iter().position(|w| {
                u -= w;
                u < 0.0
            });
            let cluster = cluster.unwrap_or(0);
            let angle = cluster as f64 * std::f64::consts::TAU / N_CLUSTERS as f64;
            let bend = noise.normal();
            layout.push((5.0 * angle.cos() + 1.1 * bend) as f32);
            layout.push((4.0 * angle.sin() + 0.5 * bend * bend + 0.6 * noise.normal()) as f32);
            cells.lot.push(lot as u32);
            cells.barcode.push(format!("CELL{lot}-{cell}"));
            cells.cluster.push(cluster as u32);
            cells.metrics.n_counts.push(20_000 + (8000.0 * noise.next()) as u32);
            cells.metrics.n_genes.push(4000);
            cells.metrics.pct_mito.push(3.0);
            cells.metrics.pct_ribo.push(20.0);
            cells.metrics.pct_top_50.push(30.0);
            cells.doublet_score.push(0.1);
            cells.doublet.push(false);
            cells.s_score.push(0.0);
            cells.g2m_score.push(0.0);
        }
    }
    cells.umap = Some(Array2::from_shape_vec((cells.cluster.len(), 2), layout).expect("two per cell"));
    (cells, potent)
}

/// Every gene in every cell: more in one cluster's turn of cells than in another's.
fn expression(n_cells: usize) -> MarkerExpression {
    MarkerExpression {
        cells: (0..n_cells as u32).collect(),
        genes: (0..N_GENES as u32).collect(),
        level: Array2::from_shape_fn((N_GENES, n_cells), |(gene, cell)| ((gene * 7 + cell * 13) % 90) as u8),
    }
}

/// Around each cell, as much of a lot as lies in the cell's cluster.
fn neighborhoods_by_hand(cells: &Cells, n_lots: usize) -> Neighborhoods {
    let mut share = Array2::<f32>::zeros((N_CLUSTERS, n_lots));
    for (&cluster, &lot) in cells.cluster.iter().zip(&cells.lot) {
        share[[cluster as usize, lot as usize]] += 1.0;
    }
    let abundance = Array2::from_shape_fn((cells.cluster.len(), n_lots), |(cell, lot)| {
        let k = cells.cluster[cell] as usize;
        share[[k, lot]] + 0.2 * ((cell * 7 + lot * 13) % 10) as f32
    });
    Neighborhoods { abundance, kurtosis: vec![1.2, 0.8, 0.5] }
}

fn lot_qc(lot: &str, cells_per_lot: usize, noise: &mut Noise) -> LotQc {
    LotQc {
        lot: lot.to_string(),
        n_cells_read: cells_per_lot + 50,
        n_cells_kept: cells_per_lot,
        median_counts: 28_000.0 + 500.0 * noise.normal(),
        median_genes: 4_400.0,
        median_pct_mito: 3.1,
        n_doublets: 12,
        limit_counts: 9_000.0,
        limit_genes: 1_900.0,
        limit_pct_mito: 7.4,
    }
}

fn genes() -> Genes {
    let known = ["LRRC75A", "VEGFA", "<b>FAKE&1</b>", "MKI67", "TOP2A", "COL1A1", "HLA-DRA", "ENSG00000288702"];
    let symbols: Vec<String> =
        (0..N_GENES).map(|i| known.get(i).map_or_else(|| format!("GENE{i}"), |s| s.to_string())).collect();
    Genes::new((0..N_GENES).map(|i| format!("ENSG{i:011}")).collect(), symbols).expect("unique ids")
}

fn effects(n_lots: usize, noise: &mut Noise) -> Effects {
    let shape = (N_CLUSTERS, N_GENES);
    let own = |k: usize, g: usize| g % N_CLUSTERS == (k + 5) % N_CLUSTERS;
    let mut draw = |up: f64, down: f64, spread: f64| {
        Array2::from_shape_fn(shape, |(k, g)| {
            ((if own(k, g) { up } else { down }) + spread * (noise.next() - 0.5)) as f32
        })
    };
    let (auc, log2_fc) = (draw(0.8, 0.48, 0.25), draw(1.6, -0.1, 0.9));
    let (share_in, share_out) = (draw(0.8, 0.25, 0.3), draw(0.2, 0.25, 0.2));
    Effects {
        auc,
        log2_fc,
        share_in,
        share_out,
        n_lots: vec![n_lots as u32; N_CLUSTERS],
        n_lots_up: Array2::from_shape_fn(shape, |(k, g)| if own(k, g) { n_lots as u16 } else { 4 }),
    }
}

/// Cluster shares against a readout of the sheet.
pub fn ranked(analysis: &Analysis, readout: &str) -> Ranked {
    let values = analysis.sheet.column(readout).and_then(SheetColumn::numbers).expect("a numeric column");
    let table = analysis.composition.transformed(analysis.params.composition.transform);
    let params = &analysis.params.association;
    let associate = |values: &[f64]| association(&table, readout, values, params, 1);
    let association = associate(&values).expect("enough lots");
    let influence = influence(&table, &association, associate);
    let stability = again::stability_of(analysis, &association, &values);
    let sensitivity = again::sensitivity_of(analysis, &association, &values);
    let mut candidates: Vec<Candidate> = (0..N_GENES).map(|g| candidate(analysis, &association.rows, g)).collect();
    for candidate in &mut candidates {
        candidate.loo_top20 = stability.as_ref().map(|s| s.n_top(candidate.gene));
    }
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.gene.cmp(&b.gene)));
    let verdicts = verdicts(
        &association,
        &influence,
        stability.as_ref().map(|s| s.clusters.as_slice()),
        &VerdictParams::default(),
    )
    .expect("default parameters");
    let (readout, units) = (Readout::new(readout, ReadoutSource::Sheet, values), Units::free(&table.lots));
    let observed = Observed { name: &readout.name, values: &readout.values, weights: None, ranks_only: false };
    let neighborhoods = analysis.neighborhoods.as_ref().map(|found| {
        let batches: Vec<u32> = (0..readout.values.len() as u32).collect();
        let own = &analysis.params.neighborhoods;
        neighborhood_association(found, observed, &units, &batches, own, params, 1).expect("enough lots")
    });
    let viability = analysis.sheet.columns[1].numbers().expect("numbers");
    let covariates =
        [("median_counts", analysis.qc.iter().map(|lot| lot.median_counts).collect()), ("viability", viability)]
            .map(|(name, values)| Covariate { name: name.into(), values: CovariateValues::Numbers(values) });
    let own = ConfoundingParams::default();
    let confounding =
        confounding(&covariates, &table, observed, &units, &own, params, 1).expect("default parameters").rows;
    let of_gene = measurability(&analysis.genes);
    let measurability = candidates.iter().map(|c| of_gene[c.gene as usize].clone()).collect();
    Ranked {
        asked: params.clone(),
        readout,
        units,
        groups: None,
        influence,
        association,
        verdicts,
        stability,
        sensitivity,
        confounding,
        neighborhoods,
        candidates,
        measurability,
    }
}

fn candidate(analysis: &Analysis, rows: &[AssociationRow], gene: usize) -> Candidate {
    let effects = &analysis.effects;
    let score = |k: usize| rows[k].r.abs() * (2.0 * f64::from(effects.auc[[k, gene]]) - 1.0).max(0.0);
    let cluster = (0..N_CLUSTERS).max_by(|&a, &b| score(a).total_cmp(&score(b))).expect("eight clusters");
    Candidate {
        gene: gene as u32,
        cluster,
        score: score(cluster),
        r: rows[cluster].effect,
        specificity: (2.0 * f64::from(effects.auc[[cluster, gene]]) - 1.0).max(0.0),
        log2_fc: f64::from(effects.log2_fc[[cluster, gene]]),
        share_in: f64::from(effects.share_in[[cluster, gene]]),
        share_out: f64::from(effects.share_out[[cluster, gene]]),
        n_lots: effects.n_lots[cluster],
        n_lots_up: u32::from(effects.n_lots_up[[cluster, gene]]),
        r_gene: rows[cluster].r * 0.8,
        loo_top20: None,
        p_family: rows[cluster].p_family,
        proliferative: analysis.clusters[cluster].proliferative,
    }
}
