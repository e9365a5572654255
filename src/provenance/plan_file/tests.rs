use super::*;
use crate::data::{MarginUnit, Range, Rule, Side};

const HEAD: &str = "title = \"x\"\ndesign = \"unpaired\"\n[pre]\npath = \"a\"\n[post]\npath = \"b\"\n";
const ONE: &str = "[[attribute]]\nkind = \"readout\"\nname = \"titer\"\nrule = \"tost\"\nmargin = 1\n";

fn read(text: &str) -> Result<PlanFile> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, text).unwrap();
    PlanFile::read(&path)
}

fn complaint(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn attribute(keys: &str) -> String {
    format!("{HEAD}[[attribute]]\n{keys}\n")
}

#[test]
fn a_small_plan_has_its_defaults() {
    let plan = read(&format!("{HEAD}{ONE}")).unwrap();
    let comparison = plan.comparison();
    assert_eq!((comparison.alpha, comparison.multiplicity, comparison.n_post), (0.05, Multiplicity::None, None));
    assert_eq!((comparison.attributes.len(), comparison.whole.n_permutations), (1, 9_999));
    assert_eq!(comparison.attributes[0].rule, Rule::Tost { pooled: false });
    assert!(!plan.shares_source());
    // FIPS 180-2 by another implementation is tested with the hashes of files; here that it is the file's bytes.
    assert_eq!(plan.sha256(), sha256(format!("{HEAD}{ONE}").as_bytes()));
}

#[test]
fn names_and_margins_in_every_form() {
    let plan = read(&format!(
        "{HEAD}[[attribute]]\nkind = \"cluster_share\"\nnames = [0, \"1\"]\ntransform = \"logit\"\nrule = \"tost\"\nmargin = [-0.5, 1]\n\
         [[attribute]]\nkind = \"readout\"\nname = \"titer\"\nrole = \"potency\"\ntransform = \"log\"\nside = \"lower\"\nrule = \"tost\"\n\
         margin = 1.25\nmargin_unit = \"ratio\"\nvariance = \"pooled\"\n\
         [[attribute]]\nkind = \"gene\"\nname = \"G\"\ncluster = 3\nrule = \"tolerance\"\n\
         [[attribute]]\nkind = \"deviation\"\nname = \"energy\"\nrule = \"quality_range\"\nk = 3\nshare_within = 0.9\nmin_pre = 6\n"
    ))
    .unwrap();
    let [first, second, titer, gene, energy] = &plan.comparison().attributes[..] else { panic!("five attributes") };
    assert_eq!((first.name.as_str(), second.name.as_str()), ("0", "1"));
    let margin = first.margin.unwrap();
    assert_eq!((margin.low, margin.high, margin.unit), (-0.5, 1.0, MarginUnit::Absolute));
    let margin = titer.margin.unwrap();
    assert_eq!((margin.low, margin.high, margin.unit), (0.8, f64::INFINITY, MarginUnit::Ratio));
    assert!(titer.potency && titer.rule == Rule::Tost { pooled: true });
    assert_eq!(gene.label(), "gene G in cluster 3");
    let tolerance = Range::Tolerance { coverage: 0.99, confidence: 0.95 };
    assert_eq!(gene.rule, Rule::Range { range: tolerance, share_within: 1.0, min_pre: 5 });
    let quality = Range::Quality { k: 3.0 };
    assert_eq!(
        (energy.rule, energy.side),
        (Rule::Range { range: quality, share_within: 0.9, min_pre: 6 }, Side::Upper)
    );
}

#[test]
fn what_is_wrong_is_named() {
    for (text, words) in [
        ("title = 3".to_string(), "line 1"),
        (format!("{HEAD}attributes = 1\n"), "unknown field `attributes`"),
        (HEAD.into(), "name at least one attribute"),
        (format!("alpha = 0.6\n{HEAD}{ONE}"), "alpha"),
        (format!("pair = \"donor\"\n{HEAD}{ONE}"), "goes with design"),
        (format!("{HEAD}{ONE}").replace("unpaired", "paired"), "goes with design"),
        (format!("{HEAD}{ONE}").replace("\"b\"", "\"a\""), "same lots as [pre]"),
        (format!("{HEAD}{ONE}").replace("\"b\"", "\"b\"\ncolumn = \"process\""), "go together"),
        (format!("{HEAD}{ONE}{ONE}"), "number 2: titer is there already"),
        (format!("{HEAD}{ONE}").replace("unpaired", "history"), "tost"),
        (attribute("kind = \"readout\"\nname = \"x\"\nrule = \"tost\""), "needs `margin`"),
        (attribute("kind = \"readout\"\nname = \"x\"\nrule = \"tost\"\nmargin = -1"), "above 0"),
        (attribute("kind = \"readout\"\nname = \"x\"\nrule = \"tost\"\nmargin = [0.1, 0.2]"), "low < 0 < high"),
        (attribute("kind = \"readout\"\nname = \"x\"\nrule = \"tost\"\nmargin = 1.2\nmargin_unit = \"ratio\""), "log"),
        (attribute("kind = \"readout\"\nname = \"x\"\nrule = \"tost\"\nmargin = 1\nk = 2"), "`k` does not belong"),
        (attribute("kind = \"readout\"\nname = \"x\"\nrule = \"quality_range\""), "needs `k`"),
        (
            attribute("kind = \"readout\"\nname = \"x\"\nrule = \"min_max\"\ncoverage = 0.9"),
            "`coverage` does not belong",
        ),
        (attribute("kind = \"readout\"\nname = \"x\"\nrule = \"min_max\"\nshare_within = 0"), "share_within"),
        (attribute("kind = \"readout\"\nname = \"x\"\nrule = \"tolerance\"\nconfidence = 1"), "confidence"),
        (attribute("kind = \"readout\"\nrule = \"min_max\""), "needs `name`"),
        (
            attribute("kind = \"cluster_share\"\nname = \"1\"\nrole = \"potency\"\nrule = \"min_max\""),
            "potency is measured",
        ),
        (attribute("kind = \"cluster_share\"\nname = \"1\"\ncluster = \"1\"\nrule = \"min_max\""), "kind = \"gene\""),
        (attribute("kind = \"deviation\"\nname = \"far\"\nrule = \"min_max\""), "jensen_shannon"),
        (attribute("kind = \"gene\"\nname = \"G\"\ntransform = \"log\"\nrule = \"min_max\""), "log2(CPM + 1)"),
        (attribute("kind = \"readout\"\nname = \"x\"\nrule = \"min_max\"\nmargin_unit = \"sd\""), "goes with `margin`"),
    ] {
        let message = complaint(&text);
        assert!(message.contains("plan.toml") && message.contains(words), "{text}: {message}");
    }
}

#[test]
fn a_source_of_both_groups_stays_closed_before_the_lock() {
    let both = format!(
        "title = \"x\"\ndesign = \"unpaired\"\n[pre]\npath = \"a/\"\nlots = [\"1\"]\n[post]\npath = \"./a\"\nlots = [\"2\"]\n{ONE}"
    );
    let plan = read(&both).unwrap();
    assert!(plan.shares_source());
    assert!(plan.read_pre().unwrap_err().to_string().contains("lock the plan first"));
}
