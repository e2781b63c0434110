//! A disk in memory that can crash, run full and fail: the same way for the same seed.
//!
//! What a power cut leaves of a file is what was synced, and of everything written since
//! any subset of its sectors. Of the names it leaves those of the last
//! [`Disk::sync_dir`] and a first part of the changes since, as a file system with a
//! journal does.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{BLOCK_OCTETS, Disk, DiskFile};

/// What a disk writes whole or not at all, in octets.
const SECTOR: usize = 512;

/// What goes wrong. Calls are counted from 0, from the moment the faults are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// From this changing call on, nothing more can be allocated: creations fail, and so
    /// do writes that make a file longer.
    pub full_from: Option<u64>,
    /// This sync of a file fails, once. Some of what was written since the last one is on
    /// disk, and no later sync writes the rest.
    pub fail_sync: Option<u64>,
    /// Syncs of files panic: what a bug below would come to.
    pub panics_at_sync: bool,
    /// This sync of the directory fails, once. What was changed may be durable or not.
    pub fail_sync_dir: Option<u64>,
    /// This changing call fails, once, and changes nothing.
    pub fail_change: Option<u64>,
    /// This read fails, once.
    pub fail_read: Option<u64>,
    /// From this call on, changes and syncs counted together, the power is gone: nothing
    /// is changed or synced any more.
    pub cut_at: Option<u64>,
    /// Writes take only a part of what they are given.
    pub short_writes: bool,
    /// Files are opened for whole blocks, and then do not take them.
    pub refuses_blocks: bool,
    /// Syncs succeed and do nothing: what a test of durability must notice.
    pub forgets_syncs: bool,
}

/// What a power cut leaves of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// Nothing.
    Nothing,
    /// All of it.
    Everything,
    /// A first part of the names, and any sectors, by this seed.
    Some(u64),
}

/// Calls since the faults were set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls that change something: creations, renames, removals, writes, allocations.
    pub changes: u64,
    /// Syncs of a file.
    pub syncs: u64,
    /// Syncs of the directory.
    pub dir_syncs: u64,
    /// Reads.
    pub reads: u64,
    /// Of the changes, writes of whole blocks.
    pub block_writes: u64,
}

/// A directory in memory. Clones are the same directory.
#[derive(Clone, Debug)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    random: Random,
    capacity: u64,
    faults: Faults,
    calls: Calls,
    is_locked: bool,
    names: Names,
    durable_names: Names,
    /// Changes of names since the last sync of the directory.
    renamed: Vec<Names>,
    files: Vec<Content>,
}

type Names = BTreeMap<String, usize>;

/// A file: as a reader sees it, and as it stands on disk.
#[derive(Clone, Debug, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that the next sync writes.
    dirty: BTreeSet<usize>,
}

/// Splitmix64.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }
}

impl Content {
    /// Makes the file `octets` long; new octets are 0.
    fn resize(&mut self, octets: usize) {
        let before = self.seen.len();
        self.seen.resize(octets, 0);
        self.mark(before, octets);
    }

    fn write(&mut self, at: usize, octets: &[u8]) {
        let end = at + octets.len();
        if end > self.seen.len() {
            self.resize(end);
        }
        self.seen[at..end].copy_from_slice(octets);
        self.mark(at, end);
    }

    fn mark(&mut self, from: usize, to: usize) {
        self.dirty.extend(from / SECTOR..to.div_ceil(SECTOR));
    }

    /// Puts the dirty sectors that `survives` picks on disk, and the length where it says
    /// so.
    fn settle(&mut self, mut survives: impl FnMut() -> bool) {
        let length = if survives() { self.seen.len() } else { self.durable.len() };
        self.durable.resize(length, 0);
        for sector in std::mem::take(&mut self.dirty) {
            let begin = sector * SECTOR;
            let end = (begin + SECTOR).min(length).min(self.seen.len());
            if survives() && begin < end {
                self.durable[begin..end].copy_from_slice(&self.seen[begin..end]);
            }
        }
    }
}

impl State {
    fn new(seed: u64, capacity: u64) -> State {
        State {
            random: Random(seed),
            capacity,
            faults: Faults::default(),
            calls: Calls::default(),
            is_locked: false,
            names: Names::new(),
            durable_names: Names::new(),
            renamed: Vec::new(),
            files: Vec::new(),
        }
    }

    fn used(&self) -> u64 {
        self.names.values().map(|id| self.files[*id].seen.len() as u64).sum()
    }

    fn free(&self) -> u64 {
        match self.faults.full_from {
            Some(from) if self.calls.changes >= from => 0,
            _ => self.capacity.saturating_sub(self.used()),
        }
    }

    /// Counts a changing call that takes `octets` more space.
    fn change(&mut self, octets: u64) -> io::Result<()> {
        self.power()?;
        let (free, due) = (self.free(), self.faults.fail_change);
        if is_due(&mut self.calls.changes, due) {
            return Err(fault());
        }
        if octets > free { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn power(&self) -> io::Result<()> {
        let Calls { changes, syncs, dir_syncs, .. } = self.calls;
        let is_cut = self.faults.cut_at.is_some_and(|at| changes + syncs + dir_syncs >= at);
        if is_cut { Err(fault()) } else { Ok(()) }
    }

    fn id(&self, name: &str) -> io::Result<usize> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no file `{name}`"));
        self.names.get(name).copied().ok_or_else(missing)
    }

    fn names_changed(&mut self) {
        self.renamed.push(self.names.clone());
    }

    /// The names after a seeded first part of the changes since the last sync.
    fn settle_names(&mut self) {
        let kept = self.random.below(self.renamed.len() + 1);
        if let Some(names) = kept.checked_sub(1).and_then(|last| self.renamed.get(last)) {
            self.durable_names = names.clone();
        }
    }

    fn settle_file(&mut self, id: usize) {
        let State { random, files, .. } = self;
        files[id].settle(|| random.coin());
    }
}

/// Whether this call, counted by `count`, is the one that is to fail.
fn is_due(count: &mut u64, due: Option<u64>) -> bool {
    let is_due = due == Some(*count);
    *count += 1;
    is_due
}

fn fault() -> io::Error {
    io::Error::other("the disk failed, as it was told to")
}

impl Memory {
    /// An empty disk of `capacity` octets. Equal seeds behave equally.
    pub fn new(seed: u64, capacity: u64) -> Memory {
        Memory { state: Arc::new(Mutex::new(State::new(seed, capacity))) }
    }

    /// Has the disk fail from now on as `faults` says.
    pub fn set_faults(&self, faults: Faults) {
        let mut state = self.state();
        state.faults = faults;
        state.calls = Calls::default();
    }

    /// How often it was called since the faults were set.
    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    /// Whether the power is still on.
    pub fn is_powered(&self) -> bool {
        self.state().power().is_ok()
    }

    /// The disk as it is found after a power cut at this moment, without faults. This one
    /// stays as it is, so that one moment can be cut with many seeds.
    pub fn crash(&self, seed: u64) -> Memory {
        self.crash_to(Survival::Some(seed))
    }

    /// The same, where nothing or all of what was not synced may survive, too.
    pub fn crash_to(&self, survival: Survival) -> Memory {
        let before = self.state();
        let seed = if let Survival::Some(seed) = survival { seed } else { 0 };
        let mut after = State::new(seed, before.capacity);
        after.files.clone_from(&before.files);
        after.durable_names.clone_from(&before.durable_names);
        after.renamed.clone_from(&before.renamed);
        let before_names = before.names.clone();
        drop(before);
        match survival {
            Survival::Some(_) => after.settle_names(),
            Survival::Everything => after.durable_names.clone_from(&before_names),
            Survival::Nothing => {}
        }
        after.renamed.clear();
        after.names.clone_from(&after.durable_names);
        for id in 0..after.files.len() {
            match survival {
                Survival::Some(_) => after.settle_file(id),
                other => after.files[id].settle(|| other == Survival::Everything),
            }
            after.files[id].seen = after.files[id].durable.clone();
        }
        Memory { state: Arc::new(Mutex::new(after)) }
    }

    /// Nothing panics half-way through a change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for Memory {
    type File = MemoryFile;
    type Lock = MemoryLock;

    fn open(&self, name: &str) -> io::Result<MemoryFile> {
        let id = self.state().id(name)?;
        Ok(MemoryFile { disk: self.clone(), id, in_blocks: false })
    }

    fn open_for_blocks(&self, name: &str) -> io::Result<Option<MemoryFile>> {
        Ok(Some(MemoryFile { in_blocks: true, ..self.open(name)? }))
    }

    fn create(&self, name: &str) -> io::Result<MemoryFile> {
        let mut state = self.state();
        // Even an empty file takes space: its name does.
        state.change(1)?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = state.files.len();
        state.files.push(Content::default());
        state.names.insert(name.into(), id);
        state.names_changed();
        Ok(MemoryFile { disk: self.clone(), id, in_blocks: false })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.change(0)?;
        let id = state.id(from)?;
        state.names.remove(from);
        state.names.insert(to.into(), id);
        state.names_changed();
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.change(0)?;
        state.id(name)?;
        state.names.remove(name);
        state.names_changed();
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        state.power()?;
        let due = state.faults.fail_sync_dir;
        if is_due(&mut state.calls.dir_syncs, due) {
            state.settle_names();
            return Err(fault());
        }
        if state.faults.forgets_syncs {
            return Ok(());
        }
        state.durable_names = state.names.clone();
        state.renamed.clear();
        Ok(())
    }

    fn free_octets(&self) -> io::Result<u64> {
        Ok(self.state().free())
    }

    fn lock(&self) -> io::Result<MemoryLock> {
        let mut state = self.state();
        if state.is_locked {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "`memory/lock` is held"));
        }
        state.is_locked = true;
        Ok(MemoryLock(self.clone()))
    }

    fn path_of(&self, name: &str) -> String {
        format!("memory/{name}")
    }

    fn salt(&self) -> u64 {
        self.state().random.next()
    }
}

/// Holds a [`Memory`] until it is dropped.
#[derive(Debug)]
pub struct MemoryLock(Memory);

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.0.state().is_locked = false;
    }
}

/// An open file of a [`Memory`].
#[derive(Debug)]
pub struct MemoryFile {
    disk: Memory,
    id: usize,
    /// It takes whole blocks only.
    in_blocks: bool,
}

/// Whether these are whole blocks, in place and in memory.
fn are_blocks(offset: u64, octets: &[u8]) -> bool {
    let place = offset.is_multiple_of(BLOCK_OCTETS as u64);
    let memory = octets.as_ptr().align_offset(BLOCK_OCTETS) == 0;
    place && memory && octets.len().is_multiple_of(BLOCK_OCTETS)
}

/// Beyond what fits in memory there is no file.
fn index(octets: u64) -> io::Result<usize> {
    let index = usize::try_from(octets).ok().filter(|octets| *octets <= isize::MAX as usize);
    index.ok_or_else(|| io::ErrorKind::FileTooLarge.into())
}

impl DiskFile for MemoryFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let due = state.faults.fail_read;
        if is_due(&mut state.calls.reads, due) {
            return Err(fault());
        }
        let seen = &state.files[self.id].seen;
        let rest = seen.get(index(offset)?..).unwrap_or_default();
        let octets = rest.len().min(into.len());
        into[..octets].copy_from_slice(&rest[..octets]);
        Ok(octets)
    }

    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let at = index(offset)?;
        let mut length = octets.len();
        if self.in_blocks {
            if state.faults.refuses_blocks || !are_blocks(offset, octets) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            state.calls.block_writes += 1;
        }
        if state.faults.short_writes && length > 1 {
            length = 1 + state.random.below(length);
        }
        let end = index(offset.saturating_add(length as u64))?;
        let before = state.files[self.id].seen.len();
        state.change(end.saturating_sub(before) as u64)?;
        state.files[self.id].write(at, &octets[..length]);
        Ok(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.power()?;
        assert!(!state.faults.panics_at_sync, "a sync panics, as was asked for");
        let due = state.faults.fail_sync;
        if is_due(&mut state.calls.syncs, due) {
            state.settle_file(self.id);
            return Err(fault());
        }
        if state.faults.forgets_syncs {
            return Ok(());
        }
        state.files[self.id].settle(|| true);
        Ok(())
    }

    fn allocate(&self, octets: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let before = state.files[self.id].seen.len();
        let more = octets.saturating_sub(before as u64);
        state.change(more)?;
        if more > 0 {
            state.files[self.id].resize(index(octets)?);
        }
        Ok(())
    }

    fn octets(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.id].seen.len() as u64)
    }

    fn truncate(&self, octets: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let before = state.files[self.id].seen.len();
        state.change(octets.saturating_sub(before as u64))?;
        state.files[self.id].resize(index(octets)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(disk: &Memory, name: &str) -> Option<Vec<u8>> {
        let file = disk.open(name).ok()?;
        let mut octets = vec![0; file.octets().unwrap() as usize];
        file.read_full_at(0, &mut octets).unwrap();
        Some(octets)
    }

    fn with_file(disk: &Memory) -> MemoryFile {
        let file = disk.create("a").unwrap();
        file.write_all_at(0, &[1; 4 * SECTOR]).unwrap();
        file.sync_data().unwrap();
        disk.sync_dir().unwrap();
        file
    }

    #[test]
    fn a_power_cut_leaves_what_was_synced_and_any_sectors_of_the_rest() {
        let disk = Memory::new(1, 1 << 20);
        let file = with_file(&disk);
        file.write_all_at(SECTOR as u64, &[2; 2 * SECTOR]).unwrap();
        let mut found = BTreeSet::new();
        for seed in 0..64 {
            let after = read(&disk.crash(seed), "a").unwrap();
            assert_eq!(after, read(&disk.crash(seed), "a").unwrap());
            let sectors: Vec<u8> = after.chunks(SECTOR).map(|sector| sector[0]).collect();
            assert!(after.chunks(SECTOR).all(|sector| sector.iter().all(|o| *o == sector[0])));
            found.insert(sectors);
        }
        let all = [[1, 1, 1, 1], [1, 1, 2, 1], [1, 2, 1, 1], [1, 2, 2, 1]];
        assert_eq!(found, all.map(Vec::from).into());
    }

    #[test]
    fn a_name_may_be_lost_until_the_directory_is_synced() {
        let disk = Memory::new(1, 1 << 20);
        with_file(&disk);
        disk.rename("a", "b").unwrap();
        let names: BTreeSet<_> = (0..16).map(|seed| disk.crash(seed).list().unwrap()).collect();
        assert_eq!(names, [vec!["a".to_owned()], vec!["b".to_owned()]].into());
        disk.sync_dir().unwrap();
        assert!((0..16).all(|seed| disk.crash(seed).list().unwrap() == ["b"]));
    }

    #[test]
    fn what_a_failed_sync_left_behind_is_not_written_by_the_next() {
        let lost = (0..16).filter(|seed| {
            let disk = Memory::new(*seed, 1 << 20);
            let file = with_file(&disk);
            disk.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
            file.write_all_at(0, &[2; SECTOR]).unwrap();
            assert!(file.sync_data().is_err());
            file.sync_data().unwrap();
            read(&disk.crash(0), "a").unwrap()[0] == 1
        });
        assert!((1..16).contains(&lost.count()));
    }

    #[test]
    fn a_full_disk_takes_what_was_allocated() {
        let disk = Memory::new(1, 1000);
        let file = disk.create("a").unwrap();
        file.allocate(1000).unwrap();
        assert_eq!(disk.free_octets().unwrap(), 0);
        file.write_all_at(0, &[1; 1000]).unwrap();
        let full = file.write_all_at(1000, &[1]).unwrap_err();
        assert!(super::super::is_full(&full));
        assert!(super::super::is_full(&disk.create("b").unwrap_err()));
    }

    #[test]
    fn writes_may_be_short_and_reads_may_fail() {
        let disk = Memory::new(1, 1 << 20);
        disk.set_faults(Faults {
            short_writes: true,
            fail_read: Some(1),
            full_from: Some(10_000),
            ..Faults::default()
        });
        let file = with_file(&disk);
        assert!(disk.calls().changes > 2);
        assert_eq!(read(&disk, "a").unwrap(), [1; 4 * SECTOR]);
        assert!(file.read_at(0, &mut [0]).is_err());
        assert!(file.read_at(0, &mut [0]).is_ok());
    }
}
