//! What is where: for each message the places of its records, for each segment how much
//! in it is needed and which deaths it records.
//!
//! A segment is given up when nothing in it is needed and every message whose end it
//! records has no record left in another segment: an end outlives what it ends, or the
//! message would come back.

use std::collections::{BTreeMap, BTreeSet};

use store::log::Position;

use crate::QueueId;

/// The records of one message.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) message: Position,
    pub(super) chunks: Vec<Position>,
    pub(super) state: Option<Position>,
    octets: u64,
}

impl Places {
    fn all(&self) -> impl Iterator<Item = &Position> {
        self.chunks.iter().chain([&self.message]).chain(&self.state)
    }
}

#[derive(Debug, Default)]
pub(super) struct Index {
    messages: BTreeMap<QueueId, Places>,
    /// Records that are needed, by segment.
    needed: BTreeMap<u64, u64>,
    /// For a segment that records ends: the segments in which the ended ones stand.
    ends: BTreeMap<u64, BTreeSet<u64>>,
    octets: u64,
    /// Something became unneeded since the last look.
    changed: bool,
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) const fn octets(&self) -> u64 {
        self.octets
    }

    pub(super) fn ids(&self) -> Vec<QueueId> {
        self.messages.keys().copied().collect()
    }

    pub(super) fn places(&self, id: QueueId) -> Option<Places> {
        self.messages.get(&id).cloned()
    }

    pub(super) fn insert(
        &mut self,
        id: QueueId,
        octets: u64,
        message: Position,
        chunks: Vec<Position>,
    ) {
        let places = Places { message, chunks, state: None, octets };
        places.all().for_each(|at| *self.needed.entry(at.segment).or_default() += 1);
        self.octets += octets;
        self.messages.insert(id, places);
    }

    /// The latest state; false where there is no such message.
    pub(super) fn set_state(&mut self, id: QueueId, at: Position) -> bool {
        let Some(places) = self.messages.get_mut(&id) else { return false };
        let former = places.state.replace(at);
        *self.needed.entry(at.segment).or_default() += 1;
        self.unpin(former.as_slice());
        true
    }

    /// A message ends by the record at `at`; false where there is none.
    pub(super) fn remove(&mut self, id: QueueId, at: Position) -> bool {
        let Some(places) = self.messages.remove(&id) else { return false };
        self.octets -= places.octets;
        let all: Vec<Position> = places.all().copied().collect();
        self.ends.entry(at.segment).or_default().extend(all.iter().map(|at| at.segment));
        self.unpin(&all);
        true
    }

    /// Records that are needed though no message has them yet.
    pub(super) fn pin(&mut self, positions: &[Position]) {
        positions.iter().for_each(|at| *self.needed.entry(at.segment).or_default() += 1);
    }

    /// They are not needed any more.
    pub(super) fn unpin(&mut self, positions: &[Position]) {
        for at in positions {
            if let Some(count) = self.needed.get_mut(&at.segment) {
                *count = count.saturating_sub(1);
                self.changed |= *count == 0;
            }
        }
    }

    /// Has the next look go through all segments: after a start nothing is known of them.
    pub(super) fn look_again(&mut self) {
        self.changed = true;
    }

    /// The segments of `existing`, oldest first, that can be given up. The newest is
    /// written to and stays.
    pub(super) fn take_free(&mut self, existing: &[u64]) -> Vec<u64> {
        if !std::mem::take(&mut self.changed) {
            return Vec::new();
        }
        let mut left: BTreeSet<u64> = existing.iter().copied().collect();
        let older = &existing[..existing.len().saturating_sub(1)];
        let mut free = Vec::new();
        for segment in older {
            let is_needed = self.needed.get(segment).is_some_and(|count| *count > 0);
            let ends = self.ends.get(segment);
            let outlives =
                ends.is_some_and(|of| of.iter().any(|s| s != segment && left.contains(s)));
            if !is_needed && !outlives {
                left.remove(segment);
                self.needed.remove(segment);
                self.ends.remove(segment);
                free.push(*segment);
            }
        }
        free
    }
}
