//! smtp-sink, of Postfix: it takes mail and keeps none of it. What the load and loopback
//! come to where nothing is decided and nothing is written, and no server to be beaten.

use std::net::SocketAddr;
use std::process::Command;

use crate::group::Group;

/// Whom it becomes: it does not stay root.
const USER: &str = "nobody";
/// Connections that may wait to be accepted.
const BACKLOG: &str = "1024";

pub(super) fn command(group: &Group, address: SocketAddr) -> Command {
    let mut command = group.command("/usr/sbin/smtp-sink");
    command.args(["-u", USER]).arg(address.to_string()).arg(BACKLOG);
    command
}
