//! Segments of records behind one sync.
//!
//! Many submitters hand batches of records to [`Log::submit`]; one [`Writer`] puts what
//! waits into the current segment with one write and one sync, then tells each. The
//! writer is a step function: a thread drives it in production, a simulation drives it
//! inline. What records mean, and which are still needed, is the user's to know.
//!
//! After a failed write or sync nothing past the last good offset is trusted and nothing
//! more goes into that segment; the header of the next one says so (`previous_end`).

mod format;
mod recover;
mod writer;

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

pub use format::{HEADER_OCTETS, MAX_PAYLOAD_OCTETS, RECORD_HEADER_OCTETS, SEGMENT_OCTETS};
pub use recover::{Damage, Recovery, Visit};
pub use writer::{Reader, Writer};

/// How a log is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Octets of a segment, at most [`SEGMENT_OCTETS`]. Segments that were begun with
    /// another length are read all the same.
    pub segment_octets: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { segment_octets: SEGMENT_OCTETS }
    }
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The segment's number.
    pub segment: u64,
    /// Where the record begins in it.
    pub offset: u32,
    /// Octets of the payload.
    pub length: u32,
}

/// One record to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The user's kind.
    pub kind: u8,
    /// Its octets, at most [`MAX_PAYLOAD_OCTETS`].
    pub payload: Vec<u8>,
}

/// What happens to a batch when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is told when it is on disk, synced.
    Synced,
    /// It is told when it is written; the next sync takes it along. If that fails, it is
    /// gone, and [`Log::losses`] grows.
    Written,
}

/// Who may use the space that is kept for the time when the disk is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// New content: refused when there is no space for it and a segment in reserve.
    Content,
    /// Deletions and states: they may use the reserve.
    Upkeep,
}

/// Why records were not appended. Nothing of the batch counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogError {
    /// No space left.
    Full,
    /// An error of the disk, with the path.
    Fault(String),
    /// The log is closed.
    Closed,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Full => f.write_str("no space left for the log"),
            LogError::Fault(what) => f.write_str(what),
            LogError::Closed => f.write_str("the log is closed"),
        }
    }
}

impl std::error::Error for LogError {}

/// Told once, from the writer's thread, with the position of each record of the batch.
pub type Completion = Box<dyn FnOnce(Result<Vec<Position>, LogError>) + Send>;

/// A batch that waits for the writer.
struct Submission {
    records: Vec<Record>,
    durability: Durability,
    need: Need,
    done: Completion,
}

#[derive(Default)]
struct Waiting {
    submissions: VecDeque<Submission>,
    /// Segments in which nothing is needed any more.
    free: Vec<u64>,
    octets: usize,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    losses: AtomicU64,
}

impl Shared {
    /// A panic of a submitter leaves the queue as it was: it is changed in single steps.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The submitters' side of a log. Clones are the same log.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Shared>,
}

impl Log {
    /// Hands a batch to the writer. `done` is told from the writer's thread; batches are
    /// appended, and told, in the order in which they were handed in.
    pub fn submit(
        &self,
        records: Vec<Record>,
        durability: Durability,
        need: Need,
        done: Completion,
    ) {
        let octets = records.iter().map(|record| record.payload.len()).sum::<usize>();
        let mut waiting = self.shared.waiting();
        if waiting.closed {
            drop(waiting);
            return done(Err(LogError::Closed));
        }
        waiting.octets += octets;
        waiting.submissions.push_back(Submission { records, durability, need, done });
        drop(waiting);
        self.shared.changed.notify_one();
    }

    /// Octets that were handed in and are not written yet: what a submitter that cares
    /// for memory waits for.
    pub fn waiting_octets(&self) -> usize {
        self.shared.waiting().octets
    }

    /// Gives up a segment in which no record is needed any more; the writer does it after
    /// what was submitted before. The segment that is written to is kept.
    pub fn free(&self, segment: u64) {
        self.shared.waiting().free.push(segment);
        self.shared.changed.notify_one();
    }

    /// How often a failed sync took records with it that had been told as
    /// [`Durability::Written`]. Who relies on such records with a batch that is synced
    /// later asks before the first and when the last is told: unless both are equal, some
    /// may be gone.
    pub fn losses(&self) -> u64 {
        self.shared.losses.load(Ordering::Acquire)
    }

    /// Takes no more batches; the writer ends when it has written those it has.
    pub fn close(&self) {
        self.shared.waiting().closed = true;
        self.shared.changed.notify_one();
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("waiting_octets", &self.waiting_octets()).finish()
    }
}

#[cfg(test)]
mod tests;
