//! Spare segments: made and zeroed ahead, kept as a reserve, recycled.
//!
//! One spare is the reserve: only what frees space in the end may take it. Zeros are
//! really written, because a file system must note the first write to space that was only
//! reserved, and that note would have to be synced with every batch. Where the background
//! was too slow, a segment is begun on space that is only reserved: slower, and as safe.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::segment;
use super::{Log, LogError, Shared};
use crate::disk::{Disk, DiskFile};

/// The smallest segment that is made where the disk is nearly full.
const MIN_SEGMENT_OCTETS: u64 = 1 << 20;
/// A segment takes at most this part of what is free: two must fit at the first start.
const SHARE_OF_FREE: u64 = 4;
/// Zeros are written and synced in pieces, so that a batch does not wait behind them.
const ZEROS_OCTETS: usize = 1 << 20;
/// Spares that are made ahead: the reserve, and the next segment.
const AHEAD: usize = 2;
/// Spares that are kept when segments are freed; what is more goes back to the disk.
const KEPT: usize = 4;

/// A file that can become a segment.
#[derive(Debug)]
pub(super) struct Spare<D: Disk> {
    pub(super) name: String,
    pub(super) file: D::File,
    pub(super) capacity: u32,
}

impl<D: Disk> Spare<D> {
    fn is_zeroed(&self) -> bool {
        !self.name.starts_with(RAW)
    }
}

/// What the name of a spare begins with: with space that was written before, and with
/// space that is only reserved.
const WRITTEN: &str = "spare-";
const RAW: &str = "raw-";

/// The number in a spare's file name.
pub(super) fn spare_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(WRITTEN).or_else(|| name.strip_prefix(RAW))?;
    (digits.len() == 8).then(|| u32::from_str_radix(digits, 16).ok())?
}

impl<D: Disk> Log<D> {
    /// Makes and zeroes the spares that are wanted ahead. To be called in the background:
    /// it writes up to two segments of zeros, and holds up no submitter.
    ///
    /// # Errors
    /// `Full` where there is no space, or what else the disk says.
    pub fn prepare(&self) -> Result<(), LogError> {
        self.refill(&mut self.shared(), AHEAD, false)?;
        loop {
            // It is nobody's while zeros are written to it.
            let raw = {
                let mut shared = self.shared();
                let raw = shared.spares.iter().position(|spare| !spare.is_zeroed());
                // The reserve stays where submitters can find it.
                let spared = raw.filter(|_| shared.spares.len() >= AHEAD);
                let Some(raw) = spared else { return Ok(()) };
                shared.spares.remove(raw)
            };
            let zeroed = self.zeroed(raw).map_err(|error| LogError::of(&error))?;
            self.shared().spares.push(zeroed);
        }
    }

    /// Makes spares until there are `wanted`: quickly, for a submitter may wait. With
    /// `patient` a disk that was full is not asked again.
    pub(super) fn refill(
        &self,
        shared: &mut Shared<D>,
        wanted: usize,
        patient: bool,
    ) -> Result<(), LogError> {
        while shared.spares.len() < wanted {
            if shared.is_full && patient {
                return Err(LogError::Full);
            }
            shared.next_spare += 1;
            let made = self.make_spare(shared.next_spare);
            shared.is_full = made.as_ref().is_err_and(crate::disk::is_full);
            shared.spares.push(made.map_err(|error| LogError::of(&error))?);
        }
        shared.is_full = false;
        Ok(())
    }

    fn make_spare(&self, number: u32) -> io::Result<Spare<D>> {
        let disk = &self.0.disk;
        let wanted = u64::from(self.0.options.segment_octets);
        let least = MIN_SEGMENT_OCTETS.min(wanted);
        let share = disk.free_octets()? / SHARE_OF_FREE / least * least;
        let capacity = share.clamp(least, wanted) as u32;
        let name = format!("{RAW}{number:08x}");
        let file = disk.create(&name)?;
        let made = file.allocate(u64::from(capacity)).and_then(|()| file.sync_data());
        if let Err(error) = made.and_then(|()| disk.sync_dir()) {
            // What cannot be removed now is found and removed at the next start.
            let _ = disk.remove(&name);
            return Err(error);
        }
        Ok(Spare { name, file, capacity })
    }

    /// Writes zeros over a spare that nobody else knows of.
    fn zeroed(&self, raw: Spare<D>) -> io::Result<Spare<D>> {
        let disk = &self.0.disk;
        let name = raw.name.replace(RAW, WRITTEN);
        let zeroed = zero(&raw.file, raw.capacity).and_then(|()| disk.rename(&raw.name, &name));
        if let Err(error) = zeroed {
            let _ = disk.remove(&raw.name);
            return Err(error);
        }
        Ok(Spare { name, ..raw })
    }

    /// The segment `number` holds nothing that is needed: its file becomes a spare, or
    /// goes. What points to it must be durably gone before. A damaged one is set aside as
    /// `damaged-…` for a person to look at. Returns when its name is durably gone.
    ///
    /// # Errors
    /// `Busy` until a later segment is on disk: numbers and the watermark must not begin
    /// anew. Else what the disk says.
    pub fn free(&self, number: u32) -> Result<(), LogError> {
        let (segment, keep, spare) = {
            let mut shared = self.shared();
            let Some(segment) = shared.segments.get(&number).cloned() else { return Ok(()) };
            let mut later = shared.segments.range(number + 1..);
            if !later.any(|(_, later)| later.begun.load(Ordering::Acquire)) {
                return Err(LogError::Busy);
            }
            shared.next_spare += 1;
            let cut = shared.cuts.contains_key(&number);
            // Two owners: the map and this function. More: somebody reads it.
            let keep = !cut && shared.spares.len() < KEPT && Arc::strong_count(&segment) == 2;
            (segment, keep, format!("{WRITTEN}{:08x}", shared.next_spare))
        };
        let freed = self.give_back(&segment, keep, &spare);
        freed.map_err(|error| LogError::of(&error))?;
        let mut shared = self.shared();
        shared.segments.remove(&number);
        shared.cuts.remove(&number);
        shared.is_full = false;
        let whole = keep && !segment.is_damaged();
        if let (true, Ok(segment)) = (whole, Arc::try_unwrap(segment)) {
            let (file, capacity) = (segment.file, segment.capacity);
            shared.spares.push(Spare { name: spare, file, capacity });
        }
        Ok(())
    }

    fn give_back(&self, segment: &segment::Segment<D>, keep: bool, spare: &str) -> io::Result<()> {
        let disk = &self.0.disk;
        let name = segment::name_of(segment.number);
        if segment.is_damaged() {
            disk.rename(&name, &format!("damaged-{:08x}", segment.number))?;
        } else if keep {
            disk.rename(&name, spare)?;
        } else {
            disk.remove(&name)?;
        }
        disk.sync_dir()
    }

    /// Marks a segment in which damage was found: it is set aside, not recycled.
    pub fn mark_damaged(&self, number: u32) {
        if let Some(segment) = self.shared().segments.get(&number) {
            segment.damaged.store(true, Ordering::Relaxed);
        }
    }

    /// Octets of all segments and spares on disk.
    pub fn octets_on_disk(&self) -> u64 {
        let shared = self.shared();
        let segments = shared.segments.values().map(|segment| u64::from(segment.capacity));
        let spares = shared.spares.iter().map(|spare| u64::from(spare.capacity));
        segments.chain(spares).sum()
    }
}

fn zero<F: DiskFile>(file: &F, capacity: u32) -> io::Result<()> {
    let zeros = vec![0; ZEROS_OCTETS.min(capacity as usize)];
    let mut offset = 0;
    while offset < capacity as usize {
        let piece = zeros.len().min(capacity as usize - offset);
        file.write_all_at(offset as u64, &zeros[..piece])?;
        file.sync_data()?;
        offset += piece;
    }
    Ok(())
}
