//! How long the tests run that can run for long, and what they say meanwhile.
//!
//! `cargo test` runs the short forms. `cargo xtask torture` runs the same code with
//! `SECONDPOST_TORTURE` set, and gathers the lines that begin with `counted:`.

use std::time::{Duration, Instant};

/// How many times as long as the short form: 1 in the short form.
pub(crate) fn times() -> usize {
    std::env::var("SECONDPOST_TORTURE").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// Whether this is a long form.
pub(crate) fn is_long() -> bool {
    times() > 1
}

/// The steady time, to measure with: nothing is decided by it.
#[allow(clippy::disallowed_methods)] // the server under test is another process
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What a test counted, for the table at the end.
pub(crate) fn counted(what: &str) {
    println!("\ncounted: {what}");
}

/// Tells in a long form how far it is, now and then.
pub(crate) struct Progress {
    what: &'static str,
    all: usize,
    told: Instant,
}

impl Progress {
    pub(crate) fn of(what: &'static str, all: usize) -> Progress {
        Progress { what, all, told: now() }
    }

    pub(crate) fn at(&mut self, done: usize) {
        if is_long() && self.told.elapsed() >= Duration::from_secs(10) {
            self.told = now();
            eprintln!("{}: {done} of {}", self.what, self.all);
        }
    }
}
