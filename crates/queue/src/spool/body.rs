//! Reading the data of a message.

use std::fmt;

use store::Disk;
use store::log::Place;

use super::draft::octets_in;
use super::records::{self, CHUNK_HEAD_OCTETS, kind};
use super::{Spool, SpoolError};
use crate::QueueId;

/// The data of one message, read piece by piece. It holds one piece in memory, and stays
/// readable while the message's records are moved.
pub struct Body<D: Disk> {
    spool: Spool<D>,
    id: QueueId,
    octets: u64,
    /// Where each chunk begins in the data; the last begins what the message's own record
    /// holds.
    starts: Vec<u64>,
    /// The piece that was read last, by its index in `starts`.
    held: Option<(usize, Vec<u8>)>,
}

impl<D: Disk> fmt::Debug for Body<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({}, {} octets)", self.id, self.octets)
    }
}

impl<D: Disk> Body<D> {
    pub(super) fn open(spool: Spool<D>, id: QueueId) -> Result<Body<D>, SpoolError> {
        let standing = spool.index().standing(id).ok_or(SpoolError::NotFound(id))?;
        let (octets, tail) = tail(&spool, id)?;
        let mut starts = vec![0];
        let mut end = 0;
        for chunk in &standing.chunks {
            end += octets_in(*chunk);
            starts.push(end);
        }
        let held = Some((starts.len() - 1, tail));
        Ok(Body { spool, id, octets, starts, held })
    }

    /// Octets of the data.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Reads at `offset` of the data, at most to the end of a piece; how many octets, 0 at
    /// the end.
    ///
    /// # Errors
    /// Where a record cannot be read or is damaged: its file and offset. `NotFound` where
    /// the message left the queue.
    pub fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, SpoolError> {
        if offset >= self.octets {
            return Ok(0);
        }
        let index = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let within = (offset - self.starts[index]) as usize;
        let piece = self.piece(index)?;
        let rest = piece.get(within..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    /// All of the data. For messages that are known to be small.
    ///
    /// # Errors
    /// As [`Body::read_at`].
    pub fn read_all(&mut self) -> Result<Vec<u8>, SpoolError> {
        let mut all = Vec::new();
        for index in 0..self.starts.len() {
            all.extend_from_slice(self.piece(index)?);
        }
        Ok(all)
    }

    fn piece(&mut self, index: usize) -> Result<&[u8], SpoolError> {
        if self.held.as_ref().is_none_or(|(held, _)| *held != index) {
            let octets = if index + 1 == self.starts.len() {
                tail(&self.spool, self.id)?.1
            } else {
                chunk(&self.spool, self.id, index)?
            };
            self.held = Some((index, octets));
        }
        Ok(self.held.as_ref().map(|(_, octets)| octets.as_slice()).unwrap_or_default())
    }
}

/// The size of the data, and those octets that stand in the message's own record.
fn tail<D: Disk>(spool: &Spool<D>, id: QueueId) -> Result<(u64, Vec<u8>), SpoolError> {
    spool.retrying(id, |standing| {
        let mut record = spool.0.log.read(standing.message, kind::MESSAGE)?;
        let parsed = records::parse_message(&record);
        let (head, _, at) = parsed.ok_or_else(|| spool.damaged(standing.message))?;
        record.drain(..at.min(record.len()));
        Ok((head.octets, record))
    })
}

fn chunk<D: Disk>(spool: &Spool<D>, id: QueueId, index: usize) -> Result<Vec<u8>, SpoolError> {
    spool.retrying(id, |standing| {
        let place = standing.chunks.get(index).copied();
        let place: Place = place.ok_or_else(|| spool.damaged(standing.message))?;
        let mut record = spool.0.log.read(place, kind::CHUNK)?;
        record.drain(..CHUNK_HEAD_OCTETS.min(record.len()));
        Ok(record)
    })
}
