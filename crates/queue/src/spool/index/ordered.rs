//! A map in the order of its ids, for ids that mostly come in that order: runs of entries
//! behind one another, each full when the next one begins. A balanced tree is half empty
//! where it grows at its end.

use std::collections::BTreeMap;

use crate::QueueId;

/// Most entries of a run: one that is added or taken out moves those behind it. Those of the
/// index then take nearly seven kibibytes, of which allocators lose less than of others.
const RUN: usize = 80;
/// A run with fewer is put together with the one before it, where both fit in half a run.
const SHORT: usize = RUN / 4;

type Run<V> = Vec<(QueueId, V)>;

/// Values by their ids.
#[derive(Debug)]
pub(super) struct Ordered<V> {
    /// By an id that is no greater than their first. None is empty.
    runs: BTreeMap<QueueId, Run<V>>,
    len: usize,
}

impl<V> Default for Ordered<V> {
    fn default() -> Ordered<V> {
        Ordered { runs: BTreeMap::new(), len: 0 }
    }
}

impl<V> Ordered<V> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, id: QueueId) -> Option<&V> {
        let (_, run) = self.runs.range(..=id).next_back()?;
        let at = place(run, id).ok()?;
        Some(&run[at].1)
    }

    pub(super) fn get_mut(&mut self, id: QueueId) -> Option<&mut V> {
        let (_, run) = self.runs.range_mut(..=id).next_back()?;
        let at = place(run, id).ok()?;
        Some(&mut run[at].1)
    }

    /// The value takes the place of an earlier one.
    pub(super) fn insert(&mut self, id: QueueId, value: V) {
        let Some((_, run)) = self.runs.range_mut(..=id).next_back() else {
            self.runs.insert(id, vec![(id, value)]);
            self.len += 1;
            return;
        };
        match place(run, id) {
            Ok(at) => run[at].1 = value,
            Err(at) => {
                self.len += 1;
                let full = run.len() == RUN;
                // At the end the run stays as it is; in its middle it becomes two.
                let rest = full.then(|| run.split_off(if at == RUN { RUN } else { RUN / 2 }));
                let Some(mut rest) = rest else {
                    if run.len() == run.capacity() {
                        run.reserve_exact(run.len().min(RUN - run.len()));
                    }
                    return run.insert(at, (id, value));
                };
                match at.checked_sub(run.len()) {
                    Some(at) => rest.insert(at, (id, value)),
                    None => run.insert(at, (id, value)),
                }
                self.runs.insert(rest[0].0, rest);
            }
        }
    }

    pub(super) fn remove(&mut self, id: QueueId) -> Option<V> {
        let (first, run) = self.runs.range_mut(..=id).next_back()?;
        let (first, at) = (*first, place(run, id).ok()?);
        let (_, value) = run.remove(at);
        let left = run.len();
        self.len -= 1;
        if left == 0 {
            self.runs.remove(&first);
        } else if left < SHORT {
            self.put_together(first);
        }
        Some(value)
    }

    /// Moves a short run behind the one before it.
    fn put_together(&mut self, first: QueueId) {
        let before = self.runs.range(..first).next_back();
        let Some((before, _)) = before.filter(|(_, run)| run.len() <= RUN / 4) else { return };
        let before = *before;
        if let Some(run) = self.runs.remove(&first)
            && let Some(longer) = self.runs.get_mut(&before)
        {
            longer.extend(run);
            longer.shrink_to(RUN / 2);
        }
    }

    /// Those with ids greater than `after`, in order.
    pub(super) fn after(&self, after: Option<QueueId>) -> impl Iterator<Item = (QueueId, &V)> {
        let run = after.and_then(|after| self.runs.range(..=after).next_back());
        let runs = match run {
            Some((first, _)) => self.runs.range(*first..),
            None => self.runs.range(..),
        };
        let all = runs.flat_map(|(_, run)| run.iter().map(|(id, value)| (*id, value)));
        all.skip_while(move |(id, _)| after.is_some_and(|after| *id <= after))
    }
}

fn place<V>(run: &Run<V>, id: QueueId) -> Result<usize, usize> {
    run.binary_search_by_key(&id, |(id, _)| *id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u64) -> QueueId {
        QueueId::from_number(number + 1).unwrap()
    }

    fn check(ordered: &Ordered<u64>, model: &BTreeMap<QueueId, u64>) {
        assert_eq!(ordered.len(), model.len());
        let all = ordered.after(None).map(|(id, value)| (id, *value));
        assert!(all.eq(model.iter().map(|(id, value)| (*id, *value))));
        assert!(ordered.runs.values().all(|run| !run.is_empty() && run.len() <= RUN));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_tree(
            steps in prop::collection::vec((0..600u64, 0..5u8), 0..2000)
        ) {
            let (mut ordered, mut model) = (Ordered::default(), BTreeMap::new());
            for (step, (number, what)) in steps.into_iter().enumerate() {
                let (step, id) = (step as u64, id(number));
                if what < 3 {
                    ordered.insert(id, step);
                    model.insert(id, step);
                } else {
                    prop_assert_eq!(ordered.remove(id), model.remove(&id));
                }
                prop_assert_eq!(ordered.get(id), model.get(&id));
                if let Some(value) = ordered.get_mut(id) {
                    *value += 1;
                    model.entry(id).and_modify(|value| *value += 1);
                }
            }
            check(&ordered, &model);
            for number in [0, 1, 299, 598, 599] {
                let after = ordered.after(Some(id(number))).map(|(id, _)| id);
                let expected = model.keys().copied().filter(|key| *key > id(number));
                prop_assert!(after.eq(expected));
            }
        }
    }

    #[test]
    fn runs_are_full_where_ids_come_in_order_and_few_where_most_are_gone() {
        let mut ordered = Ordered::default();
        (0..10_000).for_each(|number| ordered.insert(id(number), number));
        assert_eq!(ordered.runs.len(), 10_000usize.div_ceil(RUN));
        for number in (0..10_000).filter(|number| number % 40 != 0) {
            ordered.remove(id(number));
        }
        assert_eq!(ordered.len(), 250);
        assert!(ordered.runs.len() <= 250 / (RUN / 4) + 2, "{}", ordered.runs.len());
    }
}
