//! Rounds over the servers, one after the other and again, and what each of them showed.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::disk::DeviceWrites;
use crate::load::script::Script;
use crate::load::{self, End, Load, Measured, Pace};
use crate::report::{Table, figure};
use crate::servers::{Kind, Server};
use crate::statistics::{Sample, ratio};

/// A server under one load, over the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Series {
    pub(crate) server: &'static str,
    /// What counts, per second.
    pub(crate) per_second: Sample,
    pub(crate) p50_ms: Sample,
    pub(crate) p99_ms: Sample,
    /// Processor time of the server for 1,000 of what counts, with all that it did later.
    pub(crate) cpu_ms_per_1000: Sample,
    /// Writes that the device completed, for one of what counts.
    pub(crate) disk_writes: Sample,
    /// KiB in them.
    pub(crate) disk_kib: Sample,
    /// What the load took of one core.
    pub(crate) own_share: Sample,
    /// How long the server still worked when the load was over.
    pub(crate) settled_ms: Sample,
}

impl Series {
    pub(crate) fn new(kind: Kind) -> Series {
        Series {
            server: kind.name(),
            per_second: Sample::default(),
            p50_ms: Sample::default(),
            p99_ms: Sample::default(),
            cpu_ms_per_1000: Sample::default(),
            disk_writes: Sample::default(),
            disk_kib: Sample::default(),
            own_share: Sample::default(),
            settled_ms: Sample::default(),
        }
    }

    pub(crate) const HEAD: [&str; 9] = [
        "server",
        "per second",
        "from–to",
        "p50 ms",
        "p99 ms",
        "CPU ms / 1,000",
        "disk writes each",
        "KiB written each",
        "load's share of a core",
    ];

    /// A row of a table with [`Series::HEAD`].
    pub(crate) fn row(&self) -> Vec<String> {
        vec![
            self.server.to_owned(),
            figure(self.per_second.median()),
            self.per_second.range(),
            figure(self.p50_ms.median()),
            figure(self.p99_ms.median()),
            figure(self.cpu_ms_per_1000.median()),
            figure(self.disk_writes.median()),
            figure(self.disk_kib.median()),
            figure(self.own_share.median()),
        ]
    }

    /// One more round. The server has come to rest when it ends.
    ///
    /// # Errors
    /// Where the load fails or the server does not come to rest.
    pub(crate) fn round(&mut self, server: &Server, load: Load, disk: &Path) -> Result<(), String> {
        let (cpu, writes) = (server.group.cpu(), DeviceWrites::so_far(disk));
        let measured = load::run(load).map_err(|error| with_log(error, server))?;
        self.settled_ms.add(server.group.settle()?.as_secs_f64() * 1000.0);
        let cpu = server.group.cpu().saturating_sub(cpu);
        let writes = writes.zip(DeviceWrites::so_far(disk)).map(|(was, is)| is.since(was));
        self.add(measured, cpu, writes);
        Ok(())
    }

    fn add(&mut self, mut measured: Measured, cpu: Duration, writes: Option<DeviceWrites>) {
        let total = measured.total as f64;
        self.per_second.add(measured.rate());
        self.p50_ms.add(measured.latencies.percentile_ms(50.0));
        self.p99_ms.add(measured.latencies.percentile_ms(99.0));
        self.cpu_ms_per_1000.add(ratio(cpu.as_secs_f64() * 1e6, total));
        if let Some(DeviceWrites { writes, octets }) = writes {
            self.disk_writes.add(ratio(writes as f64, total));
            self.disk_kib.add(ratio(octets as f64 / 1024.0, total));
        }
        self.own_share.add(measured.own_share);
    }
}

/// One load for all servers, all rounds, the servers in turn.
///
/// # Errors
/// As [`Series::round`].
pub(crate) fn compare(
    part: &str,
    rounds: usize,
    servers: &[Server],
    folder: &Path,
    load: impl Fn(&Server) -> Load,
) -> Result<Vec<Series>, String> {
    let mut all: Vec<Series> = servers.iter().map(|server| Series::new(server.kind)).collect();
    for round in 1..=rounds {
        eprintln!("{part}: round {round}");
        for (series, server) in all.iter_mut().zip(servers) {
            series.round(server, load(server), folder)?;
        }
    }
    Ok(all)
}

/// An error of a load, and what the server says of it.
pub(crate) fn with_log(error: String, server: &Server) -> String {
    format!("{error}\n{} logged:\n{}", server.kind.name(), server.log())
}

/// A table of what the servers showed.
pub(crate) fn table(title: &str, all: &[Series]) -> Table {
    let mut table = Table::new(title, &Series::HEAD);
    all.iter().for_each(|series| table.row(series.row()));
    table
}

/// How often the median of one is that of the other.
pub(crate) fn times(one: &Series, other: &Series) -> f64 {
    ratio(one.per_second.median(), other.per_second.median())
}

/// A closed loop.
pub(crate) fn closed(address: SocketAddr, script: Script, sessions: usize, time: Duration) -> Load {
    Load { address, script, sessions, end: End::After(time), pace: Pace::Closed }
}
