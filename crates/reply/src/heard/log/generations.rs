//! A table that never holds more than it was told: when its young half is full, the old
//! half is forgotten and the young one grows old. What is asked for becomes young again,
//! so that the least recently used go first, at the cost of no list and no clock.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

#[derive(Clone, Debug)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, V, RandomState>,
    old: HashMap<K, V, RandomState>,
    half: usize,
    forgotten: u64,
}

impl<K: Hash + Eq, V> Generations<K, V> {
    /// A table of at most `capacity` entries.
    pub(super) fn new(capacity: usize) -> Generations<K, V> {
        let half = (capacity / 2).max(1);
        Generations { young: HashMap::default(), old: HashMap::default(), half, forgotten: 0 }
    }

    /// How many entries were forgotten for want of room.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The value of `key`, which becomes young.
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if !self.young.contains_key(key) {
            let (key, value) = self.old.remove_entry(key)?;
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.half {
            let old = std::mem::take(&mut self.young);
            self.forgotten += self.old.len() as u64;
            self.old = old;
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if self.young.remove(key).is_none() {
            self.old.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_are_forgotten_and_counted() {
        let mut table = Generations::new(4);
        for number in 0..100u32 {
            table.insert(number, number);
            // Asked for all the time, so that it stays.
            assert_eq!(table.get(&0), Some(&mut 0));
        }
        assert!(table.young.len() + table.old.len() <= 4);
        assert_eq!(table.forgotten() + (table.young.len() + table.old.len()) as u64, 100);
        assert_eq!(table.get(&50), None);
        table.remove(&0);
        assert_eq!(table.get(&0), None);
    }
}
