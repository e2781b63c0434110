//! A table that lives in memory alone, in shards that lock one by one. The entries of a
//! shard lie behind one another in pages ([`heap`]); a hash table knows where.

use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;

use super::{Table, TableError, Visit, check_lengths};
pub(super) use heap::Entry;
use heap::{At, Heap};

mod heap;

/// Shards: enough that a few threads seldom wait for each other, nor long for a walk over
/// the entries of one.
pub(super) const SHARDS: usize = 32;

/// The last checksum of a key that each shard takes. The shares grow evenly from one to
/// two, so that the hash tables, which double when they are full, do so one after the other
/// while the table fills: with equal shares all would be half empty at once.
const SHARES: [u32; SHARDS] = shares();

/// Key, value and expiry of an entry that was found.
type Found = (Box<[u8]>, Box<[u8]>, u64);

/// Some of the entries.
#[derive(Debug, Default)]
struct Shard {
    slots: HashTable<At>,
    heap: Heap,
    hasher: RandomState,
}

impl Shard {
    fn get(&self, key: &[u8]) -> Option<Entry<'_>> {
        let at = self.slots.find(self.hasher.hash_one(key), |at| self.heap.key(*at) == key)?;
        Some(self.heap.entry(*at))
    }

    fn set(&mut self, entry: Entry<'_>) {
        let Shard { slots, heap, hasher } = self;
        let hash = hasher.hash_one(entry.key);
        let known =
            slots.entry(hash, |at| heap.key(*at) == entry.key, |at| hasher.hash_one(heap.key(*at)));
        match known {
            Slot::Occupied(mut slot) => *slot.get_mut() = heap.replace(*slot.get(), entry),
            Slot::Vacant(slot) => {
                slot.insert(heap.add(entry));
            }
        }
        self.tidy();
    }

    fn remove(&mut self, key: &[u8]) -> bool {
        let Shard { slots, heap, hasher } = self;
        let known = slots.find_entry(hasher.hash_one(key), |at| heap.key(*at) == key);
        let Ok(known) = known else { return false };
        heap.free(known.remove().0);
        self.tidy();
        true
    }

    fn sweep(&mut self, now: u64) {
        let Shard { slots, heap, hasher } = self;
        slots.retain(|at| {
            let alive = heap.entry(*at).expires > now;
            if !alive {
                heap.free(*at);
            }
            alive
        });
        slots.shrink_to(slots.len() * 2, |at| hasher.hash_one(heap.key(*at)));
        self.tidy();
    }

    /// Moves the entries together where much between them is dead.
    fn tidy(&mut self) {
        if !self.heap.is_mostly_dead() {
            return;
        }
        let mut fresh = Heap::default();
        for at in &mut self.slots {
            *at = fresh.add(self.heap.entry(*at));
        }
        self.heap = fresh;
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.slots.iter().map(|at| self.heap.entry(*at))
    }
}

/// Entries in memory; nothing is kept when it is dropped. One takes some seventeen octets
/// beside its key and value. A time of expiry beyond the year 10889 is never.
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
        (0..SHARDS).map(|shard| self.shard(shard).slots.len()).sum()
    }

    /// Whether there is no entry at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops the entries that have expired at `now`; how many. Locks one shard at a time.
    pub fn sweep(&self, now: u64) -> usize {
        let before = self.len();
        (0..SHARDS).for_each(|shard| self.shard(shard).sweep(now));
        before.saturating_sub(self.len())
    }

    fn shard(&self, index: usize) -> MutexGuard<'_, Shard> {
        // Nothing in here panics half-way through a change: a poisoned shard is whole.
        self.shards[index % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard_of(&self, key: &[u8]) -> MutexGuard<'_, Shard> {
        let checksum = crc32c::crc32c(key);
        self.shard(SHARES.partition_point(|last| *last < checksum))
    }

    /// Sets the entry, and tells `log` before anyone can see it.
    pub(super) fn set(&self, entry: Entry<'_>, log: impl FnOnce()) {
        let mut shard = self.shard_of(entry.key);
        log();
        shard.set(entry);
    }

    /// Sets the entry if its value is as `expected`; then tells `log` before anyone can see
    /// it.
    pub(super) fn set_if(
        &self,
        expected: Option<&[u8]>,
        entry: Entry<'_>,
        now: u64,
        log: impl FnOnce(),
    ) -> bool {
        let mut shard = self.shard_of(entry.key);
        let current = shard.get(entry.key).filter(|entry| entry.expires > now);
        if current.map(|entry| entry.value) != expected {
            return false;
        }
        log();
        shard.set(entry);
        true
    }

    /// Removes the entry if it is there; then tells `log` before anyone can see it.
    pub(super) fn unset(&self, key: &[u8], log: impl FnOnce()) -> bool {
        let mut shard = self.shard_of(key);
        let was_there = shard.remove(key);
        if was_there {
            log();
        }
        was_there
    }

    /// Shows the entries of one shard, which stays locked meanwhile, in no order.
    pub(super) fn each_in(&self, shard: usize, show: impl FnMut(Entry<'_>)) {
        self.shard(shard).entries().for_each(show);
    }
}

/// See [`SHARES`].
const fn shares() -> [u32; SHARDS] {
    // 65,536 times the 32nd root of two.
    const RATIO: u64 = 66_971;
    let (mut up_to, mut share, mut sum) = ([0; SHARDS], 1 << 24, 0);
    let mut shard = 0;
    while shard < SHARDS {
        sum += share;
        up_to[shard] = sum;
        share = (share * RATIO) >> 16;
        shard += 1;
    }
    let mut shares = [u32::MAX; SHARDS];
    while shard > 1 {
        shard -= 1;
        shares[shard - 1] = ((up_to[shard - 1] << 32) / sum) as u32;
    }
    shares
}

impl Table for MemoryTable {
    fn get_with_expiry(&self, key: &[u8], now: u64) -> Option<(Vec<u8>, u64)> {
        let shard = self.shard_of(key);
        let entry = shard.get(key).filter(|entry| entry.expires > now)?;
        Some((entry.value.to_vec(), entry.expires))
    }

    fn put(&self, key: &[u8], value: &[u8], expires: u64) -> Result<(), TableError> {
        check_lengths(key, value)?;
        self.set(Entry { key, value, expires }, || ());
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
        Ok(self.set_if(expected, Entry { key, value, expires }, now, || ()))
    }

    fn remove(&self, key: &[u8]) -> Result<bool, TableError> {
        Ok(self.unset(key, || ()))
    }

    fn scan(&self, prefix: &[u8], now: u64, visit: Visit<'_>) {
        let mut found: Vec<Found> = Vec::new();
        for shard in 0..SHARDS {
            self.each_in(shard, |entry| {
                if entry.expires > now && entry.key.starts_with(prefix) {
                    found.push((entry.key.into(), entry.value.into(), entry.expires));
                }
            });
        }
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (key, value, expires) in &found {
            if !visit(key, value, *expires) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Model = BTreeMap<Vec<u8>, (Vec<u8>, u64)>;

    #[derive(Clone, Debug)]
    enum Step {
        Put(Vec<u8>, Vec<u8>, u64),
        Remove(Vec<u8>),
        Sweep(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let key = || prop::collection::vec(0..3u8, 0..4);
        let value = prop_oneof![
            8 => prop::collection::vec(any::<u8>(), 0..200),
            1 => (0..=super::super::MAX_VALUE_OCTETS).prop_map(|octets| vec![7; octets]),
        ];
        let expires = prop_oneof![0..20u64, Just(u64::MAX)];
        prop_oneof![
            6 => (key(), value, expires).prop_map(|(k, v, e)| Step::Put(k, v, e)),
            2 => key().prop_map(Step::Remove),
            1 => (0..20u64).prop_map(Step::Sweep),
        ]
    }

    fn all(table: &MemoryTable) -> Model {
        let mut all = Model::new();
        table.scan(b"", 0, &mut |key, value, expires| {
            all.insert(key.to_vec(), (value.to_vec(), expires));
            true
        });
        all
    }

    proptest! {
        #[test]
        fn whatever_is_done_it_agrees_with_a_map(steps in prop::collection::vec(step(), 0..400)) {
            let (table, mut model) = (MemoryTable::new(), Model::new());
            for step in steps {
                match step {
                    Step::Put(key, value, expires) => {
                        table.put(&key, &value, expires).unwrap();
                        model.insert(key, (value, expires));
                    }
                    Step::Remove(key) => {
                        let was_there = model.remove(&key).is_some();
                        prop_assert_eq!(table.remove(&key).unwrap(), was_there);
                    }
                    Step::Sweep(now) => {
                        let before = model.len();
                        model.retain(|_, (_, expires)| *expires > now);
                        prop_assert_eq!(table.sweep(now), before - model.len());
                    }
                }
                prop_assert_eq!(table.len(), model.len());
            }
            model.retain(|_, (_, expires)| *expires > 0);
            prop_assert_eq!(all(&table), model);
        }
    }

    #[test]
    fn the_hash_tables_are_equally_full_whatever_the_number_of_entries() {
        let table = MemoryTable::new();
        for key in 1..=80_000u64 {
            table.put(&key.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), b"", 1).unwrap();
            if key > 10_000 && key % 1000 == 0 {
                let octets = |shard| table.shard(shard).slots.allocation_size();
                let octets = (0..SHARDS).map(octets).sum::<usize>() as f64 / key as f64;
                assert!((7.5..9.5).contains(&octets), "{octets} octets of {key} entries");
            }
        }
    }

    #[test]
    fn what_is_dead_gives_its_room_back() {
        let table = MemoryTable::new();
        for round in 0..100u32 {
            for key in 0..1000u32 {
                let value = vec![0; 50 + (round % 2) as usize];
                table.put(&key.to_be_bytes(), &value, u64::from(round) + 1).unwrap();
            }
        }
        let octets = |table: &MemoryTable| -> usize {
            (0..SHARDS).map(|shard| table.shard(shard).heap.octets()).sum()
        };
        assert!(octets(&table) < 4 * 1000 * 64 + SHARDS * 2 * heap::PAGE_OCTETS);
        assert_eq!(table.sweep(100), 1000);
        assert!(octets(&table) <= SHARDS * heap::PAGE_OCTETS);
    }
}
