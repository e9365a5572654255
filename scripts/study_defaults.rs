//! Which defaults find the known groups of cells? Components, gene scaling, graph, neighbours, each changed alone, with the
//! resolution chosen by itself.
//!
//!     cargo run --release --example study_defaults -- [--default] DATA [LOTS...]
//!
//! With `--default` no change is tried. DATA is the folder of real data sets, each LOTS a folder of generated lots (`h5/lotNN.h5`, `truth.csv`). Prints one
//! CSV row per data set, setting and seed: components used, clusters found, adjusted Rand index to the known groups (cells
//! without one left out), and for simulated lots the F1 of the cluster that holds the potent population. Column `at` is `own`
//! where the resolution was chosen; rows with `sweep` are of resolutions from 0.05 to 3 on the graph of the default, for
//! scripts/bench/equal_clusters.py.

use std::path::Path;

use cqa::Result;
use cqa::data::{CountsBuilder, Dataset, Genes, Lot, LotSheet, LotSource};
use cqa::io::{RawLot, ReadParams, tenx_h5::read_tenx_h5, tenx_mtx::read_tenx_mtx};
use cqa::math::partition::{Overlap, adjusted_rand, by_first_item};
use cqa::simulate::{SimulateParams, simulate};
use cqa::steps::cells::{
    HarmonyParams, HvgParams, NormalizeParams, PcaParams, QcParams, harmony, hvg, normalize, pca, qc,
};
use cqa::steps::clusters::{
    Clustering, GraphKind, LeidenParams, NeighborsParams, ResolutionParams, graph, leiden, neighbors, resolution,
};
use ndarray::Array2;

/// Cells with a known group.
struct Known {
    name: String,
    dataset: Dataset,
    /// Per cell; `None` for doublets and damaged cells.
    group: Vec<Option<u32>>,
    /// The potent population.
    potent: Option<u32>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--default");
    let data = arguments.next().unwrap_or_else(|| "../shared/data".to_string());
    let data = Path::new(&data);
    println!("data,cells,setting,at,components,seed,resolution,clusters,ari,potent_f1");
    let lines = data.join("harmony");
    cell_lines(&lines)?;
    for folder in ["soupx/pbmc_mtx", "muscat/mtx"] {
        study(&labelled(&data.join(folder))?)?;
    }
    study(&ideas(&data.join("ideas_autism"))?)?;
    for seed in 1..=3 {
        let simulated = simulate(&SimulateParams { seed, ..SimulateParams::default() })?;
        let truth = &simulated.truth;
        let group = (0..truth.population.len())
            .map(|i| (!truth.doublet[i] && !truth.damaged[i]).then_some(truth.population[i]))
            .collect();
        let (name, potent) = (format!("simulated {seed}"), Some(truth.potent));
        study(&Known { name, dataset: simulated.dataset, group, potent })?;
    }
    for folder in arguments {
        study(&generated(Path::new(&folder))?)?;
    }
    Ok(())
}

/// What is changed of the defaults.
#[derive(Clone)]
struct Setting {
    name: &'static str,
    pca: PcaParams,
    neighbors: NeighborsParams,
}

fn settings() -> Vec<Setting> {
    let default = Setting { name: "default", pca: PcaParams::default(), neighbors: NeighborsParams::default() };
    if std::env::args().any(|argument| argument == "--default") {
        return vec![default];
    }
    let n_components = default.pca.n_components;
    vec![
        Setting {
            name: "20 neighbours",
            neighbors: NeighborsParams { n_neighbors: 20, ..NeighborsParams::default() },
            ..default.clone()
        },
        Setting {
            name: "all components",
            pca: PcaParams { n_leading: n_components, ..PcaParams::default() },
            ..default.clone()
        },
        Setting {
            name: "umap graph",
            neighbors: NeighborsParams { graph: GraphKind::Umap, ..NeighborsParams::default() },
            ..default.clone()
        },
        Setting { name: "unscaled", pca: PcaParams { scale: false, ..PcaParams::default() }, ..default.clone() },
        default,
    ]
}

/// The default road up to the clusters, with each setting.
fn study(known: &Known) -> Result<()> {
    let kept = qc(&known.dataset, &QcParams::default())?.keep;
    let dataset = known.dataset.select_cells(&kept);
    let group: Vec<Option<u32>> = known.group.iter().zip(&kept).filter(|(_, k)| **k).map(|(g, _)| *g).collect();
    let normalized = normalize(&dataset, &NormalizeParams::default())?;
    let genes = hvg(&dataset, &normalized, &HvgParams::default())?.genes;
    for setting in settings() {
        let mut embedding = pca(&dataset, &normalized, &genes, &setting.pca)?.leading();
        if dataset.n_lots() > 1 {
            let lots = dataset.lot_of_cell();
            embedding = harmony(&embedding, &lots, dataset.n_lots(), &HarmonyParams::default(), 0)?.corrected;
        }
        cluster(&known.name, &embedding, &group, known.potent, &setting)?;
    }
    Ok(())
}

fn cluster(
    name: &str,
    embedding: &Array2<f32>,
    group: &[Option<u32>],
    potent: Option<u32>,
    setting: &Setting,
) -> Result<()> {
    let graph = graph(&neighbors(embedding, &setting.neighbors)?, &setting.neighbors);
    let tell = |at: &str, seed: u64, resolution: f64, found: &Clustering| {
        let (ari, f1) = (against(&found.labels, group), potent.map(|p| f1(&found.labels, group, p)));
        println!(
            "{name},{},{},{at},{},{seed},{resolution},{},{ari:.4},{}",
            found.labels.len(),
            setting.name,
            embedding.ncols(),
            found.n_clusters,
            f1.map_or(String::new(), |f1| format!("{f1:.3}"))
        );
    };
    for seed in 0..if embedding.nrows() > 20_000 { 1 } else { 3 } {
        let found = resolution(&graph, &ResolutionParams::default(), &LeidenParams::default(), seed)?;
        tell("own", seed, found.resolution, &found.clustering);
        for step in (0..25).filter(|_| setting.name == "default") {
            let swept = 0.05 * 60_f64.powf(f64::from(step) / 24.0);
            tell("sweep", seed, swept, &leiden(&graph, swept, &LeidenParams::default(), seed)?);
        }
    }
    Ok(())
}

fn against(labels: &[u32], group: &[Option<u32>]) -> f64 {
    let (a, b): (Vec<u32>, Vec<u32>) = labels.iter().zip(group).filter_map(|(l, g)| g.map(|g| (*l, g))).unzip();
    adjusted_rand(&a, &b)
}

/// F1 of the cluster that matches the potent population best.
fn f1(labels: &[u32], group: &[Option<u32>], potent: u32) -> f64 {
    let is_potent: Vec<u32> = group.iter().map(|g| u32::from(*g == Some(potent))).collect();
    let (labels, sizes) = by_first_item(labels);
    let overlap = Overlap::new(&labels, sizes.len(), &is_potent, 2);
    let f1 = |c: usize| 2.0 * overlap.shared[c][1] as f64 / (overlap.sizes_a[c] + overlap.sizes_b[1]) as f64;
    (0..sizes.len()).map(f1).fold(0.0, f64::max)
}

/// Cell lines: components with known cell type and data set.
fn cell_lines(folder: &Path) -> Result<()> {
    let scores = columns(&folder.join("cell_lines_pcs.csv"));
    let meta = columns(&folder.join("cell_lines_meta.csv"));
    let number = |text: &String| text.parse::<f32>().unwrap_or(f32::NAN);
    let scores = Array2::from_shape_fn((scores[0].1.len(), scores.len()), |(i, j)| number(&scores[j].1[i]));
    let batch = coded(column(&meta, "dataset"));
    let n_batches = batch.iter().max().map_or(0, |&b| b as usize + 1);
    let corrected = harmony(&scores, &batch, n_batches, &HarmonyParams::default(), 0)?.corrected;
    let group: Vec<Option<u32>> = coded(column(&meta, "cell_type")).into_iter().map(Some).collect();
    // The components are given, so that only the graph can be changed.
    for setting in settings().iter().filter(|setting| setting.pca == PcaParams::default()) {
        cluster("cell lines", &corrected, &group, None, setting)?;
    }
    Ok(())
}

/// A matrix folder whose obs.csv names the type, and the sample if there are several.
fn labelled(folder: &Path) -> Result<Known> {
    let obs = columns(&folder.join("obs.csv"));
    let has = |name: &str| obs.iter().any(|(n, _)| n == name);
    let group = coded(column(&obs, if has("cluster_id") { "cluster_id" } else { "Annotation" }));
    let one = vec!["one".to_string(); group.len()];
    let lots = if has("sample_id") { column(&obs, "sample_id") } else { &one };
    let name = folder.parent().and_then(Path::file_name).map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    pooled(name, vec![(read_tenx_mtx(folder, &ReadParams::default())?, lots.clone(), group)])
}

/// Three folders of one cell type each, of the same donors.
fn ideas(folder: &Path) -> Result<Known> {
    let mut parts = Vec::new();
    for (group, part) in ["mtx_AST-FB", "mtx_Endothelial", "mtx_Microglia"].iter().enumerate() {
        let raw = read_tenx_mtx(&folder.join(part), &ReadParams::default())?;
        let donors = column(&columns(&folder.join(part).join("obs.csv")), "sample").clone();
        let groups = vec![group as u32; donors.len()];
        parts.push((raw, donors, groups));
    }
    pooled("ideas_autism".to_string(), parts)
}

/// Generated lots; truth.csv lists their cells in order.
fn generated(folder: &Path) -> Result<Known> {
    let truth = columns(&folder.join("truth.csv"));
    let (lots, groups) = (column(&truth, "lot"), coded(column(&truth, "cluster")));
    let mut parts = Vec::new();
    let mut first = 0;
    while first < lots.len() {
        let n = lots[first..].iter().take_while(|lot| **lot == lots[first]).count();
        let raw = read_tenx_h5(&folder.join(format!("h5/{}.h5", lots[first])), &ReadParams::default())?;
        parts.push((raw, lots[first..first + n].to_vec(), groups[first..first + n].to_vec()));
        first += n;
    }
    pooled(folder.to_string_lossy().into_owned(), parts)
}

/// Cells of several files on the same genes, sorted into lots.
fn pooled(name: String, parts: Vec<(RawLot, Vec<String>, Vec<u32>)>) -> Result<Known> {
    let genes: Genes = parts[0].0.genes.clone();
    let mut names: Vec<&String> = parts.iter().flat_map(|part| &part.1).collect();
    names.sort();
    names.dedup();
    let (mut lots, mut group, mut sheet) = (Vec::new(), Vec::new(), LotSheet::default());
    for lot in names {
        let (mut counts, mut barcodes) = (CountsBuilder::new(genes.len()), Vec::new());
        for (part, (raw, lot_of_cell, groups)) in parts.iter().enumerate() {
            for cell in (0..lot_of_cell.len()).filter(|&cell| lot_of_cell[cell] == *lot) {
                let (genes, values): (Vec<u32>, Vec<u32>) = raw.counts.row(cell).iter().unzip();
                counts.push_row(&genes, &values);
                barcodes.push(format!("{part}:{}", raw.barcodes[cell]));
                group.push(Some(groups[cell]));
            }
        }
        lots.push(Lot { name: lot.clone(), barcodes, counts: counts.finish() });
        sheet.lots.push(LotSource { lot: lot.clone(), path: lot.into(), subset: None });
    }
    Ok(Known { name, dataset: Dataset::new(genes, lots, sheet)?, group, potent: None })
}

/// Columns of a CSV file by name.
fn columns(path: &Path) -> Vec<(String, Vec<String>)> {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut out: Vec<(String, Vec<String>)> = match reader.headers() {
        Ok(header) => header.iter().map(|name| (name.to_string(), Vec::new())).collect(),
        Err(error) => panic!("{}: {error}", path.display()),
    };
    for record in reader.records() {
        let record = record.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        out.iter_mut().zip(&record).for_each(|(column, value)| column.1.push(value.to_string()));
    }
    out
}

fn column<'a>(columns: &'a [(String, Vec<String>)], name: &str) -> &'a Vec<String> {
    &columns.iter().find(|column| column.0 == name).unwrap_or_else(|| panic!("no column {name}")).1
}

/// A number per distinct text.
fn coded(texts: &[String]) -> Vec<u32> {
    let mut levels: Vec<&String> = texts.iter().collect();
    levels.sort();
    levels.dedup();
    texts.iter().map(|text| levels.binary_search(&text).unwrap_or(0) as u32).collect()
}
