//! Syncs and reads that fail. After a failed sync, what was not acknowledged may vanish;
//! what is acknowledged later is kept, though the disk silently dropped what was dirty.

use std::sync::{Arc, Mutex};

use secondpost_store::disk::{Calls, Disk, DiskFile, Faults, Memory};
use secondpost_store::log::{Class, Done, Log, LogError, Place, Submission, Submitter, Urgency};

use crate::run::{OPTIONS, Promises, Run, in_groups};

/// Appends thirty records on a disk with `faults`, and cuts the power.
fn check(seed: u64, faults: Faults) -> Promises {
    let promises = in_groups(seed, faults, 30, 1);
    assert!(promises.told >= 29, "{faults:?}: one failure fails one batch");
    promises
}

#[test]
fn a_record_that_stands_on_what_a_failed_sync_took_is_refused() {
    let disk = Memory::new(1, 1 << 20);
    let mut promises = Promises::default();
    let mut run = Run::open(disk.clone(), &mut promises).unwrap().unwrap();
    run.submit(&mut promises, 1, Class::Reserve);
    run.step(&mut promises);
    let generation = Some(run.log.generation());
    disk.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
    run.submit(&mut promises, 1, Class::Reserve);
    run.step(&mut promises);
    assert_eq!(promises.failed.len(), 1);
    let payload: &[&[u8]] = &[b"points to the record before"];
    let (class, urgency) = (Class::Reserve, Urgency::Now);
    let record = Submission { kind: 1, payload, class, urgency, generation };
    assert!(matches!(run.log.submit(&record, &mut None), Err(LogError::Fault(_))));
}

/// Notes what it is told, and when.
struct Scribe(u32, Arc<Mutex<Vec<(u32, &'static str)>>>);

impl Scribe {
    fn note(&self, what: &'static str) {
        self.1.lock().unwrap().push((self.0, what));
    }
}

impl Submitter for Scribe {
    fn ended(&mut self, result: Result<Place, LogError>) {
        self.note(if result.is_ok() { "synced" } else { "lost" });
    }

    fn tell(self: Box<Self>) {
        self.note("told");
    }
}

/// What the submitters of one batch hear, written to a disk with `faults`.
fn heard(faults: Faults) -> Vec<(u32, &'static str)> {
    let disk = Memory::new(1, 1 << 20);
    let mut run = Run::open(disk.clone(), &mut Promises::default()).unwrap().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    for number in 1..=2 {
        let (class, urgency) = (Class::Reserve, Urgency::Now);
        let record =
            Submission { kind: 1, payload: &[b"12345678"], class, urgency, generation: None };
        let scribe: Done = Box::new(Scribe(number, Arc::clone(&heard)));
        run.log.submit(&record, &mut Some(scribe)).unwrap();
    }
    disk.set_faults(faults);
    while run.writer.step() {}
    Arc::into_inner(heard).unwrap().into_inner().unwrap()
}

#[test]
fn nobody_of_a_batch_is_told_before_every_record_of_it_has_ended() {
    let synced = heard(Faults::default());
    assert_eq!(synced, [(1, "synced"), (2, "synced"), (1, "told"), (2, "told")]);
    let lost = heard(Faults { fail_sync: Some(0), ..Faults::default() });
    assert_eq!(lost, [(1, "lost"), (2, "lost"), (1, "told"), (2, "told")]);
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
fn a_read_that_fails_at_a_start_is_an_error_and_loses_nothing() {
    let disk = Memory::new(1, 1 << 20);
    let mut promises = Promises::default();
    let mut run = Run::open(disk.clone(), &mut promises).unwrap().unwrap();
    for _ in 0..30 {
        run.submit(&mut promises, 1, Class::Reserve);
        run.step(&mut promises);
    }
    drop(run);
    let mut errors = 0;
    for call in 0..20 {
        disk.set_faults(Faults { fail_read: Some(call), ..Faults::default() });
        let opened = Log::open(disk.clone(), OPTIONS, &mut |_| {});
        if let Err(error) = opened {
            assert!(error.to_string().starts_with("memory/s"), "{error}");
            errors += 1;
        }
    }
    assert!(errors > 5, "{errors}");
    disk.set_faults(Faults::default());
    Run::open(disk, &mut promises).unwrap().unwrap();
}

#[test]
fn what_is_no_segment_is_reported_and_left_alone() {
    let disk = Memory::new(1, 1 << 20);
    let file = disk.create("segment-00000005").unwrap();
    file.write_all_at(0, &[7; 64]).unwrap();
    drop(file);
    let (log, mut writer, recovery) = Log::open(disk.clone(), OPTIONS, &mut |_| {}).unwrap();
    assert_eq!((recovery.damaged.len(), recovery.damaged[0].octets), (1, 64));
    let payload: &[&[u8]] = &[b"into another file"];
    let (class, urgency) = (Class::Reserve, Urgency::Now);
    let record = Submission { kind: 1, payload, class, urgency, generation: None };
    assert_eq!(log.submit(&record, &mut None).unwrap().segment, 6);
    writer.step();
    let mut octets = [0; 65];
    assert_eq!(disk.open("segment-00000005").unwrap().read_full_at(0, &mut octets).unwrap(), 64);
    assert_eq!(octets[..64], [7; 64]);
}

/// Changes and writes of whole blocks while records are appended, to a disk with `faults`.
fn calls_of_batches(faults: Faults) -> Calls {
    let disk = Memory::new(1, 1 << 20);
    let mut promises = Promises::default();
    let mut run = Run::open(disk.clone(), &mut promises).unwrap().unwrap();
    run.log.prepare().unwrap();
    disk.set_faults(faults);
    for _ in 0..5 {
        run.submit(&mut promises, 1, Class::Ordinary);
        run.step(&mut promises);
    }
    let calls = disk.calls();
    assert_eq!((promises.kept(), promises.failed.len()), (5, 0));
    Run::open(disk.crash(1), &mut promises).unwrap().unwrap();
    calls
}

#[test]
fn batches_go_around_the_cache_where_the_disk_takes_whole_blocks() {
    // What is no batch: the name of the segment.
    let Calls { changes, block_writes, .. } = calls_of_batches(Faults::default());
    assert_eq!((changes, block_writes), (1 + 5, 5));
    let refused = Faults { refuses_blocks: true, ..Faults::default() };
    let Calls { changes, block_writes, .. } = calls_of_batches(refused);
    assert_eq!((changes, block_writes), (1 + 5, 0));
}
