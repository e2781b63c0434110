//! Postfix sends to us, is greylisted, its own queue comes back, the mail is there once.

use std::process::Command;

use crate::daemon::{Daemon, eventually};
use crate::postfix::Postfix;

#[test]
fn a_greylisted_postfix_comes_back_and_its_mail_arrives_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(
        &folder.path().join("data"),
        &["--domain", "example.org", "--set", "greylist.window=2s"],
    );
    daemon.ask(&["mailbox", "add", "alice@example.org"]);
    let postfix = Postfix::start(
        folder.path(),
        &format!(
            "mynetworks = 127.0.0.0/8\nrelayhost = [127.0.0.1]:{}\n\
             minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nqueue_run_delay = 1s",
            daemon.mx.port()
        ),
    );
    let swaks = Command::new("swaks")
        .args(["--server", &format!("127.0.0.1:{}", postfix.port), "--silent", "2"])
        .args(["--from", "a@peer.test", "--to", "alice@example.org", "--body", "by postfix"])
        .output()
        .expect("swaks runs");
    assert!(swaks.status.success(), "{}", String::from_utf8_lossy(&swaks.stdout));

    let file = eventually("the mail arrives", || daemon.new_mail("example.org", "alice").pop());
    let log = eventually("Postfix notes it", || {
        Some(postfix.log()).filter(|log| log.contains("status=sent"))
    });
    assert!(log.contains("450 4.2.0 "), "{log}");
    assert!(log.contains("dsn=4.2.0, status=deferred"), "{log}");
    assert!(log.contains("retry=00:00:0"), "{log}");
    let mail = std::fs::read_to_string(file).expect("it can be read");
    assert!(mail.contains("by postfix"), "{mail}");
    assert!(mail.contains("by postfix.test (Postfix)"), "{mail}");
    assert_eq!(daemon.new_mail("example.org", "alice").len(), 1);
}
