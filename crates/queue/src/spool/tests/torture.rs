//! Crashes, full disks and failing syncs, each against plain maps as the oracle. Every
//! failure prints the seed and the call that it came from.
//!
//! In every run the scenarios are small, and are cut at every call; `SECONDPOST_TORTURE=20`
//! runs twenty times as many of them, `SECONDPOST_SEED=5` only those of one seed.

use store::disk::Survival;

use super::world::*;
use super::*;

/// Operations of a scenario.
const OPERATIONS: usize = 40;

/// Runs a scenario on a disk with `faults`; what was promised, and the disk.
fn run_with(faults: Faults, seed: u64) -> (Memory, Oracle) {
    let disk = Memory::new(seed, PLENTY);
    disk.set_faults(Faults { short_writes: seed.is_multiple_of(2), ..faults });
    let Some(mut world) = World::open(disk.clone(), Oracle::default()) else {
        return (disk, Oracle::default());
    };
    let mut random = Random(seed);
    for _ in 0..OPERATIONS {
        world.act(&mut random);
    }
    world.drive();
    (disk, world.oracle())
}

/// The calls of a scenario that nothing goes wrong in.
fn calls_of(seed: u64) -> store::disk::Calls {
    run_with(Faults::default(), seed).0.calls()
}

/// What a cut at one call may leave. With every call that the power may be cut at,
/// `Everything` makes every prefix of the writes; seeds make any subset of the sectors and
/// of the names' changes.
fn survivals(seed: u64) -> impl Iterator<Item = Survival> {
    let some = (0..2).map(move |n| Survival::Some(seed * 31 + n));
    [Survival::Nothing, Survival::Everything].into_iter().chain(some)
}

/// After the crash all promises hold, also where the power is cut again while the spool is
/// opened; it goes on working, and they hold again after the next start. What was found at
/// a start stays.
fn check_after(disk: &Memory, oracle: &Oracle, survival: Survival, seed: u64) {
    let disk = disk.crash_to(survival);
    let again = disk.crash_to(Survival::Everything);
    again.set_faults(Faults { cut_at: Some(seed % 9), ..Faults::default() });
    drop(World::open(again.clone(), oracle.clone()));
    check_start(&again.crash_to(Survival::Some(seed)), oracle);
    let oracle = check_start(&disk, oracle);
    check_start(&disk.crash_to(Survival::Nothing), &oracle);
}

/// Opens the spool, holds it to its promises, and uses it; what is promised then.
fn check_start(disk: &Memory, oracle: &Oracle) -> Oracle {
    disk.set_faults(Faults::default());
    let mut world = World::open(disk.clone(), oracle.clone()).expect("the spool opens");
    world.put(vec![b'n'; 700]);
    world.upkeep();
    world.drive();
    world.check();
    world.oracle()
}

/// How many cuts that were.
fn cut_everywhere(seed: u64) -> u64 {
    let mut cuts = 0;
    let calls = calls_of(seed);
    for call in 0..calls.changes + calls.syncs + calls.dir_syncs {
        let (disk, oracle) = run_with(Faults { cut_at: Some(call), ..Faults::default() }, seed);
        for survival in survivals(seed + call) {
            named(&format!("seed {seed}, call {call}, {survival:?}"), || {
                check_after(&disk, &oracle, survival, seed + call);
            });
            cuts += 1;
        }
    }
    cuts
}

#[test]
fn nothing_promised_is_lost_whichever_call_the_power_is_cut_at() {
    let cuts: u64 = seeds(1, 2).map(cut_everywhere).sum();
    counted(&format!("{cuts} power cuts of a spool, at every call: nothing promised was lost"));
}

#[test]
fn nothing_promised_is_lost_when_the_process_is_killed_at_any_call() {
    for seed in seeds(11, 2) {
        let calls = calls_of(seed);
        for call in 0..calls.changes + calls.syncs + calls.dir_syncs {
            let (disk, oracle) = run_with(Faults { cut_at: Some(call), ..Faults::default() }, seed);
            named(&format!("seed {seed}, call {call}"), || {
                // The system has all that was written.
                let oracle = check_start(&disk, &oracle);
                check_start(&disk.crash_to(Survival::Nothing), &oracle);
            });
        }
    }
}

#[test]
fn a_spool_without_syncs_is_found_out() {
    let faults = Faults { forgets_syncs: true, ..Faults::default() };
    for seed in 1..=3 {
        let (disk, oracle) = run_with(faults, seed);
        let check = || check_after(&disk, &oracle, Survival::Nothing, 1);
        assert!(catch_unwind(AssertUnwindSafe(check)).is_err(), "seed {seed}: a loss is not seen");
    }
}

#[test]
fn a_sync_that_fails_loses_nothing_promised() {
    for seed in seeds(5, 2) {
        let calls = calls_of(seed);
        let of_files =
            (0..calls.syncs).map(|sync| Faults { fail_sync: Some(sync), ..Faults::default() });
        let of_names = (0..calls.dir_syncs)
            .map(|sync| Faults { fail_sync_dir: Some(sync), ..Faults::default() });
        for faults in of_files.chain(of_names) {
            let (disk, oracle) = run_with(faults, seed);
            for survival in survivals(seed) {
                let what = format!("seed {seed}, {faults:?}, {survival:?}");
                named(&what, || check_after(&disk, &oracle, survival, seed));
            }
            // Killed, not cut: what the failed sync left behind is read from memory, and
            // is lost with the power unless it is written again.
            named(&format!("seed {seed}, {faults:?}, killed"), || {
                let oracle = check_start(&disk, &oracle);
                check_start(&disk.crash_to(Survival::Nothing), &oracle);
            });
        }
    }
}

#[test]
fn a_write_that_fails_loses_nothing_promised() {
    for seed in seeds(60, 2) {
        for change in 0..calls_of(seed).changes {
            let faults = Faults { fail_change: Some(change), ..Faults::default() };
            let (disk, oracle) = run_with(faults, seed);
            named(&format!("seed {seed}, change {change}"), || {
                check_after(&disk, &oracle, Survival::Some(seed), seed);
                let oracle = check_start(&disk, &oracle);
                check_start(&disk.crash_to(Survival::Nothing), &oracle);
            });
        }
    }
}

#[test]
fn a_process_killed_after_a_failed_sync_and_before_the_next_segment_loses_nothing() {
    for seed in seeds(40, 2) {
        let calls = calls_of(seed);
        for sync in 0..calls.syncs {
            for more in 0..4 {
                let disk = Memory::new(seed, PLENTY);
                disk.set_faults(Faults { fail_sync: Some(sync), ..Faults::default() });
                let world = World::open(disk.clone(), Oracle::default());
                let Some(mut world) = world else { continue };
                let mut random = Random(seed);
                while disk.calls().syncs <= sync {
                    world.act(&mut random);
                }
                let now = total(&disk);
                disk.set_faults(Faults { cut_at: Some(more), ..Faults::default() });
                (0..5).for_each(|_| world.act(&mut random));
                world.drive();
                let oracle = world.oracle();
                drop(world);
                named(&format!("seed {seed}, sync {sync}, {more} calls after {now}"), || {
                    let oracle = check_start(&disk, &oracle);
                    check_start(&disk.crash_to(Survival::Nothing), &oracle);
                });
            }
        }
    }
}

#[test]
fn no_space_from_any_call_on_loses_nothing_promised_and_removals_are_taken() {
    for seed in seeds(7, 2) {
        for change in 0..calls_of(seed).changes {
            let full = Faults { full_from: Some(change), ..Faults::default() };
            let (disk, oracle) = run_with(full, seed);
            named(&format!("seed {seed}, change {change}"), || {
                check_after(&disk, &oracle, Survival::Nothing, seed);
                disk.set_faults(Faults { full_from: Some(0), ..Faults::default() });
                let world = World::open(disk.clone(), oracle.clone());
                let Some(mut world) = world else { return assert!(oracle.committed.is_empty()) };
                let kept: Vec<QueueId> = world.oracle().committed.into_keys().collect();
                kept.iter().for_each(|id| world.remove(*id));
                world.drive();
                assert!(world.oracle().going.is_empty(), "a removal was not taken");
                world.check();
            });
        }
    }
}

#[test]
fn a_read_that_fails_is_told_and_changes_nothing() {
    for seed in seeds(9, 1) {
        let (disk, oracle) = run_with(Faults::default(), seed);
        for read in 0..40 {
            let disk = disk.crash_to(Survival::Everything);
            disk.set_faults(Faults { fail_read: Some(read), ..Faults::default() });
            named(&format!("seed {seed}, read {read}"), || {
                if let Ok((spool, mut writer, report)) = open_small(&disk) {
                    assert_eq!(report.damage, [], "what could not be read is not damaged");
                    spool.ids().iter().for_each(|id| drop(spool.get(*id)));
                    (0..8).for_each(|_| _ = spool.upkeep());
                    while writer.step() {}
                }
                check_start(&disk, &oracle);
            });
        }
    }
}

#[test]
fn random_operations_agree_with_a_map_across_restarts() {
    let (mut operations, mut crashes) = (0, 0);
    for seed in seeds(100, 12) {
        named(&format!("seed {seed}"), || {
            let mut disk = Memory::new(seed, PLENTY);
            let mut random = Random(seed);
            let mut oracle = Oracle::default();
            for life in 0..6 {
                disk.set_faults(Faults {
                    short_writes: seed.is_multiple_of(2),
                    ..Faults::default()
                });
                let mut world = World::open(disk.clone(), oracle).unwrap();
                (0..80).for_each(|_| world.act(&mut random));
                operations += 80;
                match random.below(4) {
                    0 => {
                        world.spool.close();
                        world.drive();
                    }
                    1 => world.drive(),
                    2 => {
                        disk = disk.crash(seed * 100 + life);
                        crashes += 1;
                    }
                    _ => {}
                }
                oracle = world.oracle();
            }
            World::open(disk, oracle).unwrap().check();
        });
    }
    counted(&format!("{operations} operations on spools agreed with a map, {crashes} crashes"));
}

#[test]
fn a_disk_that_fails_again_and_again_does_not_fill_up_and_is_used_again() {
    let disk = Memory::new(3, 3 << 20);
    let mut world = World::open(disk.clone(), Oracle::default()).unwrap();
    world.put(vec![b'a'; 3000]);
    world.drive();
    for round in 0..200 {
        let faults = match round % 2 {
            0 => Faults { fail_sync: Some(0), ..Faults::default() },
            _ => Faults { fail_sync_dir: Some(0), ..Faults::default() },
        };
        world.put(vec![b'b'; 3000]);
        disk.set_faults(faults);
        world.drive();
        disk.set_faults(Faults::default());
        world.upkeep();
    }
    world.put(vec![b'c'; 3000]);
    world.drive();
    world.check();
    assert!(world.oracle().committed.len() >= 2, "mail is taken again");
    let on_disk = world.spool.stat().octets_on_disk;
    assert!(on_disk <= 8 * u64::from(SEGMENT_OCTETS), "{on_disk} octets are in use");
}

#[test]
fn a_full_disk_refuses_mail_still_takes_removals_and_then_accepts_again() {
    let mut world = World::open(Memory::new(1, 1600 << 10), Oracle::default()).unwrap();
    for _ in 0..600 {
        world.put(vec![b'x'; 4000]);
        world.drive();
    }
    let full = world.oracle();
    assert!((100..400).contains(&full.committed.len()), "{}", full.committed.len());
    assert!(world.spool.stat().is_full);
    for id in full.committed.keys() {
        world.note(*id, 3, Durability::Synced);
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

/// Every other message goes first: no segment is free until it is emptied.
#[test]
fn a_full_disk_is_emptied_in_any_order() {
    for step in [2, 3, 7] {
        let mut world = World::open(Memory::new(1, 1600 << 10), Oracle::default()).unwrap();
        while !world.spool.stat().is_full {
            world.put(vec![b'x'; 1500]);
            world.drive();
        }
        let ids: Vec<QueueId> = world.oracle().committed.into_keys().collect();
        for first in 0..step {
            for id in ids.iter().skip(first).step_by(step) {
                world.remove(*id);
                world.drive();
            }
            (0..20).for_each(|_| world.upkeep());
            world.check();
        }
        assert_eq!(world.oracle().gone.len(), ids.len());
    }
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
    (0..20).for_each(|_| world.upkeep());
    let stat = world.spool.stat();
    assert!(stat.octets_on_disk <= 8 * u64::from(SEGMENT_OCTETS), "{stat:?}");
    assert_eq!(octets_of(&world.spool, kept), vec![b'k'; 500]);
}
