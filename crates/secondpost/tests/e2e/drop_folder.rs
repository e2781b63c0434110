//! `send` without a daemon, and what the next start makes of it.

use crate::daemon::{Daemon, eventually, secondpost};

/// Keeps a message for two recipients while no daemon runs; the configuration of that
/// moment lets both go.
fn dropped(data_dir: &std::path::Path, from: &str) {
    let message = data_dir.join("message.eml");
    std::fs::create_dir_all(data_dir).expect("the folder is made");
    std::fs::write(&message, "Subject: dropped\n\nthe whole text\n").expect("it is written");
    let to = ["--to", "alice@example.org", "--to", "bob@elsewhere.test"];
    let settings = ["--set", "relay=direct", "--set", "domains=['example.org']"];
    let message = message.display().to_string();
    let output = secondpost(
        data_dir,
        &[&settings[..], &["send", "--from", from], &to, &[&message]].concat(),
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn files(data_dir: &std::path::Path, ending: &str) -> usize {
    let entries = std::fs::read_dir(data_dir.join("drop")).expect("the drop folder is there");
    entries.filter(|entry| entry.as_ref().is_ok_and(|e| ends_in(e, ending))).count()
}

fn ends_in(entry: &std::fs::DirEntry, ending: &str) -> bool {
    entry.path().extension().is_some_and(|found| found == ending)
}

#[test]
fn the_sender_of_a_dropped_message_hears_who_is_refused_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    secondpost(&data_dir, &["mailbox", "add", "alice@example.org"]);
    dropped(&data_dir, "alice@example.org");
    let daemon = Daemon::start(&data_dir, &["--domain", "example.org"]);
    let mail = eventually("the message and the notification", || {
        let files = daemon.new_mail("example.org", "alice");
        (files.len() == 2).then_some(files)
    });
    let texts = mail.iter().map(|path| std::fs::read_to_string(path).expect("it can be read"));
    let (notices, messages): (Vec<String>, Vec<String>) =
        texts.partition(|text| text.contains("report-type=delivery-status"));
    assert!(messages[0].contains("Subject: dropped"), "{}", messages[0]);
    for wanted in [
        "Final-Recipient: rfc822; bob@elsewhere.test",
        "Action: failed",
        "Status: 5.7.1",
        "message/rfc822",
        "the whole text",
    ] {
        assert!(notices[0].contains(wanted), "{wanted} in {}", notices[0]);
    }
    assert!(!notices[0].contains("Final-Recipient: rfc822; alice"), "{}", notices[0]);
    assert_eq!((files(&data_dir, "msg"), files(&data_dir, "bad")), (0, 0));
}

#[test]
fn a_dropped_message_without_a_sender_is_delivered_where_it_may_and_answered_to_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    secondpost(&data_dir, &["mailbox", "add", "alice@example.org"]);
    dropped(&data_dir, "");
    let daemon = Daemon::start(&data_dir, &["--domain", "example.org"]);
    eventually("the message", || daemon.new_mail("example.org", "alice").pop());
    eventually("an empty queue", || {
        (!daemon.ask(&["queue", "--json"]).contains("\"id\"")).then_some(())
    });
    assert_eq!(daemon.new_mail("example.org", "alice").len(), 1);
}
