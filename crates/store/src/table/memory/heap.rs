//! Entries behind one another in pages: six octets of expiry, the lengths of key and value,
//! key and value. None is larger than its page; one that does not fit gets one of its own.

/// Octets of a page: nine of them and what an allocator notes fit into 64 KiB; of the power
/// of two above it only seven would.
pub(super) const PAGE_OCTETS: usize = 7 << 10;
/// Bits of an [`At`] that are the offset in a page; the others are the page's number.
const OFFSET_BITS: u32 = 13;
const _: () = assert!(PAGE_OCTETS <= 1 << OFFSET_BITS);
/// Octets of an expiry.
const TIME_OCTETS: usize = 6;
/// Is never.
const NEVER: u64 = (1 << (8 * TIME_OCTETS)) - 1;

/// One entry: what, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Entry<'a> {
    pub(in super::super) key: &'a [u8],
    pub(in super::super) value: &'a [u8],
    pub(in super::super) expires: u64,
}

/// Where an entry lies: its page, and the offset there. The pages of one shard can hold
/// three gibibytes and a half, and more where entries have pages of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At(u32);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Heap {
    pages: Vec<Vec<u8>>,
    /// The page that entries are added to.
    open: usize,
    /// Octets of entries that are needed, and of those that are not.
    alive: usize,
    dead: usize,
}

impl Heap {
    pub(super) fn add(&mut self, entry: Entry<'_>) -> At {
        let octets = size(entry);
        self.alive += octets;
        let page = self.page_for(octets);
        let at = At(((page as u32) << OFFSET_BITS) | self.pages[page].len() as u32);
        write(entry, &mut self.pages[page]);
        at
    }

    /// Where the entry lies now; the one at `at` is gone.
    pub(super) fn replace(&mut self, at: At, entry: Entry<'_>) -> At {
        let old = size(self.entry(at));
        if old != size(entry) {
            self.free(at);
            return self.add(entry);
        }
        let mut octets = Vec::with_capacity(old);
        write(entry, &mut octets);
        let (page, offset) = at.parts();
        self.pages[page][offset..offset + old].copy_from_slice(&octets);
        at
    }

    /// The entry there is needed no more.
    pub(super) fn free(&mut self, at: At) {
        let octets = size(self.entry(at));
        self.alive -= octets;
        self.dead += octets;
    }

    pub(super) fn key(&self, at: At) -> &[u8] {
        self.entry(at).key
    }

    pub(super) fn entry(&self, at: At) -> Entry<'_> {
        let (page, offset) = at.parts();
        let octets = &self.pages[page][offset..];
        let (time, rest) = octets.split_at(TIME_OCTETS);
        let (key, rest) = read_length(rest);
        let (value, rest) = read_length(rest);
        let (key, rest) = rest.split_at(key);
        Entry { key, value: &rest[..value], expires: read_time(time) }
    }

    /// Whether more than a quarter of it, and more than a page, is needed no more.
    pub(super) fn is_mostly_dead(&self) -> bool {
        self.dead > PAGE_OCTETS && self.dead > self.alive / 4
    }

    /// Octets that the pages take.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        self.pages.iter().map(Vec::capacity).sum()
    }

    fn page_for(&mut self, octets: usize) -> usize {
        let fits = |page: &Vec<u8>| page.capacity() - page.len() >= octets;
        if self.pages.get(self.open).is_some_and(fits) {
            return self.open;
        }
        self.pages.push(Vec::with_capacity(octets.max(PAGE_OCTETS)));
        let new = self.pages.len() - 1;
        // A page of its own is full, and the open one stays it.
        if octets <= PAGE_OCTETS {
            self.open = new;
        }
        new
    }
}

impl At {
    fn parts(self) -> (usize, usize) {
        ((self.0 >> OFFSET_BITS) as usize, self.0 as usize % (1 << OFFSET_BITS))
    }
}

fn write(entry: Entry<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&entry.expires.min(NEVER).to_le_bytes()[..TIME_OCTETS]);
    write_length(entry.key.len(), out);
    write_length(entry.value.len(), out);
    out.extend_from_slice(entry.key);
    out.extend_from_slice(entry.value);
}

fn size(entry: Entry<'_>) -> usize {
    let (key, value) = (entry.key.len(), entry.value.len());
    TIME_OCTETS + length_octets(key) + length_octets(value) + key + value
}

fn read_time(octets: &[u8]) -> u64 {
    let time = octets.iter().rev().fold(0, |time, octet| (time << 8) | u64::from(*octet));
    if time == NEVER { u64::MAX } else { time }
}

/// Seven bits an octet, the lowest first.
fn write_length(mut length: usize, out: &mut Vec<u8>) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

fn length_octets(length: usize) -> usize {
    (usize::BITS - (length | 1).leading_zeros()).div_ceil(7) as usize
}

fn read_length(octets: &[u8]) -> (usize, &[u8]) {
    let mut length = 0;
    for (index, octet) in octets.iter().enumerate() {
        length |= usize::from(octet & 0x7f) << (7 * index);
        if octet & 0x80 == 0 {
            return (length, &octets[index + 1..]);
        }
    }
    (0, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_every_length_are_read_back_where_they_were_put() {
        let mut heap = Heap::default();
        let lengths = [0, 1, 127, 128, 1024, 16_383, 16_384, 65_536];
        let mut put = Vec::new();
        for key in [0, 1, 127, 128, 1024] {
            for value in lengths {
                for expires in [0, 1_764_000_000_000, NEVER - 1, u64::MAX] {
                    let (key, value) = (vec![b'k'; key], vec![b'v'; value]);
                    let at = heap.add(Entry { key: &key, value: &value, expires });
                    put.push((at, key, value, expires));
                }
            }
        }
        for (at, key, value, expires) in &put {
            let expected = Entry { key, value, expires: *expires };
            assert_eq!(heap.entry(*at), expected);
            assert_eq!(size(expected), {
                let mut octets = Vec::new();
                write(expected, &mut octets);
                octets.len()
            });
        }
    }
}
