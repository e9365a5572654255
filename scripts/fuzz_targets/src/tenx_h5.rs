#![no_main]
mod place;

use cqa::io::{ReadParams, tenx_h5};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = place::file("lot.h5", bytes);
    let _ = tenx_h5::read_tenx_h5(&path, &ReadParams::default());
});
