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
