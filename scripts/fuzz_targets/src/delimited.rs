#![no_main]
mod place;

use cqa::io::{ReadParams, delimited};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = place::file("lot.csv", bytes);
    let _ = delimited::read_delimited(&path, &ReadParams::default());
});
