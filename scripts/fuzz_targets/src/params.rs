#![no_main]
mod place;

use cqa::io::run_dir;
use cqa::pipeline::Params;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = place::file("params.toml", bytes);
    let _ = run_dir::read_toml::<Params>(&path);
});
