//! What is seen in one order and wanted in another, where the two are nearly the same: in
//! blocks that are sorted one by one and merged as they are asked for. A block is given back
//! when it was gone through, so that what is made of its items can have its memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
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
        let sorted = |mut block: Vec<T>| {
            block.sort_by_key(key);
            Some(block.into_iter())
        };
        let mut in_order = InOrder {
            blocks: self.blocks.into_iter().map(sorted).collect(),
            current: 0,
            others: BinaryHeap::new(),
            key,
        };
        in_order.others = (1..in_order.blocks.len()).filter_map(|it| in_order.place(it)).collect();
        in_order
    }
}

/// See [`Gathered::in_order`].
#[derive(Debug)]
pub(super) struct InOrder<T, K: Ord> {
    /// `None` when it was gone through.
    blocks: Vec<Option<vec::IntoIter<T>>>,
    /// The number of the block that is being gone through.
    current: usize,
    /// What comes next of each other one that has anything left, and its number.
    others: BinaryHeap<Reverse<(K, usize)>>,
    key: fn(&T) -> K,
}

impl<T, K: Ord> InOrder<T, K> {
    fn place(&self, number: usize) -> Option<Reverse<(K, usize)>> {
        let next = self.blocks.get(number)?.as_ref()?.as_slice().first()?;
        Some(Reverse(((self.key)(next), number)))
    }

    /// The key of the next one.
    pub(super) fn next_key(&mut self) -> Option<K> {
        let least = self.others.peek();
        match self.place(self.current) {
            Some(place) if least.is_none_or(|least| place >= *least) => Some(place.0.0),
            place => {
                if place.is_none()
                    && let Some(block) = self.blocks.get_mut(self.current)
                {
                    *block = None;
                }
                let Reverse((key, number)) = self.others.pop()?;
                self.others.extend(place);
                self.current = number;
                Some(key)
            }
        }
    }

    /// The next one, where its key is `wanted`.
    pub(super) fn next_if(&mut self, wanted: impl FnOnce(&K) -> bool) -> Option<(K, T)> {
        let key = self.next_key().filter(wanted)?;
        Some((key, self.blocks.get_mut(self.current)?.as_mut()?.next()?))
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

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
            let mut in_order = gathered.in_order(|(_, key)| *key);
            let sorted: Vec<_> = iter::from_fn(|| in_order.next_if(|_| true)).collect();
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
            let block: Vec<_> = iter::from_fn(|| in_order.next_if(|_| true)).take(BLOCK).collect();
            assert!(block.into_iter().eq(((gone - 1) * BLOCK..gone * BLOCK).map(|it| (it, it))));
            assert_eq!(in_order.next_key(), (gone < 10).then_some(gone * BLOCK));
            assert_eq!(in_order.blocks.iter().flatten().count(), 10 - gone);
        }
    }
}
