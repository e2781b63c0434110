//! Upkeep: spares are made ahead, segments that hold little are emptied in small steps
//! and given back.
//!
//! What lives in a segment is appended again; when the copies are synced the segment is
//! free. The record of a message's end lives as long as any other segment may still hold
//! a record of that message: else the message would come back from the dead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{MutexGuard, PoisonError};

use store::Disk;
use store::log::{self, Class, Entry, Listing, LogError, Submission, Urgency};

use super::Spool;
use super::records::{Digest, kind};

/// A segment with less than this part (in percent) still needed is emptied: then every
/// compaction gains more space than it takes.
const SPARSE_PERCENT: u64 = 50;
/// Octets that one step copies: what sessions write meanwhile does not wait for long.
const STEP_OCTETS: u64 = 1 << 20;

/// When there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// At once.
    Now,
    /// When the writer has written what waits.
    AfterWriter,
    /// In a while.
    Later,
}

/// What upkeep is doing.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// The segment that is being emptied.
    current: Option<Emptying>,
    /// Segments that looked sparse and could not be given back.
    passed_over: BTreeMap<u32, PassedOver>,
}

/// Why a segment waits, so that others get their turn. It is looked at again when
/// something else is needed in it, or when another segment was freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PassedOver {
    /// Octets that were needed in it.
    live: u64,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It holds ends of messages, or what is damaged.
    Needed,
    /// The disk failed: it is also looked at again when there is nothing else.
    Fault,
}

#[derive(Debug)]
struct Emptying {
    segment: u32,
    listing: Listing,
    /// Where in it this is.
    at: usize,
    /// Copies that are not yet synced.
    outstanding: Arc<AtomicU32>,
    /// The log's, when this began: a write that failed since may have been a copy.
    generation: u64,
}

/// What one step came to.
enum Step {
    /// It copied as much as one step may.
    Copied,
    /// Nothing is left to copy.
    Empty,
}

impl<D: Disk> Spool<D> {
    /// Does a small piece of upkeep; when it is to be called again. From one thread that
    /// may block: it writes zeros ahead.
    pub fn upkeep(&self) -> Upkeep {
        // A full disk is told to who wants to write; here it is tried again later.
        let _ = self.0.log.prepare();
        let mut work = self.upkeep_work();
        if work.current.is_none() {
            work.current = self.choose(&mut work.passed_over);
        }
        let Some(emptying) = &mut work.current else { return Upkeep::Later };
        if emptying.outstanding.load(Ordering::Acquire) > 0 {
            return Upkeep::AfterWriter;
        }
        if emptying.at == 0 && !self.is_worth_it(emptying) {
            return self.pass_over(&mut work, Why::Needed);
        }
        match self.copy_some(emptying) {
            Ok(Step::Copied) => Upkeep::AfterWriter,
            Ok(Step::Empty) => self.finish(&mut work),
            Err(LogError::Full) => Upkeep::Later,
            Err(_) => self.pass_over(&mut work, Why::Fault),
        }
    }

    /// Waits for the writer, a moment at most.
    pub(super) fn wait_for_writer(&self) {
        self.0.log.wait_for_room();
    }

    /// Leaves a segment as it is, so that the others get their turn.
    fn pass_over(&self, work: &mut Work, why: Why) -> Upkeep {
        if let Some(emptying) = work.current.take() {
            let live = self.index().live_in(emptying.segment);
            work.passed_over.insert(emptying.segment, PassedOver { live, why });
        }
        Upkeep::Now
    }

    fn upkeep_work(&self) -> MutexGuard<'_, Work> {
        self.0.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The segment with the least that is needed, if that is little enough.
    fn choose(&self, passed_over: &mut BTreeMap<u32, PassedOver>) -> Option<Emptying> {
        let segments = self.0.log.segments();
        let active = self.0.log.active_segment();
        // The last one holds the newest watermark: it stays until there is a newer.
        let last = segments.last().map(|(number, _)| *number);
        let closed = segments.iter().filter(|(number, _)| ![active, last].contains(&Some(*number)));
        let mut found: Vec<(u64, u32)> = {
            let index = self.index();
            let live = closed.map(|(number, capacity)| (index.live_in(*number), number, capacity));
            let sparse = live.filter(|(live, number, capacity)| {
                let before = passed_over.get(number).map(|before| before.live);
                let may_be = before != Some(*live) && !index.is_pinned(**number);
                may_be && self.is_sparse(*live, u64::from(**capacity))
            });
            sparse.map(|(live, number, _)| (live, *number)).collect()
        };
        found.sort_unstable();
        let chosen = found.into_iter().find_map(|(_, segment)| {
            let listing = self.0.log.listing(segment)?;
            let (outstanding, generation) = (Arc::default(), self.0.log.generation());
            Some(Emptying { segment, listing, at: 0, outstanding, generation })
        });
        if chosen.is_none() {
            passed_over.retain(|_, before| before.why != Why::Fault);
        }
        chosen
    }

    /// Whether so little is needed that copying it pays. It may take half of the room that
    /// is left: on a full disk the other half is for what ends messages.
    fn is_sparse(&self, needed: u64, capacity: u64) -> bool {
        needed * 100 < capacity * SPARSE_PERCENT && needed * 2 <= self.0.log.room()
    }

    /// Whether less than half of the segment is needed, records of ends included.
    fn is_worth_it(&self, emptying: &Emptying) -> bool {
        let segments = self.0.log.segments();
        let capacity = segments.iter().find(|(number, _)| *number == emptying.segment);
        let capacity = capacity.map_or(0, |(_, capacity)| u64::from(*capacity));
        let needed = emptying.listing.iter().filter(|entry| self.is_needed(entry, &segments));
        let octets: u64 = needed.map(|entry| entry.place.size_on_disk()).sum();
        self.is_sparse(octets, capacity)
    }

    fn is_needed(&self, entry: &Entry<'_>, segments: &[(u32, u32)]) -> bool {
        match Digest::parse(entry.kind, entry.digest) {
            Some(Digest::Gone { first, last, .. }) => segments.iter().any(|(number, _)| {
                (first..=last).contains(number) && *number != entry.place.segment
            }),
            Some(digest) => self.index().needs(digest.id(), entry.place),
            None => false,
        }
    }

    /// Copies what is needed, up to a step's worth.
    fn copy_some(&self, emptying: &mut Emptying) -> Result<Step, LogError> {
        let segments = self.0.log.segments();
        let mut copied = 0;
        let mut entries = emptying.listing.iter_from(emptying.at);
        while let Some(entry) = entries.next() {
            if copied >= STEP_OCTETS {
                return Ok(Step::Copied);
            }
            if self.is_needed(&entry, &segments) {
                match self.copy(&entry, &emptying.outstanding) {
                    // It stays where it is, and so does the segment.
                    Err(LogError::Damaged { .. }) => self.0.log.mark_damaged(emptying.segment),
                    other => other?,
                }
                copied += entry.place.size_on_disk();
            }
            emptying.at = entries.at();
        }
        Ok(if copied > 0 { Step::Copied } else { Step::Empty })
    }

    /// Appends the record again. The index follows when the copy is synced.
    fn copy(&self, entry: &Entry<'_>, outstanding: &Arc<AtomicU32>) -> Result<(), LogError> {
        let Some(digest) = Digest::parse(entry.kind, entry.digest) else { return Ok(()) };
        let payload = match digest {
            // All of it is in the digest.
            Digest::Gone { .. } => entry.digest.to_vec(),
            _ => self.0.log.read(entry.place, entry.kind)?,
        };
        let (id, from, spool) = (digest.id(), entry.place, self.clone());
        let counter = Arc::clone(outstanding);
        let mut done = Some(log::done(move |result| {
            if let Ok(to) = result {
                spool.index().moved(id, from, to);
            }
            counter.fetch_sub(1, Ordering::AcqRel);
        }));
        let record = Submission {
            kind: entry.kind,
            payload: &[&payload],
            class: Class::Reserve,
            urgency: Urgency::Now,
            generation: None,
        };
        // Under the index's lock: the message's end is not submitted meanwhile.
        let index = self.index();
        if entry.kind == kind::GONE || index.may_move(id, from) {
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

    /// Frees the segment, now that all copies are synced, if nothing in it is needed; else
    /// it is looked through again another time.
    fn finish(&self, work: &mut Work) -> Upkeep {
        let Some(emptying) = &work.current else { return Upkeep::Later };
        let segment = emptying.segment;
        let is_whole = self.0.log.generation() == emptying.generation;
        let index = self.index();
        let is_needed = index.live_in(segment) > 0 || index.is_pinned(segment);
        drop(index);
        // A copy of a record of an end that was lost would not show in the index.
        if is_needed {
            return self.pass_over(work, Why::Needed);
        }
        if !is_whole || self.0.log.free(segment).is_err() {
            return self.pass_over(work, Why::Fault);
        }
        work.current = None;
        work.passed_over.clear();
        Upkeep::Now
    }
}
