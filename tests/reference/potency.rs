//! `potency`: the line and its prediction interval against statsmodels.

use cqa::steps::process::Line;

use crate::common;

#[test]
fn prediction_intervals_of_a_line_equal_statsmodels() {
    let (_, rows) = common::rows(&common::fixture("potency/lines.csv"));
    assert_eq!(rows.len(), 36);
    for row in rows {
        let list = |i: usize| row[i].split(' ').map(|v| v.parse::<f64>().unwrap()).collect::<Vec<_>>();
        let number = |i: usize| row[i].parse::<f64>().unwrap();
        let line = Line::fit(&list(0), &list(1)).unwrap();
        let (low, high) = line.interval(number(2), line.variance.sqrt(), number(3));
        let ours = [line.intercept, line.slope, line.variance.sqrt(), line.at(number(2)), low, high];
        for (ours, i) in ours.into_iter().zip(4..) {
            assert!((ours - number(i)).abs() <= 1e-8 * number(i).abs().max(1.0), "{ours} {row:?}");
        }
    }
}
