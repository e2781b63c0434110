//! What was learned of a destination: how long its greylisting lasts, and what it does
//! not take. Kept with an expiry in a `store::Table`, so that a restart forgets nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reply::Timestamp;
use store::table::{Table, TableError};

use super::RetryOptions;

/// A plainer way to say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fallback {
    /// HELO, MAIL and RCPT without parameters, DATA: after 500 or 502.
    WithoutExtensions,
    /// MAIL and RCPT without parameters: after 504 or 555.
    WithoutParameters,
}

impl Fallback {
    /// The stable name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Fallback::WithoutExtensions => "without-extensions",
            Fallback::WithoutParameters => "without-parameters",
        }
    }
}

/// The fallbacks that are in use with a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fallbacks {
    /// HELO, and so no parameters either.
    pub without_extensions: bool,
    /// No parameters.
    pub without_parameters: bool,
}

impl Fallbacks {
    /// Whether `fallback` is in use; without extensions there are no parameters.
    pub fn includes(self, fallback: Fallback) -> bool {
        match fallback {
            Fallback::WithoutExtensions => self.without_extensions,
            Fallback::WithoutParameters => self.without_extensions || self.without_parameters,
        }
    }

    /// The same with `fallback` in use.
    #[must_use]
    pub fn with(self, fallback: Fallback) -> Fallbacks {
        match fallback {
            Fallback::WithoutExtensions => Fallbacks { without_extensions: true, ..self },
            Fallback::WithoutParameters => Fallbacks { without_parameters: true, ..self },
        }
    }
}

/// A destination's greylisting window lies between two waits that were seen, both counted
/// from the first refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The longest wait that was still refused.
    pub refused_after: Duration,
    /// The shortest wait that passed.
    pub passes_after: Duration,
}

impl Window {
    /// What is known once a message, last refused `refused_after` its first refusal,
    /// passed `passed_after` it. The smallest wait that worked is kept.
    pub fn passed(
        known: Option<Window>,
        refused_after: Duration,
        passed_after: Duration,
    ) -> Window {
        let before = known.map_or(Duration::MAX, |known| known.passes_after);
        let passes_after = before.min(passed_after);
        let refused = known.map_or(Duration::ZERO, |known| known.refused_after).max(refused_after);
        Window { refused_after: refused.min(passes_after), passes_after }
    }

    /// What is known once a message was refused again after `waited`: nothing, where that
    /// is as long as what used to pass.
    pub fn refused(self, waited: Duration) -> Option<Window> {
        let refused_after = self.refused_after.max(waited);
        (waited < self.passes_after).then_some(Window { refused_after, ..self })
    }

    fn to_octets(self) -> [u8; 16] {
        let mut octets = [0; 16];
        octets[..8].copy_from_slice(&millis(self.refused_after).to_be_bytes());
        octets[8..].copy_from_slice(&millis(self.passes_after).to_be_bytes());
        octets
    }

    fn from_octets(octets: &[u8]) -> Option<Window> {
        let (refused, passes) = octets.split_first_chunk::<8>()?;
        let passes = <[u8; 8]>::try_from(passes).ok()?;
        Some(Window {
            refused_after: Duration::from_millis(u64::from_be_bytes(*refused)),
            passes_after: Duration::from_millis(u64::from_be_bytes(passes)),
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What is known of a destination when a plan is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Its greylisting window.
    pub window: Option<Window>,
    /// What it is not offered any more.
    pub fallbacks: Fallbacks,
}

/// Where it is kept: windows under `window/<destination>`, what a host does not take
/// under `host/<host>`. A table that fails costs knowledge, never mail: the error is
/// handed back for the log and changes nothing else.
#[derive(Clone)]
pub struct LearnedStore {
    table: Arc<dyn Table>,
    window_kept: Duration,
    window_longest: Duration,
    fallback_kept: Duration,
}

impl LearnedStore {
    /// What was learned, in `table`, with the lifetimes of `options`.
    pub fn new(table: Arc<dyn Table>, options: &RetryOptions) -> LearnedStore {
        LearnedStore {
            table,
            window_kept: options.window_kept,
            window_longest: options.hint_longest,
            fallback_kept: options.fallback_kept,
        }
    }

    /// The greylisting window of a destination.
    pub fn window(&self, destination: &str, now: Timestamp) -> Option<Window> {
        let value = self.table.get(&key("window/", destination), now.as_millis())?;
        Window::from_octets(&value)
    }

    /// A message whose first refusal was at `first` and last refusal at `last` passed at
    /// `now`. A wait longer than `retry.hint_longest` teaches nothing that a ladder does
    /// not know.
    ///
    /// # Errors
    /// The table's.
    pub fn passed(
        &self,
        destination: &str,
        first: Timestamp,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let waited = now.since(first);
        if waited.is_zero() || waited > self.window_longest {
            return Ok(());
        }
        let known = self.window(destination, now);
        self.put(destination, Window::passed(known, last.since(first), waited), now)
    }

    /// A message whose first refusal was at `first` was refused again at `now`.
    ///
    /// # Errors
    /// The table's.
    pub fn refused(
        &self,
        destination: &str,
        first: Timestamp,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let Some(known) = self.window(destination, now) else { return Ok(()) };
        match known.refused(now.since(first)) {
            Some(window) => self.put(destination, window, now),
            None => self.table.remove(&key("window/", destination)).map(drop),
        }
    }

    /// The words kept for a host: what it does not take.
    pub fn host(&self, host: &str, now: Timestamp) -> Option<String> {
        let value = self.table.get(&key("host/", host), now.as_millis())?;
        String::from_utf8(value).ok()
    }

    /// Keeps words for a host for `retry.fallback_kept`. A refusal of MAIL must not be
    /// among them (RFC 5321 §4.5.4.1).
    ///
    /// # Errors
    /// The table's.
    pub fn remember_host(&self, host: &str, words: &str, now: Timestamp) -> Result<(), TableError> {
        let expires = (now + self.fallback_kept).as_millis();
        self.table.put(&key("host/", host), words.as_bytes(), expires)
    }

    fn put(&self, destination: &str, window: Window, now: Timestamp) -> Result<(), TableError> {
        let expires = (now + self.window_kept).as_millis();
        self.table.put(&key("window/", destination), &window.to_octets(), expires)
    }
}

impl fmt::Debug for LearnedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LearnedStore").finish_non_exhaustive()
    }
}

fn key(prefix: &str, name: &str) -> Vec<u8> {
    [prefix.as_bytes(), name.to_ascii_lowercase().as_bytes()].concat()
}
