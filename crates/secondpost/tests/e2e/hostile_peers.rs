//! Peers that cost a server its memory or its descriptors where it lets them: what the
//! daemon holds is bounded per session, whatever is sent, and it serves the next client.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::daemon::{BINARY, Daemon, eventually};
use crate::dialog::Dialog;

const MESSAGE: &str = "Subject: hello\r\n\r\nhello";
/// Connections of a kind of peer that does little, and of one that keeps the server busy.
const MANY: u64 = 200;
const FEW: u64 = 16;

/// Starts a daemon with a mailbox, for as many connections as the tests open.
fn start(folder: &Path) -> Daemon {
    let daemon = Daemon::start(folder, &["--set", "greylist.enabled=false"]);
    daemon.ask(&["mailbox", "add", "alice@localhost"]);
    daemon
}

fn serves(daemon: &Daemon) {
    let reply = Dialog::greeted(daemon.mx).message("a@example.org", "alice@localhost", MESSAGE);
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
}

fn in_a_message(server: SocketAddr) -> Dialog {
    let mut dialog = Dialog::greeted(server);
    for line in ["MAIL FROM:<a@example.org>", "RCPT TO:<alice@localhost>", "DATA"] {
        let reply = dialog.say(line);
        assert!(reply.starts_with(['2', '3']), "{reply}");
    }
    dialog
}

/// Each of so many `peers` as `open` makes may cost `kib` of memory at the peak.
fn check_memory<T>(peers: u64, kib: u64, open: impl Fn(&Daemon) -> T) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut daemon = start(folder.path());
    serves(&daemon);
    let before = daemon.peak_memory_kib();
    let opened: Vec<T> = (0..peers).map(|_| open(&daemon)).collect();
    serves(&daemon);
    let each = (daemon.peak_memory_kib() - before) / peers;
    assert!(each <= kib, "{each} KiB each, expected at most {kib}");
    daemon.assert_alive();
    drop(opened);
}

#[test]
fn a_line_of_a_megabyte_is_forgotten_while_it_is_read() {
    check_memory(MANY, 64, |daemon| {
        let mut dialog = Dialog::greeted(daemon.mx);
        dialog.send(&vec![b'x'; 1024 * 1024]);
        dialog
    });
}

#[test]
fn a_client_that_drops_its_message_in_costs_a_few_kib() {
    check_memory(MANY, 48, |daemon| {
        let mut dialog = in_a_message(daemon.mx);
        for _ in 0..4 {
            dialog.send(b"a line of a letter that nobody ends\r\n");
        }
        dialog
    });
}

#[test]
fn half_a_message_costs_what_is_read_at_once_and_not_its_length() {
    check_memory(MANY, 256, |daemon| {
        let mut dialog = in_a_message(daemon.mx);
        let line = [&[b'x'; 998][..], b"\r\n"].concat();
        dialog.send(&line.repeat(256));
        dialog
    });
}

#[test]
fn commands_whose_replies_nobody_reads_are_not_taken_for_ever() {
    check_memory(FEW, 1024, |daemon| {
        let stream = TcpStream::connect(daemon.mx).expect("the server listens");
        stream.set_nonblocking(true).expect("it can be made so");
        let group = b"RSET\r\n".repeat(4096);
        let full = (0..1000).find_map(|_| (&stream).write(&group).err());
        let full = full.expect("the server takes only so much").kind();
        assert_eq!(full, ErrorKind::WouldBlock);
        stream
    });
}

#[test]
fn a_flood_of_the_longest_recipients_is_bounded() {
    check_memory(FEW, 1024, |daemon| {
        let mut dialog = Dialog::greeted(daemon.mx);
        dialog.say("MAIL FROM:<a@example.org>");
        let tag = "t".repeat(200);
        let orcpt = "o".repeat(480);
        let rcpt = format!("RCPT TO:<alice+{tag}@localhost> ORCPT=rfc822;{orcpt}\r\n");
        let group = rcpt.repeat(20);
        for _ in 0..10 {
            dialog.send(group.as_bytes());
            for _ in 0..20 {
                let reply = dialog.hear();
                assert!(reply.starts_with("250 ") || reply.starts_with("452 4.5.3 "), "{reply}");
            }
        }
        assert!(dialog.say(rcpt.trim_end()).starts_with("452 4.5.3 "));
        dialog
    });
}

/// With 64 descriptors there is room for a few sessions: others hear 421 or nothing, those
/// that are in can send, and when they leave there is room again.
#[test]
fn out_of_descriptors_it_sheds_and_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", BINARY]);
    shell.stdin(Stdio::null());
    let arguments = ["--set", "greylist.enabled=false", "--set", "log.level=warn"];
    let mut daemon = Daemon::start_as(shell, folder.path(), &arguments);
    daemon.ask(&["mailbox", "add", "alice@localhost"]);
    let mut crowd: Vec<Dialog> = (0..100).map(|_| Dialog::connect(daemon.mx)).collect();
    let greetings: Vec<String> = crowd.iter_mut().map(|one| one.hear_or_lose()).collect();
    let greeted = greetings.iter().filter(|greeting| greeting.starts_with("220 ")).count();
    let shed = greetings.iter().filter(|greeting| greeting.starts_with("421 4.3.2 ")).count();
    assert!((1..50).contains(&greeted) && shed > 0, "{greeted} in, {shed} shed");

    let inside = greetings.iter().position(|greeting| greeting.starts_with("220 "));
    let one = &mut crowd[inside.expect("one is in")];
    assert!(one.say("EHLO client.test").starts_with("250"));
    let reply = one.message("a@example.org", "alice@localhost", MESSAGE);
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");

    drop(crowd);
    eventually("there is room again", || {
        Dialog::connect(daemon.mx).hear_or_lose().starts_with("220 ").then_some(())
    });
    serves(&daemon);
    daemon.assert_alive();
}
