//! Times of placing new cells on a locked reference: `cargo bench --bench mapping -- REF LOTS [REPEATS]`.
//!
//! REF is a folder of `cqa freeze`, LOTS a lot sheet. Reading is not timed; everything that `cqa map` computes is: quality
//! control, projection, correction, neighbours, votes, limits, distances, sums; and what is made ready once per call, here for
//! each lot. On one thread. Prints one line per lot and one
//! for all of them, tab-separated: lot, cells read, counts that are not 0, seconds and seconds of processor time (best of several
//! each; the latter where the system tells, and the one to go by where others work beside), cells per second of the latter.
//! `scripts/bench/mapping DATA` makes the reference and calls it.

use std::path::Path;
use std::time::Instant;

use cqa::io::join::read_each_lot;
use cqa::io::lot_sheet::read_lot_sheet;
use cqa::output::read_reference;
use cqa::pipeline::map::map;
use cqa::progress::Silent;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [reference, sheet, rest @ ..] = args.as_slice() else {
        println!("cargo bench --bench mapping -- REF LOTS [REPEATS]; scripts/bench/mapping DATA makes both");
        return;
    };
    let repeats: usize = rest.first().map_or(3, |n| n.parse().expect("a number of repeats"));
    let reference = read_reference(Path::new(reference)).expect("a folder of `cqa freeze`");
    let sheet = read_lot_sheet(Path::new(sheet)).expect("a lot sheet");
    let read = read_each_lot(&sheet, &reference.params.read, &Silent).expect("lots that can be read");
    let lots: Vec<_> = sheet.lots.iter().map(|lot| lot.lot.clone()).zip(read.lots).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    println!("lot\tcells\tcounts\tseconds\tprocessor_seconds\tcells_per_second");
    let (mut all, mut total) = (0, [0.0; 2]);
    pool.install(|| {
        for (name, lot) in &lots {
            let mut best = [f64::INFINITY; 2];
            for _ in 0..repeats {
                let one = vec![(name.clone(), lot.clone())];
                let (start, before) = (Instant::now(), processor());
                let placed = map(&reference, one, &Silent).expect("a reference with cells");
                let wall = start.elapsed().as_secs_f64();
                let took = processor().zip(before).map_or(wall, |(now, before)| now - before);
                best = [best[0].min(wall), best[1].min(took)];
                assert_eq!(placed.len(), 1);
            }
            let n = lot.barcodes.len();
            let [wall, took] = best;
            println!("{name}\t{n}\t{}\t{wall:.4}\t{took:.4}\t{:.0}", lot.counts.n_nonzero(), n as f64 / took);
            all += n;
            total = [total[0] + wall, total[1] + took];
        }
    });
    println!("all\t{all}\t\t{:.4}\t{:.4}\t{:.0}", total[0], total[1], all as f64 / total[1]);
}

/// Seconds that this thread has run, as Linux counts them.
fn processor() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}
