//! libFuzzer's program. `ROLLCALL_FUZZ_TARGET` names the target; `e2e/fuzz/fuzz.py` builds and runs it.
#![no_main]

use std::sync::LazyLock;

use rollcall_fuzz::{TARGETS, Target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("ROLLCALL_FUZZ_TARGET").unwrap_or_default();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    *rollcall_fuzz::target(&name).unwrap_or_else(|| {
        eprintln!("ROLLCALL_FUZZ_TARGET: expected one of {}, found {name:?}", names.join(", "));
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.body)(data));
