use super::*;

fn read(text: &str, n_genes: usize, n_cells: usize, rows: Rows) -> Result<Vec<Vec<(u32, u32)>>> {
    let matrix = MatrixMarket::open(text.as_bytes(), Path::new("matrix.mtx"))?;
    let counts = matrix.into_counts(n_genes, n_cells, rows, 1 << 20)?;
    assert_eq!((counts.n_cells(), counts.n_genes()), (n_cells, n_genes));
    Ok((0..n_cells).map(|cell| counts.row(cell).iter().collect()).collect())
}

const HEADER: &str = "%%MatrixMarket matrix coordinate integer general\n";

#[test]
fn entries_in_any_order_give_the_same_matrix() {
    let expected = [vec![(0, 7), (2, 1)], vec![], vec![(1, 70_000), (2, 2)], vec![]];
    for entries in [
        "1 1 7\n3 1 1\n2 3 70000\n3 3 2\n",
        "3 1 1\n1 1 7\n3 3 2\n2 3 70000\n",
        "2 3 70000\n3 3 2\n1 1 7\n3 1 1\n",
        "1 1 7\n2 3 70000\n3 1 1\n3 3 2\n",
        "1 1 7\r\n 2\t3  7e4\n\n3 1 1.0\n3 3 2",
    ] {
        let text = format!("{HEADER}%a comment\n3 4 4\n{entries}");
        assert_eq!(read(&text, 3, 4, Rows::Genes).unwrap(), expected, "{entries}");
    }
}

#[test]
fn cells_as_rows_are_found_by_size_or_told() {
    let text = format!("{HEADER}2 3 2\n1 3 5\n2 1 6\n");
    let expected = [vec![(2, 5)], vec![(0, 6)]];
    assert_eq!(read(&text, 3, 2, Rows::Genes).unwrap(), expected);
    assert_eq!(read(&text, 3, 2, Rows::Cells).unwrap(), expected);
    let square = format!("{HEADER}2 2 1\n1 2 5\n");
    assert_eq!(read(&square, 2, 2, Rows::Genes).unwrap(), [vec![], vec![(0, 5)]]);
    assert_eq!(read(&square, 2, 2, Rows::Cells).unwrap(), [vec![(1, 5)], vec![]]);
}

#[test]
fn zeros_are_not_stored_and_an_empty_matrix_is_fine() {
    assert_eq!(read(&format!("{HEADER}2 2 1\n1 1 0\n"), 2, 2, Rows::Genes).unwrap(), [vec![], vec![]]);
    assert_eq!(read(&format!("{HEADER}2 2 0\n"), 2, 2, Rows::Genes).unwrap(), [vec![], vec![]]);
    assert!(read(&format!("{HEADER}2 0 0\n"), 2, 0, Rows::Genes).unwrap().is_empty());
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let body = |body: &str| format!("{HEADER}3 4 2\n{body}");
    for (text, words) in [
        (String::new(), "line 1: not a MatrixMarket file"),
        ("%%MatrixMarket matrix array integer general\n".into(), "line 1: a dense"),
        ("%%MatrixMarket matrix coordinate pattern general\n".into(), "line 1: the values are `pattern`"),
        ("%%MatrixMarket matrix coordinate integer symmetric\n".into(), "line 1: the matrix is `symmetric`"),
        (HEADER.into(), "ends before the line of sizes"),
        (format!("{HEADER}3 x 2\n"), "line 2: expected three whole numbers"),
        (format!("{HEADER}3 4 13\n"), "line 2: 13 entries in 3 rows"),
        (format!("{HEADER}3 5 2\n"), "line 2: the matrix has 3 rows × 5 columns, but 3 genes and 4 barcodes"),
        (body("1 1 1\n"), "ends after 1 of 2 entries"),
        (body("1 1 1\n2 1 1\n3 1 1\n"), "line 5: more entries than the 2"),
        (body("1 1 1\n0 1 1\n"), "line 4: entry at row 0, column 1 lies outside"),
        (body("1 1 1\n1 5 1\n"), "line 4: entry at row 1, column 5 lies outside"),
        (body("1 1 -1\n"), "line 3: `-1` is negative"),
        (body("1 1 0.5\n"), "line 3: `0.5` is no whole number"),
        (body("1 1 nan\n"), "line 3: `nan` is missing"),
        (body("1 1 99999999999\n"), "line 3: `99999999999` is too large"),
        (body("1 1 x\n"), "line 3: `x` is no number"),
        (body("1 1\n"), "line 3: `1 1`: expected row, column, count"),
        (body("1.5 1 1\n"), "line 3: `1.5 1 1`: row and column must be whole numbers"),
        (body("2 1 1\n2 1 1\n"), "gene 2 of cell 1 is there twice"),
        (body("2 2 1\n2 1 1\n").replace("3 4 2", "3 4 3") + "2 2 1\n", "gene 2 of cell 2 is there twice"),
    ] {
        let message = read(&text, 3, 4, Rows::Genes).unwrap_err().to_string();
        assert!(message.starts_with("matrix.mtx, ") || message.starts_with("matrix.mtx:"), "{message}");
        assert!(message.contains(words), "{text:?}: {message}");
    }
}

#[test]
fn a_header_that_lies_allocates_nothing() {
    let n = u32::MAX as usize;
    let text = format!("{HEADER}{n} {n} {}\n1 1 1\n", u64::MAX / 2);
    let message = read(&text, n, 10, Rows::Genes).unwrap_err().to_string();
    assert!(message.contains("but 4294967295 genes and 10 barcodes"), "{message}");
    let text = format!("{HEADER}100000 1000000 100000000000\n1 1 1\n");
    let matrix = MatrixMarket::open(text.as_bytes(), Path::new("m")).unwrap();
    let message = matrix.into_counts(100_000, 1_000_000, Rows::Genes, text.len()).unwrap_err().to_string();
    assert!(message.contains("ends after 1 of 100000000000"), "{message}");
}

proptest::proptest! {
    /// Any bytes after a valid banner end in a result, never in a panic.
    #[test]
    fn any_bytes_are_read_or_refused(body in "[0-9 .e\\n\\t%-]{0,80}", sorted in proptest::bool::ANY) {
        let text = format!("{HEADER}3 4 2\n{body}");
        let rows = if sorted { Rows::Genes } else { Rows::Cells };
        let _ = read(&text, 3, 4, rows);
    }

    /// Entries in any order and line format come back as they were.
    #[test]
    fn a_written_matrix_comes_back(
        entries in proptest::collection::btree_map((0u32..6, 0u32..5), 1u32..100_000, 0..25),
        order in 0u64..1000,
    ) {
        let mut lines: Vec<_> = entries.iter().collect();
        lines.sort_by_key(|((cell, gene), _)| (u64::from(cell * 7 + gene * 13) * (order + 1)) % 31);
        let body: String = lines.iter().map(|((cell, gene), n)| format!("{} {} {n}\n", gene + 1, cell + 1)).collect();
        let rows = read(&format!("{HEADER}5 6 {}\n{body}", lines.len()), 5, 6, Rows::Genes).unwrap();
        for (cell, row) in rows.iter().enumerate() {
            let expected: Vec<(u32, u32)> =
                entries.iter().filter(|(k, _)| k.0 as usize == cell).map(|((_, gene), n)| (*gene, *n)).collect();
            proptest::prop_assert_eq!(row, &expected);
        }
    }
}
