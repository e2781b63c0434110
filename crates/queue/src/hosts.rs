//! Hosts that cannot be reached, whatever domains lead to them: such a host is left alone
//! once for all its mail, and one attempt at a time finds out whether it is back.
//!
//! `schedule` knows destinations, and several of them can end at one host; this is what
//! they share. In memory only: after a restart each host gets its first attempt again.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use reply::Timestamp;

use crate::retry::RetryOptions;

/// While one attempt finds out, others stay away for this long: longer than a connection
/// may take to be made.
const FINDING_OUT: Duration = Duration::from_secs(60);
/// Above this many hosts those that nobody asked for of late are forgotten.
const MANY: usize = 1000;

/// The hosts in trouble, by address and port.
#[derive(Debug)]
pub struct Hosts {
    first_pause: Duration,
    longest_pause: Duration,
    in_trouble: HashMap<String, Host>,
}

#[derive(Debug)]
struct Host {
    /// Left alone before this time.
    until: Timestamp,
    failures: u32,
    /// Somebody was let through since the last pause and has not come back yet.
    finding_out: bool,
    /// The destinations that wait for it.
    waiting: BTreeSet<String>,
}

impl Hosts {
    /// No host is in trouble; pauses are `retry.unreachable_pause`, doubling up to
    /// `retry.unreachable_longest`.
    pub fn new(retry: &RetryOptions) -> Hosts {
        Hosts {
            first_pause: retry.unreachable_pause,
            longest_pause: retry.unreachable_longest,
            in_trouble: HashMap::new(),
        }
    }

    /// Asks for an attempt at `host`. Who is let through tells how it went.
    ///
    /// # Errors
    /// The time before which the host is left alone.
    pub fn may_try(&mut self, host: &str, now: Timestamp) -> Result<(), Timestamp> {
        let longest = self.longest_pause;
        let Some(known) = self.in_trouble.get_mut(host) else { return Ok(()) };
        // A pause further away than any comes from a clock that was wrong.
        known.until = known.until.min(now + longest);
        if known.until > now {
            return Err(known.until);
        }
        known.until = now + FINDING_OUT;
        known.finding_out = true;
        Ok(())
    }

    /// The host could not be reached. Many attempts that fail together are one failure.
    /// Returns the time before which it is left alone.
    pub fn failed(&mut self, host: &str, now: Timestamp) -> Timestamp {
        self.forget_old(now);
        let (first, longest) = (self.first_pause, self.longest_pause);
        let known = self.in_trouble.entry(host.to_owned()).or_insert_with(|| Host {
            until: now,
            failures: 0,
            finding_out: true,
            waiting: BTreeSet::new(),
        });
        if known.finding_out || known.until <= now {
            let pause = first.saturating_mul(1 << known.failures.min(16)).min(longest);
            known.failures += 1;
            known.finding_out = false;
            known.until = now + pause;
        }
        known.until
    }

    /// The host answered: its trouble is forgotten. Returns the destinations that wait for
    /// it and may go on.
    pub fn answered(&mut self, host: &str) -> BTreeSet<String> {
        self.in_trouble.remove(host).map(|known| known.waiting).unwrap_or_default()
    }

    /// `destination` waits until one of `hosts` is back.
    pub fn wait_for(&mut self, hosts: &[String], destination: &str) {
        for host in hosts {
            if let Some(known) = self.in_trouble.get_mut(host) {
                known.waiting.insert(destination.to_owned());
            }
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        if self.in_trouble.len() >= MANY {
            let longest = self.longest_pause;
            self.in_trouble.retain(|_, known| known.until + longest > now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "192.0.2.1:25";

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + secs)
    }

    fn hosts() -> Hosts {
        Hosts::new(&RetryOptions::default())
    }

    #[test]
    fn a_dead_host_is_left_alone_for_everybody_and_the_pause_doubles_to_an_hour() {
        let mut hosts = hosts();
        let mut now = at(0);
        for pause_secs in [300, 600, 1200, 2400, 3600, 3600] {
            assert_eq!(hosts.may_try(HOST, now), Ok(()));
            let until = hosts.failed(HOST, now);
            assert_eq!(until.since(now), Duration::from_secs(pause_secs));
            assert_eq!(hosts.may_try(HOST, until - Duration::from_millis(1)), Err(until));
            now = until;
        }
        assert_eq!(hosts.may_try("192.0.2.1:26", now), Ok(()), "another port is another host");
    }

    #[test]
    fn attempts_that_fail_together_are_one_failure() {
        let mut hosts = hosts();
        let until = hosts.failed(HOST, at(0));
        assert_eq!(hosts.failed(HOST, at(1)), until);
        assert_eq!(hosts.failed(HOST, at(2)), until);
    }

    #[test]
    fn one_attempt_at_a_time_finds_out_and_an_answer_lets_all_that_wait_go_on() {
        let mut hosts = hosts();
        let until = hosts.failed(HOST, at(0));
        hosts.wait_for(&[HOST.to_owned(), "never.heard.of:25".to_owned()], "mx:b.test");
        hosts.wait_for(&[HOST.to_owned()], "mx:a.test");
        assert_eq!(hosts.may_try(HOST, until), Ok(()));
        assert_eq!(hosts.may_try(HOST, until), Err(until + FINDING_OUT));
        let waiting: Vec<String> = hosts.answered(HOST).into_iter().collect();
        assert_eq!(waiting, ["mx:a.test", "mx:b.test"]);
        assert_eq!(hosts.may_try(HOST, until), Ok(()));
        assert!(hosts.answered(HOST).is_empty(), "a host without trouble has nobody waiting");
    }

    #[test]
    fn who_was_let_through_and_never_came_back_blocks_the_host_for_a_minute_only() {
        let mut hosts = hosts();
        let until = hosts.failed(HOST, at(0));
        assert_eq!(hosts.may_try(HOST, until), Ok(()));
        assert_eq!(hosts.may_try(HOST, until + FINDING_OUT), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_bar_a_host_for_longer_than_the_longest_pause() {
        let mut hosts = hosts();
        hosts.failed(HOST, at(10_000_000));
        assert_eq!(hosts.may_try(HOST, at(0)), Err(at(3600)));
        assert_eq!(hosts.may_try(HOST, at(3600)), Ok(()));
    }

    #[test]
    fn hosts_that_nobody_asks_for_are_forgotten() {
        let mut hosts = hosts();
        for port in 0..MANY {
            hosts.failed(&format!("192.0.2.1:{port}"), at(0));
        }
        hosts.failed(HOST, at(100_000));
        assert_eq!(hosts.in_trouble.len(), 1);
    }
}
