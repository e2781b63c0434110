//! The writer of a log, and when it writes: how its thread waits for work, and for company.

use std::fmt;
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use super::pen::By;
use super::{Log, Shared};
use crate::disk::Disk;

/// How long records that do not press may wait for company.
const PATIENCE: Duration = Duration::from_millis(250);
/// For how long at most a batch waits for those who were told of the last one.
const LONGEST_GATHERING: Duration = Duration::from_millis(2);
/// A part of the quickest batch: so much slower a disk is thought to be after each one.
const SLOWS_BY: u32 = 64;
/// How often in a row it is noted that waiting was in vain.
const MOST_IN_VAIN: u32 = 6;
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

/// Whether a batch waits for those who were told of the last one, and are about to submit
/// again, one after the other: begun with the first of them, it would make the others wait
/// for two syncs. Where they take longer to come than a sync takes, it is better begun: two
/// groups then take turns, and neither the disk nor they are idle.
#[derive(Default)]
struct Company {
    /// What a batch took, at its best: what it costs to write and sync nearly nothing.
    quickest: Option<Duration>,
    /// How often in a row they were not back in time.
    in_vain: u32,
    /// Batches that wait for nobody.
    alone: u32,
}

impl Company {
    /// For how long to wait, now that a batch took so long.
    fn patience(&mut self, took: Duration) -> Duration {
        let quickest = self.quickest.map_or(took, |best| took.min(best + best / SLOWS_BY));
        self.quickest = Some(quickest);
        if self.alone > 0 {
            self.alone -= 1;
            return Duration::ZERO;
        }
        quickest.min(LONGEST_GATHERING)
    }

    /// After a wait: whether all came. Where they did not, the next batches try it less
    /// and less often.
    fn note(&mut self, all_came: bool) {
        self.in_vain = if all_came { 0 } else { (self.in_vain + 1).min(MOST_IN_VAIN) };
        self.alone = (1 << self.in_vain) - 1;
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
        self.log.write_oldest(By::Writer).is_some()
    }

    /// Steps until the log is closed and all is written. For a thread of its own. `held_up`
    /// is called, again and again, while the disk holds up a submitter that writes itself.
    pub fn run(self, held_up: impl Fn()) {
        let (mut next, mut back) = (Expected::default(), Expected::default());
        let mut company = Company::default();
        while self.wait(&mut next, &held_up) {
            let start = stopwatch();
            let all = self.log.write_oldest(By::Writer).unwrap_or(0);
            let patience = company.patience(start.elapsed());
            // One that is alone waits for nobody.
            if all > 1 && !patience.is_zero() {
                company.note(self.until(all, patience, &mut back));
            }
        }
    }

    /// Waits for work, and for company where it does not press; `false` when the log is
    /// closed and there is none.
    fn wait(&self, next: &mut Expected, held_up: &impl Fn()) -> bool {
        self.until(0, PATIENCE, next);
        let (goes_on, holds_up) = {
            let shared = self.log.shared();
            (!shared.closed || !shared.queue.is_empty(), shared.holds_up())
        };
        if holds_up {
            held_up();
        }
        goes_on
    }

    /// Until there is work that `wanted` submitters wait for, or the log is closed; so long
    /// at most. Whether it is so.
    fn until(&self, wanted: usize, longest: Duration, expected: &mut Expected) -> bool {
        let start = stopwatch();
        let is_there = expected.0 < AWAKE && self.watch(wanted, start + longest.min(2 * AWAKE))
            || self.sleep(wanted, longest);
        expected.note(if is_there { start.elapsed() } else { Duration::MAX });
        is_there
    }

    /// Awake, and out of the way of who is to come. Whether they came.
    fn watch(&self, wanted: usize, end: Instant) -> bool {
        loop {
            if let Ok(shared) = self.log.0.shared.try_lock()
                && shared.has_work_for(wanted)
            {
                return true;
            }
            if stopwatch() >= end {
                return false;
            }
            thread::yield_now();
        }
    }

    /// Asleep. Whether they came.
    fn sleep(&self, wanted: usize, longest: Duration) -> bool {
        let mut shared = self.log.shared();
        if shared.has_work_for(wanted) {
            return true;
        }
        shared.wanted = Some(wanted);
        let idle = |shared: &mut Shared<D>| shared.wanted.is_some();
        let waited = self.log.0.work.wait_timeout_while(shared, longest, idle);
        let (mut shared, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        shared.wanted = None;
        !waited.timed_out()
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

    const SYNC: Duration = Duration::from_micros(100);

    #[test]
    fn a_batch_waits_no_longer_than_a_quick_one_takes() {
        let mut company = Company::default();
        assert_eq!(company.patience(3 * SYNC), 3 * SYNC);
        assert_eq!(company.patience(SYNC), SYNC);
        let after_a_large_one = company.patience(10 * SYNC);
        assert!(after_a_large_one > SYNC && after_a_large_one < 2 * SYNC);
        for _ in 0..1000 {
            company.patience(Duration::from_secs(1));
        }
        assert_eq!(company.patience(Duration::from_secs(1)), LONGEST_GATHERING);
    }

    #[test]
    fn it_waits_awake_only_while_work_comes_quickly() {
        let mut next = Expected::default();
        assert!(next.0 >= AWAKE);
        (0..20).for_each(|_| next.note(AWAKE / 2));
        assert!(next.0 < AWAKE);
        (0..3).for_each(|_| next.note(Duration::MAX));
        assert!(next.0 >= AWAKE);
    }

    #[test]
    fn who_is_never_back_in_time_is_waited_for_less_and_less_and_not_never() {
        let mut company = Company::default();
        let mut waits = Vec::new();
        for batch in 0..400 {
            if !company.patience(SYNC).is_zero() {
                waits.push(batch);
                company.note(false);
            }
        }
        assert_eq!(waits, [0, 2, 6, 14, 30, 62, 126, 190, 254, 318, 382]);
        company.note(true);
        assert!(!company.patience(SYNC).is_zero());
    }
}
