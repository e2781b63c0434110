//! The store on a disk that crashes, runs full and fails, seed by seed.
//!
//! [`run`] drives a log and knows what it promised; the modules say what goes wrong.

mod control;
mod full;
mod power;
mod run;
mod sync;
mod table;

/// Splitmix64: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// `count` seeds from `first` on; more of them in the long form.
fn seeds(first: u64, count: u64) -> std::ops::Range<u64> {
    let times = std::env::var("SECONDPOST_TORTURE").ok().and_then(|times| times.parse().ok());
    match times.unwrap_or(1) {
        0 | 1 => first..first + count,
        times => first * 1000..first * 1000 + count * times,
    }
}

/// What a test counted: `cargo xtask torture` gathers these lines.
fn counted(what: &str) {
    println!("\ncounted: {what}");
}
