//! Promise: the report says what it said. The text of a made-up run's report against a file, word by word;
//! `CQA_BLESS=1` writes the file anew.

mod report_fixture;

use std::io::Read;
use std::path::Path;

use cqa::report::{self, RunFacts};
use sha2::{Digest, Sha256};

fn facts() -> RunFacts {
    RunFacts {
        version: "0.0.0".into(),
        command: "cqa run lots.csv --potency vegf_ischemia -o RUN".into(),
        inputs: vec![("lots/L01/matrix.mtx.gz".into(), "ab".repeat(32))],
        ..RunFacts::default()
    }
}

/// What a reader sees: no markup, no style, no drawings; one line per block.
fn text(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let end = rest[start..].find('>').expect("every tag ends") + start;
        let tag: String = rest[start + 1..end].chars().take_while(|c| c.is_alphanumeric() || *c == '/').collect();
        rest = &rest[end + 1..];
        match tag.as_str() {
            // The list of parameters belongs to those who own them; it is tested where it is written.
            "style" | "svg" | "pre" | "script" => {
                let close = format!("</{tag}>");
                rest = &rest[rest.find(&close).expect("closed") + close.len()..];
            }
            "th" | "td" | "dd" => out.push_str(" | "),
            "b" | "i" | "span" | "a" | "strong" | "small" | "code" => {}
            tag if tag.starts_with('/') => {}
            _ => out.push('\n'),
        }
    }
    let lines: Vec<String> =
        out.lines().map(|line| line.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")).collect();
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn the_text_of_the_report_is_the_one_kept() {
    let analysis = report_fixture::analysis(11, 200, false);
    let ranked = [report_fixture::ranked(&analysis, "vegf_ischemia")];
    let found = text(&report::html(&analysis, &ranked, &facts()));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden/report.txt");
    if std::env::var_os("CQA_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).expect("tests/data/golden/report.txt; CQA_BLESS=1 writes it");
    for (i, (found, kept)) in found.lines().zip(kept.lines()).enumerate() {
        assert_eq!(found, kept, "line {} of the report's text", i + 1);
    }
    assert_eq!(found.lines().count(), kept.lines().count(), "lines of the report's text");
}

#[test]
fn the_page_needs_nothing_beside_it_and_runs_its_own_script_only() {
    let analysis = report_fixture::analysis(23, 150, true);
    let ranked = [report_fixture::ranked(&analysis, "vegf_ischemia"), report_fixture::ranked(&analysis, "viability")];
    let page = report::html(&analysis, &ranked, &facts());
    assert!(!page.contains("javascript:") && !page.contains("@import"));
    assert!(["onload=", "onclick=", "onerror="].iter().all(|handler| !page.contains(handler)));
    // One block of data, and one script that the policy names by its digest.
    let scripts: Vec<&str> =
        page.split("<script").skip(1).map(|rest| rest.split("</script>").next().unwrap()).collect();
    assert_eq!(scripts.len(), 2);
    assert!(scripts[0].starts_with(" type=\"application/json\""));
    let digest = report::draw::base64::encode(&Sha256::digest(scripts[1].strip_prefix('>').unwrap()));
    assert!(page.contains(&format!("script-src 'sha256-{digest}';")) && page.matches("script-src").count() == 1);
    for attribute in ["href=\"", "src=\""] {
        for target in page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(
                !target.contains(':') || target.starts_with("data:image/png;base64,"),
                "{target:.60} leaves the file"
            );
        }
    }
    // Every place that a link of the page points at exists in it.
    for target in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(page.contains(&format!("id=\"{target}\"")), "#{target}");
    }
}

#[test]
fn names_from_outside_are_shown_and_never_run() {
    let analysis = report_fixture::analysis(11, 60, false);
    let ranked = [report_fixture::ranked(&analysis, "vegf_ischemia")];
    let page = report::html(&analysis, &ranked, &facts());
    assert!(page.contains("&lt;b&gt;FAKE&amp;1&lt;/b&gt;"), "a gene named like markup is shown as it is");
    assert!(!page.contains("<b>FAKE") && !page.contains("L<03>"));
    let data = map_data(&page);
    assert!(!data.contains(['<', '>', '&']), "no name can end the block of data");
    assert!(data.contains("L\\u003c03\\u003e\\u0026\\\"c\\\""), "and yet the names are there");
}

/// The block of data behind the map.
fn map_data(page: &str) -> &str {
    page.split("id=\"map-data\">").nth(1).expect("the block is there").split("</script>").next().unwrap()
}

#[test]
fn the_map_holds_every_cell_and_the_first_candidates() {
    let analysis = report_fixture::analysis(11, 60, false);
    let ranked = [report_fixture::ranked(&analysis, "vegf_ischemia")];
    let page = report::html(&analysis, &ranked, &facts());
    assert_eq!(page, report::html(&analysis, &ranked, &facts()), "the same bytes each time");
    let data: serde_json::Value = serde_json::from_str(map_data(&page)).unwrap();
    let n = analysis.cells.cluster.len();
    assert_eq!(data["n"], n);
    let size = |value: &serde_json::Value| unpacked(value.as_str().unwrap()).len();
    assert_eq!([size(&data["x"]), size(&data["y"])], [2 * n; 2]);
    let by = data["by"].as_array().unwrap();
    for group in by {
        assert_eq!(size(&group["at"]), if group["gene"] == true { n } else { 2 * n }, "{}", group["label"]);
    }
    let labels: Vec<&str> = by.iter().map(|group| group["label"].as_str().unwrap()).collect();
    let genes = ranked[0].candidates.iter().map(|c| analysis.genes.symbols()[c.gene as usize].as_str());
    assert_eq!(labels, ["Cluster", "Lot", "Phase"].into_iter().chain(genes.take(12)).collect::<Vec<_>>());
}

/// Bytes of a deflated base64 text.
fn unpacked(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0u32;
    let (mut n_bits, mut bytes) = (0, Vec::new());
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = ALPHABET.iter().position(|known| *known == letter).expect("base64");
        (bits, n_bits) = ((bits << 6 | value as u32) & 0xffff, n_bits + 6);
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits) as u8);
        }
    }
    let mut out = Vec::new();
    flate2::read::ZlibDecoder::new(&bytes[..]).read_to_end(&mut out).expect("deflated");
    out
}

#[test]
fn fifty_thousand_cells_and_their_figures_take_less_than_five_megabytes() {
    let page = of_many_cells(50_000);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    if let Some(folder) = std::env::var_os("CQA_LARGE_PAGES") {
        for n in [50_000, 150_000] {
            let folder = Path::new(&folder).join(n.to_string());
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("report.html"), of_many_cells(n)).unwrap();
        }
    }
}

fn of_many_cells(n: usize) -> String {
    let analysis = report_fixture::analysis(11, n.div_ceil(11), false);
    let ranked = [report_fixture::ranked(&analysis, "vegf_ischemia")];
    report::html(&analysis, &ranked, &facts())
}

#[test]
fn a_run_without_ranking_has_a_report_and_figures() {
    let mut analysis = report_fixture::analysis(3, 40, false);
    analysis.cells.umap = None;
    analysis.resolution.truncate(1);
    let page = report::html(&analysis, &[], &RunFacts::default());
    assert!(page.contains("What the lots consist of") && page.contains("No readout was asked about"));
    let names: Vec<String> = report::plots::all(&analysis, &[]).into_iter().map(|plot| plot.name).collect();
    assert_eq!(names, ["composition", "deviation", "markers"]);
}

#[test]
fn figures_are_whole_and_the_same_each_time() {
    let analysis = report_fixture::analysis(11, 400, false);
    let ranked = [report_fixture::ranked(&analysis, "vegf_ischemia")];
    let plots = report::plots::all(&analysis, &ranked);
    let names: Vec<&str> = plots.iter().map(|plot| plot.name.as_str()).collect();
    let of_run = ["umap_lot", "umap_cluster", "composition", "deviation", "markers", "resolution"].map(String::from);
    let of_readout =
        ["potency", "influence", "specification_curve", "neighborhoods"].map(|n| format!("{n}_vegf_ischemia"));
    let all = [&of_run[..], &of_readout].concat();
    assert_eq!(names, all);
    for plot in &plots {
        assert!(plot.svg.starts_with("<svg ") && plot.svg.ends_with("</svg>"), "{}", plot.name);
        assert!(plot.png.starts_with(b"\x89PNG"), "{}", plot.name);
        let drawn: String =
            plot.svg.split("href=\"data:").map(|part| part.split_once("\"/>").map_or(part, |p| p.1)).collect();
        assert!(!drawn.contains("NaN") && !drawn.contains("inf\""), "{}", plot.name);
    }
    assert!(plots[0].svg.contains("data:image/png;base64,"), "4,400 cells are painted, not drawn one by one");
    assert_eq!(plots, report::plots::all(&analysis, &ranked));
}

#[test]
fn a_lot_without_cells_and_a_cluster_without_association_are_drawn() {
    let mut analysis = report_fixture::analysis(5, 40, false);
    analysis.composition.share.row_mut(0).fill(f64::NAN);
    analysis.composition.n_cells.row_mut(0).fill(0);
    analysis.composition.n_total[0] = 0;
    let mut ranked = report_fixture::ranked(&analysis, "vegf_ischemia");
    let row = &mut ranked.association.rows[0];
    (row.r, row.slope, row.intercept, row.p_family) = (f64::NAN, f64::NAN, f64::NAN, 1.0);
    let page = report::html(&analysis, &[ranked], &RunFacts::default());
    assert!(!page.contains("NaN"));
}
