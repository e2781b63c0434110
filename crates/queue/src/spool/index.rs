//! The index: for each message in the queue, where its records stand, and when it is due.
//! About a hundred octets a message; everything else is read from the log.
//!
//! It also counts, for each segment, the octets that are still needed.

use std::collections::BTreeMap;
use std::ops::Bound;

use store::log::Place;

use super::Summary;
use super::records::{self, MessageHead};
use crate::{Message, QueueId};

/// Where a message's records stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) message: Place,
    pub(super) state: Option<Place>,
    pub(super) chunks: Box<[Place]>,
}

#[derive(Clone, Debug)]
struct Entry {
    message: Place,
    /// The last state that was submitted: what readers see.
    state: Option<Place>,
    /// The last state that is synced: what counts if the other is not kept.
    synced: Option<Place>,
    chunks: Box<[Place]>,
    octets: u64,
    /// Both as the last submitted state has them, also if it was not kept: then the next
    /// attempt comes when it was planned.
    due: u64,
    held: bool,
    removing: bool,
    /// The first segment that ever held a record of it.
    first_segment: u32,
}

impl Entry {
    fn places(&self) -> impl Iterator<Item = &Place> {
        let states = self.state.iter().filter(|place| Some(**place) != self.synced);
        [&self.message].into_iter().chain(&self.synced).chain(states).chain(&self.chunks)
    }

    fn summary(&self, id: QueueId) -> Summary {
        let due = records::due_time(self.due).filter(|_| !self.held);
        Summary { id, due, held: self.held, octets: self.octets }
    }
}

/// All messages in the queue.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: BTreeMap<QueueId, Entry>,
    live: BTreeMap<u32, u64>,
    /// Drafts that have chunks in a segment: it stays as it is.
    pins: BTreeMap<u32, u32>,
    octets: u64,
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    pub(super) fn live_octets(&self) -> u64 {
        self.live.values().sum()
    }

    /// Octets of a segment that are still needed.
    pub(super) fn live_in(&self, segment: u32) -> u64 {
        self.live.get(&segment).copied().unwrap_or(0)
    }

    pub(super) fn is_pinned(&self, segment: u32) -> bool {
        self.pins.contains_key(&segment)
    }

    pub(super) fn pin(&mut self, segment: u32) {
        *self.pins.entry(segment).or_default() += 1;
    }

    pub(super) fn unpin(&mut self, places: &[Place]) {
        for place in places {
            if let Some(pins) = self.pins.get_mut(&place.segment) {
                *pins -= 1;
                if *pins == 0 {
                    self.pins.remove(&place.segment);
                }
            }
        }
    }

    fn count(&mut self, place: Place) {
        *self.live.entry(place.segment).or_default() += place.size_on_disk();
    }

    fn discount(&mut self, place: Place) {
        if let Some(live) = self.live.get_mut(&place.segment) {
            *live = live.saturating_sub(place.size_on_disk());
            if *live == 0 {
                self.live.remove(&place.segment);
            }
        }
    }

    /// Adds a message whose record is synced. `first_segment` is the first that may hold a
    /// record of it, be it a dead one.
    pub(super) fn insert(
        &mut self,
        head: &MessageHead,
        message: Place,
        chunks: Vec<Place>,
        first_segment: u32,
    ) {
        let entry = Entry {
            message,
            state: None,
            synced: None,
            chunks: chunks.into(),
            octets: head.octets,
            due: head.at,
            held: head.held,
            removing: false,
            first_segment,
        };
        entry.places().copied().for_each(|place| self.count(place));
        self.octets += head.octets;
        self.entries.insert(head.id, entry);
    }

    fn entry(&self, id: QueueId) -> Option<&Entry> {
        self.entries.get(&id).filter(|entry| !entry.removing)
    }

    pub(super) fn standing(&self, id: QueueId) -> Option<Standing> {
        let entry = self.entry(id)?;
        let (message, state) = (entry.message, entry.state);
        Some(Standing { message, state, chunks: entry.chunks.clone() })
    }

    pub(super) fn summaries(
        &self,
        after: Option<QueueId>,
        limit: usize,
    ) -> impl Iterator<Item = Summary> + '_ {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.entries.range((from, Bound::Unbounded));
        let present = range.filter(|(_, entry)| !entry.removing);
        present.take(limit).map(|(id, entry)| entry.summary(*id))
    }

    /// A state is on its way to `place`; readers find it there from now on.
    pub(super) fn state_submitted(
        &mut self,
        id: QueueId,
        place: Place,
        due: u64,
        message: &Message,
    ) {
        self.count(place);
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let overtaken = entry.state.replace(place).filter(|old| Some(*old) != entry.synced);
        (entry.due, entry.held) = (due, message.hold.is_held());
        overtaken.into_iter().for_each(|old| self.discount(old));
    }

    /// A state is synced at the place, or will never be: then the last synced one counts
    /// again.
    pub(super) fn state_synced(&mut self, id: QueueId, place: Option<Place>) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let dead = match place {
            // A newer one is on its way: this one was already discounted.
            Some(place) if entry.state != Some(place) => None,
            Some(place) => entry.synced.replace(place),
            None => {
                let lost = entry.state.filter(|state| Some(*state) != entry.synced);
                entry.state = entry.synced;
                lost
            }
        };
        dead.into_iter().for_each(|place| self.discount(place));
    }

    /// A state that was found when the log was opened; a later one replaces it.
    pub(super) fn state_found(&mut self, id: QueueId, place: Place, due: u64, held: bool) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let dead = entry.synced.replace(place);
        entry.state = Some(place);
        (entry.due, entry.held) = (due, held);
        self.count(place);
        dead.into_iter().for_each(|place| self.discount(place));
    }

    /// Hides a message whose removal is on its way; the first segment that may hold a
    /// record of it. `None` where there is none.
    pub(super) fn begin_removal(&mut self, id: QueueId) -> Option<u32> {
        let entry = self.entries.get_mut(&id).filter(|entry| !entry.removing)?;
        entry.removing = true;
        Some(entry.first_segment)
    }

    /// The removal is synced, or will never be: then the message is back.
    pub(super) fn removal_ended(&mut self, id: QueueId, removed: bool) {
        if !removed {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.removing = false;
            }
            return;
        }
        if let Some(entry) = self.entries.remove(&id) {
            self.octets = self.octets.saturating_sub(entry.octets);
            entry.places().copied().for_each(|place| self.discount(place));
        }
    }

    /// Whether the record at `place` is still needed for its message.
    pub(super) fn needs(&self, id: QueueId, place: Place) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.places().any(|needed| *needed == place))
    }

    /// Whether a state at `place` is what readers see: it may be moved.
    pub(super) fn is_current(&self, id: QueueId, place: Place) -> bool {
        self.entries.get(&id).is_some_and(|entry| {
            let overtaken = entry.synced == Some(place) && entry.state != entry.synced;
            !overtaken && entry.places().any(|needed| *needed == place)
        })
    }

    /// A record was copied from `from` to `to`, and the copy is synced.
    pub(super) fn moved(&mut self, id: QueueId, from: Place, to: Place) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let mut found = false;
        let states = entry.state.iter_mut().chain(&mut entry.synced);
        let all = [&mut entry.message].into_iter().chain(states).chain(&mut entry.chunks);
        for place in all.filter(|place| **place == from) {
            *place = to;
            found = true;
        }
        if found {
            self.discount(from);
            self.count(to);
        }
    }
}
