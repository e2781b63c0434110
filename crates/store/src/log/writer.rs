//! The writer of a log, and when it writes: how its thread waits for work.

use std::fmt;
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use super::pen::{By, Word};
use super::{Log, Shared};
use crate::disk::Disk;

/// How long records that do not press may wait for company.
const PATIENCE: Duration = Duration::from_millis(250);
/// What is expected sooner is waited for awake, and up to twice so long: a sleep and a wake
/// take about as long as a quick disk's sync. Even one session that waits for each reply is
/// back within that time, if it is near.
const AWAKE: Duration = Duration::from_micros(200);
/// How much the last time counts in what was so of late: an eighth.
const LAST_COUNTS: u32 = 8;

/// How long something took of late, now that it took so long once more.
pub(super) fn of_late(so_far: Duration, last: Duration) -> Duration {
    (so_far * (LAST_COUNTS - 1) + last) / LAST_COUNTS
}

/// How long it takes until somebody comes, as it was of late.
struct Expected(Duration);

impl Default for Expected {
    fn default() -> Expected {
        Expected(4 * AWAKE)
    }
}

impl Expected {
    fn note(&mut self, took: Duration) {
        self.0 = of_late(self.0, took.min(4 * AWAKE));
    }
}

/// Writes a log's batches. There is one for each log. Dropped, it writes nothing more: what
/// is on its way fails, and the log is closed.
pub struct Writer<D: Disk> {
    log: Log<D>,
}

impl<D: Disk> fmt::Debug for Writer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Writer").field(&self.log).finish()
    }
}

impl<D: Disk> Writer<D> {
    pub(super) fn new(log: Log<D>) -> Writer<D> {
        Writer { log }
    }

    /// Writes and syncs the oldest batch, and tells its submitters. Whether there was one.
    ///
    /// After an error nothing that was not synced before is trusted, nothing more is
    /// written to that segment, and everything that was on its way fails.
    pub fn step(&mut self) -> bool {
        self.log.write_oldest(By::Writer).map(Word::tell).is_some()
    }

    /// Steps until the log is closed and all is written. For a thread of its own. `held_up`
    /// is called, again and again, while the disk holds up a submitter that writes itself.
    pub fn run(mut self, held_up: impl Fn()) {
        let (mut next, mut back) = (Expected::default(), Expected::default());
        while self.wait(&mut next, &held_up) {
            self.step();
            self.wait_for_company(&mut back);
        }
    }

    /// Waits for work, and for a moment where it does not press; `false` when the log is
    /// closed and there is none.
    fn wait(&self, next: &mut Expected, held_up: &impl Fn()) -> bool {
        self.until(stopwatch() + PATIENCE, next);
        let (goes_on, holds_up) = {
            let shared = self.log.shared();
            (!shared.closed || !shared.queue.is_empty(), shared.holds_up())
        };
        if holds_up {
            held_up();
        }
        goes_on
    }

    /// Waits for those who are awaited, unless they are left to who comes last.
    fn wait_for_company(&self, back: &mut Expected) {
        let until = {
            let shared = self.log.shared();
            shared.company.awaits_until().filter(|_| !shared.company.will_lead())
        };
        if let Some(until) = until {
            self.until(until, back);
        }
    }

    /// Until there is work, at most until `end`.
    fn until(&self, end: Instant, expected: &mut Expected) {
        let start = stopwatch();
        let is_there =
            expected.0 < AWAKE && self.watch(end.min(start + 2 * AWAKE)) || self.sleep(end);
        let took = start.elapsed();
        expected.note(if is_there { took } else { Duration::MAX });
    }

    /// Awake, and out of the way of who is to come. Whether there is work before the end.
    fn watch(&self, end: Instant) -> bool {
        loop {
            if let Ok(shared) = self.log.0.shared.try_lock() {
                if shared.has_work() {
                    return true;
                }
                if shared.company.will_lead() {
                    return false;
                }
            }
            if stopwatch() >= end {
                return false;
            }
            thread::yield_now();
        }
    }

    /// Asleep. Whether there is work before the end.
    fn sleep(&self, end: Instant) -> bool {
        let mut shared = self.log.shared();
        loop {
            let now = stopwatch();
            shared.company.give_up_who_is_late(now);
            if now >= end {
                return false;
            }
            if shared.has_work() {
                return true;
            }
            let next_look = shared.company.next_look(now).map_or(end, |next| next.min(end));
            shared.asleep_until = Some(next_look);
            let asleep = |shared: &mut Shared<D>| shared.asleep_until.is_some();
            let waited = self.log.0.work.wait_timeout_while(shared, next_look - now, asleep);
            shared = waited.unwrap_or_else(PoisonError::into_inner).0;
            shared.asleep_until = None;
        }
    }
}

impl<D: Disk> Drop for Writer<D> {
    fn drop(&mut self) {
        self.log.give_up();
    }
}

/// For how long the disk takes: nothing that is kept or planned hangs on it.
#[allow(clippy::disallowed_methods)]
pub(super) fn stopwatch() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_awake_only_while_work_comes_quickly() {
        let mut next = Expected::default();
        assert!(next.0 >= AWAKE);
        (0..20).for_each(|_| next.note(AWAKE / 2));
        assert!(next.0 < AWAKE);
        (0..3).for_each(|_| next.note(Duration::MAX));
        assert!(next.0 >= AWAKE);
    }
}
