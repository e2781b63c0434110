//! A batch in whole blocks of the disk, in memory that begins where a block may: so it is
//! written around the system's cache, without a copy and without the cache's upkeep.
//!
//! Batches do not begin where blocks do. What stands before one in its first block is what
//! the batch before it ended with, written there once more; what is behind it in its last
//! block is zero, until the next one writes that block again.

use std::io;

use super::segment;
use crate::disk::{BLOCK_OCTETS, Disk, DiskFile, refuses_blocks};

/// Room for so many octets at least, once there are any.
const FIRST_OCTETS: usize = 64 << 10;

/// What a batch gathers.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    memory: Vec<u8>,
    /// Where in `memory` the first block begins.
    base: usize,
    /// Octets of the first block before what is gathered.
    lead: usize,
    /// Octets of the last block behind it.
    behind: usize,
    /// What stands before it is there.
    is_whole: bool,
}

impl Buffer {
    /// For a batch at `offset` of its segment; what was gathered before is forgotten.
    pub(super) fn begin(&mut self, offset: u32) {
        self.lead = offset as usize % BLOCK_OCTETS;
        (self.behind, self.is_whole) = (0, false);
        self.memory.truncate(self.base);
        self.resize(0);
    }

    /// So many zeros, from the beginning of a block on.
    pub(super) fn zeros(octets: usize) -> Buffer {
        let mut zeros = Buffer::default();
        zeros.resize(octets);
        zeros
    }

    /// Octets gathered.
    pub(super) fn len(&self) -> usize {
        self.memory.len() - self.base - self.lead - self.behind
    }

    /// What was gathered.
    pub(super) fn octets(&self) -> &[u8] {
        let end = self.memory.len() - self.behind;
        &self.memory[self.base + self.lead..end]
    }

    /// The same, to be changed.
    pub(super) fn octets_mut(&mut self) -> &mut [u8] {
        let end = self.memory.len() - self.behind;
        &mut self.memory[self.base + self.lead..end]
    }

    /// Adds octets.
    pub(super) fn extend(&mut self, octets: &[u8]) {
        self.reserve(octets.len());
        self.memory.extend_from_slice(octets);
    }

    /// Adds zeros until there are `octets`, or takes off what is more.
    pub(super) fn resize(&mut self, octets: usize) {
        let wanted = self.base + self.lead + octets;
        self.reserve(wanted.saturating_sub(self.memory.len()));
        self.memory.resize(self.base + self.lead + octets, 0);
    }

    /// What its memory has room for.
    pub(super) fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    /// Room for more, and for the rest of a block: memory that has room for what is added
    /// stays where it is, and with it the blocks.
    fn reserve(&mut self, octets: usize) {
        let wanted = self.memory.len() + octets + BLOCK_OCTETS;
        if wanted <= self.memory.capacity() {
            return;
        }
        let room = (2 * wanted).max(FIRST_OCTETS) + BLOCK_OCTETS;
        let mut memory: Vec<u8> = Vec::with_capacity(room);
        let base = memory.as_ptr().align_offset(BLOCK_OCTETS);
        memory.resize(base, 0);
        memory.extend_from_slice(&self.memory[self.base..]);
        (self.memory, self.base) = (memory, base);
    }

    /// All is gathered, and stands behind `before` in its first block.
    pub(super) fn complete(&mut self, before: &[u8]) {
        if before.len() == self.lead {
            self.memory[self.base..self.base + self.lead].copy_from_slice(before);
            let octets = self.memory.len() - self.base;
            self.behind = octets.next_multiple_of(BLOCK_OCTETS) - octets;
            self.memory.resize(self.memory.len() + self.behind, 0);
            self.is_whole = true;
        }
    }

    /// The blocks, and what of them comes before what was gathered.
    fn blocks(&self) -> Option<(&[u8], usize)> {
        self.is_whole.then_some((&self.memory[self.base..], self.lead))
    }

    /// What of its last block comes before the next batch.
    fn tail(&self) -> &[u8] {
        let end = self.memory.len() - self.behind;
        let taken = (end - self.base) % BLOCK_OCTETS;
        &self.memory[end - taken..end]
    }
}

/// The segment whose batches are written in blocks.
pub(super) struct Blocks<D: Disk> {
    segment: u32,
    capacity: u32,
    file: D::File,
    /// What was written of the block in which the next batch begins.
    tail: Vec<u8>,
}

impl<D: Disk> Blocks<D> {
    /// For a segment that begins; `None` where its disk does not do that.
    pub(super) fn of(disk: &D, segment: u32, capacity: u32) -> Option<Blocks<D>> {
        // What cannot be opened so is written as any file is.
        let file = disk.open_for_blocks(&segment::name_of(segment)).ok()??;
        Some(Blocks { segment, capacity, file, tail: Vec::new() })
    }

    /// Puts what stands before and behind the batch of `segment` into its blocks.
    pub(super) fn complete(&self, segment: u32, batch: &mut Buffer) {
        if segment == self.segment {
            batch.complete(&self.tail);
        }
    }

    /// Writes and syncs the batch that begins at `start` of `segment`. Whether it did: where
    /// `false`, it is to be written otherwise, and so is all that comes behind it.
    pub(super) fn write(&mut self, segment: u32, start: u32, batch: &Buffer) -> io::Result<bool> {
        let Some((blocks, lead)) = batch.blocks().filter(|_| segment == self.segment) else {
            return Ok(false);
        };
        let at = start as usize - lead;
        if at + blocks.len() > self.capacity as usize {
            return Ok(false);
        }
        match self.file.write_all_at(at as u64, blocks) {
            Err(error) if refuses_blocks(&error) => return Ok(false),
            other => other?,
        }
        self.file.sync_data()?;
        self.tail.clear();
        self.tail.extend_from_slice(batch.tail());
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::disk::{FileSystem, Memory};

    fn gathered(offset: u32, octets: &[u8]) -> Buffer {
        let mut buffer = Buffer::default();
        buffer.begin(offset);
        octets.chunks(100).for_each(|piece| buffer.extend(piece));
        buffer
    }

    #[test]
    fn a_batch_without_what_stands_before_it_is_not_written_in_blocks() {
        let mut batch = gathered(4100, b"octets");
        batch.complete(b"abc");
        assert_eq!(batch.blocks(), None);
        batch.complete(b"abcd");
        let (blocks, lead) = batch.blocks().unwrap();
        assert!(blocks.starts_with(b"abcdoctets\0") && blocks.len() == BLOCK_OCTETS);
        assert_eq!((lead, batch.octets(), batch.tail()), (4, &b"octets"[..], &b"abcdoctets"[..]));
    }

    #[test]
    fn a_buffer_that_is_used_again_begins_empty() {
        let mut batch = gathered(0, &[7; 3 * BLOCK_OCTETS]);
        batch.complete(&[]);
        assert_eq!(batch.tail(), &[] as &[u8]);
        batch.begin(5);
        assert_eq!((batch.len(), batch.blocks()), (0, None));
        batch.resize(2);
        batch.octets_mut()[1] = 9;
        batch.complete(b"12345");
        assert!(batch.blocks().unwrap().0.starts_with(b"12345\0\x09\0"));
    }

    /// Writes batches of so many octets behind one another, and reads all after each. Whether
    /// the disk takes blocks.
    fn is_read_back<D: Disk>(disk: &D, batches: Vec<usize>) -> bool {
        let capacity = 12 * 3 * BLOCK_OCTETS as u32;
        let file = disk.create(&segment::name_of(1)).unwrap();
        file.allocate(u64::from(capacity)).unwrap();
        let Some(mut blocks) = Blocks::of(disk, 1, capacity) else { return false };
        let mut expected = Vec::new();
        for (number, octets) in batches.into_iter().enumerate() {
            let start = expected.len() as u32;
            expected.resize(expected.len() + octets, number as u8 + 1);
            let mut batch = gathered(start, &expected[start as usize..]);
            blocks.complete(1, &mut batch);
            if !blocks.write(1, start, &batch).unwrap() {
                return false;
            }
            let mut read = vec![0; expected.len()];
            file.read_full_at(0, &mut read).unwrap();
            assert_eq!(read, expected);
        }
        true
    }

    #[test]
    fn what_goes_around_the_cache_of_a_real_disk_is_read_through_it() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileSystem::new(folder.path()).unwrap();
        if !is_read_back(&disk, vec![512, 4100, 9000, 84, 3000, 4096]) {
            eprintln!("{}: the file system takes no whole blocks", folder.path().display());
        }
    }

    #[test]
    fn a_batch_that_would_make_the_segment_longer_is_not_written_in_blocks() {
        let disk = Memory::new(1, 1 << 20);
        disk.create(&segment::name_of(1)).unwrap();
        let mut blocks = Blocks::of(&disk, 1, BLOCK_OCTETS as u32 - 1).unwrap();
        let mut batch = gathered(0, b"octets");
        blocks.complete(1, &mut batch);
        assert!(!blocks.write(1, 0, &batch).unwrap());
    }

    proptest! {
        #[test]
        fn batches_behind_one_another_are_read_back(
            batches in prop::collection::vec(1usize..3 * BLOCK_OCTETS, 1..12)
        ) {
            prop_assert!(is_read_back(&Memory::new(1, 1 << 20), batches));
        }
    }
}
