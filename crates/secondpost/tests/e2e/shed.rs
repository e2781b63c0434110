//! More than there is room for: connections, descriptors, messages under way. Whoever is too
//! many hears 421 or waits, whoever is in is served, and when they leave there is room again.

use std::process::{Command, Stdio};

use crate::daemon::{BINARY, Daemon, eventually};
use crate::dialog::Dialog;
use crate::long_form::{counted, times};

const MESSAGE: &str = "Subject: hello\r\n\r\nhello";

fn serves(daemon: &Daemon) {
    let reply = Dialog::greeted(daemon.mx).message("a@example.org", "alice@localhost", MESSAGE);
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
}

fn started(folder: &std::path::Path, settings: &[&str]) -> Daemon {
    let mut arguments = vec!["--set", "greylist.enabled=false", "--set", "log.level=warn"];
    settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
    let daemon = Daemon::start(folder, &arguments);
    daemon.ask(&["mailbox", "add", "alice@localhost"]);
    daemon
}

/// Opens so many connections; the first line that each hears.
fn crowd(daemon: &Daemon, count: usize) -> (Vec<Dialog>, Vec<String>) {
    let mut crowd: Vec<Dialog> = (0..count).map(|_| Dialog::connect(daemon.mx)).collect();
    let heard = crowd.iter_mut().map(Dialog::hear_or_lose).collect();
    (crowd, heard)
}

fn count(heard: &[String], start: &str) -> usize {
    heard.iter().filter(|line| line.starts_with(start)).count()
}

/// Who got in can send; when all have left, others get in.
fn check_that_it_recovers(daemon: &mut Daemon, mut crowd: Vec<Dialog>, heard: &[String]) {
    let inside = heard.iter().position(|line| line.starts_with("220 ")).expect("one is in");
    let one = &mut crowd[inside];
    assert!(one.say("EHLO client.test").starts_with("250"));
    let reply = one.message("a@example.org", "alice@localhost", MESSAGE);
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    drop(crowd);
    eventually("there is room again", || {
        Dialog::connect(daemon.mx).hear_or_lose().starts_with("220 ").then_some(())
    });
    serves(daemon);
    daemon.assert_alive();
}

#[test]
fn connections_over_the_limit_hear_421_and_the_others_are_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut daemon = started(folder.path(), &["limits.connections=10"]);
    let mut shed = 0;
    for _ in 0..3 * times() {
        // Those of the round before may still be leaving.
        let (crowd, heard) = eventually("ten get in", || {
            Some(crowd(&daemon, 40)).filter(|(_, heard)| count(heard, "220 ") == 10)
        });
        // Some may be closed without a word: so many are told at once.
        assert!(count(&heard, "421 4.3.2 ") >= 20, "{heard:?}");
        shed += count(&heard, "421 4.3.2 ");
        check_that_it_recovers(&mut daemon, crowd, &heard);
    }
    counted(&format!("{shed} connections over the limit were told 421; it served on"));
}

#[test]
fn a_client_with_too_many_connections_hears_421_4_7_0() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut daemon = started(folder.path(), &["limits.connections_per_client=5"]);
    let (crowd, heard) = crowd(&daemon, 20);
    assert_eq!((count(&heard, "220 "), count(&heard, "421 4.7.0 ")), (5, 15), "{heard:?}");
    check_that_it_recovers(&mut daemon, crowd, &heard);
}

/// With 64 descriptors there is room for a few sessions.
#[test]
fn out_of_descriptors_it_sheds_and_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", BINARY]);
    shell.stdin(Stdio::null());
    let arguments = ["--set", "greylist.enabled=false", "--set", "log.level=warn"];
    let mut daemon = Daemon::start_as(shell, folder.path(), &arguments);
    daemon.ask(&["mailbox", "add", "alice@localhost"]);
    let (crowd, heard) = crowd(&daemon, 100);
    let (greeted, shed) = (count(&heard, "220 "), count(&heard, "421 4.3.2 "));
    assert!((1..50).contains(&greeted) && shed > 0, "{greeted} in, {shed} shed");
    check_that_it_recovers(&mut daemon, crowd, &heard);
}

/// The limit falls while it runs, until not one more file can be opened: what was accepted
/// is neither lost nor refused, and goes when there are descriptors again.
#[test]
fn without_one_descriptor_left_it_loses_nothing_and_goes_on_when_there_are_some() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut daemon = started(folder.path(), &[]);
    let mut client = Dialog::greeted(daemon.mx);
    let mut accepted = 0;
    for round in 0..3 * times() {
        daemon.limit_descriptors("1");
        for _ in 0..20 {
            client.say("RSET");
            let reply = client.message("a@example.org", "alice@localhost", MESSAGE);
            // It may say that it cannot now, and never that it never can.
            assert!(reply.starts_with(['2', '4']), "round {round}: {reply}");
            accepted += usize::from(reply.starts_with("250 "));
        }
        let mut shed = std::net::TcpStream::connect(daemon.mx).expect("the system takes it");
        daemon.limit_descriptors("1024");
        let mut greeting = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(&mut shed), &mut greeting)
            .expect("it is served when there are descriptors");
        assert!(greeting.starts_with("220 "), "{greeting}");
        serves(&daemon);
        accepted += 1;
    }
    eventually("all that was accepted is delivered", || {
        for id in daemon.queued() {
            daemon.run(&["queue", "retry", &id]);
        }
        (daemon.new_mail("localhost", "alice").len() >= accepted).then_some(())
    });
    assert_eq!(daemon.new_mail("localhost", "alice").len(), accepted, "nothing came twice");
    counted(&format!("{accepted} messages accepted around times without a descriptor: 0 lost"));
    daemon.assert_alive();
}

/// A hundred clients send more than the memory for what is on its way to the disk.
#[test]
fn many_large_messages_at_once_wait_for_the_disk_and_not_in_memory() {
    const CLIENTS: usize = 60;
    const OCTETS: usize = 3 << 20;
    /// What waits for the disk (32 MiB, and as much again in buffers), and each session's.
    const MOST_KIB: u64 = (64 << 10) + CLIENTS as u64 * 1024;
    let folder = tempfile::tempdir().expect("a folder");
    let mut daemon = started(folder.path(), &[]);
    serves(&daemon);
    let before = daemon.peak_memory_kib();
    let text = "0123456789abcdef".repeat(60) + "\r\n";
    let text = text.repeat(OCTETS / text.len());
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let (text, server) = (&text, daemon.mx);
            scope.spawn(move || {
                let reply =
                    Dialog::greeted(server).message("a@example.org", "alice@localhost", text);
                assert!(reply.starts_with("250 "), "{reply}");
            });
        }
    });
    let grown = daemon.peak_memory_kib() - before;
    counted(&format!("{CLIENTS} messages of 3 MiB at once: {} MiB of memory more", grown >> 10));
    assert!(grown <= MOST_KIB, "{grown} KiB, at most {MOST_KIB}");
    eventually("all are delivered", || {
        (daemon.new_mail("localhost", "alice").len() == CLIENTS + 1).then_some(())
    });
    daemon.assert_alive();
}
