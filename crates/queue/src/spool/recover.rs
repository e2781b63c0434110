//! Opening the spool again: from the records that stand in the log to the index.
//!
//! A record that was moved may stand twice; the later place counts. A message counts when
//! its own record and all its chunks are there, and no record of its end is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;

use foldhash::{HashMap, HashSet};
use store::Disk;
use store::log::{Damage, Entry, Log, OpenError, Options, Place, Writer};

use super::index::Index;
use super::records::{self, Digest, MessageHead, StateHead};
use crate::QueueId;

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

/// What the records say, before it is known which of them count. Each table is one piece
/// of memory, which goes back to the system as a whole.
#[derive(Default)]
struct Seen {
    messages: HashMap<QueueId, (MessageHead, Place)>,
    /// The first segment that holds a record of a message, where that is another than the
    /// one that counts.
    earlier: HashMap<QueueId, u32>,
    states: HashMap<QueueId, States>,
    chunks: HashMap<QueueId, BTreeMap<u32, Place>>,
    gone: HashSet<QueueId>,
    last_id: u64,
}

type State = (StateHead, Place);

/// The states of a message by their sequence, from the last whole one on: nearly always
/// that one alone.
enum States {
    One(State),
    More(BTreeMap<u32, State>),
}

impl States {
    fn note(&mut self, (head, place): State) {
        match self {
            States::One((one, at)) if one.sequence == head.sequence => {
                (*one, *at) = (head, place);
            }
            States::One((one, _)) if one.is_whole && one.sequence > head.sequence => {}
            States::One((one, _)) if head.is_whole && one.sequence < head.sequence => {
                *self = States::One((head, place));
            }
            States::One(one) => {
                let both = [*one, (head, place)].map(|state| (state.0.sequence, state));
                *self = States::More(BTreeMap::from(both));
            }
            States::More(more) => {
                let whole = more.values().map(|(head, _)| head).rfind(|head| head.is_whole);
                if whole.is_some_and(|whole| whole.sequence > head.sequence) {
                    return;
                }
                if head.is_whole {
                    *more = more.split_off(&head.sequence);
                }
                more.insert(head.sequence, (head, place));
            }
        }
    }

    fn in_order(self) -> Vec<State> {
        match self {
            States::One(one) => vec![one],
            States::More(more) => more.into_values().collect(),
        }
    }
}

impl Seen {
    fn note(&mut self, entry: &Entry) {
        let place = entry.place;
        let Some(digest) = Digest::parse(entry.kind, &entry.digest) else { return };
        self.last_id = self.last_id.max(digest.id().number());
        match digest {
            Digest::Chunk { id, ordinal } => {
                let old = self.chunks.entry(id).or_default().insert(ordinal, place);
                self.note_earlier(id, old.unwrap_or(place));
            }
            Digest::Message(head) => {
                let old = self.messages.insert(head.id, (head, place));
                old.into_iter().for_each(|(_, old)| self.note_earlier(head.id, old));
            }
            Digest::State { id, head } => {
                let states = self.states.entry(id);
                states
                    .and_modify(|states| states.note((head, place)))
                    .or_insert(States::One((head, place)));
            }
            Digest::Gone { id, .. } => {
                self.gone.insert(id);
            }
        }
    }

    fn note_earlier(&mut self, id: QueueId, place: Place) {
        let first = self.earlier.entry(id).or_insert(place.segment);
        *first = (*first).min(place.segment);
    }

    /// Nothing behind `torn_from` was ever synced.
    fn index(mut self, torn_from: Option<(u32, u32)>, report: &mut SpoolRecovery) -> Index {
        let mut index = Index::default();
        let mut messages = std::mem::take(&mut self.messages);
        messages.retain(|id, _| !self.gone.contains(id));
        let mut ids: Vec<QueueId> = messages.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            let Some((head, place)) = messages.get(&id).copied() else { continue };
            let chunks = self.chunks.remove(&id).unwrap_or_default();
            let in_order = chunks.keys().copied().eq(0..head.chunks);
            let earlier = self.earlier.get(&id).copied().unwrap_or(place.segment);
            let first = earlier.min(place.segment);
            if !in_order {
                match torn_from {
                    Some(torn) if (place.segment, place.offset) > torn => {
                        report.unfinished.push(Unfinished { id, first });
                    }
                    _ => report.incomplete.push(id),
                }
                continue;
            }
            index.insert(&head, place, chunks.into_values().collect(), first);
            let states = self.states.remove(&id).map(States::in_order);
            for (head, place) in states.into_iter().flatten() {
                index.state_found(id, place, &head);
            }
        }
        index
    }
}
