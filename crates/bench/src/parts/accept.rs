//! Mail taken durably: 250 means that it is on disk. Behind the 250 each server throws the
//! message away at the end of its queue.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Setup;
use crate::disk::{Batch, RawDisk};
use crate::load::script::{Pipelining, Script};
use crate::load::sink::Sink;
use crate::load::{self, End, Load, Pace};
use crate::report::{Report, Table, Target, figure};
use crate::rounds::{Series, closed, times, with_log};
use crate::servers::{Destination, Kind, Server};
use crate::statistics::{Sample, ratio};
use crate::system_calls::{SYNCS, Tracer, WRITES};

/// One load that all servers get.
struct Scenario {
    name: &'static str,
    octets: usize,
    sessions: usize,
    /// In each connection.
    messages: u32,
    pipelining: Pipelining,
    servers: &'static [Kind],
    /// How often as fast as whom.
    wanted: &'static [(Kind, f64)],
    /// What share of the raw disk.
    wanted_of_disk: Option<f64>,
}

const KIB: usize = 1024;
const ALL: &[Kind] = &[Kind::Secondpost, Kind::Postfix, Kind::Exim, Kind::SmtpSink];
const BOTH: &[Kind] = &[Kind::Secondpost, Kind::Postfix];

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "4 KiB, 50 sessions × 20 messages",
        octets: 4 * KIB,
        sessions: 50,
        messages: 20,
        pipelining: Pipelining::Used,
        servers: ALL,
        wanted: &[(Kind::Postfix, 10.0), (Kind::Exim, 7.0)],
        wanted_of_disk: None,
    },
    Scenario {
        name: "4 KiB, 1 message a connection, 50 sessions",
        octets: 4 * KIB,
        sessions: 50,
        messages: 1,
        pipelining: Pipelining::Used,
        servers: BOTH,
        wanted: &[(Kind::Postfix, 5.0)],
        wanted_of_disk: None,
    },
    Scenario {
        name: "4 KiB, 1 message a connection, 200 sessions",
        octets: 4 * KIB,
        sessions: 200,
        messages: 1,
        pipelining: Pipelining::Used,
        servers: BOTH,
        wanted: &[(Kind::Postfix, 5.0)],
        wanted_of_disk: None,
    },
    Scenario {
        name: "4 KiB, 1 session × 20 messages, a round trip for each command",
        octets: 4 * KIB,
        sessions: 1,
        messages: 20,
        pipelining: Pipelining::Unused,
        servers: BOTH,
        wanted: &[(Kind::Postfix, 3.0)],
        wanted_of_disk: Some(0.5),
    },
    Scenario {
        name: "50 KiB, 50 sessions × 20 messages",
        octets: 50 * KIB,
        sessions: 50,
        messages: 20,
        pipelining: Pipelining::Used,
        servers: BOTH,
        wanted: &[(Kind::Postfix, 4.0)],
        wanted_of_disk: None,
    },
];

impl Scenario {
    fn load(&self, address: SocketAddr, setup: &Setup) -> Load {
        let script = Script::deliver(self.messages, self.octets, self.pipelining);
        closed(address, script, self.sessions, setup.time())
    }
}

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("accept")?;
    let servers = super::start(ALL, setup, &folder, Destination::Discard)?;
    let bare = bare_server(&folder)?;
    let disk = RawDisk::new(&folder, "raw-disk")?;
    let mut bench = Bench { setup, servers, bare, disk, folder };
    let mut report = Report::default();
    let (mut capacity, mut noise) = (0.0, Sample::default());
    for scenario in SCENARIOS {
        let found = bench.measure(scenario)?;
        capacity = f64::max(capacity, found.of(Kind::Secondpost).per_second.median());
        noise.add(found.raw_disk.noise() * 100.0);
        found.tell(scenario, &mut report);
    }
    bench.below_saturation(capacity * SHARE_OF_CAPACITY)?.tell(&mut report);
    bench.cost(&mut report)?;
    report.note(&[&format!(
        "Noise: the rounds of the raw disk lie {} to {} % of their median apart.",
        figure(noise.min()),
        figure(noise.max())
    )]);
    report.note(NOTES);
    Ok(report)
}

const NOTES: &[&str] = &[
    "Raw disk: batches of as many messages as there are sessions, one write and one \
     fdatasync each; what a server could reach whose every sync carried a message of each \
     session.",
    "smtp-sink keeps nothing: what load and loopback come to without a decision or a write. \
     All others sync each message before its 250.",
    "The bare server says what is expected of it, and writes (around the system's cache, as \
     Secondpost does) and syncs each message, all on one thread of the load's own process: a \
     second session would wait for the first one's disk. It parses, decides, logs and delivers \
     nothing. What is missing from it to the raw disk are the round trips.",
    "CPU, writes and KiB are those until the server has come to rest: with the delivery to \
     nowhere. Writes and KiB are the device's, with what anybody else wrote meanwhile.",
];

/// A server that does nothing but the dialog and the write, all on one thread.
fn bare_server(folder: &Path) -> Result<Sink, String> {
    let message = Batch::of(MESSAGE_OCTETS);
    let mut disk = RawDisk::around_cache(folder, "bare")?;
    Sink::keeping(Box::new(move || disk.write(&message)))
}

struct Bench<'a> {
    setup: &'a Setup,
    servers: Vec<Server>,
    bare: Sink,
    disk: RawDisk,
    folder: PathBuf,
}

impl Bench<'_> {
    fn server(&self, kind: Kind) -> Result<&Server, String> {
        let found = self.servers.iter().find(|server| server.kind == kind);
        found.ok_or_else(|| format!("error: {} does not run", kind.name()))
    }

    /// One scenario, all rounds.
    fn measure(&mut self, scenario: &Scenario) -> Result<Found, String> {
        let mut found = Found::new(scenario);
        for round in 1..=self.setup.rounds {
            eprintln!("accept: {}, round {round}", scenario.name);
            let batch = scenario.octets * scenario.sessions;
            let raw = self.disk.run(batch, self.setup.raw_time())?;
            found.raw_disk.add(raw.rate * scenario.sessions as f64);
            for series in &mut found.series {
                let server = self.servers.iter().find(|server| server.kind.name() == series.server);
                let Some(server) = server else { continue };
                if server.kind == Kind::SmtpSink && round > self.setup.few_rounds() {
                    continue;
                }
                let load = scenario.load(server.address, self.setup);
                series.round(server, load, &self.folder)?;
            }
            if let Some(bare) = &mut found.bare {
                let load = scenario.load(self.bare.address(), self.setup);
                bare.add(load::run(load)?.rate());
            }
        }
        Ok(found)
    }

    /// Our latency at a pace that leaves room.
    fn below_saturation(&mut self, per_second: f64) -> Result<Latency, String> {
        let mut latency = Latency { per_second, ..Latency::default() };
        for round in 1..=self.setup.rounds {
            eprintln!("accept: latency at {} a second, round {round}", figure(per_second));
            let mut raw = self.disk.run(MESSAGE_OCTETS, self.setup.raw_time())?;
            let server = self.server(Kind::Secondpost)?;
            let script = Script::deliver(u32::MAX, MESSAGE_OCTETS, Pipelining::Used);
            let load = closed(server.address, script, LATENCY_SESSIONS, self.setup.time());
            let load = Load { pace: Pace::Open(per_second), ..load };
            let mut measured = load::run(load).map_err(|error| with_log(error, server))?;
            server.group.settle()?;
            latency.p50_ms.add(measured.latencies.percentile_ms(50.0));
            latency.p99_ms.add(measured.latencies.percentile_ms(99.0));
            latency.raw_p50_ms.add(raw.latencies.percentile_ms(50.0));
            latency.raw_p99_ms.add(raw.latencies.percentile_ms(99.0));
        }
        Ok(latency)
    }

    /// System calls for a message, in runs of their own: tracing slows what it traces.
    fn cost(&self, report: &mut Report) -> Result<(), String> {
        let mut table = Table::new(
            "System calls for a message (4 KiB, 50 sessions × 20 messages)",
            &["server", "all", "write and its kin", "sync and its kin"],
        );
        let mut raw = Vec::new();
        for kind in BOTH {
            let server = self.server(*kind)?;
            eprintln!("accept: system calls of {}", kind.name());
            let tracer = Tracer::attach(&server.group, &self.folder)?;
            let load = SCENARIOS[0].load(server.address, self.setup);
            let measured = load::run(Load { end: End::Counted(TRACED_MESSAGES), ..load });
            let measured = measured.map_err(|error| with_log(error, server))?;
            server.group.settle()?;
            let calls = tracer.finish()?;
            let each = |count: u64| figure(ratio(count as f64, measured.total as f64));
            table.row([
                kind.name().to_owned(),
                each(calls.all()),
                each(calls.named(WRITES)),
                each(calls.named(SYNCS)),
            ]);
            raw.push(json!({"server": kind.name(), "messages": measured.total, "calls": calls}));
        }
        report.tables.push(table);
        report.keep("system_calls", json!(raw));
        Ok(())
    }
}

const MESSAGE_OCTETS: usize = 4 * KIB;
/// Messages that are taken while system calls are counted.
const TRACED_MESSAGES: u64 = 1000;
const LATENCY_SESSIONS: usize = 200;
/// The pace at which latency is measured, of what was reached at the most.
const SHARE_OF_CAPACITY: f64 = 0.3;

/// What a scenario showed.
struct Found {
    series: Vec<Series>,
    /// Messages a second.
    raw_disk: Sample,
    /// Of a server that does nothing but the dialog and the write, where a share of the raw
    /// disk is wanted.
    bare: Option<Sample>,
}

impl Found {
    fn new(scenario: &Scenario) -> Found {
        let series = scenario.servers.iter().map(|kind| Series::new(*kind)).collect();
        let bare = scenario.wanted_of_disk.map(|_| Sample::default());
        Found { series, raw_disk: Sample::default(), bare }
    }

    fn of(&self, kind: Kind) -> &Series {
        let found = self.series.iter().find(|series| series.server == kind.name());
        found.expect("every scenario has a series for each of its servers")
    }

    fn tell(&self, scenario: &Scenario, report: &mut Report) {
        let mut table = Table::new(scenario.name, &Series::HEAD);
        self.series.iter().for_each(|series| table.row(series.row()));
        table.row(rate_row("raw disk", &self.raw_disk));
        self.bare.iter().for_each(|rates| table.row(rate_row("bare server", rates)));
        report.tables.push(table);
        let ours = self.of(Kind::Secondpost);
        if let Some(bare) = &self.bare {
            let of_disk = ratio(bare.median(), self.raw_disk.median());
            let of_bare = ratio(ours.per_second.median(), bare.median());
            report.note(&[&format!(
                "The bare server reaches {} of the raw disk, and Secondpost {} of the bare server.",
                figure(of_disk),
                figure(of_bare)
            )]);
        }
        for (peer, wanted) in scenario.wanted {
            let unit = format!("× {}", peer.name());
            let target =
                Target::at_least(scenario.name, *wanted, times(ours, self.of(*peer)), &unit);
            report.targets.push(target);
        }
        if let Some(wanted) = scenario.wanted_of_disk {
            let share = ratio(ours.per_second.median(), self.raw_disk.median());
            report.targets.push(Target::at_least(scenario.name, wanted, share, "× raw disk"));
        }
        let raw = json!({"servers": self.series, "raw_disk": self.raw_disk, "bare": self.bare});
        report.keep(scenario.name, raw);
    }
}

fn rate_row(name: &str, rates: &Sample) -> Vec<String> {
    let mut row = vec![name.to_owned(), figure(rates.median()), rates.range()];
    row.resize(Series::HEAD.len(), String::new());
    row
}

/// What the latency was.
#[derive(Default)]
struct Latency {
    per_second: f64,
    p50_ms: Sample,
    p99_ms: Sample,
    raw_p50_ms: Sample,
    raw_p99_ms: Sample,
}

impl Latency {
    fn tell(&self, report: &mut Report) {
        let Latency { per_second, p50_ms, p99_ms, raw_p50_ms, raw_p99_ms } = self;
        let title = format!(
            "Latency of the final dot, {LATENCY_SESSIONS} sessions, {} messages a second",
            figure(*per_second)
        );
        let mut table = Table::new(title, &["", "p50 ms", "p99 ms", "p99 ms, from–to"]);
        for (name, p50, p99) in
            [("Secondpost", p50_ms, p99_ms), ("write and sync of 4 KiB", raw_p50_ms, raw_p99_ms)]
        {
            table.row([name.to_owned(), figure(p50.median()), figure(p99.median()), p99.range()]);
        }
        report.tables.push(table);
        let above = p99_ms.median() - raw_p99_ms.median();
        let what = "p99 of the final dot above the disk's own p99";
        report.targets.push(Target::at_most(what, 10.0, above, "ms"));
        let raw = json!({
            "per_second": per_second, "p50_ms": p50_ms, "p99_ms": p99_ms,
            "raw_p50_ms": raw_p50_ms, "raw_p99_ms": raw_p99_ms,
        });
        report.keep("latency", raw);
    }
}
