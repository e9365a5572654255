#![no_main]
mod place;

use cqa::io::{ReadParams, h5ad};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = place::file("lot.h5ad", bytes);
    let _ = h5ad::read_h5ad(&path, None, &ReadParams::default());
});
