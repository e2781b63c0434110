//! The disk itself: how fast it is at what a spool asks of it, and what it was asked.
//!
//! Raw disk means: a zeroed file is overwritten from its beginning to its end and again,
//! in writes of one batch, with an fdatasync after each. The same around the system's cache
//! (`O_DIRECT`), as the spool writes, is quicker: no server that tells the truth can be
//! faster than that with batches of that size.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{OFlags, fdatasync, major, minor};

use crate::clock;
use crate::statistics::Latencies;

/// Octets of a file that is overwritten.
const FILE_OCTETS: u64 = 64 << 20;

/// What is written around the cache begins at multiples of this, in place and in memory.
const BLOCK_OCTETS: usize = 4096;

/// Octets of one write, in memory from which they can go around the cache.
#[derive(Debug)]
pub(crate) struct Batch {
    memory: Vec<u8>,
    base: usize,
}

impl Batch {
    /// With room for so many.
    pub(crate) fn with_room(octets: usize) -> Batch {
        let mut memory: Vec<u8> = Vec::with_capacity(octets + BLOCK_OCTETS);
        let base = memory.as_ptr().align_offset(BLOCK_OCTETS);
        memory.resize(base, 0);
        Batch { memory, base }
    }

    /// So many octets.
    pub(crate) fn of(octets: usize) -> Batch {
        let mut batch = Batch::with_room(octets);
        batch.memory.resize(batch.base + octets, 0x55);
        batch
    }

    /// Adds octets, for which there is to be room.
    pub(crate) fn extend(&mut self, octets: &[u8]) {
        self.memory.extend_from_slice(octets);
    }

    /// Forgets them.
    pub(crate) fn clear(&mut self) {
        self.memory.truncate(self.base);
    }

    fn octets(&self) -> &[u8] {
        &self.memory[self.base..]
    }
}

/// A zeroed file to be overwritten.
#[derive(Debug)]
pub(crate) struct RawDisk {
    file: File,
    offset: u64,
}

/// What the disk did.
#[derive(Debug)]
pub(crate) struct Batches {
    /// Batches a second.
    pub(crate) rate: f64,
    /// How long a write and its sync took.
    pub(crate) latencies: Latencies,
}

impl RawDisk {
    /// Lays the file `name` out in `folder`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn new(folder: &Path, name: &str) -> Result<RawDisk, String> {
        let path = folder.join(name);
        let file = zeroed_file(&path);
        let file = file.map_err(|error| format!("error: {}: {error}", path.display()))?;
        Ok(RawDisk { file, offset: 0 })
    }

    /// The same, written around the system's cache, where the file system has a way.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn around_cache(folder: &Path, name: &str) -> Result<RawDisk, String> {
        let mut disk = RawDisk::new(folder, name)?;
        let direct = OFlags::DIRECT.bits() as i32;
        let opened = File::options().write(true).custom_flags(direct).open(folder.join(name));
        disk.file = opened.unwrap_or(disk.file);
        Ok(disk)
    }

    /// One on a file that is there.
    #[cfg(test)]
    pub(crate) fn of(file: File) -> RawDisk {
        RawDisk { file, offset: 0 }
    }

    /// Writes and syncs batches of `octets` for a time.
    ///
    /// # Errors
    /// Where the disk fails.
    pub(crate) fn run(&mut self, octets: usize, time: Duration) -> Result<Batches, String> {
        let batch = Batch::of(octets);
        let (start, mut latencies, mut count) = (clock::now(), Latencies::default(), 0.0);
        while start.elapsed() < time {
            let began = clock::now();
            self.write(&batch).map_err(|error| format!("error: raw disk: {error}"))?;
            latencies.add(began.elapsed());
            count += 1.0;
        }
        Ok(Batches { rate: count / start.elapsed().as_secs_f64(), latencies })
    }

    /// Writes and syncs one.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let batch = batch.octets();
        if self.offset + batch.len() as u64 > FILE_OCTETS {
            self.offset = 0;
        }
        self.file.write_all_at(batch, self.offset)?;
        self.offset += batch.len() as u64;
        Ok(fdatasync(&self.file)?)
    }
}

/// A file of [`FILE_OCTETS`] zeros that are on the disk.
fn zeroed_file(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(true).write(true).open(path)?;
    let zeros = vec![0; 1 << 20];
    for offset in (0..FILE_OCTETS).step_by(zeros.len()) {
        file.write_all_at(&zeros, offset)?;
    }
    file.sync_all()?;
    Ok(file)
}

/// What a block device was asked so far, by everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeviceWrites {
    /// Writes that were completed.
    pub(crate) writes: u64,
    /// Octets in them.
    pub(crate) octets: u64,
}

impl DeviceWrites {
    /// Of the device under `folder`; nothing where the system does not say.
    pub(crate) fn so_far(folder: &Path) -> Option<DeviceWrites> {
        let device = fs::metadata(folder).ok()?.dev();
        let path = format!("/sys/dev/block/{}:{}/stat", major(device), minor(device));
        DeviceWrites::read(&fs::read_to_string(path).ok()?)
    }

    /// The fields are in the kernel's Documentation/block/stat.rst.
    fn read(stat: &str) -> Option<DeviceWrites> {
        let mut fields = stat.split_whitespace().map(str::parse::<u64>);
        let writes = fields.nth(4)?.ok()?;
        let sectors = fields.nth(1)?.ok()?;
        Some(DeviceWrites { writes, octets: sectors * 512 })
    }

    /// What was asked since `before`.
    pub(crate) fn since(self, before: DeviceWrites) -> DeviceWrites {
        DeviceWrites {
            writes: self.writes.saturating_sub(before.writes),
            octets: self.octets.saturating_sub(before.octets),
        }
    }
}

/// Octets that this process handed to the system to be written, so far.
pub(crate) fn octets_handed_over() -> u64 {
    handed_over(&fs::read_to_string("/proc/self/io").unwrap_or_default()).unwrap_or_default()
}

/// Not `write_bytes`: the system counts whole folios there, of a megabyte and more.
fn handed_over(io: &str) -> Option<u64> {
    io.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_raw_disk_goes_round_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = RawDisk::new(folder.path(), "raw-disk").unwrap();
        disk.offset = FILE_OCTETS - 4096;
        for offset in [FILE_OCTETS, 4096, 8192] {
            disk.write(&Batch::of(4096)).unwrap();
            assert_eq!(disk.offset, offset);
        }
        assert_eq!(disk.file.metadata().unwrap().len(), FILE_OCTETS);
    }

    #[test]
    fn what_goes_around_the_cache_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = RawDisk::around_cache(folder.path(), "raw-disk").unwrap();
        let mut batch = Batch::with_room(2 * BLOCK_OCTETS);
        batch.extend(&[0x55; 2 * BLOCK_OCTETS]);
        disk.write(&batch).unwrap();
        batch.clear();
        batch.extend(&[0x66; BLOCK_OCTETS]);
        disk.write(&batch).unwrap();
        let written = fs::read(folder.path().join("raw-disk")).unwrap();
        assert!(written[..2 * BLOCK_OCTETS].iter().all(|octet| *octet == 0x55));
        assert!(written[2 * BLOCK_OCTETS..][..BLOCK_OCTETS].iter().all(|octet| *octet == 0x66));
    }

    #[test]
    fn what_we_handed_over_is_read() {
        assert_eq!(handed_over("rchar: 1\nwchar: 200\nwrite_bytes: 4096\n"), Some(200));
        assert_eq!(handed_over(""), None);
    }

    #[test]
    fn a_devices_writes_are_read() {
        let stat = " 45 0 2512 28 1207 3 19552 4107 0 560 4135 0 0 0 0\n";
        let read = DeviceWrites::read(stat).unwrap();
        assert_eq!(read, DeviceWrites { writes: 1207, octets: 19552 * 512 });
        assert_eq!(read.since(DeviceWrites { writes: 1200, octets: 512 }).writes, 7);
        assert_eq!(DeviceWrites::read("1 2 3"), None);
    }
}
