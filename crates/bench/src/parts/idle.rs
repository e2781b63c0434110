//! Sessions that are held and say nothing: what each costs in memory, and whether new mail
//! is taken meanwhile as if they were not there.

use serde_json::json;

use super::Setup;
use crate::load::script::Script;
use crate::load::{self, End, Held, Load, Pace};
use crate::report::{NOTHING, Report, Table, Target, figure};
use crate::rounds::with_log;
use crate::servers::{Destination, Kind, Server};
use crate::statistics::{Latencies, Sample, ratio};

const MESSAGE_OCTETS: usize = 4096;
/// New connections at once, one message each.
const SESSIONS: usize = 10;
/// Sessions that Postfix holds to be compared with: it has a process for each.
const POSTFIX_SESSIONS: usize = 200;

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("idle")?;
    let sessions = if setup.quick { 500 } else { 10_000 };
    let kinds = [Kind::Secondpost, Kind::Postfix];
    let servers = super::start(&kinds, setup, &folder, Destination::Discard)?;
    let [ours, postfix] = servers.as_slice() else { return Ok(Report::default()) };
    let mut alone = new_mail(ours, setup)?;
    let (mut held, kib) = hold(ours, sessions)?;
    let mut meanwhile = Sample::default();
    for round in 1..=setup.rounds {
        eprintln!("idle: new mail beside {sessions} sessions, round {round}");
        meanwhile.add(new_mail(ours, setup)?.percentile_ms(99.0));
    }
    held.check().map_err(|error| with_log(error, ours))?;
    drop(held);
    let (_, postfix_kib) = hold(postfix, POSTFIX_SESSIONS)?;
    let found = Found { sessions, kib, postfix_kib, alone: alone.percentile_ms(99.0), meanwhile };
    Ok(found.told())
}

/// How long new connections take, from their beginning to the 250 of their message.
fn new_mail(server: &Server, setup: &Setup) -> Result<Latencies, String> {
    let (script, end) = (Script::deliver_anew(MESSAGE_OCTETS), End::After(setup.time()));
    let (address, sessions) = (server.address, SESSIONS);
    let measured = load::run(Load { address, script, sessions, end, pace: Pace::Closed });
    let measured = measured.map_err(|error| with_log(error, server))?;
    server.group.settle()?;
    Ok(measured.latencies)
}

/// Opens sessions and keeps them; and KiB in memory for each.
fn hold(server: &Server, sessions: usize) -> Result<(Held, f64), String> {
    let empty = server.group.memory();
    let held = load::hold(server.address, sessions).map_err(|error| with_log(error, server))?;
    server.group.settle()?;
    let octets = server.group.memory().saturating_sub(empty);
    Ok((held, ratio(octets as f64 / 1024.0, sessions as f64)))
}

/// What was found; KiB are for each session.
struct Found {
    sessions: usize,
    kib: f64,
    postfix_kib: f64,
    /// p99 of new mail without held sessions.
    alone: f64,
    /// The same beside them.
    meanwhile: Sample,
}

impl Found {
    fn told(&self) -> Report {
        let Found { sessions, kib, postfix_kib, alone, meanwhile } = self;
        let mut table = Table::new(
            "Sessions held after EHLO",
            &["server", "sessions", "KiB each", "new mail p99 ms", "from–to", "with none held"],
        );
        table.row([
            Kind::Secondpost.name().to_owned(),
            figure(*sessions as f64),
            figure(*kib),
            figure(meanwhile.median()),
            meanwhile.range(),
            figure(*alone),
        ]);
        let (name, sessions) = (Kind::Postfix.name().to_owned(), POSTFIX_SESSIONS.to_string());
        table.row([name, sessions, figure(*postfix_kib), NOTHING, NOTHING, NOTHING]);
        let mut report = Report::default();
        report.tables.push(table);
        report.targets.extend([
            Target::at_most("memory of an idle session", 16.0, *kib, "KiB"),
            Target::at_most("new mail meanwhile, p99", 100.0, meanwhile.median(), "ms"),
        ]);
        report.note(NOTES);
        report.keep("idle", self.raw());
        report
    }

    fn raw(&self) -> serde_json::Value {
        json!({
            "sessions": self.sessions,
            "kib_each": self.kib,
            "postfix_kib_each": self.postfix_kib,
            "p99_ms_alone": self.alone,
            "p99_ms_meanwhile": self.meanwhile,
        })
    }
}

const NOTES: &[&str] = &[
    "Memory is what the processes hold more of than with none held, what they share counted \
     once; the kernel's sockets are not in it.",
    "New mail: 10 at once, a connection each, timed from the connection's beginning to the \
     250 of its message.",
];
