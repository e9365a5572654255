//! Promise: no file makes a reader panic, hang or take memory that the file does not account for.
//!
//! Sound small files are changed at random, from a seed, and read. A few seconds here; `scripts/fuzz SECONDS [SEED]` goes on as long
//! as is wished and keeps what fails.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cqa::Result;
use cqa::io::{ReadParams, delimited, h5ad, long_tables, lot_sheet, run_dir, signature, tables, tenx_h5, tenx_mtx};
use cqa::pipeline::Params;
use cqa::provenance::{PlanFile, check_run, ledger};

/// Bytes in use, at most so far, and the largest single request.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every request goes to the system's allocator as it is; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Memory that reading a file of some kilobytes may take.
const MOST_BYTES: usize = 256 << 20;
/// Time that it may take; generous, since other tests run beside it.
const MOST_SECONDS: u64 = 20;

/// A sound file, its name, and what reads it.
struct Sound {
    name: &'static str,
    bytes: Vec<u8>,
    read: fn(&Path) -> Result<()>,
}

fn lot_names() -> Vec<String> {
    ["A", "B"].map(String::from).to_vec()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn tenx_bytes() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lot.h5");
    let mut file = hdf5_pure::FileBuilder::new();
    let mut matrix = file.create_group("matrix");
    let mut features = matrix.create_group("features");
    features.create_dataset("id").with_ascii_strings(&["ENSG1", "ENSG2", "ENSG3"]).unwrap();
    features.create_dataset("name").with_ascii_strings(&["A", "B", "C"]).unwrap();
    matrix.add_group(features.finish());
    matrix.create_dataset("barcodes").with_ascii_strings(&["AAAC-1", "AAAG-1"]).unwrap();
    matrix.create_dataset("data").with_i32_data(&[1, 2, 3, 4]).with_chunks(&[2]).with_deflate(4);
    matrix.create_dataset("indices").with_i64_data(&[0, 1, 1, 2]).with_chunks(&[2]).with_lzf();
    matrix.create_dataset("indptr").with_i64_data(&[0, 2, 4]);
    matrix.create_dataset("shape").with_i32_data(&[3, 2]);
    let matrix = matrix.finish();
    file.add_group(matrix);
    file.write(&path).unwrap();
    fs::read(path).unwrap()
}

fn read_matrix(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap();
    fs::write(folder.join("barcodes.tsv"), "AAAC-1\nAAAG-1\n").unwrap();
    fs::write(folder.join("genes.tsv"), "ENSG1\tA\nENSG2\tB\nENSG3\tC\n").unwrap();
    tenx_mtx::read_tenx_mtx(path, &ReadParams::default()).map(drop)
}

fn read_names(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap();
    fs::write(folder.join("barcodes.tsv"), "AAAC-1\nAAAG-1\n").unwrap();
    let matrix = folder.join("matrix.mtx");
    fs::write(&matrix, "%%MatrixMarket matrix coordinate integer general\n3 2 2\n1 1 5\n3 2 1\n").unwrap();
    tenx_mtx::read_tenx_mtx(&matrix, &ReadParams::default()).map(drop)
}

fn read_sheet(path: &Path) -> Result<()> {
    fs::create_dir_all(path.parent().unwrap().join("lot")).unwrap();
    lot_sheet::read_lot_sheet(path).map(drop)
}

fn read_run(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap();
    check_run(folder, folder).map(drop)
}

fn sound() -> Vec<Sound> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = |name: &str| fs::read(here.join("tests/data/reference/readers").join(name)).unwrap();
    let params = |path: &Path| run_dir::read_toml::<Params>(path).map(drop);
    let text = |path: &Path| delimited::read_delimited(path, &ReadParams::default()).map(drop);
    let read_h5ad = |path: &Path| h5ad::read_h5ad(path, None, &ReadParams::default()).map(drop);
    let mtx = b"%%MatrixMarket matrix coordinate integer general\n%\n3 2 4\n1 1 5\n2 1 1\n1 2 3\n3 2 7\n".to_vec();
    let csv = b"cell,ACTB,GAPDH,B2M\nAAACCCAAACCCT,1,0,3\nAAACCCAAACCCG,0,\"2\",12\n".to_vec();
    let table = |path: &Path| tables::read_table(path).map(drop);
    let parquet = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let column = cqa::data::Column::Float(vec![1.0, f64::NAN, 3.0]);
        let names = cqa::data::Column::Text(lot_names().into_iter().chain(["C".into()]).collect());
        tables::write_table(&path, &cqa::data::Table::new().with("lot", names).with("x", column)).unwrap();
        fs::read(path).unwrap()
    };
    let record = br#"{"program":"cqa","version":"0","seed":1,"params":{},"potency":[],"warnings":[],"ranking_warnings":[],
"inputs":[{"path":"in","bytes":1,"sha256":"ab"}],"outputs":[],"execution":{"command":["cqa"],"started":"","ended":"","threads":1,
"seconds":[["read",1.5]],"target":"x"}}"#;
    let of = |name, bytes, read| Sound { name, bytes, read };
    vec![
        of("matrix.mtx.gz", gz(&mtx), read_matrix),
        of("matrix.mtx", mtx, read_matrix),
        of(
            "genes.tsv",
            b"ENSG1\tA\tGene Expression\nENSG2\tB\tGene Expression\nENSG3\tC\tPeaks\n".to_vec(),
            read_names,
        ),
        of("lot.csv.gz", gz(&csv), text),
        of("lot.csv", csv, text),
        of("lots.csv", b"lot,path,vegf,note\nA,lot,1.5,\"x, y\"\n".to_vec(), read_sheet),
        of("lot.h5", tenx_bytes(), |path| tenx_h5::read_tenx_h5(path, &ReadParams::default()).map(drop)),
        of("old.h5ad", kept("anndata_0.5.h5ad"), read_h5ad),
        of("new.h5ad", kept("anndata_0.13.h5ad"), read_h5ad),
        of("params.toml", fs::read(here.join("src/cli/params.toml")).unwrap(), params),
        of("plan.toml", fs::read(here.join("src/cli/compare_plan.toml")).unwrap(), |path| {
            PlanFile::read(path).map(drop)
        }),
        of("signature.toml", fs::read(here.join("data/signatures/residual_pluripotent.toml")).unwrap(), |path| {
            signature::read_signature(path).map(drop)
        }),
        of("readouts.csv", b"lot,readout,value,replicate\nA,killing,1.5,1\nB,killing,2,1\n".to_vec(), |path| {
            long_tables::read_measurements(path, &lot_names()).map(drop)
        }),
        of("outcomes.csv", b"lot,case,outcome\nA,1,yes\nA,2,no\nB,3,yes\n".to_vec(), |path| {
            long_tables::read_outcomes(path, &lot_names()).map(drop)
        }),
        of("table.csv", b"lot,x\nA,1.5\n'=B,2\n".to_vec(), table),
        of("table.parquet", parquet, table),
        of("run.json", record.to_vec(), read_run),
        of("ledger.jsonl", b"{\"sha256\":\"".repeat(3), |path| ledger::check(path).map(drop)),
    ]
}

/// Numbers from a seed (Steele 2014, splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// What is put into text.
const WORDS: [&str; 14] = [
    "-1",
    "0.5",
    "nan",
    "inf",
    "4294967296",
    "99999999999999999999",
    "\"",
    "\n",
    "\r",
    "\t",
    ",",
    "\u{feff}",
    "0",
    "1e400",
];
/// What is put into binary files.
const LIMITS: [u64; 8] = [0, 1, u64::MAX, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 48, 1 << 63];

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        let n = bytes.len();
        let at = random.below(n);
        match random.below(8) {
            _ if n == 0 => bytes.push(random.next() as u8),
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.truncate(at),
            3 => {
                let word = WORDS[random.below(WORDS.len())];
                bytes.splice(at..(at + random.below(3)).min(n), word.bytes());
            }
            4 => {
                let piece = bytes[at..(at + 1 + random.below(64)).min(n)].to_vec();
                let to = random.below(n);
                bytes.splice(to..to, piece);
            }
            5 => {
                bytes.drain(at..(at + 1 + random.below(16)).min(n));
            }
            _ => {
                let (limit, width) = (LIMITS[random.below(LIMITS.len())].to_le_bytes(), [2, 4, 8][random.below(3)]);
                for (place, byte) in bytes[at..].iter_mut().zip(&limit[..width]) {
                    *place = *byte;
                }
            }
        }
    }
}

#[test]
fn files_changed_at_random_are_read_or_refused() {
    let seconds: f64 = std::env::var("CQA_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(6.0);
    let seed: u64 = std::env::var("CQA_FUZZ_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let kept = std::env::var_os("CQA_FUZZ_KEEP").map(PathBuf::from);
    let sound = sound();
    let folder = tempfile::tempdir().unwrap();
    // Names of what is read, and since when; a reader that hangs is told by another thread.
    let running: Arc<Mutex<Option<(String, Instant)>>> = Arc::default();
    let watched = Arc::clone(&running);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            if let Some((name, since)) = watched.lock().unwrap().as_ref()
                && since.elapsed() > Duration::from_secs(MOST_SECONDS)
            {
                eprintln!("{name} hangs");
                std::process::exit(101);
            }
        }
    });
    std::panic::set_hook(Box::new(|_| ()));
    let (clock, panics, n_read) = (Instant::now(), Mutex::new(Vec::new()), AtomicU64::new(0));
    // Anything that was told can be looked at again by its number.
    let mut n = std::env::var("CQA_FUZZ_FIRST").ok().and_then(|s| s.parse().ok()).unwrap_or(0_u64);
    let mut most = (0, String::new());
    // Whole rounds, so that every kind of file has its turn however short the time.
    while !n.is_multiple_of(sound.len() as u64) || clock.elapsed().as_secs_f64() < seconds {
        let of = &sound[(n % sound.len() as u64) as usize];
        let mut bytes = of.bytes.clone();
        // The first round reads the files as they are.
        if n >= sound.len() as u64 {
            mutate(&mut bytes, &mut Random(seed.wrapping_mul(1 << 40).wrapping_add(n)));
        }
        let place = folder.path().join("one");
        fs::create_dir_all(&place).unwrap();
        let path = place.join(of.name);
        fs::write(&path, &bytes).unwrap();
        let name = format!("{} of seed {seed}, number {n}", of.name);
        *running.lock().unwrap() = Some((name.clone(), Instant::now()));
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        let outcome = catch_unwind(AssertUnwindSafe(|| (of.read)(&path)));
        let taken = MOST.load(Relaxed).saturating_sub(before);
        *running.lock().unwrap() = None;
        if taken > most.0 {
            most = (taken, name.clone());
        }
        if outcome.is_err() || taken > MOST_BYTES {
            if let Some(kept) = &kept {
                fs::create_dir_all(kept).unwrap();
                fs::write(kept.join(format!("{seed}_{n}_{}", of.name)), &bytes).unwrap();
            }
            panics
                .lock()
                .unwrap()
                .push(format!("{name}: {}", if outcome.is_err() { "panics" } else { "takes memory" }));
        }
        if n < sound.len() as u64 && !["ledger.jsonl"].contains(&of.name) {
            assert!(matches!(outcome, Ok(Ok(()))), "{} is sound", of.name);
        }
        n_read.fetch_add(u64::from(matches!(outcome, Ok(Ok(())))), Relaxed);
        fs::remove_dir_all(&place).unwrap();
        n += 1;
    }
    let _ = std::panic::take_hook();
    let panics = panics.into_inner().unwrap();
    println!(
        "{n} files in {:.0} s, {} read, the rest refused; at most {} KiB ({}); {} failures",
        clock.elapsed().as_secs_f64(),
        n_read.load(Relaxed),
        most.0 >> 10,
        most.1,
        panics.len()
    );
    assert!(panics.is_empty(), "{}", panics.join("\n"));
}

/// Files found by longer runs, as what was changed of a sound one: chunks without sides, on which the reader panicked.
#[test]
fn what_was_found_once_is_read_or_refused() {
    let sound = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference/readers/anndata_0.13.h5ad");
    let mut bytes = fs::read(sound).unwrap();
    bytes[32_930..32_934].copy_from_slice(&[0, 0, 0, 128]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lot.h5ad");
    fs::write(&path, bytes).unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| h5ad::read_h5ad(&path, None, &ReadParams::default()).map(drop)));
    assert!(outcome.is_ok());
}
