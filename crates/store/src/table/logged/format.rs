//! How a table's file stands on disk: a header, then one record for each change. Every
//! checksum also covers the file's number, so octets of another file are never read as
//! records of this one. docs/design/spool-format.md has it byte by byte.

use crc32c::crc32c_append;

use super::super::{MAX_KEY_OCTETS, MAX_VALUE_OCTETS};

/// Octets of the header; records begin behind it.
pub(super) const HEADER_OCTETS: usize = 24;
/// Octets before a record's key.
const RECORD_HEADER_OCTETS: usize = 20;
/// Octets of the longest record.
pub(super) const MAX_RECORD_OCTETS: usize =
    RECORD_HEADER_OCTETS + MAX_KEY_OCTETS + MAX_VALUE_OCTETS;

const MAGIC: [u8; 8] = *b"2table1\n";
/// Stands in a record that removes its key.
const REMOVED: u8 = 1;

/// The header of file `number`.
pub(super) fn encode_header(number: u64) -> [u8; HEADER_OCTETS] {
    let mut out = [0; HEADER_OCTETS];
    out[..8].copy_from_slice(&MAGIC);
    out[8..16].copy_from_slice(&number.to_le_bytes());
    let sum = crc32c_append(0, &out[..HEADER_OCTETS - 4]);
    out[HEADER_OCTETS - 4..].copy_from_slice(&sum.to_le_bytes());
    out
}

/// One change of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change<'a> {
    pub(super) key: &'a [u8],
    /// The value and its expiry; `None` where the key is removed.
    pub(super) set: Option<(&'a [u8], u64)>,
}

impl Change<'_> {
    /// Octets that the change takes in a file.
    pub(super) fn octets(&self) -> usize {
        RECORD_HEADER_OCTETS + self.key.len() + self.set.map_or(0, |(value, _)| value.len())
    }

    /// Appends the change to `out` as a record of file `number`. Key and value have been
    /// found short enough.
    pub(super) fn encode(&self, number: u64, out: &mut Vec<u8>) {
        let (value, expires) = self.set.unwrap_or((&[], 0));
        let begin = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.key.len() as u16).to_le_bytes());
        out.extend_from_slice(&[if self.set.is_none() { REMOVED } else { 0 }, 0]);
        out.extend_from_slice(&expires.to_le_bytes());
        out.extend_from_slice(self.key);
        out.extend_from_slice(value);
        let sum = checksum(number, &out[begin + 4..]);
        out[begin..begin + 4].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Over the file's number and all of the record behind the checksum.
fn checksum(number: u64, record: &[u8]) -> u32 {
    crc32c_append(crc32c_append(0, &number.to_le_bytes()), record)
}

/// The record of file `number` with which `octets` begin, if it is whole and sound.
pub(super) fn decode(number: u64, octets: &[u8]) -> Option<Change<'_>> {
    let start: &[u8; RECORD_HEADER_OCTETS] = octets.first_chunk()?;
    let [s0, s1, s2, s3, v0, v1, v2, v3, k0, k1, removed, zero, expires @ ..] = *start;
    let value_octets = u32::from_le_bytes([v0, v1, v2, v3]) as usize;
    let key_octets = usize::from(u16::from_le_bytes([k0, k1]));
    if value_octets > MAX_VALUE_OCTETS || key_octets > MAX_KEY_OCTETS || removed > 1 || zero != 0 {
        return None;
    }
    let record = octets.get(..RECORD_HEADER_OCTETS + key_octets + value_octets)?;
    if checksum(number, &record[4..]) != u32::from_le_bytes([s0, s1, s2, s3]) {
        return None;
    }
    let (key, value) = record[RECORD_HEADER_OCTETS..].split_at(key_octets);
    let set = (removed != REMOVED).then_some((value, u64::from_le_bytes(expires)));
    Some(Change { key, set })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: Change<'_>) {
        let mut octets = Vec::new();
        change.encode(7, &mut octets);
        assert_eq!(octets.len(), change.octets());
        assert_eq!(decode(7, &octets), Some(change));
        assert_eq!(decode(8, &octets), None);
        for cut in 0..octets.len() {
            assert_eq!(decode(7, &octets[..cut]), None, "cut at {cut}");
        }
        for bit in 0..octets.len() * 8 {
            let mut damaged = octets.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(7, &damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn a_change_is_read_back_only_whole_and_in_its_file() {
        check(Change { key: b"key", set: Some((b"value", u64::MAX)) });
        check(Change { key: b"", set: Some((b"", 0)) });
        check(Change { key: b"gone", set: None });
    }
}
