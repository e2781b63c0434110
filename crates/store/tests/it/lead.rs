//! Who comes alone, again and again, to a quick disk writes itself, and so does who comes
//! last of those who always come together; they lose nothing by it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use secondpost_store::disk::{Faults, Memory};
use secondpost_store::log::{Class, Lead, Log, LogError, Place, Submission, Urgency, done};

use crate::run::{Promises, Run, in_groups};

type Told = Receiver<Result<Place, LogError>>;
type Outcome = (Option<Lead<Memory>>, Told);

/// A record that presses.
const RECORD: Submission<'static> = Submission {
    kind: 1,
    payload: &[b"12345678"],
    class: Class::Ordinary,
    urgency: Urgency::Now,
    generation: None,
};

/// Patience with what another thread is to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A log where somebody comes alone, and its disk.
struct Solitary {
    disk: Memory,
    run: Run<Memory>,
}

impl Solitary {
    fn new() -> Solitary {
        let disk = Memory::new(1, 1 << 20);
        let run = Run::open(disk.clone(), &mut Promises::default()).unwrap().unwrap();
        Solitary { disk, run }
    }

    fn submit(&self) -> Outcome {
        submit(&self.run.log)
    }

    /// Comes alone until it may lead.
    fn lead(&mut self) -> (Lead<Memory>, Told) {
        for _ in 0..1000 {
            if let (Some(lead), told) = self.submit() {
                return (lead, told);
            }
            while self.run.writer.step() {}
        }
        panic!("nobody may lead");
    }
}

fn submit(log: &Log<Memory>) -> Outcome {
    let (send, told) = channel();
    let mut done = Some(done(move |result| drop(send.send(result))));
    let (_, lead) = log.submit_to_lead(&RECORD, &mut done).unwrap();
    (lead, told)
}

/// So many come together, and who may lead does; how many did. At the end of a segment not
/// all of them are in one batch.
fn together(count: usize, log: &Log<Memory>) -> (usize, Vec<Told>) {
    let come = (0..count).map(|_| submit(log));
    let (led, told): (Vec<_>, _) = come.map(|(lead, told)| (lead.map(Lead::write), told)).unzip();
    (led.iter().flatten().count(), told)
}

/// Three come together again and again, until who comes last leads.
fn grouped() -> Run<Memory> {
    let mut run = Solitary::new().run;
    let mut led = 0;
    for _ in 0..200 {
        let (leads, told) = together(3, &run.log);
        led += leads;
        while run.writer.step() {}
        assert!(told.iter().all(|told| told.try_recv().is_ok_and(|end| end.is_ok())));
    }
    assert!(led > 100, "{led} led");
    run
}

#[test]
fn who_comes_last_of_those_who_always_come_writes_for_all() {
    let run = grouped();
    assert_eq!(run.log.in_flight_octets(), 0);
}

#[test]
fn the_writer_writes_for_those_whose_company_is_late() {
    let Run { log, writer, .. } = grouped();
    let thread = std::thread::spawn(move || writer.run(|| {}));
    for count in (0..100).flat_map(|_| [2, 3, 3, 3]) {
        let (_, told) = together(count, &log);
        told.iter().for_each(|told| assert!(told.recv_timeout(PATIENCE).unwrap().is_ok()));
    }
    log.close();
    thread.join().unwrap();
}

#[test]
fn who_leads_writes_and_is_told_on_its_own_thread() {
    let mut alone = Solitary::new();
    let (lead, told) = alone.lead();
    assert!(!alone.run.writer.step(), "it is not the writer's to write");
    assert!(told.try_recv().is_err());
    lead.write();
    let place = told.try_recv().expect("it was told").expect("it is on disk");
    assert!(alone.run.log.read(place, 1).is_ok());
    assert!(!alone.run.writer.step(), "nothing is left to write");
}

#[test]
fn a_lead_that_is_dropped_is_left_to_the_writer() {
    let mut alone = Solitary::new();
    let (lead, told) = alone.lead();
    drop(lead);
    assert!(told.try_recv().is_err());
    assert!(alone.run.writer.step());
    assert!(told.try_recv().unwrap().is_ok());
}

#[test]
fn who_comes_while_somebody_leads_is_written_with_it_and_ends_the_solitude() {
    let mut alone = Solitary::new();
    let (lead, first) = alone.lead();
    let (none, second) = alone.submit();
    assert!(none.is_none(), "there is one lead");
    lead.write();
    assert!(first.try_recv().unwrap().is_ok());
    assert!(second.try_recv().unwrap().is_ok());
    assert!(alone.submit().0.is_none(), "there was company a moment ago");
}

#[test]
fn a_lead_whose_disk_fails_is_told_and_what_comes_later_is_kept() {
    let mut alone = Solitary::new();
    let (lead, told) = alone.lead();
    alone.disk.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
    lead.write();
    assert!(matches!(told.try_recv().unwrap(), Err(LogError::Fault(_))));
    let (_, told) = alone.submit();
    while alone.run.writer.step() {}
    let place = told.try_recv().unwrap().unwrap();
    assert_eq!(alone.run.log.generation(), 1);
    assert!(alone.run.log.read(place, 1).is_ok());
}

#[test]
fn a_lead_that_panics_closes_the_log_and_leaves_nobody_waiting() {
    let mut alone = Solitary::new();
    let (lead, led) = alone.lead();
    let (_, behind) = alone.submit();
    let thread = std::thread::spawn({
        let writer = alone.run.writer;
        move || writer.run(|| {})
    });
    alone.disk.set_faults(Faults { panics_at_sync: true, ..Faults::default() });
    let panicked = std::thread::spawn(move || lead.write()).join();
    assert!(panicked.is_err());
    // Nobody knows what is on disk: their word is dropped.
    assert_eq!(led.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    assert_eq!(behind.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    thread.join().expect("the writer ends as with a log that is closed");
    let late = alone.run.log.submit(&RECORD, &mut Some(done(|_| {})));
    assert!(matches!(late, Err(LogError::Closed)));
}

/// A hundred groups of so many records; cuts the power at each of so many calls.
fn survive_power_cuts(of: u64, least_led: usize, calls: u64) {
    let promises = in_groups(1, Faults::default(), 100, of);
    assert_eq!(promises.told as u64, 100 * of);
    assert!(promises.led > least_led, "{} led", promises.led);
    for cut_at in 0..calls {
        in_groups(cut_at, Faults { cut_at: Some(cut_at), ..Faults::default() }, 100, of);
    }
}

#[test]
fn what_was_led_alone_survives_a_power_cut_at_any_call() {
    survive_power_cuts(1, 30, 400);
}

#[test]
fn what_the_last_of_three_led_survives_a_power_cut_at_any_call() {
    survive_power_cuts(3, 5, 500);
}

#[test]
fn a_sync_that_fails_takes_what_was_led_with_it_and_nothing_else() {
    for fails in 0..120 {
        let faults = Faults { fail_sync: Some(fails), ..Faults::default() };
        assert!(in_groups(fails, faults, 100, 1).told >= 99, "{faults:?}");
    }
}

#[test]
fn a_log_is_closed_while_somebody_leads_and_what_it_has_is_written() {
    let mut alone = Solitary::new();
    let (lead, told) = alone.lead();
    alone.run.log.close();
    let writer = alone.run.writer;
    let ends = std::thread::spawn(move || writer.run(|| {}));
    lead.write();
    assert!(told.try_recv().unwrap().is_ok());
    ends.join().unwrap();
}

#[test]
fn a_log_that_loses_its_writer_fails_who_leads() {
    let mut alone = Solitary::new();
    let (lead, told) = alone.lead();
    drop(alone.run.writer);
    assert_eq!(told.try_recv().unwrap(), Err(LogError::Closed));
    lead.write();
    assert!(told.try_recv().is_err(), "it is told once");
}

#[test]
fn the_writers_thread_says_when_who_leads_is_held_up_and_goes_on_behind_it() {
    let mut alone = Solitary::new();
    let (lead, led) = alone.lead();
    let (_, behind) = alone.submit();
    let (held_up, heard) = channel();
    let writer = alone.run.writer;
    let held_up = move || {
        // Who listens may have heard enough.
        let _ = held_up.send(());
    };
    let thread = std::thread::spawn(move || writer.run(held_up));
    heard.recv_timeout(PATIENCE).expect("it is told that the lead takes long");
    drop(lead);
    assert!(led.recv_timeout(PATIENCE).unwrap().is_ok());
    assert!(behind.recv_timeout(PATIENCE).unwrap().is_ok());
    alone.run.log.close();
    thread.join().unwrap();
}
