//! Sessions that are held and say nothing: what each costs in memory, and whether new mail
//! is taken meanwhile as if they were not there.

use serde_json::json;

use super::Setup;
use crate::load::script::Script;
use crate::load::{self, End, Load, Pace};
use crate::report::{Report, Table, Target, figure};
use crate::rounds::with_log;
use crate::servers::{Destination, Kind};
use crate::statistics::{Sample, ratio};

const MESSAGE_OCTETS: usize = 4096;
/// New connections at once, one message each.
const SESSIONS: usize = 10;

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("idle")?;
    let sessions = if setup.quick { 500 } else { 10_000 };
    let servers = super::start(&[Kind::Secondpost], setup, &folder, Destination::Discard)?;
    let [server] = servers.as_slice() else { return Ok(Report::default()) };
    let fails = |error| with_log(error, server);
    let new_mail = || {
        let (script, end) = (Script::deliver_anew(MESSAGE_OCTETS), End::After(setup.time()));
        let address = server.address;
        load::run(Load { address, script, sessions: SESSIONS, end, pace: Pace::Closed })
    };
    let mut alone = new_mail().map_err(fails)?;
    server.group.settle()?;
    let empty = server.group.resident_octets();
    let mut held = load::hold(server.address, sessions).map_err(fails)?;
    server.group.settle()?;
    let full = server.group.resident_octets();
    let mut meanwhile = Sample::default();
    for round in 1..=setup.rounds {
        eprintln!("idle: new mail beside {sessions} sessions, round {round}");
        meanwhile.add(new_mail().map_err(fails)?.latencies.percentile_ms(99.0));
    }
    held.check().map_err(fails)?;
    let kib_each = ratio(full.saturating_sub(empty) as f64 / 1024.0, sessions as f64);
    let p99_alone = alone.latencies.percentile_ms(99.0);

    let mut table = Table::new(
        format!("{} sessions held", figure(sessions as f64)),
        &["server", "KiB a session", "new mail p99 ms", "from–to", "p99 ms with none held"],
    );
    table.row([
        server.kind.name().to_owned(),
        figure(kib_each),
        figure(meanwhile.median()),
        format!("{}–{}", figure(meanwhile.min()), figure(meanwhile.max())),
        figure(p99_alone),
    ]);
    let mut report = Report::default();
    report.tables.push(table);
    report.targets.push(Target::at_most("memory of an idle session", 16.0, kib_each, "KiB"));
    report.targets.push(Target::at_most(
        "new mail meanwhile, p99",
        100.0,
        meanwhile.median(),
        "ms",
    ));
    report.notes.push(
        "Memory is what the process holds more of than with none held; the kernel's sockets \
         are not in it. New mail: 10 at once, a connection each, timed from the connection's \
         beginning to the last 250."
            .into(),
    );
    report.keep(
        "idle",
        json!({
            "sessions": sessions, "resident_octets_empty": empty, "resident_octets_full": full,
            "p99_ms_alone": p99_alone, "p99_ms_meanwhile": meanwhile,
        }),
    );
    Ok(report)
}
