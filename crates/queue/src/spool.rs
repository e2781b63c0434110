//! The spool: where messages are on disk, and where a 250 becomes true.
//!
//! A message is a [`Draft`] (begin, append, commit): chunks of a large one go into the
//! log as they come, and the record that names envelope, size and chunks comes last; only
//! when it is synced is there a [`Committed`]. Where its recipients stand, and its end,
//! are records too. An index in memory knows where each stands; the log is the truth.
//!
//! The log's writer is a step function: [`Spool::start`] gives it a thread, a simulation
//! steps it inline. [`upkeep`] frees and compacts segments. docs/design/spool-format.md
//! has the records, and argues what happens when things fail.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reply::Timestamp;
use smtp::server::Proof;
use store::Disk;
use store::log::{self, Class, Log, LogError, Place, Submission, Urgency};

mod body;
pub mod check;
mod draft;
mod driver;
mod fresh;
mod index;
mod records;
mod recover;
#[cfg(test)]
mod tests;
mod upkeep;

pub use body::Body;
pub use check::{CheckReport, check};
pub use draft::{CommitDone, Draft};
pub use driver::Driver;
pub use recover::SpoolRecovery;
pub use store::log::{OpenError, Writer};
pub use upkeep::Upkeep;

use crate::message::encoding::{decode_changes, decode_state};
use crate::{Hold, Message, QueueId, Received};
use fresh::{Fresh, Room};
use index::{Index, Noted, Standing};
use records::kind;

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
            LogError::Closed => SpoolError::Fault("the spool is closed".into()),
            other => SpoolError::Fault(other.to_string()),
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

/// How soon a note is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// With the next sync, which it asks for.
    Synced,
    /// With a sync that others ask for, or a quarter of a second later. Told at once.
    Written,
}

impl Durability {
    fn urgency(self) -> Urgency {
        match self {
            Durability::Synced => Urgency::Now,
            Durability::Written => Urgency::Later,
        }
    }
}

/// Told once, mostly from the writer's thread: to be brief, and not to wait for the spool.
pub type Done = Box<dyn FnOnce(Result<(), SpoolError>) + Send>;

/// How the spool is, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpoolStat {
    /// Messages in the queue.
    pub messages: usize,
    /// Octets of their data.
    pub octets: u64,
    /// Segments that exist.
    pub segments: usize,
    /// Octets in them that are still needed.
    pub live_octets: u64,
    /// Octets of all segments and spares on disk.
    pub octets_on_disk: u64,
    /// Octets that wait to be written.
    pub waiting_octets: usize,
    /// No space was left when it was last asked for: new mail is refused.
    pub is_full: bool,
}

/// What is known of a message without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub id: QueueId,
    /// When the next attempt of any recipient is due; `None` where nobody waits or the
    /// message is held.
    pub due: Option<Timestamp>,
    /// Whether it is held.
    pub held: bool,
    /// Octets of its data.
    pub octets: u64,
}

struct Inner<D: Disk> {
    log: Log<D>,
    index: Mutex<Index>,
    fresh: Mutex<Fresh>,
    upkeep: Mutex<upkeep::Work>,
}

/// Messages on disk. Clones are the same spool.
pub struct Spool<D: Disk>(Arc<Inner<D>>);

impl<D: Disk> Clone for Spool<D> {
    fn clone(&self) -> Spool<D> {
        Spool(Arc::clone(&self.0))
    }
}

impl<D: Disk> fmt::Debug for Spool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spool").field(&self.stat()).finish()
    }
}

impl<D: Disk> Spool<D> {
    /// Opens the spool on `disk`, or begins it. The writer is to be given to
    /// [`Spool::start`], or stepped; until then nothing is committed.
    ///
    /// # Errors
    /// Where another process has the directory, or a file cannot be opened; the error
    /// names the path. Damage is no error: it is in the report, and set aside.
    pub fn open(disk: D) -> Result<(Spool<D>, Writer<D>, SpoolRecovery), OpenError> {
        Spool::open_with(disk, log::Options::default())
    }

    /// Opens the spool and changes nothing on disk; it takes nothing either.
    ///
    /// # Errors
    /// As [`Spool::open`].
    pub fn open_to_read(disk: D) -> Result<(Spool<D>, Writer<D>, SpoolRecovery), OpenError> {
        Spool::open_with(disk, log::Options { read_only: true, ..log::Options::default() })
    }

    /// As [`Spool::open`], with other limits than the log's defaults.
    ///
    /// # Errors
    /// As its own.
    pub fn open_with(
        disk: D,
        options: log::Options,
    ) -> Result<(Spool<D>, Writer<D>, SpoolRecovery), OpenError> {
        let is_read_only = options.read_only;
        let (log, writer, index, report) = recover::open(disk, options)?;
        let (index, upkeep) = (Mutex::new(index), Mutex::default());
        let fresh = Mutex::default();
        let spool = Spool(Arc::new(Inner { log, index, fresh, upkeep }));
        if !is_read_only {
            report.unfinished.iter().for_each(|message| spool.bury(*message));
        }
        Ok((spool, writer, report))
    }

    /// Notes the end of a message that never began: the torn write that explains its gap is
    /// cut by now, and the next start would take it for a loss.
    fn bury(&self, message: recover::Unfinished) {
        let payload = records::gone(message.id, message.first, self.0.log.last_segment());
        let mut nobody: Option<log::Done> = Some(log::done(|_| {}));
        // Where it does not fit, the next start says "incomplete" of it: no harm is done.
        let _ = self.submit(kind::GONE, &[&payload], Durability::Written, &mut nobody);
    }

    /// Begins a message. Dropped uncommitted, nothing of it stays. Takes no space yet.
    pub fn begin(&self, received: impl Into<Arc<Received>>) -> Draft<D> {
        let received = received.into();
        let id = self.next_id(received.at);
        let Room { buffer, is_kept, forgotten } = self.fresh().make_room();
        drop(forgotten);
        Draft::new(self.clone(), id, received, buffer, is_kept)
    }

    fn next_id(&self, now: Timestamp) -> QueueId {
        let watermark = self.0.log.watermark();
        let next = |last| Some(QueueId::after(last, now).number());
        // The closure never refuses, so both arms hold the number before this one.
        let (Ok(last) | Err(last)) =
            watermark.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        QueueId::after(last, now)
    }

    /// The message with that id, with where its recipients stand.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub fn get(&self, id: QueueId) -> Result<Message, SpoolError> {
        self.retrying(id, |standing| {
            let record = self.0.log.read(standing.message, kind::MESSAGE)?;
            let damaged = || self.damaged(standing.message);
            let (head, received, _) = records::parse_message(&record).ok_or_else(damaged)?;
            let mut message = Message::new(id, received, head.octets);
            for noted in &standing.states {
                self.apply(noted, &mut message)?;
            }
            if standing.held && !message.hold.is_held() {
                message.hold = Hold::Because("the record that says why is damaged".into());
            }
            Ok(message)
        })
    }

    /// The message as [`Spool::get`] gives it, where that needs no look at the disk: it came
    /// a moment ago, and nothing was noted of it yet.
    pub fn recall(&self, id: QueueId) -> Option<Message> {
        let octets = self.index().unchanged(id)?;
        let recent = self.fresh().get(id)?;
        Some(Message::new(id, recent.received, octets))
    }

    /// All data of such a message, where they are few.
    pub fn recall_data(&self, id: QueueId) -> Option<Arc<Vec<u8>>> {
        self.fresh().get(id)?.data
    }

    /// Puts a state into the message that it is of. A damaged one is passed over: then an
    /// attempt is made again, which is better than none.
    fn apply(&self, noted: &Noted, message: &mut Message) -> Result<(), LogError> {
        let kind = if noted.is_whole { kind::STATE } else { kind::CHANGE };
        let record = match self.0.log.read(noted.place, kind) {
            Err(LogError::Damaged { .. }) if self.is_in_log(noted.place) => return Ok(()),
            other => other?,
        };
        let state = records::state_of(&record).unwrap_or_default();
        if noted.is_whole {
            let (hold, states) = decode_state(state).ok_or_else(|| self.damaged(noted.place))?;
            message.hold = hold;
            for (recipient, (status, history)) in message.recipients.iter_mut().zip(states) {
                (recipient.status, recipient.history) = (status, history);
            }
        } else {
            let (hold, changes) = decode_changes(state).ok_or_else(|| self.damaged(noted.place))?;
            message.hold = hold;
            for (index, status, history) in changes {
                let recipient = message.recipients.get_mut(index);
                let recipient = recipient.ok_or_else(|| self.damaged(noted.place))?;
                (recipient.status, recipient.history) = (status, history);
            }
        }
        Ok(())
    }

    /// Whether the segment still exists: what stood in it may have been moved.
    fn is_in_log(&self, place: Place) -> bool {
        self.0.log.pin(place.segment).is_some()
    }

    fn damaged(&self, place: Place) -> LogError {
        self.0.log.damage(place, "the record is no message")
    }

    /// Reads where the message stands; once more if it was moved meanwhile.
    fn retrying<T>(
        &self,
        id: QueueId,
        read: impl Fn(&Standing) -> Result<T, LogError>,
    ) -> Result<T, SpoolError> {
        let mut standing = self.index().standing(id).ok_or(SpoolError::NotFound(id))?;
        loop {
            let error = match read(&standing) {
                Ok(read) => return Ok(read),
                Err(error) => error,
            };
            let now = self.index().standing(id).ok_or(SpoolError::NotFound(id))?;
            if now == standing {
                return Err(error.into());
            }
            standing = now;
        }
    }

    /// Every message's id, oldest first.
    pub fn ids(&self) -> Vec<QueueId> {
        self.index().summaries(None, usize::MAX).map(|summary| summary.id).collect()
    }

    /// What is known of at most `limit` messages after `after`, oldest first. Reads
    /// nothing from disk.
    pub fn scan(&self, after: Option<QueueId>, limit: usize) -> Vec<Summary> {
        self.index().summaries(after, limit).collect()
    }

    /// Reads the data of a message; from any thread, and it blocks.
    ///
    /// # Errors
    /// Where there is no such message, or its record cannot be read.
    pub fn body(&self, id: QueueId) -> Result<Body<D>, SpoolError> {
        Body::open(self.clone(), id)
    }

    /// Notes where a message's recipients stand and whether it is held; [`Spool::get`]
    /// gives it back at once. `was` is the message as it was got: what is equal in both is
    /// not written, so that one recipient of many costs little. Until it is synced a crash
    /// may forget it: then the attempt is made again. Works on a full disk.
    pub fn update(&self, was: &Message, now: &Message, durability: Durability, done: Done) {
        let teller = Teller::new(done);
        let id = now.id;
        let Some((changes, _)) = self.index().next_state(id) else {
            return teller.tell(Err(SpoolError::NotFound(id)));
        };
        let (is_whole, state) = records::encode_difference(was, now, changes);
        let mut index = self.index();
        let Some((_, sequence)) = index.next_state(id) else {
            drop(index);
            return teller.tell(Err(SpoolError::NotFound(id)));
        };
        let (spool, later) = (self.clone(), teller.clone());
        let mut told = Some(log::done(move |result| {
            spool.index().state_synced(id, sequence, result.is_ok());
            later.tell(result.map(drop).map_err(SpoolError::from));
        }));
        let head = records::state_head(now, sequence, is_whole);
        let payload: [&[u8]; 2] = [&records::encode_state_head(id, &head), &state];
        let submitted = self.submit(records::state_kind(&head), &payload, durability, &mut told);
        if let Ok(place) = submitted {
            index.state_submitted(id, place, &head);
        }
        drop(index);
        let forgotten = self.fresh().forget(id);
        drop(forgotten);
        teller.submitted(submitted, durability);
    }

    /// Takes a message out of the queue for good; it is gone for readers at once, and
    /// back if that cannot be written. Works on a full disk.
    pub fn remove(&self, id: QueueId, durability: Durability, done: Done) {
        let teller = Teller::new(done);
        let (spool, later) = (self.clone(), teller.clone());
        let mut told = Some(log::done(move |result| {
            spool.index().removal_ended(id, result.is_ok());
            later.tell(result.map(drop).map_err(SpoolError::from));
        }));
        let mut index = self.index();
        let Some(first) = index.begin_removal(id) else {
            drop(index);
            return teller.tell(Err(SpoolError::NotFound(id)));
        };
        // Nothing of it is written behind this: upkeep does not move what is to go.
        let payload = records::gone(id, first, self.0.log.last_segment());
        let submitted = self.submit(kind::GONE, &[&payload], durability, &mut told);
        if submitted.is_err() {
            index.removal_ended(id, false);
        }
        drop(index);
        let forgotten = self.fresh().forget(id);
        drop(forgotten);
        teller.submitted(submitted, durability);
    }

    fn submit(
        &self,
        kind: u8,
        payload: &[&[u8]],
        durability: Durability,
        done: &mut Option<log::Done>,
    ) -> Result<Place, LogError> {
        let class = Class::Reserve;
        let urgency = durability.urgency();
        self.0.log.submit(&Submission { kind, payload, class, urgency, generation: None }, done)
    }

    /// A whole message at once, and waits for it.
    ///
    /// # Errors
    /// As told to the commit's `done`.
    pub fn put_now(
        &self,
        received: impl Into<Arc<Received>>,
        octets: &[u8],
    ) -> Result<Committed, SpoolError> {
        let mut draft = self.begin(received);
        draft.append(octets)?;
        let (send, receive) = sync_channel(1);
        draft.commit(Box::new(move |committed| drop(send.send(committed))));
        receive.recv().unwrap_or_else(|_| Err(LogError::Closed.into()))
    }

    /// Whether new mail would be taken without waiting for the disk.
    pub fn has_room(&self) -> bool {
        self.0.log.has_room()
    }

    /// How the spool is.
    pub fn stat(&self) -> SpoolStat {
        let log = &self.0.log;
        let (segments, octets_on_disk) = (log.segments().len(), log.octets_on_disk());
        let (waiting_octets, is_full) = (log.in_flight_octets(), log.is_full());
        let index = self.index();
        SpoolStat {
            messages: index.len(),
            octets: index.octets(),
            segments,
            live_octets: index.live_octets(),
            octets_on_disk,
            waiting_octets,
            is_full,
        }
    }

    /// Takes no more; the writer ends when it has written what it has.
    pub fn close(&self) {
        self.0.log.close();
    }

    /// Lock order: the index before the log. Nothing in it panics half-way.
    fn index(&self) -> MutexGuard<'_, Index> {
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self) -> MutexGuard<'_, Fresh> {
        self.0.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a submitter once, whoever comes first to it.
#[derive(Clone)]
struct Teller(Arc<Mutex<Option<Done>>>);

impl Teller {
    fn new(done: Done) -> Teller {
        Teller(Arc::new(Mutex::new(Some(done))))
    }

    fn tell(&self, result: Result<(), SpoolError>) {
        let done = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(done) = done {
            done(result);
        }
    }

    /// Tells at once what needs no sync: that it was refused, or that it is noted.
    fn submitted(&self, submitted: Result<Place, LogError>, durability: Durability) {
        match submitted {
            Err(error) => self.tell(Err(error.into())),
            Ok(_) if durability == Durability::Written => self.tell(Ok(())),
            Ok(_) => {}
        }
    }
}
