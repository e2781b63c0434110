//! The one writer of a log: a step is a batch, a write, a sync, and the news of it.

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::blocks::{Blocks, Buffer};
use super::segment::{self, SEGMENT_HEADER_OCTETS, Segment, TRAILER_OCTETS};
use super::space::Spare;
use super::{Batch, Done, Log, LogError, Place, Shared, Writing};
use crate::disk::{Disk, DiskFile};

/// How long records that do not press may wait for company.
const PATIENCE: Duration = Duration::from_millis(250);
/// For how long at most a batch waits for those who were told of the last one.
const LONGEST_GATHERING: Duration = Duration::from_millis(2);
/// A part of the quickest batch: so much slower a disk is thought to be after each one.
const SLOWS_BY: u32 = 64;
/// How often in a row it is noted that waiting was in vain.
const MOST_IN_VAIN: u32 = 6;
/// What is expected sooner is waited for awake, and up to twice so long: a sleep and a wake
/// take about as long as a quick disk's sync. Even one session that waits for each reply is
/// back within that time, if it is near.
const AWAKE: Duration = Duration::from_micros(200);
/// How much the last wait counts in what is expected: an eighth.
const LAST_COUNTS: u32 = 8;
/// A buffer that grew beyond this is not kept for the next batch.
const KEPT_BUFFER_OCTETS: usize = 4 << 20;

/// How long it takes until somebody comes, as it was of late.
struct Expected(Duration);

impl Default for Expected {
    fn default() -> Expected {
        Expected(4 * AWAKE)
    }
}

impl Expected {
    fn note(&mut self, took: Duration) {
        self.0 = (self.0 * (LAST_COUNTS - 1) + took.min(4 * AWAKE)) / LAST_COUNTS;
    }
}

/// Whether a batch waits for those who were told of the last one, and are about to submit
/// again, one after the other: begun with the first of them, it would make the others wait
/// for two syncs. Where they take longer to come than a sync takes, it is better begun: two
/// groups then take turns, and neither the disk nor they are idle.
#[derive(Default)]
struct Company {
    /// What a batch took, at its best: what it costs to write and sync nearly nothing.
    quickest: Option<Duration>,
    /// How often in a row they were not back in time.
    in_vain: u32,
    /// Batches that wait for nobody.
    alone: u32,
}

impl Company {
    /// For how long to wait, now that a batch took so long.
    fn patience(&mut self, took: Duration) -> Duration {
        let quickest = self.quickest.map_or(took, |best| took.min(best + best / SLOWS_BY));
        self.quickest = Some(quickest);
        if self.alone > 0 {
            self.alone -= 1;
            return Duration::ZERO;
        }
        quickest.min(LONGEST_GATHERING)
    }

    /// After a wait: whether all came. Where they did not, the next batches try it less
    /// and less often.
    fn note(&mut self, all_came: bool) {
        self.in_vain = if all_came { 0 } else { (self.in_vain + 1).min(MOST_IN_VAIN) };
        self.alone = (1 << self.in_vain) - 1;
    }
}

/// Writes a log's batches. There is one for each log. Dropped, it writes nothing more: what
/// is on its way fails, and the log is closed.
pub struct Writer<D: Disk> {
    log: Log<D>,
    /// The way around the system's cache, for the segment that is being written.
    blocks: Option<Blocks<D>>,
}

impl<D: Disk> fmt::Debug for Writer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Writer").field(&self.log).finish()
    }
}

impl<D: Disk> Writer<D> {
    pub(super) fn new(log: Log<D>) -> Writer<D> {
        Writer { log, blocks: None }
    }

    /// Writes and syncs the oldest batch, and tells its submitters. Whether there was one.
    ///
    /// After an error nothing that was not synced before is trusted, nothing more is
    /// written to that segment, and everything that was on its way fails.
    pub fn step(&mut self) -> bool {
        self.batch().is_some()
    }

    /// As [`Writer::step`]; how many may wait for the next batch: who was told of this one,
    /// and who came meanwhile.
    fn batch(&mut self) -> Option<usize> {
        let (mut batch, octets) = self.take()?;
        let result = self.write(&batch, &octets);
        let done = match &result {
            Ok(()) => self.written(&mut batch, octets),
            Err(error) => {
                let removed = self.unmake(&batch);
                self.failed(batch, octets.len(), error, removed)
            }
        };
        let outcome = result.map_err(|error| LogError::of(&error));
        let all = done.len() + self.log.shared().waiting();
        tell(done, &outcome);
        Some(all)
    }

    /// Steps until the log is closed and all is written. For a thread of its own.
    pub fn run(mut self) {
        let (mut next, mut back) = (Expected::default(), Expected::default());
        let mut company = Company::default();
        while self.wait(&mut next) {
            let start = stopwatch();
            let all = self.batch().unwrap_or(0);
            let patience = company.patience(start.elapsed());
            // One that is alone waits for nobody.
            if all > 1 && !patience.is_zero() {
                company.note(self.until(all, patience, &mut back));
            }
        }
    }

    /// Waits for work, and for company where it does not press; `false` when the log is
    /// closed and there is none.
    fn wait(&self, next: &mut Expected) -> bool {
        self.until(0, PATIENCE, next);
        let shared = self.log.shared();
        !shared.closed || !shared.queue.is_empty()
    }

    /// Until there is work that `wanted` submitters wait for, or the log is closed; so long
    /// at most. Whether it is so.
    fn until(&self, wanted: usize, longest: Duration, expected: &mut Expected) -> bool {
        let start = stopwatch();
        let is_there = expected.0 < AWAKE && self.watch(wanted, start + longest.min(2 * AWAKE))
            || self.sleep(wanted, longest);
        expected.note(if is_there { start.elapsed() } else { Duration::MAX });
        is_there
    }

    /// Awake, and out of the way of who is to come. Whether they came.
    fn watch(&self, wanted: usize, end: Instant) -> bool {
        loop {
            if let Ok(shared) = self.log.0.shared.try_lock()
                && (shared.closed || shared.has_work_for(wanted))
            {
                return true;
            }
            if stopwatch() >= end {
                return false;
            }
            thread::yield_now();
        }
    }

    /// Asleep. Whether they came.
    fn sleep(&self, wanted: usize, longest: Duration) -> bool {
        let mut shared = self.log.shared();
        if shared.closed || shared.has_work_for(wanted) {
            return true;
        }
        shared.wanted = Some(wanted);
        let idle = |shared: &mut Shared<D>| !shared.closed && shared.wanted.is_some();
        let waited = self.log.0.work.wait_timeout_while(shared, longest, idle);
        let (mut shared, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        shared.wanted = None;
        !waited.timed_out()
    }

    /// Takes the oldest batch; it stays readable while it is written.
    fn take(&self) -> Option<(Batch<D>, Arc<Buffer>)> {
        let mut shared = self.log.shared();
        let mut batch = shared.queue.pop_front()?;
        let mut octets = std::mem::take(&mut batch.octets);
        if batch.begins.is_some() {
            let header = self.log.header_of(&batch.segment, &shared.cuts);
            octets.octets_mut()[..SEGMENT_HEADER_OCTETS].copy_from_slice(&header.encode());
            octets.complete(&[]);
        } else if let Some(blocks) = &self.blocks {
            blocks.complete(batch.segment.number, &mut octets);
        }
        let octets = Arc::new(octets);
        shared.writing = Some(Writing {
            segment: batch.segment.number,
            start: batch.start,
            octets: Arc::clone(&octets),
        });
        Some((batch, octets))
    }

    /// A segment's name is durable before its first octet is written: else the number
    /// could be given again, even to the same file, and old records would count as new.
    fn write(&mut self, batch: &Batch<D>, octets: &Buffer) -> io::Result<()> {
        let disk = &self.log.0.disk;
        let Segment { file, number, capacity, .. } = &*batch.segment;
        if let Some(spare) = &batch.begins {
            disk.rename(spare, &segment::name_of(*number))?;
            disk.sync_dir()?;
            self.blocks = Blocks::of(disk, *number, *capacity);
        }
        let is_synced = match &mut self.blocks {
            Some(blocks) => blocks.write(*number, batch.start, octets)?,
            None => false,
        };
        if !is_synced {
            self.blocks = None;
            file.write_all_at(u64::from(batch.start), octets.octets())?;
        }
        if let Some(listing) = &batch.seals {
            self.blocks = None;
            self.write_footer(batch, octets.len(), listing.octets())?;
        }
        if !is_synced || batch.seals.is_some() {
            file.sync_data()?;
        }
        batch.segment.begun.store(true, Ordering::Release);
        Ok(())
    }

    fn write_footer(&self, batch: &Batch<D>, written: usize, footer: &[u8]) -> io::Result<()> {
        let (salt, number) = (self.log.0.salt, batch.segment.number);
        let offset = batch.start + written as u32;
        let record = segment::footer_record(footer, salt, number, offset, batch.start);
        batch.segment.file.write_all_at(u64::from(offset), &record)?;
        let trailer = segment::trailer(salt, number, offset);
        let at = u64::from(batch.segment.capacity) - TRAILER_OCTETS as u64;
        batch.segment.file.write_all_at(at, &trailer)
    }

    fn written(&self, batch: &mut Batch<D>, octets: Arc<Buffer>) -> Vec<(Place, Done)> {
        let mut shared = self.log.shared();
        shared.writing = None;
        shared.in_flight = shared.in_flight.saturating_sub(payload_octets(batch, octets.len()));
        if let Ok(buffer) = Arc::try_unwrap(octets)
            && buffer.capacity() <= KEPT_BUFFER_OCTETS
            && shared.idle.len() < 2
        {
            shared.idle.push(buffer);
        }
        self.log.tell_of_room(&shared);
        std::mem::take(&mut batch.done)
    }

    /// A segment whose first batch failed holds nothing that was promised: its file goes,
    /// so that a disk that fails again and again does not fill up. Whether it did; that is
    /// durable before another segment's header is written, as the directory is synced
    /// before that. It is not recycled, as its number may be given again after a crash.
    fn unmake(&self, batch: &Batch<D>) -> bool {
        let Some(spare) = &batch.begins else { return false };
        let is_gone = |name: &str| match self.log.0.disk.remove(name) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        is_gone(&segment::name_of(batch.segment.number)) && is_gone(spare)
    }

    /// Cuts the segment where the batch began, unless it was `removed`, and gives up all
    /// that is on its way: it was promised places after records that do not exist. The
    /// next segment's header records the cut.
    fn failed(
        &self,
        batch: Batch<D>,
        octets: usize,
        error: &io::Error,
        removed: bool,
    ) -> Vec<(Place, Done)> {
        let mut shared = self.log.shared();
        shared.writing = None;
        shared.generation += 1;
        shared.is_full |= crate::disk::is_full(error);
        if removed {
            shared.remove_segment(batch.segment.number);
        } else {
            shared.cuts.insert(batch.segment.number, batch.start);
        }
        shared.in_flight = shared.in_flight.saturating_sub(payload_octets(&batch, octets));
        shared.active = None;
        let mut done = batch.done;
        for batch in std::mem::take(&mut shared.queue) {
            done.extend(self.abandon(&mut shared, batch));
        }
        self.log.tell_of_room(&shared);
        done
    }

    /// Takes back a batch of which nothing was written. The spare that was to become a
    /// segment is one again.
    fn abandon(&self, shared: &mut Shared<D>, batch: Batch<D>) -> Vec<(Place, Done)> {
        let octets = payload_octets(&batch, batch.octets.len());
        shared.in_flight = shared.in_flight.saturating_sub(octets);
        if let Some(name) = batch.begins {
            shared.remove_segment(batch.segment.number);
            // Opened anew: readers and later batches may hold the segment's own handle.
            if let Ok(file) = self.log.0.disk.open(&name) {
                shared.spares.push(Spare { name, file, capacity: batch.segment.capacity });
            }
        }
        batch.done
    }
}

impl<D: Disk> Drop for Writer<D> {
    fn drop(&mut self) {
        let batches = {
            let mut shared = self.log.shared();
            shared.closed = true;
            shared.active = None;
            self.log.tell_of_room(&shared);
            std::mem::take(&mut shared.queue)
        };
        let done = batches.into_iter().flat_map(|batch| batch.done).collect();
        tell(done, &Err(LogError::Closed));
    }
}

/// Ends every record before anybody is woken.
fn tell(mut done: Vec<(Place, Done)>, outcome: &Result<(), LogError>) {
    done.iter_mut().for_each(|(place, done)| done.ended(outcome.clone().map(|()| *place)));
    done.into_iter().for_each(|(_, done)| done.tell());
}

/// For how long the disk takes: nothing that is kept or planned hangs on it.
#[allow(clippy::disallowed_methods)]
fn stopwatch() -> Instant {
    Instant::now()
}

/// What a batch counts for in the octets in flight.
fn payload_octets<D: Disk>(batch: &Batch<D>, octets: usize) -> usize {
    octets - if batch.begins.is_some() { SEGMENT_HEADER_OCTETS } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNC: Duration = Duration::from_micros(100);

    #[test]
    fn a_batch_waits_no_longer_than_a_quick_one_takes() {
        let mut company = Company::default();
        assert_eq!(company.patience(3 * SYNC), 3 * SYNC);
        assert_eq!(company.patience(SYNC), SYNC);
        let after_a_large_one = company.patience(10 * SYNC);
        assert!(after_a_large_one > SYNC && after_a_large_one < 2 * SYNC);
        for _ in 0..1000 {
            company.patience(Duration::from_secs(1));
        }
        assert_eq!(company.patience(Duration::from_secs(1)), LONGEST_GATHERING);
    }

    #[test]
    fn it_waits_awake_only_while_work_comes_quickly() {
        let mut next = Expected::default();
        assert!(next.0 >= AWAKE);
        (0..20).for_each(|_| next.note(AWAKE / 2));
        assert!(next.0 < AWAKE);
        (0..3).for_each(|_| next.note(Duration::MAX));
        assert!(next.0 >= AWAKE);
    }

    #[test]
    fn who_is_never_back_in_time_is_waited_for_less_and_less_and_not_never() {
        let mut company = Company::default();
        let mut waits = Vec::new();
        for batch in 0..400 {
            if !company.patience(SYNC).is_zero() {
                waits.push(batch);
                company.note(false);
            }
        }
        assert_eq!(waits, [0, 2, 6, 14, 30, 62, 126, 190, 254, 318, 382]);
        company.note(true);
        assert!(!company.patience(SYNC).is_zero());
    }
}
