//! `kill -9` under load, twenty times: nothing that had its 250 is missing.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::daemon::{Daemon, eventually};

const CYCLES: usize = 20;
const SENDERS: usize = 4;

#[test]
fn nothing_that_had_its_250_is_missing_after_twenty_kills() {
    let folder = tempfile::tempdir().expect("a folder");
    let acknowledged = Arc::new(Mutex::new(HashSet::new()));
    for cycle in 0..CYCLES {
        one_life(folder.path(), cycle, &acknowledged);
    }
    let acknowledged = acknowledged.lock().expect("no sender panicked").clone();
    assert!(acknowledged.len() >= CYCLES, "only {} accepted", acknowledged.len());
    let daemon = started(folder.path());
    eventually("the queue drains", || {
        let arrived = subjects(&daemon);
        let missing: Vec<&String> = acknowledged.difference(&arrived).collect();
        missing.is_empty().then_some(())
    });
}

fn started(folder: &Path) -> Daemon {
    Daemon::start(folder, &["--domain", "example.org", "--set", "greylist.enabled=false"])
}

/// Starts the daemon, loads it until some dozens of messages are accepted, kills it.
fn one_life(folder: &Path, cycle: usize, acknowledged: &Arc<Mutex<HashSet<String>>>) {
    let mut daemon = started(folder);
    if cycle == 0 {
        daemon.ask(&["mailbox", "add", "alice@example.org"]);
    }
    let goal = acknowledged.lock().expect("no sender panicked").len() + 20 + 7 * cycle;
    let dead = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (accepted, dead, server) = (acknowledged.clone(), dead.clone(), daemon.mx);
            std::thread::spawn(move || send_until(&dead, server, cycle, sender, &accepted))
        })
        .collect();
    eventually(&format!("the load of cycle {cycle} is accepted"), || {
        daemon.assert_alive();
        (acknowledged.lock().expect("no sender panicked").len() >= goal).then_some(())
    });
    daemon.kill();
    dead.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.join().expect("no sender panicked");
    }
}

/// Sends numbered messages until the server is gone; notes each that had its 250.
fn send_until(
    dead: &AtomicBool,
    server: SocketAddr,
    cycle: usize,
    sender: usize,
    acknowledged: &Mutex<HashSet<String>>,
) {
    let Some(mut peer) = Peer::connect(server) else { return };
    for number in 0.. {
        if dead.load(Ordering::Relaxed) {
            return;
        }
        let subject = format!("kill-{cycle}-{sender}-{number}");
        match peer.message(&subject) {
            Some(true) => acknowledged.lock().expect("no sender panicked").insert(subject),
            Some(false) => panic!("{subject} was refused"),
            None => return,
        };
    }
}

/// A client that survives the death of its server.
pub(crate) struct Peer(std::io::BufReader<std::net::TcpStream>);

impl Peer {
    pub(crate) fn connect(server: SocketAddr) -> Option<Peer> {
        let mut peer = Peer(std::io::BufReader::new(std::net::TcpStream::connect(server).ok()?));
        peer.hear()?;
        peer.say("HELO client.test\r\n")?;
        Some(peer)
    }

    /// Whether the message was accepted; nothing where the server is gone.
    pub(crate) fn message(&mut self, subject: &str) -> Option<bool> {
        self.say("MAIL FROM:<a@peer.test>\r\n")?;
        self.say("RCPT TO:<alice@example.org>\r\n")?;
        self.say("DATA\r\n")?;
        let filling = "0123456789abcdef\r\n".repeat(200);
        let reply = self.say(&format!("Subject: {subject}\r\n\r\n{filling}.\r\n"))?;
        Some(reply.starts_with("250"))
    }

    fn say(&mut self, text: &str) -> Option<String> {
        use std::io::Write;
        self.0.get_mut().write_all(text.as_bytes()).ok()?;
        self.hear()
    }

    fn hear(&mut self) -> Option<String> {
        use std::io::BufRead;
        let mut line = String::new();
        let read = self.0.read_line(&mut line).ok()?;
        (read > 0 && line.ends_with('\n')).then_some(line)
    }
}

fn subjects(daemon: &Daemon) -> HashSet<String> {
    let files = daemon.new_mail("example.org", "alice");
    let subject = |path| {
        let mail = std::fs::read_to_string(path).ok()?;
        let line = mail.lines().find_map(|line| line.strip_prefix("Subject: "))?;
        Some(line.trim().to_owned())
    };
    files.into_iter().filter_map(subject).collect()
}
