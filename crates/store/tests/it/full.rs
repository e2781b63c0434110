//! A disk that is full from any call on: new content is refused in time, deletions and
//! states still get through, and nothing that was acknowledged is lost.

use secondpost_store::disk::{Faults, Memory};
use secondpost_store::log::{Class, LogError};

use crate::run::{Promises, Run};

/// Appends content until it is refused, upkeep behind it, and opens the log again.
fn check(call: u64, restarts: bool) -> usize {
    let mut disk = Memory::new(call, 1 << 20);
    let mut promises = Promises::default();
    let mut run = Run::open(disk.clone(), &mut promises).unwrap().unwrap();
    disk.set_faults(Faults { full_from: Some(call), ..Faults::default() });
    while promises.failed.is_empty() {
        run.submit(&mut promises, 1, Class::Ordinary);
        run.step(&mut promises);
    }
    assert_eq!(promises.failed, [LogError::Full], "call {call}");
    let content = promises.kept();
    if restarts {
        disk = disk.crash(call);
        disk.set_faults(Faults { full_from: Some(0), ..Faults::default() });
        run = Run::open(disk.clone(), &mut promises).unwrap().unwrap();
    }
    // As many as fit into the one segment that is kept for them.
    for _ in 0..3 {
        run.submit(&mut promises, 1, Class::Reserve);
        run.step(&mut promises);
    }
    if content > 0 {
        assert_eq!(promises.failed.len(), 1, "call {call}: upkeep is refused");
    }
    if let Err(what) = Run::open(disk.crash(call), &mut promises) {
        panic!("call {call}: {what}");
    }
    content
}

#[test]
fn content_is_refused_and_upkeep_goes_on_whenever_the_disk_runs_full() {
    for restarts in [false, true] {
        let content: Vec<usize> = (0..150).map(|call| check(call, restarts)).collect();
        assert!(content.iter().filter(|content| **content > 0).count() > 100);
    }
}

fn full() -> Faults {
    Faults { full_from: Some(0), ..Faults::default() }
}

/// A full disk whose reserve is in use: the last segment was begun with it.
fn with_reserve_in_use(seed: u64, promises: &mut Promises) -> Memory {
    let disk = Memory::new(seed, 5 * 4096);
    let mut run = Run::open(disk.clone(), promises).unwrap().unwrap();
    while promises.failed.is_empty() {
        run.submit(promises, 1, Class::Ordinary);
        run.step(promises);
    }
    let before = run.log.segments().len();
    while run.log.segments().len() == before {
        run.submit(promises, 1, Class::Reserve);
        run.step(promises);
    }
    promises.failed.clear();
    disk.crash(seed)
}

/// A life on a full disk that hands in one record for upkeep; whether it was taken.
fn one_more(disk: &Memory, promises: &mut Promises) -> bool {
    let Some(mut run) = Run::open(disk.clone(), promises).unwrap() else { return false };
    let before = promises.kept();
    run.submit(promises, 1, Class::Reserve);
    run.step(promises);
    promises.kept() > before
}

#[test]
fn upkeep_goes_on_in_the_last_segment_when_the_reserve_is_in_use() {
    for seed in 0..50 {
        let mut promises = Promises::default();
        let mut disk = with_reserve_in_use(seed, &mut promises);
        let mut lives = 0;
        loop {
            disk.set_faults(full());
            if !one_more(&disk, &mut promises) {
                break;
            }
            lives += 1;
            disk = disk.crash(seed);
        }
        assert!(lives >= 3, "seed {seed}: only {lives} lives");
        Run::open(disk.crash(seed), &mut promises).unwrap().unwrap();
    }
}

#[test]
fn a_power_cut_while_the_last_segment_is_taken_up_again_loses_nothing() {
    let mut taken = 0;
    for seed in 0..20 {
        for call in 0..40 {
            let mut promises = Promises::default();
            let mut disk = with_reserve_in_use(seed, &mut promises);
            for _ in 0..2 {
                disk.set_faults(Faults { cut_at: Some(call), ..full() });
                taken += usize::from(one_more(&disk, &mut promises));
                disk = disk.crash(seed * 100 + call);
            }
            disk.set_faults(full());
            if let Err(what) = Run::open(disk, &mut promises) {
                panic!("seed {seed}, cut at {call}: {what}");
            }
        }
    }
    assert!(taken > 100, "only {taken} records were taken");
}

#[test]
fn content_is_taken_again_when_a_segment_is_given_up() {
    let disk = Memory::new(1, 5 * 4096);
    let mut promises = Promises::default();
    let mut run = Run::open(disk, &mut promises).unwrap().unwrap();
    while promises.failed.is_empty() {
        run.submit(&mut promises, 1, Class::Ordinary);
        run.step(&mut promises);
    }
    run.free_oldest(&mut promises);
    run.free_oldest(&mut promises);
    run.submit(&mut promises, 1, Class::Ordinary);
    run.step(&mut promises);
    assert_eq!(promises.failed, [LogError::Full]);
}
