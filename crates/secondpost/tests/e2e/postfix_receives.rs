//! Secondpost sends to a Postfix that greylists with postgrey: one 450, one retry, planned
//! at most two seconds after the window opens.

use std::path::Path;

use crate::daemon::{Daemon, eventually};
use crate::postfix::{Postfix, Postgrey};

/// postgrey's window, in seconds.
const WINDOW: u64 = 5;
/// How long after the window's opening an attempt may be planned, in seconds.
const SLACK: u64 = 2;

struct World {
    daemon: Daemon,
    postfix: Postfix,
    _postgrey: Postgrey,
}

/// A Secondpost that routes `peer.test` to a Postfix that asks a postgrey.
fn world(folder: &Path, greylist_text: &str, arguments: &[&str]) -> World {
    let delay = format!("--delay={WINDOW}");
    let postgrey = Postgrey::start(folder, &[&delay, greylist_text]);
    let postfix = Postfix::start(
        folder,
        &format!(
            "mynetworks = 192.0.2.0/24\nrelay_domains = peer.test\nrelay_transport = discard\n\
             smtpd_recipient_restrictions = reject_unauth_destination, \
             check_policy_service inet:127.0.0.1:{}",
            postgrey.port
        ),
    );
    let route = format!("routes={{\"peer.test\"=\"127.0.0.1:{}\"}}", postfix.port);
    let daemon = Daemon::start(
        &folder.join("data"),
        &[&["--domain", "example.org", "--set", &route], arguments].concat(),
    );
    World { daemon, postfix, _postgrey: postgrey }
}

impl World {
    /// Sends a message and waits for its end; returns its story.
    fn send(&self, folder: &Path, to: &str) -> serde_json::Value {
        let message = folder.join("message.eml");
        std::fs::write(&message, "From: a@example.org\nSubject: x\n\nhello\n")
            .expect("it is written");
        let path = message.display().to_string();
        let sent =
            self.daemon.ask(&["send", "--json", "--from", "a@example.org", "--to", to, &path]);
        let sent: serde_json::Value = serde_json::from_str(&sent).expect("JSON");
        let id = sent["id"].as_str().expect("it has an id").to_owned();
        let story = eventually("the message is delivered", || {
            let story = self.daemon.ask(&["why", "--json", &id]);
            story.contains("\"delivered\"").then_some(story)
        });
        let to = format!("to=<{to}>");
        eventually("Postfix takes it to its end", || {
            let log = self.postfix.log();
            log.lines().any(|line| line.contains(&to) && line.contains("status=sent")).then_some(())
        });
        serde_json::from_str(&story).expect("JSON")
    }
}

/// The events of one kind.
fn events<'a>(story: &'a serde_json::Value, kind: &str) -> Vec<&'a serde_json::Value> {
    let all = story["events"].as_array().expect("events");
    all.iter().filter(|event| event["event"] == kind).collect()
}

/// Seconds of the day of a time in RFC 3339; the tests do not last a day.
fn seconds(event: &serde_json::Value, field: &str) -> u64 {
    let text = event[field].as_str().expect("a time");
    let part = |at: std::ops::Range<usize>| text[at].parse::<u64>().expect("digits");
    part(11..13) * 3600 + part(14..16) * 60 + part(17..19)
}

/// One 450 with that cause, one retry after it, planned just after the window opens.
fn check(story: &serde_json::Value) {
    let attempts = events(story, "attempt");
    assert_eq!(attempts.len(), 1, "{story:#}");
    assert_eq!(attempts[0]["verdict"]["cause"], "greylisted");
    assert_eq!(attempts[0]["verdict"]["code"], 450);
    let midnight = 24 * 3600;
    let pause =
        (seconds(attempts[0], "next_at") + midnight - seconds(attempts[0], "at")) % midnight;
    // Both times are cut to whole seconds.
    assert!((WINDOW..=WINDOW + SLACK + 1).contains(&pause), "{pause} s: {story:#}");
    assert_eq!(events(story, "delivered")[0]["attempt"], 2);
}

#[test]
fn a_hint_in_postgreys_text_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path(), "--greylist-text=Greylisted for %s seconds", &[]);
    check(&world.send(folder.path(), "bob@peer.test"));
}

#[test]
fn without_a_hint_the_window_is_learned_from_the_first_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "--greylist-text=Greylisted, see http://postgrey.test/help";
    let ladder = "retry.greylisted=[\"6s\"]";
    let world = world(folder.path(), text, &["--set", ladder, "--set", "retry.least_pause=1s"]);
    world.send(folder.path(), "first@peer.test");
    let story = world.send(folder.path(), "second@peer.test");
    check(&story);
    let why = events(&story, "attempt")[0]["why"].as_str().expect("a reason").to_owned();
    assert!(why.contains("learned"), "{why}");
}
