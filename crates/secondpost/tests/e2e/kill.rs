//! `kill -9` under mixed load: mail for a mailbox, for a peer, for nobody, and commands on
//! the queue. Whatever had its 250 has arrived in the end, or its sender has been told.
//!
//! A mailbox gets nothing twice. A peer may, where it took a message and we were killed
//! before that was written down; each such message is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use crate::daemon::{Daemon, eventually};
use crate::long_form::{Progress, counted, is_long, now, times};
use crate::sink::Sink;

/// Kills of one server.
const CYCLES: usize = 20;
/// Who takes a message: its number, and the way it goes.
const TO: [&str; 3] = ["alice@example.org", "bob@willing.test", "nobody@refuses.test"];
const SENDERS: usize = 4;
/// The most that may come twice, of a thousand that were accepted.
const TWICE_PER_MILLE: usize = 3;

#[test]
fn nothing_that_had_its_250_is_missing_after_kills_under_mixed_load() {
    let (rounds, mut sum) = (times(), Counts::default());
    let mut progress = Progress::of("kills", CYCLES * rounds);
    for round in 0..rounds {
        let mut world = World::new();
        for cycle in 0..CYCLES {
            world.one_life(cycle);
            progress.at(round * CYCLES + cycle);
        }
        sum.add(&world.counts());
    }
    let Counts { kills, commands, accepted, in_mailbox, at_peer, told } = sum;
    counted(&format!(
        "{kills} kills, {commands} queue commands, {accepted} messages accepted: 0 lost; \
         twice: {in_mailbox} in a mailbox, {at_peer} at a peer, {told} notifications"
    ));
    assert!(accepted >= 10 * kills, "only {accepted} accepted");
    assert_eq!(in_mailbox, 0, "a mailbox got a message twice");
    // Lives of the short form are so short that what is under way at a kill is much of it.
    let (twice, most) = (at_peer + told, accepted * TWICE_PER_MILLE / 1000);
    assert!(!is_long() || twice <= most, "{twice} came twice, at most {most} may");
}

#[derive(Default)]
struct Counts {
    kills: usize,
    commands: usize,
    accepted: usize,
    /// What came twice, by where it came.
    in_mailbox: usize,
    at_peer: usize,
    told: usize,
}

impl Counts {
    fn add(&mut self, one: &Counts) {
        self.kills += one.kills;
        self.commands += one.commands;
        self.accepted += one.accepted;
        self.in_mailbox += one.in_mailbox;
        self.at_peer += one.at_peer;
        self.told += one.told;
    }
}

/// What had its 250, and to whom it goes.
type Accepted = BTreeMap<String, &'static str>;

struct World {
    folder: tempfile::TempDir,
    willing: Sink,
    refuses: Sink,
    accepted: Arc<Mutex<Accepted>>,
    kills: Vec<Instant>,
    commands: usize,
}

impl World {
    fn new() -> World {
        let refuses =
            Sink::start(|line| line.starts_with("RCPT").then_some("550 5.1.1 nobody\r\n"));
        let world = World {
            folder: tempfile::tempdir().expect("a folder"),
            willing: Sink::willing(),
            refuses,
            accepted: Arc::default(),
            kills: Vec::new(),
            commands: 0,
        };
        world.started().ask(&["mailbox", "add", "alice@example.org"]);
        world
    }

    fn accepted(&self) -> MutexGuard<'_, Accepted> {
        self.accepted.lock().expect("no sender panicked")
    }

    fn started(&self) -> Daemon {
        let (willing, refuses) = (self.willing.port, self.refuses.port);
        let routes = format!(
            "routes={{\"willing.test\"=\"127.0.0.1:{willing}\",\
             \"refuses.test\"=\"127.0.0.1:{refuses}\"}}"
        );
        let options = ["--domain", "example.org", "--set", "log.level=warn", "--set", &routes];
        Daemon::start(self.folder.path(), &options)
    }

    /// Starts the daemon, loads it until some dozens of messages are accepted, kills it.
    fn one_life(&mut self, cycle: usize) {
        let mut daemon = self.started();
        let more = if is_long() { 500 + 50 * (cycle * 13 % CYCLES) } else { 20 + 7 * cycle };
        let goal = self.accepted().len() + more;
        let dead = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (accepted, dead) = (self.accepted.clone(), dead.clone());
                let server = daemon.submission;
                std::thread::spawn(move || send_until(&dead, server, cycle, sender, &accepted))
            })
            .collect();
        // Commands cost a process each: every other life has some.
        if cycle.is_multiple_of(2) {
            self.commands += command_some(&daemon, cycle);
        }
        eventually(&format!("the load of cycle {cycle} is accepted"), || {
            daemon.assert_alive();
            (self.accepted().len() >= goal).then_some(())
        });
        daemon.kill();
        self.kills.push(now());
        dead.store(true, Ordering::Relaxed);
        senders.into_iter().for_each(|sender| sender.join().expect("no sender panicked"));
    }

    /// Lets everything go that is left, and looks where all that was accepted has come to.
    fn counts(&self) -> Counts {
        let accepted = self.accepted().clone();
        let ends = self.drain();
        let mut twice = BTreeMap::from(TO.map(|to| (to, 0)));
        let mut missing = Vec::new();
        for (subject, to) in &accepted {
            match ends[to].get(subject) {
                None => missing.push(subject),
                Some(times) => *twice.get_mut(to).expect("one of three ways") += times - 1,
            }
        }
        let (accepted, lost) = (accepted.len(), missing.len());
        assert!(missing.is_empty(), "{lost} of {accepted} are missing: {missing:?}");
        self.check_repeated();
        let (kills, commands) = (self.kills.len(), self.commands);
        let [in_mailbox, at_peer, told] = TO.map(|to| twice[to]);
        Counts { kills, commands, accepted, in_mailbox, at_peer, told }
    }

    /// Lets everything that is left go; how often each message came to each of its ends.
    fn drain(&self) -> BTreeMap<&'static str, BTreeMap<String, usize>> {
        let daemon = self.started();
        eventually("the queue drains", || {
            let left = daemon.queued();
            for ids in left.chunks(40) {
                daemon.run(&command("release", ids));
                daemon.run(&command("retry", ids));
            }
            left.is_empty().then_some(())
        });
        let at_peer = self.willing.took().into_iter().map(|(name, came)| (name, came.len()));
        let (mailbox, told) = in_mailbox(&daemon);
        [mailbox, at_peer.collect(), told]
            .into_iter()
            .zip(TO)
            .map(|(ends, to)| (to, ends))
            .collect()
    }

    /// Between two arrivals of one message lies a kill.
    fn check_repeated(&self) {
        for (subject, came) in self.willing.took() {
            for pair in came.windows(2) {
                let is_excused = self.kills.iter().any(|kill| (pair[0]..pair[1]).contains(kill));
                assert!(is_excused, "{subject} came twice within one life");
            }
        }
    }
}

/// Holds, releases and retries what waits; how many commands that took.
fn command_some(daemon: &Daemon, cycle: usize) -> usize {
    let ids = daemon.queued();
    let some = &ids[..ids.len().min(3)];
    let action = ["hold", "retry", "release"][cycle / 2 % 3];
    if some.is_empty() {
        return 1;
    }
    // What has just left is no trouble.
    daemon.run(&command(action, some));
    2
}

fn command<'a>(action: &'a str, ids: &'a [String]) -> Vec<&'a str> {
    ["queue", action].into_iter().chain(ids.iter().map(String::as_str)).collect()
}

/// Sends numbered messages until the server is gone; notes each that had its 250.
fn send_until(
    dead: &AtomicBool,
    server: SocketAddr,
    cycle: usize,
    sender: usize,
    accepted: &Mutex<Accepted>,
) {
    let Some(mut peer) = Peer::connect(server) else { return };
    for number in 0.. {
        if dead.load(Ordering::Relaxed) {
            return;
        }
        let (subject, to) = (format!("kill-{cycle}-{sender}-{number}"), TO[number % TO.len()]);
        match peer.message(&subject, to) {
            Some(true) => accepted.lock().expect("no sender panicked").insert(subject, to),
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
    pub(crate) fn message(&mut self, subject: &str, to: &str) -> Option<bool> {
        self.say("MAIL FROM:<alice@example.org>\r\n")?;
        self.say(&format!("RCPT TO:<{to}>\r\n"))?;
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

/// How often each message is in the mailbox, and how often its sender was told of it there.
fn in_mailbox(daemon: &Daemon) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
    let (mut mail, mut told) = (BTreeMap::new(), BTreeMap::new());
    for path in daemon.new_mail("example.org", "alice") {
        let text = std::fs::read_to_string(path).expect("mail can be read");
        let subjects: BTreeSet<&str> =
            text.lines().filter_map(|line| line.strip_prefix("Subject: ")).map(str::trim).collect();
        let ours = subjects.into_iter().find(|subject| subject.starts_with("kill-"));
        let ends = if text.contains("Action: failed") { &mut told } else { &mut mail };
        *ends.entry(ours.expect("a message of ours").to_owned()).or_insert(0) += 1;
    }
    (mail, told)
}
