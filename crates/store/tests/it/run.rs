//! A log with a memory of what it promised: every record has a number, and its octets
//! follow from the number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender, channel};

use secondpost_store::disk::{Disk, Faults, Memory};
use secondpost_store::log::{
    Class, Entry, Log, LogError, Options, Place, Submission, Urgency, Writer, done,
};

use crate::Random;

/// Small, so that a run goes through many segments.
pub(crate) const OPTIONS: Options = Options {
    segment_octets: 4096,
    in_flight_octets: 1 << 20,
    digest: |_, payload, into| into.extend_from_slice(&payload[..8]),
    read_only: false,
};

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

type Told = (u64, Result<Place, LogError>);

/// What was promised so far, over all lives of the log.
#[derive(Default)]
pub(crate) struct Promises {
    next: u64,
    /// Records that must be found, and in which segment they are.
    kept: BTreeMap<u64, u32>,
    /// Records that were told as failed, or refused.
    pub(crate) failed: Vec<LogError>,
    /// Records that were told as kept before the power was cut.
    pub(crate) told: usize,
    /// Batches that their submitter wrote itself.
    pub(crate) led: usize,
}

impl Promises {
    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }
}

/// One life of the log.
pub(crate) struct Run<D: Disk> {
    pub(crate) log: Log<D>,
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
    /// Opens the log and holds what it finds against what was promised. `None` where the
    /// disk fails meanwhile.
    pub(crate) fn open(disk: D, promises: &mut Promises) -> Result<Option<Run<D>>, String> {
        let mut records = Vec::new();
        let mut note = |entry: Entry<'_>| {
            records.push((entry.place, entry.kind, entry.digest.to_vec()));
        };
        let opened = Log::open(disk, OPTIONS, &mut note);
        let Ok((log, writer, recovery)) = opened else { return Ok(None) };
        assert_eq!(recovery.records, records.len());
        let mut found = Vec::new();
        for (place, kind, digest) in records {
            let read = log.read(place, kind).map_err(|error| error.to_string())?;
            assert_eq!(read[..8], *digest, "the digest as in the record");
            found.push((place, read));
        }
        check(&found, promises)?;
        let (sender, told) = channel();
        Ok(Some(Run { log, writer, sender, told }))
    }

    /// Hands in new records. Of those that may lead half do, and half leave it to the writer.
    pub(crate) fn submit(&self, promises: &mut Promises, records: u64, class: Class) {
        for _ in 0..records {
            let number = promises.next;
            promises.next += 1;
            let sender = self.sender.clone();
            let payload = payload(number);
            let record = Submission {
                kind: 1,
                payload: &[&payload[..4], &payload[4..]],
                class,
                urgency: Urgency::Now,
                generation: None,
            };
            let told = move |result| sender.send((number, result)).unwrap();
            match self.log.submit_to_lead(&record, &mut Some(done(told))) {
                Ok((_, Some(lead))) if number.is_multiple_of(2) => {
                    lead.write();
                    promises.led += 1;
                }
                Ok(_) => {}
                Err(refused) => promises.failed.push(refused),
            }
        }
    }

    /// Writes what waits, and notes what was told.
    pub(crate) fn step(&mut self, promises: &mut Promises) {
        while self.writer.step() {}
        for (number, result) in self.told.try_iter() {
            match result {
                Ok(place) => drop(promises.kept.insert(number, place.segment)),
                Err(error) => promises.failed.push(error),
            }
        }
    }

    /// Gives up the oldest segment, where nothing is on its way to it.
    pub(crate) fn free_oldest(&mut self, promises: &mut Promises) {
        let segments = self.log.segments();
        let Some((oldest, _)) = segments.first().filter(|_| segments.len() > 1) else { return };
        if self.log.listing(*oldest).is_none() {
            return;
        }
        // A disk that fails here is the reason for the run; the file may be gone all the same.
        if self.log.free(*oldest) != Err(LogError::Busy) {
            promises.kept.retain(|_, segment| segment != oldest);
        }
    }
}

/// Hands in groups of so many records, one group after the other, on a disk with `faults`,
/// and cuts the power. What was promised, and found again.
pub(crate) fn in_groups(seed: u64, faults: Faults, groups: usize, of: u64) -> Promises {
    let disk = Memory::new(seed, 1 << 20);
    let mut promises = Promises::default();
    let mut run = Run::open(disk.clone(), &mut promises).unwrap().unwrap();
    disk.set_faults(faults);
    for _ in 0..groups {
        run.submit(&mut promises, of, Class::Reserve);
        run.step(&mut promises);
    }
    promises.told = promises.kept();
    if let Err(what) = Run::open(disk.crash(seed), &mut promises) {
        panic!("seed {seed}, {faults:?}: {what}");
    }
    promises
}

/// Whether all that was promised was found, whole and in order. Whatever was found is
/// promised from now on.
fn check(found: &[(Place, Vec<u8>)], promises: &mut Promises) -> Result<(), String> {
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
    Ok(())
}
