//! An append-only log in segments, many writers behind one sync.
//!
//! [`Log::submit`] puts a record into the batch that is being gathered and says where it
//! will stand; [`Writer::step`] writes the oldest batch with one write and one sync and
//! then tells each submitter. A thread calls `step` in production, a simulation calls it
//! inline. [`recover`] opens a log again; [`space`] makes, reserves and frees segments.
//!
//! What a record means is the caller's, as is what of the log is still needed: it moves
//! what lives in a segment ([`Log::submit`] again) and then frees it ([`Log::free`]).
//! docs/design/spool-format.md has the format, and argues what happens when things fail.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::disk::{Disk, DiskFile};

mod blocks;
mod company;
mod lead;
pub mod listing;
mod pen;
pub mod record;
pub mod recover;
mod resume;
pub mod segment;
mod space;
mod writer;

use blocks::Buffer;
use company::Company;
pub use lead::Lead;
use lead::Solitude;
pub use listing::Listing;
use pen::Pen;
use record::{HEADER_OCTETS, Header, Spot};
pub use recover::{Damage, OpenError, Recovery, verify};
use segment::{SEGMENT_HEADER_OCTETS, Segment};
use space::Spare;
pub use writer::Writer;

/// Where a record stands in a log, and the octets of its payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The segment's number.
    pub segment: u32,
    /// The offset of the record's header in the segment.
    pub offset: u32,
    /// Octets of the payload.
    pub octets: u32,
}

impl Place {
    /// Octets that the record takes on disk.
    pub fn size_on_disk(&self) -> u64 {
        record::size_on_disk(self.octets as usize) as u64
    }
}

/// A record as a footer lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry<'a> {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub kind: u8,
    /// What the caller's index needs of its payload.
    pub digest: &'a [u8],
}

/// Writes into the buffer what an index needs of a record of this kind and payload, at
/// most 65,535 octets: it is what a footer keeps, and what opening the log reads back.
pub type Digest = fn(kind: u8, payload: &[u8], into: &mut Vec<u8>);

/// How a log is kept. Every limit has a default.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Octets of a segment: 64 MiB. Large enough that making and freeing them costs
    /// nothing, small enough to be zeroed and compacted in a moment. Where the disk is
    /// nearly full, smaller ones are made.
    pub segment_octets: u32,
    /// Octets submitted and not yet synced: 32 MiB. Beyond, submitters wait.
    pub in_flight_octets: usize,
    /// What an index needs of a record.
    pub digest: Digest,
    /// Nothing is changed on disk, and nothing is taken.
    pub read_only: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_octets: 64 << 20,
            in_flight_octets: 32 << 20,
            digest: |_, _, _| {},
            read_only: false,
        }
    }
}

/// Who may use the reserve that is kept for a full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// New content: refused when it would touch the reserve.
    Ordinary,
    /// What frees space in the end: removals, changes of state, compaction.
    Reserve,
}

/// How soon a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// The writer is woken.
    Now,
    /// With the next batch, or when the writer next looks; somewhat later.
    Later,
}

/// Why a log did not take, keep or give a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogError {
    /// No space left on the disk (but for the reserve).
    Full,
    /// Too much is in flight: drive the writer, or wait for it.
    Busy,
    /// The record does not fit into a segment; its octets.
    TooLong(usize),
    /// The log is closed.
    Closed,
    /// An I/O error, in the operating system's words.
    Fault(Arc<str>),
    /// There is no such record, or it is damaged: path and offset.
    Damaged {
        /// The file.
        path: String,
        /// The record's offset.
        offset: u32,
        /// What is wrong.
        what: &'static str,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Full => f.write_str("no space left on the disk"),
            LogError::Busy => f.write_str("too much is waiting to be written"),
            LogError::TooLong(octets) => write!(f, "a record of {octets} octets is too long"),
            LogError::Closed => f.write_str("the log is closed"),
            LogError::Fault(what) => f.write_str(what),
            LogError::Damaged { path, offset, what } => write!(f, "{path}: at {offset}: {what}"),
        }
    }
}

impl std::error::Error for LogError {}

impl LogError {
    fn of(error: &std::io::Error) -> LogError {
        if crate::disk::is_full(error) {
            LogError::Full
        } else {
            LogError::Fault(error.to_string().into())
        }
    }
}

/// Who submitted a record. Called on the thread that wrote, without any lock held; both are
/// to be brief.
pub trait Submitter: Send {
    /// The record is synced and stands there, or it will never be.
    fn ended(&mut self, result: Result<Place, LogError>);

    /// Everybody's record of the batch has ended: the time to wake who waits for it. Who is
    /// woken sooner competes with the others' ends.
    fn tell(self: Box<Self>) {}
}

/// Who is told of a record's end.
pub type Done = Box<dyn Submitter>;

/// Calls `ended` when the record has.
pub fn done(ended: impl FnOnce(Result<Place, LogError>) + Send + 'static) -> Done {
    Box::new(Once(Some(ended)))
}

struct Once<F>(Option<F>);

impl<F: FnOnce(Result<Place, LogError>) + Send> Submitter for Once<F> {
    fn ended(&mut self, result: Result<Place, LogError>) {
        if let Some(ended) = self.0.take() {
            ended(result);
        }
    }
}

/// A record on its way in.
pub struct Submission<'a> {
    /// What it is: 1 to 254.
    pub kind: u8,
    /// Its payload, in pieces.
    pub payload: &'a [&'a [u8]],
    /// Whether it may use the reserve.
    pub class: Class,
    /// How soon it is written.
    pub urgency: Urgency,
    /// Refused if a write failed since [`Log::generation`] was this: what the record
    /// points to may not have been kept.
    pub generation: Option<u64>,
}

/// Records of one segment that are written with one write and synced with one sync.
struct Batch<D: Disk> {
    segment: Arc<Segment<D>>,
    start: u32,
    octets: Buffer,
    done: Vec<(Place, Done)>,
    /// How many of its records press.
    pressing: usize,
    /// The spare that becomes the segment with this batch, by its file name.
    begins: Option<String>,
    /// What the footer lists, where this is the segment's last batch.
    seals: Option<Listing>,
}

/// So much is written although nobody waits for it: a long message comes in chunks.
const MUCH_OCTETS: usize = 256 << 10;

impl<D: Disk> Batch<D> {
    /// Whether it is to be written now.
    fn presses(&self) -> bool {
        self.pressing > 0 || self.octets.len() >= MUCH_OCTETS
    }
}

/// The segment that records go to.
struct Active<D: Disk> {
    segment: Arc<Segment<D>>,
    end: u32,
    listing: Listing,
}

/// A batch that is being written, readable meanwhile.
struct Writing {
    segment: u32,
    start: u32,
    octets: Arc<Buffer>,
}

struct Shared<D: Disk> {
    active: Option<Active<D>>,
    queue: VecDeque<Batch<D>>,
    writing: Option<Writing>,
    segments: BTreeMap<u32, Arc<Segment<D>>>,
    /// Octets of their files.
    segment_octets: u64,
    cuts: BTreeMap<u32, u32>,
    spares: Vec<Spare<D>>,
    next_number: u32,
    next_spare: u32,
    /// The last segment of a former life, once it was tried to go on in it.
    taken_up: Option<u32>,
    in_flight: usize,
    generation: u64,
    /// Making a spare failed for want of space; until [`Log::prepare`] succeeds.
    is_full: bool,
    closed: bool,
    /// Nobody has it who writes; `None` while somebody does.
    pen: Option<Pen<D>>,
    /// Since when a submitter has the lead.
    leading: Option<Instant>,
    solitude: Solitude,
    company: Company,
    /// While the writer sleeps: until when, unless it is woken.
    asleep_until: Option<Instant>,
    /// How many wait for room.
    want_room: usize,
    /// Buffers to be used again.
    idle: Vec<Buffer>,
    digest: Vec<u8>,
}

struct Inner<D: Disk> {
    disk: D,
    options: Options,
    salt: u64,
    watermark: AtomicU64,
    shared: Mutex<Shared<D>>,
    /// Work for the writer.
    work: Condvar,
    /// Room for submitters.
    room: Condvar,
    _lock: D::Lock,
}

/// A handle on a log; clones are the same log.
pub struct Log<D: Disk>(Arc<Inner<D>>);

impl<D: Disk> Clone for Log<D> {
    fn clone(&self) -> Log<D> {
        Log(Arc::clone(&self.0))
    }
}

impl<D: Disk> fmt::Debug for Log<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({})", self.0.disk.path_of(""))
    }
}

impl<D: Disk> Log<D> {
    fn shared(&self) -> MutexGuard<'_, Shared<D>> {
        // No code under this lock panics half-way through a change.
        self.0.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a record into the batch that is being gathered; where it will stand. `done`
    /// is taken, and called once it is synced, or with the error if it never will be;
    /// where this returns an error, it is left to the caller.
    pub fn submit(
        &self,
        record: &Submission<'_>,
        done: &mut Option<Done>,
    ) -> Result<Place, LogError> {
        let submitted = self.put(record, done, false);
        submitted.map(|(place, _)| place)
    }

    /// As [`Log::submit`], for who can wait on this thread. Who gets a [`Lead`] is to write
    /// the batch at once: nobody else will.
    ///
    /// # Errors
    /// As [`Log::submit`].
    pub fn submit_to_lead(
        &self,
        record: &Submission<'_>,
        done: &mut Option<Done>,
    ) -> Result<(Place, Option<Lead<D>>), LogError> {
        self.put(record, done, true)
    }

    fn put(
        &self,
        record: &Submission<'_>,
        done: &mut Option<Done>,
        leads: bool,
    ) -> Result<(Place, Option<Lead<D>>), LogError> {
        let octets = record.payload.iter().map(|piece| piece.len()).sum();
        let checksum =
            record.payload.iter().fold(0, |sum, piece| crc32c::crc32c_append(sum, piece));
        let mut shared = self.shared();
        self.may_submit(&shared, record, octets)?;
        self.make_room(&mut shared, octets, record.class)?;
        let place = self.append(&mut shared, record, octets, checksum, done)?;
        let is_last = shared.note_company();
        let presses = record.urgency == Urgency::Now;
        let may_lead = presses && shared.note_arrival(is_last);
        let lead = (leads && may_lead).then(|| Lead::take(self, &mut shared));
        self.wake_writer(&mut shared);
        Ok((place, lead))
    }

    /// Wakes the writer if there is work, or would be before it looks. To wake nobody is a
    /// system call, too.
    fn wake_writer(&self, shared: &mut Shared<D>) {
        let is_missed = |until| shared.company.needs_look_before(until) || shared.has_work();
        if shared.asleep_until.is_some_and(is_missed) {
            shared.asleep_until = None;
            self.0.work.notify_one();
        }
    }

    fn may_submit(
        &self,
        shared: &Shared<D>,
        record: &Submission<'_>,
        octets: usize,
    ) -> Result<(), LogError> {
        if shared.closed {
            return Err(LogError::Closed);
        }
        if record.generation.is_some_and(|generation| generation != shared.generation) {
            return Err(LogError::Fault("an earlier part was not kept".into()));
        }
        // A record that is larger than the limit goes when nothing else is on its way.
        let busy = shared.in_flight + octets > self.0.options.in_flight_octets;
        if busy && shared.in_flight > 0 && record.class == Class::Ordinary {
            return Err(LogError::Busy);
        }
        Ok(())
    }

    /// Adds the record to the open batch. There is room: `make_room` was called.
    fn append(
        &self,
        shared: &mut Shared<D>,
        record: &Submission<'_>,
        octets: usize,
        checksum: u32,
        done: &mut Option<Done>,
    ) -> Result<Place, LogError> {
        let salt = self.0.salt;
        let mut digest = std::mem::take(&mut shared.digest);
        let Some(active) = shared.active.as_mut() else { return Err(LogError::Full) };
        let batch = open_batch(&mut shared.queue, active, &mut shared.idle);
        let place =
            Place { segment: active.segment.number, offset: active.end, octets: octets as u32 };
        let header = Header {
            kind: record.kind,
            octets: octets as u32,
            payload_checksum: checksum,
            batch: batch.start,
        };
        let spot = Spot { salt, segment: place.segment, offset: place.offset };
        batch.octets.extend(&record::encode(&header, spot));
        let payload_at = batch.octets.len();
        record.payload.iter().for_each(|piece| batch.octets.extend(piece));
        digest.clear();
        (self.0.options.digest)(record.kind, &batch.octets.octets()[payload_at..], &mut digest);
        batch.octets.resize(payload_at - HEADER_OCTETS + record::size_on_disk(octets));
        batch.done.extend(done.take().map(|done| (place, done)));
        batch.pressing += usize::from(record.urgency == Urgency::Now);
        active.listing.push(place, record.kind, &digest);
        active.end += record::size_on_disk(octets) as u32;
        shared.in_flight += record::size_on_disk(octets);
        shared.digest = digest;
        Ok(place)
    }

    /// Waits until less is in flight, or the writer looked (at most a moment). Never
    /// returns early where nothing drives the writer: only for threads beside it.
    pub fn wait_for_room(&self) {
        let mut shared = self.shared();
        shared.want_room += 1;
        let waited = self.0.room.wait_timeout(shared, Duration::from_millis(50));
        waited.unwrap_or_else(PoisonError::into_inner).0.want_room -= 1;
    }

    /// Wakes who waits for room. To wake nobody is a system call, too.
    fn tell_of_room(&self, shared: &Shared<D>) {
        if shared.want_room > 0 {
            self.0.room.notify_all();
        }
    }

    /// Octets submitted and not yet synced.
    pub fn in_flight_octets(&self) -> usize {
        self.shared().in_flight
    }

    /// Whether new content would be taken now; `false` when much waits to be written.
    pub fn has_room(&self) -> bool {
        self.shared().in_flight < self.0.options.in_flight_octets
    }

    /// Changes with every write or sync that fails (see [`Submission::generation`]).
    pub fn generation(&self) -> u64 {
        self.shared().generation
    }

    /// The payload of the record of `kind` at `place`, checked; it may still be on its way
    /// to the disk.
    pub fn read(&self, place: Place, kind: u8) -> Result<Vec<u8>, LogError> {
        let mut octets = vec![0; HEADER_OCTETS + place.octets as usize];
        let segment = {
            let shared = self.shared();
            if let Some(pending) = shared.pending(place) {
                return Ok(pending.to_vec());
            }
            shared.segments.get(&place.segment).cloned()
        };
        let segment = segment.ok_or_else(|| self.damage(place, "the segment is gone"))?;
        let read = segment.file.read_full_at(u64::from(place.offset), &mut octets);
        let read = read.map_err(|error| self.unreadable(place, &error))?;
        let spot = Spot { salt: self.0.salt, segment: place.segment, offset: place.offset };
        let header = record::decode(&octets[..read.min(HEADER_OCTETS)], spot);
        let right = header.is_some_and(|h| h.kind == kind && h.octets == place.octets);
        let sum = crc32c::crc32c(&octets[HEADER_OCTETS..]);
        if !right || header.is_none_or(|header| header.payload_checksum != sum) {
            return Err(self.damage(place, "the record is damaged"));
        }
        octets.drain(..HEADER_OCTETS);
        Ok(octets)
    }

    /// What is said of a record that cannot be read.
    pub fn damage(&self, place: Place, what: &'static str) -> LogError {
        let path = self.0.disk.path_of(&segment::name_of(place.segment));
        LogError::Damaged { path, offset: place.offset, what }
    }

    fn unreadable(&self, place: Place, error: &std::io::Error) -> LogError {
        let path = self.0.disk.path_of(&segment::name_of(place.segment));
        LogError::Fault(format!("{path}: at {}: {error}", place.offset).into())
    }

    /// The caller's number that only grows, kept in the header of each new segment: it
    /// outlives the records that it was in.
    pub fn watermark(&self) -> &AtomicU64 {
        &self.0.watermark
    }

    /// Numbers and capacities of the segments that exist, ascending; the last may be the
    /// one that is being written.
    pub fn segments(&self) -> Vec<(u32, u32)> {
        let shared = self.shared();
        shared.segments.values().map(|segment| (segment.number, segment.capacity)).collect()
    }

    /// The number of the segment that records go to now; `None` before the first record.
    pub fn active_segment(&self) -> Option<u32> {
        self.shared().active.as_ref().map(|active| active.segment.number)
    }

    /// The number of the newest segment: no record stands in a later one. 0 before the
    /// first.
    pub fn last_segment(&self) -> u32 {
        self.shared().next_number - 1
    }

    /// Keeps a segment's file from being recycled while it is held.
    pub fn pin(&self, number: u32) -> Option<Pin<D>> {
        self.shared().segments.get(&number).cloned().map(|segment| Pin { _segment: segment })
    }

    /// Whether the disk was full when space was last asked for.
    pub fn is_full(&self) -> bool {
        self.shared().is_full
    }

    /// Nothing more is taken; the segment that is being written is sealed. Step the
    /// writer until it has nothing to do.
    pub fn close(&self) {
        let mut shared = self.shared();
        shared.seal();
        shared.closed = true;
        self.wake_writer(&mut shared);
        self.tell_of_room(&shared);
    }
}

/// Keeps a segment readable (see [`Log::pin`]).
pub struct Pin<D: Disk> {
    _segment: Arc<Segment<D>>,
}

impl<D: Disk> fmt::Debug for Pin<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

impl<D: Disk> Shared<D> {
    /// Whether the writer is to write: there is a batch that presses, and waits for nobody.
    /// It also ends where the log is closed, and does nothing while somebody leads.
    fn has_work(&self) -> bool {
        let is_due = || self.queue.iter().any(Batch::presses);
        let waits = self.leading.is_some() || self.company.awaits_until().is_some();
        self.leading.is_none() && self.closed || !waits && is_due()
    }

    /// Somebody came. Whether that is everybody who was awaited for the next batch.
    fn note_company(&mut self) -> bool {
        if self.queue.len() > 1 {
            // Who is to come goes into another one.
            self.company.forget();
            return false;
        }
        self.company.note_arrival(self.waiting())
    }

    /// How many wait for the next batch, and have nothing else to do.
    fn waiting(&self) -> usize {
        self.queue.front().map_or(0, |batch| batch.pressing)
    }

    /// The payload of a record that is not yet on disk.
    fn pending(&self, place: Place) -> Option<&[u8]> {
        let queued = self.queue.iter().map(|b| (b.segment.number, b.start, b.octets.octets()));
        let writing = self.writing.iter().map(|w| (w.segment, w.start, w.octets.octets()));
        let (_, start, octets) = writing.chain(queued).find(|(segment, start, octets)| {
            let inside = place.offset.checked_sub(*start).map(|at| (at as usize) < octets.len());
            *segment == place.segment && inside == Some(true)
        })?;
        let from = (place.offset - start) as usize + HEADER_OCTETS;
        octets.get(from..from + place.octets as usize)
    }

    fn remove_segment(&mut self, number: u32) {
        let removed = self.segments.remove(&number);
        self.segment_octets -= removed.map_or(0, |segment| u64::from(segment.capacity));
    }

    /// Ends the active segment with a footer; the next record begins another.
    fn seal(&mut self) {
        let Some(mut active) = self.active.take() else { return };
        let listing = std::mem::take(&mut active.listing);
        let batch = open_batch(&mut self.queue, &mut active, &mut self.idle);
        batch.seals = Some(listing);
    }
}

/// The last batch, if records can still be added to it for this segment; else a new one, in
/// an `idle` buffer where there is one.
fn open_batch<'a, D: Disk>(
    queue: &'a mut VecDeque<Batch<D>>,
    active: &mut Active<D>,
    idle: &mut Vec<Buffer>,
) -> &'a mut Batch<D> {
    let fits = queue.back().is_some_and(|b| b.segment.number == active.segment.number);
    if !fits {
        let mut octets = idle.pop().unwrap_or_default();
        octets.begin(active.end);
        queue.push_back(Batch {
            segment: Arc::clone(&active.segment),
            start: active.end,
            octets,
            done: Vec::new(),
            pressing: 0,
            begins: None,
            seals: None,
        });
    }
    let last = queue.len() - 1;
    &mut queue[last]
}

impl<D: Disk> Log<D> {
    /// Sees to it that a record of `octets` fits into the active segment, perhaps by
    /// beginning another.
    fn make_room(
        &self,
        shared: &mut Shared<D>,
        octets: usize,
        class: Class,
    ) -> Result<(), LogError> {
        let wanted = SEGMENT_HEADER_OCTETS + size_with_footer(0, octets);
        if wanted > self.0.options.segment_octets as usize {
            return Err(LogError::TooLong(octets));
        }
        if class == Class::Ordinary {
            self.refill(shared, 0, Shared::has_reserve)?;
        }
        if shared.active.as_ref().is_some_and(|active| fits(active, octets)) {
            return Ok(());
        }
        let is_enough = |shared: &Shared<D>| shared.spare_for(wanted, class).is_some();
        match self.refill(shared, wanted, is_enough) {
            Err(LogError::Full) if class == Class::Reserve => return self.resume(shared, octets),
            refilled => refilled?,
        }
        let Some(chosen) = shared.spare_for(wanted, class) else { return Err(LogError::Full) };
        shared.seal();
        let spare = shared.spares.remove(chosen);
        self.activate(shared, spare);
        Ok(())
    }

    /// Makes `spare` the active segment. Its file is renamed, and its header written,
    /// with the first batch.
    fn activate(&self, shared: &mut Shared<D>, spare: Spare<D>) {
        let number = shared.next_number;
        shared.next_number += 1;
        let segment = Arc::new(Segment::new(number, spare.capacity, spare.file));
        let mut octets = shared.idle.pop().unwrap_or_default();
        octets.begin(0);
        octets.resize(SEGMENT_HEADER_OCTETS);
        shared.queue.push_back(Batch {
            segment: Arc::clone(&segment),
            start: 0,
            octets,
            done: Vec::new(),
            pressing: 0,
            begins: Some(spare.name),
            seals: None,
        });
        shared.segment_octets += u64::from(segment.capacity);
        shared.segments.insert(number, Arc::clone(&segment));
        let end = SEGMENT_HEADER_OCTETS as u32;
        shared.active = Some(Active { segment, end, listing: Listing::new(number) });
    }

    fn header_of(&self, segment: &Segment<D>, cuts: &BTreeMap<u32, u32>) -> segment::SegmentHeader {
        segment::SegmentHeader {
            number: segment.number,
            capacity: segment.capacity,
            salt: self.0.salt,
            watermark: self.0.watermark.load(Ordering::Acquire),
            cuts: cuts.clone(),
        }
    }
}

/// The longest digest that room is kept for before a record is known: it is the caller's
/// to keep digests below.
pub const MAX_DIGEST_OCTETS: usize = 1024;

fn size_with_footer(footer: usize, octets: usize) -> usize {
    let footer = footer + listing::growth(MAX_DIGEST_OCTETS);
    record::size_on_disk(octets) + segment::footer_size(footer)
}

fn fits<D: Disk>(active: &Active<D>, octets: usize) -> bool {
    let needed = size_with_footer(active.listing.octets().len(), octets);
    active.end as usize + needed <= active.segment.capacity as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Memory;

    #[test]
    fn a_record_takes_a_buffer_only_where_it_begins_a_batch() {
        let options = Options { segment_octets: 1 << 16, ..Options::default() };
        let opened = Log::open(Memory::new(1, 1 << 20), options, &mut |_| {});
        let (log, _writer, _) = opened.unwrap();
        let submit = || {
            let record = Submission {
                kind: 1,
                payload: &[b"octets"],
                class: Class::Ordinary,
                urgency: Urgency::Now,
                generation: None,
            };
            log.submit(&record, &mut None).unwrap();
        };
        log.shared().idle = vec![Buffer::zeros(1), Buffer::zeros(1)];
        (0..3).for_each(|_| submit());
        assert_eq!(log.shared().queue.len(), 1);
        assert_eq!(log.shared().idle.len(), 1);
    }
}
