//! Promise: a reference places lots of its kind, and says so of lots that are not. Names are sentences.

mod program;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cqa::data::{Column, Counts, CountsBuilder, Dataset, Genes, Lot, Table};
use cqa::io::tables::read_table;
use cqa::io::tenx_mtx_write::{write_lots, write_tenx_mtx};
use cqa::math::rng::stream;
use cqa::simulate::{SimulateParams, simulate};
use program::{contents, cqa, fails, number, rows, succeeds};
use rand::seq::SliceRandom;

/// Lots of the reference, of twelve of one kind.
const N_REFERENCE: usize = 9;
const N_LOTS: usize = 12;
/// Without what takes time and is not needed here.
const QUICK: [&str; 3] = ["--no-leave-one-out", "--no-sensitivity", "--quiet"];

/// Twelve simulated lots on disk, nine of them clustered and frozen; made once for all tests.
struct World {
    folder: tempfile::TempDir,
    dataset: Dataset,
    /// What `cqa freeze` said.
    said: String,
    /// The cluster that goes with the potency.
    potent: String,
}

impl World {
    fn at(&self) -> &Path {
        self.folder.path()
    }
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let params = SimulateParams {
            n_lots: N_LOTS,
            n_cells: 300,
            n_genes: 4_000,
            depth: 12_000.0,
            seed: 4,
            ..SimulateParams::default()
        };
        let dataset = simulate(&params).unwrap().dataset;
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        write_lots(at, &dataset).unwrap();
        let sheet = fs::read_to_string(at.join("lots.csv")).unwrap();
        let (header, rest) = sheet.split_once('\n').unwrap();
        let lines: Vec<&str> = rest.lines().collect();
        let part = |lines: &[&str]| format!("{header}\n{}\n", lines.join("\n"));
        fs::write(at.join("old.csv"), part(&lines[..N_REFERENCE])).unwrap();
        fs::write(at.join("new.csv"), part(&lines[N_REFERENCE..])).unwrap();
        succeeds(at, &[&["run", "old.csv", "--potency", "vegf_ischemia", "-o", "run"][..], &QUICK].concat());
        let potent = rows(&at.join("run/rank/vegf_ischemia/candidates.csv"))[0]["cluster"].clone();
        let quick = ["--genes", "2", "--candidates", "100", "--quiet"];
        succeeds(at, &[&["panel", "run", "--cluster", &potent, "-o", "panel"][..], &quick].concat());
        let panels = ["--panel", "panel/panels.csv"];
        let said = succeeds(at, &[&["freeze", "run", "-o", "reference", "--quiet"][..], &panels].concat());
        World { folder, dataset, said, potent }
    })
}

fn texts(table: &Table, name: &str) -> Vec<String> {
    match table.column(name).unwrap() {
        Column::Text(values) => values.clone(),
        Column::Category { codes, levels } => codes.iter().map(|&c| levels[c as usize].clone()).collect(),
        Column::Integer(values) => values.iter().map(i64::to_string).collect(),
        other => panic!("{name}: {other:?}"),
    }
}

/// (lot, barcode) → cluster.
fn labels(path: &Path) -> HashMap<(String, String), String> {
    let table = read_table(path).unwrap();
    let cells = texts(&table, "lot").into_iter().zip(texts(&table, "barcode"));
    cells.zip(texts(&table, "cluster")).collect()
}

/// Every file below a folder, those with times apart.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = contents(folder);
    files.retain(|path, _| !path.ends_with("run.json") && !path.ends_with("ro-crate-metadata.json"));
    files
}

#[test]
fn lots_of_the_kind_are_in_reference_and_labelled_as_clustering_them_anew_would() {
    let world = world();
    let at = world.at();
    succeeds(at, &["map", "reference", "new.csv", "-o", "kind", "--quiet"]);
    let placed = rows(&at.join("kind/placed.csv"));
    assert_eq!(placed.len(), N_LOTS - N_REFERENCE);
    for row in &placed {
        assert_eq!(row["in_reference"], "true", "{}: {}", row["lot"], row["reasons"]);
        assert!(number(row, "share_unassigned") <= 0.05, "{row:?}");
        let [low, value, high] = ["pi_low", "predicted_vegf_ischemia", "pi_high"].map(|name| number(row, name));
        assert!(low < value && value < high, "{row:?}");
        let page = fs::read_to_string(at.join("kind/certificates").join(format!("{}.html", row["lot"]))).unwrap();
        assert!(page.contains("In reference") && page.contains(&row["lot"]));
    }
    // And the reference's own lots, each mapped by a reference without it.
    for row in rows(&at.join("reference/placed.csv")) {
        assert!(number(&row, "share_unassigned") <= 0.05 && row["in_reference"] == "true", "{row:?}");
    }
    // All lots clustered anew. Which cluster of the new run is which of the reference is read off the reference's lots.
    succeeds(at, &[&["cluster", "lots.csv", "-o", "anew", "--no-umap"][..], &QUICK].concat());
    let (anew, run) = (labels(&at.join("anew/cells.parquet")), labels(&at.join("run/cells.parquet")));
    let mut overlap: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (cell, cluster) in &run {
        if let Some(new) = anew.get(cell) {
            *overlap.entry((new.clone(), cluster.clone())).or_default() += 1;
        }
    }
    let meant = |new: &String| {
        let of = overlap.iter().filter(|(pair, _)| pair.0 == *new);
        of.max_by_key(|(_, n)| **n).map_or(String::new(), |(pair, _)| pair.1.clone())
    };
    let (mut same, mut all) = (0, 0);
    for (cell, label) in labels(&at.join("kind/cells.parquet")) {
        if label != "unassigned" && anew.contains_key(&cell) {
            all += 1;
            same += usize::from(meant(&anew[&cell]) == label);
        }
    }
    let agreement = same as f64 / all as f64;
    eprintln!("{same} of {all} labels agree with clustering anew: {agreement:.4}");
    assert!(all > 700 && agreement >= 0.95, "{agreement}");
}

#[test]
fn lots_mapped_together_are_as_lots_mapped_alone_and_threads_do_not_matter() {
    let world = world();
    let at = world.at();
    succeeds(at, &["map", "reference", "new.csv", "-o", "one", "--threads", "1", "--quiet"]);
    succeeds(at, &["map", "reference", "new.csv", "-o", "two", "--threads", "2", "--quiet"]);
    let (one, two) = (files(&at.join("one")), files(&at.join("two")));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert!(one.iter().all(|(name, bytes)| two[name] == *bytes), "same bytes");
    // The last lot alone.
    let sheet = fs::read_to_string(at.join("new.csv")).unwrap();
    let lines: Vec<&str> = sheet.lines().collect();
    fs::write(at.join("last.csv"), format!("{}\n{}\n", lines[0], lines.last().unwrap())).unwrap();
    succeeds(at, &["map", "reference", "last.csv", "-o", "alone", "--quiet"]);
    let last = lines.last().unwrap().split(',').next().unwrap();
    for file in ["placed.csv", "composition.csv", "qc.csv"] {
        let together: Vec<_> = rows(&at.join("one").join(file)).into_iter().filter(|row| row["lot"] == last).collect();
        assert_eq!(rows(&at.join("alone").join(file)), together, "{file}");
    }
    let of_last = |folder: &str| {
        let table = read_table(&at.join(folder).join("cells.parquet")).unwrap();
        let keep: Vec<usize> =
            texts(&table, "lot").iter().enumerate().filter(|(_, lot)| *lot == last).map(|(i, _)| i).collect();
        let column = |name: &str| match table.column(name).unwrap() {
            Column::Float32(values) => keep.iter().map(|&i| values[i].to_bits()).collect::<Vec<_>>(),
            other => panic!("{name}: {other:?}"),
        };
        let clusters: Vec<String> = keep.iter().map(|&i| texts(&table, "cluster")[i].clone()).collect();
        (clusters, ["score", "umap_1", "umap_2", "distance", "displacement", "misfit"].map(column))
    };
    assert_eq!(of_last("alone"), of_last("one"));
    let page = |folder: &str| fs::read(at.join(folder).join("certificates").join(format!("{last}.html"))).unwrap();
    assert_eq!(page("alone"), page("one"));
}

#[test]
fn a_reference_that_was_touched_or_is_another_is_refused() {
    let world = world();
    let at = world.at();
    // The hash that freezing printed is asked for in vain of another reference.
    let hash = world.said.split("SHA-256 ").nth(1).unwrap().split('.').next().unwrap().to_string();
    let map =
        |reference: &str, hash: &str| cqa(at, &["map", reference, "new.csv", "-o", "never", "--reference-hash", hash]);
    let wrong = map("reference", &"0".repeat(64));
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(said.contains(&hash) && said.contains("--reference-hash"), "{said}");
    // One digit of one file.
    let copy = at.join("touched");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(at.join("reference")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    let scores = fs::read_to_string(copy.join("scores.csv")).unwrap();
    let last = scores.trim_end().len() - 1;
    let digit = if scores.as_bytes()[last] == b'1' { "2" } else { "1" };
    fs::write(copy.join("scores.csv"), format!("{}{digit}\n", &scores[..last])).unwrap();
    let said = fails(at, &["map", "touched", "new.csv", "-o", "never"]);
    assert!(said.contains("scores.csv") && said.contains("changed since the reference was frozen"), "{said}");
    assert!(!at.join("never").exists());
}

#[test]
fn a_run_that_was_touched_is_not_frozen() {
    let world = world();
    let at = world.at();
    let copy = at.join("touched_run");
    fs::create_dir(&copy).unwrap();
    for name in ["run.json", "params.toml", "lots.csv", "cells.parquet", "composition.csv", "pooled.h5ad"] {
        fs::copy(at.join("run").join(name), copy.join(name)).unwrap();
    }
    let text = fs::read_to_string(copy.join("composition.csv")).unwrap();
    fs::write(copy.join("composition.csv"), format!("{text}\n")).unwrap();
    let said = fails(at, &["freeze", "touched_run", "-o", "never"]);
    assert!(said.contains("composition.csv") && said.contains("changed since the run was made"), "{said}");
}

/// A lot of the same axis with other counts.
fn changed(counts: &Counts, change: impl Fn(usize, &mut Vec<(u32, u32)>)) -> Counts {
    let mut builder = CountsBuilder::new(counts.n_genes());
    for cell in 0..counts.n_cells() {
        let mut entries: Vec<(u32, u32)> = counts.row(cell).iter().collect();
        change(cell, &mut entries);
        builder.push_unsorted(&mut entries);
    }
    builder.finish()
}

/// Writes a lot beside the others and maps it; gives back its row, its certificate and the warnings.
fn strange(name: &str, genes: &Genes, counts: Counts) -> (BTreeMap<String, String>, String, String) {
    let world = world();
    let at = world.at();
    let barcodes = (0..counts.n_cells()).map(|i| format!("{name}-{i:04}")).collect();
    write_tenx_mtx(&at.join(name), genes, &Lot { name: name.into(), barcodes, counts }).unwrap();
    fs::write(at.join(format!("{name}.csv")), format!("lot,path\n{name},{name}\n")).unwrap();
    let out = format!("{name}_mapped");
    let output = cqa(at, &["map", "reference", &format!("{name}.csv"), "-o", &out, "--quiet"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let row = rows(&at.join(&out).join("placed.csv")).remove(0);
    let page = fs::read_to_string(at.join(&out).join("certificates").join(format!("{name}.html"))).unwrap();
    assert_eq!(row["in_reference"], "false", "{row:?}");
    assert_eq!(row["predicted_vegf_ischemia"], "", "a lot out of reference is promised nothing");
    assert!(page.contains("Out of reference") && !page.contains("prediction interval"));
    assert!(said.contains("is out of reference"), "{said}");
    (row, page, said)
}

/// The first lot that is not of the reference.
fn new_lot() -> &'static Lot {
    &world().dataset.lots()[N_REFERENCE]
}

#[test]
fn cells_of_another_type_are_unassigned() {
    // The same genes, each at the level of another: cells of some other type, of the same depth and mitochondrial share.
    let genes = world().dataset.genes();
    let others: Vec<u32> =
        (0..genes.len() as u32).filter(|&g| !genes.symbols()[g as usize].starts_with("MT-")).collect();
    let mut shuffled = others.clone();
    shuffled.shuffle(&mut stream(1, "another type", 0));
    let mut to: Vec<u32> = (0..genes.len() as u32).collect();
    others.iter().zip(&shuffled).for_each(|(&from, &onto)| to[from as usize] = onto);
    let counts = changed(&new_lot().counts, |_, cell| cell.iter_mut().for_each(|(gene, _)| *gene = to[*gene as usize]));
    let (row, page, _) = strange("other_type", genes, counts);
    assert!(number(&row, "share_unassigned") >= 0.95, "{row:?}");
    assert!(row["reasons"].contains("unlike every cluster") && page.contains("unlike every cluster"));
}

#[test]
fn an_empty_lot_and_one_without_counts_are_out_of_reference() {
    let genes = world().dataset.genes();
    let (row, page, _) = strange("empty", genes, CountsBuilder::new(genes.len()).finish());
    assert_eq!((row["n_cells"].as_str(), row["share_unassigned"].as_str()), ("0", ""));
    assert!(row["reasons"].contains("holds no cells") && !page.contains("NaN"));
    // Droplets without cells: one count each.
    let droplets = changed(&new_lot().counts, |cell, entries| *entries = vec![(cell as u32 % 50, 1)]);
    let (row, _, _) = strange("droplets", genes, droplets);
    assert!(row["reasons"].contains("quality control"), "{row:?}");
}

#[test]
fn a_dying_lot_is_out_of_reference() {
    let genes = world().dataset.genes();
    let mito: Vec<u32> = (0..genes.len() as u32).filter(|&g| genes.symbols()[g as usize].starts_with("MT-")).collect();
    // Nine tenths of the cytoplasmic counts have leaked out; mitochondrial ones stay.
    let counts = changed(&new_lot().counts, |_, cell| {
        cell.retain_mut(|(gene, count)| {
            if !mito.contains(gene) {
                *count = *count / 10 + u32::from((*gene + *count) % 10 < *count % 10);
            }
            *count > 0
        });
    });
    let (row, page, _) = strange("dying", genes, counts);
    assert!(number(&row, "pct_mito") > number(&row, "pct_mito_limit"), "{row:?}");
    assert!(page.contains("mitochondrial"));
}

#[test]
fn a_lot_with_another_annotation_is_out_of_reference() {
    let genes = world().dataset.genes();
    let mouse = |symbol: &String| {
        let (first, rest) = symbol.split_at(1);
        format!("{first}{}", rest.to_lowercase())
    };
    let foreign = |ids: Vec<String>, symbols: Vec<String>| Genes::new(ids, symbols).unwrap();
    let ensmusg: Vec<String> = (0..genes.len()).map(|i| format!("ENSMUSG{i:011}")).collect();
    let mouse = foreign(ensmusg, genes.symbols().iter().map(mouse).collect());
    let entrez = foreign((0..genes.len()).map(|i| (1_000 + i).to_string()).collect(), genes.symbols().to_vec());
    for (name, genes) in [("mouse", mouse), ("entrez", entrez)] {
        let (row, page, _) = strange(name, &genes, new_lot().counts.clone());
        assert_eq!((row["n_genes_found"].as_str(), row["share_unassigned"].as_str()), ("0", "1.0"), "{row:?}");
        assert!(row["reasons"].contains(&genes.ids()[0]) && page.contains("variable genes"), "{row:?}");
    }
}

#[test]
fn a_panel_goes_from_the_run_by_reference_and_mapping_into_a_comparison() {
    let world = world();
    let at = world.at();
    let panels = rows(&at.join("panel/panels.csv"));
    let first = &panels[0];
    assert!(number(first, "f1_heldout") > 0.5 && number(first, "f1_heldout") <= 1.0, "{first:?}");
    assert!(number(first, "f1_heldout_error") >= 0.0 && number(first, "f1") >= number(first, "f1_heldout") - 0.05);
    // Of every new lot as of every lot of the reference.
    succeeds(at, &["map", "reference", "new.csv", "-o", "gated", "--quiet"]);
    let shares = rows(&at.join("gated/panel_shares.csv"));
    assert_eq!(shares.len(), N_LOTS - N_REFERENCE);
    let composition = rows(&at.join("gated/composition.csv"));
    for row in &shares {
        assert_eq!(row["panel"], first["panel"]);
        let of_cluster =
            composition.iter().find(|of| of["lot"] == row["lot"] && of["cluster"] == world.potent).unwrap();
        assert!((number(row, "share") - number(of_cluster, "share")).abs() < 0.2, "{row:?} {of_cluster:?}");
    }
    assert_eq!(rows(&at.join("reference/panel_shares.csv")).len(), N_REFERENCE);
    let plan = format!(
        "title = \"No change\"\ndesign = \"unpaired\"\nn_simulations = 1000\n[pre]\npath = \"reference\"\n[post]\npath = \"gated\"\n\
         [[attribute]]\nkind = \"panel_share\"\nname = \"{}\"\ntransform = \"logit\"\nrule = \"min_max\"\n\
         [[attribute]]\nkind = \"readout\"\nname = \"vegf_ischemia\"\nrole = \"potency\"\nrule = \"quality_range\"\nk = 4\n",
        first["panel"]
    );
    fs::write(at.join("plan.toml"), plan).unwrap();
    let said = succeeds(at, &["compare", "plan.toml", "-o", "compared", "--quiet"]);
    assert!(said.contains("share of panel") && said.contains("head SHA-256"), "{said}");
    let verdicts = rows(&at.join("compared/verdicts.csv"));
    assert_eq!((verdicts[0]["n_pre"].as_str(), verdicts[0]["n_post"].as_str()), ("9", "3"));
    let record = fs::read_to_string(at.join("compared/run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let head = record["params"]["plan_lock_head"].as_str().unwrap();
    assert!(
        head.len() == 64
            && said.contains(head)
            && fs::read_to_string(at.join("compared/plan.lock.json")).unwrap().contains(head)
    );
}

#[test]
fn a_lot_of_the_reference_mapped_again_is_no_post_lot() {
    let world = world();
    let at = world.at();
    let old = fs::read_to_string(at.join("old.csv")).unwrap();
    let path = old.lines().nth(1).unwrap().split(',').nth(1).unwrap();
    fs::write(at.join("again.csv"), format!("lot,path,vegf_ischemia\nother_name,{path},900\n")).unwrap();
    succeeds(at, &["map", "reference", "again.csv", "-o", "again", "--quiet"]);
    let plan = "title = \"x\"\ndesign = \"history\"\n[pre]\npath = \"reference\"\n[post]\npath = \"again\"\n\
                [[attribute]]\nkind = \"readout\"\nname = \"vegf_ischemia\"\nrule = \"min_max\"\n";
    fs::write(at.join("again.toml"), plan).unwrap();
    let said = fails(at, &["compare", "again.toml", "-o", "never"]);
    assert!(said.contains("also in [pre]") && said.contains("other_name"), "{said}");
}

#[test]
fn panels_of_what_can_be_stained_or_measured_in_the_medium() {
    let world = world();
    let at = world.at();
    for (flag, kind) in [("--surface", "surface"), ("--secreted", "secreted")] {
        succeeds(at, &["panel", "run", "--cluster", &world.potent, flag, "--genes", "2", "-o", kind, "--quiet"]);
        let found = rows(&at.join(kind).join("panels.csv"));
        assert!(!found.is_empty());
        for row in found {
            assert!(row["measurable"].split(';').all(|gene| gene.contains(kind)), "{row:?}");
            assert!(kind == "surface" || row["n_genes"] == "1", "what is secreted can't be joined: {row:?}");
        }
        assert!(at.join(kind).join("report.html").exists());
    }
}

#[test]
fn a_post_lot_out_of_reference_takes_comparable_from_the_whole() {
    let world = world();
    let at = world.at();
    // Another type of cells under the name of a lot with a measured potency.
    let genes = world.dataset.genes();
    let n = genes.len() as u32;
    let counts = changed(&new_lot().counts, |_, cell| cell.iter_mut().for_each(|(gene, _)| *gene = n - 1 - *gene));
    let barcodes = (0..counts.n_cells()).map(|i| format!("stranger-{i:04}")).collect();
    write_tenx_mtx(&at.join("stranger"), genes, &Lot { name: "stranger".into(), barcodes, counts }).unwrap();
    let old = fs::read_to_string(at.join("old.csv")).unwrap();
    let header: Vec<&str> = old.lines().next().unwrap().split(',').collect();
    let potency = header.iter().position(|name| *name == "vegf_ischemia").unwrap();
    let value = old.lines().nth(5).unwrap().split(',').nth(potency).unwrap();
    fs::write(at.join("stranger.csv"), format!("lot,path,vegf_ischemia\nstranger,stranger,{value}\n")).unwrap();
    succeeds(at, &["map", "reference", "stranger.csv", "-o", "stranger_mapped", "--quiet"]);
    let plan = "title = \"x\"\ndesign = \"history\"\nn_simulations = 1000\n[pre]\npath = \"reference\"\n[post]\npath = \"stranger_mapped\"\n\
                [[attribute]]\nkind = \"readout\"\nname = \"vegf_ischemia\"\nrole = \"potency\"\nrule = \"min_max\"\n";
    fs::write(at.join("stranger.toml"), plan).unwrap();
    let output = cqa(at, &["compare", "stranger.toml", "-o", "stranger_compared"]);
    let warned = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && warned.contains("stranger is out of reference"), "{warned}");
    let verdicts = rows(&at.join("stranger_compared/verdicts.csv"));
    assert_eq!((verdicts[0]["verdict"].as_str(), verdicts[1]["verdict"].as_str()), ("comparable", "inconclusive"));
    assert!(verdicts[1]["reason"].contains("out of reference"));
}
