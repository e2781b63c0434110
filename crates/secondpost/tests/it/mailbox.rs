//! `mailbox` without a daemon.

use super::secondpost;

#[test]
fn a_mailbox_is_added_listed_disabled_enabled_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| secondpost(dir.path(), &[&["mailbox"], args].concat(), b"");
    let added = run(&["add", "User@localhost", "--quota", "1G,10000"]);
    assert_eq!((added.status, added.err.as_str()), (0, ""));
    assert!(dir.path().join("secondpost-data/mail/localhost/user/new").is_dir());
    let disabled = run(&["disable", "user@localhost", "--for", "2h"]);
    assert!(disabled.out.starts_with("user@localhost disabled until 20"), "{}", disabled.out);
    let listed = run(&["list"]).out;
    assert!(listed.contains("1.0 GiB, 10000 messages"), "{listed}");
    assert!(listed.contains("disabled until"), "{listed}");
    assert_eq!(run(&["enable", "user@localhost"]).out, "user@localhost enabled\n");
    assert!(run(&["remove", "user@localhost"]).out.contains("its mail stays in"));
    assert_eq!(run(&["list", "--json"]).out, "[]\n");
}

#[test]
fn what_cannot_be_done_is_said_with_the_address() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| secondpost(dir.path(), &[&["mailbox"], args].concat(), b"");
    let unknown = run(&["disable", "a@localhost"]);
    assert_eq!(unknown.status, 1);
    let expected = "error: there is no mailbox `a@localhost`\n\
                    help: `secondpost mailbox list` shows all there are\n";
    assert_eq!(unknown.err, expected);
    assert_eq!(run(&["add", "nonsense"]).status, 2);
    assert_eq!(run(&["add", "a@localhost", "--format", "mh"]).status, 2);
    assert_eq!(run(&["add", "a@localhost"]).status, 0);
    assert_eq!(run(&["add", "a@localhost"]).status, 1);
}

#[test]
fn an_mbox_lies_where_it_is_told_and_a_lock_passes_the_status_on() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| secondpost(dir.path(), &[&["mailbox"], args].concat(), b"");
    let added = run(&["add", "a@localhost", "--format", "mbox", "--path", "var/a"]);
    assert_eq!((added.status, added.err.as_str()), (0, ""));
    assert!(dir.path().join("var/a").is_file());
    assert_eq!(run(&["lock", "a@localhost", "--", "true"]).status, 0);
    assert_eq!(run(&["lock", "a@localhost", "--", "sh", "-c", "exit 7"]).status, 7);
    assert_eq!(run(&["lock", "b@localhost", "--", "true"]).status, 1);
    assert_eq!(run(&["lock", "a@localhost", "--", "/nonexistent"]).status, 127);
}

#[test]
fn a_mailbox_that_can_get_no_mail_is_warned_of() {
    let dir = tempfile::tempdir().unwrap();
    let added = secondpost(dir.path(), &["mailbox", "add", "a@elsewhere.test", "--json"], b"");
    assert_eq!(added.status, 0);
    assert!(added.err.starts_with("warning: `elsewhere.test` is not among the domains"));
    let told: serde_json::Value = serde_json::from_str(&added.out).unwrap();
    assert_eq!((&told["done"], &told["mailbox"]["format"]), (&"added".into(), &"maildir".into()));
    let ours = ["mailbox", "add", "b@elsewhere.test", "--set", "domains=elsewhere.test"];
    assert_eq!(secondpost(dir.path(), &ours, b"").err, "");
}

#[test]
fn who_waits_for_a_lock_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    secondpost(dir.path(), &["mailbox", "add", "a@localhost"], b"");
    let again = ["--", "timeout", "1", env!("CARGO_BIN_EXE_secondpost"), "mailbox", "lock"];
    let lock = ["mailbox", "lock", "a@localhost"];
    let inner = ["a@localhost", "--", "true"];
    let ended = secondpost(dir.path(), &[&lock[..], &again, &inner].concat(), b"");
    assert_eq!(ended.err, "waiting: another process holds the lock\n");
    assert_eq!(ended.status, 124, "`timeout` ended it");
}

#[test]
fn a_local_part_that_needs_quotes_is_kept_by_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| secondpost(dir.path(), &[&["mailbox"], args].concat(), b"");
    let quoted = "\"../a b\"@localhost";
    assert_eq!(run(&["add", quoted]).status, 0);
    let listed: serde_json::Value = serde_json::from_str(&run(&["list", "--json"]).out).unwrap();
    // As RCPT looks it up, and still no path out of its folder.
    assert_eq!(listed[0]["address"], "../a b@localhost");
    assert_eq!(listed[0]["path"], "mail/localhost/%2e.%2fa%20b");
    for command in ["disable", "enable", "remove"] {
        assert_eq!(run(&[command, quoted]).status, 0, "{command}");
    }
    assert_eq!(run(&["disable", "nonsense"]).status, 2);
}
