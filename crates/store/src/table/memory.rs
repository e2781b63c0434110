//! A table that lives in memory alone, in shards that lock one by one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Table, TableError, Visit, check_lengths};

/// Shards: enough that a few threads seldom wait for each other.
pub(super) const SHARDS: usize = 16;

/// One entry: what and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: Box<[u8]>,
    pub(super) expires: u64,
}

impl Entry {
    pub(super) fn new(value: &[u8], expires: u64) -> Entry {
        Entry { value: value.into(), expires }
    }
}

type Shard = BTreeMap<Box<[u8]>, Entry>;

/// Entries in memory; nothing is kept when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryTable {
    shards: [Mutex<Shard>; SHARDS],
}

impl MemoryTable {
    /// An empty table.
    pub fn new() -> MemoryTable {
        MemoryTable::default()
    }

    /// How many entries there are, expired ones that were not yet swept included.
    pub fn len(&self) -> usize {
        (0..SHARDS).map(|shard| self.shard(shard).len()).sum()
    }

    /// Whether there is no entry at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops the entries that have expired at `now`; how many. Locks one shard at a time.
    pub fn sweep(&self, now: u64) -> usize {
        let before = self.len();
        for shard in 0..SHARDS {
            self.shard(shard).retain(|_, entry| entry.expires > now);
        }
        before.saturating_sub(self.len())
    }

    fn shard(&self, index: usize) -> MutexGuard<'_, Shard> {
        // Nothing in here panics half-way through a change: a poisoned shard is whole.
        self.shards[index % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard_of(&self, key: &[u8]) -> MutexGuard<'_, Shard> {
        self.shard(crc32c::crc32c(key) as usize)
    }

    /// Sets the entry, and tells `log` before anyone can see it.
    pub(super) fn set(&self, key: &[u8], entry: Entry, log: impl FnOnce()) {
        let mut shard = self.shard_of(key);
        log();
        shard.insert(key.into(), entry);
    }

    /// Sets the entry if it is as `expected`; then tells `log` before anyone can see it.
    pub(super) fn set_if(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        entry: Entry,
        now: u64,
        log: impl FnOnce(),
    ) -> bool {
        let mut shard = self.shard_of(key);
        let current = shard.get(key).filter(|entry| entry.expires > now);
        if current.map(|entry| &*entry.value) != expected {
            return false;
        }
        log();
        shard.insert(key.into(), entry);
        true
    }

    /// Removes the entry if it is there; then tells `log` before anyone can see it.
    pub(super) fn unset(&self, key: &[u8], log: impl FnOnce()) -> bool {
        let mut shard = self.shard_of(key);
        let was_there = shard.remove(key).is_some();
        if was_there {
            log();
        }
        was_there
    }

    /// Shows the entries of one shard, which stays locked meanwhile, in no order.
    pub(super) fn each_in(&self, shard: usize, mut show: impl FnMut(&[u8], &Entry)) {
        self.shard(shard).iter().for_each(|(key, entry)| show(key, entry));
    }
}

impl Table for MemoryTable {
    fn get(&self, key: &[u8], now: u64) -> Option<Vec<u8>> {
        let shard = self.shard_of(key);
        shard.get(key).filter(|entry| entry.expires > now).map(|entry| entry.value.to_vec())
    }

    fn put(&self, key: &[u8], value: &[u8], expires: u64) -> Result<(), TableError> {
        check_lengths(key, value)?;
        self.set(key, Entry::new(value, expires), || ());
        Ok(())
    }

    fn compare_and_set(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        value: &[u8],
        expires: u64,
        now: u64,
    ) -> Result<bool, TableError> {
        check_lengths(key, value)?;
        Ok(self.set_if(key, expected, Entry::new(value, expires), now, || ()))
    }

    fn remove(&self, key: &[u8]) -> Result<bool, TableError> {
        Ok(self.unset(key, || ()))
    }

    fn scan(&self, prefix: &[u8], now: u64, visit: Visit<'_>) {
        let mut found: Vec<(Box<[u8]>, Entry)> = Vec::new();
        for shard in 0..SHARDS {
            let shard = self.shard(shard);
            let from = shard
                .range::<[u8], _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
            let matching = from.take_while(|(key, _)| key.starts_with(prefix));
            let alive = matching.filter(|(_, entry)| entry.expires > now);
            found.extend(alive.map(|(key, entry)| (key.clone(), entry.clone())));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, entry) in &found {
            if !visit(key, &entry.value, entry.expires) {
                return;
            }
        }
    }
}
