//! Opening the spool again: from the records that stand in the log to the index.
//!
//! A record that was moved may stand twice; the later place counts. A message counts when
//! its own record and all its chunks are there, and no record of its end is.

use std::fmt;
use std::sync::atomic::Ordering;

use store::Disk;
use store::log::{Damage, Entry, Log, OpenError, Options, Place, Writer};

use super::index::Index;
use super::records::{self, Digest, MessageHead, StateHead};
use crate::QueueId;
use in_order::{Gathered, InOrder};

mod in_order;

/// What opening the spool found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpoolRecovery {
    /// Messages in the queue.
    pub messages: usize,
    /// Segments that hold records.
    pub segments: usize,
    /// Records.
    pub records: usize,
    /// What was synced once and cannot be read: set aside.
    pub damage: Vec<Damage>,
    /// What was being written when the last process ended, and was not synced: cut.
    pub torn: Vec<Damage>,
    /// Messages of which a part is missing: not in the queue any more. What is there of
    /// them is where the damage is.
    pub incomplete: Vec<QueueId>,
    /// Messages of which a part was in a torn write: nobody was told that they are here.
    pub unfinished: Vec<Unfinished>,
}

/// What is there of a message that was being written when the last process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Its name.
    pub id: QueueId,
    /// The first segment that holds a record of it.
    pub first: u32,
}

impl fmt::Display for SpoolRecovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages in {} segments", self.messages, self.segments)?;
        for damage in &self.damage {
            write!(f, "; set aside: {damage}")?;
        }
        for torn in &self.torn {
            write!(f, "; cut, because it was torn: {torn}")?;
        }
        for id in &self.incomplete {
            write!(f, "; message `{id}` is incomplete")?;
        }
        Ok(())
    }
}

/// Opens the log and makes the index from it.
pub(super) fn open<D: Disk>(
    disk: D,
    options: Options,
) -> Result<(Log<D>, Writer<D>, Index, SpoolRecovery), OpenError> {
    let mut seen = Seen::default();
    let options = Options { digest: records::digest, ..options };
    let (log, writer, recovery) = Log::open(disk, options, &mut |entry| seen.note(entry))?;
    log.watermark().fetch_max(seen.last_id, Ordering::AcqRel);
    let mut report = SpoolRecovery {
        segments: recovery.segments,
        records: recovery.records,
        unfinished: Vec::new(),
        damage: recovery.damaged,
        torn: recovery.torn,
        ..SpoolRecovery::default()
    };
    let index = seen.index(recovery.torn_from, &mut report);
    report.messages = index.len();
    Ok((log, writer, index, report))
}

/// What the records say, before it is known which of them count: gathered as they stand,
/// which is nearly in the order of their ids, and gone through in that order when all are
/// there.
#[derive(Default)]
struct Seen {
    messages: Gathered<(MessageHead, Place)>,
    states: Gathered<State>,
    chunks: Gathered<Chunk>,
    gone: Gathered<QueueId>,
    last_id: u64,
}

struct State {
    id: QueueId,
    head: StateHead,
    place: Place,
}

struct Chunk {
    id: QueueId,
    ordinal: u32,
    place: Place,
}

impl Seen {
    fn note(&mut self, entry: Entry<'_>) {
        let place = entry.place;
        let Some(digest) = Digest::parse(entry.kind, entry.digest) else { return };
        self.last_id = self.last_id.max(digest.id().number());
        match digest {
            Digest::Chunk { id, ordinal } => self.chunks.push(Chunk { id, ordinal, place }),
            Digest::Message(head) => self.messages.push((head, place)),
            Digest::State { id, head } => self.states.push(State { id, head, place }),
            Digest::Gone { id, .. } => self.gone.push(id),
        }
    }

    /// Nothing behind `torn_from` was ever synced.
    fn index(self, torn_from: Option<(u32, u32)>, report: &mut SpoolRecovery) -> Index {
        let mut index = Index::default();
        let mut messages = Parts::new(self.messages.in_order(|(head, _)| (head.id, 0)));
        let mut states = Parts::new(self.states.in_order(|state| (state.id, state.head.sequence)));
        let mut chunks = Parts::new(self.chunks.in_order(|chunk| (chunk.id, chunk.ordinal)));
        let mut gone = Parts::new(self.gone.in_order(|id| (*id, 0)));
        while let Some(id) = messages.next_id() {
            let same = messages.of(id);
            let (states, chunks) = (states.of(id), chunks.of(id));
            let Some((head, place)) = same.last() else { continue };
            if !gone.of(id).is_empty() {
                continue;
            }
            let places = same.iter().map(|(_, place)| place);
            let places = places.chain(chunks.iter().map(|chunk| &chunk.place));
            let first = places.map(|place| place.segment).min().unwrap_or(place.segment);
            let Some(chunks) = all_chunks(chunks, head.chunks) else {
                match torn_from {
                    Some(torn) if (place.segment, place.offset) > torn => {
                        report.unfinished.push(Unfinished { id, first });
                    }
                    _ => report.incomplete.push(id),
                }
                continue;
            };
            let states = that_count(states).map(|state| (state.place, state.head));
            index.insert(head, *place, chunks, states, first);
        }
        index
    }
}

/// One kind of record, message by message.
struct Parts<T> {
    left: InOrder<T, (QueueId, u32)>,
    found: Vec<T>,
}

impl<T> Parts<T> {
    fn new(all: InOrder<T, (QueueId, u32)>) -> Parts<T> {
        Parts { left: all, found: Vec::new() }
    }

    fn next_id(&mut self) -> Option<QueueId> {
        self.left.next_key().map(|(id, _)| id)
    }

    /// Those of `id`; what comes before them is of no message.
    fn of(&mut self, id: QueueId) -> &[T] {
        self.found.clear();
        while let Some(((of, _), one)) = self.left.next_if(|(of, _)| *of <= id) {
            if of == id {
                self.found.push(one);
            }
        }
        &self.found
    }
}

/// Where the chunks of a message stand, if all `count` are there.
fn all_chunks(chunks: &[Chunk], count: u32) -> Option<Vec<Place>> {
    let each = chunks.chunk_by(|a, b| a.ordinal == b.ordinal).filter_map(<[Chunk]>::last);
    each.clone().map(|chunk| chunk.ordinal).eq(0..count).then(|| each.map(|c| c.place).collect())
}

/// The states of a message from the last whole one on, one of each sequence.
fn that_count(states: &[State]) -> impl Iterator<Item = &State> + Clone {
    let whole = states.iter().rposition(|state| state.head.is_whole).unwrap_or(0);
    let sequence = states.get(whole).map_or(0, |state| state.head.sequence);
    let each = states.chunk_by(|a, b| a.head.sequence == b.head.sequence);
    each.filter_map(<[State]>::last).filter(move |state| state.head.sequence >= sequence)
}
