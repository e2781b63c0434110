//! The newest messages, in memory: most leave at once, and need not be read for it.
//!
//! Only what never changes is kept, how a message came and its data; until something is
//! noted of it that is all there is to know. Bounded in number and octets; messages with
//! many recipients are left to the log, and the data of large ones.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::{QueueId, Received};

/// How many messages are kept.
const KEPT: usize = 1024;
/// How many octets of their data.
const KEPT_OCTETS: usize = 8 << 20;
/// The most recipients that one of them may have.
const MOST_RECIPIENTS: usize = 16;
/// How many buffers are kept for messages to come, and the most octets that one may have
/// room for.
const SPARE_BUFFERS: usize = 64;
const SPARE_OCTETS: usize = 16 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    recent: HashMap<QueueId, Recent>,
    /// As they came; some are gone from `recent`.
    order: VecDeque<QueueId>,
    /// Octets that the data in `recent` take.
    octets: usize,
    /// Buffers of messages that were forgotten, emptied.
    spare: Vec<Vec<u8>>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    pub(super) received: Arc<Received>,
    /// All data, where they stand in one record.
    pub(super) data: Option<Arc<Vec<u8>>>,
}

impl Recent {
    fn octets(&self) -> usize {
        self.data.as_ref().map_or(0, |data| data.capacity())
    }
}

impl Fresh {
    pub(super) fn insert(
        &mut self,
        id: QueueId,
        received: Arc<Received>,
        data: Option<Arc<Vec<u8>>>,
    ) {
        if received.envelope.recipients.len() > MOST_RECIPIENTS {
            return;
        }
        let recent = Recent { received, data };
        self.octets += recent.octets();
        self.order.push_back(id);
        self.recent.insert(id, recent);
    }

    /// Forgets the oldest that are too many, and gives them to who asks, with a buffer for
    /// the next one's data: each message that comes does so first, and lets them go. The
    /// writer, which adds them, and which all wait for, is not to be kept with it.
    pub(super) fn make_room(&mut self) -> (Vec<Recent>, Vec<u8>) {
        let mut forgotten = Vec::new();
        while self.order.len() >= KEPT || self.octets > KEPT_OCTETS {
            let Some(oldest) = self.order.pop_front() else { break };
            forgotten.extend(self.forget(oldest));
        }
        (forgotten, self.spare.pop().unwrap_or_default())
    }

    pub(super) fn get(&self, id: QueueId) -> Option<Recent> {
        self.recent.get(&id).cloned()
    }

    /// It is gone, or something was noted of it.
    pub(super) fn forget(&mut self, id: QueueId) -> Option<Recent> {
        let mut recent = self.recent.remove(&id)?;
        self.octets -= recent.octets();
        recent.data = recent.data.and_then(|data| self.reuse(data));
        Some(recent)
    }

    /// Takes the buffer of data that nobody reads any more, where it is worth it.
    fn reuse(&mut self, data: Arc<Vec<u8>>) -> Option<Arc<Vec<u8>>> {
        if data.capacity() > SPARE_OCTETS || self.spare.len() >= SPARE_BUFFERS {
            return Some(data);
        }
        match Arc::try_unwrap(data) {
            Err(data) => Some(data),
            Ok(mut buffer) => {
                buffer.clear();
                self.spare.push(buffer);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::tests::received;

    fn id(number: u64) -> QueueId {
        QueueId::from_number(number).unwrap()
    }

    fn kept(fresh: &Fresh, numbers: std::ops::RangeInclusive<u64>) -> Vec<u64> {
        numbers.filter(|number| fresh.get(id(*number)).is_some()).collect()
    }

    #[test]
    fn the_newest_are_kept_and_no_more() {
        let mut fresh = Fresh::default();
        for number in 1..=3 * KEPT as u64 {
            fresh.make_room();
            fresh.insert(id(number), received(number).into(), None);
            if number % 2 == 0 {
                fresh.forget(id(number));
            }
        }
        let kept = kept(&fresh, 1..=3 * KEPT as u64);
        assert_eq!(kept.len(), KEPT / 2);
        assert!(kept.iter().all(|number| *number > 2 * KEPT as u64));
        assert_eq!((fresh.order.len(), fresh.recent.len()), (KEPT, KEPT / 2));
    }

    #[test]
    fn their_data_are_bounded_too_and_what_is_forgotten_makes_room() {
        let mut fresh = Fresh::default();
        let half = || Some(Arc::new(vec![b'x'; KEPT_OCTETS / 2]));
        (1..=3).for_each(|number| fresh.insert(id(number), received(number).into(), half()));
        assert_eq!(fresh.make_room().0.len(), 1);
        assert_eq!(kept(&fresh, 1..=3), [2, 3]);
        fresh.forget(id(3));
        fresh.insert(id(4), received(4).into(), half());
        assert!(fresh.make_room().0.is_empty());
        assert_eq!(kept(&fresh, 1..=4), [2, 4]);
        fresh.forget(id(2));
        fresh.forget(id(4));
        assert_eq!(fresh.octets, 0);
    }
    #[test]
    fn a_buffer_that_nobody_reads_any_more_is_used_again() {
        let mut fresh = Fresh::default();
        let data = |octets| Some(Arc::new(Vec::with_capacity(octets)));
        let read = data(SPARE_OCTETS);
        fresh.insert(id(1), received(1).into(), read.clone());
        fresh.insert(id(2), received(2).into(), data(SPARE_OCTETS + 1));
        fresh.insert(id(3), received(3).into(), data(SPARE_OCTETS));
        let has_data = |recent: Option<Recent>| recent.unwrap().data.is_some();
        assert!(has_data(fresh.forget(id(1))));
        assert!(has_data(fresh.forget(id(2))));
        assert!(!has_data(fresh.forget(id(3))));
        assert_eq!(fresh.make_room().1.capacity(), SPARE_OCTETS);
        assert_eq!(fresh.make_room().1.capacity(), 0);
    }
}
