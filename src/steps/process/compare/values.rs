//! The values of an attribute, one per lot, on the scale on which it is compared.

use crate::data::{Attribute, AttributeKind, AttributeTransform, CellShares, LotRecords};
use crate::error::{Error, Result};

/// A lot with fewer cells in a cluster has no value of a gene there, as in the pseudobulk.
const MIN_CELLS: u64 = 10;

/// One value per lot; NaN where a lot has none.
///
/// # Errors
/// The records hold no such cluster, panel, distance or readout, or a readout that is no number, or one that its transform
/// does not take.
pub fn attribute_values(records: &LotRecords, attribute: &Attribute) -> Result<Vec<f64>> {
    match attribute.kind {
        AttributeKind::ClusterShare => shares(records.clusters.as_ref(), attribute, "cluster"),
        AttributeKind::PanelShare => shares(records.panels.as_ref(), attribute, "panel"),
        AttributeKind::Gene => genes(records, attribute),
        AttributeKind::Deviation => {
            let table = records.deviation.as_ref();
            let column = table.and_then(|t| t.columns.iter().position(|c| *c == attribute.name).map(|i| t.column(i)));
            let values = column.ok_or_else(|| absent(attribute, "distance", &[]))?;
            transformed(values.to_vec(), records, attribute)
        }
        AttributeKind::Readout => {
            let columns: Vec<&str> = records.sheet.columns.iter().map(|c| c.name.as_str()).collect();
            let column = records.sheet.column(&attribute.name);
            let column = column.ok_or_else(|| absent(attribute, "column of the lot sheet", &columns))?;
            let numbers = column.numbers().ok_or_else(|| {
                let lots = records.lots();
                let bad = column.values.iter().position(|v| !v.trim().is_empty() && v.trim().parse::<f64>().is_err());
                let place = bad.map_or(String::new(), |i| format!(" (`{}` of lot {})", column.values[i], lots[i]));
                Error::input(
                    format!("{} is not a number for every lot{place}", attribute.name),
                    "a readout is compared as a number; leave what was not measured empty",
                )
            })?;
            transformed(numbers, records, attribute)
        }
    }
}

fn absent(attribute: &Attribute, what: &str, known: &[&str]) -> Error {
    let among = if known.is_empty() { String::new() } else { format!("; there are {}", known.join(", ")) };
    Error::input(
        format!("{}: the lots have no {what} `{}`{among}", attribute.label(), attribute.name),
        "correct the name in the plan",
    )
}

fn shares(shares: Option<&CellShares>, attribute: &Attribute, what: &str) -> Result<Vec<f64>> {
    let none = || absent(attribute, what, &[]);
    let shares = shares.ok_or_else(none)?;
    let names: Vec<&str> = shares.names.iter().map(String::as_str).collect();
    let column = names.iter().position(|n| *n == attribute.name).ok_or_else(|| absent(attribute, what, &names))?;
    let value = |(&n, &total): (&u64, &u64)| {
        let (n, total) = (n as f64, total as f64);
        if total == 0.0 {
            return f64::NAN;
        }
        match attribute.transform {
            AttributeTransform::Logit => ((n + 0.5) / (total - n + 0.5)).ln(),
            AttributeTransform::AsinSqrt => (n / total).sqrt().asin(),
            AttributeTransform::None | AttributeTransform::Log => n / total,
        }
    };
    Ok(shares.n_in.column(column).iter().zip(shares.n_total.column(column)).map(value).collect())
}

fn genes(records: &LotRecords, attribute: &Attribute) -> Result<Vec<f64>> {
    let sum = records.genes.iter().find(|sum| sum.gene == attribute.name && sum.cluster == attribute.cluster);
    let sum = sum.ok_or_else(|| absent(attribute, "gene", &[]))?;
    let of_cluster = records.clusters.as_ref().and_then(|clusters| {
        clusters.names.iter().position(|name| *name == attribute.cluster).map(|at| clusters.n_in.column(at))
    });
    let value = |lot: usize| {
        let few = of_cluster.is_some_and(|cells| cells[lot] < MIN_CELLS);
        if few || sum.totals[lot] == 0 {
            return f64::NAN;
        }
        (1e6 * sum.counts[lot] as f64 / sum.totals[lot] as f64 + 1.0).log2()
    };
    Ok((0..sum.counts.len()).map(value).collect())
}

fn transformed(values: Vec<f64>, records: &LotRecords, attribute: &Attribute) -> Result<Vec<f64>> {
    let takes = |value: f64| match attribute.transform {
        AttributeTransform::Log => value > 0.0,
        AttributeTransform::Logit => value > 0.0 && value < 1.0,
        AttributeTransform::None | AttributeTransform::AsinSqrt => true,
    };
    if let Some(lot) = values.iter().position(|&value| !value.is_nan() && !takes(value)) {
        let range = if attribute.transform == AttributeTransform::Log { "above 0" } else { "between 0 and 1" };
        return Err(Error::input(
            format!(
                "{} of lot {} is {}, but its transform takes values {range}",
                attribute.label(),
                records.lots()[lot],
                values[lot]
            ),
            "choose another transform in the plan, or correct the value",
        ));
    }
    Ok(values
        .into_iter()
        .map(|value| match attribute.transform {
            AttributeTransform::Log => value.ln(),
            AttributeTransform::Logit => (value / (1.0 - value)).ln(),
            AttributeTransform::None | AttributeTransform::AsinSqrt => value,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{GeneSum, LotTable, Range, Rule, SheetColumn, Side};

    fn attribute(kind: AttributeKind, name: &str, transform: AttributeTransform) -> Attribute {
        Attribute {
            kind,
            name: name.into(),
            cluster: "all".into(),
            potency: false,
            transform,
            side: Side::Both,
            rule: Rule::Range { range: Range::MinMax, share_within: 1.0, min_pre: 5 },
            margin: None,
        }
    }

    fn records() -> LotRecords {
        let column = |name: &str, values: [&str; 3]| SheetColumn {
            name: name.into(),
            values: values.map(String::from).to_vec(),
        };
        let columns =
            vec![column("titer", ["2", "", "8"]), column("site", ["a", "b", "c"]), column("zero", ["0", "1", "0.5"])];
        let counts = ndarray::array![[9, 91], [0, 0], [25, 75]];
        let mut records = LotRecords::of_counts("L", vec!["0".into(), "1".into()], counts, columns);
        let lots = records.lots();
        records.deviation = Some(LotTable::new(lots, vec!["energy".into()], ndarray::array![[1.0], [f64::NAN], [4.0]]));
        let sum = |cluster: &str| GeneSum {
            gene: "X".into(),
            cluster: cluster.into(),
            counts: vec![3, 0, 0],
            totals: vec![1_000_000, 0, 5],
        };
        records.genes = vec![sum("all"), sum("0")];
        records
    }

    fn same(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        assert!(a.iter().zip(b).all(|(a, b)| (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-12), "{a:?} {b:?}");
    }

    #[test]
    fn every_kind_has_its_values() {
        use AttributeKind::{ClusterShare, Deviation, Gene, Readout};
        use AttributeTransform::{AsinSqrt, Log, Logit, None};
        let (records, nan) = (records(), f64::NAN);
        let of = |kind, name, transform| attribute_values(&records, &attribute(kind, name, transform)).unwrap();
        same(&of(ClusterShare, "0", None), &[0.09, nan, 0.25]);
        same(&of(ClusterShare, "0", Logit), &[(9.5_f64 / 91.5).ln(), nan, (25.5_f64 / 75.5).ln()]);
        same(&of(ClusterShare, "0", AsinSqrt), &[0.3_f64.asin(), nan, std::f64::consts::FRAC_PI_6]);
        same(&of(Gene, "X", None), &[2.0, nan, 0.0]);
        same(&of(Deviation, "energy", Log), &[0.0, nan, 4.0_f64.ln()]);
        same(&of(Readout, "titer", Log), &[2.0_f64.ln(), nan, 8.0_f64.ln()]);
        let mut within = attribute(Gene, "X", None);
        within.cluster = "0".into();
        // Nine cells of the first lot are too few.
        same(&attribute_values(&records, &within).unwrap(), &[nan, nan, 0.0]);
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let records = records();
        let fails = |kind, name, transform| {
            attribute_values(&records, &attribute(kind, name, transform)).unwrap_err().to_string()
        };
        use AttributeTransform::{Log, None};
        assert!(fails(AttributeKind::ClusterShare, "7", None).contains("no cluster `7`; there are 0, 1"));
        assert!(fails(AttributeKind::PanelShare, "p", None).contains("no panel `p`"));
        assert!(fails(AttributeKind::Readout, "kill", None).contains("there are titer, site, zero"));
        assert!(fails(AttributeKind::Readout, "site", None).contains("`a` of lot L1"));
        assert!(fails(AttributeKind::Readout, "zero", Log).contains("zero of lot L1 is 0"));
        assert!(fails(AttributeKind::Gene, "Y", None).contains("no gene `Y`"));
        assert!(fails(AttributeKind::Deviation, "aitchison", None).contains("no distance"));
    }
}
