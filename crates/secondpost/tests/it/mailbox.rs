//! `mailbox` without a daemon.

use super::secondpost;

#[test]
fn a_mailbox_is_added_listed_disabled_enabled_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| secondpost(dir.path(), &[&["mailbox"], args].concat(), b"");
    let added = run(&["add", "User@example.org", "--quota", "1G,10000"]);
    assert_eq!((added.status, added.err.as_str()), (0, ""));
    assert!(dir.path().join("secondpost-data/mail/example.org/user/new").is_dir());
    let disabled = run(&["disable", "user@example.org", "--for", "2h"]);
    assert!(disabled.out.starts_with("user@example.org disabled until 20"), "{}", disabled.out);
    let listed = run(&["list"]).out;
    assert!(listed.contains("1.0 GiB, 10000 messages"), "{listed}");
    assert!(listed.contains("disabled until"), "{listed}");
    assert_eq!(run(&["enable", "user@example.org"]).out, "user@example.org enabled\n");
    assert!(run(&["remove", "user@example.org"]).out.contains("its mail stays in"));
    assert_eq!(run(&["list", "--json"]).out, "[]\n");
}

#[test]
fn what_cannot_be_done_is_said_with_the_address() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| secondpost(dir.path(), &[&["mailbox"], args].concat(), b"");
    let unknown = run(&["disable", "a@example.org"]);
    assert_eq!(unknown.status, 1);
    let expected = "error: there is no mailbox `a@example.org`\n\
                    help: `secondpost mailbox list` shows all there are\n";
    assert_eq!(unknown.err, expected);
    assert_eq!(run(&["add", "nonsense"]).status, 2);
    assert_eq!(run(&["add", "a@example.org", "--format", "mh"]).status, 2);
    assert_eq!(run(&["add", "a@example.org"]).status, 0);
    assert_eq!(run(&["add", "a@example.org"]).status, 1);
}

#[test]
fn an_mbox_lies_where_it_is_told_and_a_lock_passes_the_status_on() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| secondpost(dir.path(), &[&["mailbox"], args].concat(), b"");
    let added = run(&["add", "a@example.org", "--format", "mbox", "--path", "var/a"]);
    assert_eq!((added.status, added.err.as_str()), (0, ""));
    assert!(dir.path().join("var/a").is_file());
    assert_eq!(run(&["lock", "a@example.org", "--", "true"]).status, 0);
    assert_eq!(run(&["lock", "a@example.org", "--", "sh", "-c", "exit 7"]).status, 7);
    assert_eq!(run(&["lock", "b@example.org", "--", "true"]).status, 1);
    assert_eq!(run(&["lock", "a@example.org", "--", "/nonexistent"]).status, 1);
}
