//! Messages that came a moment ago, in memory: most leave at once, and need not be read
//! for it.
//!
//! Only what never changes is kept, how a message came and its data; until something is
//! noted of it that is all there is to know. Bounded in number and octets; messages with
//! many recipients are left to the log, and the data of large ones. Where more come than
//! leave, those that are kept stay: the oldest leave first.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{QueueId, Received};

/// How many messages are kept.
const KEPT: usize = 1024;
/// How many octets of their data.
const KEPT_OCTETS: usize = 8 << 20;
/// The most recipients that one of them may have.
const MOST_RECIPIENTS: usize = 16;
/// Where there is no room, one in so many takes the place of the oldest, which may wait for
/// its host, and for long.
const TURN: u32 = 16;
/// How many buffers are kept for messages to come, and the most octets that one may have
/// room for.
const SPARE_BUFFERS: usize = 64;
const SPARE_OCTETS: usize = 16 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// By their ids, which are in the order in which they came.
    recent: BTreeMap<QueueId, Recent>,
    /// Octets that the data in `recent` take.
    octets: usize,
    /// How many came that there was no room for.
    passed: u32,
    /// Buffers that nobody uses, emptied.
    spare: Vec<Vec<u8>>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    pub(super) received: Arc<Received>,
    /// All data, where they stand in one record.
    pub(super) data: Option<Arc<Vec<u8>>>,
}

/// What a message that begins is given.
#[derive(Debug)]
pub(super) struct Room {
    /// For its data.
    pub(super) buffer: Vec<u8>,
    /// Whether it is to be kept.
    pub(super) is_kept: bool,
    /// What made room for it. It is let go by who asked, and not by the writer, which all
    /// wait for.
    pub(super) forgotten: Vec<Recent>,
}

impl Recent {
    fn octets(&self) -> usize {
        self.data.as_ref().map_or(0, |data| data.capacity())
    }
}

impl Fresh {
    fn is_full(&self) -> bool {
        self.recent.len() >= KEPT || self.octets >= KEPT_OCTETS
    }

    /// Room for a message that begins.
    pub(super) fn make_room(&mut self) -> Room {
        let mut forgotten = Vec::new();
        if self.is_full() {
            self.passed = self.passed.wrapping_add(1);
            while self.is_full() && self.passed.is_multiple_of(TURN) {
                let Some((oldest, _)) = self.recent.first_key_value() else { break };
                forgotten.extend(self.forget(*oldest));
            }
        }
        let buffer = self.spare.pop().unwrap_or_default();
        Room { buffer, is_kept: !self.is_full(), forgotten }
    }

    /// Keeps a message that was given room, if there still is any.
    pub(super) fn insert(&mut self, id: QueueId, recent: Recent) {
        if !self.is_full() && recent.received.envelope.recipients.len() <= MOST_RECIPIENTS {
            self.octets += recent.octets();
            self.recent.insert(id, recent);
        }
    }

    pub(super) fn get(&self, id: QueueId) -> Option<Recent> {
        self.recent.get(&id).cloned()
    }

    /// It is gone, or something was noted of it.
    pub(super) fn forget(&mut self, id: QueueId) -> Option<Recent> {
        let mut recent = self.recent.remove(&id)?;
        self.octets -= recent.octets();
        let data = recent.data.take().map(Arc::try_unwrap);
        recent.data = match data {
            None => None,
            Some(Err(read)) => Some(read),
            Some(Ok(buffer)) => self.reuse(buffer).map(Arc::new),
        };
        Some(recent)
    }

    /// Takes a buffer that nobody reads any more, where it is worth it; else it is given
    /// back.
    pub(super) fn reuse(&mut self, mut buffer: Vec<u8>) -> Option<Vec<u8>> {
        let is_worth_it = (1..=SPARE_OCTETS).contains(&buffer.capacity());
        if !is_worth_it || self.spare.len() >= SPARE_BUFFERS {
            return Some(buffer);
        }
        buffer.clear();
        self.spare.push(buffer);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::tests::received;

    fn id(number: u64) -> QueueId {
        QueueId::from_number(number).unwrap()
    }

    fn recent(number: u64, octets: Option<usize>) -> Recent {
        let data = octets.map(|octets| Arc::new(Vec::with_capacity(octets)));
        Recent { received: received(number).into(), data }
    }

    /// Messages come, one after the other; who is kept.
    fn come(fresh: &mut Fresh, numbers: std::ops::RangeInclusive<u64>, octets: usize) -> Vec<u64> {
        let mut kept = Vec::new();
        for number in numbers {
            if fresh.make_room().is_kept {
                fresh.insert(id(number), recent(number, Some(octets)));
                kept.push(number);
            }
        }
        kept
    }

    #[test]
    fn where_none_leave_the_oldest_stay_but_for_one_in_a_while() {
        let mut fresh = Fresh::default();
        let (kept, turn) = (KEPT as u64, u64::from(TURN));
        assert_eq!(come(&mut fresh, 1..=kept, 0).len(), KEPT);
        let late = come(&mut fresh, kept + 1..=kept + 4 * turn, 0);
        assert_eq!(late, [1, 2, 3, 4].map(|times| kept + times * turn));
        let ids: Vec<u64> = fresh.recent.keys().map(|id| id.number()).collect();
        assert_eq!((ids.len(), ids[0], ids[KEPT - 4..].to_vec()), (KEPT, 5, late));
    }

    #[test]
    fn who_leaves_makes_room_for_the_next() {
        let mut fresh = Fresh::default();
        let kept = KEPT as u64;
        come(&mut fresh, 1..=kept, 0);
        for number in 1..=3 * kept {
            fresh.forget(id(number));
            assert_eq!(come(&mut fresh, kept + number..=kept + number, 0), [kept + number]);
        }
        assert_eq!(fresh.recent.len(), KEPT);
    }

    #[test]
    fn their_data_are_bounded_too_and_what_is_forgotten_makes_room() {
        let mut fresh = Fresh::default();
        assert_eq!(come(&mut fresh, 1..=3, KEPT_OCTETS / 2), [1, 2]);
        fresh.forget(id(2));
        assert_eq!(come(&mut fresh, 4..=4, KEPT_OCTETS), [4]);
        assert_eq!(come(&mut fresh, 5..=100, 0)[0], 5 + u64::from(TURN) - 2);
        assert!(fresh.get(id(1)).is_none() && fresh.get(id(4)).is_none());
        (5..=100).for_each(|number| drop(fresh.forget(id(number))));
        assert_eq!(fresh.octets, 0);
    }

    #[test]
    fn a_message_to_many_is_left_to_the_log() {
        let mut fresh = Fresh::default();
        let mut many = received(1);
        let one = many.envelope.recipients[0].clone();
        many.envelope.recipients = vec![one; MOST_RECIPIENTS + 1];
        fresh.insert(id(1), Recent { received: many.into(), data: None });
        assert!(fresh.get(id(1)).is_none());
    }

    #[test]
    fn a_buffer_that_nobody_reads_any_more_is_used_again() {
        let mut fresh = Fresh::default();
        for (number, octets) in [(1, SPARE_OCTETS), (2, SPARE_OCTETS + 1), (3, SPARE_OCTETS)] {
            fresh.insert(id(number), recent(number, Some(octets)));
        }
        let read = fresh.get(id(1));
        let has_data = |recent: Option<Recent>| recent.unwrap().data.is_some();
        assert!(has_data(fresh.forget(id(1))));
        assert!(has_data(fresh.forget(id(2))));
        assert!(!has_data(fresh.forget(id(3))));
        drop(read);
        assert_eq!(fresh.make_room().buffer.capacity(), SPARE_OCTETS);
        assert_eq!(fresh.make_room().buffer.capacity(), 0);
    }
}
