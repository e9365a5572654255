//! What a certificate says, and what it never says.

use ndarray::Array2;

use super::*;
use crate::steps::process::{OutOfReference, PotencyPoint};

fn share(share: f64, n: u64) -> Share {
    Share { n_cells: (share * n as f64) as u64, share, ci_low: share * 0.9, ci_high: share * 1.1 + 0.002 }
}

fn placed(name: &str, n_clusters: usize, shift: f64) -> Placed {
    let weight = |k: usize| 0.8_f64.powi(k as i32) * (1.0 + shift * ((k * 7 + 3) % 5) as f64 / 5.0);
    let total: f64 = (0..n_clusters).map(weight).sum::<f64>() / 0.98;
    Placed {
        lot: name.into(),
        n_cells_read: 5_200,
        n_cells: 4_900,
        n_unassigned: 98,
        share_unassigned: 0.02,
        composition: (0..n_clusters).map(|k| share(weight(k) / total, 4_900)).collect(),
        unassigned: share(0.02, 4_900),
        jensen_shannon: Limited { value: 0.081, limit: 0.25 },
        aitchison: Limited { value: 1.2, limit: 3.4 },
        energy: Limited { value: 0.31, limit: 0.9 },
        pct_mito: Limited { value: 2.4, limit: 6.0 },
        counts: Limited { value: 27_411.0, limit: 8_000.0 },
        n_variable: 2_000,
        n_found: 1_998,
        in_reference: true,
        reasons: Vec::new(),
        predictions: vec![Prediction {
            readout: "vegf_ischemia".into(),
            cluster: 2,
            value: 1_234.6,
            low: 801.2,
            high: 1_667.8,
            level: 0.95,
            supported: true,
            inside: true,
        }],
    }
}

fn reference(n_clusters: usize) -> ReferenceSummary {
    let lots: Vec<String> = (1..=11).map(|i| format!("lot{i:02}")).collect();
    let held = |(i, lot): (usize, &String)| HeldOut {
        placed: placed(lot, n_clusters, i as f64 / 10.0 - 0.5),
        label_agreement: 0.97,
        composition_error: 0.02,
    };
    let point = |(i, lot): (usize, &String)| PotencyPoint {
        lot: lot.clone(),
        share: 0.05 + 0.02 * i as f64,
        value: 800.0 + 90.0 * i as f64,
        predicted: 850.0 + 85.0 * i as f64,
        low: 500.0,
        high: 1_900.0,
        cluster: 2,
    };
    ReferenceSummary {
        hash: "0123456789abcdef".repeat(4),
        version: "0.1.0".into(),
        n_cells: vec![5_000; 11],
        clusters: (0..n_clusters).map(|k| k.to_string()).collect(),
        shares: Array2::from_elem((11, n_clusters), 1.0 / n_clusters as f64),
        held_out: lots.iter().enumerate().map(held).collect(),
        potency: vec![PotencySummary {
            readout: "vegf_ischemia".into(),
            cluster: 2,
            intercept: 500.0,
            slope: 4_000.0,
            r: 0.93,
            verdict: "suggestive".into(),
            supported: true,
            level: 0.95,
            coverage: 10.0 / 11.0,
            points: lots.iter().enumerate().map(point).collect(),
        }],
        lots,
    }
}

fn facts() -> CertificateFacts {
    let panel = crate::steps::markers::Panel { gates: Vec::new() };
    let gated = GatedShare { panel: "CD44+CD34-".into(), ..GatedShare::new("lot12", &panel, 4_900, 700, 0.95) };
    CertificateFacts {
        version: String::new(),
        files: (1..=4).map(|i| (format!("lots/lot12/file{i}.gz"), "fedcba9876543210".repeat(4))).collect(),
        panels: vec![(gated, vec![0.05, 0.1, f64::NAN])],
    }
}

fn dying(n_clusters: usize) -> Placed {
    let reasons = vec![
        OutOfReference::LosesCells { n_read: 5_200, n_cells: 900, min_share: 0.5 },
        OutOfReference::HighMito { median: 31.4, limit: 6.0 },
        OutOfReference::Unassigned { share: 0.62, limit: 0.1 },
    ];
    let jensen_shannon = Limited { value: 0.7, limit: 0.25 };
    Placed {
        in_reference: false,
        reasons,
        jensen_shannon,
        predictions: Vec::new(),
        ..placed("lot13 <odd> & name", n_clusters, 3.0)
    }
}

/// Words of the page without markup.
fn words(page: &str) -> String {
    let body = page.split("</style>").nth(1).unwrap();
    body.split('<').filter_map(|part| part.split_once('>')).map(|part| part.1).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_first_lines_say_lot_and_verdict() {
    let page = html(&placed("lot12", 8, 0.1), &reference(8), &facts());
    let text = words(&page);
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} in {text}"));
    assert!(at("lot12") < at("In reference") && at("In reference") < at("Composition"));
    assert!(text.contains("1235") && text.contains("801.2 to 1668"));
    assert!(text.contains("is supported by the reference lots") && text.contains("91\u{a0}%"));
    assert!(text.contains(&"0123456789abcdef".repeat(4)) && text.contains("1 more in run.json"));
    assert!(text.contains("CD44+CD34-") && text.contains("signature"));
    assert!(!page.contains("<script") && !page.contains("<link"));
}

#[test]
fn a_lot_out_of_reference_is_given_no_potency() {
    let text = words(&html(&dying(8), &reference(8), &CertificateFacts::default()));
    assert!(text.contains("Out of reference") && !text.contains("In reference"));
    assert!(text.contains("62.0 %") && text.contains("31.4 %") && text.contains("beyond"));
    assert!(text.contains("a lot out of reference has no predicted potency") && !text.contains("vegf_ischemia"));
    assert!(text.contains("lot13 &lt;odd&gt; &amp; name"));
}

#[test]
fn a_prediction_without_support_or_outside_the_lots_says_so() {
    let mut lot = placed("lot12", 8, 0.1);
    (lot.predictions[0].supported, lot.predictions[0].inside) = (false, false);
    let text = words(&html(&lot, &reference(8), &facts()));
    assert!(text.contains("Not supported:") && text.contains("suggestive") && text.contains("extrapolation"));
    assert!(!text.contains("is supported by"));
}

#[test]
fn missing_numbers_do_not_upset_it() {
    let none = Share { n_cells: 0, share: f64::NAN, ci_low: f64::NAN, ci_high: f64::NAN };
    let empty = Placed {
        n_cells: 0,
        share_unassigned: f64::NAN,
        composition: vec![none; 3],
        unassigned: none,
        jensen_shannon: Limited::NONE,
        aitchison: Limited::NONE,
        energy: Limited::NONE,
        pct_mito: Limited::NONE,
        counts: Limited::NONE,
        in_reference: false,
        reasons: vec![OutOfReference::NoCells],
        predictions: Vec::new(),
        ..placed("empty", 3, 0.0)
    };
    let bare = ReferenceSummary { held_out: Vec::new(), potency: Vec::new(), ..reference(3) };
    let text = words(&html(&empty, &bare, &CertificateFacts::default()));
    assert!(text.contains("the file holds no cells") && !text.contains("NaN"));
    let many = html(&placed("many", 60, 0.2), &reference(60), &facts());
    assert!(words(&many).contains("20 largest clusters"));
}

#[test]
fn what_has_no_limit_is_not_said_to_lie_within_one() {
    let text = words(&html(&placed("lot12", 8, 0.1), &reference(8), &facts()));
    assert!(
        text.contains("reference lots set: quality, composition and distance.") && !text.contains("No limit was set")
    );
    let mut few = placed("lot12", 8, 0.1);
    for of in [&mut few.jensen_shannon, &mut few.aitchison, &mut few.energy] {
        of.limit = f64::NAN;
    }
    let text = words(&html(&few, &reference(8), &facts()));
    assert!(
        text.contains("reference lots set: quality.") && text.contains("No limit was set for composition and distance")
    );
}

/// The worst that a page may hold: many clusters, panels, reasons, predictions and long names.
fn crowded() -> (Placed, ReferenceSummary, CertificateFacts) {
    let mut lot = dying(60);
    lot.lot = "a very long name of a lot, 2026-11-27, site 2, second campaign, repeat of 17".into();
    let distance = |measure| OutOfReference::Deviation { measure, value: 0.7, limit: 0.25 };
    use crate::steps::process::Measure::{Aitchison, Energy, JensenShannon};
    lot.reasons.extend([JensenShannon, Aitchison, Energy].map(distance));
    lot.reasons.push(OutOfReference::LowCounts { median: 900.0, limit: 8_000.0 });
    lot.reasons.push(OutOfReference::FewCells { n_read: 5_200, n_cells: 40, min_cells: 50 });
    let mut facts = facts();
    facts.panels = (0..12)
        .map(|i| {
            let (mut gated, others) = facts.panels[0].clone();
            gated.panel = format!("CD44+CD34-TNFAIP6+GENE{i:05}-");
            (gated, others)
        })
        .collect();
    (lot, reference(60), facts)
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let (lot, reference, facts) = crowded();
    let text = words(&html(&lot, &reference, &facts));
    for cut in [
        "3 more in placed.csv",
        "40 more are in composition.csv",
        "8 more panels are in panel_shares.csv",
        "1 more in run.json",
    ] {
        assert!(text.contains(cut), "{cut}: {text}");
    }
}

/// Pages that a page prints to; `None` without a browser.
fn n_pages(page: &str) -> Option<usize> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("page.html"), page).unwrap();
    let print = |browser: &&str| {
        std::process::Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"])
            .arg(format!("--user-data-dir={}", at("profile").display()))
            .arg(format!("--print-to-pdf={}", at("page.pdf").display()))
            .arg(at("page.html"))
            .output()
            .is_ok_and(|output| output.status.success() && at("page.pdf").exists())
    };
    ["chromium", "chromium-browser", "google-chrome"].iter().find(|browser| print(browser))?;
    let pdf = std::fs::read(at("page.pdf")).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    let count = text.split("/Count ").nth(1).expect("a list of pages");
    Some(count.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap())
}

#[test]
fn a_certificate_prints_to_one_page() {
    let (lot, of, facts) = crowded();
    let few = html(&placed("MSC-2024-017", 8, 0.1), &reference(8), &facts);
    for (name, page) in [("crowded", html(&lot, &of, &facts)), ("usual", few)] {
        match n_pages(&page) {
            Some(n) => assert_eq!(n, 1, "{name}"),
            None => return eprintln!("skipped: no chromium or chrome to print with"),
        }
    }
}

/// Writes pages to look at and to print, to the folder that `CQA_PAGES` names.
#[test]
fn pages_to_look_at() {
    let Ok(folder) = std::env::var("CQA_PAGES") else { return };
    for n_clusters in [3, 8, 15, 60] {
        let pages = [("in", placed("MSC-2024-017", n_clusters, 0.1)), ("out", dying(n_clusters))];
        for (name, lot) in pages {
            let page = html(&lot, &reference(n_clusters), &facts());
            std::fs::write(format!("{folder}/{name}_{n_clusters}.html"), page).unwrap();
        }
    }
    let (lot, reference, facts) = crowded();
    std::fs::write(format!("{folder}/crowded.html"), html(&lot, &reference, &facts)).unwrap();
}
