//! A record on disk: 20 octets of header, then the payload, then padding to 4 octets.
//!
//! The header's checksum covers the log's salt, the segment's number, the offset and the
//! payload's checksum: a record of the segment's earlier life, or one that was moved by a
//! stray write, or one made up by a peer inside a message, is never taken for a record.

/// Octets of a record's header.
pub const HEADER_OCTETS: usize = 20;
/// Records begin at multiples of this.
pub const ALIGNMENT: usize = 4;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the payload is: the caller's, but 0 and 255 (see [`super::segment`]).
    pub kind: u8,
    /// Octets of the payload.
    pub octets: u32,
    /// CRC-32C of the payload.
    pub payload_checksum: u32,
    /// Where the batch began that this record was written with: all before it in the
    /// segment was synced before this record was written.
    pub batch: u32,
}

/// Where a record stands, for its checksum.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// The log's salt.
    pub salt: u64,
    /// The segment's number.
    pub segment: u32,
    /// The record's offset in the segment.
    pub offset: u32,
}

/// Octets that a payload of `octets` takes on disk with header and padding.
pub const fn size_on_disk(octets: usize) -> usize {
    (HEADER_OCTETS + octets).next_multiple_of(ALIGNMENT)
}

/// The octets of `header` at `spot`.
pub fn encode(header: &Header, spot: Spot) -> [u8; HEADER_OCTETS] {
    let mut octets = [0; HEADER_OCTETS];
    octets[4..8].copy_from_slice(&header.payload_checksum.to_le_bytes());
    octets[8..12].copy_from_slice(&header.octets.to_le_bytes());
    octets[12..16].copy_from_slice(&header.batch.to_le_bytes());
    octets[16] = header.kind;
    let checksum = checksum(&octets, spot);
    octets[0..4].copy_from_slice(&checksum.to_le_bytes());
    octets
}

/// Reads the header that begins `octets`; `None` where there is none.
pub fn decode(octets: &[u8], spot: Spot) -> Option<Header> {
    let octets: &[u8; HEADER_OCTETS] = octets.first_chunk()?;
    let word = |at: usize| {
        u32::from_le_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
    };
    let header =
        Header { kind: octets[16], octets: word(8), payload_checksum: word(4), batch: word(12) };
    // The cheap tests first: a resynchronising scan asks at every fourth octet.
    let plausible = header.kind != 0 && octets[17..20] == [0; 3] && header.batch <= spot.offset;
    (plausible && word(0) == checksum(octets, spot)).then_some(header)
}

fn checksum(octets: &[u8; HEADER_OCTETS], spot: Spot) -> u32 {
    let mut covered = [0; 16 + HEADER_OCTETS - 4];
    covered[0..8].copy_from_slice(&spot.salt.to_le_bytes());
    covered[8..12].copy_from_slice(&spot.segment.to_le_bytes());
    covered[12..16].copy_from_slice(&spot.offset.to_le_bytes());
    covered[16..].copy_from_slice(&octets[4..]);
    crc32c::crc32c(&covered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPOT: Spot = Spot { salt: 7, segment: 3, offset: 512 };

    #[test]
    fn a_header_is_valid_only_where_it_was_written() {
        let header = Header { kind: 1, octets: 9, payload_checksum: 5, batch: 512 };
        let octets = encode(&header, SPOT);
        assert_eq!(decode(&octets, SPOT), Some(header));
        assert_eq!(decode(&octets, Spot { segment: 4, ..SPOT }), None);
        assert_eq!(decode(&octets, Spot { offset: 516, ..SPOT }), None);
        assert_eq!(decode(&octets, Spot { salt: 8, ..SPOT }), None);
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_noticed(bit in 0usize..HEADER_OCTETS * 8) {
            let header = Header { kind: 1, octets: 9, payload_checksum: 5, batch: 512 };
            let mut octets = encode(&header, SPOT);
            octets[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(decode(&octets, SPOT), None);
        }
    }
}
