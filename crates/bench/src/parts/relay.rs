//! Mail taken and handed on: from the first connection of the load until the last message
//! has arrived at a sink.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use super::Setup;
use crate::clock;
use crate::load;
use crate::load::script::{Pipelining, Script};
use crate::load::sink::Sink;
use crate::report::{Report, Table, Target, figure};
use crate::rounds::{closed, with_log};
use crate::servers::{Destination, Kind, Server};
use crate::statistics::{Sample, per_second, ratio};

const SERVERS: &[Kind] = &[Kind::Secondpost, Kind::Postfix];
const MESSAGE_OCTETS: usize = 4096;
const SESSIONS: usize = 50;
const MESSAGES: u32 = 20;
/// How long what was accepted may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);
const TITLE: &str = "Relay end to end, 4 KiB, 50 sessions × 20 messages, accepted → sink";

/// A server over the rounds.
#[derive(Debug, Serialize)]
struct Relayed {
    server: &'static str,
    /// Accepted per second while the load lasted.
    accepted: Sample,
    /// Arrived per second, from the beginning of the load to the last arrival.
    arrived: Sample,
    cpu_ms_per_1000: Sample,
}

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("relay")?;
    let sink = Sink::start()?;
    let servers = super::start(SERVERS, setup, &folder, Destination::Relay(sink.address()))?;
    let mut all: Vec<Relayed> = servers.iter().map(|server| Relayed::new(server.kind)).collect();
    for round in 1..=setup.rounds {
        eprintln!("relay: round {round}");
        for (relayed, server) in all.iter_mut().zip(&servers) {
            relayed.round(server, &sink, setup)?;
        }
    }
    Ok(told(&all))
}

impl Relayed {
    fn new(kind: Kind) -> Relayed {
        let (accepted, arrived) = (Sample::default(), Sample::default());
        Relayed { server: kind.name(), accepted, arrived, cpu_ms_per_1000: Sample::default() }
    }

    fn round(&mut self, server: &Server, sink: &Sink, setup: &Setup) -> Result<(), String> {
        let (start, cpu, before) = (clock::now(), server.group.cpu(), sink.arrived().0);
        let script = Script::deliver(MESSAGES, MESSAGE_OCTETS, Pipelining::Used);
        let measured = load::run(closed(server.address, script, SESSIONS, setup.time()));
        let measured = measured.map_err(|error| with_log(error, server))?;
        let last =
            arrival_of(sink, before + measured.total).map_err(|error| with_log(error, server))?;
        server.group.settle()?;
        let arrived = sink.arrived().0 - before;
        if arrived != measured.total {
            return Err(format!("error: {arrived} of {} messages arrived", measured.total));
        }
        let cpu = server.group.cpu().saturating_sub(cpu);
        self.accepted.add(measured.rate());
        self.arrived.add(per_second(arrived, last - start));
        self.cpu_ms_per_1000.add(ratio(cpu.as_secs_f64() * 1e6, arrived as f64));
        Ok(())
    }
}

/// Waits until the sink has so many messages; when the last one came.
fn arrival_of(sink: &Sink, wanted: u64) -> Result<Instant, String> {
    let start = clock::now();
    loop {
        let (count, last) = sink.arrived();
        if count >= wanted {
            return Ok(last);
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("error: {} messages never arrive", wanted - count));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn told(all: &[Relayed]) -> Report {
    let head = ["server", "arrived per second", "from–to", "accepted per second", "CPU ms / 1,000"];
    let mut table = Table::new(TITLE, &head);
    for Relayed { server, accepted, arrived, cpu_ms_per_1000 } in all {
        table.row([
            (*server).to_owned(),
            figure(arrived.median()),
            arrived.range(),
            figure(accepted.median()),
            figure(cpu_ms_per_1000.median()),
        ]);
    }
    let mut report = Report::default();
    report.tables.push(table);
    if let [ours, postfix] = all {
        let times = ratio(ours.arrived.median(), postfix.arrived.median());
        report.targets.push(Target::at_least(TITLE, 6.0, times, "× Postfix"));
    }
    report.keep("relay", json!(all));
    report
}
