//! The store on a disk that crashes, runs full and fails, seed by seed. A failure names its
//! seed: `SECONDPOST_SEED=that cargo test -p secondpost-store` runs it again.
//!
//! [`run`] drives a log and knows what it promised; the modules say what goes wrong.

mod control;
mod full;
mod lead;
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

/// `count` seeds from `first` on; more of them in the long form, or the one that
/// `SECONDPOST_SEED` names.
fn seeds(first: u64, count: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
    match (number("SECONDPOST_SEED"), number("SECONDPOST_TORTURE").unwrap_or(1)) {
        (Some(seed), _) => seed..seed + 1,
        (None, 0 | 1) => first..first + count,
        (None, times) => first * 1000..first * 1000 + count * times,
    }
}

/// What a test counted: `cargo xtask torture` gathers these lines.
fn counted(what: &str) {
    println!("\ncounted: {what}");
}
