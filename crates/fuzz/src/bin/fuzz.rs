//! The engine around one target, which SECONDPOST_FUZZ names: `cargo xtask fuzz` builds and
//! calls it.
//!
//! The engine is libFuzzer. It calls an exported symbol, which the compiler counts as
//! unsafe code; there is no other.

#![no_main]
#![allow(unsafe_code, missing_docs)]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use secondpost_fuzz::Target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("SECONDPOST_FUZZ").unwrap_or_default();
    Target::named(&name).unwrap_or_else(|| panic!("SECONDPOST_FUZZ names no target: `{name}`"))
});

fuzz_target!(|octets: &[u8]| (TARGET.run)(octets));
