//! Our own server: the shipped binary with its default settings, save the limits on
//! connections and errors, greylisting off, and the destination.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Destination, Programs};
use crate::group::Group;
use crate::load::script::RECIPIENT_DOMAIN;

pub(super) fn command(
    group: &Group,
    programs: &Programs,
    folder: &Path,
    address: SocketAddr,
    destination: Destination,
) -> Result<Command, String> {
    let mut command = group.command(&programs.secondpost);
    command.arg("serve").arg("--data-dir").arg(folder.join("data"));
    command.args(["--listen-mx", &address.to_string(), "--listen-submission", "off"]);
    command.args(["--domain", RECIPIENT_DOMAIN]);
    for setting in settings(destination) {
        command.args(["--set", &setting]);
    }
    Ok(command)
}

/// What differs from the defaults.
fn settings(destination: Destination) -> Vec<String> {
    let route = match destination {
        Destination::Discard => "discard".to_owned(),
        Destination::Relay(address) => address.to_string(),
    };
    [
        "listen.web=off",
        "listen.lmtp=off",
        "greylist.enabled=false",
        "limits.connections=20000",
        "limits.connections_per_client=20000",
        "limits.errors=1000000",
        &format!("routes={{\"{RECIPIENT_DOMAIN}\"=\"{route}\"}}"),
    ]
    .map(str::to_owned)
    .to_vec()
}
