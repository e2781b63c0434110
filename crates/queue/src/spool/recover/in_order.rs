//! What is seen in one order and wanted in another, where the two are nearly the same: in
//! blocks that are sorted one by one and merged as they are asked for. A block is given back
//! when it was gone through, so that what is made of its items can have its memory.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::vec;

/// Octets of a block: as small as the parts of the index, which an allocator then makes of
/// the same memory, and of a size of which it loses little.
const BLOCK_OCTETS: usize = 7 << 10;

/// Items in the order in which they were seen.
#[derive(Debug)]
pub(super) struct Gathered<T> {
    blocks: Vec<Vec<T>>,
}

impl<T> Default for Gathered<T> {
    fn default() -> Gathered<T> {
        Gathered { blocks: Vec::new() }
    }
}

impl<T> Gathered<T> {
    /// Items of a block.
    const BLOCK: usize = BLOCK_OCTETS / size_of::<T>();

    pub(super) fn push(&mut self, item: T) {
        match self.blocks.last_mut().filter(|block| block.len() < Self::BLOCK) {
            Some(block) => block.push(item),
            None => {
                // The first may be the only one, and have a few.
                let room = if self.blocks.is_empty() { 1 } else { Self::BLOCK };
                let mut block = Vec::with_capacity(room);
                block.push(item);
                self.blocks.push(block);
            }
        }
    }

    /// By their keys; of equal ones the one that was seen last is last.
    pub(super) fn in_order<K: Ord>(self, key: fn(&T) -> K) -> InOrder<T, K> {
        let blocks = self.blocks.into_iter().enumerate().filter_map(|(number, mut block)| {
            block.sort_by_key(key);
            let mut rest = block.into_iter();
            let first = rest.next()?;
            Some(Reverse(Block { key: key(&first), number, first, rest }))
        });
        InOrder { blocks: blocks.collect(), key }
    }
}

/// A block that is not yet gone through.
#[derive(Debug)]
struct Block<T, K> {
    /// Of `first`.
    key: K,
    number: usize,
    first: T,
    rest: vec::IntoIter<T>,
}

impl<T, K: Ord> Ord for Block<T, K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then(self.number.cmp(&other.number))
    }
}

impl<T, K: Ord> PartialOrd for Block<T, K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T, K: Ord> PartialEq for Block<T, K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T, K: Ord> Eq for Block<T, K> {}

/// See [`Gathered::in_order`].
#[derive(Debug)]
pub(super) struct InOrder<T, K: Ord> {
    blocks: BinaryHeap<Reverse<Block<T, K>>>,
    key: fn(&T) -> K,
}

impl<T, K: Ord> Iterator for InOrder<T, K> {
    type Item = (K, T);

    fn next(&mut self) -> Option<(K, T)> {
        let mut least = self.blocks.peek_mut()?;
        let Some(item) = least.0.rest.next() else {
            let Block { key, first, .. } = PeekMut::pop(least).0;
            return Some((key, first));
        };
        let Block { key, first, .. } = &mut least.0;
        Some((std::mem::replace(key, (self.key)(&item)), std::mem::replace(first, item)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BLOCK: usize = Gathered::<usize>::BLOCK;

    proptest! {
        #[test]
        fn all_come_as_a_stable_sort_has_them(
            keys in prop::collection::vec(0..2000u32, 0..3 * BLOCK + 7),
            is_nearly_in_order: bool,
        ) {
            let mut keys = keys;
            if is_nearly_in_order {
                keys.sort_unstable();
                keys.chunks_mut(5).for_each(<[u32]>::reverse);
            }
            let mut all: Vec<_> = keys.into_iter().enumerate().collect();
            let mut gathered = Gathered::default();
            all.iter().for_each(|item| gathered.push(*item));
            let sorted: Vec<_> = gathered.in_order(|(_, key)| *key).collect();
            all.sort_by_key(|(_, key)| *key);
            let expected: Vec<_> = all.into_iter().map(|item| (item.1, item)).collect();
            prop_assert_eq!(sorted, expected);
        }
    }

    #[test]
    fn a_block_is_given_back_when_it_was_gone_through() {
        let mut gathered = Gathered::default();
        (0..10 * BLOCK).for_each(|number| gathered.push(number));
        let mut in_order = gathered.in_order(|number| *number);
        for gone in 1..=10 {
            in_order.by_ref().take(BLOCK).for_each(drop);
            assert_eq!(in_order.blocks.len(), 10 - gone);
        }
    }
}
