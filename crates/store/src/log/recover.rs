//! Opening a log: which segments there are, and every record in them that is sound and
//! was acknowledged or may have been.
//!
//! What ends a segment's scan is its end, or octets behind which no sound record comes:
//! a torn tail, or the content of the file's former life. A sound record behind unsound
//! octets means damage; it is reported, set aside, and the scan goes on behind it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use super::format::{HEADER_OCTETS, Header, RECORD_MAGIC, SEGMENT_OCTETS, aligned, decode_record};
use super::writer::{Reader, SPARE, Segment, Writer, file_name, file_number};
use super::{Log, LogError, Options, Position, Shared};
use crate::disk::{Disk, DiskFile};

/// Octets of a segment that are no sound record though sound ones follow, or a file that
/// is no sound segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: String,
    /// Where the damage begins, in octets.
    pub offset: u64,
    /// How far it goes, in octets.
    pub octets: u64,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} octets at {} are damaged", self.path, self.octets, self.offset)
    }
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments that were read.
    pub segments: usize,
    /// Sound records.
    pub records: u64,
    /// What was set aside.
    pub damage: Vec<Damage>,
    /// The largest note in a segment's header.
    pub note: u64,
}

/// Shown every sound record, oldest first.
pub type Visit<'a> = &'a mut dyn FnMut(Position, u8, &[u8]);

impl Log {
    /// Opens the log in `disk`, which the caller has locked, and shows each record to
    /// `visit`. Nothing is written before the first record is appended.
    ///
    /// # Errors
    /// Where the directory or a file cannot be read; the error names it.
    pub fn open<D: Disk>(
        disk: D,
        visit: Visit<'_>,
    ) -> Result<(Log, Writer<D>, Recovery), LogError> {
        Log::open_with(disk, Options::default(), visit)
    }

    /// As [`Log::open`], with segments of another length.
    ///
    /// # Errors
    /// Where the directory or a file cannot be read; the error names it.
    pub fn open_with<D: Disk>(
        disk: D,
        options: Options,
        visit: Visit<'_>,
    ) -> Result<(Log, Writer<D>, Recovery), LogError> {
        let segment_octets = options.segment_octets.min(SEGMENT_OCTETS);
        let mut recovery = Recovery::default();
        let (segments, has_spare, last_number) =
            open_segments(&disk, segment_octets, &mut recovery)?;
        let ends: BTreeMap<u64, u64> =
            segments.values().map(|s| (s.header.previous, s.header.previous_end)).collect();
        let mut previous = (0, 0);
        for (number, segment) in &segments {
            let trusted = ends.get(number).copied().unwrap_or(SEGMENT_OCTETS);
            let end = scan(&disk, segment, trusted, &mut recovery, visit)?;
            previous = (*number, end);
        }
        recovery.note = segments.values().map(|segment| segment.header.note).max().unwrap_or(0);
        let shared = Arc::new(Shared::default());
        let last = segments.last_key_value().map(|(_, segment)| segment.clone());
        let reader = Reader::new(disk.clone(), segments);
        let mut writer =
            Writer::new(disk, shared.clone(), reader, previous, has_spare, segment_octets);
        writer.begin_behind(last_number);
        // A new one would take the reserve of a full disk with every restart.
        let is_unused = |segment: &Arc<Segment<D::File>>| {
            let octets = segment.file.octets();
            previous.1 == HEADER_OCTETS as u64 && octets.is_ok_and(|n| n == segment_octets)
        };
        if let Some(unused) = last.filter(is_unused) {
            writer.resume(unused);
        }
        Ok((Log { shared }, writer, recovery))
    }
}

type Segments<D> = BTreeMap<u64, Arc<Segment<<D as Disk>::File>>>;

/// Opens every segment; whether there is a spare file, and the largest number. A file without a sound header was never begun, or is damaged:
/// then it is reported, and left for people to look at.
fn open_segments<D: Disk>(
    disk: &D,
    segment_octets: u64,
    recovery: &mut Recovery,
) -> Result<(Segments<D>, bool, u64), LogError> {
    let mut segments = BTreeMap::new();
    let (mut has_spare, mut last_number) = (false, 0);
    let failed =
        |name: &str, error: io::Error| LogError::Fault(format!("{}: {error}", disk.path_of(name)));
    for name in disk.list().map_err(|error| failed("", error))? {
        has_spare |= name == SPARE && is_whole(disk, segment_octets);
        let Some(number) = file_number(&name) else { continue };
        last_number = last_number.max(number);
        let file = disk.open(&name).map_err(|error| failed(&name, error))?;
        let mut octets = [0; HEADER_OCTETS];
        let read = file.read_full_at(0, &mut octets).map_err(|error| failed(&name, error))?;
        match Header::decode(&octets[..read]).filter(|header| header.number == number) {
            Some(header) => {
                segments.insert(number, Arc::new(Segment { header, file }));
            }
            None => recovery.damage.push(Damage {
                path: disk.path_of(&name),
                offset: 0,
                octets: file.octets().unwrap_or(0),
            }),
        }
    }
    Ok((segments, has_spare, last_number))
}

/// Whether the spare file has its full length: one that a crash left short is made anew.
fn is_whole<D: Disk>(disk: &D, segment_octets: u64) -> bool {
    let octets = disk.open(SPARE).and_then(|file| file.octets());
    let whole = octets.is_ok_and(|octets| octets == segment_octets);
    if !whole {
        let removed = disk.remove(SPARE);
        drop(removed);
    }
    whole
}

/// Shows every sound record below `trusted`; returns where they end.
fn scan<D: Disk>(
    disk: &D,
    segment: &Segment<D::File>,
    trusted: u64,
    recovery: &mut Recovery,
    visit: Visit<'_>,
) -> Result<u64, LogError> {
    let path = disk.path_of(&file_name(segment.header.number));
    let octets = read_whole(&segment.file).map_err(|e| LogError::Fault(format!("{path}: {e}")))?;
    let trusted = octets.len().min(usize::try_from(trusted).unwrap_or(usize::MAX));
    let octets = &octets[..trusted];
    recovery.segments += 1;
    let mut at = HEADER_OCTETS;
    while let Some(next) = next_sound(&segment.header, octets, at) {
        if next > at {
            let damage =
                Damage { path: path.clone(), offset: at as u64, octets: (next - at) as u64 };
            recovery.damage.push(damage);
        }
        let Some(record) = decode_record(&segment.header, next as u64, &octets[next..]) else {
            break;
        };
        let length = record.payload.len() as u32;
        let position = Position { segment: segment.header.number, offset: next as u32, length };
        recovery.records += 1;
        visit(position, record.kind, record.payload);
        at = (next + record.octets).min(octets.len());
    }
    Ok(at as u64)
}

/// The first sound record at or behind `at`.
fn next_sound(header: &Header, octets: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    while at < octets.len() {
        if decode_record(header, at as u64, &octets[at..]).is_some() {
            return Some(at);
        }
        // Records begin at multiples of four; a magic elsewhere is content.
        let rest = octets.get(aligned(at + 1)..)?;
        let magic = rest.chunks(4).position(|four| four.starts_with(&RECORD_MAGIC))?;
        at = aligned(at + 1) + magic * 4;
    }
    None
}

fn read_whole<F: DiskFile>(file: &F) -> io::Result<Vec<u8>> {
    let octets = file.octets()?.min(SEGMENT_OCTETS);
    let mut content = vec![0; usize::try_from(octets).unwrap_or(0)];
    let read = file.read_full_at(0, &mut content)?;
    content.truncate(read);
    Ok(content)
}
