//! Clocks that are set by days, while the server runs and while it does not: retries go on
//! at their pace, neither in a storm nor after a day of silence.
//!
//! The binary is the shipped one; libfaketime moves the time of day under it, and leaves
//! the steady clock alone, as `date --set` does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::daemon::{BINARY, Daemon, eventually, free_port};
use crate::dialog::Dialog;
use crate::long_form::{counted, now, times};
use crate::sink::Sink;

/// What the clock shows beside the true time, as libfaketime reads it.
const JUMPS: [&str; 4] = ["+0", "+5d", "+4d", "-1d"];
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(1);
/// Attempts that have to come after each jump.
const ATTEMPTS: usize = 3;

/// The attempts that the peer saw, since the test began.
static SEEN: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

#[test]
fn retries_keep_their_pace_when_the_clock_is_set_by_days() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = folder.path().join("clock");
    let deferring = Sink::start(|line| {
        let is_attempt = line.starts_with("RCPT");
        if is_attempt {
            SEEN.lock().expect("no dialog panicked").push(now());
        }
        is_attempt.then_some("451 4.3.0 later\r\n")
    });
    set(&clock, JUMPS[0]);
    let mut daemon = started(&folder.path().join("data"), &clock, deferring.port);
    let mut client = Dialog::greeted(daemon.submission);
    for to in ["bob@deferring.test", "bob@dead.test"] {
        let reply = client.message("a@example.org", to, "Subject: later\r\n\r\nhello");
        assert!(reply.starts_with("250 "), "{reply}");
    }
    let (mut jumps, mut fewest) = (0, usize::MAX);
    for round in 0..times() {
        for (at, shown) in JUMPS.iter().enumerate() {
            set(&clock, shown);
            // Every other jump is met by a start.
            if (round + at) % 2 == 1 {
                daemon.terminate();
                daemon = started(&folder.path().join("data"), &clock, deferring.port);
            }
            fewest = fewest.min(keeps_its_pace(shown));
            jumps += 1;
        }
    }
    let dead = daemon.ask(&["queue", "--json"]);
    assert!(dead.contains("bob@dead.test"), "nobody gives up before its time: {dead}");
    counted(&format!("{jumps} jumps of the clock by days: retries came every second after each"));
    assert!(fewest >= ATTEMPTS);
}

/// Waits for further attempts: they come, and none comes too soon after the one before.
fn keeps_its_pace(shown: &str) -> usize {
    let before = SEEN.lock().expect("no dialog panicked").len();
    let seen = eventually(&format!("attempts after the clock was set to {shown}"), || {
        let seen = SEEN.lock().expect("no dialog panicked").clone();
        (seen.len() >= before + ATTEMPTS).then(|| seen[before..].to_vec())
    });
    for pair in seen.windows(2) {
        let pause = pair[1] - pair[0];
        // A jump forwards makes one attempt due at once; the next ones follow the plan.
        let is_first = pair[0] == seen[0];
        assert!(is_first || pause >= PAUSE / 2, "a storm after {shown}: {pause:?}");
    }
    seen.len()
}

fn set(clock: &Path, shown: &str) {
    // In one step: half a time is none.
    let new = clock.with_extension("new");
    std::fs::write(&new, shown).expect("the clock is written");
    std::fs::rename(&new, clock).expect("the clock is set");
}

fn started(data_dir: &Path, clock: &Path, port: u16) -> Daemon {
    let mut command = Command::new(BINARY);
    command
        .env("LD_PRELOAD", faketime())
        .env("FAKETIME_TIMESTAMP_FILE", clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let nobody = free_port();
    let routes = format!(
        "routes={{\"deferring.test\"=\"127.0.0.1:{port}\",\"dead.test\"=\"127.0.0.1:{nobody}\"}}"
    );
    let mut settings = vec![routes];
    for ladder in ["greylisted", "short", "standard"] {
        settings.push(format!("retry.{ladder}={{steps=[\"1s\"],longest_pause=\"1s\"}}"));
    }
    let others = ["least_pause=1s", "unreachable_pause=1s", "unreachable_longest=1s"];
    settings.extend(others.map(|pause| format!("retry.{pause}")));
    settings.extend(["retry.give_up_after=60d", "log.level=warn"].map(str::to_owned));
    let mut arguments = vec!["--domain", "example.org"];
    settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
    Daemon::start_as(command, data_dir, &arguments)
}

/// Debian's, wherever this machine's kind has its libraries.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.into_iter().find(|library| library.is_file());
    found.expect("the package libfaketime is installed; `cargo xtask test` does that")
}
