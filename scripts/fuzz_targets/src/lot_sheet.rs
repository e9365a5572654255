#![no_main]
mod place;

use cqa::io::lot_sheet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = place::file("lots.csv", bytes);
    let _ = lot_sheet::read_lot_sheet(&path);
});
