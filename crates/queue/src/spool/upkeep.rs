//! Upkeep: spares are made ahead, segments that hold little are emptied in small steps
//! and given back.
//!
//! What lives in a segment is appended again; when the copies are synced the segment is
//! free. The record of a message's end lives as long as any other segment may still hold
//! a record of that message: else the message would come back from the dead.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{MutexGuard, PoisonError};

use store::Disk;
use store::log::{self, Class, Entry, LogError, Submission, Urgency};

use super::Spool;
use super::records::{Digest, kind};

/// A segment with less than this part (in percent) still needed is emptied: then every
/// compaction gains more space than it takes.
const SPARSE_PERCENT: u64 = 50;
/// Octets that one step copies: the writer is not held up for long.
const STEP_OCTETS: u64 = 1 << 20;

/// The segment that is being emptied.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    current: Option<Emptying>,
    /// Segments that looked sparse and were not, because of records of ends; looked at
    /// again when a segment was freed.
    full_of_ends: BTreeSet<u32>,
}

#[derive(Debug)]
struct Emptying {
    segment: u32,
    entries: Vec<Entry>,
    next: usize,
    /// Copies that are not yet synced.
    outstanding: Arc<AtomicU32>,
    /// The log's, when this began: a write that failed since may have been a copy.
    generation: u64,
}

impl<D: Disk> Spool<D> {
    /// Does a small piece of upkeep; whether there is more to do at once. To be called
    /// every second or so, from one thread that may block: it writes zeros ahead.
    pub fn upkeep(&self) -> bool {
        // A full disk is told to who wants to write; here it is tried again later.
        let _ = self.0.log.prepare();
        let mut upkeep = self.upkeep_state();
        if upkeep.current.is_none() {
            upkeep.current = self.choose(&upkeep.full_of_ends);
        }
        let Some(emptying) = &mut upkeep.current else { return false };
        if emptying.next == 0 && !self.is_worth_it(emptying) {
            let segment = emptying.segment;
            upkeep.full_of_ends.insert(segment);
            upkeep.current = None;
            return true;
        }
        match self.copy_some(emptying) {
            Err(_) => false,
            Ok(true) => true,
            Ok(false) => self.finish(&mut upkeep),
        }
    }

    fn upkeep_state(&self) -> MutexGuard<'_, Upkeep> {
        self.0.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The segment with the least that is needed, if that is little enough.
    fn choose(&self, not: &BTreeSet<u32>) -> Option<Emptying> {
        let segments = self.0.log.segments();
        let active = self.0.log.active_segment();
        let last = segments.last().map(|(number, _)| *number);
        let candidates = {
            let index = self.index();
            let sparse = segments.iter().filter(|(number, capacity)| {
                let live = index.live_in(*number);
                let is_sparse = live * 100 < u64::from(*capacity) * SPARSE_PERCENT;
                is_sparse && !index.is_pinned(*number) && !not.contains(number)
            });
            // The last one holds the newest watermark: it stays until there is a newer.
            let closed =
                sparse.filter(|(number, _)| Some(*number) != active && Some(*number) != last);
            let mut found: Vec<(u64, u32)> =
                closed.map(|(number, _)| (index.live_in(*number), *number)).collect();
            found.sort_unstable();
            found
        };
        candidates.into_iter().find_map(|(_, segment)| {
            let entries = self.0.log.entries(segment)?;
            let (outstanding, generation) = (Arc::default(), self.0.log.generation());
            Some(Emptying { segment, entries, next: 0, outstanding, generation })
        })
    }

    /// Whether less than half of the segment is needed, records of ends included.
    fn is_worth_it(&self, emptying: &Emptying) -> bool {
        let segments = self.0.log.segments();
        let capacity = segments.iter().find(|(number, _)| *number == emptying.segment);
        let capacity = capacity.map_or(0, |(_, capacity)| u64::from(*capacity));
        let needed = emptying.entries.iter().filter(|entry| self.is_needed(entry, &segments));
        let octets: u64 = needed.map(|entry| entry.place.size_on_disk()).sum();
        octets * 100 < capacity * SPARSE_PERCENT
    }

    fn is_needed(&self, entry: &Entry, segments: &[(u32, u32)]) -> bool {
        match Digest::parse(entry.kind, &entry.digest) {
            Some(Digest::Gone { first, last, .. }) => segments.iter().any(|(number, _)| {
                (first..=last).contains(number) && *number != entry.place.segment
            }),
            Some(digest) => self.index().needs(digest.id(), entry.place),
            None => false,
        }
    }

    /// Copies what is needed, up to a step's worth; whether there is more.
    fn copy_some(&self, emptying: &mut Emptying) -> Result<bool, LogError> {
        let segments = self.0.log.segments();
        let mut copied = 0;
        while let Some(entry) = emptying.entries.get(emptying.next) {
            if copied >= STEP_OCTETS {
                return Ok(true);
            }
            if self.is_needed(entry, &segments) {
                self.copy(entry, &emptying.outstanding)?;
                copied += entry.place.size_on_disk();
            }
            emptying.next += 1;
        }
        Ok(false)
    }

    /// Appends the record again. The index follows when the copy is synced.
    fn copy(&self, entry: &Entry, outstanding: &Arc<AtomicU32>) -> Result<(), LogError> {
        let payload = self.0.log.read(entry.place, entry.kind)?;
        let Some(digest) = Digest::parse(entry.kind, &entry.digest) else { return Ok(()) };
        let (id, from, spool) = (digest.id(), entry.place, self.clone());
        let counter = Arc::clone(outstanding);
        let mut done: Option<log::Done> = Some(Box::new(move |result| {
            if let Ok(to) = result {
                spool.index().moved(id, from, to);
            }
            counter.fetch_sub(1, Ordering::AcqRel);
        }));
        let record = Submission {
            kind: entry.kind,
            payload: &[&payload],
            class: Class::Reserve,
            urgency: Urgency::Later,
            generation: None,
        };
        // Under the index's lock: a state that is submitted after the copy comes after it.
        let index = self.index();
        if entry.kind == kind::GONE || index.is_current(id, from) {
            outstanding.fetch_add(1, Ordering::AcqRel);
            let submitted = self.0.log.submit(&record, &mut done);
            if submitted.is_err() {
                outstanding.fetch_sub(1, Ordering::AcqRel);
            }
            drop(index);
            submitted?;
        }
        Ok(())
    }

    /// Frees the segment once all copies are synced and nothing in it is needed; else
    /// looks through it again. Whether there is more to do at once.
    fn finish(&self, upkeep: &mut Upkeep) -> bool {
        let Some(emptying) = &mut upkeep.current else { return false };
        if emptying.outstanding.load(Ordering::Acquire) > 0 {
            return false;
        }
        let generation = self.0.log.generation();
        let index = self.index();
        let needed = index.live_in(emptying.segment) > 0 || index.is_pinned(emptying.segment);
        drop(index);
        // A copy of a record of an end that was lost would not show in the index.
        if needed || generation != emptying.generation {
            upkeep.current = None;
            return false;
        }
        let freed = self.0.log.free(emptying.segment);
        upkeep.current = None;
        upkeep.full_of_ends.clear();
        freed.is_ok()
    }
}
