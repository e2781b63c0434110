//! `spool` and `queue` on the files, without a daemon.

use queue::message::{Origin, Received};
use queue::spool::Spool;
use reply::Timestamp;
use store::{Disk, FileSystem};

use super::secondpost;

/// A spool with one message in it, as a daemon leaves it.
fn spool_with_a_message(dir: &std::path::Path) -> String {
    let disk = FileSystem::new(dir.join("secondpost-data/spool")).unwrap();
    let (spool, writer, _) = Spool::open(disk).unwrap();
    let thread = std::thread::spawn(move || writer.run(|| {}));
    let submission = mta::control::Submission {
        sender: "a@example.org".into(),
        recipients: vec![mta::control::protocol::SubmittedRecipient::new("b@example.net")],
        octets: 7,
        ..mta::control::Submission::default()
    };
    let received = Received {
        envelope: submission.envelope().unwrap(),
        at: Timestamp::from_secs(1_764_000_000),
        origin: Origin::Local,
        client: None,
        hello: None,
        held: None,
    };
    let id = spool.put_now(received, b"A: 1\r\n\r\n").unwrap().id();
    spool.close();
    thread.join().unwrap();
    drop(spool);
    id.to_string()
}

#[test]
fn a_stopped_daemons_queue_is_listed_and_its_spool_checked() {
    let dir = tempfile::tempdir().unwrap();
    let id = spool_with_a_message(dir.path());
    let listed = secondpost(dir.path(), &["queue"], b"");
    assert_eq!((listed.status, listed.err.as_str()), (0, ""));
    assert!(listed.out.starts_with(&id), "{}", listed.out);
    assert!(listed.out.contains("<b@example.net>"), "{}", listed.out);
    assert!(listed.out.contains("no daemon is running"), "{}", listed.out);
    let json = secondpost(dir.path(), &["queue", "--json"], b"");
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told[0]["id"], id.as_str());
    let checked = secondpost(dir.path(), &["spool", "check"], b"");
    assert_eq!(checked.status, 0);
    assert!(checked.out.starts_with("1 message\n") && checked.out.contains("whole"));
    let stat = secondpost(dir.path(), &["spool", "stat", "--json"], b"");
    let stat: serde_json::Value = serde_json::from_str(&stat.out).unwrap();
    assert_eq!((&stat["messages"], &stat["daemon"]), (&1.into(), &false.into()));
}

#[test]
fn a_spool_in_use_or_missing_is_said_to_be() {
    let dir = tempfile::tempdir().unwrap();
    let missing = secondpost(dir.path(), &["spool", "check"], b"");
    assert_eq!(missing.status, 1);
    assert!(missing.err.starts_with("error: there is no spool in"), "{}", missing.err);
    let disk = FileSystem::new(dir.path().join("secondpost-data/spool")).unwrap();
    let _lock = disk.lock().unwrap();
    let held = secondpost(dir.path(), &["spool", "check"], b"");
    assert_eq!(held.status, 1);
    assert!(
        held.err.contains("is in use by another process\nhelp: stop the daemon"),
        "{}",
        held.err
    );
}
