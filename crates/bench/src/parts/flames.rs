//! Where our own time goes under three of the loads: flame graphs, beside the page.

use std::path::Path;

use super::Setup;
use crate::load;
use crate::load::script::{Pipelining, Script};
use crate::load::sink::Sink;
use crate::profile::Profile;
use crate::report::{Report, Table, figure};
use crate::rounds::{closed, with_log};
use crate::servers::{Destination, Kind, Server};

const MESSAGE_OCTETS: usize = 4096;
const SESSIONS: usize = 50;
/// Messages, or refusals, in each connection.
const EACH: u32 = 20;
/// Threads with less of the time are not told of.
const LEAST_SHARE: f64 = 0.01;

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("flames")?;
    let deliver = || Script::deliver(EACH, MESSAGE_OCTETS, Pipelining::Used);
    let mut table = Table::new("Where the time goes", &["load", "threads and their shares"]);
    {
        let server = started(setup, &folder.join("discard"), Destination::Discard)?;
        table.row(drawn("accept", "mail taken", &server, deliver(), setup, &folder)?);
        let refuse = Script::refuse(EACH);
        table.row(drawn("reject", "recipients refused", &server, refuse, setup, &folder)?);
    }
    let sink = Sink::start()?;
    let server = started(setup, &folder.join("relay"), Destination::Relay(sink.address()))?;
    table.row(drawn("relay", "mail taken and handed on", &server, deliver(), setup, &folder)?);
    let mut report = Report::default();
    report.tables.push(table);
    report.note(&[
        "Shares are of the samples that perf took of the server's threads while they ran.",
    ]);
    Ok(report)
}

fn started(setup: &Setup, folder: &Path, destination: Destination) -> Result<Server, String> {
    super::make(folder)?;
    Server::start(Kind::Secondpost, &setup.programs, folder, destination)
}

/// Draws `name.svg`; the row about it.
fn drawn(
    name: &str,
    what: &str,
    server: &Server,
    script: Script,
    setup: &Setup,
    folder: &Path,
) -> Result<[String; 2], String> {
    eprintln!("flames: {what}");
    let profile = Profile::attach(&server.group, folder)?;
    let load = closed(server.address, script, SESSIONS, setup.time());
    load::run(load).map_err(|error| with_log(error, server))?;
    let stacks = profile.finish()?;
    server.group.settle()?;
    stacks.draw(&format!("Secondpost: {what}"), &setup.drawings.join(format!("{name}.svg")))?;
    let shares = stacks.threads().into_iter().filter(|(_, share)| *share >= LEAST_SHARE);
    let shares: Vec<String> =
        shares.map(|(thread, share)| format!("{thread} {} %", figure(share * 100.0))).collect();
    Ok([format!("[{what}](benchmarks/{name}.svg)"), shares.join(", ")])
}
