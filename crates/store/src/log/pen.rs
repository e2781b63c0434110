//! What writes: a batch, a write, a sync, and the news of it. There is one pen for a log:
//! its [`Writer`](super::Writer) has it, or who [leads](super::Lead).

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::blocks::{Blocks, Buffer};
use super::segment::{self, SEGMENT_HEADER_OCTETS, Segment, TRAILER_OCTETS};
use super::space::Spare;
use super::writer::stopwatch;
use super::{Batch, Done, Log, LogError, Place, Shared, Writing};
use crate::disk::{Disk, DiskFile};

/// A buffer that grew beyond this is not kept for the next batch.
const KEPT_BUFFER_OCTETS: usize = 4 << 20;

/// Who writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The log's writer.
    Writer,
    /// A submitter, its own batch.
    Lead,
}

/// Whoever has it writes.
pub(super) struct Pen<D: Disk> {
    /// The way around the system's cache, for the segment that is being written.
    blocks: Option<Blocks<D>>,
}

impl<D: Disk> Default for Pen<D> {
    fn default() -> Pen<D> {
        Pen { blocks: None }
    }
}

impl<D: Disk> Pen<D> {
    /// A segment's name is durable before its first octet is written: else the number
    /// could be given again, even to the same file, and old records would count as new.
    fn write(&mut self, log: &Log<D>, batch: &Batch<D>, octets: &Buffer) -> io::Result<()> {
        let disk = &log.0.disk;
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
            write_footer(log, batch, octets.len(), listing.octets())?;
        }
        if !is_synced || batch.seals.is_some() {
            file.sync_data()?;
        }
        batch.segment.begun.store(true, Ordering::Release);
        Ok(())
    }
}

fn write_footer<D: Disk>(
    log: &Log<D>,
    batch: &Batch<D>,
    written: usize,
    footer: &[u8],
) -> io::Result<()> {
    let (salt, number) = (log.0.salt, batch.segment.number);
    let offset = batch.start + written as u32;
    let record = segment::footer_record(footer, salt, number, offset, batch.start);
    batch.segment.file.write_all_at(u64::from(offset), &record)?;
    let trailer = segment::trailer(salt, number, offset);
    let at = u64::from(batch.segment.capacity) - TRAILER_OCTETS as u64;
    batch.segment.file.write_all_at(at, &trailer)
}

impl<D: Disk> Log<D> {
    /// Writes and syncs the oldest batch, if it is `by`'s to write; the word of it that its
    /// submitters are to be told. Who led does not any more.
    pub(super) fn write_oldest(&self, by: By) -> Option<Word> {
        let (mut pen, batch, octets) = self.take(by)?;
        let start = stopwatch();
        let result = pen.write(self, &batch, &octets);
        let took = start.elapsed();
        let done = match &result {
            Ok(()) => {
                self.written(pen, &batch, octets, took);
                batch.done
            }
            Err(error) => {
                let removed = self.unmake(&batch);
                self.failed(pen, batch, octets.len(), error, removed)
            }
        };
        Some(Word { done, outcome: result.map_err(|error| LogError::of(&error)) })
    }

    /// Takes the oldest batch; it stays readable while it is written.
    fn take(&self, by: By) -> Option<(Pen<D>, Batch<D>, Arc<Buffer>)> {
        let mut shared = self.shared();
        if (by == By::Lead) != shared.leading.is_some() {
            return None;
        }
        if shared.queue.is_empty() {
            return None;
        }
        let pen = shared.pen.take()?;
        let mut batch = shared.queue.pop_front()?;
        let mut octets = std::mem::take(&mut batch.octets);
        if batch.begins.is_some() {
            let header = self.header_of(&batch.segment, &shared.cuts);
            octets.octets_mut()[..SEGMENT_HEADER_OCTETS].copy_from_slice(&header.encode());
            octets.complete(&[]);
        } else if let Some(blocks) = &pen.blocks {
            blocks.complete(batch.segment.number, &mut octets);
        }
        let octets = Arc::new(octets);
        shared.company.forget();
        shared.writing = Some(Writing {
            segment: batch.segment.number,
            start: batch.start,
            octets: Arc::clone(&octets),
        });
        Some((pen, batch, octets))
    }

    /// The batch is on disk. Who pressed is about to be told, and may come again.
    fn written(&self, pen: Pen<D>, batch: &Batch<D>, octets: Arc<Buffer>, took: Duration) {
        let mut shared = self.shared();
        let is_led = shared.put_down(pen);
        shared.solitude.note_batch(took);
        shared.in_flight = shared.in_flight.saturating_sub(payload_octets(batch, octets.len()));
        if let Ok(buffer) = Arc::try_unwrap(octets)
            && buffer.capacity() <= KEPT_BUFFER_OCTETS
            && shared.idle.len() < 2
        {
            shared.idle.push(buffer);
        }
        if shared.queue.len() < 2 {
            let there = shared.waiting();
            shared.company.expect(batch.pressing + there, there, took, stopwatch());
        }
        if is_led {
            shared.company.note_lead();
        }
        self.wake_writer(&mut shared);
        self.tell_of_room(&shared);
    }

    /// A segment whose first batch failed holds nothing that was promised: its file goes,
    /// so that a disk that fails again and again does not fill up. Whether it did; that is
    /// durable before another segment's header is written, as the directory is synced
    /// before that. It is not recycled, as its number may be given again after a crash.
    fn unmake(&self, batch: &Batch<D>) -> bool {
        let Some(spare) = &batch.begins else { return false };
        let is_gone = |name: &str| match self.0.disk.remove(name) {
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
        pen: Pen<D>,
        batch: Batch<D>,
        octets: usize,
        error: &io::Error,
        removed: bool,
    ) -> Vec<(Place, Done)> {
        let mut shared = self.shared();
        shared.put_down(pen);
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
        self.tell_of_room(&shared);
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
            if let Ok(file) = self.0.disk.open(&name) {
                shared.spares.push(Spare { name, file, capacity: batch.segment.capacity });
            }
        }
        batch.done
    }

    /// Nothing more is taken or written, and what is on its way fails.
    pub(super) fn give_up(&self) {
        let batches = {
            let mut shared = self.shared();
            shared.closed = true;
            shared.active = None;
            self.wake_writer(&mut shared);
            self.tell_of_room(&shared);
            std::mem::take(&mut shared.queue)
        };
        let done = batches.into_iter().flat_map(|batch| batch.done).collect();
        Word { done, outcome: Err(LogError::Closed) }.tell();
    }
}

impl<D: Disk> Shared<D> {
    /// Nobody writes any more; whether it was who led.
    fn put_down(&mut self, pen: Pen<D>) -> bool {
        (self.pen, self.writing) = (Some(pen), None);
        self.leading.take().is_some()
    }
}

/// What became of a batch, for its submitters.
#[must_use = "they wait for it"]
pub(super) struct Word {
    done: Vec<(Place, Done)>,
    outcome: Result<(), LogError>,
}

impl Word {
    /// Ends every record before anybody is woken.
    pub(super) fn tell(mut self) {
        let Word { done, outcome } = &mut self;
        done.iter_mut().for_each(|(place, done)| done.ended(outcome.clone().map(|()| *place)));
        self.done.into_iter().for_each(|(_, done)| done.tell());
    }
}

/// What a batch counts for in the octets in flight.
fn payload_octets<D: Disk>(batch: &Batch<D>, octets: usize) -> usize {
    octets - if batch.begins.is_some() { SEGMENT_HEADER_OCTETS } else { 0 }
}
