//! The spool: where messages are on disk, and where a 250 becomes true.
//!
//! A message is a [`Draft`] (begin, append, commit) whose chunks go into the log as they
//! come; the record that names envelope, size and chunks comes last, and only when it is
//! synced is there a [`Committed`]. States of recipients and the end of a message are
//! records too. An index in memory knows where each stands; the log is the truth.
//!
//! The log's writer is a step function: a thread runs it in production ([`Spool::open`]
//! gives it), a simulation steps it inline. docs/design/spool-format.md has the records.

mod draft;
mod index;
mod recover;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reply::Timestamp;
use smtp::server::Proof;
use store::Disk;
use store::log::{Durability, Log, LogError, Need, Position, Reader, Record, Writer};

pub use self::draft::{CommitDone, Draft};
use self::index::Index;
pub use self::recover::SpoolRecovery;
use crate::message::encoding::{State, decode_received, decode_state, encode_state};
use crate::retry::History;
use crate::{Message, QueueId, Received, RecipientState, Status};

/// Kinds of records.
mod kind {
    /// Octets of a message: id, sequence number, octets.
    pub(super) const CHUNK: u8 = 1;
    /// A whole message: id, size, number of chunks, what was received.
    pub(super) const MESSAGE: u8 = 2;
    /// Where its recipients stand: id, state.
    pub(super) const STATE: u8 = 3;
    /// Its end: id.
    pub(super) const GONE: u8 = 4;
}

/// Octets before those of the message in a chunk: id and sequence number.
const CHUNK_PREFIX_OCTETS: usize = 12;

/// Why the spool could not do it. Nothing is half done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpoolError {
    /// No space left.
    Full,
    /// An error of the disk, or damage, with file and offset.
    Fault(String),
    /// There is no such message.
    NotFound(QueueId),
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpoolError::Full => f.write_str("no space left for the spool"),
            SpoolError::Fault(what) => f.write_str(what),
            SpoolError::NotFound(id) => write!(f, "message `{id}` is not in the queue"),
        }
    }
}

impl std::error::Error for SpoolError {}

impl From<LogError> for SpoolError {
    fn from(error: LogError) -> SpoolError {
        match error {
            LogError::Full => SpoolError::Full,
            LogError::Fault(what) => SpoolError::Fault(what),
            LogError::Closed => SpoolError::Fault("the spool is closed".into()),
        }
    }
}

/// That a message is on disk, synced. Only the spool makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Committed {
    id: QueueId,
}

impl Committed {
    /// The message's name.
    pub const fn id(&self) -> QueueId {
        self.id
    }
}

impl Proof for Committed {
    fn queue_id(&self) -> String {
        self.id.to_string()
    }
}

/// Told once, from the writer's thread.
pub type Done = Box<dyn FnOnce(Result<(), SpoolError>) + Send>;

/// How the spool is, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpoolStat {
    /// Messages in the queue.
    pub messages: usize,
    /// Octets of their data.
    pub octets: u64,
    /// Segments on disk.
    pub segments: usize,
    /// Octets that wait to be written.
    pub waiting_octets: usize,
}

struct Inner<D: Disk> {
    log: Log,
    reader: Reader<D>,
    index: Mutex<Index>,
    /// The largest id so far; ids never repeat, whatever clocks do.
    last_id: Arc<AtomicU64>,
}

/// Messages on disk. Clones are the same spool.
pub struct Spool<D: Disk> {
    inner: Arc<Inner<D>>,
}

impl<D: Disk> Clone for Spool<D> {
    fn clone(&self) -> Spool<D> {
        Spool { inner: self.inner.clone() }
    }
}

impl<D: Disk> fmt::Debug for Spool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("stat", &self.stat()).finish()
    }
}

impl<D: Disk> Spool<D> {
    /// Opens the spool in `disk`, which the caller has locked. The writer is to be run by
    /// a thread ([`Writer::run`]) or stepped; until then nothing is committed.
    ///
    /// # Errors
    /// Where a file cannot be read; the error names it. Damage is no error: it is in the
    /// recovery's report, and set aside.
    pub fn open(disk: D) -> Result<(Spool<D>, Writer<D>, SpoolRecovery), SpoolError> {
        let (log, mut writer, found) = recover::read(disk)?;
        let last_id = Arc::new(AtomicU64::new(found.last_id));
        let note = last_id.clone();
        writer.note_with(move || note.load(Ordering::Relaxed));
        let index = Mutex::new(found.index);
        let inner = Inner { log, reader: writer.reader(), index, last_id };
        let spool = Spool { inner: Arc::new(inner) };
        spool.free_segments();
        Ok((spool, writer, found.report))
    }

    /// Begins a message. Dropped uncommitted, nothing of it stays.
    pub fn begin(&self, received: Received) -> Draft<D> {
        let id = self.next_id(received.at);
        Draft::new(self.clone(), id, received)
    }

    fn next_id(&self, now: Timestamp) -> QueueId {
        let mut last = self.inner.last_id.load(Ordering::Relaxed);
        loop {
            let id = QueueId::after(last, now);
            let set = self.inner.last_id.compare_exchange_weak(
                last,
                id.number(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match set {
                Ok(_) => return id,
                Err(other) => last = other,
            }
        }
    }

    /// The message with that id, its states included.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub fn get(&self, id: QueueId) -> Result<Message, SpoolError> {
        let places = self.index().places(id).ok_or(SpoolError::NotFound(id))?;
        let damaged = || SpoolError::Fault(format!("message `{id}` is damaged"));
        let record = self.inner.reader.read(places.message)?;
        let (_, octets, _, received) = parse_message(&record).ok_or_else(damaged)?;
        let received = decode_received(received).ok_or_else(damaged)?;
        let state = match places.state {
            None => None,
            Some(position) => {
                let record = self.inner.reader.read(position)?;
                Some(record.get(8..).and_then(decode_state).ok_or_else(damaged)?)
            }
        };
        Ok(message(id, octets, received, state))
    }

    /// Every message's id, oldest first.
    pub fn ids(&self) -> Vec<QueueId> {
        self.index().ids()
    }

    /// Reads the data of a message; from any thread, and slowly: it blocks.
    ///
    /// # Errors
    /// Where there is no such message.
    pub fn body(&self, id: QueueId) -> Result<Body<D>, SpoolError> {
        let places = self.index().places(id).ok_or(SpoolError::NotFound(id))?;
        let reader = self.inner.reader.clone();
        Ok(Body { reader, chunks: places.chunks, held: None })
    }

    /// Notes where a message's recipients stand and whether it is held. With
    /// `Durability::Written` a crash may forget it: then the attempt is made again.
    pub fn update(&self, message: &Message, durability: Durability, done: Done) {
        let id = message.id;
        let mut payload = id.number().to_le_bytes().to_vec();
        payload.extend(encode_state(message.held.as_deref(), &message.recipients));
        let spool = self.clone();
        let record = Record { kind: kind::STATE, payload };
        let told = Box::new(move |result: Result<Vec<Position>, LogError>| {
            done(result.map_err(SpoolError::from).and_then(|positions| {
                let noted = positions.first().is_some_and(|at| spool.index().set_state(id, *at));
                spool.free_segments();
                if noted { Ok(()) } else { Err(SpoolError::NotFound(id)) }
            }));
        });
        self.inner.log.submit(vec![record], durability, Need::Upkeep, told);
    }

    /// Takes a message out of the queue for good.
    pub fn remove(&self, id: QueueId, durability: Durability, done: Done) {
        let payload = id.number().to_le_bytes().to_vec();
        let record = Record { kind: kind::GONE, payload };
        let spool = self.clone();
        let told = Box::new(move |result: Result<Vec<Position>, LogError>| {
            done(result.map_err(SpoolError::from).and_then(|positions| {
                let removed = positions.first().is_some_and(|at| spool.index().remove(id, *at));
                spool.free_segments();
                if removed { Ok(()) } else { Err(SpoolError::NotFound(id)) }
            }));
        });
        self.inner.log.submit(vec![record], durability, Need::Upkeep, told);
    }

    /// The same and waits for it: for threads that may block, while another one runs the
    /// writer.
    ///
    /// # Errors
    /// As its own.
    pub fn update_now(&self, message: &Message, durability: Durability) -> Result<(), SpoolError> {
        wait(|done| self.update(message, durability, done))
    }

    /// As [`Spool::update_now`].
    ///
    /// # Errors
    /// As its own.
    pub fn remove_now(&self, id: QueueId, durability: Durability) -> Result<(), SpoolError> {
        wait(|done| self.remove(id, durability, done))
    }

    /// A whole message at once, and waits for it.
    ///
    /// # Errors
    /// As its own.
    pub fn put_now(&self, received: Received, octets: &[u8]) -> Result<Committed, SpoolError> {
        let mut draft = self.begin(received);
        draft.append(octets)?;
        let (send, receive) = sync_channel(1);
        draft.commit(Box::new(move |committed| drop(send.send(committed))));
        receive.recv().unwrap_or_else(|_| Err(LogError::Closed.into()))
    }

    /// How the spool is.
    pub fn stat(&self) -> SpoolStat {
        let index = self.index();
        SpoolStat {
            messages: index.len(),
            octets: index.octets(),
            segments: self.inner.reader.segments().len(),
            waiting_octets: self.inner.log.waiting_octets(),
        }
    }

    /// Takes no more; the writer ends when it has written what it has.
    pub fn close(&self) {
        self.inner.log.close();
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.inner.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up the segments in which nothing is needed any more.
    fn free_segments(&self) {
        let existing = self.inner.reader.segments();
        for segment in self.index().take_free(&existing) {
            self.inner.log.free(segment);
        }
    }
}

/// Calls `submit` with a completion and waits for it.
fn wait(submit: impl FnOnce(Done)) -> Result<(), SpoolError> {
    let (send, receive) = sync_channel(1);
    submit(Box::new(move |result| drop(send.send(result))));
    receive.recv().unwrap_or_else(|_| Err(LogError::Closed.into()))
}

/// A message from its records.
fn message(id: QueueId, octets: u64, received: Received, state: Option<State>) -> Message {
    let held = state.as_ref().map_or_else(|| received.held.clone(), |(held, _)| held.clone());
    let mut states = state.map(|(_, states)| states).unwrap_or_default().into_iter();
    let first = (Status::Waiting { due: received.at }, History::default());
    let recipients = received.envelope.recipients.iter().map(|recipient| {
        let (status, history) = states.next().unwrap_or_else(|| first.clone());
        RecipientState { recipient: recipient.clone(), status, history }
    });
    let recipients = recipients.collect();
    Message { id, received, octets, recipients, held }
}

/// Id, size, number of chunks, and the rest of a message's record.
fn parse_message(payload: &[u8]) -> Option<(QueueId, u64, u32, &[u8])> {
    let (id, rest) = payload.split_first_chunk::<8>()?;
    let (octets, rest) = rest.split_first_chunk::<8>()?;
    let (chunks, rest) = rest.split_first_chunk::<4>()?;
    let id = QueueId::from_number(u64::from_le_bytes(*id))?;
    Some((id, u64::from_le_bytes(*octets), u32::from_le_bytes(*chunks), rest))
}

/// The data of one message.
pub struct Body<D: Disk> {
    reader: Reader<D>,
    chunks: Vec<Position>,
    /// The chunk that was read last, and its index.
    held: Option<(usize, Vec<u8>)>,
}

impl<D: Disk> fmt::Debug for Body<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("chunks", &self.chunks.len()).finish()
    }
}

impl<D: Disk> Body<D> {
    /// Reads at `offset` of the data, at most to the end of a chunk; 0 at the end.
    ///
    /// # Errors
    /// Where a record cannot be read or is damaged.
    pub fn read_at(&mut self, mut offset: u64, into: &mut [u8]) -> Result<usize, SpoolError> {
        for index in 0..self.chunks.len() {
            let octets = u64::from(self.chunks[index].length) - CHUNK_PREFIX_OCTETS as u64;
            if offset < octets {
                let chunk = self.chunk(index)?;
                // Below the length of a record, which is a usize.
                let rest = chunk.get(CHUNK_PREFIX_OCTETS + offset as usize..).unwrap_or_default();
                let count = rest.len().min(into.len());
                into[..count].copy_from_slice(&rest[..count]);
                return Ok(count);
            }
            offset -= octets;
        }
        Ok(0)
    }

    fn chunk(&mut self, index: usize) -> Result<&[u8], SpoolError> {
        if self.held.as_ref().is_none_or(|(held, _)| *held != index) {
            let octets = self.reader.read(self.chunks[index])?;
            self.held = Some((index, octets));
        }
        Ok(self.held.as_ref().map(|(_, octets)| octets.as_slice()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
