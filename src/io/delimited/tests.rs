use super::*;
use crate::warning::Warning;

fn read_as(text: &str, orientation: Orientation) -> Result<RawLot> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counts.csv");
    std::fs::write(&path, text).unwrap();
    read_delimited(&path, &ReadParams { orientation, ..ReadParams::default() })
}

fn rows(lot: &RawLot) -> Vec<Vec<(u32, u32)>> {
    (0..lot.counts.n_cells()).map(|cell| lot.counts.row(cell).iter().collect()).collect()
}

#[test]
fn delimiters_corners_quotes_and_orientations_give_the_same_lot() {
    for text in [
        ",ACTB,GAPDH,B2M\nAAACCTGAGCAGGTCA,1,0,2\nAAACCTGGTACCGAGA,0,0,70000\n",
        "cell\tACTB\tGAPDH\tB2M\nAAACCTGAGCAGGTCA\t1\t0\t2\nAAACCTGGTACCGAGA\t0\t0\t7e4\n",
        "\u{feff}\"ACTB\";\"GAPDH\";\"B2M\"\r\n\"AAACCTGAGCAGGTCA\";1;0;2\r\n\"AAACCTGGTACCGAGA\";0;0;\"70000\"",
        "AAACCTGAGCAGGTCA  AAACCTGGTACCGAGA\nACTB 1 0\nGAPDH   0 0\nB2M 2.0  70000 \n",
        "gene,AAACCTGAGCAGGTCA,AAACCTGGTACCGAGA\nACTB,1,0\nGAPDH,0,0\n\nB2M,2,70000\n",
    ] {
        let lot = read_as(text, Orientation::Auto).unwrap();
        assert_eq!(lot.genes.ids(), ["ACTB", "GAPDH", "B2M"], "{text}");
        assert_eq!(lot.barcodes, ["AAACCTGAGCAGGTCA", "AAACCTGGTACCGAGA"], "{text}");
        assert_eq!(rows(&lot), [vec![(0, 1), (2, 2)], vec![(2, 70_000)]], "{text}");
        assert!(lot.warnings.is_empty());
    }
}

#[test]
fn names_that_tell_nothing_need_a_declaration() {
    let text = "x,a,b\nc,1,2\nd,3,4\n";
    let message = read_as(text, Orientation::Auto).unwrap_err().to_string();
    assert!(message.contains("(rows c, …; columns a, …); declare it: `orientation"), "{message}");
    assert_eq!(rows(&read_as(text, Orientation::CellsByGenes).unwrap()), [vec![(0, 1), (1, 2)], vec![(0, 3), (1, 4)]]);
    let turned = read_as(text, Orientation::GenesByCells).unwrap();
    assert_eq!(
        (turned.genes.ids(), &turned.barcodes[..]),
        (&["c", "d"].map(String::from)[..], &["a", "b"].map(String::from)[..])
    );
    assert_eq!(rows(&turned), [vec![(0, 1), (1, 3)], vec![(0, 2), (1, 4)]]);
}

#[test]
fn repeated_names_are_added_or_told_apart() {
    let lot = read_as("x,A,A,B\nc,1,2,4\nc,8,16,32\n", Orientation::CellsByGenes).unwrap();
    assert_eq!(rows(&lot), [vec![(0, 3), (1, 4)], vec![(0, 24), (1, 32)]]);
    assert_eq!(lot.barcodes, ["c", "c_2"]);
    assert!(matches!(lot.warnings[..], [Warning::DuplicateGeneIds { .. }, Warning::DuplicateBarcodes { .. }]));
}

#[test]
fn a_name_may_hold_the_delimiter_and_quotes() {
    let lot = read_as("x,\"A, or \"\"a\"\"\",B\n\"c,1\",1,2\n", Orientation::CellsByGenes).unwrap();
    assert_eq!((lot.genes.ids()[0].as_str(), lot.barcodes[0].as_str()), ("A, or \"a\"", "c,1"));
    assert_eq!(rows(&lot), [vec![(0, 1), (1, 2)]]);
}

#[test]
fn what_is_wrong_is_said_with_line_and_column() {
    for (text, words) in [
        ("", "line 1: the file is empty"),
        ("a,b\n", "only one line"),
        ("a\nb\n", "line 2: no tab, comma"),
        ("x,a,b\nc,1,2\nd,1,0.5\n", "line 3: column `b`: `0.5` is no whole number"),
        ("x,a,b\nc,1,-2\n", "line 2: column `b`: `-2` is negative"),
        ("x,a,b\nc,NA,2\n", "line 2: column `a`: `NA` is no number"),
        ("x,a,b\nc,,2\n", "line 2: column `a`: an empty value"),
        ("x,a,b\nc,1,2\nd,1\n", "line 3: 1 values after the name, but the header names 2"),
        ("x,a,b\nc,1,2\nd,1,2,3\n", "line 3: 3 values after the name, but the header names 2"),
        ("x,a,\nc,1,2\n", "line 1: column 3 has no name"),
        ("x,a,b\n,1,2\n", "line 2: the row has no name"),
    ] {
        let message = read_as(text, Orientation::CellsByGenes).unwrap_err().to_string();
        assert!(message.contains("counts.csv, line") && message.contains(words), "{text:?}: {message}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ab01.,;\\t \"\\n-]{0,60}") {
        let _ = read_as(&text, Orientation::Auto);
        let _ = read_as(&text, Orientation::GenesByCells);
    }
}
