//! Connections that come and go: greeting, EHLO, QUIT.

use serde_json::json;

use super::Setup;
use crate::load::script::Script;
use crate::report::Report;
use crate::rounds::{closed, compare, table};
use crate::servers::{Destination, Kind};

const SERVERS: &[Kind] = &[Kind::Secondpost, Kind::Postfix];
const SESSIONS: usize = 50;
const TITLE: &str = "Connections with greeting, EHLO and QUIT, 50 at once";

pub(super) fn run(setup: &Setup) -> Result<Report, String> {
    let folder = setup.part_folder("connect")?;
    let servers = super::start(SERVERS, setup, &folder, Destination::Discard)?;
    let found = compare("connect", setup.few_rounds(), &servers, &folder, |server| {
        closed(server.address, Script::connect(), SESSIONS, setup.time())
    })?;
    let mut report = Report::default();
    report.tables.push(table(TITLE, &found));
    report.note(&["p50 and p99 are of a whole connection."]);
    report.keep("connect", json!(found));
    Ok(report)
}
