//! Clients that cost a server its memory where it lets them, or that do what none should:
//! what the daemon holds is bounded per session, whatever is sent, each hears what is
//! right, and the next client is served.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use crate::daemon::{Daemon, eventually};
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

/// Everything in one piece, the message and what follows it behind the envelope: it is taken
/// as the commands and the message that it is.
#[test]
fn a_client_that_pipelines_everything_is_heard_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = start(folder.path());
    let mut dialog = Dialog::open(daemon.mx);
    let envelope = "MAIL FROM:<a@example.org>\r\nRCPT TO:<alice@localhost>\r\nDATA\r\n";
    let mut all = "EHLO client.test\r\n".to_owned();
    for number in 0..50 {
        all += &format!("{envelope}Subject: {number}\r\n\r\nQUIT\r\n..\r\n.\r\n");
    }
    all += "QUIT\r\n";
    dialog.send(all.as_bytes());
    assert!(dialog.hear().starts_with("250-"));
    for number in 0..50 {
        let replies: Vec<String> = (0..4).map(|_| dialog.hear()).collect();
        let codes: Vec<&str> = replies.iter().map(|reply| &reply[..3]).collect();
        assert_eq!(codes, ["250", "250", "354", "250"], "{number}: {replies:?}");
    }
    assert!(dialog.hear().starts_with("221 "));
    assert_eq!(dialog.hear(), "");
    serves(&daemon);
}

/// RFC 3030 has the octets of a refused chunk read.
#[test]
fn a_chunk_longer_than_any_message_takes_no_memory() {
    for size in ["9223372036854775808", "18446744073709551615", "18446744073709551616"] {
        check_memory(FEW, 512, |daemon| {
            let mut dialog = Dialog::greeted(daemon.mx);
            dialog.say("MAIL FROM:<a@example.org>");
            dialog.say("RCPT TO:<alice@localhost>");
            dialog.send(format!("BDAT {size} LAST\r\n").as_bytes());
            // It is read to its end, which never comes, and kept nowhere.
            for _ in 0..512 {
                if dialog.try_send(&[b'x'; 4096]).is_err() {
                    break;
                }
            }
            dialog
        });
    }
}

#[test]
fn a_message_that_dribbles_in_arrives_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = start(folder.path());
    let mut dialog = Dialog::open(daemon.mx);
    let text = "HELO client.test\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<alice@localhost>\r\n\
                DATA\r\nSubject: drops\r\n\r\n..\r\nend\r\n.\r\nQUIT\r\n";
    text.bytes().for_each(|octet| dialog.send(&[octet]));
    let replies: Vec<String> = (0..6).map(|_| dialog.hear()).collect();
    let codes: Vec<&str> = replies.iter().map(|reply| &reply[..3]).collect();
    assert_eq!(codes, ["250", "250", "250", "354", "250", "221"], "{replies:?}");
    let file = eventually("it is delivered", || daemon.new_mail("localhost", "alice").pop());
    let mail = std::fs::read_to_string(file).expect("mail can be read").replace('\r', "");
    assert!(mail.ends_with("\n\n.\nend\n"), "{mail:?}");
}

/// Cut off at each octet: nothing arrives but what had its final dot.
#[test]
fn a_client_that_leaves_at_any_octet_leaves_no_message_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = start(folder.path());
    let text = "EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<alice@localhost>\r\n\
                DATA\r\nSubject: half\r\n\r\nhello\r\n.\r\n";
    for end in 0..text.len() - 2 {
        let mut dialog = Dialog::connect(daemon.mx);
        dialog.send(&text.as_bytes()[..end]);
    }
    serves(&daemon);
    eventually("the next one's arrives", || {
        (!daemon.new_mail("localhost", "alice").is_empty()).then_some(())
    });
    assert_eq!(daemon.new_mail("localhost", "alice").len(), 1, "half a message was delivered");
    let queue = daemon.ask(&["queue", "--json"]);
    assert_eq!(queue.trim(), "[]");
}
