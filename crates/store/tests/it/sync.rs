//! Syncs and reads that fail. After a failed sync, what was not acknowledged may vanish;
//! what is acknowledged later is kept, though the disk silently dropped what was dirty.

use secondpost_store::disk::{Faults, Memory};
use secondpost_store::log::{Durability, Need};

use crate::run::{Promises, Run};

/// Appends thirty records on a disk with `faults`, and cuts the power.
fn check(seed: u64, faults: Faults) -> Promises {
    let disk = Memory::new(seed, 1 << 20);
    disk.set_faults(faults);
    let mut promises = Promises::default();
    let mut run = Run::open(disk.clone(), &mut promises).unwrap();
    for _ in 0..30 {
        run.submit(&mut promises, 1, Durability::Synced, Need::Upkeep);
        run.step(&mut promises);
    }
    let acknowledged = promises.kept();
    assert!(acknowledged >= 29, "{faults:?}: one failure fails one batch");
    if let Err(what) = Run::open(disk.crash(seed), &mut promises) {
        panic!("seed {seed}, {faults:?}: {what}");
    }
    promises
}

#[test]
fn a_failed_sync_that_takes_written_records_with_it_is_counted() {
    let disk = Memory::new(1, 1 << 20);
    let mut promises = Promises::default();
    let mut run = Run::open(disk.clone(), &mut promises).unwrap();
    run.submit(&mut promises, 1, Durability::Synced, Need::Upkeep);
    run.step(&mut promises);
    for (with_written, losses) in [(false, 0), (true, 1)] {
        if with_written {
            run.submit(&mut promises, 1, Durability::Written, Need::Upkeep);
            run.step(&mut promises);
        }
        disk.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
        run.submit(&mut promises, 1, Durability::Synced, Need::Upkeep);
        run.step(&mut promises);
        assert_eq!(run.log.losses(), losses);
        run.submit(&mut promises, 1, Durability::Synced, Need::Upkeep);
        run.step(&mut promises);
    }
    assert_eq!(promises.failed.len(), 2);
}

#[test]
fn a_failed_sync_takes_nothing_with_it_that_was_acknowledged() {
    let mut failed = 0;
    for call in 0..40 {
        for seed in 0..20 {
            let fail_sync = Faults { fail_sync: Some(call), ..Faults::default() };
            failed += check(seed, fail_sync).failed.len();
            let fail_names = Faults { fail_sync_dir: Some(call), ..Faults::default() };
            failed += check(seed, fail_names).failed.len();
        }
    }
    assert!(failed > 500, "only {failed} batches were failed");
}

#[test]
fn a_read_that_fails_at_a_start_is_an_error_that_names_the_file_and_loses_nothing() {
    let disk = Memory::new(1, 1 << 20);
    let mut promises = Promises::default();
    let mut run = Run::open(disk.clone(), &mut promises).unwrap();
    for _ in 0..30 {
        run.submit(&mut promises, 1, Durability::Synced, Need::Upkeep);
        run.step(&mut promises);
    }
    drop(run);
    for call in 0..4 {
        disk.set_faults(Faults { fail_read: Some(call), ..Faults::default() });
        let error = Run::open(disk.clone(), &mut promises).err().unwrap();
        assert!(error.starts_with("memory/00000000000000"), "{error}");
    }
    disk.set_faults(Faults::default());
    Run::open(disk, &mut promises).unwrap();
}
