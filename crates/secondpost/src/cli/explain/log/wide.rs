//! UTF-16 as UTF-8: what PowerShell and Notepad write when a log of Exchange goes through
//! them.

/// Turns the octets of UTF-16 into those of UTF-8 as they come.
#[derive(Debug)]
pub(super) struct Wide {
    is_big_endian: bool,
    /// Octets of a character that is not whole yet.
    partial: Vec<u8>,
    /// What was turned; before `given` it was given away.
    ready: Vec<u8>,
    given: usize,
}

impl Wide {
    /// `None` where `start` does not begin with the mark of UTF-16.
    pub(super) fn begun_by(start: &[u8]) -> Option<Wide> {
        let is_big_endian = match start {
            [0xff, 0xfe, ..] => false,
            [0xfe, 0xff, ..] => true,
            _ => return None,
        };
        let mut wide = Wide { is_big_endian, partial: Vec::new(), ready: Vec::new(), given: 0 };
        wide.push(&start[2..]);
        Some(wide)
    }

    /// Takes more octets.
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.partial.extend_from_slice(octets);
        let unit = |pair: &[u8]| match self.is_big_endian {
            true => u16::from_be_bytes([pair[0], pair[1]]),
            false => u16::from_le_bytes([pair[0], pair[1]]),
        };
        let mut units: Vec<u16> = self.partial.chunks_exact(2).map(unit).collect();
        if units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
            units.pop();
        }
        self.partial.drain(..2 * units.len());
        self.turn(units);
    }

    /// What is left of the last character was all of it.
    pub(super) fn finish(&mut self) {
        if !std::mem::take(&mut self.partial).is_empty() {
            self.turn(vec![0xfffd]);
        }
    }

    /// Gives away what is ready, as much as there is room for.
    pub(super) fn give(&mut self, into: &mut [u8]) -> usize {
        let left = &self.ready[self.given..];
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        self.given += count;
        count
    }

    fn turn(&mut self, units: Vec<u16>) {
        self.ready.drain(..std::mem::take(&mut self.given));
        let mut room = [0; 4];
        for character in char::decode_utf16(units) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.ready.extend_from_slice(character.encode_utf8(&mut room).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_read_wherever_they_are_cut() {
        let text = "550 Boîte 箱 📭\r\n";
        for is_big in [false, true] {
            let octets: Vec<u8> = text
                .encode_utf16()
                .flat_map(|unit| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect();
            let mark: [u8; 2] = if is_big { [0xfe, 0xff] } else { [0xff, 0xfe] };
            let (mut wide, mut told) = (Wide::begun_by(&mark).unwrap(), Vec::new());
            let mut room = [0; 3];
            for octet in octets {
                wide.push(&[octet]);
                while let count @ 1.. = wide.give(&mut room) {
                    told.extend_from_slice(&room[..count]);
                }
            }
            assert_eq!(String::from_utf8(told).unwrap(), text);
        }
        assert!(Wide::begun_by(b"450 4.2.0").is_none());
    }
}
