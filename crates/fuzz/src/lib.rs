//! Fuzz targets: octets that nobody should send, into every reader of the product, with
//! promises that hold for any octets.
//!
//! `targets` holds them by what they read, `seeds` where each one begins. Their corpora are
//! replayed in every test run; with an engine that looks for new ways they run under
//!
//! ```text
//! cargo xtask fuzz                    each target for a minute
//! cargo xtask fuzz -s 600 session     one of them for ten
//! cargo xtask fuzz --canary           that the engine finds a bug that was planted
//! ```

mod seeds;
mod targets;

pub use seeds::{Seeds, seeds};
pub use targets::{CANARY, TARGETS};

/// One thing that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Reads the octets; panics where a promise is broken.
    pub run: fn(&[u8]),
    /// Where its corpus begins.
    pub seeds: &'static [Seeds],
    /// Words that the engine puts in.
    pub words: &'static [&'static str],
}

impl Target {
    /// The target of that name.
    pub fn named(name: &str) -> Option<Target> {
        TARGETS.iter().chain([&CANARY]).find(|target| target.name == name).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::panic;

    use super::*;

    #[test]
    fn every_seed_keeps_every_promise() {
        for target in TARGETS {
            let seeds = seeds(target);
            assert!(seeds.len() >= 5, "{} has {} seeds", target.name, seeds.len());
            seeds.iter().for_each(|seed| (target.run)(seed));
            // What is cut or torn is read as well.
            for seed in seeds.iter().filter(|seed| seed.len() < 20_000) {
                (target.run)(&seed[..seed.len() / 2]);
                (target.run)(&seed[seed.len() / 3..]);
            }
        }
    }

    #[test]
    fn names_are_one_of_a_kind() {
        let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(names.len(), TARGETS.len());
        assert!(Target::named("canary").is_some() && Target::named("nothing").is_none());
    }

    #[test]
    fn the_canary_dies_of_its_one_input() {
        (CANARY.run)(b"BDAT 8 LAST");
        assert!(panic::catch_unwind(|| (CANARY.run)(b"BDAT 9 LAST")).is_err());
    }
}
