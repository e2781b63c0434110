//! The harness itself: on a disk that only says that it synced, it has to see the loss.

use std::io;

use secondpost_store::disk::memory::{MemoryFile, MemoryLock};
use secondpost_store::disk::{Disk, DiskFile, Faults, Memory};

use crate::power::live;
use crate::run::Crash;

/// Which sync is forgotten.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Forgets {
    Data,
    Names,
}

#[derive(Clone)]
struct Forgetful(Memory, Forgets);

struct ForgetfulFile(MemoryFile, Forgets);

impl Disk for Forgetful {
    type File = ForgetfulFile;
    type Lock = MemoryLock;

    fn open(&self, name: &str) -> io::Result<ForgetfulFile> {
        Ok(ForgetfulFile(self.0.open(name)?, self.1))
    }
    fn create(&self, name: &str) -> io::Result<ForgetfulFile> {
        Ok(ForgetfulFile(self.0.create(name)?, self.1))
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }
    fn sync_dir(&self) -> io::Result<()> {
        if self.1 == Forgets::Names { Ok(()) } else { self.0.sync_dir() }
    }
    fn free_octets(&self) -> io::Result<u64> {
        self.0.free_octets()
    }
    fn lock(&self) -> io::Result<MemoryLock> {
        self.0.lock()
    }
    fn path_of(&self, name: &str) -> String {
        self.0.path_of(name)
    }
    fn salt(&self) -> u64 {
        self.0.salt()
    }
}

impl DiskFile for ForgetfulFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, into)
    }
    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<usize> {
        self.0.write_at(offset, octets)
    }
    fn sync_data(&self) -> io::Result<()> {
        if self.1 == Forgets::Data { Ok(()) } else { self.0.sync_data() }
    }
    fn allocate(&self, octets: u64) -> io::Result<()> {
        self.0.allocate(octets)
    }
    fn octets(&self) -> io::Result<u64> {
        self.0.octets()
    }
    fn truncate(&self, octets: u64) -> io::Result<()> {
        self.0.truncate(octets)
    }
}

impl Crash for Forgetful {
    fn crash(&self, seed: u64) -> Forgetful {
        Forgetful(self.0.crash(seed), self.1)
    }
}

/// How many of a hundred seeds show a loss.
fn losses(forgets: Forgets) -> usize {
    let is_lost = |seed: &u64| {
        let disk = Forgetful(Memory::new(*seed, 1 << 20), forgets);
        let set = |disk: &Forgetful, faults: Faults| disk.0.set_faults(faults);
        live(*seed, disk, set).is_err()
    };
    (0..100).filter(is_lost).count()
}

#[test]
fn a_disk_that_does_not_sync_is_found_out() {
    assert!(losses(Forgets::Data) > 50);
}

#[test]
fn a_disk_that_does_not_sync_names_is_found_out() {
    assert!(losses(Forgets::Names) > 50);
}
