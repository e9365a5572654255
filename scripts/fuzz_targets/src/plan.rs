#![no_main]
mod place;

use cqa::provenance::PlanFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = place::file("plan.toml", bytes);
    let _ = PlanFile::read(&path);
});
