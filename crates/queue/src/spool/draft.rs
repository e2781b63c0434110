//! A message while it comes in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Disk;
use store::log::{Durability, LogError, Need, Position, Record};

use super::{CHUNK_PREFIX_OCTETS, Committed, Spool, SpoolError, kind};
use crate::message::encoding::encode_received;
use crate::{QueueId, Received};

/// Octets of a message in one record: what a draft holds in memory at most.
const CHUNK_OCTETS: usize = 64 * 1024;

/// Told once, from the writer's thread.
pub type CommitDone = Box<dyn FnOnce(Result<Committed, SpoolError>) + Send>;

/// What the writer's thread tells a draft.
#[derive(Default)]
struct Told {
    chunks: Vec<Position>,
    failed: Option<SpoolError>,
    /// The draft is gone: chunks that are still to be written are nobody's.
    abandoned: bool,
}

impl Told {
    /// A failed sync took records with it, perhaps a chunk that was told as written.
    fn note_loss(&mut self) {
        if !self.chunks.is_empty() && self.failed.is_none() {
            let what = "the disk lost a part of the message before it was whole";
            self.failed = Some(SpoolError::Fault(what.into()));
        }
    }
}

/// A message while it comes in. Dropped uncommitted, nothing of it stays.
pub struct Draft<D: Disk> {
    spool: Spool<D>,
    id: QueueId,
    received: Received,
    buffer: Vec<u8>,
    next_chunk: u32,
    octets: u64,
    told: Arc<Mutex<Told>>,
    /// The log's losses before the first chunk.
    losses: u64,
    committed: bool,
}

impl<D: Disk> std::fmt::Debug for Draft<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("id", &self.id).field("octets", &self.octets).finish()
    }
}

impl<D: Disk> Draft<D> {
    pub(super) fn new(spool: Spool<D>, id: QueueId, received: Received) -> Draft<D> {
        let losses = spool.inner.log.losses();
        Draft {
            spool,
            id,
            received,
            buffer: Vec::new(),
            next_chunk: 0,
            octets: 0,
            told: Arc::default(),
            losses,
            committed: false,
        }
    }

    /// The name that the message will have.
    pub const fn id(&self) -> QueueId {
        self.id
    }

    /// Octets so far.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Adds octets. Does not block: [`Draft::is_congested`] tells when to wait.
    ///
    /// # Errors
    /// That an earlier chunk could not be written: the message cannot be committed.
    pub fn append(&mut self, mut octets: &[u8]) -> Result<(), SpoolError> {
        self.octets += octets.len() as u64;
        while !octets.is_empty() {
            let room = CHUNK_OCTETS - self.buffer.len();
            let (now, later) = octets.split_at(room.min(octets.len()));
            self.buffer.extend_from_slice(now);
            octets = later;
            if self.buffer.len() == CHUNK_OCTETS {
                let record = self.chunk();
                self.write_chunk(record);
            }
        }
        self.told().failed.clone().map_or(Ok(()), Err)
    }

    /// Whether so much waits to be written that more should wait.
    pub fn is_congested(&self) -> bool {
        const LIMIT_OCTETS: usize = 64 * 1024 * 1024;
        self.spool.inner.log.waiting_octets() > LIMIT_OCTETS
    }

    /// Makes the message durable; `done` is told when it is, or why it is not.
    pub fn commit(mut self, done: CommitDone) {
        let failed = self.told().failed.clone();
        if let Some(error) = failed {
            return done(Err(error));
        }
        self.committed = true;
        let mut records = Vec::with_capacity(2);
        if !self.buffer.is_empty() {
            records.push(self.chunk());
        }
        let mut payload = self.id.number().to_le_bytes().to_vec();
        payload.extend(self.octets.to_le_bytes());
        payload.extend(self.next_chunk.to_le_bytes());
        payload.extend(encode_received(&self.received));
        records.push(Record { kind: kind::MESSAGE, payload });
        let (spool, told, id, octets) =
            (self.spool.clone(), self.told.clone(), self.id, self.octets);
        let losses = self.losses;
        let finished = Box::new(move |result: Result<Vec<Position>, LogError>| {
            if spool.inner.log.losses() != losses {
                lock(&told).note_loss();
            }
            done(finish(&spool, &told, id, octets, result));
        });
        self.spool.inner.log.submit(records, Durability::Synced, Need::Content, finished);
    }

    /// The next chunk's record; the buffer is empty afterwards.
    fn chunk(&mut self) -> Record {
        let mut payload = Vec::with_capacity(CHUNK_PREFIX_OCTETS + self.buffer.len());
        payload.extend(self.id.number().to_le_bytes());
        payload.extend(self.next_chunk.to_le_bytes());
        payload.extend_from_slice(&self.buffer);
        self.buffer.clear();
        self.next_chunk += 1;
        Record { kind: kind::CHUNK, payload }
    }

    fn write_chunk(&self, record: Record) {
        let (spool, told) = (self.spool.clone(), self.told.clone());
        let written = Box::new(move |result: Result<Vec<Position>, LogError>| {
            let mut told = lock(&told);
            match result {
                Ok(positions) if !told.abandoned => {
                    spool.index().pin(&positions);
                    told.chunks.extend(positions);
                }
                Ok(_) => {}
                Err(error) => told.failed = Some(error.into()),
            }
        });
        self.spool.inner.log.submit(vec![record], Durability::Written, Need::Content, written);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        lock(&self.told)
    }
}

/// What was handed in is aborted: its chunks are nobody's.
impl<D: Disk> Drop for Draft<D> {
    fn drop(&mut self) {
        if self.committed {
            return;
        }
        let mut told = self.told();
        told.abandoned = true;
        let chunks = std::mem::take(&mut told.chunks);
        drop(told);
        self.spool.index().unpin(&chunks);
        self.spool.free_segments();
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The message's record is written and synced, or not. Batches are told in order, so all
/// chunks were told before.
fn finish<D: Disk>(
    spool: &Spool<D>,
    told: &Mutex<Told>,
    id: QueueId,
    octets: u64,
    result: Result<Vec<Position>, LogError>,
) -> Result<Committed, SpoolError> {
    let mut told = lock(told);
    let pinned = std::mem::take(&mut told.chunks);
    let outcome = match (result, told.failed.take()) {
        (Ok(positions), None) => Ok(positions),
        (Err(error), _) => Err(error.into()),
        // The record stands without all of its chunks: it must not be found again.
        (Ok(_), Some(error)) => {
            let payload = id.number().to_le_bytes().to_vec();
            let gone = vec![Record { kind: kind::GONE, payload }];
            spool.inner.log.submit(gone, Durability::Synced, Need::Upkeep, Box::new(drop));
            Err(error)
        }
    };
    let mut index = spool.index();
    let committed = outcome.map(|mut positions| {
        let message = positions.pop();
        let chunks: Vec<Position> = pinned.iter().copied().chain(positions).collect();
        if let Some(message) = message {
            index.insert(id, octets, message, chunks);
        }
        Committed { id }
    });
    index.unpin(&pinned);
    committed
}
