//! The lowest place between the two modes of a histogram (Prewitt & Mendelsohn 1966).

/// Smoothing ends after this many passes.
const MAX_PASSES: usize = 10_000;

/// The bin between two modes with the least smoothed count. Counts are smoothed by means of three bins until at most two
/// maxima are left; `None` if there are fewer, or more after many passes.
///
/// ```
/// use cqa::math::valley::valley;
/// assert_eq!(valley(&[1.0, 8.0, 9.0, 4.0, 0.0, 1.0, 5.0, 6.0, 2.0]), Some(4));
/// assert_eq!(valley(&[1.0, 5.0, 9.0, 5.0, 1.0]), None);
/// ```
pub fn valley(counts: &[f64]) -> Option<usize> {
    let mut smooth = counts.to_vec();
    for _ in 0..MAX_PASSES {
        let peaks = maxima(&smooth);
        match peaks[..] {
            [] | [_] => return None,
            [first, second] => {
                return (first..=second).min_by(|&a, &b| smooth[a].total_cmp(&smooth[b]).then(a.cmp(&b)));
            }
            _ => {
                let at = |i: usize| smooth[i.min(smooth.len() - 1)];
                smooth = (0..smooth.len()).map(|i| (at(i.saturating_sub(1)) + at(i) + at(i + 1)) / 3.0).collect();
            }
        }
    }
    None
}

/// Bins higher than the different ones around them; the first bin of a plateau.
fn maxima(counts: &[f64]) -> Vec<usize> {
    let (mut peaks, mut rising, mut candidate) = (Vec::new(), true, 0);
    for i in 1..counts.len() {
        if counts[i] > counts[i - 1] {
            (rising, candidate) = (true, i);
        } else if counts[i] < counts[i - 1] {
            if rising {
                peaks.push(candidate);
            }
            rising = false;
        }
    }
    if rising && !counts.is_empty() {
        peaks.push(candidate);
    }
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maxima_of_plateaus_and_ends() {
        assert_eq!(maxima(&[3.0, 1.0, 2.0, 2.0, 1.0, 4.0]), [0, 2, 5]);
        assert_eq!(maxima(&[1.0, 1.0]), [0]);
        assert!(maxima(&[]).is_empty());
    }

    #[test]
    fn teeth_are_smoothed_away() {
        let comb: Vec<f64> = (0..60)
            .map(|i| if i % 2 == 0 { 0.0 } else { 9.0 - (f64::from(i) - 15.0).abs().min((f64::from(i) - 45.0).abs()) })
            .collect();
        let place = valley(&comb.iter().map(|x| x.max(0.0)).collect::<Vec<_>>()).unwrap();
        assert!((26..=34).contains(&place), "{place}");
    }
}
