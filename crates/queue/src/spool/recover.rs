//! Reading the spool at a start: the index out of the log's records.

use std::collections::BTreeMap;

use store::Disk;
use store::log::{Damage, Log, Position, Recovery, Writer};

use super::index::Index;
use super::{CHUNK_PREFIX_OCTETS, SpoolError, kind, parse_message};
use crate::QueueId;

/// What opening the spool found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpoolRecovery {
    /// Messages in the queue.
    pub messages: usize,
    /// Segments that were read.
    pub segments: usize,
    /// Records that were read.
    pub records: u64,
    /// What was set aside.
    pub damage: Vec<Damage>,
    /// Messages that lack a chunk, for damage: they are not in the queue.
    pub incomplete: Vec<QueueId>,
}

pub(super) struct Found {
    pub(super) index: Index,
    pub(super) last_id: u64,
    pub(super) report: SpoolRecovery,
}

/// What the records say so far.
#[derive(Default)]
struct Reading {
    index: Index,
    /// Chunks of messages whose own record has not come yet.
    chunks: BTreeMap<QueueId, BTreeMap<u32, Position>>,
    last_id: u64,
    incomplete: Vec<QueueId>,
}

pub(super) fn read<D: Disk>(disk: D) -> Result<(Log, Writer<D>, Found), SpoolError> {
    let mut reading = Reading::default();
    let (log, writer, recovery) =
        Log::open(disk, &mut |at, kind, payload| reading.record(at, kind, payload))?;
    let Recovery { segments, records, damage, note } = recovery;
    let messages = reading.index.len();
    let incomplete = reading.incomplete;
    let report = SpoolRecovery { messages, segments, records, damage, incomplete };
    reading.index.look_again();
    Ok((log, writer, Found { index: reading.index, last_id: reading.last_id.max(note), report }))
}

impl Reading {
    fn record(&mut self, at: Position, kind: u8, payload: &[u8]) {
        let Some((number, _)) = payload.split_first_chunk::<8>() else { return };
        let Some(id) = QueueId::from_number(u64::from_le_bytes(*number)) else { return };
        self.last_id = self.last_id.max(id.number());
        match kind {
            kind::CHUNK => self.chunk(id, at, payload),
            kind::MESSAGE => self.message(at, payload),
            kind::STATE => {
                self.index.set_state(id, at);
            }
            kind::GONE => {
                self.chunks.remove(&id);
                self.index.remove(id, at);
            }
            _ => {}
        }
    }

    fn chunk(&mut self, id: QueueId, at: Position, payload: &[u8]) {
        let Some(sequence) = payload.get(8..CHUNK_PREFIX_OCTETS) else { return };
        let Ok(sequence) = sequence.try_into() else { return };
        self.chunks.entry(id).or_default().insert(u32::from_le_bytes(sequence), at);
    }

    fn message(&mut self, at: Position, payload: &[u8]) {
        let Some((id, octets, count, _)) = parse_message(payload) else { return };
        let chunks = self.chunks.remove(&id).unwrap_or_default();
        let chunks: Vec<Position> = chunks.into_values().collect();
        let present: u64 =
            chunks.iter().map(|at| u64::from(at.length) - CHUNK_PREFIX_OCTETS as u64).sum();
        if chunks.len() == count as usize && present == octets {
            self.index.insert(id, octets, at, chunks);
        } else {
            self.incomplete.push(id);
        }
    }
}
