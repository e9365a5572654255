use std::fs;

use super::*;
use crate::data::{Column, Table};
use crate::io::tables::write_table;

fn directory() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("lots.csv"), "lot,path,process,titer\na,gone,old,1.5\nb,gone,new,\n").unwrap();
    fs::write(at("composition.csv"), "lot,cluster,n_cells,n_total\na,0,6,10\na,1,4,10\nb,0,1,5\nb,unassigned,4,5\n")
        .unwrap();
    fs::write(at("deviation.csv"), "lot,jensen_shannon,aitchison,energy\nb,0.2,0.3,0.4\na,0.1,,0.5\n").unwrap();
    let text = |values: &[&str]| Column::Text(values.iter().map(|v| v.to_string()).collect());
    let sums = Table::new()
        .with("lot", text(&["a", "a", "b", "b", "b"]))
        .with("cluster", text(&["all", "all", "all", "0", "0"]))
        .with("gene_id", text(&["g1", "g2", "g1", "g2", "g1"]))
        .with("gene", text(&["X", "Y", "X", "Y", "X"]))
        .with("count", Column::Integer(vec![30, 70, 5, 2, 8]));
    write_table(&at("pseudobulk.parquet"), &sums).unwrap();
    let cells = Table::new()
        .with("lot", text(&["b", "a", "b", "b"]))
        .with("pc_1", Column::Float32(vec![1.0, 2.0, 3.0, f32::NAN]))
        .with("pc_2", Column::Float32(vec![4.0, 5.0, 6.0, 7.0]));
    write_table(&at("embedding.parquet"), &cells).unwrap();
    folder
}

fn from(path: &str) -> LotsFrom {
    LotsFrom { path: path.into(), column: String::new(), value: String::new(), lots: Vec::new() }
}

#[test]
fn a_directory_gives_what_is_asked_for() {
    let folder = directory();
    let needed = RecordsNeeded {
        composition: true,
        deviation: true,
        genes: vec![("X".into(), "all".into()), ("g2".into(), "0".into())],
        cells: true,
        ..Default::default()
    };
    let read = read_records(&from("."), folder.path(), &needed).unwrap();
    let records = &read.records;
    assert_eq!((records.kind, read.files.len()), (RecordsKind::Run, 5));
    let clusters = records.clusters.as_ref().unwrap();
    assert_eq!(clusters.names, ["0", "1", "unassigned"]);
    assert_eq!(clusters.n_in, ndarray::array![[6, 4, 0], [1, 0, 4]]);
    assert_eq!(clusters.n_total, ndarray::array![[10, 10, 10], [5, 5, 5]]);
    let deviation = records.deviation.as_ref().unwrap();
    assert_eq!((deviation.values[[0, 0]], deviation.values[[1, 2]]), (0.1, 0.4));
    assert!(deviation.values[[0, 1]].is_nan());
    assert_eq!((&records.genes[0].counts, &records.genes[0].totals), (&vec![30, 5], &vec![100, 5]));
    assert_eq!((&records.genes[1].counts, &records.genes[1].totals), (&vec![0, 2], &vec![0, 10]));
    assert_eq!(records.cells.as_ref().unwrap(), &ndarray::array![[2.0, 5.0], [1.0, 4.0], [3.0, 6.0]]);
    assert_eq!(records.n_cells, [1, 2]);
    let old = LotsFrom { column: "process".into(), value: "old".into(), ..from(".") };
    assert_eq!(read_records(&old, folder.path(), &needed).unwrap().records.lots(), ["a"]);
}

#[test]
fn placed_lots_tell_whether_they_are_out_of_reference() {
    let folder = directory();
    let placed =
        "lot,jensen_shannon,aitchison,energy,in_reference,reasons\nb,0.2,0.3,0.4,false,high mito\na,0.1,,0.5,true,\n";
    fs::write(folder.path().join("placed.csv"), placed).unwrap();
    for deviation in [false, true] {
        let needed = RecordsNeeded { deviation, ..RecordsNeeded::default() };
        let records = read_records(&from("."), folder.path(), &needed).unwrap().records;
        assert_eq!(records.kind, RecordsKind::Mapped);
        assert_eq!(records.out_of_reference(), [("b".to_string(), "high mito".to_string())]);
        assert_eq!(records.deviation.is_some(), deviation);
    }
}

#[test]
fn panels_are_found_beside_the_lots_or_one_folder_below() {
    let folder = directory();
    let needed = RecordsNeeded { panels: true, ..RecordsNeeded::default() };
    let panels = || read_records(&from("."), folder.path(), &needed).unwrap().records.panels.unwrap();
    for (name, rows) in [("cluster_0", "a,P,10,4\na,Q,10,1\nb,P,5,0\nb,Q,5,2\n"), ("cluster_1", "a,P,10,7\nb,P,5,5\n")]
    {
        let below = folder.path().join("panel").join(name);
        fs::create_dir_all(&below).unwrap();
        fs::write(below.join("panel_shares.csv"), format!("lot,panel,n_cells,n_gated\n{rows}")).unwrap();
    }
    let found = panels();
    assert_eq!(found.names, ["cluster_0/P", "Q", "cluster_1/P"]);
    assert_eq!(
        (found.n_in, found.n_total),
        (ndarray::array![[4, 1, 7], [0, 2, 5]], ndarray::array![[10, 10, 10], [5, 5, 5]])
    );
    fs::write(folder.path().join("panel_shares.csv"), "lot,panel,n_cells,n_gated\na,R,9,3\nb,R,5,1\n").unwrap();
    assert_eq!(panels().names, ["R"]);
}

#[test]
fn a_sheet_of_readouts_needs_no_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("post.csv"), "lot;titer\nx;1,5\ny;2\n").unwrap();
    let read = read_records(&from("post.csv"), folder.path(), &RecordsNeeded::default()).unwrap().records;
    assert_eq!(
        (read.kind, read.lots(), read.sheet.columns[0].values[1].as_str()),
        (RecordsKind::Sheet, vec!["x".into(), "y".into()], "2")
    );
}

#[test]
fn what_is_missing_is_named() {
    let folder = directory();
    let none = RecordsNeeded::default();
    let fails =
        |from: &LotsFrom, needed: &RecordsNeeded| read_records(from, folder.path(), needed).unwrap_err().to_string();
    let named = LotsFrom { lots: vec!["c".into()], ..from(".") };
    assert!(fails(&named, &none).contains("no lot `c`"));
    let column = LotsFrom { column: "site".into(), value: "1".into(), ..from(".") };
    assert!(fails(&column, &none).contains("process, titer"));
    let value = LotsFrom { column: "process".into(), value: "newer".into(), ..from(".") };
    assert!(fails(&value, &none).contains("process = newer"));
    assert!(fails(&from("."), &RecordsNeeded { panels: true, ..none.clone() }).contains("panel_shares.csv"));
    let gene = RecordsNeeded { genes: vec![("Z".into(), "all".into())], ..none.clone() };
    assert!(fails(&from("."), &gene).contains("gene `Z`"));
    let cluster = RecordsNeeded { genes: vec![("X".into(), "7".into())], ..none.clone() };
    assert!(fails(&from("."), &cluster).contains("no cluster `7`"));
    assert!(fails(&from("nowhere"), &none).contains("nowhere: does not exist"));
    fs::write(folder.path().join("lots.csv"), "lot,path\na,x\nc,x\n").unwrap();
    assert!(fails(&from("."), &none).contains("composition.csv, column lot"));
    fs::write(folder.path().join("sheet.csv"), "name,titer\na,1\n").unwrap();
    assert!(fails(&from("sheet.csv"), &none).contains("no column `lot`"));
}
