//! A log with a memory of what it promised: every record has a number, and its octets
//! follow from the number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender, channel};

use secondpost_store::disk::{Disk, Memory};
use secondpost_store::log::{Durability, Log, LogError, Need, Options, Position, Record, Writer};

use crate::Random;

/// Small, so that a run goes through many segments.
pub(crate) const OPTIONS: Options = Options { segment_octets: 4096 };

/// A disk whose power can be cut.
pub(crate) trait Crash: Disk {
    /// The disk as it is found after the cut.
    fn crash(&self, seed: u64) -> Self;
}

impl Crash for Memory {
    fn crash(&self, seed: u64) -> Memory {
        Memory::crash(self, seed)
    }
}

type Told = (Vec<u64>, Durability, Result<Vec<Position>, LogError>);

/// What was promised so far, over all lives of the log.
#[derive(Default)]
pub(crate) struct Promises {
    next: u64,
    /// Records that must be found, and in which segment they are.
    kept: BTreeMap<u64, u64>,
    /// Records that were told as written; the next sync takes them along.
    written: BTreeMap<u64, u64>,
    /// Batches that were told as failed.
    pub(crate) failed: Vec<LogError>,
}

impl Promises {
    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }
}

/// One life of the log.
pub(crate) struct Run<D: Disk> {
    pub(crate) log: Log,
    pub(crate) writer: Writer<D>,
    sender: Sender<Told>,
    told: Receiver<Told>,
}

/// The octets of record `number`.
fn payload(number: u64) -> Vec<u8> {
    let mut random = Random(number);
    let filling = (0..random.below(700)).map(|at| (number + at) as u8);
    number.to_le_bytes().into_iter().chain(filling).collect()
}

impl<D: Disk> Run<D> {
    /// Opens the log and holds what it finds against what was promised.
    pub(crate) fn open(disk: D, promises: &mut Promises) -> Result<Run<D>, String> {
        let mut found = Vec::new();
        let opened = Log::open_with(disk, OPTIONS, &mut |position, _, octets| {
            found.push((position, octets.to_vec()));
        });
        let (log, writer, recovery) = opened.map_err(|error| error.to_string())?;
        assert_eq!(recovery.records, found.len() as u64);
        for (position, octets) in &found {
            let read = writer.reader().read(*position).map_err(|error| error.to_string())?;
            assert_eq!(read, *octets, "read alone as in the scan");
        }
        check(&found, promises)?;
        let (sender, told) = channel();
        Ok(Run { log, writer, sender, told })
    }

    /// Hands in a batch of `records` new records.
    pub(crate) fn submit(
        &self,
        promises: &mut Promises,
        records: u64,
        durability: Durability,
        need: Need,
    ) {
        let numbers: Vec<u64> = (promises.next..promises.next + records).collect();
        promises.next += records;
        let record = |number: &u64| Record { kind: 1, payload: payload(*number) };
        let batch = numbers.iter().map(record).collect();
        let sender = self.sender.clone();
        let done = Box::new(move |result| sender.send((numbers, durability, result)).unwrap());
        self.log.submit(batch, durability, need, done);
    }

    /// Writes what waits, and notes what was told.
    pub(crate) fn step(&mut self, promises: &mut Promises) {
        while self.writer.step() {}
        for (numbers, durability, result) in self.told.try_iter() {
            match result {
                Ok(positions) => {
                    let segments = positions.iter().map(|position| position.segment);
                    promises.written.extend(numbers.into_iter().zip(segments));
                    if durability == Durability::Synced {
                        promises.kept.append(&mut promises.written);
                    }
                }
                Err(error) => {
                    // The segment is left: what was not synced in it went with it.
                    promises.written.clear();
                    promises.failed.push(error);
                }
            }
        }
    }

    /// Gives up the oldest segment.
    pub(crate) fn free_oldest(&mut self, promises: &mut Promises) {
        let segments = self.writer.reader().segments();
        let Some(oldest) = segments.first().filter(|_| segments.len() > 1) else { return };
        promises.kept.retain(|_, segment| segment != oldest);
        promises.written.retain(|_, segment| segment != oldest);
        // A disk that fails here is the reason for the run.
        drop(self.writer.free(*oldest));
    }
}

/// Whether all that was promised was found, whole and in order. Whatever was found is
/// promised from now on.
fn check(found: &[(Position, Vec<u8>)], promises: &mut Promises) -> Result<(), String> {
    let mut numbers = Vec::new();
    let mut places = BTreeMap::new();
    for (position, octets) in found {
        let number = octets.first_chunk().map(|octets| u64::from_le_bytes(*octets));
        let number = number.ok_or("a record without a number")?;
        if *octets != payload(number) {
            return Err(format!("record {number} was changed"));
        }
        numbers.push(number);
        places.insert(number, position.segment);
    }
    if !numbers.is_sorted_by(|a, b| a < b) {
        return Err(format!("out of order: {numbers:?}"));
    }
    let lost: BTreeSet<_> = promises.kept.keys().filter(|n| !places.contains_key(n)).collect();
    if !lost.is_empty() {
        return Err(format!("acknowledged and lost: {lost:?}"));
    }
    promises.kept = places;
    promises.written.clear();
    Ok(())
}
