//! Crashes, full disks and failing syncs, each against a plain map as the oracle. Every
//! failure prints the seed or the change that it came from.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use store::disk::DiskFile;
use store::disk::Survival;
use store::{Disk, Faults, Memory};

use super::super::*;
use super::received;

/// Small segments, so that a short test fills, frees and recycles many.
const OPTIONS: log::Options = log::Options {
    segment_octets: 96 << 10,
    in_flight_octets: 1 << 20,
    digest: |_, _, _| {},
    read_only: false,
};

/// Space without end.
const PLENTY: u64 = 1 << 40;

/// What an operation was told of, as the oracle keeps it.
#[derive(Clone, Debug, Default)]
struct Oracle {
    /// Messages whose 250 was said, and their octets.
    committed: BTreeMap<QueueId, Vec<u8>>,
    /// The attempts that a synced note says; and those that an unsynced one may say.
    attempts: BTreeMap<QueueId, Vec<u32>>,
    /// Removals that were asked for and not told of: there or not, both is right.
    going: BTreeMap<QueueId, Vec<u8>>,
    /// Synced removals: never seen again.
    gone: Vec<QueueId>,
}

type Shared = Arc<Mutex<Oracle>>;

/// A spool on a disk in memory, and what it promised.
struct World {
    disk: Memory,
    spool: Spool<Memory>,
    writer: Writer<Memory>,
    oracle: Shared,
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

impl World {
    fn open(disk: Memory, oracle: Oracle) -> Option<World> {
        let (spool, writer, _) = Spool::open_with(disk.clone(), OPTIONS).ok()?;
        Some(World { disk, spool, writer, oracle: Arc::new(Mutex::new(oracle)) })
    }

    fn oracle(&self) -> Oracle {
        self.oracle.lock().unwrap().clone()
    }

    fn drive(&mut self) {
        while self.writer.step() {}
    }

    fn put(&mut self, octets: Vec<u8>) {
        let mut draft = self.spool.begin(received(1_764_000_000));
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
        let oracle = self.oracle.clone();
        draft.commit(Box::new(move |result| {
            if result.is_ok() {
                oracle.lock().unwrap().committed.insert(id, octets);
            }
        }));
    }

    fn note(&mut self, id: QueueId, attempts: u32, durability: Durability) {
        let Ok(mut message) = self.spool.get(id) else { return };
        message.recipients[0].history.attempts = attempts;
        self.oracle.lock().unwrap().attempts.entry(id).or_default().push(attempts);
        let oracle = self.oracle.clone();
        self.spool.update(
            &message,
            durability,
            Box::new(move |result| {
                if result.is_ok() && durability == Durability::Synced {
                    let mut oracle = oracle.lock().unwrap();
                    let noted = oracle.attempts.entry(id).or_default();
                    noted.retain(|earlier| *earlier >= attempts);
                }
            }),
        );
    }

    fn remove(&mut self, id: QueueId) {
        let Some(octets) = self.oracle.lock().unwrap().committed.remove(&id) else { return };
        self.oracle.lock().unwrap().going.insert(id, octets);
        let oracle = self.oracle.clone();
        self.spool.remove(
            id,
            Durability::Synced,
            Box::new(move |result| {
                if result.is_ok() {
                    let mut oracle = oracle.lock().unwrap();
                    oracle.going.remove(&id);
                    oracle.gone.push(id);
                }
            }),
        );
    }

    fn upkeep(&mut self) {
        for _ in 0..8 {
            if !self.spool.upkeep() {
                self.drive();
            }
        }
    }

    /// One random operation.
    fn act(&mut self, random: &mut Random) {
        let ids: Vec<QueueId> = self.oracle().committed.into_keys().collect();
        let any = |random: &mut Random| ids[random.below(ids.len() as u64) as usize];
        match random.below(10) {
            0..=2 => {
                let most = if random.below(8) == 0 { 200_000 } else { 3_000 };
                let octets = random.below(most);
                let first = random.below(256) as u8;
                self.put((0..octets).map(|n| first.wrapping_add((n % 251) as u8)).collect());
            }
            3..=4 if !ids.is_empty() => {
                let attempts = calls(&self.disk) as u32;
                let durability =
                    if random.below(2) == 0 { Durability::Synced } else { Durability::Written };
                let id = any(random);
                self.note(id, attempts, durability);
            }
            5..=6 if !ids.is_empty() => {
                let id = any(random);
                self.remove(id);
            }
            7 => self.upkeep(),
            8 => drop(self.writer.step()),
            _ => self.drive(),
        }
    }
}

fn body(spool: &Spool<Memory>, id: QueueId) -> Vec<u8> {
    spool.body(id).unwrap().read_all().unwrap()
}

/// Everything that was promised is there, and nothing that was removed.
fn check_promises(spool: &Spool<Memory>, oracle: &Oracle) {
    for (id, octets) in &oracle.committed {
        let message = spool.get(*id).unwrap_or_else(|error| panic!("{id} is lost: {error}"));
        assert!(body(spool, *id) == *octets, "the octets of {id} are others");
        let attempts = message.recipients[0].history.attempts;
        let noted = oracle.attempts.get(id).map(Vec::as_slice).unwrap_or_default();
        let none_synced = attempts == 0;
        assert!(none_synced || noted.contains(&attempts), "{id}: {attempts} of {noted:?}");
    }
    for id in &oracle.gone {
        assert_eq!(spool.get(*id), Err(SpoolError::NotFound(*id)), "{id} came back");
    }
    for id in spool.ids() {
        assert!(body(spool, id).len() as u64 == spool.get(id).unwrap().octets);
    }
}

fn named<T>(what: &str, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        eprintln!("this was {what}");
        std::panic::resume_unwind(panic)
    })
}

/// Runs a scenario on a disk with `faults`; what was promised, and the disk.
fn run_with(faults: Faults, seed: u64, operations: usize) -> (Memory, Oracle) {
    let disk = Memory::new(seed, PLENTY);
    disk.set_faults(faults);
    let Some(mut world) = World::open(disk.clone(), Oracle::default()) else {
        return (disk, Oracle::default());
    };
    let mut random = Random(seed);
    for _ in 0..operations {
        world.act(&mut random);
    }
    world.drive();
    (disk, world.oracle())
}

/// With every call at which the power may be cut, `Everything` makes every prefix of the
/// writes; seeds make any subset of their sectors.
fn survivals(seed: u64) -> impl Iterator<Item = Survival> {
    let some = (0..6).map(move |n| Survival::Some(seed * 31 + n));
    [Survival::Nothing, Survival::Everything].into_iter().chain(some)
}

fn calls(disk: &Memory) -> u64 {
    let calls = disk.calls();
    calls.changes + calls.syncs + calls.dir_syncs
}

/// After the crash all promises hold, the spool goes on working, and they hold again
/// after the next start.
fn check_after(disk: &Memory, oracle: &Oracle, survival: Survival) {
    let disk = disk.crash_to(survival);
    let mut world = World::open(disk.clone(), oracle.clone()).expect("the spool opens");
    check_promises(&world.spool, oracle);
    world.put(vec![b'n'; 700]);
    world.upkeep();
    world.drive();
    let oracle = world.oracle();
    drop(world);
    let world = World::open(disk.crash_to(Survival::Nothing), oracle.clone()).unwrap();
    check_promises(&world.spool, &oracle);
}

#[test]
fn nothing_promised_is_lost_wherever_it_crashes() {
    for seed in 1..=3 {
        let (whole, _) = run_with(Faults::default(), seed, 60);
        for call in (0..calls(&whole)).step_by(2) {
            let faults = Faults { cut_at: Some(call), ..Faults::default() };
            let (disk, oracle) = run_with(faults, seed, 60);
            for survival in survivals(seed + call) {
                named(&format!("seed {seed}, call {call}, {survival:?}"), || {
                    check_after(&disk, &oracle, survival);
                });
            }
        }
    }
}

#[test]
fn a_spool_without_syncs_is_found_out() {
    let faults = Faults { forgets_syncs: true, ..Faults::default() };
    let (disk, oracle) = run_with(faults, 1, 60);
    let lost = catch_unwind(AssertUnwindSafe(|| check_after(&disk, &oracle, Survival::Nothing)));
    assert!(lost.is_err(), "the harness does not see a lost message");
}

#[test]
fn a_sync_that_fails_loses_nothing_promised() {
    let (whole, _) = run_with(Faults::default(), 5, 50);
    let of_files =
        (0..whole.calls().syncs).map(|sync| Faults { fail_sync: Some(sync), ..Faults::default() });
    let of_names = (0..whole.calls().dir_syncs)
        .map(|sync| Faults { fail_sync_dir: Some(sync), ..Faults::default() });
    for faults in of_files.chain(of_names) {
        let (disk, oracle) = run_with(faults, 5, 50);
        for survival in [Survival::Nothing, Survival::Everything, Survival::Some(9)] {
            named(&format!("{faults:?}, {survival:?}"), || check_after(&disk, &oracle, survival));
        }
    }
}

#[test]
fn no_space_from_any_call_on_loses_nothing_promised() {
    let (whole, _) = run_with(Faults::default(), 7, 50);
    for change in 0..whole.calls().changes {
        let faults = Faults { full_from: Some(change), ..Faults::default() };
        let (disk, oracle) = run_with(faults, 7, 50);
        named(&format!("change {change}"), || check_after(&disk, &oracle, Survival::Nothing));
    }
}

#[test]
fn random_operations_agree_with_a_map_across_restarts() {
    for seed in 100..120 {
        named(&format!("seed {seed}"), || {
            let disk = Memory::new(seed, PLENTY);
            disk.set_faults(Faults { short_writes: seed % 2 == 0, ..Faults::default() });
            let mut random = Random(seed);
            let mut oracle = Oracle::default();
            for _ in 0..5 {
                let mut world = World::open(disk.clone(), oracle).unwrap();
                for _ in 0..100 {
                    world.act(&mut random);
                }
                if random.below(2) == 0 {
                    world.spool.close();
                }
                world.drive();
                oracle = world.oracle();
                check_promises(&world.spool, &oracle);
            }
        });
    }
}

#[test]
fn a_full_disk_refuses_mail_still_takes_removals_and_then_accepts_again() {
    let disk = Memory::new(1, 800 << 10);
    let mut world = World::open(disk, Oracle::default()).unwrap();
    for _ in 0..400 {
        world.put(vec![b'x'; 4000]);
        world.drive();
    }
    let full = world.oracle();
    assert!((50..200).contains(&full.committed.len()), "{}", full.committed.len());
    assert!(world.spool.stat().is_full);
    for id in full.committed.keys() {
        world.note(*id, 7, Durability::Synced);
        world.remove(*id);
        world.drive();
        world.upkeep();
    }
    assert_eq!(world.oracle().gone.len(), full.committed.len());
    world.upkeep();
    world.put(vec![b'y'; 1000]);
    world.drive();
    assert_eq!(world.oracle().committed.len(), 1, "mail is accepted again");
}

#[test]
fn segments_are_freed_and_reused_however_long_it_runs() {
    let mut world = World::open(Memory::new(1, PLENTY), Oracle::default()).unwrap();
    world.put(vec![b'k'; 500]);
    world.drive();
    let kept = *world.oracle().committed.keys().next().unwrap();
    for round in 0..600 {
        world.put(vec![b'x'; 2000]);
        world.drive();
        let last = *world.oracle().committed.keys().next_back().unwrap();
        world.remove(last);
        world.drive();
        if round % 5 == 0 {
            world.upkeep();
        }
    }
    for _ in 0..20 {
        world.upkeep();
    }
    assert!(world.spool.stat().octets_on_disk <= 8 * (96 << 10), "{:?}", world.spool.stat());
    assert_eq!(body(&world.spool, kept), vec![b'k'; 500]);
}

#[test]
fn decay_in_the_middle_is_reported_and_the_rest_is_kept() {
    let disk = Memory::new(1, PLENTY);
    let mut world = World::open(disk.clone(), Oracle::default()).unwrap();
    for n in 0..5 {
        world.put(vec![b'a' + n; 800]);
        world.drive();
    }
    let ids = world.spool.ids();
    drop(world);
    let name = disk.list().unwrap().into_iter().find(|name| name.starts_with("segment-")).unwrap();
    let file = disk.open(&name).unwrap();
    let mut whole = vec![0; OPTIONS.segment_octets as usize];
    file.read_full_at(0, &mut whole).unwrap();
    let end = whole.iter().rposition(|octet| *octet == b'e').unwrap();
    for at in (512..end).step_by(97) {
        let damaged_disk = disk.crash_to(Survival::Everything);
        damaged_disk.open(&name).unwrap().write_all_at(at as u64, &[whole[at] ^ 0x10]).unwrap();
        let (spool, _writer, report) = Spool::open_with(damaged_disk, OPTIONS).unwrap();
        let kept = spool.ids();
        assert!(kept.len() >= 4, "flipped at {at}: {kept:?}");
        assert!(kept.iter().all(|id| ids.contains(id) && body(&spool, *id).len() == 800));
        let reported = report.damage.len() + report.torn.len();
        assert!(kept.len() == 5 || reported == 1, "flipped at {at}: {report:?}");
    }
}
