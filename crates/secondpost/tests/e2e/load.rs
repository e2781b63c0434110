//! Mail for a dead host in masses, and beside it mail for a living one: that is not held
//! up, and what the server holds does not grow.
//!
//! In the short form there are 2,000 messages for the dead host, and two seconds of load.
//! `SECONDPOST_LOAD_SECONDS=3600` makes 100,000 and an hour of it, at 70 % of what the
//! server takes at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::daemon::{Daemon, eventually};
use crate::dialog::Dialog;
use crate::long_form::{counted, now};
use crate::sink::{Deaf, Sink};

const SENDERS: usize = 8;
/// Of what the server takes at once.
const SHARE_PERCENT: u32 = 70;
/// The longest that mail for the dead host may hold up mail for the living one.
const HELD_UP: Duration = Duration::from_secs(1);
const SAMPLES: u32 = 60;
/// How long it is measured what the server takes.
const LONGEST_MEASURE: Duration = Duration::from_secs(5);

#[test]
fn mail_to_a_dead_host_holds_up_nobody_and_nothing_grows_under_load() {
    let seconds = std::env::var("SECONDPOST_LOAD_SECONDS").ok();
    let seconds: Option<u32> = seconds.map(|seconds| seconds.parse().expect("a number"));
    let length = Duration::from_secs(u64::from(seconds.unwrap_or(2)));
    let mut world = World::new();
    let dead = if seconds.is_some() { 100_000 } else { 2_000 };
    world.submit_to_the_dead(dead);
    let held_up = world.probe("beside the dead");
    let rate = world.capacity((length / 10).min(LONGEST_MEASURE)) * SHARE_PERCENT / 100;
    let samples = world.load(length, rate);
    world.daemon.assert_alive();
    report(dead, held_up, rate, &samples);
    assert_eq!(world.messages_of("dead.test"), dead, "what the dead host gets is still there");
    // On a busy machine a second may be short; that it comes at all is always asserted.
    let longest = samples.iter().map(|sample| sample.held_up).max().unwrap_or_default();
    if seconds.is_some() {
        assert!(held_up.max(longest) <= HELD_UP, "held up for {:?}", held_up.max(longest));
        assert_flat(&samples);
    }
}

/// What the server holds, now and then.
#[derive(Clone, Copy, Debug)]
struct Sample {
    memory_kib: u64,
    descriptors: u64,
    /// Accepted for the living host, and not there yet.
    under_way: usize,
    held_up: Duration,
}

fn report(dead: usize, held_up: Duration, rate: u32, samples: &[Sample]) {
    let (first, last) = (samples[0], samples[samples.len() - 1]);
    let longest = samples.iter().map(|sample| sample.held_up).max().unwrap_or_default();
    counted(&format!(
        "{dead} messages to a dead host: one to a living host took {} ms, at most {} ms under load",
        held_up.as_millis(),
        longest.as_millis()
    ));
    counted(&format!(
        "{rate} messages/s: memory {} to {} KiB, descriptors {} to {}, under way {} to {}",
        first.memory_kib,
        last.memory_kib,
        first.descriptors,
        last.descriptors,
        first.under_way,
        last.under_way
    ));
}

/// The last quarter of a run holds no more than the first one.
fn assert_flat(samples: &[Sample]) {
    let quarter = samples.len().div_ceil(4);
    let (first, last) = (&samples[..quarter], &samples[samples.len() - quarter..]);
    let check = |what: &str, of: fn(&Sample) -> u64, slack: u64| {
        let most = |samples: &[Sample]| samples.iter().map(of).max().unwrap_or_default();
        let (first, last) = (most(first), most(last));
        assert!(last <= first + first / 10 + slack, "{what} grew from {first} to {last}");
    };
    check("memory in KiB", |sample| sample.memory_kib, 8 << 10);
    check("the number of descriptors", |sample| sample.descriptors, 32);
    check("what is under way", |sample| sample.under_way as u64, 500);
}

struct World {
    _folder: tempfile::TempDir,
    daemon: Daemon,
    living: Sink,
    _deaf: Deaf,
    probes: usize,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let (living, deaf) = (Sink::willing(), Deaf::start());
        let routes = format!(
            "routes={{\"living.test\"=\"127.0.0.1:{}\",\"dead.test\"=\"127.0.0.1:{}\"}}",
            living.port, deaf.port
        );
        let options = ["--domain", "example.org", "--set", "log.level=warn", "--set", &routes];
        let daemon = Daemon::start(folder.path(), &options);
        World { _folder: folder, daemon, living, _deaf: deaf, probes: 0 }
    }

    fn submit_to_the_dead(&self, count: usize) {
        let next = Arc::new(AtomicUsize::new(0));
        self.senders(|client, _| {
            let more = next.fetch_add(1, Ordering::Relaxed) < count;
            if more {
                send(client, "bob@dead.test", "dead");
            }
            more
        });
    }

    /// Runs `act` in each sender again and again, until it says that it is done.
    fn senders(&self, act: impl Fn(&mut Dialog, usize) -> bool + Sync) {
        let server = self.daemon.submission;
        thread::scope(|scope| {
            for sender in 0..SENDERS {
                let act = &act;
                scope.spawn(move || {
                    let mut client = Dialog::greeted(server);
                    while act(&mut client, sender) {}
                });
            }
        });
    }

    /// How long a message to the living host takes, from its 250.
    fn probe(&mut self, what: &str) -> Duration {
        self.probes += 1;
        let name = format!("probe {} {what}", self.probes);
        let mut client = Dialog::greeted(self.daemon.submission);
        send(&mut client, "bob@living.test", &name);
        let accepted = now();
        let came = eventually(&format!("{name} comes"), || {
            self.living.took().get(&name).map(|came| came[0])
        });
        came.saturating_duration_since(accepted)
    }

    /// Messages a second that the server takes and delivers at most, over so long.
    fn capacity(&self, length: Duration) -> u32 {
        let (accepted, before, began) = (AtomicUsize::new(0), self.living.count(), now());
        self.senders(|client, _| {
            send(client, "bob@living.test", "capacity");
            accepted.fetch_add(1, Ordering::Relaxed);
            began.elapsed() < length
        });
        let all = before + accepted.into_inner();
        eventually("all are delivered", || (self.living.count() >= all).then_some(()));
        let rate = (all - before) as f64 / began.elapsed().as_secs_f64();
        (rate as u32).max(SENDERS as u32)
    }

    /// Sends `rate` messages a second for so long; samples now and then.
    fn load(&mut self, length: Duration, rate: u32) -> Vec<Sample> {
        let (accepted, before) = (AtomicUsize::new(0), self.living.count());
        let began = now();
        let pause = Duration::from_secs(1) * SENDERS as u32 / rate;
        let server = self.daemon.submission;
        let mut samples = Vec::new();
        thread::scope(|scope| {
            for _ in 0..SENDERS {
                let accepted = &accepted;
                scope.spawn(move || {
                    let mut client = Dialog::greeted(server);
                    for turn in 0.. {
                        // An open loop: the next message has its time, whatever the last took.
                        thread::sleep((began + pause * turn).saturating_duration_since(now()));
                        if began.elapsed() >= length {
                            break;
                        }
                        send(&mut client, "bob@living.test", "load");
                        accepted.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            for turn in 1..=SAMPLES {
                let at = began + length * turn / (SAMPLES + 1);
                thread::sleep(at.saturating_duration_since(now()));
                if turn > 1 && length < Duration::from_secs(60) && turn % 20 != 0 {
                    continue;
                }
                let held_up = self.probe("under load");
                let came = self.living.count() - before;
                let under_way =
                    (accepted.load(Ordering::Relaxed) + samples.len()).saturating_sub(came);
                let (memory_kib, descriptors) =
                    (self.daemon.memory_kib(), self.daemon.descriptors());
                samples.push(Sample { memory_kib, descriptors, under_way, held_up });
                eprintln!("{:>5} s: {:?}", began.elapsed().as_secs(), samples[samples.len() - 1]);
            }
        });
        samples
    }

    fn messages_of(&self, domain: &str) -> usize {
        let queue = self.daemon.ask(&["queue", "--json"]);
        let queue: Vec<serde_json::Value> = serde_json::from_str(&queue).expect("JSON");
        let is_for = |message: &&serde_json::Value| message.to_string().contains(domain);
        queue.iter().filter(is_for).count()
    }
}

fn send(client: &mut Dialog, to: &str, name: &str) {
    let text = format!("Subject: {name}\r\n\r\n{}", "0123456789abcdef\r\n".repeat(50));
    let reply = client.message("alice@example.org", to, &text);
    assert!(reply.starts_with("250 "), "{reply}");
}
