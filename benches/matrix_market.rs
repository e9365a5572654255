//! Speed of reading a 10x matrix: `cargo bench --bench matrix_market [-- MEGABYTES]`.
//!
//! Makes a `matrix.mtx.gz` in memory (genes rising within a cell, one gene in eight expressed, most counts 1, gz level 6) and
//! prints one line per case, tab-separated: case, megabytes of text, seconds (best of several) by the wall and of the processor,
//! megabytes of text per second of the processor. `inflate` only decompresses, `inflate and parse` reads counts from the gz,
//! `parse` reads them from the text. One thread. Where the system does not tell processor time, that of the wall stands for it.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

use cqa::data::Counts;
use cqa::io::matrix_market::{MatrixMarket, Rows};
use cqa::math::rng::stream;
use flate2::bufread::MultiGzDecoder;
use flate2::{Compression, write::GzEncoder};
use rand::RngExt;

const N_GENES: usize = 33_000;
const REPEATS: usize = 5;

fn main() {
    let megabytes = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(100);
    let (text, n_cells, sum) = matrix(megabytes * 1_000_000);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(&text).expect("memory takes it");
    let gz = encoder.finish().expect("memory takes it");
    println!("case\tmegabytes_of_text\twall_seconds\tprocessor_seconds\tmegabytes_per_second");
    let read = |counts: Counts| {
        let found: u64 = (0..counts.n_cells()).map(|cell| counts.total(cell)).sum();
        assert_eq!(found, sum, "every count is read");
    };
    time("inflate", text.len(), &|| {
        let (mut decoder, mut buffer, mut n_bytes) = (MultiGzDecoder::new(&gz[..]), vec![0; 256 * 1024], 0);
        loop {
            match decoder.read(&mut buffer).expect("it was written whole") {
                0 => break assert_eq!(n_bytes, text.len()),
                n => n_bytes += n,
            }
        }
    });
    time("inflate and parse", text.len(), &|| read(counts(MultiGzDecoder::new(&gz[..]), n_cells)));
    time("parse", text.len(), &|| read(counts(&text[..], n_cells)));
}

/// Text of about so many bytes, its number of cells, the sum of its counts.
fn matrix(n_bytes: usize) -> (Vec<u8>, usize, u64) {
    let mut rng = stream(1, "bench", 0);
    let (mut entries, mut n_cells, mut n_entries, mut sum) = (Vec::with_capacity(n_bytes + 100_000), 0, 0_u64, 0);
    while entries.len() < n_bytes {
        n_cells += 1;
        for gene in 1..=N_GENES {
            if rng.random::<f32>() < 0.125 {
                // Most counts are 1, a few are large.
                let count = (1.0 / (1.0 - rng.random::<f64>())).min(5000.0) as u64;
                writeln!(entries, "{gene} {n_cells} {count}").expect("memory takes it");
                n_entries += 1;
                sum += count;
            }
        }
    }
    let mut text =
        format!("%%MatrixMarket matrix coordinate integer general\n{N_GENES} {n_cells} {n_entries}\n").into_bytes();
    text.append(&mut entries);
    (text, n_cells, sum)
}

fn counts(reader: impl Read, n_cells: usize) -> Counts {
    let matrix = MatrixMarket::open(reader, Path::new("matrix.mtx.gz")).expect("the header is right");
    let n_entries = matrix.n_entries as usize;
    matrix.into_counts(N_GENES, n_cells, Rows::Genes, n_entries).expect("the matrix is right")
}

fn time(case: &str, n_bytes: usize, work: &dyn Fn()) {
    let megabytes = n_bytes as f64 / 1e6;
    let (mut wall, mut processor) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..REPEATS {
        let (start, before) = (Instant::now(), processor_seconds());
        work();
        let seconds = start.elapsed().as_secs_f64();
        wall = wall.min(seconds);
        processor = processor.min(before.zip(processor_seconds()).map_or(seconds, |(before, after)| after - before));
    }
    println!("{case}\t{megabytes:.0}\t{wall:.3}\t{processor:.3}\t{:.0}", megabytes / processor);
}

/// What this thread has used so far; Linux tells.
fn processor_seconds() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
}
