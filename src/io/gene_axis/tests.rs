use super::*;

fn genes(pairs: &[(&str, &str)]) -> Genes {
    Genes::new(pairs.iter().map(|p| p.0.to_string()).collect(), pairs.iter().map(|p| p.1.to_string()).collect())
        .unwrap()
}

fn joined(lots: &[Genes], sets: GeneSets) -> Result<GeneAxis> {
    let names: Vec<String> = (0..lots.len()).map(|i| format!("lot{i}")).collect();
    join(&names, &lots.iter().collect::<Vec<_>>(), sets)
}

#[test]
fn equal_axes_stay_as_they_are() {
    let lot = genes(&[("a", "A"), ("b", "B")]);
    let axis = joined(&[lot.clone(), lot.clone()], GeneSets::Intersection).unwrap();
    assert_eq!((axis.genes, axis.columns, axis.warnings), (lot, vec![None, None], vec![]));
}

#[test]
fn intersection_and_union_follow_the_first_lot() {
    let lots = [genes(&[("c", "C"), ("a", "a"), ("b", "B")]), genes(&[("d", "D"), ("a", "A"), ("c", "C")])];
    let axis = joined(&lots, GeneSets::Intersection).unwrap();
    assert_eq!(axis.genes, genes(&[("c", "C"), ("a", "A")]));
    assert_eq!(axis.columns, [Some(vec![Some(0), Some(1), None]), Some(vec![None, Some(1), Some(0)])]);
    let expected = |used: &str| Warning::GeneSetsDiffer {
        n_common: 2,
        n_union: 4,
        used: used.into(),
        worst_lot: "lot0".into(),
        n_missing: 1,
    };
    assert_eq!(axis.warnings, [expected("intersection")]);
    let axis = joined(&lots, GeneSets::Union).unwrap();
    assert_eq!(axis.genes.ids(), ["c", "a", "b", "d"]);
    assert_eq!(axis.columns[1], Some(vec![Some(3), Some(1), Some(0)]));
    assert_eq!(axis.warnings, [expected("union")]);
}

#[test]
fn versions_of_ensembl_ids_are_dropped_where_more_genes_match_then() {
    let lots = [
        genes(&[("ENSG01.1", "A"), ("ENSG02.5", "B"), ("ENSG03.1", "C")]),
        genes(&[("ENSG02.6", "B"), ("ENSG01.1", "A")]),
    ];
    let axis = joined(&lots, GeneSets::Intersection).unwrap();
    assert_eq!(axis.genes.ids(), ["ENSG01.1", "ENSG02.5"]);
    assert_eq!(axis.columns[1], Some(vec![Some(1), Some(0)]));
    let expected = Warning::GenesJoinedBy {
        name: "id without version".into(),
        lot: "lot1".into(),
        example_first: "ENSG02.5".into(),
        example_lot: "ENSG02.6".into(),
    };
    assert_eq!(axis.warnings[0], expected);
    assert_eq!(without_version("ENSG00000182378.13_PAR_Y"), "ENSG00000182378.13_PAR_Y");
    assert_eq!(without_version("RP11-34P13.3"), "RP11-34P13.3");
}

#[test]
fn symbols_join_only_if_no_id_matches_and_only_where_they_are_unique() {
    let ensembl = genes(&[("ENSG01", "A"), ("ENSG02", "B"), ("ENSG03", "B"), ("ENSG04", "D")]);
    let symbols = genes(&[("D", "D"), ("B", "B"), ("A", "A")]);
    let axis = joined(&[ensembl.clone(), symbols], GeneSets::Intersection).unwrap();
    assert_eq!(axis.genes, genes(&[("ENSG01", "A"), ("ENSG04", "D")]));
    assert_eq!(axis.columns[1], Some(vec![Some(1), None, Some(0)]));
    assert!(matches!(&axis.warnings[0], Warning::GenesJoinedBy { name, .. } if name == "symbol"));
    // One common id is enough: symbols are left alone.
    let mixed = genes(&[("ENSG01", "x"), ("B2", "D")]);
    let axis = joined(&[ensembl, mixed], GeneSets::Intersection).unwrap();
    assert_eq!(axis.genes.ids(), ["ENSG01"]);
}

#[test]
fn lots_with_nothing_in_common_are_refused_with_their_names() {
    let many = |prefix: &str, n: usize| {
        let names: Vec<String> = (0..n).map(|i| format!("{prefix}{i:05}")).collect();
        Genes::new(names.clone(), names).unwrap()
    };
    let message = |lots: &[Genes]| match joined(lots, GeneSets::Union) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("joined"),
    };
    let text = message(&[many("ENSG", 2_000), many("GENE", 2_000)]);
    assert!(text.contains("Ensembl ids such as ENSG00000") && text.contains("names such as GENE00000"), "{text}");
    // 50 common genes of 2,000 are too few; of a panel of 60 they are not.
    let partly = |n: usize| {
        let ids = many("ENSG", 50).ids().iter().cloned().chain((50..n).map(|i| format!("X{i}"))).collect::<Vec<_>>();
        Genes::new(ids.clone(), ids).unwrap()
    };
    assert!(message(&[many("ENSG", 2_000), partly(2_000)]).contains("50 genes in common"));
    assert!(joined(&[many("ENSG", 60), partly(60)], GeneSets::Intersection).is_ok());
}
