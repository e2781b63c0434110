//! The program under the names `sendmail` and `mailq`.

use std::path::{Path, PathBuf};

use super::{Ended, call, dropped};

/// Calls a link to the binary with that name.
fn face(name: &str, dir: &Path, args: &[&str], input: &[u8]) -> Ended {
    let link: PathBuf = dir.join(name);
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_secondpost"), &link).unwrap();
    }
    call(&link, dir, args, input)
}

#[test]
fn recipients_come_from_the_header_and_bcc_goes() {
    let dir = tempfile::tempdir().unwrap();
    let message = b"To: Bee <b@localhost>\nBcc: c@localhost\nSubject: x\n\nhello\n.\nnot read\n";
    let ended = face("sendmail", dir.path(), &["-t", "-f", "a@example.org"], message);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    let (envelope, message) = dropped(&dir.path().join("secondpost-data"));
    assert_eq!(envelope["sender"], "a@example.org");
    assert_eq!(envelope["recipients"][0]["address"], "b@localhost");
    assert_eq!(envelope["recipients"][1]["address"], "c@localhost");
    let expected = "From: <a@example.org>\r\nTo: Bee <b@localhost>\r\nSubject: x\r\n\r\nhello\r\n";
    assert_eq!(message, expected);
}

#[test]
fn rebuilding_the_aliases_that_there_are_not_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    for (name, args) in [("newaliases", &[][..]), ("sendmail", &["-bi"])] {
        let ended = face(name, dir.path(), args, b"");
        assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "", ""), "{name}");
    }
}

#[test]
fn one_word_may_name_several_recipients() {
    let dir = tempfile::tempdir().unwrap();
    let ended = face("sendmail", dir.path(), &["Bee <b@localhost>, c@localhost"], b"A: 1\n\nx\n");
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    let (envelope, _) = dropped(&dir.path().join("secondpost-data"));
    assert_eq!(envelope["recipients"][0]["address"], "b@localhost");
    assert_eq!(envelope["recipients"][1]["address"], "c@localhost");
    let waiting = face("mailq", dir.path(), &[], b"");
    assert_eq!(waiting.status, 0, "{}", waiting.err);
    assert!(
        waiting.out.starts_with("1 message waits in `./secondpost-data/drop`"),
        "{}",
        waiting.out
    );
}

#[test]
fn a_mailbox_that_is_not_there_is_refused_without_a_daemon_too() {
    let dir = tempfile::tempdir().unwrap();
    let add = ["mailbox", "add", "b@localhost"];
    assert_eq!(super::secondpost(dir.path(), &add, b"").status, 0);
    let ended = face("sendmail", dir.path(), &["nosuch@localhost"], b"A: 1\n\nx\n");
    assert_eq!(ended.status, 67);
    assert!(ended.err.contains("550 5.1.1 <nosuch@localhost>"), "{}", ended.err);
    assert_eq!(face("sendmail", dir.path(), &["b@localhost"], b"A: 1\n\nx\n").status, 0);
}

#[test]
fn names_without_a_domain_are_of_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("secondpost-data")).unwrap();
    let settings = "hostname = \"mail.test\"\ndomains = [\"mail.test\"]\n";
    std::fs::write(dir.path().join("secondpost-data/secondpost.toml"), settings).unwrap();
    let ended = face("sendmail", dir.path(), &["-oi", "root"], b"cron says\n.\nhello\n");
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    let (envelope, message) = dropped(&dir.path().join("secondpost-data"));
    assert_eq!(envelope["sender"], "tester@mail.test");
    assert_eq!(envelope["recipients"][0]["address"], "root@mail.test");
    assert_eq!(message, "From: <tester@mail.test>\r\n\r\ncron says\r\n.\r\nhello\r\n");
}

#[test]
fn failures_have_the_statuses_of_sysexits() {
    let dir = tempfile::tempdir().unwrap();
    let status = |args: &[&str]| face("sendmail", dir.path(), args, b"A: 1\n\nx\n").status;
    assert_eq!(status(&["-t"]), 64);
    assert_eq!(status(&["-Z"]), 64);
    assert_eq!(status(&["b@example.net"]), 69);
    assert_eq!(status(&["@"]), 65);
    assert_eq!(status(&["-N", "bogus", "b@localhost"]), 65);
    assert_eq!(face("sendmail", dir.path(), &["-q"], b"").status, 69);
    assert_eq!(face("mailq", dir.path(), &[], b"").status, 69);
}

#[test]
fn a_session_on_stdin_takes_mail_and_refuses_what_has_no_route() {
    let dir = tempfile::tempdir().unwrap();
    let input = b"EHLO me.test\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n\
                  RCPT TO:<b@localhost> NOTIFY=NEVER\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n";
    let ended = face("sendmail", dir.path(), &["-bs"], input);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    let codes: Vec<&str> = ended.out.lines().filter(|l| &l[3..4] == " ").map(|l| &l[..3]).collect();
    assert_eq!(codes, ["220", "250", "250", "550", "250", "354", "250", "221"], "{}", ended.out);
    assert!(ended.out.contains("550 5.7.1 <b@example.net>"), "{}", ended.out);
    let (envelope, message) = dropped(&dir.path().join("secondpost-data"));
    assert_eq!(envelope["recipients"][0]["address"], "b@localhost");
    assert_eq!(envelope["recipients"][0]["notify"], "NEVER");
    assert!(message.ends_with("Subject: x\r\n\r\n.dot\r\n"), "{message}");
}
