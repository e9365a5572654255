//! Promise: a comparison is planned first, and its verdicts come as often as the plan says. Names are sentences.

mod program;

use std::fs;
use std::path::Path;

use cqa::data::{
    Attribute, AttributeKind, AttributeTransform, Comparison, ComparisonDesign, Margin, MarginUnit, Multiplicity,
    Range, Rule, Side, WholeTests,
};
use cqa::simulate::{ChangeParams, simulate_change};
use cqa::steps::process::Outcome;
use cqa::steps::process::compare::{Groups, attribute_values, judge, mean_sd, operating_at};
use program::{fails, succeeds};

const PLAN: &str = "\
title = \"New vessel\"
design = \"unpaired\"
n_post = 6
n_simulations = 2000
[pre]
path = \"lots.csv\"
column = \"process\"
value = \"old\"
[post]
path = \"new.csv\"
[[attribute]]
kind = \"readout\"
name = \"titer\"
role = \"potency\"
transform = \"log\"
rule = \"tost\"
margin = 1.5
margin_unit = \"ratio\"
[[attribute]]
kind = \"readout\"
name = \"viability\"
rule = \"tolerance\"
";

/// A folder with a plan and pre lots; post lots come later.
fn planned() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lots = "lot,process,titer,viability\na,old,10,90\nb,old,12,91\nc,old,11,93\nd,old,10.5,92\ne,old,9.8,90.5\nf,old,11.4,92.2\n\
                g,trial,3,50\n";
    fs::write(folder.path().join("lots.csv"), lots).unwrap();
    fs::write(folder.path().join("plan.toml"), PLAN).unwrap();
    folder
}

fn post(folder: &Path, titers: [f64; 6]) {
    let rows: String =
        titers.iter().enumerate().map(|(i, t)| format!("n{i},{t},{}\n", 90.0 + 0.5 * i as f64)).collect();
    fs::write(folder.join("new.csv"), format!("lot,titer,viability\n{rows}")).unwrap();
}

#[test]
fn a_plan_is_written_locked_and_carried_out() {
    let folder = planned();
    let at = folder.path();
    let said = succeeds(at, &["compare", "--init", "-o", "fresh.toml"]);
    assert!(said.contains("fresh.toml"));
    assert!(fails(at, &["compare", "--init", "-o", "fresh.toml"]).contains("never overwritten"));

    // There are no post lots yet, and none are needed to lock.
    let locked = succeeds(at, &["compare", "plan.toml", "--lock"]);
    assert!(
        locked.contains("What the plan can show with 6 lots before and 6 after")
            && locked.contains("no post lot was opened")
    );
    let lock = fs::read_to_string(at.join("plan.lock.json")).unwrap();
    assert!(fails(at, &["compare", "plan.toml", "-o", "out"]).contains("new.csv"));
    assert!(!at.join("out").exists());
    assert_eq!(lock, fs::read_to_string(at.join("plan.lock.json")).unwrap());

    post(at, [10.2, 11.0, 10.8, 11.9, 10.1, 10.6]);
    let said = succeeds(at, &["compare", "plan.toml", "-o", "out", "--threads", "1"]);
    let (chances, verdicts) = (said.find("What the plan can show").unwrap(), said.find("must lie within").unwrap());
    assert!(chances < verdicts, "operating characteristics come first");
    assert!(said.contains("Comparable: all 2 attributes meet their rules, potency among them."), "{said}");
    assert!(said.lines().count() < 30, "fits a screen");
    assert!(said.lines().all(|line| line.chars().count() <= 125), "{said}");
    let columns = |name: &str| {
        let text = fs::read_to_string(at.join("out").join(name)).unwrap();
        text.lines().next().unwrap().to_string()
    };
    assert!(
        columns("verdicts.csv")
            .starts_with("attribute,rule,n_pre,n_post,estimate,low,high,margin_low,margin_high,verdict")
    );
    assert!(
        columns("operating.csv")
            .starts_with("attribute,rule,lots,n_pre,n_post,sd_basis,sd,shift,difference,comparable")
    );
    assert_eq!(columns("values.csv"), "lot,group,pair,attribute,value");
    assert!(columns("whole.csv").starts_with("test,statistic"));
    assert_eq!(fs::read_to_string(at.join("out/plan.toml")).unwrap(), PLAN);
    // The lot of another process takes no part.
    assert!(!fs::read_to_string(at.join("out/values.csv")).unwrap().contains("g,pre"));
    let page = fs::read_to_string(at.join("out/report.html")).unwrap();
    assert!(page.contains("Comparable: all 2 attributes") && !page.contains("was amended"));
    assert!(
        !page.contains("src=\"http") && !page.contains("href=\"http") && page.matches("<script").count() == 1,
        "the page is whole and offline"
    );

    // The same bytes with another number of threads and on a later run.
    succeeds(at, &["compare", "plan.toml", "-o", "again", "--threads", "2"]);
    for file in [
        "verdicts.csv",
        "operating.csv",
        "values.csv",
        "whole.csv",
        "report.html",
        "plan.lock.json",
        "plots/forest.svg",
    ] {
        assert_eq!(
            fs::read(at.join("out").join(file)).unwrap(),
            fs::read(at.join("again").join(file)).unwrap(),
            "{file}"
        );
    }
    // Made again from its record, with nothing new on the lock.
    let said = succeeds(at, &["verify", "out", "--rerun"]);
    assert!(said.contains("outputs are the same"), "{said}");
    assert_eq!(fs::read(at.join("out/plan.lock.json")).unwrap(), fs::read(at.join("plan.lock.json")).unwrap());
    assert!(fails(at, &["compare", "plan.toml", "-o", "out"]).contains("--force"));
    succeeds(at, &["compare", "plan.toml", "-o", "out", "--force"]);
}

#[test]
fn an_edited_plan_is_refused_and_an_amended_one_says_so_first() {
    let folder = planned();
    let at = folder.path();
    post(at, [3.0, 2.0, 2.5, 2.2, 2.8, 2.4]);
    let said = succeeds(at, &["compare", "plan.toml", "-o", "out"]);
    assert!(said.contains("Not comparable") && said.contains("not comparable: titer"), "{said}");
    fs::write(at.join("plan.toml"), PLAN.replace("margin = 1.5", "margin = 9")).unwrap();
    let message = fails(at, &["compare", "plan.toml", "-o", "wide"]);
    assert!(message.contains("was edited after it was locked") && message.contains("SHA-256"), "{message}");
    let said = succeeds(at, &["compare", "plan.toml", "-o", "wide", "--amend", "the margin was a slip"]);
    assert!(
        said.lines().take(4).any(|line| line.contains("AMENDED") && line.contains("after post lots had been read")),
        "{said}"
    );
    let page = fs::read_to_string(at.join("wide/report.html")).unwrap();
    let (told, answer) = (page.find("the margin was a slip").unwrap(), page.find("Comparable: all").unwrap());
    assert!(told < answer, "the amendment is told before the verdict");
}

#[test]
fn a_name_that_is_not_there_is_told_before_the_plan_is_locked() {
    let folder = planned();
    fs::write(folder.path().join("plan.toml"), PLAN.replace("viability", "vitality")).unwrap();
    let message = fails(folder.path(), &["compare", "plan.toml", "--lock"]);
    assert!(message.contains("no column of the lot sheet `vitality`") && message.contains("viability"), "{message}");
    assert!(!folder.path().join("plan.lock.json").exists());
}

fn plan(design: ComparisonDesign, rule: Rule, margin: f64) -> Comparison {
    let margin = (margin > 0.0).then_some(Margin { low: -margin, high: margin, unit: MarginUnit::Absolute });
    let share = Attribute {
        kind: AttributeKind::ClusterShare,
        name: "0".into(),
        cluster: "all".into(),
        potency: false,
        transform: AttributeTransform::Logit,
        side: Side::Both,
        rule,
        margin,
    };
    Comparison {
        title: "study".into(),
        operator: String::new(),
        reason: String::new(),
        design,
        pair: "donor".into(),
        n_post: None,
        pair_correlation: 0.6,
        alpha: 0.05,
        multiplicity: Multiplicity::None,
        allow_missing: false,
        attributes: vec![share],
        whole: WholeTests::default(),
        n_simulations: 50_000,
        seed: 3,
    }
}

#[test]
fn verdicts_of_simulated_changes_come_as_often_as_is_printed() {
    use ComparisonDesign::{Paired, Unpaired};
    const STUDIES: u64 = 1_000;
    let range = |range| Rule::Range { range, share_within: 1.0, min_pre: 5 };
    for (design, n, rule, margin) in [
        (Unpaired, (6, 6), Rule::Tost { pooled: false }, 0.9),
        (Paired, (8, 8), Rule::Tost { pooled: false }, 0.5),
        (Unpaired, (10, 6), range(Range::Quality { k: 3.0 }), 0.0),
        (Unpaired, (12, 4), range(Range::MinMax), 0.0),
    ] {
        let plan = plan(design, rule, margin);
        let attribute = &plan.attributes[0];
        let many = ChangeParams { n_pre: 20_000, n_post: 1, ..ChangeParams::default() };
        let sd = mean_sd(&attribute_values(&simulate_change(&many, 1).0, attribute).unwrap()).1;
        for row in operating_at(&plan, attribute, 0.05, n, sd) {
            let paired = (design == Paired).then_some(0.6);
            let params =
                ChangeParams { n_pre: n.0, n_post: n.1, shift: row.difference, paired, ..ChangeParams::default() };
            let verdict = |seed| {
                let (pre, post) = simulate_change(&params, seed);
                let of = |records| attribute_values(records, attribute).unwrap();
                judge(&plan, &[Groups { pre: of(&pre), post: of(&post), n_missing: 0 }]).0[0].verdict
            };
            let verdicts: Vec<Outcome> = (0..STUDIES).map(verdict).collect();
            for (outcome, printed) in
                [(Outcome::Comparable, row.comparable), (Outcome::NotComparable, row.not_comparable)]
            {
                let seen = verdicts.iter().filter(|v| **v == outcome).count() as f64 / STUDIES as f64;
                let error = (printed * (1.0 - printed) / STUDIES as f64).sqrt();
                // Shares are normal on the logit scale nearly, not exactly: half a point is left for that.
                assert!(
                    (seen - printed).abs() < 4.0 * error + 0.005,
                    "{design:?} {n:?} {rule:?} {}: {seen} {printed}",
                    row.shift
                );
            }
        }
    }
}
