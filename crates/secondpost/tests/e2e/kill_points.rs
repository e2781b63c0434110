//! `kill -9` at each of the first writes, syncs and renames: the kernel ends the server in
//! the middle of a scenario of three messages, at a call that `strace` counts. Whatever had
//! its 250 is delivered after the next start, once.
//!
//! A first start, which makes the data directory, is ended so as well; the next one has to
//! complete it.
//!
//! The long form goes on with each call until its index is beyond the scenario's last.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::daemon::{BINARY, Daemon, eventually, lines_of};
use crate::long_form::{counted, is_long};

/// System calls that change what is on disk, and how many of each are tried. Each is
/// counted for every thread apart.
const CALLS: &[(&str, usize)] =
    &[("pwrite64", 8), ("fdatasync", 7), ("fsync", 6), ("rename", 4), ("unlink", 3)];

/// More than the scenario makes of any.
const MOST_CALLS: usize = 200;

const MESSAGES: usize = 3;

/// Lives in a row that do not reach a call.
const MOST_SURVIVED: usize = 5;

/// System calls that a first start makes, and those of them that are tried.
const FIRST_CALLS: &[(&str, &[usize])] = &[
    ("mkdir", &[1, 8, 20]),
    ("openat", &[20, 26, 33]),
    ("pwrite64", &[1, 12, 30]),
    ("write", &[2, 9]),
    ("fsync", &[1, 3, 6]),
    ("rename", &[1, 2, 3]),
    ("fallocate", &[1, 2]),
];

const OPTIONS: &[&str] = &["--domain", "example.org", "--set", "greylist.enabled=false"];

#[test]
fn a_kill_at_any_write_sync_or_rename_loses_nothing_and_delivers_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(folder.path(), OPTIONS);
    daemon.ask(&["mailbox", "add", "alice@example.org"]);
    // Later starts write no zeros ahead, whose syncs would be counted.
    eventually("segments are made ahead", || is_prepared(folder.path()).then_some(()));
    daemon.terminate();
    let mut deaths = Vec::new();
    for (call, count) in CALLS {
        deaths.push((kill_at_each(folder.path(), call, *count), call));
    }
    let total: usize = deaths.iter().map(|(killed, _)| killed).sum();
    let each: Vec<_> = deaths.iter().map(|(killed, call)| format!("{killed} at {call}")).collect();
    counted(&format!("{total} kills at a system call ({}): 0 lost, 0 twice", each.join(", ")));
    assert!(total >= 12, "the server was killed only {total} times");
    assert!(deaths.iter().all(|(killed, _)| *killed > 0), "{each:?}");
}

#[test]
fn a_first_start_that_is_killed_at_any_call_is_completed_by_the_next() {
    let mut total = 0;
    for (call, indices) in FIRST_CALLS {
        if is_long() {
            let mut survived = 0;
            for index in 1..=MOST_CALLS {
                let died = is_completed_after(call, index);
                (total, survived) = if died { (total + 1, 0) } else { (total, survived + 1) };
                if survived == MOST_SURVIVED {
                    break;
                }
            }
        } else {
            total += indices.iter().filter(|index| is_completed_after(call, **index)).count();
        }
    }
    counted(&format!("{total} kills in a first start: all completed by the next"));
    assert!(total >= 12, "a first start was killed only {total} times");
}

/// Kills a first start at that call, starts again, and sends a message. Whether it died.
fn is_completed_after(call: &str, index: usize) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let mut doomed = Doomed::start(folder.path(), call, index);
    let died = eventually("a first start dies, or has made what it needs", || {
        let survives = || is_prepared(folder.path()).then_some(false);
        if doomed.has_died() { Some(true) } else { survives() }
    });
    doomed.end();
    let daemon = Daemon::start(folder.path(), OPTIONS);
    daemon.ask(&["mailbox", "add", "alice@example.org"]);
    assert!(send(daemon.mx, "hello"), "{call} {index}: it takes mail");
    eventually("the mail", || subjects(&daemon).contains_key("hello").then_some(()));
    let (status, log) = daemon.terminate();
    assert!(status.success() && !log.contains("damaged"), "{call} {index}: {status}\n{log}");
    died
}

/// Kills at the first `count` calls, in the long form at all; how often it died. A call
/// that so many lives in a row do not reach is beyond the scenario: one life may do without
/// it, as its threads share the work otherwise.
fn kill_at_each(data_dir: &Path, call: &str, count: usize) -> usize {
    let (mut killed, mut survived) = (0, 0);
    for index in 1..=if is_long() { MOST_CALLS } else { count } {
        if one_life(data_dir, call, index) {
            (killed, survived) = (killed + 1, 0);
        } else {
            survived += 1;
        }
        if is_long() && survived == MOST_SURVIVED {
            break;
        }
    }
    killed
}

/// Whether no zeros are written ahead any more.
pub(crate) fn is_prepared(data_dir: &Path) -> bool {
    let names = std::fs::read_dir(data_dir.join("spool")).into_iter().flatten();
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<String> = names.collect();
    let count = |prefix| names.iter().filter(|name| name.starts_with(prefix)).count();
    count("spare-") >= 2 && count("raw-") == 0
}

/// Starts the server, sends the messages while it dies at that call, starts it again, and
/// looks what arrived. Whether it died.
fn one_life(data_dir: &Path, call: &str, index: usize) -> bool {
    let name = |number| format!("{call}-{index}-{number}");
    let mut doomed = Doomed::start(data_dir, call, index);
    let server = doomed.mx();
    let accepted = server.map(|server| (0..MESSAGES).map(|n| send(server, &name(n))).collect());
    let accepted: Vec<bool> = accepted.unwrap_or_else(|| vec![false; MESSAGES]);
    let died = accepted.contains(&false);
    doomed.end();
    let daemon = Daemon::start(data_dir, OPTIONS);
    eventually(&format!("what was accepted arrives, {call} {index}"), || {
        let arrived = subjects(&daemon);
        let is_there = |number: usize| !accepted[number] || arrived.contains_key(&name(number));
        let queue = daemon.ask(&["queue", "--json"]);
        ((0..MESSAGES).all(is_there) && queue.trim() == "[]").then_some(())
    });
    for (subject, count) in subjects(&daemon) {
        assert_eq!(count, 1, "{subject} arrived {count} times");
    }
    let (status, log) = daemon.terminate();
    assert!(status.success() && !log.contains("damaged"), "{call} {index}: {status}\n{log}");
    died
}

/// A server that dies at a system call.
struct Doomed {
    strace: Child,
    said: std::sync::mpsc::Receiver<String>,
}

impl Doomed {
    fn start(data_dir: &Path, call: &str, index: usize) -> Doomed {
        let inject = format!("inject={call}:signal=KILL:when={index}");
        let mut strace = Command::new("strace")
            .args(["-f", "-qqq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject])
            .args([BINARY, "serve", "--listen-mx", "127.0.0.1:0"])
            .args(["--listen-submission", "127.0.0.1:0"])
            .args(OPTIONS)
            .arg("--data-dir")
            .arg(data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace starts");
        let said = lines_of(strace.stdout.take().expect("stdout is piped"));
        Doomed { strace, said }
    }

    /// Where it listens, unless it dies before it says so.
    fn mx(&mut self) -> Option<std::net::SocketAddr> {
        let line = self.said.iter().find(|line| line.split_whitespace().next() == Some("MX"))?;
        line.split_whitespace().find_map(|word| word.parse().ok())
    }

    fn has_died(&mut self) -> bool {
        self.strace.try_wait().expect("it can be asked").is_some()
    }

    /// Ends the server, where it still runs, as a power cut would, and waits for it.
    fn end(mut self) {
        if !self.has_died() {
            let pid = self.strace.id();
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            let children = children.unwrap_or_default();
            // One that has just died by itself is no trouble.
            let _ = Command::new("kill").arg("-KILL").args(children.split_whitespace()).output();
        }
        self.strace.wait().expect("strace ends with it");
    }
}

/// Whether the message had its 250.
fn send(server: std::net::SocketAddr, subject: &str) -> bool {
    let Some(mut peer) = crate::kill::Peer::connect(server) else { return false };
    peer.message(subject, "alice@example.org").unwrap_or(false)
}

/// How often each subject is in the mailbox.
fn subjects(daemon: &Daemon) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for path in daemon.new_mail("example.org", "alice") {
        let mail = std::fs::read_to_string(path).unwrap_or_default();
        let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: "));
        *found.entry(subject.unwrap_or_default().trim().to_owned()).or_default() += 1;
    }
    found
}
