#![no_main]
mod place;

use cqa::io::{ReadParams, tenx_mtx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    place::file("barcodes.tsv", b"AAAC-1\nAAAG-1\n");
    place::file("genes.tsv", b"ENSG1\tA\nENSG2\tB\nENSG3\tC\n");
    let path = place::file("matrix.mtx", bytes);
    let _ = tenx_mtx::read_tenx_mtx(&path, &ReadParams::default());
});
