//! A segment file: its name, its header, its footer.
//!
//! A segment begins with one sector of header. When it is sealed, its last record is the
//! footer, which lists the records before it, and its last 16 octets, the trailer, say
//! where the footer is: so that opening a log need not read what is in it.

use std::collections::BTreeMap;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::record::{self, HEADER_OCTETS, Header, Spot};
use super::{Listing, Place};
use crate::disk::{Disk, DiskFile};

/// Octets before the first record: one sector, which reaches the medium whole.
pub const SEGMENT_HEADER_OCTETS: usize = 512;
/// Octets of the trailer at the very end.
pub const TRAILER_OCTETS: usize = 16;
/// The kind of a footer's record.
pub const FOOTER_KIND: u8 = 255;

const MAGIC: &[u8; 8] = b"SPLOG\0\0\x01";
const TRAILER_MAGIC: &[u8; 4] = b"SPFT";
const CUTS_AT: usize = 36;
const CHECKSUM_AT: usize = SEGMENT_HEADER_OCTETS - 4;
/// Cuts that fit into a header.
pub const MAX_CUTS: usize = (CHECKSUM_AT - CUTS_AT) / 8;

/// A segment that exists.
#[derive(Debug)]
pub struct Segment<D: Disk> {
    /// Its number: never used twice in a log.
    pub number: u32,
    /// Octets of its file.
    pub capacity: u32,
    /// Octets that its file had when it was begun, and has not any more.
    pub missing: u32,
    /// Its file.
    pub file: D::File,
    /// Octets were found in it that should be a record and are not.
    pub damaged: AtomicBool,
    /// Its header is on disk, and with it the log's watermark.
    pub begun: AtomicBool,
    /// It was given back: the name that its file has now, `None` where it was removed.
    pub given_back: OnceLock<Option<String>>,
}

impl<D: Disk> Segment<D> {
    /// Segment `number` in `file`, which is not begun.
    pub fn new(number: u32, capacity: u32, file: D::File) -> Segment<D> {
        let (damaged, begun, given_back) = (false.into(), false.into(), OnceLock::new());
        Segment { number, capacity, missing: 0, file, damaged, begun, given_back }
    }

    /// The same in a file that begins with `header`.
    pub fn begun(header: &SegmentHeader, capacity: u32, file: D::File) -> Segment<D> {
        let missing = header.capacity.saturating_sub(capacity);
        let begun = true.into();
        Segment { missing, begun, ..Segment::new(header.number, capacity, file) }
    }

    /// Whether damage was found in it.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }
}

/// The name of the file of segment `number`.
pub fn name_of(number: u32) -> String {
    format!("segment-{number:08x}")
}

/// The number in a segment's file name.
pub fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("segment-")?;
    (digits.len() == 8).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// What a segment's header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The segment's number.
    pub number: u32,
    /// Octets of the file.
    pub capacity: u32,
    /// The log's salt.
    pub salt: u64,
    /// A number that only grows, the caller's; as it was when the segment was begun.
    pub watermark: u64,
    /// Segments that a write or sync failed in, and the offset up to which they are good.
    pub cuts: BTreeMap<u32, u32>,
}

impl SegmentHeader {
    /// The sector. Of more than [`MAX_CUTS`] cuts the last are written.
    pub fn encode(&self) -> [u8; SEGMENT_HEADER_OCTETS] {
        let mut octets = [0; SEGMENT_HEADER_OCTETS];
        octets[0..8].copy_from_slice(MAGIC);
        octets[8..12].copy_from_slice(&self.number.to_le_bytes());
        octets[12..16].copy_from_slice(&self.capacity.to_le_bytes());
        octets[16..24].copy_from_slice(&self.salt.to_le_bytes());
        octets[24..32].copy_from_slice(&self.watermark.to_le_bytes());
        let count = self.cuts.len().min(MAX_CUTS);
        octets[32..36].copy_from_slice(&(count as u32).to_le_bytes());
        let last = self.cuts.iter().rev().take(count);
        for ((number, end), at) in last.zip((CUTS_AT..CHECKSUM_AT).step_by(8)) {
            octets[at..at + 4].copy_from_slice(&number.to_le_bytes());
            octets[at + 4..at + 8].copy_from_slice(&end.to_le_bytes());
        }
        let checksum = crc32c::crc32c(&octets[..CHECKSUM_AT]);
        octets[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        octets
    }

    /// Reads a header; `None` where the octets are none.
    pub fn decode(octets: &[u8]) -> Option<SegmentHeader> {
        let octets: &[u8; SEGMENT_HEADER_OCTETS] = octets.first_chunk()?;
        let checksum = crc32c::crc32c(&octets[..CHECKSUM_AT]);
        if &octets[0..8] != MAGIC || word(octets, CHECKSUM_AT)? != checksum {
            return None;
        }
        let count = word(octets, 32)? as usize;
        let cut = |at| Some((word(octets, at)?, word(octets, at + 4)?));
        let cuts = (CUTS_AT..CHECKSUM_AT).step_by(8).take(count).filter_map(cut).collect();
        Some(SegmentHeader {
            number: word(octets, 8)?,
            capacity: word(octets, 12)?,
            salt: long(octets, 16)?,
            watermark: long(octets, 24)?,
            cuts,
        })
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

fn long(octets: &[u8], at: usize) -> Option<u64> {
    octets.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Octets that a footer of `content` octets takes on disk, with its trailer.
pub const fn footer_size(content: usize) -> usize {
    record::size_on_disk(content) + TRAILER_OCTETS
}

/// The footer's record at `offset` of the segment, in the batch that began at `batch`.
pub fn footer_record(content: &[u8], salt: u64, number: u32, offset: u32, batch: u32) -> Vec<u8> {
    let header = Header {
        kind: FOOTER_KIND,
        octets: content.len() as u32,
        payload_checksum: crc32c::crc32c(content),
        batch,
    };
    let mut record = record::encode(&header, Spot { salt, segment: number, offset }).to_vec();
    record.extend_from_slice(content);
    record.resize(record::size_on_disk(content.len()), 0);
    record
}

/// The trailer of a segment whose footer is at `footer`.
pub fn trailer(salt: u64, number: u32, footer: u32) -> [u8; TRAILER_OCTETS] {
    let mut octets = [0; TRAILER_OCTETS];
    octets[0..4].copy_from_slice(TRAILER_MAGIC);
    octets[4..8].copy_from_slice(&footer.to_le_bytes());
    octets[8..12].copy_from_slice(&number.to_le_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), &octets[..12]);
    octets[12..].copy_from_slice(&checksum.to_le_bytes());
    octets
}

/// What a sealed segment says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// Its records.
    pub listing: Listing,
    /// Where its own record stands.
    pub place: Place,
    /// Where the batch began that it was written with.
    pub batch: u32,
}

/// Reads the footer of a sealed segment; `None` where it is not sealed, or where footer or
/// trailer are not whole: its records are then scanned.
///
/// # Errors
/// Where it cannot be read.
pub fn read_footer<D: Disk>(segment: &Segment<D>, salt: u64) -> io::Result<Option<Footer>> {
    let mut octets = [0; TRAILER_OCTETS];
    let Some(at) = (segment.capacity as usize).checked_sub(TRAILER_OCTETS) else {
        return Ok(None);
    };
    segment.file.read_full_at(at as u64, &mut octets)?;
    let Some(offset) = word(&octets, 4) else { return Ok(None) };
    if octets != trailer(salt, segment.number, offset) {
        return Ok(None);
    }
    footer_at(segment, salt, offset)
}

fn footer_at<D: Disk>(segment: &Segment<D>, salt: u64, offset: u32) -> io::Result<Option<Footer>> {
    let mut header = [0; HEADER_OCTETS];
    segment.file.read_full_at(u64::from(offset), &mut header)?;
    let spot = Spot { salt, segment: segment.number, offset };
    let header = record::decode(&header, spot).filter(|header| header.kind == FOOTER_KIND);
    let start = offset as usize + HEADER_OCTETS;
    let fits = |header: &Header| start + header.octets as usize <= segment.capacity as usize;
    let Some(header) = header.filter(fits) else { return Ok(None) };
    let mut content = vec![0; header.octets as usize];
    segment.file.read_full_at(start as u64, &mut content)?;
    if crc32c::crc32c(&content) != header.payload_checksum {
        return Ok(None);
    }
    let place = Place { segment: segment.number, offset, octets: header.octets };
    let listing = Listing::parse(segment.number, content);
    Ok(listing.map(|listing| Footer { listing, place, batch: header.batch }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_segment_header_is_read_back() {
        let cuts = BTreeMap::from([(3, 4096), (5, 0)]);
        let header = SegmentHeader { number: 9, capacity: 1 << 26, salt: 77, watermark: 5, cuts };
        assert_eq!(SegmentHeader::decode(&header.encode()), Some(header));
        assert_eq!(SegmentHeader::decode(&[0; SEGMENT_HEADER_OCTETS]), None);
    }

    #[test]
    fn only_whole_segment_names_are_numbers() {
        assert_eq!(number_of(&name_of(0xBEEF)), Some(0xBEEF));
        for name in ["segment-", "segment-1", "segment-0000000g", "spare-00000001"] {
            assert_eq!(number_of(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic(octets: Vec<u8>) {
            let _ = SegmentHeader::decode(&octets);
        }
    }
}
