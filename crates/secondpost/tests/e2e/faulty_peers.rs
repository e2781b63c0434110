//! smtp-sink with its fault options: every message ends delivered, queued or bounced.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::daemon::{Daemon, eventually, free_port};

/// Each set of faults, and where a message ends under it.
const FAULTS: &[(&str, &[&str], End)] = &[
    ("none", &[], End::Delivered),
    ("no-esmtp", &["-e"], End::Delivered),
    ("no-pipelining", &["-p"], End::Delivered),
    ("no-8bitmime", &["-8"], End::Delivered),
    ("ehlo-refused", &["-f", "ehlo"], End::Delivered),
    ("hard-mail", &["-r", "mail"], End::Queued),
    ("hard-rcpt", &["-r", "rcpt"], End::Queued),
    ("hard-data", &["-r", "data"], End::Queued),
    ("hard-dot", &["-r", "."], End::Queued),
    ("final-mail", &["-f", "mail"], End::Bounced),
    ("final-rcpt", &["-f", "rcpt"], End::Bounced),
    ("final-data", &["-f", "data"], End::Bounced),
    ("final-dot", &["-f", "."], End::Bounced),
    ("hangs-up-at-connect", &["-q", "connect"], End::Queued),
    ("hangs-up-at-mail", &["-q", "mail"], End::Queued),
    ("hangs-up-at-rcpt", &["-q", "rcpt"], End::Queued),
    ("hangs-up-at-dot", &["-q", "."], End::Queued),
    ("slow", &["-w", "1"], End::Delivered),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Delivered,
    Queued,
    Bounced,
}

#[test]
fn every_message_to_a_faulty_peer_ends_delivered_queued_or_bounced() {
    let folder = tempfile::tempdir().expect("a folder");
    let sinks: Vec<Sink> =
        FAULTS.iter().map(|(name, faults, _)| Sink::start(name, faults)).collect();
    let daemon = daemon_beside(&sinks, folder.path(), "");
    for (name, _, _) in FAULTS {
        send(&daemon, folder.path(), name);
    }
    for (name, _, end) in FAULTS {
        eventually(&format!("{name}: its end"), || (end_of(&daemon, name)? == *end).then_some(()));
    }
}

/// Else it would be waited for two minutes. Without pipelining, as smtp-sink would keep its
/// other replies back, too.
#[test]
fn a_peer_is_waited_for_as_long_as_is_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let sinks = [Sink::start("late", &["-p", "-w", "600"])];
    let daemon = daemon_beside(&sinks, folder.path(), "[timeouts]\ndata = \"200ms\"");
    send(&daemon, folder.path(), "late");
    let given_up = || daemon.log().contains("the server did not answer in time").then_some(());
    eventually("the end of patience", given_up);
    assert!(daemon.ask(&["queue"]).contains("bob@late.test"));
}

/// A server that sends to each of them, with more settings.
fn daemon_beside(sinks: &[Sink], folder: &Path, settings: &str) -> Daemon {
    let routes: Vec<String> = sinks.iter().map(Sink::route).collect();
    let routes = routes.join("\n");
    let config = format!("domains = [\"example.org\"]\n[routes]\n{routes}\n{settings}\n");
    let config_path = folder.join("config.toml");
    std::fs::write(&config_path, config).expect("the config is written");
    let data_dir = folder.join("data");
    let daemon = Daemon::start(&data_dir, &["--config", &config_path.display().to_string()]);
    daemon.ask(&["mailbox", "add", "alice@example.org"]);
    daemon
}

fn send(daemon: &Daemon, folder: &Path, name: &str) {
    let message = folder.join("message.eml");
    let text = format!("From: alice@example.org\nSubject: to {name}\n\nna\u{ef}ve\n");
    std::fs::write(&message, text).expect("the message is written");
    let to = format!("bob@{name}.test");
    let from_to = ["--from", "alice@example.org", "--to", &to];
    daemon.ask(&[&["send"][..], &from_to, &[&message.display().to_string()]].concat());
}

/// Where the message to this peer is, as our own queue and mailbox tell.
fn end_of(daemon: &Daemon, name: &str) -> Option<End> {
    let recipient = format!("bob@{name}.test");
    let bounced = daemon.new_mail("example.org", "alice").into_iter().any(|path| {
        let mail = std::fs::read_to_string(path).unwrap_or_default();
        mail.contains(&recipient) && mail.contains("Action: failed")
    });
    if bounced {
        return Some(End::Bounced);
    }
    let queue = daemon.ask(&["queue", "--json"]);
    if !queue.contains(&recipient) {
        return Some(End::Delivered);
    }
    let attempted = queue.contains("last_reply");
    attempted.then_some(End::Queued)
}

/// A running smtp-sink. Dropped, it is killed.
struct Sink {
    name: String,
    child: Child,
    port: u16,
}

impl Sink {
    fn start(name: &str, faults: &[&str]) -> Sink {
        let port = free_port();
        let child = Command::new("/usr/sbin/smtp-sink")
            .args(faults)
            // As root it insists on becoming somebody else.
            .args(["-u", "nobody"])
            .args([&format!("127.0.0.1:{port}"), "100"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("smtp-sink starts");
        Sink { name: name.to_owned(), child, port }
    }

    fn route(&self) -> String {
        format!("\"{}.test\" = \"127.0.0.1:{}\"", self.name, self.port)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
