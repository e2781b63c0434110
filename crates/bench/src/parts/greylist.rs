//! Greylist decisions with a million entries, within this process as the server makes
//! them: over the table that is kept on disk and flushed each second. postgrey is asked in
//! the same run, over its socket.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use policy::Greylist;
use policy::greylist::{Attempt, Options, Outcome};
use reply::Timestamp;
use serde_json::json;
use store::{FileSystem, LoggedTable};

use super::Setup;
use crate::child::{self, Task, tell};
use crate::clock;
use crate::group::{own_lasting_memory, own_memory};
use crate::report::{Report, Table, Target, figure};
use crate::servers::postgrey::Postgrey;
use crate::statistics::{Sample, per_second, ratio};

type FileTable = LoggedTable<FileSystem>;

/// As the server does it.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// An odd number that has no factor in common with a million: a walk over all entries in
/// an order that no cache likes.
const STRIDE: u64 = 387_420_489;

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("greylist")?;
    let count = if setup.quick { 20_000 } else { 1_000_000 };
    let mut postgrey = Postgrey::start(&folder)?;
    let (mut asked, mut postgrey_cpu) = (0, Sample::default());
    let mut rates = Rates::default();
    for round in 1..=setup.few_rounds() {
        eprintln!("greylist: round {round}");
        let ours = child::start(Task::Greylist, &folder.join(format!("round-{round}")), count)?;
        rates.first.add(ours.figure("first_per_second"));
        rates.again.add(ours.figure("again_per_second"));
        rates.white.add(ours.figure("white_per_second"));
        rates.octets.add(ours.figure("octets") / count as f64);
        ours.stop()?;
        let (start, cpu, before) = (clock::now(), postgrey.group.cpu(), asked);
        while start.elapsed() < setup.time() {
            postgrey.ask(asked)?;
            asked += 1;
        }
        rates.postgrey.add(per_second(asked - before, start.elapsed()));
        let cpu = postgrey.group.cpu().saturating_sub(cpu);
        postgrey_cpu.add(ratio(cpu.as_secs_f64() * 1e6, (asked - before) as f64));
    }
    Ok(told(count, &rates, &postgrey_cpu))
}

/// Decisions per second of one core, and octets of an entry.
#[derive(Debug, Default, serde::Serialize)]
struct Rates {
    first: Sample,
    again: Sample,
    white: Sample,
    octets: Sample,
    postgrey: Sample,
}

/// Fills a greylist with `count` entries and asks it about them again, and tells.
pub(crate) fn measure(folder: &Path, count: u64) -> Result<(), String> {
    let now = clock::time_of_day();
    let disk = FileSystem::new(folder).map_err(|error| format!("error: {error}"))?;
    let opened = FileTable::open(disk, "greylist", now.as_millis());
    let (table, _) = opened.map_err(|error| format!("error: the greylist: {error}"))?;
    let table = Arc::new(table);
    let flushing = Flushing::start(Arc::clone(&table), now);
    let greylist = Greylist::new(Options::default(), table.clone());
    let empty = own_memory();
    let first = timed(count, |number| waits(&greylist, number, now))?;
    // What waits to be written is gone with each second's flush, and no entry's.
    table.flush(now.as_millis()).map_err(|error| format!("error: the greylist: {error}"))?;
    let octets = own_lasting_memory().saturating_sub(empty);
    let again = timed(count, |number| waits(&greylist, number * STRIDE % count, now))?;
    // A few clients come back in time, and from then on pass.
    let later = now + Options::default().window;
    let clients = count / 100;
    for number in 0..clients {
        passes(&greylist, number, later)?;
    }
    let white = timed(count, |number| passes(&greylist, number * STRIDE % clients, later))?;
    flushing.stop();
    if greylist.store_errors() > 0 {
        return Err("error: the greylist's table failed".into());
    }
    tell(&json!({
        "entries": count,
        "octets": octets,
        "first_per_second": first,
        "again_per_second": again,
        "white_per_second": white,
    }));
    Ok(())
}

/// How many a second one core does: counted by the time of all threads on the processors.
fn timed(count: u64, each: impl Fn(u64) -> Result<(), String>) -> Result<f64, String> {
    let cpu = clock::own_cpu();
    for number in 0..count {
        each(number)?;
    }
    Ok(per_second(count, clock::own_cpu() - cpu))
}

fn ask(greylist: &Greylist, number: u64, now: Timestamp) -> Outcome {
    // A network each: what is kept of an address is its /24.
    let [_, _, _, _, _, a, b, c] = number.to_be_bytes();
    let client = IpAddr::from([10 + a, b, c, 1]);
    let (sender, recipient) = (format!("s{number}@client.test"), "recipient@bench.test");
    greylist.check(&Attempt { client, sender: &sender, recipient }, now)
}

fn waits(greylist: &Greylist, number: u64, now: Timestamp) -> Result<(), String> {
    match ask(greylist, number, now) {
        Outcome::Wait { .. } => Ok(()),
        other => Err(format!("error: attempt {number} is not told to wait: {other:?}")),
    }
}

fn passes(greylist: &Greylist, number: u64, now: Timestamp) -> Result<(), String> {
    match ask(greylist, number, now) {
        Outcome::Pass(_) => Ok(()),
        other => Err(format!("error: attempt {number} does not pass: {other:?}")),
    }
}

/// A thread that flushes the table each second, as the server's does.
struct Flushing {
    ends: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Flushing {
    fn start(table: Arc<FileTable>, now: Timestamp) -> Flushing {
        let ends = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                thread::park_timeout(FLUSH_EVERY);
                if let Err(error) = table.flush(now.as_millis()) {
                    eprintln!("error: the greylist's table: {error}");
                }
                memory::give_back();
            }
        });
        Flushing { ends, thread }
    }

    fn stop(self) {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        // A thread that panicked has said so.
        let _ = self.thread.join();
    }
}

fn told(count: u64, rates: &Rates, postgrey_cpu: &Sample) -> Report {
    let entries = figure(count as f64);
    let mut table = Table::new(
        format!("Greylist decisions per second, {entries} entries"),
        &["", "per second", "from–to"],
    );
    for (name, sample) in [
        ("Secondpost, first attempts, while it fills (a core)", &rates.first),
        ("Secondpost, early retries (a core)", &rates.again),
        ("Secondpost, known clients (a core)", &rates.white),
        ("postgrey, first attempts, over its socket", &rates.postgrey),
    ] {
        table.row([name.to_owned(), figure(sample.median()), sample.range()]);
    }
    let mut report = Report::default();
    report.tables.push(table);
    let slowest = rates.first.median().min(rates.again.median()).min(rates.white.median());
    report.targets.extend([
        Target::at_least("the slowest kind of decision", 200_000.0, slowest, "a second and core"),
        Target::at_most("an entry in memory", 64.0, rates.octets.median(), "octets"),
    ]);
    report.note(&[&format!(
        "Ours are counted by processor time, with the flush to disk of each second; postgrey \
         by the clock, with its socket, from an empty database on; it used {} ms of processor \
         time for 1,000 decisions.",
        figure(postgrey_cpu.median())
    )]);
    report.keep("greylist", json!({"rates": rates, "postgrey_cpu_ms_per_1000": postgrey_cpu}));
    report
}
