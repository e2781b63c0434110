//! A spool on a disk in memory, beside plain maps that know what it promised.

pub(super) use std::panic::{AssertUnwindSafe, catch_unwind};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub(super) use store::{Faults, Memory};

use super::records::Digest;
use super::*;

/// Small, so that a short test fills, frees and recycles many; a large message still spans
/// several.
pub(super) const SEGMENT_OCTETS: u32 = 96 << 10;

pub(super) const OPTIONS: log::Options = log::Options {
    segment_octets: SEGMENT_OCTETS,
    in_flight_octets: 1 << 20,
    digest: |_, _, _| {},
    read_only: false,
};

/// Space without end.
pub(super) const PLENTY: u64 = 1 << 40;

/// Recipients of a message: enough that a note of one is a change, not all of the state.
const RECIPIENTS: usize = 12;

/// What was told, and what may be so all the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Oracle {
    /// Messages whose 250 was said, and their octets.
    pub(super) committed: BTreeMap<QueueId, Vec<u8>>,
    /// Messages that were handed in, and of which nothing was told.
    handed_in: BTreeMap<QueueId, Vec<u8>>,
    /// For each recipient the values that may be found: the last one that was told as
    /// synced, and those that were noted since.
    notes: BTreeMap<(QueueId, usize), Vec<u32>>,
    /// Removals that were asked for and not told of: there or not, both is right.
    pub(super) going: BTreeMap<QueueId, Vec<u8>>,
    /// Synced removals: never seen again.
    pub(super) gone: Vec<QueueId>,
    last_note: u32,
}

pub(super) struct World {
    pub(super) disk: Memory,
    pub(super) spool: Spool<Memory>,
    pub(super) writer: Writer<Memory>,
    oracle: Arc<Mutex<Oracle>>,
}

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What stands in every segment but the one that is written.
pub(super) fn records(spool: &Spool<Memory>) -> Vec<(Place, Option<Digest>)> {
    let segments = spool.0.log.segments().into_iter();
    let listings: Vec<_> = segments.filter_map(|(it, _)| spool.0.log.listing(it)).collect();
    let records = listings.iter().flatten();
    records.map(|entry| (entry.place, Digest::parse(entry.kind, entry.digest))).collect()
}

/// `count` seeds from `first` on; more of them in the long form, or the one that
/// `SECONDPOST_SEED` names.
pub(super) fn seeds(first: u64, count: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
    match (number("SECONDPOST_SEED"), number("SECONDPOST_TORTURE").unwrap_or(1)) {
        (Some(seed), _) => seed..seed + 1,
        (None, 0 | 1) => first..first + count,
        (None, times) => first * 1000..first * 1000 + count * times,
    }
}

/// What a test counted: `cargo xtask torture` gathers these lines.
pub(super) fn counted(what: &str) {
    println!("\ncounted: {what}");
}

/// What runs a seed again; each failure names its own.
const AGAIN: &str = "SECONDPOST_SEED=that cargo test -p secondpost-queue torture::";

pub(super) fn named<T>(what: &str, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        eprintln!("this was {what}; again: {AGAIN}");
        std::panic::resume_unwind(panic)
    })
}

/// Calls that change or sync something, since the faults were set.
pub(super) fn total(disk: &Memory) -> u64 {
    let calls = disk.calls();
    calls.changes + calls.syncs + calls.dir_syncs
}

type Opened = (Spool<Memory>, Writer<Memory>, SpoolRecovery);

pub(super) fn open_small(disk: &Memory) -> Result<Opened, OpenError> {
    Spool::open_with(disk.clone(), OPTIONS)
}

pub(super) fn octets_of(spool: &Spool<Memory>, id: QueueId) -> Vec<u8> {
    spool.body(id).unwrap().read_all().unwrap()
}

pub(super) fn to_many(seconds: u64) -> Received {
    let mut received = received(seconds);
    let recipient = received.envelope.recipients[0].clone();
    received.envelope.recipients = vec![recipient; RECIPIENTS];
    received
}

impl World {
    /// Opens the spool and holds it to what was promised. What it has is promised from now
    /// on. `None` where the disk fails.
    pub(super) fn open(disk: Memory, oracle: Oracle) -> Option<World> {
        let (spool, writer, _) = open_small(&disk).ok()?;
        let world = World::of(disk, spool, writer, oracle);
        if world.disk.is_powered() {
            world.check();
            world.adopt();
        }
        Some(world)
    }

    /// A spool that is open already.
    pub(super) fn of(
        disk: Memory,
        spool: Spool<Memory>,
        writer: Writer<Memory>,
        oracle: Oracle,
    ) -> World {
        World { disk, spool, writer, oracle: Arc::new(Mutex::new(oracle)) }
    }

    pub(super) fn oracle(&self) -> Oracle {
        self.oracle.lock().unwrap().clone()
    }

    pub(super) fn drive(&mut self) {
        while self.writer.step() {}
    }

    pub(super) fn put(&mut self, octets: Vec<u8>) {
        let mut draft = self.spool.begin(to_many(1_764_000_000));
        let id = draft.id();
        for piece in octets.chunks(9_000) {
            if draft.append(piece).is_err() {
                return;
            }
            // A small piece of log may well be written between two chunks.
            if piece.len() % 3 == 0 {
                self.writer.step();
            }
        }
        self.oracle.lock().unwrap().handed_in.insert(id, octets.clone());
        let oracle = self.oracle.clone();
        draft.commit(Box::new(move |result| {
            if result.is_ok() {
                let mut oracle = oracle.lock().unwrap();
                oracle.handed_in.remove(&id);
                oracle.committed.insert(id, octets);
            }
        }));
    }

    /// Begins a message and gives it up.
    fn give_up(&mut self, octets: usize) {
        let mut draft = self.spool.begin(to_many(1_764_000_000));
        drop(draft.append(&vec![b'-'; octets]));
    }

    /// Notes a number with one recipient.
    pub(super) fn note(&mut self, id: QueueId, recipient: usize, durability: Durability) {
        let Ok(was) = self.spool.get(id) else { return };
        let mut oracle = self.oracle.lock().unwrap();
        oracle.last_note += 1;
        let number = oracle.last_note;
        oracle.notes.entry((id, recipient)).or_insert_with(|| vec![0]).push(number);
        drop(oracle);
        let mut message = was.clone();
        message.recipients[recipient].history.attempts = number;
        let oracle = self.oracle.clone();
        let done: Done = Box::new(move |result| {
            if result.is_ok() && durability == Durability::Synced {
                let mut oracle = oracle.lock().unwrap();
                let notes = oracle.notes.entry((id, recipient)).or_default();
                notes.retain(|earlier| *earlier >= number);
            }
        });
        self.spool.update(&was, &message, durability, done);
    }

    pub(super) fn remove(&mut self, id: QueueId) {
        let Some(octets) = self.oracle.lock().unwrap().committed.remove(&id) else { return };
        self.oracle.lock().unwrap().going.insert(id, octets);
        let oracle = self.oracle.clone();
        let done: Done = Box::new(move |result| {
            if result.is_ok() {
                let mut oracle = oracle.lock().unwrap();
                oracle.going.remove(&id);
                oracle.gone.push(id);
            }
        });
        self.spool.remove(id, Durability::Synced, done);
    }

    pub(super) fn upkeep(&mut self) {
        for _ in 0..8 {
            if self.spool.upkeep() != Upkeep::Now {
                self.drive();
            }
        }
    }

    /// One random operation.
    pub(super) fn act(&mut self, random: &mut Random) {
        let ids: Vec<QueueId> = self.oracle().committed.into_keys().collect();
        let any = |random: &mut Random| ids[random.below(ids.len() as u64) as usize];
        match random.below(12) {
            0..=2 => {
                let most = if random.below(6) == 0 { 200_000 } else { 3_000 };
                let octets = random.below(most);
                let first = random.below(256) as u8;
                self.put((0..octets).map(|n| first.wrapping_add((n % 251) as u8)).collect());
            }
            3..=5 if !ids.is_empty() => {
                let durability =
                    if random.below(2) == 0 { Durability::Synced } else { Durability::Written };
                let id = any(random);
                self.note(id, random.below(RECIPIENTS as u64) as usize, durability);
            }
            6..=7 if !ids.is_empty() => {
                let id = any(random);
                self.remove(id);
            }
            // Upkeep meets writes that are on their way, or not.
            8 => self.upkeep(),
            9 => _ = self.spool.upkeep(),
            10 => drop(self.writer.step()),
            11 if random.below(4) == 0 => self.give_up(random.below(150_000) as usize),
            _ => self.drive(),
        }
    }

    /// Everything that was promised is there, and nothing that was removed.
    pub(super) fn check(&self) {
        let (spool, oracle) = (&self.spool, self.oracle());
        for (id, octets) in &oracle.committed {
            let message = spool.get(*id).unwrap_or_else(|error| panic!("{id} is lost: {error}"));
            assert!(octets_of(spool, *id) == *octets, "the octets of {id} are others");
            for (at, recipient) in message.recipients.iter().enumerate() {
                let (found, zero) = (recipient.history.attempts, vec![0]);
                let may_be = oracle.notes.get(&(*id, at)).unwrap_or(&zero);
                assert!(may_be.contains(&found), "{id}, {at}: {found}, not one of {may_be:?}");
            }
        }
        for id in &oracle.gone {
            let found = spool.get(*id).map(|_| ());
            assert_eq!(found, Err(SpoolError::NotFound(*id)), "{id} came back");
        }
        for id in spool.ids() {
            let sent = oracle.going.get(&id).or_else(|| oracle.handed_in.get(&id));
            let sent = sent.or_else(|| oracle.committed.get(&id));
            let sent = sent.unwrap_or_else(|| panic!("{id} was never sent"));
            assert!(octets_of(spool, id) == *sent, "the octets of {id} are others");
        }
    }

    /// What was found at a start was made durable by it.
    fn adopt(&self) {
        let mut oracle = self.oracle.lock().unwrap();
        let (handed_in, going) =
            (std::mem::take(&mut oracle.handed_in), std::mem::take(&mut oracle.going));
        // The name of what was lost may be given again.
        let found = handed_in.into_iter().filter(|(id, _)| self.spool.get(*id).is_ok());
        oracle.committed.extend(found);
        for (id, octets) in going {
            match self.spool.get(id) {
                Ok(_) => drop(oracle.committed.insert(id, octets)),
                Err(_) => oracle.gone.push(id),
            }
        }
        for id in oracle.committed.keys().copied().collect::<Vec<_>>() {
            for (at, recipient) in self.spool.get(id).unwrap().recipients.iter().enumerate() {
                oracle.notes.insert((id, at), vec![recipient.history.attempts]);
            }
        }
    }
}
