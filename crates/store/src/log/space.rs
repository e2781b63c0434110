//! Spare segments: made and zeroed ahead, kept as a reserve, recycled.
//!
//! A part of the spares is the reserve: only what frees space in the end may take it.
//! Zeros are really written, because a file system must note the first write to space that
//! was only reserved, and that note would have to be synced with every batch. Where the
//! background was too slow, a segment is begun on space that is only reserved: slower, and
//! as safe.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::blocks::Buffer;
use super::segment::{self, Segment};
use super::{Class, Log, LogError, Shared};
use crate::disk::{Disk, DiskFile, refuses_blocks};

/// The smallest segment that is made where the disk is nearly full.
const MIN_SEGMENT_OCTETS: u64 = 1 << 20;
/// A segment takes at most this part of what is free, so that a small disk has several:
/// only a whole one can be given back.
const SHARE_OF_FREE: u64 = 8;
/// The reserve is this part of the log, and at least one spare. The end of a message of
/// 4 KiB takes 1/66 of its own octets, and half of a segment's messages have to end before
/// it is emptied.
const SHARE_IN_RESERVE: u64 = 16;
/// Zeros are written and synced in pieces, so that a batch does not wait behind them.
const ZEROS_OCTETS: usize = 1 << 20;
/// Spares that are made ahead at least: the reserve, and the next segment.
const AHEAD: usize = 2;
/// Spares that are kept when segments are freed; what is more, and not in the reserve,
/// goes back to the disk.
const KEPT: usize = 4;
/// So many are kept where all spares together are a small part of what is free: a burst
/// like the last one then writes no zeros.
const KEPT_OF_MUCH: usize = 64;
const SHARE_OF_MUCH: u64 = 16;

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

/// Octets that are kept for what frees space, where segments take so many.
fn reserve(segment_octets: u64) -> u64 {
    (segment_octets / SHARE_IN_RESERVE).max(1)
}

impl<D: Disk> Shared<D> {
    fn spare_octets(&self) -> u64 {
        self.spares.iter().map(|spare| u64::from(spare.capacity)).sum()
    }

    /// Whether the reserve is whole.
    pub(super) fn has_reserve(&self) -> bool {
        self.spare_octets() >= reserve(self.segment_octets)
    }

    /// The spare that becomes a segment for a record that takes `wanted` octets; `None`
    /// where there is none for this class.
    pub(super) fn spare_for(&self, wanted: usize, class: Class) -> Option<usize> {
        let spare_octets = self.spare_octets();
        self.spares.iter().rposition(|spare| {
            let capacity = u64::from(spare.capacity);
            let reserved = reserve(self.segment_octets + capacity);
            let is_beyond = spare_octets - capacity >= reserved;
            spare.capacity as usize >= wanted && (is_beyond || class == Class::Reserve)
        })
    }

    /// Octets that can still be written without asking the disk for space.
    fn room(&self) -> u64 {
        let active = self.active.as_ref();
        let left = active.map_or(0, |active| u64::from(active.segment.capacity - active.end));
        left + self.spare_octets()
    }
}

impl<D: Disk> Log<D> {
    /// Makes and zeroes the spares that are wanted ahead. To be called in the background:
    /// it writes segments of zeros, and holds up no submitter.
    ///
    /// # Errors
    /// `Full` where there is no space, or what else the disk says.
    pub fn prepare(&self) -> Result<(), LogError> {
        while let Some(number) = self.next_wanted() {
            let made = self.make_spare(number);
            let mut shared = self.shared();
            shared.is_full = made.as_ref().is_err_and(crate::disk::is_full);
            shared.spares.push(made.map_err(|error| LogError::of(&error))?);
        }
        loop {
            // It is nobody's while zeros are written to it.
            let Some(raw) = self.take_raw() else { return Ok(()) };
            let zeroed = self.zeroed(raw).map_err(|error| LogError::of(&error))?;
            self.shared().spares.push(zeroed);
        }
    }

    /// The number of a spare to be made, where one is wanted.
    fn next_wanted(&self) -> Option<u32> {
        let mut shared = self.shared();
        let enough = shared.spares.len() >= AHEAD;
        if enough && shared.spare_for(0, Class::Ordinary).is_some() {
            shared.is_full = false;
            return None;
        }
        shared.next_spare += 1;
        Some(shared.next_spare)
    }

    /// A spare without zeros. The reserve stays where submitters can find it.
    fn take_raw(&self) -> Option<Spare<D>> {
        let mut shared = self.shared();
        let raw = shared.spares.iter().position(|spare| !spare.is_zeroed())?;
        shared.spare_for(0, Class::Ordinary)?;
        Some(shared.spares.remove(raw))
    }

    /// Makes spares until `is_enough`: quickly, for a submitter waits. A disk that was
    /// full is not asked again; [`Log::prepare`] does that.
    pub(super) fn refill(
        &self,
        shared: &mut Shared<D>,
        wanted: usize,
        is_enough: impl Fn(&Shared<D>) -> bool,
    ) -> Result<(), LogError> {
        while !is_enough(shared) {
            if shared.is_full {
                return Err(LogError::Full);
            }
            shared.next_spare += 1;
            let made = self.make_spare(shared.next_spare);
            let is_small = made.as_ref().is_ok_and(|spare| (spare.capacity as usize) < wanted);
            shared.is_full = is_small || made.as_ref().is_err_and(crate::disk::is_full);
            shared.spares.push(made.map_err(|error| LogError::of(&error))?);
        }
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
            // What cannot be removed now is found at the next start.
            let _ = disk.remove(&name);
            return Err(error);
        }
        Ok(Spare { name, file, capacity })
    }

    /// Octets that can still be written without asking the disk for space: what is left
    /// of the active segment, and all spares.
    pub fn room(&self) -> u64 {
        self.shared().room()
    }

    /// Writes zeros over a spare that nobody else knows of.
    fn zeroed(&self, raw: Spare<D>) -> io::Result<Spare<D>> {
        let disk = &self.0.disk;
        let name = raw.name.replace(RAW, WRITTEN);
        let zeroed = self.zero_all(&raw).and_then(|()| disk.rename(&raw.name, &name));
        if let Err(error) = zeroed {
            let _ = disk.remove(&raw.name);
            return Err(error);
        }
        Ok(Spare { name, ..raw })
    }

    /// Around the system's cache where that is possible: nobody will read them.
    fn zero_all(&self, raw: &Spare<D>) -> io::Result<()> {
        if let Ok(Some(file)) = self.0.disk.open_for_blocks(&raw.name) {
            match zero(&file, 0..raw.capacity) {
                Err(error) if refuses_blocks(&error) => {}
                other => return other,
            }
        }
        zero(&raw.file, 0..raw.capacity)
    }

    /// The segment `number` holds nothing that is needed: its file becomes a spare, or
    /// goes. What points to it must be durably gone before. A damaged one is set aside as
    /// `damaged-…` for a person to look at. Returns when its name is durably gone; after
    /// an error it can be called again.
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
            let wanted = self.keeps_another(&shared) || !shared.has_reserve();
            let keep = !cut && wanted && Arc::strong_count(&segment) == 2;
            (segment, keep, format!("{WRITTEN}{:08x}", shared.next_spare))
        };
        let freed = self.give_back(&segment, keep, spare);
        freed.map_err(|error| LogError::of(&error))?;
        let mut shared = self.shared();
        shared.remove_segment(number);
        shared.cuts.remove(&number);
        shared.is_full = false;
        self.recycle(&mut shared, segment);
        Ok(())
    }

    fn keeps_another(&self, shared: &Shared<D>) -> bool {
        let spares = shared.spares.len();
        spares < KEPT || (spares < KEPT_OF_MUCH && self.has_much_free(shared))
    }

    fn has_much_free(&self, shared: &Shared<D>) -> bool {
        let free = self.0.disk.free_octets().unwrap_or(0);
        shared.spare_octets() <= free / SHARE_OF_MUCH
    }

    /// Takes the segment's name away, once, and makes that durable.
    fn give_back(&self, segment: &Segment<D>, keep: bool, spare: String) -> io::Result<()> {
        let disk = &self.0.disk;
        if segment.given_back.get().is_none() {
            let name = segment::name_of(segment.number);
            let damaged = format!("damaged-{:08x}", segment.number);
            let to = if segment.is_damaged() { Some(damaged) } else { keep.then_some(spare) };
            match &to {
                Some(to) => disk.rename(&name, to)?,
                None => disk.remove(&name)?,
            }
            // Nobody else sets it: upkeep frees one segment at a time.
            let _ = segment.given_back.set(to);
        }
        disk.sync_dir()
    }

    /// Makes the file of a segment that was given back a spare. One that somebody still
    /// reads cannot be written to: it goes when the reader lets go.
    fn recycle(&self, shared: &mut Shared<D>, segment: Arc<Segment<D>>) {
        let name = segment.given_back.get().cloned().flatten();
        let Some(name) = name.filter(|name| spare_number(name).is_some()) else { return };
        match Arc::try_unwrap(segment) {
            Ok(Segment { file, capacity, .. }) => {
                shared.spares.push(Spare { name, file, capacity });
            }
            // Where that fails, the next start finds it.
            Err(_) => drop(self.0.disk.remove(&name)),
        }
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
        shared.segment_octets + shared.spare_octets()
    }
}

/// Writes zeros there, and syncs them.
pub(super) fn zero<F: DiskFile>(file: &F, places: Range<u32>) -> io::Result<()> {
    let zeros = Buffer::zeros(ZEROS_OCTETS.min(places.len()));
    let mut offset = places.start as usize;
    while offset < places.end as usize {
        let piece = zeros.len().min(places.end as usize - offset);
        file.write_all_at(offset as u64, &zeros.octets()[..piece])?;
        file.sync_data()?;
        offset += piece;
    }
    Ok(())
}
