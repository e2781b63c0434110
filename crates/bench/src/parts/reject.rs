//! Recipients refused with 550, one in a transaction: MAIL, RCPT and RSET in one piece.

use serde_json::json;

use super::Setup;
use crate::load::script::Script;
use crate::report::{Report, Target};
use crate::rounds::{closed, compare, table, times};
use crate::servers::{Destination, Kind};

const SERVERS: &[Kind] = &[Kind::Secondpost, Kind::Postfix];
const SESSIONS: usize = 50;
/// Refusals in each connection.
const REFUSALS: u32 = 20;
const TITLE: &str = "RCPT refused 550, 50 sessions × 20 refusals, pipelined";

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("reject")?;
    let servers = super::start(SERVERS, setup, &folder, Destination::Discard)?;
    let found = compare("reject", setup.rounds, &servers, &folder, |server| {
        closed(server.address, Script::refuse(REFUSALS), SESSIONS, setup.time())
    })?;
    let mut report = Report::default();
    report.tables.push(table(TITLE, &found));
    if let [ours, postfix] = found.as_slice() {
        report.targets.push(Target::at_least(TITLE, 3.0, times(ours, postfix), "× Postfix"));
    }
    report.keep("reject", json!(found));
    Ok(report)
}
