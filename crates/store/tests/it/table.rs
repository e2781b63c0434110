//! A table on a disk that fails, beside a plain map: what was flushed is found again, and
//! what was put since is there whole or not at all.
//!
//! In every run the scenarios are cut and failed at every call; `SECONDPOST_TORTURE=100`
//! runs a hundred times as many of them.

use std::collections::{BTreeMap, BTreeSet};

use secondpost_store::disk::{Calls, Disk, Faults, Memory, Survival};
use secondpost_store::{LoggedTable, Table, TableError};

use crate::{Random, counted, seeds};

const NOW: u64 = 1;
const NAME: &str = "t";

/// What each key may hold: its value at the last flush, or any since.
type Possible = BTreeMap<Vec<u8>, BTreeSet<Option<Vec<u8>>>>;

/// A disk over the lives of its table, and the map beside it.
struct World {
    disk: Memory,
    random: Random,
    possible: Possible,
    operations: u64,
}

impl World {
    fn new(seed: u64) -> World {
        let (disk, random) = (Memory::new(seed, 1 << 24), Random(seed));
        World { disk, random, possible: Possible::new(), operations: 0 }
    }

    /// Opens the table, holds it against the map, and uses it.
    fn live(&mut self, faults: Faults, operations: u64) -> Result<(), String> {
        self.disk.set_faults(faults);
        let opened = LoggedTable::open(self.disk.clone(), NAME, NOW);
        // A disk that cannot be read says so; nothing was changed.
        let Ok((table, _)) = opened else { return Ok(()) };
        for (key, values) in &self.possible {
            let found = table.get(key, NOW);
            if !values.contains(&found) {
                let key = String::from_utf8_lossy(key);
                return Err(format!("{key} holds {}", found.map_or(0, |value| value.len())));
            }
        }
        for _ in 0..operations {
            // A flush that fails promises nothing.
            drop(self.act(&table));
        }
        self.operations += operations;
        Ok(())
    }

    fn act(&mut self, table: &LoggedTable<Memory>) -> Result<(), TableError> {
        let random = &mut self.random;
        let key = format!("key {}", random.below(12)).into_bytes();
        let before = table.get(&key, NOW);
        match random.below(6) {
            0 => drop(table.remove(&key)?),
            1 => {
                // Only what was synced is certain from here on.
                table.flush(NOW)?;
                for (key, values) in &mut self.possible {
                    *values = [table.get(key, NOW)].into();
                }
                return Ok(());
            }
            _ => {
                let value = vec![random.below(256) as u8; random.below(2000) as usize];
                assert!(table.compare_and_set(&key, before.as_deref(), &value, 10, NOW)?);
            }
        }
        let values = self.possible.entry(key.clone()).or_insert_with(|| [None].into());
        values.insert(table.get(&key, NOW));
        Ok(())
    }

    /// The power is cut, and comes back: whatever is found now stays.
    fn crash(&mut self, survival: Survival) {
        self.disk = self.disk.crash_to(survival);
    }
}

/// How the life of a table ends.
#[derive(Clone, Copy, Debug)]
enum End {
    PowerCut(Survival),
    /// The system has all that was written, until its power is cut in the next life.
    Kill,
}

/// A life on a disk with `faults`, its end, a life on a sound disk, a power cut that leaves
/// only what was synced, and a last look.
fn scenario(seed: u64, faults: Faults, end: End) -> Result<World, String> {
    let mut world = World::new(seed);
    let faults = Faults { short_writes: seed.is_multiple_of(2), ..faults };
    world.live(Faults::default(), 15)?;
    world.live(faults, 40)?;
    if let End::PowerCut(survival) = end {
        world.crash(survival);
    }
    world.live(Faults::default(), 15)?;
    world.crash(Survival::Nothing);
    world.live(Faults::default(), 0)?;
    Ok(world)
}

/// The calls of the scenario's life on a disk with faults, where it has none.
fn calls_of(seed: u64) -> Calls {
    let mut world = World::new(seed);
    world.live(Faults::default(), 15).unwrap();
    world.live(Faults { short_writes: seed.is_multiple_of(2), ..Faults::default() }, 40).unwrap();
    world.disk.calls()
}

/// Holds a table to its promise under `faults`, however the life ends.
fn check(seed: u64, faults: Faults) {
    let cuts = [Survival::Nothing, Survival::Everything, Survival::Some(seed)];
    for end in cuts.map(End::PowerCut).into_iter().chain([End::Kill]) {
        if let Err(what) = scenario(seed, faults, end) {
            panic!("seed {seed}, {faults:?}, {end:?}: {what}");
        }
    }
}

#[test]
fn what_was_flushed_survives_a_power_cut_at_any_call() {
    for seed in seeds(0, 4) {
        let calls = calls_of(seed);
        for call in 0..calls.changes + calls.syncs + calls.dir_syncs {
            check(seed, Faults { cut_at: Some(call), ..Faults::default() });
        }
    }
}

#[test]
fn what_was_flushed_survives_any_call_that_fails() {
    for seed in seeds(100, 4) {
        let calls = calls_of(seed);
        for call in 0..calls.changes {
            check(seed, Faults { full_from: Some(call), ..Faults::default() });
            check(seed, Faults { fail_change: Some(call), ..Faults::default() });
        }
        for call in 0..calls.syncs {
            check(seed, Faults { fail_sync: Some(call), ..Faults::default() });
        }
        for call in 0..calls.dir_syncs {
            check(seed, Faults { fail_sync_dir: Some(call), ..Faults::default() });
        }
        for call in 0..calls.reads {
            check(seed, Faults { fail_read: Some(call), ..Faults::default() });
        }
    }
}

#[test]
fn a_table_without_syncs_is_found_out() {
    let faults = Faults { forgets_syncs: true, ..Faults::default() };
    let end = End::PowerCut(Survival::Nothing);
    let found = (0..20).filter(|seed| scenario(*seed, faults, end).is_err()).count();
    assert!(found > 10, "only {found} of 20 losses were seen");
}

#[test]
fn random_operations_agree_with_a_map_across_restarts_and_faults() {
    let mut operations = 0;
    for seed in seeds(200, 100) {
        let mut world = World::new(seed);
        for life in 0..8 {
            let faults = some_faults(&mut world.random);
            if let Err(what) = world.live(faults, 40) {
                panic!("seed {seed}, life {life}: {what}");
            }
            if world.random.below(4) > 0 {
                let survival = Survival::Some(world.random.below(u64::MAX));
                world.crash(survival);
            }
        }
        operations += world.operations;
    }
    counted(&format!("{operations} operations on tables agreed with a map"));
}

fn some_faults(random: &mut Random) -> Faults {
    let mut some = |chances, limit| (random.below(chances) == 0).then(|| random.below(limit));
    Faults {
        cut_at: some(2, 30),
        fail_sync: some(3, 6),
        fail_sync_dir: some(6, 2),
        fail_read: some(6, 6),
        fail_change: some(4, 20),
        full_from: some(6, 60),
        short_writes: random.below(2) == 0,
        ..Faults::default()
    }
}

#[test]
fn what_expired_while_the_power_was_off_is_gone() {
    let disk = Memory::new(1, 1 << 20);
    let (table, _) = LoggedTable::open(disk.clone(), NAME, 0).unwrap();
    table.put(b"short", b"1", 5).unwrap();
    table.put(b"long", b"2", 50).unwrap();
    table.flush(0).unwrap();
    let (table, recovery) = LoggedTable::open(disk.crash(1), NAME, 5).unwrap();
    assert_eq!((recovery.entries, recovery.dropped_octets), (1, 0));
    assert_eq!(table.get(b"short", 0), None);
}

/// What a sync that failed left behind is in the system's memory, and not on disk: behind it
/// nothing may be appended that a later sync is to keep.
#[test]
fn what_is_flushed_after_a_failed_sync_and_a_kill_survives_a_power_cut() {
    for seed in 0..20 {
        let disk = Memory::new(seed, 1 << 20);
        let (table, _) = LoggedTable::open(disk.clone(), NAME, NOW).unwrap();
        table.put(b"a", b"1", 10).unwrap();
        table.flush(NOW).unwrap();
        disk.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
        table.put(b"b", &[2; 1500], 10).unwrap();
        assert!(table.flush(NOW).is_err());
        drop(table);
        let (table, _) = LoggedTable::open(disk.clone(), NAME, NOW).unwrap();
        table.put(b"c", b"3", 10).unwrap();
        table.flush(NOW).unwrap();
        let (table, _) = LoggedTable::open(disk.crash(seed), NAME, NOW).unwrap();
        assert_eq!(table.get(b"c", NOW), Some(b"3".to_vec()), "seed {seed}");
        assert_eq!(disk.list().unwrap().len(), 1, "one file is left");
    }
}

/// After a failed sync and a kill a value is read that is not on disk; a flush that has
/// nothing else to write makes it durable all the same.
#[test]
fn what_was_found_after_a_failed_sync_and_a_kill_is_kept_by_the_first_flush() {
    for seed in 0..20 {
        let disk = Memory::new(seed, 1 << 20);
        let (table, _) = LoggedTable::open(disk.clone(), NAME, NOW).unwrap();
        table.put(b"a", b"1", 10).unwrap();
        table.flush(NOW).unwrap();
        disk.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
        table.put(b"a", &[2; 1500], 10).unwrap();
        assert!(table.flush(NOW).is_err());
        drop(table);
        let (table, _) = LoggedTable::open(disk.clone(), NAME, NOW).unwrap();
        let found = table.get(b"a", NOW);
        table.flush(NOW).unwrap();
        let disk = disk.crash_to(Survival::Nothing);
        let (table, _) = LoggedTable::open(disk, NAME, NOW).unwrap();
        assert_eq!(table.get(b"a", NOW), found, "seed {seed}");
    }
}
