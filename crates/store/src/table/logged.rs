//! A table in memory that is also kept in an append log.
//!
//! Changes go into a buffer, and [`LoggedTable::flush`] appends it to the current file.
//! Whatever goes wrong (a failed write, a buffer that is full, a tail that cannot be
//! read) has one remedy: the next flush writes all entries to a new file, because memory
//! has them. So does the first flush after a start. The format of the file is in [`format`].

use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::memory::{Entry, SHARDS};
use super::{MemoryTable, Table, TableError, Visit, check_lengths};
use crate::disk::{Disk, DiskFile, is_full};
use format::{Change, HEADER_OCTETS, MAX_RECORD_OCTETS, decode, encode_header};

mod format;

/// Octets of changes that wait for a flush; beyond it they are dropped, and the flush
/// writes all entries instead.
const PENDING_OCTETS: usize = 4 * 1024 * 1024;
/// A file up to this long is never rewritten for being mostly dead.
const SMALL_OCTETS: u64 = 1024 * 1024;
/// Octets read at once.
const WINDOW_OCTETS: usize = 4 * MAX_RECORD_OCTETS;

/// Entries in memory, kept across restarts.
pub struct LoggedTable<D: Disk> {
    disk: D,
    name: String,
    entries: MemoryTable,
    /// Locked behind a shard of `entries`.
    pending: Mutex<Pending>,
    /// Locked before any shard of `entries`, and before `pending`.
    files: Mutex<Files<D::File>>,
}

/// What opening a table found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRecovery {
    /// Entries read that had not expired.
    pub entries: usize,
    /// Octets that could not be read as records and were dropped.
    pub dropped_octets: u64,
}

/// Changes that are not written yet, as records of file `number`.
#[derive(Default)]
struct Pending {
    number: u64,
    octets: Vec<u8>,
    /// Memory has changes that neither the file nor `octets` has.
    lost: bool,
}

impl Pending {
    fn append(&mut self, change: Change<'_>) {
        if self.octets.len() + change.octets() > PENDING_OCTETS {
            self.lose();
        }
        if !self.lost {
            change.encode(self.number, &mut self.octets);
        }
    }

    fn lose(&mut self) {
        self.octets = Vec::new();
        self.lost = true;
    }
}

struct Files<F> {
    /// Where records go; `None`: the next flush begins a file.
    current: Option<Current<F>>,
    /// Larger than the number of any file that there is.
    next_number: u64,
}

struct Current<F> {
    file: F,
    /// Up to where it is written.
    end: u64,
    /// At this length it is asked whether the file is mostly dead.
    measure_at: u64,
}

impl<D: Disk> LoggedTable<D> {
    /// Opens the table `name` (files `name.N.table` on `disk`), or begins it. What expired
    /// by `now` is left out, and a tail that cannot be read is dropped.
    ///
    /// # Errors
    /// Where the directory or a file cannot be read.
    pub fn open(disk: D, name: &str, now: u64) -> io::Result<(LoggedTable<D>, TableRecovery)> {
        let numbers = numbers(&disk, name)?;
        let next_number = numbers.last().map_or(1, |(number, _)| number.saturating_add(1));
        let entries = MemoryTable::new();
        let mut recovery = TableRecovery::default();
        load(&disk, name, &numbers, &entries, now, &mut recovery)?;
        recovery.entries = entries.len();
        // Nothing is appended to what was found. Its tail may have been dropped, and come
        // back after a crash; or it is in the system's memory and not on disk, after a sync
        // that failed or a name that was not synced, and the next power cut would take it
        // with all that stands behind it. So the first flush writes what was found as well.
        let files = Mutex::new(Files { current: None, next_number });
        let (octets, lost) = (Vec::new(), !numbers.is_empty());
        let pending = Mutex::new(Pending { number: next_number, octets, lost });
        Ok((LoggedTable { disk, name: name.into(), entries, pending, files }, recovery))
    }

    /// Writes what is not yet written and syncs it; also the moment when a log that is
    /// mostly dead is rewritten. To be called every second or so, and before the end: a
    /// crash loses what was put since.
    ///
    /// # Errors
    /// Where the disk is full or fails. The entries are still in memory, and the next
    /// flush tries to write all of them.
    pub fn flush(&self, now: u64) -> Result<(), TableError> {
        let mut files = lock(&self.files);
        let written = self.write(&mut files, now);
        if written.is_err() {
            files.current = None;
            lock(&self.pending).lose();
        }
        written.map_err(|error| self.fault(&error))
    }

    fn write(&self, files: &mut Files<D::File>, now: u64) -> io::Result<()> {
        let (octets, lost) = self.take_pending();
        match &mut files.current {
            _ if octets.is_empty() && !lost => Ok(()),
            Some(current) if !lost => {
                current.append(&octets)?;
                if self.is_mostly_dead(current, now) { self.rewrite(files, now) } else { Ok(()) }
            }
            _ => self.rewrite(files, now),
        }
    }

    /// What was put from now on is pending again.
    fn take_pending(&self) -> (Vec<u8>, bool) {
        let mut pending = lock(&self.pending);
        (std::mem::take(&mut pending.octets), pending.lost)
    }

    /// Whether less than half of the file is needed. It is measured each time that the
    /// file has grown by half: the effort is in proportion to what is put.
    fn is_mostly_dead(&self, current: &mut Current<D::File>, now: u64) -> bool {
        if current.end < current.measure_at {
            return false;
        }
        current.measure_at = current.end + current.end / 2;
        self.entries.sweep(now);
        let mut alive = 0;
        for shard in 0..SHARDS {
            self.entries.each_in(shard, |entry| alive += change(entry).octets() as u64);
        }
        alive < current.end / 2
    }

    /// Writes all entries to a new file, which takes the place of the old one. A file has
    /// its name only when all of it is on disk, so the one with the largest number counts.
    fn rewrite(&self, files: &mut Files<D::File>, now: u64) -> io::Result<()> {
        let number = files.next_number;
        files.next_number += 1;
        let written = self.write_all(number, now);
        if written.is_err() {
            // The error is reported; what remains here goes with the next good rewrite.
            drop(self.disk.remove(&partial_name(&self.name, number)));
        }
        files.current = Some(written?);
        self.remove_all_but(number);
        Ok(())
    }

    fn write_all(&self, number: u64, now: u64) -> io::Result<Current<D::File>> {
        self.entries.sweep(now);
        // Whatever changes from here on is pending for this file: replayed behind the
        // entries, it leaves the last state, whether or not they had it already.
        *lock(&self.pending) = Pending { number, ..Pending::default() };
        let partial = partial_name(&self.name, number);
        let file = self.disk.create(&partial)?;
        file.write_all_at(0, &encode_header(number))?;
        let mut current = Current { file, end: HEADER_OCTETS as u64, measure_at: 0 };
        let mut octets = Vec::new();
        for shard in 0..SHARDS {
            octets.clear();
            self.entries.each_in(shard, |entry| change(entry).encode(number, &mut octets));
            current.write(&octets)?;
        }
        // A sync may take long.
        drop(octets);
        current.file.sync_data()?;
        self.disk.rename(&partial, &file_name(&self.name, number))?;
        self.disk.sync_dir()?;
        Ok(Current::new(current.file, current.end))
    }

    /// An old file that cannot be removed does no harm: its number is smaller. The next
    /// rewrite tries again.
    fn remove_all_but(&self, number: u64) {
        for file in self.disk.list().unwrap_or_default() {
            if number_in(&self.name, &file).is_some_and(|(found, _)| found != number) {
                drop(self.disk.remove(&file));
            }
        }
    }

    fn log(&self, change: Change<'_>) {
        lock(&self.pending).append(change);
    }

    fn fault(&self, error: &io::Error) -> TableError {
        if is_full(error) {
            return TableError::Full;
        }
        TableError::Fault(format!("{}: {error}", self.disk.path_of(&self.name)))
    }
}

impl<F: DiskFile> Current<F> {
    fn new(file: F, end: u64) -> Current<F> {
        Current { file, end, measure_at: SMALL_OCTETS.max(end + end / 2) }
    }

    fn append(&mut self, octets: &[u8]) -> io::Result<()> {
        self.write(octets)?;
        self.file.sync_data()
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.file.write_all_at(self.end, octets)?;
        self.end += octets.len() as u64;
        Ok(())
    }
}

/// Every change under these locks is a single step, so a poisoned one is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn change(entry: Entry<'_>) -> Change<'_> {
    Change { key: entry.key, set: Some((entry.value, entry.expires)) }
}

fn file_name(name: &str, number: u64) -> String {
    format!("{name}.{number}.table")
}

/// A file that is being written and does not count yet.
fn partial_name(name: &str, number: u64) -> String {
    format!("{name}.{number}.partial")
}

/// The number in the name of a file of the table `name`, and whether it is a whole one.
fn number_in(name: &str, file: &str) -> Option<(u64, bool)> {
    let (number, kind) = file.strip_prefix(name)?.strip_prefix('.')?.split_once('.')?;
    let number = number.parse().ok()?;
    match kind {
        "table" => Some((number, true)),
        "partial" => Some((number, false)),
        _ => None,
    }
}

/// The numbers of the table's files, smallest first, and which of them are whole.
fn numbers<D: Disk>(disk: &D, name: &str) -> io::Result<Vec<(u64, bool)>> {
    let files = disk.list()?;
    let mut numbers: Vec<_> = files.iter().filter_map(|file| number_in(name, file)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads the newest whole file that has a sound header into `entries`, where there is one.
fn load<D: Disk>(
    disk: &D,
    name: &str,
    numbers: &[(u64, bool)],
    entries: &MemoryTable,
    now: u64,
    recovery: &mut TableRecovery,
) -> io::Result<()> {
    for (number, _) in numbers.iter().rev().filter(|(_, is_whole)| *is_whole) {
        let file = disk.open(&file_name(name, *number))?;
        let sound = replay(&file, *number, entries, now)?;
        recovery.dropped_octets += file.octets()?.saturating_sub(sound.unwrap_or(0));
        if sound.is_some() {
            break;
        }
    }
    Ok(())
}

/// Puts the records of a file into `entries`, up to where they are sound: that offset.
/// `None` where even the header is not.
fn replay<F: DiskFile>(
    file: &F,
    number: u64,
    entries: &MemoryTable,
    now: u64,
) -> io::Result<Option<u64>> {
    let mut header = [0; HEADER_OCTETS];
    file.read_full_at(0, &mut header)?;
    if header != encode_header(number) {
        return Ok(None);
    }
    let mut end = HEADER_OCTETS as u64;
    let mut window = vec![0; WINDOW_OCTETS];
    loop {
        let read = file.read_full_at(end, &mut window)?;
        let used = apply(number, &window[..read], entries, now);
        if used == 0 {
            return Ok(Some(end));
        }
        end += used as u64;
    }
}

/// Applies the records with which `octets` begin; how many octets they have.
fn apply(number: u64, octets: &[u8], entries: &MemoryTable, now: u64) -> usize {
    let mut used = 0;
    while let Some(change) = decode(number, &octets[used..]) {
        match change.set.filter(|(_, expires)| *expires > now) {
            Some((value, expires)) => {
                entries.set(Entry { key: change.key, value, expires }, || ());
            }
            // Also where it expired: an older value of the key must not come back.
            None => {
                entries.unset(change.key, || ());
            }
        }
        used += change.octets();
    }
    used
}

impl<D: Disk> Table for LoggedTable<D> {
    fn get_with_expiry(&self, key: &[u8], now: u64) -> Option<(Vec<u8>, u64)> {
        self.entries.get_with_expiry(key, now)
    }

    fn put(&self, key: &[u8], value: &[u8], expires: u64) -> Result<(), TableError> {
        check_lengths(key, value)?;
        let log = || self.log(Change { key, set: Some((value, expires)) });
        self.entries.set(Entry { key, value, expires }, log);
        Ok(())
    }

    fn compare_and_set(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        value: &[u8],
        expires: u64,
        now: u64,
    ) -> Result<bool, TableError> {
        check_lengths(key, value)?;
        let log = || self.log(Change { key, set: Some((value, expires)) });
        Ok(self.entries.set_if(expected, Entry { key, value, expires }, now, log))
    }

    fn remove(&self, key: &[u8]) -> Result<bool, TableError> {
        Ok(self.entries.unset(key, || self.log(Change { key, set: None })))
    }

    fn scan(&self, prefix: &[u8], now: u64, visit: Visit<'_>) {
        self.entries.scan(prefix, now, visit);
    }
}

impl<D: Disk> fmt::Debug for LoggedTable<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedTable").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
