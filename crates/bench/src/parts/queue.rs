//! A queue of a million messages that were deferred: how long it takes to open it, after a
//! clean stop and after a kill, what each message costs in memory, and how soon it is known
//! whose turn it is.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use queue::schedule::{Limits, Schedule};
use queue::spool::Durability;
use queue::{Message, QueueId, Spool, SpoolError};
use reply::Timestamp;
use serde_json::json;
use store::FileSystem;

use super::Setup;
use super::spool::started;
use crate::child::{self, Task, Told, tell};
use crate::group::{own_lasting_memory, own_memory};
use crate::load::script::content;
use crate::report::{Report, Table, Target, figure};
use crate::statistics::Latencies;
use crate::{clock, mail};

const MESSAGE_OCTETS: usize = 4096;
/// Messages on their way into the spool at once.
const ON_THE_WAY: u64 = 500;
/// The first one is due so long after the beginning, and then one each millisecond.
const FIRST_DUE: Duration = Duration::from_secs(4 * 3600);
/// How often the next one due is asked for.
const ASKED: usize = 1000;

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("queue")?;
    let count = if setup.quick { 20_000 } else { 1_000_000 };
    eprintln!("queue: {count} messages");
    child::start(Task::FillQueue, &folder, count)?.kill();
    eprintln!("queue: open after a kill");
    let killed = child::start(Task::OpenQueue, &folder, count)?;
    let after_kill = killed.found.clone();
    killed.stop()?;
    eprintln!("queue: open after a clean stop");
    let clean = child::start(Task::OpenQueue, &folder, count)?;
    let report = told(count, &after_kill, &clean);
    clean.stop()?;
    report
}

/// Puts `count` deferred messages into the spool in `folder`, tells, and waits to be killed.
pub(crate) fn fill(folder: &Path, count: u64) -> Result<(), String> {
    let (spool, driver) = started(folder)?;
    let mut filling = Filling::new(spool);
    for number in 0..count {
        filling.put(number)?;
    }
    filling.finish()?;
    tell(&json!({"messages": count}));
    driver.stop();
    Ok(())
}

type Put = (u64, Result<QueueId, SpoolError>);

struct Filling {
    spool: Spool<FileSystem>,
    message: Vec<u8>,
    start: Timestamp,
    on_the_way: u64,
    ends: (Sender<Put>, Receiver<Put>),
}

impl Filling {
    fn new(spool: Spool<FileSystem>) -> Filling {
        let (message, start) = (content(MESSAGE_OCTETS), clock::time_of_day());
        Filling { spool, message, start, on_the_way: 0, ends: channel() }
    }

    fn put(&mut self, number: u64) -> Result<(), String> {
        let mut draft = self.spool.begin(mail::received(number, self.start));
        draft.append(&self.message).map_err(|error| failed(&error))?;
        let ends = self.ends.0.clone();
        draft.commit(Box::new(move |end| drop(ends.send((number, end.map(|it| it.id()))))));
        self.on_the_way += 1;
        if self.on_the_way < ON_THE_WAY { Ok(()) } else { self.defer_one().map(drop) }
    }

    /// Notes of the next one that was taken that it was greylisted.
    fn defer_one(&mut self) -> Result<(Message, Message), String> {
        let (number, end) = self.ends.1.recv().map_err(|error| failed(&error))?;
        self.on_the_way -= 1;
        let id = end.map_err(|error| failed(&error))?;
        let received = mail::received(number, self.start);
        let was = Message::new(id, received, self.message.len() as u64);
        let due = self.start + FIRST_DUE + Duration::from_millis(number);
        let now = mail::deferred(&was, self.start, due);
        self.spool.update(&was, &now, Durability::Written, Box::new(|_| {}));
        Ok((was, now))
    }

    /// Until all of it is on disk.
    fn finish(&mut self) -> Result<(), String> {
        let mut last = None;
        while self.on_the_way > 0 {
            last = Some(self.defer_one()?);
        }
        let Some((was, now)) = last else { return Ok(()) };
        let (send, receive) = channel();
        let done = Box::new(move |end| drop(send.send(end)));
        self.spool.update(&was, &now, Durability::Synced, done);
        let end = receive.recv().map_err(|error| failed(&error))?;
        end.map_err(|error| failed(&error))
    }
}

fn failed(error: &dyn std::fmt::Display) -> String {
    format!("error: the spool: {error}")
}

/// Opens the spool in `folder` as a start of the server does, and tells what it took.
pub(crate) fn open(folder: &Path) -> Result<(), String> {
    let empty = own_memory();
    let start = clock::now();
    let (spool, driver) = started(folder)?;
    let open_ms = start.elapsed().as_secs_f64() * 1000.0;
    let index = own_lasting_memory().saturating_sub(empty);
    let start = clock::now();
    let mut schedule = schedule(&spool)?;
    let schedule_ms = start.elapsed().as_secs_f64() * 1000.0;
    let all = own_lasting_memory().saturating_sub(empty);
    tell(&json!({
        "messages": spool.stat().messages,
        "open_ms": open_ms,
        "index_octets": index,
        "schedule_ms": schedule_ms,
        "all_octets": all,
        "next_due_p99_ms": next_due(&mut schedule).percentile_ms(99.0),
    }));
    driver.stop();
    Ok(())
}

/// Whose turn it is, from what the spool holds: each message is read, as the dispatcher
/// reads it at a start.
fn schedule(spool: &Spool<FileSystem>) -> Result<Schedule, String> {
    let mut schedule = Schedule::new(Limits { per_destination: 20, ..Limits::default() });
    for id in spool.ids() {
        let message = spool.get(id).map_err(|error| failed(&error))?;
        let Some(due) = message.due() else { continue };
        schedule.insert(id, &mail::domain(&message), due);
    }
    Ok(schedule)
}

/// How long it takes to be given what is due next, and to give it back.
fn next_due(schedule: &mut Schedule) -> Latencies {
    let mut latencies = Latencies::default();
    for _ in 0..ASKED {
        let start = clock::now();
        let Some(due) = schedule.next_due() else { break };
        let leases = schedule.due(due, 1);
        latencies.add(start.elapsed());
        for lease in leases {
            schedule.settle(lease, Some(due + FIRST_DUE));
        }
    }
    latencies
}

fn told(count: u64, after_kill: &serde_json::Value, clean: &Told) -> Result<Report, String> {
    for found in [after_kill, &clean.found] {
        if found["messages"] != count {
            return Err(format!("error: {} of {count} messages are there", found["messages"]));
        }
    }
    let each = |name: &str| clean.figure(name) / count as f64;
    let open_after_kill = after_kill["open_ms"].as_f64().unwrap_or_default();
    let mut table = Table::new(
        format!("{} deferred messages of 4 KiB", figure(count as f64)),
        &["opened after", "spool ms", "schedule ms"],
    );
    let schedule_after_kill = after_kill["schedule_ms"].as_f64().unwrap_or_default();
    table.row(["a kill".into(), figure(open_after_kill), figure(schedule_after_kill)]);
    let (open, schedule) = (clean.figure("open_ms"), clean.figure("schedule_ms"));
    table.row(["a clean stop".into(), figure(open), figure(schedule)]);
    let mut report = Report::default();
    report.tables.push(table);
    let next_due = clean.figure("next_due_p99_ms");
    report.targets.extend([
        Target::at_most("open after a clean stop", 500.0, open, "ms"),
        Target::at_most("open after a kill", 5000.0, open_after_kill, "ms"),
        Target::at_most("a message in the spool's index", 140.0, each("index_octets"), "octets"),
        Target::at_most("a message in index and schedule", 400.0, each("all_octets"), "octets"),
        Target::at_most("next due, p99", 1.0, next_due, "ms"),
    ]);
    report.note(&[
        "Memory is what the process holds more of than before, each time in a new process. The \
         files were in the system's cache. The schedule is filled by reading each message, as \
         the dispatcher does at a start; mail is taken meanwhile.",
    ]);
    report.keep("queue", json!({"after_kill": after_kill, "after_clean_stop": clean.found}));
    Ok(report)
}
