//! The load against the sink, on loopback. What ends a load is a count: how long it takes
//! is not asserted.

use super::script::{Pipelining, Script};
use super::sink::Sink;
use super::{End, Load, Pace, hold, run};

fn load(sink: &Sink, script: Script, sessions: usize, pace: Pace) -> Load {
    Load { address: sink.address(), script, sessions, end: End::Counted(40), pace }
}

#[test]
fn every_message_that_is_counted_reached_the_sink() {
    for pipelining in [Pipelining::Used, Pipelining::Unused] {
        let sink = Sink::start().unwrap();
        let script = Script::deliver(3, 4096, pipelining);
        let mut measured = run(load(&sink, script, 5, Pace::Closed)).unwrap();
        assert!(measured.counted >= 40 && measured.counted <= measured.total);
        assert_eq!(sink.arrived().0, measured.total);
        assert!(measured.latencies.percentile_ms(50.0) > 0.0);
    }
}

#[test]
fn connections_that_come_and_go_are_counted_when_they_went() {
    let sink = Sink::start().unwrap();
    let whole = run(load(&sink, Script::connect(), 2, Pace::Closed)).unwrap();
    assert!(whole.counted >= 40);
    assert_eq!(sink.arrived().0, 0);
}

#[test]
fn an_open_loop_sends_no_more_than_its_pace() {
    let sink = Sink::start().unwrap();
    let script = Script::deliver(u32::MAX, 400, Pipelining::Used);
    let measured = run(load(&sink, script, 4, Pace::Open(400.0))).unwrap();
    // In the time of the run, and one of each session beyond.
    let most = (measured.time.as_secs_f64() * 400.0) as u64 + 8;
    assert!((40..=most).contains(&measured.total), "{}", measured.total);
}

#[test]
fn an_unexpected_reply_fails_the_run() {
    let sink = Sink::start().unwrap();
    let error = run(load(&sink, Script::refuse(1), 1, Pace::Closed)).unwrap_err();
    assert!(error.contains("550 was expected"), "{error}");
}

#[test]
fn sessions_are_held_until_the_server_ends_them() {
    let sink = Sink::start().unwrap();
    let mut held = hold(sink.address(), 20).unwrap();
    held.check().unwrap();
    drop(sink);
    assert!(held.check().unwrap_err().contains("closed"));
}
