//! A table that lives in memory alone, in shards that lock one by one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Table, TableError, check_lengths};

/// Shards: enough that a few threads seldom wait for each other.
const SHARDS: usize = 16;

/// One entry: what and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: Box<[u8]>,
    pub(super) expires: u64,
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

    pub(super) fn set(&self, key: &[u8], value: &[u8], expires: u64) {
        let entry = Entry { value: value.into(), expires };
        self.shard_of(key).insert(key.into(), entry);
    }

    /// Sets the entry if it is as `expected`, and tells `log` before anyone can see it.
    pub(super) fn set_if(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        entry: Entry,
        now: u64,
        log: impl FnOnce() -> Result<(), TableError>,
    ) -> Result<bool, TableError> {
        let mut shard = self.shard_of(key);
        let current = shard.get(key).filter(|entry| entry.expires > now);
        if current.map(|entry| &*entry.value) != expected {
            return Ok(false);
        }
        log()?;
        shard.insert(key.into(), entry);
        Ok(true)
    }
}

impl Table for MemoryTable {
    fn get(&self, key: &[u8], now: u64) -> Option<Vec<u8>> {
        let shard = self.shard_of(key);
        shard.get(key).filter(|entry| entry.expires > now).map(|entry| entry.value.to_vec())
    }

    fn put(&self, key: &[u8], value: &[u8], expires: u64) -> Result<(), TableError> {
        check_lengths(key, value)?;
        self.set(key, value, expires);
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
        let entry = Entry { value: value.into(), expires };
        self.set_if(key, expected, entry, now, || Ok(()))
    }

    fn remove(&self, key: &[u8]) -> Result<bool, TableError> {
        Ok(self.shard_of(key).remove(key).is_some())
    }

    fn scan(&self, prefix: &[u8], now: u64, visit: &mut dyn FnMut(&[u8], &[u8], u64) -> bool) {
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
