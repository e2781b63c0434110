//! Whether a batch waits for those who were told of the last one, and who of them writes it.

use std::time::{Duration, Instant};

/// For how long at most a batch waits for those who were told of the last one.
const LONGEST_GATHERING: Duration = Duration::from_millis(2);
/// A part of the quickest batch: so much slower a disk is thought to be after each one.
const SLOWS_BY: u32 = 64;
/// How often in a row it is noted that waiting was in vain.
const MOST_IN_VAIN: u32 = 6;
/// So often in a row something was so before it is relied upon.
pub(super) const OFTEN: u32 = 16;
/// How soon the writer looks again where others write: too seldom to be noticed, and soon
/// enough for those whose company is late.
const NAP: Duration = Duration::from_millis(1);

/// Whether a batch waits for those who were told of the last one, and are about to submit
/// again, one after the other: begun with the first of them, it would make the others wait
/// for two syncs. Where they take longer to come than a sync takes, it is better begun: two
/// groups then take turns, and neither the disk nor they are idle.
///
/// Where they always come in time, who comes last can write the batch itself: nobody is left
/// to come meanwhile, and it need not wake the writer's thread, and be woken by it. That
/// thread then only looks, now and then, whether somebody is late.
#[derive(Default)]
pub(super) struct Company {
    /// What a batch took, at its best: what it costs to write and sync nearly nothing.
    quickest: Option<Duration>,
    /// How often in a row they were back in time.
    in_time: u32,
    /// How often in a row they were not.
    in_vain: u32,
    /// Batches that wait for nobody.
    alone: u32,
    awaited: Option<Awaited>,
    /// One of them wrote since the writer last looked.
    leads: bool,
}

/// Who is awaited.
struct Awaited {
    /// How many, with those who are there.
    all: usize,
    until: Instant,
}

impl Company {
    /// A batch was written, which took so long: so many may wait for the next one soon, of
    /// whom some are there already.
    pub(super) fn expect(&mut self, all: usize, there: usize, took: Duration, now: Instant) {
        let patience = self.patience(took);
        // One that is alone waits for nobody.
        if all < 2 || patience.is_zero() {
            return;
        }
        self.awaited = Some(Awaited { all, until: now + patience });
        self.note_arrival(there);
    }

    /// For how long to wait, now that a batch took so long: until a quick one would have
    /// been written, and those told who are in it.
    fn patience(&mut self, took: Duration) -> Duration {
        let quickest = self.quickest.map_or(took, |best| took.min(best + best / SLOWS_BY));
        self.quickest = Some(quickest);
        if self.alone > 0 {
            self.alone -= 1;
            return Duration::ZERO;
        }
        (2 * quickest).min(LONGEST_GATHERING)
    }

    /// Somebody came: so many are there. Whether that is everybody who was awaited.
    pub(super) fn note_arrival(&mut self, there: usize) -> bool {
        let is_last = self.awaited.as_ref().is_some_and(|awaited| there >= awaited.all);
        if is_last {
            self.end(true);
        }
        is_last
    }

    /// Ends the wait for who should have come before.
    pub(super) fn give_up_who_is_late(&mut self, now: Instant) {
        if self.awaits_until().is_some_and(|until| now >= until) {
            self.end(false);
        }
    }

    /// Whether all came. Where they did not, the next batches try it less and less often.
    fn end(&mut self, all_came: bool) {
        self.in_time = if all_came { self.in_time.saturating_add(1) } else { 0 };
        self.in_vain = if all_came { 0 } else { (self.in_vain + 1).min(MOST_IN_VAIN) };
        self.alone = (1 << self.in_vain) - 1;
        self.awaited = None;
    }

    /// Nobody is awaited any more, for another reason.
    pub(super) fn forget(&mut self) {
        self.awaited = None;
    }

    /// Whether all came in time so often that who comes last may write.
    pub(super) fn is_reliable(&self) -> bool {
        self.in_time > OFTEN
    }

    /// Whether the next batch is most likely to be written by who comes last.
    pub(super) fn will_lead(&self) -> bool {
        self.awaited.is_some() && self.is_reliable()
    }

    /// Who came last has written, instead of the writer.
    pub(super) fn note_lead(&mut self) {
        self.leads = self.awaited.is_some();
    }

    /// Until when somebody is awaited.
    pub(super) fn awaits_until(&self) -> Option<Instant> {
        self.awaited.as_ref().map(|awaited| awaited.until)
    }

    /// When the writer, that looks now, is to look again although nobody wakes it.
    pub(super) fn next_look(&mut self, now: Instant) -> Option<Instant> {
        if std::mem::take(&mut self.leads) { Some(now + NAP) } else { self.awaits_until() }
    }

    /// Whether somebody may be late, and a writer that sleeps until `then` would not see it.
    pub(super) fn needs_look_before(&self, then: Instant) -> bool {
        self.awaits_until().is_some_and(|until| until + NAP < then)
    }
}

#[cfg(test)]
mod tests {
    use super::super::writer::stopwatch;
    use super::*;

    const SYNC: Duration = Duration::from_micros(100);

    /// As after a batch that `all` were in, or came meanwhile.
    fn expecting(all: usize, took: Duration, now: Instant) -> Company {
        let mut company = Company::default();
        company.expect(all, 0, took, now);
        company
    }

    #[test]
    fn a_batch_waits_no_longer_than_two_quick_ones_take() {
        let mut company = Company::default();
        assert_eq!(company.patience(3 * SYNC), 6 * SYNC);
        assert_eq!(company.patience(SYNC), 2 * SYNC);
        let after_a_large_one = company.patience(10 * SYNC);
        assert!(after_a_large_one > 2 * SYNC && after_a_large_one < 3 * SYNC);
        for _ in 0..1000 {
            company.patience(Duration::from_secs(1));
        }
        assert_eq!(company.patience(Duration::from_secs(1)), LONGEST_GATHERING);
    }

    #[test]
    fn one_that_is_alone_waits_for_nobody() {
        let now = stopwatch();
        assert_eq!(expecting(1, SYNC, now).awaits_until(), None);
        assert_eq!(expecting(2, SYNC, now).awaits_until(), Some(now + 2 * SYNC));
    }

    #[test]
    fn the_wait_ends_with_who_comes_last_and_with_those_who_came_meanwhile() {
        let mut company = expecting(3, SYNC, stopwatch());
        assert!(!company.note_arrival(2));
        assert!(company.note_arrival(3));
        assert_eq!(company.awaits_until(), None);
        assert!(!company.note_arrival(4), "nobody is awaited any more");
        company.expect(3, 3, SYNC, stopwatch());
        assert_eq!(company.awaits_until(), None, "all are there");
    }

    #[test]
    fn a_writer_that_others_write_for_looks_in_time_for_who_is_late() {
        let now = stopwatch();
        let mut company = expecting(3, SYNC, now);
        assert_eq!(company.next_look(now), Some(now + 2 * SYNC));
        let then = now + Duration::from_secs(1);
        assert!(company.needs_look_before(then));
        company.note_lead();
        assert_eq!(company.next_look(now), Some(now + NAP));
        assert!(!company.needs_look_before(now + NAP));
        assert_eq!(company.next_look(now), Some(now + 2 * SYNC), "nobody wrote since");
        company.give_up_who_is_late(now + SYNC);
        assert!(company.awaits_until().is_some());
        company.give_up_who_is_late(now + 2 * SYNC);
        assert_eq!((company.awaits_until(), company.next_look(now)), (None, None));
        assert!(!company.needs_look_before(then));
    }

    #[test]
    fn who_is_never_back_in_time_is_waited_for_less_and_less_and_not_never() {
        let (mut company, now) = (Company::default(), stopwatch());
        let mut waits = Vec::new();
        for batch in 0..400 {
            company.expect(2, 0, SYNC, now);
            if company.awaits_until().is_some() {
                waits.push(batch);
                company.give_up_who_is_late(now + LONGEST_GATHERING);
            }
        }
        assert_eq!(waits, [0, 2, 6, 14, 30, 62, 126, 190, 254, 318, 382]);
        company.end(true);
        company.expect(2, 0, SYNC, now);
        assert!(company.awaits_until().is_some());
    }
}
