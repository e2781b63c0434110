//! The time in a reply's text: after how long, or when, to come back.

use std::time::Duration;

use crate::Timestamp;

/// When a text says to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// So long after the reply.
    After(Duration),
    /// At that time.
    At(Timestamp),
}

/// The time in `text` and the words that say it. `now` gives dates without a year or
/// zone their meaning.
pub fn hint(text: &str, now: Option<Timestamp>) -> Option<(Hint, &str)> {
    let _ = (text, now);
    None
}
