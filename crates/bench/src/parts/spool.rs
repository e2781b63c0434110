//! Messages appended to the spool, beside the raw disk in the same run: through the crates
//! that the server is made of, as it uses them, without sockets.
//!
//! A writer has one message on its way and begins the next when that one is synced. The
//! spool is in its stride: it has been filled and emptied, and has spare segments.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use queue::spool::{Driver, Durability};
use queue::{Received, Spool, SpoolError};
use serde::Serialize;
use serde_json::json;
use store::FileSystem;

use super::Setup;
use crate::disk::{DeviceWrites, RawDisk, octets_handed_over};
use crate::load::script::content;
use crate::report::{Report, Table, Target, figure};
use crate::statistics::{Sample, ratio};
use crate::{clock, mail};
use hand_over::HandOver;
use writers::Ends;

mod hand_over;
#[cfg(feature = "sqlite")]
mod sqlite;
mod writers;

const MESSAGE_OCTETS: usize = 4096;
/// Writers, and the share of the raw disk that is wanted with them.
const WANTED: [(usize, f64); 4] = [(1, 0.8), (10, 0.8), (50, 0.5), (200, 0.35)];
/// How often as fast as SQLite.
const TIMES_SQLITE: f64 = 2.0;
/// The number of writers that write amplification is judged with, and SQLite: with one
/// writer both wait for the same sync.
const JUDGED_WRITERS: usize = 50;
/// The number of writers that fill the most segments.
const MOST_WRITERS: usize = 200;
/// How many envelopes are made ahead; they are used again.
const MADE_AHEAD: u64 = 1000;
/// How much longer than a run it is warmed up.
const WARM_UP: u32 = 2;

/// What so many writers reached, over the rounds; messages per second.
#[derive(Debug, Serialize)]
struct Appended {
    writers: usize,
    spool: Sample,
    raw_disk: Sample,
    /// Around the system's cache.
    raw_around_cache: Sample,
    /// Through threads that do nothing else.
    hand_over: Sample,
    /// With a transaction for each message.
    sqlite: Sample,
    /// With as many messages in a transaction as there are writers.
    sqlite_batches: Sample,
    /// Octets handed to the system for each octet of a message.
    amplification: Sample,
    /// Octets that the device was given, by everybody, for each octet of a message.
    amplification_device: Sample,
}

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("spool")?;
    let mut bench = Bench::open(&folder)?;
    bench.warm_up(setup.time())?;
    let mut all = WANTED.map(|(writers, _)| Appended::new(writers));
    for round in 1..=setup.rounds {
        for appended in &mut all {
            eprintln!("spool: {} writers, round {round}", appended.writers);
            bench.round(appended, setup)?;
        }
    }
    bench.driver.stop();
    Ok(told(&all))
}

impl Appended {
    fn new(writers: usize) -> Appended {
        Appended {
            writers,
            spool: Sample::default(),
            raw_disk: Sample::default(),
            raw_around_cache: Sample::default(),
            hand_over: Sample::default(),
            sqlite: Sample::default(),
            sqlite_batches: Sample::default(),
            amplification: Sample::default(),
            amplification_device: Sample::default(),
        }
    }

    fn share_of_disk(&self) -> f64 {
        ratio(self.spool.median(), self.raw_disk.median())
    }

    /// A row of a table with [`HEAD`].
    fn row(&self) -> [String; 13] {
        let is_judged = self.writers == JUDGED_WRITERS;
        let sqlite = if is_judged { figure(self.sqlite.median()) } else { String::new() };
        [
            self.writers.to_string(),
            figure(self.spool.median()),
            self.spool.range(),
            figure(self.raw_disk.median()),
            self.raw_disk.range(),
            figure(self.share_of_disk()),
            figure(self.raw_around_cache.median()),
            figure(self.hand_over.median()),
            figure(ratio(self.spool.median(), self.hand_over.median())),
            sqlite,
            figure(self.sqlite_batches.median()),
            figure(self.amplification.median()),
            figure(self.amplification_device.median()),
        ]
    }

    fn targets(&self, wanted_of_disk: f64) -> Vec<Target> {
        let what = match self.writers {
            1 => "spool append, 1 writer".to_owned(),
            writers => format!("spool append, {writers} writers"),
        };
        let share = self.share_of_disk();
        let mut targets = vec![Target::at_least(&what, wanted_of_disk, share, "× raw disk")];
        if cfg!(feature = "sqlite") && self.writers == JUDGED_WRITERS {
            let times = ratio(self.spool.median(), self.sqlite.median());
            targets.push(Target::at_least(&what, TIMES_SQLITE, times, "× SQLite"));
        }
        targets
    }
}

/// Octets that were written so far.
struct Written {
    /// Handed to the system by this process.
    handed: u64,
    /// Given to the device.
    device: u64,
}

impl Written {
    fn so_far(folder: &Path) -> Written {
        let device = DeviceWrites::so_far(folder).unwrap_or_default().octets;
        Written { handed: octets_handed_over(), device }
    }
}

struct Bench {
    folder: PathBuf,
    spool: Spool<FileSystem>,
    driver: Driver<FileSystem>,
    disk: RawDisk,
    disk_around_cache: RawDisk,
    hand_over: HandOver,
    #[cfg(feature = "sqlite")]
    sqlite: sqlite::Yardstick,
    message: Vec<u8>,
    /// What is known of messages, made ahead: to read addresses is not the spool's work.
    received: Vec<Arc<Received>>,
}

impl Bench {
    fn open(folder: &Path) -> Result<Bench, String> {
        let (spool, driver) = started(&folder.join("spool"))?;
        Ok(Bench {
            folder: folder.to_owned(),
            spool,
            driver,
            disk: RawDisk::new(folder, "raw-disk")?,
            disk_around_cache: RawDisk::around_cache(folder, "raw-disk-around-cache")?,
            hand_over: HandOver::new(folder)?,
            #[cfg(feature = "sqlite")]
            sqlite: sqlite::Yardstick::open(folder)?,
            message: content(MESSAGE_OCTETS),
            received: (0..MADE_AHEAD)
                .map(|n| mail::received(n, clock::time_of_day()).into())
                .collect(),
        })
    }

    /// Until there are as many spare segments that were written before as a run fills, as
    /// in a spool that has run for a while. Where there are none, it is slower.
    fn warm_up(&self, time: Duration) -> Result<(), String> {
        self.append(MOST_WRITERS, WARM_UP * time)?;
        self.empty()
    }

    fn round(&mut self, appended: &mut Appended, setup: &Setup) -> Result<(), String> {
        let (writers, time) = (appended.writers, setup.time());
        let raw = self.disk.run(MESSAGE_OCTETS * writers, setup.raw_time())?;
        appended.raw_disk.add(raw.rate * writers as f64);
        let around = self.disk_around_cache.run(MESSAGE_OCTETS * writers, setup.raw_time())?;
        appended.raw_around_cache.add(around.rate * writers as f64);
        let bare = self.hand_over.run(&self.message, writers, setup.raw_time())?;
        appended.hand_over.add(bare);
        let before = Written::so_far(&self.folder);
        appended.spool.add(self.append(writers, time)?);
        let written = Written::so_far(&self.folder);
        let payload = (self.spool.stat().messages * MESSAGE_OCTETS) as f64;
        let (handed, device) = (written.handed - before.handed, written.device - before.device);
        appended.amplification.add(ratio(handed as f64, payload));
        appended.amplification_device.add(ratio(device as f64, payload));
        self.empty()?;
        #[cfg(feature = "sqlite")]
        self.yardstick(appended, setup.raw_time())?;
        Ok(())
    }

    #[cfg(feature = "sqlite")]
    fn yardstick(&mut self, appended: &mut Appended, time: Duration) -> Result<(), String> {
        // Its writers take turns: their number changes nothing.
        if appended.writers == JUDGED_WRITERS {
            appended.sqlite.add(self.sqlite.run(&self.message, 1, time)?);
        }
        appended.sqlite_batches.add(self.sqlite.run(&self.message, appended.writers, time)?);
        Ok(())
    }

    /// Appends for a time; messages per second.
    fn append(&self, writers: usize, time: Duration) -> Result<f64, String> {
        let (spool, message, received) = (&self.spool, &self.message, &self.received);
        let number = AtomicUsize::new(0);
        writers::run(writers, time, &|ends: &Ends| {
            let received = &received[number.fetch_add(1, Ordering::Relaxed) % received.len()];
            begin(spool, message, Arc::clone(received), ends.clone())
        })
    }

    /// Takes every message out and waits until upkeep has nothing more to free.
    fn empty(&self) -> Result<(), String> {
        for id in self.spool.ids() {
            self.spool.remove(id, Durability::Written, Box::new(|_| {}));
        }
        let mut before = self.spool.stat();
        loop {
            std::thread::sleep(Duration::from_millis(600));
            let stat = self.spool.stat();
            if stat == before {
                return Ok(());
            }
            before = stat;
        }
    }
}

/// A message into the spool; word of its end.
fn begin(
    spool: &Spool<FileSystem>,
    message: &[u8],
    received: Arc<Received>,
    ends: Ends,
) -> Result<(), String> {
    let failed = |error: SpoolError| format!("error: the spool: {error}");
    let mut draft = spool.begin(received);
    draft.append(message).map_err(failed)?;
    let end = move |end: Result<_, SpoolError>| drop(ends.send(end.map(drop).map_err(failed)));
    if let Some(lead) = draft.commit_to_lead(Box::new(end)) {
        lead.write();
    }
    Ok(())
}

/// A spool with its threads, as the server has it.
pub(super) fn started(folder: &Path) -> Result<(Spool<FileSystem>, Driver<FileSystem>), String> {
    let failed = |error: &dyn std::fmt::Display| format!("error: {}: {error}", folder.display());
    let disk = FileSystem::new(folder).map_err(|error| failed(&error))?;
    let (spool, writer, _) = Spool::open(disk).map_err(|error| failed(&error))?;
    let driver = spool.start(writer, || {}).map_err(|error| failed(&error))?;
    Ok((spool, driver))
}

fn told(all: &[Appended]) -> Report {
    let mut report = Report::default();
    report.tables.push(table(all));
    for (appended, (_, wanted)) in all.iter().zip(WANTED) {
        report.targets.extend(appended.targets(wanted));
    }
    let judged = all.iter().find(|appended| appended.writers == JUDGED_WRITERS);
    let amplification = judged.map_or(0.0, |appended| appended.amplification_device.median());
    let what = "octets on the device for an octet of a message, 50 writers";
    report.targets.push(Target::at_most(what, 1.25, amplification, ""));
    report.note(NOTES);
    report.keep("spool", json!(all));
    report
}

const HEAD: [&str; 13] = [
    "writers",
    "spool",
    "from–to",
    "raw disk",
    "from–to",
    "of raw disk",
    "raw, around the cache",
    "bare hand-over",
    "of bare hand-over",
    "SQLite",
    "SQLite, in batches",
    "octets written / payload",
    "octets on the device / payload",
];

fn table(all: &[Appended]) -> Table {
    let mut table = Table::new("4 KiB appended and synced, messages per second", &HEAD);
    all.iter().for_each(|appended| table.row(appended.row()));
    table
}

const NOTES: &[&str] = &[
    "Octets written are what the spool hands to the system, spare segments that it makes \
     meanwhile included; octets on the device are what the disk was given, by whomever.",
    "Raw disk: batches of as many messages as there are writers, each a write and an fdatasync; \
     around the cache: the same with `O_DIRECT`, as the spool writes.",
    "Bare hand-over: the same writers, and a thread that knows how many they are, waits awake \
     until each has handed its message in, writes (around the cache) and syncs them, and sends \
     word to each; without records, checksums, index or limits. What is missing from it to the raw disk is \
     the threads' waiting for each other.",
    "SQLite: one connection, write-ahead log, `synchronous=FULL`. A transaction for each message \
     is what sessions around it come to, whatever their number, and is measured once; in \
     batches there are as many messages in a transaction as there are writers, as with a group \
     commit built around it.",
];
