//! Going on in the last segment of a former life, where the disk is full and no spare is
//! left: what frees space in the end has nowhere else to go.
//!
//! What stood behind its records is zeroed before anything is written there, the trailer
//! first: else a footer that lists too little would be believed, or a torn record of the
//! former life stand behind the new ones.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::segment::{self, SEGMENT_HEADER_OCTETS, Segment};
use super::{Active, Log, LogError, Shared, fits, recover, space};
use crate::disk::Disk;

impl<D: Disk> Log<D> {
    /// Makes the last segment the active one again, where it has room; tried once for a
    /// segment, since all of it is read.
    ///
    /// # Errors
    /// `Full` where a record of `octets` does not fit, or what the disk says.
    pub(super) fn resume(&self, shared: &mut Shared<D>, octets: usize) -> Result<(), LogError> {
        let segment = shared.resumable().ok_or(LogError::Full)?;
        let number = segment.number;
        let active = self.reopened(segment).map_err(|error| LogError::of(&error))?;
        shared.taken_up = Some(number);
        let active = shared.active.insert(active.ok_or(LogError::Full)?);
        if fits(active, octets) { Ok(()) } else { Err(LogError::Full) }
    }

    /// The segment as it was when its last record was written; `None` where it has none, or
    /// holes, or no room.
    fn reopened(&self, segment: Arc<Segment<D>>) -> io::Result<Option<Active<D>>> {
        let scan = recover::scan(&segment, self.0.salt, None, self.0.options.digest)?;
        let is_whole = scan.holes.is_empty() && !scan.listing.is_empty();
        let active = Active { end: scan.end, listing: scan.listing, segment };
        if !is_whole || !fits(&active, 0) {
            return Ok(None);
        }
        let Segment { file, capacity, .. } = &*active.segment;
        for from in [capacity - segment::TRAILER_OCTETS as u32, active.end] {
            space::zero(file, from..*capacity)?;
        }
        Ok(Some(active))
    }
}

impl<D: Disk> Shared<D> {
    /// The last segment, where all of it is trusted and nobody writes to it.
    fn resumable(&self) -> Option<Arc<Segment<D>>> {
        let (number, segment) = self.segments.last_key_value()?;
        let is_sound = segment.begun.load(Ordering::Acquire)
            && !segment.is_damaged()
            && segment.capacity as usize > SEGMENT_HEADER_OCTETS + segment::TRAILER_OCTETS;
        let is_idle = self.active.is_none() && self.queue.is_empty() && self.writing.is_none();
        let is_whole = !self.cuts.contains_key(number) && self.taken_up != Some(*number);
        (is_sound && is_idle && is_whole && segment.given_back.get().is_none())
            .then(|| Arc::clone(segment))
    }
}
