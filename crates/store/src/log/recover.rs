//! Opening a log again: what stands in the segments, what was torn, what is damaged.
//!
//! A sealed segment is known by its footer. Any other is scanned record by record: where
//! octets are no record, the scan goes on at the next place that is one. A hole before
//! the last batch is damage, because a batch is written only when all before it is
//! synced; a hole in the last batch is a write that was torn, and nobody was told of it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex};

use super::record::{self, ALIGNMENT, HEADER_OCTETS, Spot};
use super::segment::{self, FOOTER_KIND, Footer, SEGMENT_HEADER_OCTETS, Segment, SegmentHeader};
use super::space::{Spare, spare_number};
use super::{
    Company, Digest, Entry, Inner, Listing, Log, Options, Pen, Place, Shared, Solitude, Writer,
};
use crate::disk::{Disk, DiskFile};

/// A file that is not longer than this is no segment.
const LEAST_OCTETS: usize = SEGMENT_HEADER_OCTETS + segment::TRAILER_OCTETS;
/// Holds the log's salt, so that it outlives a damaged header.
const SALT_NAME: &str = "salt";

/// Octets that should be records and are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: String,
    /// Where they begin.
    pub offset: u32,
    /// How many.
    pub octets: u32,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} octets at {} are damaged", self.path, self.octets, self.offset)
    }
}

/// What opening a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments that hold records.
    pub segments: usize,
    /// Of these, the ones without a footer: read record by record.
    pub scanned: usize,
    /// Records.
    pub records: usize,
    /// What was synced once and cannot be read: set aside.
    pub damaged: Vec<Damage>,
    /// What was being written when the last process ended, and was not synced: cut.
    pub torn: Vec<Damage>,
    /// Segment and offset where the first of these begins. No record that begins behind it
    /// was ever synced.
    pub torn_from: Option<(u32, u32)>,
}

/// Why a log cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it; names the path.
    Held(String),
    /// The operating system's error, with the path.
    Io(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Held(what) => f.write_str(what),
            OpenError::Io(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> OpenError {
        if error.kind() == io::ErrorKind::WouldBlock {
            OpenError::Held(error.to_string())
        } else {
            OpenError::Io(error)
        }
    }
}

impl<D: Disk> Log<D> {
    /// Opens the log on `disk`, or begins it. `replay` sees every record, oldest place
    /// first; a record that was moved may be seen at both places.
    pub fn open(
        disk: D,
        options: Options,
        replay: &mut dyn FnMut(Entry<'_>),
    ) -> Result<(Log<D>, Writer<D>, Recovery), OpenError> {
        let lock = disk.lock()?;
        let mut found = Found::read(&disk, options.read_only)?;
        let mut recovery = Recovery::default();
        let mut blank: Vec<u32> = Vec::new();
        let last = found.segments.keys().last().copied();
        for segment in found.segments.values() {
            let listing = found.listing(&disk, segment, &options, &mut recovery)?;
            for entry in &listing {
                recovery.records += 1;
                replay(entry);
            }
            recovery.segments += usize::from(!listing.is_empty());
            if listing.is_empty() && !segment.is_damaged() {
                blank.push(segment.number);
            }
        }
        let next_number = last.map_or(1, |last| last + 1);
        let watermark = found.watermark;
        let shared = found.take_shared(next_number);
        let log = Log(Arc::new(Inner {
            disk,
            options,
            salt: found.salt,
            watermark: watermark.into(),
            shared: Mutex::new(shared),
            work: Condvar::new(),
            room: Condvar::new(),
            _lock: lock,
        }));
        if options.read_only {
            log.close();
        } else {
            blank.into_iter().for_each(|number| drop(log.free(number)));
        }
        let writer = Writer::new(log.clone());
        Ok((log, writer, recovery))
    }
}

/// What is in the directory.
struct Found<D: Disk> {
    salt: u64,
    watermark: u64,
    /// The last segment with a header, from which on nothing proves that what was written
    /// last is synced: a header is written when all before it is, or says where it is cut.
    unproven_from: u32,
    cuts: BTreeMap<u32, u32>,
    segments: BTreeMap<u32, Arc<Segment<D>>>,
    spares: Vec<Spare<D>>,
    next_spare: u32,
}

impl<D: Disk> Found<D> {
    fn read(disk: &D, read_only: bool) -> io::Result<Found<D>> {
        let mut found = Found {
            salt: 0,
            watermark: 0,
            unproven_from: 0,
            cuts: BTreeMap::new(),
            segments: BTreeMap::new(),
            spares: Vec::new(),
            next_spare: 0,
        };
        let mut salt = read_salt(disk)?;
        for name in disk.list()? {
            if let Some(number) = segment::number_of(&name) {
                let header = found.add_segment(disk, &name, number)?;
                salt = salt.or(header.map(|header| header.salt));
            } else if let Some(number) = spare_number(&name) {
                found.next_spare = found.next_spare.max(number);
                found.add_spare(disk, name, read_only)?;
            }
        }
        found.salt = match salt {
            Some(salt) => salt,
            None if read_only => 0,
            None => write_salt(disk)?,
        };
        found.cuts.retain(|number, _| found.segments.contains_key(number));
        Ok(found)
    }

    fn add_segment(
        &mut self,
        disk: &D,
        name: &str,
        number: u32,
    ) -> io::Result<Option<SegmentHeader>> {
        let file = disk.open(name)?;
        let mut octets = [0; SEGMENT_HEADER_OCTETS];
        file.read_full_at(0, &mut octets).map_err(|error| naming(disk, name, error))?;
        let header = SegmentHeader::decode(&octets).filter(|header| header.number == number);
        let capacity = u32::try_from(file.octets()?).unwrap_or(u32::MAX);
        let segment = match &header {
            Some(header) => Segment::begun(header, capacity, file),
            None => Segment::new(number, capacity, file),
        };
        self.segments.insert(number, Arc::new(segment));
        if let Some(header) = &header {
            self.unproven_from = self.unproven_from.max(number);
            self.watermark = self.watermark.max(header.watermark);
            self.cuts.extend(&header.cuts);
        }
        Ok(header)
    }

    /// A spare that was not yet whole, or cannot be used, is removed.
    fn add_spare(&mut self, disk: &D, name: String, read_only: bool) -> io::Result<()> {
        let file = disk.open(&name)?;
        let capacity = u32::try_from(file.octets()?).unwrap_or(0);
        if capacity as usize > 2 * SEGMENT_HEADER_OCTETS {
            self.spares.push(Spare { name, file, capacity });
            return Ok(());
        }
        if read_only { Ok(()) } else { disk.remove(&name) }
    }

    fn take_shared(&mut self, next_number: u32) -> Shared<D> {
        Shared {
            active: None,
            queue: Default::default(),
            writing: None,
            segment_octets: self.segments.values().map(|s| u64::from(s.capacity)).sum(),
            segments: std::mem::take(&mut self.segments),
            cuts: std::mem::take(&mut self.cuts),
            spares: std::mem::take(&mut self.spares),
            next_number,
            next_spare: self.next_spare,
            taken_up: None,
            in_flight: 0,
            generation: 0,
            is_full: false,
            closed: false,
            pen: Some(Pen::default()),
            leading: None,
            solitude: Solitude::default(),
            company: Company::default(),
            asleep_until: None,
            want_room: 0,
            idle: Vec::new(),
            digest: Vec::new(),
        }
    }

    /// The records of a segment: from its footer, or else by reading it all, after which
    /// the last one gets a footer.
    fn listing(
        &self,
        disk: &D,
        segment: &Segment<D>,
        options: &Options,
        recovery: &mut Recovery,
    ) -> io::Result<Listing> {
        let cut = self.cuts.get(&segment.number).copied();
        let unproven = segment.number >= self.unproven_from && cut.is_none();
        let name = segment::name_of(segment.number);
        let named = |error: io::Error| naming(disk, &name, error);
        let footer = segment::read_footer(segment, self.salt).map_err(named)?;
        if let Some(footer) = footer.filter(|_| cut.is_none() && segment.missing == 0)
            && (!unproven || self.settle_sealed(segment, &footer, options).map_err(named)?)
        {
            return Ok(footer.listing);
        }
        recovery.scanned += 1;
        let scan = scan(segment, self.salt, cut, options.digest).map_err(named)?;
        let path = disk.path_of(&name);
        let header = self.header_hole(segment, unproven, cut);
        for hole in header.into_iter().chain(scan.holes.iter().copied()).chain(cut_off(segment)) {
            let is_there = hole.start < segment.capacity;
            if unproven && is_there && hole.start >= scan.last_batch.max(1) {
                recovery.torn.push(hole.damage(&path));
                let from = (segment.number, hole.start);
                recovery.torn_from = Some(recovery.torn_from.unwrap_or(from).min(from));
            } else {
                segment.damaged.store(true, Ordering::Relaxed);
                recovery.damaged.push(hole.damage(&path));
            }
        }
        if unproven && !options.read_only && segment.capacity as usize > LEAST_OCTETS {
            self.settle(segment, &scan).map_err(named)?;
        }
        Ok(scan.listing)
    }

    /// The header, where it is not whole and must have been: the last segment may be one
    /// that was not begun yet, and so may one that was cut at once.
    fn header_hole(&self, segment: &Segment<D>, unproven: bool, cut: Option<u32>) -> Option<Hole> {
        let is_begun = segment.begun.load(Ordering::Relaxed);
        let is_file = segment.capacity as usize > LEAST_OCTETS;
        let may_be_blank = cut.is_some() || (unproven && is_file);
        let end = segment.capacity.min(SEGMENT_HEADER_OCTETS as u32);
        (!is_begun && !may_be_blank).then_some(Hole { start: 0, end })
    }

    /// Makes the last segment of a process that did not end cleanly as good as any other:
    /// header and last batch are written again, because what is read may be in memory
    /// alone (after a failed sync the system forgets that it is not on disk), and a footer
    /// ends it.
    fn settle(&self, segment: &Segment<D>, scan: &Scan) -> io::Result<()> {
        let file = &segment.file;
        let is_begun = segment.begun.load(Ordering::Relaxed);
        let header = scan.content.first_chunk().filter(|_| is_begun);
        let header = header.copied().unwrap_or_else(|| self.header_of(segment).encode());
        file.write_all_at(0, &header)?;
        let tail = scan.listing.iter().filter(|entry| entry.place.offset >= scan.last_batch);
        for entry in tail {
            let start = entry.place.offset as usize;
            let end = start + HEADER_OCTETS + entry.place.octets as usize;
            let octets = scan.content.get(start..end).unwrap_or_default();
            file.write_all_at(start as u64, octets)?;
        }
        file.sync_data()?;
        segment.begun.store(true, Ordering::Relaxed);
        if segment.is_damaged() { Ok(()) } else { self.write_footer(segment, scan) }
    }

    /// The same for a last segment that has a footer. `false` where not all records are
    /// there that were written with it: the power may have gone before that batch was
    /// synced.
    fn settle_sealed(
        &self,
        segment: &Segment<D>,
        footer: &Footer,
        options: &Options,
    ) -> io::Result<bool> {
        let rewrite = |from: u64, octets: &[u8]| {
            if options.read_only { Ok(()) } else { segment.file.write_all_at(from, octets) }
        };
        let places = footer.listing.iter().map(|entry| entry.place);
        let batch = places.filter(|place| place.offset >= footer.batch).chain([footer.place]);
        for place in batch {
            let Some(octets) = self.whole_record(segment, place)? else { return Ok(false) };
            rewrite(u64::from(place.offset), &octets)?;
        }
        let trailer = u64::from(segment.capacity) - segment::TRAILER_OCTETS as u64;
        for (from, count) in [(0, SEGMENT_HEADER_OCTETS), (trailer, segment::TRAILER_OCTETS)] {
            let mut octets = vec![0; count];
            segment.file.read_full_at(from, &mut octets)?;
            rewrite(from, &octets)?;
        }
        if !options.read_only {
            segment.file.sync_data()?;
        }
        Ok(segment.begun.load(Ordering::Relaxed))
    }

    /// The octets of a record, where header and payload are sound.
    fn whole_record(&self, segment: &Segment<D>, place: Place) -> io::Result<Option<Vec<u8>>> {
        let mut octets = vec![0; HEADER_OCTETS + place.octets as usize];
        segment.file.read_full_at(u64::from(place.offset), &mut octets)?;
        let spot = Spot { salt: self.salt, segment: segment.number, offset: place.offset };
        let header = record::decode(&octets, spot);
        let sum = crc32c::crc32c(&octets[HEADER_OCTETS..]);
        let is_whole = header.is_some_and(|header| header.payload_checksum == sum);
        Ok(is_whole.then_some(octets))
    }

    fn header_of(&self, segment: &Segment<D>) -> SegmentHeader {
        SegmentHeader {
            number: segment.number,
            capacity: segment.capacity,
            salt: self.salt,
            watermark: self.watermark,
            cuts: self.cuts.clone(),
        }
    }

    fn write_footer(&self, segment: &Segment<D>, scan: &Scan) -> io::Result<()> {
        let footer = scan.listing.octets();
        let (number, capacity) = (segment.number, segment.capacity as usize);
        if scan.end as usize + segment::footer_size(footer.len()) > capacity {
            return Ok(());
        }
        let record = segment::footer_record(footer, self.salt, number, scan.end, scan.last_batch);
        segment.file.write_all_at(u64::from(scan.end), &record)?;
        let trailer = segment::trailer(self.salt, number, scan.end);
        segment.file.write_all_at((capacity - segment::TRAILER_OCTETS) as u64, &trailer)?;
        segment.file.sync_data()
    }
}

/// The end of a segment whose file was cut off: all of it was on disk before its header was.
fn cut_off<D: Disk>(segment: &Segment<D>) -> Option<Hole> {
    let (start, end) = (segment.capacity, segment.capacity.saturating_add(segment.missing));
    (segment.missing > 0).then_some(Hole { start, end })
}

/// Octets that are no record, with a record behind them; or none at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hole {
    start: u32,
    end: u32,
}

impl Hole {
    fn damage(&self, path: &str) -> Damage {
        Damage { path: path.to_owned(), offset: self.start, octets: self.end - self.start }
    }
}

/// What stands in a segment.
pub(super) struct Scan {
    content: Vec<u8>,
    /// Its records, but for the footer.
    pub(super) listing: Listing,
    pub(super) holes: Vec<Hole>,
    last_batch: u32,
    /// Where the last of them ends.
    pub(super) end: u32,
}

/// Reads every record of a segment, up to `cut`.
pub(super) fn scan<D: Disk>(
    segment: &Segment<D>,
    salt: u64,
    cut: Option<u32>,
    digest: Digest,
) -> io::Result<Scan> {
    let content = content(segment, cut.unwrap_or(segment.capacity))?;
    let first = SEGMENT_HEADER_OCTETS as u32;
    let mut scan = Scan {
        content,
        listing: Listing::new(segment.number),
        holes: Vec::new(),
        last_batch: 0,
        end: first,
    };
    let (mut at, mut octets) = (first, Vec::new());
    while let Some((offset, header)) = next_header(&scan.content, segment.number, salt, at) {
        let start = offset as usize + HEADER_OCTETS;
        let end = offset as usize + record::size_on_disk(header.octets as usize);
        let payload = scan.content.get(start..start + header.octets as usize);
        let Some(payload) = payload else {
            at = offset + ALIGNMENT as u32;
            continue;
        };
        let is_whole = crc32c::crc32c(payload) == header.payload_checksum;
        scan.last_batch = scan.last_batch.max(header.batch);
        octets.clear();
        let entry = is_whole.then(|| {
            if header.kind != FOOTER_KIND {
                digest(header.kind, payload, &mut octets);
            }
            let place = Place { segment: segment.number, offset, octets: header.octets };
            Entry { place, kind: header.kind, digest: octets.as_slice() }
        });
        scan.note(offset, end as u32, entry);
        at = end as u32;
    }
    Ok(scan)
}

impl Scan {
    /// Notes a record from `start` to `end`; `None` where its payload is damaged.
    fn note(&mut self, start: u32, end: u32, entry: Option<Entry<'_>>) {
        if entry.as_ref().is_some_and(|entry| entry.kind == FOOTER_KIND) {
            // Not the end of what is kept: a footer that is not trusted is written anew.
            return;
        }
        let hole_end = if entry.is_some() { start } else { end };
        if hole_end > self.end {
            self.holes.push(Hole { start: self.end, end: hole_end });
        }
        self.end = end;
        if let Some(entry) = entry {
            self.listing.push(entry.place, entry.kind, entry.digest);
        }
    }
}

/// The next valid header at or after `at`.
fn next_header(content: &[u8], segment: u32, salt: u64, at: u32) -> Option<(u32, record::Header)> {
    (at..content.len() as u32).step_by(ALIGNMENT).find_map(|offset| {
        let spot = Spot { salt, segment, offset };
        Some((offset, record::decode(&content[offset as usize..], spot)?))
    })
}

/// The octets of a segment up to `end`.
fn content<D: Disk>(segment: &Segment<D>, end: u32) -> io::Result<Vec<u8>> {
    let mut content = vec![0; end as usize];
    let read = segment.file.read_full_at(0, &mut content)?;
    content[read..].fill(0);
    Ok(content)
}

/// The same error, with the file in its text.
fn naming<D: Disk>(disk: &D, name: &str, error: io::Error) -> io::Error {
    crate::disk::naming(disk.path_of(name), error)
}

/// The salt, where its file is there and sound.
fn read_salt<D: Disk>(disk: &D) -> io::Result<Option<u64>> {
    let file = match disk.open(SALT_NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut octets = [0; 12];
    file.read_full_at(0, &mut octets).map_err(|error| naming(disk, SALT_NAME, error))?;
    let (salt, checksum) = octets.split_at(8);
    let is_sound = crc32c::crc32c(salt).to_le_bytes() == checksum;
    Ok(salt.first_chunk().filter(|_| is_sound).map(|salt| u64::from_le_bytes(*salt)))
}

/// Chooses the salt, durably before the first record needs it.
fn write_salt<D: Disk>(disk: &D) -> io::Result<u64> {
    let salt = disk.salt();
    let _ = disk.remove(SALT_NAME);
    let file = disk.create(SALT_NAME)?;
    let mut octets = salt.to_le_bytes().to_vec();
    octets.extend_from_slice(&crc32c::crc32c(&octets).to_le_bytes());
    file.write_all_at(0, &octets)?;
    file.sync_data()?;
    disk.sync_dir()?;
    Ok(salt)
}

/// Reads all of segment `number` and compares it with its footer: what is damaged. Safe
/// beside a writer for every segment but the active one.
pub fn verify<D: Disk>(log: &Log<D>, number: u32) -> Vec<Damage> {
    let (segment, cut) = {
        let shared = log.shared();
        let Some(segment) = shared.segments.get(&number).cloned() else { return Vec::new() };
        (segment, shared.cuts.get(&number).copied())
    };
    let path = log.0.disk.path_of(&segment::name_of(number));
    let Ok(scan) = scan(&segment, log.0.salt, cut, log.0.options.digest) else {
        return vec![Damage { path, offset: 0, octets: segment.capacity }];
    };
    let footer = segment::read_footer(&segment, log.0.salt).ok().flatten();
    let footer = footer.filter(|_| cut.is_none());
    let Some(Footer { listing, .. }) = footer else {
        let holes = scan.holes.iter().copied().chain(cut_off(&segment));
        return holes.map(|hole| hole.damage(&path)).collect();
    };
    let found: HashSet<Entry<'_>> = scan.listing.iter().collect();
    let missing = listing.iter().filter(|entry| !found.contains(entry));
    let damage = |entry: Entry<'_>| Damage {
        path: path.clone(),
        offset: entry.place.offset,
        octets: entry.place.size_on_disk() as u32,
    };
    missing.map(damage).collect()
}

impl<D: Disk> Log<D> {
    /// What segment `number` holds: for compaction. `None` for the one that
    /// is being written, or where it cannot be read.
    pub fn listing(&self, number: u32) -> Option<Listing> {
        let (segment, cut) = {
            let shared = self.shared();
            let active = shared.active.as_ref().map(|active| active.segment.number);
            let queued = shared.queue.iter().any(|batch| batch.segment.number == number);
            let writing = shared.writing.as_ref().is_some_and(|w| w.segment == number);
            if active == Some(number) || queued || writing {
                return None;
            }
            (shared.segments.get(&number).cloned()?, shared.cuts.get(&number).copied())
        };
        let footer = segment::read_footer(&segment, self.0.salt).ok()?;
        let footer = footer.filter(|_| cut.is_none());
        let listed = footer.map(|footer| footer.listing);
        let scanned = || scan(&segment, self.0.salt, cut, self.0.options.digest);
        listed.or_else(|| scanned().ok().map(|scan| scan.listing))
    }
}
