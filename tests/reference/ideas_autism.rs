//! Nuclei of 23 donors as 23 uneven lots (49 to 851 nuclei), from files through the whole road.

use std::collections::HashMap;
use std::path::Path;

use cqa::data::{CountsBuilder, Lot};
use cqa::io::join::read_lots;
use cqa::io::lot_sheet::read_lot_sheet;
use cqa::io::tenx_mtx::read_tenx_mtx;
use cqa::io::tenx_mtx_write::write_tenx_mtx;
use cqa::io::{RawLot, ReadParams};
use cqa::math::partition::adjusted_rand;
use cqa::pipeline::{self, Params};
use cqa::progress::Silent;
use cqa::warning::Warning;

use crate::common::{column, shared_data};

const TYPES: [&str; 3] = ["AST-FB", "Endothelial", "Microglia"];

/// Writes a folder per donor, holding the donor's nuclei of all three types, and a sheet of them. Gives the type of each
/// nucleus by its name there.
fn write_lots(data: &Path, out: &Path) -> HashMap<String, u32> {
    let parts: Vec<(RawLot, Vec<String>)> = TYPES
        .iter()
        .map(|name| {
            let folder = data.join(format!("mtx_{name}"));
            let raw = read_tenx_mtx(&folder, &ReadParams::default()).unwrap();
            // obs.csv lists the cells in the order of the matrix.
            assert_eq!(column(&folder.join("obs.csv"), ""), raw.barcodes);
            (raw, column(&folder.join("obs.csv"), "sample"))
        })
        .collect();
    let mut donors: Vec<&String> = parts.iter().flat_map(|part| &part.1).collect();
    donors.sort();
    donors.dedup();
    let mut type_of = HashMap::new();
    let mut sheet = String::from("lot,path\n");
    for donor in donors {
        let (mut counts, mut barcodes) = (CountsBuilder::new(parts[0].0.genes.len()), Vec::new());
        for (of_type, (raw, donor_of)) in (0..).zip(&parts) {
            assert_eq!(raw.genes, parts[0].0.genes);
            for cell in (0..donor_of.len()).filter(|&cell| donor_of[cell] == *donor) {
                let (genes, values): (Vec<u32>, Vec<u32>) = raw.counts.row(cell).iter().unzip();
                counts.push_row(&genes, &values);
                barcodes.push(format!("{}_{}", raw.barcodes[cell], TYPES[of_type as usize]));
                type_of.insert(barcodes[barcodes.len() - 1].clone(), of_type);
            }
        }
        let lot = Lot { name: donor.clone(), barcodes, counts: counts.finish() };
        write_tenx_mtx(&out.join(donor), &parts[0].0.genes, &lot).unwrap();
        sheet.push_str(&format!("{donor},{donor}\n"));
    }
    std::fs::write(out.join("lots.csv"), sheet).unwrap();
    type_of
}

#[test]
fn twenty_three_uneven_lots_pass_the_whole_road_and_none_is_lost() {
    let Some(data) = shared_data("ideas_autism") else { return };
    let folder = tempfile::tempdir().unwrap();
    let type_of = write_lots(&data, folder.path());
    assert_eq!(type_of.len(), 6111);
    let sheet = read_lot_sheet(&folder.path().join("lots.csv")).unwrap();
    let read = read_lots(&sheet, &ReadParams::default(), &Silent).unwrap();
    let mut params = Params::default();
    params.leave_one_out.enabled = false;
    params.sensitivity.enabled = false;
    params.umap.enabled = false;
    let (analysis, _) = pipeline::cluster(read, &params, &Silent).unwrap();

    assert_eq!((analysis.qc.len(), analysis.composition.lots.len()), (23, 23));
    assert_eq!(analysis.qc.iter().map(|lot| lot.n_cells_read).sum::<usize>(), 6111);
    assert_eq!(analysis.qc.iter().map(|lot| lot.n_cells_kept).sum::<usize>() + analysis.excluded.len(), 6111);
    for (at, lot) in analysis.qc.iter().enumerate() {
        assert!(lot.n_cells_kept > 0 && analysis.composition.n_total[at] == lot.n_cells_kept as u64, "{lot:?}");
        // Fewer than 50 nuclei are too few for doublet scores: the lot is there, and this is told.
        let told = analysis.warnings.iter().any(
            |w| matches!(w, Warning::LotLeftOut { lot: name, step, .. } if *name == lot.lot && step == "doublets"),
        );
        assert_eq!(told, lot.n_cells_kept < 50, "{lot:?}: {:?}", analysis.warnings);
    }

    let truth: Vec<u32> = analysis.cells.barcode.iter().map(|barcode| type_of[barcode]).collect();
    let labels = &analysis.cells.cluster;
    let n_clusters = analysis.clusters.len();
    let mut of_type = vec![[0_usize; 3]; n_clusters];
    labels.iter().zip(&truth).for_each(|(&cluster, &of)| of_type[cluster as usize][of as usize] += 1);
    let pure: usize = of_type.iter().map(|n| n.iter().max().unwrap()).sum();
    let purity = pure as f64 / labels.len() as f64;
    let ari = adjusted_rand(labels, &truth);
    println!("{n_clusters} clusters, purity {purity:.4}, ARI {ari:.3}, warnings {}", analysis.warnings.len());
    // The three types are far apart, so clusters must not mix them: of nuclei with ambient RNA of others, 3 % are conceded.
    assert!(purity >= 0.97, "purity {purity}");
    // The types are coarser than any clustering. Were each parted in three equal parts without an error, the index would be
    // 0.5; more than that means that parts are few and types come apart first.
    assert!(ari >= 0.5 && (3..=20).contains(&n_clusters), "{n_clusters} clusters, ARI {ari}");
    // Resting brain: nothing proliferates.
    assert!(analysis.clusters.iter().all(|c| !c.proliferative), "{:?}", analysis.clusters);
}
