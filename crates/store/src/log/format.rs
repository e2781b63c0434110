//! How a segment stands on disk: one header, then records, each with a checksum that also
//! covers the segment's number and salt. docs/design/spool-format.md has it byte by byte.
//!
//! Segments are recycled, so a file holds old records behind the new ones; the number in
//! the checksum tells them apart from records of this life.

use crc32c::crc32c_append;

/// Octets of a segment, header included.
pub const SEGMENT_OCTETS: u64 = 64 * 1024 * 1024;
/// Octets of the header; records begin behind it.
pub const HEADER_OCTETS: usize = 64;
/// Octets before a record's payload.
pub const RECORD_HEADER_OCTETS: usize = 12;
/// Largest payload of a record.
pub const MAX_PAYLOAD_OCTETS: usize = 1024 * 1024;

const SEGMENT_MAGIC: [u8; 8] = *b"2post-1\n";
pub(super) const RECORD_MAGIC: [u8; 2] = [0x5e, 0xc2];
/// Records begin at multiples of this.
const ALIGNMENT: usize = 4;

/// What the first octets of a segment say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The segment's number; it grows by one with every segment of a log.
    pub(super) number: u64,
    /// Random: nobody outside can make octets that look like a record.
    pub(super) salt: u64,
    /// The segment before this one that has trusted content.
    pub(super) previous: u64,
    /// Up to where that content goes: whatever lies behind was never acknowledged.
    pub(super) previous_end: u64,
    /// A number of the log's user at the time of creation.
    pub(super) note: u64,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_OCTETS] {
        let mut out = [0; HEADER_OCTETS];
        out[..8].copy_from_slice(&SEGMENT_MAGIC);
        let fields = [self.number, self.salt, self.previous, self.previous_end, self.note];
        for (index, field) in fields.iter().enumerate() {
            out[8 + index * 8..16 + index * 8].copy_from_slice(&field.to_le_bytes());
        }
        let checksum = crc32c_append(0, &out[..HEADER_OCTETS - 4]);
        out[HEADER_OCTETS - 4..].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    pub(super) fn decode(octets: &[u8]) -> Option<Header> {
        let octets = octets.get(..HEADER_OCTETS)?;
        let (content, checksum) = octets.split_at(HEADER_OCTETS - 4);
        let sound = octets.starts_with(&SEGMENT_MAGIC)
            && crc32c_append(0, content).to_le_bytes() == checksum;
        let field = |index: usize| u64_at(octets, 8 + index * 8);
        sound.then(|| Header {
            number: field(0),
            salt: field(1),
            previous: field(2),
            previous_end: field(3),
            note: field(4),
        })
    }
}

fn u64_at(octets: &[u8], at: usize) -> u64 {
    let mut field = [0; 8];
    field.copy_from_slice(&octets[at..at + 8]);
    u64::from_le_bytes(field)
}

fn u32_at(octets: &[u8], at: usize) -> u32 {
    let mut field = [0; 4];
    field.copy_from_slice(&octets[at..at + 4]);
    u32::from_le_bytes(field)
}

/// Octets that a record with such a payload takes in a segment.
pub(super) const fn record_octets(payload: usize) -> usize {
    (RECORD_HEADER_OCTETS + payload).next_multiple_of(ALIGNMENT)
}

/// Appends a record to `out`, which will stand at `offset` of the segment.
pub(super) fn encode_record(
    header: &Header,
    offset: u64,
    kind: u8,
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    let begin = out.len();
    let mut start = [0; RECORD_HEADER_OCTETS];
    start[..2].copy_from_slice(&RECORD_MAGIC);
    start[2] = kind;
    start[4..8].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&start);
    out.extend_from_slice(payload);
    let checksum = checksum(header, offset, &out[begin..]);
    out[begin + 8..begin + 12].copy_from_slice(&checksum.to_le_bytes());
    out.resize(begin + record_octets(payload.len()), 0);
}

/// Over the segment's identity, the record's place, its kind, length and payload.
fn checksum(header: &Header, offset: u64, record: &[u8]) -> u32 {
    let mut sum = crc32c_append(0, &header.number.to_le_bytes());
    sum = crc32c_append(sum, &header.salt.to_le_bytes());
    sum = crc32c_append(sum, &offset.to_le_bytes());
    sum = crc32c_append(sum, &record[..8]);
    crc32c_append(sum, &record[RECORD_HEADER_OCTETS..])
}

/// A record that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decoded<'a> {
    pub(super) kind: u8,
    pub(super) payload: &'a [u8],
    /// Octets up to the next record.
    pub(super) octets: usize,
}

/// The record at `offset` of the segment, if `octets` begin with a sound one.
pub(super) fn decode_record<'a>(
    header: &Header,
    offset: u64,
    octets: &'a [u8],
) -> Option<Decoded<'a>> {
    let start = octets.get(..RECORD_HEADER_OCTETS)?;
    let length = u32_at(start, 4) as usize;
    if start[..2] != RECORD_MAGIC || start[3] != 0 || length > MAX_PAYLOAD_OCTETS {
        return None;
    }
    let record = octets.get(..RECORD_HEADER_OCTETS + length)?;
    let sound = checksum(header, offset, record) == u32_at(start, 8);
    let payload = &record[RECORD_HEADER_OCTETS..];
    sound.then(|| Decoded { kind: start[2], payload, octets: record_octets(length) })
}

/// The next multiple at which a record may begin.
pub(super) const fn aligned(offset: usize) -> usize {
    offset.next_multiple_of(ALIGNMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header { number: 7, salt: 11, previous: 6, previous_end: 99, note: 5 };

    #[test]
    fn a_header_is_read_back_and_every_flipped_bit_is_seen() {
        let octets = HEADER.encode();
        assert_eq!(Header::decode(&octets), Some(HEADER));
        for bit in 0..HEADER_OCTETS * 8 {
            let mut damaged = octets;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&damaged), None, "bit {bit}");
        }
        assert_eq!(Header::decode(&octets[..63]), None);
    }

    #[test]
    fn a_record_is_sound_only_whole_in_its_place_and_segment() {
        let mut octets = Vec::new();
        encode_record(&HEADER, 64, 3, b"hello", &mut octets);
        assert_eq!(octets.len(), 20);
        let decoded = decode_record(&HEADER, 64, &octets).unwrap();
        assert_eq!((decoded.kind, decoded.payload, decoded.octets), (3, &b"hello"[..], 20));
        assert_eq!(decode_record(&HEADER, 68, &octets), None);
        assert_eq!(decode_record(&Header { number: 8, ..HEADER }, 64, &octets), None);
        assert_eq!(decode_record(&Header { salt: 12, ..HEADER }, 64, &octets), None);
        for cut in 0..17 {
            assert_eq!(decode_record(&HEADER, 64, &octets[..cut]), None, "cut at {cut}");
        }
        for bit in 0..17 * 8 {
            let mut damaged = octets.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode_record(&HEADER, 64, &damaged), None, "bit {bit}");
        }
    }
}
