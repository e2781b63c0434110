//! The four kinds of records of the spool, octet by octet. All integers little-endian.
//!
//! Each begins with what the index needs of it, at a fixed length: that is the digest
//! which a segment's footer keeps.

use reply::Timestamp;

use crate::message::encoding::{decode_received, encode_changes, encode_received, encode_state};
use crate::{Message, QueueId, Received};

/// Kinds of records.
pub(super) mod kind {
    /// Octets of a message that is longer than one record: id, ordinal, octets.
    pub(in crate::spool) const CHUNK: u8 = 1;
    /// A whole message: id, size, arrival, chunks, held, what was received, the last octets.
    pub(in crate::spool) const MESSAGE: u8 = 2;
    /// Where all its recipients stand: id, due, held, sequence, state.
    pub(in crate::spool) const STATE: u8 = 3;
    /// Its end: id, first and last segment that may hold records of it.
    pub(in crate::spool) const GONE: u8 = 4;
    /// Where some recipients stand, the others as before: id, due, held, sequence, changes.
    pub(in crate::spool) const CHANGE: u8 = 5;
}

/// Octets before those of the message in a chunk.
pub(super) const CHUNK_HEAD_OCTETS: usize = 12;
const MESSAGE_HEAD_OCTETS: usize = 29;
/// What an envelope with a recipient or two mostly takes.
const ENVELOPE_OCTETS: usize = 256;
const STATE_HEAD_OCTETS: usize = 21;
const GONE_OCTETS: usize = 16;
/// Changes that a reader goes through at most: then all of the state is written again. For
/// a message of 1,000 recipients that are settled one by one it is written 15 times, not
/// 1,000 times.
const MAX_CHANGES: usize = 64;
/// Due never: nobody waits.
const NEVER: u64 = u64::MAX;

/// What the index needs of a record.
pub(super) fn digest(kind: u8, payload: &[u8], into: &mut Vec<u8>) {
    let octets = match kind {
        kind::CHUNK => CHUNK_HEAD_OCTETS,
        kind::MESSAGE => MESSAGE_HEAD_OCTETS,
        kind::STATE | kind::CHANGE => STATE_HEAD_OCTETS,
        kind::GONE => GONE_OCTETS,
        _ => 0,
    };
    into.extend_from_slice(payload.get(..octets).unwrap_or_default());
}

/// A record as the index sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Chunk { id: QueueId, ordinal: u32 },
    Message(MessageHead),
    State { id: QueueId, head: StateHead },
    Gone { id: QueueId, first: u32, last: u32 },
}

/// The beginning of a message's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MessageHead {
    pub(super) id: QueueId,
    pub(super) octets: u64,
    pub(super) at: u64,
    pub(super) chunks: u32,
    pub(super) held: bool,
}

/// What the index needs of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StateHead {
    /// When the message is due, as a number.
    pub(super) due: u64,
    pub(super) held: bool,
    /// Counts the states of a message: a later one counts more, wherever it stands.
    pub(super) sequence: u32,
    /// It says where all recipients stand; else it changes what those before it say.
    pub(super) is_whole: bool,
}

/// Takes fields off the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn word(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn id(&mut self) -> Option<QueueId> {
        QueueId::from_number(self.long()?)
    }

    fn flag(&mut self) -> Option<bool> {
        self.take().map(|[octet]| octet != 0)
    }
}

impl Digest {
    /// Reads a digest; `None` where it is none of ours.
    pub(super) fn parse(kind: u8, octets: &[u8]) -> Option<Digest> {
        let mut fields = Fields(octets);
        let digest = match kind {
            kind::CHUNK => Digest::Chunk { id: fields.id()?, ordinal: fields.word()? },
            kind::MESSAGE => Digest::Message(head(&mut fields)?),
            kind::STATE | kind::CHANGE => {
                let (id, due, held) = (fields.id()?, fields.long()?, fields.flag()?);
                let (sequence, is_whole) = (fields.word()?, kind == kind::STATE);
                Digest::State { id, head: StateHead { due, held, sequence, is_whole } }
            }
            kind::GONE => {
                Digest::Gone { id: fields.id()?, first: fields.word()?, last: fields.word()? }
            }
            _ => return None,
        };
        Some(digest)
    }

    /// The message that it is about.
    pub(super) fn id(&self) -> QueueId {
        match self {
            Digest::Message(head) => head.id,
            Digest::Chunk { id, .. } | Digest::State { id, .. } | Digest::Gone { id, .. } => *id,
        }
    }
}

fn head(fields: &mut Fields<'_>) -> Option<MessageHead> {
    Some(MessageHead {
        id: fields.id()?,
        octets: fields.long()?,
        at: fields.long()?,
        chunks: fields.word()?,
        held: fields.flag()?,
    })
}

/// The beginning of a chunk's payload.
pub(super) fn chunk_head(id: QueueId, ordinal: u32) -> [u8; CHUNK_HEAD_OCTETS] {
    let mut head = [0; CHUNK_HEAD_OCTETS];
    head[..8].copy_from_slice(&id.number().to_le_bytes());
    head[8..].copy_from_slice(&ordinal.to_le_bytes());
    head
}

/// The payload of a message's record, but for the octets that end it.
pub(super) fn message_head(head: &MessageHead, received: &Received) -> Vec<u8> {
    let mut out = Vec::with_capacity(MESSAGE_HEAD_OCTETS + 4 + ENVELOPE_OCTETS);
    out.extend_from_slice(&head.id.number().to_le_bytes());
    out.extend_from_slice(&head.octets.to_le_bytes());
    out.extend_from_slice(&head.at.to_le_bytes());
    out.extend_from_slice(&head.chunks.to_le_bytes());
    out.push(u8::from(head.held));
    let length = out.len();
    out.extend_from_slice(&[0; 4]);
    let begin = out.len();
    let mut out = encode_received(received, out);
    let octets = (out.len() - begin) as u32;
    out[length..begin].copy_from_slice(&octets.to_le_bytes());
    out
}

/// Reads a message's record: its head, what was received, and where in the payload the
/// octets that end the message begin.
pub(super) fn parse_message(payload: &[u8]) -> Option<(MessageHead, Received, usize)> {
    let mut fields = Fields(payload);
    let head = head(&mut fields)?;
    let octets = fields.word()? as usize;
    let received = decode_received(fields.0.get(..octets)?)?;
    Some((head, received, MESSAGE_HEAD_OCTETS + 4 + octets))
}

/// When a message is due, as its state's record says it.
pub(super) fn due_of(message: &Message) -> u64 {
    let waiting = message.recipients.iter().filter_map(|recipient| recipient.status.due());
    waiting.min().map_or(NEVER, Timestamp::as_millis)
}

/// The time in an index's `due`.
pub(super) fn due_time(due: u64) -> Option<Timestamp> {
    (due != NEVER).then_some(Timestamp::from_millis(due))
}

/// What differs between the message as it `was` and `now`, or all of the state where that
/// is little more, or where a reader went through enough `changes` already; which of the
/// two.
pub(super) fn encode_difference(was: &Message, now: &Message, changes: usize) -> (bool, Vec<u8>) {
    let count = now.recipients.len();
    let differs = |at: &usize| was.recipients.get(*at) != now.recipients.get(*at);
    let differing: Vec<usize> = (0..count).filter(differs).collect();
    let is_whole = changes >= MAX_CHANGES.min(count / 4) || 2 * differing.len() >= count;
    let state = match is_whole {
        true => encode_state(&now.hold, &now.recipients),
        false => encode_changes(&now.hold, &now.recipients, &differing),
    };
    (is_whole, state)
}

/// The head of the state that `message` is in.
pub(super) fn state_head(message: &Message, sequence: u32, is_whole: bool) -> StateHead {
    StateHead { due: due_of(message), held: message.hold.is_held(), sequence, is_whole }
}

/// The kind of record that a state is.
pub(super) fn state_kind(head: &StateHead) -> u8 {
    if head.is_whole { kind::STATE } else { kind::CHANGE }
}

/// The beginning of a state's record.
pub(super) fn encode_state_head(id: QueueId, head: &StateHead) -> [u8; STATE_HEAD_OCTETS] {
    let mut out = [0; STATE_HEAD_OCTETS];
    out[..8].copy_from_slice(&id.number().to_le_bytes());
    out[8..16].copy_from_slice(&head.due.to_le_bytes());
    out[16] = u8::from(head.held);
    out[17..].copy_from_slice(&head.sequence.to_le_bytes());
    out
}

/// The state, or the changes, in the payload of a state's record.
pub(super) fn state_of(payload: &[u8]) -> Option<&[u8]> {
    payload.get(STATE_HEAD_OCTETS..)
}

/// The payload of the record of a message's end.
pub(super) fn gone(id: QueueId, first: u32, last: u32) -> [u8; GONE_OCTETS] {
    let mut out = [0; GONE_OCTETS];
    out[..8].copy_from_slice(&id.number().to_le_bytes());
    out[8..12].copy_from_slice(&first.to_le_bytes());
    out[12..].copy_from_slice(&last.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_end_of_a_message_is_read_back_from_its_digest() {
        let id = QueueId::from_number(77).unwrap();
        let mut digested = Vec::new();
        digest(kind::GONE, &gone(id, 3, 9), &mut digested);
        let expected = Digest::Gone { id, first: 3, last: 9 };
        assert_eq!(Digest::parse(kind::GONE, &digested), Some(expected));
        assert_eq!(Digest::parse(kind::GONE, &digested[1..]), None);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic(kind: u8, octets: Vec<u8>) {
            let mut digested = Vec::new();
            digest(kind, &octets, &mut digested);
            let _ = Digest::parse(kind, &digested);
            let _ = parse_message(&octets);
            let _ = state_of(&octets);
        }
    }
}
