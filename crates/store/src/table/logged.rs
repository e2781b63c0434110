//! A table in memory that is also kept in an append log.

use std::io;

use super::{MemoryTable, Table, TableError};
use crate::disk::Disk;

/// Entries in memory, kept across restarts.
#[derive(Debug)]
pub struct LoggedTable<D: Disk> {
    #[allow(dead_code)]
    disk: D,
    entries: MemoryTable,
}

/// What opening a table found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRecovery {
    /// Entries read that had not expired.
    pub entries: usize,
    /// Octets that could not be read as records and were dropped.
    pub dropped_octets: u64,
}

impl<D: Disk> LoggedTable<D> {
    /// Opens the table `name` (files `name.N.table` on `disk`), or begins it.
    pub fn open(_disk: D, _name: &str, _now: u64) -> io::Result<(LoggedTable<D>, TableRecovery)> {
        todo!()
    }

    /// Writes what is not yet written and syncs it; also the moment when a log that is
    /// mostly dead is rewritten. To be called every second or so, and before the end: a
    /// crash loses what was put since.
    pub fn flush(&self, _now: u64) -> Result<(), TableError> {
        todo!()
    }
}

impl<D: Disk> Table for LoggedTable<D> {
    fn get(&self, key: &[u8], now: u64) -> Option<Vec<u8>> {
        self.entries.get(key, now)
    }
    fn put(&self, key: &[u8], value: &[u8], expires: u64) -> Result<(), TableError> {
        self.entries.put(key, value, expires)
    }
    fn compare_and_set(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        value: &[u8],
        expires: u64,
        now: u64,
    ) -> Result<bool, TableError> {
        self.entries.compare_and_set(key, expected, value, expires, now)
    }
    fn remove(&self, key: &[u8]) -> Result<bool, TableError> {
        self.entries.remove(key)
    }
    fn scan(&self, prefix: &[u8], now: u64, visit: &mut dyn FnMut(&[u8], &[u8], u64) -> bool) {
        self.entries.scan(prefix, now, visit);
    }
}
