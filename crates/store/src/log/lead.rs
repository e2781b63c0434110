//! A submitter that writes its batch itself: one that comes alone again and again, or last
//! of those who were awaited, to a quick disk. The way to the writer's thread and back takes
//! as long as such a disk does.

use std::fmt;
use std::time::{Duration, Instant};

use super::company::OFTEN;
use super::pen::By;
use super::writer::{of_late, stopwatch};
use super::{Log, Shared};
use crate::disk::Disk;

/// Of so many at most who comes last leads. To tell more of them takes so long that it is
/// better done beside those who were told.
const MOST_LED: usize = 64;
/// What a batch takes on a disk that is quick enough to be waited for in place.
const QUICK: Duration = Duration::from_millis(1);
/// Who is held up for longer may hold up others.
const HELD_UP: Duration = Duration::from_millis(10);

/// Whether submitters come one at a time, and how long each waits.
#[derive(Default)]
pub(super) struct Solitude {
    in_a_row: u32,
    took: Option<Duration>,
}

impl Solitude {
    /// Somebody came whose record presses.
    fn note_arrival(&mut self, is_alone: bool) {
        self.in_a_row = if is_alone { self.in_a_row.saturating_add(1) } else { 0 };
    }

    /// A batch was written and synced.
    pub(super) fn note_batch(&mut self, took: Duration) {
        self.took = Some(self.took.map_or(took, |so_far| of_late(so_far, took)));
    }

    /// Whether somebody came alone so often that who does may lead.
    fn is_reliable(&self) -> bool {
        self.in_a_row > OFTEN
    }

    fn is_quick(&self) -> bool {
        self.took.is_some_and(|took| took < QUICK)
    }
}

impl<D: Disk> Shared<D> {
    /// Notes who comes with a record that presses, which is in the open batch by now, and
    /// `is_last` of those who were awaited. Whether it may lead.
    pub(super) fn note_arrival(&mut self, is_last: bool) -> bool {
        let pressing: usize = self.queue.iter().map(|batch| batch.pressing).sum();
        let nobody_writes = self.writing.is_none() && self.leading.is_none();
        let is_alone = nobody_writes && pressing == 1;
        self.solitude.note_arrival(is_alone);
        let is_last = is_last && self.company.is_reliable() && self.waiting() <= MOST_LED;
        let is_alone = is_alone && self.solitude.is_reliable();
        let may = (is_last || is_alone) && self.solitude.is_quick();
        nobody_writes && self.queue.len() == 1 && may
    }

    /// Whether the disk holds up who leads.
    pub(super) fn holds_up(&self) -> bool {
        self.leading.is_some_and(|since: Instant| since.elapsed() > HELD_UP)
    }
}

/// A batch that one of its submitters is to write: nobody else does until then. Dropped, it
/// is left to the writer.
#[must_use = "the batch waits for it"]
pub struct Lead<D: Disk> {
    log: Log<D>,
    is_over: bool,
}

impl<D: Disk> fmt::Debug for Lead<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lead").field(&self.log).finish()
    }
}

impl<D: Disk> Lead<D> {
    /// The lead, in a log where nobody has it.
    pub(super) fn take(log: &Log<D>, shared: &mut Shared<D>) -> Lead<D> {
        shared.leading = Some(stopwatch());
        Lead { log: log.clone(), is_over: false }
    }

    /// Writes and syncs the batch on this thread, and tells its submitters. Blocks for as
    /// long as the disk takes, which may be long although it was quick of late.
    pub fn write(mut self) {
        let word = self.log.write_oldest(By::Lead);
        // From now on somebody else may have the lead.
        self.is_over = word.is_some();
        if let Some(word) = word {
            word.tell();
        }
    }
}

impl<D: Disk> Drop for Lead<D> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut shared = self.log.shared();
        shared.leading = None;
        let is_cut_off = shared.pen.is_none();
        self.log.wake_writer(&mut shared);
        drop(shared);
        if is_cut_off {
            // It panicked while it wrote: what stands on the disk nobody knows.
            self.log.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_lead(solitude: &Solitude) -> bool {
        solitude.is_reliable() && solitude.is_quick()
    }

    #[test]
    fn who_comes_alone_often_enough_to_a_quick_disk_may_lead() {
        let mut solitude = Solitude::default();
        (0..100).for_each(|_| solitude.note_arrival(true));
        assert!(!may_lead(&solitude), "nothing is known of the disk");
        solitude.note_batch(QUICK / 2);
        assert!(may_lead(&solitude));
        solitude.note_arrival(false);
        (0..OFTEN).for_each(|_| solitude.note_arrival(true));
        assert!(!may_lead(&solitude));
        solitude.note_arrival(true);
        assert!(may_lead(&solitude));
    }

    #[test]
    fn a_disk_that_becomes_slow_is_not_waited_for_in_place_until_it_is_quick_again() {
        let mut solitude = Solitude::default();
        (0..=OFTEN).for_each(|_| solitude.note_arrival(true));
        (0..20).for_each(|_| solitude.note_batch(QUICK / 2));
        assert!(may_lead(&solitude));
        solitude.note_batch(10 * QUICK);
        assert!(!may_lead(&solitude));
        (0..20).for_each(|_| solitude.note_batch(QUICK / 2));
        assert!(may_lead(&solitude));
    }
}
