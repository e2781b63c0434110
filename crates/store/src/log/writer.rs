//! The writer: one batch after another into the current segment, one sync for all of
//! them; new segments out of old files; reading what stands in them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use super::format::{
    HEADER_OCTETS, Header, MAX_PAYLOAD_OCTETS, RECORD_HEADER_OCTETS, decode_record, encode_record,
    record_octets,
};
use super::{Durability, LogError, Need, Position, Shared, Submission, Waiting};
use crate::disk::{Disk, DiskFile, is_full};

/// Octets that one step writes at most: beyond it a write gains nothing, and memory is
/// bounded.
const BATCH_OCTETS: usize = 4 * 1024 * 1024;
/// The file that becomes the next segment.
pub(super) const SPARE: &str = "spare";

/// The name of a segment's file.
pub(super) fn file_name(number: u64) -> String {
    format!("{number:016x}.segment")
}

/// The number in the name of a segment's file.
pub(super) fn file_number(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_suffix(".segment").filter(|hex| hex.len() == 16)?, 16).ok()
}

/// A segment that can be read.
#[derive(Debug)]
pub(super) struct Segment<F> {
    pub(super) header: Header,
    pub(super) file: F,
}

type Segments<F> = Arc<Mutex<BTreeMap<u64, Arc<Segment<F>>>>>;

/// Reads records; clones read the same log, from any thread.
pub struct Reader<D: Disk> {
    disk: D,
    segments: Segments<D::File>,
}

impl<D: Disk> fmt::Debug for Reader<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("segments", &self.segments()).finish()
    }
}

impl<D: Disk> Clone for Reader<D> {
    fn clone(&self) -> Reader<D> {
        Reader { disk: self.disk.clone(), segments: self.segments.clone() }
    }
}

impl<D: Disk> Reader<D> {
    pub(super) fn new(disk: D, segments: BTreeMap<u64, Arc<Segment<D::File>>>) -> Reader<D> {
        Reader { disk, segments: Arc::new(Mutex::new(segments)) }
    }

    fn segment(&self, number: u64) -> Option<Arc<Segment<D::File>>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    /// The payload of the record at `position`, checked.
    ///
    /// # Errors
    /// `LogError::Fault` with file and offset, where it cannot be read or is damaged.
    pub fn read(&self, position: Position) -> Result<Vec<u8>, LogError> {
        let fault = |what: String| {
            let path = self.disk.path_of(&file_name(position.segment));
            LogError::Fault(format!("{path}: at {}: {what}", position.offset))
        };
        let segment =
            self.segment(position.segment).ok_or_else(|| fault("no such segment".into()))?;
        let mut octets = vec![0; RECORD_HEADER_OCTETS + position.length as usize];
        let offset = u64::from(position.offset);
        let read = segment.file.read_full_at(offset, &mut octets);
        let read = read.map_err(|error| fault(error.to_string()))?;
        match decode_record(&segment.header, offset, &octets[..read]) {
            Some(record) if record.payload.len() == position.length as usize => {
                octets.drain(..RECORD_HEADER_OCTETS);
                Ok(octets)
            }
            _ => Err(fault("the record is damaged".into())),
        }
    }

    /// The segments that exist, oldest first.
    pub fn segments(&self) -> Vec<u64> {
        let segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        segments.keys().copied().collect()
    }

    fn insert(&self, segment: Arc<Segment<D::File>>) {
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        segments.insert(segment.header.number, segment);
    }

    /// Forgets a segment in which nothing is needed any more; its file serves again as
    /// the next one. False where there is none, or records still go into it.
    fn forget(&self, number: u64) -> bool {
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = segments.last_key_value().is_some_and(|(last, _)| *last == number);
        !is_last && segments.remove(&number).is_some()
    }
}

/// Where records go now.
struct Current<F> {
    segment: Arc<Segment<F>>,
    /// Up to where everything is written and synced, or written and not failed.
    end: u64,
    /// Up to where everything is synced.
    synced: u64,
}

/// Appends what was submitted. One exists for a log.
pub struct Writer<D: Disk> {
    disk: D,
    shared: Arc<Shared>,
    reader: Reader<D>,
    current: Option<Current<D::File>>,
    /// The last segment with trusted content, and up to where.
    previous: (u64, u64),
    next_number: u64,
    has_spare: bool,
    segment_octets: u64,
    note: Box<dyn Fn() -> u64 + Send>,
}

impl<D: Disk> fmt::Debug for Writer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("next_number", &self.next_number).finish()
    }
}

/// Records of one step in their encoded form, and whose they are.
struct Batch {
    octets: Vec<u8>,
    at: u64,
    told: Vec<(Submission, Vec<Position>)>,
    sync: bool,
}

impl<D: Disk> Writer<D> {
    pub(super) fn new(
        disk: D,
        shared: Arc<Shared>,
        reader: Reader<D>,
        previous: (u64, u64),
        has_spare: bool,
        segment_octets: u64,
    ) -> Writer<D> {
        let next_number = reader.segments().last().copied().unwrap_or(0).max(previous.0) + 1;
        let note = Box::new(|| 0);
        let current = None;
        Writer {
            disk,
            shared,
            reader,
            current,
            previous,
            next_number,
            has_spare,
            segment_octets,
            note,
        }
    }

    /// Leaves the files up to `number` alone, also those that are no sound segment.
    pub(super) fn begin_behind(&mut self, number: u64) {
        self.next_number = self.next_number.max(number.saturating_add(1));
    }

    /// Goes on with a segment that has a header and no record.
    pub(super) fn resume(&mut self, segment: Arc<Segment<D::File>>) {
        let end = HEADER_OCTETS as u64;
        self.current = Some(Current { segment, end, synced: end });
    }

    /// Asks `note` for the number that stands in the header of each new segment.
    pub fn note_with(&mut self, note: impl Fn() -> u64 + Send + 'static) {
        self.note = Box::new(note);
    }

    /// Reads what was written.
    pub fn reader(&self) -> Reader<D> {
        self.reader.clone()
    }

    /// Steps until the log is closed: what a thread of its own does.
    pub fn run(mut self) {
        while self.wait() {
            self.step();
        }
        self.seal();
    }

    /// Waits for something to write; false where the log is closed and all is written.
    fn wait(&self) -> bool {
        let mut waiting = self.shared.waiting();
        let idle = |waiting: &Waiting| waiting.submissions.is_empty() && waiting.free.is_empty();
        while idle(&waiting) && !waiting.closed {
            let woken = self.shared.changed.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
        !idle(&waiting)
    }

    /// Writes, syncs and tells what waits; false where nothing did.
    pub fn step(&mut self) -> bool {
        let Some(first) = self.take_if(|_| true) else { return self.free_segments() };
        if let Err(error) = self.make_room(&first) {
            (first.done)(Err(error));
            return true;
        }
        let batch = self.collect(first);
        self.write(batch);
        true
    }

    /// Gives up what is to be freed; false where there was nothing. A segment that cannot
    /// be freed now is found again at the next start.
    fn free_segments(&mut self) -> bool {
        let segments = std::mem::take(&mut self.shared.waiting().free);
        for segment in &segments {
            let freed = self.free(*segment);
            drop(freed);
        }
        !segments.is_empty()
    }

    /// The next submission, if it is as `fits` asks.
    fn take_if(&self, fits: impl FnOnce(&Submission) -> bool) -> Option<Submission> {
        let mut waiting = self.shared.waiting();
        let fits = waiting.submissions.front().is_some_and(fits);
        let submission = fits.then(|| waiting.submissions.pop_front()).flatten()?;
        let payload: usize = submission.records.iter().map(|record| record.payload.len()).sum();
        waiting.octets = waiting.octets.saturating_sub(payload);
        Some(submission)
    }

    /// Has a segment in which `submission` fits.
    fn make_room(&mut self, submission: &Submission) -> Result<(), LogError> {
        let octets = octets_of(submission) as u64;
        let too_long = submission.records.iter().any(|r| r.payload.len() > MAX_PAYLOAD_OCTETS);
        if too_long || HEADER_OCTETS as u64 + octets > self.segment_octets {
            return Err(LogError::Fault("a batch of records is longer than a segment".into()));
        }
        let fits = |current: &Current<D::File>| current.end + octets <= self.segment_octets;
        if self.current.as_ref().is_some_and(fits) {
            return self.admit(submission.need);
        }
        self.seal();
        self.begin_segment(submission.need)
    }

    /// New content goes into a segment only while another is in reserve: else it would
    /// fill what deletions were given.
    fn admit(&mut self, need: Need) -> Result<(), LogError> {
        if need == Need::Upkeep { Ok(()) } else { self.provide_spare() }
    }

    /// The first submission and as many more as fit behind it.
    fn collect(&mut self, first: Submission) -> Batch {
        let Some(current) = &self.current else {
            return Batch {
                octets: Vec::new(),
                at: 0,
                told: vec![(first, Vec::new())],
                sync: true,
            };
        };
        let header = current.segment.header;
        let mut batch =
            Batch { octets: Vec::new(), at: current.end, told: Vec::new(), sync: false };
        let mut next = Some(first);
        while let Some(submission) = next {
            batch.append(&header, submission);
            let in_segment = self.segment_octets - batch.at - batch.octets.len() as u64;
            let in_batch = BATCH_OCTETS.saturating_sub(batch.octets.len());
            let room = in_segment.min(in_batch as u64);
            next = self.take_if(|next| {
                let may = self.has_spare || next.need == Need::Upkeep;
                may && octets_of(next) as u64 <= room
            });
        }
        batch
    }

    fn write(&mut self, batch: Batch) {
        let Some(current) = &mut self.current else { return };
        let file = &current.segment.file;
        let mut written = file.write_all_at(batch.at, &batch.octets);
        if batch.sync && written.is_ok() {
            written = file.sync_data();
        }
        match written {
            Ok(()) => {
                current.end = batch.at + batch.octets.len() as u64;
                if batch.sync {
                    current.synced = current.end;
                }
                batch.told.into_iter().for_each(|(told, at)| (told.done)(Ok(at)));
            }
            Err(error) => {
                let error = self.fault(&error);
                self.abandon();
                batch.told.into_iter().for_each(|(told, _)| (told.done)(Err(error.clone())));
            }
        }
    }

    /// Leaves a segment in which a write or sync failed: only what was synced counts.
    fn abandon(&mut self) {
        if let Some(current) = self.current.take() {
            self.leave(&current, current.synced);
        }
    }

    /// Leaves a full segment. What was written without a sync is synced now.
    fn seal(&mut self) {
        if let Some(current) = self.current.take() {
            let synced = current.synced == current.end || current.segment.file.sync_data().is_ok();
            self.leave(&current, if synced { current.end } else { current.synced });
        }
    }

    /// From here on the segment counts up to `end`.
    fn leave(&mut self, current: &Current<D::File>, end: u64) {
        if end < current.end {
            self.shared.losses.fetch_add(1, Ordering::Release);
        }
        self.previous = (current.segment.header.number, end);
    }

    /// Makes the spare file the next segment. New content gets it only where another
    /// spare can be had, so that deletions always have one left.
    fn begin_segment(&mut self, need: Need) -> Result<(), LogError> {
        if !self.has_spare {
            self.provide_spare()?;
        }
        let number = self.next_number;
        let (previous, previous_end) = self.previous;
        let header =
            Header { number, salt: self.disk.salt(), previous, previous_end, note: (self.note)() };
        if need == Need::Content && !self.can_have_another() {
            return Err(LogError::Full);
        }
        let opened = self.open_segment(header);
        if opened.is_err() {
            // It failed before the file lost its name as the spare one, or after.
            self.has_spare = self.disk.open(SPARE).is_ok();
        }
        let segment = opened.map_err(|error| self.fault(&error))?;
        self.next_number += 1;
        self.has_spare = false;
        let provided = self.provide_spare();
        let segment = Arc::new(segment);
        self.reader.insert(segment.clone());
        self.resume(segment);
        // A spare that cannot be had now is asked for again by the next content.
        if need == Need::Upkeep { Ok(()) } else { provided }
    }

    fn can_have_another(&self) -> bool {
        self.disk.free_octets().is_ok_and(|free| free >= self.segment_octets)
    }

    fn open_segment(&self, header: Header) -> std::io::Result<Segment<D::File>> {
        let file = self.disk.open(SPARE)?;
        file.write_all_at(0, &header.encode())?;
        file.sync_data()?;
        self.disk.rename(SPARE, &file_name(header.number))?;
        self.disk.sync_dir()?;
        Ok(Segment { header, file })
    }

    fn provide_spare(&mut self) -> Result<(), LogError> {
        if self.has_spare {
            return Ok(());
        }
        let made = self.make_spare();
        if let Err(error) = &made {
            let removed = self.disk.remove(SPARE);
            drop(removed);
            return Err(self.fault(error));
        }
        self.has_spare = true;
        Ok(())
    }

    fn make_spare(&self) -> std::io::Result<()> {
        let file = self.disk.create(SPARE)?;
        file.allocate(self.segment_octets)?;
        file.sync_data()?;
        self.disk.sync_dir()
    }

    /// Gives up a segment in which no record is needed any more. Its file becomes the
    /// spare one, or goes.
    pub fn free(&mut self, number: u64) -> Result<(), LogError> {
        let is_current =
            self.current.as_ref().is_some_and(|current| current.segment.header.number == number);
        if is_current || !self.reader.forget(number) {
            return Ok(());
        }
        let name = file_name(number);
        let done = if self.has_spare {
            self.disk.remove(&name)
        } else {
            let renamed = self.disk.rename(&name, SPARE);
            self.has_spare = renamed.is_ok();
            renamed
        };
        done.and_then(|()| self.disk.sync_dir()).map_err(|error| self.fault(&error))
    }

    fn fault(&self, error: &std::io::Error) -> LogError {
        if is_full(error) {
            return LogError::Full;
        }
        LogError::Fault(format!("{}: {error}", self.disk.path_of("")))
    }
}

impl Batch {
    fn append(&mut self, header: &Header, submission: Submission) {
        let mut positions = Vec::with_capacity(submission.records.len());
        for record in &submission.records {
            let offset = self.at + self.octets.len() as u64;
            encode_record(header, offset, record.kind, &record.payload, &mut self.octets);
            // A segment has 2^26 octets, so both numbers fit.
            positions.push(Position {
                segment: header.number,
                offset: offset as u32,
                length: record.payload.len() as u32,
            });
        }
        self.sync |= submission.durability == Durability::Synced;
        self.told.push((submission, positions));
    }
}

fn octets_of(submission: &Submission) -> usize {
    submission.records.iter().map(|record| record_octets(record.payload.len())).sum()
}
