//! Tables of entries that expire: greylist, rates, what was learned of a destination.
//!
//! [`MemoryTable`] forgets at the end of the process; [`LoggedTable`] also keeps an
//! append log and reads it back. Keys and values are octets; times are milliseconds
//! since the Unix epoch, and given by the caller.

use std::fmt;

mod logged;
mod memory;

pub use logged::{LoggedTable, TableRecovery};
pub use memory::MemoryTable;

/// Longest key, in octets.
pub const MAX_KEY_OCTETS: usize = 1024;
/// Longest value, in octets.
pub const MAX_VALUE_OCTETS: usize = 64 * 1024;

/// Entries by key, each with a time of expiry after which it is as if it were not there.
pub trait Table: Send + Sync {
    /// The value of `key` and when it expires, unless it did at or before `now`.
    fn get_with_expiry(&self, key: &[u8], now: u64) -> Option<(Vec<u8>, u64)>;

    /// The value of `key`, unless it expired at or before `now`.
    fn get(&self, key: &[u8], now: u64) -> Option<Vec<u8>> {
        self.get_with_expiry(key, now).map(|(value, _)| value)
    }

    /// Sets `key` to `value` until `expires`.
    fn put(&self, key: &[u8], value: &[u8], expires: u64) -> Result<(), TableError>;

    /// Sets `key` to `value` until `expires` if its value at `now` is `expected` (`None`:
    /// there is none). Whether it was set.
    fn compare_and_set(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        value: &[u8],
        expires: u64,
        now: u64,
    ) -> Result<bool, TableError>;

    /// Removes `key`; whether it was there.
    fn remove(&self, key: &[u8]) -> Result<bool, TableError>;

    /// Shows every entry whose key begins with `prefix` and that has not expired at
    /// `now`, as key, value, expiry, in the order of the keys. Entries that change
    /// meanwhile may or may not be seen. `visit` returns whether to go on.
    fn scan(&self, prefix: &[u8], now: u64, visit: Visit<'_>);
}

/// Shown an entry as key, value, expiry; returns whether to go on.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8], u64) -> bool;

/// Why a table did not take an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// No space left on the disk, or the table holds as many entries as it may.
    Full,
    /// The key or the value is longer than a table takes; how long, and the limit.
    TooLong {
        /// Octets given.
        octets: usize,
        /// Octets allowed.
        limit: usize,
    },
    /// An I/O error, in the operating system's words, with the path.
    Fault(String),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableError::Full => f.write_str("no space left for the table"),
            TableError::TooLong { octets, limit } => {
                write!(f, "a key or value of {octets} octets: at most {limit} are kept")
            }
            TableError::Fault(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for TableError {}

/// Whether `key` and `value` are short enough to be kept.
fn check_lengths(key: &[u8], value: &[u8]) -> Result<(), TableError> {
    for (octets, limit) in [(key.len(), MAX_KEY_OCTETS), (value.len(), MAX_VALUE_OCTETS)] {
        if octets > limit {
            return Err(TableError::TooLong { octets, limit });
        }
    }
    Ok(())
}
