//! The index: for each message in the queue, where its records stand, and when it is due.
//! About a hundred octets a message; everything else is read from the log.
//!
//! It also counts, for each segment, the octets that are still needed.

use std::collections::BTreeMap;

use store::log::Place;

use super::Summary;
use super::records::{self, MessageHead, StateHead};
use crate::QueueId;
use ordered::Ordered;

mod ordered;

/// Where a message's records stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) message: Place,
    pub(super) states: Box<[Noted]>,
    pub(super) chunks: Box<[Place]>,
    /// What the last state says, should it be unreadable.
    pub(super) held: bool,
}

/// A state that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) place: Place,
    pub(super) sequence: u32,
    /// It says where all recipients stand: those before it are dead once it is synced.
    pub(super) is_whole: bool,
    is_synced: bool,
}

impl Noted {
    fn new(place: Place, head: &StateHead, is_synced: bool) -> Noted {
        let (sequence, is_whole) = (head.sequence, head.is_whole);
        Noted { place, sequence, is_whole, is_synced }
    }
}

#[derive(Clone, Debug)]
struct Entry {
    message: Place,
    /// By their sequence. A reader goes through all of them; up to the first that is whole
    /// and synced there is nothing.
    states: States,
    chunks: Box<[Place]>,
    octets: u64,
    /// Both as the last submitted state has them, also if it was not kept: then the next
    /// attempt comes when it was planned.
    due: u64,
    held: bool,
    removing: bool,
    /// The first segment that ever held a record of it.
    first_segment: u32,
    /// Of the last state, kept or not: none is given twice.
    sequence: u32,
}

/// States of a message: nearly always none or one, which then needs no memory of its own.
#[derive(Clone, Debug)]
enum States {
    None,
    One(Noted),
    More(Box<[Noted]>),
}

impl States {
    fn as_slice(&self) -> &[Noted] {
        match self {
            States::None => &[],
            States::One(one) => std::slice::from_ref(one),
            States::More(more) => more,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [Noted] {
        match self {
            States::None => &mut [],
            States::One(one) => std::slice::from_mut(one),
            States::More(more) => more,
        }
    }
}

impl FromIterator<Noted> for States {
    fn from_iter<I: IntoIterator<Item = Noted>>(states: I) -> States {
        let mut states = states.into_iter();
        match (states.next(), states.next()) {
            (None, _) => States::None,
            (Some(one), None) => States::One(one),
            (Some(first), Some(second)) => {
                States::More([first, second].into_iter().chain(states).collect())
            }
        }
    }
}

impl Entry {
    fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let states = self.states.as_slice().iter().map(|noted| noted.place);
        [self.message].into_iter().chain(states).chain(self.chunks.iter().copied())
    }

    fn summary(&self, id: QueueId) -> Summary {
        let due = records::due_time(self.due).filter(|_| !self.held);
        Summary { id, due, held: self.held, octets: self.octets }
    }
}

/// All messages in the queue.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Ordered<Entry>,
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

    /// Adds a message whose record is synced, as are the `states` that count, by their
    /// sequence. `first_segment` is the first that may hold a record of it, be it a dead one.
    pub(super) fn insert(
        &mut self,
        head: &MessageHead,
        message: Place,
        chunks: Vec<Place>,
        states: impl Iterator<Item = (Place, StateHead)> + Clone,
        first_segment: u32,
    ) {
        let last = states.clone().last().map(|(_, head)| (head.due, head.held, head.sequence));
        let (due, held, sequence) = last.unwrap_or((head.at, head.held, 0));
        let entry = Entry {
            message,
            states: states.map(|(place, head)| Noted::new(place, &head, true)).collect(),
            chunks: chunks.into(),
            octets: head.octets,
            due,
            held,
            removing: false,
            first_segment,
            sequence,
        };
        entry.places().for_each(|place| self.count(place));
        self.octets += head.octets;
        self.entries.insert(head.id, entry);
    }

    fn entry(&self, id: QueueId) -> Option<&Entry> {
        self.entries.get(id).filter(|entry| !entry.removing)
    }

    pub(super) fn standing(&self, id: QueueId) -> Option<Standing> {
        let entry = self.entry(id)?;
        let (message, held) = (entry.message, entry.held);
        let (states, chunks) = (entry.states.as_slice().into(), entry.chunks.clone());
        Some(Standing { message, states, chunks, held })
    }

    /// The size of a message that nothing was noted of since it came.
    pub(super) fn unchanged(&self, id: QueueId) -> Option<u64> {
        let entry = self.entry(id).filter(|entry| entry.states.as_slice().is_empty())?;
        Some(entry.octets)
    }

    pub(super) fn summaries(
        &self,
        after: Option<QueueId>,
        limit: usize,
    ) -> impl Iterator<Item = Summary> + '_ {
        let present = self.entries.after(after).filter(|(_, entry)| !entry.removing);
        present.take(limit).map(|(id, entry)| entry.summary(id))
    }

    /// How many changes a reader of the message goes through, and the sequence of the next
    /// state; `None` where there is no such message.
    pub(super) fn next_state(&self, id: QueueId) -> Option<(usize, u32)> {
        let entry = self.entry(id)?;
        let changes =
            entry.states.as_slice().iter().rev().take_while(|noted| !noted.is_whole).count();
        Some((changes, entry.sequence + 1))
    }

    /// A state is on its way to `place`; readers find it there from now on.
    pub(super) fn state_submitted(&mut self, id: QueueId, place: Place, head: &StateHead) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let noted = Noted::new(place, head, false);
        entry.states = entry.states.as_slice().iter().copied().chain([noted]).collect();
        (entry.due, entry.held, entry.sequence) = (head.due, head.held, head.sequence);
        self.count(place);
    }

    /// A state is synced, or will never be: then those before it count again.
    pub(super) fn state_synced(&mut self, id: QueueId, sequence: u32, kept: bool) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        if kept {
            let noted =
                entry.states.as_mut_slice().iter_mut().find(|noted| noted.sequence == sequence);
            noted.into_iter().for_each(|noted| noted.is_synced = true);
            self.drop_overtaken(id);
        } else {
            self.retain_states(id, |noted| noted.sequence != sequence);
        }
    }

    /// Drops the states before the last one that is whole and synced.
    fn drop_overtaken(&mut self, id: QueueId) {
        let Some(entry) = self.entries.get(id) else { return };
        let counts = |noted: &&Noted| noted.is_whole && noted.is_synced;
        if let Some(first) =
            entry.states.as_slice().iter().rfind(counts).map(|noted| noted.sequence)
        {
            self.retain_states(id, |noted| noted.sequence >= first);
        }
    }

    fn retain_states(&mut self, id: QueueId, is_kept: impl Fn(&Noted) -> bool) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        if entry.states.as_slice().iter().all(&is_kept) {
            return;
        }
        let states = std::mem::replace(&mut entry.states, States::None);
        let (kept, dead): (Vec<_>, Vec<_>) = states.as_slice().iter().partition(|n| is_kept(n));
        entry.states = kept.into_iter().collect();
        dead.iter().for_each(|noted| self.discount(noted.place));
    }

    /// Hides a message whose removal is on its way; the first segment that may hold a
    /// record of it. `None` where there is none.
    pub(super) fn begin_removal(&mut self, id: QueueId) -> Option<u32> {
        let entry = self.entries.get_mut(id).filter(|entry| !entry.removing)?;
        entry.removing = true;
        Some(entry.first_segment)
    }

    /// The removal is synced, or will never be: then the message is back.
    pub(super) fn removal_ended(&mut self, id: QueueId, removed: bool) {
        if !removed {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.removing = false;
            }
            return;
        }
        if let Some(entry) = self.entries.remove(id) {
            self.octets = self.octets.saturating_sub(entry.octets);
            entry.places().for_each(|place| self.discount(place));
        }
    }

    /// Whether the record at `place` is still needed for its message.
    pub(super) fn needs(&self, id: QueueId, place: Place) -> bool {
        self.entries.get(id).is_some_and(|entry| entry.places().any(|needed| needed == place))
    }

    /// Whether it is, and may be moved: a record of a message's end that is on its way
    /// names the segments that hold records of it, and no other may.
    pub(super) fn may_move(&self, id: QueueId, place: Place) -> bool {
        self.needs(id, place) && self.entry(id).is_some()
    }

    /// A record was copied from `from` to `to`, and the copy is synced.
    pub(super) fn moved(&mut self, id: QueueId, from: Place, to: Place) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let mut found = false;
        let states = entry.states.as_mut_slice().iter_mut().map(|noted| &mut noted.place);
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
