//! A private Postfix: configuration, queue, log and port below a folder of its own; the
//! system's are not touched.
//!
//! Its defaults, save the limits on processes, connections and errors, no DNS, and the
//! destination. It syncs each queue file before its 250 and logs to a file, as it would.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{Destination, folder_of, write};
use crate::group::Group;
use crate::load::script::RECIPIENT_DOMAIN;

/// As Debian's, without chroot; `discard` and `smtp` are the ways out.
const MASTER: &str = "\
ADDRESS inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

pub(super) fn command(
    group: &Group,
    folder: &Path,
    address: SocketAddr,
    destination: Destination,
) -> Result<Command, String> {
    let (etc, data) = (folder.join("etc"), folder.join("data"));
    for path in [&etc, &folder.join("queue")] {
        fs::create_dir_all(path).map_err(|error| format!("error: {}: {error}", path.display()))?;
    }
    folder_of("postfix", &data)?;
    open_to_all(folder);
    write(&etc.join("main.cf"), &main_cf(folder, destination)?)?;
    write(&etc.join("master.cf"), &MASTER.replace("ADDRESS", &address.to_string()))?;
    let mut command = group.command("/usr/sbin/postfix");
    command.arg("-c").arg(etc).arg("start-fg");
    Ok(command)
}

fn main_cf(folder: &Path, destination: Destination) -> Result<String, String> {
    let daemons = ["/usr/lib/postfix/sbin", "/usr/libexec/postfix"];
    let daemons = daemons.iter().find(|path| Path::new(path).is_dir());
    let daemons = daemons.ok_or("error: Postfix is not installed")?;
    let folder = folder.display();
    let transport = match destination {
        Destination::Discard => "discard:".to_owned(),
        Destination::Relay(address) => format!("smtp:[{}]:{}", address.ip(), address.port()),
    };
    let mut text = format!(
        "queue_directory = {folder}/queue\ndata_directory = {folder}/data\n\
         maillog_file = {folder}/log\ndaemon_directory = {daemons}\n\
         relay_domains = {RECIPIENT_DOMAIN}\nrelay_transport = {transport}\n"
    );
    for (name, value) in SETTINGS {
        writeln!(text, "{name} = {value}").expect("a string takes all");
    }
    Ok(text)
}

const SETTINGS: &[(&str, &str)] = &[
    ("compatibility_level", "3.6"),
    ("command_directory", "/usr/sbin"),
    ("mail_owner", "postfix"),
    ("setgid_group", "postdrop"),
    ("maillog_file_prefixes", "/"),
    ("myhostname", "postfix.test"),
    ("mydestination", ""),
    ("mynetworks", "192.0.2.0/24"),
    ("inet_interfaces", "127.0.0.1"),
    ("inet_protocols", "ipv4"),
    ("alias_maps", ""),
    ("alias_database", ""),
    // There is no DNS here, and none of the servers asks it.
    ("smtp_host_lookup", "native"),
    ("disable_dns_lookups", "yes"),
    ("smtpd_peername_lookup", "no"),
    // Sessions at once, and limits that a load from one address would run into.
    ("default_process_limit", "250"),
    ("smtpd_client_connection_count_limit", "0"),
    ("smtpd_client_connection_rate_limit", "0"),
    ("smtpd_client_message_rate_limit", "0"),
    ("smtpd_error_sleep_time", "0"),
    ("smtpd_soft_error_limit", "1000000"),
    ("smtpd_hard_error_limit", "1000000"),
    ("smtpd_junk_command_limit", "1000000"),
    ("smtpd_relay_restrictions", "permit_mynetworks, reject_unauth_destination"),
    // As for us: RCPT for elsewhere is refused for good.
    ("relay_domains_reject_code", "550"),
    ("relay_recipient_maps", ""),
];

/// Its daemons run as another user.
fn open_to_all(folder: &Path) {
    let open = fs::Permissions::from_mode(0o755);
    let _ = fs::set_permissions(folder, open);
}
