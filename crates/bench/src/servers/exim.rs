//! A private Exim, from Debian's packages that were unpacked and not installed: they and
//! Postfix's exclude each other.
//!
//! Exim believes only the configuration at the place that it was built for, and only
//! where its user is known. It gets both from a folder that is laid over /etc in a mount
//! namespace of its own; the system's /etc is not touched.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Destination, Programs, folder_of, write};
use crate::group::Group;
use crate::load::script::RECIPIENT_DOMAIN;

/// The user that Debian's build runs as, and a number that nobody has.
const USER: &str = "Debian-exim";
const USER_NUMBER: &str = "62525";

/// Lays the folder `$1` over /etc and becomes what follows.
const BESIDE_ETC: &str =
    "mount -t overlay overlay -o \"lowerdir=$1:/etc\" /etc && shift && exec \"$@\"";

pub(super) fn command(
    group: &Group,
    programs: &Programs,
    folder: &Path,
    address: SocketAddr,
    destination: Destination,
) -> Result<Command, String> {
    if destination != Destination::Discard {
        return Err("error: Exim is measured only with a destination that discards".into());
    }
    let unpacked = programs.exim.as_ref().ok_or("error: Exim's packages are not unpacked")?;
    let program = unpacked.join("usr/sbin/exim4");
    let etc = folder.join("etc");
    for name in ["spool", "log"] {
        folder_of(USER_NUMBER, &folder.join(name))?;
    }
    fs::create_dir_all(etc.join("exim4")).map_err(|e| format!("error: {}: {e}", etc.display()))?;
    with_user(&etc)?;
    write(&etc.join("exim4/exim4.conf"), &settings(&program, folder, address))?;
    let mut command = group.command("unshare");
    command.args(["--mount", "sh", "-c", BESIDE_ETC, "exim"]).arg(etc).arg(program).arg("-bdf");
    Ok(command)
}

/// The system's users and one more.
fn with_user(etc: &Path) -> Result<(), String> {
    let lines = [
        ("passwd", format!("{USER}:x:{USER_NUMBER}:{USER_NUMBER}::/:/usr/sbin/nologin\n")),
        ("group", format!("{USER}:x:{USER_NUMBER}:\n")),
    ];
    for (name, line) in lines {
        let path = Path::new("/etc").join(name);
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| format!("error: {}: {error}", path.display()))?;
        write(&etc.join(name), &format!("{text}{line}"))?;
    }
    Ok(())
}

/// Its defaults, save the limits on connections and messages, no DNS, and a destination
/// that throws everything away. Each message is delivered at once, as it is by default for
/// the first ten of a connection.
fn settings(program: &Path, folder: &Path, address: SocketAddr) -> String {
    let (program, folder, port) = (program.display(), folder.display(), address.port());
    format!(
        "primary_hostname = exim.test
exim_path = {program}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
domainlist known = {RECIPIENT_DOMAIN}
acl_smtp_rcpt = rcpt
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
tls_advertise_hosts =
split_spool_directory = true
smtp_accept_max = 0
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
smtp_accept_max_nonmail = 1000000
smtp_max_unknown_commands = 1000000
smtp_connect_backlog = 1024
begin acl
rcpt:
  accept domains = +known
  deny message = relay not permitted
begin routers
known:
  driver = redirect
  data = :blackhole:
  domains = +known
"
    )
}
