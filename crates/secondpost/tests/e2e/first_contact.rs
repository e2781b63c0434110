//! What a newcomer meets: the first start, greylisting and its window, the story of a
//! message, a clean stop, and the errors of a start that cannot be.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::daemon::{BINARY, Daemon, eventually, secondpost};
use crate::dialog::Dialog;

const MESSAGE: &str = "Subject: first\r\nFrom: a@example.org\r\n\r\nhello";

#[test]
fn a_first_attempt_is_greylisted_and_the_second_is_in_the_maildir() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(folder.path(), &["--set", "greylist.window=1s"]);
    let first = Dialog::greeted(daemon.mx).message("a@example.org", "postmaster@localhost", "");
    assert!(!first.starts_with("450"), "postmaster is never greylisted: {first}");

    daemon.ask(&["mailbox", "add", "alice@localhost"]);
    let refused = Dialog::greeted(daemon.mx).message("a@example.org", "alice@localhost", MESSAGE);
    assert!(refused.starts_with("450 4.2.0 "), "{refused}");
    assert!(refused.contains("retry=00:00:01"), "{refused}");

    let accepted = eventually("the window opens", || {
        let mut dialog = Dialog::greeted(daemon.mx);
        let reply = dialog.message("a@example.org", "alice@localhost", MESSAGE);
        reply.starts_with("250 2.0.0 ").then_some(reply)
    });
    let id = accepted.trim_end().rsplit(' ').next().expect("the reply ends in the id").to_owned();
    let file =
        eventually("the message is delivered", || daemon.new_mail("localhost", "alice").pop());
    let mail = std::fs::read_to_string(file).expect("it can be read");
    assert!(mail.starts_with("Return-Path: <a@example.org>"), "{mail}");
    assert!(mail.ends_with("\n\nhello\n") || mail.ends_with("\r\n\r\nhello\r\n"), "{mail:?}");
    let story = eventually("the story is told", || {
        Some(daemon.ask(&["why", &id])).filter(|story| story.contains("delivered"))
    });
    assert!(story.contains("a@example.org"), "{story}");
}

#[test]
fn sigterm_says_421_and_exits_cleanly() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(folder.path(), &[]);
    let mut dialog = Dialog::greeted(daemon.mx);
    let (status, log) = daemon.terminate();
    assert!(status.success(), "{status}: {log}");
    let farewell = dialog.hear();
    assert!(farewell.starts_with("421 4.3.2 "), "{farewell}");
    assert_eq!(dialog.hear(), "");
}

/// The banner is out before the listeners are: who reads it may stop the server at once.
#[test]
fn a_signal_as_soon_as_the_banner_is_read_ends_the_server_cleanly() {
    let folder = tempfile::tempdir().expect("a folder");
    for start in 1..=8 {
        let (status, log) = Daemon::start(folder.path(), &[]).terminate();
        assert!(status.success(), "start {start}: {status}\n{log}");
    }
}

#[test]
fn a_message_under_way_is_told_421_when_the_server_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(folder.path(), &[]);
    let mut dialog = Dialog::greeted(daemon.mx);
    let reply = dialog.message_begun("a@example.org", "postmaster@localhost");
    assert!(reply.starts_with("354 "), "{reply}");
    dialog.send(b"Subject: half\r\n\r\nof a mess");
    let (status, log) = daemon.terminate();
    assert!(status.success(), "{status}: {log}");
    let farewell = dialog.hear();
    assert!(farewell.starts_with("421 4.3.2 "), "{farewell}");
    assert_eq!(dialog.hear(), "");
}

#[test]
fn a_second_signal_ends_the_wait_for_what_is_under_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(folder.path(), &[]);
    let mut dialog = Dialog::greeted(daemon.mx);
    assert!(dialog.message_begun("a@example.org", "postmaster@localhost").starts_with("354 "));
    daemon.interrupt();
    eventually("it stops", || daemon.log().contains("stopping").then_some(()));
    let (status, log) = daemon.terminate();
    assert!(status.success(), "{status}: {log}");
    assert!(log.contains("told to stop once more"), "{log}");
}

#[test]
fn the_commands_of_the_banner_work_as_they_are_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("it's here");
    let daemon = Daemon::start(&place, &["--domain", "a.test"]);
    assert_eq!(daemon.to_try.len(), 3, "{:?}", daemon.to_try);
    for (command, expected) in daemon.to_try.iter().zip(["450 4.2.0", "waiting", "Greylisting"]) {
        let output = Command::new("sh").args(["-c", command]).output().expect("sh runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(expected), "{command}: {said}{complained}");
    }
}

#[test]
fn a_first_start_needs_no_name_of_a_user() {
    for name in ["", "DOM\\no local part"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(BINARY);
        command.env("USER", name).env_remove("LOGNAME").env_remove("SUDO_USER");
        let daemon = Daemon::start_as(command, folder.path(), &[]);
        let mailboxes = daemon.ask(&["mailbox", "list"]);
        assert!(mailboxes.starts_with("postmaster@"), "{mailboxes}");
    }
}

#[test]
fn the_first_mailboxes_are_made_at_the_first_start_and_only_then() {
    let folder = tempfile::tempdir().expect("a folder");
    secondpost(folder.path(), &["mailbox", "add", "alice@localhost"]);
    let mut command = Command::new(BINARY);
    command.env("USER", "bob").env_remove("SUDO_USER");
    let daemon = Daemon::start_as(command, folder.path(), &["--domain", "localhost"]);
    let mailboxes = daemon.ask(&["mailbox", "list"]);
    for address in ["alice@", "bob@", "postmaster@"] {
        assert!(mailboxes.contains(address), "{address}: {mailboxes}");
    }
    daemon.ask(&["mailbox", "remove", "bob@localhost"]);
    drop(daemon);
    let daemon = Daemon::start(folder.path(), &["--domain", "localhost"]);
    assert!(!daemon.ask(&["mailbox", "list"]).contains("bob@"));
}

#[test]
fn the_data_directory_is_its_owners_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let _daemon = Daemon::start(&folder.path().join("data"), &[]);
    let mut unseen = vec![folder.path().join("data")];
    while let Some(path) = unseen.pop() {
        let metadata = path.symlink_metadata().expect("it is there");
        let mode = metadata.permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        if metadata.is_dir() {
            let entries = std::fs::read_dir(path).expect("it can be read");
            unseen.extend(entries.map(|entry| entry.expect("it can be read").path()));
        }
    }
}

#[test]
fn a_json_log_has_one_object_a_line_with_stable_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(folder.path(), &["--log-format", "json"]);
    let refused = Dialog::greeted(daemon.mx).message("a@example.org", "nobody@localhost", "x");
    assert!(refused.starts_with("550 5.1.1 "), "{refused}");
    let taken = Dialog::greeted(daemon.mx).message("a@example.org", "postmaster@localhost", "A: 1");
    assert!(taken.starts_with("250 "), "{taken}");
    eventually("the message lies there", || daemon.new_mail("localhost", "postmaster").pop());
    let (_, log) = daemon.terminate();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(
        lines.iter().all(|line| ["timestamp", "level", "message"]
            .iter()
            .all(|name| line[name].is_string())),
        "{log}"
    );
    let received = lines.iter().find(|line| line["message"] == "received").expect("it was told");
    assert_eq!(received["sender"], "a@example.org");
    assert!(received["id"].is_string() && received["octets"].is_u64(), "{received}");
}

#[test]
fn a_second_daemon_on_the_same_data_directory_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Daemon::start(folder.path(), &["--domain", "a.test"]);
    let other = ["--listen-mx", "127.0.0.1:0", "--domain", "b.test"];
    let complaint = refused_start(folder.path(), &other);
    assert!(complaint.contains(&folder.path().display().to_string()), "{complaint}");
    // The subcommands still read the settings of the daemon that runs.
    let added = first.run(&["mailbox", "add", "alice@a.test"]);
    assert_eq!(String::from_utf8_lossy(&added.stderr), "");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let complaint = refused_start(folder.path(), &["--listen-mx", &address]);
    assert!(complaint.contains(&address), "{complaint}");
    assert!(complaint.contains("help: set `listen.mx`"), "{complaint}");
}

#[test]
fn a_config_error_shows_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("bad.toml");
    std::fs::write(&config, "hostname = \"mx.test\"\n\n[greylist]\nwindow = \"soon\"\n")
        .expect("it can be written");
    let complaint = refused_start(folder.path(), &["--config", &config.display().to_string()]);
    assert!(complaint.contains("bad.toml:4"), "{complaint}");
    assert!(complaint.contains("window = \"soon\""), "{complaint}");
}

#[test]
fn a_file_where_a_folder_should_be_is_named() {
    for name in ["spool", "tables", "history"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, "not a folder").expect("it can be written");
        let complaint = refused_start(folder.path(), &["--listen-mx", "127.0.0.1:0"]);
        assert!(complaint.contains(&path.display().to_string()), "{complaint}");
    }
}

/// Starts the daemon where it must not start; what it complains of.
fn refused_start(data_dir: &Path, arguments: &[&str]) -> String {
    let quiet = ["serve", "--listen-submission", "127.0.0.1:0"];
    let output = secondpost(data_dir, &[&quiet, arguments].concat());
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{BINARY} started all the same");
    assert!(!complaint.contains("panicked"), "{complaint}");
    assert!(complaint.contains("error: "), "{complaint}");
    complaint
}

#[test]
fn our_address_literal_and_a_bare_postmaster_are_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(folder.path(), &["--set", "greylist.enabled=false"]);
    daemon.ask(&["mailbox", "add", "alice@localhost"]);
    let mut dialog = Dialog::greeted(daemon.mx);
    assert!(dialog.say("MAIL FROM:<a@example.org>").starts_with("250 2.1.0 "));
    assert!(dialog.say("RCPT TO:<Postmaster>").starts_with("250 2.1.5 "));
    let literal = dialog.say("RCPT TO:<alice@[127.0.0.1]>");
    assert!(literal.starts_with("250 2.1.5 "), "{literal}");
    let stranger = dialog.say("RCPT TO:<alice@[192.0.2.25]>");
    assert!(stranger.starts_with("550 5.7.1 "), "{stranger}");
}
