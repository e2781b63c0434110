//! A message on its way into the spool.

use std::fmt;
use std::sync::Arc;

use store::Disk;
use store::log::{self, Class, Lead, LogError, Place, Submission, Urgency};

use super::fresh::Recent;
use super::records::{self, CHUNK_HEAD_OCTETS, MessageHead, kind};
use super::{Committed, Spool, SpoolError};
use crate::{QueueId, Received};

/// What is gathered before it goes into the log as a chunk. A message that is smaller
/// goes whole into one record.
const CHUNK_OCTETS: usize = 64 << 10;
/// What a draft has room for from its first octet on: most messages are no larger.
const FIRST_OCTETS: usize = 8 << 10;
/// From this many chunks on they are four times as large: the list of them stays short.
const SMALL_CHUNKS: usize = 16;
const LARGE_CHUNK_OCTETS: usize = 4 * CHUNK_OCTETS;
/// How often a draft waits (50 ms each) for a disk that does not keep up: a minute.
const PATIENCE: u32 = 1200;

/// Told once, from the thread that wrote: to be brief, and not to wait for the spool.
pub type CommitDone = Box<dyn FnOnce(Result<Committed, SpoolError>) + Send>;

/// A message whose octets are still coming. Dropped, it is aborted: what of it is in the
/// log is dead.
pub struct Draft<D: Disk> {
    spool: Spool<D>,
    id: QueueId,
    received: Option<Arc<Received>>,
    octets: u64,
    buffer: Vec<u8>,
    /// It is to be among the fresh ones.
    is_kept: bool,
    chunks: Vec<Place>,
    /// Some of it was submitted already.
    is_in_log: bool,
    /// The log's, when the first chunk went there: a write that failed since may have been
    /// ours.
    generation: u64,
}

impl<D: Disk> fmt::Debug for Draft<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({}, {} octets)", self.id, self.octets)
    }
}

impl<D: Disk> Draft<D> {
    /// Gathers octets in `buffer`, which is empty.
    pub(super) fn new(
        spool: Spool<D>,
        id: QueueId,
        received: Arc<Received>,
        buffer: Vec<u8>,
        is_kept: bool,
    ) -> Draft<D> {
        Draft {
            spool,
            id,
            received: Some(received),
            octets: 0,
            buffer,
            is_kept,
            chunks: Vec::new(),
            is_in_log: false,
            generation: 0,
        }
    }

    /// The name that the message will have.
    pub fn id(&self) -> QueueId {
        self.id
    }

    /// Octets so far.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Whether more octets should wait: much is on its way to the disk.
    pub fn is_congested(&self) -> bool {
        !self.spool.has_room()
    }

    /// What is known of the message: to be completed until it is committed.
    pub fn received_mut(&mut self) -> Option<&mut Received> {
        self.received.as_mut().map(Arc::make_mut)
    }

    /// Adds octets. Blocks while too much waits to be written (see [`Spool::has_room`]).
    ///
    /// # Errors
    /// Where they cannot be kept; the draft is then only to be dropped.
    pub fn append(&mut self, mut octets: &[u8]) -> Result<(), SpoolError> {
        if self.buffer.capacity() == 0 {
            self.buffer.reserve(FIRST_OCTETS);
        }
        while !octets.is_empty() {
            let large = self.chunks.len() >= SMALL_CHUNKS;
            let limit = if large { LARGE_CHUNK_OCTETS } else { CHUNK_OCTETS };
            let count = octets.len().min(limit.saturating_sub(self.buffer.len()));
            let (now, later) = octets.split_at(count);
            self.buffer.extend_from_slice(now);
            self.octets += count as u64;
            octets = later;
            // The last octets stay here and go into the record that commits.
            if self.buffer.len() >= limit && !octets.is_empty() {
                self.write_chunk()?;
            }
        }
        Ok(())
    }

    fn write_chunk(&mut self) -> Result<(), SpoolError> {
        if !self.is_in_log {
            self.generation = self.spool.0.log.generation();
        }
        let head = records::chunk_head(self.id, self.chunks.len() as u32);
        let payload: [&[u8]; 2] = [&head, &self.buffer];
        let record = self.record(kind::CHUNK, &payload, Urgency::Later);
        let place = self.patiently(|| {
            // Its segment is pinned before anybody can take it for one that holds nothing.
            // That of the message's own record is kept until a later one is begun, which
            // is when the index has it.
            let mut index = self.spool.index();
            let place = self.spool.0.log.submit(&record, &mut None)?;
            index.pin(place.segment);
            Ok(place)
        })?;
        self.chunks.push(place);
        self.is_in_log = true;
        self.buffer.clear();
        Ok(())
    }

    fn record<'a>(&self, kind: u8, payload: &'a [&'a [u8]], urgency: Urgency) -> Submission<'a> {
        let generation = self.is_in_log.then_some(self.generation);
        Submission { kind, payload, class: Class::Ordinary, urgency, generation }
    }

    /// Submits, and waits while too much is in flight.
    fn patiently<T>(&self, mut submit: impl FnMut() -> Result<T, LogError>) -> Result<T, LogError> {
        for _ in 0..PATIENCE {
            match submit() {
                Err(LogError::Busy) => self.spool.0.log.wait_for_room(),
                other => return other,
            }
        }
        Err(LogError::Fault("the disk does not keep up".into()))
    }

    /// Ends the message. `done` is told of the proof once everything of it is synced, or
    /// of the error; then nothing of it stays.
    pub fn commit(self, done: CommitDone) {
        drop(self.commit_to_lead(done));
    }

    /// As [`Draft::commit`], for who can wait for the disk on this thread. Who gets a
    /// [`Lead`] is to write at once.
    pub fn commit_to_lead(mut self, done: CommitDone) -> Option<Lead<D>> {
        let received = self.received.take()?;
        let head = MessageHead {
            id: self.id,
            octets: self.octets,
            at: received.at.as_millis(),
            chunks: self.chunks.len() as u32,
            held: received.held.is_some(),
        };
        let payload = records::message_head(&head, &received);
        let kept = self.is_kept.then(|| self.recent(&received));
        let shared = kept.as_ref().and_then(|kept| kept.data.clone());
        let mut told: Option<log::Done> = Some(Box::new(Keeper {
            spool: self.spool.clone(),
            head,
            kept,
            chunks: std::mem::take(&mut self.chunks),
            end: Err(SpoolError::from(LogError::Closed)),
            done,
        }));
        let data = shared.as_deref().unwrap_or(&self.buffer);
        let payload: [&[u8]; 2] = [&payload, data];
        let record = self.record(kind::MESSAGE, &payload, Urgency::Now);
        let submitted = self.patiently(|| self.spool.0.log.submit_to_lead(&record, &mut told));
        let error = match submitted {
            Ok((_, lead)) => return lead,
            Err(error) => error,
        };
        if let Some(mut told) = told {
            told.ended(Err(error));
            told.tell();
        }
        None
    }

    /// What is kept in memory: the data are taken, where they are all there is.
    fn recent(&mut self, received: &Arc<Received>) -> Recent {
        let buffer = self.chunks.is_empty().then(|| std::mem::take(&mut self.buffer));
        Recent { received: Arc::clone(received), data: buffer.map(Arc::new) }
    }
}

impl<D: Disk> Drop for Draft<D> {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.capacity() > 0 {
            let unused = self.spool.fresh().reuse(buffer);
            drop(unused);
        }
        if !self.chunks.is_empty() {
            self.spool.index().unpin(&self.chunks);
        }
    }
}

/// Keeps what is needed once the message's record is synced; the chunks with their pins.
struct Keeper<D: Disk> {
    spool: Spool<D>,
    head: MessageHead,
    /// What is kept in memory, if it is.
    kept: Option<Recent>,
    chunks: Vec<Place>,
    end: Result<Committed, SpoolError>,
    done: CommitDone,
}

impl<D: Disk> log::Submitter for Keeper<D> {
    fn ended(&mut self, result: Result<Place, LogError>) {
        let mut index = self.spool.index();
        index.unpin(&self.chunks);
        self.end = result.map_err(SpoolError::from).map(|place| {
            let segments = self.chunks.iter().map(|chunk| chunk.segment);
            let first = segments.chain([place.segment]).min().unwrap_or(place.segment);
            let chunks = std::mem::take(&mut self.chunks);
            index.insert(&self.head, place, chunks, std::iter::empty(), first);
            Committed { id: self.head.id }
        });
        drop(index);
        if let (Ok(_), Some(kept)) = (&self.end, self.kept.take()) {
            self.spool.fresh().insert(self.head.id, kept);
        }
    }

    fn tell(self: Box<Self>) {
        let Keeper { done, end, .. } = *self;
        done(end);
    }
}

/// Octets of the message in a chunk's record.
pub(super) fn octets_in(chunk: Place) -> u64 {
    u64::from(chunk.octets).saturating_sub(CHUNK_HEAD_OCTETS as u64)
}
